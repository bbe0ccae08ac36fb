"""From what happened (events) to what a chip that matches similarities pays for (actions), for each chip style.

A `dense` chip pays for every input, neuron and synapse in every step; an `event_driven` one only for codes that are
not zero and states that change, and its settling ends with the first step that changes nothing. Both compute the same
integers.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from edgesdt.kernels import layout as ev
from edgesdt.ledger import actions as act
from edgesdt.rules.arguments import check_layers, events_of
from edgesdt.rules.similarity import layout as more
from edgesdt.rules.similarity.ledger import actions as own
from edgesdt.rules.similarity.settings import settings
from edgesdt.spec import Spec

Events = npt.NDArray[np.int64]
Row = tuple[float, ...]


@dataclass(frozen=True)
class Tally:
    """The events of a stretch of samples; rows have a value for each weight layer k, which joins layer k to k + 1."""

    samples: int
    bank_steps: float
    settled: Row
    learned: Row
    halvings: Row
    lateral_halvings: Row
    centred: Row
    active: Row
    sweeps: Row
    changes: Row
    mean_writes: Row
    pairs: Row
    lateral_pairs: Row
    weight_writes: Row
    lateral_writes: Row
    halving_writes: Row
    lateral_halving_writes: Row
    label_writes: Row

    @classmethod
    def of(cls, events: Events) -> Tally:
        """The tally of a workspace's event table (EVENT_KINDS, L+1)."""
        rows = events_of(events, more.EVENT_KINDS)

        def below(row: int) -> Row:
            return tuple(rows[row][:-1])

        def above(row: int) -> Row:
            return tuple(rows[row][1:])

        return cls(
            samples=rows[ev.SAMPLES][0],
            bank_steps=rows[ev.BANK_STEPS][0],
            settled=above(more.SETTLED),
            learned=above(more.LEARNED),
            halvings=above(more.HALVINGS),
            lateral_halvings=above(more.LATERAL_HALVINGS),
            centred=below(more.CENTRED),
            active=above(more.ACTIVE),
            sweeps=above(more.SWEEPS),
            changes=above(ev.STATE_CHANGES),
            mean_writes=below(more.MEAN_WRITES),
            pairs=below(ev.PAIRS),
            lateral_pairs=above(more.LATERAL_PAIRS),
            weight_writes=below(ev.WEIGHT_WRITES),
            lateral_writes=above(more.LATERAL_WRITES),
            halving_writes=above(more.HALVING_WRITES),
            lateral_halving_writes=above(more.LATERAL_HALVING_WRITES),
            label_writes=above(more.LABEL_WRITES),
        )


VARIED = (
    "centred", "active", "sweeps", "changes", "mean_writes", "pairs", "lateral_pairs", "weight_writes",
    "lateral_writes", "halving_writes", "lateral_halving_writes", "label_writes",
)  # fmt: skip
"""Rows of a tally of which an event-driven chip pays a share only."""


def dense(spec: Spec, found: Tally) -> Tally:
    """What `found` would hold if nothing were skipped: every input, neuron and synapse takes part every time."""
    learning, sizes = settings(spec), spec.chip.layers
    below, above = sizes[:-1], sizes[1:]
    triangles = tuple(n * (n + 1) // 2 for n in above)
    synapses = tuple(a * b for a, b in pairwise(sizes))

    def times(counted: Row, each: tuple[int, ...]) -> Row:
        return tuple(c * n for c, n in zip(counted, each, strict=True))

    sweeps = tuple(s * learning.settling.steps for s in found.settled)
    return Tally(
        samples=found.samples,
        bank_steps=found.bank_steps,
        settled=found.settled,
        learned=found.learned,
        halvings=found.halvings,
        lateral_halvings=found.lateral_halvings,
        centred=times(found.settled, below),
        active=times(found.learned, above),
        sweeps=sweeps,
        changes=times(sweeps, above),
        mean_writes=times(found.learned, below) if learning.centring.enabled else (0,) * len(below),
        pairs=times(found.learned, synapses),
        lateral_pairs=times(found.learned, triangles),
        weight_writes=times(found.learned, synapses),
        lateral_writes=times(found.learned, triangles),
        halving_writes=times(found.halvings, synapses),
        lateral_halving_writes=times(found.lateral_halvings, triangles),
        label_writes=times(found.learned, above) if learning.target == "label" else (0,) * len(below),
    )


def actions(spec: Spec, events: Events) -> dict[str, int]:
    """Actions of the chip of `spec` for the given events, as exact integers (all that `design` prices)."""
    found = Tally.of(events)
    check_layers(spec, len(found.settled) + 1, more.EVENT_KINDS)
    return priced(spec, found)


def paid_for(spec: Spec, happened: Tally) -> Tally:
    """What of `happened` a chip of the spec's style pays for."""
    return dense(spec, happened) if spec.chip.style == "dense" else happened


def priced(spec: Spec, happened: Tally) -> dict[str, int]:
    """Actions for a tally of events in the spec's chip style, but for those of arrays of cells.

    Weights on cells take no products but those of updates: of codes, and of what is halved.
    """
    learning, full = settings(spec), dense(spec, happened)
    paid, digital = paid_for(spec, happened), spec.device.digital
    above = spec.chip.layers[1:]
    centred, labelled = learning.centring.enabled, learning.target == "label"
    solver = learning.settling.solver
    macs = _dot(paid.centred, above)
    sent, stepped = _dot(paid.changes, above), _dot(paid.sweeps, above)
    halved, beside = sum(full.halving_writes), sum(full.lateral_halving_writes)
    # with a mean to take off, every code is read; without, those that are not zero; once more for the update
    once = full.centred if centred else paid.centred
    read = [c + c * m / max(s, 1) for c, m, s in zip(once, paid.learned, paid.settled, strict=True)]
    neurons, learned = _dot(paid.settled, above), _dot(paid.learned, above)
    inverse = sum(paid.active) + _dot(paid.lateral_halvings, above) if solver == "gauss_seidel" else sum(paid.settled)
    counted: dict[str, float] = {
        act.MAC: macs if digital else 0,
        act.WEIGHT_READ: macs + sum(paid.pairs) + halved if digital else 0,
        act.WEIGHT_WRITE: sum(paid.weight_writes) + sum(paid.halving_writes) if digital else 0,
        act.INPUT_READ: read[0],
        act.INPUT_WRITE: paid.samples * spec.chip.layers[0],
        act.STATE_READ: sum(read[1:]) + stepped + learned,
        act.STATE_WRITE: neurons + sum(paid.changes),
        own.CENTRE: sum(read) if centred else 0,
        own.MEAN_READ: sum(read) if centred else 0,
        own.MEAN_STEP: sum(full.mean_writes),
        own.MEAN_WRITE: sum(paid.mean_writes),
        own.DRIVE: neurons,
        own.SETTLE_STEP: stepped,
        own.LATERAL_MAC: sent,
        own.LATERAL_READ: sent + sum(paid.lateral_pairs) + beside,
        own.LATERAL_WRITE: sum(paid.lateral_writes) + sum(paid.lateral_halving_writes),
        own.OUTER: sum(paid.pairs) + sum(paid.lateral_pairs),
        own.STEP: sum(paid.pairs) + (0 if digital else halved),
        own.LATERAL_STEP: sum(paid.lateral_pairs),
        own.HALVE: (halved if digital else 0) + beside,
        own.GAIN_STEP: 2 * sum(paid.learned),
        own.DIVIDE: sum(paid.settled) + inverse,
        own.LABEL_READ: 2 * learned if labelled else 0,
        own.LABEL_STEP: learned if labelled else 0,
        own.LABEL_WRITE: sum(paid.label_writes),
        act.RANDOM_WORD: paid.bank_steps * spec.chip.random.lanes,
    }
    return {name: int(count) for name, count in counted.items()}


def _dot(counted: Row, each: tuple[int, ...]) -> float:
    return sum(c * n for c, n in zip(counted, each, strict=True))
