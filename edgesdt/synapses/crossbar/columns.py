"""A neuron's column as a whole: its cells read one after the other, and the pulses of all of them listed.

A cell is read alone as write-verify reads it, at the same price (`VERIFY_READS`): without noise, and no wire takes
anything from it. What the chip then has is a code of the converter.
"""

from __future__ import annotations

import numpy as np

from edgesdt.kernels.jit import inlined, kernel
from edgesdt.synapses.crossbar.layout import CELL_WRITES, SWEPT, VERIFY_READS, VERIFY_SHARE
from edgesdt.synapses.crossbar.writing.updates import append_pulses


@inlined
def _read(share, coarse):  # type: ignore[no-untyped-def]
    """A share code as a converter tells it, without its last `coarse` bits; to nearest."""
    return ((share + ((np.int64(1) << coarse) >> 1)) >> coarse) << coarse


@kernel
def read_alone(post, coarse, column, bank):  # type: ignore[no-untyped-def]
    """Fill `column` (n_l,) with the weight codes of neuron `post`, each cell read alone."""
    rows, plane = column.shape[0], bank.shares.shape[0] // bank.planes
    first, total = post * rows, np.int64(0)
    for i in range(rows):
        share = np.int64(bank.shares[first + i])
        total += share
        code = _read(share, coarse)
        if bank.planes == 2:
            other = np.int64(bank.shares[plane + first + i])
            total += other
            column[i] = code - _read(other, coarse)
        else:
            column[i] = code - bank.reference
    bank.tally[VERIFY_READS] += rows * bank.planes
    bank.tally[VERIFY_SHARE] += total


@kernel
def list_column_pulses(weights, post, plan, layer, work, bank, listed):  # type: ignore[no-untyped-def]
    """Append the pulses `work.deltas` of neuron `post` to the `listed` cells; returns how many there are then."""
    rows = plan.sizes[layer]
    for i in range(rows):
        work.pres[i] = i
    end = append_pulses(weights, post, rows, plan.sizes[layer + 1], rows, work, bank, listed)
    bank.tally[CELL_WRITES] += end - listed
    bank.tally[SWEPT] += 1
    return end
