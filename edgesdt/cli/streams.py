"""Makes standard output and standard error safe to write to, even if closed or unable to print some characters.

A run must not stop because nobody reads its messages: text for a closed standard error is dropped. A result that cannot
be written is a failure, which the command line reports.
"""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO, Final, TextIO, cast

from hw_models.foreign import printable_lines

RENEW: Final = "\r\033[K"
"""Erases a live line. It is passed through only at the start of a written text."""


class Printable(io.TextIOBase):
    """A text stream that prints control characters as escapes. A `lossy` stream never raises."""

    def __init__(self, stream: TextIO, lossy: bool) -> None:
        self._stream, self._lossy = stream, lossy

    def write(self, text: str) -> int:
        """Writes text; line breaks and tabs are kept."""
        head = RENEW if text.startswith(RENEW) else ""
        self._carefully(self._stream.write, head + printable_lines(text[len(head) :]))
        return len(text)

    def flush(self) -> None:
        """Flushes the underlying stream."""
        self._carefully(self._stream.flush)

    def _carefully(self, act: Any, *arguments: str) -> None:
        try:
            act(*arguments)
        except (OSError, ValueError):  # ValueError: closed
            if not self._lossy:
                raise

    def isatty(self) -> bool:
        """Whether it is a terminal."""
        return self._stream.isatty()

    def fileno(self) -> int:
        """The descriptor of the underlying stream. Raises `OSError` if it has none."""
        return self._stream.fileno()

    def writable(self) -> bool:
        """Always."""
        return True

    @property
    def buffer(self) -> BinaryIO:
        """The underlying byte stream, for binary data. Raises `OSError` if there is none."""
        below = getattr(self._stream, "buffer", None)
        if below is None:
            raise OSError("standard output does not accept bytes")
        return cast("BinaryIO", below)

    @property
    def encoding(self) -> str:  # type: ignore[override]
        """The encoding of the underlying stream."""
        return self._stream.encoding


@contextmanager
def prepared() -> Iterator[bool]:
    """Within the context both streams can be written to. The value tells whether standard output is closed."""
    closed = _reopened()
    before = sys.stdout, sys.stderr
    for stream in before:
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal that cannot print µ or β still shows the result
    sys.stdout, sys.stderr = Printable(before[0], 1 in closed), Printable(before[1], True)
    try:
        yield 1 in closed
        sys.stdout.flush()  # so that a closed pipe is noticed here and not when the interpreter exits
    finally:
        sys.stdout, sys.stderr = before


def _reopened() -> set[int]:
    """Opens the descriptors 0 to 2 that the shell closed on the null device, so that no file gets their number."""
    closed = set()
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            closed.add(os.open(os.devnull, os.O_RDWR))
    nowhere = {1: "stdout", 2: "stderr"}
    for number, name in nowhere.items():
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115 (it lives as long as the process)
            closed.add(number)
    return closed
