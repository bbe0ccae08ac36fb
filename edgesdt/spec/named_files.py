"""Files that a spec names: their paths, their digests, and the text of sheets, which the spec contains.

A path in a file is relative to that file, a path in `--set` to the current folder; a loaded spec holds absolute paths.
A device sheet or technology table is read once: the spec then contains its text and its SHA-256, so a run folder, a
record or a remote worker does not need the file. A data set is too large for that; the spec holds only its digest.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any, Final

from edgesdt.spec.checks.hints import Path
from edgesdt.spec.sets import SETS

PLACES: Final[tuple[Path, ...]] = (("data", "set"), ("device", "file"), ("technology", "file"))
"""The fields that name a file, without those of weight layers. `sha256` and `sheet` (the text) are in the same
section."""
_LAYERS: Final = ("device", "layers")
MOST_BYTES: Final = 1 << 16
"""Largest size of a sheet in a spec; of a longer device sheet, the spec holds only the digest."""
_LARGEST_SHEET: Final = 1 << 20
LARGEST_FILE: Final = 1 << 36
"""Largest size of a data set whose digest is taken, that of `files.archives` [bytes]."""


class SheetError(ValueError):
    """A sheet cannot be read; the text names the file and the reason."""


def is_place(path: Path) -> bool:
    """Whether the field at `path` names a file: one of `PLACES`, or the device sheet of a weight layer."""
    return path in PLACES or _layer_of(path) is not None


def _layer_of(path: Path) -> str | None:
    """The number of the weight layer whose device sheet is named at `path`; its last parts may be one dotted key."""
    inner = ".".join(map(str, path[2:])).split(".") if path[:2] == _LAYERS else []
    return inner[0] if len(inner) == 2 and inner[1] == "file" else None


def beside(path: Path) -> tuple[Path, ...]:
    """The fields of the digest and the text of the file named at `path`; none if no file is named."""
    if not is_place(path):
        return ()
    head = str(path[-1]).removesuffix("file")  # "1." of a dotted key of a layer
    return tuple((*path[:-1], f"{head}{key}") for key in ("sha256", "sheet"))


def located(place: Path, value: Any, folder: str) -> Any:
    """The value of the field at `place`; `folder` is put before a relative path, other values are unchanged."""
    if not is_place(place) or not isinstance(value, str) or not value or "\0" in value:
        return value
    if place == PLACES[0] and (value in SETS or not value.lower().endswith(".npz")):
        return value
    return os.path.normpath(os.path.join(folder, os.path.expanduser(value)))


def locate(data: dict[str, Any], folder: str, swept: bool = False) -> None:
    """Puts `folder` before the relative paths in a spec's plain data; with `swept`, also in its sweep section."""
    for section, key in PLACES:
        inner = data.get(str(section))
        if isinstance(inner, dict) and key in inner:
            inner[key] = located((section, key), inner[key], folder)
    for key, path, own in _of_layers(data):
        own[key] = located(path, own[key], folder)
    for part in parts_in(data.get("phases")):
        if "set" in part:
            part["set"] = located(PLACES[0], part["set"], folder)
    if swept and isinstance(data.get("sweep"), dict):
        data["sweep"] = located_sweep(data["sweep"], folder)


def parts_in(phases: Any) -> Iterator[dict[str, Any]]:
    """The phases of a spec's plain data, and the parts of those that alternate."""
    for phase in phases if isinstance(phases, list | tuple) else ():
        if isinstance(phase, dict):
            yield phase
            yield from parts_in(phase.get("alternate"))


def located_sweep(section: Any, folder: str, above: Path = ()) -> Any:
    """The `sweep:` section, in any of its forms, with `folder` before its relative paths."""
    if isinstance(section, Mapping):
        return {key: located_sweep(value, folder, _place(str(key), above)) for key, value in section.items()}
    if isinstance(section, list | tuple):
        return [located_sweep(item, folder, above) for item in section]
    return located(above, section, folder)


def _place(key: str, above: Path) -> Path:
    """The path that a key of a sweep names: dotted, or inside a mapping that is a value of `above`."""
    steps: Path = tuple(key.split("."))
    whole: Path = (*above, *steps)
    return steps if is_place(steps) else whole if is_place(whole) or whole[:2] == _LAYERS else steps


def forget(data: dict[str, Any], place: Path) -> None:
    """Removes the digest and the text of the file at `place`, before another file is set."""
    section, layer = data.get(str(place[0])), _layer_of(place)
    if not is_place(place) or not isinstance(section, dict):
        return
    inner = section.get("layers") if layer is not None else None
    sections = [section] if layer is None else []
    if isinstance(inner, dict):
        sections = [inner, *(own for key, own in inner.items() if str(key) == layer and isinstance(own, dict))]
    for each in sections:
        for key in ("sha256", "sheet"):
            each.pop(key, None)
            each.pop(f"{layer}.{key}", None)


def _of_layers(data: Mapping[str, Any]) -> Iterator[tuple[Any, Path, dict[Any, Any]]]:
    """For each device sheet of a weight layer: its key, its path, and the mapping that contains it."""
    device = data.get("device")
    inner = device.get("layers") if isinstance(device, Mapping) else None
    if not isinstance(inner, dict):
        return
    for layer, given in list(inner.items()):
        if isinstance(given, dict) and "file" in given:
            yield "file", (*_LAYERS, str(layer), "file"), given
        elif is_place((*_LAYERS, str(layer))):
            yield layer, (*_LAYERS, str(layer)), inner


def sheet(path: str) -> tuple[str | None, str]:
    """Text and SHA-256 of a device sheet or technology table; no text if it is too long for a spec.

    Raises `SheetError` for a file that cannot be read, is not a regular file or not UTF-8 text, or is longer than 1
    MiB.
    """
    try:
        found = os.stat(path)
        if not stat.S_ISREG(found.st_mode):
            what = "a folder" if stat.S_ISDIR(found.st_mode) else "no file"
            raise SheetError(f"{path}: {what}, allowed: a YAML file")
        if found.st_size > _LARGEST_SHEET:
            raise SheetError(f"{path}: {found.st_size} bytes, allowed: at most {_LARGEST_SHEET}")
        return _sheet(path, found.st_mtime_ns, found.st_size)
    except OSError as error:
        raise SheetError(f"{path}: cannot be read: {error.strerror or error}") from None
    except UnicodeDecodeError:
        raise SheetError(f"{path}: not a text file in UTF-8") from None
    except ValueError as error:
        raise error if isinstance(error, SheetError) else SheetError(f"{path!r}: {error}") from None


@lru_cache(maxsize=64)
def _sheet(path: str, changed_ns: int, size: int) -> tuple[str | None, str]:
    with open(path, "rb") as file:
        content = file.read(_LARGEST_SHEET + 1)
    text = content.decode("utf-8")
    return text if len(content) <= MOST_BYTES else None, hashlib.sha256(content).hexdigest()


def digest(path: str) -> str | None:
    """SHA-256 of a file; None if it is not a regular file, cannot be read, or is larger than any data set may be."""
    try:
        found = os.stat(path)
        usable = stat.S_ISREG(found.st_mode) and found.st_size <= LARGEST_FILE
        return _digest(path, found.st_mtime_ns, found.st_size) if usable else None
    except (OSError, ValueError):
        return None


@lru_cache(maxsize=64)
def _digest(path: str, changed_ns: int, size: int) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def identity(section: str, plain: Any) -> Any:
    """A plain section without paths of files, because the digest identifies the content."""
    if section == "phases" and isinstance(plain, list):
        return [_part_identity(part) for part in plain]
    for name, key in PLACES:
        if name == section and isinstance(plain, Mapping):
            known = plain.get("sha256") is not None
            kept = {inner: value for inner, value in plain.items() if not known or inner not in (key, "sheet")}
            if section == "device" and isinstance(kept.get("layers"), Mapping):
                kept["layers"] = {layer: identity("device", own) for layer, own in kept["layers"].items()}
            return kept
    return plain


def _part_identity(part: Mapping[str, Any]) -> dict[str, Any]:
    """A phase, or a part of one, without the path of a data set of one's own."""
    kept = {key: value for key, value in part.items() if key != "set" or part.get("sha256") is None}
    if "alternate" in kept:
        kept["alternate"] = [_part_identity(each) for each in kept["alternate"]]
    return kept
