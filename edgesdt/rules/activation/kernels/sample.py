"""One sample through a chip that learns by local competition, as docs/explanation/activation_arithmetic.md has it."""

from __future__ import annotations

import numpy as np

from edgesdt.kernels.arithmetic import saturate
from edgesdt.kernels.inverse_root import inverse_root
from edgesdt.kernels.jit import kernel
from edgesdt.kernels.layout import INPUTS, SAMPLES
from edgesdt.rules.activation.kernels.forward import (
    centre,
    nearest,
    normalise,
    put_out,
    rescale,
    run_on,
    standardise,
    take_sizes,
)
from edgesdt.rules.activation.kernels.weights import add_inputs, add_signals, move, sum_back
from edgesdt.rules.activation.layout import ACTIVE, COLUMNS, JUDGED, LABELS, LEARNED, OUTPUTS, RELOADS, ROWS, UPDATES
from edgesdt.synapses.store import begin_inference, write

WHOLE = 256
"""A whole update; a share of it is in 256ths."""
LEAST_MEAN = 64
"""The smallest mean of shares that is divided by, of 2^16."""
OUTPUT_POINT = 14
"""Bits below the point of an output code of `infer`; it has 16."""


@kernel
def load(chip, plan, work, store, x):  # type: ignore[no-untyped-def]
    """Normalise sample `x` (n_0,) and sum what it alone adds to layer 1."""
    work.events[SAMPLES, 0] += 1
    for i in range(plan.image):
        chip.inputs[i] = x[i]
    count = normalise(
        chip.inputs, chip.signals[: plan.image], plan.point, plan.state_limit, chip.roots, work.event_index,
        work.event_value,
    )  # fmt: skip
    for j in range(chip.image_sums.shape[0]):
        chip.image_sums[j] = 0
    work.reach[0] = 0
    work.events[INPUTS, 0] += count
    add_inputs(store, chip.image_sums, work.event_index, work.event_value, count, chip, plan, work)
    work.reach[1] = work.reach[0]


@kernel
def show(chip, plan, work, store, label):  # type: ignore[no-untyped-def]
    """Set the label's units and add their rows to what the image adds: the sums of layer 1."""
    image, n = plan.image, chip.image_sums.shape[0]
    for i in range(image, plan.sizes[0]):
        chip.signals[i] = 0
    for r in range(plan.copies):
        unit = image + r * plan.classes + label
        chip.signals[unit] = plan.label_code
        work.label_index[r], work.label_value[r] = unit, plan.label_code
    for j in range(n):
        chip.accumulators[j] = chip.image_sums[j]
    work.reach[0] = work.reach[1]
    work.events[LABELS, 0] += 1
    add_inputs(store, chip.accumulators[:n], work.label_index, work.label_value, plan.copies, chip, plan, work)


@kernel
def send_on(chip, plan, work, layer, square):  # type: ignore[no-untyped-def]
    """The signals of hidden layer `layer` from its outputs, whose sum of squares is `square`."""
    first, n = plan.first[layer], plan.sizes[layer]
    outputs, apart = chip.outputs[first : first + n], chip.accumulators[:n]
    at = plan.first_signal[layer]
    signals = chip.signals[at : at + n]
    if plan.activation == 0:
        take_sizes(outputs, signals)
        return
    if plan.activation == 1:
        centre(outputs, apart, plan.inverse[layer], plan.inverse_right[layer])
    else:
        means, variances = chip.means[first : first + n], chip.variances[first : first + n]
        standardise(outputs, apart, means, variances, plan.variance_floor, chip.roots)
    rescale(apart, signals, square, plan.state_limit, chip.roots)


@kernel
def pass_up(chip, plan, work, store, label):  # type: ignore[no-untyped-def]
    """Outputs of every layer for the loaded image and `label`. Returns the sum of the squares of the last ones."""
    show(chip, plan, work, store, label)
    last, square = plan.sizes.shape[0] - 1, np.int64(0)
    for layer in range(1, last + 1):
        first, n = plan.first[layer], plan.sizes[layer]
        if layer > 1:
            for j in range(n):
                chip.accumulators[j] = 0
            work.events[ACTIVE, layer - 1] += add_signals(store, layer - 1, chip.accumulators[:n], chip, plan, work)
        square = put_out(
            chip.accumulators[:n], chip.outputs[first : first + n], plan.output_right, plan.output_half,
            plan.state_limit,
        )  # fmt: skip
        if plan.brake:
            chip.squares[layer - 1] = square
        if layer < last:
            send_on(chip, plan, work, layer, square)
    chip.activations[label] = square
    return square


@kernel
def reconstruct(chip, plan, work, store, layer, share):  # type: ignore[no-untyped-def]
    """Errors of the rows of weight layer `layer`: input less what the outputs make of it, times `share` 256ths."""
    at, rows = plan.first_signal[layer], plan.sizes[layer]
    first, n = plan.first[layer + 1], plan.widths[layer]
    outputs, sums = chip.outputs[first : first + n], chip.accumulators[:rows]
    active = 0
    for j in range(n):
        active += outputs[j] != 0
    work.events[UPDATES, layer] += 1
    work.events[OUTPUTS, layer + 1] += active
    sum_back(store, layer, sums, outputs, chip, plan, work)
    for i in range(rows):
        apart = (np.int64(chip.signals[at + i]) << plan.output_right) - np.int64(sums[i])
        code = saturate(nearest(apart, plan.error_right), -plan.error_limit - 1, plan.error_limit)
        chip.errors[i] = saturate(nearest(code * share, 8), -plan.error_limit - 1, plan.error_limit)


@kernel
def compete(chip, plan, work, store, rates, layer, share):  # type: ignore[no-untyped-def]
    """Move the weights of layer `layer` by rate · error · output, times `share` 256ths (below 0: unlearning)."""
    reconstruct(chip, plan, work, store, layer, share)
    first, n, rows = plan.first[layer + 1], plan.widths[layer], plan.sizes[layer]
    outputs, errors = chip.outputs[first : first + n], chip.errors[:rows]
    active, found = move(store, layer, errors, outputs, chip, plan, work, rates)
    work.events[ROWS, layer] += active
    work.events[COLUMNS, layer] += found


@kernel
def grows(squares, point):  # type: ignore[no-untyped-def]
    """Whether the outputs of a layer have a larger norm than its input; that of the first are image and label."""
    before = np.int64(2) << (2 * point)
    for layer in range(squares.shape[0]):
        if squares[layer] > before:
            return True
        before = squares[layer]
    return False


@kernel
def learn_pass(chip, plan, work, store, rates, label, share):  # type: ignore[no-untyped-def]
    """A pass with `label`, then the update of every layer, the last one first: all see the outputs of that pass."""
    pass_up(chip, plan, work, store, label)
    if share < 0 and plan.brake and grows(chip.squares, plan.point):
        return
    layers = plan.widths.shape[0]
    for layer in range(layers - 1, -1, -1):  # what was read last lies nearest
        compete(chip, plan, work, store, rates, layer, share)
    write(store, plan, work)
    if plan.activation == 2:
        for layer in range(1, layers):
            first, n = plan.first[layer], plan.sizes[layer]
            run_on(
                chip.outputs[first : first + n], chip.means[first : first + n], chip.variances[first : first + n],
                plan.share,
            )  # fmt: skip


@kernel
def rival(activations, label):  # type: ignore[no-untyped-def]
    """The wrong label with the largest activation; ties go to the lowest."""
    best = 1 if label == 0 else 0
    for c in range(activations.shape[0]):
        if c != label and activations[c] > activations[best]:
            best = c
    return best


@kernel
def divide(share, mean, mean_bits, most, table):  # type: ignore[no-untyped-def]
    """`share` over its running mean (1,), which it moves first: the square of an inverse root, at most `most`."""
    moved = np.int64(mean[0]) + nearest((share << 8) - np.int64(mean[0]), mean_bits)
    mean[0] = moved
    z, k, _ = inverse_root(max(moved, np.int64(LEAST_MEAN)), table)
    return min(nearest(share * z * z, 30 + 2 * k), most)


@kernel
def learn_stream(chip, plan, work, store, rates, samples, labels, order):  # type: ignore[no-untyped-def]
    """Learn from `samples[order]` (uint8 codes) with their `labels`, one at a time."""
    for t in range(order.shape[0]):
        label = labels[order[t]]
        load(chip, plan, work, store, samples[order[t]])
        work.events[LEARNED, 0] += 1
        if not plan.feedback:
            learn_pass(chip, plan, work, store, rates, label, np.int64(WHOLE))
            continue
        work.events[JUDGED, 0] += 1
        for c in range(plan.classes):
            pass_up(chip, plan, work, store, c)
        wrong = rival(chip.activations, label)
        missing = chip.activations[wrong] + plan.margin - chip.activations[label]
        share = saturate(nearest(missing, plan.slope_right), 0, WHOLE)
        if plan.normalise:
            share = divide(share, chip.share_mean, plan.mean_bits, plan.most, chip.roots)
        if share > 0:
            learn_pass(chip, plan, work, store, rates, label, share)
            load_again(chip, plan, work, store)
            learn_pass(chip, plan, work, store, rates, wrong, -nearest(share * plan.unlearning, 8))


@kernel
def load_again(chip, plan, work, store):  # type: ignore[no-untyped-def]
    """Sum anew what the image adds to layer 1: its weights have moved."""
    load(chip, plan, work, store, chip.inputs)
    work.events[SAMPLES, 0] -= 1
    work.events[RELOADS, 0] += 1


@kernel
def infer_stream(chip, plan, work, store, samples, first, outputs):  # type: ignore[no-untyped-def]
    """Activations (samples, classes) of every label, as codes of 16 bits with `OUTPUT_POINT` below the point.

    `first` is the place of the first one among all that are shown.
    """
    for t in range(samples.shape[0]):
        begin_inference(store, first + t, plan)
        load(chip, plan, work, store, samples[t])
        for c in range(plan.classes):
            square = pass_up(chip, plan, work, store, c)
            outputs[t, c] = min(nearest(square, plan.activation_right), (1 << 16) - 1)
