"""Converts the electrical conditions of a sheet (`drive:`) to a `Drive`, which `building.py` adds to the model."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from typing import Final

from hw_models.base import CellModel, DeviceError, Drive, Pulse, unknown
from hw_models.sheets.sheet import Entry, Sheet
from hw_models.sheets.values import Parameter, checked

DRIVE_UNITS: Final = {
    "g_min": "S",
    "g_max": "S",
    "up_voltage": "V",
    "up_width": "s",
    "down_voltage": "V",
    "down_width": "s",
    "read_voltage": "V",
    "read_width": "s",
    "cell_area": "F2",
    "capacitance": "F",
    "access_resistance": "Ohm",
    "write_current": "",
}
"""Keys of a sheet's `drive` with their unit in `Drive`; no unit: true or false."""
INFORMATIVE: Final = {"access_resistance": "for information: in no current, energy or time"}
"""Conditions that a sheet may state but that affect no result."""
_MAY_LACK: Final = ("capacitance", "access_resistance", "write_current")
_MAY_BE_ZERO: Final = ("capacitance", "access_resistance", "g_min")
_SIGNED: Final = ("up_voltage", "down_voltage")


def drive_values(made: Sheet, faults: list[str]) -> dict[str, float]:
    """The conditions of a sheet, in the units of `Drive`; adds their faults to `faults`."""
    values: dict[str, float] = {}
    for key, entry in made.drive.items():
        drive_value(key, entry, made.place("drive", key), values, faults)
    return values


def drive_value(key: str, entry: Entry, here: str, values: dict[str, float], faults: list[str]) -> None:
    """Checks one condition and adds it to `values`, or adds a fault that begins with `here` to `faults`."""
    if key not in DRIVE_UNITS:
        faults.append(f"{here}: {unknown('condition', key, tuple(DRIVE_UNITS))}")
        return
    low = -math.inf if key in _SIGNED else 0.0
    kind = "number" if DRIVE_UNITS[key] else "truth"
    field = Parameter(key, DRIVE_UNITS[key], "", kind, low, math.inf, True)
    try:
        number = float(checked(field, entry.value, entry.unit or None))
    except DeviceError as error:
        faults.append(f"{here}: {error}")
        return
    if number == 0 and kind == "number" and key not in _MAY_BE_ZERO:
        faults.append(f"{here}: 0 {field.unit} is out of range, allowed: more than 0 {field.unit}")
    else:
        values[key] = number


def driven(model: CellModel, drive: Mapping[str, float], made: Sheet, source: str) -> CellModel:
    """`model` with its electrical conditions; the conductance range of a model in siemens is given by its bounds.

    Raises `DeviceError` for conditions that are missing, for g_min ≥ g_max, and for writing without current or charge.
    """
    values, here = dict(drive), made.place("drive")
    if model.quantity == "conductance":
        low, high = model.bounds()
        values.setdefault("g_min", low)
        values.setdefault("g_max", high)
    missing = [key for key in DRIVE_UNITS if key not in values and key not in _MAY_LACK]
    if missing:
        raise DeviceError(f"{here}: not given: {', '.join(missing)}")
    if values["g_min"] >= values["g_max"]:
        raise DeviceError(f"{here}: g_min {values['g_min']:g} S must be below g_max {values['g_max']:g} S")
    if values.get("write_current") == 0 and not values.get("capacitance"):
        raise DeviceError(f"{here}: write_current is false, so a pulse charges a gate: capacitance must be above 0 F")
    made_drive = Drive(
        g_min_s=values["g_min"],
        g_max_s=values["g_max"],
        up=Pulse(values["up_voltage"], values["up_width"]),
        down=Pulse(values["down_voltage"], values["down_width"]),
        read_voltage_v=values["read_voltage"],
        read_s=values["read_width"],
        cell_area_f2=values["cell_area"],
        capacitance_f=values.get("capacitance", 0.0),
        write_current=bool(values.get("write_current", True)),
        access_ohm=values.get("access_resistance", 0.0),
        source=source,
    )
    return dataclasses.replace(model, drive=made_drive)  # type: ignore[type-var]
