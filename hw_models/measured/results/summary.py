"""The results of a fit, as data and as small text tables; `files` writes them."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from hw_models.measured.fit.fitting import Fit
from hw_models.measured.fit.intervals import Estimate, Estimates
from hw_models.measured.fit.lookup import Lookup
from hw_models.measured.results.comparison import Comparison
from hw_models.measured.results.warnings import doubts
from hw_models.measured.tables.traces import StepTable, Traces


@dataclass(frozen=True)
class FitReport:
    """One fitted device: the measurement, the comparison, and the parameters with their intervals."""

    measured: Traces | StepTable
    family: str
    comparison: Comparison | None
    fit: Fit | None
    """None for a lookup table."""
    estimates: Estimates | None
    lookup: Lookup | None
    reason: str
    sheet: Path
    plot: Path
    details: Path

    @property
    def parameters(self) -> dict[str, Estimate]:
        """Parameters of the family by name; empty for a lookup table."""
        return self.estimates.parameters if self.estimates else {}

    @property
    def from_sweep(self) -> tuple[str, ...]:
        """Parameters equal to the largest reading, if only the largest reading shows where the sweep turns."""
        turned = isinstance(self.measured, Traces) and self.measured.turned
        return tuple(name for name in ("r_on_ohm", "on_off") if name in self.parameters) if turned else ()

    def text(self) -> str:
        """The report as text: the measurement, the families, the parameters."""
        return "\n".join(_lines(self))


def _lines(report: FitReport) -> Iterator[str]:
    measured = report.measured
    if isinstance(measured, Traces):
        ups, downs = len(measured.steps(True)), len(measured.steps(False))
        cells = f"{len(measured.cells)} cell{'s' * (len(measured.cells) > 1)}"
        yield f"measured: {measured.origin.name}: {ups} steps up, {downs} steps down, {cells}"
    else:
        yield f"measured: {measured.origin.name}: step statistics at {len(measured.conductance_s)} conductances"
    if report.comparison is not None:
        yield ""
        yield from _families(report.comparison, report.fit)
    yield ""
    yield f"chosen: {report.family} ({report.reason})"
    yield ""
    if report.lookup is not None:
        yield from _table(report.lookup)
    if report.estimates is not None:
        yield from _parameters(report.estimates, report.from_sweep)
    found = doubts(report.measured, report.family, report.estimates)
    if found:
        yield ""
        yield from (f"warning: {sentence}" for sentence in found)
    yield ""
    yield f"device: {report.sheet}"
    yield f"plot: {report.plot}"
    yield f"details: {report.details}"


def _families(comparison: Comparison, chosen: Fit | None) -> Iterator[str]:
    yield f"{'family':46} {'parameters':>10} {'ΔAIC':>9} {'ΔBIC':>9}"
    least = min(comparison.aic.values())
    bic = min(found.bic for found in comparison.fits)
    for found in sorted(comparison.fits, key=lambda one: comparison.aic[one.candidate]):
        title = found.candidate.title + (", read noise" if found.read_noise else "")
        mark = "  at a limit" if found.candidate in comparison.limited else ""
        mark += "  <" if found is chosen else ""
        above = comparison.aic[found.candidate] - least
        yield f"{title:46} {found.free:>10} {above:>9.1f} {found.bic - bic:>9.1f}{mark}"


def _parameters(estimates: Estimates, from_sweep: tuple[str, ...]) -> Iterator[str]:
    yield f"{'parameter':22} {'value':>12}   {'95 % interval, all together':29} unit"
    for name, estimate in estimates.parameters.items():
        about = " (from the sweep, not fitted)" if name in from_sweep else ""
        yield f"{name:22} {number(estimate.value):>12}   {_interval(estimate):29} {estimate.unit}{about}"
    if estimates.read_noise is not None:
        found = estimates.read_noise
        yield f"{'read noise':22} {number(found.value):>12}   {_interval(found):29} {found.unit}"
    for name, estimate in estimates.spread.items():
        yield f"{'between cells: ' + name:22} {number(estimate.value):>12}   {_interval(estimate):29} {estimate.unit}"


def _table(lookup: Lookup) -> Iterator[str]:
    yield f"{'G [S]':>12} {'ΔG up [S]':>12} {'±':>10} {'deviation':>10} {'ΔG down [S]':>12} {'±':>10} {'deviation':>10}"
    for at in range(len(lookup.conductance_s)):
        up, down = lookup.up, lookup.down
        cells = [lookup.conductance_s[at], up.mean[at], up.mean_reach[at], up.std[at]]
        cells += [down.mean[at], down.mean_reach[at], down.std[at]]
        widths = (12, 12, 10, 10, 12, 10, 10)
        yield " ".join(f"{number(float(c)):>{w}}" for c, w in zip(cells, widths, strict=True))
    yield f"between cells: deviation of log step {number(lookup.step_spread)}"


def _interval(estimate: Estimate) -> str:
    if estimate.at_limit:
        return "at its limit: no interval"
    if not estimate.identified:
        return "not identified: no interval"
    return f"{number(estimate.low)} .. {number(estimate.high)}"


def number(value: float) -> str:
    """A number with four digits; empty if there is none."""
    return "unknown" if not math.isfinite(value) else f"{value:.4g}"
