"""Runs the missing points of a sweep: claims points, sends them to workers, stores rows, replaces dead workers."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Protocol

from edgesdt.errors import RunError
from edgesdt.sweep import rows
from edgesdt.sweep.plan import Point, SweepPlan
from edgesdt.sweep.progress import Progress
from edgesdt.sweep.store import Store
from edgesdt.sweep.workers.jobs import Job, Outcome

MOST_DEATHS = 3
"""Number of workers that may die on a point before the point counts as failed."""
_TICK_S = 0.5
_COMPACT_S = 15.0
_ALONE_S = 20.0


class Crew(Protocol):
    """The workers that run points: processes on this machine (`local`) or a cluster (`cluster`)."""

    @property
    def size(self) -> int:
        """Number of points that can run at the same time."""

    def free(self) -> int:
        """Number of points that may be started now."""

    def compiling(self) -> int:
        """Number of workers known to be compiling kernels."""

    def start(self, job: Job) -> None:
        """Starts a job."""

    def wait(self, timeout: float) -> list[tuple[str, Outcome]]:
        """Ids and outcomes of jobs that have ended; waits at most `timeout` seconds."""

    def close(self) -> None:
        """Stops all jobs at once."""


class Source(Protocol):
    """The source of points: a plan, or a search that uses the rows of earlier points."""

    points: list[Point]
    """All points so far, in the order of `records.jsonl`."""

    def more(self, store: Store) -> Sequence[Point]:
        """The next points; called when the last ones are finished; empty at the end."""

    def floors(self, point: Point) -> list[tuple[int, str, float]]:
        """The accuracies below which a run of this point is stopped early (see `jobs.Job`)."""


class Planned:
    """The source of a sweep whose points are all planned in advance."""

    def __init__(self, plan: SweepPlan) -> None:
        self.points: list[Point] = []
        self._plan = plan

    def more(self, store: Store) -> Sequence[Point]:
        """All points at the first call, then none."""
        if self.points:
            return []
        self.points = self._plan.points
        return self.points

    def floors(self, point: Point) -> list[tuple[int, str, float]]:
        """None: every point is run to its end."""
        return []


class Driver:
    """Runs the points of a source and stores their rows.

    `crew` starts workers for a number of runs, when first needed.
    """

    def __init__(
        self,
        plan: SweepPlan,
        source: Source,
        store: Store,
        crew: Callable[[int], Crew],
        progress: Progress,
        retry_failed: bool = False,
    ) -> None:
        self._plan, self._source, self._store, self._progress = plan, source, store, progress
        self._get_crew, self._retry_failed = crew, retry_failed
        self._crew: Crew | None = None
        self.workers = 0
        """The largest number of workers at the same time."""
        self.busy_s = 0.0
        """Seconds from the start of the first run to the end of the last."""
        self._first = 0.0
        self._alone = time.monotonic()
        self._queue: deque[Point] = deque()
        self._running: dict[str, Point] = {}
        self._elsewhere: list[Point] = []
        self._to_retry: set[str] = set()
        self._deaths: dict[str, int] = {}
        self._compacted = time.monotonic()
        self._compacting_s = 0.0

    def run(self) -> None:
        """Runs until every point is finished.

        However it ends, finished points are in the store and all workers are stopped.

        Raises `RunError` if the disk is full or workers cannot be started.
        """
        try:
            try:
                while points := self._source.more(self._store):
                    while points:
                        self._finish(points)
                        points = [p for p in points if not p.infeasible and not self._store.has_row(p)]
                        self._progress.lost(len(points))  # rows of earlier sessions that are damaged
            finally:
                if self._crew is not None:
                    self._crew.close()
        except BaseException:
            with suppress(RunError):
                self._store.compact(self._source.points)
            raise
        self._store.compact(self._source.points)

    def _finish(self, points: Sequence[Point]) -> None:
        """Runs these points, or waits for other processes that run them."""
        known = [point for point in points if not point.infeasible and self._store.status(point)]
        if self._retry_failed:
            self._to_retry |= {point.id for point in known if self._store.status(point) == rows.FAILED}
        finished = [point for point in known if point.id not in self._to_retry]
        done = {point.id for point in finished}
        self._queue.extend(p for p in points if not p.infeasible and p.id not in done)
        self._progress.add(points, finished, self._store)
        while self._queue or self._running or self._elsewhere:
            if self._queue:
                self._crew = self._crew or self._get_crew(len(self._queue))
                self._fill(self._crew)
            if self._crew is None or not (self._running or self._queue):
                time.sleep(_TICK_S)  # other processes run the rest
            else:
                for name, outcome in self._crew.wait(_TICK_S):
                    self._heard(self._running.pop(name), outcome)
                self._count_workers(self._crew.size)
            self._look_elsewhere()
            self._progress.compiling(self._crew.compiling() if self._crew else 0)
            self._progress.tick(len(self._running))
            if time.monotonic() - self._compacted > max(_COMPACT_S, 30 * self._compacting_s):
                self._compacting_s = self._store.compact(self._source.points)
                self._compacted = time.monotonic()

    def _count_workers(self, now: int) -> None:
        self.workers = max(self.workers, now)
        if now:
            self._alone = time.monotonic()
        elif time.monotonic() - self._alone > _ALONE_S:
            self._alone = time.monotonic()
            self._progress.say("no worker is there; the sweep goes on as soon as one is")

    def _fill(self, crew: Crew) -> None:
        free = crew.free()
        while self._queue and free > 0:
            point = self._queue.popleft()
            if not self._store.claim(point):
                self._elsewhere.append(point)
                continue
            status = self._store.look_at(point)
            if status == rows.FAILED and point.id in self._to_retry:
                self._store.forget_failure(point)
                self._to_retry.discard(point.id)
            elif status:  # finished by another sweep on this folder in the meantime
                self._store.release(point)
                self._progress.finished(point, self._store.row_of(point), 0.0)
                continue
            plain = self._plan.spec_of(point).plain()
            folder = str(self._store.run_folder(point))
            self._first = self._first or time.monotonic()
            crew.start(Job(point.id, plain, folder, self._source.floors(point)))
            self._running[point.id] = point
            free -= 1

    def _heard(self, point: Point, outcome: Outcome) -> None:
        kind, error = outcome["kind"], outcome.get("error")
        if kind in ("disk", "stop"):
            raise RunError(str(error))
        if kind == "lost":
            self._queue.appendleft(point)
            return
        if kind == "busy":  # a worker of a killed driver that has not yet exited
            self._store.release(point)
            self._elsewhere.append(point)
            return
        if kind == "died":
            deaths = self._deaths[point.id] = self._deaths.get(point.id, 0) + 1
            if deaths < MOST_DEATHS:
                self._progress.say(f"{self._progress.label(point)}: {error}; it is tried again")
                self._queue.appendleft(point)
                return
            error = f"{error}, {deaths} times"
        status = {"done": rows.DONE, "pruned": rows.PRUNED}.get(kind, rows.FAILED)
        if "files" in outcome:
            self._store.keep_run(point, outcome["files"])
        made = rows.row(self._plan, point, status, error, outcome.get("record"))
        self._store.put(point, made)
        self.busy_s = time.monotonic() - self._first
        self._store.release(point)
        self._progress.finished(point, made, outcome.get("seconds", 0.0), outcome.get("compile_s", 0.0))

    def _look_elsewhere(self) -> None:
        """Takes over points of processes that have ended, and records points that other processes have finished."""
        left, self._elsewhere = self._elsewhere, []
        for point in left:
            status = self._store.look_at(point)
            if status and point.id not in self._to_retry:
                self._progress.finished(point, self._store.row_of(point), 0.0)
            elif self._store.claim(point):
                self._store.release(point)
                self._queue.append(point)
            else:
                self._elsewhere.append(point)
