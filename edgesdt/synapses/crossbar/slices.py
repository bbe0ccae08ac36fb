"""Several cells for one weight: which slice is worth what, where its cells lie, how first weights become digits.

A weight is `w = Σ_s W_s d_s`, least significant slice first. `d_s` is what a slice shows in shares of its range:
`n₊ − n₋` of a pair, `n − reference` of one cell; `W_s = B W_{s-1}` (`hw_models.mapping`), B = 2^bits_per_cell.
A digit reaches from -R to R: the whole range of a pair, the shorter side of a reference. `carry` keeps all but the most
significant within ±R/2, so that half of the reach is left for what learning adds to the least significant.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from edgesdt.synapses.crossbar.layout import Bank, Upper

if TYPE_CHECKING:
    from hw_models.base import CellModel, Cells
    from hw_models.mapping import Mapping

Reals = npt.NDArray[np.float64]


class Slice(NamedTuple):
    """One slice of the weights: its cells as a bank, and its weight codes, apart from those of the others."""

    bank: Bank
    codes: npt.NDArray[np.integer]  # (n_0 · n_1,) without what wires take
    first: int  # place of its first cell among those of all slices


def reach_of(bank: Bank) -> int:
    """R: how far a digit goes to either side, in share codes."""
    return bank.one if bank.planes == 2 else min(bank.reference, bank.one - bank.reference)


def without_upper() -> Upper:
    """What a bank has where there is no slice above it."""
    whole, numbers = np.zeros(0, np.int64), np.zeros(0)
    return Upper(np.zeros(0, np.int16), whole, np.zeros(0, np.float32), numbers, whole, whole, numbers)


def slices_above(bank: Bank, cells: Cells, count: int) -> tuple[Slice, ...]:
    """The `count` slices above `bank`, on the cells behind its own; what reading needs of them lies in `bank.upper`."""
    each, synapses = len(bank.state), len(bank.state) // bank.planes
    rows, noises, made = len(bank.row_sums), len(bank.noise), []
    for s in range(count):
        here, there = slice((s + 1) * each, (s + 2) * each), slice(s * synapses, (s + 1) * synapses)
        read, wired = bank.upper.codes[there], len(bank.seen) > 0
        above = bank._replace(
            state=cells.state[here],
            visible=cells.visible[here],
            spread=cells.spread[here],
            pulses=cells.pulses[here],
            shares=np.zeros_like(bank.shares),
            row_sums=bank.upper.row_sums[s * rows : (s + 1) * rows],
            lost=np.zeros_like(bank.lost),
            seen=read if wired else bank.seen,
            noise=bank.upper.noise[s * noises : (s + 1) * noises],
            upper=without_upper(),
        )
        made.append(Slice(above, np.zeros_like(read) if wired else read, here.start))
    return tuple(made)


def states_at(bank: Bank, digits: Reals) -> Reals:
    """(planes, n) states of the cells that show `digits` (n,), in share codes; a pair lies around its middle."""
    if bank.planes == 2:
        half = digits / (2.0 * bank.one)
        return np.asarray(bank.low + bank.span * np.stack([0.5 + half, 0.5 - half]))
    return np.asarray(bank.low + bank.span * ((bank.reference + digits) / bank.one))[np.newaxis]


def digits_shown(bank: Bank) -> Reals:
    """(n_1 · n_0,) what the cells show as digits, in share codes, not rounded."""
    shares = (bank.visible.astype(np.float64) - bank.low) * (bank.one / bank.span)
    planes = shares.reshape(bank.planes, -1)
    return np.asarray(planes[0] - (planes[1] if bank.planes == 2 else bank.reference))


def program(slices: tuple[Slice, ...], model: CellModel, cells: Cells, mapping: Mapping, weights: Reals) -> None:
    """Put the cells at `weights` (n_1 · n_0,), the most significant digit first.

    Every digit but the least significant is a whole number of carries; what a slice misses goes to the one below.
    """
    left = weights.copy()
    for place in range(len(slices) - 1, -1, -1):
        bank, first = slices[place].bank, slices[place].first
        code, reach = float(mapping.digit_weights[place]) / bank.one, reach_of(bank)
        digits = left / code
        if place > 0:
            carry = reach // 2 / 2.0**mapping.bits_per_cell
            digits = np.floor(digits / carry + 0.5) * carry
        states = states_at(bank, np.clip(digits, -reach, reach)).ravel()
        model.program(cells, states, np.arange(first, first + len(states)))
        left = left - digits_shown(bank) * code
