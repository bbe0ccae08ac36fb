"""Flattens the phases of a run into epochs, and gives the samples that each part of an epoch learns, in their order."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from edgesdt.chip.simulated import Chip
from edgesdt.readouts.assessment import Assessment
from edgesdt.rules.replay import is_replayed
from edgesdt.runs.streams import Stream, Streams
from edgesdt.spec import Spec
from edgesdt.spec.stages import Stage, is_phased, phases_of, stages

Order = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Epoch:
    """One epoch of a run: its place among all (`number`, 0-based), and among those of its phase (`of_phase`)."""

    number: int
    phase: int
    name: str
    of_phase: int
    stages: tuple[Stage, ...]
    turns: int = 1
    is_last: bool = False
    """Whether the phase ends with it."""


def epochs(spec: Spec) -> tuple[Epoch, ...]:
    """Every epoch of a run of `spec`, in order."""
    every = stages(spec)
    if not is_phased(spec):
        return tuple(Epoch(n, 0, "", n, every, is_last=n + 1 == spec.epochs) for n in range(spec.epochs))
    found: list[Epoch] = []
    for number, phase in enumerate(phases_of(spec)):
        mine = tuple(stage for stage in every if stage.phase == number)
        length = phase.epochs or spec.epochs
        for epoch in range(length):
            found.append(Epoch(len(found), number, phase.name, epoch, mine, phase.turns, epoch + 1 == length))
    return tuple(found)


@dataclass(frozen=True)
class Piece:
    """Samples that a chip learns in one go: their places in the stream, or in the replay buffer."""

    stage: Stage
    stream: Stream
    order: Order
    replayed: bool


class Course:
    """What a run of `spec` learns, epoch by epoch."""

    def __init__(self, spec: Spec, streams: Streams) -> None:
        self.spec, self.streams, self.epochs = spec, streams, epochs(spec)

    def learned(self, stage: Stage) -> Order:
        """Places of the samples that a stage learns, in its stream."""
        return self.streams.of(stage).chosen(stage.samples)

    def everyone(self) -> Order:
        """Places of all samples of the run's own data set that some stage learns."""
        mine = [self.learned(s) for s in stages(self.spec) if self.streams.of(s) is self.streams.base]
        found: Order = np.unique(np.concatenate(mine)) if mine else np.zeros(0, np.int64)
        return found

    def samples(self, epoch: Epoch) -> int:
        """Samples of an epoch."""
        return sum(len(self.learned(stage)) * stage.part.passes for stage in epoch.stages)

    def pieces(self, epoch: Epoch) -> Iterator[Piece]:
        """What the chip learns in an epoch, in order: its parts one after the other, or in turn."""
        parts = [self._order(epoch, at, stage) for at, stage in enumerate(epoch.stages)]
        batch = self.spec.learning.batch
        for turn in range(epoch.turns):
            for stage, order in zip(epoch.stages, parts, strict=True):
                begin, end = (_cut(len(order), each, epoch.turns, batch) for each in (turn, turn + 1))
                if end > begin:
                    replayed = is_replayed(stage, self.spec)
                    yield Piece(stage, self.streams.of(stage), order[begin:end], replayed)

    def _order(self, epoch: Epoch, part: int, stage: Stage) -> Order:
        """The samples of one part in a new order for every pass; in the buffer, places there."""
        learned = self.learned(stage)
        places = np.arange(len(learned)) if is_replayed(stage, self.spec) else learned
        drawn = []
        for again in range(stage.part.passes):
            key = [self.spec.seed, epoch.number, *([part, again] if part or again else [])]
            drawn.append(places[np.random.RandomState(key).permutation(len(places))])
        return np.concatenate(drawn)


def _cut(samples: int, turn: int, turns: int, batch: int) -> int:
    """Where a turn begins: whole batches, as even as they can be."""
    if turn == turns:
        return samples
    return samples * turn // turns // batch * batch


def learn(chip: Chip, piece: Piece, order: Order, epoch: Epoch) -> None:
    """Let the chip learn the samples `order` of a piece, in its stage."""
    if chip.stage != piece.stage.index:
        chip.enter(piece.stage.index)
    if piece.replayed:
        chip.replayed(order, epoch.of_phase)
    else:
        chip.rule.learn(piece.stream.x, piece.stream.shown, order, epoch.of_phase)


def keep_labelled(chip: Chip, course: Course) -> None:
    """Fill the replay buffer, if the chip has one, before it learns."""
    if chip.replay is not None:
        base = course.streams.base
        chip.replay.fill(base.x[base.known], base.data.y_train[base.known])


def after_phase(assessment: Assessment, course: Course) -> dict[str, dict[str, float]]:
    """The accuracies at the end of a phase on the test samples of every stream of the run."""
    names = [name for name in assessment.spec.readout if name != "linear"] or ["direct"]
    return {stream.name: assessment.read_out_of(stream, names) for stream in course.streams.every()}
