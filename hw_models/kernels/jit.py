"""How functions are compiled, and where compiled code is kept: in the user's cache folder, never beside the source.

The one place that asks numba to compile. Code lies in `$XDG_CACHE_HOME/edgesdt/compiled` (without it `~/.cache`), in a
folder for every place that the source lies in, every module, and every state of what it can inline (`sources`):
versions and checkouts do not mix, an edit of a function that others have inlined is seen, and one of a report compiles
nothing anew. Where `NUMBA_CACHE_DIR` is set, the states lie there; where the folder cannot be written, numba's own
choice holds, and with none of those nothing is kept.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any, Final

import numba
from numba.core import config as _numba_config

from hw_models.kernels.index import Index
from hw_models.kernels.sources import digest, source_folders, sources

config: Any = _numba_config  # its settings are made when it is loaded, which its type hints do not know
KEPT: Final = 3
"""States of one source whose code is kept: the last ones used."""


def njit(*arguments: Any, **options: Any) -> Any:
    """As `numba.njit`; with `cache=True` the code is kept in `folder_of` the function's module."""
    if arguments:
        return _compiled(arguments[0], options)
    return lambda function: _compiled(function, options)


def _compiled(function: Any, options: dict[str, Any]) -> Any:
    if not options.get("cache"):
        return numba.njit(**options)(function)
    before = config.CACHE_DIR
    config.CACHE_DIR = str(folder_of(str(function.__module__), before))
    try:
        made = numba.njit(**options)(function)
        made._cache._cache_file.__class__ = Index
        return made
    except RuntimeError:  # there is no place at all that can be written
        return numba.njit(**{**options, "cache": False})(function)
    finally:
        config.CACHE_DIR = before


def home() -> Path:
    """Where compiled code of every source lies. Nothing is made."""
    given = os.environ.get("XDG_CACHE_HOME", "")
    base = Path(given) if os.path.isabs(given) else Path(os.path.expanduser("~")) / ".cache"
    return base / "edgesdt" / "compiled"


@cache
def folder_of(module: str, chosen: str = "") -> Path:
    """Where the code of a module is kept: in `chosen`, or else in `home()`, where older states of it go."""
    roots = source_folders(module.partition(".")[0])
    place = Path(chosen) if chosen else home() / hashlib.sha256("\0".join(map(str, roots)).encode()).hexdigest()[:16]
    state = hashlib.sha256(f"{numba.__version__} {config.BOUNDSCHECK} {config.OPT}".encode())
    for path in sorted(sources(module, roots).values()):
        state.update(f"{path} {digest(path)}\n".encode())
    folder = place / module / state.hexdigest()[:16]
    with suppress(OSError):
        if not chosen and not folder.is_dir():
            folder.mkdir(parents=True, exist_ok=True)
            _drop_old(place / module)
    return folder


def _drop_old(place: Path) -> None:
    """Remove all but the youngest states; a process that still runs on one makes its folder anew."""
    states = sorted(place.iterdir(), key=lambda folder: folder.stat().st_mtime, reverse=True)
    for folder in states[KEPT:]:
        shutil.rmtree(folder, ignore_errors=True)


def clear() -> None:
    """Remove all that is kept, of every source."""
    shutil.rmtree(home(), ignore_errors=True)
