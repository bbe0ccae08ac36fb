"""Pareto fronts of a sweep: the points that no other point dominates."""

from __future__ import annotations

from collections.abc import Sequence

from edgesdt.report.sweep.metrics import Metric
from edgesdt.report.sweep.statistics.points import Point


def front(points: Sequence[Point], accuracy: Metric, cost: Metric) -> list[int]:
    """Indices of the points on the accuracy–cost front, the cheapest first; of equal ones, the first in the store.

    Points without one of the figures are on no front.
    """
    known = [
        (price, -share, i)
        for i, p in enumerate(points)
        if (price := p.figure(cost)) is not None and (share := p.figure(accuracy)) is not None
    ]
    kept: list[int] = []
    best = float("-inf")
    for _, loss, i in sorted(known):
        if -loss > best:
            best = -loss
            kept.append(i)
    return kept
