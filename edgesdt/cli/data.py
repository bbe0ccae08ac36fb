"""`edgesdt data list | fetch NAME`: lists and fetches the data sets of the catalogue."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from edgesdt.cli.arguments import Parser


def add_parser(commands: Any) -> None:
    """Adds `data` with its two commands. Imports nothing."""
    data = commands.add_parser("data", help="list or fetch data sets").add_subparsers(
        dest="data_command", metavar="COMMAND", parser_class=Parser
    )
    data.add_parser("list", help="data sets, where each comes from, licence, checksums")
    fetch = data.add_parser("fetch", help="fetch a data set into the cache, or into a folder")
    fetch.add_argument("name", metavar="NAME")
    fetch.add_argument("--dir", type=Path, metavar="DIR", help="folder to put it in, as NAME/ (for EDGESDT_DATA)")


def run(arguments: argparse.Namespace) -> int:
    """Runs the command; returns the exit code. Raises `EdgesdtError`."""
    from edgesdt import datasets

    if arguments.data_command == "fetch":
        print(datasets.fetch(arguments.name, arguments.dir, lambda line: print(line, file=sys.stderr)))
        return 0
    for entry in datasets.catalogue():
        print(_entry(entry))
    return 0


def _entry(entry: Any) -> str:
    shape = " x ".join(str(n) for n in entry.shape)
    lines = [
        f"{entry.name}: {entry.title}",
        f"  {entry.train} training and {entry.test} test samples of {shape}, {entry.classes} classes",
        f"  here: {entry.where}",
        f"  licence: {entry.licence}; cite: {entry.citation}",
        "  sources: " + "; ".join(str(source) for source in entry.sources),
    ]
    return "\n".join(lines + [f"  sha256 {name}: {digest}" for name, digest in dict(entry.checksums).items()])
