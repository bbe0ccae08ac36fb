"""The points of a sweep: rows grouped by setting, with means over their seeds and 95 % intervals."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from edgesdt.report.drawing.wording import AT_LEAST
from edgesdt.report.files import columns
from edgesdt.report.files.folders import number
from edgesdt.report.files.sweeps import Row, Sweep, identity
from edgesdt.report.sweep.metrics import Metric, Metrics
from edgesdt.units import format_frequency, format_size, format_time

_FORMS: dict[str, Callable[[float], str]] = {"bit": format_size, "Hz": format_frequency, "s": format_time}


@dataclass(frozen=True)
class Estimate:
    """A mean over `n` seeds and half the width of its 95 % t-interval (None with one seed)."""

    mean: float
    half: float | None
    n: int

    @property
    def tells(self) -> bool | None:
        """Whether a difference is significant: its interval does not include 0.

        None with one seed, which gives no interval.
        """
        return None if self.half is None else abs(self.mean) > self.half

    @property
    def low(self) -> float:
        """Lower end of the interval, or the mean if there is none."""
        return self.mean - (self.half or 0.0)

    @property
    def high(self) -> float:
        """Upper end of the interval, or the mean if there is none."""
        return self.mean + (self.half or 0.0)


def estimate(values: Sequence[float]) -> Estimate:
    """The mean of a sample and its 95 % interval by Student's t (Student, Biometrika 6 (1908) 1)."""
    n = len(values)
    mean = math.fsum(values) / n
    if n < 2:
        return Estimate(mean, None, n)
    deviation = math.sqrt(math.fsum((v - mean) ** 2 for v in values) / (n - 1))
    return Estimate(mean, _t(n - 1) * deviation / math.sqrt(n), n)


_QUANTILES: dict[int, float] = {}


def _t(freedom: int) -> float:
    """The 0.975 quantile of Student's t with this many degrees of freedom."""
    if freedom not in _QUANTILES:
        from scipy.special import stdtrit

        _QUANTILES[freedom] = float(stdtrit(freedom, 0.975))
    return _QUANTILES[freedom]


@dataclass(frozen=True)
class Point:
    """One setting of the swept parameters that finished with at least one seed; figures are means over its seeds."""

    values: Mapping[str, Any]
    runs: Sequence[Row]
    means: Mapping[str, float]
    accuracy: Estimate | None

    def figure(self, metric: Metric) -> float | None:
        """A metric of the point: its mean over the seeds, or None."""
        if metric.key in self.means:
            return self.means[metric.key]
        found = [value for value in (metric.of(row.record) for row in self.runs) if value is not None]
        return math.fsum(found) / len(found) if found else None

    def told(self, metric: Metric) -> str:
        """The mean as text; an incomplete figure is shown as a lower bound."""
        whole = self.figure(metric)
        if whole is not None:
            return metric.form(whole)
        found = [value for value in (metric.at_least(row.record) for row in self.runs) if value is not None]
        return AT_LEAST + metric.form(math.fsum(found) / len(found)) if found else metric.form(None)


def difference(one: Point, other: Point, metric: Metric) -> Estimate | None:
    """The difference of `one` and `other`, seed by seed; None if they share no finished seed."""
    theirs = {row.seed: metric.of(row.record) for row in other.runs}
    pairs = [(metric.of(row.record), theirs.get(row.seed)) for row in one.runs]
    found = [mine - its for mine, its in pairs if mine is not None and its is not None]
    return estimate(found) if found else None


def of_rows(rows: Sequence[Row], metrics: Metrics) -> list[Point]:
    """The points that have a finished row, in the order of the store."""
    groups: dict[str, list[Row]] = {}
    for row in rows:
        if row.done:
            groups.setdefault(row.key, []).append(row)
    return [_point(sorted(group, key=lambda row: row.seed or 0), metrics) for group in groups.values()]


def _point(runs: list[Row], metrics: Metrics) -> Point:
    means = {}
    for metric in metrics.all:
        found = [value for value in (metric.of(row.record) for row in runs) if value is not None]
        if found:
            means[metric.key] = math.fsum(found) / len(found)
    accuracies = [a for a in (metrics.accuracy.of(row.record) for row in runs) if a is not None]
    return Point(runs[0].point, runs, means, estimate(accuracies) if accuracies else None)


def over_seeds(points: Sequence[Point], metric: Metric) -> Estimate:
    """A metric averaged over points, with the interval of that average over seeds.

    The average is calculated for each seed separately, over the points that finished with all seeds; the interval is
    that of these averages, so an effect of a seed on all points is included. Without such points there is no interval.
    """
    tables = [{r.seed: v for r in p.runs if (v := metric.of(r.record)) is not None} for p in points]
    seeds = set().union(*tables)
    whole = [table for table in tables if len(table) == len(seeds)]
    if not whole or len(seeds) < 2:
        values = [v for v in (p.figure(metric) for p in points) if v is not None]
        return Estimate(math.fsum(values) / len(values), None, 1)
    return estimate([math.fsum(t[seed] for t in whole) / len(whole) for seed in sorted(seeds, key=str)])


def short_names(paths: Sequence[str]) -> dict[str, str]:
    """Each dotted path by its last steps: the last where the path has two, else two; the whole if not unique.

    `parameters` and `array` of a device are left out, so `device.parameters.levels` becomes `levels`. The name of a
    group consists of the names of its fields.
    """
    fields = [field for path in paths for field in columns.fields_of(path)]
    if fields != list(paths):
        names = short_names(fields)
        return {path: ", ".join(names[field] for field in columns.fields_of(path)) for path in paths}
    short = {}
    for path in paths:
        steps = [step for step in path.split(".") if step not in ("parameters", "array")]
        short[path] = " ".join(steps[-1 if len(steps) < 3 else -2 :]).replace("_", " ")
    told = list(short.values())
    return {path: name if told.count(name) == 1 else path for path, name in short.items()}


def value_text(path: str, value: Any) -> str:
    """A parameter's value for display: quantities in their units, lists without brackets."""
    found = number(value)
    if found is None:
        fields = columns.fields_of(path)
        if isinstance(value, list) and len(value) == len(fields) > 1:
            return ", ".join(value_text(field, item) for field, item in zip(fields, value, strict=True))
        if isinstance(value, list):
            return ", ".join(value_text("", item) for item in value)
        return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    form = _FORMS.get(columns.unit_of(path))
    if form is not None:
        return form(found)
    return f"{value:d}" if isinstance(value, int) else f"{found:.4g}"


def measure(path: str, value: Any) -> float | None:
    """A parameter's value as a number, in the unit of the spec if it is a text with a unit; None for other texts."""
    return number(columns.value_of(path, value))


def in_words(values: Mapping[str, Any], names: Mapping[str, str]) -> str:
    """`weights bits 8 · winners 3`."""
    return " · ".join(f"{name} {value_text(path, values[path])}" for path, name in names.items() if path in values)


def levels_of(points: Sequence[Point], path: str) -> dict[str, Any]:
    """The distinct values of a parameter by their JSON: numbers sorted, other values in order of appearance."""
    found = {identity(p.values[path]): p.values[path] for p in points if path in p.values}
    if all(measure(path, value) is not None for value in found.values()):
        return dict(sorted(found.items(), key=lambda item: measure(path, item[1]) or 0.0))
    return found


def parameters_of(sweep: Sweep, points: Sequence[Point]) -> list[str]:
    """The parameters with more than one value among all rows, finished or not; all parameters if there are none."""
    distinct: dict[str, set[str]] = {path: set() for path in sweep.parameters}
    for row in sweep.rows:
        for path, value in row.point.items():
            distinct[path].add(identity(value))
    varied = [path for path, values in distinct.items() if len(values) > 1]
    return varied or list(distinct)
