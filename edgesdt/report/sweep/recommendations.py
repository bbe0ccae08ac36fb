"""Recommendations: the best point for every objective under the constraints, as text."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from edgesdt.report.drawing import wording
from edgesdt.report.files.folders import number
from edgesdt.report.sweep.metrics import Metric, Metrics
from edgesdt.report.sweep.statistics import points
from edgesdt.report.sweep.statistics.points import Point

SLACK = 0.01  # accuracy that a cheaper point may lose if no constraint sets a limit
_COMPARE: dict[str, Callable[[float, float], bool]] = {
    "<=": operator.le,
    ">=": operator.ge,
    "<": operator.lt,
    ">": operator.gt,
}


@dataclass(frozen=True)
class Constraint:
    """A bound on a metric, with its `text`; `metric` is None if this report cannot check it."""

    text: str
    metric: Metric | None
    op: str
    bound: float

    def holds(self, point: Point) -> bool:
        """Whether a point meets the constraint: true if it cannot be checked, false if the figure is missing."""
        if self.metric is None:
            return True
        value = point.figure(self.metric)
        return value is not None and _COMPARE[self.op](value, self.bound)


@dataclass(frozen=True)
class Choice:
    """The recommended point of an objective; `slack` if it is the cheapest point close to the highest accuracy."""

    metric: Metric
    point: Point
    slack: bool


def constraints(listed: Sequence[Mapping[str, Any]], metrics: Metrics) -> list[Constraint]:
    """The constraints that a plan lists: `text`, the `path` of a figure in the record, `op` and `bound`."""
    found = []
    for given in listed:
        metric, bound = metrics.find(str(given.get("path", ""))), number(given.get("bound"))
        op = str(given.get("op"))
        text = str(given.get("text") or given.get("name") or given.get("path"))
        known = metric is not None and bound is not None and op in _COMPARE
        found.append(Constraint(text, metric if known else None, op, bound or 0.0))
    return found


def objectives(listed: Sequence[Mapping[str, Any]], metrics: Metrics) -> list[Metric]:
    """The metrics that a plan lists, by their `path` in the record; the accuracy is always the first of them."""
    paths = [str(entry.get("path")) for entry in listed]
    found = [metric for path in paths if (metric := metrics.find(path)) is not None]
    return list(dict.fromkeys([metrics.accuracy, *(found or metrics.costs[:4])]))


def choices(
    found: Sequence[Point], metrics: Metrics, wanted: Sequence[Metric], limits: Sequence[Constraint]
) -> list[Choice]:
    """The recommended point of every objective among `found`, all of which meet the constraints.

    For the accuracy, this is the most accurate point. For each cost, it is the cheapest point; without a constraint on
    the accuracy, only points within `SLACK` of the highest accuracy are considered. Ties go to the higher accuracy,
    then to the first in the store.
    """
    scored = [p for p in found if p.accuracy is not None]
    if not scored:
        return []
    top = max(_accuracy(p) for p in scored)
    bounded = any(limit.metric is not None and limit.metric.key == "accuracy" for limit in limits)
    made = []
    for metric in wanted:
        near = [p for p in scored if metric.up or bounded or _accuracy(p) >= top - SLACK]
        ranked = [(value, p) for p in near if (value := p.figure(metric)) is not None]
        if ranked:
            best = metric.best([value for value, _ in ranked])
            ties = [p for value, p in ranked if value == best]
            made.append(Choice(metric, max(ties, key=_accuracy), not (metric.up or bounded)))
    return made


def _accuracy(point: Point) -> float:
    return point.accuracy.mean if point.accuracy else 0.0


def accuracy_text(point: Point, accuracy: Metric) -> str:
    """`93.2 ± 0.4 %`, or without the half-width for one seed."""
    found = point.accuracy
    if found is None:
        return wording.ABSENT
    text = accuracy.form(found.mean)
    if found.half is None:
        return text
    places = len(text.removesuffix(" %").partition(".")[2])
    return f"{text.removesuffix(' %')} ± {100 * found.half:.{places}f} %"


def trade(choice: Choice, top: Point, accuracy: Metric) -> str:
    """Text for the accuracy that a choice loses and the cost that it saves, relative to the most accurate point."""
    if choice.point is top:
        return "the most accurate point itself"
    mine, theirs = choice.point.figure(choice.metric), top.figure(choice.metric)
    told = _loss(choice.point, top, accuracy)
    if mine and theirs and not choice.metric.up:
        told += f", at {100 * mine / theirs:.0f}\u00a0% of its {choice.metric.title}"
    return told


def _loss(point: Point, top: Point, accuracy: Metric) -> str:
    """Text for the loss of accuracy of a point relative to the most accurate one, with its interval by seed, if any."""
    lost = 100 * (_accuracy(top) - _accuracy(point))
    apart = points.difference(top, point, accuracy)
    if lost < 0.05 and not (apart and apart.half):
        return "as accurate as the best"
    if apart is None or apart.half is None:
        return f"{lost:.1f} points below the highest accuracy"
    told = f"{100 * apart.mean:.1f} ± {100 * apart.half:.1f} points below the highest accuracy"
    return told if apart.tells else f"{told}, seed by seed: not distinguishable"


def alike(top: Point, others: Sequence[Point], accuracy: Metric) -> int | None:
    """Number of other points that cannot be distinguished from the most accurate one, by seed; None with one seed."""
    found = [d.tells for p in others if p is not top and (d := points.difference(top, p, accuracy)) is not None]
    known = [tells for tells in found if tells is not None]
    return sum(not tells for tells in known) if known else None
