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
import re
import shutil
import sys
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any, Final

import numba
from numba.core import config as _numba_config

config: Any = _numba_config  # its settings are made when it is loaded, which its type hints do not know
KEPT: Final = 3
"""States of one source whose code is kept: the last ones used."""
_HERE: Final = Path(__file__).resolve().parent
_IMPORT: Final = re.compile(
    r"^[ \t]*(?:from[ \t]+([\w.]+)[ \t]+import[ \t]*(?:\(([^)]*)\)|([^\n(#]*))|import[ \t]+([^\n#]*))", re.MULTILINE
)


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
        return numba.njit(**options)(function)
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
    roots = tuple(_roots(module.partition(".")[0]))
    known = _modules(roots)
    place = Path(chosen) if chosen else home() / hashlib.sha256("\0".join(map(str, roots)).encode()).hexdigest()[:16]
    state = hashlib.sha256(f"{numba.__version__} {config.BOUNDSCHECK} {config.OPT}".encode())
    for name in sorted(sources(module, roots)):
        state.update(f"{known[name]} {_digest(known[name])}\n".encode())
    folder = place / module / state.hexdigest()[:16]
    with suppress(OSError):
        if not chosen and not folder.is_dir():
            folder.mkdir(parents=True, exist_ok=True)
            _drop_old(place / module)
    return folder


def sources(module: str, roots: tuple[Path, ...]) -> set[str]:
    """The modules below `roots` whose functions may be inlined in those of `module`.

    They are all of `hw_models`, those in the folder of `module`, and what any of them imports, wherever it does so.
    Types decide at compilation which function is called, and whoever calls a kernel has imported their modules.
    """
    known = _modules(roots)
    path = known.get(module)
    folder = module if path and path.name == "__init__.py" else module.rpartition(".")[0] or module
    waiting = [name for name in known if f"{name}.".startswith((f"{folder}.", "hw_models."))]
    found = set(waiting)
    while waiting:
        name = waiting.pop()
        new = (_named(name, known[name]) & known.keys()) - found
        found |= new
        waiting += new
    return found


@cache
def _named(module: str, path: Path) -> frozenset[str]:
    """The dotted names that the imports of a module may stand for."""
    package = module.split(".") if path.name == "__init__.py" else module.split(".")[:-1]
    found: set[str] = set()
    for base, names in _import_lines(path):
        up = len(base) - len(base.lstrip("."))
        whole = [*package[: len(package) - up + 1], *base.split(".")] if up else base.split(".")
        whole = [part for part in whole if part]
        found |= {".".join(whole[:depth]) for depth in range(1, len(whole) + 1)}
        found |= {".".join([*whole, name]) for name in names}
    return frozenset(found)


def _import_lines(path: Path) -> list[tuple[str, list[str]]]:
    """The dotted name and the imported names of every import in a file."""
    found = _IMPORT.findall(path.read_text(encoding="utf-8", errors="replace"))
    plain = [(name, list[str]()) for *_, listed in found for name in re.findall(r"[\w.]+", listed)]
    return plain + [(base, re.findall(r"\w+", inside + listed)) for base, inside, listed, _ in found if base]


@cache
def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@cache
def _modules(roots: tuple[Path, ...]) -> dict[str, Path]:
    """Every module below `roots` by its dotted name."""
    found = {}
    for root in roots:
        for path in sorted(root.rglob("*.py")):
            parts = path.relative_to(root.parent).with_suffix("").parts
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def _roots(package: str) -> list[Path]:
    """The folders whose functions may be inlined in those of `package`: its own and those that it may import."""
    devices, simulator = _HERE.parent, _HERE.parents[1] / "edgesdt"
    if package == devices.name:
        return [devices]
    file = getattr(sys.modules.get(package), "__file__", None) or ""
    own = [Path(file).resolve().parent] if os.path.basename(file) == "__init__.py" else []
    return list(dict.fromkeys([devices, simulator, *own]))


def _drop_old(place: Path) -> None:
    """Remove all but the youngest states; a process that still runs on one makes its folder anew."""
    states = sorted(place.iterdir(), key=lambda folder: folder.stat().st_mtime, reverse=True)
    for folder in states[KEPT:]:
        shutil.rmtree(folder, ignore_errors=True)


def clear() -> None:
    """Remove all that is kept, of every source."""
    shutil.rmtree(home(), ignore_errors=True)
