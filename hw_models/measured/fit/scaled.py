"""A measurement in units of its own range, for the likelihood, with the bounds at which cells stopped."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hw_models.measured.tables.traces import Bools, Floats, Traces

_TIE = 1e-9
"""Two readings closer than this, in units of the range, count as equal."""


@dataclass(frozen=True)
class Scaled:
    """Readings y = (G − offset)/unit with their pulses; see `likelihood.negative_log` for the arrays."""

    y: Floats
    pulses: npt.NDArray[np.int64]
    up: Bools
    cell: npt.NDArray[np.int64]
    low: Floats
    """(cells,) lowest reading, minus a small margin, if the cell stopped there; else −inf."""
    high: Floats
    offset: float
    unit: float
    read_floor: float
    """Standard deviation of a reading from the rounding of numbers alone."""

    @property
    def count(self) -> int:
        """Number of steps: readings after pulses."""
        return int(np.count_nonzero(self.pulses))


def scale(traces: Traces) -> Scaled:
    """Converts `traces` to units of their range. A bound counts as seen if two readings are exactly at the extreme."""
    g = traces.conductance_s
    offset, unit = float(g.min()), float(g.max() - g.min())
    y = (g - offset) / unit
    tie = max(_TIE, 1.5 * traces.quantum_s / unit)
    tie = tie if tie < 1e-4 else 0.0  # coarse numbers are equal everywhere, so equal readings show no bound
    count = len(traces.cells)
    low, high = np.full(count, -np.inf), np.full(count, np.inf)
    moved = traces.pulses > 0
    for c in range(count):
        mine = traces.cell == c
        for bound, sign in ((low, -1.0), (high, 1.0)):
            extreme = float(np.max(sign * y[mine]))
            at = sign * y >= extreme - tie
            shared = np.abs(sign * y - extreme) <= tie
            # the same extreme in another cell counts as much as twice in one cell
            if tie and np.any(at & mine & moved) and np.count_nonzero(shared) >= 2:
                bound[c] = sign * (extreme - tie)
    floor = max(traces.quantum_s / unit / np.sqrt(12.0), 1e-8)
    return Scaled(y, traces.pulses, traces.up, traces.cell, low, high, offset, unit, float(floor))
