"""Standard output and error of the command line: open whatever the shell closed, printable whatever is written.

A run must not end because nobody listens: what goes to a standard error that is closed, or whose reader has gone, is
dropped. A result that nobody gets is a failure; the command line says so.
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
"""Takes a live line away; let through at the start of what is written at once, nowhere else."""


class Printable(io.TextIOBase):
    """A text stream that shows control characters of other people's text as escapes; `lossy` never fails."""

    def __init__(self, stream: TextIO, lossy: bool) -> None:
        self._stream, self._lossy = stream, lossy

    def write(self, text: str) -> int:
        """Write text; line breaks and tabs stay as they are."""
        head = RENEW if text.startswith(RENEW) else ""
        self._carefully(self._stream.write, head + printable_lines(text[len(head) :]))
        return len(text)

    def flush(self) -> None:
        """Flush what is below."""
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
        """The descriptor below. Raises `OSError` where there is none."""
        return self._stream.fileno()

    def writable(self) -> bool:
        """Always."""
        return True

    @property
    def buffer(self) -> BinaryIO:
        """The bytes below, for data that is no text. Raises `OSError` where there are none."""
        below = getattr(self._stream, "buffer", None)
        if below is None:
            raise OSError("standard output takes no bytes")
        return cast("BinaryIO", below)

    @property
    def encoding(self) -> str:  # type: ignore[override]
        """The encoding of what is below."""
        return self._stream.encoding


@contextmanager
def prepared() -> Iterator[bool]:
    """Within the context both streams can be written to; gives whether standard output is closed, so leads nowhere."""
    closed = _reopened()
    before = sys.stdout, sys.stderr
    for stream in before:
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal without µ or β still gets its answer
    sys.stdout, sys.stderr = Printable(before[0], 1 in closed), Printable(before[1], True)
    try:
        yield 1 in closed
        sys.stdout.flush()  # so that a reader who has gone is noticed here and not by the interpreter as it ends
    finally:
        sys.stdout, sys.stderr = before


def _reopened() -> set[int]:
    """Descriptors 0 to 2 that the shell had closed; they lead nowhere now, so that no file gets their number."""
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
