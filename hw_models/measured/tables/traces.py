"""A measurement in memory: conductances pulse by pulse, or a table of step statistics."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Origin:
    """The file of a measurement, and the conditions that it states."""

    name: str
    sha256: str
    read_voltage_v: float | None = None
    up_v: float | None = None
    down_v: float | None = None
    up_s: float | None = None
    down_s: float | None = None


@dataclass(frozen=True)
class Traces:
    """Conductances in the order of measurement, all sequences one after the other; all arrays are (n,)."""

    origin: Origin
    conductance_s: Floats
    pulses: npt.NDArray[np.int64]
    """Pulses between the previous row and this one; 0 at the start of a sequence."""
    up: Bools
    """Direction of those pulses; at a start, of the pulses that follow."""
    cell: npt.NDArray[np.int64]
    cycle: npt.NDArray[np.int64]
    number: Floats
    """Pulse number from the file, for plots."""
    cells: tuple[str, ...]
    """Names of the cells, by number in `cell`."""
    quantum_s: float
    """Resolution of the numbers as written: the last digit, or the step of the converter."""
    weight: bool = False
    """True for a measurement of dimensionless weights; all values with the suffix `_s` are then weights."""
    swept: bool = True
    """False for the conductances of a table of statistics, whose number says nothing about pulses."""
    turned: bool = False
    """True if the file does not state directions; the largest reading of each sequence is then used as the turn."""

    def steps(self, up: bool) -> npt.NDArray[np.int64]:
        """Indices of the rows after pulses in one direction."""
        return np.flatnonzero((self.pulses > 0) & (self.up == up))

    def branch_pulses(self, up: bool) -> int:
        """Pulses of a typical (median) branch in one direction, unbroken."""
        counts: list[int] = []
        running = 0
        for k, direction in zip(self.pulses, self.up, strict=True):
            if k == 0 or direction != up:
                counts.append(running)
                running = 0
            running += int(k) if direction == up else 0
        counts.append(running)
        return int(np.median([count for count in counts if count] or [0]))


@dataclass(frozen=True)
class StepTable:
    """Step statistics against conductance: mean and standard deviation of ΔG of one pulse, for each direction."""

    origin: Origin
    conductance_s: Floats
    up_mean_s: Floats
    up_std_s: Floats
    down_mean_s: Floats
    """≤ 0."""
    down_std_s: Floats
    up_count: Floats | None = None
    down_count: Floats | None = None
