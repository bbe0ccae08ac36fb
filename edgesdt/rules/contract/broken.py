"""How a law of the contract is broken, and the checks that several laws share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NoReturn

from edgesdt.ledger import actions as act
from edgesdt.ledger.recipes import Access
from edgesdt.rules.protocol import Rule
from edgesdt.spec import Spec


class Broken(Exception):
    """What a rule did instead of keeping a law."""


def require(kept: bool, told: str) -> None:
    """Raise `Broken` unless `kept`."""
    if not kept:
        raise Broken(told)


def refuse(told: str) -> NoReturn:
    """Raise `Broken`."""
    raise Broken(told)


def whole(value: object, least: int) -> bool:
    """Whether `value` is an integer of `least` or more."""
    return isinstance(value, int) and not isinstance(value, bool) and value >= least


def check_counts(rule: Rule, spec: Spec, counts: object, where: str) -> None:
    """Require that `counts` are whole numbers of the design's actions, and only of those whose arrays are there."""
    design = {action.name: action for action in rule.design(spec).actions}
    known = [*design, *(() if spec.device.digital else act.CELL_MEANING)]
    require(
        isinstance(counts, Mapping), f"{where} is a {type(counts).__name__}, must be a mapping of actions to numbers"
    )
    assert isinstance(counts, Mapping)
    for name in counts:
        require(name in known, f"{where} has {name!r}, which is not in the design, allowed: {', '.join(known)}")
    arrays = [array.name for array in rule.arrays(spec)]
    for name in known:
        require(name in counts, f"{where} lacks the action {name!r}")
        require(
            name in act.CELL_MEANING or whole(counts[name], 0),
            f"{where}: {name} is {counts[name]!r}, must be 0 or more",
        )
        for part in design[name].recipe if name in design and counts[name] else ():
            if isinstance(part, Access) and not any(array.startswith(part.arrays) for array in arrays):
                wanted = f"the memory map has {', '.join(arrays)}"
                refuse(f"{where} counts {name}, which needs an array {' or '.join(part.arrays)}: {wanted}")
