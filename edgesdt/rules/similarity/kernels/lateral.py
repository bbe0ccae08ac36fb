"""The lateral weights: their step over the active neurons, their halving, their mirror and reciprocals."""

from __future__ import annotations

import numpy as np

from edgesdt.kernels.arithmetic import saturate, scaled
from edgesdt.kernels.jit import kernel
from edgesdt.kernels.random_bank import draw, steps_for
from edgesdt.rules.similarity.layout import NEAREST, STOCHASTIC


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
    """The mantissa of 1 / `code`, `2^(15 + length of code) / code`, floored, at most 65535; and that shift."""
    length = np.int64(0)
    while code >> length != 0:
        length += 1
    return min((np.int64(1) << (15 + length)) // code, 65535), 15 + length


@kernel
def divide_by(code, j, neurons, nearest):  # type: ignore[no-untyped-def]
    """Neuron j divides by lateral weight `code` from now on: the reciprocal, and between which residuals it rests."""
    mantissa, right = reciprocal(code)
    half = (np.int64(1) << (right - 1)) if nearest else np.int64(0)
    neurons.reciprocals[j], neurons.shifts[j] = mantissa, right
    neurons.above[j] = ((np.int64(1) << right) - half - 1) // mantissa
    neurons.below[j] = -(half // mantissa)


@kernel
def move_lateral(  # type: ignore[no-untyped-def]
    triangle, mirror, neurons, nearest, states, posts, found, rate, rounding, limit, peak, bank, words, halves
):
    """`M_ij += R(y_i · y_j · rate)` for every pair i ≤ j of the active neurons in `posts`, a sweep for each j.

    Returns codes changed, saturations, bank steps and the largest code, `peak` or a new one.
    """
    stride = neurons.above.shape[0]
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
            mirror[j * stride + i] = new
            mirror[i * stride + j] = new
        if neurons.reciprocals.shape[0] != 0:
            divide_by(np.int64(triangle[row + j]), j, neurons, nearest)
    return writes, hits, drawn, peak


@kernel
def reflect(triangle, mirror, neurons, nearest, n):  # type: ignore[no-untyped-def]
    """Bring mirror and reciprocals in step with a triangle. Returns the largest code."""
    peak, stride = np.int64(0), neurons.above.shape[0]
    for j in range(n):
        row = j * (j + 1) // 2
        for i in range(j + 1):
            mirror[j * stride + i] = mirror[i * stride + j] = triangle[row + i]
            peak = max(peak, np.int64(triangle[row + i]))
        if neurons.reciprocals.shape[0] != 0:
            divide_by(np.int64(triangle[row + j]), j, neurons, nearest)
    return peak
