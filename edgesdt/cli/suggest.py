"""`edgesdt suggest`: proposes a spec for a data set, as YAML to edit."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from edgesdt.cli.spec_arguments import EXIT_CODES
from edgesdt.files.outputs import refuse_losses


def add_parser(commands: Any) -> None:
    """Adds `suggest` to the commands. Imports nothing."""
    suggest = commands.add_parser("suggest", help="propose a spec for a data set, to be edited", epilog=EXIT_CODES)
    suggest.add_argument("data", metavar="DATA", help="a data set by name, or an .npz file")
    suggest.add_argument("--out", type=Path, metavar="FILE", help="write the spec to this file instead of standard "
                                                                  "output")
    suggest.add_argument("--quiet", action="store_true", help="no progress")


def run(arguments: argparse.Namespace) -> int:
    """Runs the command; returns the exit code. Raises `EdgesdtError`."""
    from edgesdt.runs import record
    from edgesdt.suggest import search, suggestion

    def say(line: str) -> None:
        if not arguments.quiet:
            print(line, file=sys.stderr, flush=True)

    refuse_losses({"--out": arguments.out}, [Path(arguments.data)])
    folder = "." if arguments.out is None else str(arguments.out.parent)
    text = suggestion.written(search.suggest(arguments.data, say), folder)
    if arguments.out is None:
        print(text, end="")
    else:
        record.write_atomically(arguments.out, text.encode())
        print(arguments.out)
    return 0
