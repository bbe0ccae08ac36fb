"""Finds learning rules by name: those of edgesdt in one table, plug-ins in the entry-point group `edgesdt.rules`.

A rule is a package or module with an object `RULE` (`edgesdt.rules.protocol.Rule`). It is imported by its name when it
is first used, so this module imports no rule and every layer may import it. The rule of a plug-in must pass `GATE`
before it is used.
"""

from __future__ import annotations

from functools import lru_cache
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Final, Literal

from edgesdt.errors import EdgesdtError, RuleError, SpecError
from hw_models.foreign import printable

GROUP: Final = "edgesdt.rules"
GATE: Final = "edgesdt.rules.foreign"
"""The module whose `admitted` checks the rule of a plug-in."""
OURS: Final[dict[str, str]] = {
    "eqprop": "edgesdt.rules.eqprop",
    "backprop": "edgesdt.rules.backprop",
    "softhebb": "edgesdt.rules.softhebb",
    "similarity": "edgesdt.rules.similarity",
    "activation": "edgesdt.rules.activation",
}
"""Name of a rule and the package that holds it; the first one is the default of a spec."""
DEFAULT: Final = next(iter(OURS))

ReadoutName = Literal["direct", "linear", "output", "activation"]
"""The names of the read-outs. A rule lists those that it supports."""
READOUTS: Final[dict[str, dict[str, str]]] = {
    "direct": {
        "direct_average": "direct association, average",
        "direct_max": "direct association, maximum",
    },
    "linear": {"linear": "linear classifier"},
    "output": {"output": "output neurons"},
    "activation": {"activation": "largest activation"},
}
"""The accuracies of each read-out: key in a record → description."""
BY_CLASS: Final = ("output", "activation")
"""Read-outs of chips with one output per class: the class of the largest output."""
ACCURACIES: Final[dict[str, str]] = {key: words for each in READOUTS.values() for key, words in each.items()}


def names() -> list[str]:
    """The names of all rules: those of edgesdt in the order of the table, then plug-ins by name.

    Raises `RuleError` as `load` does.
    """
    return [*OURS, *sorted(_plug_ins())]


def usable() -> list[str]:
    """The names of all rules that load. A broken plug-in must not affect users of other rules."""
    return [name for name in names() if name in OURS or _loads(name)]


def plug_in(name: str) -> EntryPoint | None:
    """The entry point of the plug-in with that rule; None for a rule of edgesdt."""
    return _plug_ins()[name][0] if name in _plug_ins() else None


def told(point: EntryPoint) -> str:
    """Text about a plug-in: the object that is loaded, and its package."""
    of = f" of {point.dist.name} {point.dist.version}" if point.dist else ""
    return printable(f"{point.value}{of}")


@lru_cache(maxsize=32)
def load(name: str) -> Any:
    """The rule of that name (`edgesdt.rules.protocol.Rule`).

    Raises `SpecError` for an unknown name, and its subclass `RuleError` for a plug-in that cannot be used: it does not
    load, breaks the contract, shares its name with another plug-in, or any plug-in has the name of a rule of edgesdt.
    """
    plug_ins = _plug_ins()
    if name in OURS:
        return import_module(OURS[name]).RULE
    if name not in plug_ins:
        raise SpecError(f"learning.rule: unknown rule {name!r}, allowed: {', '.join(names())}")
    points = plug_ins[name]
    if len(points) > 1:
        both = " and ".join(told(point) for point in points)
        raise RuleError(f"rule {printable(name)}: {len(points)} plug-ins have this name: {both}; uninstall all but one")
    try:
        found = points[0].load()
    except (Exception, SystemExit) as error:  # code of a plug-in may raise any exception
        said = printable(" ".join(f"{type(error).__name__}: {error}".split()))
        raise RuleError(f"rule {printable(name)}: the plug-in {told(points[0])} cannot be loaded: {said}") from error
    return import_module(GATE).admitted(found, name, f"rule {printable(name)} (plug-in {told(points[0])})")


def forget() -> None:
    """Searches for plug-ins again; needed after one is installed while Python runs."""
    load.cache_clear()
    _plug_ins.cache_clear()


@lru_cache(maxsize=1)
def _plug_ins() -> dict[str, tuple[EntryPoint, ...]]:
    """Plug-ins by name. Raises `RuleError` if one has the name of a rule of edgesdt, which would be ambiguous."""
    found: dict[str, tuple[EntryPoint, ...]] = {}
    for point in entry_points(group=GROUP):
        if point.name in OURS:
            raise RuleError(
                f"rule {point.name}: the plug-in {told(point)} has the name of a rule of edgesdt, allowed: any name "
                f"but {', '.join(OURS)}; uninstall it, or rename its entry point in the group {GROUP}"
            )
        found[point.name] = (*found.get(point.name, ()), point)
    return found


def _loads(name: str) -> bool:
    try:
        load(name)
    except EdgesdtError:
        return False
    return True
