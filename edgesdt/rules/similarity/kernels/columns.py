"""Sweeps of neurons over their inputs: the Hebbian step of the weights and their halving, with wear."""

from __future__ import annotations

import numpy as np

from edgesdt.kernels.arithmetic import saturate, scaled
from edgesdt.kernels.jit import inlined, kernel
from edgesdt.kernels.random_bank import draw, steps_for
from edgesdt.kernels.sixteens import LANES
from edgesdt.rules.similarity.kernels.lanes import move_whole
from edgesdt.rules.similarity.kernels.update import register_for
from edgesdt.rules.similarity.layout import NEAREST, STOCHASTIC


@inlined
def narrow_factor(mantissa, right):  # type: ignore[no-untyped-def]
    """The mantissa of a rate for a shift of at least 16, so that no random half-word loses a bit."""
    return mantissa << max(16 - right, 0)


@kernel
def form(codes, post, rate, words, deltas):  # type: ignore[no-untyped-def]
    """`deltas[i] = R(codes[i] · post · rate)`, in 64 bits."""
    for i in range(np.uint64(codes.shape[0])):
        wide = scaled(np.int64(codes[i]) * np.int64(post), rate, words[i])
        deltas[i] = saturate(wide, -(1 << 24), 1 << 24)


@kernel
def add_to_row(weights, wear, base, deltas, first, count, limit):  # type: ignore[no-untyped-def]
    """Add `deltas[first:count]` to the weights from `base` on. Returns codes changed and saturations."""
    writes, hits = np.int64(0), np.int64(0)
    for i in range(np.uint64(first), np.uint64(count)):
        old = np.int64(weights[base + i])
        wide = old + np.int64(deltas[i])
        new = saturate(wide, -limit - 1, limit)
        writes += new != old
        hits += new != wide
        wear[base + i] = np.uint8(wear[base + i] + np.uint8(new != old))
        weights[base + i] = new
    return writes, hits


@kernel
def move_narrow(weights, wear, base, codes, factor, right, limit, words, deltas):  # type: ignore[no-untyped-def]
    """`V ← V + (codes · factor + words · 2^(right - 16)) >> right` for a neuron, in 32 bits.

    Returns codes changed and saturations.
    """
    below, left = np.uint64(codes.shape[0]), np.int32(right - 16)
    whole, down = below // np.uint64(LANES) * np.uint64(LANES), np.int32(right)
    writes, hits = move_whole(  # type: ignore[call-arg, var-annotated]
        weights, wear, base, codes, words, below, factor, left, down, np.int32(-limit - 1), np.int32(limit)
    )
    if whole == below:
        return writes, hits
    for i in range(whole, below):
        deltas[i] = (np.int64(codes[i]) * np.int64(factor) + (np.int64(words[i]) << left)) >> down
    more, beyond = add_to_row(weights, wear, base, deltas, whole, below, limit)
    return writes + more, hits + beyond


@kernel
def move_columns(  # type: ignore[no-untyped-def]
    weights, wear, codes, states, posts, found, mantissa, right, narrow, rounding, limit, deltas, bank, words, halves,
    steady,
):  # fmt: skip
    """Sweep the `found` neurons listed in `posts` over their inputs: `V_ij += R(c_i · y_j · mantissa · 2^-right)`.

    The i-th input takes the i-th half-word of a sweep, which starts on a fresh step of the bank; silent inputs move
    nothing. In place of random half-words `steady` has 2^15 for nearest, 0 for floor. Returns codes changed,
    saturations and bank steps.
    """
    below = codes.shape[0]
    steps = steps_for(below, 2 * bank.shape[0]) if rounding == STOCHASTIC else 0
    noise = halves if rounding == STOCHASTIC else steady
    rate, scale = register_for(mantissa, right, STOCHASTIC), narrow_factor(mantissa, right)
    writes, hits = np.int64(0), np.int64(0)
    for b in range(found):
        j = np.int64(posts[b])
        base = np.uint64(j * below)
        draw(bank, words, steps)
        if narrow:
            factor = np.int32(scale * states[j])
            changed, beyond = move_narrow(
                weights, wear, base, codes, factor, max(right, 16), limit, noise, deltas
            )  # fmt: skip
        else:
            form(codes, states[j], rate, noise, deltas)
            changed, beyond = add_to_row(weights, wear, base, deltas, 0, below, limit)
        writes += changed
        hits += beyond
    return writes, hits, steps * found


@kernel
def largest(weights, posts, found, below):  # type: ignore[no-untyped-def]
    """The largest |code| among the weights of the `found` neurons listed in `posts`."""
    peak = np.int64(0)
    for b in range(found):
        base = np.uint64(posts[b]) * np.uint64(below)
        for i in range(np.uint64(below)):
            peak = max(peak, abs(np.int64(weights[base + i])))
    return peak


@kernel
def halve_row(row, worn, noise, rounding):  # type: ignore[no-untyped-def]
    """`V ← R(V / 2)` for the weights of a neuron. Returns codes changed and the largest |code|."""
    writes, peak = np.int64(0), np.int64(0)
    for i in range(np.uint64(row.shape[0])):
        old = np.int32(row[i])
        up = np.int32(noise[i] >> 15) if rounding == STOCHASTIC else np.int32(rounding == NEAREST)
        new = np.int32((old + up) >> 1)
        changed = np.uint8(new != old)
        writes += changed
        worn[i] = np.uint8(worn[i] + changed)
        peak = max(peak, abs(np.int64(new)))
        row[i] = new
    return writes, peak


@kernel
def halve_weights(weights, wear, n, below, rounding, bank, words, halves):  # type: ignore[no-untyped-def]
    """Halve all weights of a layer, a sweep for each neuron. Returns codes changed, bank steps, the largest |code|."""
    steps = steps_for(below, 2 * bank.shape[0]) if rounding == STOCHASTIC else 0
    writes, peak = np.int64(0), np.int64(0)
    for j in range(n):
        draw(bank, words, steps)
        row, worn = weights[j * below : (j + 1) * below], wear[j * below : (j + 1) * below]
        changed, reached = halve_row(row, worn, halves, rounding)
        writes += changed
        peak = max(peak, reached)
    return writes, steps * n, peak


@kernel
def flush(wear, carry):  # type: ignore[no-untyped-def]
    """Add the wear counters to their totals and clear them."""
    for i in range(np.uint64(wear.shape[0])):
        carry[i] += np.uint32(wear[i])
        wear[i] = 0
