"""Runs and sweeps side by side: tables show a sweep by its most accurate point, charts by its fronts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from edgesdt.errors import EdgesdtError
from edgesdt.pricing import omissions, tables
from edgesdt.report.drawing import wording
from edgesdt.report.drawing.svg import SERIES
from edgesdt.report.files.folders import Run, number, read
from edgesdt.report.run import comparison, curves, summary
from edgesdt.report.run.curves import Chart
from edgesdt.report.sweep import metrics, recommendations
from edgesdt.report.sweep.charts import front as front_charts
from edgesdt.report.sweep.charts.front import Dots, Fronts
from edgesdt.report.sweep.metrics import FRONTS, Metric
from edgesdt.report.sweep.results import Findings, Links, mean_run


def view(items: Sequence[Run | Findings], out: Path) -> dict[str, Any]:
    """The data for the template above the single reports; its rows are in the order of `items`."""
    runs = [item if isinstance(item, Run) else _best(item) for item in items]
    mixed = comparison.of_tables(runs)
    named = [f"{run.label} ({tables.at_node(run.record)})" if mixed else run.label for run in runs]
    drawn = [replace(run, label=label) for run, label in zip(runs, named, strict=True)]
    sweeps = [item for item in items if isinstance(item, Findings)]
    return {
        "headings": comparison.headings(runs),
        "rows": comparison.table(runs),
        "differences": comparison.differences(runs),
        "names": [run.label for run in runs],
        "charts": _fronts(items, out, named) if sweeps else curves.of_runs(drawn),
        "stacks": comparison.stacks(drawn),
        "lead": sorted({wording.readout(key) for key in map(summary.best_key, runs) if key}),
        "sweeps": len(sweeps),
        "mixed": mixed,
        "caveats": [f"{run.label}: {sentence}" for run in runs for sentence in omissions.of_prices(run.record)],
    }


def _best(found: Findings) -> Run:
    """The most accurate point of a sweep as a run; if there is none, a run with only the base spec."""
    if found.lead is None:
        return Run(found.sweep.folder, {"accuracy": {}, "spec": found.sweep.spec}, found.sweep.label)
    label = f"{found.sweep.label}: best of {len(found.allowed):,} points"
    mean = mean_run(found.sweep, found.lead.point, label)
    return Run(mean.folder, mean.record | {"spec": _as_run(mean)}, label)


def _as_run(run: Run) -> dict[str, Any]:
    """The spec in the run's own record (constants rounded to registers), else the planned spec."""
    try:
        spec = read(run.folder).get("spec")
    except EdgesdtError:
        spec = None
    return spec if isinstance(spec, dict) else dict(run.part("spec"))


def _fronts(items: Sequence[Run | Findings], out: Path, names: Sequence[str]) -> list[Chart]:
    """One chart for each cost: the front of every sweep, and every run as a point; `names` are for the legend."""
    drawn = []
    for metric in metrics.COSTS:
        if metric.key not in FRONTS:
            continue
        lines = [(names[i], i % SERIES + 1, _dots(item, metric, out)) for i, item in enumerate(items)]
        kept = [line for line in lines if line[2].x]
        chart = front_charts.draw(f"all-{metric.key}", metric, Fronts(kept))
        drawn += [chart.chart] if chart else []
    return drawn


def _dots(item: Run | Findings, metric: Metric, out: Path) -> Dots:
    if isinstance(item, Findings):
        link, accuracy = Links(item.sweep, out), item.metrics.accuracy
        front = [item.allowed[i] for i in item.fronts.get(metric.key, [])]
        tips = [
            f"{item.sweep.label}, {item.words(p)}: {recommendations.accuracy_text(p, accuracy)}, {p.told(metric)}"
            for p in front
        ]
        return front_charts.dots(front, metric, tips, [link(p.runs[0]) for p in front])
    share = number(item.part("accuracy").get(summary.best_key(item) or ""))
    cost = metric.of(item.record)
    if share is None or cost is None:
        return Dots()
    told = f"{item.label}: {wording.percent(share, summary.samples_tested(item))}, {metric.form(cost)}"
    return Dots([cost], [share], [told], [""], [share], [share])
