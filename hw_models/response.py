"""The pulse response of a model: cells at their lowest state, N single pulses up, then M single pulses down.

This is the standard first characterisation of a synaptic device: linearity, symmetry, range and spread in one curve.
`write_csv` and `plot` write it to files. Weights are in single precision as in aihwkit, so that curves agree with those
of aihwkit: rounding over six hundred steps of 0.0016 adds up to 1.5e-5. Siemens are in double precision.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hw_models.arguments import ARGUMENTS
from hw_models.base import CellModel, Cells, DeviceError, Reals
from hw_models.periphery.cell_costs import write_energy_j

MOST_VALUES = 50_000_000
"""Maximum of pulses times cells in memory (400 MB)."""
SHAPE = ("nonlinearity", "asymmetry", "quantisation", "iv_nonlinearity", "endurance")
"""Non-idealities that are not noise: they shape the response of the nominal cell."""
COLUMNS = ("pulse", "phase", "cell", "weight", "g_s")


@dataclass(frozen=True)
class Response:
    """Visible states of `cells` cells after each of `up` + `down` pulses, and the energy of the pulses if known."""

    model: CellModel
    up: int
    down: int
    visible: Reals
    """(1 + up + down, cells) visible states, float32 weights or float64 siemens; row 0 is before the first pulse."""
    up_energy_j: float | None
    down_energy_j: float | None
    """Mean over cells of the summed V²·(G·t + C) of a phase (V²·C if a gate is written); None if unknown."""

    def phase(self, pulse: int) -> str:
        """`start`, `up` or `down` for a row of `visible`."""
        return "start" if pulse == 0 else "up" if pulse <= self.up else "down"


def without_noise(model: CellModel) -> CellModel:
    """The nominal cell of `model`: without noise and spread between cells, but with its own response curve."""
    return model.without([name for name in model.non_idealities if name not in SHAPE])


def measure(
    model: CellModel,
    up: int,
    down: int,
    cells: int = 1,
    seed: int = 0,
    progress: Callable[[int], None] = lambda pulse: None,
) -> Response:
    """Manufactures `cells` cells from `seed` and pulses them; calls `progress` after every pulse.

    Raises `DeviceError` for numbers out of range.
    """
    for what, number, least in (("up", up, 0), ("down", down, 0), ("cells", cells, 1), ("seed", seed, 0)):
        if ARGUMENTS.whole(what, number, -(2**63), 2**63 - 1) < least:
            raise DeviceError(f"{what}: {number} is out of range, allowed: at least {least}")
    if (1 + up + down) * cells > MOST_VALUES:
        raise DeviceError(f"{1 + up + down} pulses x {cells} cells: allowed: at most {MOST_VALUES} values")
    precision = np.float64 if model.quantity == "conductance" else np.float32
    made = model.manufacture(cells, seed, precision)
    visible = np.empty((1 + up + down, cells), dtype=precision)
    visible[0] = made.visible
    energy = [0.0, 0.0]
    one = np.ones(cells, dtype=np.int64)
    for pulse in range(1, 1 + up + down):
        rising = pulse <= up
        before = _conductance(model, made)
        model.pulse(made, one if rising else -one)
        visible[pulse] = made.visible
        energy[not rising] += _energy_j(model, rising, before, _conductance(model, made))
        progress(pulse)
    known = model.drive is not None
    return Response(model, up, down, visible, energy[0] if known else None, energy[1] if known else None)


def csv_lines(response: Response) -> Iterator[str]:
    """One line per pulse and cell; the quantity that the model does not have, `weight` or `g_s` (siemens), is empty.

    Numbers have enough digits to be read back exactly in their precision.
    """
    first, last = (",", "") if response.model.quantity == "conductance" else ("", ",")
    yield ",".join(COLUMNS) + "\n"
    for pulse, row in enumerate(response.visible):
        head = f"{pulse},{response.phase(pulse)}"
        yield from (f"{head},{cell},{first}{value}{last}\n" for cell, value in enumerate(map(str, row)))


def write_csv(response: Response, path: Path) -> None:
    """Writes the lines of `csv_lines` to a file."""
    with path.open("w", encoding="utf-8", newline="") as file:
        file.writelines(csv_lines(response))


def plot(response: Response, path: Path) -> None:
    """Plots the curve of every cell (at most 50) and their mean; the suffix of `path` sets the file type."""
    from matplotlib import rc_context
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    if path.suffix not in (".svg", ".png", ".pdf"):
        raise DeviceError(f"{path}: a plot must end in .svg, .png or .pdf")
    model, pulses = response.model, np.arange(len(response.visible))
    siemens = model.quantity == "conductance"
    shown = response.visible * (1e6 if siemens else 1.0)
    with rc_context({"svg.hashsalt": "edgesdt", "svg.fonttype": "none", "font.family": "DejaVu Sans"}):
        figure = Figure(figsize=(6.4, 3.6), layout="constrained")
        FigureCanvasAgg(figure)
        axes = figure.add_subplot()
        if shown.shape[1] > 1:
            axes.plot(pulses, shown[:, :50], color="#9db4c8", linewidth=0.5)
        axes.plot(pulses, shown.mean(axis=1), color="#17507d", linewidth=1.6, label=f"mean of {shown.shape[1]} cells")
        if shown.shape[1] > 1:
            axes.legend(frameon=False, loc="lower center")
        axes.axvline(response.up, color="#999999", linewidth=0.8, linestyle=":")
        axes.set_title(f"{model.name}: {response.up} pulses up, {response.down} down", loc="left", fontsize=10)
        axes.set_xlabel("pulse")
        axes.set_ylabel("conductance [µS]" if siemens else "weight [1]")
        axes.spines[["top", "right"]].set_visible(False)
        figure.savefig(path, metadata={"Date": None} if path.suffix == ".svg" else None)


def _conductance(model: CellModel, cells: Cells) -> Reals | None:
    return None if model.drive is None else model.conductance_s(cells.state.astype(np.float64))


def _energy_j(model: CellModel, rising: bool, before: Reals | None, after: Reals | None) -> float:
    if model.drive is None or before is None or after is None:
        return 0.0
    pulse = model.drive.up if rising else model.drive.down
    return float(np.mean(write_energy_j(model.drive, pulse, before, after)))
