"""Opens files that somebody else may have prepared: whole regular files within a bound, and files of one's own folder.

A device, a pipe or a socket is refused before a byte of it is read, and so is what is larger than its reader expects.
A file that is written to is never reached through a symbolic link.
"""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import BinaryIO, Final

MOST_TEXT_BYTES: Final = 1 << 26
"""Of a text that people write: specs, sheets, tables of measurements. 64 MiB, a million lines."""
_CHUNK: Final = 1 << 20


def open_whole(path: Path, most: int) -> BinaryIO:
    """A regular file of at most `most` bytes, open for reading. Raises `OSError`, fit to be read by a user, for others.

    Opening never waits: a pipe that nobody writes to is refused at once.
    """
    try:
        file = os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb")
    except ValueError as error:  # a NUL in the path
        raise OSError(errno.EINVAL, str(error), str(path)) from None
    try:
        found = os.fstat(file.fileno())
        if stat.S_ISDIR(found.st_mode):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
        if not stat.S_ISREG(found.st_mode):
            raise OSError(errno.EINVAL, f"{_kind(found.st_mode)}, allowed: a regular file", str(path))
        if found.st_size > most:
            raise OSError(errno.EFBIG, f"{found.st_size} bytes, allowed: at most {most}", str(path))
    except BaseException:
        file.close()
        raise
    return file


def read_bytes(path: Path, most: int = MOST_TEXT_BYTES) -> bytes:
    """The content of a regular file of at most `most` bytes. Raises `OSError` for others, also where it grows."""
    parts, size = [], 0
    with open_whole(path, most) as file:
        while part := file.read(min(_CHUNK, most + 1 - size)):
            parts.append(part)
            size += len(part)
            if size > most:
                raise OSError(errno.EFBIG, f"more than {most} bytes, allowed: at most {most}", str(path))
    return b"".join(parts)


def read_text(path: Path, most: int = MOST_TEXT_BYTES) -> str:
    """As `read_bytes`, in UTF-8. Raises `OSError` and `UnicodeDecodeError`."""
    return read_bytes(path, most).decode("utf-8")


def open_own(path: Path, flags: int) -> int:
    """A descriptor for writing to a file that is made where it is missing; `flags` such as `os.O_APPEND`.

    Raises `OSError` for a symbolic link, whose target would be written to, and for what is no regular file.
    """
    made = os.open(path, flags | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, 0o666)
    if not stat.S_ISREG(os.fstat(made).st_mode):
        os.close(made)
        raise OSError(errno.EINVAL, "no regular file", str(path))
    return made


def _kind(mode: int) -> str:
    known = ((stat.S_ISFIFO, "a pipe"), (stat.S_ISSOCK, "a socket"), (stat.S_ISCHR, "a device"))
    return next((word for is_one, word in known if is_one(mode)), "no file to read")
