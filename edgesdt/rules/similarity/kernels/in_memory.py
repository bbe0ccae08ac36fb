"""The feed-forward weights in a digital memory, neuron by neuron: sums, decay, Hebbian step."""

from __future__ import annotations

import numpy as np

from edgesdt.kernels.jit import kernel
from edgesdt.kernels.layout import BANK_STEPS, PAIRS, WEIGHT_SATURATIONS, WEIGHT_WRITES
from edgesdt.kernels.listing import list_nonzero
from edgesdt.rules.similarity import layout as rows
from edgesdt.rules.similarity.kernels.columns import halve_weights, largest, move_columns
from edgesdt.rules.similarity.kernels.settle import weigh
from edgesdt.rules.similarity.kernels.update import grow, rate_at

NARROW = 30
"""Bits of a product that leave room for its rounding in 32."""


def weigh_layer(store, k, residuals, chip, plan, work):  # type: ignore[no-untyped-def]
    """As `rules.similarity.weights.weigh_layer`."""
    below, n, base = plan.sizes[k], plan.sizes[k + 1], plan.first_weight[k]
    weights = chip.weights[base : base + below * n]
    return weigh(work.codes[:below], weights, residuals, n, work.weight_peak[k], plan.accumulator_limit)


def move_layer(store, k, live, chip, plan, work, rate_row):  # type: ignore[no-untyped-def]
    """As `rules.similarity.weights.move_layer`."""
    return move_block(k, live, chip, plan, work, rate_row)


@kernel
def move_block(k, live, chip, plan, work, rate_row):  # type: ignore[no-untyped-def]
    """Decay and Hebbian step of the weights of layer k."""
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
        plan.weight_limit, work.deltas, chip.random, work.words, work.halves, work.steady,
    )  # fmt: skip
    peak = largest(weights, work.posts, found, below) if plan.unbound[k] else plan.weight_limit + 1
    work.weight_peak[k] = max(work.weight_peak[k], peak)
    work.events[rows.ACTIVE, top] += found
    work.events[PAIRS, k] += found * live
    work.events[WEIGHT_WRITES, k] += writes
    work.events[WEIGHT_SATURATIONS, k] += hits
    work.events[BANK_STEPS, 0] += steps
    return found
