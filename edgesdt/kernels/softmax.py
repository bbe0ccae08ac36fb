"""The softmax of a layer of outputs by look-up tables: exponentials, and a reciprocal in the place of a division.

The tables are those of `edgesdt.rules.softmax`; the definition is §3 of the arithmetic page of gradients.
"""

from __future__ import annotations

import numpy as np

from edgesdt.kernels.arithmetic import saturate
from edgesdt.kernels.jit import kernel
from edgesdt.kernels.lookups import exponentials_of, reciprocal_of


@kernel
def softmax(accumulators, shares, exponentials, reciprocals, right, half, limit, exponent_right, bits):  # type: ignore[no-untyped-def]
    """`shares[j] = e_j / Σ e`, `e_j = exp(u_j − max u)`, in codes of `bits` fractional bits, at most 2^bits − 1.

    A logit u is an accumulator shifted `right`, with `half` added before, and saturated at ±`limit`; a difference of
    logits shifted `exponent_right` is a place in the table.
    """
    n, top, one = shares.shape[0], np.int64(-limit - 1), (np.int64(1) << bits) - 1
    for j in range(n):
        shares[j] = saturate((np.int64(accumulators[j]) + half) >> right, -limit - 1, limit)
        top = max(top, np.int64(shares[j]))
    total = exponentials_of(shares, top, 1, exponent_right, exponentials, shares)
    inverse, length = reciprocal_of(total, reciprocals)
    down = length + 15 - bits
    for j in range(n):
        share = (np.int64(shares[j]) * inverse + (np.int64(1) << (down - 1))) >> down
        shares[j] = min(share, one)
