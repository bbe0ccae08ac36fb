"""`edgesdt warm`: compiles kernels before the first run."""

from __future__ import annotations

import argparse
import sys
from typing import Any


def add_parser(commands: Any) -> None:
    """Adds `warm` to the commands. Imports nothing."""
    warm = commands.add_parser("warm", help="compile the kernels that the first runs would compile, for every kind of "
                                            "chip")
    warm.add_argument("spec", nargs="?", metavar="SPEC", help="only what this spec needs (plug-in devices, too)")


def run(arguments: argparse.Namespace) -> int:
    """Runs the command; returns the exit code. Raises `EdgesdtError`."""
    from edgesdt.spec import load

    specs = [] if arguments.spec is None else [load(arguments.spec)]
    from edgesdt.runs import rehearsal
    from edgesdt.runs.compilation import watched

    with watched(lambda line: print(line, file=sys.stderr, flush=True)) as compilation, compilation.together():
        for spec in specs or rehearsal.kinds():
            rehearsal.rehearse(spec)
    print(f"ready: the kernels of {arguments.spec or 'every kind of chip'} are compiled")
    return 0
