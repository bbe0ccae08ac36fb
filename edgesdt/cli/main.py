"""The command line: one console script, `edgesdt`; exit codes and streams as promised to other people's scripts.

Progress goes to standard error, results to standard output. Everything heavy is imported by the command that needs it.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgesdt import __version__
from edgesdt.cli import device, rules, streams, sweep
from edgesdt.cli.arguments import Parser, parse
from edgesdt.errors import EdgesdtError
from edgesdt.files.outputs import KEPT, STDOUT, refuse_losses

if TYPE_CHECKING:
    from edgesdt.spec import Spec

EXIT_CODES = "exit codes: 0 done, 1 the run failed, 2 bad input, 130 interrupted (finished work is kept)"


def parser() -> Parser:
    """The whole command line; import-light, so that `--help` is quick."""
    top = Parser(prog="edgesdt", description="Simulate chips that learn at the edge.", epilog=EXIT_CODES)
    top.add_argument("--version", action="version", version=f"edgesdt {__version__}")
    top.add_argument("--debug", action="store_true", help="show the traceback of an error")
    commands = top.add_subparsers(dest="command", metavar="COMMAND", parser_class=Parser)

    run = commands.add_parser("run", help="train, evaluate and price a chip; writes a run folder", epilog=EXIT_CODES)
    _spec_arguments(run)
    run.add_argument("--out", type=Path, metavar="DIR", help="run folder (default: runs/NAME-SEED)")
    run.add_argument("--seed", type=int, metavar="N", help="the same as --set seed=N")
    run.add_argument("--threads", type=_threads, metavar="N", help="threads for inference (default: all cores)")
    run.add_argument("--ablate", action="store_true", help="run it with each non-ideality alone and with all but one")
    run.add_argument("--seeds", type=_seeds, metavar="N,N,...", help="seeds of an ablation (--ablate), for intervals")
    run.add_argument("--quiet", action="store_true", help="no progress")
    run.add_argument("--json", action="store_true", help="print the record instead of the summary")

    check = commands.add_parser("check", help="validate a spec and its data: memory map, layers, predicted cost")
    _spec_arguments(check)
    check.add_argument("--resolved", action="store_true", help="print the whole spec with the values really used")
    assume_argument(check)

    suggest = commands.add_parser("suggest", help="propose a spec for a data set, to be edited", epilog=EXIT_CODES)
    suggest.add_argument("data", metavar="DATA", help="a data set by name, or an .npz file")
    suggest.add_argument("--out", type=Path, metavar="FILE", help="write it there instead of to standard output")
    suggest.add_argument("--quiet", action="store_true", help="no progress")

    warm = commands.add_parser("warm", help="compile ahead what the first runs would compile, for every kind of chip")
    warm.add_argument("spec", nargs="?", metavar="SPEC", help="only what this spec needs (plug-in devices, too)")

    commands.add_parser("specs", help="list the specs that come with edgesdt")

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

    data = commands.add_parser("data", help="list or fetch data sets").add_subparsers(
        dest="data_command", metavar="COMMAND", parser_class=Parser
    )
    data.add_parser("list", help="data sets, where each comes from, licence, checksums")
    fetch = data.add_parser("fetch", help="fetch a data set into the cache, or into a folder")
    fetch.add_argument("name", metavar="NAME")
    fetch.add_argument("--dir", type=Path, metavar="DIR", help="folder to put it in, as NAME/ (for EDGESDT_DATA)")
    device.add_parsers(commands, Parser)
    rules.add_parser(commands, Parser)
    sweep.add_parser(commands, _spec_arguments, assume_argument)
    return top


def _spec_arguments(command: argparse.ArgumentParser) -> None:
    command.add_argument("spec", metavar="SPEC", help="a YAML file, or a name from 'edgesdt specs'")
    command.add_argument(
        "--set", action="append", default=[], metavar="KEY=VALUE", dest="overrides", help="override one field"
    )


def assume_argument(command: argparse.ArgumentParser) -> None:
    """Add `--assume`: a prediction without data."""
    about = "read no data: predict for this share of inputs that are not zero (default: 0.2)"
    command.add_argument("--assume", nargs="?", type=_share, const=0.2, metavar="SHARE", help=about)


def _share(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if not 0 <= number <= 1:
        raise argparse.ArgumentTypeError(f"{text!r}: allowed: a share 0..1, or none (then after SPEC)")
    return number


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
    words = text.split(",")
    found = [int(word) for word in words if word.strip().isdecimal() and len(word.strip()) < 11]
    if len(found) < len(words) or len(set(found)) < len(found) or max(found) >= 2**32:
        raise argparse.ArgumentTypeError(f"{text!r}: allowed: different numbers in 0..2^32-1, such as 0,1,2")
    return found


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code and never lets bad input show a traceback (unless `--debug`)."""
    try:
        with streams.prepared() as lost:
            code = _called(argv)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    if lost and code == 0:
        print("edgesdt: standard output is closed: done, but the result is not shown", file=sys.stderr)
        return 1
    return code


def _called(argv: Sequence[str] | None) -> int:
    arguments = parse(parser(), argv)
    try:
        return _COMMANDS[arguments.command](arguments)
    except EdgesdtError as error:
        _tell(str(error), arguments.debug)
        return error.exit_code
    except KeyboardInterrupt:
        print("\ninterrupted; finished epochs are kept, and the same command goes on from there", file=sys.stderr)
        return 130
    except BrokenPipeError:
        raise
    except (MemoryError, OSError) as error:
        _tell(f"edgesdt: the {arguments.command} failed: {type(error).__name__}: {error}", arguments.debug)
        return 1


def _tell(fault: str, debug: bool) -> None:
    """Show what went wrong with the exception at hand on standard error, under its traceback if asked for."""
    if debug:
        import traceback

        traceback.print_exc()
    print(fault, file=sys.stderr)


def _spec(arguments: argparse.Namespace) -> Spec:
    from edgesdt.spec import load

    overrides = list(arguments.overrides)
    if getattr(arguments, "seed", None) is not None:
        overrides.append(f"seed={arguments.seed}")
    return load(arguments.spec, overrides)


def _run(arguments: argparse.Namespace) -> int:
    if arguments.seeds is not None and (not arguments.ablate or arguments.seed is not None):
        told = "goes with --ablate; a sweep with 'seed: [0, 1, 2]' runs other chips with several seeds"
        raise EdgesdtError(f"--seeds: {told if arguments.seed is None else 'allowed: --seed or --seeds, not both'}")
    spec = _spec(arguments)
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


def _check(arguments: argparse.Namespace) -> int:
    spec = _spec(arguments)
    from edgesdt.rules.lookup import rule_of
    from edgesdt.runs import expected, preview, samples
    from edgesdt.spec import drift, unused
    from edgesdt.suggest import frac_bits

    for sentence in [*unused.settings(spec), *drift.sentences(spec), *rule_of(spec).cautions(spec)]:
        print(f"warning: {sentence}", file=sys.stderr)
    rough = frac_bits.without_data(spec)
    if arguments.resolved:
        if arguments.assume is None and not samples.is_missing(spec):
            rough = frac_bits.chosen(spec, samples.load(spec, fetch=False))
        print(preview.resolved(rough), end="")
        preview.enforce(rough)
        return 0
    preview.enforce(rough)
    if arguments.assume is None:
        print(preview.preview(*expected.of(spec, lambda line: print(line, file=sys.stderr))))
    else:
        print(preview.preview(rough, expected.assumed(arguments.assume)))
    return 0


def _suggest(arguments: argparse.Namespace) -> int:
    from edgesdt.runs import record
    from edgesdt.suggest import search, suggestion

    def say(line: str) -> None:
        if not arguments.quiet:
            print(line, file=sys.stderr, flush=True)

    refuse_losses({"--out": arguments.out}, [Path(arguments.data)])
    text = suggestion.written(search.suggest(arguments.data, say))
    if arguments.out is None:
        print(text, end="")
    else:
        record.write_atomically(arguments.out, text.encode())
        print(arguments.out)
    return 0


def _warm(arguments: argparse.Namespace) -> int:
    from edgesdt.spec import load

    specs = [] if arguments.spec is None else [load(arguments.spec)]
    from edgesdt.runs import rehearsal
    from edgesdt.runs.compilation import watched

    with watched(lambda line: print(line, file=sys.stderr, flush=True)) as compilation, compilation.together():
        for spec in specs or rehearsal.kinds():
            rehearsal.rehearse(spec)
    print(f"ready: the kernels of {arguments.spec or 'every kind of chip'} are compiled")
    return 0


def _specs(_: argparse.Namespace) -> int:
    from edgesdt.spec import shipped

    found = shipped()
    width = max(len(name) for name, _ in found)
    for name, line in found:
        print(f"{name.ljust(width)}  {line}")
    return 0


def _report(arguments: argparse.Namespace) -> int:
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


def _data(arguments: argparse.Namespace) -> int:
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


_COMMANDS = {
    "run": _run,
    "check": _check,
    "warm": _warm,
    "suggest": _suggest,
    "sweep": sweep.run,
    "specs": _specs,
    "report": _report,
    "data": _data,
    "device": device.run,
    "rules": rules.run,
}
