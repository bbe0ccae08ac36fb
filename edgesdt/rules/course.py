"""The course of a chip through the stages of a run: one set of arrays, and plan, constants and counters of each stage.

Between two stages only numbers change. Every array of the chip is as long as the stage with the longest needs it; a
stage is given the part that it uses, of the same type, so that no kernel compiles anew.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from edgesdt.rules import consolidation
from edgesdt.rules.protocol import Counts
from edgesdt.spec import Spec
from edgesdt.spec.stages import stages
from edgesdt.synapses.substrate import Tallies, with_room

Events = npt.NDArray[np.int64]
BEFORE = -1
"""The epoch of a chip that has not learned yet."""


class Machine(Protocol):
    """The module of a rule that turns a spec into integers and arrays."""

    def plan(self, spec: Spec, /) -> Any:
        """The integers that the kernels run on."""
        ...

    def empty_chip(self, spec: Spec, /) -> Any:
        """Every on-chip array, as a named tuple."""
        ...

    def workspace(self, spec: Spec, /) -> Any:
        """The simulator's own arrays, as a named tuple."""
        ...


class Course:
    """The stages of `spec` on one chip: `chip` has the whole arrays, `events` and `epochs` an entry for each stage.

    `tables` replaces, in the workspace of the first stage, what another stage has otherwise.
    """

    def __init__(self, spec: Spec, machine: Machine, tables: Callable[[Any, Spec], Any]) -> None:
        self.stages = stages(spec)
        specs = [stage.spec for stage in self.stages]
        first, *others = specs
        work = with_room(first, machine.workspace(first))
        self._works = [work]
        for each in others:
            self._works.append(tables(work._replace(events=np.zeros_like(work.events)), each))
        self._plans = [machine.plan(each) for each in specs]
        chips = [machine.empty_chip(each) for each in specs]
        self.chip = largest(chips)
        self._views = [self.chip] if len(chips) == 1 else [part_of(self.chip, each) for each in chips]
        self.events: list[Events] = [work.events for work in self._works]
        self.epochs = [BEFORE] * len(specs)
        self._done: list[Tallies | None] = [None] * len(specs)

    def of(self, stage: int) -> tuple[Spec, Any, Any, Any]:
        """Spec, plan, arrays and workspace of a stage."""
        return self.stages[stage].spec, self._plans[stage], self._views[stage], self._works[stage]

    def happened(self) -> Events:
        """The events of all stages together (a copy)."""
        whole: Events = np.sum(self.events, axis=0, dtype=np.int64)
        return whole

    def freezes(self, stage: int) -> bool:
        """Whether a stage is the one that freezes neurons for its phase: the first part of it that asks for some."""
        mine = self.stages[stage]
        asks = [each.index for each in self.stages if each.phase == mine.phase and consolidation.share(each.spec)]
        return asks[:1] == [stage]

    def frozen(self, stage: int) -> tuple[Spec, bool]:
        """The spec of a stage, and whether it has frozen neurons."""
        return self.stages[stage].spec, self.epochs[stage] != BEFORE and self.freezes(stage)

    def tallies(self, stage: int, whole: Tallies) -> list[Tallies]:
        """What the arrays did in each stage, of the `whole` so far; the run is in `stage`."""
        others = [done for at, done in enumerate(self._done) if at != stage and done is not None]
        mine = whole
        for done in others:
            mine = less(mine, done)
        nothing = less(whole, whole)
        return [mine if at == stage else nothing if done is None else done for at, done in enumerate(self._done)]

    def leave(self, stage: int, whole: Tallies) -> None:
        """Note what the arrays did in `stage` before another begins."""
        self._done[stage] = self.tallies(stage, whole)[stage]

    def state(self, stage: int) -> dict[str, npt.NDArray[np.generic]]:
        """Copies of events and epochs of all stages, and which one the run is in, if there are several."""
        if len(self.stages) == 1:
            return {"events": self.events[0].copy(), "epoch": np.array(self.epochs[0])}
        flat = [flattened(done) if done is not None else [] for done in self._done]
        longest = max(map(len, flat))
        kept = [[1, *row] if row else [0] * (longest + 1) for row in flat]
        return {
            "events": np.stack(self.events),
            "epoch": np.array(self.epochs),
            "stage": np.array(stage),
            "stage_tallies": np.array(kept, np.str_),  # in a large run a number may need more than 64 bits
        }

    def free(self) -> tuple[str, ...]:
        """Names in a state whose type says nothing."""
        return ("stage_tallies",) if len(self.stages) > 1 else ()

    def ranges(self) -> dict[str, tuple[int, int]]:
        """Lowest and highest number of what `state` adds."""
        last = max(stage.spec.epochs for stage in self.stages) - 1
        found = {"events": (0, 2**63 - 1), "epoch": (BEFORE, last)}
        return found | ({"stage": (0, len(self.stages) - 1)} if len(self.stages) > 1 else {})

    def restore(self, state: Mapping[str, Any], like: Tallies) -> int:
        """Restore what `state` gave, where the arrays tally `like` this; returns the stage that the run is in."""
        if len(self.stages) == 1:
            self.events[0][...] = state["events"]
            self.epochs[0] = int(state["epoch"])
            return 0
        self._done = [unflattened(row, like) for row in state["stage_tallies"].tolist()]
        for events, kept in zip(self.events, state["events"], strict=True):
            events[...] = kept
        self.epochs = [int(epoch) for epoch in state["epoch"]]
        return int(state["stage"])


def largest(chips: Sequence[Any]) -> Any:
    """Arrays that hold those of each of `chips`: of every field the longest."""
    if len(chips) == 1:
        return chips[0]
    fields = chips[0]._fields
    return type(chips[0])(*(max((getattr(chip, name) for chip in chips), key=np.size) for name in fields))


def part_of(whole: Any, like: Any) -> Any:
    """Views of the arrays of `whole`, each as long as that of `like`."""
    pairs = zip(whole, like, strict=True)
    return type(whole)(*(array if array.shape == own.shape else array[: own.size] for array, own in pairs))


def less(whole: Tallies, part: Tallies) -> Tallies:
    """`whole` without `part`, number by number."""
    return tuple(
        tuple([a - b for a, b in zip(one, two, strict=True)] for one, two in zip(pair, other, strict=True))  # type: ignore[misc]
        for pair, other in zip(whole, part, strict=True)
    )


def flattened(tallies: Tallies) -> list[int]:
    """The numbers of `tallies` in a row."""
    return [int(n) for pair in tallies for tally in pair for n in tally]


def unflattened(row: Sequence[str], like: Tallies) -> Tallies | None:
    """Tallies of the shape of `like` from a row of a state; None of a stage that has not been left."""
    if not int(row[0]):
        return None
    numbers = iter(map(int, row[1:]))
    made = [tuple([next(numbers) for _ in tally] for tally in pair) for pair in like]
    return tuple(made)  # type: ignore[arg-type]


def added(counts: Sequence[Counts]) -> Counts:
    """Counts of several stages together."""
    if len(counts) == 1:
        return counts[0]
    names = dict.fromkeys(name for each in counts for name in each)
    return {name: sum(each.get(name, 0) for each in counts) for name in names}
