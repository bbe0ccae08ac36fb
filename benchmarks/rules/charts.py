"""The charts of the comparison as SVG: the same records give the same picture; each names the records it was made from.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from benchmarks.rules import findings
from benchmarks.rules.findings import Group, Record
from benchmarks.rules.grid import BITS, BUDGETS, CONTESTANTS, FRACTIONS, SETS, from_labels
from edgesdt import units

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FOLDER: Final = Path(__file__).resolve().parent / "figures"
LABELS: Final = 0.1
"""Share of the labels that the read-outs of the charts know, of chips that learn without labels."""
COLOURS: Final = ("#2b70b8", "#d66026", "#2a9d6f", "#8a56b5")
INK, MUTED, GRID = "#1c2733", "#66727f", "#dfe4e9"
_STYLE: dict[Any, Any] = {
    "svg.hashsalt": "edgesdt", "font.family": "DejaVu Sans", "font.size": 8.5, "axes.titlesize": 9,
    "axes.titlelocation": "left", "text.color": INK, "axes.titlecolor": INK, "axes.labelcolor": MUTED,
    "axes.edgecolor": GRID, "xtick.color": MUTED, "ytick.color": MUTED, "grid.color": GRID, "legend.frameon": False,
}  # fmt: skip
NAMES: Final = {"mnist": "MNIST", "fashion_mnist": "Fashion-MNIST"}
KINDS: Final = {False: "no labels in learning, read out with 10 % of them", True: "learning from labels"}


def digest(records: Sequence[Record]) -> str:
    """Of the records; every chart holds it."""
    return hashlib.sha256(findings.text_of(records).encode()).hexdigest()[:16]


def path_of(name: str) -> Path:
    """The file of a chart."""
    return FOLDER / f"rules_{name}.svg"


def is_current(name: str, records: Sequence[Record]) -> bool:
    """Whether the chart was made from these records."""
    path = path_of(name)
    return path.exists() and digest(records) in path.read_text(encoding="utf-8")


def draw(name: str, records: Sequence[Record]) -> bytes:
    """The SVG of one of `CHARTS`: a row for each data set, a column without labels in learning and one with them."""
    import matplotlib
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    chart, sets = CHARTS[name]
    shown = [one for one in sets if findings.groups(records, data=one)]
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(_STYLE)
        figure = Figure(figsize=(9.2, 3.1 * len(shown) + 0.35))
        FigureCanvasSVG(figure)
        grid = figure.subplots(len(shown), 2, squeeze=False)
        for row, one in zip(grid, shown, strict=True):
            for axes, own in zip(row, KINDS, strict=True):
                found = [g for g in findings.groups(records, data=one) if from_labels(g.case.contestant) == own]
                chart(axes, found)
                kind = KINDS[own].partition(",")[0] if name == "labels" else KINDS[own]
                axes.set_title(f"{NAMES[one]}: {kind}")
                axes.grid(linewidth=0.8)
                axes.set_axisbelow(True)
                axes.spines[["top", "right"]].set_visible(False)
                if axes.lines:
                    axes.legend(fontsize=7.5, loc="best")
        figure.tight_layout()
        return _saved(figure, name, digest(records))


def _saved(figure: Figure, name: str, of: str) -> bytes:
    target = io.BytesIO()
    told = {"Title": name, "Description": f"records {of}", "Creator": "python -m benchmarks.rules", "Date": None}
    figure.savefig(target, format="svg", metadata=told)
    return target.getvalue()


def _colour(group: Group) -> str:
    titles = list(dict.fromkeys(CONTESTANTS[name].title for name in CONTESTANTS if _same_kind(name, group)))
    return COLOURS[titles.index(group.title)]


def _same_kind(name: str, group: Group) -> bool:
    return from_labels(name) == from_labels(group.case.contestant)


def _labels(group: Group) -> float:
    return 1.0 if group.own else LABELS


def _lines(
    axes: Axes, found: Sequence[Group], of: Callable[[Group], float], stage: str, labels: Callable[[Group], float]
) -> None:
    """A line for each contestant over `of`, with intervals over seeds, and a dashed one for its control."""
    for name in dict.fromkeys(group.case.contestant for group in found):
        mine = sorted((group for group in found if group.case.contestant == name), key=of)
        colour, xs = _colour(mine[0]), [of(group) for group in mine]
        made = [group.accuracy(stage, labels(group)) for group in mine]
        bars = [100 * (each.half or 0.0) for each in made]
        ys = [100 * each.mean for each in made]
        axes.errorbar(xs, ys, bars, color=colour, marker="o", markersize=3.5, linewidth=1.6, label=mine[0].title)
        if not mine[0].own:
            control = [100 * group.accuracy("untrained", labels(group)).mean for group in mine]
            axes.plot(xs, control, color=colour, linewidth=1, linestyle=(0, (4, 3)), alpha=0.8)
    axes.set_ylabel("accuracy [%]")


def _ticks(axes: Axes, values: Sequence[float], texts: Sequence[str], label: str) -> None:
    axes.set_xscale("log")
    axes.set_xticks(values, texts)
    axes.minorticks_off()
    axes.set_xlabel(label)


def _memory(axes: Axes, found: Sequence[Group]) -> None:
    every = [g for g in found if g.case.part == "memory" and g.case.fraction == 1.0]
    _lines(axes, every, lambda group: group.case.budget, "last", _labels)
    _ticks(axes, BUDGETS, [f"{budget} KiB" if budget < 1024 else "1 MiB" for budget in BUDGETS], "memory on the chip")


def _energy(axes: Axes, found: Sequence[Group]) -> None:
    for group in found:
        if group.case.part == "memory" and group.case.fraction == 1.0 and group.case.budget == BUDGETS[1]:
            curve = [point for point in group.first["curve"] if point[1] > 0]
            xs, ys = [point[1] for point in curve], [100 * point[2] for point in curve]
            axes.plot(xs, ys, color=_colour(group), linewidth=1.6, marker="o", markersize=2.6, label=group.title)
            if not group.own:
                control = 100 * group.first["curve"][0][2]
                axes.axhline(control, color=_colour(group), linewidth=1, linestyle=(0, (4, 3)), alpha=0.8)
    joules = (1e-4, 1e-3, 1e-2, 0.1, 1, 10)
    _ticks(axes, joules, [units.format_energy(each) for each in joules], "training energy")
    axes.set_ylabel("accuracy [%]")


def _fewer(axes: Axes, found: Sequence[Group]) -> None:
    every = [g for g in found if g.case.part == "memory" and g.case.budget == BUDGETS[1]]
    for group in [g for g in every if not g.own]:
        colour, xs = _colour(group), [100 * share for share in FRACTIONS]
        for stage, style in (("last", "-"), ("untrained", "--")):
            made = [100 * group.accuracy(stage, share).mean for share in FRACTIONS]
            label = group.title if stage == "last" else None
            axes.plot(xs, made, style, color=colour, marker="o" if label else None, markersize=3.5, label=label)
    _lines(axes, [g for g in every if g.own], lambda group: 100 * group.case.fraction, "last", lambda group: 1.0)
    _ticks(axes, [100 * share for share in FRACTIONS], [f"{100 * share:g} %" for share in FRACTIONS], "known labels")


def _bits(axes: Axes, found: Sequence[Group]) -> None:
    _lines(axes, [g for g in found if g.case.part == "bits"], lambda group: group.case.bits, "last", _labels)
    _ticks(axes, BITS, [str(bits) for bits in BITS], "bits of a weight")


CHARTS: Final[Mapping[str, tuple[Callable[[Any, Sequence[Group]], None], tuple[str, ...]]]] = {
    "memory": (_memory, SETS),
    "energy": (_energy, SETS),
    "labels": (_fewer, SETS),
    "bits": (_bits, SETS[:1]),
}
"""Name of a chart -> what draws one panel, and the data sets of its rows."""
