"""The results of a sweep for the page: points, fronts, recommendations and links to runs; `view` shows them."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from edgesdt.pricing import omissions, tables
from edgesdt.report.files.folders import Run, number
from edgesdt.report.files.sweeps import Row, Sweep
from edgesdt.report.sweep import metrics, recommendations
from edgesdt.report.sweep.metrics import FRONTS, Metrics
from edgesdt.report.sweep.recommendations import Choice, Constraint
from edgesdt.report.sweep.statistics import pareto, points
from edgesdt.report.sweep.statistics.points import Point


@dataclass(frozen=True)
class Findings:
    """The results of a sweep: points, allowed points, fronts and recommendations.

    Allowed points meet all constraints. Fronts hold indices of allowed points.
    """

    sweep: Sweep
    metrics: Metrics
    names: dict[str, str]
    points: list[Point]
    limits: list[Constraint]
    allowed: list[Point]
    fronts: dict[str, list[int]]
    choices: list[Choice]

    @property
    def lead(self) -> Choice | None:
        """The most accurate allowed point."""
        return next((choice for choice in self.choices if choice.metric.key == "accuracy"), None)

    @property
    def leading(self) -> list[Point]:
        """The recommended points, then those on a front."""
        found = [choice.point for choice in self.choices]
        found += [self.allowed[i] for front in self.fronts.values() for i in front]
        return list({id(point): point for point in found}.values())

    def words(self, point: Point) -> str:
        """Text for a point: the parameters that vary."""
        return points.in_words(point.values, self.names) or self.sweep.label


def findings(sweep: Sweep) -> Findings:
    """Work out a sweep. Costs are those of the records as given: price them again before, if at all.

    Where points are priced with several technology tables, what has a price has no front and no best point.
    """
    judged = metrics.of_sweep(sweep)
    found = points.of_rows(sweep.rows, judged)
    names = points.short_names(points.parameters_of(sweep, found))
    limits = recommendations.constraints(sweep.listed("constraints"), judged)
    allowed = [p for p in found if all(limit.holds(p) for limit in limits)]
    wanted = recommendations.objectives(sweep.listed("objectives"), judged)
    if tables.differ((row.record for row in sweep.rows if row.done), with_node=False):
        wanted = [m for m in wanted if m.path.partition(".")[0] not in omissions.PRICED]
        drawn = [m for m in judged.costs if m.path.partition(".")[0] not in omissions.PRICED]
    else:
        drawn = [m for m in judged.costs if m.key in FRONTS or m in wanted]
    fronts = {m.key: pareto.front(allowed, judged.accuracy, m) for m in drawn}
    chosen = recommendations.choices(allowed, judged, wanted, limits)
    return Findings(sweep, judged, names, found, limits, allowed, fronts, chosen)


class Links:
    """The link to the run of a row, relative to the page; empty if the run does not exist."""

    def __init__(self, sweep: Sweep, out: Path) -> None:
        self.folder = sweep.folder
        self.base = os.path.relpath(sweep.folder.resolve(), out.resolve().parent)
        self._known: dict[str, str] = {}

    def __call__(self, row: Row) -> str:
        """The run's report, or its record if it has no report."""
        if not row.run:
            return ""
        if row.run not in self._known:
            kept = (name for name in ("report.html", "record.json") if (self.folder / row.run / name).exists())
            name = next(kept, "")
            path = Path(self.base, row.run, name).as_posix()
            self._known[row.run] = quote(path) if name else ""
        return self._known[row.run]


def mean_run(sweep: Sweep, point: Point, label: str) -> Run:
    """A point as one run, for functions that show runs: every number of its record is the mean over its seeds."""
    run = sweep.run_of(point.runs[0], label)
    if len(point.runs) == 1:
        return run
    parts = ("accuracy", "energy_j", "latency_s", "area_mm2", "memory", "device", "technology", "deployment")
    means = {part: _mean([row.record.get(part) for row in point.runs]) for part in parts}
    return Run(run.folder, run.record | {"seed": "mean"} | means, label)


def _mean(values: Sequence[Any]) -> Any:
    """Averages numbers, also inside mappings and lists of mappings; other values are those of the first record."""
    if all(isinstance(v, list) and v and all(isinstance(e, dict) for e in v) for v in values):
        return [_mean(entries) for entries in zip(*values, strict=False)]
    if all(isinstance(value, dict) for value in values):
        keys = dict.fromkeys(key for value in values for key in value)
        return {key: _mean([value[key] for value in values if key in value]) for key in keys}
    found = [v for v in map(number, values) if v is not None]
    return math.fsum(found) / len(found) if len(found) == len(values) else values[0]
