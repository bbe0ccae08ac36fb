"""`edgesdt warm`: compiles kernels before the first run."""

from __future__ import annotations

import argparse
import sys
from typing import Any


def add_parser(commands: Any) -> None:
    """Adds `warm` to the commands. Imports nothing."""
    warm = commands.add_parser("warm", help="compile kernels ahead: of every rule in memory, and of the default rule "
                                            "on every kind of cells")
    warm.add_argument("spec", nargs="?", metavar="SPEC", help="what this spec needs instead (any rule, any cells)")


def run(arguments: argparse.Namespace) -> int:
    """Runs the command; returns the exit code. Raises `EdgesdtError`."""
    from edgesdt.spec import load

    specs = [] if arguments.spec is None else [load(arguments.spec)]
    from edgesdt.runs import rehearsal
    from edgesdt.runs.compilation import watched

    with watched(lambda line: print(line, file=sys.stderr, flush=True)) as compilation, compilation.together():
        for spec in specs or rehearsal.kinds():
            rehearsal.rehearse(spec)
    print(f"ready: the kernels of {arguments.spec or 'every rule in memory and every kind of cells'} are compiled")
    return 0
