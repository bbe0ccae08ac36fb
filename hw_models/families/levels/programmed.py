"""Devices described by their write errors: sigma(G) of the conductance at one or several times after the write.

One family for the published write-verify statistics of ReRAM, PCM and charge-trap memory: with x = G/`argument_s`,
sigma = `unit_s` times sum_i c_i x^i (`polynomial`) or A (1 - e^(-x/B)) (`saturating`), never below 0. Between two rows
of `times_s` the coefficients are interpolated linearly; before the first and after the last row its coefficients apply.
Optionally the mean changes too (`shift`, a polynomial of x in `unit_s` per row; 0 at time 0), and each read adds noise
(`read_coefficients`, same curve). Conductances never fall below 0.

Sources of the rows in use: W. Wan et al., Nature 608, 504 (2022), as fitted in aihwkit 1.2.0 (sigma in uS, quartic in
G/g_max, at 1 s, 1 day, 2 days) and in CrossSim 3.2.0 (cubic); V. Joshi et al., Nat. Commun. 11, 2473 (2020); V. Milo et
al., IEEE IRPS 2021; V. Agrawal et al., IEEE IEDM 2022 (SONOS, by the day up to 5 days), the last three as in CrossSim.
Not modelled: programming pulse by pulse; changes of the sign of a deviation (a cell's deviation always grows and
shrinks with sigma of its own level); current-voltage nonlinearity.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from itertools import pairwise
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from hw_models.arguments import ARGUMENTS
from hw_models.base import Cells, DeviceError, Drive, Ints, Quantity, Reals, check_read, states, unknown
from hw_models.families.levels.target_level import (
    Written,
    check_levels,
    check_off,
    checked,
    drawn,
    read_normals,
    tuples,
)
from hw_models.kernels.portable_arrays import exponentials

SWITCHES = ("programming_noise", "drift", "read_noise")
CURVES = ("polynomial", "saturating")
Row = tuple[float, ...]


@dataclass(frozen=True)
class Programmed(Written):
    """One cell between `g_min_s` and `g_max_s`; `levels` sets the change of the target by a requested pulse.

    `drift` is the whole effect of time: the change of the mean and the growth of sigma.
    """

    family: ClassVar[str] = "programmed"
    citation: ClassVar[str] = "Wan et al., Nature 2022; Joshi et al., Nat. Commun. 2020; Milo et al., IRPS 2021"
    valid_range: ClassVar[str] = "g_min_s to g_max_s, from the first to the last of times_s"
    not_modelled: ClassVar[str] = "pulse-by-pulse programming, fresh deviations in the course of time, I-V curves"
    quantity: ClassVar[Quantity] = "conductance"

    name: str = "programmed"
    drive: Drive | None = None
    g_min_s: float = field(default=0.0, metadata={"unit": "S", "doc": "lowest target", "low": 0})
    g_max_s: float = field(default=40e-6, metadata={"unit": "S", "doc": "highest target", "low": 0})
    curve: str = field(default="polynomial", metadata={"unit": "1", "doc": "polynomial or saturating"})
    argument_s: float = field(default=40e-6, metadata={"unit": "S", "doc": "what x is counted in", "low": 0})
    unit_s: float = field(default=1e-6, metadata={"unit": "S", "doc": "what sigma and shift are counted in", "low": 0})
    times_s: Row = field(default=(0.0,), metadata={"unit": "s", "doc": "times after the write, ascending", "low": 0})
    coefficients: tuple[Row, ...] = field(
        default=((0.348, 16.03, -43.853, 45.393, -16.815),),
        metadata={"unit": "1", "doc": "of sigma, a row per time: c0, c1, ... or A, B"},
    )
    shift: tuple[Row, ...] = field(
        default=(), metadata={"unit": "1", "doc": "of the mean's shift, a row per time: c0, c1, ...; none: no shift"}
    )
    read_coefficients: Row = field(
        default=(), metadata={"unit": "1", "doc": "of the sigma of each read: c0, c1, ... or A, B; none: no noise"}
    )
    levels: int = field(default=256, metadata={"unit": "levels", "doc": "levels of the programming circuit", "low": 2})
    off: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        for name in ("times_s", "coefficients", "shift", "read_coefficients"):
            object.__setattr__(self, name, tuples(getattr(self, name)))
        checked(self, "g_min_s", 0)
        for name in ("g_max_s", "argument_s", "unit_s"):
            checked(self, name, 0, strict=True)
        if not self.g_min_s < self.g_max_s:
            raise DeviceError(f"{self.name}: g_min_s is {self.g_min_s!r}; it must be below g_max_s, {self.g_max_s!r}")
        if self.curve not in CURVES:
            raise DeviceError(f"{self.name}: {unknown('curve', self.curve, CURVES)}")
        check_levels(self)
        self._check_times()
        self._check_rows()
        check_off(self, SWITCHES)

    def _check_times(self) -> None:
        told = f"{self.name}: times_s is {self.times_s!r}; it must be finite times from 0 on, each later than the last"
        times = self.times_s
        if not times or not all(isinstance(time, int | float) and 0 <= time < math.inf for time in times):
            raise DeviceError(told)
        if any(later <= earlier for earlier, later in pairwise(times)):
            raise DeviceError(told)

    def _check_rows(self) -> None:
        rows = {"coefficients": self.coefficients, "shift": self.shift, "read_coefficients": (self.read_coefficients,)}
        for name, table in rows.items():
            if len(table) != len(self.times_s) and (name == "coefficients" or (name == "shift" and table)):
                raise DeviceError(f"{self.name}: {name} has {len(table)} rows for {len(self.times_s)} times_s")
            if not all(isinstance(row, tuple) for row in table) or len({len(row) for row in table}) > 1:
                raise DeviceError(f"{self.name}: {name} must be rows of numbers, all of one length")
            if not all(isinstance(c, int | float) and math.isfinite(c) for row in table for c in row):
                raise DeviceError(f"{self.name}: {name} is {table!r}; it must be finite numbers")
            if name == "shift" or (name == "read_coefficients" and not self.read_coefficients):
                continue
            if self.curve == "saturating" and not all(len(row) == 2 and row[0] >= 0 and row[1] > 0 for row in table):
                raise DeviceError(f"{self.name}: {name} is {table!r}; a saturating curve takes A >= 0 and B > 0")
            if not all(table):
                raise DeviceError(f"{self.name}: {name} must have at least one number a row")

    @property
    def non_idealities(self) -> tuple[str, ...]:  # type: ignore[override]
        """The switches that are on and have coefficients that are not all 0."""
        size = 1 if self.curve == "saturating" else None
        present = {
            "programming_noise": any(c for row in self.coefficients for c in row[:size]),
            "drift": len(set(self.coefficients)) > 1 or any(c for row in self.shift for c in row),
            "read_noise": any(self.read_coefficients[:size]),
        }
        return tuple(name for name in SWITCHES if present[name] and name not in self.off)

    def bounds(self) -> tuple[float, float]:
        """`g_min_s`, `g_max_s`."""
        return self.g_min_s, self.g_max_s

    def sigma_s(self, conductance: Reals, after_s: float = 0.0) -> Reals:
        """Standard deviation in siemens of cells whose mean is `conductance` (siemens), `after_s` after the write."""
        after_s = ARGUMENTS.number("after_s", after_s, 0.0)
        return self._curve(states(conductance, "conductance"), self._row(self.coefficients, after_s))

    def shifted_s(self, target: Reals, after_s: float) -> Reals:
        """Mean in siemens, `after_s` seconds after the write, of cells written to `target` (siemens)."""
        target, after_s = states(target, "target"), ARGUMENTS.number("after_s", after_s, 0.0)
        if not self.shift or not self._has("drift") or after_s <= 0:
            return target
        shift = np.polynomial.polynomial.polyval(target / self.argument_s, self._row(self.shift, after_s))
        return np.asarray(target + shift * self.unit_s)

    def read(self, cells: Cells, after_s: float = 0.0, seed: int = 0) -> Reals:
        """Conductances in siemens `after_s` seconds after the write; noise of the read itself from `seed`."""
        after_s = check_read(cells, after_s, seed)
        seen = cells.visible.astype(np.float64)
        if self._has("drift") and after_s > 0:
            target = cells.state.astype(np.float64)
            mean = self.shifted_s(target, after_s)
            seen = np.maximum(mean + self._deviations(cells, seen - target, mean, after_s), 0.0)
        if self._has("read_noise"):
            noise = self._curve(seen, self.read_coefficients) * read_normals(cells, seed, "read_noise")
            seen = np.maximum(seen + noise, 0.0)
        return seen.astype(cells.visible.dtype)

    def read_sd(self, state: Reals) -> Reals:
        """The standard deviation from the curve of `read_coefficients`."""
        state = states(state)
        return self._curve(state, self.read_coefficients) if self._has("read_noise") else np.zeros(state.shape)

    def write_law(self) -> npt.NDArray[np.float64]:
        """Constants of the compiled write (`level_writing`)."""
        from hw_models.kernels import level_writing as kernel

        kind = kernel.SATURATING if self.curve == "saturating" else kernel.POLYNOMIAL
        noisy = (kind, self.unit_s) if self._has("programming_noise") else (kernel.NO_NOISE, 0.0)
        curve = self.argument_s, False, self._row(self.coefficients, 0.0)
        return kernel.law(self.spacing(), self.bounds(), noise=noisy, curve=curve)

    def _deviations(self, cells: Cells, first: Reals, mean: Reals, after_s: float) -> Reals:
        """Deviations `first`, scaled to the present sigma; if sigma was 0, from a cell's own normal."""
        if not self._has("programming_noise"):
            return first
        then, now = self.sigma_s(cells.state.astype(np.float64)), self.sigma_s(mean, after_s)
        fresh = read_normals(cells, 0, "programming_noise") if (then == 0).any() else np.zeros(len(then))
        return np.asarray(now * np.divide(first, then, out=fresh, where=then > 0))

    def _row(self, table: tuple[Row, ...], after_s: float) -> Row:
        """The row of `table` at a time, interpolated linearly between rows."""
        return tuple(float(np.interp(after_s, self.times_s, column)) for column in zip(*table, strict=True))

    def _curve(self, conductance: Reals, row: Row) -> Reals:
        x = np.asarray(conductance, dtype=np.float64) / self.argument_s
        if self.curve == "saturating":
            sigma: Reals = row[0] * (1 - exponentials(np.ravel(-x / row[1])).reshape(x.shape))
        else:
            sigma = np.polynomial.polynomial.polyval(x, row)
        return np.asarray(np.maximum(sigma, 0.0) * self.unit_s)

    def _settled(self, cells: Cells, state: Reals, places: Ints) -> Reals:
        if not self._has("programming_noise"):
            return state
        noise = self.sigma_s(state) * drawn(cells, len(state))
        return np.maximum(state + noise, 0.0).astype(state.dtype)
