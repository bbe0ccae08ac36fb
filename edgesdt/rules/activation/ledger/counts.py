"""From what happened (events) to what a chip that learns by local competition pays for (actions), for each chip style.

A `dense` chip pays for every input, output and synapse. An `event_driven` chip pays only for signals, outputs and
factors that are not zero. Both compute the same integers.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import ceil

import numpy as np
import numpy.typing as npt

from edgesdt.kernels import layout as ev
from edgesdt.ledger import actions as act
from edgesdt.rules.activation import layout as more
from edgesdt.rules.activation.ledger import actions as own
from edgesdt.rules.activation.settings import by_lines, judged_part, settings, shapes
from edgesdt.rules.activity import ASSUMED, Activity, at
from edgesdt.rules.arguments import check_layers, events_of
from edgesdt.spec import Spec, layers

Events = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Tally:
    """The events of a stretch of samples as plain integers; tuples are per layer or weight layer, from the input up."""

    samples: int
    judged: int
    reloads: int
    passes: int
    inputs: int
    active: tuple[int, ...]
    updates: tuple[int, ...]
    outputs: tuple[int, ...]
    pairs: tuple[int, ...]
    weight_writes: int
    bank_steps: int

    @classmethod
    def of(cls, events: Events) -> Tally:
        """The tally of a workspace's event table (EVENT_KINDS, L+1)."""
        rows = events_of(events, more.EVENT_KINDS)
        return cls(
            samples=rows[ev.SAMPLES][0],
            judged=rows[more.JUDGED][0],
            reloads=rows[more.RELOADS][0],
            passes=rows[more.LABELS][0],
            inputs=rows[ev.INPUTS][0],
            active=tuple(rows[more.ACTIVE][1:-1]),
            updates=tuple(rows[more.UPDATES][:-1]),
            outputs=tuple(rows[more.OUTPUTS][1:]),
            pairs=tuple(rows[ev.PAIRS][:-1]),
            weight_writes=sum(rows[ev.WEIGHT_WRITES]),
            bank_steps=rows[ev.BANK_STEPS][0],
        )


def dense(spec: Spec, tally: Tally) -> Tally:
    """What `tally` would hold if nothing were skipped."""
    each = shapes(spec)
    synapses = tuple(n * a * b for n, (a, b) in zip(tally.updates, each, strict=True))
    return replace(
        tally,
        inputs=(tally.samples + tally.reloads) * spec.chip.layers[0],
        active=tuple(tally.passes * n for n in spec.chip.layers[1:-1]),
        outputs=tuple(n * columns for n, (_, columns) in zip(tally.updates, each, strict=True)),
        pairs=synapses,
        weight_writes=sum(synapses[k] for k in layers.in_memory(spec)),
    )


def actions(spec: Spec, events: Events) -> dict[str, int]:
    """Actions of the chip of `spec` for the given events, as exact integers (all that `design` prices)."""
    found = Tally.of(events)
    check_layers(spec, len(found.pairs) + 1, more.EVENT_KINDS)
    return priced(spec, found)


def priced(spec: Spec, happened: Tally) -> dict[str, int]:
    """Actions for a tally of events in the spec's chip style; only layers in memory have weights to read and write."""
    whole, stored = spec.chip.style == "dense", layers.in_memory(spec)
    paid = dense(spec, happened) if whole else happened
    learning, each, sizes = settings(spec), shapes(spec), spec.chip.layers
    units, passes = learning.label.units if whole else learning.label.copies, paid.passes
    driven = (paid.inputs + passes * units, *paid.active)
    macs = sum(driven[k] * sizes[k + 1] for k in stored)
    back = sum(paid.outputs[k] * each[k][0] for k in stored)
    rows, columns = (sum(n * side[k] for n, side in zip(paid.updates, each, strict=True)) for k in (0, 1))
    formed, lines = sum(paid.pairs), by_lines(spec)
    moved_here = sum(paid.pairs[k] for k in stored)
    neurons, hidden = sum(sizes[1:]), sum(sizes[1:-1])
    rescaled, standard = learning.activation != "abs", learning.activation == "std_abs"
    moved = paid.updates[0] if standard else 0
    return {
        act.MAC: macs,
        own.RECONSTRUCTION: back,
        act.WEIGHT_READ: macs + back + moved_here,
        act.WEIGHT_WRITE: paid.weight_writes,
        act.INPUT_READ: 2 * paid.samples * sizes[0],  # for its square, then to be normalised
        act.INPUT_WRITE: paid.samples * sizes[0],
        own.SQUARE: paid.samples * sizes[0] + passes * (neurons + rescaled * hidden),
        own.INVERSE_ROOT: paid.samples
        + learning.feedback.normalise * paid.judged
        + rescaled * passes * 2 * (len(sizes) - 2)
        + standard * passes * hidden,
        own.NORMALISE: paid.samples * sizes[0],
        own.SUM_COPY: passes * sizes[1],
        own.OUTPUT: passes * neurons,
        own.MEAN: rescaled * passes * hidden,
        own.SIGNAL: rescaled * passes * hidden,
        own.RUN: moved * hidden,
        # signals: by the passes and the errors; outputs: by activations, reconstructions and factors
        act.STATE_READ: paid.inputs + passes * (units + hidden) + sum(paid.active) + rows + sum(paid.outputs) + columns,
        # a label's units are cleared and set
        act.STATE_WRITE: paid.samples * sizes[0] + passes * (2 * units + neurons + hidden),
        own.ERROR: rows,
        own.ERROR_READ: rows,
        own.ERROR_WRITE: rows,
        own.COMPARE: passes - sum(paid.updates[:1]),
        own.FACTOR: (rows + columns) * lines,
        own.LINE_STEP: formed * lines,
        own.PRODUCT_STEP: formed * (not lines),
        act.RANDOM_WORD: paid.bank_steps * spec.chip.random.lanes,
    }


def predicted(spec: Spec, learning: bool, activity: Activity = ASSUMED) -> dict[str, int]:
    """Actions of 1000 samples before anything is run, from how busy the chip is expected to be.

    A dense chip's need no expectation but, with feedback, for the share of the samples that are updated.
    """
    return priced(spec, expected(spec, learning, activity))


def expected(spec: Spec, learning: bool, activity: Activity) -> Tally:
    """The events of 1000 samples with `activity` (`activity.observed` says which share stands where)."""
    if activity.source.endswith("assuming"):
        pairing = (0.01,) if by_lines(spec) else (0.8,)
        activity = replace(activity, changes=(1.0,), changes_at_inference=(1.0,), moved=(1.0,), pairing=pairing)
    sizes, each, samples = spec.chip.layers, shapes(spec), 1000
    judged = int(samples * judged_part(spec)) * learning
    reloads = int(judged * activity.nudged)
    updates = (samples - judged) * learning + 2 * reloads
    passes = updates + settings(spec).label.classes * (judged if learning else samples)
    shares = activity.changes if learning else activity.changes_at_inference
    outputs = [updates * n * at(activity.moved, layer) for layer, n in enumerate(sizes[1:], 1)]
    pairs = [updates * a * b * at(activity.pairing, layer) for layer, (a, b) in enumerate(each, 1)]
    steps = bank_steps(spec, updates) + samples * activity.steps if learning else 0
    return Tally(
        samples=samples,
        judged=judged,
        reloads=reloads,
        passes=passes,
        inputs=int((samples + reloads) * sizes[0] * activity.inputs),
        active=tuple(int(passes * n * at(shares, layer)) for layer, n in enumerate(sizes[1:-1], 1)),
        updates=(updates,) * len(each),
        outputs=tuple(int(n) for n in outputs),
        pairs=tuple(int(n) for n in pairs),
        weight_writes=int(sum(pairs[k] for k in layers.in_memory(spec)) * activity.written),
        bank_steps=max(int(steps), 0),
    )


def bank_steps(spec: Spec, updates: int) -> int:
    """Steps of the random bank for so many updates of each layer: two draws of lines, or one for each column."""
    bank, lines, stored = 2 * spec.chip.random.lanes, by_lines(spec), layers.in_memory(spec)
    rounded = spec.chip.weights.rounding == "stochastic"
    each = [ceil(a / bank) + ceil(b / bank) if lines else b * ceil(a / bank) for a, b in shapes(spec)]
    return updates * sum(n for k, n in enumerate(each) if rounded or k not in stored)  # pulses are always rounded so
