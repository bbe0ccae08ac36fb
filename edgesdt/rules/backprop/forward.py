"""The forward pass: weighted sums, activations, and the softmax of the last layer by look-up tables."""

from __future__ import annotations

import numpy as np

from edgesdt.kernels.arithmetic import saturate, whole_vectors
from edgesdt.kernels.drive import accumulate, list_inputs
from edgesdt.kernels.jit import kernel
from edgesdt.kernels.layout import ACCUMULATOR_SATURATIONS, INPUTS
from edgesdt.kernels.listing import list_nonzero
from edgesdt.rules.backprop.layout import ACTIVE


@kernel
def feed(inputs, accumulators, weights, plan, index, value, shifted, weight_peak, reach, events):  # type: ignore[no-untyped-def]
    """Multiply-accumulate the non-zero inputs into layer 1. Returns how many there are, listed in `index`, `value`."""
    count = list_inputs(inputs, index, value)
    layer, peak, limit = accumulators[: plan.sizes[1]], weight_peak[0], plan.accumulator_limit
    if plan.input_left == 0:
        hits = accumulate(layer, weights, 0, index, value, count, peak, reach[1:], limit)
    else:
        for a in range(count):
            shifted[a] = value[a] << plan.input_left
        hits = accumulate(layer, weights, 0, index, shifted, count, peak, reach[1:], limit)
    events[INPUTS, 0] += count
    events[ACCUMULATOR_SATURATIONS, 1] += hits
    return count


@kernel
def feed_on(layer, states, accumulators, weights, plan, pres, shifted, weight_peak, reach, events):  # type: ignore[no-untyped-def]
    """Multiply-accumulate the states of hidden layer `layer` that are not 0 into the layer above."""
    first, n = plan.first[layer], plan.sizes[layer]
    above, wide = plan.first[layer + 1], plan.sizes[layer + 1]
    count = list_nonzero(states[first : first + n], n, pres)
    for a in range(count):
        shifted[a] = states[first + pres[a]] << plan.state_left
    events[ACTIVE, layer] += count
    events[ACCUMULATOR_SATURATIONS, layer + 1] += accumulate(
        accumulators[above : above + wide], weights, plan.first_weight[layer], pres, shifted, count,
        weight_peak[layer], reach[layer + 1 :], plan.accumulator_limit,
    )  # fmt: skip


@kernel
def activate(accumulators, states, right, half, offset, limit):  # type: ignore[no-untyped-def]
    """`s = clamp(R(a, right) + offset, 0, limit)` for every neuron of a layer; `half` is that of R."""
    offset32, limit32 = np.int32(offset), np.int32(limit)
    for j in range(np.uint64(states.shape[0])):
        drive = (np.int64(accumulators[j]) + half) >> right
        states[j] = saturate(drive + offset32, 0, limit32)


@kernel
def mask(states, keep):  # type: ignore[no-untyped-def]
    """The states of dropped outputs are 0."""
    for j in range(states.shape[0]):
        states[j] = states[j] if keep[j] != 0 else 0


@kernel
def softmax(accumulators, states, exponentials, reciprocals, plan):  # type: ignore[no-untyped-def]
    """`s_j = e_j / Σ e`, `e_j = exp(u_j − max u)` by one table, the division by a second one and a shift."""
    last = plan.sizes.shape[0] - 1
    right, half, limit = plan.drive_right[last], plan.drive_half[last], plan.drive_limit
    n, top = states.shape[0], np.int64(-limit - 1)
    for j in range(n):
        states[j] = saturate((np.int64(accumulators[j]) + half) >> right, -limit - 1, limit)
        top = max(top, np.int64(states[j]))
    total = np.int64(0)
    for j in range(n):
        below = top - np.int64(states[j])
        if plan.exponent_right > 0:
            place = (below + (1 << (plan.exponent_right - 1))) >> plan.exponent_right
        else:
            place = below << -plan.exponent_right
        states[j] = np.int64(exponentials[place]) if place < exponentials.shape[0] else 0
        total += np.int64(states[j])
    length = 0
    while total >> length != 0:
        length += 1
    inverse = np.int64(reciprocals[(total >> (length - 9)) & 255])
    down = length + 15 - plan.state_bits
    for j in range(n):
        share = (np.int64(states[j]) * inverse + (np.int64(1) << (down - 1))) >> down
        states[j] = min(share, plan.state_limit)


@kernel
def list_codes(codes, n, names, values):  # type: ignore[no-untyped-def]
    """List the first n `codes` that are not 0: place and value, filled up with zeros to whole vectors. How many."""
    count = list_nonzero(codes, n, names)
    for a in range(np.uint64(count)):
        values[a] = codes[np.uint64(names[a])]
    for a in range(count, whole_vectors(count, values.shape[0])):
        values[a] = 0
    return count
