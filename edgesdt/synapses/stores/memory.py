"""All weight layers of a chip in a digital memory: read row by row or from a transposed copy, written code by code."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from edgesdt.kernels.drive import accumulate, list_inputs
from edgesdt.kernels.jit import kernel
from edgesdt.kernels.layout import ACCUMULATOR_SATURATIONS, INPUTS, Codes, Ints, WeightCodes
from edgesdt.synapses.batch import apply_weights
from edgesdt.synapses.digital import update_weights
from edgesdt.synapses.outer import move_by_outer


class Memory(NamedTuple):
    """The weights, and what the simulator keeps beside them; shapes as in `edgesdt.kernels.layout`."""

    weights: WeightCodes  # as stored
    read: WeightCodes  # as read, at the same places: the same array where nothing is hidden
    reading: Ints  # (5,) how a stored code is read (`synapses.levels`); (0,) where it is read as it is
    mirror: WeightCodes  # `read` of weight layers 1 … L-1 transposed, at the same offsets
    weight_peak: Ints  # (L,) upper bound of |code read|
    wear: npt.NDArray[np.uint8]  # as weights, transposed: how often each code was changed, modulo 256
    wear_carry: npt.NDArray[np.uint32]  # as wear: how often that wrapped
    aligned: Codes  # (max n,) room for codes aligned with the accumulators


def memory_of(chip: Any, work: Any, aligned: Codes) -> Memory:
    """The store of a chip in memory, made of arrays of its own and of the simulator's.

    `work` of a rule that has hidden bits (`Rule.hidden_bits`) has `read` and `reading`; else codes are read as stored.
    """
    read, reading = getattr(work, "read", chip.weights[:0]), getattr(work, "reading", np.zeros(0, np.int64))
    return Memory(
        chip.weights, read if reading.size else chip.weights, reading, work.mirror, work.weight_peak, work.wear,
        work.wear_carry, aligned,
    )  # fmt: skip


@kernel
def feed_inputs(inputs, accumulators, weights, plan, index, value, aligned, weight_peak, reach, events):  # type: ignore[no-untyped-def]
    """Multiply-accumulate the non-zero inputs into layer 1; this product is constant for the sample."""
    count = list_inputs(inputs, index, value)
    events[INPUTS, 0] += count
    layer, peak, limit = accumulators[: plan.sizes[1]], weight_peak[0], plan.accumulator_limit
    if plan.input_left == 0:
        hits = accumulate(layer, weights, 0, index, value, count, peak, reach[1:], limit)
    else:
        for a in range(count):
            aligned[a] = value[a] << plan.input_left
        hits = accumulate(layer, weights, 0, index, aligned, count, peak, reach[1:], limit)
    events[ACCUMULATOR_SATURATIONS, 1] += hits


@kernel
def add_weighted(  # type: ignore[no-untyped-def]
    weights, mirror, weight_peak, aligned, between, forward, index, change, left, accumulators, plan, reach, events
):
    """Multiply-accumulate the listed codes into the layer above `between`, or below it by the transposed weights."""
    towards, count = between + 1 if forward else between, change.shape[0]
    for a in range(count):
        aligned[a] = change[a] << left
    events[ACCUMULATOR_SATURATIONS, towards] += accumulate(
        accumulators[plan.first[towards] :][: plan.sizes[towards]], weights if forward else mirror,
        plan.first_weight[between], index, aligned, count, weight_peak[between], reach[towards:],
        plan.accumulator_limit,
    )  # fmt: skip


def feed(store, inputs, accumulators, plan, work):  # type: ignore[no-untyped-def]
    """As `synapses.store.feed`."""
    feed_inputs(
        inputs, accumulators, store.read, plan, work.event_index, work.event_value, store.aligned,
        store.weight_peak, work.reach, work.events,
    )  # fmt: skip


def add_changes(store, between, forward, index, change, left, accumulators, plan, reach, events):  # type: ignore[no-untyped-def]
    """As `synapses.store.add_changes`."""
    add_weighted(
        store.read, store.mirror, store.weight_peak, store.aligned, between, forward, index, change, left,
        accumulators, plan, reach, events,
    )  # fmt: skip


def update_contrast(store, layer, inputs, plus, minus, rate, random, plan, work):  # type: ignore[no-untyped-def]
    """As `synapses.store.update_contrast`: at once."""
    update_weights(
        store.weights, store.read, store.reading, store.mirror, store.wear, store.wear_carry, inputs, plus, minus,
        plan, layer, rate, random, work.words, work.halves, work.silence, work.flags, work.deltas, work.pending,
        work.named, work.swept, work.pres, work.pre_plus, work.pre_minus, work.posts, store.weight_peak, work.events,
    )  # fmt: skip


def update_outer(store, layer, active, found, rate, random, plan, work):  # type: ignore[no-untyped-def]
    """As `synapses.store.update_outer`: at once."""
    move_by_outer(
        store.weights, store.read, store.reading, store.mirror, store.wear, store.wear_carry, plan, layer, rate,
        work.pres, work.pre_values, active, work.posts, work.post_values, found, random, work.words, work.halves,
        work.silence, work.deltas, work.pending, work.named, work.swept, store.weight_peak, work.events,
    )  # fmt: skip


def apply_gathered(store, layer, gathered, rate, random, plan, work):  # type: ignore[no-untyped-def]
    """As `synapses.store.apply_gathered`."""
    apply_weights(
        gathered, store.weights, store.read, store.reading, store.mirror, store.wear, store.wear_carry, plan, layer,
        rate, random, work.words, work.halves, work.deltas, work.pending, work.named, work.swept, work.pres,
        store.weight_peak, work.events,
    )  # fmt: skip


def on_cells(store, layer):  # type: ignore[no-untyped-def]
    """As `synapses.store.on_cells`."""
    return False


def begin_update(store):  # type: ignore[no-untyped-def]
    """As `synapses.store.begin_update`: nothing is listed in a memory."""


def read_column(store, layer, post, coarse, column):  # type: ignore[no-untyped-def]
    """As `synapses.store.read_column`: there are no cells."""


def list_column(store, layer, post, plan, work):  # type: ignore[no-untyped-def]
    """As `synapses.store.list_column`: there are no cells."""


def write(store, plan, work):  # type: ignore[no-untyped-def]
    """As `synapses.store.write`: nothing is listed in a memory."""


def begin_inference(store, place, plan):  # type: ignore[no-untyped-def]
    """As `synapses.store.begin_inference`: reads of a memory have no noise."""
