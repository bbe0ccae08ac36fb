"""Shows that a run is deterministic: repeated, on one and two threads, and killed (`kill -9`) and resumed.

`python -m benchmarks.determinism SPEC [--set KEY=VALUE]`. Each run is a separate process. It compares the
machine-independent fields of the record, the learning curve, and every array of `weights.npz`. The exit code is 1 if
anything differs.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks import command, tables
from benchmarks.records import PROMISED, Record, difference
from edgesdt.errors import EdgesdtError, RunError
from edgesdt.runs import record

FIELDS = ("spec_hash", *PROMISED, "curve")
WEIGHTS = "weights.npz"
_LOOK_S = 0.002
"""Seconds between two checks of a run that will be killed."""


@dataclass(frozen=True)
class Trial:
    """One way to obtain the same record: a name, inference threads, and the epochs at which the run is killed."""

    name: str
    threads: int = 1
    kill_at: tuple[int, ...] = ()


def trials(epochs: int) -> list[Trial]:
    """The trials for a run of `epochs` epochs; the first is the reference.

    The last is killed in the first epoch, before the first checkpoint, and after half of the epochs. Raises
    `EdgesdtError` with fewer than two epochs.
    """
    if epochs < 2:
        raise EdgesdtError(f"epochs: {epochs}; allowed: 2 or more, or there is nothing to resume (--set epochs=2)")
    killed = Trial("killed twice and resumed", kill_at=(0, epochs // 2))
    return [Trial("first run"), Trial("same again"), Trial("two threads", threads=2), killed]


def arguments_of(spec: str, overrides: Sequence[str], out: Path, threads: int) -> list[str]:
    """The command of one run."""
    sets = [part for override in overrides for part in ("--set", override)]
    command_line = [sys.executable, "-m", "edgesdt", "run", spec, *sets, "--out", str(out)]
    return [*command_line, "--threads", str(threads), "--quiet"]


def go(trial: Trial, spec: str, overrides: Sequence[str], out: Path) -> Path:
    """Runs one trial in folder `out` and returns the folder.

    Raises `RunError` if the run fails or could not be killed.
    """
    run = arguments_of(spec, overrides, out, trial.threads)
    for epochs_done in trial.kill_at:
        _killed(run, out, epochs_done)
    done = subprocess.run(run, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=False)
    if done.returncode != 0:
        raise RunError(f"{trial.name}: {' '.join(run)} ended with {done.returncode}\n{done.stderr.rstrip()}")
    return out


def _killed(run: Sequence[str], out: Path, epochs_done: int) -> None:
    """Starts `run` and kills it with SIGKILL during learning, as soon as its log shows `epochs_done` epochs."""
    process = subprocess.Popen(run, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        while process.poll() is None and not reached(out / "log.txt", epochs_done):
            time.sleep(_LOOK_S)
        process.send_signal(signal.SIGKILL)
    finally:
        process.kill()
        process.wait()
    if process.returncode != -signal.SIGKILL or (out / "record.json").exists():
        raise RunError(
            f"{out}: the run was over (exit code {process.returncode}) before it could be killed after "
            f"{epochs_done} epochs; give it more to do (--set epochs=N)"
        )


def reached(log: Path, epochs_done: int) -> bool:
    """Whether the log of a run shows that learning has started (0) or that this number of epochs is finished."""
    text = log.read_text(encoding="utf-8") if log.exists() else ""
    words = " untrained " if epochs_done == 0 else f" epoch {epochs_done}/"
    return words in text


def faults(first: Path, other: Path) -> dict[str, str]:
    """Field → difference of two finished runs; empty if they are identical."""
    one, two = record.read(first / "record.json"), record.read(other / "record.json")
    found = {field: difference(_field(one, field), _field(two, field), field) for field in FIELDS}
    found[WEIGHTS] = _array_difference(first / WEIGHTS, other / WEIGHTS)
    return {field: text for field, text in found.items() if text is not None}


def _field(made: Record, field: str) -> object:
    return made.get(field)


def _array_difference(first: Path, other: Path) -> str | None:
    import numpy as np

    with np.load(first, allow_pickle=False) as one, np.load(other, allow_pickle=False) as two:
        if one.files != two.files:
            return f"{WEIGHTS}: arrays {one.files} and {two.files}"
        for name in one.files:
            if one[name].dtype != two[name].dtype or not np.array_equal(one[name], two[name]):
                return f"{WEIGHTS}: {name}"
    return None


def rows(found: dict[str, dict[str, str]]) -> list[list[str]]:
    """A row per field with 'same' or 'DIFFERS' for each trial; the head comes first."""
    head = ["compared with the first run", *found]
    each = [
        [field, *("DIFFERS" if field in texts else "same" for texts in found.values())] for field in (*FIELDS, WEIGHTS)
    ]
    return [head, *each]


def main(arguments: Sequence[str]) -> int:
    """The command; returns its exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.determinism", description=__doc__.partition("\n")[0])
    parser.add_argument("spec", metavar="SPEC", help="a YAML file, or a name from 'edgesdt specs'")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", dest="overrides")
    parser.add_argument("--out", type=Path, metavar="DIR", help="keep the run folders here (default: a temporary one)")
    options = parser.parse_args(arguments)
    from edgesdt.spec import load

    planned = trials(load(options.spec, options.overrides).epochs)
    with tempfile.TemporaryDirectory() as temporary:
        place = options.out or Path(temporary)
        place.mkdir(parents=True, exist_ok=True)
        if any(place.iterdir()):
            raise EdgesdtError(f"{place}: is not empty; the runs must be new")
        made: list[Path] = []
        for number, trial in enumerate(planned):
            print(f"{trial.name} …", file=sys.stderr, flush=True)
            made.append(go(trial, options.spec, options.overrides, place / f"{number}"))
        found = {trial.name: faults(made[0], folder) for trial, folder in zip(planned[1:], made[1:], strict=True)}
    print(f"{options.spec} {' '.join(options.overrides)} on {os.uname().machine}".replace("  ", " "))
    print(tables.plain(rows(found)))
    for name, texts in found.items():
        for text in texts.values():
            print(f"{name}: {text}")
    return 1 if any(found.values()) else 0


if __name__ == "__main__":
    command.finish(main)
