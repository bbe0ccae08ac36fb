"""The argument parser of every level of the command line: reports an error in one line, with a suggestion.

It contains no command; the modules of the commands build their parsers from this class.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterable, Sequence
from typing import Any, NoReturn


class Parser(argparse.ArgumentParser):
    """A parser that reports wrong arguments in one line and names the help.

    After parsing, the attribute `parser` of the namespace holds the parser of the innermost command.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.set_defaults(parser=self)
        self._negative_number_matcher = re.compile(r"-\.?\d")  # `-1,2` is a wrong value, not an unknown option

    def error(self, message: str) -> NoReturn:
        """Ends with exit code 2 and one line on standard error."""
        self.exit(2, f"{self.prog}: {message} (see '{self.prog} --help')\n")

    def explain(self) -> NoReturn:
        """Prints the whole help on standard error and ends with exit code 2, for a command without its sub-command."""
        self.print_help(sys.stderr)
        self.exit(2)

    def refuse(self, left: Sequence[str], top: Parser) -> NoReturn:
        """Ends with an error about arguments that no parser accepted; `top` is the parser of the whole command line."""
        word = next((word for word in left if word.startswith("-")), left[0]).partition("=")[0]
        hint = _did_you_mean(word, self.options()) if word.startswith("-") else ""
        if word in top.options() and self is not top:
            hint = f" ({word} goes right after '{top.prog}')"
        elif self is top and not hint:
            hint = " (options of a command go after it)"
        self.error(f"unrecognized arguments: {' '.join(left)}{hint}")

    def options(self) -> list[str]:
        """The long options of this parser."""
        return [name for action in self._actions for name in action.option_strings if name.startswith("--")]

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        """Checks a choice as argparse does, and suggests the most similar command or choice."""
        if action.choices is None or value in action.choices:
            return
        names = [str(choice) for choice in action.choices]
        text = f"invalid choice: {str(value)!r}, allowed: {', '.join(names)}{_did_you_mean(str(value), names)}"
        raise argparse.ArgumentError(action, text)


def parse(top: Parser, argv: Sequence[str] | None) -> argparse.Namespace:
    """Returns the parsed arguments.

    Wrong arguments end the process with exit code 2; a bare command also prints its help.
    """
    words = sys.argv[1:] if argv is None else list(argv)
    first = words[0].partition("=")[0] if words else ""
    if first.startswith("--") and not any(name.startswith(first) for name in top.options()):
        top.refuse(words[:1], top)  # argparse would read the next word as a command
    arguments, left = top.parse_known_args(words)
    inner: Parser = arguments.parser
    if left:
        inner.refuse(left, top)
    if any(isinstance(action, argparse._SubParsersAction) for action in inner._actions):
        inner.explain()
    return arguments


def _did_you_mean(word: str, names: Iterable[str]) -> str:
    from edgesdt.spec.checks.hints import nearest  # this loads the whole schema, so import it only after an error

    by_name = {name.lstrip("-"): name for name in names}
    found = nearest(word.lstrip("-"), by_name)
    return f" (did you mean {by_name[found]!r}?)" if found is not None else ""
