"""Sweeps of neurons over their inputs: the Hebbian step of the weights and their halving, with wear."""

from __future__ import annotations

import numpy as np

from edgesdt.kernels.arithmetic import add32, mul32, saturate, scaled, scaled32
from edgesdt.kernels.jit import kernel
from edgesdt.kernels.random_bank import draw, steps_for
from edgesdt.rules.similarity.layout import NEAREST, STOCHASTIC


@kernel
def form(codes, post, rate, noise, narrow, deltas):  # type: ignore[no-untyped-def]
    """`deltas[i] = R(codes[i] · post · rate)`, in 32 bits where they are enough."""
    rows = np.uint64(codes.shape[0])
    if narrow:
        value = np.int32(post)
        for i in range(rows):
            deltas[i] = scaled32(mul32(np.int32(codes[i]), value), rate, noise[i])
    else:
        for i in range(rows):
            wide = scaled(np.int64(codes[i]) * np.int64(post), rate, noise[i])
            deltas[i] = saturate(wide, -(1 << 24), 1 << 24)


@kernel
def add_to_row(row, deltas, worn, lowest, highest):  # type: ignore[no-untyped-def]
    """Add deltas to the weights of a neuron. Returns codes changed, saturations and the largest |code|."""
    writes, hits, peak = np.int32(0), np.int32(0), np.int32(0)
    low, high = np.int32(lowest), np.int32(highest)
    for i in range(np.uint64(row.shape[0])):
        old = np.int32(row[i])
        wide = add32(old, deltas[i])
        new = min(max(wide, low), high)
        changed = np.uint8(new != old)
        writes = add32(writes, np.int32(changed))
        hits = add32(hits, np.int32(new != wide))
        peak = max(peak, max(new, np.int32(-new)))
        worn[i] = np.uint8(worn[i] + changed)
        row[i] = new
    return np.int64(writes), np.int64(hits), np.int64(peak)


@kernel
def move_columns(  # type: ignore[no-untyped-def]
    weights, wear, codes, states, posts, found, rate, narrow, rounding, limit, deltas, bank, words, halves, silence
):
    """Sweep the `found` neurons listed in `posts` over their inputs: `V_ij += R(c_i · y_j · rate)`.

    The i-th input takes the i-th half-word of a sweep, which starts on a fresh step of the bank; silent inputs move
    nothing. Returns codes changed, saturations, bank steps and the largest |code| written.
    """
    below = codes.shape[0]
    steps = steps_for(below, 2 * bank.shape[0]) if rounding == STOCHASTIC else 0
    noise = halves if rounding == STOCHASTIC else silence
    writes, hits, peak = np.int64(0), np.int64(0), np.int64(0)
    for b in range(found):
        j = np.int64(posts[b])
        draw(bank, words, steps)
        form(codes, states[j], rate, noise, narrow, deltas)
        row, worn = weights[j * below : (j + 1) * below], wear[j * below : (j + 1) * below]
        changed, beyond, reached = add_to_row(row, deltas, worn, -limit - 1, limit)
        writes += changed
        hits += beyond
        peak = max(peak, reached)
    return writes, hits, steps * found, peak


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
