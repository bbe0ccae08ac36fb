"""Write the array: listed pulses given to the cells, verified or not, and what the cells then show.

`synapses.crossbar.updates` lists them. With `verify` the listed numbers become wanted states: the cells are read,
corrected and read again.
"""

from __future__ import annotations

import numpy as np

from edgesdt.kernels.arithmetic import saturate
from edgesdt.kernels.jit import kernel
from edgesdt.synapses.crossbar.layout import (
    DOWN_SHARE,
    MOST_PULSES,
    PULSE_TIMES,
    PULSES_DOWN,
    PULSES_UP,
    UP_SHARE,
    VERIFY,
    VERIFY_READS,
    VERIFY_SHARE,
)
from edgesdt.synapses.crossbar.reading.read_noise import follow
from edgesdt.synapses.crossbar.reading.two_way import follow_cells
from edgesdt.synapses.crossbar.reading.wires import see
from hw_models.kernels.compiled import pulse_by_law
from hw_models.kernels.step_laws import POWER


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


@kernel
def write_pulses(weights, listed, sensing, bank):  # type: ignore[no-untyped-def]
    """Give the first `listed` cells their pulses, verified where the array is."""
    verified = bank.programming == VERIFY
    if verified:
        want(listed, bank)
    for _ in range(bank.rounds if verified else 1):
        if verified:
            listed = correct(listed, bank)
        if listed == 0:
            break
        pulse_and_show(weights, listed, sensing, bank)


@kernel
def write_pulses_both_ways(weights, turned, followed, listed, sensing, bank, two):  # type: ignore[no-untyped-def]
    """As `write_pulses`; where the array is `followed`, brings what reading back needs in step."""
    verified = bank.programming == VERIFY
    if verified:
        want(listed, bank)
    for _ in range(bank.rounds if verified else 1):
        if verified:
            listed = correct(listed, bank)
        if listed == 0:
            break
        pulse_and_show(weights, listed, sensing, bank)
        if followed:
            follow_cells(weights, turned, listed, bank, two)
