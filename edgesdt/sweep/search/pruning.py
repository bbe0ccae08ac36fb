"""Early stopping: accuracies below which, judging by finished runs, a run will not end on the Pareto front."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any

_RUNGS = (0.25, 0.5)
"""Shares of the epochs after which a run is checked."""
_FEWEST = 8
"""Finished runs needed to estimate how much a curve may still rise."""
_MARGIN = 0.02
"""Margin of accuracy added to the steepest rise that was seen."""


@dataclass(frozen=True)
class Curve:
    """The learning curve of a finished run; `rival` if its point has no larger cost than the checked one."""

    points: Sequence[Mapping[str, Any]]
    rival: bool


def floors(
    known: Sequence[Curve], key: str, epochs: int, least: Sequence[float] = ()
) -> list[tuple[int, str, float]]:
    """Triples of epoch, key of the curve, and accuracy below which a run of `epochs` is stopped there.

    A run is stopped if it would stay below a rival's final accuracy, or below one of `least` (the accuracies that
    constraints require), even with the steepest rise seen after that share of the epochs and a margin.
    """
    curves = [curve for curve in known if curve.points and all(key in point for point in curve.points)]
    if len(curves) < _FEWEST:
        return []
    bars = [*least, *(float(curve.points[-1][key]) for curve in curves if curve.rival)]
    if not bars:
        return []
    found = {}
    for share in _RUNGS:
        epoch = ceil(share * epochs)
        if epoch >= epochs:
            continue
        rise = max(float(c.points[-1][key]) - float(c.points[ceil(share * len(c.points)) - 1][key]) for c in curves)
        floor = max(bars) - max(rise, 0.0) - _MARGIN
        if floor > 0:
            found[epoch] = floor
    return [(epoch, key, floor) for epoch, floor in found.items()]
