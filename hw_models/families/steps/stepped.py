"""Base of all families whose cells are changed by pulses: builds rows of cell parameters and runs the pulse kernel.

A family fills one row per cell (`step_laws`) from its parameters and random draws. This module manufactures, sets and
pulses the cells, and applies the switches for nonlinearity and asymmetry to the rows. The compiled kernel is loaded
when the first cells are created, so that a list of devices is fast. See also `pulsing`, `straight_pulsing`,
`randomness`.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import MISSING, dataclass, field, fields, replace
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from hw_models.arguments import ARGUMENTS
from hw_models.base import CellModel, Cells, DeviceError, Ints, Reals, to_manufacture, to_program, to_pulse, unknown
from hw_models.kernels.aligned import on_cache_lines
from hw_models.kernels.step_laws import AFFINE, CONSTANTS, EQUAL, HIGH, LOW, P0, P1, SCALE, WIDTH, WRITE

Rows = npt.NDArray[np.float64]
_START_NOISE, _GRID = 99, 1025


@dataclass(frozen=True)
class Draws:
    """The random draws for `count` cells; with `seed` None, those of the nominal cell: every Gaussian is 0."""

    count: int
    seed: int | None = None

    def gaussians(self, stream: int, sigma: float = 1.0) -> Rows:
        """(count,) `sigma`·xi of purpose `stream`."""
        if self.seed is None or sigma == 0.0:
            return np.zeros(self.count)
        from hw_models.kernels import randomness

        return sigma * randomness.gaussians(randomness.key_of(self.seed, stream), self.count)

    def lognormals(self, stream: int, sigma: float) -> Rows:
        """(count,) exp(`sigma`·xi) of purpose `stream`."""
        if self.seed is None or sigma == 0.0:
            return np.ones(self.count)
        from hw_models.kernels import randomness

        return randomness.lognormals(randomness.key_of(self.seed, stream), self.count, sigma)

    def uniforms(self, stream: int) -> Rows:
        """(count,) uniforms in [0, 1) of purpose `stream`; 1 for the nominal cell, so that no random event occurs."""
        if self.seed is None:
            return np.ones(self.count)
        from hw_models.kernels import randomness

        return randomness.uniforms(randomness.key_of(self.seed, stream), self.count)


def parameter(
    default: Any, unit: str, doc: str, low: float | None = None, high: float | None = None, above: float | None = None
) -> Any:
    """A field with unit and meaning, in `low` … `high`, or strictly above `above`. `default` may be `MISSING`."""
    about = {"unit": unit, "doc": doc, "low": low if above is None else above, "high": high, "above": above}
    return field(metadata=about) if default is MISSING else field(default=default, metadata=about)


class Stepped(CellModel):
    """A cell that pulses change by state-dependent steps; `spread` has the columns `step_laws.COLUMNS`."""

    off: frozenset[str]

    @property
    @abstractmethod
    def law(self) -> int:
        """Code of the step law, while nonlinearity is on."""

    @abstractmethod
    def _own_rows(self, draws: Draws) -> Rows:
        """Rows (count, 8) of the cells with these draws, with all nonlinearity and asymmetry."""

    @abstractmethod
    def _noise(self) -> dict[int, float]:
        """The kernel's nonzero constants, by index."""

    @abstractmethod
    def _switches(self) -> tuple[str, ...]:
        """Names of all non-idealities that this device has, also those that are off."""

    @property
    def non_idealities(self) -> tuple[str, ...]:  # type: ignore[override]
        """Names of the switches that are on."""
        return tuple(name for name in self._switches() if name not in self.off)

    def law_code(self) -> int:
        """Code of the step law in the kernel: a flattened law is affine."""
        return AFFINE if "nonlinearity" in self.off else self.law

    def constants(self) -> Rows:
        """(13,) constants of the kernel, laid out as in `step_laws`."""
        out = np.zeros(CONSTANTS)
        for place, value in self._noise().items():
            out[place] = value
        out[EQUAL] = float("asymmetry" in self.off)
        return out

    def bounds(self) -> tuple[float, float]:
        """Nominal lowest and highest state."""
        row = self._own_rows(Draws(1))[0]
        return float(row[LOW]), float(row[HIGH])

    def step(self, state: float, up: bool) -> float:
        """Nominal size of one pulse at `state`, without noise, spread or clipping."""
        return float(self._sizes(self.law_code(), self._rows(Draws(1))[0], np.array([float(state)]), up)[0])

    def without(self, names: Sequence[str]) -> Self:
        """This model with the named non-idealities off. Raises `DeviceError` for a name it does not have."""
        for name in names:
            if name not in self.non_idealities:
                raise DeviceError(unknown(f"non-ideality of {self.name}", name, self.non_idealities))
        return replace(self, off=self.off | frozenset(names))  # type: ignore[type-var]

    def manufacture(self, count: int, seed: int, dtype: npt.DTypeLike = np.float64) -> Cells:
        """`count` cells at the lowest nominal state, clipped to each cell's bounds, with write noise."""
        from hw_models.kernels import randomness

        count, seed = to_manufacture(count, seed, dtype)
        draws = Draws(count, seed)
        spread = on_cache_lines(self._rows(draws), dtype)
        state = np.clip(np.full(count, self.bounds()[0], dtype=dtype), spread[:, LOW], spread[:, HIGH])
        shown = state + draws.gaussians(_START_NOISE, float(self.constants()[WRITE]))
        return Cells(state, shown.astype(dtype), spread, np.zeros(count, np.uint32), randomness.start(seed))

    def program(self, cells: Cells, target: Reals, places: Ints | None = None) -> None:
        """Sets `cells[places]` to `target` (one value or one per place), clipped to the bounds, with write noise."""
        from hw_models.kernels import pulsing

        where, wanted = to_program(cells, target, places)
        self._fits(cells)
        wanted, constants = np.ascontiguousarray(wanted), self.constants()
        pulsing.set_cells(cells.state, cells.visible, cells.spread, cells.random, constants, wanted, where)

    def pulse(self, cells: Cells, counts: Ints, places: Ints | None = None) -> None:
        """Applies `counts` pulses (> 0 up, < 0 down; one number or one per place) to `cells[places]`, in that order."""
        self.pulse_and_tally(cells, counts, places)

    def pulse_and_tally(self, cells: Cells, counts: Ints, places: Ints | None = None) -> tuple[int, float, int, float]:
        """As `pulse`. Returns (up pulses, Σ of the mean state during each, down pulses, Σ likewise)."""
        from hw_models.kernels import pulsing, straight_pulsing

        where, given_counts = to_pulse(cells, counts, places)
        self._fits(cells)
        where = where[:0] if places is None else where  # an empty list means all cells in the kernel
        applied = np.ascontiguousarray(given_counts)
        given = (self.law_code(), cells.state, cells.visible, cells.spread, cells.pulses, cells.random)
        if places is None:
            room = straight_pulsing.Room.make()
            found = straight_pulsing.pulse_batches(*given, self.constants(), applied, where, room)
        else:  # the same cell may occur twice
            found = pulsing.pulse_cells(*given, self.constants(), applied, where)
        ups, up_sum, downs, down_sum = found
        return int(ups), float(up_sum), int(downs), float(down_sum)

    def write_energy_j(self, tally: tuple[int, float, int, float]) -> tuple[float, float]:
        """Joules of the up and down pulses of a tally: Σ V²·(G0 + G1)/2·t, plus V²·C for each pulse; without access.

        NeuroSim's write energy of a 1T1R cell. Raises `DeviceError` for a model without electrical conditions.
        """
        if self.drive is None:
            raise DeviceError(f"{self.name}: no electrical conditions, so no energy (give a drive)")
        (ups, up_sum, downs, down_sum), sums = tally, []
        for pulse, number, passed in ((self.drive.up, ups, up_sum), (self.drive.down, downs, down_sum)):
            siemens = self._sum_s(number, passed, pulse.voltage_v) if self.drive.write_current else 0.0
            sums.append(pulse.voltage_v**2 * (siemens * pulse.width_s + number * self.drive.capacitance_f))
        return sums[0], sums[1]

    def _sum_s(self, number: int, passed: float, voltage_v: float) -> float:
        """Sum of the conductances of `number` states with the sum `passed`, because the map is affine."""
        at_zero = float(self.conductance_s(np.zeros(1))[0])
        return number * at_zero + (float(self.conductance_s(np.array([passed]))[0]) - at_zero)

    def _rows(self, draws: Draws) -> Rows:
        """Rows (count, 8) for the kernel, after the switches for nonlinearity and asymmetry."""
        rows = self._own_rows(draws)
        if "nonlinearity" in self.off:
            self._flatten(rows)
        if "asymmetry" in self.off and self.law_code() == AFFINE:
            for column in (SCALE, P0, P1):
                rows[:, column] = rows[:, column + 1] = 0.5 * (rows[:, column] + rows[:, column + 1])
        return rows

    def _flatten(self, rows: Rows) -> None:
        """Makes the steps of each cell independent of the state: its scale times the mean nominal step per scale."""
        for down in (0, 1):
            rows[:, P0 + down] = rows[:, SCALE + down] * self._mean_share(not down)
            rows[:, P1 + down] = 0.0

    def _mean_share(self, up: bool) -> float:
        """Mean nominal step over the range of states, as a share of the nominal scale."""
        row = self._own_rows(Draws(1))[0]
        scale = float(row[SCALE + (not up)])
        states = np.linspace(row[LOW], row[HIGH], _GRID)
        sizes = self._sizes(self.law, row, states, up, equal=False)
        mean = (float(sizes.sum()) - 0.5 * float(sizes[0] + sizes[-1])) / (_GRID - 1)
        return mean / scale if scale else 0.0

    def _sizes(self, law: int, row: Rows, states: Rows, up: bool, equal: bool = True) -> Rows:
        """Steps, at `states`, of the cell with `row`."""
        constants = self.constants()
        constants[EQUAL] *= equal
        down = int(not up)
        if law == AFFINE:
            sizes: Rows = row[P0 + down] + row[P1 + down] * states
            return sizes
        from hw_models.kernels import pulsing

        sizes = pulsing.step_sizes(law, row, constants, states, down)
        return sizes

    def _fits(self, cells: Cells) -> None:
        """Raises `DeviceError` for cells of another family, because the kernel reads a row of `spread` per cell."""
        if cells.spread.shape[1] < WIDTH:
            allowed = f"({len(cells.state)}, {WIDTH}), as this model makes them"
            ARGUMENTS.refuse("cells.spread", f"shape {cells.spread.shape}", allowed)


def check(model: Any) -> None:
    """Raises `DeviceError` unless all numbers of `model` are finite and in range, and `off` has known names."""
    for item in fields(model):
        value, about = getattr(model, item.name), item.metadata
        if "unit" not in about or isinstance(item.default, bool):
            continue
        number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
        low, high, above = about["low"], about["high"], about["above"]
        if number and (low is None or value >= low) and (high is None or value <= high) and value != above:
            continue
        least = "" if low is None else f" {'above' if above is not None else 'of at least'} {low:g}"
        most = "" if high is None else f"{' and' if least else ' of'} at most {high:g}"
        unit = "" if about["unit"] == "1" else f" {about['unit']}"
        raise DeviceError(f"{model.name}: {item.name} is {value!r}; it must be a finite number{least}{most}{unit}")
    object.__setattr__(model, "off", frozenset(model.off))
    for name in sorted(model.off):
        if name not in model._switches():
            raise DeviceError(unknown(f"non-ideality of {model.name}", name, model._switches()))
