"""Exports records as a flat table (CSV or Parquet): one row for every run, with its whole spec.

Paths are those of `record.json`, whose keys end in their units. Parameters and spec fields with a unit get it from the
schema of the spec (`spec.chip.memory_budget_bits`).
"""

from __future__ import annotations

import contextlib
import csv
import io
import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from edgesdt.errors import EdgesdtError, RunError
from edgesdt.files.outputs import STDOUT, to_stdout
from edgesdt.report import page
from edgesdt.report.files import columns, folders
from edgesdt.report.files.folders import Run
from edgesdt.report.files.sweeps import Row, Sweep
from edgesdt.report.page import Say
from edgesdt.report.run import summary
from hw_models.foreign import printable_lines

_LEFT_OUT = {"spec", "curve", "schema", "name", "seed", "spec_hash"}
_FIRST = ("source", "name", "seed", "status", "error", "run", "spec_hash")
_FORMULA = ("=", "+", "-", "@")
_NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?")
Cells = dict[str, Any]
Entry = tuple[Cells, dict[str, Any], Mapping[str, Any], Mapping[str, Any]]


def _quiet(line: str) -> None:
    """Ignores a message."""


def csv_file(
    given: Sequence[Path], out: Path, *, table: str | None = None, curves: bool = False, say: Say = _quiet
) -> Path:
    """Writes every record of run and sweep folders to `out` (`-`: standard output) as CSV, and returns it.

    The file is UTF-8 and follows RFC 4180. Rows without a record have empty figures. `table` prices the records again;
    `say` receives messages about rows that were left out. With `curves` there is a row for every epoch, with the values
    of the learning curve. A text that a spreadsheet would read as a formula gets an apostrophe before it. Raises
    `EdgesdtError`, `RunError`.
    """
    rows = _rows(given, table, curves, say)
    text = io.StringIO()
    names = _columns(rows)
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(map(_without_formula, names))
    writer.writerows([_without_formula(_cell(row.get(name))) for name in names] for row in rows)
    _write(out, text.getvalue().encode())
    return out


def parquet_file(
    given: Sequence[Path], out: Path, *, table: str | None = None, curves: bool = False, say: Say = _quiet
) -> Path:
    """As `csv_file`, in Parquet. Raises `EdgesdtError` if the package pyarrow is not installed."""
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        raise EdgesdtError("--parquet needs the package pyarrow: pip install 'edgesdt[parquet]'") from None
    rows = _rows(given, table, curves, say)
    made = pyarrow.table({name: _typed([row.get(name) for row in rows]) for name in _columns(rows)})
    target = io.BytesIO()
    pyarrow.parquet.write_table(made, target)
    _write(out, target.getvalue())
    return out


def plain(
    given: Sequence[Path], *, table: str | None = None, curves: bool = False, say: Say = _quiet
) -> list[dict[str, Any]]:
    """Every record as a mapping: identity of the row, the whole `spec`, and `record` (with its curve on request)."""
    made = []
    for head, spec, record, _ in _entries(given, table, say):
        kept = {key: value for key, value in record.items() if key != "spec" and (curves or key != "curve")}
        made.append({**head, "spec": spec, "record": kept or None})
    return made


def _rows(given: Sequence[Path], table: str | None, curves: bool, say: Say) -> list[Cells]:
    rows = []
    for head, spec, record, point in _entries(given, table, say):
        start = {**head, **_parameters(_flat(spec, whole=True)), **_parameters(point)}
        if curves:
            rows += [{**start, **_flat(epoch, "curve.")} for epoch in record.get("curve") or []]
        else:
            rows.append({**start, **_figures(record)})
    return rows


def _entries(given: Sequence[Path], table: str | None, say: Say) -> Iterator[Entry]:
    """For every run: its identity, its whole spec, its record (empty if there is none), and its point in a sweep."""
    items = page.load(given)
    if table is not None:
        items = [page.priced(item, table) for item in items]
    for line in page.left_out(items):
        say(line)
    for item in items:
        yield from (_of_run(item) if isinstance(item, Run) else _of_sweep(item))


def _of_run(run: Run) -> Iterator[Entry]:
    record = run.record
    head = {"source": str(run.folder), "name": record.get("name"), "seed": record.get("seed"), "status": "done"}
    head |= {"error": None, "run": None, "spec_hash": record.get("spec_hash")}
    yield head, summary.named_spec(run), record, {}


def _of_sweep(sweep: Sweep) -> Iterator[Entry]:
    for row in sweep.rows:
        head = {"source": str(sweep.folder), "name": sweep.label, "seed": row.seed, "status": row.status}
        head |= {"error": row.reason or None, "run": row.run or None, "spec_hash": row.spec_hash or None}
        spec = _spec_of(sweep, row)
        run = Run(sweep.folder, {**row.record, "spec": spec}, "")
        yield head, summary.named_spec(run), row.record if row.done else {}, columns.apart(row.point)


def _spec_of(sweep: Sweep, row: Row) -> dict[str, Any]:
    """The spec of a row as it was run; without a run, the base spec with the point's values."""
    found = row.record.get("spec")
    if found is None and row.run and row.done:
        with contextlib.suppress(EdgesdtError):  # the run folder no longer exists
            found = folders.read(sweep.folder / row.run).get("spec")
    return dict(found) if isinstance(found, dict) else {**sweep.spec_of(row.given or row.point), "seed": row.seed}


def _parameters(values: Mapping[str, Any]) -> Cells:
    return {columns.of_parameter(path): columns.value_of(path, value) for path, value in values.items()}


def _figures(record: Mapping[str, Any]) -> Cells:
    return _flat({key: value for key, value in record.items() if key not in _LEFT_OUT})


def _flat(values: Mapping[str, Any], above: str = "", whole: bool = False) -> Cells:
    """A nested mapping as dotted paths; lists become JSON; lists of mappings are left out unless `whole`."""
    found: Cells = {}
    for key, value in values.items():
        if isinstance(value, Mapping):
            found |= _flat(value, f"{above}{key}.", whole)
        elif key != "sheet" and (whole or not _is_list_of_mappings(value)):
            found[f"{above}{key}"] = json.dumps(value, ensure_ascii=False) if isinstance(value, list) else value
    return found


def _columns(rows: Sequence[Cells]) -> list[str]:
    """Every column: identity, parameters and figures of a row, in the order of first appearance."""
    found = list(dict.fromkeys(name for row in rows for name in row))
    spec = [name for name in found if name.startswith("spec.")]
    return [*_FIRST, *spec, *(name for name in found if name not in _FIRST and name not in spec)]


def _cell(value: Any) -> Any:
    if value is None:
        return ""
    return json.dumps(value) if isinstance(value, bool | dict | list) else value


def _without_formula(cell: Any) -> Any:
    """A text with an apostrophe before it if a spreadsheet would read it as a formula (OWASP, CSV Injection).

    Numbers are unchanged, also numbers written as text.
    """
    if not isinstance(cell, str):
        return cell
    text = printable_lines(cell)
    return f"'{text}" if text.lstrip()[:1] in _FORMULA and not _NUMBER.fullmatch(text) else text


def _typed(values: list[Any]) -> list[Any]:
    """Converts a column to one type for Parquet: whole numbers, numbers, flags, or texts."""
    kinds = {type(value) for value in values if value is not None}
    if len(kinds) <= 1 and not kinds & {dict, list}:
        return values
    if kinds <= {int, float}:
        return [None if value is None else float(value) for value in values]
    return [value if value is None or isinstance(value, str) else json.dumps(value) for value in values]


def _write(out: Path, data: bytes) -> None:
    if out == STDOUT:
        to_stdout(data)
        return
    part = out.with_name(f".{out.name}.{os.getpid()}.part")
    try:
        if out.is_dir():
            raise EdgesdtError(f"{out}: is a folder; name the file to write")
        out.parent.mkdir(parents=True, exist_ok=True)
        with part.open("xb") as file:  # symbolic links are not followed
            file.write(data)
        part.replace(out)
    except OSError as error:
        with contextlib.suppress(OSError):
            part.unlink()
        raise RunError(f"{out}: cannot be written: {error.strerror or error}") from None


def _is_list_of_mappings(value: Any) -> bool:
    return isinstance(value, list) and any(isinstance(item, Mapping) for item in value)
