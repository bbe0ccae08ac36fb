"""The keys of a record and their types, as a table against which untrusted records are checked.

`record` and the store of a sweep require all keys before they use a finished run. The report requires less: it shows
the sections that exist (`report.files.folders.check`).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from edgesdt import registry

TEXT, MAPPING, ROWS, NUMBER, WHOLE = "a text", "a mapping", "a list of mappings", "a finite number", "a whole number"

_KINDS: Final = {
    "name": TEXT, "seed": WHOLE, "spec": MAPPING, "spec_hash": TEXT, "versions": MAPPING, "started": TEXT,
    "duration_s": NUMBER, "train_samples": WHOLE, "test_samples": WHOLE,
    "accuracy": MAPPING, "accuracy.*": NUMBER,
    "energy_j": MAPPING, "energy_j.train_total": NUMBER, "energy_j.train_per_sample": NUMBER,
    "energy_j.inference_per_sample": NUMBER, "energy_j.train_breakdown": MAPPING, "energy_j.train_breakdown.*": NUMBER,
    "energy_j.inference_breakdown": MAPPING, "energy_j.inference_breakdown.*": NUMBER,
    "latency_s": MAPPING, "latency_s.train_per_sample": NUMBER, "latency_s.inference_per_sample": NUMBER,
    "area_mm2": MAPPING, "area_mm2.total": NUMBER, "area_mm2.breakdown": MAPPING, "area_mm2.breakdown.*": NUMBER,
    "technology": MAPPING, "technology.table": TEXT, "technology.node_nm": NUMBER,
    "technology.file": TEXT, "technology.sha256": TEXT,
    "memory": MAPPING, "memory.used_bits": NUMBER, "memory.budget_bits": NUMBER,
    "memory.banks": ROWS, "memory.banks.[].kind": TEXT, "memory.banks.[].banks": WHOLE,
    "memory.banks.[].bank_bits": WHOLE, "memory.banks.[].word_bits": WHOLE, "memory.banks.[].built_bits": WHOLE,
    "technology.leakage_asleep_w": NUMBER,
    "device": MAPPING, "device.model": TEXT, "device.cells": WHOLE, "device.writes_total": NUMBER,
    "device.writes_per_cell_mean": NUMBER, "device.writes_per_cell_max": NUMBER, "device.carries": NUMBER,
    "device.carried_digits": NUMBER, "device.wire_loss": NUMBER,
    "counts": MAPPING, "counts.train": MAPPING, "counts.train.*": WHOLE, "counts.inference": MAPPING,
    "counts.inference.*": WHOLE,
    "curve": ROWS, "curve.[].epoch": WHOLE, "curve.[].energy_j": NUMBER, "curve.[].counts": MAPPING,
    "curve.[].counts.*": WHOLE, **{f"curve.[].{name}": NUMBER for name in registry.ACCURACIES},
    "curve.[].phase": TEXT, "curve.[].parts": ROWS, "curve.[].parts.[].stage": WHOLE,
    "curve.[].parts.[].counts": MAPPING, "curve.[].parts.[].counts.*": WHOLE,
    "phases": ROWS, "phases.[].name": TEXT, "phases.[].epochs": WHOLE, "phases.[].samples": WHOLE,
    "phases.[].energy_j": NUMBER, "phases.[].latency_s": NUMBER, "phases.[].energy_per_sample_j": NUMBER,
    "phases.[].accuracy": MAPPING, "phases.[].accuracy.*": MAPPING, "phases.[].accuracy.*.*": NUMBER,
    "phases.[].counts": MAPPING, "phases.[].counts.*": WHOLE,
    "phases.[].parts": ROWS, "phases.[].parts.[].stage": WHOLE, "phases.[].parts.[].which": TEXT,
    "phases.[].parts.[].stream": TEXT, "phases.[].parts.[].target": TEXT, "phases.[].parts.[].samples": WHOLE,
    "phases.[].parts.[].energy_j": NUMBER, "phases.[].parts.[].latency_s": NUMBER,
    "phases.[].parts.[].counts": MAPPING, "phases.[].parts.[].counts.*": WHOLE,
    "forgetting": MAPPING, "forgetting.*": MAPPING, "forgetting.*.*": NUMBER,
    "speed": MAPPING, "speed.train_samples_per_s": NUMBER, "speed.inference_samples_per_s": NUMBER,
    "deployment": ROWS, "deployment.[].*": NUMBER,
}  # fmt: skip
"""Dotted path → type; a mapping comes before its items; `*` stands for any key, `[]` for any item."""

_NEEDED: Final = (
    "name", "seed", "duration_s", "accuracy", "energy_j.train_total", "energy_j.train_per_sample",
    "energy_j.inference_per_sample", "latency_s.train_per_sample", "latency_s.inference_per_sample", "area_mm2.total",
    "technology.table", "technology.node_nm", "memory.used_bits", "memory.budget_bits", "device.model", "curve",
    "counts.train", "counts.inference", "speed.train_samples_per_s",
)  # fmt: skip
"""Keys that every finished run has; a run may have more."""
_BESIDE: Final = {
    "device.cells": ("device.writes_per_cell_mean", "device.writes_per_cell_max"),
    "device.carries": ("device.carried_digits",),
    **{f"accuracy.{name}": (f"accuracy.untrained_{name}",) for name in registry.ACCURACIES},
    "deployment.[]": ("deployment.[].time_s",),
}
"""Keys that are required if another key exists."""


def fault(record: object) -> str:
    """The first missing key, or key of a wrong type, of a complete record, as `path: what`; empty if there is none."""
    return fault_of_kind(record) or next(
        (f"{path}: missing; a finished run has one" for path in _wanted(record) if not list(_matches(record, path))), ""
    )


def fault_of_kind(record: object) -> str:
    """As `fault`, for a record from which sections may be missing."""
    if not isinstance(record, dict):
        return f"expected a mapping, found {kind_of(record)}"
    for path, kind in _KINDS.items():
        for place, value in _matches(record, path):
            if not _IS[kind](value):
                return f"{place}: expected {kind}, found {kind_of(value)}"
    return ""


def kind_of(value: object) -> str:
    """The type of a value of a JSON document, for messages."""
    names = {dict: "a mapping", list: "a list", str: "a text", type(None): "nothing", bool: "true or false"}
    if isinstance(value, int | float) and not isinstance(value, bool) and not _is_number(value):
        return "one that is not finite" if isinstance(value, float) else "one beyond every float"
    return names.get(type(value), "a number")


def _wanted(record: object) -> Iterator[str]:
    yield from _NEEDED
    for path, others in _BESIDE.items():
        if list(_matches(record, path)):
            yield from others


def _matches(found: object, path: str) -> Iterator[tuple[str, Any]]:
    """Path and value of all items that match a path of `_KINDS`."""
    here: list[tuple[str, Any]] = [("", found)]
    for step in path.split("."):
        here = [inner for place, value in here for inner in _inside(place, value, step)]
    yield from here


def _inside(place: str, value: object, step: str) -> Iterator[tuple[str, Any]]:
    if step == "[]":
        yield from ((f"{place}[{i}]", item) for i, item in enumerate(value if isinstance(value, list) else ()))
    elif isinstance(value, Mapping):
        keys = value if step == "*" else [step] if step in value else ()
        yield from ((f"{place}.{key}" if place else str(key), value[key]) for key in keys)


def _is_number(value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    try:
        return math.isfinite(float(value))
    except OverflowError:
        return False


_IS: Final[dict[str, Callable[[Any], bool]]] = {
    TEXT: lambda value: isinstance(value, str),
    MAPPING: lambda value: isinstance(value, dict),
    ROWS: lambda value: isinstance(value, list) and all(isinstance(row, dict) for row in value),
    NUMBER: _is_number,
    WHOLE: lambda value: isinstance(value, int) and _is_number(value),
}
