"""The inverse square root of an integer as hardware computes it: a shift, a table of 192 entries, one Newton step.

`z · 2^-(23 + k)` stands for `1 / √square`, off by less than 1 part in 10,000; no division and no root is taken.
"""

from __future__ import annotations

from math import isqrt

import numpy as np
import numpy.typing as npt

from edgesdt.kernels.jit import inlined

TABLE = 192
"""Entries of the table: mantissas of 16 bits from 2^14 up, in steps of 2^8."""
BITS = 16
"""Width of an entry, and of `z`."""
POINT = 23
"""Bits below the point of `z` for a mantissa."""


def roots() -> npt.NDArray[np.uint16]:
    """`2^23 / √m` (192,) to nearest, m the middle of the i-th step: 256 · (64 + i) + 128."""
    middles = (256 * (64 + i) + 128 for i in range(TABLE))
    return np.array([(isqrt(2 ** (2 * POINT + 2) // m) + 1) // 2 for m in middles], np.uint16)


@inlined
def inverse_root(square, table):  # type: ignore[no-untyped-def]
    """(z, k, m) of `square` (64 bits, not negative): `m = square · 2^-2k` in 2^14 … 2^16 - 1; z is 0 for 0."""
    square = np.int64(square)
    long = np.int64(0)
    while square >> long != 0:
        long += 1
    k = (long - 15) >> 1
    m = square >> (2 * k) if k >= 0 else square << (-2 * k)
    if square == 0:
        return np.int64(0), np.int64(0), np.int64(0)
    guess = np.int64(table[(m >> 8) - 64])
    slope = ((np.int64(3) << 46) - m * guess * guess) >> 31
    return min((guess * slope + (1 << 15)) >> 16, (1 << 16) - 1), k, m
