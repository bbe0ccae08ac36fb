"""The chart of a Pareto front: accuracy over one cost; fronts are step lines, all other points are faded; see `svg`."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from edgesdt.report.drawing import charts, svg
from edgesdt.report.drawing.svg import Marks
from edgesdt.report.run.curves import Chart
from edgesdt.report.sweep.metrics import Metric
from edgesdt.report.sweep.statistics.points import Point

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST = 1200  # maximum faded points in a chart; if there are more, one for each cell of a fine grid
_BARRED = 40  # intervals of faded points are drawn up to this number of points
_NUMBERED = 30  # maximum points of a front with a printed number


@dataclass(frozen=True)
class Dots:
    """Points with the same style: positions, accuracies, tooltips, links, and ends of 95 % intervals, of equal length.

    A point without an interval has an interval of width 0.
    """

    x: Sequence[float] = ()
    y: Sequence[float] = ()
    tips: Sequence[str] = ()
    links: Sequence[str] = ()
    low: Sequence[float] = ()
    high: Sequence[float] = ()

    def only(self, chosen: Sequence[int]) -> Dots:
        """The points at some indices."""
        return Dots(
            [self.x[i] for i in chosen],
            [self.y[i] for i in chosen],
            [self.tips[i] for i in chosen],
            [self.links[i] for i in chosen],
            [self.low[i] for i in chosen],
            [self.high[i] for i in chosen],
        )


@dataclass(frozen=True)
class Fronts:
    """The content of one chart: `lines` (label, colour, points from the cheapest), and the points on no line.

    `numbers` are printed beside points of the first line, by index in the line.
    """

    lines: Sequence[tuple[str, int, Dots]]
    faded: Dots = field(default_factory=Dots)
    outside: Dots = field(default_factory=Dots)
    numbers: Mapping[int, str] = field(default_factory=dict)

    @property
    def all(self) -> list[Dots]:
        """Every group of points."""
        return [self.faded, self.outside, *(dots for _, _, dots in self.lines)]


@dataclass(frozen=True)
class Drawn:
    """A chart, the number of faded points it draws, and their total."""

    chart: Chart
    drawn: int
    of: int


def dots(points: Sequence[Point], metric: Metric, tips: Sequence[str], links: Sequence[str]) -> Dots:
    """The points that have both figures."""
    chosen = [i for i, p in enumerate(points) if p.accuracy is not None and p.figure(metric) is not None]
    x = [points[i].figure(metric) or 0.0 for i in chosen]
    found = [accuracy for i in chosen if (accuracy := points[i].accuracy) is not None]
    y, low, high = ([getattr(a, name) for a in found] for name in ("mean", "low", "high"))
    return Dots(x, y, [tips[i] for i in chosen], [links[i] for i in chosen], low, high)


def thinned(x: Sequence[float], y: Sequence[float], most: int = MOST) -> list[int]:
    """At most `most` indices: all, or the first in each cell of the finest sufficient grid."""
    if len(x) <= most:
        return list(range(len(x)))
    low_x, low_y = min(x), min(y)
    wide, high = (max(x) - low_x) or 1.0, (max(y) - low_y) or 1.0
    cells = 256
    while True:
        kept: dict[tuple[int, int], int] = {}
        for i, (a, b) in enumerate(zip(x, y, strict=True)):
            kept.setdefault((int(cells * (a - low_x) / wide), int(cells * (b - low_y) / high)), i)
        if len(kept) <= most:
            return list(kept.values())
        cells = cells * 3 // 4


def draw(key: str, metric: Metric, fronts: Fronts) -> Drawn | None:
    """The chart of accuracy over `metric`; None if there is no point. `key` is unique on the page."""
    xs = [x for group in fronts.all for x in group.x]
    if not xs:
        return None
    barred = [group for _, _, group in fronts.lines]
    barred += [fronts.faded] if len(fronts.faded.x) <= _BARRED else []
    ends = [end for group in barred for end in (*group.low, *group.high)]
    scale = charts.with_bars([y for group in fronts.all for y in group.y], ends)
    log = min(xs) > 0 and max(xs) > 6 * min(xs)
    places = [math.log10(x) if log else x for x in fronts.faded.x]
    faded = fronts.faded.only(thinned(places, [scale.height(y) for y in fronts.faded.y]))
    marks = [Marks("faded", faded.tips, faded.links, False), _marks("outside", fronts.outside, False)]
    marks += [_marks(f"front{i}", group, True) for i, (_, _, group) in enumerate(fronts.lines)]

    def fill(axes: Axes) -> None:
        scale.show(axes)
        if log:
            axes.set_xscale("log")
        if fronts.faded in barred:
            _intervals(axes, faded, scale, 0, 0.8)
        _scatter(axes, faded, scale, "o", 0, 4.2, "faded")
        _scatter(axes, fronts.outside, scale, "x", 0, 3.4, "outside")
        for i, (_, colour, group) in enumerate(fronts.lines):
            heights = [scale.height(y) for y in group.y]
            _intervals(axes, group, scale, colour, 1.4)
            axes.step(group.x, heights, where="post", color=svg.colour(colour), linewidth=1.3)
            _scatter(axes, group, scale, "o", colour, 6, f"front{i}")
        _number(axes, fronts, scale)
        charts.frame(axes, metric.title)
        _ticks(axes, metric, log)

    title = f"Accuracy over {metric.title}"
    element = svg.element(key, title, (6.2, 3.3), fill, marks)
    return Drawn(Chart(title, element, _legend(fronts)), len(faded.x), len(fronts.faded.x))


def _marks(group: str, found: Dots, reachable: bool) -> Marks:
    return Marks(group, found.tips, found.links, reachable)


def _scatter(
    axes: Axes, found: Dots, scale: charts.ErrorScale, sign: str, colour: int, size: float, group: str
) -> None:
    heights = [scale.height(y) for y in found.y]
    edge = 1.0 if sign == "x" else 0.0
    opaque = 0.7 if colour == 0 else 1.0
    axes.plot(
        found.x, heights, sign, color=svg.colour(colour), markersize=size, markeredgewidth=edge, alpha=opaque, gid=group
    )


def _intervals(axes: Axes, found: Dots, scale: charts.ErrorScale, colour: int, width: float) -> None:
    low = [scale.height(max(end, 0.0)) for end in found.low]
    high = [scale.height(min(end, 1.0)) for end in found.high]
    axes.vlines(found.x, low, high, color=svg.colour(colour), linewidth=width, alpha=0.6 if colour == 0 else 0.8)


def _number(axes: Axes, fronts: Fronts, scale: charts.ErrorScale) -> None:
    """Prints numbers above left of their points; if two are close, the second is below right."""
    step = -(-len(fronts.numbers) // _NUMBERED) or 1
    axes.get_xlim()  # fixes the limits that transLimits reads
    last, below = (float("-inf"), float("-inf")), False
    for i in list(fronts.numbers)[::step]:
        group = fronts.lines[0][2]
        at = (group.x[i], scale.height(group.y[i]))
        x, y = axes.transLimits.transform(axes.transScale.transform(at))
        below = x - last[0] < 0.035 and y - last[1] < 0.06 and not below
        last = (x, y)
        place, side = ((5, -9), "left") if below else ((-4, 4), "right")
        axes.annotate(fronts.numbers[i], at, place, textcoords="offset points", fontsize=7.5, ha=side)


def _legend(fronts: Fronts) -> list[tuple[int, int, bool, str]]:
    legend = [(colour, 0, False, label) for label, colour, _ in fronts.lines]
    legend += [(0, charts.POINTS, False, "dominated")] if fronts.faded.x else []
    return legend + ([(0, charts.CROSSES, False, "outside the constraints")] if fronts.outside.x else [])


def _ticks(axes: Axes, metric: Metric, log: bool) -> None:
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    if log:
        charts.logarithmic(axes, metric.form, metric.step)
    else:
        low, high = axes.get_xlim()
        step = metric.step
        while step > 1.0 and high - low < 3 * step:
            step /= 2
        ticks = MaxNLocator(6, steps=[1, 2, 2.5, 5, 10]).tick_values(low / step, high / step)
        axes.set_xticks([step * t for t in ticks if low <= step * t <= high])
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: metric.form(value)))
