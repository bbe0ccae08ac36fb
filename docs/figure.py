"""The README's figure, from a finished run folder: `python -m docs.figure RUN_DIR [--out FILE.svg]`.

It shows accuracy over the epochs with the untrained control, the weights of the most active neurons, and the energy of
a training sample by component. It reads `record.json` and `weights.npz` as the report does; the same run gives the same
picture.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgesdt.errors import EdgesdtError
from edgesdt.report.drawing import wording
from edgesdt.report.files import folders
from edgesdt.report.files.folders import Run
from edgesdt.report.run import receptive_fields, summary

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure

FIGURE = Path(__file__).resolve().parent / "figures" / "run.svg"
ROWS, COLUMNS = 5, 6
INK, MUTED, GRID, ACCENT, SECOND = "#1c2733", "#66727f", "#dfe4e9", "#2b70b8", "#d66026"
_STYLE: dict[Any, Any] = {
    "svg.hashsalt": "edgesdt",
    "font.family": "DejaVu Sans",
    "font.size": 8.5,
    "axes.titlesize": 9,
    "axes.titlelocation": "left",
    "axes.titlepad": 9,
    "text.color": INK,
    "axes.titlecolor": INK,
    "axes.labelcolor": MUTED,
    "axes.edgecolor": GRID,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "grid.color": GRID,
}


def draw(folder: Path, out: Path) -> Path:
    """Draws the run in `folder` as an SVG at `out`. Raises `EdgesdtError` for a folder without weights or a record."""
    import matplotlib
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    run = folders.load([folder])[0]
    arrays = folders.weights(folder)
    if arrays is None or not run.record.get("curve"):
        raise EdgesdtError(f"{folder}: no weights.npz, or no learning curve in its record.json; choose a finished run")
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(_STYLE)
        figure = Figure(figsize=(10.4, 3.5))
        FigureCanvasSVG(figure)
        figure.text(0.012, 0.945, _title(run), fontsize=9.5, fontweight="bold", va="center")
        left, middle, right = figure.subfigures(1, 3, width_ratios=(1.05, 0.9, 1.1), squeeze=False)[0]
        _accuracy(left.add_subplot(), run)
        _receptive(middle, arrays)
        _energy(right.add_subplot(), run)
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_bytes(_saved(figure, run))
    return out


def origin(run: Run) -> str:
    """The origin of the picture; stored in the file, so that a picture of an old spec can be recognised."""
    record = run.record
    return f"{record['name']}, seed {record['seed']}, spec_hash {record['spec_hash']}"


def _title(run: Run) -> str:
    spec, memory = run.part("spec"), run.part("memory")
    layers = " \N{EN DASH} ".join(map(str, spec["chip"]["layers"]))
    used, budget = wording.size(memory["used_bits"]), wording.size(memory["budget_bits"])
    target = "labels" if spec["learning"]["target"] == "label" else "no labels"
    return (
        f"{run.record['name']}:  {layers} on {spec['data']['set']},  {spec['chip']['weights']['bits']}-bit weights,  "
        f"{used} of {budget},  trained with {target},  seed {run.record['seed']}"
    )


def _accuracy(axes: Axes, run: Run) -> None:
    """The read-outs of the curve, the main one first, with its untrained control."""
    from matplotlib.ticker import MaxNLocator

    curve, lead = run.record["curve"], summary.best_key(run)
    keys = sorted((key for key in wording.READOUTS if key in curve[0]), key=lambda key: key != lead)
    epochs = [point["epoch"] for point in curve]
    labels = []
    for key, colour in zip(keys[:2], (ACCENT, SECOND), strict=False):
        values = [100 * point[key] for point in curve]
        axes.plot(epochs, values, color=colour, linewidth=1.7, marker="o", markersize=2.6)
        labels.append((values[-1], wording.readout(key).removeprefix("direct association, "), colour))
    control = run.part("accuracy").get(f"untrained_{keys[0]}")
    if control is not None:
        axes.axhline(100 * control, color=MUTED, linewidth=1, linestyle=(0, (4, 3)))
        labels.append((100 * control, "untrained", MUTED))
    _at_the_end(axes, epochs[-1], labels)
    axes.set_title(f"Test accuracy [%], {wording.readout(keys[0]).partition(',')[0]}")
    axes.set_xlabel("epoch")
    axes.xaxis.set_major_locator(MaxNLocator(5, integer=True, min_n_ticks=1))
    axes.set_ylim(0, 100)
    axes.grid(axis="y", linewidth=0.8)
    _bare(axes, "bottom")
    axes.get_figure().subplots_adjust(left=0.1, right=0.7, bottom=0.145, top=0.79)  # type: ignore[union-attr]


def _at_the_end(axes: Axes, x: float, labels: list[tuple[float, str, str]]) -> None:
    """Labels each line at its end, from the top down, without overlap."""
    below = 200.0
    for y, text, colour in sorted(labels, reverse=True):
        below = min(y, below - 6)
        axes.annotate(
            f"{text} {y:.1f}", (x, below), (8, 0), textcoords="offset points", color=colour, va="center",
            annotation_clip=False,
        )  # fmt: skip


def _receptive(part: SubFigure, arrays: dict[str, Any]) -> None:
    """Incoming weights of the most active neurons as images, zero white; the report's colours."""
    import numpy as np
    from matplotlib.colors import LinearSegmentedColormap

    codes = arrays["weights_0"].astype(float)
    shape = tuple(int(n) for n in arrays["image_shape"])
    one_layer = "weights_1" not in arrays and "activity" in arrays
    rank = arrays["activity"].astype(float) if one_layer else np.square(codes).sum(axis=0)
    order = np.argsort(-rank, kind="stable")[: ROWS * COLUMNS]
    limit = max(float(np.quantile(np.abs(codes[:, order]), 0.995)), 1.0)
    three = (receptive_fields.NEGATIVE, (255, 255, 255), receptive_fields.POSITIVE)
    ends = [tuple(c / 255 for c in colour) for colour in three]
    colours = LinearSegmentedColormap.from_list("weights", ends)
    for place, neuron in enumerate(order):
        axes = part.add_subplot(ROWS, COLUMNS, place + 1)
        image = codes[:, neuron].reshape(*shape[:2], -1).mean(axis=-1)
        axes.imshow(image, cmap=colours, vmin=-limit, vmax=limit, interpolation="nearest")
        axes.set_xticks([])
        axes.set_yticks([])
        axes.spines[:].set_linewidth(0.6)
    which = "busiest neurons" if one_layer else "neurons with the largest weights"
    part.text(0.02, 0.822, f"Weights into the {len(order)} {which}", fontsize=9)
    part.subplots_adjust(left=0.02, right=0.93, bottom=0.03, top=0.79, wspace=0.08, hspace=0.08)


def _energy(axes: Axes, run: Run) -> None:
    """Energy of a training sample by component, the largest on top."""
    tables = summary.breakdowns(run)["energy"]
    shown = tables[0].rows[:8]
    total, technology = run.part("energy_j")["train_per_sample"], run.part("technology")
    widths = [bar.width for bar in shown]
    axes.barh(range(len(shown)), widths, color=ACCENT, height=0.62)
    for place, bar in enumerate(shown):
        axes.annotate(bar.share, (bar.width, place), (4, 0), textcoords="offset points", va="center", color=MUTED)
    axes.set_yticks(range(len(shown)), [bar.label for bar in shown])
    axes.invert_yaxis()
    axes.set_xlim(0, 118)
    axes.set_xticks([])
    node = f"{technology['table']}, {technology['node_nm']:g} nm"
    axes.set_title(f"{wording.energy(total)} a training sample ({node})", x=-0.5)
    _bare(axes, "left")
    axes.get_figure().subplots_adjust(left=0.35, right=0.97, bottom=0.05, top=0.79)  # type: ignore[union-attr]


def _bare(axes: Axes, kept: str) -> None:
    axes.set_axisbelow(True)
    axes.tick_params(length=0, pad=5)
    axes.spines[[side for side in ("top", "right", "left", "bottom") if side != kept]].set_visible(False)


def _saved(figure: Figure, run: Run) -> bytes:
    import io

    target = io.BytesIO()
    made = {"Title": _title(run), "Description": origin(run), "Creator": "python -m docs.figure", "Date": None}
    figure.savefig(target, format="svg", metadata=made)
    return target.getvalue()


def main() -> int:
    """Draws the run in the arguments; exit code 2 if it cannot be drawn."""
    arguments = argparse.ArgumentParser(prog="python -m docs.figure", description=(__doc__ or "").partition("\n")[0])
    arguments.add_argument("run", type=Path, metavar="RUN_DIR", help="folder of a finished run")
    arguments.add_argument("--out", type=Path, default=FIGURE, metavar="FILE", help="default: docs/figures/run.svg")
    given = arguments.parse_args()
    try:
        print(draw(given.run, given.out))
    except EdgesdtError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
