"""Names of exported columns: the dotted path in the record, plus a unit if the path does not end in one."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

_SUFFIX = {"bit": "_bits", "Hz": "_hz", "nm": "_nm", "s": "_s"}


@functools.cache
def _quantities() -> dict[str, Any]:
    """The fields of a spec that hold a number with a unit: dotted path → how it is read."""
    from edgesdt.spec import Spec
    from edgesdt.spec.types import Quantity

    found: dict[str, Any] = {}

    def walk(model: Any, above: str) -> None:
        for name, info in model.model_fields.items():
            held = next((item for item in info.metadata if isinstance(item, Quantity)), None)
            kinds = [k for k in (info.annotation, *getattr(info.annotation, "__args__", ())) if k is not None]
            for kind in kinds:
                inside = [item for item in getattr(kind, "__metadata__", ()) if isinstance(item, Quantity)]
                held = held or next(iter(inside), None)
                if hasattr(kind, "model_fields"):
                    walk(kind, f"{above}{name}.")
            if held is not None:
                found[f"{above}{name}"] = held

    walk(Spec, "")
    return found


def of_parameter(path: str) -> str:
    """`spec.chip.memory_budget_bits` for `chip.memory_budget`; a path without a unit only gets `spec.`."""
    held = _quantities().get(path)
    suffix = _SUFFIX.get(held.held, f"_{held.held}") if held is not None else ""
    return f"spec.{path}{suffix}"


def unit_of(path: str) -> str:
    """The unit in which a spec stores a parameter; empty for a parameter without a unit."""
    held = _quantities().get(path)
    return str(held.held) if held is not None else ""


def value_of(path: str, value: Any) -> Any:
    """A parameter's value in the unit of its column: `256 KiB` becomes 2097152; a value without a unit is unchanged."""
    from edgesdt.units import UnitError, parse

    held = _quantities().get(path)
    if held is None or not isinstance(value, str):
        return value
    try:
        found = parse(value, held.kind, held.bare) / held.kind.units[held.held]
    except UnitError:
        return value
    return int(found) if held.whole else float(found)


def steps_of(path: str) -> list[str | int]:
    """`chip.layers[1]` as keys and list indices."""
    return [int(index) if index else key for index, key in re.findall(r"\[(\d+)\]|([^.\[\]]+)", path)]


def value_at(spec: Any, steps: Sequence[str | int]) -> Any:
    """The value of a plain spec at these steps; None if there is none."""
    here = spec
    for step in steps:
        if isinstance(step, int):
            here = here[step] if isinstance(here, list) and step < len(here) else None
        else:
            here = here.get(step) if isinstance(here, dict) else None
    return here


TOGETHER = ", "
"""Separates the joined fields of a sweep's group; it occurs in no field name."""


def joined(point: Mapping[str, Any], groups: Iterable[Sequence[str]]) -> dict[str, Any]:
    """A point in which the fields of each group are one parameter, with the list of their values."""
    made = dict(point)
    for fields in groups:
        if all(field in made for field in fields):
            made[TOGETHER.join(fields)] = [made.pop(field) for field in fields]
    return made


def fields_of(path: str) -> list[str]:
    """The fields that a parameter sets: itself, or those of a group."""
    return path.split(TOGETHER)


def apart(point: Mapping[str, Any]) -> dict[str, Any]:
    """The inverse of `joined`: a point with every field of a group as a separate parameter."""
    made: dict[str, Any] = {}
    for path, value in point.items():
        fields = fields_of(path)
        is_group = len(fields) > 1 and isinstance(value, list) and len(value) == len(fields)
        made |= dict(zip(fields, value, strict=True)) if is_group else {path: value}
    return made
