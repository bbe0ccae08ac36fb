"""Worker processes on this machine; each runs many points and is replaced if it dies."""

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
"""Variables set to 1 in workers: they share the cores, and sums must not depend on the number of threads."""
_STILLBORN = 3
"""The sweep stops after this number of consecutive workers that die before they are ready."""
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
        """Number of points that can run at the same time."""
        return len(self._workers)

    def free(self) -> int:
        """Number of workers without a job (a starting worker accepts its first job)."""
        return sum(worker.job is None for worker in self._workers)

    def compiling(self) -> int:
        """Number of workers that are compiling kernels."""
        return sum(worker.compiling for worker in self._workers)

    def start(self, job: Job) -> None:
        """Sends a job to a free worker."""
        next(worker for worker in self._workers if worker.job is None).take(job)

    def wait(self, timeout: float) -> list[tuple[str, Outcome]]:
        """Ids and outcomes of ended jobs; waits at most `timeout` seconds. Raises `RunError` if no worker starts."""
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
        kind = "died" if worker.ready else "lost"  # a worker that never started says nothing about the point
        return [(worker.job.id, {"kind": kind, "error": f"worker died ({how}){': ' if told else ''}{told}"})]

    def _add(self) -> None:
        worker = _Worker()
        self._workers.append(worker)
        self._selector.register(worker.stdout, selectors.EVENT_READ, worker)

    def close(self) -> None:
        """Stops every worker at once; active runs keep their last checkpoint."""
        for worker in self._workers:
            worker.kill()
        for worker in self._workers:
            worker.end()
        self._workers.clear()
        self._selector.close()


class _Worker:
    """One process, its job, and its output so far."""

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
        """Sends a job. If the process has died, the next `hear` reports it."""
        self.job = job
        data = json.dumps(asdict(job)).encode() + b"\n"
        assert self._process.stdin is not None
        with suppress(OSError):
            while data:
                data = data[self._process.stdin.write(data) or 0 :]

    def hear(self) -> tuple[list[dict[str, Any]], bool]:
        """Returns complete messages received, and whether the process has ended."""
        data = os.read(self.stdout.fileno(), _CHUNK)
        *lines, self._heard = (self._heard + data).split(b"\n")
        return [json.loads(line) for line in lines], not data

    def kill(self) -> None:
        """Kills the process."""
        with suppress(ProcessLookupError):
            self._process.kill()

    def end(self) -> tuple[str, str]:
        """Waits for a process that has ended or been killed; returns how it ended and the end of its error output."""
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
    """The environment of a worker: one thread, and the module search path of this process."""
    paths = [path or os.getcwd() for path in sys.path]
    return {**parent, **dict.fromkeys(ONE_THREAD, "1"), "PYTHONPATH": os.pathsep.join(paths)}
