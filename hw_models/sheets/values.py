"""Checks the value of a parameter in a sheet or an override: type, unit, range; used by `building.py`."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from hw_models.base import DeviceError
from hw_models.sheets.quantities import converted, quantity


@dataclass(frozen=True)
class Parameter:
    """One documented parameter of a family."""

    name: str
    unit: str
    doc: str
    kind: str
    """`number`, `whole`, `truth`, `word` or `numbers`."""
    low: float
    high: float
    required: bool


def checked(parameter: Parameter, value: Any, unit: str | None) -> Any:
    """`value` in the field's type and unit; `unit` None means the field's own unit. Raises `DeviceError`."""
    if parameter.kind == "numbers":
        if isinstance(value, str) or not isinstance(value, Sequence):
            raise DeviceError(f"{value!r}: must be a list of numbers in {parameter.unit}")
        element = dataclasses.replace(parameter, kind="number")
        return tuple(checked(parameter if isinstance(v, Sequence) else element, v, unit) for v in value)
    if parameter.kind == "truth":
        if not isinstance(value, bool):
            raise DeviceError(f"{value!r}: allowed: true, false")
        return value
    if parameter.kind == "word":
        if not isinstance(value, str):
            raise DeviceError(f"{value!r}: must be a word")
        return value
    return _number(parameter, value, unit)


def _number(parameter: Parameter, value: Any, unit: str | None) -> float | int:
    if isinstance(value, str):
        number = quantity(value, parameter.unit)
    elif isinstance(value, bool) or not isinstance(value, int | float):
        raise DeviceError(f"{value!r}: must be a number in {parameter.unit}")
    elif not math.isfinite(value):
        raise DeviceError(f"{value!r}: must be a finite number in {parameter.unit}")
    else:
        number = converted(value, parameter.unit if unit is None else unit, parameter.unit)
    if not parameter.low <= number <= parameter.high:
        raise DeviceError(f"{number:g}{_unit(parameter)} is out of range, allowed: {_range(parameter)}")
    if parameter.kind == "whole":
        if number != int(number):
            raise DeviceError(f"{value!r}: must be a whole number")
        return int(number)
    return number


def _range(parameter: Parameter) -> str:
    if math.isinf(parameter.high):
        return f"at least {parameter.low:g}{_unit(parameter)}"
    return f"{parameter.low:g} to {parameter.high:g}{_unit(parameter)}"


def _unit(parameter: Parameter) -> str:
    """The unit as printed after a number; empty for a plain number."""
    return "" if parameter.unit == "1" else f" {parameter.unit}"
