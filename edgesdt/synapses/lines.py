"""Updates by listed lines: `w_ij += rows_i · columns_j`, exactly, for the rows and columns that are not 0.

What is rounded is rounded on the lines before: a row and a column take one random half-word each, where products would
take one for each weight (Gokmen & Vlasov, Front. Neurosci. 10 (2016) 333, have pulses that coincide so).
"""

from __future__ import annotations

import numpy as np
from numba.core.types import int8
from numba.extending import overload

from edgesdt.kernels.arithmetic import add32, mul16, mul32, saturate, scaled, sub32
from edgesdt.kernels.bytes.steps import COLUMNS, add_steps
from edgesdt.kernels.jit import inlined, kernel, operation
from edgesdt.kernels.layout import BANK_STEPS, PAIRS, WEIGHT_SATURATIONS, WEIGHT_WRITES
from edgesdt.kernels.listing import list_nonzero
from edgesdt.kernels.prefetch import prefetch
from edgesdt.kernels.random_bank import draw, steps_for

CACHE_LINE = 64
AHEAD = 6
"""Rows that are asked for before they are needed: they may come from memory."""


@kernel
def draw_lines(codes, constant, limit, bank, words, halves, factors, lines, values, events):  # type: ignore[no-untyped-def]
    """Write `codes` times a register to `factors`, rounded with a half-word each, and list what is not 0; how many.

    Factors saturate to ±`limit`; half-words are taken in order on fresh steps of the bank, one for every code.
    """
    n = codes.shape[0]
    steps = steps_for(n, 2 * bank.shape[0])
    draw(bank, words, steps)
    events[BANK_STEPS, 0] += steps
    for i in range(n):
        factors[i] = saturate(scaled(np.int64(codes[i]), constant, halves[i]), -limit, limit)
    count = list_nonzero(factors, n, lines)
    for a in range(count):
        values[a] = factors[lines[a]]
    return count


@kernel
def add_lines(  # type: ignore[no-untyped-def]
    weights, wear, wear_carry, plan, layer, rows, row_values, a_count, factors, b_count, steps, weight_peak, events
):
    """Add the products of `a_count` listed rows and the `factors` (n,) of all columns to weight layer `layer`.

    `b_count` factors are not 0. `wear` counts changed codes in the order of the weights; `weight_peak` stays an upper
    bound of |weight|. Every new code saturates. A whole row is added at once, for columns at 0 change nothing. `steps`
    (3, n + COLUMNS) is scratch.
    """
    base, n = plan.first_weight[layer], plan.widths[layer]
    limit, peak = plan.weight_limit, np.int64(weight_peak[layer])
    writes = hits = largest = np.int64(0)
    for j in range(n):
        largest = max(largest, abs(np.int64(factors[j])))
    form_steps(factors[:n], np.int64(1), steps[0])
    form_steps(factors[:n], np.int64(-1), steps[1])  # most rows have a factor of 1 or -1
    for a in range(min(AHEAD, a_count)):
        fetch_row(weights, wear, base + np.int64(rows[a]) * n, n)
    for a in range(a_count):
        start, value = base + np.int64(rows[a]) * n, np.int64(row_values[a])
        if a + AHEAD < a_count:
            fetch_row(weights, wear, base + np.int64(rows[a + AHEAD]) * n, n)
        fits = abs(value) * largest <= np.int64(127)
        written, hit, reached = move_row(weights, wear, wear_carry, start, factors[:n], value, fits, steps, limit)
        writes, hits, peak = writes + written, hits + hit, max(peak, reached)
    weight_peak[layer] = peak
    events[PAIRS, layer] += a_count * b_count
    events[WEIGHT_WRITES, layer] += writes
    events[WEIGHT_SATURATIONS, layer] += hits


@inlined
def fetch_row(weights, wear, start, n):  # type: ignore[no-untyped-def]
    """Ask for the weights and counters of a row that comes soon."""
    for line in range(0, n, CACHE_LINE // weights.itemsize):
        prefetch(weights, start + line)  # type: ignore[call-arg]
    for line in range(0, n, CACHE_LINE):
        prefetch(wear, start + line)  # type: ignore[call-arg]


@inlined
def form_steps(factors, value, steps):  # type: ignore[no-untyped-def]
    """The products of `value` and the factors, in the order of `byte_steps`."""
    n, block = np.uint64(factors.shape[0]), np.uint64(COLUMNS)
    for j in range(n):
        steps[j] = mul16(np.int16(value), np.int16(factors[j]))
    if n >= block:
        whole = n - n % block
        for t in range(block):
            steps[n + t] = steps[n - block + t] if n - block + t >= whole else np.int8(0)


def move_row(weights, wear, wear_carry, start, factors, value, fits, steps, limit):  # type: ignore[no-untyped-def]
    """`weights[start + j] += value · factors[j]`, saturating: codes changed, saturations, and a bound of |code|."""
    raise NotImplementedError("compiled code only: see the overload below")


@overload(move_row, jit_options=operation)
def _move_row(weights, wear, wear_carry, start, factors, value, fits, steps, limit):  # type: ignore[no-untyped-def]
    """Chooses by the type of the weights."""
    return _move_bytes if weights.dtype == int8 else _move_words


def _move_bytes(weights, wear, wear_carry, start, factors, value, fits, steps, limit):  # type: ignore[no-untyped-def]
    """Where all products `fits` in bytes, 64 columns at a time."""
    n = factors.shape[0]
    if not fits or n < COLUMNS:
        return add_row(
            weights[start : start + n], wear[start : start + n], wear_carry[start : start + n], factors, value, limit
        )
    which = 0 if value == 1 else 1 if value == -1 else 2
    if which == 2:
        form_steps(factors, value, steps[2])
    return add_steps(  # type: ignore[call-arg]
        weights, wear, wear_carry, steps[which], np.uint64(start), np.uint64(n), np.int64(-limit - 1), np.int64(limit)
    )


def _move_words(weights, wear, wear_carry, start, factors, value, fits, steps, limit):  # type: ignore[no-untyped-def]
    n = factors.shape[0]
    return add_row(
        weights[start : start + n], wear[start : start + n], wear_carry[start : start + n], factors, value, limit
    )


@kernel
def add_row(row, worn, carry, factors, value, limit):  # type: ignore[no-untyped-def]
    """`row[j] += value · factors[j]`, saturating. Returns codes changed, saturations, and a bound of |code|."""
    lowest, highest, times = np.int32(-limit - 1), np.int32(limit), np.int32(value)
    writes, hits, peak, fullest = np.int32(0), np.int32(0), np.int32(0), np.uint8(0)
    n = np.uint64(row.shape[0])
    for j in range(n):
        fullest = max(fullest, worn[j])
    for j in range(n):
        old = np.int32(row[j])
        wide = add32(old, mul32(times, np.int32(factors[j])))
        new = min(max(wide, lowest), highest)
        once = np.int32(new != old)
        if fullest == 255:  # a counter may wrap
            carry[j] += np.uint32((once != 0) & (worn[j] == 255))
        row[j] = new
        worn[j] = np.uint8(worn[j] + np.uint8(once))
        writes = add32(writes, once)
        hits = add32(hits, np.int32(new != wide))
        peak = max(peak, max(new, sub32(np.int32(0), new)))
    return np.int64(writes), np.int64(hits), np.int64(peak)
