"""What the wires of the tiles take from the sums: share codes → siemens → weight codes lost, refreshed now and then.

A tile passes of every cell a share of its current (`hw_models.periphery.passing`), whatever the inputs are. So IR drop
is a matrix of codes that are subtracted from the weights, and a read costs what it costs without: `seen` are the weight
codes less what is lost. Losses are those of the cells at the last refresh; a weight that is written moves `seen` by as
much as itself until the next one.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from edgesdt.kernels.arithmetic import saturate
from edgesdt.kernels.jit import kernel
from edgesdt.synapses.crossbar.layout import Bank
from edgesdt.synapses.crossbar.scales import mapping_of
from hw_models.kernels.jit import njit
from hw_models.periphery.passing import MOST_SWEEPS, TOLERANCE, share_out

if TYPE_CHECKING:
    from edgesdt.spec import Spec
    from edgesdt.synapses.crossbar.slices import Slice
    from hw_models.base import CellModel


class Lines(NamedTuple):
    """The wires of a chip's tiles and what hangs on them."""

    segment_s: float  # siemens from one cell to the next, on rows and on columns
    low_s: float  # siemens of a cell at share code 0
    code_s: float  # siemens of one share code
    rows: int  # of a tile
    columns: int  # weights beside one another in a tile


def lines_of(spec: Spec, model: CellModel, one: int) -> Lines | None:
    """The wires that `spec` describes, or None without IR drop. Raises `DeviceError` for cells without siemens."""
    array = spec.device.array
    if not array.has_ir_drop or "ir_drop" in spec.device.off:
        return None
    assert array.wire_resistance is not None
    low, high = model.conductance_s(np.array(model.bounds()))
    beside = max(array.tile_columns // mapping_of(spec).planes, 1)
    return Lines(1.0 / array.wire_resistance, float(low), float(high - low) / one, array.tile_rows, beside)


@njit(nogil=True, cache=True)
def find_losses(lines, bank, lost):  # type: ignore[no-untyped-def]
    """`lost` (n_0 · n_1,) int32, laid out as the weights, becomes that of the cells as they show.

    Returns the current that the wires take of all cells, as a share of what flows without them (rows all alike).
    """
    n0 = bank.row_sums.shape[0]
    n1 = bank.partial.shape[0]
    taken, whole = 0.0, 0.0
    for first in range(0, n0, lines.rows):
        for begin in range(0, n1, lines.columns):
            rows, columns = min(lines.rows, n0 - first), min(lines.columns, n1 - begin)
            g = _tile(lines, bank, first, begin, rows, columns)
            shares = np.empty_like(g)
            share_out(g, lines.segment_s, lines.segment_s, TOLERANCE, MOST_SWEEPS, shares)
            for i in range(rows):
                for k in range(g.shape[1]):
                    whole += g[i, k]
                    g[i, k] *= 1.0 - shares[i, k]
                    taken += g[i, k]
            _subtract(g, lines.code_s, bank.planes, n1, first, begin, columns, lost)
    return taken / whole if whole > 0.0 else 0.0


@njit(nogil=True, cache=True)
def _tile(lines, bank, first, begin, rows, columns):  # type: ignore[no-untyped-def]
    """Conductances (rows, cells of a row) of the tile from row `first` and weight column `begin` on.

    The cells of a pair lie side by side, + before -; the reference cells stand before the middle column.
    """
    n0 = bank.row_sums.shape[0]
    plane = n0 * bank.partial.shape[0]
    middle = columns // 2
    g = np.empty((rows, columns * 2 if bank.planes == 2 else columns + 1))
    for j in range(columns):
        for p in range(bank.planes):
            place = 2 * j + p if bank.planes == 2 else j + (j >= middle)
            start = p * plane + (begin + j) * n0 + first
            for i in range(rows):
                g[i, place] = max(lines.low_s + lines.code_s * bank.shares[start + i], 0.0)
    if bank.planes == 1:
        for i in range(rows):
            g[i, middle] = max(lines.low_s + lines.code_s * bank.reference, 0.0)
    return g


@njit(nogil=True, cache=True)
def _subtract(taken, code_s, planes, n1, first, begin, columns, lost):  # type: ignore[no-untyped-def]
    """Write the codes that a tile loses: + cells less - cells, or cells less the reference of their row."""
    middle = columns // 2
    for i in range(taken.shape[0]):
        start = (first + i) * n1 + begin
        for j in range(columns):
            if planes == 2:
                current = taken[i, 2 * j] - taken[i, 2 * j + 1]
            else:
                current = taken[i, j + (j >= middle)] - taken[i, middle]
            lost[start + j] = np.int32(math.floor(current / code_s + 0.5))


@kernel
def see_all(weights, bank):  # type: ignore[no-untyped-def]
    """`bank.seen` becomes the weight codes less what is lost, saturated as they are."""
    for spot in range(weights.shape[0]):
        code = np.int64(weights[spot]) - np.int64(bank.lost[spot])
        bank.seen[spot] = saturate(code, -bank.highest, bank.highest)


@kernel
def see(weights, listed, bank):  # type: ignore[no-untyped-def]
    """As `see_all` for the weights of the first `listed` cells."""
    for h in range(listed):
        spot = bank.spots[h]
        code = np.int64(weights[spot]) - np.int64(bank.lost[spot])
        bank.seen[spot] = saturate(code, -bank.highest, bank.highest)


def with_losses(bank: Bank, lines: Lines, weights: npt.NDArray[np.integer]) -> tuple[Bank, float]:
    """`bank` with losses of its own, those of the cells as they show now, and the share of the current lost."""
    own = bank._replace(lost=np.empty_like(bank.lost), seen=np.empty_like(bank.seen))
    share = find_losses(lines, own, own.lost)
    see_all(weights, own)
    return own, float(share)


def with_all_losses(slices: tuple[Slice, ...], lines: Lines) -> tuple[Bank, float]:
    """As `with_losses`: the bank of the first slice, the others in its `upper`; the share is the mean over slices."""
    found = [with_losses(bank, lines, codes) for bank, codes, _ in slices]
    first, share = found[0][0], sum(share for _, share in found) / len(found)
    if len(found) > 1:
        codes = np.concatenate([own.seen for own, _ in found[1:]])
        first = first._replace(upper=first.upper._replace(codes=codes))
    return first, share


def renew(slices: tuple[Slice, ...], lines: Lines) -> None:
    """The losses of every slice become those of its cells as they show now."""
    for bank, codes, _ in slices:
        find_losses(lines, bank, bank.lost)
        see_all(codes, bank)
