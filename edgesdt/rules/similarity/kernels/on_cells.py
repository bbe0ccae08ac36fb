"""The feed-forward weights of a chip with one such layer on cells: two reads of a sample, updates and decay as pulses.

A row carries no sign: codes above 0 drive the rows in one read, the magnitudes of those below 0 in a second one. Where
the gain has reached 2, every cell is read by itself, and pulses take away half of what it shows.
"""

from __future__ import annotations

import numpy as np

from edgesdt.kernels.arithmetic import saturate, scaled
from edgesdt.kernels.jit import kernel
from edgesdt.kernels.layout import BANK_STEPS, INPUTS, PAIRS
from edgesdt.kernels.listing import list_nonzero
from edgesdt.kernels.random_bank import draw, steps_for
from edgesdt.rules.similarity import layout as rows
from edgesdt.rules.similarity.kernels.update import grow, rate_at, register_for
from edgesdt.rules.similarity.layout import NEAREST, STOCHASTIC
from edgesdt.synapses.crossbar.layout import CELL_WRITES, COINCIDENCE, SWEPT, VERIFY_READS, VERIFY_SHARE
from edgesdt.synapses.crossbar.writing.updates import append_pulses, draw_trains, train_of
from edgesdt.synapses.store import feed, write

MOST = 1 << 24
"""The most pulses that a product is worth."""


def weigh_layer(store, k, residuals, chip, plan, work):  # type: ignore[no-untyped-def]
    """As `rules.similarity.weights.weigh_layer`: two reads of the array."""
    return read_both(store, residuals, plan, work)


def move_layer(store, k, live, chip, plan, work, rate_row):  # type: ignore[no-untyped-def]
    """As `rules.similarity.weights.move_layer`: lists the pulses, and applies them."""
    return move_cells(store, live, chip, plan, work, rate_row)


@kernel
def read_both(store, residuals, plan, work):  # type: ignore[no-untyped-def]
    """The sums of the codes above 0 less those of the codes below 0. Returns the saturations of the difference."""
    rows_driven, n, limit = plan.sizes[0], plan.sizes[1], plan.accumulator_limit
    above, below, driven = residuals[:n], work.minus[:n], work.driven[:rows_driven]
    shown = work.events[INPUTS, 0]
    for j in range(n):
        above[j] = below[j] = 0
    for i in range(rows_driven):
        driven[i] = max(work.codes[i], 0)
    feed(store, driven, above, plan, work)
    for i in range(rows_driven):
        driven[i] = max(-work.codes[i], 0)
    feed(store, driven, below, plan, work)
    work.events[INPUTS, 0] = shown  # inputs were counted when they came
    hits = np.int64(0)
    for j in range(n):
        wide = np.int64(above[j]) - np.int64(below[j])
        kept = saturate(wide, -limit - 1, limit)
        hits += kept != wide
        above[j] = kept
    return hits


@kernel
def move_cells(store, live, chip, plan, work, rate_row):  # type: ignore[no-untyped-def]
    """Decay and Hebbian step of the cells, as one list of pulses. Returns how many neurons are active."""
    n = plan.sizes[1]
    halved = grow(chip.gains, 0, rate_row[rows.FEED_GROWTH], rate_row[rows.FEED_GROWTH_RIGHT])
    found = list_nonzero(chip.states[:n], n, work.posts)
    if halved:
        bank, shares = store.bank, np.int64(0)
        for i in range(bank.row_sums.shape[0]):
            shares += bank.row_sums[i]
        bank.tally[VERIFY_READS] += bank.shares.shape[0]
        bank.tally[VERIFY_SHARE] += shares
        work.events[rows.HALVINGS, 1] += 1
    mantissa = rate_at(rate_row[rows.FEED], chip.gains[0])
    store.listed[0] = list_changes(
        store.weights, store.bank, halved, mantissa, rate_row, chip.states[:n], chip.random, plan, work
    )  # fmt: skip
    work.events[rows.ACTIVE, 1] += found
    work.events[PAIRS, 0] += found * live
    write(store, plan, work)
    return found


@kernel
def list_changes(weights, bank, halved, mantissa, rate_row, states, random, plan, work):  # type: ignore[no-untyped-def]
    """List the pulses of a sample in `bank`, neuron by neuron; returns how many cells there are."""
    n0, n1 = plan.sizes[0], plan.sizes[1]
    by_chance, per_step = bank.programming == COINCIDENCE, 2 * random.shape[0]
    if by_chance:
        list_trains(n0, random, work, bank)
    rate = register_for(mantissa, rate_row[rows.FEED_RIGHT], NEAREST if by_chance else STOCHASTIC)
    half = register_for(rate_row[rows.HALF], rate_row[rows.HALF_RIGHT], STOCHASTIC)
    sweep, train = steps_for(n0, per_step), steps_for(bank.train, per_step)
    listed, steps, swept = np.int64(0), np.int64(0), np.int64(0)
    for i in range(n0):
        work.pres[i] = i
    for j in range(n1):
        value = np.int64(states[j])
        if value == 0 and not halved:
            continue
        for i in range(n0):
            work.deltas[i] = 0
        if halved:
            draw(random, work.words, sweep)
            steps += sweep
            take_half(weights, j, n0, n1, half, work)
        if value != 0:
            draw(random, work.words, train if by_chance else sweep)
            steps += train if by_chance else sweep
            if by_chance:
                add_coincidences(value, n0, rate, work, bank)
            else:
                add_products(value, n0, rate, work)
        listed = append_pulses(weights, j, n0, n1, n0, work, bank, listed)
        swept += 1
    work.events[BANK_STEPS, 0] += steps
    bank.tally[CELL_WRITES] += listed
    bank.tally[SWEPT] += swept
    return listed


@kernel
def take_half(weights, j, n0, n1, half, work):  # type: ignore[no-untyped-def]
    """The pulses that take half of what neuron j's weights show."""
    for i in range(n0):
        wide = scaled(-np.int64(weights[i * n1 + j]), half, work.halves[i])
        work.deltas[i] += saturate(wide, -MOST, MOST)


@kernel
def add_products(value, n0, rate, work):  # type: ignore[no-untyped-def]
    """The pulses that centred codes times a state are worth."""
    for i in range(n0):
        wide = scaled(np.int64(work.codes[i]) * value, rate, work.halves[i])
        work.deltas[i] += saturate(wide, -MOST, MOST)


@kernel
def list_trains(n0, random, work, bank):  # type: ignore[no-untyped-def]
    """A train for every row whose code is not 0, by its magnitude."""
    active = np.int64(0)
    for i in range(n0):
        if work.codes[i] != 0:
            work.event_value[active] = abs(work.codes[i])
            active += 1
    draw_trains(active, work.event_value, random, work, bank)


@kernel
def add_coincidences(value, n0, rate, work, bank):  # type: ignore[no-untyped-def]
    """The coincidences of the rows' trains with the column's, with the sign of the code; the words are drawn."""
    chance = min(scaled(value, rate, 0), np.int64(1 << 16))
    column, active = train_of(work.halves, bank.train, chance), np.int64(0)
    for i in range(n0):
        code = np.int64(work.codes[i])
        if code == 0:
            continue
        both, hits = bank.trains[active] & column, np.int32(0)
        while both != 0:
            both &= both - np.uint32(1)
            hits += np.int32(1)
        work.deltas[i] += hits if code > 0 else -hits
        active += 1
