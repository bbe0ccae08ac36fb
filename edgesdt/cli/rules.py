"""`edgesdt rules list | show NAME`: the learning rules of edgesdt and of plug-ins, from their own descriptions."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING, Any

from edgesdt.errors import EdgesdtError, RuleError
from hw_models.foreign import printable, printable_lines

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

    from edgesdt.rules.protocol import Rule
    from edgesdt.spec import FieldDoc


class RuleNameError(EdgesdtError):
    """No learning rule has that name."""


def add_parser(commands: Any, parser_class: type[argparse.ArgumentParser]) -> None:
    """Adds `rules` with its two commands."""
    rules = commands.add_parser("rules", help="list the learning rules, or show one").add_subparsers(
        dest="rules_command", metavar="COMMAND", parser_class=parser_class
    )
    rules.add_parser("list", help="the rules with a line each")
    show = rules.add_parser("show", help="source, targets, read-outs, synapses and settings of a rule")
    show.add_argument("name", metavar="NAME")


def run(arguments: argparse.Namespace) -> int:
    """Runs `edgesdt rules …`; returns the exit code."""
    from edgesdt import registry

    if arguments.rules_command == "list":
        width = max(len(name) for name in registry.names())
        for name in registry.names():
            try:
                print(printable(f"{name.ljust(width)}  {registry.load(name).summary}"))
            except RuleError as error:  # a broken plug-in must not hide the other rules
                print(error, file=sys.stderr)
        return 0
    if arguments.name not in registry.names():
        from edgesdt.spec.checks.hints import did_you_mean, shown

        hint = did_you_mean(arguments.name, registry.names())
        raise RuleNameError(f"unknown rule: {shown(arguments.name)}, allowed: {', '.join(registry.names())}{hint}")
    print(printable_lines(described(registry.load(arguments.name), registry.plug_in(arguments.name))))
    return 0


def described(rule: Rule, plug_in: EntryPoint | None = None) -> str:
    """Text about the rule: a headline, its targets, read-outs and synapses, its plug-in, and a line per setting."""
    from edgesdt import registry
    from edgesdt.spec import documented

    fields = list(documented(("learning",), rule.name))
    width = max(len(doc.path) for doc in fields)
    return "\n".join(
        [
            f"{rule.name}: {rule.summary}",
            f"  source     {rule.source}",
            *([] if plug_in is None else [f"  plug-in    {registry.told(plug_in)}"]),
            f"  targets    {', '.join(rule.targets)}",
            f"  read-outs  {', '.join(rule.readouts)}",
            f"  synapses   {', '.join(rule.synapses)}",
            "  settings",
            *(f"    {doc.path.ljust(width)}  {_setting(doc)}" for doc in fields),
        ]
    )


def _setting(doc: FieldDoc) -> str:
    default = "required" if doc.required else f"default {_plain(doc.default)}"
    return f"{doc.description} ({default}; {doc.allowed})"


def _plain(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)
