"""The charts of a sweep for the template: effects, fronts, energy along a front, sensitivity; see `view`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from edgesdt.report.drawing import wording
from edgesdt.report.files.sweeps import Row
from edgesdt.report.run import summary
from edgesdt.report.run.comparison import stacks
from edgesdt.report.run.curves import Chart
from edgesdt.report.sweep import recommendations
from edgesdt.report.sweep.charts import effect as effect_charts
from edgesdt.report.sweep.charts import front as front_charts
from edgesdt.report.sweep.metrics import Metric
from edgesdt.report.sweep.results import Findings, mean_run
from edgesdt.report.sweep.statistics import effects, points
from edgesdt.report.sweep.statistics.points import Point
from edgesdt.report.sweep.statistics.sensitivity import FEWEST, Sensitivity, by_forest, is_grid, on_grid

LISTED = 40  # maximum points of fronts in the table below the charts
STACKED = 14  # maximum bars of energy along a front
Link = Callable[[Row], str]


def runs_of(point: Point, link: Link) -> list[tuple[str, str]]:
    """Text and link of every run of a point."""
    return [("run" if row.seed is None else str(row.seed), link(row)) for row in point.runs]


def shown(found: Findings) -> list[Metric]:
    """The costs that tables show: those with a front and with figures."""
    costs = [metric for metric in found.metrics.costs if metric.key in found.fronts]
    return [metric for metric in costs if any(p.figure(metric) is not None for p in found.points)]


def effects_of(found: Findings, prefix: str) -> list[Chart]:
    """A chart of the accuracy against each parameter, all on one scale."""
    accuracy = found.metrics.accuracy
    drawn = [e for path in found.names if (e := effects.effect(found.points, path, accuracy)) is not None]
    if not drawn:
        return []
    scale = effect_charts.scale_of(drawn)
    return [
        effect_charts.draw(f"{prefix}effect{i}", found.names[e.path], e, accuracy, scale) for i, e in enumerate(drawn)
    ]


def _numbers(found: Findings) -> dict[int, str]:
    """Numbers of the points on a front, by their index among the allowed points; the cheapest in energy is first."""
    cost = found.metrics.costs[0]
    places = {i for front in found.fronts.values() for i in front}
    ranked = sorted(places, key=lambda i: (found.allowed[i].figure(cost) or 0.0, i))
    return {i: str(n) for n, i in enumerate(ranked, start=1)}


def fronts(found: Findings, prefix: str, link: Link) -> dict[str, Any]:
    """A chart for every cost, and a table of the points that are on a front, numbered as in the charts."""
    numbers, accuracy = _numbers(found), found.metrics.accuracy
    allowed = {id(p) for p in found.allowed}
    outside = [p for p in found.points if id(p) not in allowed]
    drawn = []
    for metric in shown(found):
        front = found.fronts[metric.key]
        chosen = set(front)

        def dots(those: Sequence[Point], metric: Metric = metric) -> front_charts.Dots:
            tips = [
                f"{found.words(p)}: {recommendations.accuracy_text(p, accuracy)}, {p.told(metric)}" for p in those
            ]
            return front_charts.dots(those, metric, tips, [link(p.runs[0]) for p in those])

        fronts = front_charts.Fronts(
            [("Pareto front", 1, dots([found.allowed[i] for i in front]))],
            dots([p for i, p in enumerate(found.allowed) if i not in chosen]),
            dots(outside),
            {place: numbers[i] for place, i in enumerate(front)},
        )
        chart = front_charts.draw(f"{prefix}front-{metric.key}", metric, fronts)
        drawn += [chart] if chart else []
    return {
        "charts": [d.chart for d in drawn],
        "thinned": next(((d.drawn, d.of) for d in drawn if d.drawn < d.of), None),
        "parameters": list(found.names.values()),
        "headings": [metric.title for metric in shown(found)],
        "rows": [_front_row(found, i, n, link) for i, n in list(numbers.items())[:LISTED]],
        "left": max(len(numbers) - LISTED, 0),
    }


def _front_row(found: Findings, i: int, n: str, link: Link) -> dict[str, Any]:
    p = found.allowed[i]
    return {
        "number": n,
        "values": [points.value_text(path, p.values[path]) if path in p.values else "" for path in found.names],
        "accuracy": recommendations.accuracy_text(p, found.metrics.accuracy),
        "figures": [(p.told(m), i in found.fronts[m.key]) for m in shown(found)],
        "runs": runs_of(p, link),
    }


def energy_along(found: Findings) -> list[Any]:
    """Energy by component of the points on the accuracy–energy front, the cheapest first."""
    front = found.fronts.get("energy", [])
    numbers = _numbers(found)
    if len(front) > STACKED:
        front = [front[round(i * (len(front) - 1) / (STACKED - 1))] for i in range(STACKED)]
    runs = []
    for i in front:
        p = found.allowed[i]
        words = [f"no. {numbers[i]}", found.words(p), recommendations.accuracy_text(p, found.metrics.accuracy)]
        label = " · ".join(words if len(words[1]) <= 60 else words[::2])
        runs.append(mean_run(found.sweep, p, label))
    return stacks(runs)


def sensitivities(found: Findings) -> dict[str, Any]:
    """The effect of each parameter on the accuracy and on every cost, with the method that suits the sweep."""
    paths = list(found.names)
    grid = bool(found.points) and is_grid(found.points, paths)
    figures, fits, accuracies = [], [], None
    for metric in (found.metrics.accuracy, *shown(found)):
        if len(paths) < 2:
            break
        worked = (on_grid if grid else by_forest)(found.points, paths, metric)
        if worked is not None:
            figures.append(_bars(found, worked, metric))
            fits.append((metric.title, "" if worked.fit is None else f"{worked.fit:.2f}"))
            accuracies = worked if metric is found.metrics.accuracy else accuracies
    asked = len(paths) > 1 and bool(found.points)
    made = {"figures": figures, "grid": grid, "fits": fits, "fewest": FEWEST, "asked": asked}
    return made | {"verdict": _verdict(found, accuracies, grid), "several": accuracies and accuracies.seeds > 1}


def _verdict(found: Findings, worked: Sensitivity | None, grid: bool) -> tuple[str, str] | None:
    """The parameter with the largest effect on the accuracy and its evidence; or why none can be named."""
    if worked is None:
        return None
    if worked.seeds < 2:
        return "No verdict", "one seed: the scatter of seeds is not known"
    if not worked.exceeding:
        return "No verdict", "no parameter exceeds the scatter of seeds"
    told = "explains {} of the variance of the accuracy" if grid else "{} of the importance for the accuracy"
    leading = " or ".join(found.names[path] for path in worked.leading)
    shares = ", ".join(told.format(wording.share(worked.shares[path], 1.0)) for path in worked.leading[:1])
    others = [found.names[path] for path in worked.exceeding if path not in worked.leading]
    beside = f"; {', '.join(others)} exceed{'s' * (len(others) == 1)} the scatter of seeds too" if others else ""
    which = "" if len(worked.leading) == 1 else "not distinguishable from each other; the first "
    return leading, f"{which}{shares}{beside}"


def _bars(found: Findings, worked: Sensitivity, metric: Metric) -> summary.Bars:
    ranked = sorted(worked.shares.items(), key=lambda item: (item[0] not in found.names, -item[1]))
    longest = max(max(worked.shares.values()), 1e-12)
    rows = []
    for path, share in ranked:
        name, colour = found.names.get(path, path), 1 if path in worked.exceeding or worked.seeds < 2 else 0
        colour = colour if path in found.names else 0
        rows.append(summary.Bar(name, wording.share(share, 1.0), "", 100 * share / longest, colour))
    return summary.Bars(metric.title[0].upper() + metric.title[1:], "", "", rows)
