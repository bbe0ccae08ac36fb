"""Reports the compilation of kernels: a line at its start, a line at its end, and its duration in seconds.

A first run compiles for a minute or more. This time says nothing about the speed of samples, so rates and remaining
times exclude it. Kernels in numba's cache (`hw_models.kernels.jit`) are not compiled again.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from edgesdt.units import format_time

_EVENT = "numba:compile"


class Compilation:
    """Tracks compilation. `starts` is called when compilation begins, `ends` with its duration in seconds."""

    def __init__(self, starts: Callable[[], None], ends: Callable[[float], None]) -> None:
        self._starts, self._ends, self._depth, self._since = starts, ends, 0, 0.0
        self._seconds, self._told, self._held = 0.0, False, False

    @property
    def seconds(self) -> float:
        """Seconds spent on compilation so far."""
        return self._seconds + (time.perf_counter() - self._since if self._depth else 0.0)

    def start(self) -> None:
        """Called when the compilation of a function starts; compilations may be nested."""
        self._depth += 1
        if self._depth > 1:
            return
        self._since = time.perf_counter()
        if not self._told:
            self._told = True
            self._starts()

    def end(self) -> None:
        """Called when the compilation of a function ends."""
        self._depth -= 1
        if self._depth == 0:
            self._seconds += time.perf_counter() - self._since
            if not self._held:
                self._tell_end()

    @contextmanager
    def together(self) -> Iterator[None]:
        """Reports all compilation within the context as one."""
        self._held = True
        try:
            yield
        finally:
            self._held = False
            self._tell_end()

    def _tell_end(self) -> None:
        if self._told:
            self._told = False
            self._ends(self._seconds)


def started() -> str:
    """The message at the start of compilation."""
    return "compiling the kernels, once for this kind of chip: a minute or a few …"


def ended(seconds: float) -> str:
    """The message at the end of compilation."""
    return f"compiled in {format_time(seconds)}, and kept for later runs"


@contextmanager
def watched(say: Callable[[str], None]) -> Iterator[Compilation]:
    """As `heard`; calls `say` with the two messages."""
    with heard(lambda: say(started()), lambda seconds: say(ended(seconds))) as found:
        yield found


@contextmanager
def heard(starts: Callable[[], None], ends: Callable[[float], None]) -> Iterator[Compilation]:
    """A `Compilation` that tracks everything that this process compiles within the context."""
    from numba.core import event  # only callers that will run a kernel use this

    numba_events: Any = event

    found = Compilation(starts, ends)

    class Ear(event.Listener):
        def on_start(self, event: Any) -> None:
            found.start()

        def on_end(self, event: Any) -> None:
            found.end()

    ear = Ear()
    numba_events.register(_EVENT, ear)
    try:
        yield found
    finally:
        numba_events.unregister(_EVENT, ear)
