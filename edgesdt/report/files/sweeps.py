"""Reads sweep folders for the report: `sweep.json`, and a row for every (point, seed), as `edgesdt.sweep.rows` says.

Rows are the lines of `records.jsonl`, and the files of `points/` that were added later. The last row of a (point, seed)
counts, but no other row replaces a finished one. Incomplete lines of a killed process and damaged rows are skipped, so
that one run cannot prevent the report of its sweep. The report lists them.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from edgesdt.errors import EdgesdtError
from edgesdt.files import documents
from edgesdt.report.files import columns, telling
from edgesdt.report.files.folders import Run, check
from hw_models.files import read_bytes
from hw_models.foreign import printable

SCHEMA = 1  # the newest schema of store and description that this module reads
STORE, DESCRIPTION, SINGLE = "records.jsonl", "sweep.json", "points"
DONE = "done"
_MOST_STORE = 1 << 32
"""Largest size of `records.jsonl`: 4 GiB, a million rows."""


def identity(value: Any) -> str:
    """A value of a parameter as text: equal for equal values, for any order of a mapping's keys."""
    return repr(value) if isinstance(value, str | int | float) else json.dumps(value, sort_keys=True)


@dataclass(frozen=True)
class Row:
    """One run of the sweep: its point (path → value, no seed), its seed, its status, and its record if it is finished.

    The fields of a group of the plan are one path (`columns.joined`); of whole sections only what tells entries apart
    is there (`telling`). `given` is the point as it is stored.

    `run` is the run folder, relative to the sweep's; empty if there is none.
    """

    point: dict[str, Any]
    seed: int | None
    status: str
    reason: str
    run: str
    spec_hash: str
    record: dict[str, Any] = field(repr=False)
    given: dict[str, Any] = field(default_factory=dict, repr=False)

    @property
    def done(self) -> bool:
        """Whether the row has a record."""
        return self.status == DONE

    @functools.cached_property
    def key(self) -> str:
        """The point as text: equal for equal points, for any order of their parameters."""
        return "\n".join(f"{path} {identity(self.point[path])}" for path in sorted(self.point))


@dataclass(frozen=True)
class Sweep:
    """The content of a sweep folder: its description, its rows in the order of the store, and a unique name."""

    folder: Path
    description: dict[str, Any]
    rows: list[Row]
    label: str
    torn: int = 0
    damaged: tuple[str, ...] = ()
    """Damaged items that were left out, each with its file and line."""

    @property
    def plan(self) -> dict[str, Any]:
        """The plan: parameters, seeds, objectives, constraints, method; empty if it is missing."""
        found = self.description.get("plan")
        return found if isinstance(found, dict) else {}

    def listed(self, name: str) -> list[Mapping[str, Any]]:
        """The mappings in a list of the plan, such as `objectives` or `constraints`; other items are left out."""
        found = self.plan.get(name)
        return [entry for entry in found if isinstance(entry, Mapping)] if isinstance(found, list) else []

    @property
    def records(self) -> list[dict[str, Any]]:
        """The records of the finished rows."""
        return [row.record for row in self.rows if row.done]

    @property
    def missing(self) -> int:
        """Number of planned runs without a row."""
        planned = self.description.get("points")
        return max(planned - len(self.rows), 0) if isinstance(planned, int) else 0

    @property
    def spec(self) -> dict[str, Any]:
        """The base spec, plain; empty if the description has none."""
        found = self.description.get("spec")
        return found if isinstance(found, dict) else {}

    @property
    def parameters(self) -> list[str]:
        """The swept paths without the seed: those of the plan, then those that only the rows have."""
        planned = self.plan.get("parameters")
        paths = dict.fromkeys(planned if isinstance(planned, Mapping | list) else ())
        whole = {path for row in self.rows for path in row.given if path not in row.point}
        paths = {path: None for path in paths if path not in whole}
        for row in self.rows:
            paths |= dict.fromkeys(row.point)
        return [str(path) for path in paths if path != "seed"]

    def spec_of(self, point: Mapping[str, Any]) -> dict[str, Any]:
        """The plain spec of a point: the base spec with the values of the point."""
        spec: dict[str, Any] = json.loads(json.dumps(self.spec))
        for path, value in columns.apart(point).items():
            *above, last = columns.steps_of(path)
            place: Any = spec
            for step in above:
                if columns.value_at(place, [step]) is None and isinstance(place, dict):
                    place[step] = {}
                place = columns.value_at(place, [step])
            if columns.value_at(place, [last]) is not None or isinstance(place, dict):
                place[last] = columns.value_of(path, value)
        return spec

    def run_of(self, row: Row, label: str | None = None) -> Run:
        """A finished row as a run, for functions that show runs; it uses the spec of the record if there is one."""
        spec = row.record.get("spec") or self.spec_of(row.given or row.point)
        return Run(self.folder / row.run, {**row.record, "spec": spec}, label or self.label)


def is_sweep(folder: Path) -> bool:
    """Whether `folder` holds a sweep rather than a run."""
    return not (folder / "record.json").exists() and any((folder / n).exists() for n in (STORE, DESCRIPTION, SINGLE))


def load(folder: Path) -> Sweep:
    """The sweep in `folder`.

    Raises `EdgesdtError` naming the file and the line for content that is missing, damaged or of a newer edgesdt.
    """
    description = _description(folder / DESCRIPTION)
    rows, torn, damaged = _rows(folder)
    label = printable(str(description.get("name") or folder.name))
    made = Sweep(folder, description, rows, label, torn, tuple(damaged))
    groups = [fields for group in made.listed("groups") if (fields := _fields(group))]
    return replace(made, rows=_shown(rows, groups))


def _shown(rows: Sequence[Row], groups: Sequence[Sequence[str]]) -> list[Row]:
    """The rows with points as they are shown."""
    grouped = {name for fields in groups for name in fields}
    alone = {name for row in rows for name, value in row.point.items() if telling.is_section(value)} - grouped
    kept = {tuple(fields): names for fields in [*groups, *([name] for name in sorted(alone))]
            if (names := _telling(rows, fields)) is not None}  # fmt: skip
    joined = [fields for fields in (*groups, *kept.values()) if len(fields) > 1]
    made = []
    for row in rows:
        point = dict(row.point)
        for fields, names in kept.items():
            flat = telling.leaves({name: point.pop(name) for name in fields if name in point})
            point |= {name: flat.get(name) for name in names} if flat else {}
        made.append(replace(row, point=columns.joined(point, joined), given=row.point))
    return made


def _telling(rows: Sequence[Row], fields: Sequence[str]) -> list[str] | None:
    """The fields that tell the entries of a group of whole sections apart; None for a group without sections."""
    entries = {}
    for row in rows:
        entry = {name: row.point[name] for name in fields if name in row.point}
        entries[json.dumps(entry, sort_keys=True)] = entry
    sections = any(telling.is_section(value) for entry in entries.values() for value in entry.values())
    return telling.telling(entries.values()) if sections else None


def _fields(group: Mapping[str, Any]) -> list[str]:
    """The fields of a group of the plan; empty for an invalid group."""
    found = group.get("fields")
    return list(found) if isinstance(found, list) and all(isinstance(field, str) for field in found) else []


def _description(path: Path) -> dict[str, Any]:
    if not path.exists():  # a report needs only the store
        return {}
    try:
        found = documents.loads(_content(path))
    except documents.DocumentError as error:
        raise EdgesdtError(f"{path}: damaged: {printable(str(error))}") from None
    if not isinstance(found, dict):
        raise EdgesdtError(f"{path}: damaged: expected a JSON object")
    _readable(str(path), found)
    return found


def _rows(folder: Path) -> tuple[list[Row], int, list[str]]:
    """The valid rows, the number of texts that are not JSON, and a sentence for each other damaged item."""
    path, single = folder / STORE, folder / SINGLE
    lines = _content(path).split(b"\n") if path.exists() or not single.is_dir() else []
    found, torn, damaged = _read((f"{path}:{i}", line) for i, line in enumerate(lines, start=1) if line.strip())
    known = {f"{row.spec_hash}-{row.seed}{'.failed' if row.status == 'failed' else ''}.json" for row in found}
    newer = [file for file in sorted(single.glob("[!.]*.json")) if file.name not in known]
    more, broken, spoilt = _read(_singles(newer, damaged))
    kept: dict[tuple[str, int | None], Row] = {}
    for row in [*found, *more]:
        place = (row.key, row.seed)
        if place not in kept or row.done or not kept[place].done:
            kept[place] = row
    damaged += spoilt
    if damaged and not kept:
        raise EdgesdtError(damaged[0])
    return list(kept.values()), torn + broken, damaged


def _singles(files: Iterable[Path], damaged: list[str]) -> Iterator[tuple[str, bytes]]:
    """Name and content of the files with one row each; unreadable files are added to `damaged`."""
    for file in files:
        try:
            yield str(file), _content(file)
        except EdgesdtError as error:
            damaged.append(printable(str(error)))


def _read(texts: Iterable[tuple[str, bytes]]) -> tuple[list[Row], int, list[str]]:
    found: list[Row] = []
    torn, damaged = 0, list[str]()
    for where, text in texts:
        try:
            entry = documents.loads(text)
        except documents.DocumentError:
            torn += 1
            continue
        try:
            found.append(_row(where, entry))
        except EdgesdtError as error:
            damaged.append(printable(str(error)))
    return found, torn, damaged


def _content(path: Path) -> bytes:
    try:
        return read_bytes(path, _MOST_STORE)
    except FileNotFoundError:
        raise EdgesdtError(f"{path}: no records here; not a sweep, or one of which nothing has finished") from None
    except OSError as error:
        raise EdgesdtError(f"{path}: cannot be read: {error.strerror or error}") from None


def _readable(where: str, found: Mapping[str, Any]) -> None:
    schema = found.get("schema", SCHEMA)
    if not isinstance(schema, int) or not 1 <= schema <= SCHEMA:
        raise EdgesdtError(f"{where}: schema: {schema!r} cannot be read by this version (allowed: 1..{SCHEMA})")


def _row(where: str, entry: object) -> Row:
    if not isinstance(entry, dict):
        raise EdgesdtError(f"{where}: damaged: expected a JSON object")
    _readable(where, entry)
    point, status = entry.get("point"), entry.get("status")
    if not isinstance(point, dict) or not isinstance(status, str):
        raise EdgesdtError(f"{where}: damaged: point: expected a mapping, status: a text")
    record = entry.get("record") or {}
    if status == DONE:
        check(where, record)
    run = entry.get("run") or ""
    if not isinstance(run, str) or len(run) > 250 or Path(run).is_absolute() or ".." in Path(run).parts:
        raise EdgesdtError(f"{where}: damaged: run: expected a folder inside that of the sweep")
    point = dict(point)
    seed = entry.get("seed", point.get("seed"))
    point.pop("seed", None)
    return Row(
        point,
        seed if isinstance(seed, int) else None,
        status,
        str(entry.get("error") or ""),
        run,
        str(entry.get("spec_hash") or ""),
        record if isinstance(record, dict) else {},
    )
