"""Functions by look-up tables: exponentials and their shares, powers by the highest bits, whole square roots.

A table is indexed by the highest bits of a code, so that its relative error does not depend on the size of the code.
"""

from __future__ import annotations

import numpy as np

from edgesdt.kernels.jit import inlined, kernel

_WORD = 64


@inlined
def nearest(code, right):  # type: ignore[no-untyped-def]
    """`code · 2^-right` to the nearest integer, ties up; exact where `right` is 0 or less. No code reaches 2^61."""
    shift = min(right, 62)
    return (code + (np.int64(1) << (shift - 1))) >> shift if shift > 0 else code << -shift


@inlined
def shifted(code, left):  # type: ignore[no-untyped-def]
    """`⌊code · 2^left⌋`."""
    return code << left if left >= 0 else code >> -left


@kernel
def bit_length(code):  # type: ignore[no-untyped-def]
    """Bits of a code of 0 or more: its highest bit has this place less one."""
    length, rest = 0, np.int64(code)
    step = _WORD // 2
    while step > 0:
        if rest >> step != 0:
            rest >>= step
            length += step
        step //= 2
    return length + (rest != 0)


@kernel
def whole_root(code):  # type: ignore[no-untyped-def]
    """`⌊√code⌋` of a code below 2^52."""
    root = np.int64(np.sqrt(np.float64(code)))
    while root * root > code:
        root -= 1
    while (root + 1) * (root + 1) <= code:
        root += 1
    return root


@kernel
def power_place(code, mantissa_bits, entries):  # type: ignore[no-untyped-def]
    """The place of a code of 1 or more in a table of powers: its highest bit, and `mantissa_bits` below that.

    A code past the last of the `entries` has the last place.
    """
    high = bit_length(code) - 1
    below = high - mantissa_bits
    mantissa = (code >> below if below >= 0 else code << -below) & ((1 << mantissa_bits) - 1)
    return min((high << mantissa_bits) + mantissa, entries - 1)


@kernel
def exponentials_of(drives, top, multiplier, right, table, parts):  # type: ignore[no-untyped-def]
    """`parts[j] = exp(−(top − drive_j) · multiplier · 2^-right)` by `table`, 0 past its end. Returns their sum."""
    total = np.int64(0)
    for j in range(drives.shape[0]):
        place = nearest((top - np.int64(drives[j])) * multiplier, right)
        parts[j] = np.int64(table[place]) if place < table.shape[0] else 0
        total += np.int64(parts[j])
    return total


@kernel
def reciprocal_of(total, reciprocals):  # type: ignore[no-untyped-def]
    """(2^16 over the first nine bits of `total` as a number 1 … 2; its bits): 1/total is one · 2^-(15 + the other)."""
    length = bit_length(total)
    first = total >> (length - 9) if length >= 9 else total << (9 - length)
    return np.int64(reciprocals[first & 255]), length
