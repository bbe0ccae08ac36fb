"""One sample after another through a chip of several weight layers, some or all of them on analog cells.

The order is that of `rules.eqprop.sample.learn_stream`, with mini-batches of one; a layer in memory is read and moved
by the same kernels as on a digital chip, a layer on cells by those of `synapses.crossbar`.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from edgesdt.kernels.drive import accumulate
from edgesdt.kernels.jit import inlined, kernel
from edgesdt.kernels.layout import ACCUMULATOR_SATURATIONS, NUDGED_RUNS, SAMPLES, Ints
from edgesdt.rules.eqprop.relax import CHANGES, STALE, list_return, step_layers
from edgesdt.rules.eqprop.sample import SYMMETRIC, copy, feed, homeostasis, load, pick_target, sign_of_beta
from edgesdt.synapses.crossbar.layout import VERIFY, Bank, Sensing
from edgesdt.synapses.crossbar.programming import correct, list_pulses, pulse_and_show, want
from edgesdt.synapses.crossbar.sensing import sense
from edgesdt.synapses.crossbar.two_way import TwoWay, follow_cells, read_changes
from edgesdt.synapses.digital import update_biases, update_weights


class Stack(NamedTuple):
    """The arrays of a chip's layers on cells, from the input up; they are alike as types."""

    place: Ints  # (L,) place of a weight layer in the tuples; -1 of one in memory
    sensings: tuple[Sensing, ...]
    banks: tuple[Bank, ...]
    ways: tuple[TwoWay, ...]  # of the lowest layer, which is read forward alone, only the tables are of use
    shifted: npt.NDArray[np.int32]  # (max n,) changes aligned with the accumulator, for layers in memory


@inlined
def block(weights, plan, layer):  # type: ignore[no-untyped-def]
    """The part of `weights` (or of their transposed copy) that belongs to one weight layer."""
    return weights[plan.first_weight[layer] :][: plan.sizes[layer] * plan.sizes[layer + 1]]


@kernel
def present_input(chip, plan, work, stack):  # type: ignore[no-untyped-def]
    """Feed the inputs to layer 1: by one read of its array, or from memory."""
    work.events[SAMPLES, 0] += 1
    at = stack.place[0]
    if at < 0:
        feed(
            chip.inputs, chip.accumulators, chip.weights, plan, work.event_index, work.event_value, work.pres,
            work.weight_peak, work.reach, work.events,
        )  # fmt: skip
        return
    sense(
        chip.inputs, chip.accumulators[: plan.sizes[1]], block(chip.weights, plan, 0), work.event_index,
        work.event_value, stack.sensings[at], stack.banks[at], work.events,
    )  # fmt: skip
    work.reach[1] = plan.accumulator_limit + 1  # a bound that later additions look into


@kernel
def pass_on(chip, plan, work, stack):  # type: ignore[no-untyped-def]
    """Add the listed state changes, weighted, to the accumulators above, then below, layer by layer upwards."""
    last = plan.sizes.shape[0] - 1
    for layer in range(1, last + 1):
        count = work.counts[CHANGES, layer]
        if count == 0:
            continue
        index = work.changes[plan.first[layer] :][:count]
        change = work.change_by[plan.first[layer] :][:count]
        for towards in (layer + 1, layer - 1):
            if towards < 1 or towards > last:
                continue
            between, forward = min(layer, towards), towards > layer
            target = chip.accumulators[plan.first[towards] :][: plan.sizes[towards]]
            codes = block(chip.weights, plan, between) if forward else block(work.mirror, plan, between)
            at = stack.place[between]
            if at >= 0:
                read_changes(
                    index, change, codes, forward, target, towards, stack.sensings[at], stack.banks[at],
                    stack.ways[at], work.events,
                )  # fmt: skip
                work.reach[towards] = plan.accumulator_limit + 1
            else:
                for a in range(count):
                    stack.shifted[a] = change[a] << plan.state_left
                work.events[ACCUMULATOR_SATURATIONS, towards] += accumulate(
                    target, codes, 0, index, stack.shifted, count, work.weight_peak[between], work.reach[towards:],
                    plan.accumulator_limit,
                )  # fmt: skip
            work.counts[STALE, towards] = 1


@kernel
def settle(chip, plan, work, stack, steps, sign):  # type: ignore[no-untyped-def]
    """Relax the whole network for `steps` steps, nudged with the sign of beta (0: free)."""
    work.counts[STALE, plan.sizes.shape[0] - 1] = 1
    for _ in range(steps):
        changed = step_layers(
            chip.states, chip.accumulators, chip.keep, chip.target, chip.random, plan, 1, np.int64(sign), work.flags,
            work.movers, work.mover_state, work.mover_drive, work.mover_target, work.changes, work.change_by,
            work.counts, work.words, work.halves, work.events,
        )  # fmt: skip
        if changed == 0 and not plan.stochastic_states:
            break
        pass_on(chip, plan, work, stack)


@kernel
def update_of(chip, plan, work, stack, rates, sample, label, listed):  # type: ignore[no-untyped-def]
    """Present one sample, run its phases, move what is in memory and list the pulses of every layer on cells.

    `listed` receives how many cells are listed, by the layer's place in the stack.
    """
    sign = sign_of_beta(plan, chip.random, work.words, work.events)
    load(chip, plan, work, sample, True)
    present_input(chip, plan, work, stack)
    settle(chip, plan, work, stack, plan.free_steps, 0)
    copy(chip.states, chip.free_states)
    pick_target(chip, plan, work, label)
    if not plan.supervised:
        homeostasis(chip, plan)
    work.events[NUDGED_RUNS, 0] += 1
    settle(chip, plan, work, stack, plan.nudged_steps, sign)
    plus, minus = (chip.states, chip.free_states) if sign > 0 else (chip.free_states, chip.states)
    if plan.nudge_sign == SYMMETRIC:
        copy(chip.states, chip.plus_states)
        list_return(chip.states, chip.free_states, plan, work.changes, work.change_by, work.counts, work.events)
        pass_on(chip, plan, work, stack)
        work.events[NUDGED_RUNS, 0] += 1
        settle(chip, plan, work, stack, plan.nudged_steps, -1)
        plus, minus = chip.plus_states, chip.states
    move(chip, plan, work, stack, rates, plus, minus, listed)


@kernel
def move(chip, plan, work, stack, rates, plus, minus, listed):  # type: ignore[no-untyped-def]
    """Move every weight layer in memory from the input up, list the pulses of those on cells, then move the biases."""
    layers = plan.sizes.shape[0] - 1
    for layer in range(layers):
        at = stack.place[layer]
        if at >= 0:
            listed[at] = list_pulses(
                block(chip.weights, plan, layer), chip.inputs, plus, minus, plan, layer, rates[0, layer], chip.random,
                work, stack.banks[at],
            )  # fmt: skip
        else:
            update_weights(
                chip.weights, work.mirror, work.wear, work.wear_carry, chip.inputs, plus, minus, plan, layer,
                rates[0, layer], chip.random, work.words, work.halves, work.silence, work.flags, work.deltas,
                work.pending, work.named, work.swept, work.pres, work.pre_plus, work.pre_minus, work.posts,
                work.weight_peak, work.events,
            )  # fmt: skip
    if plan.learn_biases:
        for layer in range(layers):
            update_biases(
                chip.biases, plus, minus, plan, layer + 1, rates[1, layer], chip.random, work.words, work.halves,
                work.flags, work.posts, work.events,
            )  # fmt: skip


@kernel
def write(weights, turned, layer, listed, sensing, bank, two):  # type: ignore[no-untyped-def]
    """Give the first `listed` cells of a layer their pulses, and bring all that reading needs in step."""
    verified = bank.programming == VERIFY
    if verified:
        want(listed, bank)
    for _ in range(bank.rounds if verified else 1):
        if verified:
            listed = correct(listed, bank)
        if listed == 0:
            break
        pulse_and_show(weights, listed, sensing, bank)
        if layer > 0:
            follow_cells(weights, turned, listed, bank, two)


@kernel
def learn_stream(chip, plan, work, stack, rates, samples, labels, order, listed):  # type: ignore[no-untyped-def]
    """Learn from `samples[order]` (uint8 codes), one at a time, on cells with laws of their own."""
    for t in range(order.shape[0]):
        update_of(chip, plan, work, stack, rates, samples[order[t]], labels[order[t]], listed)
        for layer in range(plan.sizes.shape[0] - 1):
            at = stack.place[layer]
            if at >= 0:
                write(
                    block(chip.weights, plan, layer), block(work.mirror, plan, layer), layer, listed[at],
                    stack.sensings[at], stack.banks[at], stack.ways[at],
                )  # fmt: skip


@kernel
def infer_stream(chip, plan, work, stack, samples, first, outputs):  # type: ignore[no-untyped-def]
    """Output state codes (samples, n_L) of `samples`; `first` is the place of the first one among all that are shown.

    The noise of a read depends on that place and on the reads of the same sample before it.
    """
    for t in range(samples.shape[0]):
        for at in range(len(stack.banks)):
            stack.banks[at].reading[1] = np.uint64(first + t) << np.uint64(32)
        load(chip, plan, work, samples[t], False)
        present_input(chip, plan, work, stack)
        settle(chip, plan, work, stack, plan.free_steps, 0)
        copy(chip.states[plan.first[-1] :], outputs[t])
