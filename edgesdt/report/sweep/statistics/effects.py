"""Accuracy against one parameter at a time: its levels, with the mean over all other parameters and the best point."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from edgesdt.report.files.sweeps import identity
from edgesdt.report.sweep.metrics import Metric
from edgesdt.report.sweep.statistics import points as pts
from edgesdt.report.sweep.statistics.points import Estimate, Point

LEVELS = 16  # a numeric parameter with more distinct values than this is divided into bins
BINS = 6
SMALLEST_BIN = 5  # points


@dataclass(frozen=True)
class Level:
    """One value, or a bin of neighbouring values: its label, its position `x`, and its accuracies."""

    label: str
    x: float
    points: list[Point]
    mean: Estimate
    best: Point


@dataclass(frozen=True)
class Effect:
    """A parameter's levels; `scaled` if x is the value itself (bins); otherwise levels are evenly spaced."""

    path: str
    levels: list[Level]
    scaled: bool
    log: bool


def effect(points: Sequence[Point], path: str, accuracy: Metric) -> Effect | None:
    """The effect of a parameter on the accuracy; None if no finished point has it."""
    points = [p for p in points if path in p.values and p.accuracy is not None]
    found = pts.levels_of(points, path)
    if not found:
        return None
    values = [pts.measure(path, p.values[path]) for p in points]
    if len(found) > LEVELS and None not in values:
        return _binned(points, [v for v in values if v is not None], path, accuracy)
    groups: dict[str, list[Point]] = {key: [] for key in found}
    for p in points:
        groups[identity(p.values[path])].append(p)
    levels = [
        _level(pts.value_text(path, found[key]), float(i), group, accuracy)
        for i, (key, group) in enumerate(groups.items())
    ]
    return Effect(path, levels, False, False)


def _level(label: str, x: float, points: list[Point], accuracy: Metric) -> Level:
    best = max(points, key=lambda p: p.figure(accuracy) or 0.0)
    return Level(label, x, points, pts.over_seeds(points, accuracy), best)


def _binned(points: Sequence[Point], values: Sequence[float], path: str, accuracy: Metric) -> Effect:
    """Bins with equal numbers of points; each has the position of the median of its values."""
    order = sorted(range(len(points)), key=lambda i: values[i])
    count = max(1, min(BINS, len(points) // SMALLEST_BIN))
    levels = []
    for b in range(count):
        chosen = order[b * len(order) // count : (b + 1) * len(order) // count]
        low, high = values[chosen[0]], values[chosen[-1]]
        label = f"{pts.value_text(path, low)} to {pts.value_text(path, high)}"
        levels.append(_level(label, values[chosen[len(chosen) // 2]], [points[i] for i in chosen], accuracy))
    low, middle, high = values[order[0]], values[order[len(order) // 2]], values[order[-1]]
    log = low > 0 and high > 30 * low and middle - low < 0.2 * (high - low)  # most values are close to the low end
    return Effect(path, levels, True, log)
