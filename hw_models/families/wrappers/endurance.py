"""Cells that wear out: after a limit of pulses, a cell keeps its state permanently.

Source: the limit as a count of programming pulses, e.g. P. Y. Chen, S. Yu, "Reliability perspective of resistive
synaptic devices on the neuromorphic system performance", IEEE IRPS 2018; lognormal spread of the limit from cell to
cell. Valid for limits from 1 pulse to 4e9 (32-bit counters). Not modelled: a window that narrows before the end, pulses
that wear more or less by their voltage, recovery, failing into the low- or high-resistance state (see `stuck_at.py`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from hw_models.base import Cells, Ints, Reals, check_cells, to_program, to_pulse
from hw_models.families.levels.target_level import STREAMS, checked, has_repeats
from hw_models.families.wrappers.wrapper import Wrapper
from hw_models.kernels import randomness

MOST_PULSES = float(2**32 - 1)


@dataclass(frozen=True, kw_only=True)
class Endurance(Wrapper):
    """Pulses up to a cell's limit work; later pulses are counted (and priced) but change nothing.

    Own column: the cell's limit, `limit_pulses` times e^(`limit_spread` xi). A cell beyond it cannot be programmed.
    """

    family: ClassVar[str] = "endurance"
    citation: ClassVar[str] = "Chen and Yu, IEEE IRPS 2018: endurance and retention of resistive synaptic devices"
    valid_range: ClassVar[str] = "limits from 1 pulse to 2^32 - 1"
    not_modelled: ClassVar[str] = "narrowing of the window before the end, wear by voltage, recovery"
    switch: ClassVar[str] = "endurance"

    limit_pulses: float = field(
        default=MOST_PULSES,
        metadata={"unit": "pulses", "doc": "pulses that the median cell endures", "low": 1, "high": MOST_PULSES},
    )
    limit_spread: float = field(
        default=0.0, metadata={"unit": "1", "doc": "log standard deviation of the limit, cell to cell", "low": 0}
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        checked(self, "limit_pulses", 1, MOST_PULSES)
        checked(self, "limit_spread", 0, 100)

    def _acts(self) -> bool:
        return self.limit_pulses < MOST_PULSES

    def _column(self, cells: Cells, seed: int) -> Reals:
        key = randomness.key_of(seed, STREAMS["endurance"])
        sigma = self.limit_spread if self._on() else 0.0
        limits = self.limit_pulses * randomness.lognormals(key, len(cells.state), sigma)
        return np.minimum(limits, MOST_PULSES)

    def worn_out(self, cells: Cells) -> Ints:
        """Indices of the cells that have reached their limit of pulses."""
        check_cells(cells)
        return np.flatnonzero(self._left(cells, np.arange(len(cells.state))) <= 0)

    def program(self, cells: Cells, target: Reals, places: Ints | None = None) -> None:
        """Programs the inner model's cells that are not worn out."""
        if not self._on():
            super().program(cells, target, places)
            return
        where, wanted = to_program(cells, target, places)
        works = self._left(cells, where) > 0
        super().program(cells, wanted[works], where[works])

    def pulse(self, cells: Cells, counts: Ints, places: Ints | None = None) -> None:
        """Pulses the inner model's cells up to each cell's limit; later pulses are only counted."""
        if not self._on():
            super().pulse(cells, counts, places)
            return
        where, number = to_pulse(cells, counts, places)
        asked = np.abs(number).astype(np.int64)
        given = np.clip(self._left(cells, where) - _earlier(asked, where), 0, asked)
        super().pulse(cells, np.sign(number) * given, where)
        np.add.at(cells.pulses, where, (asked - given).astype(np.uint32))

    @staticmethod
    def _left(cells: Cells, where: Ints) -> Ints:
        """Remaining pulses of cells; negative for cells beyond their limit."""
        limits = np.floor(cells.spread[where, -1].astype(np.float64)).astype(np.int64)
        return np.asarray(limits - cells.pulses[where])


def _earlier(asked: Ints, where: Ints) -> Ints:
    """Number of pulses for the same place earlier in the list."""
    if not has_repeats(where):
        return np.zeros_like(asked)
    order = np.argsort(where, kind="stable")
    place, before = where[order], np.cumsum(asked[order]) - asked[order]
    starts = np.flatnonzero(np.r_[True, place[1:] != place[:-1]])
    before -= np.repeat(before[starts], np.diff(np.r_[starts, len(place)]))
    earlier = np.empty_like(asked)
    earlier[order] = before
    return earlier
