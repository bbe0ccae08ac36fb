"""The argument parser of every level of the command line: faults in one line with did-you-mean, help alone.

Knows no command; `cli.py` and its neighbours build their parsers of this class.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterable, Sequence
from typing import Any, NoReturn


class Parser(argparse.ArgumentParser):
    """Says what is wrong with the arguments in one line, then where the help is.

    After parsing, `parser` of the namespace is the parser of the innermost command that was given.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.set_defaults(parser=self)
        self._negative_number_matcher = re.compile(r"-\.?\d")  # `-1,2` is a wrong value, not an unknown option

    def error(self, message: str) -> NoReturn:
        """End with exit code 2 and one line on standard error."""
        self.exit(2, f"{self.prog}: {message} (see '{self.prog} --help')\n")

    def explain(self) -> NoReturn:
        """Print the whole help on standard error, for a command that was given without its own, and end with 2."""
        self.print_help(sys.stderr)
        self.exit(2)

    def refuse(self, left: Sequence[str], top: Parser) -> NoReturn:
        """End with what is wrong with arguments that no parser took; `top` is the parser of the whole command line."""
        word = next((word for word in left if word.startswith("-")), left[0]).partition("=")[0]
        hint = _did_you_mean(word, self.options()) if word.startswith("-") else ""
        if word in top.options() and self is not top:
            hint = f" ({word} goes right after '{top.prog}')"
        elif self is top and not hint:
            hint = " (options of a command go after it)"
        self.error(f"unrecognized arguments: {' '.join(left)}{hint}")

    def options(self) -> list[str]:
        """The long options that this parser takes."""
        return [name for action in self._actions for name in action.option_strings if name.startswith("--")]

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        """As argparse does, with a suggestion: the command or choice that looks most alike."""
        if action.choices is None or value in action.choices:
            return
        names = [str(choice) for choice in action.choices]
        text = f"invalid choice: {str(value)!r}, allowed: {', '.join(names)}{_did_you_mean(str(value), names)}"
        raise argparse.ArgumentError(action, text)


def parse(top: Parser, argv: Sequence[str] | None) -> argparse.Namespace:
    """The arguments; ends the process with exit code 2 for what is wrong, and with the help of a bare command."""
    words = sys.argv[1:] if argv is None else list(argv)
    first = words[0].partition("=")[0] if words else ""
    if first.startswith("--") and not any(name.startswith(first) for name in top.options()):
        top.refuse(words[:1], top)  # argparse would take what follows for a command
    arguments, left = top.parse_known_args(words)
    inner: Parser = arguments.parser
    if left:
        inner.refuse(left, top)
    if any(isinstance(action, argparse._SubParsersAction) for action in inner._actions):
        inner.explain()
    return arguments


def _did_you_mean(word: str, names: Iterable[str]) -> str:
    from edgesdt.spec.hints import nearest  # loads the whole schema: only for a fault

    by_name = {name.lstrip("-"): name for name in names}
    found = nearest(word.lstrip("-"), by_name)
    return f" (did you mean {by_name[found]!r}?)" if found is not None else ""
