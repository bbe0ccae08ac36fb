"""Sums along the rows of a weight memory, and sums of rows times signed values: both read the memory row by row.

Each saturates after every addition, in ascending order. Where a bound shows that no partial sum can leave the
accumulator, the additions commute and are done many at a time.
"""

from __future__ import annotations

import numpy as np
from numba.core.types import int8, uint8
from numba.extending import overload

from edgesdt.kernels.arithmetic import add32, mul32, saturate
from edgesdt.kernels.bytes.rows import ROWS, WIDTHS, add_sixteen_signed
from edgesdt.kernels.bytes.sums import AT_ONCE, BLOCK, sum_four, sum_four_wide
from edgesdt.kernels.drive import add_columns, add_rows_in_eights
from edgesdt.kernels.jit import inlined, kernel
from edgesdt.kernels.listing import list_nonzero
from edgesdt.kernels.prefetch import prefetch

CACHE_LINE = 64


@kernel
def split_signs(values, plus, minus):  # type: ignore[no-untyped-def]
    """The parts of `values` above 0 and below 0: `values = plus − minus`, one of them 0."""
    for k in range(np.uint64(values.shape[0])):
        v = np.int32(values[k])
        plus[k] = max(v, np.int32(0))
        minus[k] = -min(v, np.int32(0))


@inlined
def add_listed(sums, weights, base, index, values, plus, minus, count):  # type: ignore[no-untyped-def]
    """`sums[j] += Σ_a values[a] · weights[base + index[a] · n + j]`, a < count, if no partial sum exceeds 32 bits."""
    add_rows_in_eights(sums, weights, base, index, values, count)


@inlined
def fetch(row, start, n):  # type: ignore[no-untyped-def]
    """Ask for the cache lines of the n bytes from `start` on, which are next."""
    for line in range(np.uint64(0), n, np.uint64(CACHE_LINE)):
        prefetch(row, start + line)  # type: ignore[call-arg]


@inlined
def add_listed_bytes(sums, weights, base, index, values, plus, minus, count):  # type: ignore[no-untyped-def]
    """As `add_listed` with the 8-bit dot product; the last pass is filled up with values of 0 if there is room."""
    n, start, columns = np.uint64(sums.shape[0]), np.uint64(base), np.uint64(0)
    room = index.shape[0] // ROWS * ROWS
    full = min((count + ROWS - 1) // ROWS * ROWS, room)
    for a in range(count, full):
        index[a], values[a] = 0, 0
    split_signs(values[:full], plus, minus)
    for a in range(0, full, ROWS):
        for b in range(a + ROWS, min(a + 2 * ROWS, count)):
            fetch(weights, start + np.uint64(index[b]) * n, n)
        columns = add_sixteen_signed(sums, weights, index, plus, minus, start, n, np.uint64(a))  # type: ignore[call-arg]
    add_columns(sums, weights, start, index, values, 0, min(full, count), columns)
    add_columns(sums, weights, start, index, values, full, count, np.uint64(0))


@inlined
def sum_rows(sums, weights, base, values, low, high):  # type: ignore[no-untyped-def]
    """`sums[i] = Σ_k weights[base + i·n + k] · values[k]` for every row, if no partial sum exceeds 32 bits."""
    n = np.uint64(values.shape[0])
    for i in range(sums.shape[0]):
        row = weights[base + i * values.shape[0] : base + (i + 1) * values.shape[0]]
        found = np.int32(0)
        for k in range(n):
            found = add32(found, mul32(np.int32(row[k]), np.int32(values[k])))
        sums[i] = found


@inlined
def halve(values, low, high):  # type: ignore[no-untyped-def]
    """Write `values` of up to ±254 as `low + high`, bytes, in the order of `byte_sums`; returns the largest size."""
    n, block, largest = np.uint64(values.shape[0]), np.uint64(BLOCK), np.int32(0)
    for k in range(n):
        v = np.int32(values[k])
        largest = max(largest, abs(v))
        near = saturate(v, np.int32(-127), np.int32(127))
        low[k], high[k] = near, v - near
    whole = n - n % block
    for t in range(block):
        column = n - block + t
        low[n + t] = low[column] if column >= whole else np.int8(0)
        high[n + t] = high[column] if column >= whole else np.int8(0)
    return largest


@inlined
def sum_rows_of_bytes(sums, weights, base, values, low, high):  # type: ignore[no-untyped-def]
    """As `sum_rows` with the 8-bit dot product, four rows at once, from the last to the first.

    What was read before was mostly read from the first to the last: so the end of it is still in the nearest cache.
    """
    n, start, rows = np.uint64(values.shape[0]), np.uint64(base), np.uint64(sums.shape[0])
    group, whole, largest, excess = np.uint64(AT_ONCE), np.uint64(0), np.int64(0), np.int64(0)
    if n >= np.uint64(BLOCK):
        largest = halve(values, low, high)
    if 0 < largest <= 254:
        whole = rows - rows % group
        for k in range(n):
            excess += np.int64(values[k]) << 7
        for i in range(np.uint64(0), whole, group):
            first = whole - group - i
            if largest <= 127:
                sum_four(sums, weights, low, start, n, first, np.int32(excess))  # type: ignore[call-arg]
            else:
                sum_four_wide(sums, weights, low, high, start, n, first, np.int32(excess))  # type: ignore[call-arg]
    for i in range(whole, rows):
        found = np.int32(0)
        for k in range(n):
            found = add32(found, mul32(np.int32(weights[start + i * n + k]), np.int32(values[k])))
        sums[i] = found


def _bytes(weights, values):  # type: ignore[no-untyped-def]
    """Whether the processor has a dot product for these types."""
    return bool(WIDTHS) and weights.dtype == int8 and values.dtype in (int8, uint8)


def _listed_added(sums, weights, base, index, values, plus, minus, count):  # type: ignore[no-untyped-def]
    raise NotImplementedError("placeholder for the overload below")


@overload(_listed_added, inline="always")
def _choose_rows(sums, weights, base, index, values, plus, minus, count):  # type: ignore[no-untyped-def]
    """Chooses the fastest implementation for these types on this processor."""
    chosen = add_listed_bytes if _bytes(weights, plus) else add_listed

    def add(sums, weights, base, index, values, plus, minus, count):  # type: ignore[no-untyped-def]
        chosen(sums, weights, base, index, values, plus, minus, count)

    return add


def _rows_summed(sums, weights, base, values, low, high):  # type: ignore[no-untyped-def]
    raise NotImplementedError("placeholder for the overload below")


@overload(_rows_summed, inline="always")
def _choose_sums(sums, weights, base, values, low, high):  # type: ignore[no-untyped-def]
    """Chooses the fastest implementation for these types on this processor."""
    chosen = sum_rows_of_bytes if _bytes(weights, low) else sum_rows

    def add(sums, weights, base, values, low, high):  # type: ignore[no-untyped-def]
        chosen(sums, weights, base, values, low, high)

    return add


@kernel
def add_signed_rows(sums, weights, base, signals, work, peak, reach, limit):  # type: ignore[no-untyped-def]
    """`sums[j] += Σ_i signals[i] · w_ij` for the signals that are not 0, saturating to `-limit - 1 … limit`.

    `work` has lists `signed`, `signed_values` and the scratch `plus`, `minus`; |weight| is at most `peak` and |sums| at
    most `reach`. Returns how many signals are not 0 and how many additions saturated.
    """
    n, total = sums.shape[0], np.int64(0)
    for i in range(signals.shape[0]):
        total += abs(np.int64(signals[i]))
    count = list_nonzero(signals, signals.shape[0], work.signed)
    for a in range(np.uint64(count)):
        work.signed_values[a] = signals[np.uint64(work.signed[a])]
    if reach + total * peak <= limit:
        _listed_added(sums, weights, base, work.signed, work.signed_values, work.plus, work.minus, count)
        return count, 0
    hits = 0
    for a in range(count):
        start, v = base + np.int64(work.signed[a]) * n, np.int64(work.signed_values[a])
        row = weights[start : start + n]
        for j in range(n):
            wide = np.int64(sums[j]) + v * np.int64(row[j])
            kept = saturate(wide, -limit - 1, limit)
            hits += kept != wide
            sums[j] = kept
    return count, hits


@kernel
def sum_along_rows(sums, weights, base, values, work, peak, limit):  # type: ignore[no-untyped-def]
    """`sums[i] = Σ_k w_ik · values[k]` for every row i, saturating as above. Returns how many additions saturated."""
    n = values.shape[0]
    total = np.int64(0)
    for k in range(n):
        total += abs(np.int64(values[k]))
    if total * peak <= limit:
        _rows_summed(sums, weights, base, values, work.low, work.high)
        return 0
    hits = 0
    for i in range(sums.shape[0]):
        found64 = np.int64(0)
        for k in range(n):
            wide = found64 + np.int64(weights[base + i * n + k]) * np.int64(values[k])
            found64 = saturate(wide, -limit - 1, limit)
            hits += found64 != wide
        sums[i] = found64
    return hits
