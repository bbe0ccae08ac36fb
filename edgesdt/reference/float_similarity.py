"""Similarity matching in float64 numpy: the algorithm of `rules.similarity.kernels.sample` without any rounding."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from edgesdt.rules.schedule import factor
from edgesdt.rules.similarity import registers
from edgesdt.rules.similarity.plan import learning_layers
from edgesdt.rules.similarity.settings import settings
from edgesdt.spec import Spec

Reals = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Constants:
    """The learning constants as real numbers: the shares of W and M that a sample replaces, one per weight layer."""

    feed: tuple[float, ...]
    lateral: tuple[float, ...]
    dt: float
    label: float

    @classmethod
    def asked(cls, spec: Spec, epoch: int = 0) -> Constants:
        """What the spec says, as it says it."""
        learning = settings(spec)
        rates = [rate * factor(spec, epoch) for rate in learning.learning_rate]
        return cls(
            tuple(2 * rate for rate in rates),
            tuple(rate / learning.tau for rate in rates),
            learning.settling.dt,
            learning.labels.rate,
        )

    @classmethod
    def held(cls, spec: Spec, epoch: int = 0) -> Constants:
        """What the chip's registers really hold."""
        layers = range(len(spec.chip.layers) - 1)
        return cls(
            tuple(registers.feed_rate(spec, k, epoch).value for k in layers),
            tuple(registers.lateral_rate(spec, k, epoch).value for k in layers),
            registers.dt(spec).value,
            registers.label_rate(spec).value,
        )


def settled(drive: Reals, lateral: Reals, solver: str, steps: int, dt: float, top: float) -> Reals:
    """States 0 … `top` (n,) after so many steps from 0 towards rest of `drive − lateral · y`."""
    y = np.zeros(len(drive))
    for _ in range(steps):
        if solver == "damped":
            y = np.clip(y + dt * (drive - lateral @ y), 0.0, top)
            continue
        for j in range(len(y)):
            y[j] = min(max(y[j] + (drive[j] - lateral[j] @ y) / lateral[j, j], 0.0), top)
    return y


class FloatSimilarity:
    """A chip of real numbers that learns one sample at a time.

    `weights[k]` (n_k, n_{k+1}), `lateral[k]` (n_{k+1}, n_{k+1}), `labels[k]` (classes, n_{k+1}), `mean[k]` (n_k,) are
    those of weight layer k, without gains; `seen[k]` samples are in a mean. After a sample, `states[k]` (n_{k+1},).
    """

    def __init__(self, spec: Spec, weights: list[Reals], constants: Constants) -> None:
        learning = settings(spec)
        self.spec, self.constants = spec, constants
        self.weights = [np.array(layer, np.float64) for layer in weights]
        self.lateral: list[Reals] = [np.eye(layer.shape[1]) for layer in weights]
        self.labels: list[Reals] = [np.zeros((learning.labels.classes, layer.shape[1])) for layer in weights]
        self.mean: list[Reals] = [np.zeros(len(layer)) for layer in weights]
        self.seen = [0] * len(weights)
        self.states: list[Reals] = [np.zeros(layer.shape[1]) for layer in weights]
        self.drives: list[Reals] = [np.zeros(layer.shape[1]) for layer in weights]

    def infer(self, x: Reals) -> Reals:
        """Output states (n_L,) for an input (n_0,) of values in 0 … 1."""
        below = x
        for k in range(len(self.weights)):
            below = self._settle(k, below - self.mean[k], None)
        return below

    def learn(self, x: Reals, label: int | None = None, epoch: int = 0) -> None:
        """Learn one sample, with its label where the spec has it as its target."""
        first, last = learning_layers(self.spec, epoch)
        below = x
        for k in range(last + 1):
            learns = k >= first
            if learns and settings(self.spec).centring.enabled:
                self._move_mean(k, below)
            centred = below - self.mean[k]
            shown = label if learns and settings(self.spec).target == "label" else None
            below = self._settle(k, centred, shown)
            if learns:
                self._update(k, centred, shown)

    def _move_mean(self, k: int, x: Reals) -> None:
        """The mean a share of the way: 1, 1/2, 1/2, 1/4 …, down to 2^-shift."""
        longest = settings(self.spec).centring.shift
        t = self.seen[k] + 1
        self.mean[k] = self.mean[k] + (x - self.mean[k]) * 2.0 ** -min(t.bit_length() - 1, longest)
        self.seen[k] = min(t, 2**longest)

    def _settle(self, k: int, centred: Reals, label: int | None) -> Reals:
        learning, bits = settings(self.spec), self.spec.chip.states.bits
        self.drives[k] = centred @ self.weights[k] + (0.0 if label is None else self.labels[k][label])
        top = 2.0**learning.integer_bits * (1 - 2.0**-bits)
        self.states[k] = settled(
            self.drives[k], self.lateral[k], learning.settling.solver, learning.settling.steps, self.constants.dt, top
        )
        return self.states[k]

    def _update(self, k: int, centred: Reals, label: int | None) -> None:
        """`W ← (1 − 2η) W + 2η c yᵀ`, `M ← (1 − η/τ) M + (η/τ) y yᵀ`; the shown class's vector towards y."""
        c, y = self.constants, self.states[k]
        self.weights[k] = self.weights[k] + c.feed[k] * (np.outer(centred, y) - self.weights[k])
        self.lateral[k] = self.lateral[k] + c.lateral[k] * (np.outer(y, y) - self.lateral[k])
        if label is not None:
            self.labels[k][label] += c.label * (y - self.labels[k][label])
