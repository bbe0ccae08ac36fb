"""The rule that a spec names, and what it says about the chip: memory map, design, constants as held."""

from __future__ import annotations

from typing import Any

from edgesdt import registry
from edgesdt.ledger.memory import MemoryMap
from edgesdt.ledger.recipes import Design
from edgesdt.rules.protocol import Rule
from edgesdt.spec import Spec


def rule_of(spec: Spec) -> Rule:
    """The learning rule of `spec`."""
    rule: Rule = registry.load(spec.learning.rule)
    return rule


def memory_map(spec: Spec) -> MemoryMap:
    """The memory map of the chip that `spec` describes, against its budget, without building the chip."""
    return MemoryMap(rule_of(spec).arrays(spec), spec.chip.memory_budget)


def design_of(spec: Spec) -> Design:
    """Actions, functional units and schedule of the chip that `spec` describes."""
    return rule_of(spec).design(spec)


def resolve(spec: Spec) -> Spec:
    """The spec with every rounded constant at the value really used; resolving again changes nothing."""
    plain = spec.plain()
    for path, (value, _) in rule_of(spec).held(spec).items():
        *sections, field = path.split(".")
        place: Any = plain
        for section in sections:
            place = place[section]
        place[field] = value
    return Spec.from_plain(plain)
