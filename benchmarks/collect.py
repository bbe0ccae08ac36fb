"""Keep the records of finished runs with the code: `python -m benchmarks.collect RUN_DIR...` (see `results`)."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from benchmarks import command, records


def main(arguments: Sequence[str]) -> int:
    """The command; returns its exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.collect", description=__doc__.partition(":")[0])
    parser.add_argument("folders", nargs="+", type=Path, metavar="RUN_DIR", help="folder of a finished run")
    options = parser.parse_args(arguments)
    for made in records.of_runs(options.folders):
        print(records.keep(made))
    return 0


if __name__ == "__main__":
    command.finish(main)
