"""Draws a fit over the data: the traces, the mean step against conductance, and the residuals."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from hw_models.base import DeviceError
from hw_models.measured.results.summary import FitReport
from hw_models.measured.tables.traces import Floats, StepTable, Traces

UP, DOWN, MODEL = "#b4461e", "#17507d", "#222222"
_POINTS = 101
_MOST_DOTS = 4000


def draw(report: FitReport, path: Path) -> None:
    """Writes the plot of `report` as an .svg, .png or .pdf. Raises `DeviceError` for another suffix."""
    if path.suffix not in (".svg", ".png", ".pdf"):
        raise DeviceError(f"{path}: a plot must end in .svg, .png or .pdf")
    from matplotlib import rc_context
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    measured = report.measured
    with rc_context({"svg.hashsalt": "edgesdt", "svg.fonttype": "none", "font.family": "DejaVu Sans"}):
        traces = isinstance(measured, Traces)
        figure = Figure(figsize=(9.6 if traces else 5.6, 3.8), layout="constrained")
        FigureCanvasAgg(figure)
        axes = figure.subplots(1, 2 if traces else 1, squeeze=False)[0]
        weight = isinstance(measured, Traces) and measured.weight
        factor, unit = (1.0, "weight") if weight else (1e6, "µS")
        if isinstance(measured, Traces):
            _curves(axes[0], report, measured, factor, unit)
        _steps(axes[-1], report, factor, unit)
        figure.suptitle(f"{measured.origin.name}: {report.family}", x=0.01, ha="left", fontsize=10)
        for one in axes:
            one.spines[["top", "right"]].set_visible(False)
        figure.savefig(path, metadata={"Date": None} if path.suffix == ".svg" else None)


def _curves(axes: Any, report: FitReport, traces: Traces, factor: float, unit: str) -> None:
    """Readings in order, each sequence from its own start, with the mean curve of the model for the first sequence."""
    starts = np.flatnonzero(traces.pulses == 0)
    ends = np.r_[starts[1:], len(traces.pulses)]
    offset = 0.0
    for start, end in list(zip(starts, ends, strict=True))[:50]:
        same = [start > 0 and names[start] == names[start - 1] for names in (traces.cell, traces.cycle)]
        behind = all(same)
        offset = offset if behind else 0.0
        place = offset + np.cumsum(traces.pulses[start:end])
        offset = float(place[-1])
        axes.plot(place, traces.conductance_s[start:end] * factor, ".", color="#9db4c8", markersize=3)
    step = stepper(report)
    longest = int(np.argmax(ends - starts))
    rows = slice(int(starts[longest]), int(ends[longest]))
    g = float(traces.conductance_s[rows][0])
    mean = [g]
    low, high = float(traces.conductance_s.min()), float(traces.conductance_s.max())
    for pulses, up in zip(traces.pulses[rows][1:], traces.up[rows][1:], strict=True):
        for _ in range(int(pulses)):
            g = min(max(g + (1 if up else -1) * float(step(np.array([g]), bool(up))[0]), low), high)
        mean.append(g)
    place = np.cumsum(traces.pulses[rows])
    axes.plot(place, np.array(mean) * factor, color=MODEL, linewidth=1.4, label="mean of the model")
    axes.set_xlabel("pulse")
    axes.set_ylabel(f"conductance [{unit}]" if unit != "weight" else "weight [1]")
    axes.legend(frameon=False, fontsize=8)


def _steps(axes: Any, report: FitReport, factor: float, unit: str) -> None:
    measured, step = report.measured, stepper(report)
    low, high = float(measured.conductance_s.min()), float(measured.conductance_s.max())
    grid = np.linspace(low, high, _POINTS)
    for up, color, label in ((True, UP, "up"), (False, DOWN, "down")):
        sign = 1.0 if up else -1.0
        if isinstance(measured, StepTable):
            mean = measured.up_mean_s if up else measured.down_mean_s
            std = measured.up_std_s if up else measured.down_std_s
            x = measured.conductance_s * factor
            axes.errorbar(x, mean * factor, std * factor, fmt=".", color=color, alpha=0.5, linewidth=0.8, markersize=4)
        else:
            at = measured.steps(up)
            at = at[:: max(len(at) // _MOST_DOTS, 1)]
            change = (measured.conductance_s[at] - measured.conductance_s[at - 1]) / measured.pulses[at]
            x = measured.conductance_s[at - 1] * factor
            axes.plot(x, change * factor, ".", color=color, alpha=0.35, markersize=3)
        axes.plot(grid * factor, sign * step(grid, up) * factor, color=color, linewidth=1.6, label=label)
    axes.axhline(0.0, color="#999999", linewidth=0.6)
    axes.set_xlabel(f"conductance before the pulse [{unit}]" if unit != "weight" else "weight before the pulse [1]")
    axes.set_ylabel(f"step of a pulse [{unit}]" if unit != "weight" else "step of a pulse [1]")
    axes.legend(frameon=False, fontsize=8)


def stepper(report: FitReport) -> Any:
    """The mean step of the fitted device: (conductances, up?) -> sizes ≥ 0 in the direction, in siemens."""

    def looked_up(g: Floats, up: bool) -> Floats:
        assert report.lookup is not None
        branch = report.lookup.up if up else report.lookup.down
        found: Floats = np.interp(g, report.lookup.conductance_s, branch.mean) * (1.0 if up else -1.0)
        return found

    def computed(g: Floats, up: bool) -> Floats:
        from hw_models.measured.fit.likelihood import steps

        assert report.fit is not None
        fit, data = report.fit, report.fit.data
        x = (g - data.offset) / data.unit
        return np.asarray(steps(fit.candidate.law, fit.parameters, x, up)) * data.unit

    return looked_up if report.lookup is not None else computed
