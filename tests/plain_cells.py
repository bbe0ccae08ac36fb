"""The plainest cell model there can be, for tests of arrays: equal steps between two conductances, nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal, Self

import numpy as np
import numpy.typing as npt

from hw_models.base import CellModel, Cells, DeviceError, Drive, Ints, Pulse, Reals, unknown

G_MIN, G_MAX = 1e-6, 1e-5
DRIVE = Drive(
    g_min_s=G_MIN,
    g_max_s=G_MAX,
    up=Pulse(2.0, 50e-9),
    down=Pulse(-1.5, 100e-9),
    read_voltage_v=0.5,
    read_s=5e-9,
    cell_area_f2=16.0,
    capacitance_f=1e-15,
    source="made for tests",
)


@dataclass(frozen=True)
class PlainCells(CellModel):
    """`states` equally spaced conductances from 1 to 10 uS, or the same as weights from `low` to `high`."""

    family: ClassVar[str] = "plain"
    citation: ClassVar[str] = "made for tests"
    valid_range: ClassVar[str] = "everywhere"
    not_modelled: ClassVar[str] = "everything"
    quantity: ClassVar[Literal["weight", "conductance"]] = "conductance"

    name: str = "plain"
    states: int = 91
    drive: Drive | None = DRIVE
    non_idealities: tuple[str, ...] = ()

    def bounds(self) -> tuple[float, float]:
        """1 to 10 uS."""
        return G_MIN, G_MAX

    def step(self, state: float, up: bool) -> float:
        """The same everywhere."""
        low, high = self.bounds()
        return (high - low) / (self.states - 1)

    def without(self, names: Sequence[str]) -> Self:
        """There is nothing to switch off."""
        for name in names:
            raise DeviceError(unknown("non-ideality", name, ()))
        return self

    def manufacture(self, count: int, seed: int, dtype: npt.DTypeLike = np.float64) -> Cells:
        """All alike."""
        state = np.full(count, self.bounds()[0], dtype=dtype)
        pulses, random = np.zeros(count, dtype=np.uint32), np.zeros(2, dtype=np.uint64)
        return Cells(state, state.copy(), np.zeros((count, 0)), pulses, random)

    def program(self, cells: Cells, target: Reals, places: Ints | None = None) -> None:
        """Exactly there."""
        where = np.arange(len(cells.state)) if places is None else places
        cells.state[where] = np.clip(target, *self.bounds())
        cells.visible[where] = cells.state[where]

    def pulse(self, cells: Cells, counts: Ints, places: Ints | None = None) -> None:
        """Equal steps."""
        where = np.arange(len(cells.state)) if places is None else places
        cells.state[where] = np.clip(cells.state[where] + counts * self.step(0, True), *self.bounds())
        cells.visible[where] = cells.state[where]
        cells.pulses[where] += np.abs(counts).astype(np.uint32)

    def read(self, cells: Cells, after_s: float = 0.0, seed: int = 0) -> Reals:
        """Halves its height above the lowest state every second."""
        low = self.bounds()[0]
        return np.asarray(low + (cells.visible - low) * 0.5**after_s)


@dataclass(frozen=True)
class PlainWeights(PlainCells):
    """The same cells in weights of `low` to `high`."""

    quantity: ClassVar[Literal["weight", "conductance"]] = "weight"

    low: float = -0.75
    high: float = 1.25

    def bounds(self) -> tuple[float, float]:
        """`low` to `high`."""
        return self.low, self.high
