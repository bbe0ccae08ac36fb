"""Finds the folders of data sets on this machine and writes files there; `sources` downloads them."""

from __future__ import annotations

import errno
import os
import secrets
from collections.abc import Iterable
from pathlib import Path

from edgesdt.datasets.known import DebianPackage, IdxFile, KnownSet
from edgesdt.errors import DataError

DATA_VARIABLE = "EDGESDT_DATA"


def data_folder() -> Path | None:
    """The folder in `$EDGESDT_DATA`, which may not exist; None when unset or empty."""
    value = os.environ.get(DATA_VARIABLE, "")
    return Path(os.path.expanduser(value)) if value else None


def cache_folder() -> Path:
    """`$XDG_CACHE_HOME/edgesdt`, or `~/.cache/edgesdt` if that is unset or relative (as XDG requires)."""
    base = os.environ.get("XDG_CACHE_HOME", "")
    if not os.path.isabs(base):
        base = os.path.join(os.path.expanduser("~"), ".cache")
    return Path(base) / "edgesdt"


def folders(known: KnownSet) -> list[Path]:
    """The folders that may hold the set's IDX files, in search order."""
    data = data_folder()
    installed = [Path(source.folder) for source in known.sources if isinstance(source, DebianPackage)]
    return [*([data / known.name] if data else []), cache_folder() / known.name, *installed]


def find(name: str, among: Iterable[Path]) -> Path | None:
    """The IDX file `name`, gzipped (`name.gz`) or raw, in the first of the folders that has it."""
    for folder in among:
        for candidate in (folder / f"{name}.gz", folder / name):
            if os.path.isfile(candidate):
                return candidate
    return None


def find_npz(name: str) -> Path | None:
    """`$EDGESDT_DATA/NAME.npz`, if it is a file."""
    data = data_folder()
    return data / f"{name}.npz" if data and os.path.isfile(data / f"{name}.npz") else None


def where(known: KnownSet) -> str:
    """Where the set would be loaded from now: the path of a folder or an .npz file, or 'not here'."""
    data = data_folder()
    npz = find_npz(known.name)
    if npz and data and not any(find(file.name, [data / known.name]) for file in known.files):
        return str(npz)
    found = [find(file.name, folders(known)) for file in known.files]
    if not found or None in found:
        return "not here"
    return ", ".join(dict.fromkeys(str(path.parent) for path in found if path))


def looked_at(known: KnownSet, missing: Iterable[IdxFile]) -> list[str]:
    """One line for each searched place on this machine that does not hold the missing files."""
    data = data_folder()
    names = ", ".join(f"{file.name}.gz" for file in missing)
    lines = [] if data else [f"${DATA_VARIABLE}: not set"]
    for folder in folders(known):
        label = f"${DATA_VARIABLE}: " if data and folder == data / known.name else ""
        lines.append(f"{label}{folder}: " + (f"no {names}" if os.path.isdir(folder) else "no such folder"))
    return lines


class StorageError(DataError):
    """A folder cannot be written, so no other source of the file would help."""

    def __init__(self, path: Path, error: OSError) -> None:
        super().__init__(
            f"{path}: cannot be written: {error.strerror or error}; choose a writable folder with $XDG_CACHE_HOME or "
            "`edgesdt data fetch NAME --dir DIR`"
        )


def make_folder(folder: Path) -> None:
    """Creates `folder` if it does not exist. Raises StorageError if it cannot be created or written to."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(folder, error) from error
    if not os.access(folder, os.W_OK | os.X_OK):
        raise StorageError(folder, PermissionError(errno.EACCES, os.strerror(errno.EACCES)))


def write_atomically(path: Path, content: bytes) -> None:
    """Writes a file atomically: a reader sees the old content or the complete new content.

    Raises StorageError with the file and the system's reason if it cannot be written.
    """
    # Not tempfile, whose files only the user can read: a data folder may be shared.
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        try:
            with open(draft, "xb") as out:
                out.write(content)
                out.flush()
                os.fsync(out.fileno())
            os.replace(draft, path)
        finally:
            draft.unlink(missing_ok=True)
    except OSError as error:
        raise StorageError(path, error) from error
