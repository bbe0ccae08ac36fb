"""The chart of the bit-width study as SVG: the same rows give the same picture, which names the rows it is made of."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from benchmarks.bits import rows
from benchmarks.bits.rows import Row, Setting

if TYPE_CHECKING:
    from matplotlib.axes import Axes

PATH: Final = Path(__file__).parent / "figures" / "bits.svg"
INK, MUTED, GRID = "#1c2733", "#66727f", "#dfe4e9"
COLOURS: Final = ("#2b70b8", "#d66026", "#2a9d6f")
_STYLE: Final = {
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
    for bits, colour in ((2, COLOURS[1]), (4, COLOURS[2])):
        mine = rows.settings(found, "mnist_bits", lambda one, bits=bits: hiding(one) and one[BITS] == bits)
        _line(axes, f"{bits} read, the others hidden", mine, (BITS, HIDDEN), colour)
    axes.set_xlabel("bits stored")


def _others(axes: Axes, found: Sequence[Row]) -> None:
    axes.set_title("Bits of a state, of an input")
    base = {"encoder.bits": 8, "chip.states.bits": 8, "chip.accumulator.bits": 32}
    for name, field, colour in (("state", "chip.states.bits", COLOURS[0]), ("input", "encoder.bits", COLOURS[1])):
        others = {key: value for key, value in base.items() if key != field}
        mine = rows.settings(
            found, "mnist_widths", lambda one, others=others: usual(one) and all(one[k] == v for k, v in others.items())
        )
        _line(axes, name, mine, (field,), colour)
    axes.set_xlabel("bits")


def usual(one: Setting) -> bool:
    """Whether learning rate and schedule are those of the other settings."""
    schedule = one["learning.schedule"]
    rate, kind, final = one["learning.learning_rate"], schedule["kind"], schedule["final"]
    return bool((rate, kind, final) == (0.002, "linear", 0.001))


def _line(axes: Axes, label: str, found: Sequence[Setting], over: Sequence[str], colour: str) -> None:
    """Means over seeds with their intervals, over the sum of some fields."""
    points = sorted((sum(one[field] for field in over), one.accuracy) for one in found)
    x, y, ends = zip(*((at, value.mean, value.half or 0.0) for at, value in points), strict=True)
    axes.errorbar(x, y, ends, color=colour, marker="o", ms=3.5, lw=1.2, label=label)
