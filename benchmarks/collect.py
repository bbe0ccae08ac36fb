"""Stores the records of finished runs with the code: `python -m benchmarks.collect RUN_DIR...` (see `results`)."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks import command, records
from edgesdt.pricing import bill, phased
from edgesdt.rules.lookup import memory_map
from edgesdt.spec import Spec
from edgesdt.spec.stages import stages as stages_of


def current(made: records.Record) -> records.Record:
    """The record with memory map, energy, latency and area calculated by this version of edgesdt."""
    spec = Spec.from_plain(made["spec"])
    memory = {**made["memory"], **memory_map(spec).plain()}
    samples = {"train": phased.samples_learned(made), "inference": made["test_samples"]}
    stages = phased.stage_counts(made, len(stages_of(spec)))
    tech = bill.technology(spec)

    def joules(point: Mapping[str, Any]) -> float:
        return sum(bill.of_stages(spec, phased.of_point(point, stages), memory, tech).energy_j.values())

    curve = [{**point, "energy_j": joules(point)} for point in made["curve"]]
    return {**made, **bill.price(spec, made["counts"], samples, memory, stages), "memory": memory, "curve": curve}


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
