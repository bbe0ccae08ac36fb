"""Builds a lookup table from measured steps: mean, deviation and shape of ΔG in bins of conductance."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hw_models.base import DeviceError
from hw_models.measured.fit.intervals import CONFIDENCE
from hw_models.measured.tables.traces import Floats, StepTable, Traces

Places = npt.NDArray[np.int64]
POINTS = 21
"""Points of the cumulative distribution."""
MOST_BINS = 40
PER_BIN = 12
"""Minimum number of steps in a bin and direction for a mean and a deviation."""


@dataclass(frozen=True)
class Branch:
    """Steps of one direction at the conductances of a table; all (bins,), in siemens. Down steps are below 0."""

    mean: Floats
    mean_reach: Floats
    """Half the interval of the mean; NaN if the file does not state the number of steps."""
    std: Floats
    std_low: Floats
    std_high: Floats
    shape: Floats
    """(POINTS,) quantiles of the steps minus their mean, divided by their deviation."""

    def table(self) -> Floats:
        """(POINTS, bins) change by a pulse, ascending down the rows."""
        found: Floats = self.mean + self.shape[:, None] * self.std
        return found


@dataclass(frozen=True)
class Lookup:
    """A lookup table with simultaneous 95 % intervals of its numbers."""

    conductance_s: Floats
    cdf: Floats
    up: Branch
    down: Branch
    low_s: float
    high_s: float
    step_spread: float
    """Standard deviation between cells of the logarithm of their steps; 0 if none is seen."""


def from_statistics(table: StepTable) -> Lookup:
    """The table from step statistics: normal distributions with the means and deviations of the file."""
    g = table.conductance_s
    counts = (table.up_count, table.down_count)
    branches = []
    for mean, std, count in zip(
        (table.up_mean_s, table.down_mean_s), (table.up_std_s, table.down_std_s), counts, strict=True
    ):
        reach = np.full(len(g), np.nan) if count is None else _quantile(4 * len(g), np.inf) * std / np.sqrt(count)
        branches.append(Branch(mean, reach, std, *_deviation(std, count, 3.0, 4 * len(g)), _normal()))
    low, high = max(g[0] - (g[1] - g[0]) / 2, 0.0), g[-1] + (g[-1] - g[-2]) / 2
    return Lookup(g, chances(), branches[0], branches[1], float(low), float(high), 0.0)


def from_traces(traces: Traces, read_noise_s: float = 0.0) -> Lookup:
    """Bins the steps of `traces`; in each bin a linear fit gives the mean step at its middle.

    The read noise of two readings is subtracted from the deviations. Raises `DeviceError` for fewer than 3 bins.
    """
    moved = {up: traces.steps(up) for up in (True, False)}
    g = traces.conductance_s
    low, high = float(g.min()), float(g.max())
    edges = _edges(traces, moved, low, high)
    middles = (edges[1:] + edges[:-1]) / 2
    branches = [_branch(traces, moved[up], edges, middles, read_noise_s) for up in (True, False)]
    spread = _between_cells(traces, moved, edges, branches)
    return Lookup(middles, chances(), branches[0], branches[1], low, high, spread)


def chances() -> Floats:
    """Cumulative probability of each row of a table."""
    return (np.arange(POINTS) + 0.5) / POINTS


def _edges(traces: Traces, moved: dict[bool, Places], low: float, high: float) -> Floats:
    """Bins of equal width, merged with their neighbours until each has enough steps in both directions."""
    fewest = min(len(places) for places in moved.values())
    wanted = min(MOST_BINS, max(fewest // (2 * PER_BIN), 3))
    edges = np.linspace(low, high, wanted + 1)
    starts = {up: traces.conductance_s[places - 1] for up, places in moved.items()}
    kept = [float(edges[0])]
    for edge in edges[1:]:
        inside = [np.count_nonzero((values >= kept[-1]) & (values <= edge)) for values in starts.values()]
        if min(inside) >= PER_BIN:
            kept.append(float(edge))
    if kept[-1] < edges[-1]:
        kept[-1] = float(edges[-1])
    if len(kept) < 4:
        raise DeviceError(
            f"{traces.origin.name}: too little data for a lookup table: {fewest} steps in one direction; "
            f"allowed: enough for 3 bins of conductance with {PER_BIN} steps each way"
        )
    return np.array(kept)


def _branch(traces: Traces, places: Places, edges: Floats, middles: Floats, read: float) -> Branch:
    before = traces.conductance_s[places - 1]
    pulses = traces.pulses[places]
    change = (traces.conductance_s[places] - before) / pulses
    where = np.clip(np.searchsorted(edges, before, side="right") - 1, 0, len(middles) - 1)
    mean, error, std = (np.empty(len(middles)) for _ in range(3))
    count, left = np.empty(len(middles)), np.empty(len(places))
    for b in range(len(middles)):
        inside = where == b
        off = before[inside] - middles[b]
        design = np.stack([np.ones(len(off)), off], axis=1) if np.ptp(off) > 0 else np.ones((len(off), 1))
        root = np.sqrt(pulses[inside])
        solved = np.linalg.lstsq(design * root[:, None], change[inside] * root, rcond=None)[0]
        residual = (change[inside] - design @ solved) * root
        count[b] = max(len(off) - design.shape[1], 1)
        std[b] = np.sqrt(residual @ residual / count[b])
        mean[b] = solved[0]
        error[b] = std[b] * np.sqrt(np.linalg.inv((design * root[:, None]).T @ (design * root[:, None]))[0, 0])
        left[inside] = residual / max(std[b], 1e-300)
    size = 4 * len(middles)
    flat = float(np.mean(left**4)) / max(float(np.mean(left**2)) ** 2, 1e-300) if np.any(left) else 3.0
    low, high = _deviation(std, count, flat, size)
    clean = np.sqrt(np.maximum(std**2 - 2 * read**2, 0.0))
    reach = np.array([_quantile(size, n) for n in count]) * error
    return Branch(mean, reach, clean, np.minimum(low, clean), high, _shaped(left))


def _quantile(size: int, freedom: float) -> float:
    from scipy.stats import t

    return float(t.ppf(1 - (1 - CONFIDENCE) / size / 2, freedom))


def _deviation(std: Floats, count: Floats | None, flatness: float, size: int) -> tuple[Floats, Floats]:
    """Interval of a standard deviation: chi-square, with fewer degrees of freedom for heavy tails (`flatness` > 3)."""
    if count is None:
        return np.full(len(std), np.nan), np.full(len(std), np.nan)
    from scipy.stats import chi2

    tail = (1 - CONFIDENCE) / size / 2
    freedom = np.maximum(count * 2 / max(flatness - 1, 0.5), 1.0)
    return std * np.sqrt(freedom / chi2.ppf(1 - tail, freedom)), std * np.sqrt(freedom / chi2.ppf(tail, freedom))


def _normal() -> Floats:
    from scipy.stats import norm

    return _unit(norm.ppf(chances()))


def _shaped(left: Floats) -> Floats:
    """Quantiles of the standardised steps of all bins; normal if there are too few steps or they do not vary."""
    found = np.quantile(left, chances())
    return _unit(found) if len(left) >= 5 * POINTS and np.ptp(found) > 0 else _normal()


def _unit(quantiles: Floats) -> Floats:
    """Shifts and scales quantiles so that draws between them have mean 0 and deviation 1.

    Values are interpolated linearly between the points and constant beyond them, as in `hw_models.families.lookup`.
    """
    share, edge = 1 / POINTS, 0.5 / POINTS
    first, last = quantiles[:-1], quantiles[1:]
    mean = share * np.sum((first + last) / 2) + edge * (quantiles[0] + quantiles[-1])
    away = quantiles - mean
    a, b = away[:-1], away[1:]
    variance = share * np.sum((a * a + a * b + b * b) / 3) + edge * (away[0] ** 2 + away[-1] ** 2)
    found: Floats = away / np.sqrt(variance)
    return found


def _between_cells(
    traces: Traces,
    moved: dict[bool, Places],
    edges: Floats,
    branches: list[Branch],
) -> float:
    """Deviation between cells of the logarithm of their steps, relative to the table; 0 if noise explains it."""
    if len(traces.cells) < 3:
        return 0.0
    ratios: list[float] = []
    errors: list[float] = []
    for c in range(len(traces.cells)):
        top = bottom = noise = 0.0
        for up, branch in zip((True, False), branches, strict=True):
            places = moved[up][traces.cell[moved[up]] == c]
            before = traces.conductance_s[places - 1]
            where = np.clip(np.searchsorted(edges, before, side="right") - 1, 0, len(branch.mean) - 1)
            sign = 1.0 if up else -1.0
            top += sign * float(np.sum(traces.conductance_s[places] - before))
            bottom += sign * float(np.sum(branch.mean[where] * traces.pulses[places]))
            noise += float(np.sum(branch.std[where] ** 2 * traces.pulses[places]))
        if top <= 0 or bottom <= 0:
            return 0.0
        ratios.append(math.log(top / bottom))
        errors.append(noise / bottom**2)
    extra = float(np.var(ratios, ddof=1)) - float(np.mean(errors))
    return float(np.sqrt(extra)) if extra > float(np.mean(errors)) else 0.0
