"""All data of one sweep for the template of the page, as text and pictures."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from edgesdt.pricing import omissions, tables
from edgesdt.report.drawing import wording
from edgesdt.report.files import columns, telling
from edgesdt.report.files.folders import Run, number
from edgesdt.report.files.sweeps import Row, identity
from edgesdt.report.run import summary
from edgesdt.report.run.view import provenance, spec_text
from edgesdt.report.sweep import recommendations, table
from edgesdt.report.sweep.charts import sections as charts
from edgesdt.report.sweep.charts.sections import runs_of, shown
from edgesdt.report.sweep.metrics import Metric
from edgesdt.report.sweep.results import Findings, Links
from edgesdt.report.sweep.statistics import effects, points
from edgesdt.report.sweep.statistics.points import Point

_LISTED = 6  # maximum values of a swept field in the header
REASONS = 30  # maximum kinds of failure in the list
Link = Callable[[Row], str]


def view(found: Findings, prefix: str, out: Path) -> dict[str, Any]:
    """The data for the template; `prefix` makes identifiers unique on the page `out`."""
    sweep, link = found.sweep, Links(found.sweep, out)
    made: dict[str, Any] = {
        "kind": "sweep",
        "id": prefix,
        "label": sweep.label,
        "name": sweep.label,
        "facts": _facts(found),
        "torn": sweep.torn,
        "damaged": sweep.damaged,
        "caveats": _price_notes(found),
        "mixed": _mixed(found),
        "advice": _advice(found, link),
        "swept": _swept(found),
        "effects": charts.effects_of(found, prefix),
        "fronts": charts.fronts(found, prefix, link),
        "stacks": charts.energy_along(found),
        "sensitivity": charts.sensitivities(found),
        "unfinished": _unfinished(found),
        "table": table.data(sweep.rows, found.points, found.names, found.metrics, link),
        "file": re.sub(r"[^\w.-]+", "_", sweep.label) + ".csv",
        "spec": spec_text(sweep.spec),
        "provenance": _provenance(found),
    }
    made["tiles"] = _tiles(found, made)
    return {**made, "sections": _sections(made)}


def _price_notes(found: Findings) -> list[str]:
    """Sentences on costs that the prices of some points leave out, with the number of points."""
    done = [row for row in found.sweep.rows if row.done]
    told = Counter(sentence for row in done for sentence in omissions.of_prices(row.record))
    ranks = ", so their energy, latency and area rank nowhere and are on no front"
    return [f"of {n:,} of {len(done):,} runs, {sentence}{ranks}" for sentence, n in told.items()]


def _mixed(found: Findings) -> list[str]:
    """That prices of the points are of different technology tables, and of which; nothing where they are of one."""
    done = [row.record for row in found.sweep.rows if row.done]
    if not tables.differ(done, with_node=False):
        return []
    told = "energy, latency and area are of different technology tables and do not rank against each other"
    return [f"{told} ({', '.join(sorted(set(map(tables.name, done))))}); --table NAME prices all runs with one table"]


def _sections(made: dict[str, Any]) -> list[tuple[str, str]]:
    found = [
        ("advice", "Recommendations", made["advice"]["rows"] or made["advice"]["limits"]),
        ("swept", "What was swept", made["swept"]),
        ("effects", "Accuracy by parameter", made["effects"]),
        ("fronts", "Pareto fronts", made["fronts"]["charts"]),
        ("stacks", "Energy", made["stacks"]),
        ("sensitivity", "Sensitivity", made["sensitivity"]["asked"]),
        ("unfinished", _status_title(made["unfinished"]), made["unfinished"]),
        ("table", "All results", True),
        ("spec", "Spec", made["spec"]),
        ("provenance", "Provenance", made["provenance"]),
    ]
    return [(key, title) for key, title, content in found if content]


def _status_title(unfinished: list[dict[str, Any]]) -> str:
    """Title of the section on runs without a result, such as `Failed and infeasible`."""
    words = list(dict.fromkeys(str(row["status"]) for row in unfinished))
    return (", ".join(words[:-1]) + " and " + words[-1] if len(words) > 1 else "".join(words)).capitalize()


def _first(found: Findings) -> Run | None:
    return next((found.sweep.run_of(row) for row in found.sweep.rows if row.done), None)


def _facts(found: Findings) -> list[tuple[str, str]]:
    """Facts about the sweep: fields with constant values, and the swept fields, marked as such."""
    run = _first(found)
    told = summary.facts(Run(found.sweep.folder, {"spec": found.sweep.spec} | (run.record if run else {}), ""))
    paths = {"layers": "chip.layers", "weights": "chip.weights.bits", "rule": "learning.rule", "seed": "seed"}
    paths |= {"target": "learning.target", "data": "data.set", "device": "device.model", "epochs": "epochs"}
    paths |= {"technology": "technology.table", "node": "technology.node", "labels": "label_fraction"}
    varied = list(dict.fromkeys((*_fields(found), *_in_sections(found))))
    rows = []
    for name, value in told:
        swept = [field for field in varied if _overlap(field, paths[name])] if name in paths else []
        if name != "seed" and not (name == "labels used" and _OF_LABELS & set(varied)):
            rows.append((name, "; ".join(_levels(found, path, paths[name]) for path in swept) or value))
    method = found.sweep.plan.get("method")
    return [*rows, ("method", str(method))] if method else rows


def _fields(found: Findings) -> list[str]:
    return [field for path in found.sweep.parameters for field in columns.fields_of(path)]


def _in_sections(found: Findings) -> list[str]:
    """The fields that vary with a whole section, and are not shown as parameters."""
    seen: dict[str, set[str]] = {}
    for row in found.sweep.rows:
        for path, value in telling.leaves(row.given).items() if row.given.keys() - row.point.keys() else ():
            seen.setdefault(path, set()).add(identity(value))
    return [path for path, values in seen.items() if len(values) > 1]


_OF_LABELS = {"label_fraction", "data.train", "learning.target", "readout"}
"""Fields that decide how many labels a run uses."""


def _overlap(one: str, other: str) -> bool:
    """Whether one of two paths contains the other: `chip.layers` and `chip.layers[1]`, `device` and `device.model`."""
    first, second = columns.steps_of(one), columns.steps_of(other)
    return all(a == b for a, b in zip(first, second, strict=False))


def _levels(found: Findings, path: str, shown_as: str) -> str:
    """`20, 24 (swept)`; the field is named if it is only a part of the shown value."""
    given = [columns.apart(row.point) | telling.leaves(row.given) for row in found.sweep.rows]
    values = {identity(point[path]): point[path] for point in given if path in point}
    known = points.levels_of(found.points, path)
    texts = [points.value_text(path, value) for value in {**known, **values}.values()]
    if len(texts) > _LISTED:
        texts = [f"{len(texts):,} values"]
    name = "" if path == shown_as else f"{path.removeprefix(shown_as).removeprefix('.')} "
    return f"{name}{', '.join(texts)} (swept)"


def _counts(found: Findings) -> dict[str, int]:
    counts: dict[str, int] = {}
    for row in found.sweep.rows:
        counts[row.status] = counts.get(row.status, 0) + 1
    return counts


def _tiles(found: Findings, made: dict[str, Any]) -> list[dict[str, Any]]:
    """The headline: best accuracy, number of runs, and the recommended point for each cost."""
    counts, lead = _counts(found), found.lead
    seeds = sorted({row.seed for row in found.sweep.rows if row.seed is not None})
    ran = [f"{len(found.points):,} points" + (f", {len(seeds)} seeds" if len(seeds) > 1 else "")]
    ran += [f"{n:,} {status}" for status, n in counts.items() if status != "done"]
    ran += [f"{found.sweep.missing:,} not run yet"] if found.sweep.missing else []
    tiles = [{"what": "Runs", "figure": f"{counts.get('done', 0):,}", "notes": ran}]
    if lead and lead.point.accuracy:
        near = _interval(lead.point, found.metrics.accuracy)
        figure = found.metrics.accuracy.form(lead.point.accuracy.mean)
        notes = [f"95 % interval {near}" if near else "one seed: no interval"]
        notes += [told] if (told := _ties(found)) else []
        tiles.insert(0, {"what": "Highest accuracy", "figure": figure, "notes": [*notes, found.words(lead.point)]})
    for choice in [c for c in found.choices if c is not lead][:3]:
        figure = choice.point.told(choice.metric)
        notes = [found.words(choice.point)]
        notes += ["within one point of the highest accuracy"] if choice.slack else []
        tiles.append({"what": _objective(choice), "figure": figure, "notes": notes})
    if made["sensitivity"]["verdict"]:
        figure, note = made["sensitivity"]["verdict"]
        tiles.append({"what": "Matters most", "figure": figure, "notes": [note]})
    spare = [{"what": "Parameters", "figure": str(len(found.names)), "notes": [", ".join(found.names.values())]}]
    spare += [{"what": "Simulated, all runs together", "figure": _total_time(found) or wording.ABSENT, "notes": []}]
    tiles += spare[: -len(tiles) % 3]  # rows of three
    return [tile | {"measured": tile["what"] != "Matters most"} for tile in tiles[:6]]


def _total_time(found: Findings) -> str:
    """Total time of all runs; empty if it is not known."""
    known = [s for row in found.sweep.rows if row.done and (s := number(row.record.get("duration_s"))) is not None]
    return wording.time(sum(known)) if known else ""


def _interval(point: Point, accuracy: Metric) -> str:
    estimate = point.accuracy
    if estimate is None or estimate.half is None:
        return ""
    return f"{accuracy.form(max(estimate.low, 0.0)).removesuffix(' %')} to {accuracy.form(min(estimate.high, 1.0))}"


def _ties(found: Findings) -> str:
    """Text if the most accurate point is not significantly better than others; empty otherwise, or with one seed."""
    others = recommendations.alike(found.lead.point, found.allowed, found.metrics.accuracy) if found.lead else None
    return f"not distinguishable from {others:,} other point{'s' * (others > 1)}" if others else ""


def _objective(choice: recommendations.Choice) -> str:
    return f"{choice.metric.superlative} {choice.metric.title}".capitalize()


def _advice(found: Findings, link: Link) -> dict[str, Any]:
    accuracy, lead = found.metrics.accuracy, found.lead
    rows = []
    for choice in found.choices:
        figures = [choice.point.told(metric) for metric in shown(found)]
        told = _ties(found) if lead is None or choice is lead else recommendations.trade(choice, lead.point, accuracy)
        rows.append(
            {
                "objective": _objective(choice),
                "point": found.words(choice.point),
                "accuracy": recommendations.accuracy_text(choice.point, accuracy),
                "figures": figures,
                "told": told,
                "runs": runs_of(choice.point, link),
            }
        )
    return {
        "rows": rows,
        "headings": [metric.title for metric in shown(found)],
        "limits": [(limit.text, limit.metric is not None, _meeting(found, limit)) for limit in found.limits],
        "meeting": f"{len(found.allowed):,} of {len(found.points):,} points",
        "slack": any(choice.slack for choice in found.choices),
        "readout": wording.readout(accuracy.path.removeprefix("accuracy.")),
    }


def _meeting(found: Findings, limit: recommendations.Constraint) -> str:
    return f"{sum(map(limit.holds, found.points)):,}"


def _swept(found: Findings) -> list[tuple[str, str, str]]:
    """Path, values and base value of every swept parameter, and the seeds."""
    rows = []
    spec = found.sweep.spec
    for path in found.sweep.parameters:
        seen = {points.value_text(path, row.point[path]): None for row in found.sweep.rows if path in row.point}
        levels = points.levels_of(found.points, path)
        ordered = [points.value_text(path, value) for value in levels.values()]
        texts = [*ordered, *(text for text in seen if text not in ordered)]
        if len(texts) > effects.LEVELS:
            texts = [f"{len(texts):,} values, {texts[0]} to {texts[len(ordered) - 1]}"]
        fields = columns.fields_of(path)
        between = "; " if len(fields) > 1 else ", "
        bases = [(field, columns.value_at(spec, columns.steps_of(field))) for field in fields]
        told = [wording.ABSENT if base is None else points.value_text(field, base) for field, base in bases]
        rows.append((path, between.join(texts), ", ".join(told)))
    seeds = sorted({row.seed for row in found.sweep.rows if row.seed is not None})
    base = str(spec.get("seed", wording.ABSENT))
    return [*rows, ("seed", ", ".join(map(str, seeds)), base)] if seeds else rows


def _unfinished(found: Findings) -> list[dict[str, Any]]:
    """Rows without a record by status and reason (ignoring numbers in the reason); the most frequent first."""
    groups: dict[tuple[str, str], list[Row]] = {}
    for row in found.sweep.rows:
        if not row.done:
            kind = re.sub(r"[\d.,]+", "#", row.reason.strip().split("\n")[-1])
            groups.setdefault((row.status, kind), []).append(row)
    ranked = sorted(groups.items(), key=lambda item: (item[0][0], -len(item[1])))
    return [
        {
            "status": status,
            "count": f"{len(rows):,}",
            "reason": rows[0].reason.strip() or "no reason was kept",
            "alike": len(rows) > 1,
            "points": list(dict.fromkeys(points.in_words(row.point, found.names) for row in rows))[:3],
            "more": max(len({row.key for row in rows}) - 3, 0),
        }
        for (status, _), rows in ranked[:REASONS]
    ]


def _provenance(found: Findings) -> list[tuple[str, str]]:
    versions = found.sweep.description.get("versions")
    run = _first(found)
    record = {"versions": versions if isinstance(versions, dict) else run.part("versions") if run else {}}
    rows = provenance(Run(found.sweep.folder, record, ""))
    spent = _total_time(found)
    return [*rows, ("simulated, all runs together", spent)] if spent else rows
