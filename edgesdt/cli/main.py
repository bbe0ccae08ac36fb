"""The console script `edgesdt`: its commands, exit codes and streams, which other people's scripts rely on.

Progress goes to standard error, results to standard output. Each command imports the heavy modules that it needs.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from edgesdt import __version__
from edgesdt.cli import check, data, device, report, rules, run, specs, streams, suggest, sweep, warm
from edgesdt.cli.arguments import Parser, parse
from edgesdt.cli.spec_arguments import EXIT_CODES, add_assume, add_spec
from edgesdt.errors import EdgesdtError


def parser() -> Parser:
    """Builds the parser of the whole command line. It imports little, so that `--help` is fast."""
    top = Parser(prog="edgesdt", description="Simulate chips that learn at the edge.", epilog=EXIT_CODES)
    top.add_argument("--version", action="version", version=f"edgesdt {__version__}")
    top.add_argument("--debug", action="store_true", help="show the traceback of an error")
    commands = top.add_subparsers(dest="command", metavar="COMMAND", parser_class=Parser)

    for module in (run, check, suggest, warm, specs, report, data):
        module.add_parser(commands)
    device.add_parsers(commands, Parser)
    rules.add_parser(commands, Parser)
    sweep.add_parser(commands, add_spec, add_assume)
    return top


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command and returns its exit code. Bad input shows no traceback (unless `--debug`)."""
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
        _print_error(str(error), arguments.debug)
        return error.exit_code
    except KeyboardInterrupt:
        print("\ninterrupted; finished epochs are kept, and the same command goes on from there", file=sys.stderr)
        return 130
    except BrokenPipeError:
        raise
    except (MemoryError, OSError) as error:
        _print_error(f"edgesdt: the {arguments.command} failed: {type(error).__name__}: {error}", arguments.debug)
        return 1


def _print_error(fault: str, debug: bool) -> None:
    """Prints an error on standard error; with `--debug` its traceback comes first."""
    if debug:
        import traceback

        traceback.print_exc()
    print(fault, file=sys.stderr)


_COMMANDS = {
    "run": run.run,
    "check": check.run,
    "suggest": suggest.run,
    "warm": warm.run,
    "sweep": sweep.run,
    "specs": specs.run,
    "report": report.run,
    "data": data.run,
    "device": device.run,
    "rules": rules.run,
}
