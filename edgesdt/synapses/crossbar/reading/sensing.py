"""Read the array: driven rows → column sums of each tile → noise → converter codes → the chip's accumulators.

The slices of a weight have columns of their own: the code of each is shifted by its place and added (`slicing`).

The sums are exact: share codes are integers. Read noise of all cells of a column is one Gaussian, whose variance is
σ²·Σ x² (additive) or σ²·Σ x²·code² (proportional): the sum of independent Gaussians, not an approximation. So is the
noise of the device model itself, whose variance depends on where the cell is (`CellModel.read_sd`).
"""

from __future__ import annotations

import numpy as np

from edgesdt.kernels.arithmetic import saturate
from edgesdt.kernels.drive import add_rows, list_inputs
from edgesdt.kernels.jit import inlined, kernel
from edgesdt.kernels.layout import ACCUMULATOR_SATURATIONS, INPUTS
from edgesdt.synapses.crossbar.layout import (
    ADDITIVE,
    CLIPPED,
    NO_NOISE,
    PROPORTIONAL,
    READ_BASE,
    READ_SHARE,
    READS,
    ROW_DRIVES,
)
from edgesdt.synapses.crossbar.reading.read_noise import add_variances
from hw_models.kernels.randomness import gaussian, low_half, word

_ONE = np.uint64(1)


@kernel
def sense(inputs, accumulators, weights, index, value, sensing, bank, events):  # type: ignore[no-untyped-def]
    """Add what the converters return for `inputs` (n_0,) to `accumulators` (n_1,), which saturate.

    `weights` (n_0 · n_1,) are the codes of the least significant slice; the others follow in `bank.upper`.
    """
    count = list_inputs(inputs, index, value)
    events[INPUTS, 0] += count
    for a in range(count):
        value[a] = sensing.dac[value[a]]
    _tally_read(index, value, count, accumulators.shape[0], bank)
    rows, drives, synapses, noises = index[:count], value[:count], weights.shape[0], bank.noise.shape[0]
    _read_slice(
        rows, drives, accumulators, weights, bank.noise, sensing.scale, sensing.left, sensing.highest,
        sensing.output_sd, sensing, bank, events,
    )  # fmt: skip
    upper = bank.upper
    for s in range(upper.scale.shape[0]):
        codes, noise = upper.codes[s * synapses : (s + 1) * synapses], upper.noise[s * noises : (s + 1) * noises]
        _read_slice(
            rows, drives, accumulators, codes, noise, upper.scale[s], upper.left[s], upper.highest[s],
            upper.output_sd[s], sensing, bank, events,
        )  # fmt: skip


@kernel
def _read_slice(index, value, accumulators, weights, noise, scale, left, highest, output_sd, sensing, bank, events):  # type: ignore[no-untyped-def]
    """Read one slice, tile by tile; its conversion is given by `scale`, `left`, `highest` and `output_sd`."""
    first, count = 0, index.shape[0]
    for tile in range(sensing.row_tiles):
        end, last = (tile + 1) * sensing.tile_rows, first
        while last < count and index[last] < end:
            last += 1
        rows, drives = index[first:last], value[first:last]
        bank.partial[:] = 0
        add_rows(bank.partial, weights, 0, rows, drives, last - first)
        power = 0.0
        for a in range(first, last):
            power += np.float64(value[a]) * np.float64(value[a])
        if sensing.read_noise == PROPORTIONAL:
            _add_squares(weights, rows, drives, bank.squares)
        if sensing.own_noise:
            add_variances(rows, drives, noise, bank.variances)
        if output_sd > 0.0 or sensing.read_noise != NO_NOISE or sensing.own_noise:
            _convert_noisy(bank.partial, accumulators, power, scale, left, highest, output_sd, sensing, bank, events)
        else:
            _convert(bank.partial, accumulators, scale, left, highest, sensing.limit, bank.tally, events)
        first = last


@kernel
def _tally_read(index, value, count, columns, bank):  # type: ignore[no-untyped-def]
    """Count the read: V² of the driven rows, alone and times the conductance of their rows in all slices."""
    squares, weighted, driven = np.int64(0), np.int64(0), np.int64(0)
    rows, slices = bank.row_sums.shape[0], 1 + bank.upper.scale.shape[0]
    for a in range(count):
        square = np.int64(value[a]) * np.int64(value[a])
        squares += square
        weighted += square * bank.row_sums[index[a]]
        for s in range(slices - 1):
            weighted += square * bank.upper.row_sums[s * rows + index[a]]
        driven += square != 0  # a coarse converter leaves the smallest codes at rest
    bank.tally[READS] += 1
    bank.tally[ROW_DRIVES] += driven
    bank.tally[READ_BASE] += squares * columns * bank.planes * slices
    bank.tally[READ_SHARE] += weighted


@kernel
def _add_squares(weights, index, value, squares):  # type: ignore[no-untyped-def]
    """`squares[j] = Σ_a (value[a]·weights[index[a], j])²`, added in the order of `a`.

    Eight rows a pass keep the sum in a register; every addition stays where it is in the order.
    """
    n, count, a = np.uint64(squares.shape[0]), index.shape[0], 0
    squares[:] = 0.0
    while a + 8 <= count:
        p0, p1 = np.uint64(index[a]) * n, np.uint64(index[a + 1]) * n
        p2, p3 = np.uint64(index[a + 2]) * n, np.uint64(index[a + 3]) * n
        p4, p5 = np.uint64(index[a + 4]) * n, np.uint64(index[a + 5]) * n
        p6, p7 = np.uint64(index[a + 6]) * n, np.uint64(index[a + 7]) * n
        v0, v1, v2, v3 = value[a], value[a + 1], value[a + 2], value[a + 3]
        v4, v5, v6, v7 = value[a + 4], value[a + 5], value[a + 6], value[a + 7]
        for j in range(n):
            total = squares[j]
            total += _square(v0, weights[p0 + j])
            total += _square(v1, weights[p1 + j])
            total += _square(v2, weights[p2 + j])
            total += _square(v3, weights[p3 + j])
            total += _square(v4, weights[p4 + j])
            total += _square(v5, weights[p5 + j])
            total += _square(v6, weights[p6 + j])
            total += _square(v7, weights[p7 + j])
            squares[j] = total
        a += 8
    for b in range(a, count):
        start, v = np.uint64(index[b]) * n, value[b]
        for j in range(n):
            squares[j] += _square(v, weights[start + j])


@inlined
def _square(value, weight):  # type: ignore[no-untyped-def]
    """`(value·weight)²` of 8 by 16 bits: both factors and the product are exact in 32 bits, the square in float64."""
    part = np.float64(np.int32(value) * np.int32(weight))
    return part * part


@inlined
def _add(accumulators, j, addend, limit):  # type: ignore[no-untyped-def]
    """One addition, saturated to `-limit - 1 … limit`; returns whether it was."""
    wide = np.int64(accumulators[j]) + addend
    kept = saturate(wide, -limit - 1, limit)
    accumulators[j] = kept
    return kept != wide


@kernel
def _convert(sums, accumulators, scale, left, highest, limit, tally, events):  # type: ignore[no-untyped-def]
    """Round each sum to converter steps, clip it, and add it to the accumulator."""
    low, high = np.float64(-highest - 1), np.float64(highest)
    clipped, hits = np.int64(0), np.int64(0)
    for j in range(sums.shape[0]):
        wide = np.floor(np.float64(sums[j]) * scale + 0.5)
        code = min(max(wide, low), high)
        clipped += code != wide
        hits += _add(accumulators, j, np.int64(code) << left, limit)
    tally[CLIPPED] += clipped
    events[ACCUMULATOR_SATURATIONS, 1] += hits


@kernel
def _convert_noisy(sums, accumulators, power, scale, left, highest, output_sd, sensing, bank, events):  # type: ignore[no-untyped-def]
    """As `_convert`, with the read noise of the tile's cells and that of the converter."""
    low, high = np.float64(-highest - 1), np.float64(highest)
    clipped, hits = np.int64(0), np.int64(0)
    key, counter = bank.reading[0], bank.reading[1]
    output = output_sd * output_sd
    cells, own = (sensing.read_sd * scale) ** 2, scale * scale
    for j in range(sums.shape[0]):
        variance = output
        if sensing.read_noise == ADDITIVE:
            variance += cells * power
        elif sensing.read_noise == PROPORTIONAL:
            variance += cells * bank.squares[j]
        if sensing.own_noise:
            variance += own * bank.variances[j]
        noise = np.sqrt(variance) * gaussian(low_half(word(key, counter)))
        counter += _ONE
        wide = np.floor(np.float64(sums[j]) * scale + noise + 0.5)
        code = min(max(wide, low), high)
        clipped += code != wide
        hits += _add(accumulators, j, np.int64(code) << left, sensing.limit)
    bank.reading[1] = counter
    bank.tally[CLIPPED] += clipped
    events[ACCUMULATOR_SATURATIONS, 1] += hits
