"""One sample through an equilibrium-propagation chip, in the order of the paper (Liu et al. 2024, algorithm of §2).

`store` holds the weights, in memory or on cells: what is asked of it is in `edgesdt.synapses.store`.
"""

from __future__ import annotations

import numpy as np

from edgesdt.kernels.drive import drop, present, rest
from edgesdt.kernels.jit import inlined, kernel
from edgesdt.kernels.layout import APPLIED, BANK_STEPS, NUDGED_RUNS, SAMPLES
from edgesdt.kernels.random_bank import draw
from edgesdt.kernels.softmax import softmax
from edgesdt.rules.eqprop.kernels import one_layer
from edgesdt.rules.eqprop.kernels.relax import STALE, list_return, propagate, relax
from edgesdt.synapses.batch import apply_biases, gather_contrast
from edgesdt.synapses.digital import update_biases
from edgesdt.synapses.store import apply_gathered, begin_inference, feed, update_contrast, write
from edgesdt.targets.self_defined import pick_winners, set_target, settle_homeostasis, settle_homeostasis_of_batch

SYMMETRIC = 2


@inlined
def load(chip, plan, work, x, learning):  # type: ignore[no-untyped-def]
    """Clamp sample `x` (n_0,) to the input, dropping inputs and outputs when learning; all states at rest."""
    present(chip.inputs, chip.keep, x)
    if learning and plan.input_drop > 0:
        work.events[BANK_STEPS, 0] += drop(chip.inputs, plan.input_drop, chip.random, work.words, work.octets)
    if learning and plan.output_drop > 0:
        work.events[BANK_STEPS, 0] += drop(chip.keep, plan.output_drop, chip.random, work.words, work.octets)
    rest(chip.states, chip.accumulators, chip.biases, plan.bias_left, plan.accumulator_limit)
    for layer in range(1, plan.sizes.shape[0]):
        work.reach[layer] = (plan.bias_limit + 1) << plan.bias_left
        work.counts[STALE, layer] = 1


@kernel
def copy(source, into):  # type: ignore[no-untyped-def]
    """`into[j] = source[j]`."""
    for j in range(into.shape[0]):
        into[j] = source[j]


@inlined
def hold(codes, free, frozen):  # type: ignore[no-untyped-def]
    """A frozen neuron ends a nudged phase where the free phase ended: none of its own synapses sees a contrast."""
    for j in range(frozen.shape[0]):
        if frozen[j] != 0:
            codes[j] = free[j]


@inlined
def settle(chip, plan, work, store, steps, sign):  # type: ignore[no-untyped-def]
    """Relax the whole network for `steps` steps, nudged with the sign of beta (0: free)."""
    relax(
        chip.states, chip.accumulators, chip.keep, chip.target, chip.exponentials, chip.reciprocals, store,
        chip.random, plan, steps, np.int64(sign), work.flags, work.movers, work.mover_state, work.mover_drive,
        work.mover_target, work.changes, work.change_by, work.counts, work.reach, work.words, work.halves, work.events,
    )  # fmt: skip


@inlined
def free_phase(chip, plan, work, store):  # type: ignore[no-untyped-def]
    """Feed the input, whose product is constant for the sample, and relax without nudging."""
    work.events[SAMPLES, 0] += 1
    feed(store, chip.inputs, chip.accumulators, plan, work)
    if work.ends.shape[1] > 0:
        one_layer.free_phase(
            chip.states, chip.accumulators, chip.keep, plan, work.ends, work.moves, work.movers, work.mover_drive,
            work.counts, work.events,
        )  # fmt: skip
    else:
        settle(chip, plan, work, store, plan.free_steps, 0)
    if plan.softmax:
        make_shares(chip.states, chip.accumulators, chip.keep, chip.exponentials, chip.reciprocals, plan)


@kernel
def make_shares(states, accumulators, keep, exponentials, reciprocals, plan):  # type: ignore[no-untyped-def]
    """End of a free phase with softmax outputs: their states become its shares, those of dropped ones 0."""
    top = plan.first[-1]
    softmax(
        accumulators[top:], states[top:], exponentials, reciprocals, plan.drive_right, plan.drive_half,
        plan.drive_limit, plan.exponent_right, plan.state_bits,
    )  # fmt: skip
    for j in range(keep.shape[0]):
        states[top + j] = states[top + j] if keep[j] != 0 else 0


@inlined
def pick_target(chip, plan, work, label):  # type: ignore[no-untyped-def]
    """The target of this sample: its label, or the winners that the chip itself picks."""
    if plan.supervised:
        chip.winners[0] = label
    else:
        outputs = chip.states[plan.first[-1] :]
        pick_winners(outputs, chip.homeostasis, chip.keep, plan.key_left, work.keys, work.tops, chip.winners)
    set_target(chip.target, chip.winners)


@inlined
def homeostasis(chip, plan):  # type: ignore[no-untyped-def]
    """Let the outputs that win too often stand back; a mini-batch counts the wins and settles once."""
    if plan.batch == 1:
        settle_homeostasis(chip.target, chip.winners, chip.activity, chip.homeostasis, plan)
    else:
        for j in range(chip.target.shape[0]):
            chip.winner_count[j] += chip.target[j]


@inlined
def nudged_phase(chip, plan, work, store, sign):  # type: ignore[no-untyped-def]
    """Relax from the present state with the output pulled to (+1) or pushed from (−1) the target."""
    work.events[NUDGED_RUNS, 0] += 1
    if work.ends.shape[1] > 0:
        one_layer.nudged_phase(
            chip.states, chip.accumulators, chip.keep, chip.target, chip.winners, plan, sign, work.ends, work.moves,
            work.movers, work.mover_drive, work.counts, work.events,
        )  # fmt: skip
    else:
        settle(chip, plan, work, store, plan.nudged_steps, sign)


@inlined
def return_to_free(chip, plan, work, store):  # type: ignore[no-untyped-def]
    """Take the network back to its free state, accumulators included."""
    list_return(chip.states, chip.free_states, plan, work.changes, work.change_by, work.counts, work.events)
    propagate(chip.accumulators, store, plan, work.changes, work.change_by, work.counts, work.reach, work.events)


@kernel
def list_aims(free_states, keep, target, plan, aims):  # type: ignore[no-untyped-def]
    """`aims` (N,): the free states, with the target codes in the place of a softmax (those of dropped outputs 0)."""
    for j in range(free_states.shape[0]):
        aims[j] = free_states[j]
    for j in range(keep.shape[0]):
        aim = plan.target_high if target[j] != 0 else plan.target_low
        aims[plan.first[-1] + j] = aim if keep[j] != 0 else 0


@inlined
def local_update(chip, plan, work, store, rates, plus, minus):  # type: ignore[no-untyped-def]
    """Move every weight layer from the input up, then every bias layer, by the contrast of two phases.

    Below a softmax the contrast is that of target and share, at the free states.
    """
    layers = plan.sizes.shape[0] - 1
    soft = layers - 1 if plan.softmax else layers
    aims = work.mover_target
    if plan.softmax:
        list_aims(chip.free_states, chip.keep, chip.target, plan, aims)
        hold(aims, chip.free_states, chip.frozen)
    for layer in range(layers):
        high, low = (plus, minus) if layer < soft else (aims, chip.free_states)
        update_contrast(store, layer, chip.inputs, high, low, rates[0, layer], chip.random, plan, work)
    if plan.learn_biases:
        for layer in range(layers):
            high, low = (plus, minus) if layer < soft else (aims, chip.free_states)
            update_biases(
                chip.biases, high, low, plan, layer + 1, rates[1, layer], chip.random, work.words, work.halves,
                work.flags, work.posts, work.events,
            )  # fmt: skip
    write(store, plan, work)


@inlined
def learn_contrast(chip, plan, work, store, rates, plus, minus):  # type: ignore[no-untyped-def]
    """Learn from a pair of phase ends: at once, or into the mini-batch buffers."""
    if plan.batch == 1:
        local_update(chip, plan, work, store, rates, plus, minus)
    else:
        high, low = plus, minus
        if plan.softmax:
            high, low = work.mover_target, chip.free_states
            list_aims(chip.free_states, chip.keep, chip.target, plan, high)
            hold(high, chip.free_states, chip.frozen)
        gather_contrast(
            chip.weight_contrast, chip.bias_contrast, chip.inputs, plus, minus, high, low, plan, work.flags, work.pres,
            work.pre_plus, work.pre_minus, work.posts, work.events,
        )  # fmt: skip


@inlined
def apply_batch(chip, plan, work, store, rates):  # type: ignore[no-untyped-def]
    """End of a mini-batch: move weights, biases and homeostasis by what was gathered."""
    work.events[APPLIED, 0] += 1
    layers = plan.sizes.shape[0] - 1
    for layer in range(layers):
        apply_gathered(store, layer, chip.weight_contrast, rates[0, layer], chip.random, plan, work)
    if plan.learn_biases:
        for layer in range(layers):
            apply_biases(
                chip.bias_contrast, chip.biases, plan, layer + 1, rates[1, layer], chip.random, work.words, work.halves,
                work.events,
            )  # fmt: skip
    if not plan.supervised:
        settle_homeostasis_of_batch(chip.winner_count, chip.activity, chip.homeostasis, plan)


@kernel
def sign_of_beta(plan, bank, words, events):  # type: ignore[no-untyped-def]
    """+1 or −1: always +1, or by the top bit of the first word of a fresh bank step."""
    if plan.nudge_sign != 0:
        return np.int64(1)
    draw(bank, words, 1)
    events[BANK_STEPS, 0] += 1
    return np.int64(1) - 2 * np.int64(words[0] >> np.uint32(31))


@kernel
def learn_stream(chip, plan, work, store, rates, samples, labels, order):  # type: ignore[no-untyped-def]
    """Learn from `samples[order]` (uint8 codes), one at a time; `labels` are read only by a supervised chip.

    A mini-batch shares one sign of beta and is applied when full; a last incomplete one is applied as it is.
    """
    sign = np.int64(1)
    waiting = 0
    for t in range(order.shape[0]):
        if waiting == 0:
            sign = sign_of_beta(plan, chip.random, work.words, work.events)
        load(chip, plan, work, samples[order[t]], True)
        free_phase(chip, plan, work, store)
        copy(chip.states, chip.free_states)
        pick_target(chip, plan, work, labels[order[t]])
        if not plan.supervised:
            homeostasis(chip, plan)
        if plan.softmax:  # no nudge yet
            chip.states[plan.first[-1] :] = 0
        nudged_phase(chip, plan, work, store, sign)
        plus, minus = (chip.states, chip.free_states) if sign > 0 else (chip.free_states, chip.states)
        if plan.nudge_sign == SYMMETRIC:
            copy(chip.states, chip.plus_states)
            return_to_free(chip, plan, work, store)
            nudged_phase(chip, plan, work, store, -1)
            hold(chip.plus_states, chip.free_states, chip.frozen)
            plus, minus = chip.plus_states, chip.states
        hold(chip.states, chip.free_states, chip.frozen)
        learn_contrast(chip, plan, work, store, rates, plus, minus)
        waiting += 1
        if waiting == plan.batch or t + 1 == order.shape[0]:
            waiting = 0
            if plan.batch > 1:
                apply_batch(chip, plan, work, store, rates)


@kernel
def infer_stream(chip, plan, work, store, samples, first, outputs):  # type: ignore[no-untyped-def]
    """Output state codes (samples, n_L) of `samples` (samples, n_0), one at a time, nothing dropped.

    `first` is the place of the first one among all that are shown.
    """
    for t in range(samples.shape[0]):
        begin_inference(store, first + t, plan)
        load(chip, plan, work, samples[t], False)
        free_phase(chip, plan, work, store)
        copy(chip.states[plan.first[-1] :], outputs[t])
