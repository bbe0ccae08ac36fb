"""`edgesdt sweep`: plans or runs every point of a spec's `sweep:` section."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgesdt.errors import EdgesdtError, RunError, SpecError

if TYPE_CHECKING:
    from collections.abc import Callable

    from edgesdt.sweep.driver import Crew, Source
    from edgesdt.sweep.plan import SweepPlan
    from edgesdt.sweep.progress import Progress
    from edgesdt.sweep.store import Store

EPILOG = (
    "a second call with the same folder runs only what is missing; exit codes: 0 every run done, 1 some failed or the "
    "disk is full, 2 bad input, 130 interrupted (finished work is kept)"
)


def add_parser(commands: Any, spec_arguments: Any, assume_argument: Any) -> None:
    """Adds `sweep` to the commands; the two functions passed in add SPEC and --set, and --assume. Imports nothing."""
    about = "run every point of a spec's sweep: section; resumable"
    sweep = commands.add_parser("sweep", help=about, epilog=EPILOG)
    spec_arguments(sweep)
    where = sweep.add_mutually_exclusive_group()
    where.add_argument("--workers", type=_count, metavar="N", help="processes on this machine (default: all cores)")
    where.add_argument("--scheduler", metavar="ADDRESS", help="use a Dask cluster, such as tcp://HOST:8786")
    sweep.add_argument("--out", type=Path, metavar="DIR", help="sweep folder (default: runs/NAME-sweep)")
    sweep.add_argument("--plan", action="store_true", help="print points, predicted cost and time; run nothing")
    assume_argument(sweep)
    sweep.add_argument("--retry-failed", action="store_true", help="run failed points again, from their start")
    sweep.add_argument("--quiet", action="store_true", help="no progress")


def _count(text: str) -> int:
    number = int(text) if text.isdecimal() and len(text) < 6 else 0
    if not 1 <= number <= 1024:
        raise argparse.ArgumentTypeError(f"{text!r}: allowed: 1..1024")
    return number


def run(arguments: argparse.Namespace) -> int:
    """Runs the command; returns the exit code. Raises `EdgesdtError`."""
    from edgesdt.spec.sweep.section import load_sweep
    from edgesdt.sweep.plan import SweepPlan

    assumed = arguments.assume is not None
    if assumed and not arguments.plan:
        raise SpecError("--assume: only with --plan: a sweep that runs reads its data")
    plan = SweepPlan(*load_sweep(arguments.spec, arguments.overrides), with_data=not assumed)
    if arguments.plan:
        from edgesdt.sweep.plan_table import lines

        cores = arguments.workers or len(os.sched_getaffinity(0))
        for line in lines(plan, cores, arguments.assume, lambda told: print(told, file=sys.stderr)):
            print(line)
        return 0
    return _sweep(plan, arguments)


def _sweep(plan: SweepPlan, arguments: argparse.Namespace) -> int:
    from edgesdt.sweep import summary
    from edgesdt.sweep.driver import Driver
    from edgesdt.sweep.progress import Progress
    from edgesdt.sweep.store import Store

    out = arguments.out or Path("runs") / f"{plan.base.name}-sweep"
    source = _source(plan)
    get_crew = _crews(arguments)
    with Store(out, plan) as store:
        progress = Progress(plan, sys.stderr, sys.stderr.isatty(), arguments.quiet)
        driver = Driver(plan, source, store, get_crew, progress, arguments.retry_failed)
        before = signal.signal(signal.SIGTERM, _interrupt)
        try:
            driver.run()
        except KeyboardInterrupt:
            progress.end()
            print(_how_to_go_on("interrupted", progress, store, source), file=sys.stderr)
            return 130
        except RunError as error:
            progress.end()
            raise RunError(f"{error}\n{_how_to_go_on('stopped', progress, store, source)}") from error
        finally:
            signal.signal(signal.SIGTERM, before)
        progress.end()
        found = [row for row in (store.row_of(point) for point in source.points) if row is not None]
    for line in summary.lines(plan, found, progress, driver.workers, driver.busy_s):
        print(line)
    print(f"records: {out / 'records.jsonl'}")
    _report(out)
    failed = sum(row["status"] == "failed" for row in found)
    if failed:
        print(f"{failed} of {len(found)} runs failed; --retry-failed runs them again", file=sys.stderr)
    return 1 if failed else 0


def _source(plan: SweepPlan) -> Source:
    from edgesdt.sweep.driver import Planned

    if plan.sweep.method != "search":
        return Planned(plan)
    from edgesdt.sweep.search.search import Search

    return Search(plan)


def _crews(arguments: argparse.Namespace) -> Callable[[int], Crew]:
    """Returns a function that starts workers for a number of runs. A wrong cluster address fails at once."""
    if arguments.scheduler is not None:
        from edgesdt.sweep.workers.cluster import DaskCrew

        cluster = DaskCrew(arguments.scheduler)
        return lambda runs: cluster
    from edgesdt.sweep.workers.local import LocalCrew

    workers = arguments.workers or len(os.sched_getaffinity(0))
    return lambda runs: LocalCrew(min(workers, runs))


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def _how_to_go_on(what: str, progress: Progress, store: Store, source: Source) -> str:
    # counted on disk: the signal may come between a row and its count
    done = sum(store.look_at(point) == "done" for point in source.points)
    return (
        f"{what}: {done} of {progress.total} runs are done and kept in {store.path}; the same command goes on with "
        "the rest"
    )


def _report(out: Path) -> None:
    """Writes the report, if the report package is installed."""
    try:
        from edgesdt.report.sweep import page as report
    except ImportError:
        return
    try:
        made = report.write(out, say=lambda line: print(f"warning: {line}", file=sys.stderr))
        print(f"report: {made}")
    except EdgesdtError as error:
        print(f"the report could not be written: {error}", file=sys.stderr)
