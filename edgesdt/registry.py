"""Learning rules by name: ours from one table, other people's from the entry-point group `edgesdt.rules`.

A rule is a package or module with an object `RULE` (`edgesdt.rules.protocol.Rule`). It is imported when it is first
asked for, by its name, so that this module stands on the floor of the house and knows none of them.
"""

from __future__ import annotations

from functools import lru_cache
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Final

from edgesdt.errors import SpecError

GROUP: Final = "edgesdt.rules"
OURS: Final[dict[str, str]] = {
    "eqprop": "edgesdt.rules.eqprop",
    "backprop": "edgesdt.rules.backprop",
}
"""Name of a rule and the package that holds it; the first one is the default of a spec."""
DEFAULT: Final = next(iter(OURS))
NOT_YET: Final = ("softhebb", "activation", "similarity")
"""Names of rules that mean something to edgesdt but that this version does not run."""


def names() -> list[str]:
    """All rules: ours in the order of the table, then plug-ins by name."""
    return [*OURS, *sorted(_plug_ins())]


@lru_cache(maxsize=1)
def _plug_ins() -> dict[str, EntryPoint]:
    """Plug-ins by name. One with the name of a rule of ours is refused when it is asked for (`load`)."""
    return {point.name: point for point in entry_points(group=GROUP) if point.name not in OURS}


@lru_cache(maxsize=32)
def load(name: str) -> Any:
    """The rule of that name (`edgesdt.rules.protocol.Rule`). Raises `SpecError` for one that is not there."""
    if name in OURS:
        return import_module(OURS[name]).RULE
    plug_ins = _plug_ins()
    if name not in plug_ins:
        raise SpecError(f"learning.rule: unknown rule {name!r}, allowed: {', '.join(names())}")
    return plug_ins[name].load()
