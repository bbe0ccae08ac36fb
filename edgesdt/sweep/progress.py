"""Progress of a sweep: one live line on a terminal, plain lines elsewhere."""

from __future__ import annotations

import shutil
import time
from collections.abc import Mapping, Sequence
from typing import Any, TextIO

from edgesdt import units
from edgesdt.runs import compilation
from edgesdt.sweep import objectives, rows
from edgesdt.sweep.plan import Point, SweepPlan, label
from edgesdt.sweep.store import Store

_AT_ONCE = 200
"""Rows of earlier runs to read between two events, to find the best value so far."""


class Progress:
    """Counts runs and prints progress on `stream`: `live` for a terminal, `quiet` for no output."""

    def __init__(self, plan: SweepPlan, stream: TextIO, live: bool = False, quiet: bool = False) -> None:
        self._plan, self._stream, self._live, self._quiet = plan, stream, live and not quiet, quiet
        self.total = len(plan.points) or plan.sweep.samples * len(plan.sweep.seeds)
        """Total runs, including infeasible ones; a search adds infeasible points as it finds them."""
        self.done = self.failed = self.infeasible = 0
        self.ran = 0
        """Runs that ended in this session; `run_s` is their total time in workers, without compilation."""
        self.run_s = 0.0
        self.compile_s = 0.0
        """Total compilation time of these runs [s]."""
        self._compiling_since: float | None = None
        self._compiling_s = 0.0
        self._most = 1
        self._started = time.monotonic()
        self._earlier: list[Point] = []
        self._store: Store | None = None
        self._best: tuple[float, str] | None = None
        self._goal = plan.sweep.objectives[0]

    def add(self, points: Sequence[Point], finished: Sequence[Point], store: Store) -> None:
        """Adds the next points, and those of them that are already finished."""
        self._store = store
        infeasible = sum(bool(point.infeasible) for point in points)
        self.infeasible += infeasible
        self.total += 0 if self._plan.points else infeasible
        for point in finished:
            failed = store.status(point) == rows.FAILED
            self.failed += failed
            self.done += not failed
        self._earlier += finished

    def compiling(self, workers: int) -> None:
        """Sets the number of compiling workers; prints a line when the first starts and when the last ends."""
        now = time.monotonic()
        if workers and self._compiling_since is None:
            self._compiling_since = now
            self.say(compilation.started())
        elif not workers and self._compiling_since is not None:
            self._compiling_s += now - self._compiling_since
            self.say(compilation.ended(now - self._compiling_since))
            self._compiling_since = None

    def finished(self, point: Point, row: Mapping[str, Any] | None, seconds: float, compile_s: float = 0.0) -> None:
        """Records the end of a run.

        `seconds` excludes the compilation time `compile_s`, and is 0 if another sweep ran it.
        """
        if row is None:
            return
        status = row["status"]
        self.failed += status == rows.FAILED
        self.done += status != rows.FAILED
        self.ran += seconds > 0
        self.run_s += seconds
        self.compile_s += compile_s
        self._judge(point, row)
        if status == rows.FAILED or not self._live:
            count = f"[{self.done + self.failed + self.infeasible}/{self.total}]"
            self.say(f"{count} {self.label(point)}: {self._told(row, seconds)}")

    def lost(self, count: int) -> None:
        """Removes runs from the finished ones, because they have to run again."""
        self.done -= count

    def tick(self, running: int) -> None:
        """Updates the live line."""
        self._most = max(self._most, running)
        for _ in range(min(_AT_ONCE, len(self._earlier))):
            point = self._earlier.pop()
            row = self._store.row_of(point) if self._store else None
            if row is not None:
                self._judge(point, row)
        if not self._live:
            return
        parts = [f"{self.done + self.failed}/{self.total - self.infeasible} done", f"{running} running"]
        parts += [f"{self.failed} failed"] if self.failed else []
        left = self.seconds_left()
        parts += [f"{units.format_time(round(left))} left"] if left is not None else []
        parts += [f"best {self._goal.name} {self._best[1]}"] if self._best else []
        width = shutil.get_terminal_size().columns - 1
        print("\r\033[K" + " · ".join(parts)[:width], end="", file=self._stream, flush=True)

    def seconds_left(self) -> float | None:
        """Remaining seconds at the pace of this session, without compilation; None before the first run has ended."""
        if not self.ran:
            return None
        left = self.total - self.done - self.failed - self.infeasible
        now = time.monotonic()
        compiling_s = self._compiling_s + (now - self._compiling_since if self._compiling_since is not None else 0.0)
        spent = now - self._started - max(compiling_s, self.compile_s / self._most)
        return left * max(spent, self.run_s / self._most) / self.ran

    def say(self, line: str) -> None:
        """Prints a permanent line."""
        if not self._quiet:
            print(("\r\033[K" if self._live else "") + line, file=self._stream, flush=True)

    def end(self) -> None:
        """Erases the live line."""
        if self._live:
            print("\r\033[K", end="", file=self._stream, flush=True)

    def label(self, point: Point) -> str:
        """Text with the values and the seed of a point."""
        return f"{label(self._plan.sweep.parameters, point.values)}, seed {point.seed}"

    def _judge(self, point: Point, row: Mapping[str, Any]) -> None:
        number = objectives.value(row, self._goal) if row["status"] == rows.DONE else None
        if number is None:
            return
        sign = 1 if self._goal.up else -1
        if self._best is None or sign * number > sign * self._best[0]:
            self._best = number, f"{objectives.shown(number, self._goal)} ({self.label(point)})"

    def _told(self, row: Mapping[str, Any], seconds: float) -> str:
        if row["status"] != rows.DONE:
            return f"{row['status']}: {row['error']}"
        parts = []
        for goal in self._plan.sweep.objectives[:2]:
            number = objectives.value(row, goal)
            if number is not None:
                parts.append(f"{goal.name} {objectives.shown(number, goal)}")
        return ", ".join([*parts, units.format_time(seconds) if seconds else "run by another sweep"])
