"""The rule that a spec names, and what it says about the chip: memory map, design, constants as held."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from edgesdt import registry
from edgesdt.ledger.memory import MemoryMap
from edgesdt.ledger.organisation import Organisation, organised
from edgesdt.ledger.phased import largest, together
from edgesdt.ledger.recipes import KINDS, Design
from edgesdt.rules import replay
from edgesdt.rules.protocol import Rule
from edgesdt.spec import Spec
from edgesdt.spec.schema.memory import Banks
from edgesdt.spec.schema.spec import require_spec
from edgesdt.spec.stages import base_of, given_at, is_phased, stages
from edgesdt.units import format_size


def rule_of(spec: Spec) -> Rule:
    """The learning rule of `spec`. Raises `ArgumentError` for what is no spec."""
    require_spec(spec)
    rule: Rule = registry.load(spec.learning.rule)
    return rule


def memory_map(spec: Spec) -> MemoryMap:
    """The memory map of the chip that `spec` describes, against its budget, without building the chip."""
    rule = rule_of(spec)
    arrays = (*largest([rule.arrays(stage.spec) for stage in stages(spec)]), *replay.arrays(spec))
    held = memories(spec, [array.plain() for array in arrays]) if spec.chip.memory.organised else ()
    return MemoryMap(arrays, spec.chip.memory_budget, held)


def memories(spec: Spec, arrays: Sequence[Mapping[str, Any]]) -> tuple[Organisation, ...]:
    """The memories that `chip.memory` cuts into banks, of the arrays of a memory map as a record holds it."""
    if not spec.chip.memory.organised:
        return ()
    return tuple(organised(arrays, design_of(spec).kinds(), spec.chip.memory.of))


def cautions(spec: Spec) -> list[str]:
    """What a user should know before a run, in sentences: of the rule, and of banks that do not fit."""
    own = [told for stage in stages(spec) for told in rule_of(spec).cautions(stage.spec)]
    return [*dict.fromkeys(own), *_of_banks(spec)]


def _of_banks(spec: Spec) -> list[str]:
    """Banks that are larger than what they hold, and kinds of array that the chip has not, in sentences."""
    memory, held = spec.chip.memory, memory_map(spec).memories
    large: dict[str, list[Organisation]] = {}
    for each in held:
        if each.asked_bits is not None and each.asked_bits > each.bank_bits:
            path = f"{each.kind}.bank" if memory.own(each.kind).bank else "bank"
            large.setdefault(path, []).append(each)
    told = []
    for path, cut in large.items():
        named = ", ".join(f"{each.kind} ({format_size(each.used_bits)})" for each in cut)
        asked = format_size(cut[0].asked_bits or 0)
        instead = "one bank of its own size" if len(cut) == 1 else "one bank each, of their own size"
        told.append(f"chip.memory.{path}: {asked}: larger than what is in it: {named}; built is {instead}")
    known = [each.kind for each in held]
    for kind in KINDS:
        if memory.own(kind) != Banks() and memory.of(kind) and kind not in known:
            others = ", ".join(known) or "none"
            told.append(f"chip.memory.{kind}: no effect, no memory of the chip is of this kind, allowed: {others}")
    return told


def design_of(spec: Spec) -> Design:
    """Actions, functional units and schedule of the chip that `spec` describes: of all stages of its run together."""
    rule = rule_of(spec)
    return replay.with_buffer(spec, together([rule.design(stage.spec) for stage in stages(spec)]))


def held(spec: Spec) -> dict[str, tuple[float | list[float], str]]:
    """Dotted path → (value really used, its register in words), for every constant that is rounded.

    With phases, those of the parts that give a constant are at its path there: `phases.0.learning_rate`.
    """
    rule = rule_of(spec)
    if not is_phased(spec):
        return rule.held(spec)
    found = {path: kept for path, kept in rule.held(base_of(spec)).items() if path.startswith("learning.")}
    for stage in stages(spec):
        for path, kept in rule.held(stage.spec).items():
            place = given_at(stage, path)
            if place:
                found[place] = kept
    return found


def resolve(spec: Spec) -> Spec:
    """The spec with every rounded constant at the value really used; resolving again changes nothing."""
    plain = spec.plain()
    for path, (value, _) in held(spec).items():
        *sections, field = path.split(".")
        place: Any = plain
        for section in sections:
            place = place[int(section) if isinstance(place, list) else section]
        place[field] = value
    return Spec.from_plain(plain)
