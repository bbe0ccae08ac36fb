"""Prices records with another technology table: the counts and the node of the spec stay the same."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from edgesdt.errors import EdgesdtError, SpecError
from edgesdt.files import record_shape
from edgesdt.report.files import folders
from edgesdt.report.files.folders import Run
from edgesdt.report.files.sweeps import Row, Sweep
from hw_models.foreign import printable

_OWN = re.compile(r"(?:plain spec: )?technology\.(?:table|file|sheet): ")
"""Beginning of the message of an error in the table itself."""
_PRICED = ("energy_j", "latency_s", "area_mm2", "technology")


def run(found: Run, table: str) -> Run:
    """A run, priced as if its spec had named `table`. Raises `EdgesdtError` naming `--table`, or the record."""
    return replace(found, record=record(found.record, table, found.folder / "record.json"))


def sweep(found: Sweep, table: str) -> Sweep:
    """A sweep, priced as if every point had named `table`; reads the runs' own records if the store has no counts.

    A row with a damaged record is left out and listed in `damaged`. Raises `EdgesdtError` naming `--table`, or the
    record that is missing; or the first damaged record, if all are damaged.
    """
    rows: list[Row] = []
    damaged: list[EdgesdtError] = []
    for row in found.rows:
        try:
            rows.append(_row(found, row, table) if row.done else row)
        except DamagedError as error:
            damaged.append(error)
    if damaged and not rows:
        raise damaged[0]
    return replace(found, rows=rows, damaged=(*found.damaged, *map(str, damaged)))


class DamagedError(EdgesdtError):
    """A record cannot be priced again."""


def record(given: Mapping[str, Any], table: str, where: Path) -> dict[str, Any]:
    """A record, priced with `table` at the node of its spec if it names one, else at the table's own node.

    Raises `EdgesdtError` naming `--table` for a table that is unknown or has no data for that node, and naming `where`
    for a record without the data for prices.
    """
    if wrong := record_shape.fault_of_kind(given):
        raise DamagedError(f"{where}: cannot be priced again: damaged: {printable(wrong)}")
    try:
        return _priced(given, table)
    except SpecError as error:
        own = [fault for fault in error.faults if _OWN.match(fault)]
        if own:
            raise EdgesdtError("\n".join(f"--table: {_OWN.sub('', fault)}" for fault in own)) from None
        told = printable(str(error).partition("\n")[0])
        raise DamagedError(f"{where}: cannot be priced again with {table}: {told}") from None
    except (KeyError, TypeError) as error:
        raise DamagedError(f"{where}: cannot be priced again: the record lacks {error}") from None
    except (AttributeError, ValueError, ArithmeticError, IndexError) as error:
        raise DamagedError(f"{where}: cannot be priced again: damaged: {printable(str(error))}") from None


def _priced(given: Mapping[str, Any], table: str) -> dict[str, Any]:
    from edgesdt.pricing.bill import reprice

    node = (given["spec"].get("technology") or {}).get("node")
    return reprice(given, table) if node is None else reprice(given, table, node)


def name_of(table: str) -> str:
    """The name of a table for use in a file name: its own name, or that of its file."""
    return Path(table).name.removesuffix(".yaml").removesuffix(".yml")


def _row(found: Sweep, row: Row, table: str) -> Row:
    whole, where = row.record, found.folder / row.run / "record.json"
    memory = whole.get("memory") or {}
    if not ("spec" in whole and "arrays" in memory and "train_samples" in whole):
        if not row.run:
            raise EdgesdtError(f"{found.folder}: cannot be priced again: the run folder of {row.key} was not kept")
        whole = _kept(where)
    priced = record({**whole, "curve": []}, table, where)
    return replace(row, record=row.record | {part: priced[part] for part in _PRICED})


def _kept(where: Path) -> dict[str, Any]:
    """The record of a run, as `folders.read`; a damaged one is a `DamagedError`."""
    try:
        return folders.read(where.parent)
    except EdgesdtError as error:
        if where.exists():
            raise DamagedError(str(error)) from None
        raise
