"""`edgesdt run`: trains, evaluates and prices a chip, or runs an ablation of it."""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgesdt.cli.spec_arguments import EXIT_CODES, Shorthand, add_spec, spec_of
from edgesdt.errors import EdgesdtError

if TYPE_CHECKING:
    pass


def add_parser(commands: Any) -> None:
    """Adds `run` to the commands. Imports nothing."""
    run = commands.add_parser("run", help="train, evaluate and price a chip; writes a run folder", epilog=EXIT_CODES)
    add_spec(run)
    run.add_argument("--out", type=Path, metavar="DIR", help="run folder (default: runs/NAME-SEED)")
    run.add_argument("--seed", type=int, action=Shorthand, metavar="N", help="the same as --set seed=N")
    run.add_argument("--threads", type=_threads, metavar="N", help="threads for inference (default: all cores)")
    run.add_argument("--ablate", action="store_true", help="run the chip with each non-ideality alone, and with all "
                                                           "but one")
    run.add_argument("--seeds", type=_seeds, metavar="N,N,...", help="seeds of an ablation (--ablate), for intervals")
    run.add_argument("--quiet", action="store_true", help="no progress")
    run.add_argument("--json", action="store_true", help="print the record instead of the summary")


def _threads(text: str) -> int:
    try:
        number = int(text)
    except ValueError:
        number = 0
    if not 1 <= number <= 1024:
        raise argparse.ArgumentTypeError(f"{text!r}: allowed: 1..1024")
    return number


def _seeds(text: str) -> list[int]:
    """`0,1,2` as numbers."""
    allowed = "allowed: different numbers in 0..4294967295, such as 0,1,2"
    found: list[int] = []
    for word in map(str.strip, text.split(",")):
        if not (word.isascii() and word.isdecimal() and len(word) < 11 and int(word) < 2**32):
            raise argparse.ArgumentTypeError(f"{text!r}: {word!r} is no seed, {allowed}")
        if int(word) in found:
            raise argparse.ArgumentTypeError(f"{text!r}: {word} twice, {allowed}")
        found.append(int(word))
    return found


def run(arguments: argparse.Namespace) -> int:
    """Runs the command; returns the exit code. Raises `EdgesdtError`."""
    if arguments.seeds is not None and (not arguments.ablate or arguments.seed is not None):
        told = "goes with --ablate; a sweep with 'seed: [0, 1, 2]' runs other chips with several seeds"
        raise EdgesdtError(f"--seeds: {told if arguments.seed is None else 'allowed: --seed or --seeds, not both'}")
    if arguments.seeds is not None and any(each.partition("=")[0].strip() == "seed" for each in arguments.overrides):
        raise EdgesdtError("--seeds: allowed: --set seed=N or --seeds, not both")
    spec = spec_of(arguments)
    from edgesdt.runs import record
    from edgesdt.runs.experiment import run

    out = arguments.out or Path("runs") / f"{spec.name}-{spec.seed}"
    live = sys.stderr.isatty() and not arguments.quiet

    def say(line: str) -> None:
        if not arguments.quiet:
            print(("\r\033[K" if live else "") + line, file=sys.stderr, flush=True)

    def show(line: str) -> None:
        if live:
            print("\r\033[K" + line, end="", file=sys.stderr, flush=True)

    threads = arguments.threads or len(os.sched_getaffinity(0))
    if arguments.ablate:
        from edgesdt.runs import ablation

        seeds, name = arguments.seeds, f"{spec.name}-{spec.seed}"
        out = arguments.out or Path("runs") / f"{spec.name if seeds else name}-ablation"
        if seeds:
            result = ablation.ablate_seeds(spec, seeds, out, say, show=show, threads=threads)
        else:
            result = ablation.ablate(spec, out, say, show=show, threads=threads)
        told = json.dumps(result, indent=1) if arguments.json else ablation.table(result)
        print(told if arguments.json else f"{told}\nreport: {out / 'report.html'}")
        return 0
    made = run(spec, out, say=say, show=show, threads=threads)
    if arguments.json:
        print(json.dumps(made, indent=1))
    else:
        print(record.summary(made))
        print(f"report: {out / 'report.html'}")
    return 0
