"""All weight layers of a chip in a digital memory: read row by row or from a transposed copy, written code by code."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from edgesdt.kernels.drive import accumulate, add_rows_saturating, list_inputs, stays_within
from edgesdt.kernels.jit import kernel
from edgesdt.kernels.layout import ACCUMULATOR_SATURATIONS, INPUTS, Codes, Ints, WeightCodes
from edgesdt.synapses.batch import apply_weights
from edgesdt.synapses.digital import update_weights
from edgesdt.synapses.mirror import FITS, UNKNOWN, Mirror
from edgesdt.synapses.narrow import AVAILABLE, add_narrow
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
    narrow: npt.NDArray[np.int8]  # as weights: `read`, or copies, as bytes (`synapses.narrow`), or (0,)
    narrow_mirror: npt.NDArray[np.int8]  # as mirror
    fits: npt.NDArray[np.uint8]  # (2, L, max n) what is known of each row of `read` and of the mirror
    parts: Codes  # (4, max n) rows and values of one addition
    kept: WeightCodes | Mirror  # what is kept in step with writes: the mirror, with copies as bytes if there are any

    @property
    def copied(self) -> bool:
        """Whether bytes are copies, which are out of date when a weight has moved."""
        return self.read.itemsize > 1


def memory_of(chip: Any, work: Any, aligned: Codes) -> Memory:
    """The store of a chip in memory, made of arrays of its own and of the simulator's.

    `work` of a rule that has hidden bits (`Rule.hidden_bits`) has `read` and `reading`; else codes are read as stored.
    """
    reading = getattr(work, "reading", np.zeros(0, np.int64))
    read = work.read if reading.size else chip.weights
    none, as_bytes = np.zeros(0, np.int8), read.itemsize == 1
    if not AVAILABLE:
        narrow, turned = none, none
    elif as_bytes:
        narrow, turned = read, work.mirror if work.mirror.itemsize == 1 else none
    else:
        narrow, turned = getattr(work, "narrow", (none, none))
    fits = np.full((2, len(work.weight_peak), len(aligned)), FITS if as_bytes else UNKNOWN, np.uint8)
    return Memory(
        chip.weights, read, reading, work.mirror, work.weight_peak, work.wear, work.wear_carry, aligned, narrow, turned,
        fits, parts=np.zeros((4, len(aligned)), np.int32),
        kept=work.mirror if as_bytes else Mirror(work.mirror, narrow, turned, fits),
    )  # fmt: skip


def for_inference(store: Memory, aligned: Codes) -> Memory:
    """A store of the same weights with scratch of its own."""
    own = store._replace(aligned=aligned, parts=np.zeros_like(store.parts))
    if not store.copied:
        return own
    copies = (np.zeros_like(store.narrow), np.zeros_like(store.narrow_mirror))
    return own._replace(narrow=copies[0], narrow_mirror=copies[1], fits=np.zeros_like(store.fits))


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
def add_weighted(store, between, forward, index, change, left, accumulators, plan, reach, events):  # type: ignore[no-untyped-def]
    """Multiply-accumulate the listed codes into the layer above `between`, or below it by the transposed weights."""
    towards, count, base = between + 1 if forward else between, change.shape[0], plan.first_weight[between]
    for a in range(count):
        store.aligned[a] = change[a] << left
    sums, value = accumulators[plan.first[towards] :][: plan.sizes[towards]], store.aligned
    codes = store.read if forward else store.mirror
    copies = store.narrow if forward else store.narrow_mirror
    limit = plan.accumulator_limit
    if stays_within(sums, value, count, store.weight_peak[between], reach[towards:], limit):
        fits = store.fits[0 if forward else 1, between]
        add_narrow(sums, codes, copies, fits, base, index, value, count, store.parts)
    else:
        events[ACCUMULATOR_SATURATIONS, towards] += add_rows_saturating(
            sums, codes, base, index, value, count, limit
        )  # fmt: skip


def feed(store, inputs, accumulators, plan, work):  # type: ignore[no-untyped-def]
    """As `synapses.store.feed`."""
    feed_inputs(
        inputs, accumulators, store.read, plan, work.event_index, work.event_value, store.aligned,
        store.weight_peak, work.reach, work.events,
    )  # fmt: skip


def add_changes(store, between, forward, index, change, left, accumulators, plan, reach, events):  # type: ignore[no-untyped-def]
    """As `synapses.store.add_changes`."""
    add_weighted(store, between, forward, index, change, left, accumulators, plan, reach, events)


def update_contrast(store, layer, inputs, plus, minus, rate, random, plan, work):  # type: ignore[no-untyped-def]
    """As `synapses.store.update_contrast`: at once."""
    update_weights(
        store.weights, store.read, store.reading, store.kept, store.wear, store.wear_carry, inputs, plus, minus,
        plan, layer, rate, random, work.words, work.halves, work.silence, work.flags, work.deltas, work.pending,
        work.named, work.swept, work.pres, work.pre_plus, work.pre_minus, work.posts, store.weight_peak, work.events,
    )  # fmt: skip


def update_outer(store, layer, active, found, rate, random, plan, work):  # type: ignore[no-untyped-def]
    """As `synapses.store.update_outer`: at once."""
    move_by_outer(
        store.weights, store.read, store.reading, store.kept, store.wear, store.wear_carry, plan, layer, rate,
        work.pres, work.pre_values, active, work.posts, work.post_values, found, random, work.words, work.halves,
        work.silence, work.deltas, work.pending, work.named, work.swept, store.weight_peak, work.events,
    )  # fmt: skip


def apply_gathered(store, layer, gathered, rate, random, plan, work):  # type: ignore[no-untyped-def]
    """As `synapses.store.apply_gathered`."""
    apply_weights(
        gathered, store.weights, store.read, store.reading, store.kept, store.wear, store.wear_carry, plan, layer,
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
