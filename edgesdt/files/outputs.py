"""Checks output files: none may overwrite an input of the command or the files of a run."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

from edgesdt.errors import EdgesdtError

KEPT = (
    "record.json", "run.json", "spec.yaml", "weights.npz", "log.txt", "checkpoint.npz", "sweep.json", "records.jsonl",
    "ablation.json",
)  # fmt: skip
"""Names of the files that runs and sweeps store in their folders."""
STDOUT = Path("-")
"""Stands for standard output instead of a file."""
_ALLOWED = "allowed: another file"


def to_stdout(data: bytes) -> None:
    """Writes bytes to standard output unchanged, after the text that was printed before."""
    sys.stdout.flush()
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()


def refuse_losses(outputs: Mapping[str, Path | None], inputs: Iterable[Path]) -> None:
    """Raises `EdgesdtError`, naming the option, if an output would overwrite an input or the files of a run.

    Nothing is opened or written. Two outputs must be two files as well.
    """
    read, taken = [path for path in inputs if path.exists()], dict[Path, str]()
    for option, out in outputs.items():
        if out is None:
            continue
        if any(_is(out, path) for path in read):
            raise EdgesdtError(f"{option}: {out}: would overwrite a file that this command reads, {_ALLOWED}")
        if out.name == "record.json" or (out.name in KEPT and out.exists()):
            raise EdgesdtError(f"{option}: {out}: would overwrite a file of a run, {_ALLOWED}")
        place = out.resolve()
        if place in taken:
            raise EdgesdtError(f"{option}: {out}: is already written by {taken[place]}, {_ALLOWED}")
        taken[place] = option


def _is(one: Path, other: Path) -> bool:
    """Whether both paths lead to the same file."""
    return one.resolve() == other.resolve() or (one.exists() and one.samefile(other))
