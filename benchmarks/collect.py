"""Stores the records of finished runs with the code: `python -m benchmarks.collect RUN_DIR...` (see `results`)."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from benchmarks import command, records
from edgesdt.pricing import bill
from edgesdt.rules.lookup import memory_map
from edgesdt.spec import Spec


def current(made: records.Record) -> records.Record:
    """The record with memory map, energy, latency and area calculated by this version of edgesdt."""
    spec = Spec.from_plain(made["spec"])
    memory = {**made["memory"], **memory_map(spec).plain()}
    samples = {"train": made["train_samples"] * spec.epochs, "inference": made["test_samples"]}
    tech = bill.technology(spec)
    curve = [
        {**point, "energy_j": sum(bill.bill(spec, point["counts"], memory, tech).energy_j.values())}
        for point in made["curve"]
    ]
    return {**made, **bill.price(spec, made["counts"], samples, memory), "memory": memory, "curve": curve}


def main(arguments: Sequence[str]) -> int:
    """The command; returns its exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.collect", description=__doc__.partition(":")[0])
    parser.add_argument("folders", nargs="+", type=Path, metavar="RUN_DIR", help="folder of a finished run")
    parser.add_argument(
        "--current", action="store_true", help="calculate memory map and prices again with this version (counts stay)"
    )
    options = parser.parse_args(arguments)
    for made in records.of_runs(options.folders):
        print(records.keep(current(made) if options.current else made))
    return 0


if __name__ == "__main__":
    command.finish(main)
