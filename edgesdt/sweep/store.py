"""The folder of a sweep: its rows, its finished points, and the points claimed by processes.

The state of a sweep is this folder alone. A row is written atomically (draft, flush to disk, rename) before a point
counts as finished. A claim is a POSIX lock on a byte of the file `.claims`. The operating system releases it when its
process ends for any reason, so no claim becomes stale.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

from edgesdt.errors import EdgesdtError, RunError
from edgesdt.files import documents, record_shape
from edgesdt.runs import record
from edgesdt.spec import named_files, to_yaml
from edgesdt.sweep import rows
from edgesdt.sweep.plan import Point, SweepPlan
from hw_models.files import open_own, read_bytes
from hw_models.foreign import printable

_DOOR = 0
"""The byte of `.claims` that is locked while a folder is set up."""


class Store:
    """An open sweep folder for one plan; use as a context manager.

    Raises `EdgesdtError` (exit 2) if the folder cannot be written, or holds something else, the sweep of another spec,
    or files of a newer edgesdt.
    """

    def __init__(self, path: Path, plan: SweepPlan) -> None:
        self.path, self.plan = path, plan
        self._claims: IO[bytes] | None = None
        self._lines: dict[str, bytes] = {}
        self._done: set[str] = set()
        self._failed: set[str] = set()
        try:
            self._open()
        except OSError as error:
            self.close()
            raise EdgesdtError(f"{path}: not a folder that can be written: {error.strerror or error}") from error
        except EdgesdtError:
            self.close()
            raise

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Releases all claims."""
        if self._claims is not None:
            self._claims.close()
            self._claims = None

    def _open(self) -> None:
        if not _is_ours(self.path):
            raise EdgesdtError(f"{self.path}: holds something that is not an edgesdt sweep; choose another --out")
        _check(self.path, self.plan)  # check before any file is written
        (self.path / "points").mkdir(parents=True, exist_ok=True)
        self._claims = os.fdopen(open_own(self.path / ".claims", os.O_RDWR | os.O_APPEND), "ab+")
        self._lock(_DOOR, wait=True)
        try:
            _check(self.path, self.plan)
            described = json.dumps(rows.description(self.plan), indent=1, allow_nan=False) + "\n"
            _write(self.path / "sweep.json", described.encode())
            _write(self.path / "spec.yaml", to_yaml(_as_run(self.plan)).encode())
        except RunError as error:
            raise EdgesdtError(str(error)) from error
        finally:
            self._unlock(_DOOR)
        self.look()

    # finished points

    def look(self) -> None:
        """Reads which points are finished, by any process."""
        with os.scandir(self.path / "points") as entries:
            names = {entry.name for entry in entries if entry.name.endswith(".json") and entry.name[0] != "."}
        self._failed = {name.removesuffix(".failed.json") for name in names if name.endswith(".failed.json")}
        self._done = {name.removesuffix(".json") for name in names} - {f"{name}.failed" for name in self._failed}
        self._failed -= self._done

    def status(self, point: Point) -> str:
        """`done` (also for pruned points), `failed` or empty, as last read."""
        if point.id in self._done:
            return rows.DONE
        return rows.FAILED if point.id in self._failed else ""

    def look_at(self, point: Point) -> str:
        """Reads the status of a point again and returns it."""
        for name, known in ((f"{point.id}.json", self._done), (f"{point.id}.failed.json", self._failed)):
            if (self.path / "points" / name).exists():
                known.add(point.id)
        return self.status(point)

    def row_of(self, point: Point) -> dict[str, Any] | None:
        """The row of a point, with the values of this plan; None if there is no readable row."""
        if point.infeasible:
            return rows.row(self.plan, point, rows.INFEASIBLE, point.infeasible)
        text = self._line_of(point)
        return None if text is None else rows.read_line(text, str(self.path))

    def has_row(self, point: Point) -> bool:
        """Whether the row of a point can be read. A point without a readable row counts as not run from now on."""
        return self._line_of(point) is not None

    def put(self, point: Point, made: Mapping[str, Any]) -> None:
        """Stores the row of a finished point. Raises `RunError` if it cannot be written."""
        failed = made["status"] == rows.FAILED
        text = rows.line(made)
        _write(self._place(point, failed), text)
        if not failed:
            self._place(point, True).unlink(missing_ok=True)
            self._done.add(point.id)
        (self._failed.add if failed else self._failed.discard)(point.id)
        self._lines[point.id] = text

    def forget_failure(self, point: Point) -> None:
        """Prepares to run a failed point again: deletes its row and its run folder. The caller must hold the claim."""
        self._place(point, True).unlink(missing_ok=True)
        shutil.rmtree(self.run_folder(point), ignore_errors=True)
        self._failed.discard(point.id)
        self._lines.pop(point.id, None)

    def run_folder(self, point: Point) -> Path:
        """Path of the run folder of a point."""
        return self.path / "runs" / point.id

    def keep_run(self, point: Point, files: Mapping[str, bytes]) -> None:
        """Writes, atomically, a run folder that was made on another machine. Raises `RunError`."""
        folder = self.run_folder(point)
        draft = folder.with_name(f".{folder.name}.{os.urandom(4).hex()}")
        try:
            draft.mkdir(parents=True)
            for name, data in files.items():
                (draft / Path(name).name).write_bytes(data)  # a worker's file names must not lead outside the folder
            shutil.rmtree(folder, ignore_errors=True)  # an unfinished folder of a worker on this machine
            draft.rename(folder)
        except OSError as error:
            shutil.rmtree(draft, ignore_errors=True)
            raise RunError(f"{folder}: could not be written: {error.strerror or error}") from error

    def compact(self, points: Iterable[Point]) -> float:
        """Writes `records.jsonl` from the rows of `points`; returns the seconds it took. Raises `RunError`."""
        started = time.monotonic()
        self.look()
        lines = []
        for point in points:
            if point.infeasible:
                lines.append(rows.line(rows.row(self.plan, point, rows.INFEASIBLE, point.infeasible)))
            elif self.status(point):
                text = self._line_of(point)
                lines += [text] if text else []
        _write(self.path / "records.jsonl", b"".join(lines))
        return time.monotonic() - started

    def _place(self, point: Point, failed: bool) -> Path:
        return self.path / "points" / f"{point.id}{'.failed' if failed else ''}.json"

    def _line_of(self, point: Point) -> bytes | None:
        """The line of a finished point, with the head from this plan."""
        known = self._lines.get(point.id)
        if known is not None:
            return known
        status = self.status(point)
        if not status:
            return None
        path = self._place(point, status == rows.FAILED)
        try:
            text = read_bytes(path, documents.MOST_BYTES)
        except OSError:
            return None
        made = rows.read_line(text, str(path))
        wanted = json.dumps(rows.head(self.plan, point), separators=(",", ":"))[:-1].encode()
        if made is None or not (text.startswith(wanted) and text.endswith(b"}\n") and text.count(b"\n") == 1):
            if made is None:  # not a row of this sweep: the point counts as not run
                (self._failed if status == rows.FAILED else self._done).discard(point.id)
                with suppress(OSError):
                    path.unlink()
                return None
            text = rows.line({**made, **rows.head(self.plan, point)})
        self._lines[point.id] = text
        return text

    # claims

    def claim(self, point: Point) -> bool:
        """Tries to claim this point among all processes that share the folder; returns whether it succeeded."""
        return self._lock(_byte(point), wait=False)

    def release(self, point: Point) -> None:
        """Releases a claim."""
        self._unlock(_byte(point))

    def _lock(self, byte: int, wait: bool) -> bool:
        assert self._claims is not None
        try:
            fcntl.lockf(self._claims, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB), 1, byte)
        except (BlockingIOError, PermissionError):  # POSIX allows EACCES (PermissionError) here too
            return False
        except OSError as error:
            raise RunError(f"{self.path}: locks do not work here: {error.strerror or error}") from error
        return True

    def _unlock(self, byte: int) -> None:
        assert self._claims is not None
        fcntl.lockf(self._claims, fcntl.LOCK_UN, 1, byte)


def _as_run(plan: SweepPlan) -> dict[str, Any]:
    """The plain spec of a sweep; paths in its section are absolute because it is stored in another folder."""
    plain = plan.base.plain()
    if plan.folder:
        plain["sweep"] = named_files.located_sweep(plain["sweep"], plan.folder)
    return plain


def _byte(point: Point) -> int:
    """The byte of `.claims` for a point: 62 bits of its hash and seed, never the byte for set-up."""
    return 1 + ((int(point.spec_hash, 16) * 0x9E3779B97F4A7C15 + point.seed) % (2**62))


def _is_ours(path: Path) -> bool:
    """Whether the folder is absent, empty or the folder of a sweep."""
    try:
        names = {entry.name for entry in path.iterdir()}
    except FileNotFoundError:
        return True
    return not names or bool({"sweep.json", "points"} & names) or names <= {".claims"}


def _check(path: Path, plan: SweepPlan) -> None:
    """Raises `EdgesdtError` if the folder holds the sweep of another spec or was written by a newer edgesdt."""
    try:
        found = documents.read(path / "sweep.json")
        rows.check_schema(found, str(path / "sweep.json"))
        theirs = found["spec"]
        if not isinstance(theirs, dict):
            raise TypeError(f"spec: expected a mapping, found {record_shape.kind_of(theirs)}")
    except FileNotFoundError:
        return
    except (documents.DocumentError, KeyError, TypeError) as error:
        told = printable(str(error))
        raise EdgesdtError(f"{path / 'sweep.json'}: damaged ({told}); choose another --out") from error
    mine = plan.base.model_copy(update={"sweep": None}).plain()
    keys = sorted({*mine, *theirs} - {"seed"})
    differing = [k for k in keys if named_files.identity(k, mine.get(k)) != named_files.identity(k, theirs.get(k))]
    if differing:
        raise EdgesdtError(
            f"{path}: holds the sweep of another spec, which differs in {', '.join(differing)} (only the sweep section "
            "may change); choose another --out"
        )


def _write(path: Path, data: bytes) -> None:
    """As `record.write_atomically`, and flushes the folder to disk too."""
    record.write_atomically(path, data)
    with suppress(OSError):
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
