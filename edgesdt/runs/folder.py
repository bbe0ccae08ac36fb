"""The folder of one run: its owner, its log and its checkpoint. Every file is written atomically.

A folder belongs to one (spec, seed) and, if a plug-in supplies the rule or the cells, to one version of the plug-in.
Another spec, seed or version is refused; the same one is resumed. The checkpoint holds the chip's whole state after a
finished epoch. It is deleted after the record is written.
"""

from __future__ import annotations

import fcntl
import io
import json
import os
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, TextIO

import numpy as np
import numpy.typing as npt

from edgesdt import registry
from edgesdt.errors import EdgesdtError, RunError
from edgesdt.files import archives, documents
from edgesdt.runs import record
from edgesdt.spec import Spec, layers, spec_hash, to_yaml
from hw_models.files import open_own
from hw_models.foreign import printable, printable_lines

Arrays = dict[str, npt.NDArray[np.generic]]
_PROGRESS_BYTES = 1 << 26
"""Key of a checkpoint for the results so far (learning curve), beside the state of the chip."""

_PLUG_INS = "plug_ins"
"""Key of `run.json`, present only if a plug-in supplies the rule or the cells."""


class RunFolder:
    """An opened and locked run folder; use as a context manager.

    Raises `EdgesdtError` (exit 2) if the folder cannot be written, or holds something else or another spec's run.
    Raises `RunError` if another process is using it.
    """

    def __init__(self, path: Path, spec: Spec) -> None:
        self.path = path
        self._lock: TextIO | None = None
        self.plug_ins = plug_ins(spec)
        try:
            path.mkdir(parents=True, exist_ok=True)
            self._claim(spec)
        except OSError as error:
            raise EdgesdtError(f"{path}: not a folder that can be written: {error.strerror or error}") from error

    def _claim(self, spec: Spec) -> None:
        owner = self.path / "run.json"
        mine: dict[str, Any] = {"spec_hash": spec_hash(spec.plain()), "seed": spec.seed}
        mine |= {_PLUG_INS: self.plug_ins} if self.plug_ins else {}
        if not owner.exists() and any(not p.name.startswith((".lock", ".run.json.")) for p in self.path.iterdir()):
            raise EdgesdtError(f"{self.path}: holds something that is not an edgesdt run; choose another --out")
        self._lock = os.fdopen(open_own(self.path / ".lock", os.O_RDWR), "w")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            self._lock.close()
            raise RunError(f"{self.path}: another process is running here") from error
        if not owner.exists():
            record.write_atomically(owner, json.dumps(mine).encode())
        try:
            theirs = documents.read(owner)
        except documents.DocumentError:
            theirs = None
        if theirs != mine:
            self._lock.close()
            raise EdgesdtError(f"{self.path}: {_differing(theirs, mine)}; choose another --out")
        if not (self.path / "spec.yaml").exists():
            record.write_atomically(self.path / "spec.yaml", to_yaml(spec.plain(), {}).encode())

    def __enter__(self) -> RunFolder:
        return self

    def __exit__(self, *_: object) -> None:
        if self._lock is not None:
            self._lock.close()

    @property
    def record_path(self) -> Path:
        """Path of the record of a finished run."""
        return self.path / "record.json"

    def log(self, line: str) -> None:
        """Appends a line with its UTC time to `log.txt`."""
        stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        try:
            with os.fdopen(open_own(self.path / "log.txt", os.O_WRONLY | os.O_APPEND), "a", encoding="utf-8") as file:
                file.write(f"{stamp} {printable_lines(' '.join(line.splitlines()))}\n")
        except OSError as error:
            raise RunError(f"{self.path / 'log.txt'}: could not be written: {error.strerror or error}") from error

    def save_checkpoint(self, arrays: Mapping[str, npt.NDArray[np.generic]], progress: Mapping[str, Any]) -> None:
        """Saves a chip state and JSON-ready `progress`; atomically replaces the last checkpoint."""
        self.save_arrays("checkpoint.npz", {**arrays, "progress": np.array(json.dumps(progress))})

    def load_checkpoint(self, like: Callable[[], Arrays] | None = None) -> tuple[Arrays, Any] | None:
        """The last checkpoint, or None. Raises `EdgesdtError` if it is damaged, or larger than the states of `like`."""
        path = self.path / "checkpoint.npz"
        if not path.exists():
            return None
        try:
            whole = archives.MOST_BYTES if like is None else sum(array.nbytes for array in like().values())
            arrays = archives.read(path, most=whole + _PROGRESS_BYTES)
            return arrays, documents.loads(str(arrays.pop("progress")))
        except KeyError as error:
            raise self.damaged(f"no array {error}") from error
        except (OSError, archives.ArchiveError, documents.DocumentError) as error:
            raise self.damaged(error) from error

    def damaged(self, error: Exception | str) -> EdgesdtError:
        """The message about a checkpoint that cannot be resumed."""
        path = self.path / "checkpoint.npz"
        told = printable(str(error))[:200]
        return EdgesdtError(f"{path}: damaged checkpoint ({told}); delete the folder to start again")

    def drop_checkpoint(self) -> None:
        """Removes the checkpoint of a finished run, and partial files of killed processes."""
        with suppress(OSError):
            for path in self.path.glob("*checkpoint.npz*"):
                path.unlink(missing_ok=True)

    def save_arrays(self, name: str, arrays: Mapping[str, npt.NDArray[np.generic]]) -> None:
        """Writes an .npz atomically."""
        buffer = io.BytesIO()
        np.savez_compressed(buffer, **arrays)  # type: ignore[arg-type]
        record.write_atomically(self.path / name, buffer.getvalue())


def plug_ins(spec: Spec) -> dict[str, str]:
    """Distribution -> version and digest, for the plug-ins that supply the rule and the cells of `spec`."""
    rule = registry.plug_in(spec.learning.rule)
    if rule is None and spec.device.digital:
        return {}
    from hw_models.sheets import suppliers  # only a spec with a plug-in or a device needs the catalogue

    found = {} if rule is None else suppliers.of_plug_in(rule)
    for device in (layers.device_of(spec, layer) for layer in layers.on_cells(spec)):
        found |= suppliers.of_model(device.cell_model(), "" if device.file else device.model)
    return found


def _differing(theirs: Any, mine: dict[str, Any]) -> str:
    """Describes how the contents of a folder differ from this run."""
    if _pair(theirs) == _pair(mine):
        versions = [_versions(owner.get(_PLUG_INS, {})) for owner in (theirs, mine)]
        return f"holds a run with another version of a plug-in ({versions[0]}; now {versions[1]})"
    return (
        f"holds the run of another spec or seed (spec_hash, seed = {_pair(theirs)}; this one is {_pair(mine)})"
    )


def _versions(found: Any) -> str:
    told = [f"{name} {version}" for name, version in found.items()] if isinstance(found, dict) else []
    return printable(", ".join(told))[:200] or "none known"


def _pair(owner: Any) -> str:
    known = isinstance(owner, dict) and set(owner) - {_PLUG_INS} == {"spec_hash", "seed"}
    return printable(f"{owner['spec_hash']}, {owner['seed']}")[:100] if known else "unreadable"
