"""The plug-ins that supply a model: their distributions, with version and a digest of the source.

A resumed run or an old record can thus detect that the device models have changed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from importlib.metadata import EntryPoint
from importlib.util import find_spec
from pathlib import Path

from hw_models.base import CellModel
from hw_models.sheets import building, catalog


def of_model(model: CellModel, name: str = "") -> dict[str, str]:
    """Distribution -> version and digest of every plug-in that supplies `model` or a device inside it.

    `name` is the name used to load the model, because a plug-in may return a model of another family.
    """
    own = {type(part).__module__.partition(".")[0] for part in _parts(model)}
    found: dict[str, str] = {}
    for plugin in catalog.plugins().values():
        if plugin.name.lower() == name.lower() or _room(plugin) in own:
            found |= of_plug_in(plugin)
    return found


def of_plug_in(plugin: EntryPoint) -> dict[str, str]:
    """Distribution -> version and digest of the plug-in of an entry point in any group."""
    told = plugin.dist.version if plugin.dist else "unknown version"
    return {plugin.dist.name if plugin.dist else _room(plugin): f"{told} (source {_digest(plugin)})"}


def _parts(model: CellModel) -> Iterator[CellModel]:
    """The model, then the devices inside it, from the outside in."""
    yield model
    inner = building.inner_field(type(model)) if building.is_dataclass(type(model)) else None
    if inner is not None:
        yield from _parts(getattr(model, inner))


def _room(plugin: EntryPoint) -> str:
    """The top-level module or package of an entry point."""
    return plugin.value.partition(":")[0].partition(".")[0].strip()


def _digest(plugin: EntryPoint) -> str:
    """SHA-256 [16 digits] of the plug-in's module, or of all Python files of its package."""
    place = find_spec(_room(plugin))
    folders = [] if place is None else [Path(folder) for folder in place.submodule_search_locations or ()]
    files = sorted(path for folder in folders for path in folder.rglob("*.py"))
    if not files and place is not None and place.origin and Path(place.origin).is_file():
        files = [Path(place.origin)]
    made = hashlib.sha256()
    for path in files:
        content = path.read_bytes()
        made.update(f"{path.name} {len(content)}\n".encode() + content)
    return made.hexdigest()[:16] if files else "unknown"
