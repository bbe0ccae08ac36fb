"""How a sweep of whole sections is shown: an entry such as `learning: {rule: …}` by its rule, not by all its fields.

The entries of a group that gives a section whole may differ in many fields, and those of another rule are other fields.
A table needs no more of them than what tells one entry from the others: `learning.rule`, and further fields only where
several entries have the same rule.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

FIRST: Final = "learning.rule"
"""The field that comes first, if there is one."""
DEEPEST: Final = 8
"""Sections inside sections that are looked into; a spec has fewer, a damaged folder may have any number."""
Entry = Mapping[str, Any]


def is_section(value: object) -> bool:
    """Whether a value of a sweep is a section as a whole."""
    return isinstance(value, Mapping)


def leaves(entry: Entry, depth: int = DEEPEST) -> dict[str, Any]:
    """Dotted field -> value, for every field that the sections of an entry give, at most `depth` sections deep."""
    found: dict[str, Any] = {}
    for name, value in entry.items():
        if isinstance(value, Mapping) and value and depth:
            found |= leaves({f"{name}.{key}": inner for key, inner in value.items()}, depth - 1)
        else:
            found[name] = value
    return found


def telling(entries: Iterable[Entry]) -> list[str]:
    """The fields that tell the entries of one group apart; all fields of a group without a section.

    In the order of the entries, `FIRST` before all others.
    """
    every = list(entries)
    fields = list(dict.fromkeys(name for entry in every for name in entry))
    if not any(is_section(value) for entry in every for value in entry.values()):
        return fields
    flat = [leaves(entry) for entry in every]
    names = sorted(dict.fromkeys(name for each in flat for name in each), key=lambda name: name != FIRST)
    kept: list[str] = []
    for name in names:
        if not kept or _distinct(flat, [*kept, name]) > _distinct(flat, kept):
            kept.append(name)
    return kept


def _distinct(flat: Sequence[Entry], names: Sequence[str]) -> int:
    return len({json.dumps([each.get(name) for name in names], sort_keys=True, default=str) for each in flat})


def told(entry: Entry, among: Iterable[Entry]) -> dict[str, Any]:
    """The fields of an entry that are shown, in their order; None for a field that only others give."""
    if not any(is_section(value) for value in entry.values()):
        return dict(entry)
    flat = leaves(entry)
    return {name: flat.get(name) for name in telling(among)}
