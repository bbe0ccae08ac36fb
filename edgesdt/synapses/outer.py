"""Updates by outer products: `Δw_ij = rate · pre_i · post_j`, one sweep per post-synaptic neuron, from two lists.

A rule lists what is not 0, ascending: pre-synaptic codes (a state) and post-synaptic ones (an error). Every sweep
starts on a fresh step of the random bank; each new code saturates in its format.
"""

from __future__ import annotations

import numpy as np

from edgesdt.kernels.arithmetic import mul32, saturate, scaled, scaled32, whole_vectors
from edgesdt.kernels.jit import inlined, kernel
from edgesdt.kernels.layout import BANK_STEPS, BIAS_MOVES, BIAS_WRITES, PAIRS
from edgesdt.kernels.random_bank import draw, steps_for
from edgesdt.synapses.digital import FAR, has_room, plan_sweep, register_of, write_planned


@inlined
def form_products(values, post, rate, noise, count, deltas):  # type: ignore[no-untyped-def]
    """`deltas[a] = round(rate · values[a] · post)` in 32 bits, a < count; `noise`: half-words, or 0."""
    for a in range(np.uint64(count)):
        deltas[a] = scaled32(mul32(values[a], post), rate, noise[a])


@inlined
def form_products_wide(values, post, rate, noise, count, deltas):  # type: ignore[no-untyped-def]
    """As `form_products` where a product or a rounding term needs 64 bits; saturates to ±`FAR`, beyond any format."""
    for a in range(np.uint64(count)):
        deltas[a] = saturate(scaled(np.int64(values[a]) * np.int64(post), rate, noise[a]), -FAR, FAR)


@kernel
def move_by_outer(  # type: ignore[no-untyped-def]
    weights, read, reading, mirror, wear, wear_carry, plan, layer, rate, pres, pre_values, active, posts, post_values,
    found, bank, words, halves, silence, deltas, pending, named, swept, weight_peak, events,
):  # fmt: skip
    """Sweep the `found` post-synaptic neurons listed in `posts` over the `active` pre-synaptic ones in `pres`.

    `pre_values` is filled up with zeros to whole vectors.
    """
    constant, narrow = register_of(rate), rate[5] != 0
    base, rows = plan.first_weight[layer], plan.sizes[layer]
    steps = steps_for(active, 2 * bank.shape[0]) if plan.stochastic_weights else 0
    noise = halves if plan.stochastic_weights else silence
    whole = whole_vectors(active, pre_values.shape[0])  # the deltas of what fills up are 0
    swept[0, 0] = swept[0, 1] = 0
    for b in range(found):
        post, value = np.int64(posts[b]), np.int32(post_values[b])
        draw(bank, words, steps)
        if narrow:
            form_products(pre_values, value, constant, noise, whole, deltas)
        else:
            form_products_wide(pre_values, value, constant, noise, whole, deltas)
        if not has_room(whole, pending, swept):
            write_planned(
                weights, read, reading, mirror, wear, wear_carry, plan, layer, pending, named, swept, weight_peak,
                events,
            )  # fmt: skip
        plan_sweep(post, rows, pres, deltas, whole, pending, named, swept, wear[base + post * rows :])
    write_planned(
        weights, read, reading, mirror, wear, wear_carry, plan, layer, pending, named, swept, weight_peak, events
    )
    events[BANK_STEPS, 0] += steps * found
    events[PAIRS, layer] += active * found


@kernel
def gather_outer(gradient, plan, layer, pres, pre_values, active, posts, post_values, found, events):  # type: ignore[no-untyped-def]
    """Add one sample's products to the buffer of a mini-batch (wide enough for a batch: it cannot saturate)."""
    base, n = plan.first_weight[layer], plan.sizes[layer + 1]
    for a in range(active):
        row, value = base + np.int64(pres[a]) * n, np.int64(pre_values[a])
        for b in range(found):
            gradient[row + np.int64(posts[b])] += value * np.int64(post_values[b])
    events[PAIRS, layer] += active * found


@kernel
def move_biases(biases, plan, layer, rate, posts, post_values, found, bank, words, halves, events):  # type: ignore[no-untyped-def]
    """`Δb_j = rate · post_j` for the listed neurons of `layer`, in one sweep; the a-th takes the a-th half-word."""
    constant, limit = register_of(rate), plan.bias_limit
    steps = steps_for(found, 2 * bank.shape[0]) if plan.stochastic_biases else 0
    draw(bank, words, steps)
    writes = 0
    for a in range(found):
        j = posts[a]
        noise = halves[a] if plan.stochastic_biases else np.uint16(0)
        old = np.int64(biases[j])
        new = saturate(old + scaled(np.int64(post_values[a]), constant, noise), -limit - 1, limit)
        writes += new != old
        biases[j] = new
    events[BANK_STEPS, 0] += steps
    events[BIAS_MOVES, layer] += found
    events[BIAS_WRITES, layer] += writes
