"""The charts of a report: a run's learning curve with its control, and several runs on one pair of axes.

Numbers come from `folders`, labels from `wording`; `charts` draws.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from itertools import accumulate
from typing import Any

from edgesdt.pricing import omissions
from edgesdt.report.drawing import charts, wording
from edgesdt.report.files.folders import Run, number
from edgesdt.report.run import phases, summary


@dataclass(frozen=True)
class Chart:
    """An SVG element, its title, and its legend: colour number, dash number, whether it is a horizontal line, text."""

    title: str
    svg: str
    legend: list[tuple[int, int, bool, str]]


def _is_accuracy(run: Run, key: str) -> bool:
    return (
        key in run.part("accuracy")
        or key in wording.READOUTS
        or key.startswith(("direct_", "linear", "output"))
    )


def _points(run: Run, key: str) -> tuple[list[float], list[float]]:
    """Epochs and values of one key of the curve; rows without it are left out."""
    rows = enumerate(run.record.get("curve") or [], start=1)
    pairs = [(number(row.get("epoch", i)), number(row.get(key))) for i, row in rows]
    kept = [(x, y) for x, y in pairs if x is not None and y is not None]
    return [x for x, _ in kept], [y for _, y in kept]


def keys(run: Run) -> list[str]:
    """Every key of the curve except the epoch, in order of first appearance."""
    rows: list[Mapping[str, Any]] = run.record.get("curve") or []
    return [
        key
        for key in dict.fromkeys(k for row in rows for k in row)
        if key != "epoch" and _points(run, key)[1]
    ]


def table(run: Run) -> tuple[list[str], list[list[str]]]:
    """The curve's values as text: a heading and one row per epoch."""
    names = keys(run)
    heading = ["epoch"] + [
        wording.readout(key) if _is_accuracy(run, key) else wording.label(key) for key in names
    ]
    rows = []
    for i, row in enumerate(run.record.get("curve") or [], start=1):
        rows.append([wording.count(row.get("epoch", i))] + [_value(run, key, row.get(key)) for key in names])
    return heading, rows


def _value(run: Run, key: str, value: object) -> str:
    if _is_accuracy(run, key):
        return wording.percent(number(value), summary.samples_tested(run))
    return wording.quantity(key, value)


def cumulative_energy(run: Run) -> tuple[list[float], list[float]]:
    """Epochs and cumulative training energy [J], from values recorded per epoch or as a running sum."""
    epochs, spent = _points(run, "energy_j")
    total = number(run.part("energy_j").get("train_total"))
    summed = list(accumulate(spent))
    if spent and total and abs(summed[-1] - total) < abs(spent[-1] - total):
        return epochs, summed
    return epochs, spent


def of_run(run: Run, prefix: str) -> list[Chart]:
    """The charts of one run: accuracy with its control, then a small chart for every other key of the curve."""
    names = keys(run)
    found = [key for key in names if _is_accuracy(run, key)]
    drawn = [_accuracy_of_run(run, found, f"{prefix}accuracy")] if found else []
    for i, key in enumerate(names):
        if key in found or len(_points(run, key)[0]) < 2:
            continue
        x, y = cumulative_energy(run) if key == "energy_j" else _points(run, key)
        title = "training energy so far" if key == "energy_j" else wording.label(key)
        form = partial(wording.quantity, key)
        tips = [f"epoch {e:g}: {wording.quantity(key, v)}" for e, v in zip(x, y, strict=True)]
        line = charts.Line(title, x, y, tips)
        svg = charts.plain(f"{prefix}curve{i}", f"{title} over epochs", line, "epoch", form)
        drawn.append(Chart(title, svg, []))
    return drawn


def _accuracy_of_run(run: Run, names: list[str], key: str) -> Chart:
    n, accuracy = summary.samples_tested(run), run.part("accuracy")
    lines = []
    for i, name in enumerate(names):
        x, y = _points(run, name)
        what = wording.readout(name)
        tips = [f"{what}, epoch {e:g}: {wording.percent(v, n)}" for e, v in zip(x, y, strict=True)]
        lines.append(charts.Line(what, x, y, tips, i))
    for i, name in enumerate(names):
        control = number(accuracy.get(f"untrained_{name}"))
        if control is not None:
            text = f"{wording.readout('untrained_' + name)} ({wording.percent(control, n)})"
            lines.append(charts.Line(text, [], [control], [], i, rule=True))
    title = "Accuracy over epochs"
    legend = [(line.colour, line.dash, line.rule, line.label) for line in lines]
    return Chart(title, charts.accuracy(key, title, lines, "epoch", spans=phases.spans(run)), legend)


def of_runs(runs: list[Run]) -> list[Chart]:
    """The charts of a comparison: each run's leading accuracy over epochs, and over training energy spent."""
    over_epochs, over_energy = [], []
    for i, run in enumerate(runs):
        key = summary.best_key(run)
        if key is None:
            continue
        n = summary.samples_tested(run)
        x, y = _points(run, key)
        tips = [f"{run.label}, epoch {e:g}: {wording.percent(v, n)}" for e, v in zip(x, y, strict=True)]
        if x:
            over_epochs.append(charts.Line(run.label, x, y, tips, i))
        spent = dict(zip(*cumulative_energy(run), strict=True))
        whole = omissions.whole(run.record, "energy_j")  # without this, it would seem to learn with less energy
        known = [(spent[e], v) for e, v in zip(x, y, strict=True) if whole and spent.get(e, 0) > 0]
        tips = [f"{run.label}, {wording.energy(j)}: {wording.percent(v, n)}" for j, v in known]
        if known:
            over_energy.append(charts.Line(run.label, [j for j, _ in known], [v for _, v in known], tips, i))
    drawn = []
    for key, title, lines, x_label, log_x in (
        ("all-epochs", "Accuracy over epochs", over_epochs, "epoch", False),
        ("all-energy", "Accuracy over training energy", over_energy, "training energy spent", True),
    ):
        if lines:
            legend = [(line.colour, line.dash, line.rule, line.label) for line in lines]
            drawn.append(Chart(title, charts.accuracy(key, title, lines, x_label, log_x=log_x), legend))
    return drawn
