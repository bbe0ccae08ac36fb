"""One sample through a chip that matches similarities, in the order of docs/explanation/similarity_arithmetic.md."""

from __future__ import annotations

import numpy as np

from edgesdt.kernels.jit import inlined, kernel
from edgesdt.kernels.layout import ACCUMULATOR_SATURATIONS, BANK_STEPS, INPUTS, SAMPLES, STATE_CHANGES
from edgesdt.rules.similarity import layout as rows
from edgesdt.rules.similarity.kernels.columns import flush
from edgesdt.rules.similarity.kernels.lateral import halve_triangle, move_lateral, reflect
from edgesdt.rules.similarity.kernels.settle import drive, move_mean, relax, settle, take_off
from edgesdt.rules.similarity.kernels.update import grow, move_label, rate_at, register_for
from edgesdt.rules.similarity.kernels.weights import move_layer, weigh_layer
from edgesdt.synapses.store import begin_inference

UNTIL_FLUSH = 100
"""Samples, each of which can change a weight twice, until a wear counter of 8 bits may be full."""


@kernel
def centre(k, source, chip, plan, work, learning):  # type: ignore[no-untyped-def]
    """Take the means off the codes of layer k, moved first where the layer above learns. How many are not 0 then."""
    start, n = plan.first_input[k], plan.sizes[k]
    mean = chip.mean[start : start + n] if plan.centred else chip.mean
    if learning and plan.centred:
        moved = move_mean(source, mean, chip.seen[k : k + 1], plan.mean_right[k], plan.mean_shift)
        work.events[rows.MEAN_WRITES, k] += moved
    live = take_off(source, mean, plan.mean_right[k], work.codes[:n])
    work.events[rows.CENTRED, k] += live
    return live


@inlined
def neurons_of(k, chip, plan, work):  # type: ignore[no-untyped-def]
    """What the neurons of layer k + 1 divide by."""
    start, n, padded, stride = plan.first[k + 1], plan.sizes[k + 1], plan.first_stride[k], plan.strides[k]
    return rows.Neurons(
        chip.reciprocals if plan.damped else chip.reciprocals[start : start + n], work.shifts[start : start + n],
        work.above[padded : padded + stride], work.below[padded : padded + stride],
    )  # fmt: skip


@kernel
def come_to_rest(k, label, chip, plan, work, store):  # type: ignore[no-untyped-def]
    """Drive and states of layer k + 1 from the centred codes of layer k."""
    top, n, stride = k + 1, plan.sizes[k + 1], plan.strides[k]
    start, square = plan.first[top], plan.first_square[k]
    residuals, states = work.residuals[:stride], work.states[:stride]
    depth = plan.sizes.shape[0] - 1
    limit, gain, beside = plan.accumulator_limit, chip.gains[k], chip.gains[depth + k]
    for j in range(n, stride):
        residuals[j] = 0
    hits = weigh_layer(store, k, residuals, chip, plan, work)
    vectors = chip.labels[plan.first_label[k] :] if plan.supervised else chip.labels
    drive(residuals, n, vectors, label, (beside << 16) // gain, plan.drive_right[k], plan.label_left, limit)
    mirror, peak = work.mirror[square : square + n * stride], work.lateral_peak[k]
    if plan.damped:
        step = (plan.dt << 39) // beside
        changes, sweeps, more = relax(residuals, states, mirror, step, n, peak, plan, work.deltas[:n])
    else:
        neurons = neurons_of(k, chip, plan, work)
        changes, sweeps, more = settle(residuals, states, mirror, neurons, n, peak, plan)
    for j in range(n):
        chip.accumulators[start + j] = residuals[j]
        chip.states[start + j] = states[j]
    work.events[rows.SETTLED, top] += 1
    work.events[rows.SWEEPS, top] += sweeps
    work.events[STATE_CHANGES, top] += changes
    work.events[ACCUMULATOR_SATURATIONS, top] += hits + more


@kernel
def learn_lateral(k, found, chip, plan, work, rate_row):  # type: ignore[no-untyped-def]
    """Decay and step of the lateral weights of layer k + 1 over its active neurons, listed in `work.posts`."""
    top, n, depth = k + 1, plan.sizes[k + 1], plan.sizes.shape[0] - 1
    start, base, square = plan.first[top], plan.first_triangle[k], plan.first_square[k]
    triangle = chip.lateral[base : base + n * (n + 1) // 2]
    mirror, neurons = work.mirror[square : square + n * plan.strides[k]], neurons_of(k, chip, plan, work)
    if grow(chip.gains, depth + k, rate_row[rows.LATERAL_GROWTH], rate_row[rows.LATERAL_GROWTH_RIGHT]):
        writes, steps = halve_triangle(triangle, n, chip.random, work.words, work.halves, plan.lateral_rounding)
        work.lateral_peak[k] = reflect(triangle, mirror, neurons, plan.state_nearest, n)
        work.events[rows.LATERAL_HALVINGS, top] += 1
        work.events[rows.LATERAL_HALVING_WRITES, top] += writes
        work.events[BANK_STEPS, 0] += steps
    mantissa = rate_at(rate_row[rows.LATERAL], chip.gains[depth + k])
    rate = register_for(mantissa, rate_row[rows.LATERAL_RIGHT], plan.lateral_rounding)
    writes, hits, steps, peak = move_lateral(
        triangle, mirror, neurons, plan.state_nearest, chip.states[start : start + n], work.posts, found, rate,
        plan.lateral_rounding, plan.lateral_limit, work.lateral_peak[k], chip.random, work.words, work.halves,
    )  # fmt: skip
    work.lateral_peak[k] = peak
    work.events[rows.LATERAL_PAIRS, top] += found * (found + 1) // 2
    work.events[rows.LATERAL_WRITES, top] += writes
    work.events[rows.LATERAL_SATURATIONS, top] += hits
    work.events[BANK_STEPS, 0] += steps


@kernel
def learn_label(k, chip, plan, work, rate_row):  # type: ignore[no-untyped-def]
    """Step of the vector of the shown class towards the states of layer k + 1."""
    top, n = k + 1, plan.sizes[k + 1]
    start, at = plan.first[top], plan.first_label[k] + np.int64(chip.label[0]) * n
    rate = register_for(rate_row[rows.LABEL], rate_row[rows.LABEL_RIGHT], plan.weight_rounding)
    writes, steps = move_label(
        chip.labels[at : at + n], chip.states[start : start + n], rate, plan.weight_rounding, chip.random, work.words,
        work.halves,
    )  # fmt: skip
    work.events[rows.LABEL_WRITES, top] += writes
    work.events[BANK_STEPS, 0] += steps


@inlined
def load(chip, work, x):  # type: ignore[no-untyped-def]
    """Clamp sample `x` (n_0,) to the input."""
    work.events[SAMPLES, 0] += 1
    found = np.int64(0)
    for i in range(np.uint64(x.shape[0])):
        chip.inputs[i] = x[i]
        found += x[i] != 0
    work.events[INPUTS, 0] += found


@inlined
def feed(k, label, chip, plan, work, store, learning):  # type: ignore[no-untyped-def]
    """States of layer k + 1 from the codes of layer k, of which so many are not 0 when centred."""
    if k == 0:
        live = centre(k, chip.inputs, chip, plan, work, learning)
    else:
        start = plan.first[k]
        live = centre(k, chip.states[start : start + plan.sizes[k]], chip, plan, work, learning)
    come_to_rest(k, label, chip, plan, work, store)
    return live


@kernel
def learn_stream(chip, plan, work, store, rates, samples, labels, order, first, last):  # type: ignore[no-untyped-def]
    """Learn in weight layers `first` … `last` from `samples[order]`, one at a time; layers below infer.

    `labels` are read only by a supervised chip.
    """
    for t in range(order.shape[0]):
        load(chip, work, samples[order[t]])
        if plan.supervised:
            chip.label[0] = labels[order[t]]
        for k in range(last + 1):
            learning = k >= first
            label = np.int64(chip.label[0]) if plan.supervised and learning else np.int64(-1)
            live = feed(k, label, chip, plan, work, store, learning)
            if learning:
                work.events[rows.LEARNED, k + 1] += 1
                found = move_layer(store, k, live, chip, plan, work, rates[k])
                learn_lateral(k, found, chip, plan, work, rates[k])
                if plan.supervised:
                    learn_label(k, chip, plan, work, rates[k])
        work.unflushed[0] += 1
        if work.unflushed[0] >= UNTIL_FLUSH:
            flush(work.wear, work.wear_carry)
            work.unflushed[0] = 0


@kernel
def infer_stream(chip, plan, work, store, samples, first, outputs):  # type: ignore[no-untyped-def]
    """Output state codes (samples, n_L) of `samples` (samples, n_0), one at a time, without labels.

    `first` is the place of the first one among all that are shown; a sample reads an array twice.
    """
    depth = plan.sizes.shape[0] - 1
    for t in range(samples.shape[0]):
        begin_inference(store, 2 * (first + t), plan)
        load(chip, work, samples[t])
        for k in range(depth):
            feed(k, np.int64(-1), chip, plan, work, store, False)
        top = plan.first[depth]
        for j in range(outputs.shape[1]):
            outputs[t, j] = chip.states[top + j]


@kernel
def reflect_layer(k, chip, plan, work):  # type: ignore[no-untyped-def]
    """Bring what the simulator keeps beside the lateral weights of layer k + 1, and the reciprocals, in step."""
    n, base, square = plan.sizes[k + 1], plan.first_triangle[k], plan.first_square[k]
    triangle, mirror = chip.lateral[base : base + n * (n + 1) // 2], work.mirror[square : square + n * plan.strides[k]]
    work.lateral_peak[k] = reflect(triangle, mirror, neurons_of(k, chip, plan, work), plan.state_nearest, n)
