"""The local contrastive update: `Δw_ij = (lr / beta)·(s_i⁺ s_j⁺ − s_i⁻ s_j⁻)`, one sweep per post-synaptic neuron.

Liu et al. 2024, eq. of the EqProp update. (+, −) are the ends of two phases: nudged and free, in the order that the
sign of beta gives, or the two nudged phases. A sweep of post-synaptic neuron j visits the pre-synaptic neurons that are
not silent, in ascending order, and starts on a fresh step of the random bank. Each new code saturates in its format.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from edgesdt.kernels.arithmetic import Register, add32, mul32, saturate, scaled, scaled32, sub32, whole_vectors
from edgesdt.kernels.layout import (
    BANK_STEPS,
    BIAS_MOVES,
    BIAS_WRITES,
    PAIRS,
    WEIGHT_SATURATIONS,
    WEIGHT_WRITES,
)
from edgesdt.kernels.listing import list_nonzero
from edgesdt.kernels.random_bank import draw, steps_for

FAR = 1 << 24


@njit(inline="always")
def register_of(row):  # type: ignore[no-untyped-def]
    """The register stored in one row (6,) of the rates."""
    return Register(np.int32(row[0]), np.int32(row[1]), row[2], np.int32(row[3]), np.int32(row[4]))


@njit(nogil=True, cache=True)
def list_pres(inputs, plus, minus, plan, layer, flags, pres, pre_plus, pre_minus):  # type: ignore[no-untyped-def]
    """List the pre-synaptic neurons of weight layer `layer` not silent in both phases, with both codes.

    Returns how many; the codes are filled up with zeros to whole vectors.
    """
    if layer == 0:
        count = list_nonzero(inputs, inputs.shape[0], pres)
        for a in range(np.uint64(count)):
            pre_plus[a] = pre_minus[a] = inputs[np.uint64(pres[a])]
    else:
        start, n = np.uint64(plan.first[layer]), np.uint64(plan.sizes[layer])
        for i in range(n):
            flags[i] = (plus[start + i] | minus[start + i]) != 0
        count = list_nonzero(flags, n, pres)
        for a in range(np.uint64(count)):
            at = start + np.uint64(pres[a])
            pre_plus[a], pre_minus[a] = plus[at], minus[at]
    for a in range(count, whole_vectors(count, pre_plus.shape[0])):
        pre_plus[a] = pre_minus[a] = 0
    return count


@njit(nogil=True, cache=True)
def list_posts(plus, minus, moved_only, flags, posts):  # type: ignore[no-untyped-def]
    """List the neurons of a layer that moved between the phases (or, else, are not silent in both phases)."""
    n = np.uint64(plus.shape[0])
    if moved_only:
        for j in range(n):
            flags[j] = plus[j] != minus[j]
    else:
        for j in range(n):
            flags[j] = (plus[j] | minus[j]) != 0
    return list_nonzero(flags, n, posts)


@njit(inline="always")
def form_deltas(plus, minus, high, low, rate, noise, count, deltas):  # type: ignore[no-untyped-def]
    """`deltas[a] = round(rate·(plus[a]·high − minus[a]·low))` in 32 bits, a < count; `noise`: half-words, or 0."""
    for a in range(np.uint64(count)):
        deltas[a] = scaled32(sub32(mul32(plus[a], high), mul32(minus[a], low)), rate, noise[a])


@njit(inline="always")
def form_deltas_wide(plus, minus, high, low, rate, noise, count, deltas):  # type: ignore[no-untyped-def]
    """As `form_deltas` where a product or a rounding term needs 64 bits; saturates to ±`FAR`, beyond any format."""
    for a in range(np.uint64(count)):
        wide = scaled(np.int64(plus[a]) * high - np.int64(minus[a]) * low, rate, noise[a])
        deltas[a] = saturate(wide, -FAR, FAR)


@njit(inline="always")
def write_sweep(  # type: ignore[no-untyped-def]
    weights, mirror, wear, wear_carry, base, rows, n, post, pres, deltas, hits, codes, count, limit, events, layer
):
    """Add the first `count` deltas to the weights of neuron `post`, saturating. Returns the largest |code| written.

    Reading, adding and writing are apart, so that the adding is done in vectors. `wear` holds the synapses of a neuron
    side by side, unlike `weights`: a sweep touches few of its cache lines.
    """
    found = np.uint64(list_nonzero(deltas, count, hits))  # most deltas are 0
    first, stride, worn = np.uint64(base + post), np.uint64(n), np.uint64(base + post * rows)
    for h in range(found):
        a = np.uint64(hits[h])
        deltas[h] = deltas[a]  # h <= a: what is still to come is not overwritten
        hits[h] = pres[a]
        codes[h] = weights[first + np.uint64(pres[a]) * stride]
    lowest, highest = np.int32(-limit - 1), np.int32(limit)
    low, high, saturations, writes = np.int32(0), np.int32(0), np.int32(0), np.int32(0)
    for h in range(found):
        wide = add32(codes[h], deltas[h])
        new = max(min(wide, highest), lowest)
        low, high = min(low, new), max(high, new)
        saturations = add32(saturations, np.int32(new != wide))
        changed = np.int32(new != codes[h])
        writes = add32(writes, changed)
        codes[h] = new
        deltas[h] = changed
    for h in range(found):
        pre = np.uint64(hits[h])
        weights[first + pre * stride] = codes[h]
        once = np.uint8(deltas[h])
        times = np.uint8(wear[worn + pre] + once)
        wear[worn + pre] = times
        if times < once:
            wear_carry[worn + pre] += np.uint32(1)
        if layer > 0:
            mirror[worn + pre] = codes[h]
    events[WEIGHT_WRITES, layer] += writes
    events[WEIGHT_SATURATIONS, layer] += saturations
    return max(-np.int64(low), np.int64(high))


@njit(nogil=True, cache=True)
def update_weights(  # type: ignore[no-untyped-def]
    weights, mirror, wear, wear_carry, inputs, plus, minus, plan, layer, rate, bank, words, halves, silence,
    flags, deltas, hits, codes, pres, pre_plus, pre_minus, posts, weight_peak, events,
):  # fmt: skip
    """Sweep every listed post-synaptic neuron of weight layer `layer`."""
    constant = register_of(rate)
    narrow = rate[5] != 0
    start, base = plan.first[layer + 1], plan.first_weight[layer]
    rows, n = plan.sizes[layer], plan.sizes[layer + 1]
    active = list_pres(inputs, plus, minus, plan, layer, flags, pres, pre_plus, pre_minus)
    swept = list_posts(plus[start : start + n], minus[start : start + n], layer == 0, flags, posts)
    steps = steps_for(active, 2 * bank.shape[0]) if plan.stochastic_weights else 0
    noise = halves if plan.stochastic_weights else silence
    whole = whole_vectors(active, pre_plus.shape[0])  # the deltas of what fills up are 0
    peak = weight_peak[layer]
    for b in range(swept):
        post = np.int64(posts[b])
        high, low = plus[start + post], minus[start + post]
        draw(bank, words, steps)
        if narrow:
            form_deltas(pre_plus, pre_minus, high, low, constant, noise, whole, deltas)
        else:
            form_deltas_wide(pre_plus, pre_minus, high, low, constant, noise, whole, deltas)
        reached = write_sweep(
            weights, mirror, wear, wear_carry, base, rows, n, post, pres, deltas, hits, codes, whole, plan.weight_limit,
            events, layer,
        )  # fmt: skip
        peak = max(peak, reached)
    weight_peak[layer] = peak
    events[BANK_STEPS, 0] += steps * swept
    events[PAIRS, layer] += active * swept


@njit(nogil=True, cache=True)
def update_biases(biases, plus, minus, plan, layer, rate, bank, words, halves, flags, posts, events):  # type: ignore[no-untyped-def]
    """`Δb_j = (lr / beta)·(s_j⁺ − s_j⁻)` for the neurons of `layer` that moved, in one sweep.

    The a-th neuron that moved takes the a-th half-word, so words are drawn for as many as there are.
    """
    constant = register_of(rate)
    start, end = plan.first[layer], plan.first[layer] + plan.sizes[layer]
    moved = list_posts(plus[start:end], minus[start:end], True, flags, posts)
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
