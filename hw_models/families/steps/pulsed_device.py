"""The common parameters of aihwkit's pulsed devices, with aihwkit's names, and the resulting cells.

Source: M. J. Rasch et al., "A flexible and fast PyTorch toolkit for simulating training and inference on analog
crossbar arrays", AICAS 2021; T. Gokmen, Y. Vlasov, Front. Neurosci. 10:333 (2016). Defaults are aihwkit 1.2.0's.
Device-to-device, with xi standard Gaussian per cell and parameter: bounds `w_max(1 + s·xi)`, `w_min(1 + s·xi)`;
gain `g = 1 + s·xi` (or `e^(s·xi)`), r = s_ud·xi; up scale `dw_min(min(up_down, 0) + g + r)`, down scale
`dw_min(-max(up_down, 0) + g - r)`. Constant, linear, soft-bounds, exponential and power steps build on it.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from hw_models.arguments import ARGUMENTS
from hw_models.base import Cells, DeviceError, Drive, Ints, Quantity, Reals, check_cells, check_read
from hw_models.families.steps.stepped import Draws, Rows, Stepped, check, parameter
from hw_models.kernels.step_laws import HIGH, LOW, P0, P1, RELATIVE, SCALE, WIDTH, WRITE

_HIGH_BOUND, _LOW_BOUND, _GAIN, _UP_DOWN, _STUCK, _STUCK_WHERE, _LIFETIME, _RESET = 1, 2, 3, 4, 5, 6, 7, 8
FAMILY_STREAM = 10
"""First random stream for a family's own draws."""


@dataclass(frozen=True, kw_only=True)
class PulsedDevice(Stepped):
    """Parameters of every pulsed device; weights are dimensionless, spreads are relative unless stated otherwise."""

    quantity: ClassVar[Quantity] = "weight"

    name: str
    drive: Drive | None = None
    dw_min: float = parameter(0.001, "1", "mean step of one pulse over cells and directions", above=0.0)
    dw_min_dtod: float = parameter(0.3, "1", "spread of the step over cells, relative to dw_min", low=0.0)
    dw_min_dtod_log_normal: bool = parameter(False, "1", "whether that spread is log-normal, of median 1")
    dw_min_std: float = parameter(0.3, "1", "cycle-to-cycle noise of a step, relative to the step", low=0.0)
    up_down: float = parameter(0.0, "1", "asymmetry: below 0 weakens up pulses, above 0 down pulses", -1.0, 1.0)
    up_down_dtod: float = parameter(0.01, "1", "spread of up_down over cells, in units of dw_min", low=0.0)
    w_max: float = parameter(0.6, "1", "mean upper bound of the weight", low=0.0)
    w_min: float = parameter(-0.6, "1", "mean lower bound of the weight", high=0.0)
    w_max_dtod: float = parameter(0.3, "1", "spread of the upper bound over cells", low=0.0)
    w_min_dtod: float = parameter(0.3, "1", "spread of the lower bound over cells", low=0.0)
    write_noise_std: float = parameter(0.0, "1", "noise of the visible weight per write, in dw_min", low=0.0)
    enforce_consistency: bool = parameter(True, "1", "whether steps are made positive and bounds put in order")
    corrupt_devices_prob: float = parameter(0.0, "1", "share of cells stuck inside their bounds", 0.0, 1.0)
    corrupt_devices_range: float = parameter(1000.0, "1", "largest size of a stuck weight", low=0.0)
    lifetime: float = parameter(0.0, "1", "leak: periods until 1/e is left; 0 for none", low=0.0)
    lifetime_dtod: float = parameter(0.0, "1", "spread of the lifetime over cells", low=0.0)
    decay_period_s: float = parameter(0.0, "s", "time of one period of lifetime; 0: not known, reads do not leak", 0.0)
    reset: float = parameter(0.01, "1", "mean weight that a reset or a leak leads to")
    reset_dtod: float = parameter(0.0, "1", "spread of that weight over cells, absolute", low=0.0)
    reset_std: float = parameter(0.01, "1", "noise of each reset, absolute", low=0.0)
    off: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        check(self)
        if self.w_min >= self.w_max:
            raise DeviceError(f"{self.name}: w_min {self.w_min:g} must be below w_max {self.w_max:g}")

    @abstractmethod
    def _fill_steps(self, rows: Rows, draws: Draws) -> None:
        """Fills the step columns of `rows` from bounds and scales; with a reference, also shifts the bounds."""

    @abstractmethod
    def _nonlinear(self) -> bool:
        """Whether the nominal step depends on the state."""

    @abstractmethod
    def _asymmetric(self) -> bool:
        """Whether the nominal steps up and down differ in some state."""

    def _spreads(self) -> tuple[float, ...]:
        """The device-to-device parameters of the pulses."""
        return self.dw_min_dtod, self.up_down_dtod, self.w_max_dtod, self.w_min_dtod

    def _noise(self) -> dict[int, float]:
        std = 0.0 if "cycle_to_cycle" in self.off else self.dw_min_std
        write = 0.0 if "write_noise" in self.off else self.write_noise_std * self.dw_min
        return self._cycle_noise(std) | {WRITE: write}

    def _cycle_noise(self, std: float) -> dict[int, float]:
        """Constants of the cycle-to-cycle noise of relative size `std`: proportional to the step."""
        return {RELATIVE: std}

    def _switches(self) -> tuple[str, ...]:
        has = {
            "device_to_device": any(self._spreads()),
            "cycle_to_cycle": self.dw_min_std > 0,
            "nonlinearity": self._nonlinear(),
            "asymmetry": self._asymmetric(),
            "write_noise": self.write_noise_std > 0,
            "stuck_at": self.corrupt_devices_prob > 0,
            "retention": self.lifetime > 0,
        }
        return tuple(name for name, present in has.items() if present)

    def _own_rows(self, draws: Draws) -> Rows:
        chances = draws
        if "device_to_device" in self.off:
            draws = Draws(draws.count)
        rows = np.zeros((draws.count, WIDTH))
        high = self.w_max * (1.0 + draws.gaussians(_HIGH_BOUND, self.w_max_dtod))
        low = self.w_min * (1.0 + draws.gaussians(_LOW_BOUND, self.w_min_dtod))
        if self.dw_min_dtod_log_normal:
            gain = draws.lognormals(_GAIN, self.dw_min_dtod)
        else:
            gain = 1.0 + draws.gaussians(_GAIN, self.dw_min_dtod)
        apart = draws.gaussians(_UP_DOWN, self.up_down_dtod)
        up = (min(self.up_down, 0.0) + gain + apart) * self.dw_min
        down = (-max(self.up_down, 0.0) + gain - apart) * self.dw_min
        if self.enforce_consistency:
            up, down = np.abs(up), np.abs(down)
            low, high = -np.abs(np.minimum(low, high)), np.abs(np.maximum(low, high))
        else:  # a cell with crossed bounds does not work: it stays between them
            middle = high + (low - high) / 2.0
            low, high = np.where(low > high, middle, low), np.where(low > high, middle, high)
        rows[:, LOW], rows[:, HIGH], rows[:, SCALE], rows[:, SCALE + 1] = low + 0.0, high, up, down
        self._stick(rows, chances)
        self._fill_steps(rows, draws)
        return rows

    def _stick(self, rows: Rows, draws: Draws) -> None:
        """Sets the corrupt cells of `rows` to fixed weights inside their bounds and `corrupt_devices_range`."""
        if "stuck_at" in self.off or not self.corrupt_devices_prob:
            return
        stuck = draws.uniforms(_STUCK) < self.corrupt_devices_prob
        least = np.maximum(rows[:, LOW], -self.corrupt_devices_range)
        most = np.minimum(rows[:, HIGH], self.corrupt_devices_range)
        value = (least + (most - least) * draws.uniforms(_STUCK_WHERE))[stuck]
        rows[stuck, LOW] = rows[stuck, HIGH] = value
        rows[stuck, SCALE] = rows[stuck, SCALE + 1] = 0.0

    def read(self, cells: Cells, after_s: float = 0.0, seed: int = 0) -> Reals:
        """Visible states `after_s` seconds after writing, with leakage if `decay_period_s` states its rate."""
        after_s = check_read(cells, after_s, seed)
        if after_s <= 0.0 or not self.decay_period_s or not self.lifetime or "retention" in self.off:
            return cells.visible.copy()
        rest = self._rest(cells)
        left = rest + (cells.visible - rest) * self._kept(cells, after_s / self.decay_period_s)
        return left.astype(cells.visible.dtype)

    def leak(self, cells: Cells, periods: float = 1.0) -> None:
        """Lets `periods` (≥ 0) periods of `lifetime` pass: `w ← reset + (w - reset)(1 - 1/lifetime)^periods`."""
        check_cells(cells)
        periods = ARGUMENTS.number("periods", periods, 0.0)
        if not self.lifetime or "retention" in self.off or periods <= 0.0:
            return
        rest = self._rest(cells)
        self.program(cells, rest + (cells.state - rest) * self._kept(cells, periods))

    def refresh(self, cells: Cells, places: Ints | None = None) -> None:
        """Resets `cells[places]`: to `reset` with its spread and noise, clipped to each cell's bounds."""
        from hw_models.kernels import randomness

        check_cells(cells)
        rest = self._rest(cells)[cells.places(places)]
        noisy = self.reset_std > 0 and "cycle_to_cycle" not in self.off
        noise = self.reset_std * randomness.take(cells.random, len(rest)) if noisy else 0.0
        self.program(cells, rest + noise, places)

    def _of_cells(self, cells: Cells) -> Draws:
        """Random draws of these cells; their key is used as the seed."""
        return Draws(len(cells.state), None if "device_to_device" in self.off else int(cells.random[0]))

    def _rest(self, cells: Cells) -> Rows:
        return self.reset + self._of_cells(cells).gaussians(_RESET, self.reset_dtod)

    def _kept(self, cells: Cells, periods: float) -> Rows:
        """Share of the distance from its rest weight that each cell keeps over `periods`."""
        from hw_models.kernels.portable_arrays import powers

        life = self.lifetime * (1.0 + self._of_cells(cells).gaussians(_LIFETIME, self.lifetime_dtod))
        return powers(np.where(life > 1.0, 1.0 - 1.0 / np.maximum(life, 1.0), 0.0), periods)


@dataclass(frozen=True, kw_only=True)
class AffineDevice(PulsedDevice):
    """A pulsed device whose step is linear in the weight."""

    def _nonlinear(self) -> bool:
        return bool(np.any(self._own_rows(Draws(1))[0, P1:]))

    def _asymmetric(self) -> bool:
        row = self._own_rows(Draws(1))[0]
        return bool(row[P0] != row[P0 + 1] or row[P1] != row[P1 + 1])
