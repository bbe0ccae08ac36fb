"""The yardstick of `benchmarks.speed` for SoftHebb: the same algorithm in float32 with NumPy and BLAS.

One layer that competes. Written to be fast: one product forward and one for the update, in place by BLAS; the norms
follow from the drives and the products of the samples with each other, so that no pass over the weights is needed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from benchmarks.float32.network import FloatNetwork, Floats
from edgesdt.rules.softhebb.settings import settings, sharpness
from edgesdt.spec import Spec


@dataclass(frozen=True)
class Settings:
    """What the network and its learning are; the rate is that of the sum over a mini-batch. Nobody wins k times."""

    layers: tuple[int, ...]
    rate: float
    sharpness: float
    rate_power: float
    power: float
    window: int
    batch: int
    gain: float
    winners: int = 0
    gamma: float = 0.0

    @classmethod
    def of(cls, spec: Spec, batch: int) -> Settings:
        """The settings of `spec` for mini-batches, whose updates are summed as the chip's are.

        Raises `ValueError` for what the reference does not have: more layers, a division, uncentred inputs.
        """
        learning = settings(spec)
        if learning.target != "none" or len(spec.chip.layers) > 2:
            raise ValueError("chip.layers: the reference has one layer, which competes")
        if learning.normalisation != "none" or learning.losers != "anti_hebbian":
            raise ValueError("learning.normalisation: the reference divides by nothing, and losers move away")
        if not learning.centre.enabled or learning.activation.kind != "triangle":
            raise ValueError("learning.centre.enabled: the reference takes the mean off, and has triangles")
        return cls(
            layers=spec.chip.layers,
            rate=learning.learning_rate[0],
            sharpness=sharpness(spec, 0),
            rate_power=learning.rate_power,
            power=learning.activation.power,
            window=1 << learning.centre.window_bits,
            batch=batch,
            gain=spec.chip.weights.init_gain,
        )


class FloatSoftHebb(FloatNetwork):
    """A layer of float32 weights (n_0, n_1), the squared norms of its neurons, and the mean of its inputs."""

    def __init__(self, settings: Settings, seed: int = 0) -> None:
        super().__init__(settings, seed)
        self.settings = settings
        self.mean: Floats = np.zeros(settings.layers[0], np.float32)
        self.squares: Floats = np.square(self.weights[0]).sum(axis=0)
        self._seen = 0

    def _learn_batch(self, samples: Floats) -> None:
        """Mean, competition, weights and norms."""
        known, n, weights = self.settings, len(samples), self.weights[0]
        self._seen += n
        self.mean += np.float32(n / min(self._seen, known.window)) * (samples.mean(axis=0) - self.mean)
        centred: Floats = samples - self.mean
        drives: Floats = centred @ weights
        steps = self._shares(drives)
        steps *= np.float32(known.rate) * np.abs(np.sqrt(self.squares) - 1.0) ** np.float32(known.rate_power)
        decay = 1.0 - (steps * drives).sum(axis=0)
        np.clip(decay, 0.5, 1.5, out=decay)
        # |a w + Σ s z|² by the drives z·w and by the products of the samples with each other
        self.squares *= decay * decay
        self.squares += 2.0 * decay * (steps * drives).sum(axis=0) + (steps * ((centred @ centred.T) @ steps)).sum(0)
        np.maximum(self.squares, 0.0, out=self.squares)
        weights *= decay
        self._add_outer(0, 1.0, centred, steps)

    def _shares(self, drives: Floats) -> Floats:
        """The softmax of each sample, signed: that of all but the winner is below 0."""
        best = drives.argmax(axis=1)
        shares: Floats = drives - drives.max(axis=1, keepdims=True)
        shares *= np.float32(self.settings.sharpness)
        np.exp(shares, out=shares)
        shares /= -shares.sum(axis=1, keepdims=True)
        rows = np.arange(len(best))
        shares[rows, best] *= -1.0
        return shares

    def _infer_batch(self, samples: Floats) -> Floats:
        """What lies above the mean of the layer, raised to the power of the activation."""
        centred: Floats = samples - self.mean
        drives: Floats = centred @ self.weights[0]
        drives -= drives.mean(axis=1, keepdims=True)
        np.maximum(drives, 0.0, out=drives)
        np.power(drives, np.float32(self.settings.power), out=drives)
        return drives
