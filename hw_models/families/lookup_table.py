"""One branch of a lookup-table device: quantiles of the change by a pulse against conductance, and their moments.

`lookup.py` draws from it. Values are interpolated linearly between the points of the distribution and between
conductances; outside, the outermost values apply. All moments are exactly those of the draws.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from hw_models.base import DeviceError
from hw_models.kernels.jit import njit
from hw_models.kernels.randomness import uniform, word

Values = npt.NDArray[np.float64]
_NEXT = np.uint64(1)
MIDDLE = (0.25, 0.75)
"""Part of the conductance range for the average step (CrossSim manual v0.3, section 6.7)."""


@dataclass(frozen=True)
class Branch:
    """g_s (m,) in siemens, cdf (k,) in 0 to 1, both ascending; change_s (k, m) in siemens, monotone along cdf."""

    g_s: Values
    cdf: Values
    change_s: Values

    @cached_property
    def _mean(self) -> Values:
        first, last = self.change_s[0], self.change_s[-1]
        inside = np.diff(self.cdf) @ ((self.change_s[1:] + self.change_s[:-1]) / 2)
        return np.asarray(self.cdf[0] * first + inside + (1 - self.cdf[-1]) * last)

    def mean(self) -> Values:
        """(m,) mean change at each conductance."""
        return self._mean

    def variance(self) -> Values:
        """(m,) variance of the change at each conductance."""
        away = self.change_s - self.mean()
        lower, upper = away[:-1], away[1:]
        inside = np.diff(self.cdf) @ ((lower * lower + lower * upper + upper * upper) / 3)
        return np.asarray(self.cdf[0] * away[0] ** 2 + inside + (1 - self.cdf[-1]) * away[-1] ** 2)

    def largest(self) -> float:
        """The largest mean change."""
        return float(self.mean().max())

    def average(self, low: float, high: float) -> float:
        """Mean change over the conductances low … high; over all if that is not above 0."""
        inner = self.g_s[(self.g_s > low) & (self.g_s < high)]
        points = np.concatenate([[low], inner, [high]])
        found = _area(points, np.interp(points, self.g_s, self.mean()))
        return found if found > 0 else self.largest()

    def level(self) -> Branch:
        """The branch with its mean over the table's range at every conductance; deviations are unchanged."""
        mean = self.mean()
        return self.around(np.full(len(mean), _area(self.g_s, mean)))

    def around(self, mean: Values) -> Branch:
        """The branch with these means (m,); deviations are unchanged."""
        return Branch(self.g_s, self.cdf, self.change_s - self.mean() + mean)

    def sure(self) -> Branch:
        """The branch without deviations from the mean: one row, so that even rounding does not depend on the draw."""
        return Branch(self.g_s, np.array([0.5]), self.mean()[None])


def middle(bounds: tuple[float, float]) -> tuple[float, float]:
    """The part of a conductance range that is in use."""
    low, high = bounds
    return low + MIDDLE[0] * (high - low), low + MIDDLE[1] * (high - low)


def checked_table(
    name: str, g_s: Sequence[float], cdf: Sequence[float], tables: Mapping[str, Sequence[Sequence[float]]]
) -> None:
    """Raises `DeviceError` unless conductances, distribution and tables agree."""
    for what, axis, most in (("g_s", g_s, math.inf), ("cdf", cdf, 1.0)):
        numbers = all(isinstance(value, int | float) and 0 <= value <= most and value < math.inf for value in axis)
        if not axis or not numbers or any(b <= a for a, b in pairwise(axis)):
            allowed = "ascending numbers from 0 to 1" if what == "cdf" else "ascending numbers from 0 on"
            raise DeviceError(f"{name}: {what} must be {allowed}")
    for what, table in tables.items():
        if len(table) != len(cdf) or any(len(row) != len(g_s) for row in table):
            raise DeviceError(f"{name}: {what} must have {len(cdf)} rows (cdf) of {len(g_s)} numbers (g_s)")
        values = np.array(table, dtype=np.float64)
        if not np.isfinite(values).all():
            raise DeviceError(f"{name}: {what} has a value that is not a finite number")
        if (np.diff(values, axis=0) < 0).any():
            raise DeviceError(f"{name}: {what} must not fall along cdf: it is the inverse of a distribution")


def _area(points: Values, heights: Values) -> float:
    """Mean height over the points, by the trapezoid rule."""
    if points[-1] <= points[0]:
        return float(heights[0])
    return float(np.sum(np.diff(points) * (heights[1:] + heights[:-1]) / 2) / (points[-1] - points[0]))


@njit(inline="always")
def _place(axis, value):  # type: ignore[no-untyped-def]
    """Index of the last point at or before `value` (except the final one), and the fraction to the next point."""
    below, above = 0, axis.shape[0] - 1
    if above == 0:
        return 0, 0.0
    while above - below > 1:
        half = (below + above) // 2
        if axis[half] <= value:
            below = half
        else:
            above = half
    return below, min(max((value - axis[below]) / (axis[above] - axis[below]), 0.0), 1.0)


@njit(nogil=True, cache=True)
def step_cells(  # type: ignore[no-untyped-def]
    state, visible, spread, random, g_s, cdf, means, changes, low, high, counts, shares, places
):
    """Applies `counts[a]` draws (> 0 up, < 0 down) to cell `places[a]`, in that order, in place.

    Each draw moves the cell by `shares[a]` mean changes and root `shares[a]` deviations from the mean, times the cell's
    own factor, clipped to low … high (siemens). means (2, m) and changes (2, k, m) hold the branches up and down, both
    positive in their own direction; counts, shares, places (n,). A draw uses one random word.
    """
    key, counter = random[0], random[1]
    next_row, next_column = min(1, cdf.shape[0] - 1), min(1, g_s.shape[0] - 1)
    for a in range(counts.shape[0]):
        at, down = places[a], 1 if counts[a] < 0 else 0
        sign, share = 1.0 - 2.0 * down, np.float64(shares[a])
        w = np.float64(state[at])
        for _ in range(abs(counts[a])):
            i, right = _place(g_s, w)
            j, below = _place(cdf, uniform(word(key, counter)))
            counter += _NEXT
            mean = (1 - right) * means[down, i] + right * means[down, i + next_column]
            upper = (1 - right) * changes[down, j, i] + right * changes[down, j, i + next_column]
            j += next_row
            lower = (1 - right) * changes[down, j, i] + right * changes[down, j, i + next_column]
            deviation = (1 - below) * upper + below * lower - mean
            moved = (share * mean + np.sqrt(share) * deviation) * np.float64(spread[at, 0])
            w = min(max(w + sign * moved, low), high)
        if counts[a] != 0:
            state[at] = w
            visible[at] = w
    random[1] = counter
