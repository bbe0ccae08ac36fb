"""Tests whether an effect exceeds the scatter of seeds: compares the values of a parameter seed by seed.

Seeds are the replicates. First, each value is averaged over all other parameters for each seed. So identical runs (a
technology node does not change an accuracy) do not count as evidence, and an effect of a seed on all points cancels.
Then the values are compared by an analysis of variance with repeated measures: seeds are the subjects, and the error is
the interaction of seeds and values. Its degrees of freedom are reduced for unequal scatter (Greenhouse & Geisser,
Psychometrika 24 (1959) 95). For two values this is Student's t on the differences by seed. Several parameters are
tested at once, so their p-values are corrected (Holm, Scand. J. Statist. 6 (1979) 65).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

LEVEL = 0.04
"""Probability that any parameter of a figure is called significant if none has an effect, under the test's assumptions.

The documented level is 5 %, because the correction for unequal scatter is only approximate.
"""
_EXACT = 1e-9  # differences below this share of the values are floating-point rounding

Table = Sequence[Sequence[float]]


def f_of(table: Table) -> tuple[float, float]:
    """F and the p-value of `table` (a row for every seed, a column for every value; at least 2 x 2).

    F is infinite if the differences are the same for every seed; p is 1 if there are no differences.
    """
    seeds, levels = len(table), len(table[0])
    columns = [math.fsum(row[i] for row in table) / seeds for i in range(levels)]
    means = [math.fsum(row) / levels for row in table]
    centre = math.fsum(means) / seeds
    centred = [[v - mean for v in row] for row, mean in zip(table, means, strict=True)]
    left = [[v - (c - centre) for v, c in zip(row, columns, strict=True)] for row in centred]
    between = seeds * math.fsum((c - centre) ** 2 for c in columns)
    error = math.fsum(v * v for row in left for v in row)
    nothing = (_EXACT * max(abs(v) for row in table for v in row)) ** 2 * seeds * levels
    if between <= nothing:
        return 0.0, 1.0
    if error <= nothing:
        return math.inf, 0.0
    from scipy.special import fdtrc

    found = between * (seeds - 1) / error
    gram = [[math.fsum(a * b for a, b in zip(one, other, strict=True)) for other in left] for one in left]
    freedom = error**2 / math.fsum(v * v for row in gram for v in row)  # epsilon times (levels - 1)
    freedom = min(max(freedom, 1.0), levels - 1.0)
    return found, float(fdtrc(freedom, freedom * (seeds - 1), found))


def one_sided(differences: Sequence[float]) -> float:
    """The p-value of a mean above 0 by Student's t; 1 for fewer than three differences."""
    n = len(differences)
    if n < 3:
        return 1.0
    from scipy.special import stdtr

    mean = math.fsum(differences) / n
    error = math.sqrt(math.fsum((d - mean) ** 2 for d in differences) / (n - 1) / n)
    if error <= _EXACT * abs(mean):
        return 0.0 if mean > 0 else 1.0
    return float(stdtr(n - 1, -mean / error))


def holm(found: Mapping[str, float]) -> dict[str, float]:
    """p-values corrected for multiple tests."""
    made: dict[str, float] = {}
    least = 0.0
    for place, name in enumerate(sorted(found, key=lambda name: found[name])):
        least = max(least, min(1.0, (len(found) - place) * found[name]))
        made[name] = least
    return made


def exceeding(found: Mapping[str, float]) -> list[str]:
    """The names whose corrected p-value is below `LEVEL`."""
    return [name for name, p in holm(found).items() if p < LEVEL]
