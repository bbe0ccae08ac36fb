"""Files that a command is asked to write: none may replace what the command reads, nor what a run has kept."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

from edgesdt.errors import EdgesdtError

KEPT = (
    "record.json", "run.json", "spec.yaml", "weights.npz", "log.txt", "checkpoint.npz", "sweep.json", "records.jsonl",
    "ablation.json",
)  # fmt: skip
"""What runs and sweeps keep in their folders."""
STDOUT = Path("-")
"""In the place of a file: standard output."""
_ALLOWED = "allowed: another file"


def to_stdout(data: bytes) -> None:
    """Write to standard output as it is, in order with what was printed before."""
    sys.stdout.flush()
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()


def refuse_losses(outputs: Mapping[str, Path | None], inputs: Iterable[Path]) -> None:
    """Raise `EdgesdtError` where an output, by the option that names it, would replace an input or a run's files.

    Nothing is opened or written. Two outputs must be two files as well.
    """
    read, taken = [path for path in inputs if path.exists()], dict[Path, str]()
    for option, out in outputs.items():
        if out is None:
            continue
        if any(_is(out, path) for path in read):
            raise EdgesdtError(f"{option}: {out}: would overwrite a file that this command reads, {_ALLOWED}")
        if out.name == "record.json" or (out.name in KEPT and out.exists()):
            raise EdgesdtError(f"{option}: {out}: would overwrite what a run has kept, {_ALLOWED}")
        place = out.resolve()
        if place in taken:
            raise EdgesdtError(f"{option}: {out}: is written by {taken[place]} already, {_ALLOWED}")
        taken[place] = option


def _is(one: Path, other: Path) -> bool:
    """Whether both are one file, whatever it is called."""
    return one.resolve() == other.resolve() or (one.exists() and one.samefile(other))
