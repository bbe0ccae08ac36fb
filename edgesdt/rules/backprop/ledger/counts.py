"""From what happened (events) to what a chip that learns by backpropagation pays for (actions), for each chip style.

A `dense` chip pays for every synapse and neuron in each of its three passes over the weights. An `event_driven` chip
pays only for inputs, states and errors that are not zero. Both compute the same integers.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from math import ceil

import numpy as np
import numpy.typing as npt

from edgesdt.kernels import layout as ev
from edgesdt.ledger import actions as act
from edgesdt.rules import hidden_bits, softmax
from edgesdt.rules.activity import ASSUMED, Activity, at, bank_steps, kept_inputs
from edgesdt.rules.arguments import check_layers, events_of
from edgesdt.rules.backprop import layout as more
from edgesdt.rules.backprop.ledger import actions as own
from edgesdt.rules.backprop.settings import settings
from edgesdt.spec import Spec, layers

Events = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Tally:
    """The events of a stretch of samples as plain integers; tuples are per layer, 0 … L."""

    samples: int
    learned: int
    inputs: int
    active: tuple[int, ...]
    errors: tuple[int, ...]
    pairs: tuple[int, ...]
    weight_writes: int
    bias_moves: int
    bias_writes: int
    bank_steps: int
    applied: int

    @classmethod
    def of(cls, events: Events) -> Tally:
        """The tally of a workspace's event table (EVENT_KINDS, L+1)."""
        rows = events_of(events, more.EVENT_KINDS)
        return cls(
            samples=rows[ev.SAMPLES][0],
            learned=rows[more.LEARNED][0],
            inputs=rows[ev.INPUTS][0],
            active=tuple(rows[more.ACTIVE]),
            errors=tuple(rows[more.ERRORS]),
            pairs=tuple(rows[ev.PAIRS]),
            weight_writes=sum(rows[ev.WEIGHT_WRITES]),
            bias_moves=sum(rows[ev.BIAS_MOVES]),
            bias_writes=sum(rows[ev.BIAS_WRITES]),
            bank_steps=rows[ev.BANK_STEPS][0],
            applied=rows[ev.APPLIED][0],
        )


def dense(spec: Spec, tally: Tally) -> Tally:
    """What `tally` would hold if nothing were skipped: every input, neuron and synapse takes part every time."""
    sizes = spec.chip.layers
    synapses = tuple(a * b for a, b in pairwise(sizes))
    updates = tally.applied if settings(spec).batch > 1 else tally.learned
    moves = updates * sum(sizes[1:]) if spec.chip.biases.enabled else 0
    return Tally(
        samples=tally.samples,
        learned=tally.learned,
        inputs=tally.samples * sizes[0],
        active=(0, *(tally.samples * n for n in sizes[1:-1]), 0),
        errors=(0, *(tally.learned * n for n in sizes[1:])),
        pairs=tuple(tally.learned * n for n in synapses),
        weight_writes=updates * sum(synapses[k] for k in layers.in_memory(spec)),
        bias_moves=moves,
        bias_writes=moves,
        bank_steps=tally.bank_steps,
        applied=tally.applied,
    )


def actions(spec: Spec, events: Events) -> dict[str, int]:
    """Actions of the chip of `spec` for the given events, as exact integers (all that `design` prices)."""
    found = Tally.of(events)
    check_layers(spec, len(found.errors), more.EVENT_KINDS)
    return priced(spec, found)


def paid_for(spec: Spec, happened: Tally) -> Tally:
    """What the spec's chip style pays for of a tally of events."""
    return dense(spec, happened) if spec.chip.style == "dense" else happened


def priced(spec: Spec, happened: Tally) -> dict[str, int]:
    """Actions for a tally of events in the spec's chip style; only layers in memory have weights to read and write."""
    sizes, learning = spec.chip.layers, settings(spec)
    paid, stored = paid_for(spec, happened), layers.in_memory(spec)
    neurons, outputs, learned = sum(sizes[1:]), sizes[-1], paid.learned
    batched, with_bias = learning.batch > 1, spec.chip.biases.enabled
    macs = sum((paid.active[k] if k else paid.inputs) * sizes[k + 1] for k in stored)
    back = sum(paid.errors[k + 1] * sizes[k] for k in stored if k)
    formed = sum(paid.pairs)
    applied = paid.applied * sum(a * b for a, b in pairwise(sizes)) if batched else formed
    read_to_move = applied if batched else sum(paid.pairs[k] for k in stored)
    chosen = learning.target == "self_defined"
    settled = paid.applied if batched else learned
    soft = learning.loss == "cross_entropy"
    return {
        act.MAC: macs,
        own.BACK_MAC: back,
        act.WEIGHT_READ: macs + back + read_to_move,
        act.WEIGHT_WRITE: paid.weight_writes,
        act.INPUT_READ: paid.inputs + (paid.inputs if learned else 0),
        act.INPUT_WRITE: paid.samples * sizes[0],
        # read by the pass to the layer above, for the error of each neuron, and for the update
        act.STATE_READ: sum(paid.active) * (2 if learned else 1) + learned * neurons,
        act.STATE_WRITE: paid.samples * neurons,
        own.ACTIVATION: paid.samples * (neurons - (outputs if soft else 0)),
        softmax.SOFTMAX: paid.samples * outputs if soft else 0,
        softmax.RECIPROCAL: paid.samples if soft else 0,
        own.ERROR: learned * neurons,
        # read by the pass to the layer below, and for the update
        own.ERROR_READ: sum(paid.errors[2:]) + sum(paid.errors),
        own.ERROR_WRITE: learned * neurons,
        act.KEY_COMPARE: learned * outputs * learning.winners if chosen else 0,
        act.HOMEOSTASIS_STEP: settled * outputs if chosen else 0,
        own.OUTER: formed,
        own.STEP: applied + paid.bias_moves,
        act.BIAS_READ: paid.samples * neurons + paid.bias_moves if with_bias else 0,
        act.BIAS_WRITE: paid.bias_writes,
        act.RANDOM_WORD: paid.bank_steps * spec.chip.random.lanes,
        own.GRADIENT_ACCESS: formed + applied if batched else 0,
        **hidden_bits.counts(spec, read_to_move, paid.weight_writes),
    }


def predicted(spec: Spec, learning: bool, activity: Activity = ASSUMED) -> dict[str, int]:
    """Actions of 1000 samples before anything is run, from how busy the chip is expected to be.

    A dense chip's need no expectation but for random words, which are drawn for the updates that happen.
    """
    return priced(spec, expected(spec, learning, activity))


def expected(spec: Spec, learning: bool, activity: Activity) -> Tally:
    """The events of 1000 samples with `activity`: its changes are states that are not 0, what moved are errors."""
    sizes, samples = spec.chip.layers, 1000
    inputs = samples * sizes[0] * activity.inputs * kept_inputs(spec, learning)
    rates = activity.changes if learning else activity.changes_at_inference
    active = [samples * n * at(rates, layer) for layer, n in enumerate(sizes[1:-1], 1)]
    errors = [samples * n * at(activity.moved, layer) * learning for layer, n in enumerate(sizes[1:], 1)]
    pre = [inputs / samples]
    pre += [n * at(activity.pairing, layer) * at(activity.moved, layer) for layer, n in enumerate(sizes[1:-1], 1)]
    pairs = [share * posts for share, posts in zip(pre, errors, strict=True)]
    biased = [samples * n * at(activity.biases_moved, layer) for layer, n in enumerate(sizes[1:], 1)]
    moves = int(sum(biased)) if learning and spec.chip.biases.enabled else 0
    bank = samples * activity.steps_at_inference
    if learning:
        bank = max(bank_steps(spec, samples, errors, pairs) + samples * activity.steps, 0.0)
    return Tally(
        samples=samples,
        learned=samples if learning else 0,
        inputs=int(inputs),
        active=(0, *(int(n) for n in active), 0),
        errors=(0, *(int(n) for n in errors)),
        pairs=tuple(int(p) for p in pairs),
        weight_writes=int(sum(pairs[k] for k in layers.in_memory(spec)) * activity.written),
        bias_moves=moves,
        bias_writes=int(moves * activity.biases_written),
        bank_steps=int(bank),
        applied=ceil(samples / settings(spec).batch) if learning else 0,
    )
