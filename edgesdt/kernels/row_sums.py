"""Sums along the rows of a weight memory, and sums of rows times signed values: both read the memory row by row.

Each saturates after every addition, in ascending order. Where a bound shows that no partial sum can leave the
accumulator, the additions commute and are done many at a time.
"""

from __future__ import annotations

import numpy as np

from edgesdt.kernels.arithmetic import add32, mul32, saturate, sub32
from edgesdt.kernels.drive import add_rows
from edgesdt.kernels.jit import kernel


@kernel
def split_signs(signals, above, above_values, below, below_values):  # type: ignore[no-untyped-def]
    """List the `signals` above 0 and those below 0, ascending: places and magnitudes. Returns how many of each."""
    p, q = np.int64(0), np.int64(0)
    for i in range(signals.shape[0]):
        v = np.int32(signals[i])
        above[p], above_values[p] = i, v
        below[q], below_values[q] = i, -v
        p += np.int64(v > 0)
        q += np.int64(v < 0)
    return p, q


@kernel
def add_signed_rows(sums, weights, base, signals, work, peak, reach, limit):  # type: ignore[no-untyped-def]
    """`sums[j] += Σ_i signals[i] · w_ij` for the signals that are not 0, saturating to `-limit - 1 … limit`.

    `work` has lists `above`, `above_values`, `below`, `below_values` and the scratch `minus`; |weight| is at most
    `peak` and |sums| at most `reach`. Returns how many signals are not 0 and how many additions saturated.
    """
    n = sums.shape[0]
    p, q = split_signs(signals, work.above, work.above_values, work.below, work.below_values)
    total = np.int64(0)
    for i in range(signals.shape[0]):
        total += abs(np.int64(signals[i]))
    if reach + total * peak <= limit:
        add_rows(sums, weights, base, work.above, work.above_values, p)
        minus = work.minus[:n]
        for j in range(n):
            minus[j] = 0
        add_rows(minus, weights, base, work.below, work.below_values, q)
        for j in range(n):
            sums[j] = sub32(sums[j], minus[j])
        return p + q, 0
    hits = 0
    for i in range(signals.shape[0]):
        v = np.int64(signals[i])
        if v != 0:
            row = weights[base + i * n : base + (i + 1) * n]
            for j in range(n):
                wide = np.int64(sums[j]) + v * np.int64(row[j])
                kept = saturate(wide, -limit - 1, limit)
                hits += kept != wide
                sums[j] = kept
    return p + q, hits


@kernel
def sum_along_rows(sums, weights, base, values, peak, limit):  # type: ignore[no-untyped-def]
    """`sums[i] = Σ_k w_ik · values[k]` for every row i, saturating as above. Returns how many additions saturated."""
    n = values.shape[0]
    total = np.int64(0)
    for k in range(n):
        total += abs(np.int64(values[k]))
    if total * peak <= limit:
        for i in range(sums.shape[0]):
            row = weights[base + i * n : base + (i + 1) * n]
            found = np.int32(0)
            for k in range(np.uint64(n)):
                found = add32(found, mul32(np.int32(row[k]), np.int32(values[k])))
            sums[i] = found
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
