"""The meaning of the columns of a measured table: finds role and unit in the headers of laboratory files."""

from __future__ import annotations

import re
from dataclasses import dataclass

from hw_models.base import DeviceError, unknown

NAMES: dict[str, tuple[str, ...]] = {
    "pulse": ("pulse", "pulses", "pulse number", "pulse no", "pulse index", "n pulse", "n", "index", "#"),
    "conductance": ("g", "conductance", "cond", "g read", "conductance read"),
    "current": ("i", "current", "id", "ids", "i read", "read current"),
    "weight": ("weight", "w"),
    "resistance": ("r", "resistance", "r read"),
    "read_voltage": ("v read", "vread", "read voltage", "v r"),
    "phase": ("phase", "direction", "branch", "dir", "polarity", "sign", "process", "mode"),
    "pulse_voltage": ("v pulse", "vpulse", "pulse voltage", "v prog", "pulse amplitude", "amplitude", "v write"),
    "pulse_width": ("t pulse", "pulse width", "width", "t write"),
    "cell": ("cell", "device", "cell id", "device id", "dut"),
    "cycle": ("cycle", "loop", "repeat", "run", "cycle number"),
    "up_mean": ("inc mean dg", "up mean dg", "ltp mean dg", "inc mean", "up mean", "ltp mean"),
    "up_std": ("inc std dg", "up std dg", "ltp std dg", "inc std", "up std", "ltp std"),
    "up_count": ("inc count", "up count", "ltp count", "inc n", "up n"),
    "down_mean": ("dec mean dg", "down mean dg", "ltd mean dg", "dec mean", "down mean", "ltd mean"),
    "down_std": ("dec std dg", "down std dg", "ltd std dg", "dec std", "down std", "ltd std"),
    "down_count": ("dec count", "down count", "ltd count", "dec n", "down n"),
}
"""Accepted names of columns, in lower case, with spaces for underscores and without the unit."""

_PREFIX = {"": 1.0, "m": 1e-3, "u": 1e-6, "µ": 1e-6, "μ": 1e-6, "n": 1e-9, "p": 1e-12, "k": 1e3, "M": 1e6}
DIMENSION = {
    "conductance": "S", "current": "A", "resistance": "ohm", "read_voltage": "V", "pulse_voltage": "V",
    "pulse_width": "s", "up_mean": "S", "up_std": "S", "down_mean": "S", "down_std": "S",
}  # fmt: skip
MOST = {
    "conductance": 10.0, "current": 10.0, "resistance": 1e18, "read_voltage": 1000.0, "pulse_voltage": 1000.0,
    "pulse_width": 1e6, "weight": 1e6, "pulse": 1e12, "up_mean": 10.0, "up_std": 10.0, "down_mean": 10.0,
    "down_std": 10.0, "up_count": 1e12, "down_count": 1e12,
}  # fmt: skip
"""Largest size of a value in SI units that a cell of a memory, or a measurement of one, can have."""
LEAST_CONDUCTANCE = 1e-18
"""Siemens: one electron a second at 0.2 V; nothing below it has been measured."""
CONDUCTANCES = f"{LEAST_CONDUCTANCE:g}..{MOST['conductance']:g} S"
_BASE = {"S": ("S", "s"), "A": ("A", "a"), "ohm": ("ohm", "Ohm", "ohms", "Ω"), "V": ("V", "v"), "s": ("s", "S")}


@dataclass(frozen=True)
class Column:
    """A recognised column: its index, its role, and the factor to the SI unit."""

    place: int
    role: str
    factor: float
    title: str


def understood(header: list[str]) -> dict[str, Column]:
    """Columns of `header` by role; others are ignored. Raises `DeviceError` for a missing unit or a repeated role."""
    found: dict[str, Column] = {}
    for place, title in enumerate(header):
        column = _column(place, title)
        if column is None:
            continue
        if column.role in found:
            other = found[column.role].title
            raise DeviceError(f"two columns hold the {column.role.replace('_', ' ')}: {other!r} and {title.strip()!r}")
        found[column.role] = column
    return found


def _column(place: int, title: str) -> Column | None:
    text = title.strip()
    plain = words(text)
    for role, names in NAMES.items():
        if plain in names:
            if role not in DIMENSION:
                return Column(place, role, 1.0, text)
            examples = " or ".join(f"{text} ({prefix}{DIMENSION[role]})" for prefix in ("", "u"))
            told = f"column {text!r} has no unit: write it into the header, such as {examples}"
            raise DeviceError(f"{told}, into a row below the header, or into a column 'unit'")
    name, unit = _split(text)
    for role, names in NAMES.items():
        if unit and role in DIMENSION and words(name) in names:
            return Column(place, role, unit_factor(unit, DIMENSION[role], text), text)
        if words(name) in names and role not in DIMENSION:  # such as `pulse (#)`
            return Column(place, role, 1.0, text)
    return None


def bare_role(title: str) -> str | None:
    """The role of a column whose title names a quantity but not its unit; None for all others."""
    plain = words(title)
    return next((role for role, names in NAMES.items() if role in DIMENSION and plain in names), None)


def words(text: str) -> str:
    """A title in lower case, with single spaces between its words."""
    return " ".join(re.sub(r"[_\-.]+", " ", text.lower()).split())


def _split(text: str) -> tuple[str, str]:
    """(name, unit) of `G [uS]`, `G (uS)`, `G / uS`, `G, uS`, `g_us`, `G uS`; the unit is empty if there is none."""
    for form in (r"(.+?)\s*[\[(]\s*([^\])]*?)\s*[\])]$", r"(.+?)\s*[/,]\s*(\S+)$", r"(.+?)[_\s]+([^_\s]+)$"):
        match = re.match(form, text)
        if match:
            return match[1], match[2]
    return text, ""


def unit_factor(unit: str, dimension: str, title: str) -> float:
    """Factor of `unit` to SI. `ms` is millisiemens for a conductance: case decides only between mOhm and MOhm."""
    for base in _BASE[dimension]:
        for prefix, factor in _PREFIX.items():
            written = {prefix + base} | ({(prefix + base).upper()} if prefix not in ("m", "M") else set())
            if unit in written or (unit in {"MS", "MA"} and prefix == "m"):
                return factor
    known = [prefix + dimension for prefix in ("", "m", "u", "n", "p")]
    raise DeviceError(f"column {title!r}: " + unknown("unit", unit, known))
