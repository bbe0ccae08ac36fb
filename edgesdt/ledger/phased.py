"""A chip whose run has several stages: it is built for all of them, with the arrays and units that each needs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from edgesdt.ledger.memory import Array
from edgesdt.ledger.recipes import Design, Unit


def largest(stages: Sequence[tuple[Array, ...]]) -> tuple[Array, ...]:
    """The arrays of all stages: of each name the one with most bits, in the order of their first mention."""
    found: dict[str, Array] = {}
    for arrays in stages:
        for array in arrays:
            if array.name not in found or array.bits > found[array.name].bits:
                found[array.name] = array
    return tuple(found.values())


def together(designs: Sequence[Design]) -> Design:
    """One chip that can run each of `designs`: all actions and phases, and of equal units as many as one needs."""
    if len(designs) == 1:
        return designs[0]
    actions = {action.name: action for design in reversed(designs) for action in design.actions}
    order = dict.fromkeys(action.name for design in designs for action in design.actions)
    phases = {phase.name: phase for design in reversed(designs) for phase in design.phases}
    named = dict.fromkeys(phase.name for design in designs for phase in design.phases)
    return Design(tuple(actions[name] for name in order), _units(designs), tuple(phases[name] for name in named))


def _units(designs: Sequence[Design]) -> tuple[Unit, ...]:
    """Of units of one component that are made alike, as many as the stage with most of them has."""
    most: dict[tuple[object, ...], int] = {}
    for design in designs:
        mine: Counter[tuple[object, ...]] = Counter()
        for unit in design.units:
            mine[unit.component, unit.parts] += unit.count
        for key, count in mine.items():
            most[key] = max(most.get(key, 0), count)
    return tuple(Unit(str(component), count, parts) for (component, parts), count in most.items())  # type: ignore[arg-type]
