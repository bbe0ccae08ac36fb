"""Read an array between two layers of neurons, by changes of their states and in both directions.

What drives its lines are changes since the last read, those up and those down in reads of their own. Changes wider than
a line's converter are driven digit by digit, and every read is raised by a power of two so that its largest digit uses
the converter's highest bit: a code counts as many halves less. So a small change is told as finely as a large one.
Read forward, the rows are driven and the columns converted; read back, the other way round.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from edgesdt.kernels.arithmetic import saturate
from edgesdt.kernels.drive import add_rows
from edgesdt.kernels.jit import kernel
from edgesdt.kernels.layout import ACCUMULATOR_SATURATIONS
from edgesdt.spec import Spec
from edgesdt.synapses.crossbar.layout import (
    ADDITIVE,
    CLIPPED,
    NO_NOISE,
    PROPORTIONAL,
    READ_BASE,
    READ_SHARE,
    READS,
    ROW_DRIVES,
    TALLIES,
)
from edgesdt.synapses.crossbar.scales import mapping_of, share_bits
from hw_models.kernels.randomness import gaussian, low_half, word

_ONE = np.uint64(1)


class TwoWay(NamedTuple):
    """What reading an array in both directions needs beside its `Sensing` and `Bank`."""

    width: int  # bits of a line's converter
    state_bits: int  # fractional bits of a change
    columns: int  # of a tile, as weights
    scale: float  # from (share code LSB · drive LSB) to converter steps
    left: int  # shift from converter step to accumulator LSB, of a read that is not raised
    highest: int  # largest converter code; the lowest is -highest - 1
    output_sd: float  # noise at the converter, in steps
    lines: npt.NDArray[np.int32]  # (larger n,) driven lines
    drives: npt.NDArray[np.int32]  # (larger n,) their codes
    sums: npt.NDArray[np.int64]  # (larger n,) of one tile
    variances: npt.NDArray[np.float64]  # (larger n,) Σ v² · what one weight's cells vary, of one tile
    column_sums: npt.NDArray[np.int64]  # (n_{l+1},) sums of the share codes of a column, of both planes
    tally: npt.NDArray[np.int64]  # (TALLIES,) of the reads back; those forward are in `Bank.tally`


def two_way(spec: Spec, accumulator_frac: int) -> TwoWay:
    """For the one weight layer of `spec` (`spec.layers.alone`), which lies between two layers of neurons."""
    array, off, mapping = spec.device.array, spec.device.off, mapping_of(spec)
    n0, n1 = spec.chip.layers
    larger, converts = max(n0, n1), "adc" not in off
    own = array.adc_bits - 1 - round(math.log2(array.adc_range))
    frac = own if converts else accumulator_frac
    lsb = float(mapping.digit_weights[0]) / (1 << share_bits(spec)) / 2.0**array.dac_bits
    return TwoWay(
        width=array.dac_bits,
        state_bits=spec.chip.states.bits,
        columns=max(array.tile_columns // mapping.planes, 1),
        scale=lsb * 2.0**frac,
        left=accumulator_frac - frac,
        highest=(1 << (array.adc_bits - 1)) - 1 if converts else (1 << 62) - 1,
        output_sd=0.0 if "output_noise" in off else array.output_noise * 2.0 ** (frac - own),
        lines=np.zeros(larger, np.int32),
        drives=np.zeros(larger, np.int32),
        sums=np.zeros(larger, np.int64),
        variances=np.zeros(larger),
        column_sums=np.zeros(n1, np.int64),
        tally=np.zeros(TALLIES, np.int64),
    )


@kernel
def digits_of(index, change, sign, place, two):  # type: ignore[no-untyped-def]
    """List the lines whose change has `sign` and a digit at bit `place` other than 0; returns how many, and raises.

    The digits are shifted left as far as the largest of them stays within the converter. Returns (lines, shift).
    """
    mask, count, largest = (1 << two.width) - 1, 0, np.int64(0)
    for a in range(index.shape[0]):
        digit = (max(np.int64(change[a]) * sign, 0) >> place) & mask
        if digit != 0:
            two.lines[count], two.drives[count] = index[a], digit
            largest = max(largest, digit)
            count += 1
    shift = 0
    if count == 0:
        return count, shift
    while largest << (shift + 1) <= mask:
        shift += 1
    for a in range(count):
        two.drives[a] <<= shift
    return count, shift


@kernel
def read_changes(index, change, codes, forward, finer, accumulators, towards, sensing, bank, two, events):  # type: ignore[no-untyped-def]
    """Add to `accumulators` of layer `towards` what the array makes of the listed changes of the lines at one side.

    `codes` are weight codes, one driven line after the other; lines are listed in ascending order. A product is worth
    `2^finer` of those of changes of states.
    """
    widest = np.int64(0)
    for a in range(index.shape[0]):
        widest = max(widest, abs(np.int64(change[a])))
    for side in range(2):
        sign = np.int64(1 - 2 * side)
        place = 0
        while widest >> place > 0:
            count, shift = digits_of(index, change, sign, place, two)
            if count > 0:
                raised = shift - two.width - place + two.state_bits - finer
                _tally(two.lines[:count], two.drives[:count], forward, bank, two)
                _read(codes, count, forward, sign, raised, accumulators, towards, sensing, bank, two, events)
            place += two.width


@kernel
def _tally(lines, drives, forward, bank, two):  # type: ignore[no-untyped-def]
    """Count one read: V² of the driven lines, alone and times the conductance of their cells."""
    squares, weighted = np.int64(0), np.int64(0)
    for a in range(lines.shape[0]):
        square = np.int64(drives[a]) * np.int64(drives[a])
        squares += square
        weighted += square * (bank.row_sums[lines[a]] if forward else two.column_sums[lines[a]])
    tally = bank.tally if forward else two.tally
    across = two.column_sums.shape[0] if forward else bank.row_sums.shape[0]
    tally[READS] += 1
    tally[ROW_DRIVES] += lines.shape[0]
    tally[READ_BASE] += squares * across * bank.planes
    tally[READ_SHARE] += weighted


@kernel
def _read(codes, count, forward, sign, raised, accumulators, towards, sensing, bank, two, events):  # type: ignore[no-untyped-def]
    """One read, tile by tile along the driven lines."""
    across = accumulators.shape[0]
    whole = bank.row_sums.shape[0] if forward else two.column_sums.shape[0]
    tile = sensing.tile_rows if forward else two.columns
    sums, first = two.sums[:across], 0
    for end in range(tile, whole + tile, tile):
        last = first
        while last < count and two.lines[last] < end:
            last += 1
        lines, drives = two.lines[first:last], two.drives[first:last]
        sums[:] = 0
        add_rows(sums, codes, 0, lines, drives, last - first)
        _find_variances(codes, lines, drives, forward, sensing, bank, two.variances[:across], two.scale, two.output_sd)
        _convert(sums, sign, raised, accumulators, towards, sensing, bank, two, events, forward)
        first = last


@kernel
def _find_variances(codes, lines, drives, forward, sensing, bank, variances, scale, output_sd):  # type: ignore[no-untyped-def]
    """Variance of every sum of one tile, in converter steps²: of the converter, of the array, and of the cells."""
    across = variances.shape[0]
    power = 0.0
    for a in range(lines.shape[0]):
        power += np.float64(drives[a]) * np.float64(drives[a])
    cells, own, base = (sensing.read_sd * scale) ** 2, scale * scale, output_sd * output_sd
    if sensing.read_noise == ADDITIVE:
        base += cells * power
    variances[:] = base
    if sensing.read_noise != PROPORTIONAL and not sensing.own_noise:
        return
    columns = bank.partial.shape[0]
    for a in range(lines.shape[0]):
        line, v = np.int64(lines[a]), np.float64(drives[a])
        for j in range(across):
            if sensing.read_noise == PROPORTIONAL:
                part = v * np.float64(codes[line * across + j])
                variances[j] += cells * (part * part)
            if sensing.own_noise:
                spot = line * columns + j if forward else j * columns + line
                variances[j] += own * (v * v * np.float64(bank.noise[spot]))


@kernel
def _convert(sums, sign, raised, accumulators, towards, sensing, bank, two, events, forward):  # type: ignore[no-untyped-def]
    """Convert the sums of one tile and add the codes, each worth `raised` halves less, to the accumulators."""
    noisy = two.output_sd > 0.0 or sensing.read_noise != NO_NOISE or sensing.own_noise
    low, high = np.float64(-two.highest - 1), np.float64(two.highest)
    key, counter, limit = bank.reading[0], bank.reading[1], np.int64(sensing.limit)
    finer = 1.0 if sensing.converts else 2.0**-raised
    shift = two.left - raised if sensing.converts else 0
    clipped, hits = np.int64(0), np.int64(0)
    for j in range(sums.shape[0]):
        noise = 0.0
        if noisy:
            noise = np.sqrt(two.variances[j]) * gaussian(low_half(word(key, counter)))
            counter += _ONE
        wide = np.floor((np.float64(sums[j]) * two.scale + noise) * finer + 0.5)
        code = min(max(wide, low), high)
        clipped += code != wide
        addend = np.int64(code)
        if shift >= 0:
            addend <<= shift
        else:
            addend = (addend + (np.int64(1) << (-shift - 1))) >> -shift
        total = np.int64(accumulators[j]) + sign * addend
        kept = saturate(total, -limit - 1, limit)
        accumulators[j] = kept
        hits += kept != total
    bank.reading[1] = counter
    tally = bank.tally if forward else two.tally
    tally[CLIPPED] += clipped
    events[ACCUMULATOR_SATURATIONS, towards] += hits


@kernel
def follow_cells(weights, turned, listed, bank, two):  # type: ignore[no-untyped-def]
    """Bring the transposed codes `turned` and the sums of columns in step with what the first `listed` cells show."""
    rows, columns, seen = bank.row_sums.shape[0], bank.partial.shape[0], np.int64(-1)
    for h in range(listed):
        spot = np.int64(bank.spots[h])
        row, column = spot // columns, spot % columns
        turned[column * rows + row] = weights[spot]
        if column != seen:
            sum_column(column, bank, two)
            seen = column


@kernel
def sum_column(column, bank, two):  # type: ignore[no-untyped-def]
    """The sum of the share codes of one column, of both planes."""
    rows, total = bank.row_sums.shape[0], np.int64(0)
    for plane in range(bank.planes):
        start = (plane * bank.partial.shape[0] + column) * rows
        for cell in range(start, start + rows):
            total += np.int64(bank.shares[cell])
    two.column_sums[column] = total


@kernel
def follow_all(weights, turned, bank, two):  # type: ignore[no-untyped-def]
    """As `follow_cells`, for all cells."""
    rows, columns = bank.row_sums.shape[0], bank.partial.shape[0]
    for column in range(columns):
        for row in range(rows):
            turned[column * rows + row] = weights[row * columns + column]
        sum_column(column, bank, two)
