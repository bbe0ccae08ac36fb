"""The yardstick of `benchmarks.speed` for similarity matching: the same algorithm in float32 with NumPy and BLAS.

Without labels, settled by damped steps; one product of matrices a step for the whole mini-batch, weights decayed and
moved in place by one call of BLAS.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.linalg.blas import sgemm

from benchmarks.float32.network import FloatNetwork, Floats
from edgesdt.rules.similarity.settings import settings
from edgesdt.spec import Spec


@dataclass(frozen=True)
class Settings:
    """What the network and its learning are; rates are shares of the weights that a mini-batch replaces."""

    layers: tuple[int, ...]
    feed: tuple[float, ...]
    lateral: tuple[float, ...]
    batch: int
    steps: int
    dt: float
    top: float
    mean: float
    gain: float
    winners: int = 0
    gamma: float = 0.0

    @classmethod
    def of(cls, spec: Spec, batch: int) -> Settings:
        """The settings of `spec` for mini-batches: rates per sample become rates per batch, times `batch`.

        Raises `ValueError` for a target or a way to stack that the reference does not have.
        """
        learning = settings(spec)
        if learning.target != "none":
            raise ValueError(f"learning.target: {learning.target}, the reference learns without labels only")
        if learning.stacking != "together" and len(spec.chip.layers) > 2:
            raise ValueError("learning.stacking: all layers of the reference learn together")
        if not learning.centring.enabled:
            raise ValueError("learning.centring.enabled: false, the reference takes the mean off")
        rates = [rate * batch for rate in learning.learning_rate]
        return cls(
            layers=spec.chip.layers,
            feed=tuple(2 * rate for rate in rates),
            lateral=tuple(rate / learning.tau for rate in rates),
            batch=batch,
            steps=learning.settling.steps,
            dt=learning.settling.dt,
            top=2.0**learning.integer_bits,
            mean=batch * 2.0**-learning.centring.shift,
            gain=spec.chip.weights.init_gain,
        )


class FloatSimilarity(FloatNetwork):
    """A network of float32 weights (n_l, n_{l+1}) and lateral weights (n_{l+1}, n_{l+1})."""

    def __init__(self, settings: Settings, seed: int = 0) -> None:
        super().__init__(settings, seed)
        self.settings = settings
        self.lateral: list[Floats] = [np.eye(n, dtype=np.float32) for n in settings.layers[1:]]
        self.means: list[Floats] = [np.zeros(n, np.float32) for n in settings.layers[:-1]]
        self._seen = 0

    def _learn_batch(self, samples: Floats) -> None:
        """Mean, states and weights of every layer, from the input up."""
        known, n, below = self.settings, len(samples), samples
        self._seen += n
        share = max(known.mean, n / self._seen)
        for k, weights in enumerate(self.weights):
            self.means[k] += np.float32(share) * (below.mean(axis=0) - self.means[k])
            centred = below - self.means[k]
            below = self._settled(k, centred)
            for rate, held, pre in ((known.feed[k], weights, centred), (known.lateral[k], self.lateral[k], below)):
                # BLAS sees the row-major weights as their transpose
                sgemm(rate / n, below.T, pre.T, beta=1.0 - rate, c=held.T, trans_b=True, overwrite_c=True)

    def _infer_batch(self, samples: Floats) -> Floats:
        """States of the last layer."""
        below = samples
        for k in range(len(self.weights)):
            below = self._settled(k, below - self.means[k])
        return below

    def _settled(self, k: int, centred: Floats) -> Floats:
        """States after all damped steps from 0."""
        drive = centred @ self.weights[k]
        drive *= np.float32(self.settings.dt)
        lateral = np.eye(drive.shape[1], dtype=np.float32) - np.float32(self.settings.dt) * self.lateral[k]
        states, new = np.zeros_like(drive), np.empty_like(drive)
        for _ in range(self.settings.steps):
            np.matmul(states, lateral, out=new)
            new += drive
            np.clip(new, 0.0, self.settings.top, out=states)
        return states
