"""Gains, which stand for decay, rates times a gain, and the step of a label's vector.

A weight is held times the gain of its layer, `V = g · W`. The decay of all weights of the layer is then one step of
the gain; where it reaches 2, gain and weights are halved.
"""

from __future__ import annotations

import numpy as np

from edgesdt.kernels.arithmetic import Register, scaled
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
