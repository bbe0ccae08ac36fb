"""Several runs side by side: headline figures, what differs between their specs, stacked energy bars."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from edgesdt.report.drawing import wording
from edgesdt.report.drawing.svg import SERIES
from edgesdt.report.files.folders import Run, number
from edgesdt.report.run import summary


@dataclass(frozen=True)
class Cell:
    """A figure as text; `best` where no other run does better."""

    text: str
    best: bool


@dataclass(frozen=True)
class Stack:
    """Energy of one run as a stacked bar: `width` and its segments in per cent of the most expensive run."""

    label: str
    total: str
    width: float
    segments: list[summary.Bar]


@dataclass(frozen=True)
class Stacks:
    """Stacked bars of every run on one scale, with the legend (colour, component)."""

    title: str
    legend: list[tuple[int, str]]
    rows: list[Stack]


HEADINGS = [
    "accuracy",
    "untrained",
    "energy per training sample",
    "energy per inference",
    "latency, training",
]
HEADINGS += ["latency, inference", "area", "memory used"]


def table(runs: list[Run]) -> list[tuple[str, list[Cell]]]:
    """A row of cells, in the order of `HEADINGS`, for every run; the best of each column is marked."""
    columns: list[list[tuple[float | None, str]]] = [[] for _ in HEADINGS]
    for run in runs:
        for column, cell in zip(columns, _figures(run), strict=True):
            column.append(cell)
    marked = []
    for i, column in enumerate(columns):
        known = [value for value, _ in column if value is not None]
        best = (max(known) if i == 0 else min(known)) if len(set(known)) > 1 and i != 1 else None
        marked.append([Cell(text, value is not None and value == best) for value, text in column])
    return [(run.label, [column[r] for column in marked]) for r, run in enumerate(runs)]


def _figures(run: Run) -> list[tuple[float | None, str]]:
    key, n, accuracy = summary.best_key(run), summary.samples_tested(run), run.part("accuracy")
    trained, control = number(accuracy.get(key or "")), number(accuracy.get(f"untrained_{key}"))
    energy, latency = run.part("energy_j"), run.part("latency_s")
    values: list[tuple[float | None, str]] = [(trained, wording.percent(trained, n))]
    values.append((control, wording.percent(control, n)))
    for part, form in ((energy, wording.energy), (latency, wording.time)):
        for name in ("train_per_sample", "inference_per_sample"):
            values.append((number(part.get(name)), form(part.get(name))))
    space, held = run.part("area_mm2").get("total"), run.part("memory").get("used_bits")
    return [*values, (number(space), wording.area(space)), (number(held), wording.size(held))]


def differences(runs: list[Run]) -> list[tuple[str, list[str]]]:
    """The dotted paths of the specs, but for the name, whose values differ, with every run's value."""
    flat = [_flat(run.part("spec")) for run in runs]
    paths = dict.fromkeys(path for spec in flat for path in spec)
    rows = [(path, [spec.get(path, wording.ABSENT) for spec in flat]) for path in paths]
    return [(path, values) for path, values in rows if len(set(values)) > 1 and path != "name"]


def _flat(spec: Mapping[str, Any], above: str = "") -> dict[str, str]:
    found: dict[str, str] = {}
    for key, value in spec.items():
        path = f"{above}{key}"
        if isinstance(value, Mapping):
            found |= _flat(value, f"{path}.")
        else:
            found[path] = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return found


def stacks(runs: list[Run]) -> list[Stacks]:
    """Energy per sample by component, training and inference, for the runs that record a breakdown."""
    drawn = []
    for phase, title in (("train", "Energy per training sample"), ("inference", "Energy per inference")):
        parts = [(run.label, _components(summary.per_sample(run, "energy_j", phase))) for run in runs]
        parts = [(label, part) for label, part in parts if part]
        if parts:
            drawn.append(_stacked(title, parts))
    return drawn


def _components(breakdown: object) -> dict[str, float]:
    if not isinstance(breakdown, Mapping):
        return {}
    return {str(k): v for k, v in ((k, number(v)) for k, v in breakdown.items()) if v is not None and v > 0}


def _stacked(title: str, parts: list[tuple[str, dict[str, float]]]) -> Stacks:
    sums: dict[str, float] = {}
    for _, part in parts:
        for component, joules in part.items():
            sums[component] = sums.get(component, 0.0) + joules
    ranked = sorted(sums, key=lambda component: -sums[component])
    colours = {name: rank + 1 if rank < SERIES else 0 for rank, name in enumerate(ranked)}
    longest = max(sum(part.values()) for _, part in parts)
    rows = []
    for label, part in parts:
        whole = sum(part.values())
        segments = [
            summary.Bar(
                wording.label(name),
                wording.energy(part[name]),
                wording.share(part[name], whole),
                100 * part[name] / longest,
                colours[name],
            )
            for name in ranked
            if name in part
        ]
        rows.append(Stack(label, wording.energy(whole), 100 * whole / longest, segments))
    legend = [(colours[name], wording.label(name)) for name in ranked[: SERIES]]
    legend += [(0, "other")] if len(ranked) > SERIES else []
    return Stacks(title, legend, rows)
