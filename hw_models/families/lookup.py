"""A measured device as a table: the distribution of the change of conductance by one pulse, at each conductance.

Source: the lookup-table device of CrossSim (Sandia; manual v0.3, section 6.7). Columns are conductances, rows points of
the cumulative distribution: a pulse draws u uniform in [0, 1) and changes the conductance by dG(u, G), interpolated
linearly between rows and columns; outside the table the outermost values apply. A change of a requested size
(`request`) corresponds to s pulses, s = wanted/average step: the mean is multiplied by s, the deviation from the mean
by sqrt(s). Fitted range: the conductances of the table, half a bin further at both ends. Not modelled: memory of
earlier pulses beyond the conductance, pulses of other voltage or width, drift, read noise.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from statistics import NormalDist
from typing import ClassVar, Self

import numpy as np
import numpy.typing as npt

from hw_models.arguments import ARGUMENTS
from hw_models.base import (
    CellModel,
    Cells,
    DeviceError,
    Drive,
    Ints,
    Quantity,
    Reals,
    check_cells,
    to_manufacture,
    to_program,
    to_pulse,
)
from hw_models.families.levels.target_level import STREAMS, check_off, checked, tuples, turned_off
from hw_models.families.lookup_table import Branch, checked_table, middle, step_cells
from hw_models.kernels import randomness

SWITCHES = ("device_to_device", "cycle_to_cycle", "nonlinearity", "asymmetry")
Table = tuple[tuple[float, ...], ...]


@dataclass(frozen=True)
class Lookup(CellModel):
    """Cells that all follow one table; the size of steps may differ from cell to cell.

    `nonlinearity` off: the mean step is the same at every conductance; deviations are unchanged. `asymmetry` off: up
    and down have the mean of both steps, each with its own deviations. `cycle_to_cycle` off: every pulse is a mean
    step.
    """

    family: ClassVar[str] = "lookup"
    citation: ClassVar[str] = "CrossSim manual v0.3, section 6.7: lookup-table device"
    valid_range: ClassVar[str] = "conductances of the table and half a bin beyond; pulses as they were measured"
    not_modelled: ClassVar[str] = "history beyond the conductance, other pulse shapes, drift, read noise"
    quantity: ClassVar[Quantity] = "conductance"

    name: str = "lookup"
    drive: Drive | None = None
    g_s: tuple[float, ...] = field(
        kw_only=True, metadata={"unit": "S", "doc": "conductances of the columns, ascending", "low": 0}
    )
    cdf: tuple[float, ...] = field(
        kw_only=True, metadata={"unit": "1", "doc": "cumulative distribution of the rows", "low": 0, "high": 1}
    )
    up_s: Table = field(kw_only=True, metadata={"unit": "S", "doc": "change by a pulse up, a row per point of cdf"})
    down_s: Table = field(kw_only=True, metadata={"unit": "S", "doc": "change by a pulse down (below 0), likewise"})
    g_min_s: float = field(
        default=math.nan, metadata={"unit": "S", "doc": "lowest conductance; not given: half a bin below", "low": 0}
    )
    g_max_s: float = field(
        default=math.nan, metadata={"unit": "S", "doc": "highest conductance; not given: half a bin above", "low": 0}
    )
    step_spread: float = field(
        default=0.0, metadata={"unit": "1", "doc": "log standard deviation of a cell's steps", "low": 0}
    )
    off: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        for name in ("g_s", "cdf", "up_s", "down_s"):
            object.__setattr__(self, name, tuples(getattr(self, name)))
        checked_table(self.name, self.g_s, self.cdf, {"up_s": self.up_s, "down_s": self.down_s})
        low, high = _edges(self.g_s)
        for name, edge in (("g_min_s", low), ("g_max_s", high)):
            if isinstance(getattr(self, name), float) and math.isnan(getattr(self, name)):
                object.__setattr__(self, name, edge)
            checked(self, name, 0)
        if not self.g_min_s < self.g_max_s:
            raise DeviceError(f"{self.name}: g_min_s is {self.g_min_s!r}; it must be below g_max_s, {self.g_max_s!r}")
        checked(self, "step_spread", 0)
        check_off(self, SWITCHES)
        if self._measured[0].largest() <= 0:
            raise DeviceError(f"{self.name}: up_s: no pulse up raises the conductance on average")
        if self._measured[1].largest() <= 0:
            raise DeviceError(f"{self.name}: down_s: no pulse down lowers the conductance on average")

    @classmethod
    def from_moments(
        cls,
        g_s: Sequence[float],
        up: tuple[Sequence[float], Sequence[float]],
        down: tuple[Sequence[float], Sequence[float]],
        *,
        points: int = 101,
        name: str = "lookup",
    ) -> Self:
        """A table of normal distributions with the (means, standard deviations) in siemens of `up` and `down`.

        The `points` quantiles are scaled so that the draws have exactly these standard deviations.
        """
        chances = [(index + 0.5) / points for index in range(points)]
        # rounded to a grid, so that the result does not depend on the last digit of a machine's logarithm
        normals = np.array([round(NormalDist().inv_cdf(chance) * 2**32) for chance in chances]) / 2**32
        drawn = Branch(np.zeros(1), np.array(chances), normals[:, None])
        normals /= math.sqrt(drawn.variance()[0])
        tables = [np.asarray(mean) + normals[:, None] * np.asarray(deviation) for mean, deviation in (up, down)]
        return cls(name=name, g_s=tuples(g_s), cdf=tuple(chances), up_s=tuples(tables[0]), down_s=tuples(tables[1]))

    @property
    def non_idealities(self) -> tuple[str, ...]:  # type: ignore[override]
        """The switches that are on and have an effect in the table."""
        up, down = self._measured
        present = {
            "device_to_device": self.step_spread > 0,
            "cycle_to_cycle": bool(up.variance().any() or down.variance().any()),
            "nonlinearity": len(set(up.mean())) > 1 or len(set(down.mean())) > 1,
            "asymmetry": tuple(up.mean()) != tuple(down.mean()),
        }
        return tuple(name for name in SWITCHES if present[name] and name not in self.off)

    def bounds(self) -> tuple[float, float]:
        """`g_min_s`, `g_max_s`."""
        return self.g_min_s, self.g_max_s

    def step(self, state: float, up: bool) -> float:
        """Mean change by one pulse at `state` (siemens); 0 if the table has the opposite sign."""
        branch = self._branches[0 if up else 1]
        return max(float(np.interp(state, branch.g_s, branch.mean())), 0.0)

    def without(self, names: Sequence[str]) -> Self:
        """This model with the named non-idealities off. Raises `DeviceError` for a name it does not have."""
        return turned_off(self, names)

    def manufacture(self, count: int, seed: int, dtype: npt.DTypeLike = np.float64) -> Cells:
        """`count` cells at `g_min_s`; the only column of `spread` is the factor on a cell's steps."""
        count, seed = to_manufacture(count, seed, dtype)
        sigma = self.step_spread if "device_to_device" in self.non_idealities else 0.0
        factors = randomness.lognormals(randomness.key_of(seed, STREAMS["device_to_device"]), count, sigma)
        state = np.full(count, self.g_min_s, dtype=dtype)
        pulses = np.zeros(count, dtype=np.uint32)
        return Cells(state, state.copy(), factors[:, None].astype(dtype), pulses, randomness.start(seed))

    def program(self, cells: Cells, target: Reals, places: Ints | None = None) -> None:
        """Sets `cells[places]` exactly to `target` (siemens, clipped): the table has no data on write-verify."""
        where, wanted = to_program(cells, target, places)
        low, high = self.bounds()
        cells.state[where] = np.clip(wanted.astype(np.float64), low, high)
        cells.visible[where] = cells.state[where]

    def pulse(self, cells: Cells, counts: Ints, places: Ints | None = None) -> None:
        """Applies pulses one after the other, each drawn from the table at the cell's present conductance."""
        where, number = to_pulse(cells, counts, places)
        self._draw(cells, where, number.astype(np.int64), np.ones(len(where)))
        np.add.at(cells.pulses, where, np.abs(number).astype(np.uint32))

    def request(self, cells: Cells, wanted: Reals, places: Ints | None = None) -> None:
        """Changes `cells[places]` once by about `wanted` siemens: s average steps, mean times s, noise times sqrt(s).

        The average step is taken over the middle half of the conductance range. Counts round(s) pulses, at least 1.
        """
        check_cells(cells)
        where, (low, high) = cells.places(places), self.bounds()
        most = 1000 * (high - low)
        given = ARGUMENTS.reals("wanted", wanted, None, -most, most)
        amount = ARGUMENTS.one_or_each("wanted", given.astype(np.float64), len(where))
        up, down = (branch.average(*middle(self.bounds())) for branch in self._branches)
        shares = np.abs(amount) / np.where(amount > 0, up, down)
        self._draw(cells, where, np.sign(amount).astype(np.int64), shares)
        number = np.where(amount == 0, 0, np.maximum(np.rint(shares), 1))
        np.add.at(cells.pulses, where, number.astype(np.uint32))

    def _draw(self, cells: Cells, where: Ints, number: Ints, shares: Reals) -> None:
        branch, (low, high) = self._branches[0], self.bounds()
        arrays = (cells.state, cells.visible, cells.spread, cells.random, branch.g_s, branch.cdf, *self._stacked)
        step_cells(*arrays, low, high, number, shares, where.astype(np.int64))

    @cached_property
    def _measured(self) -> tuple[Branch, Branch]:
        """Both branches of the table as positive changes in their own direction (up: increase, down: decrease)."""
        g_s, cdf = np.array(self.g_s), np.array(self.cdf)
        return Branch(g_s, cdf, np.array(self.up_s)), Branch(g_s, cdf, -np.array(self.down_s))

    @cached_property
    def _branches(self) -> tuple[Branch, Branch]:
        """Both branches, modified by the switches that are off."""
        up, down = self._measured
        if "nonlinearity" in self.off:
            up, down = up.level(), down.level()
        if "asymmetry" in self.off:
            mean = (up.mean() + down.mean()) / 2
            up, down = up.around(mean), down.around(mean)
        return (up.sure(), down.sure()) if "cycle_to_cycle" in self.off else (up, down)

    @cached_property
    def _stacked(self) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """Means (2, m) and changes (2, k, m) of both branches, for the kernel."""
        up, down = self._branches
        return np.stack([up.mean(), down.mean()]), np.stack([up.change_s, down.change_s])


def _edges(g_s: Sequence[float]) -> tuple[float, float]:
    """Half a bin beyond the outermost conductances; for a single conductance, half of its value."""
    if len(g_s) == 1:
        return 0.5 * g_s[0], 1.5 * g_s[0]
    return max(g_s[0] - (g_s[1] - g_s[0]) / 2, 0.0), g_s[-1] + (g_s[-1] - g_s[-2]) / 2
