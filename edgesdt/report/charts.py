"""Line charts as inline SVG, drawn by matplotlib and recoloured with the page's CSS variables (`page.css`).

Colours are drawn as sentinels and replaced by `var(--…)`, text stays text in the page's font, identifiers
are prefixed with the chart's key: one chart reads on a light and on a dark page, many fit on one page, and
the same numbers give the same bytes.
"""

from __future__ import annotations

import io
import math
import re
import xml.etree.ElementTree as ET
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from edgesdt.report import wording

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SERIES = 8  # colours before they repeat
DASHES = ("-", (0, (5, 2)), (0, (1.5, 1.8)), (0, (6, 2, 1.5, 2)))  # one for each time the colours are used up

_INK, _MUTED, _GRID = "#010101", "#020202", "#030303"
_VARIABLES = {_INK: "var(--ink)", _MUTED: "var(--muted)", _GRID: "var(--line)"}
_VARIABLES |= {f"#0404{i:02x}": f"var(--c{i})" for i in range(SERIES + 1)}
_STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "edgesdt",
    "font.family": "DejaVu Sans",  # ships with matplotlib: the same layout everywhere
    "font.size": 8.5,
    "text.color": _INK,
    "axes.labelcolor": _MUTED,
    "axes.edgecolor": _GRID,
    "axes.facecolor": "none",
    "figure.facecolor": "none",
    "savefig.facecolor": "none",
    "xtick.color": _MUTED,
    "ytick.color": _MUTED,
    "grid.color": _GRID,
    "path.simplify": False,
}
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
        """Which of `DASHES` it is drawn with, so that a ninth line differs from the first."""
        return self.index // SERIES % len(DASHES)


def accuracy(key: str, title: str, lines: Sequence[Line], x_label: str, *, log_x: bool = False) -> str:
    """Accuracies (fractions) over epochs or energy, on a scale that is logarithmic in the error.

    Equal factors in the error are equal heights: from 90 to 95 % is as far as from 95 to 97.5 %, so a
    learning curve and its untrained control share one axis without flattening the curve.
    """
    errors = [1 - y for line in lines for y in line.y if y < 1]
    floor = min([*errors, 0.1]) / 2

    def height(fraction: float) -> float:
        return -math.log10(max(1 - fraction, floor))

    def draw(axes: Axes) -> None:
        flat = [Line(n.label, n.x, [height(y) for y in n.y], n.tips, n.index, n.rule) for n in lines]
        low, high = _padded([y for line in flat for y in line.y])
        axes.set_ylim(low, high)
        ticks = _fraction_ticks(low, high, height)
        axes.set_yticks([height(t) for t in ticks], [f"{100 * t:.6g} %" for t in ticks])
        _lines(axes, flat, log_x)

    return _svg(key, title, (6.2, 3.1), draw, x_label, log_x, lines)


def plain(key: str, title: str, line: Line, x_label: str, form: Callable[[float], str]) -> str:
    """A small chart of one quantity over epochs; its linear scale includes zero where values come near it."""

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
        colour = f"#0404{line.colour:02x}"
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
    import matplotlib
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(_STYLE)
        figure = Figure(figsize=inches, layout="constrained")
        FigureCanvasSVG(figure)
        axes = figure.add_subplot()
        draw(axes)
        _frame(axes, x_label, log_x)
        return _inline(_saved(figure), key, title, lines)


def _frame(axes: Axes, x_label: str, log_x: bool) -> None:
    """Hair lines for the values, a base line, and nothing else. A logarithmic x axis holds joules."""
    from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator

    axes.set_xlabel(x_label)
    axes.grid(axis="y", linewidth=0.8)
    axes.set_axisbelow(True)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.tick_params(length=0, pad=5)
    axes.margins(x=0.03)
    if not log_x:
        axes.xaxis.set_major_locator(MaxNLocator(8, integer=True, min_n_ticks=1, steps=[1, 2, 5, 10]))
        return
    low, high = axes.get_xlim()
    axes.xaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0) if high < 100 * low else (1.0,), numticks=8))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda joules, _: wording.energy(joules)))
    axes.xaxis.set_minor_locator(NullLocator())


def _saved(figure: Figure) -> str:
    target = io.StringIO()
    figure.savefig(target, format="svg", metadata={"Date": None})
    return target.getvalue()


def _inline(document: str, key: str, title: str, lines: Sequence[Line]) -> str:
    """A standalone SVG as an element of the page: no name spaces, CSS colours, own identifiers, tooltips."""
    root = ET.fromstring(document)
    for node in root.iter():
        node.tag = node.tag.rpartition("}")[2]
        for name in [name for name in node.attrib if "}" in name]:
            node.set(name.rpartition("}")[2], node.attrib.pop(name))
    for extra in root.findall("metadata"):
        root.remove(extra)
    for definitions in root.findall("defs"):
        for rules in definitions.findall("style"):  # they would hold for the whole page; page.css has them
            definitions.remove(rules)
    for i, line in enumerate(lines):
        points = root.find(f".//g[@id='tips{i}']")
        for use, tip in zip(points.iter("use") if points is not None else (), line.tips, strict=False):
            ET.SubElement(use, "title").text = tip
    _restyle(root, key)
    root.attrib = {"viewBox": root.attrib["viewBox"], "class": "chart", "role": "img", "aria-label": title}
    return ET.tostring(root, encoding="unicode")


def _restyle(root: ET.Element, key: str) -> None:
    text = ET.tostring(root, encoding="unicode")
    used = set(re.findall(r'url\(#([^)]+)\)|href="#([^"]+)"', text))
    kept = {name for pair in used for name in pair if name}
    for node in root.iter():
        if node.get("id") in kept:
            node.set("id", f"{key}-{node.get('id')}")
        else:
            node.attrib.pop("id", None)
        for name, value in node.attrib.items():
            value = re.sub(r"url\(#", f"url(#{key}-", value)
            value = f"#{key}-{value[1:]}" if name == "href" and value.startswith("#") else value
            value = re.sub(
                r"#0[1-4]0[1-4]0[0-9]", lambda found: _VARIABLES.get(found.group(), found.group()), value
            )
            value = re.sub(r"font: ([\d.]+px) [^;]+", r"font-size: \1", value)
            node.set(name, re.sub(r" ?font-family: [^;]+;", "", value))
