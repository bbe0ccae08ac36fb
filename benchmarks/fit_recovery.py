"""Tests `edgesdt device fit` on noisy synthetic devices with known parameters: `python -m benchmarks.fit_recovery`.

Each trial simulates pulses of a known device with separate random numbers (`numpy.random`, not those of the models),
fits them, and checks whether all parameters are inside their stated intervals. The trials of a lookup table draw steps
from the measured statistics of a real device (`--statistics`), or of a similar table.
"""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from benchmarks import command
from hw_models.measured import fit_measured
from hw_models.measured.tables.traces import Origin, StepTable, Traces

Floats = npt.NDArray[np.float64]
_ORIGIN = Origin("synthetic", "0" * 64)


@dataclass(frozen=True)
class Device:
    """A NeuroSim device: labels, pulses, conductances in siemens, noise of a pulse as a share of the range."""

    name: str
    nl_up: float
    nl_down: float
    up: int
    down: int
    low_s: float
    high_s: float
    c2c: float

    def truth(self) -> dict[str, float]:
        """The parameters that a fit should find."""
        return {
            "r_on_ohm": 1 / self.high_s, "on_off": self.high_s / self.low_s, "nl_up": self.nl_up,
            "nl_down": self.nl_down, "states_up": self.up, "states_down": self.down, "c2c": self.c2c,
        }  # fmt: skip


# labels, states, resistances and noise: MLP+NeuroSim V3.0 manual, Table II
DEVICES = (
    Device("Ag_aSi", 2.4, -4.88, 97, 100, 1 / (26e6 * 12.5), 1 / 26e6, 0.035),
    Device("TaOx_HfOx", 0.04, -0.63, 128, 128, 1e-6, 1e-5, 0.037),
    Device("PCMO", 3.68, -6.76, 50, 50, 1 / (23e6 * 6.84), 1 / 23e6, 0.01),
    Device("AlOx_HfO2", 1.94, -0.61, 40, 40, 1 / (16.9e3 * 4.43), 1 / 16.9e3, 0.05),
    Device("GST_PCM", 0.105, 2.4, 100, 120, 1 / (4.71e3 * 19.8), 1 / 4.71e3, 0.015),
    Device("EpiRAM", 0.5, -0.5, 64, 64, 1 / (81e3 * 50.2), 1 / 81e3, 0.02),
    Device("HZO_FeFET", 1.75, 1.46, 32, 32, 1 / (559.28e3 * 45), 1 / 559.28e3, 0.005),
)


def curvature(label: float) -> float:
    """Pmax/A of a nonlinearity label, signed: bisection of the closed form, independent of the fit's implementation."""

    def found(c: float) -> float:
        p = np.linspace(0.0, 1.0, 20_001)
        return float(np.max(np.expm1(-c * p) / np.expm1(-c) - p)) / (0.07 * math.sqrt(2.0))

    low, high = 1e-6, 60.0
    size: float = abs(label)
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if found(middle) < size else (low, middle)
    return low if label > 0.0 else -low


def neurosim(device: Device, seed: int, cells: int, read: float) -> Traces:
    """Pulses of `cells` cells up and down once; `read` is the read noise as a share of the range."""
    random = np.random.default_rng(seed)
    span = device.high_s - device.low_s
    rate_up, rate_down = curvature(device.nl_up) / device.up, curvature(device.nl_down) / device.down
    top = device.low_s - span / np.expm1(-rate_up * device.up)
    bottom = device.low_s - span / np.expm1(-rate_down * device.down)
    rows = np.empty((device.up + device.down + 1, cells))
    rows[0] = device.low_s
    for pulse in range(1, len(rows)):
        g = rows[pulse - 1]
        moved = top + (g - top) * np.exp(-rate_up) if pulse <= device.up else bottom + (g - bottom) * np.exp(rate_down)
        rows[pulse] = np.clip(moved + device.c2c * span * random.standard_normal(cells), device.low_s, device.high_s)
    rows = np.maximum(rows + read * span * random.standard_normal(rows.shape), 1e-3 * device.low_s)
    return traces(rows, device.up)


def traces(rows: Floats, up: int) -> Traces:
    """Rows (pulses + 1, cells) of a sweep up and down, as a measurement."""
    count, cells = rows.shape
    pulses = np.tile(np.r_[0, np.ones(count - 1, dtype=np.int64)], cells)
    ways = np.tile(np.r_[True, np.arange(1, count) <= up], cells)
    cell = np.repeat(np.arange(cells), count)
    number = np.tile(np.arange(count, dtype=float), cells)
    names = tuple(map(str, range(cells)))
    quantum = float(np.ptp(rows)) * 1e-12
    return Traces(_ORIGIN, rows.T.ravel(), pulses, ways, cell, np.zeros_like(cell), number, names, quantum)


def statistics(path: Path | None) -> StepTable:
    """Step statistics of a real device from a CSV, or of a similar table: saturating up, bell-shaped down."""
    if path is not None:
        from hw_models.measured.tables.reading import read

        found = read(path)
        if not isinstance(found, StepTable):
            raise SystemExit(f"{path}: no step statistics")
        return found
    g = np.linspace(3e-4, 9.8e-4, 40)
    x = (g - g[0]) / (g[-1] - g[0])
    return StepTable(
        _ORIGIN, g, 7e-6 * (1 - 0.95 * x**2), 0.7e-6 + 0.4e-6 * x, -7e-7 - 1e-5 * x * (1.1 - x), 5e-7 + 5e-7 * x
    )


def sweeps(table: StepTable, seed: int, cycles: int) -> Traces:
    """Sweeps whose steps are drawn from `table`: up to the top of its range, down to the bottom, `cycles` times."""
    random = np.random.default_rng(seed)
    g, value, up = table.conductance_s, float(table.conductance_s[0]), True
    values, ways = [value], [True]
    for _ in range(2 * cycles):
        for _ in range(100_000):
            mean, std = (table.up_mean_s, table.up_std_s) if up else (table.down_mean_s, table.down_std_s)
            value += float(np.interp(value, g, mean) + np.interp(value, g, std) * random.standard_normal())
            values.append(value)
            ways.append(up)
            if value > g[-2] if up else value < g[1]:
                break
        up = not up
    count = len(values)
    pulses = np.r_[0, np.ones(count - 1, dtype=np.int64)]
    none = np.zeros(count, dtype=np.int64)
    place = np.arange(count, dtype=float)
    return Traces(_ORIGIN, np.array(values), pulses, np.array(ways), none, none, place, ("",), 1e-18)


def recovers(device: Device, seed: int, cells: int, read: float) -> bool:
    """Whether every parameter of `device` is inside its stated interval."""
    report = fit_measured(neurosim(device, seed, cells, read), family="neurosim")
    return all(report.parameters[name].holds(value) for name, value in device.truth().items())


def tabulates(table: StepTable, seed: int, cycles: int) -> bool:
    """Whether every mean and deviation of a lookup table of sweeps through `table` is inside its stated interval."""
    made = fit_measured(sweeps(table, seed, cycles), family="lookup").lookup
    assert made is not None
    inside = (made.conductance_s >= table.conductance_s[0]) & (made.conductance_s <= table.conductance_s[-1])
    held = []
    for branch, mean, std in (
        (made.up, table.up_mean_s, table.up_std_s), (made.down, table.down_mean_s, table.down_std_s),
    ):  # fmt: skip
        off = np.abs(branch.mean - np.interp(made.conductance_s, table.conductance_s, mean)) <= branch.mean_reach
        true = np.interp(made.conductance_s, table.conductance_s, std)
        held.append((off & (branch.std_low <= true) & (true <= branch.std_high))[inside])
    return bool(np.all(held))


def main(arguments: Sequence[str]) -> int:
    """The command; exit code 1 if any row recovers less than 90 % of its trials."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.fit_recovery", description=__doc__.partition(":")[0])
    parser.add_argument("--trials", type=int, default=50, metavar="N", help="of each row (default: 50)")
    parser.add_argument("--cells", type=int, default=1, metavar="N", help="cells of a measurement (default: 1)")
    parser.add_argument("--read-noise", type=float, default=0.0, metavar="X", help="as a share of the range")
    parser.add_argument("--statistics", type=Path, metavar="CSV", help="measured step statistics for the lookup rows")
    options = parser.parse_args(arguments)
    table = statistics(options.statistics)
    rows: list[tuple[str, Callable[[int], bool]]] = [
        (device.name, lambda seed, device=device: recovers(device, seed, options.cells, options.read_noise))  # type: ignore[misc]
        for device in DEVICES
    ]
    rows += [(f"lookup table, {n} cycles", lambda seed, n=n: tabulates(table, seed, n)) for n in (5, 20)]  # type: ignore[misc]
    print(f"{'device':26} {'all parameters inside':>22} {'s a fit':>8}")
    least = 1.0
    for name, trial in rows:
        began = time.perf_counter()
        held = sum(trial(seed) for seed in range(options.trials))
        each = (time.perf_counter() - began) / options.trials
        least = min(least, held / options.trials)
        print(f"{name:26} {f'{held} of {options.trials}':>22} {each:8.2f}", flush=True)
    return 0 if least >= 0.9 else 1


if __name__ == "__main__":
    command.finish(main)
