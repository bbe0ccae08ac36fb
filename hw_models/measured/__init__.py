"""Devices from measurements: fits a CSV of pulses and writes a device sheet with uncertainties and a plot (`fit_file`).

`tables` reads the file, `results.comparison` fits the families (`fit.fitting`, `fit.likelihood`), `fit.intervals`
computes the uncertainty of each parameter, `fit.lookup` builds a table instead, and `results` writes the files and
plots.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from hw_models.base import DeviceError

if TYPE_CHECKING:
    from hw_models.measured.fit.fitting import Fit
    from hw_models.measured.results.summary import FitReport
    from hw_models.measured.tables.traces import StepTable, Traces

__all__ = ["fit_file", "fit_measured"]


def fit_file(
    path: str | Path,
    out: str | Path,
    *,
    family: str | None = None,
    lookup: bool = False,
    read_voltage_v: float | None = None,
    plot: str | Path | None = None,
    say: Callable[[str], object] = print,
) -> FitReport:
    """Fits the measurement in `path`; writes the sheet `out`, a plot (`.svg` beside it unless `plot`) and `.fit.json`.

    `family` forces one of neurosim, constant, linear, soft_bounds, power, exponential, lookup; `lookup` is the last of
    them. `read_voltage_v` (volts) turns currents into conductances. `say` receives the report as text. Raises
    `DeviceError` for a file that cannot be used, with the line, and for a measurement that does not describe such a
    device.
    """
    from hw_models.measured.fit import families
    from hw_models.measured.results import files, plots, warnings
    from hw_models.measured.tables import reading

    wanted = families.check(family) if family is not None else None
    if lookup and wanted not in (None, "lookup"):
        raise DeviceError(f"--lookup and --family {family}: a lookup table is a separate family, give only one of them")
    sheet = Path(out)
    drawn = Path(plot) if plot is not None else sheet.with_suffix(".svg")
    if drawn.suffix not in (".svg", ".png", ".pdf"):
        raise DeviceError(f"{drawn}: a plot must end in .svg, .png or .pdf")
    for file in (sheet, drawn):
        if not file.parent.is_dir():
            raise DeviceError(f"{file}: there is no folder {file.parent}")
    measured = reading.read(path, read_voltage_v)
    try:
        report = fit_measured(measured, sheet, drawn, family="lookup" if lookup else wanted)
    except DeviceError as error:
        raise DeviceError("; ".join([str(error), *warnings.stray(measured)])) from error
    try:
        files.write(report)
        plots.draw(report, drawn)
    except OSError as error:
        raise DeviceError(f"{error.filename or sheet}: cannot be written: {error.strerror}") from None
    say(report.text())
    return report


def fit_measured(
    measured: Traces | StepTable, sheet: Path = Path("device.yaml"), plot: Path = Path("device.svg"),
    family: str | None = None,
) -> FitReport:  # fmt: skip
    """Fits the traces from `reading.read` without writing files.

    `sheet` and `plot` are the file names in the report.
    """
    from hw_models.measured.fit import lookup
    from hw_models.measured.fit.intervals import at_limits, estimates
    from hw_models.measured.fit.scaled import scale
    from hw_models.measured.fit.statistics import as_traces
    from hw_models.measured.results import comparison as comparing
    from hw_models.measured.results.summary import FitReport
    from hw_models.measured.tables.traces import StepTable

    details = sheet.with_suffix(".fit.json")
    table = measured if isinstance(measured, StepTable) else None
    traces = as_traces(measured) if isinstance(measured, StepTable) else measured
    comparison = None
    if family != "lookup":
        def limited(found: Fit) -> bool:
            return bool(at_limits(traces, found))

        if table:
            comparison = comparing.compare_table(table, limited)
        else:
            comparison = comparing.compare(scale(traces), traces.weight, limited)
    if comparison is None or (family is None and comparison.recommended == "lookup"):
        if traces.weight:
            raise DeviceError(f"{traces.origin.name}: a lookup table needs conductances; this file has only weights")
        read = _read_noise(comparison)
        made = lookup.from_statistics(table) if table else lookup.from_traces(traces, read)
        reason = comparison.reason if comparison else "asked for"
        return FitReport(measured, "lookup", comparison, None, None, made, reason, sheet, plot, details)
    best = comparison.best(family)
    reason = comparison.reason if family is None else f"chosen by the user; the data supports {comparison.recommended}"
    try:
        found = estimates(traces, best)
    except DeviceError as error:
        if family is not None:
            raise
        best = next((fit for fit in comparison.fits if fit.candidate.family in ("linear", "neurosim")), best)
        found, reason = estimates(traces, best), f"{best.candidate.title}; {error}"
    return FitReport(measured, best.candidate.family, comparison, best, found, None, reason, sheet, plot, details)


def _read_noise(comparison: object) -> float:
    """Read noise of the best fit in siemens; 0 without a fit."""
    from hw_models.measured.results.comparison import Comparison

    if not isinstance(comparison, Comparison) or not comparison.fits[0].read_noise:
        return 0.0
    best = comparison.fits[0]
    return math.exp(float(best.theta[-1])) * best.data.unit
