"""The table of a sweep as compact data for `table.js`: one view has a row for every point, one a row for every run."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

from edgesdt.report.drawing import wording
from edgesdt.report.files import columns
from edgesdt.report.files.sweeps import Row, identity
from edgesdt.report.sweep.metrics import Metric, Metrics
from edgesdt.report.sweep.statistics import points
from edgesdt.report.sweep.statistics.points import Point

_FORMS = {"accuracy": "percent", "area": "area", "memory": "size", "latency": "time", "inference_latency": "time"}
_REASON = 160  # maximum characters of a reason in the table
Column = dict[str, Any]


def data(
    rows: Sequence[Row], found: Sequence[Point], names: dict[str, str], metrics: Metrics, link: Callable[[Row], str]
) -> str:
    """Both views as JSON that can be embedded in a page. `names` holds the parameters with their short names."""
    done = {p.runs[0].key for p in found}
    waiting: dict[str, list[Row]] = {}
    for row in rows:
        if row.key not in done:
            waiting.setdefault(row.key, []).append(row)
    others = list(waiting.values())
    numbers = {id(row): i for i, row in enumerate(rows)}
    groups = [p.runs for p in found] + others
    views = [
        {
            "title": "points, mean over seeds",
            "columns": [
                *_parameters([group[0] for group in groups], names),
                _count("finished seeds", "seeds_done", [len(p.runs) for p in found] + [0] * len(others)),
                *_figures(list(found), len(others), metrics),
                *_endings([g[0] for g in groups]),
            ],
            "runs": [[numbers[id(row)] for row in group] for group in groups],
        },
        {
            "title": "runs",
            "columns": [
                *_parameters(rows, names),
                _count("seed", "seed", [row.seed for row in rows]),
                *(_figure(m, [m.of(row.record) if row.done else None for row in rows]) for m in metrics.all),
                *_endings(rows),
            ],
            "runs": [[i] for i in range(len(rows))],
        },
    ]
    made = {"views": views, "links": [link(row) for row in rows], "seeds": [row.seed for row in rows]}
    made["places"] = _places(metrics)
    return json.dumps(made, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")


def _places(metrics: Metrics) -> int:
    """Decimals of an accuracy in per cent."""
    return len(metrics.accuracy.form(0.5).removesuffix(" %").partition(".")[2])


def _parameters(rows: Sequence[Row], names: dict[str, str]) -> list[Column]:
    return [
        _coded(name, columns.of_parameter(path), [row.point.get(path) for row in rows], path)
        for path, name in names.items()
    ]


def _coded(title: str, name: str, values: Sequence[Any], path: str = "") -> Column:
    """A column with few distinct values: their texts in order, their exported values, and one index for each row."""
    keys = [identity(value) for value in values]
    distinct = dict(zip(keys, values, strict=True))
    numeric = all(points.measure(path, v) is not None for v in distinct.values())
    order = sorted(distinct, key=lambda k: points.measure(path, distinct[k]) or 0.0) if numeric else list(distinct)
    place = {key: i for i, key in enumerate(order)}
    texts = [wording.ABSENT if distinct[k] is None else points.value_text(path, distinct[k]) for k in order]
    held = [columns.value_of(path, distinct[k]) for k in order]
    raw = ["" if v is None else v if isinstance(v, int | float | str) else json.dumps(v) for v in held]
    return {"title": title, "name": name, "form": "coded", "texts": texts, "raw": raw, "data": [place[k] for k in keys]}


def _count(title: str, name: str, values: Sequence[int | None]) -> Column:
    return {"title": title, "name": name, "form": "count", "data": list(values)}


def _figures(found: list[Point], without: int, metrics: Metrics) -> list[Column]:
    """The metrics of points, with the half-width of the accuracy's interval after the accuracy."""
    made = []
    for metric in metrics.all:
        made.append(_figure(metric, [p.figure(metric) for p in found] + [None] * without))
        if metric.key == "accuracy":
            halves = [p.accuracy.half if p.accuracy else None for p in found] + [None] * without
            interval = _figure(metric, halves)
            made.append(interval | {"title": "± 95 %", "name": f"{metric.path}_95_percent_half_width", "up": False})
    return made


def _figure(metric: Metric, values: Sequence[float | None]) -> Column:
    shown = [None if v is None else float(f"{v:.10g}") for v in values]
    whole = [int(v) if v is not None and v == int(v) else v for v in shown]
    return {
        "title": metric.title,
        "name": metric.path,
        "form": _FORMS.get(metric.key, "energy"),
        "up": metric.up,
        "data": whole,
    }


def _endings(rows: Sequence[Row]) -> list[Column]:
    reasons = [row.reason.strip().split("\n")[-1][:_REASON] for row in rows]
    return [
        _coded("status", "status", [row.status for row in rows]),
        *([_coded("reason", "error", reasons)] if any(reasons) else []),
    ]
