"""Backpropagation in float64 numpy: the algorithm of `rules.backprop.kernels.sample` without fixed-point rounding.

The caller provides the masks, so that a fixed-point chip can be compared with it sample by sample.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from edgesdt.rules.backprop import registers
from edgesdt.rules.backprop.settings import settings
from edgesdt.rules.schedule import factor
from edgesdt.spec import Spec
from edgesdt.targets.registers import TargetRegisters

Reals = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Constants:
    """The learning constants as real numbers; `rates` is lr / batch of each weight layer."""

    eta: float
    gamma: float
    share: float
    smoothing: float
    rates: tuple[float, ...]

    @classmethod
    def asked(cls, spec: Spec, epoch: int = 0) -> Constants:
        """The constants as written in the spec."""
        learning, home = settings(spec), settings(spec).homeostasis
        rates = tuple(rate * factor(spec, epoch) / learning.batch for rate in learning.learning_rate)
        return cls(home.eta, home.gamma, _share(spec), learning.label_smoothing, rates)

    @classmethod
    def held(cls, spec: Spec, epoch: int = 0) -> Constants:
        """The constants as stored in the chip's registers."""
        target = TargetRegisters.of(spec)
        rates = tuple(registers.rate(spec, layer, epoch).value for layer in range(len(spec.chip.layers) - 1))
        return cls(target.eta.value, target.gamma.value, _share(spec), settings(spec).label_smoothing, rates)


def _share(spec: Spec) -> float:
    return (settings(spec).winners if settings(spec).target == "self_defined" else 1) / spec.chip.layers[-1]


class FloatBackprop:
    """A chip of real numbers that learns one sample at a time.

    `weights[l]` (n_l, n_{l+1}) connects layers l and l + 1; `biases[l]` (n_{l+1},) is that of layer l + 1. After
    `learn`, `states`, `sums` and `errors` hold those of layers 1 … L (`sums`: the errors sent back, before the
    activation), `target` the 0/1 target.
    """

    def __init__(self, spec: Spec, weights: list[Reals], biases: list[Reals], constants: Constants) -> None:
        """Raises `ValueError` for a spec that learns in mini-batches."""
        if settings(spec).batch != 1:
            raise ValueError(f"learning.batch: {settings(spec).batch}, the float chip learns with 1")
        self.spec, self.constants = spec, constants
        self.weights = [np.array(layer, np.float64) for layer in weights]
        self.biases = [np.array(layer, np.float64) for layer in biases]
        outputs = spec.chip.layers[-1]
        self.activity: Reals = np.zeros(outputs)
        self.homeostasis: Reals = np.zeros(outputs)
        self.target: Reals = np.zeros(outputs)
        self.states: list[Reals] = []
        self.sums: list[Reals] = []
        self.errors: list[Reals] = []

    def slope(self, layer: int) -> float:
        """The slope of the activation of layer `layer` + 1."""
        learning = settings(self.spec)
        top = layer == len(self.weights) - 1
        if top and learning.loss == "cross_entropy":
            return 1.0
        return 0.25 if (learning.activation.output if top else learning.activation.hidden) == "hard_sigmoid" else 1.0

    def infer(self, x: Reals, keep: Reals | None = None) -> Reals:
        """Output states (n_L,) for an input (n_0,) of values in 0 … 1."""
        self.states, below = [], x
        for layer, (weights, biases) in enumerate(zip(self.weights, self.biases, strict=True)):
            drive = below @ weights + biases
            if layer == len(self.weights) - 1 and settings(self.spec).loss == "cross_entropy":
                logits = np.clip(drive, -8.0, 8.0)
                raised = np.exp(logits - logits.max())
                below = raised / raised.sum()
            else:
                slope = self.slope(layer)
                below = np.clip(drive * slope + (0.5 if slope < 1.0 else 0.0), 0.0, 1.0)
            self.states.append(below)
        if keep is not None:
            self.states[-1] = self.states[-1] * keep
        return self.states[-1]

    def learn(self, x: Reals, keep: Reals | None = None, label: int = 0) -> None:
        """Learns one sample: `x` (n_0,) with dropped inputs at 0, `keep` (n_L,) 0 for dropped outputs."""
        kept = np.ones(len(self.target)) if keep is None else np.asarray(keep, np.float64)
        self.infer(x, kept)
        self._pick_target(kept, label)
        if settings(self.spec).target == "self_defined":
            self._settle_homeostasis()
        self._send_back(kept)
        for layer, rate in enumerate(self.constants.rates):
            below = x if layer == 0 else self.states[layer - 1]
            self.weights[layer] += rate * np.outer(below, self.errors[layer])
            if self.spec.chip.biases.enabled:
                self.biases[layer] += rate * self.errors[layer]

    def _pick_target(self, keep: Reals, label: int) -> None:
        """The label, or the k kept outputs with the largest `s − H`; ties go to the lowest index."""
        self.target = np.zeros(len(self.target))
        if settings(self.spec).target == "label":
            self.target[label] = 1.0
            return
        keys = np.where(keep > 0, self.states[-1] - self.homeostasis, -np.inf)
        best = np.argsort(-keys, kind="stable")[: settings(self.spec).winners]
        self.target[best[np.isfinite(keys[best])]] = 1.0

    def _settle_homeostasis(self) -> None:
        """`A ← A + eta·(d − A)`; `H ← H + gamma·(A − A*)`."""
        c = self.constants
        self.activity = self.activity + c.eta * (self.target - self.activity)
        self.homeostasis = self.homeostasis + c.gamma * (self.activity - c.share)

    def _send_back(self, keep: Reals) -> None:
        """`e_L = f'·(t − s)`, `e_l = f'·W e_{l+1}`."""
        c = self.constants
        apart = ((1.0 - c.smoothing) * self.target + c.smoothing * c.share - self.states[-1]) * keep
        self.sums, self.errors = [apart], [self._through(len(self.weights) - 1, apart)]
        for layer in range(len(self.weights) - 2, -1, -1):
            back = self.weights[layer + 1] @ self.errors[0]
            self.sums.insert(0, back)
            self.errors.insert(0, self._through(layer, back))

    def _through(self, layer: int, sums: Reals) -> Reals:
        """The error after the activation of layer `layer` + 1, multiplied by its slope."""
        learning, states = settings(self.spec), self.states[layer]
        if layer == len(self.weights) - 1 and learning.loss == "cross_entropy":
            return sums
        passes = (states > 0) & (states < 1)
        if learning.activation.derivative == "inward":
            passes |= ((states <= 0) & (sums > 0)) | ((states >= 1) & (sums < 0))
        found: Reals = np.where(passes, sums * self.slope(layer), 0.0)
        return found
