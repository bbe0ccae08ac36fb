"""Arguments that several commands share (SPEC, `--set`, `--assume`), and the spec that they name."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from edgesdt.spec import Spec

EXIT_CODES = "exit codes: 0 done, 1 the run failed, 2 bad input, 130 interrupted (finished work is kept)"


def add_spec(command: argparse.ArgumentParser) -> None:
    """Adds SPEC and `--set`."""
    command.add_argument("spec", metavar="SPEC", help="a YAML file, or a name from 'edgesdt specs'")
    command.add_argument(
        "--set", action="append", default=[], metavar="KEY=VALUE", dest="overrides", help="override one field"
    )


def spec_of(arguments: argparse.Namespace) -> Spec:
    """Loads the spec with its overrides, including `--seed`. Raises `SpecError`."""
    from edgesdt.spec import load

    overrides = list(arguments.overrides)
    if getattr(arguments, "seed", None) is not None:
        overrides.append(f"seed={arguments.seed}")
    return load(arguments.spec, overrides)


def add_assume(command: argparse.ArgumentParser) -> None:
    """Adds `--assume`, which predicts without data."""
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
