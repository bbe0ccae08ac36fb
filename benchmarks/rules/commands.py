"""The command `python -m benchmarks.rules`: runs what is missing, keeps records, and writes the page from them."""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

from benchmarks.rules import grid
from edgesdt.errors import EdgesdtError
from edgesdt.runs import record

TINY = {"train": 400, "test": 200}
"""Samples of a try of the whole grid, in a minute or two."""


def run(out: Path, cases: Iterable[grid.Case], tiny: bool = False) -> int:
    """Runs what is missing in folder `out`, one file a case; returns the number of cases that failed."""
    from benchmarks.rules.measure import measured

    out.mkdir(parents=True, exist_ok=True)
    failed = 0
    for case in cases:
        path = out / f"{case.name}.json"
        if path.exists():
            continue
        started = time.process_time()
        try:
            made = measured(case, **TINY) if tiny else measured(case)
        except EdgesdtError as error:
            print(f"{case.name}: {error}", flush=True)
            failed += 1
            continue
        record.write(path, made)
        told = made["refused"] if "refused" in made else f"{made['untrained']} -> {made['last']}"
        print(f"{case.name}: {told}, {time.process_time() - started:.1f} s", flush=True)
    return failed


def _keep(out: Path) -> int:
    import json

    from benchmarks.rules import findings

    found = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(out.glob("*.json"))]
    if not found:
        raise EdgesdtError(f"{out}: no records here; run the comparison first")
    findings.RECORDS.write_text(findings.text_of(found), encoding="utf-8")
    print(f"{len(found)} records kept")
    return 0


def _page(check: bool) -> int:
    from benchmarks.rules import page

    stale = page.stale()
    if check:
        print(f"{page.PAGE.name}: {', '.join(stale) + ': not made from the kept records' if stale else 'ok'}")
        return int(bool(stale))
    page.write()
    return 0


def main(arguments: Sequence[str]) -> int:
    """The command; returns its exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.rules", description=(__doc__ or "").partition("\n")[0])
    actions = parser.add_subparsers(dest="action", required=True)
    runs = actions.add_parser("run", help="run what is missing")
    runs.add_argument("out", type=Path, metavar="OUT")
    runs.add_argument("--seeds", type=int, nargs="+", default=list(grid.SEEDS), metavar="N")
    runs.add_argument("--sets", nargs="+", choices=grid.SETS, default=list(grid.SETS))
    runs.add_argument("--budgets", type=int, nargs="+", choices=grid.BUDGETS, default=list(grid.BUDGETS))
    runs.add_argument("--parts", nargs="+", choices=grid.PARTS, default=list(grid.PARTS))
    runs.add_argument("--tiny", action="store_true", help="few samples of each, to see that it works; not for the page")
    keeps = actions.add_parser("keep", help="keep the records of OUT with the code")
    keeps.add_argument("out", type=Path, metavar="OUT")
    pages = actions.add_parser("page", help="write RULES.md and its charts from the kept records")
    pages.add_argument("--check", action="store_true", help="only say whether they are up to date")
    given = parser.parse_args(arguments)
    if given.action == "run":
        every = grid.cases(given.seeds, given.sets, given.budgets)
        return int(run(given.out, (case for case in every if case.part in given.parts), given.tiny) > 0)
    return _keep(given.out) if given.action == "keep" else _page(given.check)
