"""The command line: one console script, `edgesdt`; exit codes and streams as promised to other people's scripts.

Progress goes to standard error, results to standard output. Everything heavy is imported by the command that needs it.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from edgesdt import __version__
from edgesdt.cli import device, sweep
from edgesdt.cli.outputs import KEPT, refuse_losses
from edgesdt.errors import EdgesdtError

if TYPE_CHECKING:
    from edgesdt.spec import Spec

EXIT_CODES = "exit codes: 0 done, 1 the run failed, 2 bad input, 130 interrupted (finished work is kept)"


class _Parser(argparse.ArgumentParser):
    """Says what is wrong with the arguments in one line, then where the help is."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message} (see '{self.prog} --help')\n")


def parser() -> argparse.ArgumentParser:
    """The whole command line; import-light, so that `--help` is quick."""
    top = _Parser(prog="edgesdt", description="Simulate chips that learn at the edge.", epilog=EXIT_CODES)
    top.add_argument("--version", action="version", version=f"edgesdt {__version__}")
    top.add_argument("--debug", action="store_true", help="show the traceback of an error")
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND", parser_class=_Parser)

    run = commands.add_parser("run", help="train, evaluate and price a chip; writes a run folder", epilog=EXIT_CODES)
    _spec_arguments(run)
    run.add_argument("--out", type=Path, metavar="DIR", help="run folder (default: runs/NAME-SEED)")
    run.add_argument("--seed", type=int, metavar="N", help="the same as --set seed=N")
    run.add_argument("--threads", type=_threads, metavar="N", help="threads for inference (default: all cores)")
    run.add_argument("--ablate", action="store_true", help="run it with each non-ideality alone and with all but one")
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

    commands.add_parser("specs", help="list the specs that come with edgesdt")

    report = commands.add_parser("report", help="report on runs and sweeps from their records, without running")
    report.add_argument("folders", nargs="+", type=Path, metavar="DIR", help="run folder or sweep folder")
    place = "where to write it (default: in the first DIR: report.html, report-TECHNOLOGY.html, comparison.html)"
    report.add_argument("--out", type=Path, metavar="FILE", help=place)
    report.add_argument("--table", metavar="TECHNOLOGY", help="price with another technology table")
    report.add_argument("--csv", type=Path, metavar="FILE", help="write the records as CSV instead of a page")
    report.add_argument("--parquet", type=Path, metavar="FILE", help="the same as Parquet; needs pyarrow")

    data = commands.add_parser("data", help="list or fetch data sets").add_subparsers(
        dest="data_command", required=True, metavar="COMMAND", parser_class=_Parser
    )
    data.add_parser("list", help="data sets, where each comes from, licence, checksums")
    fetch = data.add_parser("fetch", help="fetch a data set into the cache, or into a folder")
    fetch.add_argument("name", metavar="NAME")
    fetch.add_argument("--dir", type=Path, metavar="DIR", help="folder to put it in, as NAME/ (for EDGESDT_DATA)")
    device.add_parsers(commands, _Parser)
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


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code and never lets bad input show a traceback (unless `--debug`)."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal without µ or β still gets its answer
    arguments = parser().parse_args(argv)
    try:
        code = _COMMANDS[arguments.command](arguments)
        sys.stdout.flush()  # so that a reader who has gone is noticed here and not by the interpreter as it ends
        return code
    except EdgesdtError as error:
        _tell(str(error), arguments.debug)
        return error.exit_code
    except KeyboardInterrupt:
        print("\ninterrupted; finished epochs are kept, and the same command goes on from there", file=sys.stderr)
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
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

        result = ablation.ablate(spec, arguments.out or Path(f"{out}-ablation"), say, show=show, threads=threads)
        print(json.dumps(result, indent=1) if arguments.json else ablation.table(result))
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
    from edgesdt.runs import expected, preview, samples
    from edgesdt.spec import unused
    from edgesdt.suggest import frac_bits

    for sentence in unused.settings(spec):
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
    refuse_losses(outputs, (folder / name for folder in arguments.folders for name in KEPT))
    wanted = {write: arguments.out, export.csv_file: arguments.csv, export.parquet_file: arguments.parquet}
    files = {make: out for make, out in wanted.items() if out is not None} or {write: None}
    for make, out in files.items():
        print(make(arguments.folders, out, table=arguments.table))
    return 0


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
    "suggest": _suggest,
    "sweep": sweep.run,
    "specs": _specs,
    "report": _report,
    "data": _data,
    "device": device.run,
}
