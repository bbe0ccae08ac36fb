"""The lowest layer on cells: its offsets are read, and of a neuron that learns the column, before it is pulsed.

A chip in memory compiles none of this. The arithmetic is "On cells" of docs/explanation/softhebb_arithmetic.md.
"""

from __future__ import annotations

import numpy as np

from edgesdt.kernels.arithmetic import saturate
from edgesdt.kernels.jit import kernel
from edgesdt.kernels.layout import BANK_STEPS, INPUTS, PAIRS
from edgesdt.kernels.lookups import nearest
from edgesdt.kernels.random_bank import draw, steps_for
from edgesdt.rules.softhebb.kernels.compete import norm_power, step_of
from edgesdt.rules.softhebb.kernels.forward import begin
from edgesdt.rules.softhebb.kernels.pull import form_pulls_wide
from edgesdt.rules.softhebb.layout import SWEPT
from edgesdt.rules.softhebb.registers import POWER_FRAC, STEP_FRAC
from edgesdt.synapses.digital import register_of
from edgesdt.synapses.store import begin_inference, feed, for_cells, list_column, on_cells, read_column


@kernel
def offsets_of_rows(chip, plan, work, store):  # type: ignore[no-untyped-def]
    """The offsets of the lowest layer: what one read gives whose rows the means drive.

    It is due once the cells or the means have changed: `ready` is then 2.
    """
    if not on_cells(store, 0) or not plan.centred or chip.ready[0] != 2:
        return
    for i in range(plan.sizes[0]):
        work.rows[i] = chip.means[i]
    work.reach[1] = begin(chip.accumulators[: plan.sizes[1]], chip.offsets[:0], 0, plan.accumulator_limit)
    inputs = work.events[INPUTS, 0]
    feed(store, work.rows, chip.accumulators, plan, work)
    work.events[INPUTS, 0] = inputs
    for j in range(plan.sizes[1]):
        chip.offsets[j] = chip.accumulators[j]
    chip.ready[0] = 1


@kernel
def offsets_at_rest(chip, plan, work, store, place):  # type: ignore[no-untyped-def]
    """As `offsets_of_rows` with a store for inference; `place` chooses the noise of the read."""
    begin_inference(store, place, plan)
    offsets_of_rows(chip, plan, work, store)


def _read_offsets(store, chip, plan, work):  # type: ignore[no-untyped-def]
    offsets_of_rows(chip, plan, work, store)


@for_cells(_read_offsets)
def read_offsets(store, chip, plan, work):  # type: ignore[no-untyped-def]
    """Read the offsets of a lowest layer on cells, where that is due; in a memory nothing happens."""


@kernel
def weigh(column, multiplier, right, limit):  # type: ignore[no-untyped-def]
    """Turn the array's codes in `column` into weight codes, which saturate. Returns the sum of their squares."""
    square = np.int64(0)
    for i in range(column.shape[0]):
        code = saturate(nearest(np.int64(column[i]) * multiplier, right), -limit - 1, limit)
        column[i] = code
        square += code * code
    return square


@kernel
def list_neurons(chip, plan, work, store, layer, rates, count):  # type: ignore[no-untyped-def]
    """Read the column of each of the `count` listed neurons, then list its pulses.

    The norm of a neuron is that of the weights just read. The cells get their pulses at the end of the sample.
    """
    rows, start = plan.sizes[layer], plan.first[layer + 1]
    bank_steps, column = steps_for(rows, 2 * chip.random.shape[0]), work.column[:rows]
    right, constant = plan.share_bits + POWER_FRAC + rates.shift[layer] - STEP_FRAC, register_of(rates.pulls[layer])
    for a in range(count):
        post = np.int64(work.posts[a])
        u = chip.drives[start + post]
        read_column(store, layer, post, plan.coarse, column)
        norm = weigh(column, plan.read_multiplier, plan.read_right, plan.weight_limit)
        chip.norms[start + post] = norm
        power = norm_power(norm, plan.root_left, chip.rate_powers)
        step = step_of(work.post_values[a], power, rates.multiplier[layer], right, u, plan.step_limit)
        if step == 0:
            continue
        decay = nearest(np.int64(step) * np.int64(u), plan.decay_right[layer])
        draw(chip.random, work.words, bank_steps)
        form_pulls_wide(work.centred, column, step, decay, constant, work.halves, rows, work.deltas)
        list_column(store, layer, post, plan, work)
        work.events[BANK_STEPS, 0] += bank_steps
        work.events[SWEPT, layer + 1] += 1
        work.events[PAIRS, layer] += rows
        if plan.centred:
            chip.ready[layer] = 2


def _pulse_columns(store, chip, plan, work, layer, rates, count):  # type: ignore[no-untyped-def]
    list_neurons(chip, plan, work, store, layer, rates, count)


@for_cells(_pulse_columns)
def pulse_columns(store, chip, plan, work, layer, rates, count):  # type: ignore[no-untyped-def]
    """Read the columns of the `count` listed neurons and list their pulses; in a memory nothing happens."""
