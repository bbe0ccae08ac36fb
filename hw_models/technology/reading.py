"""Reads the YAML tables: returns every number with unit and source, and refuses tables without them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from math import prod
from typing import Any

from hw_models.technology.curves import Points
from hw_models.technology.errors import TechnologyError, unknown

# unit in a table -> (internal dimension, factor)
UNITS: dict[str, tuple[str, float]] = {
    "pJ": ("J", 1e-12),
    "fJ": ("J", 1e-15),
    "nJ": ("J", 1e-9),
    "um2": ("mm2", 1e-6),
    "mm2": ("mm2", 1.0),
    "um2/bit": ("mm2/bit", 1e-6),
    "mm2/bit": ("mm2/bit", 1.0),
    "nW/bit": ("W/bit", 1e-9),
    "pW/bit": ("W/bit", 1e-12),
    "mW/mm2": ("W/mm2", 1e-3),
    "uW/mm2": ("W/mm2", 1e-6),
    "W/mm2": ("W/mm2", 1.0),
    "nA/um": ("nA/um", 1.0),
    "nm": ("nm", 1.0),
    "V": ("V", 1.0),
    "1": ("1", 1.0),
}
# the axes of points; the product of the given axes is the position on the curve
AXES = ("bits", "bits_a", "bits_b", "capacity_kib", "node_nm")


@dataclass(frozen=True, slots=True)
class Row:
    """One number as stated in the table: in its own unit, at its own width, with its source."""

    quantity: str
    at: str
    value: float
    unit: str
    source: str
    derived: str

    def as_dict(self) -> dict[str, object]:
        """A plain mapping, for reports."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a table: values in its unit, each at a position (a mapping of axis to number)."""

    quantity: str
    unit: str
    places: tuple[dict[str, float], ...]
    values: tuple[float, ...]
    rows: tuple[Row, ...]

    def value(self, dimension: str) -> float:
        """The number of an entry without points, in `dimension` (a dimension in `UNITS`)."""
        return self.values[0] * self._factor(dimension)

    def points(self, dimension: str, *axes: str, per: str | None = None) -> Points:
        """(x, y) pairs, x ascending: x the product of the axes, y in `dimension` over the axis `per`."""
        factor = self._factor(dimension)
        pairs = []
        for place, value in zip(self.places, self.values, strict=True):
            x = prod(place[axis] for axis in axes)
            pairs.append((x, value * factor / (place[per] if per else 1.0)))
        return tuple(sorted(pairs))

    def _factor(self, dimension: str) -> float:
        found, factor = UNITS[self.unit]
        if found != dimension:
            raise TechnologyError(f"{self.quantity}: unit {self.unit!r} is not a unit of {dimension}")
        return factor


@dataclass(frozen=True, slots=True)
class Sheet:
    """A whole YAML file: its entries by dotted name, and its citations in the order of the file."""

    entries: dict[str, Entry]
    sources: tuple[str, ...]

    def rows(self) -> tuple[Row, ...]:
        """Every number of the file."""
        return tuple(row for entry in self.entries.values() for row in entry.rows)


@cache
def read(path: str) -> Sheet:
    """Reads `path`, relative to this package. Raises `TechnologyError` for a number without unit or source."""
    from importlib.resources import files  # imported here, because yaml takes most of the import time

    import yaml

    text = files("hw_models.technology").joinpath(path).read_text(encoding="utf-8")
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return parse(path, yaml.load(text, Loader=loader))


def parse(name: str, tree: dict[str, Any]) -> Sheet:
    """Converts the plain mapping of a table to entries; `name` is used in errors only."""
    citations: dict[str, str] = tree.get("sources", {})
    entries: dict[str, Entry] = {}
    _collect(name, "", {key: node for key, node in tree.items() if key != "sources"}, citations, entries)
    return Sheet(entries, tuple(citations.values()))


def _collect(
    name: str, path: str, tree: dict[str, Any], citations: dict[str, str], entries: dict[str, Entry]
) -> None:
    for key, node in tree.items():
        here = f"{path}.{key}" if path else key
        if isinstance(node, dict) and ("value" in node or "points" in node):
            entries[here] = _entry(name, here, node, citations)
        elif isinstance(node, dict):
            _collect(name, here, node, citations, entries)
        elif not isinstance(node, str):
            raise TechnologyError(f"{name}: {here}: {node!r} has neither unit nor source")


def _entry(name: str, path: str, node: dict[str, Any], citations: dict[str, str]) -> Entry:
    unit = node.get("unit")
    unit = str(unit) if unit == 1 and not isinstance(unit, bool) else unit  # `unit: 1` without quotes
    if unit not in UNITS:
        raise unknown(f"{name}: {path}: unit", unit, UNITS)
    given = node["points"] if "points" in node else [{"value": node["value"]}]
    places, values, rows = [], [], []
    for point in given:
        source = citations.get(point.get("source", node.get("source", "")))
        if source is None:
            raise TechnologyError(f"{name}: {path}: no source, or one that `sources` does not list")
        place = {axis: float(point[axis]) for axis in AXES if axis in point}
        shown = ", ".join(f"{axis} {place[axis]:g}" for axis in place)
        derived = str(point.get("derived", node.get("derived", ""))).strip()
        places.append(place)
        values.append(float(point["value"]))
        rows.append(Row(path, shown, float(point["value"]), unit, source, derived))
    return Entry(f"{name}: {path}", unit, tuple(places), tuple(values), tuple(rows))
