"""The yardstick of `benchmarks.speed` for activation learning: the same algorithm in float32 with NumPy and BLAS.

Magnitudes less their mean between the layers, every label tried at inference; written to be fast: one product a layer
and direction, weights updated in place by BLAS. No feedback.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from benchmarks.float32.network import FloatNetwork, Floats
from edgesdt.rules.activation.settings import settings, shapes
from edgesdt.spec import Spec


@dataclass(frozen=True)
class Settings:
    """What the network and its learning are; rates are those of a mini-batch mean. Nothing is dropped, nobody wins."""

    layers: tuple[int, ...]
    learning_rates: tuple[float, ...]
    batch: int
    classes: int
    copies: int
    gain: float
    winners: int = 1
    gamma: float = 0.0

    @classmethod
    def of(cls, spec: Spec, batch: int) -> Settings:
        """The settings of `spec` for mini-batches: rates per sample become rates per batch, times `batch`.

        Raises `ValueError` for feedback or an activation that the reference does not have.
        """
        learning = settings(spec)
        if learning.feedback.enabled or learning.activation != "ln_abs":
            raise ValueError("learning.activation: the reference has ln_abs without feedback only")
        rows = [rows for rows, _ in shapes(spec)]
        return cls(
            layers=(*rows, spec.chip.layers[-1]),
            learning_rates=tuple(rate * batch for rate in learning.learning_rate),
            batch=batch,
            classes=learning.label.classes,
            copies=learning.label.copies,
            gain=spec.chip.weights.init_gain,
        )


class FloatActivation(FloatNetwork):
    """A network of float32 weights that learns samples of class 0: which label it is costs nothing."""

    def __init__(self, settings: Settings, seed: int = 0) -> None:
        super().__init__(settings, seed)
        self.settings = settings
        self.labels = np.tile(np.eye(settings.classes, dtype=np.float32), settings.copies)
        self.labels *= np.float32(settings.copies**-0.5)

    def infer(self, samples: Floats) -> Floats:
        """The activation (n, classes) of every label."""
        parts = [samples[at : at + self.settings.batch] for at in range(0, len(samples), self.settings.batch)]
        return np.concatenate([self._infer_batch(part) for part in parts])

    def _infer_batch(self, samples: Floats) -> Floats:
        """The image is multiplied once; what a label adds is the same for every sample."""
        width, classes = samples.shape[1], self.settings.classes
        image, of_label = self._normalised(samples) @ self.weights[0][:width], self.labels @ self.weights[0][width:]
        y: Floats = (image[:, None, :] + of_label[None]).reshape(len(samples) * classes, -1)
        for weights in self.weights[1:]:
            y = self._sent_on(y) @ weights
        found: Floats = np.einsum("ij,ij->i", y, y).reshape(len(samples), classes)
        return found

    def _learn_batch(self, samples: Floats) -> None:
        n = len(samples)
        label = np.broadcast_to(self.labels[0], (n, self.labels.shape[1]))
        below = np.concatenate([self._normalised(samples), label], axis=1)
        signals, outputs = [below], []
        for layer, weights in enumerate(self.weights):
            outputs.append(signals[layer] @ weights)
            if layer + 1 < len(self.weights):
                signals.append(self._sent_on(outputs[layer]))
        for layer, rate in enumerate(self.settings.learning_rates):
            errors = signals[layer] - outputs[layer] @ self.weights[layer].T
            self._add_outer(layer, rate / n, errors, outputs[layer])

    @staticmethod
    def _normalised(samples: Floats) -> Floats:
        found: Floats = samples / np.maximum(np.linalg.norm(samples, axis=1, keepdims=True), np.float32(1e-7))
        return found

    @staticmethod
    def _sent_on(y: Floats) -> Floats:
        apart = np.abs(y)
        apart -= apart.mean(axis=1, keepdims=True)
        own = np.maximum(np.linalg.norm(apart, axis=1, keepdims=True), np.float32(1e-5))
        apart *= np.linalg.norm(y, axis=1, keepdims=True) / own
        return apart
