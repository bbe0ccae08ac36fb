"""Carry what has piled up in a slice to the next one, every so many samples (periodic carry).

Agarwal et al., Symp. VLSI Technology 2017: weights in several cells by place, pulses to the least significant ones, and
now and then all are read and what is too large for a digit is carried. Here, from the least significant slice up, with
`d` the digits, R their reach, U = R/2 and B = 2^bits_per_cell, all in share codes:

    c = trunc(d_s / U);  d_{s+1} is written to d_{s+1} + c U / B;  d_s to d_s - B (what d_{s+1} has moved by)

so that a digit ends within U of 0 and the weight stays what it was up to what the lower cells show, even where upper
ones miss. Both are writes with verification, whatever updates are: a write of B times the weight must not go astray.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import numpy.typing as npt

from edgesdt.synapses.crossbar import layout
from edgesdt.synapses.crossbar.crossbar import Crossbar
from edgesdt.synapses.crossbar.slices import Slice, reach_of, states_at
from edgesdt.synapses.crossbar.writing.model_pulses import apply_pulses

# Entries of the tally of carries.
LOOKED = 0  # digits that were looked at
CARRIED = 1
CROWDED = 2  # those among the carried that were nearly at the end of their reach: what came after may be lost
TALLIES = 3
_NEARLY = 0.95
"""Share of the reach from which on a digit is crowded."""

Ints = npt.NDArray[np.int64]


def carry(crossbar: Crossbar, codes: npt.NDArray[np.integer], tally: list[int]) -> None:
    """Carry once, all slices; `codes` (n_0 · n_1,) are those of the least significant one. Counts into `tally`."""
    slices = crossbar.slices(codes)
    for lower, upper in pairwise(slices):
        _carry_between(crossbar, lower, upper, tally)


def _carry_between(crossbar: Crossbar, lower: Slice, upper: Slice, tally: list[int]) -> None:
    bank, base = lower.bank, 1 << crossbar.mapping.bits_per_cell
    reach = reach_of(bank)
    unit = reach // 2
    bank.tally[layout.VERIFY_READS] += len(bank.shares)
    bank.tally[layout.VERIFY_SHARE] += int(bank.shares.sum(dtype=np.int64))
    low, high = lower.codes.astype(np.int64), upper.codes.astype(np.int64)
    whole = np.sign(low) * (np.abs(low) // unit)
    aims = np.clip(high + whole * (unit / base), -reach, reach)
    spots = np.flatnonzero((whole != 0) & (np.abs(aims - high) >= unit / (2 * base)))  # the last slice may be full
    tally[LOOKED] += len(low)
    tally[CARRIED] += len(spots)
    tally[CROWDED] += int((np.abs(low[spots]) >= _NEARLY * reach).sum())
    if len(spots) == 0:
        return
    listed = _write(crossbar, upper, spots, aims[spots])
    seen = upper.bank.shares[listed]  # the last look at them
    bank.tally[layout.VERIFY_READS] += len(seen)
    bank.tally[layout.VERIFY_SHARE] += int(seen.sum(dtype=np.int64))
    moved = upper.codes[spots].astype(np.int64) - high[spots]
    _write(crossbar, lower, spots, np.clip(low[spots] - base * moved, -reach, reach).astype(np.float64))


def _write(crossbar: Crossbar, target: Slice, spots: Ints, digits: npt.NDArray[np.float64]) -> Ints:
    """Write `digits` to the weights at `spots`, neuron by neuron, + cells before - cells; returns the cells."""
    bank, (n0, n1) = target.bank, crossbar.spec.chip.layers
    rows, posts = spots // n1, spots % n1
    states = states_at(bank, digits)
    planes = np.repeat(np.arange(bank.planes), len(spots))
    rows, posts, spots = (np.tile(each, bank.planes) for each in (rows, posts, spots))
    order = np.lexsort((rows, planes, posts))
    cells = (planes * (n0 * n1) + posts * n0 + rows)[order]
    count = len(order)
    bank.places[:count], bank.rows[:count], bank.spots[:count] = cells, rows[order], spots[order]
    bank.wanted[:count] = states.ravel()[order]
    apply_pulses(crossbar, target, count, verified=True)
    return cells
