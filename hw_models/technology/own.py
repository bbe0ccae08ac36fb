"""Checks the user's own technology table: compares a YAML text with the required entries and reports all faults.

The tables of the package are checked with the same list. `reading` then converts the tree to numbers with unit and
source.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Final

from hw_models.sheets.yaml_lines import Lines, YamlError, placed
from hw_models.sheets.yaml_lines import read as read_yaml
from hw_models.technology.errors import TechnologyError, nearest
from hw_models.technology.reading import UNITS, Sheet, parse

MOST_CHARACTERS: Final = 1 << 16
"""Longest accepted text; a table has only two pages."""
_MOST_FAULTS: Final = 40


@dataclass(frozen=True)
class Wanted:
    """Requirements for an entry: dimension of its value, its range, the axes of its points, whether it is optional."""

    dimension: str
    low: float
    high: float
    axes: tuple[str, ...] = ()
    optional: bool = False

    @property
    def units(self) -> tuple[str, ...]:
        """The allowed units of the entry."""
        return tuple(unit for unit, (dimension, _) in UNITS.items() if dimension == self.dimension)


_ENERGY, _AREA = ("J", 1e-21, 1e-3), ("mm2", 1e-12, 1e3)
_BY_WIDTH: Final = {
    f"{kind}.{what}": Wanted(*limits, ("bits_a", "bits_b") if kind == "multiply" else ("bits",))
    for kind in ("add", "multiply", "compare", "shift", "xor", "register")
    for what, limits in (("energy", _ENERGY), ("area", _AREA))
}
ENTRIES: Final[dict[str, Wanted]] = {
    "node": Wanted("nm", 7, 130),
    "supply": Wanted("V", 0.1, 10, optional=True),
    **_BY_WIDTH,
    "sram.access": Wanted(*_ENERGY, ("bits", "capacity_kib")),
    "sram.cell": Wanted("mm2/bit", 1e-12, 1e-3),
    "sram.array_efficiency": Wanted("1", 0.01, 1),
    "sram.leakage": Wanted("W/bit", 0, 1e-3),
    "sram.macro": Wanted("mm2", 0, 1e3, optional=True),
    "sram.retention": Wanted("1", 0, 1, optional=True),
    "logic.leakage": Wanted("W/mm2", 0, 1e3),
}
"""Every entry of a table by its dotted name."""
_WORDS: Final = ("table", "summary", "notes")
_AXIS_LIMITS: Final = {"bits": (1, 1024), "bits_a": (1, 1024), "bits_b": (1, 1024), "capacity_kib": (1e-3, 2**30)}


def read_text(text: str, where: str) -> Sheet:
    """The numbers of a table. Raises `TechnologyError` with all faults, one line `FILE:LINE: entry: …` each."""
    if len(text) > MOST_CHARACTERS:
        raise TechnologyError(f"{where}: {len(text)} characters, allowed: at most {MOST_CHARACTERS}")
    try:
        tree, lines, faults = read_yaml(text, where)
    except YamlError as error:
        raise TechnologyError(str(error)) from None
    if not isinstance(tree, Mapping):
        wanted = ", ".join(dict.fromkeys(name.partition(".")[0] for name in ENTRIES))
        raise TechnologyError(f"{where}:1: no technology table, allowed: a mapping of sources, {wanted}")
    faults += _Check(where, lines, tree).faults()
    if faults:
        more = [f"... and {len(faults) - _MOST_FAULTS} more faults"] if len(faults) > _MOST_FAULTS else []
        raise TechnologyError("\n".join(faults[:_MOST_FAULTS] + more))
    return parse(where, dict(tree))


def name_of(text: str, where: str) -> str:
    """The name in a valid table (`table:`), else the name of its file without `.yaml`."""
    tree, _, _ = read_yaml(text, where)
    own = tree.get("table") if isinstance(tree, Mapping) else None
    return own if isinstance(own, str) and own else where.rpartition("/")[2].removesuffix(".yaml").removesuffix(".yml")


@dataclass
class _Check:
    """Collects the faults of a tree."""

    where: str
    lines: Lines
    tree: Mapping[str, Any]
    told: list[str] = field(default_factory=list)

    def faults(self) -> list[str]:
        sections: dict[str, list[str]] = {}
        for name in ENTRIES:
            head, _, rest = name.partition(".")
            sections.setdefault(head, []).extend([rest] if rest else [])
        self._keys((), self.tree, ("sources", *_WORDS, *sections))
        for word in _WORDS:
            if not isinstance(self.tree.get(word, ""), str):
                self._say((word,), f"{_shown(self.tree[word])}: wrong type, allowed: a text")
        own = self.tree.get("table")
        if isinstance(own, str) and not re.fullmatch(r"[A-Za-z0-9_.-]{1,100}", own):
            self._say(("table",), f"{_shown(own)}: not a name, allowed: 1 to 100 letters, digits, '_', '.' or '-'")
        self._sources()
        for head, inner in sections.items():
            if inner:
                self._section(head, inner)
            elif head in self.tree:
                self._entry((head,), self.tree[head], ENTRIES[head])
            elif not ENTRIES[head].optional:
                self._say((head,), f"missing, allowed: {_form(ENTRIES[head])}")
        return self.told

    def _say(self, path: tuple[str, ...], text: str) -> None:
        self.told.append(f"{placed(self.where, self.lines, path)}: {text}")

    def _keys(self, path: tuple[str, ...], given: Mapping[str, Any], known: tuple[str, ...]) -> None:
        for key in given:
            if key not in known:
                self._say((*path, str(key)), f"unknown key, allowed: {', '.join(known)}{nearest(key, known)}")

    def _sources(self) -> None:
        sources = self.tree.get("sources")
        if not isinstance(sources, Mapping) or not sources:
            self._say(("sources",), "missing, allowed: a mapping of a short name to a citation; every number names one")
            return
        for key, citation in sources.items():
            if not isinstance(citation, str) or not citation.strip():
                self._say(("sources", str(key)), f"{citation!r}: must be a citation")

    def _section(self, head: str, inner: list[str]) -> None:
        given = self.tree.get(head)
        if not isinstance(given, Mapping):
            what = "missing" if head not in self.tree else f"{_shown(given)}: wrong type"
            self._say((head,), f"{what}, allowed: a mapping of {', '.join(inner)}")
            return
        self._keys((head,), given, tuple(inner))
        for rest in inner:
            wanted = ENTRIES[f"{head}.{rest}"]
            if rest in given:
                self._entry((head, rest), given[rest], wanted)
            elif not wanted.optional:
                self._say((head, rest), f"missing, allowed: {_form(wanted)}")

    def _entry(self, path: tuple[str, ...], given: Any, wanted: Wanted) -> None:
        if not isinstance(given, Mapping):
            self._say(path, f"{_shown(given)}: has neither unit nor source, allowed: {_form(wanted)}")
            return
        holder = "points" if wanted.axes else "value"
        self._keys(path, given, ("unit", "source", "derived", holder))
        unit = given.get("unit")
        unit = str(unit) if isinstance(unit, int) and not isinstance(unit, bool) else unit  # `unit: 1`
        if unit not in wanted.units:
            what = "no unit" if unit is None else f"unit: {_shown(unit)}: not a unit of this entry"
            self._say(path, f"{what}, allowed: {', '.join(wanted.units)}{nearest(unit, wanted.units)}")
        if not wanted.axes:
            self._source(path, given.get("source"))
            self._number((*path, "value"), given.get("value"), wanted, unit)
        else:
            self._points(path, given, wanted, unit)

    def _points(self, path: tuple[str, ...], given: Mapping[str, Any], wanted: Wanted, unit: Any) -> None:
        points = given.get("points")
        if not isinstance(points, list) or not points or len(points) > 1000:
            what = "no points" if not points else f"points: {_shown(points)}"
            self._say((*path, "points"), f"{what}, allowed: {_form(wanted)}")
            return
        before = len(self.told)
        for index, point in enumerate(points):
            here = (*path, "points", str(index))
            if not isinstance(point, Mapping):
                self._say(here, f"{_shown(point)}: wrong type, allowed: a mapping of {', '.join(wanted.axes)}, value")
                continue
            self._keys(here, point, (*wanted.axes, "value", "source", "derived"))
            self._source(here, point.get("source", given.get("source")))
            for axis in wanted.axes:
                self._axis((*here, axis), point.get(axis))
            self._number((*here, "value"), point.get("value"), wanted, unit)
        if len(self.told) == before:
            self._order(path, points, wanted)

    def _order(self, path: tuple[str, ...], points: list[Mapping[str, Any]], wanted: Wanted) -> None:
        """Checks the points of a curve: one value at each position, and no value that falls as a circuit grows."""
        over = "capacity_kib" if "capacity_kib" in wanted.axes else None
        placed_at: list[tuple[float, float, int]] = []
        for index, point in enumerate(points):
            x = point[over] if over else math.prod(point[axis] for axis in wanted.axes)
            placed_at.append((x, point["value"] / (point["bits"] if over else 1), index))
        placed_at.sort()
        for (x, y, _), (then, value, index) in pairwise(placed_at):
            here = (*path, "points", str(index))
            if then == x:
                self._say(here, f"a second value at {over or ' x '.join(wanted.axes)} {then:g}, allowed: one")
            elif value < y:
                self._say(here, "falls as the circuit grows, allowed: values that rise or stay")

    def _axis(self, path: tuple[str, ...], given: Any) -> None:
        low, high = _AXIS_LIMITS[path[-1]]
        if not _is_number(given) or not low <= given <= high:
            self._say(path, f"{_told(given)}, allowed: a number, {low:g} to {high:g}")

    def _number(self, path: tuple[str, ...], given: Any, wanted: Wanted, unit: Any) -> None:
        factor = UNITS[unit][1] if unit in wanted.units else None
        low, high = (wanted.low / factor, wanted.high / factor) if factor else (-math.inf, math.inf)
        if not _is_number(given) or not low * (1 - 1e-9) <= given <= high * (1 + 1e-9):
            limits = f", {low:.4g} to {high:.4g} {unit}" if factor else ""
            self._say(path, f"{_told(given)}, allowed: a number{limits}")

    def _source(self, path: tuple[str, ...], given: Any) -> None:
        sources = self.tree.get("sources")
        known = tuple(map(str, sources)) if isinstance(sources, Mapping) else ()
        if not isinstance(given, str) or given not in known:
            what = "no source" if given is None else f"source: {_shown(given)}: unknown"
            listed = ", ".join(known) or "none yet"
            self._say(path, f"{what}, allowed: one of 'sources' ({listed}){nearest(given, known)}")


def _form(wanted: Wanted) -> str:
    """An example of an entry."""
    if not wanted.axes:
        return f"{{value: …, unit: {wanted.units[0]}, source: …}}"
    axes = ", ".join(f"{axis}: …" for axis in wanted.axes)
    return f"{{unit: {wanted.units[0]}, source: …, points: [{{{axes}, value: …}}]}}"


def _is_number(given: Any) -> bool:
    return isinstance(given, int | float) and not isinstance(given, bool) and math.isfinite(given)


def _told(given: Any) -> str:
    return "missing" if given is None else f"{_shown(given)}: out of range" if _is_number(given) else _shown(given)


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 40 else text[:40] + "…"
