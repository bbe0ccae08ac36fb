"""Measures rates after a warm-up, with several functions in turn, so that load affects all equally."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from edgesdt.errors import RunError

Clock = Callable[[], float]


@dataclass(frozen=True)
class Spread:
    """Median, smallest and largest of the rounds."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        """The spread of `values`; raises `ValueError` when there are none."""
        if not values:
            raise ValueError("no values")
        return cls(statistics.median(values), min(values), max(values))

    def __str__(self) -> str:
        return f"{self.median:,.0f} ({self.low:,.0f}–{self.high:,.0f})"


def rate(step: Callable[[int], object], chunk: int, seconds: float, clock: Clock = time.perf_counter) -> float:
    """Items per second of `step(chunk)`, called repeatedly until `seconds` have passed (at least once)."""
    done, started, elapsed = 0, clock(), 0.0
    while elapsed < seconds or done == 0:
        step(chunk)
        done += chunk
        elapsed = clock() - started
    return done / max(elapsed, 1e-9)


def interleaved(measures: Mapping[str, Callable[[], float]], rounds: int) -> dict[str, list[float]]:
    """Calls each of `measures` once per round: A B C A B C … Returns a list of `rounds` values for each."""
    found: dict[str, list[float]] = {name: [] for name in measures}
    for _ in range(rounds):
        for name, measure in measures.items():
            found[name].append(measure())
    return found


def ratios(these: Sequence[float], those: Sequence[float]) -> list[float]:
    """`these[i] / those[i]` for values of the same round. Raises `ValueError` if the numbers of rounds differ."""
    return [a / b for a, b in zip(these, those, strict=True)]


@contextmanager
def one_thread() -> Iterator[None]:
    """Limits every loaded BLAS to one thread. Raises `RunError` if this fails."""
    from threadpoolctl import threadpool_info, threadpool_limits

    with threadpool_limits(limits=1, user_api="blas"):
        blas = [found for found in threadpool_info() if found["user_api"] == "blas"]
        if not blas or any(found["num_threads"] != 1 for found in blas):
            raise RunError("BLAS could not be limited to one thread, so no comparison with it is possible")
        yield
