"""`edgesdt specs`: lists the specs that come with the package, or prints one of them."""

from __future__ import annotations

import argparse
from typing import Any


def add_parser(commands: Any) -> None:
    """Adds `specs` to the commands. Imports nothing."""
    specs = commands.add_parser("specs", help="list the specs that come with edgesdt, or print one")
    specs.add_argument("name", metavar="NAME", nargs="?", help="print this spec, as the YAML file that it is")


def run(arguments: argparse.Namespace) -> int:
    """Runs the command; returns the exit code."""
    from edgesdt.spec import shipped, shipped_text

    if arguments.name is not None:
        print(shipped_text(arguments.name), end="")
        return 0
    found = shipped()
    width = max(len(name) for name, _ in found)
    for name, line in found:
        print(f"{name.ljust(width)}  {line}")
    return 0
