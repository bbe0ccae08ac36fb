"""`edgesdt check`: prints what a spec describes and its predicted cost, without a run."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING, Any

from edgesdt.cli.spec_arguments import add_assume, add_spec, spec_of

if TYPE_CHECKING:
    from edgesdt.spec import Spec


def add_parser(commands: Any) -> None:
    """Adds `check` to the commands. Imports nothing."""
    check = commands.add_parser("check", help="validate a spec and its data: memory map, layers, predicted cost")
    add_spec(check)
    check.add_argument("--resolved", action="store_true", help="print the whole spec with the values in use")
    add_assume(check)


def run(arguments: argparse.Namespace) -> int:
    """Runs the command; returns the exit code. Raises `EdgesdtError`."""
    spec = spec_of(arguments)
    from edgesdt.rules.lookup import cautions
    from edgesdt.runs import expected, preview, samples
    from edgesdt.spec.checks import drift, unused
    from edgesdt.suggest import frac_bits

    rough = frac_bits.without_data(spec)
    for sentence in [*unused.settings(spec), *drift.sentences(spec), *cautions(rough)]:
        print(f"warning: {sentence}", file=sys.stderr)
    if arguments.resolved:
        _points(arguments, spec)
        if arguments.assume is None and not samples.is_missing(spec):
            data = samples.load(spec, fetch=False)
            for sentence in samples.cautions(spec, data):
                print(f"warning: {sentence}", file=sys.stderr)
            rough = frac_bits.chosen(spec, data)
        print(preview.resolved(rough), end="")
        preview.enforce(rough)
        return 0
    preview.enforce(rough)
    if arguments.assume is None:
        chip, activity = expected.of(spec, lambda line: print(line, file=sys.stderr))
    else:
        chip, activity = rough, expected.assumed(arguments.assume)
    points = _points(arguments, spec)
    print(preview.preview(chip, activity))
    print(points, end="")
    return 0


def _points(arguments: argparse.Namespace, spec: Spec) -> str:
    """A line about the points of the spec's sweep, if it has one. Raises `SpecError` for any that cannot be."""
    if spec.sweep is None:
        return ""
    from edgesdt.spec.sweep.section import load_sweep
    from edgesdt.sweep.checking import check

    return f"sweep, {check(*load_sweep(arguments.spec, arguments.overrides), with_data=arguments.assume is None)}\n"
