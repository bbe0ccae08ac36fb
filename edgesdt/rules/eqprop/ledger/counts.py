"""From what happened (events) to what an EqProp chip pays for (actions), for each chip style.

A `dense` chip pays for every synapse and neuron in every step. An `event_driven` chip pays only for inputs that are
not zero, state codes that change, and synapses whose contrast can differ from zero. Both compute the same integers, and
the events do not depend on the simulator's shortcuts. The input product is formed once a sample in both styles.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from math import ceil
from typing import Any

import numpy as np
import numpy.typing as npt

from edgesdt.kernels import layout as ev
from edgesdt.ledger import actions as act
from edgesdt.rules import hidden_bits, softmax
from edgesdt.rules.activity import ASSUMED, Activity, at, bank_steps, kept_inputs
from edgesdt.rules.arguments import check_layers, events_of
from edgesdt.rules.eqprop.ledger.design import counts_columns
from edgesdt.rules.eqprop.settings import settings
from edgesdt.spec import Spec, layers

Events = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Tally:
    """The events of a stretch of samples as plain integers; `changes[l]`, `pairs[l]` … are per layer."""

    samples: int
    inputs: int
    changes: tuple[int, ...]
    nudged_changes: int
    nudged_runs: int
    pairs: tuple[int, ...]
    weight_writes: int
    bias_moves: int
    bias_writes: int
    bank_steps: int
    applied: int

    @classmethod
    def of(cls, events: Events) -> Tally:
        """The tally of a workspace's event table (EVENT_KINDS, L+1)."""
        rows = events_of(events, ev.EVENT_KINDS)
        return cls(
            samples=rows[ev.SAMPLES][0],
            inputs=rows[ev.INPUTS][0],
            changes=tuple(rows[ev.STATE_CHANGES]),
            nudged_changes=sum(rows[ev.NUDGED_CHANGES]),
            nudged_runs=rows[ev.NUDGED_RUNS][0],
            pairs=tuple(rows[ev.PAIRS]),
            weight_writes=sum(rows[ev.WEIGHT_WRITES]),
            bias_moves=sum(rows[ev.BIAS_MOVES]),
            bias_writes=sum(rows[ev.BIAS_WRITES]),
            bank_steps=rows[ev.BANK_STEPS][0],
            applied=rows[ev.APPLIED][0],
        )

    def less(self, before: Tally) -> Tally:
        """What happened since `before`."""
        fields: dict[str, Any] = {}
        for name, now in vars(self).items():
            then = getattr(before, name)
            both = isinstance(now, tuple)
            fields[name] = tuple(a - b for a, b in zip(now, then, strict=True)) if both else now - then
        return Tally(**fields)


def dense(spec: Spec, tally: Tally) -> Tally:
    """What `tally` would hold if nothing were skipped: every input, neuron and synapse takes part every time."""
    sizes, learning = spec.chip.layers, settings(spec)
    synapses = tuple(a * b for a, b in pairwise(sizes))
    stored = sum(synapses[layer] for layer in layers.in_memory(spec))
    returns = tally.samples if learning.beta_sign == "symmetric" and tally.nudged_runs else 0
    steps = tally.samples * learning.free_steps + tally.nudged_runs * learning.nudged_steps + returns
    updates = tally.applied if learning.batch > 1 else tally.samples
    learned = tally.nudged_runs > 0
    neurons, nudged = sum(sizes[1:]), tally.nudged_runs * learning.nudged_steps
    top = nudged + returns if is_soft(spec) else steps  # a softmax nudges in nudged phases alone
    return Tally(
        samples=tally.samples,
        inputs=tally.samples * sizes[0],
        changes=(0, *(steps * n for n in sizes[1:-1]), top * sizes[-1]),
        nudged_changes=nudged * sizes[-1],
        nudged_runs=tally.nudged_runs,
        pairs=tuple(tally.samples * n if learned else 0 for n in synapses),
        weight_writes=updates * stored if learned else 0,
        bias_moves=updates * neurons if learned and spec.chip.biases.enabled else 0,
        bias_writes=updates * neurons if learned and spec.chip.biases.enabled else 0,
        bank_steps=tally.bank_steps,
        applied=tally.applied,
    )


def is_soft(spec: Spec) -> bool:
    """Whether the outputs are a softmax."""
    return settings(spec).loss == "cross_entropy"


def _softmaxes(spec: Spec, paid: Tally) -> dict[str, int]:
    """Shares are formed at the end of a free phase and in every nudged step, in either style."""
    if not is_soft(spec):
        return {}
    formed = paid.samples + paid.nudged_runs * settings(spec).nudged_steps
    return {softmax.SOFTMAX: formed * spec.chip.layers[-1], softmax.RECIPROCAL: formed}


def actions(spec: Spec, events: Events) -> dict[str, int]:
    """Actions of the chip of `spec` for the given events, as exact integers (all of `actions.MEANING`)."""
    found = Tally.of(events)
    check_layers(spec, len(found.changes), ev.EVENT_KINDS)
    return priced(spec, found)


def paid_for(spec: Spec, happened: Tally) -> Tally:
    """What the spec's chip style pays for of a tally of events."""
    return dense(spec, happened) if spec.chip.style == "dense" else happened


def priced(spec: Spec, happened: Tally) -> dict[str, int]:
    """Actions for a tally of events in the spec's chip style; only layers in memory have weights to read and write."""
    sizes = spec.chip.layers
    paid = paid_for(spec, happened)
    samples, neurons = paid.samples, sum(sizes[1:])
    stored = layers.in_memory(spec)
    # a change is passed down against the rows of the weights below its neuron
    down = sum(paid.changes[k + 1] * sizes[k] for k in stored if k)
    macs = sum((paid.changes[k] if k else paid.inputs) * sizes[k + 1] for k in stored) + down
    steps, deep = sum(paid.changes), len(sizes) > 2
    learned = samples if paid.nudged_runs else 0
    own = settings(spec).target == "self_defined" and learned > 0
    batched = settings(spec).batch > 1
    synapses = sum(a * b for a, b in pairwise(sizes))
    formed = sum(paid.pairs)
    applied = paid.applied * synapses if batched else formed
    read_to_move = applied if batched else sum(paid.pairs[k] for k in stored)
    settled = paid.applied if batched else samples
    return {
        act.MAC: macs,
        act.WEIGHT_READ: macs + read_to_move,
        act.WEIGHT_WRITE: paid.weight_writes,
        act.INPUT_READ: paid.inputs + (paid.inputs if learned else 0),
        act.INPUT_WRITE: samples * sizes[0],
        # read by each step; compared and copied at the end of the phases
        act.STATE_READ: steps + 2 * learned * neurons,
        # written by each step; reset at the start, kept at the end of each phase that is compared
        act.STATE_WRITE: steps + samples * neurons + _kept_phases(spec) * learned * neurons,
        act.NEURON_STEP: sum(paid.changes[:-1]) if is_soft(spec) else steps,
        act.NUDGE: paid.nudged_changes,
        act.KEY_COMPARE: samples * sizes[-1] * settings(spec).winners if own else 0,
        act.HOMEOSTASIS_STEP: settled * sizes[-1] if own else 0,
        # a hidden pre-synaptic code differs between the phases: two products; the input, or below a softmax: one
        act.CONTRAST: paid.pairs[0] + 2 * sum(paid.pairs[1:]) - (paid.pairs[-1] if is_soft(spec) and deep else 0),
        act.RATE: applied + paid.bias_moves,
        act.BIAS_READ: samples * neurons + paid.bias_moves if spec.chip.biases.enabled else 0,
        act.BIAS_WRITE: paid.bias_writes,
        act.RANDOM_WORD: paid.bank_steps * spec.chip.random.lanes,
        act.CONTRAST_ACCESS: formed + applied if batched else 0,
        **({act.COLUMN_MAC: down} if counts_columns(spec) else {}),
        **hidden_bits.counts(spec, read_to_move, paid.weight_writes),
        **_softmaxes(spec, paid),
    }


def _kept_phases(spec: Spec) -> int:
    return 2 if settings(spec).beta_sign == "symmetric" else 1


def predicted(spec: Spec, learning: bool, activity: Activity = ASSUMED) -> dict[str, int]:
    """Actions of 1000 samples before anything is run, from how busy the chip is expected to be.

    A dense chip's need no expectation but for random words, which are drawn for the updates that happen.
    """
    return priced(spec, expected(spec, learning, activity))


def expected(spec: Spec, learning: bool, activity: Activity) -> Tally:
    """The events of 1000 samples with `activity` on the chip of `spec`."""
    sizes, samples, last = spec.chip.layers, 1000, len(spec.chip.layers) - 1
    inputs = samples * sizes[0] * activity.inputs * kept_inputs(spec, learning)
    changes = activity.changes if learning else activity.changes_at_inference
    moved = [samples * n * at(activity.moved, layer) * learning for layer, n in enumerate(sizes[1:], 1)]
    pre = [inputs / samples, *(sizes[k] * at(activity.pairing, k) * at(activity.moved, k) for k in range(1, last))]
    pairs = [share * posts for share, posts in zip(pre, moved, strict=True)]
    biased = [samples * n * at(activity.biases_moved, layer) for layer, n in enumerate(sizes[1:], 1)]
    bias_moves = sum(biased) if learning and spec.chip.biases.enabled else 0
    bank = samples * activity.steps_at_inference
    if learning:
        bank = max(bank_steps(spec, samples, moved, pairs) + samples * activity.steps, 0.0)
    return Tally(
        samples=samples,
        inputs=int(inputs),
        changes=(0, *(int(samples * n * at(changes, layer)) for layer, n in enumerate(sizes[1:], 1))),
        nudged_changes=int(samples * sizes[-1] * activity.nudged) if learning else 0,
        nudged_runs=(2 if settings(spec).beta_sign == "symmetric" else 1) * samples if learning else 0,
        pairs=tuple(int(p) for p in pairs),
        weight_writes=int(sum(pairs[k] for k in layers.in_memory(spec)) * activity.written),
        bias_moves=int(bias_moves),
        bias_writes=int(bias_moves * activity.biases_written),
        bank_steps=int(bank),
        applied=ceil(samples / settings(spec).batch) if learning else 0,
    )
