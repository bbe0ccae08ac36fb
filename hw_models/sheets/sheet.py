"""Device sheets as data: reads YAML or a mapping into numbers with unit and source; `catalog.py` builds models.

A sheet names a family and states its numbers, each with its unit and source:

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

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from hw_models.base import DeviceError, unknown
from hw_models.files import read_text
from hw_models.foreign import printable
from hw_models.sheets import yaml_lines
from hw_models.sheets.yaml_lines import Lines, YamlError, placed

KEYS: Final = ("name", "family", "summary", "sources", "parameters", "drive", "over", "notes")
ENTRY_KEYS: Final = ("value", "unit", "source", "derived")
MOST_CHARACTERS: Final = 1 << 20


@dataclass(frozen=True)
class Entry:
    """One value of a sheet: as written, in its own unit, with the citation of its source."""

    value: Any
    """A number, a (nested) tuple of numbers, a truth value or a word."""
    unit: str
    source: str
    derived: str = ""
    """How the value follows from the source, if the source does not state this number itself."""


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
        """`FILE:LINE: a.b` for a key of this sheet, or for the innermost written key that contains it."""
        return placed(self.where, self.lines, path)


def read(path: Path) -> Sheet:
    """The sheet of a YAML file. Raises `DeviceError` with all faults of the file, one per line."""
    try:
        text = read_text(path, 4 * MOST_CHARACTERS)
    except OSError as error:
        raise DeviceError(f"{printable(str(path))}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise DeviceError(f"{printable(str(path))}: not a text file in UTF-8") from None
    return parse(text, printable(str(path)))


def parse(text: str, where: str) -> Sheet:
    """The sheet of a YAML text; `where` stands for the file in errors. Raises `DeviceError`."""
    if len(text) > MOST_CHARACTERS:
        raise DeviceError(f"{where}: {len(text)} characters, allowed: at most {MOST_CHARACTERS}")
    try:
        tree, lines, faults = yaml_lines.read(text, where)
    except YamlError as error:
        raise DeviceError(str(error)) from None
    return from_mapping(tree, where, lines, faults)


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
            words[key] = printable(word)  # the name appears in every table and every error
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
    """The entry for `given`; None and its faults if it is invalid."""
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
