"""Peak memory of `edgesdt run SPEC`: the largest resident set of the whole process, from the operating system.

`python -m benchmarks.peak_memory SPEC [--set KEY=VALUE] [--limit '600 MiB'] [--cold]`. The run is in a temporary
folder. This module imports nothing large, because the peak of a process starts at that of the process from which it was
forked.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks import command
from edgesdt.errors import RunError
from edgesdt.units import format_size, parse_size

KIB_BITS = 8 * 1024


def peak_bits(arguments: Sequence[str], environment: dict[str, str]) -> int:
    """Runs a command and returns the peak of its resident set [bits]. Raises `RunError` if it fails."""
    process = subprocess.Popen(arguments, stdout=subprocess.DEVNULL, env=environment)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise RunError(f"{' '.join(arguments)} ended with {process.returncode}")
    return used.ru_maxrss * KIB_BITS


def main(arguments: Sequence[str]) -> int:
    """The command; returns its exit code: 1 if the peak is above the limit."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.peak_memory", description=__doc__.partition("\n")[0])
    parser.add_argument("spec", metavar="SPEC", help="a YAML file, or a name from 'edgesdt specs'")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", dest="overrides")
    parser.add_argument("--limit", metavar="SIZE", help="fail if the peak is larger, e.g. '600 MiB'")
    parser.add_argument("--cold", action="store_true", help="with an empty compilation cache, as at the first start")
    options = parser.parse_args(arguments)
    limit = None if options.limit is None else parse_size(options.limit)
    with tempfile.TemporaryDirectory() as temporary:
        sets = [part for override in options.overrides for part in ("--set", override)]
        run = [sys.executable, "-m", "edgesdt", "run", options.spec, *sets, "--out", str(Path(temporary) / "run")]
        environment = dict(os.environ)
        if options.cold:
            environment["NUMBA_CACHE_DIR"] = str(Path(temporary) / "cache")
        found = peak_bits([*run, "--quiet"], environment)
    said = f"peak memory of edgesdt run {' '.join([options.spec, *sets])}: {format_size(found)}"
    if limit is None:
        print(said)
        return 0
    held = found <= limit
    print(f"{said}, {'within' if held else 'ABOVE'} the limit of {format_size(limit)}")
    return 0 if held else 1


if __name__ == "__main__":
    command.finish(main)
