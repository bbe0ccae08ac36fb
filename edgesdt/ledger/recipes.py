"""What actions, units and phases are made of, as data: a learning rule states it, `edgesdt.pricing` prices it.

A recipe names primitives of a technology table with their widths in bits, and accesses to arrays of the memory map.
Nothing here knows a rule or a price.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

Primitive = Literal["add", "multiply", "compare", "shift", "xor", "register"]


Along = Literal["row", "column"]
"""Along a row: in the order in which an array is stored, so that neighbours share a word of the memory. Along a column,
or wherever an event happens to point: each access opens a word of its own."""
Kind = Literal["weights", "inputs", "states", "biases", "targets", "buffers"]
KINDS: Final[tuple[Kind, ...]] = ("weights", "inputs", "states", "biases", "targets", "buffers")
"""Kinds of array: each lies in a memory of its own, which `chip.memory` can cut into banks."""


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

    An array belongs to it when its name starts with one of `arrays`. `along` says in which order entries are accessed;
    where some of them go another way, `in_rows` says how many go along a row, for each count of other actions (of one
    access: they are multiplied by `times`).
    """

    bits: int
    arrays: tuple[str, ...]
    times: int = 1
    along: Along = "row"
    kind: Kind | None = None
    in_rows: Mapping[str, float] = field(default_factory=dict, hash=False)

    @property
    def memory(self) -> Kind:
        """The kind of the arrays: as stated, or that of the name of the first of them, or else buffers."""
        if self.kind is not None:
            return self.kind
        return next((kind for kind in KINDS if kind == self.arrays[0]), "buffers")


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

    def kinds(self) -> dict[Kind, tuple[str, ...]]:
        """How the names of the arrays of each kind start, from the accesses to them."""
        found: dict[Kind, tuple[str, ...]] = {}
        for action in self.actions:
            for part in action.recipe:
                if isinstance(part, Access):
                    found[part.memory] = tuple(dict.fromkeys((*found.get(part.memory, ()), *part.arrays)))
        return found

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
