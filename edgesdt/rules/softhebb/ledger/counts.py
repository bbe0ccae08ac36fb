"""From what happened (events) to what a chip that learns by SoftHebb pays for (actions), for each chip style.

A `dense` chip pays for every synapse and neuron, forward and in every update. An `event_driven` chip pays only for
inputs and states that are not zero, and for neurons that have a share of the sample. Both compute the same integers.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from edgesdt.kernels import layout as ev
from edgesdt.ledger import actions as act
from edgesdt.rules.arguments import check_layers, events_of
from edgesdt.rules.softhebb import layout as more
from edgesdt.rules.softhebb.ledger import actions as own
from edgesdt.rules.softhebb.settings import buffered, competing, settings
from edgesdt.spec import Spec, layers

Events = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Tally:
    """The events of a stretch of samples as plain integers; tuples are per layer, 0 … L."""

    samples: int
    inputs: int
    active: tuple[int, ...]
    learned: tuple[int, ...]
    shared: tuple[int, ...]
    pairs: tuple[int, ...]
    weight_writes: tuple[int, ...]
    windowed: tuple[int, ...]
    seen: tuple[int, ...]
    renewed: tuple[int, ...]
    errors: int
    applied: tuple[int, ...]
    bank_steps: int

    @classmethod
    def of(cls, events: Events) -> Tally:
        """The tally of a workspace's event table (EVENT_KINDS, L+1)."""
        rows = events_of(events, more.EVENT_KINDS)
        return cls(
            samples=rows[ev.SAMPLES][0],
            inputs=rows[ev.INPUTS][0],
            active=tuple(rows[more.ACTIVE]),
            learned=tuple(rows[more.LEARNED]),
            shared=tuple(rows[more.SHARED]),
            pairs=tuple(rows[ev.PAIRS]),
            weight_writes=tuple(rows[ev.WEIGHT_WRITES]),
            windowed=tuple(rows[more.WINDOWED]),
            seen=tuple(rows[more.SEEN]),
            renewed=tuple(rows[more.RENEWED]),
            errors=rows[more.ERRORS][-1],
            applied=tuple(rows[ev.APPLIED]),
            bank_steps=rows[ev.BANK_STEPS][0],
        )


def synapses(spec: Spec) -> tuple[int, ...]:
    """Weights of each weight layer."""
    return tuple(a * b for a, b in pairwise(spec.chip.layers))


def dense(spec: Spec, tally: Tally) -> Tally:
    """What `tally` would hold if nothing were skipped: every input, neuron and synapse takes part every time."""
    sizes, many, all_of = spec.chip.layers, competing(spec), synapses(spec)
    learned = tally.learned
    stored = layers.in_memory(spec)
    updates = tuple(tally.applied[k] if buffered(spec) and k < many else learned[k] for k in range(len(all_of)))
    return replace(
        tally,
        inputs=tally.samples * sizes[0],
        active=(0, *(tally.samples * n for n in sizes[1:-1]), 0),
        shared=(0, *(learned[k] * sizes[k + 1] for k in range(many)), *(0,) * (len(all_of) - many)),
        pairs=(*(n * learned[k] for k, n in enumerate(all_of)), 0),
        weight_writes=(*(n * updates[k] * (k in stored) for k, n in enumerate(all_of)), 0),
        windowed=(*(tally.seen[k] * sizes[k] for k in range(len(all_of))), 0),
        errors=learned[-2] * sizes[-1] if settings(spec).target == "label" else 0,
    )


def actions(spec: Spec, events: Events) -> dict[str, int]:
    """Actions of the chip of `spec` for the given events, as exact integers (all that `design` prices)."""
    found = Tally.of(events)
    check_layers(spec, len(found.learned), more.EVENT_KINDS)
    return priced(spec, found)


def paid_for(spec: Spec, happened: Tally) -> Tally:
    """What the spec's chip style pays for of a tally of events."""
    return dense(spec, happened) if spec.chip.style == "dense" else happened


def priced(spec: Spec, happened: Tally) -> dict[str, int]:
    """Actions for a tally of events in the spec's chip style; only layers in memory have weights to read and write."""
    sizes, many, all_of = spec.chip.layers, competing(spec), synapses(spec)
    paid, stored = paid_for(spec, happened), layers.in_memory(spec)
    samples, competitive = paid.samples, range(many)
    head = settings(spec).target == "label"
    neurons, competitors = sum(sizes[1:]), sum(sizes[1 : many + 1])
    macs = sum((paid.active[k] if k else paid.inputs) * sizes[k + 1] for k in stored)
    centred = [paid.learned[k] * sizes[k] for k in competitive]
    swept = sum(paid.pairs[k] for k in competitive)
    applied = sum(paid.applied[k] * all_of[k] for k in competitive)
    steps = sum(paid.applied[k] * sizes[k + 1] for k in competitive) if buffered(spec) else sum(paid.shared)
    offsets = sum(paid.renewed[k] * all_of[k] for k in competitive if k in stored)
    top = {
        "none": 0,
        "running": sum(paid.shared[k + 1] * sizes[k] for k in competitive),
        "maximum": applied,
    }[settings(spec).normalisation]
    outputs = paid.pairs[many] if head else 0
    pulls = 0 if buffered(spec) else swept
    read = (0 if buffered(spec) else sum(paid.pairs[k] for k in competitive if k in stored)) + applied + top + offsets
    # of a layer on cells, each weight that was read goes into its norm
    alone = sum(happened.shared[k + 1] * sizes[k] for k in competitive if k not in stored)
    return {
        act.MAC: macs,
        act.WEIGHT_READ: macs + read + (outputs if many in stored else 0),
        act.WEIGHT_WRITE: sum(paid.weight_writes),
        act.INPUT_READ: paid.inputs + centred[0] + paid.windowed[0],
        act.INPUT_WRITE: samples * sizes[0],
        # sent on to the layer above, less their means, added to a window, and for the errors of the read-out
        act.STATE_READ: sum(paid.active) + sum(centred[1:]) + sum(paid.windowed[1:]) + _read_out(spec, paid),
        act.STATE_WRITE: samples * neurons,
        own.DRIVE: samples * neurons,
        own.ACTIVATION: samples * competitors,
        own.SOFTMAX: sum(paid.learned[k] * sizes[k + 1] for k in competitive) + (samples * sizes[-1] if head else 0),
        own.RECIPROCAL: sum(paid.learned[k] for k in competitive) + (samples if head else 0),
        own.NORM_RATE: steps,
        own.CENTRE: sum(centred) if settings(spec).centre.enabled else 0,
        own.PULL: pulls,
        own.NORM_STEP: sum(paid.weight_writes[k] for k in competitive) + alone,
        own.LARGEST: top,
        own.WINDOW: sum(paid.windowed),
        own.MEAN: sum(paid.renewed[k] * sizes[k] for k in competitive),
        own.OFFSET: offsets,
        own.ERROR: paid.learned[many] * sizes[-1] if head else 0,
        own.HEAD: outputs,
        own.GRADIENT_ACCESS: swept + applied + (top if buffered(spec) else 0) if buffered(spec) else 0,
        own.NORMALISED: applied,
        act.RANDOM_WORD: paid.bank_steps * spec.chip.random.lanes,
    }


def _read_out(spec: Spec, paid: Tally) -> int:
    """States read for an update of the read-out: those below it, once a sample, and its outputs."""
    if settings(spec).target != "label":
        return 0
    many = competing(spec)
    below = paid.active[many] * paid.learned[many] // max(paid.samples, 1)
    return below + paid.learned[many] * spec.chip.layers[-1]
