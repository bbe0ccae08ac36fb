"""Opens untrusted files safely: regular files within a size limit, and files for writing without following links.

A device, a pipe or a socket is refused before reading, and so is a file that is larger than expected. A file for
writing is never opened through a symbolic link.
"""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import BinaryIO, Final

MOST_TEXT_BYTES: Final = 1 << 26
"""Largest size of a text file by a user (spec, sheet, table of measurements): 64 MiB, a million lines."""
_CHUNK: Final = 1 << 20


def open_whole(path: Path, most: int) -> BinaryIO:
    """Opens a regular file of at most `most` bytes for reading. Raises `OSError`, with a text for users, for others.

    Opening never blocks: a pipe without a writer is refused at once.
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
    """The content of a regular file of at most `most` bytes. Raises `OSError` for others, also if the file grows."""
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
    """Opens a file for writing and creates it if it is missing; returns its descriptor. `flags` such as `os.O_APPEND`.

    Raises `OSError` for a symbolic link, whose target would be written, and for anything that is not a regular file.
    """
    made = os.open(path, flags | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, 0o666)
    if not stat.S_ISREG(os.fstat(made).st_mode):
        os.close(made)
        raise OSError(errno.EINVAL, "no regular file", str(path))
    return made


def _kind(mode: int) -> str:
    known = ((stat.S_ISFIFO, "a pipe"), (stat.S_ISSOCK, "a socket"), (stat.S_ISCHR, "a device"))
    return next((word for is_one, word in known if is_one(mode)), "no file to read")
