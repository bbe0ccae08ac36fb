"""Records as one flat table, CSV or Parquet: a row for every run, columns named by their dotted path and unit.

Paths are those of `record.json`, whose keys end in their units; parameters and spec fields that are quantities get
theirs from the spec's own schema (`spec.chip.memory_budget_bits`).
"""

from __future__ import annotations

import contextlib
import csv
import io
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from edgesdt.errors import EdgesdtError, RunError
from edgesdt.report import page
from edgesdt.report.files import columns
from edgesdt.report.files.folders import Run
from edgesdt.report.files.sweeps import Sweep

_LEFT_OUT = {"spec", "curve", "schema", "name", "seed", "spec_hash"}
_FIRST = ("source", "name", "seed", "status", "error", "run", "spec_hash")
Cells = dict[str, Any]


def csv_file(given: Sequence[Path], out: Path, *, table: str | None = None) -> Path:
    """Write every record of run and sweep folders to `out` as CSV (UTF-8, RFC 4180) and return it.

    Rows without a record have empty figures. `table` prices them again. Raises `EdgesdtError`, `RunError`.
    """
    rows = _rows(given, table)
    text = io.StringIO()
    writer = csv.DictWriter(text, _columns(rows), restval="", lineterminator="\r\n")
    writer.writeheader()
    writer.writerows({name: _cell(value) for name, value in row.items()} for row in rows)
    _write(out, text.getvalue().encode())
    return out


def parquet_file(given: Sequence[Path], out: Path, *, table: str | None = None) -> Path:
    """The same as Parquet; needs the package pyarrow. Raises `EdgesdtError` where it is not installed."""
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        raise EdgesdtError("--parquet needs the package pyarrow: pip install 'edgesdt[parquet]'") from None
    rows = _rows(given, table)
    made = pyarrow.table({name: _typed([row.get(name) for row in rows]) for name in _columns(rows)})
    target = io.BytesIO()
    pyarrow.parquet.write_table(made, target)
    _write(out, target.getvalue())
    return out


def _rows(given: Sequence[Path], table: str | None) -> list[Cells]:
    items = page.load(given)
    if table is not None:
        items = [page.priced(item, table) for item in items]
    return [row for item in items for row in (_of_run(item) if isinstance(item, Run) else _of_sweep(item))]


def _of_run(run: Run) -> list[Cells]:
    record = run.record
    head = {"source": str(run.folder), "name": record.get("name"), "seed": record.get("seed"), "status": "done"}
    head |= {"error": None, "run": None, "spec_hash": record.get("spec_hash")}
    return [{**head, **_parameters(_flat(run.part("spec"))), **_figures(record)}]


def _of_sweep(sweep: Sweep) -> list[Cells]:
    rows = []
    for row in sweep.rows:
        head = {"source": str(sweep.folder), "name": sweep.label, "seed": row.seed, "status": row.status}
        head |= {"error": row.reason or None, "run": row.run or None, "spec_hash": row.spec_hash or None}
        figures = _figures(row.record) if row.done else {}
        rows.append({**head, **_parameters(columns.apart(row.point)), **figures})
    return rows


def _parameters(values: Mapping[str, Any]) -> Cells:
    return {columns.of_parameter(path): columns.value_of(path, value) for path, value in values.items()}


def _figures(record: Mapping[str, Any]) -> Cells:
    return _flat({key: value for key, value in record.items() if key not in _LEFT_OUT})


def _flat(values: Mapping[str, Any], above: str = "") -> Cells:
    """A nested mapping as dotted paths; lists as JSON, but lists of mappings left out."""
    found: Cells = {}
    for key, value in values.items():
        if isinstance(value, Mapping):
            found |= _flat(value, f"{above}{key}.")
        elif key != "sheet" and not (isinstance(value, list) and any(isinstance(item, Mapping) for item in value)):
            found[f"{above}{key}"] = json.dumps(value, ensure_ascii=False) if isinstance(value, list) else value
    return found


def _columns(rows: Sequence[Cells]) -> list[str]:
    """Every column: what a row is, its parameters, its figures; in the order of first appearance."""
    found = list(dict.fromkeys(name for row in rows for name in row))
    spec = [name for name in found if name.startswith("spec.")]
    return [*_FIRST, *spec, *(name for name in found if name not in _FIRST and name not in spec)]


def _cell(value: Any) -> Any:
    if value is None:
        return ""
    return json.dumps(value) if isinstance(value, bool | dict | list) else value


def _typed(values: list[Any]) -> list[Any]:
    """A column of one type for Parquet: whole numbers, numbers, flags, or texts."""
    kinds = {type(value) for value in values if value is not None}
    if len(kinds) <= 1 and not kinds & {dict, list}:
        return values
    if kinds <= {int, float}:
        return [None if value is None else float(value) for value in values]
    return [value if value is None or isinstance(value, str) else json.dumps(value) for value in values]


def _write(out: Path, data: bytes) -> None:
    part = out.with_name(f".{out.name}.{os.getpid()}.part")
    try:
        if out.is_dir():
            raise EdgesdtError(f"{out}: is a folder; name the file to write")
        out.parent.mkdir(parents=True, exist_ok=True)
        part.write_bytes(data)
        part.replace(out)
    except OSError as error:
        with contextlib.suppress(OSError):
            part.unlink()
        raise RunError(f"{out}: cannot be written: {error.strerror or error}") from None
