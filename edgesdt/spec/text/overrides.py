"""`--set KEY=VALUE`: overrides one field of a spec by dotted path, with a value written as in YAML."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from edgesdt import registry
from edgesdt.spec.checks.faults import unknown_key
from edgesdt.spec.checks.hints import Path, dotted, shown
from edgesdt.spec.fields import field_at, free_at, listed_at, section_at
from edgesdt.spec.text import source

_ITEM = re.compile(r"(.+)\[([0-9]{1,6})\]")


class PathError(ValueError):
    """A dotted path is not in the schema; the text is the fault."""


class OverrideError(Exception):
    """An override cannot be applied; `text` is the complete fault."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text


def parsed(override: str, rule: str | None = None) -> tuple[Path, Any]:
    """The path and the plain value of one `KEY=VALUE`, for a spec of `rule`. Raises `OverrideError`."""
    key, equals, text = override.partition("=")
    key = key.strip()
    if not equals or not key:
        raise OverrideError(f"--set {shown(override)}: not KEY=VALUE, allowed: for example epochs=5")
    path = known_path(key, rule)
    read = source.read(text.strip())
    if read.faults:
        fault = read.faults[0]
        where = dotted((*path, *fault.path))
        raise OverrideError(
            f"--set {key}: {where + ': ' if fault.path else ''}{fault.text}, in {shown(text)}"
        )
    return path, read.data


def rule_named(overrides: Sequence[str], given: object) -> str | None:
    """The rule that the last of `overrides` names, else the one that is `given`; None for one that there is not."""
    pairs = [(key.strip(), value.strip()) for key, _, value in (each.partition("=") for each in overrides)]
    named = next((value for key, value in reversed(pairs) if key == "learning.rule"), given)
    return named if isinstance(named, str) and named in registry.names() else None


def known_path(key: str, rule: str | None = None) -> Path:
    """The path that `key` names in the schema. Raises `OverrideError`, with the nearest key that there is."""
    head, _, rest = key.partition(".")
    if head == "sweep" and rest:  # the keys of a sweep are dotted paths themselves
        inner = rest.removeprefix("parameters.")
        return ("sweep", rest) if inner == rest else ("sweep", "parameters", inner)
    try:
        return schema_path(key, rule)
    except PathError as error:
        raise OverrideError(f"--set {_on_one_line(key)}: {error}") from None


def schema_path(key: str, rule: str | None = None) -> Path:
    """The path that a dotted `key` names in the schema. Raises `PathError`, with the nearest key that there is.

    `rule` is the one whose keys are told; where it is not known, those of every rule are.
    """
    path = _indexed(tuple(key.split(".")))
    for depth in range(1, len(path) + 1):
        here = path[:depth]
        if section_at(here) is not None:
            continue
        if field_at(here) is None:
            raise PathError(unknown_key(here, whole=True, rule=rule, rest=path[depth:]))
        if depth < len(path):
            if free_at(here) and all(map(str, path)):
                return (*here, ".".join(map(str, path[depth:])))
            if isinstance(path[depth], int):
                continue
            if listed_at(here) is not None:
                raise PathError(f"{dotted(here)} is a list, allowed: {dotted(here)}.0 and so on for one of its items")
            raise PathError(f"{dotted(here)} is a value, not a mapping: set it whole")
    return path


def _indexed(path: tuple[str, ...]) -> Path:
    """The path with the numbers of items of lists of sections as numbers: `phases.0.epochs`."""
    made: Path = ()
    for part in path:
        is_item = part.isascii() and part.isdigit() and len(part) <= 6 and made and listed_at(made) is not None
        made = (*made, int(part) if is_item else part)
    return made


def parameter_path(key: str, rule: str | None = None) -> Path:
    """As `schema_path`, where `[N]` at the end names an item of a list: `chip.layers[1]`. Raises `PathError`."""
    found = _ITEM.fullmatch(key)
    if found is None:
        return schema_path(key, rule)
    path = schema_path(found[1], rule)
    if field_at(path) is None or section_at(path) is not None:
        raise PathError(f"{dotted(path)} is a mapping, not a list")
    return (*path, int(found[2]))


def _on_one_line(key: str) -> str:
    """The key as it was typed, without control characters."""
    return dotted(tuple(key.split(".")))


def apply(data: dict[str, Any], path: Path, value: Any) -> None:
    """Writes `value` at `path` and creates missing sections. A value in place of a section is kept.

    Raises `OverrideError` for an item that a list does not have.
    """
    here: Any = data
    for depth, part in enumerate(path[:-1]):
        inner = _inside(here, path[: depth + 1])
        if inner is None:
            inner = here[part if isinstance(part, int) else str(part)] = {}
        if not isinstance(inner, dict | list):
            return  # a fault of the file, which is reported separately
        here = inner
    _inside(here, path)
    here[path[-1] if isinstance(path[-1], int) else str(path[-1])] = value


def _inside(here: Any, path: Path) -> Any:
    """What is at the last part of `path` in the mapping or list `here`; None where nothing is."""
    part = path[-1]
    if not isinstance(part, int):
        return here.get(str(part)) if isinstance(here, dict) else None
    items = len(here) if isinstance(here, list) else 0
    if part >= items:
        there = f"0..{items - 1}" if items else "none, the list is not there"
        raise OverrideError(f"--set {'.'.join(map(str, path))}: no such item: {part}, allowed: {there}")
    return here[part]
