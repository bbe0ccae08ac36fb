"""The local contrastive update: `Δw_ij = (lr / beta)·(s_i⁺ s_j⁺ − s_i⁻ s_j⁻)`, one sweep per post-synaptic neuron.

Liu et al. 2024, eq. of the EqProp update. (+, −) are the ends of two phases: nudged and free, in the order that the
sign of beta gives, or the two nudged phases. A sweep of post-synaptic neuron j visits the pre-synaptic neurons that are
not silent, in ascending order, and starts on a fresh step of the random bank. Each new code saturates in its format.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from edgesdt.kernels.arithmetic import Register, mul32, saturate, scaled, scaled32, sub32
from edgesdt.kernels.layout import (
    BANK_STEPS,
    BIAS_MOVES,
    BIAS_WRITES,
    PAIRS,
    WEIGHT_SATURATIONS,
    WEIGHT_WRITES,
)
from edgesdt.kernels.random_bank import draw, steps_for

BLOCK = np.uint64(64)
FAR = 1 << 24


@njit(inline="always")
def register_of(row):  # type: ignore[no-untyped-def]
    """The register stored in one row (6,) of the rates."""
    return Register(np.int32(row[0]), np.int32(row[1]), row[2], np.int32(row[3]), np.int32(row[4]))


@njit(nogil=True, cache=True)
def list_pres(inputs, plus, minus, plan, layer, pres, pre_plus, pre_minus):  # type: ignore[no-untyped-def]
    """List the pre-synaptic neurons of weight layer `layer` not silent in both phases, with both codes."""
    count = 0
    if layer == 0:
        for i in range(inputs.shape[0]):
            pres[count] = i
            pre_plus[count] = inputs[i]
            count += inputs[i] != 0
        for a in range(count):
            pre_minus[a] = pre_plus[a]
        return count
    start = plan.first[layer]
    for i in range(plan.sizes[layer]):
        pres[count] = i
        pre_plus[count] = plus[start + i]
        pre_minus[count] = minus[start + i]
        count += (plus[start + i] | minus[start + i]) != 0
    return count


@njit(nogil=True, cache=True)
def list_posts(plus, minus, moved_only, posts):  # type: ignore[no-untyped-def]
    """List the neurons of a layer that moved between the phases (or, else, are not silent in both phases)."""
    n, count = np.uint64(plus.shape[0]), 0
    block = np.uint64(0)
    while block < n:  # as in `relax.gather`: most blocks have nothing to list
        end = min(block + BLOCK, n)
        busy = np.int32(0)
        if moved_only:
            for j in range(block, end):
                busy |= plus[j] ^ minus[j]
        else:
            for j in range(block, end):
                busy |= plus[j] | minus[j]
        first, block = block, end
        if busy == 0:
            continue
        for j in range(first, end):
            posts[count] = j
            count += (plus[j] != minus[j]) if moved_only else ((plus[j] | minus[j]) != 0)
    return count


@njit(nogil=True, cache=True)
def form_deltas(plus, minus, high, low, rate, noise, deltas):  # type: ignore[no-untyped-def]
    """`deltas[a] = round(rate·(plus[a]·high − minus[a]·low))` in 32 bits; `noise` is a half-word each, 0 if unused."""
    for a in range(plus.shape[0]):
        deltas[a] = scaled32(sub32(mul32(plus[a], high), mul32(minus[a], low)), rate, noise[a])


@njit(nogil=True, cache=True)
def form_deltas_wide(plus, minus, high, low, rate, noise, deltas):  # type: ignore[no-untyped-def]
    """As `form_deltas` where a product or a rounding term needs 64 bits; saturates to ±`FAR`, beyond any format."""
    for a in range(plus.shape[0]):
        wide = scaled(np.int64(plus[a]) * high - np.int64(minus[a]) * low, rate, noise[a])
        deltas[a] = saturate(wide, -FAR, FAR)


@njit(nogil=True, cache=True)
def count_wear(written, wear, wear_carry):  # type: ignore[no-untyped-def]
    """Count the waiting places of `written`: apart from the sweeps and in bytes, to spare the cache."""
    for h in range(written[-1]):
        at = written[h]
        worn = np.uint8(wear[at] + np.uint8(1))
        wear[at] = worn
        if worn == 0:
            wear_carry[at] += np.uint32(1)
    written[-1] = 0


@njit(nogil=True, cache=True)
def write_sweep(  # type: ignore[no-untyped-def]
    weights, mirror, written, base, rows, n, post, pres, deltas, hits, count, limit, events, layer
):
    """Add the first `count` deltas to the weights of neuron `post`, saturating. Returns the largest |code| written.

    The places written are added to `written`, which must have room for `count` more.
    """
    found = 0
    for a in range(count):  # most deltas are 0: list the others first, without a branch
        hits[found] = a
        found += deltas[a] != 0
    waiting, peak = np.int64(written[-1]), np.int64(0)
    writes = saturations = 0
    for h in range(found):
        a = hits[h]
        at = base + np.int64(pres[a]) * n + post
        old = np.int64(weights[at])
        wide = old + deltas[a]
        new = saturate(wide, -limit - 1, limit)
        weights[at] = new
        peak = max(peak, abs(new))
        saturations += new != wide
        written[waiting + writes] = at
        writes += new != old
        if layer > 0:
            mirror[base + np.int64(post) * rows + pres[a]] = new
    written[-1] += writes
    events[WEIGHT_WRITES, layer] += writes
    events[WEIGHT_SATURATIONS, layer] += saturations
    return peak


@njit(nogil=True, cache=True)
def update_weights(  # type: ignore[no-untyped-def]
    weights, mirror, wear, wear_carry, written, inputs, plus, minus, plan, layer, rate, bank, words, halves, silence,
    deltas, hits, pres, pre_plus, pre_minus, posts, weight_peak, events,
):  # fmt: skip
    """Sweep every listed post-synaptic neuron of weight layer `layer`."""
    constant = register_of(rate)
    narrow = rate[5] != 0
    start, base = plan.first[layer + 1], plan.first_weight[layer]
    rows, n = plan.sizes[layer], plan.sizes[layer + 1]
    active = list_pres(inputs, plus, minus, plan, layer, pres, pre_plus, pre_minus)
    swept = list_posts(plus[start : start + n], minus[start : start + n], layer == 0, posts)
    steps = steps_for(active, 2 * bank.shape[0]) if plan.stochastic_weights else 0
    noise = halves if plan.stochastic_weights else silence
    above, below = pre_plus[:active], pre_minus[:active]
    peak = weight_peak[layer]
    for b in range(swept):
        post = np.int64(posts[b])
        high, low = plus[start + post], minus[start + post]
        draw(bank, words, steps)
        if narrow:
            form_deltas(above, below, high, low, constant, noise, deltas)
        else:
            form_deltas_wide(above, below, high, low, constant, noise, deltas)
        if written[-1] + active >= written.shape[0] - 1:
            count_wear(written, wear, wear_carry)
        reached = write_sweep(
            weights, mirror, written, base, rows, n, post, pres, deltas, hits, active, plan.weight_limit, events, layer
        )
        peak = max(peak, reached)
    weight_peak[layer] = peak
    events[BANK_STEPS, 0] += steps * swept
    events[PAIRS, layer] += active * swept


@njit(nogil=True, cache=True)
def update_biases(biases, plus, minus, plan, layer, rate, bank, words, halves, posts, events):  # type: ignore[no-untyped-def]
    """`Δb_j = (lr / beta)·(s_j⁺ − s_j⁻)` for the neurons of `layer` that moved, in one sweep.

    The a-th neuron that moved takes the a-th half-word, so words are drawn for as many as there are.
    """
    constant = register_of(rate)
    start, end = plan.first[layer], plan.first[layer] + plan.sizes[layer]
    moved = list_posts(plus[start:end], minus[start:end], True, posts)
    steps = steps_for(moved, 2 * bank.shape[0]) if plan.stochastic_biases else 0
    draw(bank, words, steps)
    writes = 0
    for a in range(moved):
        j = start + posts[a]
        noise = halves[a] if plan.stochastic_biases else np.uint16(0)
        old = np.int64(biases[j])
        new = saturate(old + scaled(plus[j] - minus[j], constant, noise), -plan.bias_limit - 1, plan.bias_limit)
        writes += new != old
        biases[j] = new
    events[BANK_STEPS, 0] += steps
    events[BIAS_MOVES, layer] += moved
    events[BIAS_WRITES, layer] += writes
