"""One sample through an equilibrium-propagation chip, in the order of the paper (Liu et al. 2024, algorithm of §2)."""

from __future__ import annotations

import numpy as np

from edgesdt.kernels.drive import accumulate, drop, list_inputs, present, rest
from edgesdt.kernels.jit import inlined, kernel
from edgesdt.kernels.layout import ACCUMULATOR_SATURATIONS, APPLIED, BANK_STEPS, INPUTS, NUDGED_RUNS, SAMPLES
from edgesdt.kernels.random_bank import draw
from edgesdt.rules.eqprop import one_layer
from edgesdt.rules.eqprop.relax import STALE, list_return, propagate, relax
from edgesdt.synapses.batch import apply_biases, apply_weights, gather_contrast
from edgesdt.synapses.digital import update_biases, update_weights
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


@kernel
def feed(inputs, accumulators, weights, plan, index, value, shifted, weight_peak, reach, events):  # type: ignore[no-untyped-def]
    """Multiply-accumulate the non-zero inputs into layer 1; this product is constant for the sample."""
    count = list_inputs(inputs, index, value)
    events[INPUTS, 0] += count
    layer, peak, limit = accumulators[: plan.sizes[1]], weight_peak[0], plan.accumulator_limit
    if plan.input_left == 0:
        hits = accumulate(layer, weights, 0, index, value, count, peak, reach[1:], limit)
    else:
        for a in range(count):
            shifted[a] = value[a] << plan.input_left
        hits = accumulate(layer, weights, 0, index, shifted, count, peak, reach[1:], limit)
    events[ACCUMULATOR_SATURATIONS, 1] += hits


@inlined
def settle(chip, plan, work, steps, sign):  # type: ignore[no-untyped-def]
    """Relax the whole network for `steps` steps, nudged with the sign of beta (0: free)."""
    relax(
        chip.states, chip.accumulators, chip.keep, chip.target, chip.weights, chip.random, plan, steps, np.int64(sign),
        work.mirror, work.flags, work.movers, work.mover_state, work.mover_drive, work.mover_target, work.changes,
        work.change_by, work.counts, work.weight_peak, work.reach, work.words, work.halves, work.events,
    )  # fmt: skip


@inlined
def free_phase(chip, plan, work):  # type: ignore[no-untyped-def]
    """Feed the input and relax without nudging."""
    work.events[SAMPLES, 0] += 1
    feed(
        chip.inputs, chip.accumulators, chip.weights, plan, work.event_index, work.event_value, work.pres,
        work.weight_peak, work.reach, work.events,
    )  # fmt: skip
    relax_freely(chip, plan, work)


@inlined
def relax_freely(chip, plan, work):  # type: ignore[no-untyped-def]
    """The steps of the free phase, once the input is fed."""
    if work.ends.shape[1] > 0:
        one_layer.free_phase(
            chip.states, chip.accumulators, chip.keep, plan, work.ends, work.moves, work.movers, work.mover_drive,
            work.counts, work.events,
        )  # fmt: skip
    else:
        settle(chip, plan, work, plan.free_steps, 0)


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
def nudged_phase(chip, plan, work, sign):  # type: ignore[no-untyped-def]
    """Relax from the present state with the output pulled to (+1) or pushed from (−1) the target."""
    work.events[NUDGED_RUNS, 0] += 1
    if work.ends.shape[1] > 0:
        one_layer.nudged_phase(
            chip.states, chip.accumulators, chip.keep, chip.target, chip.winners, plan, sign, work.ends, work.moves,
            work.movers, work.mover_drive, work.counts, work.events,
        )  # fmt: skip
    else:
        settle(chip, plan, work, plan.nudged_steps, sign)


@inlined
def return_to_free(chip, plan, work):  # type: ignore[no-untyped-def]
    """Take the network back to its free state, accumulators included."""
    list_return(chip.states, chip.free_states, plan, work.changes, work.change_by, work.counts, work.events)
    propagate(
        chip.accumulators, chip.weights, work.mirror, plan, work.changes, work.change_by, work.counts,
        work.weight_peak, work.reach, work.events,
    )  # fmt: skip


@kernel
def local_update(  # type: ignore[no-untyped-def]
    weights, biases, inputs, plus, minus, bank, plan, rates, mirror, wear, wear_carry, words, halves, silence, flags,
    deltas, pending, named, swept, pres, pre_plus, pre_minus, posts, weight_peak, events,
):  # fmt: skip
    """Move every weight layer from the input up, then every bias layer, by the contrast of two phases."""
    layers = plan.sizes.shape[0] - 1
    for layer in range(layers):
        update_weights(
            weights, mirror, wear, wear_carry, inputs, plus, minus, plan, layer, rates[0, layer], bank, words, halves,
            silence, flags, deltas, pending, named, swept, pres, pre_plus, pre_minus, posts, weight_peak, events,
        )  # fmt: skip
    if plan.learn_biases:
        for layer in range(layers):
            update_biases(
                biases, plus, minus, plan, layer + 1, rates[1, layer], bank, words, halves, flags, posts, events
            )


@inlined
def learn_contrast(chip, plan, work, rates, plus, minus):  # type: ignore[no-untyped-def]
    """Learn from a pair of phase ends: at once, or into the mini-batch buffers."""
    if plan.batch == 1:
        local_update(
            chip.weights, chip.biases, chip.inputs, plus, minus, chip.random, plan, rates, work.mirror, work.wear,
            work.wear_carry, work.words, work.halves, work.silence, work.flags, work.deltas, work.pending, work.named,
            work.swept, work.pres, work.pre_plus, work.pre_minus, work.posts, work.weight_peak, work.events,
        )  # fmt: skip
    else:
        gather_contrast(
            chip.weight_contrast, chip.bias_contrast, chip.inputs, plus, minus, plan, work.flags, work.pres,
            work.pre_plus, work.pre_minus, work.posts, work.events,
        )  # fmt: skip


@inlined
def apply_batch(chip, plan, work, rates):  # type: ignore[no-untyped-def]
    """End of a mini-batch: move weights, biases and homeostasis by what was gathered."""
    work.events[APPLIED, 0] += 1
    layers = plan.sizes.shape[0] - 1
    for layer in range(layers):
        apply_weights(
            chip.weight_contrast, chip.weights, work.mirror, work.wear, work.wear_carry, plan, layer, rates[0, layer],
            chip.random, work.words, work.halves, work.deltas, work.pending, work.named, work.swept, work.pres,
            work.weight_peak, work.events,
        )  # fmt: skip
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
def learn_stream(chip, plan, work, rates, samples, labels, order):  # type: ignore[no-untyped-def]
    """Learn from `samples[order]` (uint8 codes), one at a time; `labels` are read only by a supervised chip.

    A mini-batch shares one sign of beta and is applied when full; a last incomplete one is applied as it is.
    """
    sign = np.int64(1)
    waiting = 0
    for t in range(order.shape[0]):
        if waiting == 0:
            sign = sign_of_beta(plan, chip.random, work.words, work.events)
        load(chip, plan, work, samples[order[t]], True)
        free_phase(chip, plan, work)
        copy(chip.states, chip.free_states)
        pick_target(chip, plan, work, labels[order[t]])
        if not plan.supervised:
            homeostasis(chip, plan)
        nudged_phase(chip, plan, work, sign)
        plus, minus = (chip.states, chip.free_states) if sign > 0 else (chip.free_states, chip.states)
        if plan.nudge_sign == SYMMETRIC:
            copy(chip.states, chip.plus_states)
            return_to_free(chip, plan, work)
            nudged_phase(chip, plan, work, -1)
            plus, minus = chip.plus_states, chip.states
        learn_contrast(chip, plan, work, rates, plus, minus)
        waiting += 1
        if waiting == plan.batch or t + 1 == order.shape[0]:
            waiting = 0
            if plan.batch > 1:
                apply_batch(chip, plan, work, rates)


@kernel
def infer_stream(chip, plan, work, samples, outputs):  # type: ignore[no-untyped-def]
    """Output state codes (samples, n_L) of `samples` (samples, n_0), one at a time, nothing dropped."""
    for t in range(samples.shape[0]):
        load(chip, plan, work, samples[t], False)
        free_phase(chip, plan, work)
        copy(chip.states[plan.first[-1] :], outputs[t])
