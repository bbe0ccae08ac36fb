"""The chart of accuracy against one parameter: level means and best points with 95 % intervals; see `svg`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from edgesdt.report.drawing import charts, svg
from edgesdt.report.drawing.svg import Marks
from edgesdt.report.run.curves import Chart
from edgesdt.report.sweep.metrics import Metric
from edgesdt.report.sweep.statistics.effects import Effect
from edgesdt.report.sweep.statistics.points import Estimate, measure, value_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_BESIDE_A_LEVEL = 40  # maximum single points drawn beside a level; more are thinned by rank
_IN_A_BIN = 300
_WHAT = ("mean over all else", "best point")


def scale_of(effects: Sequence[Effect]) -> charts.ErrorScale:
    """One vertical scale for the charts of all parameters, so that their slopes can be compared.

    It includes every point, and as much of the intervals as leaves enough space for the points: with two seeds,
    intervals can be very wide.
    """
    levels = [level for effect in effects for level in effect.levels]
    shown = [p.accuracy.mean for level in levels for p in level.points if p.accuracy]
    ends = [e for level in levels for e in _estimates(level.mean, level.best.accuracy)]
    return charts.with_bars(shown, [end for e in ends for end in (e.low, e.high)])


def _estimates(*found: Estimate | None) -> list[Estimate]:
    return [estimate for estimate in found if estimate is not None]


def draw(key: str, name: str, found: Effect, accuracy: Metric, scale: charts.ErrorScale) -> Chart:
    """The chart of one parameter with the label `name`; `key` is unique on the page."""
    series = ([level.mean for level in found.levels], _estimates(*(level.best.accuracy for level in found.levels)))
    marks = [
        Marks(f"tips{i}", [_tip(name, v.label, _WHAT[i], e, accuracy) for v, e in zip(found.levels, s, strict=True)])
        for i, s in enumerate(series)
    ]

    def fill(axes: Axes) -> None:
        scale.show(axes)
        if found.log:
            axes.set_xscale("log")
        xs, ys = _cloud(found)
        heights = [scale.height(y) for y in ys]
        axes.plot(xs, heights, "o", color=svg.colour(0), markersize=2.6, alpha=0.5, markeredgewidth=0)
        for i, estimates in enumerate(series):
            _series(axes, [level.x for level in found.levels], estimates, scale, i)
        charts.frame(axes, name)
        _ticks(axes, found)

    title = f"Accuracy by {name}"
    legend = [(1, 0, False, _WHAT[0]), (2, 1, False, _WHAT[1]), (0, charts.POINTS, False, "every point")]
    return Chart(title, svg.element(key, title, (4.1, 2.6), fill, marks), legend)


def _tip(name: str, label: str, what: str, found: Estimate, accuracy: Metric) -> str:
    told = f"{name} {label}: {what} {accuracy.form(found.mean)}"
    if found.half is None:
        return told
    return f"{told}, 95 % interval {accuracy.form(found.low)} to {accuracy.form(found.high)}"


def _series(
    axes: Axes, xs: Sequence[float], estimates: Sequence[Estimate], scale: charts.ErrorScale, i: int
) -> None:
    colour = svg.colour(i + 1)
    heights = [scale.height(e.mean) for e in estimates]
    low = [scale.height(max(e.low, 0.0)) for e in estimates]
    high = [scale.height(min(e.high, 1.0)) for e in estimates]
    axes.vlines(xs, low, high, color=colour, linewidth=1.6)
    axes.plot(xs, heights, color=colour, linewidth=1.4, linestyle=charts.DASHES[i])
    axes.plot(xs, heights, "o", color=colour, markersize=4.2, markeredgewidth=0, gid=f"tips{i}")


def _cloud(found: Effect) -> tuple[list[float], list[float]]:
    """Positions of single points: at their value, or beside their level, spread by accuracy and thinned."""
    xs: list[float] = []
    ys: list[float] = []
    most = _IN_A_BIN if found.scaled else _BESIDE_A_LEVEL
    for level in found.levels:
        ranked = sorted(
            (p.accuracy.mean, measure(found.path, p.values[found.path]) or 0.0) for p in level.points if p.accuracy
        )
        last = len(ranked) - 1
        kept = [ranked[round(i * last / (most - 1))] for i in range(most)] if len(ranked) > most else ranked
        for i, (accuracy, value) in enumerate(kept):
            spread = 0.16 * ((i * 7) % 11 / 10 - 0.5) if len(kept) > 1 else 0.0  # fixed, so reproducible
            xs.append(value if found.scaled else level.x + spread)
            ys.append(accuracy)
    return xs, ys


def _ticks(axes: Axes, found: Effect) -> None:
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    if found.log:
        charts.logarithmic(axes, lambda value: value_text(found.path, value))
    elif found.scaled:
        axes.xaxis.set_major_locator(MaxNLocator(5))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: value_text(found.path, value)))
    else:
        labels = [v.label if len(v.label) <= 14 else v.label[:13] + "…" for v in found.levels]
        crowded = sum(map(len, labels)) > 44
        turn, side = (30, "right") if crowded else (0, "center")
        axes.set_xticks([level.x for level in found.levels], labels, rotation=turn, ha=side)
        axes.set_xlim(-0.4, len(labels) - 0.6)
