"""The reference of `benchmarks.speed`: the same algorithm in float32 with NumPy and BLAS, one mini-batch at a time.

Equilibrium propagation with a self-defined target (Liu et al., Neuromorph. Comput. Eng. 4 (2024) 044005, §2), optimised
for speed: the input product is computed once per batch, a single layer is relaxed in closed form instead of step by
step, deeper networks stop when no state changes by half an LSB of the chip's states, and BLAS updates the weights in
place.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from benchmarks.float32.network import FloatNetwork, Floats, Mask
from edgesdt.rules.eqprop.settings import settings
from edgesdt.spec import Spec


@dataclass(frozen=True)
class Settings:
    """Settings of the network and its learning; rates apply to the mean of a mini-batch.

    `drop_input`, `drop_output`: out of 256. `tolerance`: a relaxation of two or more layers ends when no state changes
    by this amount in a step.
    """

    layers: tuple[int, ...]
    learning_rates: tuple[float, ...]
    batch: int
    winners: int
    beta: float
    dt: float
    free_steps: int
    nudged_steps: int
    smoothing: float
    drop_input: int
    drop_output: int
    gamma: float
    gain: float
    tolerance: float

    @classmethod
    def of(cls, spec: Spec, batch: int) -> Settings:
        """The settings of `spec` for mini-batches: rates per sample become rates per batch, times `batch`.

        Raises `ValueError` for a target that is not self-defined or a step too long for the closed form.
        """
        learning = settings(spec)
        if learning.target != "self_defined":
            raise ValueError(f"learning.target: {learning.target}; the reference has a self-defined target only")
        if learning.dt * (1 + learning.beta) > 1:
            raise ValueError("learning.dt: dt * (1 + beta) > 1: the states would oscillate")
        return cls(
            layers=spec.chip.layers,
            learning_rates=tuple(rate * batch for rate in learning.learning_rate),
            batch=batch,
            winners=learning.winners,
            beta=learning.beta,
            dt=learning.dt,
            free_steps=learning.free_steps,
            nudged_steps=learning.nudged_steps,
            smoothing=learning.label_smoothing,
            drop_input=round(learning.dropout.input * 256),
            drop_output=round(learning.dropout.output * 256),
            gamma=learning.homeostasis.gamma * batch,
            gain=spec.chip.weights.init_gain,
            tolerance=2.0 ** -(spec.chip.states.bits + 1),
        )

    @property
    def targets(self) -> tuple[float, float]:
        """Targets of winners and losers: `(1 − σ)·d + σ·k/n_L`."""
        low = self.smoothing * self.winners / self.layers[-1]
        return 1.0 - self.smoothing + low, low


class FloatEqProp(FloatNetwork):
    """A network of float32 weights (n_l, n_{l+1}) that learns by equilibrium propagation."""

    def __init__(self, settings: Settings, seed: int = 0) -> None:
        super().__init__(settings, seed)
        self.settings = settings

    def sign(self) -> float:
        """The sign of beta for one batch."""
        return 1.0 if self._random.random() < 0.5 else -1.0

    def _infer_batch(self, samples: Floats) -> Floats:
        """Outputs at the end of the free phase."""
        return self._free(self._drive(samples), None)[-1]

    def _learn_batch(self, samples: Floats) -> None:
        settings, n = self.settings, len(samples)
        beta = settings.beta * self.sign()
        kept = self.keep(samples.shape, settings.drop_input)
        keep = self.keep((n, settings.layers[-1]), settings.drop_output)
        inputs = samples if kept is None else np.multiply(samples, kept)
        drive = self._drive(inputs)
        free = self._free(drive, keep)
        winners = self._winners(free[-1], keep)
        self._settle_homeostasis(winners, keep, n)
        nudged = self._nudged(drive, free, winners, keep, beta)
        for layer, rate in enumerate(settings.learning_rates):
            self._update(layer, rate / (beta * n), inputs, free, nudged)

    def _free(self, drive: Floats, keep: Mask | None) -> list[Floats]:
        """States of layers 1 … L after the free phase.

        With one layer, T steps from rest are `clamp((1 − (1 − dt)^T)·drive)`: a monotone approach may be clamped last.
        """
        settings = self.settings
        if len(self.weights) > 1:
            rest = [np.zeros((len(drive), n), np.float32) for n in settings.layers[1:]]
            return self._relax(drive, rest, settings.free_steps, keep, 0.0, None)
        state = drive * np.float32(1.0 - (1.0 - settings.dt) ** settings.free_steps)
        return [self._clamped(state, keep)]

    def _nudged(
        self, drive: Floats, free: list[Floats], winners: npt.NDArray[np.intp], keep: Mask | None, beta: float
    ) -> list[Floats]:
        """States after the nudged phase, starting from the free states.

        With one layer, K steps lead from s to `s* + a^K·(s − s*)`, with `s* = (drive + β·target) / (1 + β)` and
        `a = 1 − dt·(1 + β)`.
        """
        settings = self.settings
        high, low = settings.targets
        rows = np.arange(len(drive))[:, None]
        if len(self.weights) > 1:
            target = np.full(free[-1].shape, low, np.float32)
            target[rows, winners] = high
            return self._relax(drive, free, settings.nudged_steps, keep, beta, target)
        left = (1.0 - settings.dt * (1.0 + beta)) ** settings.nudged_steps
        gone = (1.0 - left) / (1.0 + beta)
        state = drive * np.float32(gone)
        state += np.float32(gone * beta * low)
        state[rows, winners] += np.float32(gone * beta * (high - low))
        state += free[0] * np.float32(left)
        return [self._clamped(state, keep)]

    def _relax(
        self, drive: Floats, states: list[Floats], steps: int, keep: Mask | None, beta: float, target: Floats | None
    ) -> list[Floats]:
        """At most `steps` Jacobi steps of every layer from `states`, nudged to `target` if there is one."""
        dt, last = np.float32(self.settings.dt), len(states) - 1
        for _ in range(steps):
            moved: list[Floats] = []
            for layer, state in enumerate(states):
                pull = drive - state if layer == 0 else states[layer - 1] @ self.weights[layer]
                if layer > 0:
                    pull += self.biases[layer]
                    pull -= state
                if layer < last:
                    pull += states[layer + 1] @ self.weights[layer + 1].T
                elif target is not None:
                    pull += np.float32(beta) * (target - state)
                pull *= dt
                pull += state
                moved.append(self._clamped(pull, keep if layer == last else None))
            largest = max(float(np.abs(new - old).max()) for new, old in zip(moved, states, strict=True))
            states = moved
            if largest < self.settings.tolerance:
                break
        return states

    def _update(self, layer: int, rate: float, inputs: Floats, free: list[Floats], nudged: list[Floats]) -> None:
        """`W += rate·(s_lᵀ s_{l+1} nudged − free)` and the bias of layer l+1 likewise."""
        moved = nudged[layer] - free[layer]
        if layer == 0:
            self._add_outer(0, rate, inputs, moved)
        else:
            self._add_outer(layer, rate, nudged[layer - 1], nudged[layer])
            self._add_outer(layer, -rate, free[layer - 1], free[layer])
        self.biases[layer] += np.float32(rate) * moved.sum(axis=0)
