"""Warnings about a measurement or its fit: outliers, a turning point hidden by noise, too large steps."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from hw_models.measured.fit.families import left_out
from hw_models.measured.fit.intervals import Estimates
from hw_models.measured.tables.traces import StepTable, Traces

_STRAY = 0.5
"""Smallest jump of an outlier, there and back, in units of the range of nearly all readings; no device does this in two
pulses."""
_UNUSUAL = 8.0
"""The same in median steps (including noise): about five standard deviations of the steps."""
_NEARLY_ALL = (0.05, 0.95)
_SHOWN = 3
_ABOUT = 8
"""Number of steps on each side of a turn that determine how clear it is."""


def doubts(measured: Traces | StepTable, family: str, estimates: Estimates | None) -> list[str]:
    """Warnings about these readings and about a device of `family` fitted to them."""
    found = [] if isinstance(measured, StepTable) else [*_outliers(measured), *_turn(measured)]
    return found if estimates is None else [*found, *_steps(estimates), *_spread(family, estimates)]


def stray(measured: Traces | StepTable) -> list[str]:
    """Warnings about outliers."""
    return [] if isinstance(measured, StepTable) else list(_outliers(measured))


def _outliers(traces: Traces) -> Iterator[str]:
    g, unit = traces.conductance_s, _unit(traces)
    low, high = np.quantile(g, _NEARLY_ALL)
    inner = np.flatnonzero((traces.pulses[1:-1] > 0) & (traces.pulses[2:] > 0)) + 1
    there, back = g[inner] - g[inner - 1], g[inner] - g[inner + 1]
    jumps = np.where(there * back > 0, np.minimum(np.abs(there), np.abs(back)), 0.0)
    usual = float(np.median(np.abs(there))) if len(there) else 0.0
    far = (jumps > _STRAY * (high - low)) & (jumps > _UNUSUAL * usual)
    stray = inner[far & ((g[inner] > high) | (g[inner] < low))]
    for place in stray[:_SHOWN]:
        cell = f", cell {traces.cells[traces.cell[place]]}" if len(traces.cells) > 1 else ""
        yield (
            f"pulse {traces.number[place]:g}{cell}: {g[place]:.4g}{unit} is far from the readings next to it; nearly "
            f"all are in {low:.4g} .. {high:.4g}{unit}: remove it if it is a mistake, because it changes range and "
            "noise"
        )
    if len(stray) > _SHOWN:
        yield f"and {len(stray) - _SHOWN} more readings like these"


def _turn(traces: Traces) -> Iterator[str]:
    """A warning if only the largest reading shows the turn and the noise near it makes that uncertain."""
    if not traces.turned:
        return
    made, rises = traces.pulses > 0, np.diff(traces.conductance_s, prepend=np.nan)
    up, down = made & traces.up, made & ~traces.up
    for place in np.flatnonzero(up[:-1] & down[1:]):
        near, far = slice(max(place - _ABOUT + 1, 0), place + 1), slice(place + 1, place + 1 + _ABOUT)
        before, after = rises[near][up[near]], rises[far][down[far]]
        step = (abs(before.mean()) + abs(after.mean())) / 2
        noise = float(np.hypot(before.std(), after.std())) / np.sqrt(2.0)
        if noise > step:
            yield (
                f"nothing says which way a pulse goes, and about the largest reading (pulse {traces.number[place]:g}) "
                f"steps scatter by {noise:.2g}{_unit(traces)}, more than their mean of {step:.2g}: the turn may be "
                "elsewhere and the top lower; give a column `phase` with up and down"
            )
            return


def _steps(estimates: Estimates) -> Iterator[str]:
    for name, estimate in estimates.parameters.items():
        if estimate.at_limit:
            yield (
                f"{name}: {estimate.value:.4g} is the end of what the family allows, and the measurement asks for "
                "more: it has no interval, and the device is another than what was measured; try --lookup"
            )
    found = {name: estimate.value for name, estimate in estimates.parameters.items()}
    span = found.get("w_max", 1.0) - found.get("w_min", -1.0)
    if found.get("dw_min", 0.0) > span:
        yield f"dw_min: a step of {found['dw_min']:.4g} is larger than the whole range of {span:.4g}: no usable device"
    for name in ("states_up", "states_down"):
        if found.get(name, 2.0) < 1:
            yield f"{name}: {found[name]:.4g}: one pulse moves a cell by more than its whole range: no usable device"


def _spread(family: str, estimates: Estimates) -> Iterator[str]:
    lost = left_out(family, estimates.spread)
    if lost:
        yield (
            f"cells differ in {', '.join(lost)} too, for which a sheet of {family} has no number: the device is more "
            "uniform than what was measured"
        )


def _unit(traces: Traces) -> str:
    return "" if traces.weight else " S"
