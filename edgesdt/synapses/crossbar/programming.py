"""Write the array: the contrastive update as programming pulses, in one of three ways, and what the cells then show.

`pulses`: `round((lr/β)·contrast / step)` pulses, stochastically rounded. `coincidence`: random pulse trains on rows and
columns, a pulse where both have one (Gokmen & Vlasov, Front. Neurosci. 10:333, 2016): a row fires with probability
x_i, a column with one that makes the expected number right. `verify`: the same numbers as wanted states; read, correct,
read again.
"""

from __future__ import annotations

import numpy as np

from edgesdt.kernels.arithmetic import add32, mul32, saturate, scaled, whole_vectors
from edgesdt.kernels.jit import inlined, kernel
from edgesdt.kernels.layout import BANK_STEPS, PAIRS
from edgesdt.kernels.listing import pack_nonzero
from edgesdt.kernels.random_bank import draw, steps_for
from edgesdt.synapses.crossbar.layout import (
    CELL_WRITES,
    COINCIDENCE,
    DOWN_SHARE,
    PULSE_TIMES,
    PULSES_DOWN,
    PULSES_UP,
    SWEPT,
    UP_SHARE,
    VERIFY,
    VERIFY_READS,
    VERIFY_SHARE,
)
from edgesdt.synapses.crossbar.read_noise import follow
from edgesdt.synapses.crossbar.wires import see
from edgesdt.synapses.digital import form_deltas, form_deltas_wide, list_posts, list_pres, register_of
from hw_models.kernels.compiled import pulse_by_law
from hw_models.kernels.prefetch import prefetch
from hw_models.kernels.pulsing import fetch
from hw_models.kernels.step_laws import POWER

MOST_PULSES = 1 << 15
"""Pulses that one update gives a cell at most."""


@kernel
def list_pulses(weights, inputs, plus, minus, plan, layer, rate, random, work, bank):  # type: ignore[no-untyped-def]
    """Fill `bank.places` and `bank.counts` with the update between two phase ends; returns how many cells there are.

    `weights` (n_l · n_{l+1},) are those of weight layer `layer`. Trains coincide in the lowest layer alone.
    """
    n0, n1, start = plan.sizes[layer], plan.sizes[layer + 1], plan.first[layer + 1]
    active = list_pres(inputs, plus, minus, plan, layer, work.flags, work.pres, work.pre_plus, work.pre_minus)
    swept = list_posts(plus[start : start + n1], minus[start : start + n1], layer == 0, work.flags, work.posts)
    steps = steps_for(active, 2 * random.shape[0])
    if bank.programming == COINCIDENCE:
        _draw_trains(active, random, work, bank)
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
        listed = _append(weights, post, n0, n1, active, work, bank, listed)
    work.events[BANK_STEPS, 0] += steps * swept
    work.events[PAIRS, layer] += active * swept
    bank.tally[CELL_WRITES] += listed
    bank.tally[SWEPT] += swept
    return listed


@kernel
def _append(weights, post, n0, n1, active, work, bank, listed):  # type: ignore[no-untyped-def]
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
def _draw_trains(active, random, work, bank):  # type: ignore[no-untyped-def]
    """One random pulse train for every active row: bit t is set with probability x / 2^input bits."""
    steps = steps_for(bank.train, 2 * random.shape[0])
    for a in range(active):
        draw(random, work.words, steps)
        bank.trains[a] = _train(work.halves, bank.train, np.int64(work.pre_plus[a]) << bank.input_left)
    work.events[BANK_STEPS, 0] += steps * active


@inlined
def _train(halves, length, chance):  # type: ignore[no-untyped-def]
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
    column = _train(work.halves, bank.train, chance)
    sign = np.int32(1) if moved > 0 else np.int32(-1)
    for a in range(active):
        both = bank.trains[a] & column
        hits = np.int32(0)
        while both != 0:
            both &= both - np.uint32(1)
            hits += np.int32(1)
        work.deltas[a] = sign * hits


@kernel
def show(weights, listed, bank):  # type: ignore[no-untyped-def]
    """Bring share codes, row sums and weight codes in step with what the first `listed` cells show."""
    plane = np.uint64(weights.shape[0])
    scale, pair = bank.one / bank.span, bank.planes == 2
    for h in range(listed):
        cell = np.uint64(bank.places[h])
        share = np.floor((np.float64(bank.visible[cell]) - bank.low) * scale + 0.5)
        code = np.int64(min(max(share, -32768.0), 32767.0))
        bank.row_sums[np.uint64(bank.rows[h])] += code - np.int64(bank.shares[cell])
        bank.shares[cell] = code
        weight = code - bank.reference
        if pair:
            other = cell - plane if cell >= plane else cell + plane
            weight = code - np.int64(bank.shares[other])
            weight = -weight if cell >= plane else weight
        weights[np.uint64(bank.spots[h])] = saturate(weight, -bank.highest, bank.highest)


@kernel
def pulse(listed, bank):  # type: ignore[no-untyped-def]
    """Give the first `listed` cells their pulses by the law of their model, and count those of a step law."""
    ups, up_sum, downs, down_sum = pulse_by_law(
        bank.law, bank.state, bank.visible, bank.spread, bank.pulses, bank.random, bank.counts[:listed],
        bank.places[:listed], bank.room,
    )  # fmt: skip
    if bank.law.wrapped or bank.law.code > POWER:
        return  # `passed` counts them, by what the cells show
    scale = bank.one / bank.span
    bank.tally[PULSES_UP] += ups
    bank.tally[UP_SHARE] += np.int64(np.floor((up_sum - ups * bank.low) * scale + 0.5))
    bank.tally[PULSES_DOWN] += downs
    bank.tally[DOWN_SHARE] += np.int64(np.floor((down_sum - downs * bank.low) * scale + 0.5))


@kernel
def passed(listed, bank):  # type: ignore[no-untyped-def]
    """Σ of the share codes that the first `listed` cells show now, times their pulses: of up and of down pulses."""
    up, down = np.int64(0), np.int64(0)
    for h in range(listed):
        count, share = np.int64(bank.counts[h]), np.int64(bank.shares[bank.places[h]])
        if count > 0:
            up += count * share
        else:
            down -= count * share
    return up, down


@kernel
def tally_passed(listed, up, down, bank):  # type: ignore[no-untyped-def]
    """Count the pulses of the first `listed` cells; `up` and `down` are what `passed` said before and after, summed."""
    for h in range(listed):
        count = np.int64(bank.counts[h])
        if count > 0:
            bank.tally[PULSES_UP] += count
        else:
            bank.tally[PULSES_DOWN] -= count
    bank.tally[UP_SHARE] += up // 2
    bank.tally[DOWN_SHARE] += down // 2


@kernel
def want(listed, bank):  # type: ignore[no-untyped-def]
    """Turn the listed pulse counts into wanted states, inside the nominal range: beyond it no pulse helps."""
    for h in range(listed):
        wanted = np.float64(bank.visible[bank.places[h]]) + bank.counts[h] * bank.step
        bank.wanted[h] = saturate(wanted, bank.low, bank.low + bank.span)


@kernel
def correct(listed, bank):  # type: ignore[no-untyped-def]
    """Read the listed cells and list again those more than half a step off, with the pulses that they lack."""
    left = 0
    for h in range(listed):
        cell = bank.places[h]
        bank.tally[VERIFY_READS] += 1
        bank.tally[VERIFY_SHARE] += bank.shares[cell]
        lacking = np.floor((bank.wanted[h] - np.float64(bank.visible[cell])) / bank.step + 0.5)
        count = np.int32(min(max(lacking, -MOST_PULSES * 1.0), MOST_PULSES * 1.0))
        bank.places[left], bank.counts[left], bank.wanted[left] = cell, count, bank.wanted[h]
        bank.rows[left], bank.spots[left] = bank.rows[h], bank.spots[h]
        left += count != 0
    _tally_slots(left, bank)
    return left


@kernel
def _tally_slots(listed, bank):  # type: ignore[no-untyped-def]
    """Count the pulse slots of the listed cells: the largest count up and the largest down of each neuron."""
    n1, plane = bank.partial.shape[0], bank.shares.shape[0] // bank.planes
    up, down, column = np.int64(0), np.int64(0), np.int64(-1)
    for h in range(listed):
        post = np.int64(bank.spots[h]) % n1
        if post != column:
            bank.tally[PULSE_TIMES] += up + down
            up, down, column = np.int64(0), np.int64(0), post
        count = np.int64(bank.counts[h])
        sided = -count if bank.places[h] >= plane else count  # the cells of a pair are pulsed at the same time
        up, down = max(up, sided), max(down, -sided)
    bank.tally[PULSE_TIMES] += up + down


@kernel
def keep_up(weights, listed, sensing, bank):  # type: ignore[no-untyped-def]
    """Bring what reading needs beside the weights in step with what the first `listed` cells show."""
    if sensing.wired:
        see(weights, listed, bank)
    if sensing.own_noise:
        follow(listed, bank)


@kernel
def pulse_and_show(weights, listed, sensing, bank):  # type: ignore[no-untyped-def]
    """Give the first `listed` cells their pulses, count them, and bring all that reading needs in step."""
    by_share = bank.law.wrapped or bank.law.code > POWER
    up, down = passed(listed, bank) if by_share else (np.int64(0), np.int64(0))
    pulse(listed, bank)
    show(weights, listed, bank)
    keep_up(weights, listed, sensing, bank)
    if by_share:
        up_after, down_after = passed(listed, bank)
        tally_passed(listed, up + up_after, down + down_after, bank)
