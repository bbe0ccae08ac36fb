"""List an update as programming pulses, in one of three ways, neuron by neuron: of contrasts or of outer products.

`pulses`: `round(rate·change / step)` pulses, stochastically rounded. `coincidence`: random pulse trains on rows and
columns, a pulse where both have one (Gokmen & Vlasov, Front. Neurosci. 10:333, 2016): a row fires with probability
x_i, a column with one that makes the expected number right. `verify`: the same numbers as `pulses`, wanted as states.
"""

from __future__ import annotations

import numpy as np

from edgesdt.kernels.arithmetic import add32, mul32, scaled, whole_vectors
from edgesdt.kernels.jit import inlined, kernel
from edgesdt.kernels.layout import BANK_STEPS, PAIRS
from edgesdt.kernels.listing import pack_nonzero
from edgesdt.kernels.random_bank import draw, steps_for
from edgesdt.synapses.crossbar.layout import CELL_WRITES, COINCIDENCE, MOST_PULSES, PULSE_TIMES, SWEPT, VERIFY
from edgesdt.synapses.digital import (
    by_what_moved,
    form_deltas,
    form_deltas_wide,
    list_posts,
    list_pres,
    register_of,
)
from edgesdt.synapses.outer import form_products, form_products_wide
from hw_models.kernels.prefetch import prefetch
from hw_models.kernels.pulsing import fetch


@kernel
def list_pulses(weights, inputs, plus, minus, plan, layer, rate, random, work, bank):  # type: ignore[no-untyped-def]
    """Fill `bank.places` and `bank.counts` with the update between two phase ends; returns how many cells there are.

    `weights` (n_l · n_{l+1},) are those of weight layer `layer`. Trains coincide in the lowest layer alone.
    """
    n0, n1, start = plan.sizes[layer], plan.sizes[layer + 1], plan.first[layer + 1]
    active = list_pres(inputs, plus, minus, plan, layer, work.flags, work.pres, work.pre_plus, work.pre_minus)
    moved = by_what_moved(plan, layer)
    swept = list_posts(plus[start : start + n1], minus[start : start + n1], moved, work.flags, work.posts)
    steps = steps_for(active, 2 * random.shape[0])
    if bank.programming == COINCIDENCE:
        draw_trains(active, work.pre_plus, random, work, bank)
        steps = steps_for(bank.train, 2 * random.shape[0])
    listed = 0
    for b in range(swept):
        post = np.int64(work.posts[b])
        high, low = plus[start + post], minus[start + post]
        draw(random, work.words, steps)
        if bank.programming == COINCIDENCE:
            _coincide(high - low, active, rate, work, bank)
        elif rate[5] != 0:
            whole = whole_vectors(active, work.pre_plus.shape[0])
            form_deltas(work.pre_plus, work.pre_minus, high, low, register_of(rate), work.halves, whole, work.deltas)
        else:
            form_deltas_wide(
                work.pre_plus, work.pre_minus, high, low, register_of(rate), work.halves, active, work.deltas
            )
        listed = append_pulses(weights, post, n0, n1, active, work, bank, listed)
    work.events[BANK_STEPS, 0] += steps * swept
    work.events[PAIRS, layer] += active * swept
    bank.tally[CELL_WRITES] += listed
    bank.tally[SWEPT] += swept
    return listed


@kernel
def list_outer_pulses(weights, active, found, plan, layer, rate, random, work, bank):  # type: ignore[no-untyped-def]
    """As `list_pulses` for the products of listed codes (`synapses.store.update_outer`)."""
    n0, n1 = plan.sizes[layer], plan.sizes[layer + 1]
    steps = steps_for(active, 2 * random.shape[0])
    if bank.programming == COINCIDENCE:
        draw_trains(active, work.pre_values, random, work, bank)
        steps = steps_for(bank.train, 2 * random.shape[0])
    listed = 0
    for b in range(found):
        value = np.int32(work.post_values[b])
        draw(random, work.words, steps)
        if bank.programming == COINCIDENCE:
            _coincide(value, active, rate, work, bank)
        elif rate[5] != 0:
            whole = whole_vectors(active, work.pre_values.shape[0])
            form_products(work.pre_values, value, register_of(rate), work.halves, whole, work.deltas)
        else:
            form_products_wide(work.pre_values, value, register_of(rate), work.halves, active, work.deltas)
        listed = append_pulses(weights, np.int64(work.posts[b]), n0, n1, active, work, bank, listed)
    work.events[BANK_STEPS, 0] += steps * found
    work.events[PAIRS, layer] += active * found
    bank.tally[CELL_WRITES] += listed
    bank.tally[SWEPT] += found
    return listed


@kernel
def append_pulses(weights, post, n0, n1, active, work, bank, listed):  # type: ignore[no-untyped-def]
    """Append the cells of neuron `post` whose delta is not 0: those of a pair with opposite signs."""
    counts, rows, places, spots = bank.counts[listed:], bank.rows[listed:], bank.places[listed:], bank.spots[listed:]
    found = pack_nonzero(work.deltas, work.pres, active, counts, rows)
    end = listed + found
    up, down = _place(found, counts, rows, post, n0, n1, places, spots)
    if bank.programming != VERIFY:  # the rounds of a verified write count their own
        bank.tally[PULSE_TIMES] += up + down
    if bank.planes == 2:
        plane = np.int32(n0 * n1)
        for h in range(found):
            counts[h + found], rows[h + found] = -counts[h], rows[h]
            places[h + found], spots[h + found] = places[h] + plane, spots[h]
        end += found
    _fetch(end - listed, places, spots, weights, bank)
    return end


@inlined
def _fetch(listed, places, spots, weights, bank):  # type: ignore[no-untyped-def]
    """Ask for the memory of cells and weights, which is far away and will take as long as the other neurons take."""
    for h in range(listed):
        cell = np.int64(places[h])
        fetch(bank.state, bank.visible, bank.spread, bank.pulses, cell)
        prefetch(bank.shares, cell)  # type: ignore[call-arg]
        prefetch(weights, np.int64(spots[h]))


@inlined
def _place(found, counts, rows, post, n0, n1, places, spots):  # type: ignore[no-untyped-def]
    """Saturate the counts, say where cells (of the first plane) and weights are; returns the largest up and down."""
    most, least, first, width = np.int32(MOST_PULSES), np.int32(-MOST_PULSES), np.int32(post * n0), np.int32(n1)
    column, up, down = np.int32(post), np.int32(0), np.int32(0)
    for h in range(np.uint64(found)):
        count, row = min(max(counts[h], least), most), rows[h]
        up, down = max(up, count), min(down, count)
        counts[h], places[h], spots[h] = count, add32(first, row), add32(mul32(row, width), column)
    return np.int64(up), -np.int64(down)


@kernel
def draw_trains(active, codes, random, work, bank):  # type: ignore[no-untyped-def]
    """One random pulse train for every active row: bit t is set with probability x / 2^input bits, x its code."""
    steps = steps_for(bank.train, 2 * random.shape[0])
    for a in range(active):
        draw(random, work.words, steps)
        bank.trains[a] = train_of(work.halves, bank.train, np.int64(codes[a]) << bank.input_left)
    work.events[BANK_STEPS, 0] += steps * active


@inlined
def train_of(halves, length, chance):  # type: ignore[no-untyped-def]
    """A train of `length` bits, each set with probability `chance` / 2^16."""
    bits = np.uint32(0)
    for t in range(length):
        if np.int64(halves[t]) < chance:
            bits |= np.uint32(1) << np.uint32(t)
    return bits


@inlined
def _coincide(moved, active, rate, work, bank):  # type: ignore[no-untyped-def]
    """`deltas[a]` = coincidences of row a's train with the column's, with the sign of `moved`."""
    chance = min(scaled(abs(np.int64(moved)), register_of(rate), 0), np.int64(1 << 16))
    column = train_of(work.halves, bank.train, chance)
    sign = np.int32(1) if moved > 0 else np.int32(-1)
    for a in range(active):
        both = bank.trains[a] & column
        hits = np.int32(0)
        while both != 0:
            both &= both - np.uint32(1)
            hits += np.int32(1)
        work.deltas[a] = sign * hits
