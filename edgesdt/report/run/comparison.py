"""Several runs side by side: headline figures, what differs between their specs, stacked energy bars."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from edgesdt.pricing import omissions, tables
from edgesdt.report.drawing import wording
from edgesdt.report.drawing.svg import SERIES
from edgesdt.report.files.folders import Run, number
from edgesdt.report.run import summary, wear


@dataclass(frozen=True)
class Cell:
    """A figure as text; `best` if no other run is better."""

    text: str
    best: bool


@dataclass(frozen=True)
class Stack:
    """The energy of one run as a stacked bar: `width` and segments are in per cent of the most expensive run."""

    label: str
    total: str
    width: float
    segments: list[summary.Bar]


@dataclass(frozen=True)
class Stacks:
    """The stacked bars of all runs on one scale, with the legend (colour, component)."""

    title: str
    legend: list[tuple[int, str]]
    rows: list[Stack]


_FIRST = ("accuracy", "untrained")
_REST = "accuracy at rest"
_PRICED = ("energy per training sample", "energy per inference", "latency, training", "latency, inference", "area")
_COSTS = (
    "energy per training sample", "energy per inference", "latency, training", "latency, inference", "area",
    "memory used",
)  # fmt: skip


def headings(runs: list[Run]) -> list[str]:
    """The columns of `table`; retention is included if any run is on cells or was read again after a rest."""
    return [*_FIRST, *([_REST] if any(map(wear.of_cells, runs)) else []), *_COSTS]


def table(runs: list[Run]) -> list[tuple[str, list[Cell]]]:
    """A row of cells, in the order of `headings`, for every run; the best of each column is marked.

    Figures that are not whole are shown as lower bounds, and are never the best. Prices are compared only where all are
    of one technology table at one node (`of_tables`), accuracies after a rest only where all rested equally long.
    """
    names = headings(runs)
    columns: list[list[tuple[float | None, str]]] = [[] for _ in names]
    one_table = not tables.differ(run.record for run in runs)
    alike = len({rest.time_s for run in runs if (rest := wear.last_rest(run)) is not None and rest.modelled}) < 2
    for run in runs:
        found = _figures(run)
        rests = [_rested(run, alike)] if _REST in names else []
        for column, cell in zip(columns, [*found[:2], *rests, *found[2:]], strict=True):
            column.append(cell)
    marked = []
    for name, column in zip(names, columns, strict=True):
        known = [value for value, _ in column if value is not None]
        up, ranks = name in ("accuracy", _REST), len(set(known)) > 1 and name != "untrained"
        ranks = ranks and (one_table or name not in _PRICED)
        best = (max(known) if up else min(known)) if ranks else None
        marked.append([Cell(text, value is not None and value == best) for value, text in column])
    return [(run.label, [column[r] for column in marked]) for r, run in enumerate(runs)]


def of_tables(runs: list[Run]) -> list[str]:
    """That prices of these runs are of different technology tables, and of which; nothing where they are of one."""
    if not tables.differ(run.record for run in runs):
        return []
    named = "; ".join(f"{run.label}: {tables.at_node(run.record)}" for run in runs)
    told = "energy, latency and area are of different technology tables or nodes and do not rank against each other"
    return [f"{told} ({named}); --table NAME prices all runs with one table"]


def _figures(run: Run) -> list[tuple[float | None, str]]:
    key, n, accuracy = summary.best_key(run), summary.samples_tested(run), run.part("accuracy")
    trained, control = number(accuracy.get(key or "")), number(accuracy.get(f"untrained_{key}"))
    energy, latency = run.part("energy_j"), run.part("latency_s")
    values: list[tuple[float | None, str]] = [(trained, wording.percent(trained, n))]
    values.append((control, wording.percent(control, n)))
    priced = [(form, part.get(name)) for part, form in ((energy, wording.energy), (latency, wording.time))
              for name in ("train_per_sample", "inference_per_sample")]  # fmt: skip
    priced.append((wording.area, run.part("area_mm2").get("total")))
    whole = omissions.whole(run.record, "energy_j")
    values += [(number(v) if whole else None, summary.least(form(v), whole)) for form, v in priced]
    held = run.part("memory").get("used_bits")
    return [*values, (number(held), wording.size(held))]


def _rested(run: Run, alike: bool) -> tuple[float | None, str]:
    """The accuracy after the longest rest; its text gives the duration."""
    rest = wear.last_rest(run)
    return (None, wording.ABSENT) if rest is None else (rest.accuracy if alike and rest.modelled else None, rest.text)


def differences(runs: list[Run]) -> list[tuple[str, list[str]]]:
    """The dotted paths of the specs whose values differ (except the name), with every run's value."""
    flat = [_flat(summary.named_spec(run)) for run in runs]
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
        parts = [(run, _components(summary.per_sample(run, "energy_j", phase))) for run in runs]
        kept = [(run.label, part, omissions.whole(run.record, "energy_j")) for run, part in parts if part]
        if kept:
            drawn.append(_stacked(title, kept))
    return drawn


def _components(breakdown: object) -> dict[str, float]:
    if not isinstance(breakdown, Mapping):
        return {}
    return {str(k): v for k, v in ((k, number(v)) for k, v in breakdown.items()) if v is not None and v > 0}


def _stacked(title: str, parts: list[tuple[str, dict[str, float], bool]]) -> Stacks:
    sums: dict[str, float] = {}
    for _, part, _ in parts:
        for component, joules in part.items():
            sums[component] = sums.get(component, 0.0) + joules
    ranked = sorted(sums, key=lambda component: -sums[component])
    colours = {name: rank + 1 if rank < SERIES else 0 for rank, name in enumerate(ranked)}
    longest = max(sum(part.values()) for _, part, _ in parts)
    rows = []
    for label, part, all_priced in parts:
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
        rows.append(Stack(label, summary.least(wording.energy(whole), all_priced), 100 * whole / longest, segments))
    legend = [(colours[name], wording.label(name)) for name in ranked[: SERIES]]
    legend += [(0, "other")] if len(ranked) > SERIES else []
    return Stacks(title, legend, rows)
