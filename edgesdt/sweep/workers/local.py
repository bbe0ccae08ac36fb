"""Worker processes on this machine, kept alive from point to point and replaced when they die."""

from __future__ import annotations

import json
import os
import selectors
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict
from typing import IO, Any

from edgesdt.errors import RunError
from edgesdt.sweep.workers.jobs import Job, Outcome

ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
"""Set to 1 in workers: several of them share the cores, and sums must not depend on how many there are."""
_STILLBORN = 3
"""Workers that may die before they are ready, one after the other, until the sweep gives up."""
_CHUNK = 1 << 20


class LocalCrew:
    """`count` worker processes; the interface is that of `driver.Crew`."""

    def __init__(self, count: int) -> None:
        self._selector = selectors.DefaultSelector()
        self._stillborn = 0
        self._workers: list[_Worker] = []
        try:
            for _ in range(count):
                self._add()
        except OSError as error:
            self.close()
            raise RunError(f"worker processes could not be started: {error.strerror or error}") from error

    @property
    def size(self) -> int:
        """Points that can run at once."""
        return len(self._workers)

    def free(self) -> int:
        """Workers without a job (one that is still starting takes its first job already)."""
        return sum(worker.job is None for worker in self._workers)

    def compiling(self) -> int:
        """Workers that are compiling kernels."""
        return sum(worker.compiling for worker in self._workers)

    def start(self, job: Job) -> None:
        """Give a job to a free worker."""
        next(worker for worker in self._workers if worker.job is None).take(job)

    def wait(self, timeout: float) -> list[tuple[str, Outcome]]:
        """What has happened to jobs, after at most `timeout` seconds. Raises `RunError` if no worker comes up."""
        found: list[tuple[str, Outcome]] = []
        for key, _ in self._selector.select(timeout):
            worker: _Worker = key.data
            messages, ended = worker.hear()
            for message in messages:
                if "ready" in message:
                    worker.ready, self._stillborn = True, 0
                elif "compiling" in message:
                    worker.compiling = message["compiling"]
                else:
                    worker.job = None
                    found.append((message.pop("id"), message))
            if ended:
                found += self._replace(worker)
        return found

    def _replace(self, worker: _Worker) -> list[tuple[str, Outcome]]:
        self._selector.unregister(worker.stdout)
        self._workers.remove(worker)
        how, told = worker.end()
        if not worker.ready:
            self._stillborn += 1
            if self._stillborn >= _STILLBORN:
                raise RunError(f"worker processes do not start ({how}): {told}")
        try:
            self._add()
        except OSError as error:
            raise RunError(f"a worker process could not be started: {error.strerror or error}") from error
        if worker.job is None:
            return []
        kind = "died" if worker.ready else "lost"  # one that never came up says nothing about the point
        return [(worker.job.id, {"kind": kind, "error": f"worker died ({how}){': ' if told else ''}{told}"})]

    def _add(self) -> None:
        worker = _Worker()
        self._workers.append(worker)
        self._selector.register(worker.stdout, selectors.EVENT_READ, worker)

    def close(self) -> None:
        """End every worker at once; a run that is under way keeps its last checkpoint."""
        for worker in self._workers:
            worker.kill()
        for worker in self._workers:
            worker.end()
        self._workers.clear()
        self._selector.close()


class _Worker:
    """One process, the job that it has, and what it has said so far."""

    def __init__(self) -> None:
        self.job: Job | None = None
        self.ready = self.compiling = False
        self._heard = b""
        self._errors: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 (it lives as long as the process)
        self._process = subprocess.Popen(
            [sys.executable, "-m", "edgesdt.sweep.workers.process"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            env=environment(os.environ),
            bufsize=0,
        )
        assert self._process.stdout is not None
        self.stdout = self._process.stdout

    def take(self, job: Job) -> None:
        """Send a job; if the process has died, that is heard at the next `hear`."""
        self.job = job
        data = json.dumps(asdict(job)).encode() + b"\n"
        assert self._process.stdin is not None
        with suppress(OSError):
            while data:
                data = data[self._process.stdin.write(data) or 0 :]

    def hear(self) -> tuple[list[dict[str, Any]], bool]:
        """Whole messages that have come, and whether the process has ended."""
        data = os.read(self.stdout.fileno(), _CHUNK)
        *lines, self._heard = (self._heard + data).split(b"\n")
        return [json.loads(line) for line in lines], not data

    def kill(self) -> None:
        """Stop it now."""
        with suppress(ProcessLookupError):
            self._process.kill()

    def end(self) -> tuple[str, str]:
        """Wait for a process that has ended or been killed; how it ended, and its last words."""
        code = self._process.wait()
        self._errors.seek(0, os.SEEK_END)
        self._errors.seek(max(0, self._errors.tell() - 2000))
        words = self._errors.read().decode(errors="replace").strip().splitlines()
        for stream in (self._process.stdin, self.stdout, self._errors):
            if stream is not None:
                with suppress(OSError):
                    stream.close()
        how = f"exit code {code}"
        if code < 0:
            how = f"signal {-code}, {signal.Signals(-code).name}" if -code in set(signal.Signals) else f"signal {-code}"
        return how, words[-1] if words else ""


def environment(parent: Mapping[str, str]) -> dict[str, str]:
    """The environment of a worker: one thread each, and the modules that this process finds."""
    paths = [path or os.getcwd() for path in sys.path]
    return {**parent, **dict.fromkeys(ONE_THREAD, "1"), "PYTHONPATH": os.pathsep.join(paths)}
