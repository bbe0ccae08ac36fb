"""Device sheets as data: YAML or a plain mapping in, numbers with unit and source out; `catalog.py` builds the model.

A sheet names a family and states its numbers, each with its unit and where it was found:

    name: my_device
    family: soft_bounds
    summary: one line about the device
    sources: {paper: "A. Author, Title, Journal 1 (2020)"}
    parameters:
      dw_min: {value: 0.01, unit: "1", source: paper}
    drive:                         # optional: electrical conditions, needed for energy and delay
      g_min: {value: 20, unit: kOhm, source: paper}
      ...
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from hw_models.base import DeviceError, unknown
from hw_models.files import read_text
from hw_models.foreign import printable

KEYS: Final = ("name", "family", "summary", "sources", "parameters", "drive", "over", "notes")
ENTRY_KEYS: Final = ("value", "unit", "source", "derived")
MOST_CHARACTERS: Final = 1 << 20
_DEEPEST: Final = 12
_FLOAT: Final = re.compile(r"[-+]?(?:\d[\d_]*(?:\.[\d_]*)?|\.\d[\d_]*)(?:[eE][-+]?\d+)?")
_NOT_FINITE: Final = re.compile(r"[-+]?\.?(?:inf|nan)", re.IGNORECASE)

Scalar = float | int | bool | str
Lines = dict[tuple[str, ...], int]


@dataclass(frozen=True)
class Entry:
    """One value of a sheet: as it was written, in its own unit, with the citation of its source."""

    value: Any
    """A number, a (nested) tuple of numbers, a truth value or a word."""
    unit: str
    source: str
    derived: str = ""
    """How the value follows from what the source states, where it is not the very number printed there."""


@dataclass(frozen=True)
class Sheet:
    """A whole sheet. `where` and `lines` name the file and the line of every key in errors."""

    name: str
    family: str
    summary: str = ""
    notes: str = ""
    sources: Mapping[str, str] = field(default_factory=dict)
    parameters: Mapping[str, Entry] = field(default_factory=dict)
    drive: Mapping[str, Entry] = field(default_factory=dict)
    over: Any = None
    """For a wrapper: the name or the sheet (a mapping) of the device inside."""
    where: str = ""
    lines: Lines = field(default_factory=dict)

    def place(self, *path: str) -> str:
        """`FILE:LINE: a.b` for a key of this sheet, or for the nearest key above it that was written."""
        return placed(self.where, self.lines, path)


def placed(where: str, lines: Lines, path: tuple[str, ...]) -> str:
    """`FILE:LINE: a.b`; without the line where it is not known."""
    for end in range(len(path), -1, -1):
        if path[:end] in lines:
            where = f"{where}:{lines[path[:end]]}"
            break
    return ": ".join(part for part in (where, ".".join(path)) if part)


def read(path: Path) -> Sheet:
    """The sheet of a YAML file. Raises `DeviceError` with every fault of the file, a line each."""
    try:
        text = read_text(path, 4 * MOST_CHARACTERS)
    except OSError as error:
        raise DeviceError(f"{printable(str(path))}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise DeviceError(f"{printable(str(path))}: not a text file in UTF-8") from None
    return parse(text, printable(str(path)))


def parse(text: str, where: str) -> Sheet:
    """The sheet of a YAML text; `where` stands for the file in errors. Raises `DeviceError`."""
    import yaml  # late: costs more than everything else here

    if len(text) > MOST_CHARACTERS:
        raise DeviceError(f"{where}: {len(text)} characters, allowed: at most {MOST_CHARACTERS}")
    lines: Lines = {}
    faults: list[str] = []
    try:
        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        _refuse_deep(yaml.parse(text, Loader=loader), yaml.AliasEvent, where)
        node = yaml.compose(text, Loader=loader)
        tree = None if node is None else _Plain(where, lines, faults).of(node, ())
    except yaml.MarkedYAMLError as error:
        with suppress(yaml.YAMLError):  # libyaml gives up on deep nesting by itself, the parser in Python does not
            _refuse_deep(yaml.parse(text, Loader=yaml.SafeLoader), yaml.AliasEvent, where)
        mark = error.problem_mark or error.context_mark
        raise DeviceError(f"{where}:{mark.line + 1 if mark else 1}: not readable as YAML: {error.problem}") from None
    except yaml.YAMLError as error:
        raise DeviceError(f"{where}:1: not readable as YAML: {str(error).splitlines()[0]}") from None
    return from_mapping(tree, where, lines, faults)


def _refuse_deep(events: Iterable[Any], alias: type[Any], where: str) -> None:
    """Raises `DeviceError` for what would make the tree unbounded; composing it would exhaust the stack."""
    depth = 0
    for event in events:
        name = type(event).__name__
        depth += name.endswith("StartEvent") - name.endswith("EndEvent")
        if depth > _DEEPEST + 2:  # the stream and the document count
            raise DeviceError(f"{where}:{event.start_mark.line + 1}: nested more than {_DEEPEST} levels deep")
        if isinstance(event, alias):
            raise DeviceError(f"{where}:{event.start_mark.line + 1}: aliases are not read, write the value out")


def from_mapping(tree: Any, where: str, lines: Lines | None = None, faults: list[str] | None = None) -> Sheet:
    """The sheet of a plain mapping. Raises `DeviceError` for a number without unit or source, unknown keys, …"""
    lines, told = lines or {}, list(faults or [])
    if not isinstance(tree, Mapping):
        raise DeviceError("\n".join([*told, f"{placed(where, lines, ())}: a sheet is a mapping with a key 'family'"]))
    for key in tree:
        if key not in KEYS:
            told.append(f"{placed(where, lines, (str(key),))}: {unknown('key', key, KEYS)}")
    words: dict[str, Any] = {key: tree.get(key, "") for key in ("name", "family", "summary", "notes")}
    for key, word in words.items():
        if not isinstance(word, str) or (key in ("name", "family") and not word):
            told.append(f"{placed(where, lines, (key,))}: {word!r}: must be a word")
        elif key == "name":
            words[key] = printable(word)  # it stands in every table and in every error
    sources = _section(tree, "sources", where, lines, told)
    for key, citation in sources.items():
        if not isinstance(citation, str) or not citation.strip():
            told.append(f"{placed(where, lines, ('sources', str(key)))}: {citation!r}: must be a citation")
    entries: dict[str, Any] = {
        section: {
            str(key): entry
            for key, given in _section(tree, section, where, lines, told).items()
            for entry in _entry(given, sources, (section, str(key)), where, lines, told)
        }
        for section in ("parameters", "drive")
    }
    if told:
        raise DeviceError("\n".join(told))
    over = tree.get("over")
    return Sheet(**words, sources=dict(sources), **entries, over=over, where=where, lines=lines)


def _section(tree: Mapping[str, Any], key: str, where: str, lines: Lines, told: list[str]) -> Mapping[str, Any]:
    section = tree.get(key)
    if section is None:
        return {}
    if not isinstance(section, Mapping):
        told.append(f"{placed(where, lines, (key,))}: {section!r}: must be a mapping")
        return {}
    return section


def _entry(
    given: Any, sources: Mapping[str, str], path: tuple[str, str], where: str, lines: Lines, told: list[str]
) -> Iterator[Entry]:
    """The entry that `given` describes, or none and a fault for everything that is wrong with it."""
    here, before = placed(where, lines, path), len(told)
    if not isinstance(given, Mapping):
        told.append(f"{here}: {given!r}: no unit and no source, write {{value: {given}, unit: …, source: …}}")
        return
    told += [f"{here}: {unknown('key', key, ENTRY_KEYS)}" for key in given if key not in ENTRY_KEYS]
    value = given.get("value")
    if value is None:
        told.append(f"{here}: no value")
    unit, source = given.get("unit", ""), given.get("source")
    unit = str(unit) if isinstance(unit, int) and not isinstance(unit, bool) else unit  # `unit: 1`
    if not isinstance(unit, str) or (not unit and not isinstance(value, bool | str | None)):
        told.append(f"{here}: {_shown(value)} has no unit ('1' for a plain number)")
    if not isinstance(source, str) or source not in sources:
        why = "no source" if source is None else unknown("source", source, tuple(map(str, sources)))
        told.append(f"{here}: {why}; every value names one of 'sources'")
    derived = given.get("derived", "")
    if not isinstance(derived, str):
        told.append(f"{here}: derived: {derived!r}: must be a sentence")
    if len(told) == before:
        yield Entry(_frozen(value), str(unit), str(sources[str(source)]).strip(), derived.strip())


def _frozen(value: Any) -> Any:
    return tuple(_frozen(item) for item in value) if isinstance(value, list | tuple) else value


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 40 else text[:40] + "…"


@dataclass
class _Plain:
    """Turns YAML nodes into plain data: numbers as YAML 1.2 reads them, so `1e-4` is one and `on` is a word."""

    where: str
    lines: Lines
    faults: list[str]

    def of(self, node: Any, path: tuple[str, ...]) -> Any:
        """`node` as mappings, lists and scalars; keeps the line of every key, refuses duplicates."""
        self.lines.setdefault(path, node.start_mark.line + 1)
        if node.id == "scalar":
            return _scalar(node.value, plain=not node.style)
        if node.id == "sequence":
            return [self.of(child, (*path, str(index))) for index, child in enumerate(node.value)]
        mapping: dict[str, Any] = {}
        for key_node, child in node.value:
            key = str(key_node.value) if key_node.id == "scalar" else "?"
            here, line = (*path, key), key_node.start_mark.line + 1
            if key in mapping:
                self.faults.append(f"{self.where}:{line}: {'.'.join(here)}: duplicate key")
                continue
            self.lines[here] = line
            mapping[key] = self.of(child, here)
        return mapping


def _scalar(text: str, plain: bool) -> Scalar | None:
    if not plain:
        return text
    if text in ("", "~", "null"):
        return None
    if text in ("true", "false"):
        return text == "true"
    if _FLOAT.fullmatch(text):
        number = float(text.replace("_", ""))
        return int(text.replace("_", "")) if re.fullmatch(r"[-+]?[\d_]{1,18}", text) else number
    if _NOT_FINITE.fullmatch(text):
        return float(text.replace(".", ""))
    return text
