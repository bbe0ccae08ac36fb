"""Stuck cells: a fraction is stuck in the low-resistance state, another in the high-resistance state.

Source: C.-Y. Chen et al., "RRAM defect modeling and failure analysis based on March test and a novel squeeze-search
scheme", IEEE Trans. Computers 64, 180 (2015). Valid for any inner device; each cell fails independently. Not modelled:
faults of whole rows or columns (a broken wire), cells stuck in between, temporary faults. Wear-out is in
`endurance.py`. With `retention.py` it should be the outer wrapper, because a stuck cell does not decay.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from hw_models.base import Cells, DeviceError, Ints, Reals, to_program, to_pulse
from hw_models.families.levels.target_level import STREAMS, checked
from hw_models.families.wrappers.wrapper import Wrapper
from hw_models.kernels import randomness


@dataclass(frozen=True, kw_only=True)
class StuckAt(Wrapper):
    """Every read of a stuck cell shows its level; pulses on it are counted (and priced) but change nothing.

    LRS is the highest state (the highest conductance), HRS the lowest, of the device or of the cell, whichever is
    nearer. Own column: 1 stuck at LRS, -1 stuck at HRS, 0 works.
    """

    family: ClassVar[str] = "stuck_at"
    citation: ClassVar[str] = "Chen et al., IEEE Trans. Computers 64, 180 (2015): stuck-at faults of RRAM arrays"
    valid_range: ClassVar[str] = "fractions from 0 to 1 that sum to 1 at most"
    not_modelled: ClassVar[str] = "faults of whole rows or columns, cells stuck in between, faults that heal"
    switch: ClassVar[str] = "stuck_at"

    lrs_fraction: float = field(
        default=0.0, metadata={"unit": "1", "doc": "of cells stuck at the highest state", "low": 0, "high": 1}
    )
    hrs_fraction: float = field(
        default=0.0, metadata={"unit": "1", "doc": "of cells stuck at the lowest state", "low": 0, "high": 1}
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        checked(self, "lrs_fraction", 0, 1)
        checked(self, "hrs_fraction", 0, 1)
        if self.lrs_fraction + self.hrs_fraction > 1:
            total = f"{self.lrs_fraction!r} + {self.hrs_fraction!r}"
            raise DeviceError(f"{self.name}: lrs_fraction + hrs_fraction is {total}; it must be at most 1")

    def _acts(self) -> bool:
        return self.lrs_fraction > 0 or self.hrs_fraction > 0

    def _column(self, cells: Cells, seed: int) -> Reals:
        """Selects the stuck cells at random and sets them to their level."""
        chance = randomness.uniforms(randomness.key_of(seed, STREAMS["stuck_at"]), len(cells.state))
        flags = np.where(chance < self.lrs_fraction, 1.0, np.where(chance >= 1 - self.hrs_fraction, -1.0, 0.0))
        if not self._on():
            return np.zeros(len(flags))
        stuck = np.flatnonzero(flags)
        if len(stuck):
            low, high = self.bounds()
            words = cells.random.copy()
            # clips to each cell's own bounds, without noise
            self.inner.ideal().program(cells, np.where(flags[stuck] > 0, high, low).astype(cells.state.dtype), stuck)
            cells.visible[stuck] = cells.state[stuck]
            cells.pulses[:], cells.random[:] = 0, words
        return flags

    def program(self, cells: Cells, target: Reals, places: Ints | None = None) -> None:
        """Programs the inner model's cells that work."""
        if not self._on():
            super().program(cells, target, places)
            return
        where, wanted = to_program(cells, target, places)
        works = cells.spread[where, -1] == 0
        super().program(cells, wanted[works], where[works])

    def pulse(self, cells: Cells, counts: Ints, places: Ints | None = None) -> None:
        """Pulses the inner model's cells that work; pulses are counted for all cells."""
        if not self._on():
            super().pulse(cells, counts, places)
            return
        where, number = to_pulse(cells, counts, places)
        stuck = cells.spread[where, -1] != 0
        super().pulse(cells, np.where(stuck, 0, number), where)
        np.add.at(cells.pulses, where[stuck], np.abs(number[stuck]).astype(np.uint32))

    def read(self, cells: Cells, after_s: float = 0.0, seed: int = 0) -> Reals:
        """The inner model's read; stuck cells show their level at any time."""
        seen = super().read(cells, after_s, seed)
        if self._on():
            stuck = cells.spread[:, -1] != 0
            seen[stuck] = cells.state[stuck]
        return seen
