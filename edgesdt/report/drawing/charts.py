"""Line charts of runs, and the axis of accuracies that all charts share; `svg` turns them into page elements."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from edgesdt.report.drawing import svg, wording
from edgesdt.report.drawing.svg import SERIES, Marks

if TYPE_CHECKING:
    from matplotlib.axes import Axes

DASHES = ("-", (0, (5, 2)), (0, (1.5, 1.8)), (0, (6, 2, 1.5, 2)))  # used in turn when the colours repeat
POINTS, CROSSES = 8, 9  # instead of a dash pattern: points without a line

_FRACTIONS = [0.9, 0.5, 0.99, 0.999, 0.0, 0.8, 0.95, 0.98, 0.7, 0.6, 0.97, 0.995, 0.85, 0.96, 0.93, 0.2, 0.4]
_FRACTIONS += [0.998, 0.9999, 0.1, 0.3, 0.92, 0.94, 0.91, 0.985, 0.75, 0.65, 0.55, 0.975]


@dataclass(frozen=True)
class Line:
    """One series. `x`, `y` and `tips` (the texts shown on hovering a point) are of equal length.

    `rule` draws a dashed horizontal line at `y[0]` instead, with no points: a control.
    """

    label: str
    x: Sequence[float]
    y: Sequence[float]
    tips: Sequence[str]
    index: int = 0
    rule: bool = False

    @property
    def colour(self) -> int:
        """Number of the CSS variable, 1..8."""
        return self.index % SERIES + 1

    @property
    def dash(self) -> int:
        """Index into `DASHES`, so that a ninth line differs from the first."""
        return self.index // SERIES % len(DASHES)


@dataclass(frozen=True)
class Span:
    """A stretch of the horizontal axis with a name: a phase of a run, from its first epoch to its last."""

    label: str
    first: float
    last: float


def accuracy(
    key: str,
    title: str,
    lines: Sequence[Line],
    x_label: str,
    *,
    log_x: bool = False,
    spans: Sequence[Span] = (),
) -> str:
    """Accuracies (fractions) over epochs or energy, on a scale that is logarithmic in the error.

    Equal factors of the error have equal heights: the distance from 90 to 95 % is that from 95 to 97.5 %. So a learning
    curve and its untrained control share one axis, and the curve is not flattened. A line stands between two `spans`.
    """
    scale = ErrorScale([y for line in lines for y in line.y])

    def draw(axes: Axes) -> None:
        flat = [Line(n.label, n.x, [scale.height(y) for y in n.y], n.tips, n.index, n.rule) for n in lines]
        scale.show(axes)
        _lines(axes, flat, log_x)
        _spans(axes, spans, scale.high)

    return _svg(key, title, (6.2, 3.1), draw, x_label, log_x, lines)


def _spans(axes: Axes, spans: Sequence[Span], top: float) -> None:
    """A line where a span ends and the next begins, and the name of each at its left end."""
    for before, after in pairwise(spans):
        axes.axvline((before.last + after.first) / 2, color=svg.MUTED, linestyle=(0, (1.5, 2.5)), linewidth=0.9)
    for span in spans:
        axes.text(span.first, top, span.label, color=svg.MUTED, fontsize=8, va="bottom", ha="left")


class ErrorScale:
    """A vertical axis for accuracies (fractions), logarithmic in the error, which can show an error of 0."""

    def __init__(self, fractions: Sequence[float]) -> None:
        self.floor = min([*(1 - y for y in fractions if y < 1), 0.1]) / 2
        self.low, self.high = _padded([self.height(y) for y in fractions])

    def height(self, fraction: float) -> float:
        """Position of an accuracy on the axis."""
        return -math.log10(max(1 - fraction, self.floor))

    def show(self, axes: Axes) -> None:
        """Sets limits and ticks of the axis, in per cent."""
        axes.set_ylim(self.low, self.high)
        ticks = _fraction_ticks(self.low, self.high, self.height)
        axes.set_yticks([self.height(t) for t in ticks], [f"{100 * t:.6g} %" for t in ticks])


def with_bars(shown: Sequence[float], ends: Sequence[float]) -> ErrorScale:
    """An axis that holds all of `shown`, and as much of the intervals as leaves enough space for the points."""
    low, high = min(shown), max(shown)
    low, high = max(low - 0.5 * (high - low) - 0.005, 0.0), min(high + 0.5 * (1 - high), 1.0)
    return ErrorScale([*shown, *(min(max(end, low), high) for end in ends)])


def plain(key: str, title: str, line: Line, x_label: str, form: Callable[[float], str]) -> str:
    """A small chart of one quantity over epochs; its linear scale includes zero if values come close to it."""

    def draw(axes: Axes) -> None:
        from matplotlib.ticker import FuncFormatter, MaxNLocator

        low, high = _padded(line.y)
        axes.set_ylim(0 if 0 <= min(line.y) <= max(line.y) / 2 else low, high)
        axes.yaxis.set_major_locator(MaxNLocator(4, steps=[1, 2, 2.5, 5, 10]))
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: form(value)))
        _lines(axes, [line], False)

    return _svg(key, title, (3.1, 1.75), draw, x_label, False, [line])


def _padded(values: Sequence[float]) -> tuple[float, float]:
    low, high = min(values), max(values)
    pad = 0.07 * (high - low) or 0.05 * abs(high) or 0.1
    return low - pad, high + pad


def _fraction_ticks(low: float, high: float, height: Callable[[float], float]) -> list[float]:
    """Round accuracies inside the axis, the roundest first, none closer than a tenth of the axis."""
    from matplotlib.ticker import MaxNLocator

    kept: list[float] = []
    for fraction in _FRACTIONS:
        at = height(fraction)
        if low <= at <= high and all(abs(at - height(k)) > (high - low) / 10 for k in kept):
            kept.append(fraction)
    if len(kept) >= 4:
        return sorted(kept)
    ends = [1 - 10**-low, 1 - 10**-high]
    ticks = [round(float(t), 9) for t in MaxNLocator(5).tick_values(*ends)]
    return [t for t in ticks if t < 1 and low <= height(t) <= high]


def _lines(axes: Axes, lines: Sequence[Line], log_x: bool) -> None:
    if log_x:
        axes.set_xscale("log")
    for i, line in enumerate(lines):
        colour = svg.colour(line.colour)
        if line.rule:
            axes.axhline(line.y[0], color=colour, linestyle=(0, (4, 3)), linewidth=1.1)
            continue
        style = DASHES[line.dash]
        axes.plot(line.x, line.y, color=colour, linestyle=style, linewidth=1.6, solid_joinstyle="round")
        size = 3.6 if len(line.x) <= 40 else 1.6
        axes.plot(line.x, line.y, "o", color=colour, markersize=size, markeredgewidth=0, gid=f"tips{i}")


def _svg(
    key: str,
    title: str,
    inches: tuple[float, float],
    draw: Callable[[Axes], None],
    x_label: str,
    log_x: bool,
    lines: Sequence[Line],
) -> str:
    def framed(axes: Axes) -> None:
        draw(axes)
        frame(axes, x_label)
        energies_or_epochs(axes, log_x)

    return svg.element(key, title, inches, framed, [Marks(f"tips{i}", n.tips) for i, n in enumerate(lines)])


def frame(axes: Axes, x_label: str) -> None:
    """Style of a chart: thin lines at the ticks and a base line."""
    axes.set_xlabel(x_label)
    axes.grid(axis="y", linewidth=0.8)
    axes.set_axisbelow(True)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.tick_params(length=0, pad=5)
    axes.margins(x=0.03)


def energies_or_epochs(axes: Axes, log_x: bool) -> None:
    """Ticks of the horizontal axis: whole numbers, or joules where it is logarithmic."""
    from matplotlib.ticker import MaxNLocator

    if log_x:
        logarithmic(axes, wording.energy)
    else:
        axes.xaxis.set_major_locator(MaxNLocator(8, integer=True, min_n_ticks=1, steps=[1, 2, 5, 10]))


def logarithmic(axes: Axes, form: Callable[[float], str], step: float = 1.0) -> None:
    """Ticks of a logarithmic horizontal axis, formatted by `form`; powers of two if `step` is not 1."""
    from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, NullLocator

    low, high = axes.get_xlim()
    if step == 1.0:
        axes.xaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0) if high < 100 * low else (1.0,), numticks=8))
    else:
        axes.xaxis.set_major_locator(FixedLocator(_powers_of_two(low, high, step)))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: form(value)))
    axes.xaxis.set_minor_locator(NullLocator())


def _powers_of_two(low: float, high: float, step: float) -> list[float]:
    """Powers of two times `step` from `low` to `high`.

    If there are many, only every second one (or fewer) is used; if there are few, halves between them are added.
    """
    first, last = math.ceil(math.log2(low / step)), math.floor(math.log2(high / step))
    stride = -(-(last + 1 - first) // 6) or 1
    ticks = [step * 2.0**power for power in range(first - 1, last + 1) if power % stride == 0]
    if last - first < 3:
        ticks = sorted([*ticks, *(1.5 * tick for tick in ticks)])
    return [tick for tick in ticks if low <= tick <= high]
