"""Writes the results of a fit: the device sheet for `catalog.from_file`, and every number of the fit as JSON."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np

from hw_models.foreign import printable
from hw_models.measured.fit.families import SHEET_FAMILY
from hw_models.measured.fit.intervals import Estimate, Estimates
from hw_models.measured.fit.laws import MULTIPLICATIVE
from hw_models.measured.results.summary import FitReport, number
from hw_models.measured.results.warnings import doubts
from hw_models.measured.tables.traces import Origin, StepTable, Traces

_DRIVE = (
    ("g_min", "S"), ("g_max", "S"), ("up_voltage", "V"), ("up_width", "s"), ("down_voltage", "V"), ("down_width", "s"),
    ("read_voltage", "V"), ("read_width", "s"), ("cell_area", "F2"),
)  # fmt: skip
_RELATIVE_SPREAD = {name: f"{name}_dtod" for name in ("dw_min", "w_max", "w_min", "pow_gamma")}
_HALF_SPREAD = {"up_down": "up_down_dtod", "pow_up_down": "pow_up_down_dtod"}
_ABSOLUTE_SPREAD = {"gamma_up": "gamma_up_dtod", "gamma_down": "gamma_down_dtod"}


def sheet(report: FitReport) -> str:
    """The YAML text of the fitted device."""
    origin, name = report.measured.origin, report.sheet.stem
    rows = _lookup_rows(report) if report.lookup is not None else _rows(report)
    family = "lookup" if report.lookup is not None else SHEET_FAMILY[report.family]
    head = [
        f"name: {_quoted(name)}",
        f"family: {family}",
        f"summary: {_quoted(f'fitted to {origin.name}: {report.reason}')}",
        "sources:",
        f"  measured: {_quoted(f'{origin.name}, SHA-256 {origin.sha256}')}",
        f"  convention: {_quoted('scale of weights: -1 and +1 at the ends of the measured range')}",
        f"notes: {_quoted(_notes(report))}",
        "parameters:",
    ]
    return "\n".join([*head, *rows, *_drive(report)]) + "\n"


def details(report: FitReport) -> dict[str, Any]:
    """Every number of the fit: data, families compared, parameters with errors and intervals, goodness."""
    origin = report.measured.origin
    found: dict[str, Any] = {
        "data": {"file": origin.name, "sha256": origin.sha256},
        "family": report.family,
        "reason": report.reason,
        "confidence": 0.95,
        "intervals": "hold for all parameters together",
        "warnings": doubts(report.measured, report.family, report.estimates),
    }
    if report.comparison is not None:
        found["compared"] = [
            {
                "family": fit.candidate.title, "read_noise": fit.read_noise, "parameters": fit.free,
                "log_likelihood": -fit.negative_log, "aic": report.comparison.aic[fit.candidate], "bic": fit.bic,
            }
            for fit in report.comparison.fits
        ]  # fmt: skip
    if report.estimates is not None:
        found["parameters"] = {name: _plain(value) for name, value in report.estimates.parameters.items()}
        found["between_cells"] = {name: _plain(value) for name, value in report.estimates.spread.items()}
        found["read_noise"] = _plain(report.estimates.read_noise) if report.estimates.read_noise else None
        found["cells"] = report.estimates.cells
    if report.lookup is not None:
        found["lookup"] = {
            "g_s": report.lookup.conductance_s.tolist(),
            **{
                f"{way}_{key}_s": [value if math.isfinite(value) else None for value in getattr(branch, key).tolist()]
                for way, branch in (("up", report.lookup.up), ("down", report.lookup.down))
                for key in ("mean", "mean_reach", "std", "std_low", "std_high")
            },
        }
    return found


def write(report: FitReport) -> None:
    """Writes sheet and details to the files named in the report."""
    report.sheet.write_text(sheet(report), encoding="utf-8")
    report.details.write_text(json.dumps(details(report), indent=1) + "\n", encoding="utf-8")


def _plain(estimate: Estimate) -> dict[str, Any]:
    values = {"value": estimate.value, "error": estimate.error, "low": estimate.low, "high": estimate.high}
    found = {key: value if math.isfinite(value) else None for key, value in values.items()} | {"unit": estimate.unit}
    if estimate.at_limit:
        return found | {"at_limit": True}
    return found if estimate.identified else found | {"identified": False}


def _rows(report: FitReport) -> list[str]:
    assert report.estimates is not None and report.fit is not None
    found, rows = report.estimates, []
    for name, estimate in found.parameters.items():
        value: float | int = round(estimate.value) if name.startswith("states") else estimate.value
        told = _told(estimate, "from the sweep, not fitted" if name in report.from_sweep else "fitted")
        rows.append(_row(name, max(value, 1) if name.startswith("states") else value, estimate.unit, told))
    if report.family == "neurosim":
        return rows + _neurosim_rows(report, found)
    weight = "w_max" in found.parameters
    if not weight:
        rows += [_row("w_max", 1.0, "1", source="convention"), _row("w_min", -1.0, "1", source="convention")]
    if report.fit.candidate.family in ("linear", "soft_bounds"):
        rows.append(_row("mult_noise", report.fit.candidate.noise == MULTIPLICATIVE, ""))
    if report.family == "linear":
        rows.append(_row("allow_increasing", True, ""))
    if report.family == "exponential":
        rows += [_row("a", 1.0, "1", source="convention"), _row("b", 0.0, "1", source="convention")]
    if found.read_noise is not None:
        scale = 1.0 if weight else 2.0 / _range(report)
        told = f"read noise {number(found.read_noise.value)} {found.read_noise.unit} of every reading"
        size = found.read_noise.value * scale / found.parameters["dw_min"].value
        rows.append(_row("write_noise_std", size, "1", told))
    return rows + _spread_rows(report, found)


def _neurosim_rows(report: FitReport, found: Estimates) -> list[str]:
    rows = []
    spreads = [found.spread[name] for name in ("nl_up", "nl_down") if name in found.spread]
    if spreads:
        size = math.sqrt(sum(spread.value**2 for spread in spreads) / len(spreads))
        rows.append(_row("d2d", size, "1", f"spread of both labels over {found.cells} cells"))
    if found.read_noise is not None:
        mean = float(np.mean(_siemens(report)))
        told = f"read noise {number(found.read_noise.value)} S over the mean conductance"
        rows.append(_row("read_noise", found.read_noise.value / mean, "1", told))
    return rows


def _spread_rows(report: FitReport, found: Estimates) -> list[str]:
    """Spreads of aihwkit's families; all are stated, because their defaults are not 0."""
    rows, told = [], f"spread over {found.cells} cells"
    names = {**_RELATIVE_SPREAD, **_HALF_SPREAD}
    if report.family != "power":
        names = {key: value for key, value in names.items() if not key.startswith("pow")}
    if report.family == "linear":
        names |= _ABSOLUTE_SPREAD
    for name, field in names.items():
        size = found.spread[name].value if name in found.spread else 0.0
        if name in _RELATIVE_SPREAD and size:
            size /= abs(found.parameters[name].value if name in found.parameters else 1.0)
        rows.append(_row(field, size / 2 if name in _HALF_SPREAD else size, "1", told if size else "not seen"))
    return rows


def _lookup_rows(report: FitReport) -> list[str]:
    table = report.lookup
    assert table is not None
    told = "means and deviations with their intervals are in the details beside this sheet"
    rows = [_row("g_s", _list(table.conductance_s), "S"), _row("cdf", _list(table.cdf), "1")]
    for name, branch in (("up_s", table.up), ("down_s", table.down)):
        body = ",\n      ".join(_list(row) for row in branch.table())
        about = f"unit: S\n    source: measured\n    derived: {_quoted(told)}"
        rows.append(f"  {name}:\n    value: [\n      {body}]\n    {about}")
    rows += [_row("g_min_s", table.low_s, "S"), _row("g_max_s", table.high_s, "S")]
    return [*rows, _row("step_spread", table.step_spread, "1")]


def _list(values: Any) -> str:
    return "[" + ", ".join(repr(float(value)) for value in values) + "]"  # full precision keeps neighbours apart


def _row(name: str, value: object, unit: str, derived: str = "", source: str = "measured") -> str:
    shown = value if isinstance(value, str) else json.dumps(value)
    unit_part = f', unit: "{unit}"' if unit else ""
    derived_part = f", derived: {_quoted(derived)}" if derived else ""
    return f"  {name}: {{value: {shown}{unit_part}, source: {source}{derived_part}}}"


def _told(estimate: Estimate, how: str) -> str:
    if estimate.at_limit:
        return "at its limit: the measurement asks for more than the family has, so there is no interval"
    if not estimate.identified:
        return f"{how}; not identified: the measurement does not tell it, so there is no interval"
    low, high, error = number(estimate.low), number(estimate.high), number(estimate.error)
    return f"{how}; 95 % interval, all parameters together: {low} to {high}; standard error {error}"


def _quoted(text: str) -> str:
    return json.dumps(printable(text), ensure_ascii=False)


def _notes(report: FitReport) -> str:
    low, high = _low(report), _low(report) + _range(report)
    told = [f"Lowest and highest measured conductance {number(low)} and {number(high)} S."]
    if isinstance(report.measured, Traces) and report.measured.weight:
        told = ["Measured as dimensionless weights."]
    if report.comparison is not None:
        aic = report.comparison.aic
        least = min(aic.values())
        others = ", ".join(f"{candidate.title} {value - least:.1f}" for candidate, value in aic.items())
        told.append(f"AIC above the lowest: {others}.")
    return " ".join(told)


def _siemens(report: FitReport) -> Any:
    return report.measured.conductance_s


def _low(report: FitReport) -> float:
    return float(_siemens(report).min())


def _range(report: FitReport) -> float:
    return float(np.ptp(_siemens(report)))


def _drive(report: FitReport) -> list[str]:
    """The electrical conditions as a form to fill in, with the values that the file states."""
    if isinstance(report.measured, Traces) and report.measured.weight:
        return []
    origin = report.measured.origin
    known = _known(report, origin)
    lines = ["# Electrical conditions: fill in and uncomment to get energy and delay.", "# drive:"]
    for key, unit in _DRIVE:
        value = known.get(key)
        lines.append(f"#   {key}: {{value: {'...' if value is None else repr(value)}, unit: {unit}, source: measured}}")
    return lines


def _known(report: FitReport, origin: Origin) -> dict[str, float | None]:
    low, high = _low(report), _low(report) + _range(report)
    if report.estimates is not None and report.family == "neurosim":
        high = 1 / report.estimates.parameters["r_on_ohm"].value
        low = high / report.estimates.parameters["on_off"].value
    elif isinstance(report.measured, StepTable) and report.lookup is not None:
        low, high = report.lookup.low_s, report.lookup.high_s
    return {
        "g_min": low, "g_max": high, "up_voltage": origin.up_v, "up_width": origin.up_s, "down_voltage": origin.down_v,
        "down_width": origin.down_s, "read_voltage": origin.read_voltage_v,
    }  # fmt: skip
