"""Runs one point of a sweep, on this machine or a remote one, and converts every result to an outcome (`jobs`)."""

from __future__ import annotations

import errno
import shutil
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from edgesdt import __version__, datasets
from edgesdt.errors import EdgesdtError, RunError
from edgesdt.runs.compilation import Compilation, heard
from edgesdt.runs.experiment import run
from edgesdt.spec import Spec
from edgesdt.sweep.workers.jobs import Job, Outcome

CHECKPOINT_S = 5.0
"""Seconds between two checkpoints of a run, and so the most that is repeated after its process was killed. Short runs
write no checkpoint, because several workers share one disk."""
_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES, errno.EPERM}
"""System errors after which no run of the sweep can write its files."""


class _Pruned(Exception):
    def __init__(self, curve: list[dict[str, Any]], why: str) -> None:
        super().__init__(why)
        self.curve = curve


def carry_out(
    job: Job, starts: Callable[[], None] = lambda: None, ends: Callable[[float], None] = lambda seconds: None
) -> Outcome:
    """Runs the job in its folder, from a checkpoint if there is one. Raises only on an interruption.

    `starts` and `ends` are called before and after compilation (`compilation`).
    """
    started = time.monotonic()
    folder = Path(job.folder)
    with heard(starts, ends) as compilation:
        outcome = _attempt(job, folder, compilation)
        if outcome["kind"] == "refused":  # another folder of this name is stale: it belongs to the sweep
            if (folder / "run.json").exists():
                shutil.rmtree(folder, ignore_errors=True)
                outcome = _attempt(job, folder, compilation)
            outcome["kind"] = "failed" if outcome["kind"] == "refused" else outcome["kind"]
        compile_s = compilation.seconds
    return {**outcome, "seconds": time.monotonic() - started - compile_s, "compile_s": compile_s}


def carry_out_there(job: Job, version: str) -> Outcome:
    """As `carry_out`, without a shared disk: runs in a temporary folder and returns its files as `files`."""
    if version != __version__:
        return {"kind": "stop", "error": f"a worker has edgesdt {__version__}, the sweep is of {version}"}
    datasets.keep()
    with tempfile.TemporaryDirectory(prefix="edgesdt-") as place:
        folder = Path(place) / "run"
        outcome = carry_out(Job(job.id, job.plain, str(folder), job.floors))
        if outcome["kind"] == "done":
            names = ("run.json", "record.json", "weights.npz", "log.txt", "spec.yaml")
            outcome["files"] = {name: (folder / name).read_bytes() for name in names if (folder / name).exists()}
        return outcome


def _attempt(job: Job, folder: Path, compilation: Compilation) -> Outcome:
    try:
        spec = Spec.from_plain(job.plain)
        watch = _stop_below_floors(job.floors)
        found = run(
            spec, folder, threads=1, report=False, watch=watch, apart_s=CHECKPOINT_S, compilation=compilation
        )  # fmt: skip
        return {"kind": "done", "record": found}
    except _Pruned as stop:
        return {"kind": "pruned", "error": str(stop), "record": {"curve": stop.curve}}
    except EdgesdtError as error:
        number = getattr(error.__cause__, "errno", None)
        if number in (errno.EWOULDBLOCK, errno.EAGAIN):
            return {"kind": "busy", "error": str(error)}
        kind = "disk" if number in _NO_ROOM else "failed" if isinstance(error, RunError) else "refused"
        return {"kind": kind, "error": str(error)}
    except OSError as error:
        return {"kind": "disk" if error.errno in _NO_ROOM else "failed", "error": f"{type(error).__name__}: {error}"}
    except Exception as error:  # an exception at one point must not stop the others
        return {"kind": "failed", "error": f"{type(error).__name__}: {error}"}


def _stop_below_floors(floors: Sequence[tuple[int, str, float]]) -> Callable[[list[dict[str, Any]]], None]:
    """Called with the learning curve after every epoch; stops a run whose accuracy is below a floor."""

    def watch(curve: list[dict[str, Any]]) -> None:
        for epoch, key, floor in floors:
            if epoch <= len(curve) and curve[epoch - 1].get(key, 1.0) < floor:
                why = f"stopped after epoch {epoch}: {key} {curve[epoch - 1][key]:.4f} is below {floor:.4f}"
                raise _Pruned([{k: v for k, v in point.items() if k != "counts"} for point in curve], why)

    return watch
