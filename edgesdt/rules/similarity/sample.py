"""One sample through a chip that matches similarities, in the order of docs/explanation/similarity_arithmetic.md."""

from __future__ import annotations

import numpy as np

from edgesdt.kernels.jit import inlined, kernel
from edgesdt.kernels.layout import (
    ACCUMULATOR_SATURATIONS,
    BANK_STEPS,
    INPUTS,
    PAIRS,
    SAMPLES,
    STATE_CHANGES,
    WEIGHT_SATURATIONS,
    WEIGHT_WRITES,
)
from edgesdt.kernels.listing import list_nonzero
from edgesdt.rules.similarity import layout as rows
from edgesdt.rules.similarity.columns import flush, halve_weights, largest, move_columns
from edgesdt.rules.similarity.lateral import halve_triangle, move_lateral, reflect
from edgesdt.rules.similarity.settle import drive, move_mean, relax, settle, take_off, weigh
from edgesdt.rules.similarity.update import grow, move_label, rate_at, register_for

NARROW = 30
"""Bits of a product that leave room for its rounding in 32."""
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
def come_to_rest(k, label, chip, plan, work):  # type: ignore[no-untyped-def]
    """Drive and states of layer k + 1 from the centred codes of layer k."""
    top, below, n, stride = k + 1, plan.sizes[k], plan.sizes[k + 1], plan.strides[k]
    start, base, square = plan.first[top], plan.first_weight[k], plan.first_square[k]
    residuals, states = work.residuals[:stride], work.states[:stride]
    depth = plan.sizes.shape[0] - 1
    limit, gain, beside = plan.accumulator_limit, chip.gains[k], chip.gains[depth + k]
    for j in range(n, stride):
        residuals[j] = 0
    hits = weigh(work.codes[:below], chip.weights[base : base + below * n], residuals, n, work.weight_peak[k], limit)
    vectors = chip.labels[plan.first_label[k] :] if plan.supervised else chip.labels
    drive(residuals, n, vectors, label, (beside << 16) // gain, plan.drive_right[k], plan.label_left, limit)
    mirror, peak = work.mirror[square : square + n * stride], work.lateral_peak[k]
    if plan.damped:
        step = (plan.dt << 39) // beside
        changes, sweeps, more = relax(residuals, states, mirror, step, n, peak, plan, work.changes[:n])
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
def learn_weights(k, live, chip, plan, work, rate_row):  # type: ignore[no-untyped-def]
    """Decay and Hebbian step of weight layer k; `live` of its centred codes are not 0."""
    top, below, n = k + 1, plan.sizes[k], plan.sizes[k + 1]
    base, start = plan.first_weight[k], plan.first[top]
    weights, wear = chip.weights[base : base + below * n], work.wear[base : base + below * n]
    states = chip.states[start : start + n]
    if grow(chip.gains, k, rate_row[rows.FEED_GROWTH], rate_row[rows.FEED_GROWTH_RIGHT]):
        writes, steps, peak = halve_weights(
            weights, wear, n, below, plan.weight_rounding, chip.random, work.words, work.halves
        )
        work.weight_peak[k] = peak
        work.events[rows.HALVINGS, top] += 1
        work.events[rows.HALVING_WRITES, top] += writes
        work.events[BANK_STEPS, 0] += steps
    found = list_nonzero(states, n, work.posts)
    mantissa = rate_at(rate_row[rows.FEED], chip.gains[k])
    long = np.int64(0)
    while mantissa >> long != 0:
        long += 1
    right = rate_row[rows.FEED_RIGHT]
    narrow = (plan.narrow[k] + long + max(16 - right, 0) <= NARROW) & (right <= NARROW)
    writes, hits, steps = move_columns(
        weights, wear, work.codes[:below], states, work.posts, found, mantissa, right, narrow, plan.weight_rounding,
        plan.weight_limit, work.changes, chip.random, work.words, work.halves, work.steady,
    )  # fmt: skip
    peak = largest(weights, work.posts, found, below) if plan.unbound[k] else plan.weight_limit + 1
    work.weight_peak[k] = max(work.weight_peak[k], peak)
    work.events[rows.ACTIVE, top] += found
    work.events[PAIRS, k] += found * live
    work.events[WEIGHT_WRITES, k] += writes
    work.events[WEIGHT_SATURATIONS, k] += hits
    work.events[BANK_STEPS, 0] += steps
    return found


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
def feed(k, label, chip, plan, work, learning):  # type: ignore[no-untyped-def]
    """States of layer k + 1 from the codes of layer k, of which so many are not 0 when centred."""
    if k == 0:
        live = centre(k, chip.inputs, chip, plan, work, learning)
    else:
        start = plan.first[k]
        live = centre(k, chip.states[start : start + plan.sizes[k]], chip, plan, work, learning)
    come_to_rest(k, label, chip, plan, work)
    return live


@kernel
def learn_stream(chip, plan, work, rates, samples, labels, order, first, last):  # type: ignore[no-untyped-def]
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
            live = feed(k, label, chip, plan, work, learning)
            if learning:
                work.events[rows.LEARNED, k + 1] += 1
                found = learn_weights(k, live, chip, plan, work, rates[k])
                learn_lateral(k, found, chip, plan, work, rates[k])
                if plan.supervised:
                    learn_label(k, chip, plan, work, rates[k])
        work.unflushed[0] += 1
        if work.unflushed[0] >= UNTIL_FLUSH:
            flush(work.wear, work.wear_carry)
            work.unflushed[0] = 0


@kernel
def infer_stream(chip, plan, work, samples, outputs):  # type: ignore[no-untyped-def]
    """Output state codes (samples, n_L) of `samples` (samples, n_0), one at a time, without labels."""
    depth = plan.sizes.shape[0] - 1
    for t in range(samples.shape[0]):
        load(chip, work, samples[t])
        for k in range(depth):
            feed(k, np.int64(-1), chip, plan, work, False)
        top = plan.first[depth]
        for j in range(outputs.shape[1]):
            outputs[t, j] = chip.states[top + j]


@kernel
def reflect_layer(k, chip, plan, work):  # type: ignore[no-untyped-def]
    """Bring what the simulator keeps beside the lateral weights of layer k + 1, and the reciprocals, in step."""
    n, base, square = plan.sizes[k + 1], plan.first_triangle[k], plan.first_square[k]
    triangle, mirror = chip.lateral[base : base + n * (n + 1) // 2], work.mirror[square : square + n * plan.strides[k]]
    work.lateral_peak[k] = reflect(triangle, mirror, neurons_of(k, chip, plan, work), plan.state_nearest, n)
