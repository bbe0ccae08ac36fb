"""The phases of a run: where each begins in the curve, what it learned and cost, and what was forgotten since."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from edgesdt.pricing import omissions
from edgesdt.report.drawing import wording
from edgesdt.report.drawing.charts import Span
from edgesdt.report.files.folders import Run, number
from edgesdt.report.run import summary

Table = tuple[list[str], list[list[str]]]


def _rows(run: Run) -> list[Mapping[str, Any]]:
    found: list[Mapping[str, Any]] = run.record.get("phases") or []
    return found


def spans(run: Run) -> list[Span]:
    """The phases along the axis of epochs; none of a run without phases."""
    found, first = [], 1
    for row in _rows(run):
        last = first + int(number(row.get("epochs")) or 0) - 1
        found.append(Span(str(row.get("name", "")), first, last))
        first = last + 1
    return found


def table(run: Run) -> Table:
    """What each phase learned and what that cost: a heading and a row for each phase."""
    whole = omissions.whole(run.record, "energy_j")
    rows = []
    for row in _rows(run):
        energy, each = row.get("energy_j"), row.get("energy_per_sample_j")
        rows.append([
            str(row.get("name", "")),
            " + ".join(_part(part) for part in row.get("parts") or ()),
            wording.count(row.get("epochs")),
            wording.count(row.get("samples")),
            summary.least(wording.energy(each), whole),
            summary.least(wording.energy(energy), whole),
        ])
    return ["phase", "learns", "epochs", "samples", "energy per sample", "energy"], rows


def _part(part: Mapping[str, Any]) -> str:
    stream = "" if part.get("stream") == "base" else f" of {part.get('stream')}"
    return f"{part.get('which')}{stream}, {str(part.get('target')).replace('_', ' ')}"


def accuracies(run: Run) -> Table:
    """The accuracy on every stream after each phase, and how much of the best one is lost at the end."""
    rows, n = _rows(run), summary.samples_tested(run)
    key = summary.best_key(run)
    streams = list(dict.fromkeys(name for row in rows for name in row.get("accuracy") or {}))
    if len(streams) < 2:
        return [], []
    lost = run.part("forgetting")
    made = []
    for stream in streams:
        found = [(row.get("accuracy") or {}).get(stream, {}) for row in rows]
        read = key if key in found[-1] else next(iter(found[-1]), None)
        cells = [wording.percent(number(each.get(read)), n) for each in found]
        forgotten = number((lost.get(stream) or {}).get(read))
        name = "own data set" if stream == "base" else stream
        shown = wording.ABSENT if forgotten is None else f"{100 * forgotten:.1f}"
        made.append([name, wording.readout(str(read)), *cells, shown])
    return ["stream", "read-out", *(f"after {row.get('name')}" for row in rows), "forgotten [points]"], made
