"""Reproduces published results (and the project's own bars) and prints a comparison, row by row.

`python -m benchmarks.reproduce [--quick] [--keep] [NAME...]`: the rows are the YAML files of the folders of
`reproductions`, a NAME is a row or a folder. Runs are in `runs/reproduce/NAME-SEED` and are resumed if they stopped. A
shortfall is printed and gives exit code 1. With `--keep`, records of finished runs are kept with the code, and
`python -m benchmarks.results` makes tables of them.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks import command, records, tables
from benchmarks.reproductions import Row, chosen

HEAD = ["row", "read-out", "published %", "ours % (each seed)", "ours − published", "bar %", "verdict"]
SHORT = "FALLS SHORT"


def table(row: Row, made: Sequence[dict[str, Any]], quick: bool = False) -> list[list[str]]:
    """The lines of one row of the result, one per read-out, from the records `made` of its seeds."""
    lines = []
    for metric in row.metrics():
        found = [record["accuracy"].get(metric) for record in made]
        ours = [float(value) for value in found if value is not None]
        lines.append(
            [
                row.name,
                metric.replace("_", " "),
                _published(row, metric),
                ", ".join(f"{100 * value:.2f}" for value in ours) or "not read out",
                _gap(row, metric, ours),
                f"{100 * row.bar[metric]:.2f}" if metric in row.bar else "–",
                "not judged (quick)" if quick else verdict(row, metric, ours),
            ]
        )
    return lines


def _published(row: Row, metric: str) -> str:
    if row.published is None or metric not in row.published.accuracy:
        return "–"
    mean, deviation = row.published.accuracy[metric]
    return f"{100 * mean:.2f}" if deviation is None else f"{100 * mean:.2f} ± {100 * deviation:.2f}"


def _gap(row: Row, metric: str, ours: Sequence[float]) -> str:
    if row.published is None or metric not in row.published.accuracy or not ours:
        return "–"
    return f"{100 * (sum(ours) / len(ours) - row.published.accuracy[metric][0]):+.2f}"


def verdict(row: Row, metric: str, ours: Sequence[float]) -> str:
    """Text on whether `ours` meet the bar and the stretch goal of `metric`; a missing figure meets none.

    The mean of three seeds or more is judged, else the worst seed.
    """
    if metric not in row.bar and metric not in row.stretch:
        return "no bar"
    judged = sum(ours) / len(ours) if len(ours) > 2 else min(ours, default=0.0)
    bar, stretch = row.bar.get(metric), row.stretch.get(metric)
    if bar is not None and judged < bar:
        return f"{SHORT} by {100 * (bar - judged):.2f}"
    held = "no bar" if bar is None else "holds"
    if stretch is None:
        return held
    above = 100 * (judged - stretch)
    return f"{held}, stretch holds" if above >= 0 else f"{held}, {-above:.2f} below its stretch"


def run(row: Row, out: Path, threads: int, quick: bool) -> list[dict[str, Any]]:
    """Runs (or resumes, or reads) the row's seeds in folders of `out`; returns their records."""
    from edgesdt.runs.experiment import run as run_spec

    made = []
    for seed in row.seeds[:1] if quick else row.seeds:
        spec = row.load(seed, quick)
        folder = out / f"{spec.name}-{seed}"
        print(f"{row.name}: {folder}", file=sys.stderr, flush=True)
        made.append(run_spec(spec, folder, say=_say, threads=threads, report=not quick))
    return made


def _say(line: str) -> None:
    print(f"  {line}", file=sys.stderr, flush=True)


def main(arguments: Sequence[str]) -> int:
    """The command; returns its exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.reproduce", description=__doc__.partition("\n")[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help="rows to run (default: all)")
    parser.add_argument("--quick", action="store_true", help="one short epoch each, one seed: tests that it runs")
    parser.add_argument("--keep", action="store_true", help="keep the records of the runs with the code")
    parser.add_argument("--out", type=Path, default=Path("runs/reproduce"), metavar="DIR", help="folder of the runs")
    parser.add_argument("--threads", type=int, default=1, metavar="N", help="threads for inference")
    parser.add_argument("--list", action="store_true", help="only list the rows")
    options = parser.parse_args(arguments)
    rows = chosen(options.names)
    if options.list:
        print("\n".join(f"{row.name}: {row.title}\n    {row.source}" for row in rows))
        return 0
    if options.keep and options.quick:
        parser.error("--keep: a quick run is no result to keep; leave out --quick")
    without = [row.name for row in rows if row.spec is None]
    rows = [row for row in rows if row.spec is not None]
    for row in rows:
        for seed in row.seeds:
            row.load(seed)  # an invalid row is found before hours of runs
    lines = [HEAD]
    for row in rows:
        made = run(row, options.out, options.threads, options.quick)
        lines += table(row, made, options.quick)
        for record in made if options.keep else ():
            print(records.keep(record), file=sys.stderr)
    print(tables.plain(lines))
    if without:
        print(f"no spec yet: {', '.join(without)}")
    for row in rows:
        if row.note:
            print(f"{row.name}: {row.note}")
    return 1 if any(line[-1].startswith(SHORT) for line in lines) else 0


if __name__ == "__main__":
    command.finish(main)
