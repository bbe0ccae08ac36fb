"""Prices memories in banks: joules of opened words, mm² of macros, and watts awake and asleep.

Used only for the kinds of array that `chip.memory` organises. An opened word costs an access of its whole width to a
memory of the size of a bank. A bank is a macro with a constant area plus the area of its bits. Its bits leak. With
`sleep`, a bank is awake during the cycle of an access and during the cycle before it, in which it wakes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from edgesdt.arguments import ARGUMENTS
from edgesdt.ledger.organisation import Organisation
from edgesdt.ledger.recipes import Access, Action
from edgesdt.rules.lookup import design_of, memories
from edgesdt.spec import Spec
from hw_models.technology import Technology

COMPONENT: Final = {
    "weights": "weight memory",
    "inputs": "input memory",
    "states": "state memory",
    "biases": "bias memory",
    "targets": "target memory",
    "buffers": "buffer memory",
}
"""The component that has the area and leakage of the memory of each kind of array."""
AWAKE_CYCLES: Final = 2
"""Clock cycles for which an opened word keeps its bank awake: one to wake, one for the access."""

Held = Mapping[str, Organisation]


def held(spec: Spec, memory: Mapping[str, Any]) -> Held:
    """The memories in banks, by kind of array; empty without `chip.memory`.

    Raises `ArgumentError` for a damaged map.
    """
    if not spec.chip.memory.organised:
        return {}
    for place, array in enumerate(memory["arrays"]):
        shape = array.get("shape")
        if not isinstance(shape, list | tuple) or not all(type(n) is int and n > 0 for n in shape):
            ARGUMENTS.refuse(f"memory.arrays[{place}].shape", repr(shape), "whole numbers above 0")
    return {each.kind: each for each in memories(spec, memory["arrays"])}


def opened(spec: Spec, counts: Mapping[str, int], banks: Held) -> Iterator[tuple[Action, Organisation, float]]:
    """Words opened by each action in each memory; neighbours in a row share an opened word."""
    for action in design_of(spec).actions:
        for part in action.recipe:
            if isinstance(part, Access) and part.memory in banks:
                every = counts.get(action.name, 0) * part.times
                in_rows = float(every) if part.along == "row" else _in_rows(part, counts, every)
                yield action, banks[part.memory], banks[part.memory].opened(part.bits, in_rows, every - in_rows)


def _in_rows(part: Access, counts: Mapping[str, int], every: int) -> float:
    stated = part.times * sum(each * counts.get(name, 0) for name, each in part.in_rows.items())
    return min(max(stated, 0.0), float(every))


def energy_j(spec: Spec, counts: Mapping[str, int], banks: Held, tech: Technology) -> dict[str, float]:
    """Joules of all opened words, by the component of the action."""
    found: dict[str, float] = {}
    for action, own, words in opened(spec, counts, banks):
        joules = words * tech.sram_access_j(own.word_bits, own.bank_bits)
        found[action.component] = found.get(action.component, 0.0) + joules
    return found


def areas(banks: Held, tech: Technology) -> dict[str, float]:
    """mm² of the memories in banks, by component."""
    return {
        COMPONENT[kind]: tech.sram_macro_mm2(own.banks) + tech.sram_mm2(own.built_bits) for kind, own in banks.items()
    }


def awake(spec: Spec, counts: Mapping[str, int], seconds: float, banks: Held) -> dict[str, float]:
    """Share of the time for which a bank is awake, 0 to 1, by kind; 1 if banks do not sleep."""
    words: dict[str, float] = {}
    for _, own, each in opened(spec, counts, banks):
        words[own.kind] = words.get(own.kind, 0.0) + each
    shares = {}
    for kind, own in banks.items():
        cycles = seconds * spec.chip.clock * own.banks
        busy = words.get(kind, 0.0) * AWAKE_CYCLES
        shares[kind] = min(1.0, busy / cycles) if own.sleep and cycles else 0.0 if own.sleep else 1.0
    return shares


def leakage_w(banks: Held, tech: Technology, shares: Mapping[str, float] | None = None) -> dict[str, float]:
    """Static power [W] by component: bits while they are awake, and the circuits around them.

    Without `shares` all banks are awake. The constant part of a macro always leaks as logic.
    """
    found = {}
    for kind, own in banks.items():
        share = 1.0 if shares is None else shares[kind]
        kept = share + (1.0 - share) * tech.sram_asleep() if own.sleep else 1.0
        around = tech.logic_leakage_w(tech.sram_macro_mm2(own.banks))
        found[COMPONENT[kind]] = tech.sram_leakage_w(own.built_bits) * kept + around
    return found
