"""Mini-batches: contrasts summed over the batch in on-chip buffers, then applied to every synapse at once.

The sign of beta is the same for the whole batch, and the division by the batch size is part of the rate register. The
buffers have one entry per weight and cost their place in the memory map.
"""

from __future__ import annotations

import numpy as np

from edgesdt.kernels.arithmetic import saturate, scaled
from edgesdt.kernels.jit import kernel
from edgesdt.kernels.layout import BANK_STEPS, BIAS_MOVES, BIAS_WRITES, PAIRS
from edgesdt.kernels.random_bank import draw, steps_for
from edgesdt.synapses.digital import (
    FAR,
    by_what_moved,
    has_room,
    list_posts,
    list_pres,
    plan_sweep,
    register_of,
    write_planned,
)


@kernel
def gather_contrast(  # type: ignore[no-untyped-def]
    weight_contrast, bias_contrast, inputs, plus, minus, top_plus, top_minus, plan, flags, pres, pre_plus, pre_minus,
    posts, events,
):  # fmt: skip
    """Add one sample's contrasts to the buffers (wide enough for a batch: they cannot saturate).

    That of the highest weight layer, and of the biases above it, is between `top_plus` and `top_minus`.
    """
    top = plan.sizes.shape[0] - 2
    for layer in range(top + 1):
        ends, starts = (top_plus, top_minus) if layer == top else (plus, minus)
        start, base, n = plan.first[layer + 1], plan.first_weight[layer], plan.sizes[layer + 1]
        active = list_pres(inputs, ends, starts, plan, layer, flags, pres, pre_plus, pre_minus)
        swept = list_posts(ends[start : start + n], starts[start : start + n], by_what_moved(plan, layer), flags, posts)
        for b in range(swept):
            post = np.int64(posts[b])
            high, low = ends[start + post], starts[start + post]
            for a in range(active):
                at = base + np.int64(pres[a]) * n + post
                weight_contrast[at] += pre_plus[a] * high - pre_minus[a] * low
        events[PAIRS, layer] += active * swept
    for j in range(bias_contrast.shape[0]):
        moved = plus[j] - minus[j] if j < plan.first[-1] else top_plus[j] - top_minus[j]
        bias_contrast[j] += moved


@kernel
def apply_weights(  # type: ignore[no-untyped-def]
    weight_contrast, weights, read, reading, mirror, wear, wear_carry, plan, layer, rate, bank, words, halves, deltas,
    pending, named, swept, pres, weight_peak, events,
):  # fmt: skip
    """Move every weight of `layer` by its summed contrast times the rate, and clear the buffer.

    Each post-synaptic neuron is swept over all pre-synaptic neurons, on fresh steps of the random bank.
    """
    constant = register_of(rate)
    base, rows, n = plan.first_weight[layer], plan.sizes[layer], plan.sizes[layer + 1]
    steps = steps_for(rows, 2 * bank.shape[0]) if plan.stochastic_weights else 0
    swept[0, 0] = swept[0, 1] = 0
    for a in range(rows):
        pres[a] = a
    for post in range(n):
        draw(bank, words, steps)
        for a in range(rows):
            noise = halves[a] if plan.stochastic_weights else np.uint16(0)
            wide = scaled(np.int64(weight_contrast[base + a * n + post]), constant, noise)
            deltas[a] = saturate(wide, -FAR, FAR)
            weight_contrast[base + a * n + post] = 0
        if not has_room(rows, pending, swept):
            write_planned(
                weights, read, reading, mirror, wear, wear_carry, plan, layer, pending, named, swept, weight_peak,
                events,
            )  # fmt: skip
        plan_sweep(post, rows, pres, deltas, rows, pending, named, swept, wear[base + post * rows :])
    write_planned(
        weights, read, reading, mirror, wear, wear_carry, plan, layer, pending, named, swept, weight_peak, events
    )
    events[BANK_STEPS, 0] += steps * n


@kernel
def apply_biases(bias_contrast, biases, plan, layer, rate, bank, words, halves, events):  # type: ignore[no-untyped-def]
    """Move every bias of `layer` by its summed contrast times the rate, in one sweep, and clear the buffer."""
    constant = register_of(rate)
    start, n = plan.first[layer], plan.sizes[layer]
    steps = steps_for(n, 2 * bank.shape[0]) if plan.stochastic_biases else 0
    draw(bank, words, steps)
    for a in range(n):
        noise = halves[a] if plan.stochastic_biases else np.uint16(0)
        old = np.int64(biases[start + a])
        delta = scaled(np.int64(bias_contrast[start + a]), constant, noise)
        new = saturate(old + delta, -plan.bias_limit - 1, plan.bias_limit)
        events[BIAS_WRITES, layer] += new != old
        biases[start + a] = new
        bias_contrast[start + a] = 0
    events[BANK_STEPS, 0] += steps
    events[BIAS_MOVES, layer] += n
