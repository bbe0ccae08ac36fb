"""The backward pass: the error of the outputs, and errors back through the transposed weights."""

from __future__ import annotations

import numpy as np

from edgesdt.kernels.arithmetic import saturate
from edgesdt.kernels.jit import inlined, kernel
from edgesdt.kernels.listing import list_codes
from edgesdt.synapses.store import add_changes


@inlined
def passes(state, error, limit, inward):  # type: ignore[no-untyped-def]
    """Whether an error passes the activation: inside its range, and at an end of it only `inward`."""
    inside = (state > 0) & (state < limit)
    back = ((state == 0) & (error > 0)) | ((state == limit) & (error < 0))
    return inside | (inward & back)


@inlined
def rounded(code, right):  # type: ignore[no-untyped-def]
    """`code · 2^-right` to the nearest integer, ties up; exact where `right` is 0 or less."""
    return (code + (np.int64(1) << (right - 1))) >> right if right > 0 else code << -right


@kernel
def output_errors(states, target, keep, errors, plan):  # type: ignore[no-untyped-def]
    """`e_j = f'(z_j) · (t_j − s_j)` of every output; without f' where the outputs are a softmax."""
    right, limit, most = plan.error_right[-1], plan.state_limit, plan.error_limit
    for j in range(states.shape[0]):
        aim = plan.target_high if target[j] != 0 else plan.target_low
        apart = np.int64(aim) - np.int64(states[j])
        through = plan.softmax | passes(states[j], apart, limit, plan.inward)
        code = saturate(rounded(apart, right), -most - 1, most)
        errors[j] = code if through & (keep[j] != 0) else 0


@inlined
def send_back(layer, chip, plan, work, store):  # type: ignore[no-untyped-def]
    """`a_i = Σ_j w_ij · e_j` for every neuron i of hidden layer `layer`, over the errors above that are not 0."""
    first, above, wide = plan.first[layer], plan.first[layer + 1], plan.sizes[layer + 1]
    count = list_codes(chip.errors[above : above + wide], wide, work.posts, work.post_values)
    for i in range(plan.sizes[layer]):
        chip.accumulators[first + i] = 0
    work.reach[layer] = 0
    add_changes(
        store, layer, False, work.posts[:count], work.post_values[:count], 0, chip.accumulators, plan, work.reach,
        work.events,
    )  # fmt: skip


@kernel
def hidden_errors(sums, states, errors, right, plan):  # type: ignore[no-untyped-def]
    """`e_i = f'(z_i) · a_i`, rounded and saturated."""
    most, limit = plan.error_limit, plan.state_limit
    for i in range(states.shape[0]):
        code = saturate(rounded(np.int64(sums[i]), right), -most - 1, most)
        errors[i] = code if passes(states[i], sums[i], limit, plan.inward) else 0
