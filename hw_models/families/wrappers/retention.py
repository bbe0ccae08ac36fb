"""Cells with limited retention: the state decays exponentially towards one level, at a separate rate for each cell.

Source: the capacitor synapse of Y. Li et al., IEEE Symp. VLSI Technology 2018 (leakage with a time constant; aihwkit's
`lifetime` counts it in updates, so the time constant is lifetime x seconds per update, and `lifetime_dtod` is its
relative spread); thermally activated retention loss of resistive cells has the same first-order form. Valid from the
write on, at one temperature. Not modelled: stretched exponentials and power laws (see drift in `pcm.py`), a
temperature, random jumps.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from hw_models.arguments import ARGUMENTS
from hw_models.base import Cells, DeviceError, Reals, check_cells
from hw_models.families.levels.target_level import STREAMS, checked
from hw_models.families.wrappers.wrapper import Wrapper
from hw_models.kernels import randomness
from hw_models.kernels.portable_arrays import exponentials


@dataclass(frozen=True, kw_only=True)
class Retention(Wrapper):
    """`read` shows level + (state - level) e^(-t/tau); `elapse` changes the cells permanently, as between two updates.

    Own column: the cell's time constant over `time_constant_s`, e^(`time_constant_spread` xi).
    """

    family: ClassVar[str] = "retention"
    citation: ClassVar[str] = "Li et al., IEEE Symp. VLSI Technology 2018: leakage of capacitor-based synapses"
    valid_range: ClassVar[str] = "from the write on, first-order decay, one temperature"
    not_modelled: ClassVar[str] = "stretched exponentials, power laws, temperature, random jumps"
    switch: ClassVar[str] = "retention"

    time_constant_s: float = field(
        default=math.inf, metadata={"unit": "s", "doc": "median time constant of the decay", "low": 0}
    )
    level: float = field(
        default=0.5,
        metadata={"unit": "1", "doc": "where it decays to: 0 the lowest state, 1 the highest", "low": 0, "high": 1},
    )
    time_constant_spread: float = field(
        default=0.0, metadata={"unit": "1", "doc": "log standard deviation of the time constant", "low": 0}
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.time_constant_s != math.inf:
            checked(self, "time_constant_s", 0, strict=True, unit="s")
        checked(self, "level", 0, 1)
        checked(self, "time_constant_spread", 0, 100)

    def _acts(self) -> bool:
        return self.time_constant_s < math.inf

    def _column(self, cells: Cells, seed: int) -> Reals:
        key = randomness.key_of(seed, STREAMS["retention"])
        return randomness.lognormals(key, len(cells.state), self.time_constant_spread if self._on() else 0.0)

    def read(self, cells: Cells, after_s: float = 0.0, seed: int = 0) -> Reals:
        """The inner model's read, `after_s` seconds after the write, with the decay applied."""
        return self._decayed(super().read(cells, after_s, seed), cells, float(after_s))

    def elapse(self, cells: Cells, seconds: float) -> None:
        """Lets `seconds` pass permanently: hidden and visible states decay, in place."""
        check_cells(cells)
        seconds = ARGUMENTS.number("seconds", seconds, 0.0)
        cells.state[:] = self._decayed(cells.state, cells, seconds)
        cells.visible[:] = self._decayed(cells.visible, cells, seconds)

    def _decayed(self, values: Reals, cells: Cells, seconds: float) -> Reals:
        if not self._on() or seconds == 0:
            return values
        low, high = self.bounds()
        end = low + self.level * (high - low)
        constants = self.time_constant_s * cells.spread[:, -1].astype(np.float64)
        if not (constants > 0).all():
            raise DeviceError(f"{self.name}: a cell's time constant is too short to be told from 0")
        left = exponentials(-seconds / constants)
        return (end + (values.astype(np.float64) - end) * left).astype(values.dtype)
