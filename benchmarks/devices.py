"""Speed of the device models alone: noisy products of a crossbar, and a pulsed update of all its cells.

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

from benchmarks import command, machine, tables
from benchmarks.rounds import Spread, interleaved, one_thread, rate
from edgesdt.errors import EdgesdtError
from edgesdt.runs import record
from hw_models.array.mvm import Matrix, ReadNoise, matrix, read
from hw_models.sheets import catalog

SCHEMA = 1
ROWS, COLUMNS, INPUT_MAX = 784, 2000, 255
WEIGHT_SD = 6000.0
"""Weights are Gaussian codes of 16 bits, inputs uniform codes of 8 bits: no zeros to skip."""
NOISES: Mapping[str, tuple[ReadNoise, float]] = {
    "no noise": ("none", 0.0),
    "additive noise": ("additive", 40.0),
    "proportional noise, 5 %": ("proportional", 0.05),
}
BATCHES = (256, 1)
DEVICE = "ReRamSB"
UPDATE = f"{DEVICE}, one pulse for every cell"
BAR_CASE, BAR = "proportional noise, 5 %, batch 256", 3_000.0
"""Required products per second of this case."""


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
    """The whole result, JSON-ready: products per second and cells pulsed per second of every round."""
    with one_thread():
        steps = {**products(effort), UPDATE: update(effort)}
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
            "products_per_s": found,
            "updates": {UPDATE: {"non_idealities": list(catalog.load(DEVICE).non_idealities), "cells_per_s": cells}},
        }


def products(effort: Effort) -> dict[str, tuple[Callable[[int], object], int]]:
    """Name -> (a function that reads a number of vectors, vectors per call)."""
    dice = np.random.default_rng(0)
    codes = np.rint(np.clip(dice.normal(0, WEIGHT_SD, (effort.rows, effort.columns)), -32767, 32767)).astype(np.int16)
    cells = matrix(codes, INPUT_MAX)
    made: dict[str, tuple[Callable[[int], object], int]] = {}
    for batch in BATCHES:
        x = dice.integers(0, INPUT_MAX + 1, (batch, effort.rows))
        for name, (noise, sd) in NOISES.items():
            made[f"{name}, batch {batch}"] = (_Reader(cells, x, noise, sd), batch)
    return made


@dataclass
class _Reader:
    """Reads the same vectors repeatedly, with new noise each time."""

    cells: Matrix
    x: Any
    noise: ReadNoise
    sd: float
    reads: int = 0

    def __call__(self, vectors: int) -> object:
        self.reads += vectors
        return read(self.cells, self.x, self.noise, self.sd, key=1, first=self.reads * self.cells.codes.shape[1])


def update(effort: Effort) -> tuple[Callable[[int], object], int]:
    """A function that pulses every cell of a crossbar once, up or down by an outer product, and the number of cells."""
    count, dice = effort.rows * effort.columns, np.random.default_rng(1)
    signs = np.outer(dice.choice([-1, 1], effort.columns), dice.choice([-1, 1], effort.rows)).astype(np.int8).ravel()
    model = catalog.load(DEVICE)
    cells = model.manufacture(count, 1, np.float32)
    model.program(cells, np.linspace(*model.bounds(), count))
    return lambda _: model.pulse(cells, signs), count


def rows(result: Mapping[str, Any]) -> list[list[str]]:
    """Products per second: a row per case, the head first."""
    effort = result["effort"]
    head = [f"reads of {effort['rows']} x {effort['columns']} cells", "products/s"]
    return [head, *([name, str(Spread.of(rates))] for name, rates in result["products_per_s"].items())]


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
        f"Products: 16-bit weights, dense 8-bit inputs, noise of every cell in the sums, no converter. Updates: with "
        f"{', '.join(found['non_idealities'])}.\nCompilation is not timed."
    )


def text(result: Mapping[str, Any]) -> str:
    """The complete text for a terminal."""
    parts = [machine.in_words(result["machine"]), method(result), "", tables.plain(rows(result)), ""]
    return "\n".join([*parts, tables.plain(update_rows(result))])


def verdict(result: Mapping[str, Any]) -> str:
    """Text on whether the case with a bar meets it."""
    median = Spread.of(result["products_per_s"][BAR_CASE]).median
    said = "holds" if median >= BAR else "FALLS SHORT of"
    return f"{BAR_CASE}: {median:,.0f} products/s: {said} the bar of {BAR:,.0f}"


def kept(path: Path) -> dict[str, Any]:
    """A result that `--json` wrote. Raises `EdgesdtError`."""
    try:
        result: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise EdgesdtError(f"{path}: not a result of benchmarks.devices: {error}") from error
    if not isinstance(result, dict) or result.get("schema") != SCHEMA or "products_per_s" not in result:
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
