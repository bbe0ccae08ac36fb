"""`edgesdt specs`: lists the specs that come with the package."""

from __future__ import annotations

import argparse
from typing import Any


def add_parser(commands: Any) -> None:
    """Adds `specs` to the commands. Imports nothing."""
    commands.add_parser("specs", help="list the specs that come with edgesdt")


def run(_: argparse.Namespace) -> int:
    """Runs the command; returns the exit code."""
    from edgesdt.spec import shipped

    found = shipped()
    width = max(len(name) for name, _ in found)
    for name, line in found:
        print(f"{name.ljust(width)}  {line}")
    return 0
