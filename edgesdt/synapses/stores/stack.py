"""Several layers of weights, each in memory or on an array of cells that is read in both directions."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from edgesdt.kernels.jit import inlined, kernel
from edgesdt.kernels.layout import Ints
from edgesdt.synapses.crossbar.columns import list_column_pulses, read_alone
from edgesdt.synapses.crossbar.layout import Bank, Sensing
from edgesdt.synapses.crossbar.reading.sensing import sense
from edgesdt.synapses.crossbar.reading.two_way import TwoWay, read_changes
from edgesdt.synapses.crossbar.writing.programming import write_pulses_both_ways
from edgesdt.synapses.crossbar.writing.updates import list_outer_pulses, list_pulses
from edgesdt.synapses.digital import update_weights
from edgesdt.synapses.outer import move_by_outer
from edgesdt.synapses.stores.memory import Memory, add_weighted, feed_inputs


class Stack(NamedTuple):
    """The weight codes of all layers as a memory, and the arrays of the layers on cells, from the input up."""

    memory: Memory
    place: Ints  # (L,) place of a weight layer in the tuples; -1 of one in memory
    sensings: tuple[Sensing, ...]
    banks: tuple[Bank, ...]
    ways: tuple[TwoWay, ...]  # of the lowest layer, which is read forward alone, only the tables are of use
    listed: Ints  # (arrays,) cells that the update has listed, of each
    followed: Ints  # (arrays,) 1 where the array is read back, too
    pulsed: Ints  # (arrays,) 1 where `write` pulses them; else Python does, one sample after the other


@inlined
def block(weights, plan, layer):  # type: ignore[no-untyped-def]
    """The part of `weights` (or of their transposed copy) that belongs to one weight layer."""
    return weights[plan.first_weight[layer] :][: plan.sizes[layer] * plan.sizes[layer + 1]]


def feed(store, inputs, accumulators, plan, work):  # type: ignore[no-untyped-def]
    """As `synapses.store.feed`: by one read of the array of layer 0, or from memory."""
    feed_lowest(store, inputs, accumulators, plan, work.event_index, work.event_value, work.reach, work.events)


@kernel
def feed_lowest(store, inputs, accumulators, plan, index, value, reach, events):  # type: ignore[no-untyped-def]
    """Feed the inputs to layer 1."""
    memory, at = store.memory, store.place[0]
    if at < 0:
        feed_inputs(
            inputs, accumulators, memory.read, plan, index, value, memory.aligned, memory.weight_peak, reach, events
        )
    else:
        sense(
            inputs, accumulators[: plan.sizes[1]], block(memory.weights, plan, 0), index, value, store.sensings[at],
            store.banks[at], events,
        )  # fmt: skip
        reach[1] = plan.accumulator_limit + 1  # a bound that later additions look into


@kernel
def add_changes_of(store, between, forward, index, change, left, accumulators, plan, reach, events):  # type: ignore[no-untyped-def]
    """Add listed codes by reads of an array, or from memory."""
    memory, at = store.memory, store.place[between]
    if at < 0:
        add_weighted(memory, between, forward, index, change, left, accumulators, plan, reach, events)
        return
    towards = between + 1 if forward else between
    codes = block(memory.weights, plan, between) if forward else block(memory.mirror, plan, between)
    read_changes(
        index, change, codes, forward, left - plan.state_left,
        accumulators[plan.first[towards] :][: plan.sizes[towards]], towards, store.sensings[at], store.banks[at],
        store.ways[at], events,
    )  # fmt: skip
    reach[towards] = plan.accumulator_limit + 1


def add_changes(store, between, forward, index, change, left, accumulators, plan, reach, events):  # type: ignore[no-untyped-def]
    """As `synapses.store.add_changes`."""
    add_changes_of(store, between, forward, index, change, left, accumulators, plan, reach, events)


def update_contrast(store, layer, inputs, plus, minus, rate, random, plan, work):  # type: ignore[no-untyped-def]
    """As `synapses.store.update_contrast`: moves a layer in memory, lists the pulses of one on cells."""
    update_layer(store, layer, inputs, plus, minus, rate, random, plan, work)


@kernel
def update_layer(store, layer, inputs, plus, minus, rate, random, plan, work):  # type: ignore[no-untyped-def]
    """Move one layer in memory, or list the pulses of one on cells."""
    memory, at = store.memory, store.place[layer]
    if at >= 0:
        store.listed[at] = list_pulses(
            block(memory.weights, plan, layer), inputs, plus, minus, plan, layer, rate, random, work, store.banks[at]
        )
    else:
        update_weights(
            memory.weights, memory.read, memory.reading, memory.kept, memory.wear, memory.wear_carry, inputs, plus,
            minus, plan, layer, rate, random, work.words, work.halves, work.silence, work.flags, work.deltas,
            work.pending, work.named, work.swept, work.pres, work.pre_plus, work.pre_minus, work.posts,
            memory.weight_peak, work.events,
        )  # fmt: skip


def update_outer(store, layer, active, found, rate, random, plan, work):  # type: ignore[no-untyped-def]
    """As `synapses.store.update_outer`: moves a layer in memory, lists the pulses of one on cells."""
    update_layer_by_outer(store, layer, active, found, rate, random, plan, work)


@kernel
def update_layer_by_outer(store, layer, active, found, rate, random, plan, work):  # type: ignore[no-untyped-def]
    """Move one layer in memory, or list the pulses of one on cells."""
    memory, at = store.memory, store.place[layer]
    if at >= 0:
        store.listed[at] = list_outer_pulses(
            block(memory.weights, plan, layer), active, found, plan, layer, rate, random, work, store.banks[at]
        )  # fmt: skip
    else:
        move_by_outer(
            memory.weights, memory.read, memory.reading, memory.kept, memory.wear, memory.wear_carry, plan, layer,
            rate, work.pres, work.pre_values, active, work.posts, work.post_values, found, random, work.words,
            work.halves, work.silence, work.deltas, work.pending, work.named, work.swept, memory.weight_peak,
            work.events,
        )  # fmt: skip


def apply_gathered(store, layer, gathered, rate, random, plan, work):  # type: ignore[no-untyped-def]
    """As `synapses.store.apply_gathered`; no spec asks for it, since mini-batches on cells are refused."""


def on_cells(store, layer):  # type: ignore[no-untyped-def]
    """As `synapses.store.on_cells`."""
    return store.place[layer] >= 0


def begin_update(store):  # type: ignore[no-untyped-def]
    """As `synapses.store.begin_update`."""
    store.listed[:] = 0


def read_column(store, layer, post, coarse, column):  # type: ignore[no-untyped-def]
    """As `synapses.store.read_column`."""
    read_column_of(store, layer, post, coarse, column)


@kernel
def read_column_of(store, layer, post, coarse, column):  # type: ignore[no-untyped-def]
    """Read a column of a layer on cells."""
    at = store.place[layer]
    if at >= 0:
        read_alone(post, coarse, column, store.banks[at])


def list_column(store, layer, post, plan, work):  # type: ignore[no-untyped-def]
    """As `synapses.store.list_column`."""
    list_column_of(store, layer, post, plan, work)


@kernel
def list_column_of(store, layer, post, plan, work):  # type: ignore[no-untyped-def]
    """List the pulses of a column of a layer on cells."""
    at = store.place[layer]
    if at >= 0:
        store.listed[at] = list_column_pulses(
            block(store.memory.weights, plan, layer), post, plan, layer, work, store.banks[at], store.listed[at]
        )


def write(store, plan, work):  # type: ignore[no-untyped-def]
    """As `synapses.store.write`, for layers whose cells are pulsed in compiled code."""
    write_layers(store, plan)


@kernel
def write_layers(store, plan):  # type: ignore[no-untyped-def]
    """Apply the listed pulses of every layer on cells, from the input up."""
    for layer in range(store.place.shape[0]):
        at = store.place[layer]
        if at >= 0 and store.pulsed[at] != 0:
            write_pulses_both_ways(
                block(store.memory.weights, plan, layer), block(store.memory.mirror, plan, layer),
                store.followed[at] != 0, store.listed[at], store.sensings[at], store.banks[at], store.ways[at],
            )  # fmt: skip


def begin_inference(store, place, plan):  # type: ignore[no-untyped-def]
    """As `synapses.store.begin_inference`: 2^32 random words a sample for each array."""
    for at in range(len(store.banks)):
        store.banks[at].reading[1] = np.uint64(place) << np.uint64(32)
