"""The chart of the bit-width study as SVG: the same rows give the same picture, which names the rows it is made of."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from benchmarks.bits import rows
from benchmarks.bits.rows import Row, Setting

if TYPE_CHECKING:
    from matplotlib.axes import Axes

PATH: Final = Path(__file__).parent / "figures" / "bits.svg"
INK, MUTED, GRID = "#1c2733", "#66727f", "#dfe4e9"
COLOURS: Final = ("#2b70b8", "#d66026", "#2a9d6f")
_STYLE: Final[dict[Any, Any]] = {
    "svg.hashsalt": "edgesdt", "font.family": "DejaVu Sans", "font.size": 8.5, "axes.titlesize": 9,
    "axes.titlelocation": "left", "text.color": INK, "axes.titlecolor": INK, "axes.labelcolor": MUTED,
    "axes.edgecolor": GRID, "xtick.color": MUTED, "ytick.color": MUTED, "grid.color": GRID, "legend.frameon": False,
}  # fmt: skip
BITS, FRAC, HIDDEN = "chip.weights.bits", "chip.weights.frac_bits", "chip.weights.hidden_bits"
LEVELS, ROUNDING = "chip.weights.levels", "chip.weights.rounding"


def one_range(one: Setting) -> bool:
    """Whether weights reach ±1/128, as all do that are compared by width, and round stochastically."""
    return bool(one[FRAC] == one[BITS] + 6 and one[ROUNDING] == "stochastic")


def plain(one: Setting) -> bool:
    """Whether all bits are read, as they are stored."""
    return one_range(one) and one[HIDDEN] == 0 and one[LEVELS] == "floor"


def hiding(one: Setting) -> bool:
    """Whether bits are hidden, and reads round."""
    return one_range(one) and one[HIDDEN] > 0 and one[LEVELS] == "nearest"


def digest(found: Sequence[Row]) -> str:
    """Of the rows; the chart holds it."""
    return hashlib.sha256(rows.text_of(found).encode()).hexdigest()[:16]


def is_current(found: Sequence[Row]) -> bool:
    """Whether the chart was made from these rows."""
    return PATH.exists() and digest(found) in PATH.read_text(encoding="utf-8")


def draw(found: Sequence[Row]) -> bytes:
    """Accuracy over the bits of a stored weight, read whole or with hidden bits; accuracy over states and inputs."""
    import matplotlib
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(_STYLE)
        figure = Figure(figsize=(9.2, 3.3))
        FigureCanvasSVG(figure)
        left, right = figure.subplots(1, 2)
        _weights(left, found)
        _others(right, found)
        for axes in (left, right):
            axes.set_ylabel("accuracy, direct association [%]")
            axes.grid(linewidth=0.8)
            axes.set_axisbelow(True)
            axes.spines[["top", "right"]].set_visible(False)
            axes.legend(fontsize=7.5, loc="lower right")
        figure.tight_layout()
        target = io.BytesIO()
        told = {"Title": "bits", "Description": f"rows {digest(found)}", "Creator": "python -m benchmarks.bits"}
        figure.savefig(target, format="svg", metadata={**told, "Date": None})
        return target.getvalue()


def _weights(axes: Axes, found: Sequence[Row]) -> None:
    axes.set_title("Bits of a weight, hidden ones counted")
    _line(axes, "all read", rows.settings(found, "mnist_bits", plain), (BITS,), COLOURS[0])
    mine = [one for one in rows.settings(found, "mnist_bits", hiding) if one[BITS] == 2]
    _line(axes, "2 read, the others hidden", mine, (BITS, HIDDEN), COLOURS[1])
    axes.set_xlabel("bits stored")


def _others(axes: Axes, found: Sequence[Row]) -> None:
    axes.set_title("Bits of a state, of an input")
    for name, field, colour in (("state", "chip.states.bits", COLOURS[0]), ("input", "encoder.bits", COLOURS[1])):
        _line(axes, name, over(found, field), (field,), colour)
    axes.set_xlabel("bits")


def over(found: Sequence[Row], field: str) -> list[Setting]:
    """The settings that differ in a width of `mnist_widths` alone, narrow ones first."""
    mine = [one for one in rows.settings(found, "mnist_widths", usual) if base(one, field)]
    return sorted(mine, key=lambda one: int(one[field]))


def base(one: Setting, but: str = "") -> bool:
    """Whether all widths, `but` for one, are those of `mnist_1layer`."""
    widths = {"encoder.bits": 8, "chip.states.bits": 8, "chip.accumulator.bits": 32}
    return all(one[field] == bits for field, bits in widths.items() if field != but)


def usual(one: Setting) -> bool:
    """Whether learning rate and schedule are those of the other settings."""
    fields = ("learning.learning_rate", "learning.schedule.kind", "learning.schedule.final")
    return tuple(one[field] for field in fields) == (0.002, "linear", 0.001)


def _line(axes: Axes, label: str, found: Sequence[Setting], fields: Sequence[str], colour: str) -> None:
    """Means over seeds with their intervals, over the sum of some fields."""
    points = sorted((sum(one[field] for field in fields), one.accuracy) for one in found)
    x, y, ends = zip(*((at, value.mean, value.half or 0.0) for at, value in points), strict=True)
    axes.errorbar(x, y, ends, color=colour, marker="o", ms=3.5, lw=1.2, label=label)
