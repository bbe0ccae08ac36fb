"""Reads run folders for the report: checks the structure of `record.json`; loads `weights.npz` only on request."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgesdt.errors import EdgesdtError
from edgesdt.files import archives, documents
from edgesdt.files.record_shape import kind_of
from hw_models.foreign import printable

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

SCHEMA = 1  # the newest schema of `record.json` that this module reads

_MAPPINGS = (
    "spec",
    "versions",
    "accuracy",
    "counts",
    "energy_j",
    "latency_s",
    "area_mm2",
    "memory",
    "device",
    "technology",
    "speed",
)
_SHOWN = (
    "weights_0", "activity", "image_shape", "image_rows", "weights_frac_bits", "pictures", "picture_labels"
)  # fmt: skip
_MAPPINGS_INSIDE = {
    "counts": ("train", "inference"),
    "energy_j": ("train_breakdown", "inference_breakdown", "train_leakage", "inference_leakage"),
    "latency_s": ("train_breakdown", "inference_breakdown"),
    "area_mm2": ("breakdown",),
}


@dataclass(frozen=True)
class Run:
    """One finished run: its folder, its record (a plain mapping), and a name unique on the page."""

    folder: Path
    record: dict[str, Any]
    label: str

    def part(self, name: str) -> dict[str, Any]:
        """A section of the record; empty if it is missing."""
        return self.record.get(name) or {}


def number(value: object) -> float | None:
    """`value` as a finite float; None if it is missing, not a number, NaN, infinite or too large."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        found = float(value)
    except OverflowError:
        return None
    return found if math.isfinite(found) else None


def load(folders: Sequence[Path]) -> list[Run]:
    """The runs in `folders`, in that order.

    Raises `EdgesdtError` naming the file for a record that is missing, is not JSON, has another structure, or was
    written by a newer edgesdt.
    """
    if not folders:
        raise EdgesdtError("report: no run folder was given; name one that holds a record.json")
    records = [read(Path(folder)) for folder in folders]
    labels = names_of([Path(folder) for folder in folders], records)
    return [Run(Path(f), r, name) for f, r, name in zip(folders, records, labels, strict=True)]


def read(folder: Path) -> dict[str, Any]:
    """The record in a run folder, with its structure checked. Raises `EdgesdtError` naming the file."""
    path = folder / "record.json"
    try:
        record = documents.read(path)
    except FileNotFoundError:
        why = "not a run, or one that has not finished" if folder.is_dir() else "there is no such folder"
        raise EdgesdtError(f"{path}: no record here; {why}") from None
    except OSError as error:
        raise EdgesdtError(f"{path}: cannot be read: {error.strerror or error}") from None
    except documents.DocumentError as error:
        raise EdgesdtError(f"{path}: damaged: {printable(str(error))}") from None
    check(path, record)
    return dict(record)


def check(path: Path | str, record: object) -> None:
    """Refuses a record whose sections have the wrong structure; missing sections are left out of the page.

    Raises `EdgesdtError` whose text begins with `path`, the location of the record.
    """
    if not isinstance(record, dict):
        raise EdgesdtError(f"{path}: damaged: expected a JSON object, found {kind_of(record)}")
    schema = record.get("schema", SCHEMA)
    if not isinstance(schema, int) or not 1 <= schema <= SCHEMA:
        raise EdgesdtError(
            f"{path}: schema: {schema!r} cannot be read by this version (allowed: 1..{SCHEMA})"
        )
    if "accuracy" not in record:
        raise EdgesdtError(f"{path}: damaged: accuracy: missing; a finished run has one")
    for name in _MAPPINGS:
        _expect_mapping(path, name, record.get(name))
        for inner in _MAPPINGS_INSIDE.get(name, ()):
            _expect_mapping(path, f"{name}.{inner}", (record.get(name) or {}).get(inner))
    _expect_rows(path, "curve", record.get("curve"))
    _expect_rows(path, "memory.arrays", (record.get("memory") or {}).get("arrays"))


def _expect_mapping(path: Path | str, name: str, value: object) -> None:
    if value is not None and not isinstance(value, dict):
        raise EdgesdtError(f"{path}: damaged: {name}: expected a mapping, found {kind_of(value)}")


def _expect_rows(path: Path | str, name: str, value: object) -> None:
    if value is not None and not (isinstance(value, list) and all(isinstance(row, dict) for row in value)):
        raise EdgesdtError(f"{path}: damaged: {name}: expected a list of mappings, found {kind_of(value)}")


def names_of(folders: Sequence[Path], records: Sequence[Mapping[str, Any]]) -> list[str]:
    """Unique names for the runs: the spec's name; if needed with the seed, then the folder, then a number."""
    names = [str(record.get("name") or folder.name) for record, folder in zip(records, folders, strict=True)]
    seeded = [f"{n}, seed {r.get('seed')}" if "seed" in r else n for n, r in zip(names, records, strict=True)]
    placed = [f"{n} ({folder.name})" for n, folder in zip(seeded, folders, strict=True)]
    for candidate in (names, seeded, placed):
        if len(set(candidate)) == len(candidate):
            return candidate
    return [f"{name} #{i}" for i, name in enumerate(placed, start=1)]


def weights(folder: Path) -> dict[str, npt.NDArray[np.generic]] | None:
    """The arrays of the run's `weights.npz` that the report shows; None if the file does not exist.

    Raises `EdgesdtError` naming the file if it is damaged.
    """
    path = folder / "weights.npz"
    if not path.exists():
        return None
    try:
        found = archives.read(path, _SHOWN)
        if "weights_1" in archives.names(path):
            found.pop("activity", None)  # the activity of the output layer; the first layer is drawn
        return found
    except OSError as error:
        raise EdgesdtError(f"{path}: damaged: cannot be read: {error.strerror or error}") from None
    except archives.ArchiveError as error:
        raise EdgesdtError(f"{path}: damaged: not a readable archive of arrays ({printable(str(error))})") from None
