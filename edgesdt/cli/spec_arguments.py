"""Arguments that several commands share (SPEC, `--set`, `--assume`), and the spec that they name."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

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
    """The spec with its overrides, `--seed` among them, each in its turn. Raises `SpecError`."""
    from edgesdt.spec import load

    return load(arguments.spec, arguments.overrides)


class Shorthand(argparse.Action):
    """An option that stands for `--set NAME=VALUE`: of several that set one field, the last counts, as of `--set`."""

    def __call__(
        self, parser: argparse.ArgumentParser, namespace: argparse.Namespace, values: Any, option: str | None = None
    ) -> None:
        """Keep the value, and set the field of the option's name to it."""
        setattr(namespace, self.dest, values)
        namespace.overrides = [*namespace.overrides, f"{self.dest}={values}"]


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
