"""Synaptic drive: drops and lists the inputs, and adds weighted events to the accumulators.

`accumulator_j += value_i * w_ij` for events i in ascending order, saturating after every addition. If a bound shows
that no partial sum can overflow the accumulator, the additions commute and many rows are added at a time.
"""

from __future__ import annotations

import numpy as np
from numba.core.types import int8, int16, int32, uint8
from numba.extending import overload

from edgesdt.kernels.arithmetic import saturate
from edgesdt.kernels.bytes.rows import ROWS, WIDTHS, add_sixteen
from edgesdt.kernels.jit import inlined, kernel
from edgesdt.kernels.listing import list_nonzero
from edgesdt.kernels.pairs import COLUMNS, MOST, add_pairs
from edgesdt.kernels.pairs import ROWS as ROWS_OF_PAIRS
from edgesdt.kernels.random_bank import draw, steps_for


@inlined
def add_rows_in_eights(accumulators, weights, base, index, value, count):  # type: ignore[no-untyped-def]
    """`add_rows` for any processor and any types.

    With eight rows per pass the accumulator stays in a register. With uint8 values the compiler uses 16-bit
    multiply-adds, and with unsigned indices it needs no check for negative ones.
    """
    n = np.uint64(accumulators.shape[0])
    start = np.uint64(base)
    a = 0
    while a + 8 <= count:
        p0 = start + np.uint64(index[a]) * n
        p1 = start + np.uint64(index[a + 1]) * n
        p2 = start + np.uint64(index[a + 2]) * n
        p3 = start + np.uint64(index[a + 3]) * n
        p4 = start + np.uint64(index[a + 4]) * n
        p5 = start + np.uint64(index[a + 5]) * n
        p6 = start + np.uint64(index[a + 6]) * n
        p7 = start + np.uint64(index[a + 7]) * n
        v0, v1, v2, v3 = value[a], value[a + 1], value[a + 2], value[a + 3]
        v4, v5, v6, v7 = value[a + 4], value[a + 5], value[a + 6], value[a + 7]
        for j in range(n):
            low = (v0 * weights[p0 + j] + v1 * weights[p1 + j]) + (v2 * weights[p2 + j] + v3 * weights[p3 + j])
            high = (v4 * weights[p4 + j] + v5 * weights[p5 + j]) + (v6 * weights[p6 + j] + v7 * weights[p7 + j])
            accumulators[j] += low + high
        a += 8
    add_columns(accumulators, weights, start, index, value, a, count, np.uint64(0))


@inlined
def add_columns(accumulators, weights, base, index, value, first, count, column):  # type: ignore[no-untyped-def]
    """Adds the events `first … count - 1` of `add_rows` to the columns from `column` on, one row at a time."""
    n = np.uint64(accumulators.shape[0])
    for a in range(first, count):
        p0 = np.uint64(base) + np.uint64(index[a]) * n
        v0 = value[a]
        for j in range(column, n):
            accumulators[j] += v0 * weights[p0 + j]


@inlined
def add_rows_in_sixteens(accumulators, weights, base, index, value, count):  # type: ignore[no-untyped-def]
    """`add_rows` with the 8-bit dot product; an incomplete last pass is padded with values of 0 if there is room."""
    n, start, columns = np.uint64(accumulators.shape[0]), np.uint64(base), np.uint64(0)
    room = index.shape[0] // ROWS * ROWS
    full = min((count + ROWS - 1) // ROWS * ROWS, room)
    for a in range(count, full):
        index[a], value[a] = 0, 0
    for a in range(0, full, ROWS):
        columns = add_sixteen(accumulators, weights, index, value, start, n, np.uint64(a))  # type: ignore[call-arg]
    add_columns(accumulators, weights, start, index, value, 0, min(full, count), columns)
    add_columns(accumulators, weights, start, index, value, full, count, np.uint64(0))


@inlined
def add_rows_in_pairs(accumulators, weights, base, index, value, count):  # type: ignore[no-untyped-def]
    """`add_rows` with 16-bit multiply-adds of two rows; one row at a time for a narrow row or a wide value."""
    n, start, largest = np.uint64(accumulators.shape[0]), np.uint64(base), np.int32(0)
    for a in range(np.uint64(count)):
        largest = max(largest, abs(value[a]))
    if n >= np.uint64(COLUMNS) and largest <= MOST:
        for a in range(np.uint64(0), np.uint64(count), np.uint64(ROWS_OF_PAIRS)):
            add_pairs(accumulators, weights, index, value, start, n, a, np.uint64(count))  # type: ignore[call-arg]
    else:
        add_columns(accumulators, weights, start, index, value, 0, count, np.uint64(0))


def _rows_added(accumulators, weights, base, index, value, count):  # type: ignore[no-untyped-def]
    raise NotImplementedError("placeholder for the overload below")


@overload(_rows_added, inline="always")
def _choose(accumulators, weights, base, index, value, count):  # type: ignore[no-untyped-def]
    """Chooses the fastest implementation for these types on this processor."""
    signed = (accumulators.dtype, index.dtype, value.dtype) == (int32, int32, int32)
    chosen = add_rows_in_eights
    if COLUMNS and signed and weights.dtype in (int8, int16):
        chosen = add_rows_in_pairs
    if WIDTHS and (accumulators.dtype, weights.dtype, index.dtype, value.dtype) == (int32, int8, int32, uint8):
        chosen = add_rows_in_sixteens

    def add(accumulators, weights, base, index, value, count):  # type: ignore[no-untyped-def]
        chosen(accumulators, weights, base, index, value, count)

    return add


@kernel
def add_rows(accumulators, weights, base, index, value, count):  # type: ignore[no-untyped-def]
    """`accumulators[j] += sum_a value[a] * weights[base + index[a] * n + j]`, if no partial sum exceeds 32 bits.

    Entries of `index` and `value` after `count` may be overwritten.
    """
    _rows_added(accumulators, weights, base, index, value, count)


@kernel
def add_rows_saturating(accumulators, weights, base, index, value, count, limit):  # type: ignore[no-untyped-def]
    """As `add_rows`, saturating to `-limit - 1 … limit` after each row; returns the number of saturated additions."""
    n = accumulators.shape[0]
    hits = 0
    for a in range(count):
        start = base + np.int64(index[a]) * n
        row = weights[start : start + n]
        v = np.int64(value[a])
        for j in range(n):
            wide = np.int64(accumulators[j]) + v * np.int64(row[j])
            kept = saturate(wide, -limit - 1, limit)
            hits += kept != wide
            accumulators[j] = kept
    return hits


@kernel
def stays_within(accumulators, value, count, peak, reach, limit):  # type: ignore[no-untyped-def]
    """Whether no partial sum of `accumulate` can exceed `limit`.

    `peak` bounds |weight|; `reach` (1,) bounds |accumulator| and is kept up to date.
    """
    total = np.int64(0)
    for a in range(np.uint64(count)):
        total += abs(np.int64(value[a]))
    if reach[0] + total * peak > limit:
        largest = np.int64(0)
        for j in range(accumulators.shape[0]):
            largest = max(largest, abs(np.int64(accumulators[j])))
        reach[0] = largest
    reach[0] += total * peak
    if reach[0] <= limit:
        return True
    reach[0] = limit + 1
    return False


@kernel
def accumulate(accumulators, weights, base, index, value, count, peak, reach, limit):  # type: ignore[no-untyped-def]
    """Adds weighted events to one layer's accumulators, with the fast kernel if nothing can saturate.

    `peak`, `reach`: as in `stays_within`. Returns the saturated additions.
    """
    if stays_within(accumulators, value, count, peak, reach, limit):
        add_rows(accumulators, weights, base, index, value, count)
        return 0
    return add_rows_saturating(accumulators, weights, base, index, value, count, limit)


@kernel
def drop(kept, probability, bank, words, octets):  # type: ignore[no-untyped-def]
    """Sets each entry of `kept` (uint8) to 0 if its random byte is below `probability` (of 256).

    Returns the bank steps.
    """
    n = kept.shape[0]
    steps = steps_for(n, 4 * bank.shape[0])
    draw(bank, words, steps)
    bound = np.uint8(probability)
    for i in range(n):
        kept[i] = kept[i] if octets[i] >= bound else 0
    return steps


@kernel
def list_inputs(inputs, index, value):  # type: ignore[no-untyped-def]
    """Writes the non-zero inputs, ascending, to `index` and `value`; returns their number."""
    count = list_nonzero(inputs, inputs.shape[0], index)
    for a in range(np.uint64(count)):
        value[a] = inputs[np.uint64(index[a])]
    return count


@kernel
def present(inputs, keep, x):  # type: ignore[no-untyped-def]
    """Copies sample `x` to the input without drop-out."""
    for i in range(inputs.shape[0]):
        inputs[i] = x[i]
    for j in range(keep.shape[0]):
        keep[j] = 1


@kernel
def rest(states, accumulators, biases, bias_left, limit):  # type: ignore[no-untyped-def]
    """Starts a sample: states are 0, accumulators hold their bias, aligned and saturated to `-limit - 1 … limit`."""
    for j in range(states.shape[0]):
        states[j] = 0
        accumulators[j] = 0
    for j in range(biases.shape[0]):
        accumulators[j] = saturate(np.int64(biases[j]) << bias_left, -limit - 1, limit)
