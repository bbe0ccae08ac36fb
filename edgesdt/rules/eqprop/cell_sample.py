"""One sample after another through an equilibrium-propagation chip whose weights are analog cells.

The order is that of `rules.eqprop.sample.learn_stream`; only reading and writing the weights differ. A model of the
package is pulsed within the compiled loop (`hw_models.kernels.compiled`); any other gets each update as arrays.
"""

from __future__ import annotations

import numpy as np

from edgesdt.kernels.jit import inlined, kernel
from edgesdt.kernels.layout import SAMPLES
from edgesdt.rules.eqprop.sample import (
    SYMMETRIC,
    copy,
    homeostasis,
    load,
    nudged_phase,
    pick_target,
    relax_freely,
    return_to_free,
    sign_of_beta,
)
from edgesdt.synapses.crossbar.layout import VERIFY
from edgesdt.synapses.crossbar.programming import correct, list_pulses, pulse_and_show, want
from edgesdt.synapses.crossbar.sensing import sense
from edgesdt.synapses.digital import update_biases


@inlined
def free_phase(chip, plan, work, sensing, bank):  # type: ignore[no-untyped-def]
    """Read the array once for the sample and relax without nudging."""
    work.events[SAMPLES, 0] += 1
    seen = bank.seen if sensing.wired else chip.weights
    sense(chip.inputs, chip.accumulators, seen, work.event_index, work.event_value, sensing, bank, work.events)
    relax_freely(chip, plan, work)


@kernel
def update_of(chip, plan, work, sensing, bank, rates, sample, label):  # type: ignore[no-untyped-def]
    """Present one sample, run its phases, move the biases and list the pulses of its update; returns how many cells."""
    sign = sign_of_beta(plan, chip.random, work.words, work.events)
    load(chip, plan, work, sample, True)
    free_phase(chip, plan, work, sensing, bank)
    copy(chip.states, chip.free_states)
    pick_target(chip, plan, work, label)
    if not plan.supervised:
        homeostasis(chip, plan)
    nudged_phase(chip, plan, work, sign)
    plus, minus = (chip.states, chip.free_states) if sign > 0 else (chip.free_states, chip.states)
    if plan.nudge_sign == SYMMETRIC:
        copy(chip.states, chip.plus_states)
        return_to_free(chip, plan, work)
        nudged_phase(chip, plan, work, -1)
        plus, minus = chip.plus_states, chip.states
    listed = list_pulses(chip.weights, chip.inputs, plus, minus, plan, 0, rates[0, 0], chip.random, work, bank)
    if plan.learn_biases:
        update_biases(
            chip.biases, plus, minus, plan, 1, rates[1, 0], chip.random, work.words, work.halves, work.flags,
            work.posts, work.events,
        )  # fmt: skip
    return listed


@kernel
def learn_stream(chip, plan, work, sensing, bank, rates, samples, labels, order):  # type: ignore[no-untyped-def]
    """Learn from `samples[order]` (uint8 codes), one at a time, on cells with a law of their own."""
    for t in range(order.shape[0]):
        listed = update_of(chip, plan, work, sensing, bank, rates, samples[order[t]], labels[order[t]])
        if bank.programming == VERIFY:
            want(listed, bank)
            for _ in range(bank.rounds):
                listed = correct(listed, bank)
                if listed == 0:
                    break
                pulse_and_show(chip.weights, listed, sensing, bank)
        else:
            pulse_and_show(chip.weights, listed, sensing, bank)


@kernel
def infer_stream(chip, plan, work, sensing, bank, samples, first, outputs):  # type: ignore[no-untyped-def]
    """Output state codes (samples, n_1) of `samples`; `first` is the place of the first one among all that are shown.

    The noise of a read depends on that place alone.
    """
    draws = np.uint64(plan.sizes[1] * sensing.row_tiles * (1 + bank.upper.scale.shape[0]))
    for t in range(samples.shape[0]):
        bank.reading[1] = np.uint64(first + t) * draws
        load(chip, plan, work, samples[t], False)
        free_phase(chip, plan, work, sensing, bank)
        copy(chip.states[plan.first[-1] :], outputs[t])
