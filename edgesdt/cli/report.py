"""`edgesdt report`: writes pages and tables from the records of runs and sweeps, without running a chip."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from edgesdt.errors import EdgesdtError
from edgesdt.files.outputs import KEPT, STDOUT, refuse_losses


def add_parser(commands: Any) -> None:
    """Adds `report` to the commands. Imports nothing."""
    report = commands.add_parser("report", help="report on runs and sweeps from their records, without running")
    report.add_argument("folders", nargs="+", type=Path, metavar="DIR", help="run folder or sweep folder")
    place = "where to write it (default: in the first DIR: report.html, report-TECHNOLOGY.html, comparison.html)"
    report.add_argument("--out", type=Path, metavar="FILE", help=place)
    report.add_argument("--table", metavar="TECHNOLOGY", help="price with another table: a name, or ./TABLE.yaml")
    csv = "write records and whole specs as CSV instead of a page (-: standard output)"
    report.add_argument("--csv", type=Path, metavar="FILE", help=csv)
    report.add_argument("--parquet", type=Path, metavar="FILE", help="the same as Parquet; needs pyarrow")
    report.add_argument("--json", action="store_true", help="print the records, with their specs, as JSON")
    curves = "the learning curves too: in tables, a row for every epoch instead of every run"
    report.add_argument("--curves", action="store_true", help=curves)


def run(arguments: argparse.Namespace) -> int:
    """Runs the command; returns the exit code. Raises `EdgesdtError`."""
    from edgesdt.report import export, write

    outputs = {"--out": arguments.out, "--csv": arguments.csv, "--parquet": arguments.parquet}
    tables = {export.csv_file: arguments.csv, export.parquet_file: arguments.parquet}
    taken = [option for option, out in outputs.items() if out == STDOUT]
    if arguments.out == STDOUT or (taken and arguments.json):
        raise EdgesdtError(f"{taken[0]}: -: standard output is for one of --csv, --parquet and --json")
    if arguments.curves and not arguments.json and not any(tables.values()):
        raise EdgesdtError("--curves: goes with --csv, --parquet or --json; a page shows the curves anyway")
    read = [folder / name for folder in arguments.folders for name in KEPT]
    refuse_losses(outputs, [*read, *([Path(arguments.table)] if arguments.table else [])])
    told = sys.stderr if taken or arguments.json else sys.stdout
    if arguments.json:
        found = export.plain(arguments.folders, table=arguments.table, curves=arguments.curves, say=_warn)
        print(json.dumps(found, indent=1))
    if arguments.out is not None or not (arguments.json or any(tables.values())):
        print(write(arguments.folders, arguments.out, table=arguments.table, say=_warn), file=told)
    for make, out in tables.items():
        if out is not None:
            made = make(arguments.folders, out, table=arguments.table, curves=arguments.curves, say=_warn)
            if made != STDOUT:
                print(made, file=told)
    return 0


def _warn(line: str) -> None:
    print(f"warning: {line}", file=sys.stderr)
