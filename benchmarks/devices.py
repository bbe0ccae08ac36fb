"""Speed of cells alone: noisy reads of the array of a chip, and a pulsed update of all of its cells.

`python -m benchmarks.devices [--quick] [--json FILE]`. All cases run in turn on one thread in one process (A B A B …).
Rates are per second of processor time, so a busy machine has little effect.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks import command, tables
from benchmarks.measuring import machine
from benchmarks.measuring.rounds import Spread, interleaved, one_thread, rate
from edgesdt.chip.simulated import Chip
from edgesdt.errors import EdgesdtError
from edgesdt.runs import record
from edgesdt.spec import Spec
from hw_models.sheets import catalog

SCHEMA = 2
ROWS, COLUMNS = 784, 2000
NOISES: Mapping[str, Mapping[str, Any]] = {
    "no noise": {},
    "additive noise, 5 %": {"read_noise": "additive", "read_noise_sd": 0.05},
    "proportional noise, 5 %": {"read_noise": "proportional", "read_noise_sd": 0.05},
}
"""Inputs are uniform codes of 8 bits, so that hardly one is zero and skipped."""
BATCHES = (256, 1)
DEVICE = "ReRamSB"
UPDATE = f"{DEVICE}, one pulse for every cell"
BAR_CASE, BAR = "proportional noise, 5 %, batch 256", 3_000.0
"""Reads a second that this case must make."""


@dataclass(frozen=True)
class Effort:
    """`rounds` of `seconds` of processor time for each figure, on a crossbar of `rows` by `columns`."""

    rounds: int
    seconds: float
    rows: int = ROWS
    columns: int = COLUMNS


FULL = Effort(rounds=7, seconds=1.0)
QUICK = Effort(rounds=3, seconds=0.1)


def measure(effort: Effort) -> dict[str, Any]:
    """The whole result, JSON-ready: reads per second and cells pulsed per second of every round."""
    with one_thread():
        steps = {**reads(effort), UPDATE: update(effort)}
        for step, chunk in steps.values():
            step(chunk)  # compiles, and makes the copies that batches need

        def timed(step: Callable[[int], object], chunk: int) -> Callable[[], float]:
            return lambda: rate(step, chunk, effort.seconds, time.process_time)

        found = interleaved({name: timed(*pair) for name, pair in steps.items()}, effort.rounds)
        cells = found.pop(UPDATE)
        return {
            "schema": SCHEMA,
            "machine": machine.describe(),
            "effort": asdict(effort),
            "reads_per_s": found,
            "updates": {UPDATE: {"non_idealities": list(catalog.load(DEVICE).non_idealities), "cells_per_s": cells}},
        }


def reads(effort: Effort) -> dict[str, tuple[Callable[[int], object], int]]:
    """Name -> (a call that shows a chip so many dense vectors and returns its outputs, vectors at once)."""
    dice = np.random.default_rng(0)
    shown = {batch: dice.integers(0, 256, (batch, effort.rows), np.uint8) for batch in BATCHES}
    made: dict[str, tuple[Callable[[int], object], int]] = {}
    for name, noise in NOISES.items():
        chip = Chip(_spec(effort, noise))
        for batch, x in shown.items():
            made[f"{name}, batch {batch}"] = (_shown(chip, x), batch)
    return made


def _shown(chip: Chip, x: npt.NDArray[np.uint8]) -> Callable[[int], object]:
    return lambda _: chip.infer(x)


def _spec(effort: Effort, noise: Mapping[str, Any]) -> Spec:
    """A chip whose free phase is one step, so that nearly all of its time goes into reads."""
    return Spec.from_plain(
        {
            "name": "reads",
            "data": {"set": "any.npz"},
            "encoder": {"bits": 8},
            "chip": {"layers": [effort.rows, effort.columns], "weights": {"init_gain": 0.1}, "memory_budget": "1 MiB"},
            "learning": {"free_steps": 1, "nudged_steps": 1, "dt": 1.0, "winners": 1},
            "device": {"model": "Idealized", "array": {"weight_per_range": 0.1, **noise}},
        }
    )


def update(effort: Effort) -> tuple[Callable[[int], object], int]:
    """A function that pulses every cell of a crossbar once, up or down by an outer product, and the number of cells."""
    count, dice = effort.rows * effort.columns, np.random.default_rng(1)
    signs = np.outer(dice.choice([-1, 1], effort.columns), dice.choice([-1, 1], effort.rows)).astype(np.int8).ravel()
    model = catalog.load(DEVICE)
    cells = model.manufacture(count, 1, np.float32)
    model.program(cells, np.linspace(*model.bounds(), count))
    return lambda _: model.pulse(cells, signs), count


def rows(result: Mapping[str, Any]) -> list[list[str]]:
    """Reads per second: a row per case, the head first."""
    effort = result["effort"]
    head = [f"reads of {effort['rows']} x {effort['columns']} cells", "reads/s"]
    return [head, *([name, str(Spread.of(rates))] for name, rates in result["reads_per_s"].items())]


def update_rows(result: Mapping[str, Any]) -> list[list[str]]:
    """Pulsed updates: a row per device, the head first."""
    effort = result["effort"]
    cells = effort["rows"] * effort["columns"]
    out: list[list[str]] = []
    for name, found in result["updates"].items():
        rates = found["cells_per_s"]
        milliseconds = Spread.of([1e3 * cells / each for each in rates])
        shown = f"{milliseconds.median:.1f} ({milliseconds.low:.1f}–{milliseconds.high:.1f})"
        out.append([name, shown, str(Spread.of([each / 1e6 for each in rates]))])
    return [[f"update of {effort['rows']} x {effort['columns']} cells", "ms", "million cells/s"], *out]


def method(result: Mapping[str, Any]) -> str:
    """Text on the method of measurement."""
    effort, found = result["effort"], next(iter(result["updates"].values()))
    return (
        f"One thread, in one process, in turn: {effort['rounds']} rounds of {effort['seconds']:g} s of processor time; "
        "median (lowest–highest).\n"
        f"Reads: a chip on cells of the model Idealized, dense 8-bit inputs, read noise of every cell, converters, and "
        f"one step of its neurons. Updates: {DEVICE} with "
        f"{', '.join(found['non_idealities'])}.\nCompilation is not timed."
    )


def text(result: Mapping[str, Any]) -> str:
    """The complete text for a terminal."""
    parts = [machine.in_words(result["machine"]), method(result), "", tables.plain(rows(result)), ""]
    return "\n".join([*parts, tables.plain(update_rows(result))])


def verdict(result: Mapping[str, Any]) -> str:
    """Whether the case with a bar holds it."""
    median = Spread.of(result["reads_per_s"][BAR_CASE]).median
    said = "holds" if median >= BAR else "FALLS SHORT of"
    return f"{BAR_CASE}: {median:,.0f} reads/s: {said} the bar of {BAR:,.0f}"


def kept(path: Path) -> dict[str, Any]:
    """A result that `--json` wrote. Raises `EdgesdtError`."""
    try:
        result: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise EdgesdtError(f"{path}: not a result of benchmarks.devices: {error}") from error
    if not isinstance(result, dict) or result.get("schema") != SCHEMA or "reads_per_s" not in result:
        raise EdgesdtError(f"{path}: not a result of benchmarks.devices of schema {SCHEMA}")
    return result


def main(arguments: Sequence[str]) -> int:
    """The command; returns its exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.devices", description=__doc__.partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="a few seconds in all, for a first look and for CI")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write every figure of every round to FILE")
    parser.add_argument("--from", type=Path, metavar="FILE", dest="source", help="show a FILE that --json wrote")
    options = parser.parse_args(arguments)
    result = kept(options.source) if options.source is not None else measure(QUICK if options.quick else FULL)
    if options.json is not None:
        record.write(options.json, result)
    print(text(result))
    print(verdict(result))
    return 0


if __name__ == "__main__":
    command.finish(main)
