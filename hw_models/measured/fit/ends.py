"""The two ends of a cell's range: where the cell stopped, or where the measured sweep begins and ends.

A cell that never stopped gives no information about its range beyond the sweep. Then NeuroSim's convention is used: the
range is the measured sweep, from the start of the up branches to the end of the fitted mean curve after their pulses.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hw_models.measured.fit.scaled import Scaled
from hw_models.measured.tables.traces import Floats, Traces


@dataclass(frozen=True)
class Ends:
    """Lowest and highest state, in units of the range, with their uncertainty."""

    low: float
    low_error: float
    low_spread: float
    """Standard deviation between cells."""
    high: float
    high_error: float
    high_spread: float
    high_seen: bool
    """False: `high` is the highest reading, and a model in siemens takes the end of its mean curve."""
    low_seen: bool
    up_pulses: int
    """Pulses of the up branch, for the end of the mean curve."""
    down_pulses: int


def ends(traces: Traces, data: Scaled, read: float) -> Ends:
    """Ends of the range of `data`, the scaled `traces`, with read noise `read` (scaled)."""
    counts = traces.branch_pulses(True), traces.branch_pulses(False)
    if not traces.swept:
        return Ends(0.0, data.read_floor, 0.0, 1.0, data.read_floor, 0.0, True, True, *counts)
    low, low_error, low_spread, low_seen = _seen(data.low, data.read_floor)
    high, high_error, high_spread, high_seen = _seen(data.high, data.read_floor)
    if not low_seen:
        low, low_error, low_spread = _started(data, read)
    if not high_seen:
        high, high_error, high_spread = 1.0, max(read, data.read_floor), 0.0
    return Ends(low, low_error, low_spread, high, high_error, high_spread, high_seen, low_seen, *counts)


def _seen(bounds: Floats, floor: float) -> tuple[float, float, float, bool]:
    """(mean, its standard error, spread, whether at least half of the cells stopped there)."""
    known = bounds[np.isfinite(bounds)]
    if 2 * len(known) < len(bounds):
        return 0.0, 0.0, 0.0, False
    spread = float(np.std(known, ddof=1)) if len(known) > 1 else 0.0
    spread = spread if spread > 10 * floor else 0.0
    return float(np.mean(known)), max(spread / np.sqrt(len(known)), floor), spread, True


def _started(data: Scaled, read: float) -> tuple[float, float, float]:
    """The start of the up branches if the sweep starts low, else the lowest reading."""
    first = np.array([np.flatnonzero(data.cell == c)[0] for c in range(data.low.size)])
    values = data.y[first]
    if not np.all(data.up[first]) or float(np.mean(values)) > 0.15:
        return 0.0, max(read, data.read_floor), 0.0
    noise = max(read, data.read_floor)
    seen = float(np.std(values, ddof=1)) if len(values) > 1 else 0.0
    spread = float(np.sqrt(max(seen**2 - noise**2, 0.0))) if seen > 2 * noise else 0.0
    return float(np.mean(values)), max(seen, noise) / float(np.sqrt(len(values))), spread
