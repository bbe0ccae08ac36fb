"""When kernels are compiled: one line when it starts and one when it has ended, and the seconds that it took.

A first run compiles for a minute or more. That is time of the simulator's, not of the described chip or of its samples,
so that rates and times left leave it out. What numba has kept (`hw_models.kernels.jit`) is not compiled again.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from edgesdt.units import format_time

_EVENT = "numba:compile"


class Compilation:
    """What was compiled since it began; `starts` is called when that begins, `ends` with the seconds that it took."""

    def __init__(self, starts: Callable[[], None], ends: Callable[[float], None]) -> None:
        self._starts, self._ends, self._depth, self._since = starts, ends, 0, 0.0
        self._seconds, self._told, self._held = 0.0, False, False

    @property
    def seconds(self) -> float:
        """Seconds that were spent on it, up to now."""
        return self._seconds + (time.perf_counter() - self._since if self._depth else 0.0)

    def start(self) -> None:
        """A function is being compiled; others are, inside."""
        self._depth += 1
        if self._depth > 1:
            return
        self._since = time.perf_counter()
        if not self._told:
            self._told = True
            self._starts()

    def end(self) -> None:
        """One is compiled."""
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
    """The line for when it starts."""
    return "compiling the kernels, once for this kind of chip: a minute or a few …"


def ended(seconds: float) -> str:
    """The line for when it has ended."""
    return f"compiled in {format_time(seconds)}, and kept for later runs"


@contextmanager
def watched(say: Callable[[str], None]) -> Iterator[Compilation]:
    """As `heard`, with the two lines for `say`."""
    with heard(lambda: say(started()), lambda seconds: say(ended(seconds))) as found:
        yield found


@contextmanager
def heard(starts: Callable[[], None], ends: Callable[[float], None]) -> Iterator[Compilation]:
    """A `Compilation` that hears of everything that this process compiles, until the context ends."""
    from numba.core import event  # only what is going to run a kernel asks

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
