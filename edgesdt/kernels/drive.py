"""Synaptic drive: drop and list the inputs, and multiply-accumulate weighted events into the accumulators.

`accumulator_j += value_i * w_ij` for events i in ascending order, saturating after every addition. Where a bound shows
that no partial sum can leave the accumulator, the additions commute and are done many rows at a time.
"""

from __future__ import annotations

import numpy as np
from numba.core.types import int8, int32, uint8
from numba.extending import overload

from edgesdt.kernels.arithmetic import saturate
from edgesdt.kernels.byte_rows import ROWS, WIDTHS, add_sixteen
from edgesdt.kernels.jit import inlined, kernel
from edgesdt.kernels.listing import list_nonzero
from edgesdt.kernels.random_bank import draw, steps_for


@inlined
def add_rows_in_eights(accumulators, weights, base, index, value, count):  # type: ignore[no-untyped-def]
    """`add_rows` on any processor, for any types.

    Eight rows a pass keep the accumulator in a register; uint8 values let the compiler use 16-bit multiply-adds, and
    unsigned places spare it the check for negative ones.
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
    """The events `first … count - 1` of `add_rows` on the columns from `column` on, one row at a time."""
    n = np.uint64(accumulators.shape[0])
    for a in range(first, count):
        p0 = np.uint64(base) + np.uint64(index[a]) * n
        v0 = value[a]
        for j in range(column, n):
            accumulators[j] += v0 * weights[p0 + j]


@inlined
def add_rows_in_sixteens(accumulators, weights, base, index, value, count):  # type: ignore[no-untyped-def]
    """`add_rows` by the 8-bit dot product; a last incomplete pass is filled up with values of 0 if there is room."""
    n, start, columns = np.uint64(accumulators.shape[0]), np.uint64(base), np.uint64(0)
    room = index.shape[0] // ROWS * ROWS
    full = min((count + ROWS - 1) // ROWS * ROWS, room)
    for a in range(count, full):
        index[a], value[a] = 0, 0
    for a in range(0, full, ROWS):
        columns = add_sixteen(accumulators, weights, index, value, start, n, np.uint64(a))  # type: ignore[call-arg]
    add_columns(accumulators, weights, start, index, value, 0, min(full, count), columns)
    add_columns(accumulators, weights, start, index, value, full, count, np.uint64(0))


def _rows_added(accumulators, weights, base, index, value, count):  # type: ignore[no-untyped-def]
    raise NotImplementedError("stands for the overload below")


@overload(_rows_added, inline="always")
def _choose(accumulators, weights, base, index, value, count):  # type: ignore[no-untyped-def]
    """The quickest way for these types on this processor."""
    bytes_only = (accumulators.dtype, weights.dtype, index.dtype, value.dtype) == (int32, int8, int32, uint8)
    chosen = add_rows_in_sixteens if WIDTHS and bytes_only else add_rows_in_eights

    def add(accumulators, weights, base, index, value, count):  # type: ignore[no-untyped-def]
        chosen(accumulators, weights, base, index, value, count)

    return add


@kernel
def add_rows(accumulators, weights, base, index, value, count):  # type: ignore[no-untyped-def]
    """`accumulators[j] += sum_a value[a] * weights[base + index[a] * n + j]`, no partial sum leaving 32 bits.

    What lies in `index` and `value` behind `count` may be overwritten.
    """
    _rows_added(accumulators, weights, base, index, value, count)


@kernel
def add_rows_saturating(accumulators, weights, base, index, value, count, limit):  # type: ignore[no-untyped-def]
    """As `add_rows`, saturating to `-limit - 1 … limit` after each row; returns how many additions saturated."""
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
def accumulate(accumulators, weights, base, index, value, count, peak, reach, limit):  # type: ignore[no-untyped-def]
    """Add weighted events to one layer's accumulators, by the fast kernel where nothing can saturate.

    `peak` bounds |weight|; `reach` (1,) bounds |accumulator| and is kept up to date. Returns the saturated additions.
    """
    total = np.int64(0)
    for a in range(count):
        total += abs(np.int64(value[a]))
    if reach[0] + total * peak > limit:
        largest = np.int64(0)
        for j in range(accumulators.shape[0]):
            largest = max(largest, abs(np.int64(accumulators[j])))
        reach[0] = largest
    reach[0] += total * peak
    if reach[0] <= limit:
        add_rows(accumulators, weights, base, index, value, count)
        return 0
    reach[0] = limit + 1
    return add_rows_saturating(accumulators, weights, base, index, value, count, limit)


@kernel
def drop(kept, probability, bank, words, octets):  # type: ignore[no-untyped-def]
    """Zero each entry of `kept` (uint8) whose random byte is below `probability` (of 256). Returns the bank steps."""
    n = kept.shape[0]
    steps = steps_for(n, 4 * bank.shape[0])
    draw(bank, words, steps)
    bound = np.uint8(probability)
    for i in range(n):
        kept[i] = kept[i] if octets[i] >= bound else 0
    return steps


@kernel
def list_inputs(inputs, index, value):  # type: ignore[no-untyped-def]
    """Write the non-zero inputs, ascending, to `index` and `value`; returns how many there are."""
    count = list_nonzero(inputs, inputs.shape[0], index)
    for a in range(np.uint64(count)):
        value[a] = inputs[np.uint64(index[a])]
    return count


@kernel
def present(inputs, keep, x):  # type: ignore[no-untyped-def]
    """Clamp sample `x` to the input with nothing dropped."""
    for i in range(inputs.shape[0]):
        inputs[i] = x[i]
    for j in range(keep.shape[0]):
        keep[j] = 1


@kernel
def rest(states, accumulators, biases, bias_left, limit):  # type: ignore[no-untyped-def]
    """Start of a sample: every state 0, every accumulator its bias, aligned and saturated to `-limit - 1 … limit`."""
    for j in range(states.shape[0]):
        states[j] = 0
        accumulators[j] = 0
    for j in range(biases.shape[0]):
        accumulators[j] = saturate(np.int64(biases[j]) << bias_left, -limit - 1, limit)
