"""What a sample moves: weights, lateral weights and the vector of its label, and the gains that stand for decay.

A weight is held times the gain of its layer, `V = g · W`. The decay of all weights of the layer is then one step of
the gain; where it reaches 2, gain and weights are halved.
"""

from __future__ import annotations

import numpy as np

from edgesdt.kernels.arithmetic import Register, add32, mul32, saturate, scaled, scaled32
from edgesdt.kernels.jit import inlined, kernel
from edgesdt.kernels.random_bank import draw, steps_for
from edgesdt.rules.similarity.layout import NEAREST, STOCHASTIC

ONE = 1 << 23


@inlined
def register_for(multiplier, right, rounding):  # type: ignore[no-untyped-def]
    """The register of a rate; a shift left is folded into the multiplier, clamped where every format saturates."""
    left = min(max(-right, 0), 30)
    down = min(max(right, 0), 62)
    half = (np.int64(1) << (down - 1)) if rounding == NEAREST and down > 0 else np.int64(0)
    return Register(
        np.int32(min(multiplier << left, 1 << 30)), np.int32(down), half,
        np.int32(max(down - 16, 0)), np.int32(max(16 - down, 0)),
    )  # fmt: skip


@inlined
def grow(gains, at, growth, right):  # type: ignore[no-untyped-def]
    """One step of the gain `gains[at]`: `g ← g + R(g · growth)`. Whether it was halved because it had reached 2."""
    half = (np.int64(1) << (right - 1)) if right > 0 else np.int64(0)
    new = gains[at] + ((gains[at] * growth + half) >> right)
    gains[at] = new >> 1 if new >= 2 * ONE else new
    return new >= 2 * ONE


@inlined
def rate_at(mantissa, gain):  # type: ignore[no-untyped-def]
    """The mantissa of a rate times a gain."""
    return (mantissa * gain + ONE // 2) >> 23


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
def halve_triangle(triangle, n, bank, words, halves, rounding):  # type: ignore[no-untyped-def]
    """As `halve_row` for lateral weights, row by row; the diagonal stays at 1 or more. Codes changed, bank steps."""
    writes, drawn, at = np.int64(0), np.int64(0), np.int64(0)
    for j in range(n):
        steps = steps_for(j + 1, 2 * bank.shape[0]) if rounding == STOCHASTIC else 0
        draw(bank, words, steps)
        drawn += steps
        for i in range(j + 1):
            old = np.int64(triangle[at])
            up = np.int64(halves[i] >> 15) if rounding == STOCHASTIC else np.int64(rounding == NEAREST)
            new = max((old + up) >> 1, 1 if i == j else 0)
            writes += new != old
            triangle[at] = new
            at += 1
    return writes, drawn


@kernel
def reciprocal(code):  # type: ignore[no-untyped-def]
    """The mantissa of 1 / `code`: `2^(15 + length of code) / code`, floored, at most 65535."""
    length = np.int64(0)
    while code >> length != 0:
        length += 1
    return min((np.int64(1) << (15 + length)) // code, 65535)


@kernel
def move_lateral(  # type: ignore[no-untyped-def]
    triangle, mirror, reciprocals, states, posts, found, rate, rounding, limit, peak, bank, words, halves
):
    """`M_ij += R(y_i · y_j · rate)` for every pair i ≤ j of the active neurons in `posts`, a sweep for each j.

    Returns codes changed, saturations, bank steps and the largest code, `peak` or a new one.
    """
    n = states.shape[0]
    writes, hits, drawn = np.int64(0), np.int64(0), np.int64(0)
    for b in range(found):
        j = np.int64(posts[b])
        steps = steps_for(b + 1, 2 * bank.shape[0]) if rounding == STOCHASTIC else 0
        draw(bank, words, steps)
        drawn += steps
        own, row = np.int64(states[j]), j * (j + 1) // 2
        for a in range(b + 1):
            i = np.int64(posts[a])
            noise = halves[a] if rounding == STOCHASTIC else np.uint16(0)
            old = np.int64(triangle[row + i])
            wide = old + scaled(own * np.int64(states[i]), rate, noise)
            new = saturate(wide, 1 if i == j else 0, limit)
            hits += new != wide
            writes += new != old
            peak = max(peak, new)
            triangle[row + i] = new
            mirror[j * n + i] = new
            mirror[i * n + j] = new
        if reciprocals.shape[0] != 0:
            reciprocals[j] = reciprocal(np.int64(triangle[row + j]))
    return writes, hits, drawn, peak


@kernel
def reflect(triangle, mirror, reciprocals, n):  # type: ignore[no-untyped-def]
    """Bring mirror and reciprocals in step with a triangle. Returns the largest code."""
    peak = np.int64(0)
    for j in range(n):
        row = j * (j + 1) // 2
        for i in range(j + 1):
            mirror[j * n + i] = mirror[i * n + j] = triangle[row + i]
            peak = max(peak, np.int64(triangle[row + i]))
        if reciprocals.shape[0] != 0:
            reciprocals[j] = reciprocal(np.int64(triangle[row + j]))
    return peak


@kernel
def move_label(vector, states, rate, rounding, bank, words, halves):  # type: ignore[no-untyped-def]
    """`v += R((y − v) · rate)` for the vector (n,) of the shown class, in one sweep. Codes changed, bank steps."""
    n, writes = states.shape[0], np.int64(0)
    steps = steps_for(n, 2 * bank.shape[0]) if rounding == STOCHASTIC else 0
    draw(bank, words, steps)
    for j in range(n):
        noise = halves[j] if rounding == STOCHASTIC else np.uint16(0)
        old = np.int64(vector[j])
        new = old + scaled(np.int64(states[j]) - old, rate, noise)
        writes += new != old
        vector[j] = new
    return writes, steps


@kernel
def flush(wear, carry):  # type: ignore[no-untyped-def]
    """Add the wear counters to their totals and clear them."""
    for i in range(np.uint64(wear.shape[0])):
        carry[i] += np.uint32(wear[i])
        wear[i] = 0
