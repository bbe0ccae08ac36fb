"""Activation learning in float64 numpy: the algorithm of `rules.activation.sample` without a single rounding."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from edgesdt.rules.activation import registers
from edgesdt.rules.activation.settings import settings, shapes
from edgesdt.spec import Spec

Reals = npt.NDArray[np.float64]
TINY = 1e-5
"""What Zhou's code divides by at least."""


class FloatActivation:
    """A chip of real numbers that learns one sample at a time.

    `weights[l]` (rows, columns) is weight layer l. After a pass, `signals[l]` and `outputs[l]` are its inputs and
    outputs; after an update `errors[l]` is what they did not reconstruct. `means`, `variances`: of hidden outputs.
    """

    def __init__(self, spec: Spec, weights: list[Reals], rates: list[float] | None = None) -> None:
        """`rates` of the layers; None: those that the registers of the first epoch hold."""
        self.spec = spec
        self.weights = [np.array(layer, np.float64) for layer in weights]
        self.rates = registers.used_rates(spec, 0) if rates is None else rates
        hidden = [columns for _, columns in shapes(spec)[:-1]]
        self.means, self.variances = [np.zeros(n) for n in hidden], [np.full(n, 0.1) for n in hidden]
        self.signals: list[Reals] = []
        self.outputs: list[Reals] = []
        self.errors: list[Reals] = []

    def shown(self, x: Reals, label: int) -> Reals:
        """Image (n_0,) and label as one input, each of norm 1; a black image has norm 0."""
        learning = settings(self.spec).label
        norm = float(np.linalg.norm(x))
        units = np.zeros(learning.units)
        units[label :: learning.classes] = learning.copies**-0.5
        return np.concatenate([x / norm if norm else x * 0.0, units])

    def activation(self, x: Reals, label: int) -> float:
        """The sum of the squares of the last outputs, for an image of values ≥ 0 and a label."""
        self.signals, self.outputs = [self.shown(x, label)], []
        for layer, weights in enumerate(self.weights):
            self.outputs.append(self.signals[layer] @ weights)
            if layer + 1 < len(self.weights):
                self.signals.append(self.sent_on(layer, self.outputs[layer]))
        return float((self.outputs[-1] ** 2).sum())

    def sent_on(self, layer: int, y: Reals) -> Reals:
        """What the next layer gets of outputs `y`."""
        kind, sizes = settings(self.spec).activation, np.abs(y)
        if kind == "abs":
            return sizes
        if kind == "ln_abs":
            apart = sizes - sizes.mean()
        else:
            apart = (sizes - self.means[layer]) / np.sqrt(np.maximum(self.variances[layer], TINY))
        found: Reals = apart * (np.linalg.norm(y) / max(float(np.linalg.norm(apart)), TINY))
        return found

    def infer(self, x: Reals) -> Reals:
        """The activation of every label."""
        return np.array([self.activation(x, c) for c in range(settings(self.spec).label.classes)])

    def learn(self, x: Reals, label: int) -> None:
        """Learn one sample, with the feedback that the spec asks for."""
        feedback = settings(self.spec).feedback
        if not feedback.enabled:
            self.update(x, label, 1.0)
            return
        found = self.infer(x)
        right, found[label] = found[label], -np.inf
        wrong = int(found.argmax())
        share = float(np.clip((found[wrong] + feedback.margin - right) * 2.0**feedback.slope_bits, 0.0, 1.0))
        if share > 0:
            self.update(x, label, share)
            self.update(x, wrong, -share * feedback.unlearning)

    def update(self, x: Reals, label: int, share: float) -> None:
        """`ΔW = share · rate · outer(x − W y, y)` in every layer, all with the outputs of one pass (Zhou, eq. 4)."""
        self.activation(x, label)
        self.errors = []
        for layer, (below, y) in enumerate(zip(self.signals, self.outputs, strict=True)):
            self.errors.append(below - self.weights[layer] @ y)
            self.weights[layer] = self.weights[layer] + share * self.rates[layer] * np.outer(self.errors[layer], y)
        if settings(self.spec).activation == "std_abs":
            part = 2.0 ** -settings(self.spec).statistics.share_bits
            for layer, y in enumerate(self.outputs[:-1]):
                self.means[layer] += part * (np.abs(y) - self.means[layer])
                self.variances[layer] += part * ((np.abs(y) - self.means[layer]) ** 2 - self.variances[layer])
