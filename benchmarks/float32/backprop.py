"""The reference of `benchmarks.speed` for backpropagation: the same algorithm in float32 with NumPy and BLAS.

It has a self-defined target, the squared error, and units that clamp their sum to 0 … 1 and pass no error at the
limits. It is optimised for speed: one product per layer and direction, and BLAS updates the weights in place.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from benchmarks.float32.network import FloatNetwork, Floats
from edgesdt.rules.backprop.settings import settings
from edgesdt.spec import Spec


@dataclass(frozen=True)
class Settings:
    """Settings of the network and its learning; rates apply to the mean of a mini-batch, drop-out is out of 256."""

    layers: tuple[int, ...]
    learning_rates: tuple[float, ...]
    batch: int
    winners: int
    smoothing: float
    drop_input: int
    drop_output: int
    gamma: float
    gain: float

    @classmethod
    def of(cls, spec: Spec, batch: int) -> Settings:
        """The settings of `spec` for mini-batches: rates per sample become rates per batch, times `batch`.

        Raises `ValueError` for a target, loss or activation that the reference does not support.
        """
        learning = settings(spec)
        if learning.target != "self_defined" or learning.loss != "mse":
            raise ValueError("learning.target: the reference has a self-defined target and the squared error only")
        if {learning.activation.hidden, learning.activation.output} != {"clamp"}:
            raise ValueError("learning.activation: the reference has clamp only")
        return cls(
            layers=spec.chip.layers,
            learning_rates=tuple(rate * batch for rate in learning.learning_rate),
            batch=batch,
            winners=learning.winners,
            smoothing=learning.label_smoothing,
            drop_input=round(learning.dropout.input * 256),
            drop_output=round(learning.dropout.output * 256),
            gamma=learning.homeostasis.gamma * batch,
            gain=spec.chip.weights.init_gain,
        )


class FloatBackprop(FloatNetwork):
    """A network of float32 weights (n_l, n_{l+1}) that learns by backpropagation."""

    def __init__(self, settings: Settings, seed: int = 0) -> None:
        super().__init__(settings, seed)
        self.settings = settings

    def _infer_batch(self, samples: Floats) -> Floats:
        """Outputs of the forward pass."""
        return self._forward(samples)[-1]

    def _learn_batch(self, samples: Floats) -> None:
        settings, n = self.settings, len(samples)
        kept = self.keep(samples.shape, settings.drop_input)
        keep = self.keep((n, settings.layers[-1]), settings.drop_output)
        inputs = samples if kept is None else np.multiply(samples, kept)
        states = self._forward(inputs)
        if keep is not None:
            np.multiply(states[-1], keep, out=states[-1])
        winners = self._winners(states[-1], keep)
        self._settle_homeostasis(winners, keep, n)
        errors = self._errors(states, winners)
        for layer, rate in enumerate(settings.learning_rates):
            below = inputs if layer == 0 else states[layer - 1]
            self._add_outer(layer, rate / n, below, errors[layer])
            self.biases[layer] += np.float32(rate / n) * errors[layer].sum(axis=0)

    def _forward(self, inputs: Floats) -> list[Floats]:
        """States of layers 1 … L."""
        states, below = [], inputs
        for weights, biases in zip(self.weights, self.biases, strict=True):
            below = below @ weights
            below += biases
            np.clip(below, 0.0, 1.0, out=below)
            states.append(below)
        return states

    def _errors(self, states: list[Floats], winners: np.ndarray[tuple[int, ...], np.dtype[np.intp]]) -> list[Floats]:
        """Errors of layers 1 … L; a state of 0 or 1 passes no error, so dropped outputs have none."""
        settings = self.settings
        low = settings.smoothing * settings.winners / settings.layers[-1]
        error = np.float32(low) - states[-1]
        error[np.arange(len(error))[:, None], winners] += np.float32(1.0 - settings.smoothing)
        errors = [self._gated(error, states[-1])]
        for layer in range(len(states) - 2, -1, -1):
            errors.insert(0, self._gated(errors[0] @ self.weights[layer + 1].T, states[layer]))
        return errors

    @staticmethod
    def _gated(errors: Floats, states: Floats) -> Floats:
        return np.multiply(errors, (states > 0) & (states < 1), out=errors)
