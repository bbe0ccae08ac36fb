"""The memory map of one run for the report: a bar of the arrays by share, and a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from edgesdt.report.drawing import wording
from edgesdt.report.drawing.svg import SERIES
from edgesdt.report.files.folders import Run, number
from edgesdt.report.run.summary import Bar


@dataclass(frozen=True)
class Memory:
    """The memory map: used and budget, the bar's segments (per cent of its whole width), the table's rows."""

    used: str
    budget: str
    fraction: str
    width: float
    over: bool
    segments: list[Bar]
    rows: list[tuple[int, str, str, str, str, str]]
    simulator: list[tuple[str, str]]
    banks: list[tuple[str, str, str, str, str, str]]


def memory(run: Run) -> Memory | None:
    """The memory map; None if the record has none."""
    part = run.part("memory")
    arrays: Sequence[Mapping[str, Any]] = part.get("arrays") or []
    sizes = [number(array.get("bits")) or 0.0 for array in arrays]
    used = number(part.get("used_bits"))
    used = sum(sizes) if used is None else used
    budget = number(part.get("budget_bits"))
    if not used:
        return None
    whole = max(used, budget or 0.0)
    order = sorted(range(len(arrays)), key=lambda i: -sizes[i])
    segments, rows = [], []
    for rank, i in enumerate(order):
        name, colour = str(arrays[i].get("name", "array")), rank + 1 if rank < SERIES else 0
        held, part_of = wording.size(sizes[i]), wording.share(sizes[i], used)
        segments.append(Bar(name, held, part_of, 100 * sizes[i] / whole, colour))
        rows.append(
            (colour, name, _shape(arrays[i].get("shape")), str(arrays[i].get("format", "")), held, part_of)
        )
    simulator = [_kept(entry) for entry in _entries(part.get("simulator"))]
    return Memory(
        wording.size(used),
        wording.size(budget),
        wording.share(used, budget) if budget else wording.ABSENT,
        100 * used / whole,
        bool(budget and used > budget),
        segments,
        rows,
        simulator,
        [_in_banks(entry) for entry in part.get("banks") or () if isinstance(entry, Mapping)],
    )


def _in_banks(entry: Mapping[str, Any]) -> tuple[str, str, str, str, str, str]:
    """A memory in banks: kind, number and size of banks, word, built size, and whether idle banks sleep."""
    sizes = (number(entry.get(key)) for key in ("bank_bits", "word_bits", "built_bits"))
    bank, word, built = (wording.size(size) for size in sizes)
    sleeps = "asleep" if entry.get("sleep") else "awake"
    return str(entry.get("kind", wording.ABSENT)), wording.exact(entry.get("banks")), bank, word, built, sleeps


def _shape(shape: object) -> str:
    if isinstance(shape, Sequence) and not isinstance(shape, str):
        return (
            " \N{MULTIPLICATION SIGN} ".join(f"{n:,}" if isinstance(n, int) else str(n) for n in shape) or "1"
        )
    return wording.ABSENT if shape is None else str(shape)


def _entries(simulator: object) -> list[object]:
    """A list unchanged; a mapping of names as a list of named entries; any other value as a single entry."""
    if isinstance(simulator, Mapping):
        named = [({**v, "name": k} if isinstance(v, Mapping) else f"{k}: {v}") for k, v in simulator.items()]
        return list(named)
    return simulator if isinstance(simulator, list) else [simulator] if simulator else []


def _kept(entry: object) -> tuple[str, str]:
    """Data that only the simulator stores: names and descriptions, from any form of the record."""
    if not isinstance(entry, Mapping):
        return str(entry), ""
    told = [_shape(entry["shape"])] if "shape" in entry else []
    told += [str(entry["format"])] if entry.get("format") else []
    told += [wording.size(entry["bits"])] if "bits" in entry else []
    told += [str(entry[key]) for key in ("why", "purpose", "note") if entry.get(key)]
    return str(entry.get("name", "array")), ", ".join(told)
