"""From what happened (events) to what an EqProp chip pays for (actions), for each chip style.

A `dense` chip pays for every synapse and neuron in every step. An `event_driven` chip pays only for inputs that are
not zero, state codes that change, and synapses whose contrast can differ from zero. Both compute the same integers, and
the events do not depend on the simulator's shortcuts. The input product is formed once a sample in both styles.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from math import ceil

import numpy as np
import numpy.typing as npt

from edgesdt.arguments import ARGUMENTS
from edgesdt.kernels import layout as ev
from edgesdt.ledger import actions as act
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
        table = ARGUMENTS.integers("events", events, (ev.EVENT_KINDS, "layers"), 0, 2**63 - 1)
        if not table.shape[1]:
            ARGUMENTS.refuse("events", f"shape {table.shape}", "a column for each layer of neurons, input first")
        rows = [[int(n) for n in row] for row in table]
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


def dense(spec: Spec, tally: Tally) -> Tally:
    """What `tally` would hold if nothing were skipped: every input, neuron and synapse takes part every time."""
    sizes, learning = spec.chip.layers, settings(spec)
    synapses = tuple(a * b for a, b in pairwise(sizes))
    stored = sum(synapses[layer] for layer in layers.in_memory(spec))
    returns = tally.samples if learning.beta_sign == "symmetric" and tally.nudged_runs else 0
    steps = tally.samples * learning.free_steps + tally.nudged_runs * learning.nudged_steps + returns
    updates = tally.applied if learning.batch > 1 else tally.samples
    learned = tally.nudged_runs > 0
    neurons = sum(sizes[1:])
    return Tally(
        samples=tally.samples,
        inputs=tally.samples * sizes[0],
        changes=(0, *(steps * n for n in sizes[1:])),
        nudged_changes=tally.nudged_runs * learning.nudged_steps * sizes[-1],
        nudged_runs=tally.nudged_runs,
        pairs=tuple(tally.samples * n if learned else 0 for n in synapses),
        weight_writes=updates * stored if learned else 0,
        bias_moves=updates * neurons if learned and spec.chip.biases.enabled else 0,
        bias_writes=updates * neurons if learned and spec.chip.biases.enabled else 0,
        bank_steps=tally.bank_steps,
        applied=tally.applied,
    )


def actions(spec: Spec, events: Events) -> dict[str, int]:
    """Actions of the chip of `spec` for the given events, as exact integers (all of `actions.MEANING`)."""
    found = Tally.of(events)
    if len(found.changes) != len(spec.chip.layers):
        shape = (ev.EVENT_KINDS, len(spec.chip.layers))
        ARGUMENTS.refuse("events", f"{len(found.changes)} layers", f"integers of shape {shape}")
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
    # each of its changes goes up through the weights above and, but for the input, down through those below
    macs = sum((paid.changes[k] if k else paid.inputs) * sizes[k + 1] for k in stored)
    macs += sum(paid.changes[k + 1] * sizes[k] for k in stored if k)
    steps = sum(paid.changes)
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
        act.NEURON_STEP: steps,
        act.NUDGE: paid.nudged_changes,
        act.KEY_COMPARE: samples * sizes[-1] * settings(spec).winners if own else 0,
        act.HOMEOSTASIS_STEP: settled * sizes[-1] if own else 0,
        # a hidden pre-synaptic code differs between the phases: two products; the input does not: one
        act.CONTRAST: paid.pairs[0] + 2 * sum(paid.pairs[1:]),
        act.RATE: applied + paid.bias_moves,
        act.BIAS_READ: samples * neurons + paid.bias_moves if spec.chip.biases.enabled else 0,
        act.BIAS_WRITE: paid.bias_writes,
        act.RANDOM_WORD: paid.bank_steps * spec.chip.random.lanes,
        act.CONTRAST_ACCESS: formed + applied if batched else 0,
    }


def _kept_phases(spec: Spec) -> int:
    return 2 if settings(spec).beta_sign == "symmetric" else 1


# What an event-driven chip is assumed to see when nothing has been run yet (`edgesdt check`).
ASSUMED_INPUTS = 0.2
"""Share of inputs that are not zero (MNIST: 0.19)."""
ASSUMED_CHANGES = 0.5
"""State changes per neuron and training sample, all phases together (784-2000 on MNIST: 0.44)."""
ASSUMED_MOVED = 0.03
"""Share of the post-synaptic neurons that are swept (784-2000 on MNIST: 0.027)."""


def predicted(spec: Spec, learning: bool) -> dict[str, int]:
    """Actions of 1000 samples before anything is run, from the assumptions above; a dense chip's need none of them.

    Random words are always an estimate: they are drawn for the updates that happen.
    """
    return priced(spec, assumed(spec, learning))


def assumed(spec: Spec, learning: bool) -> Tally:
    """The events of 1000 samples as assumed above."""
    sizes, samples = spec.chip.layers, 1000
    kept = 1.0 - settings(spec).dropout.input if learning else 1.0
    inputs = samples * sizes[0] * ASSUMED_INPUTS * kept
    runs = (2 if settings(spec).beta_sign == "symmetric" else 1) * samples if learning else 0
    moved = [samples * n * ASSUMED_MOVED for n in sizes[1:]] if learning else [0.0 for _ in sizes[1:]]
    pairs = [
        (sizes[k] * (ASSUMED_INPUTS * kept if k == 0 else 2 * ASSUMED_MOVED)) * moved[k] for k in range(len(sizes) - 1)
    ]
    bank = 2 * spec.chip.random.lanes
    masks = sum(-(-n // (2 * bank)) for n in (sizes[0], sizes[-1]))
    # every sweep of a post-synaptic neuron starts on a fresh step of the bank
    sweeps = sum(n * ceil(p / max(n * bank, 1)) for n, p in zip(moved, pairs, strict=True))
    share = 1.0 if learning else 0.5
    return Tally(
        samples=samples,
        inputs=int(inputs),
        changes=(0, *(int(samples * n * ASSUMED_CHANGES * share) for n in sizes[1:])),
        nudged_changes=int(samples * sizes[-1] * ASSUMED_CHANGES / 2) if learning else 0,
        nudged_runs=runs,
        pairs=tuple(int(p) for p in pairs),
        weight_writes=int(sum(pairs[k] for k in layers.in_memory(spec)) * 0.15),
        bias_moves=int(sum(moved)) if spec.chip.biases.enabled else 0,
        bias_writes=int(sum(moved) * 0.15) if spec.chip.biases.enabled else 0,
        bank_steps=int(sweeps + samples * masks) if learning else 0,
        applied=ceil(samples / settings(spec).batch) if learning else 0,
    )


def assumptions(spec: Spec) -> str:
    """What `predicted` assumes, in words."""
    if spec.chip.style == "dense":
        return "exact for a dense chip, but for its random words"
    return (
        f"assuming {ASSUMED_INPUTS:.0%} of the inputs not zero, {ASSUMED_CHANGES:g} state changes per neuron and "
        f"{ASSUMED_MOVED:.0%} of the neurons updated per sample; a run counts them"
    )
