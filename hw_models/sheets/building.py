"""Builds a cell model from a sheet: checks fields, units, types and ranges, and reports all faults together.

A family is a frozen dataclass; its parameters are the fields whose metadata has a `unit` (`doc`, `low` and `high`
describe and bound them). `sheet.py` reads the sheet, `values.py` checks a value, `conditions.py` builds the drive.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import Field
from typing import Any, Final, get_type_hints

from hw_models.base import CellModel, DeviceError, unknown
from hw_models.sheets.conditions import DRIVE_UNITS, drive_value, drive_values, driven
from hw_models.sheets.sheet import Entry, Sheet
from hw_models.sheets.values import Parameter, checked

MOMENTS: Final = ("up_mean_s", "up_std_s", "down_mean_s", "down_std_s")
"""Keys of a lookup table that may replace its quantiles in a sheet: moments of the step at each of `g_s`."""
_NOT_PARAMETERS: Final = ("name", "drive", "off")


def parameters(kind: type[CellModel]) -> tuple[Parameter, ...]:
    """The parameters of a family in the order of its fields."""
    hints = get_type_hints(kind)
    items = [item for item in _fields(kind) if item.name not in _NOT_PARAMETERS and hints[item.name] is not CellModel]
    return tuple(_parameter(item, str(hints[item.name])) for item in items)


def inner_field(kind: type[CellModel]) -> str | None:
    """The field of a wrapper for the device inside; None for a family that is not a wrapper."""
    hints = get_type_hints(kind)
    return next((item.name for item in _fields(kind) if hints[item.name] is CellModel), None)


def build(
    kind: type[CellModel], made: Sheet, overrides: Mapping[str, Any], inner: CellModel | None = None
) -> CellModel:
    """The model of a sheet with `overrides`. Raises `DeviceError` with all faults that can be found together."""
    known = {parameter.name: parameter for parameter in parameters(kind)}
    moments = MOMENTS if hasattr(kind, "from_moments") and MOMENTS[0] in made.parameters else ()
    for name in moments:  # a table of moments instead of one of quantiles
        known[name] = Parameter(name, "S", "of the change by a pulse", "numbers", -math.inf, math.inf, True)
    if moments:
        known = {name: parameter for name, parameter in known.items() if name not in ("cdf", "up_s", "down_s")}
    faults: list[str] = []
    values = _values(known, made, faults)
    drive = drive_values(made, faults)
    for key, given in overrides.items():
        _override(key, given, known, made, values, drive, faults)
    faults += [
        f"{made.place('parameters', name)}: not given ({parameter.doc or 'required'})"
        for name, parameter in known.items()
        if parameter.required and name not in values and not faults
    ]
    if faults:
        raise DeviceError("\n".join(faults))
    if inner is not None:
        values[inner_field(kind) or ""] = inner
    try:
        model = _from_moments(kind, made.name, values) if moments else kind(name=made.name, **values)  # type: ignore[call-arg]
    except DeviceError as error:
        raise DeviceError(_located(error, made)) from None
    source = "; ".join(dict.fromkeys(entry.source for entry in made.drive.values()))
    return driven(model, drive, made, source) if drive else model


def wrapped(kind: type[CellModel], inner: CellModel, given: Mapping[str, Any]) -> CellModel:
    """`inner` inside the wrapper `kind` with the parameters `given`. Raises `DeviceError`."""
    return build(kind, Sheet(name=inner.name, family=kind.family, where=f"{inner.name}.{kind.family}"), given, inner)


def _from_moments(kind: Any, name: str, values: Mapping[str, Any]) -> CellModel:
    """A lookup table from the means and standard deviations of the steps (siemens; below 0 for those down)."""
    up, down = (values[MOMENTS[0]], values[MOMENTS[1]]), (values[MOMENTS[2]], values[MOMENTS[3]])
    if len({len(values["g_s"]), *map(len, (*up, *down))}) != 1:
        raise DeviceError(f"g_s, {', '.join(MOMENTS)}: must be of one length")
    if any(number < 0 for number in (*up[1], *down[1])):
        raise DeviceError(f"{MOMENTS[1]}, {MOMENTS[3]}: a standard deviation is below 0")
    made = kind.from_moments(values["g_s"], up, down, name=name)
    rest = {key: value for key, value in values.items() if key not in (*MOMENTS, "g_s")}
    changed: CellModel = dataclasses.replace(made, **rest)
    return changed


def is_dataclass(kind: type[CellModel]) -> bool:
    """Whether a family is a dataclass, whose fields are used to check sheets and overrides."""
    return dataclasses.is_dataclass(kind)


def _fields(kind: Any) -> tuple[Field[Any], ...]:
    if not is_dataclass(kind):
        raise DeviceError(f"family {kind.family}: no dataclass, so a sheet cannot state its parameters")
    return tuple(item for item in dataclasses.fields(kind) if item.init)


def _parameter(item: Field[Any], hint: str) -> Parameter:
    kinds = {"tuple": "numbers", "bool": "truth", "int": "whole", "float": "number"}
    kind = next((kind for word, kind in kinds.items() if word in hint), "word")
    about = item.metadata
    missing = item.default is dataclasses.MISSING and item.default_factory is dataclasses.MISSING
    low, high = about.get("low"), about.get("high")
    return Parameter(
        item.name,
        str(about.get("unit") or "1"),
        str(about.get("doc", "")),
        kind,
        -math.inf if low is None else float(low),
        math.inf if high is None else float(high),
        missing,
    )


def _values(known: Mapping[str, Parameter], made: Sheet, faults: list[str]) -> dict[str, Any]:
    values = {}
    for key, entry in made.parameters.items():
        here = made.place("parameters", key)
        if key not in known:
            faults.append(f"{here}: {unknown('parameter', key, tuple(known))}")
            continue
        try:
            values[key] = checked(known[key], entry.value, entry.unit)
        except DeviceError as error:
            faults.append(f"{here}: {error}")
    return values


def _override(
    key: str,
    given: Any,
    known: Mapping[str, Parameter],
    made: Sheet,
    values: dict[str, Any],
    drive: dict[str, float],
    faults: list[str],
) -> None:
    here = f"{made.where or made.name}: {key}"
    if key in known:
        try:
            values[key] = checked(known[key], given, None)
        except DeviceError as error:
            faults.append(f"{here}: {error}")
    elif key in DRIVE_UNITS:
        drive_value(key, Entry(given, "", ""), here, drive, faults)
    else:
        faults.append(f"{here}: {unknown('parameter', key, (*known, *DRIVE_UNITS))}")


def _located(error: DeviceError, made: Sheet) -> str:
    """A fault reported by the family, with the line of the named parameter."""
    text = str(error)
    named = next((key for key in made.parameters if key in text), "")
    here = made.place("parameters", named) if named else made.place()
    return text if here and text.startswith(here) else f"{here}: {text}"
