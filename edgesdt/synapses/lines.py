"""Updates by listed lines: `w_ij += rows_i · columns_j`, exactly, for the rows and columns that are not 0.

What is rounded is rounded on the lines before: a row and a column take one random half-word each, where products would
take one for each weight (Gokmen & Vlasov, Front. Neurosci. 10 (2016) 333, have pulses that coincide so).
"""

from __future__ import annotations

import numpy as np

from edgesdt.kernels.arithmetic import saturate, scaled
from edgesdt.kernels.jit import kernel
from edgesdt.kernels.layout import BANK_STEPS, PAIRS, WEIGHT_SATURATIONS, WEIGHT_WRITES
from edgesdt.kernels.listing import list_nonzero
from edgesdt.kernels.random_bank import draw, steps_for


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
    weights, wear, wear_carry, plan, layer, rows, row_values, a_count, columns, column_values, b_count, weight_peak,
    events,
):  # fmt: skip
    """Add the products of `a_count` listed rows and `b_count` listed columns of weight layer `layer`, saturating.

    `wear` counts changed codes in the order of the weights; `weight_peak` stays an upper bound of |weight|.
    """
    base, n = plan.first_weight[layer], plan.widths[layer]
    lowest, highest = np.int64(-plan.weight_limit - 1), np.int64(plan.weight_limit)
    writes, hits, peak = np.int64(0), 0, np.int64(weight_peak[layer])
    for a in range(a_count):
        start, value = base + np.int64(rows[a]) * n, np.int64(row_values[a])
        for b in range(b_count):
            at = start + np.int64(columns[b])
            old = np.int64(weights[at])
            wide = old + value * np.int64(column_values[b])
            new = saturate(wide, lowest, highest)
            hits += new != wide
            peak = max(peak, abs(new))
            once = np.uint8(new != old)
            writes += np.int64(once)
            weights[at] = new
            times = np.uint8(wear[at] + once)
            wear[at] = times
            if times < once:
                wear_carry[at] += np.uint32(1)
    weight_peak[layer] = peak
    events[PAIRS, layer] += a_count * b_count
    events[WEIGHT_WRITES, layer] += writes
    events[WEIGHT_SATURATIONS, layer] += hits
