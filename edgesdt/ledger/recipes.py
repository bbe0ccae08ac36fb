"""Actions, units and phases as data: a learning rule describes them, `edgesdt.pricing` prices them.

A recipe names primitives of a technology table with their widths in bits, and accesses to arrays of the memory map.
This module depends on no rule and no price.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

Primitive = Literal["add", "multiply", "compare", "shift", "xor", "register"]


Along = Literal["row", "column"]
"""Along a row: accesses follow the storage order, so neighbours share a word of the memory. Along a column, or at
random positions: each access opens a separate word."""
Kind = Literal["weights", "inputs", "states", "biases", "targets", "buffers"]
KINDS: Final[tuple[Kind, ...]] = ("weights", "inputs", "states", "biases", "targets", "buffers")
"""Kinds of array: each has its own memory, which `chip.memory` can divide into banks."""


@dataclass(frozen=True)
class Use:
    """`times` uses of a primitive of the technology table; `bits` holds its widths (two for a product)."""

    primitive: Primitive
    bits: tuple[int, ...]
    times: int = 1

    def __str__(self) -> str:
        return _repeated(f"{self.primitive} {' × '.join(map(str, self.bits))}", self.times)


@dataclass(frozen=True)
class Access:
    """`times` reads or writes of `bits` bits in the memory of all arrays named in `arrays`.

    An array belongs to it when its name starts with one of `arrays`. `along` is the order of accesses. If some accesses
    have another order, `in_rows` gives the number of accesses along a row for each count of other actions (for one
    access: it is multiplied by `times`).
    """

    bits: int
    arrays: tuple[str, ...]
    times: int = 1
    along: Along = "row"
    kind: Kind | None = None
    in_rows: Mapping[str, float] = field(default_factory=dict, hash=False)

    @property
    def memory(self) -> Kind:
        """The kind of the arrays: the stated one, else from the name of the first array, else buffers."""
        if self.kind is not None:
            return self.kind
        return next((kind for kind in KINDS if kind == self.arrays[0]), "buffers")


@dataclass(frozen=True)
class Action:
    """One count of an action: its meaning, the component to which its energy belongs, and its recipe."""

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
    """A unit that processes `per_cycle` items per clock cycle; `actions` gives the items per count of each action."""

    per_cycle: int
    actions: Mapping[str, int] = field(hash=False)


@dataclass(frozen=True)
class Phase:
    """A phase of a sample: its stages run one after the other; the slowest bound of a stage sets its time."""

    name: str
    stages: tuple[tuple[Bound, ...], ...]


@dataclass(frozen=True)
class Design:
    """The design of a chip, described by its learning rule: units, actions and schedule."""

    actions: tuple[Action, ...]
    units: tuple[Unit, ...]
    phases: tuple[Phase, ...]

    def kinds(self) -> dict[Kind, tuple[str, ...]]:
        """Prefixes of the array names of each kind, collected from the accesses."""
        found: dict[Kind, tuple[str, ...]] = {}
        for action in self.actions:
            for part in action.recipe:
                if isinstance(part, Access):
                    found[part.memory] = tuple(dict.fromkeys((*found.get(part.memory, ()), *part.arrays)))
        return found

    def __add__(self, other: Design) -> Design:
        """Combines both designs on one chip."""
        return Design(self.actions + other.actions, self.units + other.units, self.phases + other.phases)


def cycles(phase: Phase, counts: Mapping[str, int]) -> float:
    """Clock cycles of a phase for these counts: the sum over its stages of the slowest bound."""
    return sum(
        max(sum(counts[name] / each for name, each in bound.actions.items()) / bound.per_cycle for bound in stage)
        for stage in phase.stages
    )


def _repeated(text: str, times: int) -> str:
    return text if times == 1 else f"{times} × {text}"
