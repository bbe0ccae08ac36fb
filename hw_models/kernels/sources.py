"""The source files that a module's compiled code depends on: what it imports, directly or through others.

Read from the text of the files, so that nothing is imported.
"""

from __future__ import annotations

import hashlib
import os
import re
import sys
from functools import cache
from pathlib import Path
from typing import Final

_HERE: Final = Path(__file__).resolve().parent
_DEPTH: Final = 3
"""Names in the dotted name of a room at most."""
_IMPORT: Final = re.compile(
    r"^[ \t]*(?:from[ \t]+([\w.]+)[ \t]+import[ \t]*(?:\(([^)]*)\)|([^\n(#]*))|import[ \t]+([^\n#]*))", re.MULTILINE
)


def source_folders(package: str) -> tuple[Path, ...]:
    """The folders whose functions may be inlined in those of `package`: its own and those that it may import."""
    devices, simulator = _HERE.parent, _HERE.parents[1] / "edgesdt"
    if package == devices.name:
        return (devices,)
    file = getattr(sys.modules.get(package), "__file__", None) or ""
    own = [Path(file).resolve().parent] if os.path.basename(file) == "__init__.py" else []
    return tuple(dict.fromkeys([devices, simulator, *own]))


def sources(module: str, roots: tuple[Path, ...]) -> dict[str, Path]:
    """The modules below `roots`, and their files, whose functions may be inlined in those of `module`.

    They are all of `hw_models`, those in the room of `module` (`edgesdt.rules.eqprop`, `edgesdt.synapses`), and what
    any of them imports, wherever it does so. Types decide at compilation which function is called, and whoever calls a
    kernel has imported their modules.
    """
    known = _modules(roots)
    path = known.get(module)
    folder = module if path and path.name == "__init__.py" else module.rpartition(".")[0] or module
    room = ".".join(folder.split(".")[:_DEPTH])
    waiting = [name for name in known if f"{name}.".startswith((f"{room}.", "hw_models."))]
    found = set(waiting)
    while waiting:
        name = waiting.pop()
        new = (_named(name, known[name]) & known.keys()) - found
        found |= new
        waiting += new
    return {name: known[name] for name in found}


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
def digest(path: Path) -> str:
    """SHA-256 of a file as it was when first asked for."""
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
