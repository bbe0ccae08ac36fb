"""What actions, units and phases are made of, as data: a learning rule states it, `edgesdt.pricing` prices it.

A recipe names primitives of a technology table with their widths in bits, and accesses to arrays of the memory map.
Nothing here knows a rule or a price.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Primitive = Literal["add", "multiply", "compare", "shift", "xor", "register"]


@dataclass(frozen=True)
class Use:
    """A primitive of the technology table, `times` over; `bits` are its widths (two for a product)."""

    primitive: Primitive
    bits: tuple[int, ...]
    times: int = 1

    def __str__(self) -> str:
        return _repeated(f"{self.primitive} {' × '.join(map(str, self.bits))}", self.times)


@dataclass(frozen=True)
class Access:
    """A read or a write of `bits` bits in the memory that holds all arrays named in `arrays`, `times` over.

    An array belongs to it when its name starts with one of `arrays`.
    """

    bits: int
    arrays: tuple[str, ...]
    times: int = 1


@dataclass(frozen=True)
class Action:
    """What one count of an action stands for: its meaning, the component that pays for it, and its recipe."""

    name: str
    meaning: str
    component: str
    recipe: tuple[Use | Access, ...]


@dataclass(frozen=True)
class Unit:
    """`count` equal functional units of a component of the chip, each made of `parts`."""

    component: str
    count: int
    parts: tuple[Use, ...]


@dataclass(frozen=True)
class Bound:
    """A unit that works on `per_cycle` things a clock cycle; `actions` says how many of each action are one thing."""

    per_cycle: int
    actions: Mapping[str, int] = field(hash=False)


@dataclass(frozen=True)
class Phase:
    """A phase of a sample: its stages follow one another, and the slowest bound of a stage sets the stage's time."""

    name: str
    stages: tuple[tuple[Bound, ...], ...]


@dataclass(frozen=True)
class Design:
    """What a described chip is made of and does, in the terms of its learning rule."""

    actions: tuple[Action, ...]
    units: tuple[Unit, ...]
    phases: tuple[Phase, ...]

    def __add__(self, other: Design) -> Design:
        """Both designs on one chip."""
        return Design(self.actions + other.actions, self.units + other.units, self.phases + other.phases)


def cycles(phase: Phase, counts: Mapping[str, int]) -> float:
    """Clock cycles of a phase for these counts: the sum over its stages of the slowest bound."""
    return sum(
        max(sum(counts[name] / each for name, each in bound.actions.items()) / bound.per_cycle for bound in stage)
        for stage in phase.stages
    )


def _repeated(text: str, times: int) -> str:
    return text if times == 1 else f"{times} × {text}"
