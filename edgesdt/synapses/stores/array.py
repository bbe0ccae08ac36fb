"""The one weight layer of a chip on analog cells: read by converters, moved by pulses."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from edgesdt.kernels.layout import Ints, WeightCodes
from edgesdt.synapses.crossbar.columns import list_column_pulses, read_alone
from edgesdt.synapses.crossbar.layout import Bank, Sensing
from edgesdt.synapses.crossbar.reading.sensing import sense
from edgesdt.synapses.crossbar.writing.programming import write_pulses
from edgesdt.synapses.crossbar.writing.updates import list_outer_pulses, list_pulses


class Array(NamedTuple):
    """An array of cells, and the weight codes that it shows."""

    weights: WeightCodes  # (n_0 · n_1,) of the least significant slice
    sensing: Sensing
    bank: Bank
    listed: Ints  # (1,) cells that the update has listed
    pulsed: bool  # whether `write` pulses them; else Python does, one sample after the other


def feed(store, inputs, accumulators, plan, work):  # type: ignore[no-untyped-def]
    """As `synapses.store.feed`: one read of the array."""
    seen = store.bank.seen if store.sensing.wired else store.weights
    sense(inputs, accumulators, seen, work.event_index, work.event_value, store.sensing, store.bank, work.events)


def add_changes(store, between, forward, index, change, left, accumulators, plan, reach, events):  # type: ignore[no-untyped-def]
    """As `synapses.store.add_changes`: there is no layer beyond the outputs that a change could be passed to."""


def update_contrast(store, layer, inputs, plus, minus, rate, random, plan, work):  # type: ignore[no-untyped-def]
    """As `synapses.store.update_contrast`: lists the pulses."""
    store.listed[0] = list_pulses(store.weights, inputs, plus, minus, plan, layer, rate, random, work, store.bank)


def update_outer(store, layer, active, found, rate, random, plan, work):  # type: ignore[no-untyped-def]
    """As `synapses.store.update_outer`: lists the pulses."""
    store.listed[0] = list_outer_pulses(
        store.weights, active, found, plan, layer, rate, random, work, store.bank
    )  # fmt: skip


def apply_gathered(store, layer, gathered, rate, random, plan, work):  # type: ignore[no-untyped-def]
    """As `synapses.store.apply_gathered`; no spec asks for it, since mini-batches on cells are refused."""


def on_cells(store, layer):  # type: ignore[no-untyped-def]
    """As `synapses.store.on_cells`."""
    return True


def begin_update(store):  # type: ignore[no-untyped-def]
    """As `synapses.store.begin_update`."""
    store.listed[0] = 0


def read_column(store, layer, post, coarse, column):  # type: ignore[no-untyped-def]
    """As `synapses.store.read_column`."""
    read_alone(post, coarse, column, store.bank)


def list_column(store, layer, post, plan, work):  # type: ignore[no-untyped-def]
    """As `synapses.store.list_column`."""
    store.listed[0] = list_column_pulses(store.weights, post, plan, layer, work, store.bank, store.listed[0])


def write(store, plan, work):  # type: ignore[no-untyped-def]
    """As `synapses.store.write`, where the cells are pulsed in compiled code."""
    if store.pulsed:
        write_pulses(store.weights, store.listed[0], store.sensing, store.bank)


def begin_inference(store, place, plan):  # type: ignore[no-untyped-def]
    """As `synapses.store.begin_inference`: as many random words a sample as a read takes."""
    draws = np.uint64(plan.sizes[1] * store.sensing.row_tiles * (1 + store.bank.upper.scale.shape[0]))
    store.bank.reading[1] = np.uint64(place) * draws
