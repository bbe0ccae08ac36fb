"""Reads constants.yaml: every number of the periphery in SI units; refuses numbers without a unit or a source."""

from __future__ import annotations

import math
from functools import cache
from numbers import Real
from typing import Any, Final

from hw_models.base import DeviceError, unknown
from hw_models.technology.curves import PowerLaw

# unit -> factor to the SI unit; dB is unchanged. Decades are fractions, so that `value * factor` is rounded once.
UNITS: Final[dict[str, float]] = {
    "1": 1.0,
    "dB": 1.0,
    "Hz": 1.0,
    "V": 1.0,
    "1/K": 1.0,
    "ohm m": 1.0,
    "pJ": 1e-12,
    "fJ": 1e-15,
    "um2": 1e-12,
    "nm": 1e-9,
    "ns": 1e-9,
    "fF/um": 1e-9,
    "mA/um": 1e3,
    "nA/um": 1e-3,
}


@cache
def sheet() -> dict[str, Any]:
    """The YAML file as a mapping of group to name to entry.

    Raises `DeviceError` for a number without unit or source.
    """
    from importlib.resources import files  # imported here, because yaml takes most of the import time

    import yaml

    text = files("hw_models.periphery").joinpath("constants.yaml").read_text(encoding="utf-8")
    tree: dict[str, Any] = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    check(tree)
    return tree


def check(tree: dict[str, Any]) -> None:
    """Raises `DeviceError` if an entry of `tree` has no unit of `UNITS`, no source, or no number."""
    sources = tree.get("sources", {})
    for group, entries in tree.items():
        for name, entry in entries.items() if group != "sources" else ():
            what = f"constants: {group}.{name}"
            if entry.get("unit") not in UNITS:
                raise DeviceError(f"{what}: {unknown('unit', entry.get('unit'), tuple(UNITS))}")
            if entry.get("source") not in sources:
                raise DeviceError(f"{what}: {unknown('source', entry.get('source'), tuple(sources))}")
            values = [point["value"] for point in entry["points"]] if "points" in entry else [entry.get("value")]
            if not values or not all(isinstance(value, Real) and math.isfinite(value) for value in values):
                raise DeviceError(f"{what}: {values} is no number")


def constant(path: str) -> float:
    """The number at `group.name` in SI units (metres, joules, seconds; figures of merit in dB)."""
    group, name = path.split(".")
    entry = sheet()[group][name]
    return float(entry["value"]) * UNITS[entry["unit"]]


def curve(path: str, axis: str) -> PowerLaw:
    """The power law through the points of `group.name` over `axis`, interpolated linearly in logarithms."""
    group, name = path.split(".")
    entry = sheet()[group][name]
    factor = UNITS[entry["unit"]]
    return PowerLaw(tuple(sorted((float(p[axis]), float(p["value"]) * factor) for p in entry["points"])))


def bounded(what: str, value: float, low: float, high: float, unit: str) -> float:
    """Returns `value` if it is a number in [low, high]; else raises `DeviceError` with the nearest allowed one."""
    number = isinstance(value, Real) and not isinstance(value, bool)
    if number and math.isfinite(value) and low <= value <= high:
        return float(value)
    allowed = f"at least {low:g}" if math.isinf(high) else f"{low:g} to {high:g}"
    nearest = min(max(value, low), high) if number and not math.isnan(value) else math.nan
    hint = f" (nearest allowed: {nearest:g})" if math.isfinite(nearest) else ""
    raise DeviceError(f"{what}: {value!r} is out of range, allowed is {allowed} {unit}{hint}")


def whole(what: str, value: int, low: int, high: int, unit: str) -> int:
    """Returns `value` if it is a whole number in [low, high]; otherwise raises `DeviceError`."""
    bounded(what, value, low, high, unit)
    if value != int(value):
        raise DeviceError(f"{what}: {value!r} is no whole number of {unit}, allowed is {low} to {high}")
    return int(value)
