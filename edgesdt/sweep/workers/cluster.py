"""Runs points on an existing Dask cluster: sends jobs and receives run folders as bytes, without a shared disk."""

from __future__ import annotations

import asyncio
import logging
import math
import queue
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any

from edgesdt import __version__
from edgesdt.errors import EdgesdtError, RunError
from edgesdt.sweep.workers.jobs import Job, Outcome

PATIENCE_S = 4
"""Timeout for the answer of a scheduler [s]."""
_ASK_S = 1.0
"""Seconds between two requests to the scheduler for its workers."""
_AHEAD = 2
"""Jobs sent per thread of the cluster, so that no thread waits for the driver."""


class DaskCrew:
    """The threads of the workers of a scheduler; the interface is that of `driver.Crew`."""

    def __init__(self, address: str) -> None:
        try:
            from dask.distributed import Client
        except ImportError as error:
            raise EdgesdtError(f"--scheduler needs the extra 'dask': pip install 'edgesdt[dask]' ({error})") from error
        for name in ("distributed.client", "distributed.core", "distributed.comm"):
            logging.getLogger(name).setLevel(logging.CRITICAL)  # edgesdt reports the error in one line instead
        connect: Any = Client
        try:
            asyncio.run(_answers(address))  # a refused client takes half a minute to close
            self._client: Any = connect(address, timeout=PATIENCE_S, set_as_default=False, name="edgesdt-sweep")
        except Exception as error:  # another program may listen there and answer anything
            told = str(error).strip().partition("\n")[0] or type(error).__name__
            if isinstance(error, MemoryError):  # its bytes were read as lengths
                told = "something else answers"
            raise EdgesdtError(f"--scheduler {address}: no Dask scheduler answers there ({told})") from error
        self._address = address
        self._ended: queue.SimpleQueue[tuple[str, Any]] = queue.SimpleQueue()
        self._futures: dict[str, Any] = {}
        self._session = uuid.uuid4().hex[:8]
        self._count = self._size = 0
        self._asked = -math.inf

    @property
    def size(self) -> int:
        """Number of threads of all workers, updated at intervals."""
        now = time.monotonic()
        if now >= self._asked + _ASK_S:
            with self._connection():
                self._size = sum(int(threads) for threads in self._client.nthreads().values())
            self._asked = now
        return self._size

    def free(self) -> int:
        """Number of jobs that may be sent now. Raises `RunError` if the scheduler is lost."""
        return max(0, _AHEAD * self.size - len(self._futures))

    def compiling(self) -> int:
        """Always 0: unknown until a run has ended; its outcome holds the compilation time."""
        return 0

    def start(self, job: Job) -> None:
        """Sends a job."""
        self._count += 1
        key = f"edgesdt-{job.id}-{self._session}-{self._count}"
        with self._connection():
            future = self._client.submit(_run_there, asdict(job), __version__, key=key, retries=0, pure=False)
        self._futures[job.id] = future
        future.add_done_callback(lambda ended, name=job.id: self._ended.put((name, ended)))

    def wait(self, timeout: float) -> list[tuple[str, Outcome]]:
        """Ids and outcomes of ended jobs; waits at most `timeout` seconds.

        Raises `RunError` if the scheduler is lost.
        """
        found = []
        try:
            name, future = self._ended.get(timeout=timeout)
            found.append((name, self._outcome(name, future)))
            while True:
                name, future = self._ended.get_nowait()
                found.append((name, self._outcome(name, future)))
        except queue.Empty:
            if not found:
                with self._connection():
                    pass
            return found

    def _outcome(self, name: str, future: Any) -> Outcome:
        from dask.distributed import KilledWorker

        self._futures.pop(name, None)
        if future.status == "finished":
            try:
                outcome: Outcome = future.result(timeout=60)
                return outcome
            except Exception as lost:  # its worker died after the end of the run and before its outcome was fetched
                return {"kind": "died", "error": f"worker died with the outcome of its run: {lost}"}
            finally:
                future.release()
        if future.status == "error":
            error = future.exception(timeout=60)
            if isinstance(error, KilledWorker):
                return {"kind": "failed", "error": "worker died each time it was tried"}
            told = f"{type(error).__name__}: {error}".partition("\n")[0]
            return {"kind": "stop", "error": f"--scheduler {self._address}: the cluster cannot run it: {told}"}
        return {"kind": "lost", "error": f"the cluster dropped the run ({future.status})"}

    @contextmanager
    def _connection(self) -> Iterator[None]:
        """A context for calls to the scheduler: reports a lost scheduler in one sentence."""
        gone = f"--scheduler {self._address}: the scheduler is gone"
        if self._client.status not in ("running", "connecting"):
            raise RunError(gone)
        try:
            yield
        except Exception as error:  # the type of exception depends on the moment of the loss
            raise RunError(gone) from error

    def close(self) -> None:
        """Cancels unfinished jobs and disconnects; the cluster keeps running."""
        futures, self._futures = list(self._futures.values()), {}
        for loop in ("tornado.application", "distributed"):  # ignore errors while the connection closes
            logging.getLogger(loop).setLevel(logging.CRITICAL + 1)
        try:
            if self._client.status == "running":
                self._client.cancel(futures, force=True)
            self._client.close(timeout=5)
        except Exception:  # the rows are already in the store
            logging.getLogger(__name__).debug("the client did not close", exc_info=True)


def _run_there(job: dict[str, Any], version: str) -> Any:
    from edgesdt.sweep.workers.jobs import Job
    from edgesdt.sweep.workers.point import carry_out_there

    return carry_out_there(Job(**job), version)


# Sent by value: the scheduler does not need edgesdt, and a worker without edgesdt reports that clearly.
_run_there.__module__ = "__main__"


async def _answers(address: str) -> None:
    """Raises an exception of any type unless a Dask scheduler answers."""
    from distributed.comm.core import connect

    call: Any = connect

    async def ask() -> Any:
        comm = await call(address, timeout=PATIENCE_S)
        try:
            await comm.write({"op": "identity", "reply": True})
            return await comm.read()
        finally:
            comm.abort()

    told = await asyncio.wait_for(ask(), PATIENCE_S + 1)
    if not isinstance(told, dict) or told.get("type") != "Scheduler":
        raise ValueError("something else answers")
