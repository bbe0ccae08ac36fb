"""The EqProp chip in float64 numpy: the algorithm of `rules.eqprop.kernels.sample` without fixed-point rounding.

Liu et al., Neuromorph. Comput. Eng. 4 (2024) 044005. Nothing here is random: the caller provides the masks, the sign of
beta and the order of samples, so that a fixed-point chip can be compared with it sample by sample.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from edgesdt.rules.eqprop import registers
from edgesdt.rules.eqprop.registers import Registers
from edgesdt.rules.eqprop.settings import settings
from edgesdt.rules.schedule import factor
from edgesdt.spec import Spec

Reals = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Constants:
    """The learning constants as real numbers; `rates` is lr / beta of each weight layer (lr / 2 beta if symmetric)."""

    dt: float
    beta: float
    eta: float
    gamma: float
    share: float
    smoothing: float
    rates: tuple[float, ...]

    @classmethod
    def asked(cls, spec: Spec, epoch: int = 0) -> Constants:
        """The constants as written in the spec."""
        learning = settings(spec)
        sides = 2.0 if learning.beta_sign == "symmetric" else 1.0
        falling, soft = factor(spec, epoch) / learning.batch, learning.loss == "cross_entropy"
        rates = [rate * falling / (sides * learning.beta) for rate in learning.learning_rate]
        if soft:  # no phases are compared there
            rates[-1] = learning.learning_rate[-1] * falling
        home, share = learning.homeostasis, _winners(spec) / spec.chip.layers[-1]
        return cls(learning.dt, learning.beta, home.eta, home.gamma, share, learning.label_smoothing, tuple(rates))

    @classmethod
    def held(cls, spec: Spec, epoch: int = 0) -> Constants:
        """The constants as stored in the chip's registers."""
        regs, learning = Registers.of(spec), settings(spec)
        rates = tuple(registers.rate(spec, layer, epoch).value for layer in range(len(spec.chip.layers) - 1))
        share = _winners(spec) / spec.chip.layers[-1]
        values = (regs.dt.value, regs.beta.value, regs.target.eta.value, regs.target.gamma.value)
        return cls(*values, share, learning.label_smoothing, rates)


def _winners(spec: Spec) -> int:
    return settings(spec).winners if settings(spec).target == "self_defined" else 1


class FloatChip:
    """A chip of real numbers that learns one sample at a time.

    `weights[l]` (n_l, n_{l+1}) connects layers l and l + 1; `biases[l - 1]` (n_l,) is that of layer l ≥ 1. After
    `learn`, `free`, `plus` and `minus` hold the states of layers 1 … L at the ends of the phases, `target` the 0/1
    target.
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
        self.free = self.plus = self.minus = self._rest()

    def infer(self, x: Reals) -> Reals:
        """Output states (n_L,) at the end of the free phase for an input (n_0,) of values in 0 … 1."""
        return self._free(x, np.ones(self.spec.chip.layers[-1]))[-1]

    def learn(self, x: Reals, sign: int, keep: Reals | None = None, label: int = 0) -> None:
        """Learn one sample: `x` (n_0,) with dropped inputs at 0, the sign of beta, `keep` (n_L,) 0 for dropped outputs.

        The sign is ignored with symmetric nudging; the label is used only if the spec's target is `label`.
        """
        learning = settings(self.spec)
        kept = np.ones(len(self.target)) if keep is None else np.asarray(keep, np.float64)
        self.free = self._free(x, kept)
        self._pick_target(kept, label)
        if learning.target == "self_defined":
            self._settle_homeostasis()
        nudged, start = learning.nudged_steps, self.free
        if self.soft:
            start = [*self.free[:-1], np.zeros(len(self.target))]
        if learning.beta_sign == "symmetric":
            self.plus = self._relax(start, x, kept, nudged, 1)
            self.minus = self._relax(start, x, kept, nudged, -1)
        else:
            pushed = self._relax(start, x, kept, nudged, sign)
            self.plus, self.minus = (pushed, self.free) if sign > 0 else (self.free, pushed)
        self._update(x)

    @property
    def soft(self) -> bool:
        """Whether the outputs are a softmax: their states are then shares, or nudges in a nudged phase."""
        return settings(self.spec).loss == "cross_entropy"

    def _free(self, x: Reals, keep: Reals) -> list[Reals]:
        states = self._relax(self._rest(), x, keep, settings(self.spec).free_steps, 0)
        if self.soft:
            states[-1] = self._shares(states, x) * keep
        return states

    def _shares(self, states: list[Reals], x: Reals) -> Reals:
        logits = [x, *states][-2] @ self.weights[-1] + self.biases[-1]
        powers: Reals = np.exp(logits - logits.max())
        shares: Reals = powers / powers.sum()
        return shares

    def _pulled_to(self) -> Reals:
        c = self.constants
        pulled: Reals = (1.0 - c.smoothing) * self.target + c.smoothing * c.share
        return pulled

    def _rest(self) -> list[Reals]:
        return [np.zeros(n) for n in self.spec.chip.layers[1:]]

    def _relax(self, states: list[Reals], x: Reals, keep: Reals, steps: int, sign: int) -> list[Reals]:
        """`s ← clamp(s + dt·(drive − s [+ sign·beta·(target − s)]))`, all layers from the old states."""
        c, top = self.constants, len(states) - 1
        pulled_to = self._pulled_to()
        fed = x @ self.weights[0]
        for _ in range(steps):
            new = []
            for layer, s in enumerate(states):
                if layer == top and self.soft:
                    new.append(sign * c.beta * (pulled_to - self._shares(states, x)) if sign else 0.0 * s)
                    continue
                drive = self.biases[layer] + (fed if layer == 0 else states[layer - 1] @ self.weights[layer])
                if layer < top:
                    drive = drive + self.weights[layer + 1] @ states[layer + 1]
                pull = sign * c.beta * (pulled_to - s) if layer == top else 0.0
                new.append(np.clip(s + c.dt * (drive - s + pull), 0.0, 1.0))
            new[top] = new[top] * keep
            states = new
        return states

    def _pick_target(self, keep: Reals, label: int) -> None:
        """The label, or the k kept outputs with the largest `s − H`; ties go to the lowest index."""
        self.target = np.zeros(len(self.target))
        if settings(self.spec).target == "label":
            self.target[label] = 1.0
            return
        keys = np.where(keep > 0, self.free[-1] - self.homeostasis, -np.inf)
        best = np.argsort(-keys, kind="stable")[: settings(self.spec).winners]
        self.target[best[np.isfinite(keys[best])]] = 1.0

    def _settle_homeostasis(self) -> None:
        """`A ← A + eta·(d − A)`; `H ← H + gamma·(A − A*)`."""
        c = self.constants
        self.activity = self.activity + c.eta * (self.target - self.activity)
        self.homeostasis = self.homeostasis + c.gamma * (self.activity - c.share)

    def _update(self, x: Reals) -> None:
        """`Δw = (lr / beta)·(s⁺ s⁺ − s⁻ s⁻)`, `Δb = (lr / beta)·(s⁺ − s⁻)`; below a softmax `lr·s (t − y)`."""
        plus, minus = [x, *self.plus], [x, *self.minus]
        for layer, rate in enumerate(self.constants.rates):
            if self.soft and layer == len(self.weights) - 1:
                kept = self.free[-1] > 0  # a share is never 0
                plus = [x, *self.free[:-1], np.where(kept, self._pulled_to(), 0.0)]
                minus = [x, *self.free]
            contrast = np.outer(plus[layer], plus[layer + 1]) - np.outer(minus[layer], minus[layer + 1])
            self.weights[layer] += rate * contrast
            if self.spec.chip.biases.enabled:
                self.biases[layer] += rate * (plus[layer + 1] - minus[layer + 1])
