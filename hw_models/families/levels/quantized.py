"""A cell of n equally spaced levels, with Gaussian noise of each write and each read and a converter's levels.

Source: uniform quantisation, B. Widrow, I. Kollar, *Quantization Noise*, Cambridge 2008, ch. 1 and 4. A generic
multi-level memory (multi-level flash, n-level ReRAM with a tight write-verify). Valid for 2 to 65,536 levels; noise in
units of the level spacing. Not modelled: pulses that miss their level in a state-dependent way, drift, asymmetry.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from hw_models.base import Cells, DeviceError, Drive, Ints, Quantity, Reals, check_read, states
from hw_models.families.levels.target_level import Written, check_off, checked, drawn, read_normals

SWITCHES = ("quantisation", "write_noise", "read_noise")
MOST_LEVELS = 65_536


@dataclass(frozen=True)
class Quantized(Written):
    """Levels from `w_min` to `w_max`; one pulse is one whole level, up or down, saturating at both ends.

    With `quantisation` off, targets and reads are not rounded; a pulse is still one level spacing.
    """

    family: ClassVar[str] = "quantized"
    citation: ClassVar[str] = "Widrow and Kollar, Quantization Noise, Cambridge University Press, 2008"
    valid_range: ClassVar[str] = f"2 to {MOST_LEVELS} levels, equally spaced"
    not_modelled: ClassVar[str] = "state-dependent write errors, drift, asymmetry"
    quantity: ClassVar[Quantity] = "weight"

    name: str = "quantized"
    drive: Drive | None = None
    levels: int = field(
        default=16, metadata={"unit": "levels", "doc": "levels that a write can reach", "low": 2, "high": MOST_LEVELS}
    )
    w_min: float = field(default=-1.0, metadata={"unit": "1", "doc": "weight of the lowest level"})
    w_max: float = field(default=1.0, metadata={"unit": "1", "doc": "weight of the highest level"})
    write_noise: float = field(
        default=0.0, metadata={"unit": "1", "doc": "deviation that a write leaves, in level spacings", "low": 0}
    )
    read_noise: float = field(
        default=0.0, metadata={"unit": "1", "doc": "standard deviation of a read, in level spacings", "low": 0}
    )
    read_levels: int = field(
        default=0,
        metadata={"unit": "levels", "doc": "levels that a read tells apart; 0: all", "low": 0, "high": MOST_LEVELS},
    )
    off: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        for name in ("w_min", "w_max"):
            checked(self, name)
        if not self.w_min < self.w_max:
            raise DeviceError(f"{self.name}: w_min is {self.w_min!r}; it must be below w_max, {self.w_max!r}")
        for name in ("write_noise", "read_noise"):
            checked(self, name, 0)
        for name, fewest in (("levels", 2), ("read_levels", 0)):
            value = getattr(self, name)
            whole = isinstance(value, int) and not isinstance(value, bool)
            if not whole or not fewest <= value <= MOST_LEVELS or value == 1:
                allowed = f"2 to {MOST_LEVELS}" + ("" if fewest else ", or 0 for as many as there are")
                raise DeviceError(f"{self.name}: {name} is {value!r}; it must be an integer, {allowed}")
        check_off(self, SWITCHES)

    @property
    def non_idealities(self) -> tuple[str, ...]:  # type: ignore[override]
        """Always quantisation, and the noises that are not 0."""
        present = {"quantisation": True, "write_noise": self.write_noise > 0, "read_noise": self.read_noise > 0}
        return tuple(name for name in SWITCHES if present[name] and name not in self.off)

    def bounds(self) -> tuple[float, float]:
        """`w_min`, `w_max`."""
        return self.w_min, self.w_max

    def read(self, cells: Cells, after_s: float = 0.0, seed: int = 0) -> Reals:
        """Values from a converter of `read_levels` levels; the levels do not change with time."""
        check_read(cells, after_s, seed)
        seen = cells.visible.copy()
        if self._has("read_noise"):
            noise = read_normals(cells, seed, "read_noise") * (self.read_noise * self.spacing())
            seen += noise.astype(seen.dtype)
        if self.read_levels and self._has("quantisation"):
            seen = np.clip(self._nearest(seen, self.read_levels), self.w_min, self.w_max).astype(seen.dtype)
        return seen

    def read_sd(self, state: Reals) -> Reals:
        """The standard deviation, which is the same at all levels."""
        return np.full(states(state).shape, self.read_noise * self.spacing() if self._has("read_noise") else 0.0)

    def write_law(self) -> npt.NDArray[np.float64]:
        """Constants of the compiled write (`level_writing`)."""
        from hw_models.kernels import level_writing as kernel

        rounding = (kernel.AS_IT_IS, 1.0, 0.0)
        if self._has("quantisation"):
            rounding = (kernel.TO_GRID, self.spacing(), self.w_min)
        noisy = (kernel.NO_NOISE, 0.0)
        if self._has("write_noise"):
            noisy = (kernel.EQUAL, self.write_noise * self.spacing())
        return kernel.law(self.spacing(), self.bounds(), rounding, noisy)

    def _nearest(self, values: Reals, levels: int) -> Reals:
        spacing = (self.w_max - self.w_min) / (levels - 1)
        return np.asarray(np.rint((values - self.w_min) / spacing) * spacing + self.w_min)

    def _rounded(self, wanted: Reals) -> Reals:
        return self._nearest(wanted, self.levels) if self._has("quantisation") else wanted

    def _settled(self, cells: Cells, state: Reals, places: Ints) -> Reals:
        if not self._has("write_noise"):
            return state
        return state + drawn(cells, len(state)) * state.dtype.type(self.write_noise * self.spacing())
