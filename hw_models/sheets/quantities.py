"""Units of device sheets: converts numbers with a unit to the unit of a model's field; `sheet.py` reads them."""

from __future__ import annotations

import math
import re
from fractions import Fraction
from typing import Final

from hw_models.base import DeviceError, unknown

_PREFIXES: Final = {"f": -15, "p": -12, "n": -9, "u": -6, "µ": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9}
_SYMBOLS: Final = ("S", "Ohm", "V", "s", "A", "F", "J", "m")
_NUMBER_AND_UNIT: Final = re.compile(r"\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d{1,3})?)(?:\s+|(?![\d.]))(\S+)\s*")
_COUNTS: Final = {"bits": ("bits", "bit"), "levels": ("levels", "states"), "pulses": ("pulses",)}
_MOST_DIGITS: Final = 64


def _known() -> dict[str, tuple[str, Fraction]]:
    """Unit -> (dimension, exact factor to its base unit)."""
    found = {
        prefix + symbol: (symbol, Fraction(10) ** power) for symbol in _SYMBOLS for prefix, power in _PREFIXES.items()
    }
    calendar = {"min": 60, "h": 3600, "day": 86400, "year": 31557600}
    found |= {unit: ("s", Fraction(seconds)) for unit, seconds in calendar.items()}
    found |= {"1": ("1", Fraction(1)), "%": ("1", Fraction(1, 100)), "F2": ("F2", Fraction(1))}
    found |= {unit: (count, Fraction(1)) for count, units in _COUNTS.items() for unit in units}
    return found


UNITS: Final = _known()
"""Every unit of a sheet with its dimension and its factor; the year is the Julian year, F2 a squared feature size."""


def converted(value: float, unit: str, into: str) -> float:
    """Converts `value` from `unit` to the unit `into`, with one rounding; ohms to siemens (and back) is 1/R.

    A unit that is not in `UNITS` (such as `uS/uS^2` of a coefficient) converts only to itself. Raises `DeviceError`.
    """
    if unit == into:
        return value
    if unit not in UNITS:
        raise DeviceError(unknown("unit", unit, fitting(into)))
    if into not in UNITS:
        raise DeviceError(f"{unit!r} is not the unit of this number, allowed: {into!r}")
    (dimension, factor), (wanted, divisor) = UNITS[unit], UNITS[into]
    if not math.isfinite(value):
        raise DeviceError(f"{value!r}: must be a finite number in {into}")
    exact = Fraction(str(value)) * factor  # the written decimal number, not the nearest binary fraction
    if {dimension, wanted} == {"S", "Ohm"}:
        if not exact:
            raise DeviceError(f"0 {unit} has no value in {into}")
        return _rounded(1 / exact / divisor, value, unit, into)
    if dimension != wanted and not (wanted in _COUNTS and dimension == "1"):
        raise DeviceError(f"{unit!r} is a unit of {_meaning(dimension)}, allowed: {', '.join(fitting(into))}")
    return _rounded(exact / divisor, value, unit, into)


def _rounded(exact: Fraction, value: float, unit: str, into: str) -> float:
    try:
        return float(exact)
    except OverflowError:
        raise DeviceError(f"{value!r} {unit} is beyond every number in {into}") from None


def fitting(into: str) -> tuple[str, ...]:
    """The units that `converted` accepts for a number in `into`, `into` itself first."""
    if into not in UNITS:
        return (into,)
    wanted = UNITS[into][0]
    also = {"S": "Ohm", "Ohm": "S"}.get(wanted)
    found = [unit for unit, (dimension, _) in UNITS.items() if dimension in (wanted, also) and unit.isascii()]
    return (into, *(unit for unit in found if unit != into))


def quantity(text: str, into: str) -> float:
    """The number of a text such as `100 kOhm`, in `into`. Raises `DeviceError` for an invalid text."""
    match = _NUMBER_AND_UNIT.fullmatch(text) if len(text) <= _MOST_DIGITS else None
    if match is None:
        raise DeviceError(f"{text[:_MOST_DIGITS]!r} is not a number followed by a unit such as {fitting(into)[0]!r}")
    return converted(float(match[1]), match[2], into)


def _meaning(dimension: str) -> str:
    names = {"S": "conductance", "Ohm": "resistance", "V": "voltage", "s": "time", "A": "current", "F": "capacitance"}
    return names.get(dimension, {"J": "energy", "m": "length", "1": "ratio", "F2": "area"}.get(dimension, dimension))
