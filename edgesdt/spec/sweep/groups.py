"""Fields of a sweep that change together: a list of groups, each a mapping of dotted field to its one value.

    groups:
      - {chip.weights.bits: 4, chip.weights.frac_bits: 7}
      - {chip.weights.bits: 8, chip.weights.frac_bits: 12}

One list is one parameter of the sweep, combined with all others. Several lists have names: `groups: {formats: [...]}`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from edgesdt.spec.checks.hints import Path, did_you_mean, shown
from edgesdt.spec.text.overrides import PathError, parameter_path
from edgesdt.spec.text.source import Fault

KEY: Final = "groups"
_WANTED: Final = "a list of mappings such as {chip.weights.bits: 4, chip.weights.frac_bits: 7}"


@dataclass(frozen=True)
class Group:
    """One list: the fields of its entries, their paths in the spec, the values of each entry, and its lines."""

    fields: tuple[str, ...]
    places: tuple[Path, ...]
    values: tuple[tuple[Any, ...], ...]
    at: Path


def read(given: object, barred: Mapping[str, str], faults: list[Fault]) -> Iterator[Group]:
    """Reads every list of groups; `barred` holds fields that cannot be swept, with the reason.

    Faulty lists are left out.
    """
    at: Path = ("sweep", KEY)
    lists: list[tuple[Path, Any]] = [(at, given)]
    if isinstance(given, Mapping):
        lists = [((*at, name), entries) for name, entries in given.items()]
    if not lists:
        faults.append(Fault(at, f"an empty mapping, allowed: {_WANTED}, or a mapping of a name to such a list"))
    for place, entries in lists:
        before = len(faults)
        if not isinstance(entries, list | tuple) or not entries:
            what = "an empty list" if entries == [] else f"wrong type: {shown(entries)}"
            faults.append(Fault(place, f"{what}, allowed: {_WANTED}"))
            continue
        made = _list(entries, place, barred, faults)
        if len(faults) == before:
            yield made


def fields_of(given: object) -> set[str]:
    """The fields that a section's groups name, even if the groups have faults."""
    if isinstance(given, Mapping):
        return {name for entries in given.values() for name in fields_of(entries)}
    entries = given if isinstance(given, list | tuple) else ()
    return {str(name) for entry in entries if isinstance(entry, Mapping) for name in entry}


def _list(entries: Sequence[Any], at: Path, barred: Mapping[str, str], faults: list[Fault]) -> Group:
    first = next((entry for entry in entries if isinstance(entry, Mapping)), {})
    fields = tuple(first)
    places: dict[str, Path] = {}
    values: list[tuple[Any, ...]] = []
    for index, entry in enumerate(entries):
        here: Path = (*at, index)
        if not isinstance(entry, Mapping) or not entry:
            what = "an empty mapping" if entry == {} else f"wrong type: {shown(entry)}"
            faults.append(Fault(here, f"{what}, allowed: a mapping of dotted field to its value"))
            continue
        for name in entry:
            try:
                if name in barred:
                    raise PathError(f"cannot be swept: {barred[name]}")
                places[name] = parameter_path(name)
            except PathError as error:
                faults.append(Fault((*here, name), str(error)))
                continue
            if name not in fields:
                text = f"not in the first entry, allowed: {', '.join(fields)} in every one{did_you_mean(name, fields)}"
                faults.append(Fault((*here, name), text))
        if missing := [name for name in fields if name not in entry]:
            text = f"lacks {', '.join(missing)}, allowed: the fields of the first entry in every one"
            faults.append(Fault(here, text))
        made = tuple(entry.get(name) for name in fields)
        if made in values:
            faults.append(Fault(here, f"given more than once: {shown(dict(entry))}, allowed: each entry once"))
        values.append(made)
    known = tuple(places.get(name, ()) for name in fields)
    return Group(fields, known, tuple(values), at)
