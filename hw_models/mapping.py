"""Maps weights to conductances: a differential pair or a cell against a reference, whole or in slices of a few bits.

Every cell has a share n = (state - low) / (high - low) of its model's nominal range, 0 to 1 (outside it if the cell's
own bounds are). A weight of S slices, b bits a cell, digits in base B = 2^b, most significant slice last:

    w = unit * sum_s B^s d_s,   d_s = (n+_s - n-_s)  pair,  or  (n_s - reference)  offset

with `unit` such that the weight is `weight_per_range` if all digits have their maximum (one slice: w = weight_per_range
* d). A pair stores a positive weight in the + cells and a negative one in the - cells; offset stores w above its lowest
weight. The reference is an ideal column, the same for all weights (its read noise is not modelled).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from hw_models.arguments import ARGUMENTS
from hw_models.base import CellModel, DeviceError, Reals, unknown
from hw_models.periphery.constants import bounded, whole

Floats = npt.NDArray[np.float64]
Scheme = Literal["pair", "offset"]
_MOST_BITS = 15


@dataclass(frozen=True)
class Mapping:
    """The storage of a weight in cells. Raises `DeviceError` for numbers out of range.

    `weight_per_range`: weight of the whole conductance range of one cell (all its slices). `reference` (offset only) is
    the share at which the weight is 0; None means the share of state 0 if the model has one, else the middle.
    """

    scheme: Scheme = "pair"
    weight_per_range: float = 0.1
    slices: int = 1
    bits_per_cell: int = 1
    reference: float | None = None

    def __post_init__(self) -> None:
        if self.scheme not in ("pair", "offset"):
            raise DeviceError(unknown("mapping", self.scheme, ("pair", "offset")))
        bounded("weight_per_range", self.weight_per_range, 1e-12, 1e12, "weight per conductance range")
        whole("slices", self.slices, 1, _MOST_BITS, "cells per weight")
        whole("bits_per_cell", self.bits_per_cell, 1, _MOST_BITS, "bits")
        if self.slices > 1 and self.slices * self.bits_per_cell > _MOST_BITS:
            asked = self.slices * self.bits_per_cell
            told = f"{self.bits_per_cell} in {self.slices} slices are {asked} bits a weight"
            most = f"{'1..' * (self.slices <= _MOST_BITS // 2)}{_MOST_BITS // self.slices} with so many slices"
            raise DeviceError(f"bits_per_cell: {told}, allowed: {most} ({_MOST_BITS} bits in all)")
        if self.reference is not None:
            bounded("reference", self.reference, 0.0, 1.0, "of the conductance range")
            if self.scheme == "pair":
                raise DeviceError("reference: a pair needs none (mapping `offset` does)")

    @property
    def planes(self) -> int:
        """Cells per slice: 2 of a pair, else 1."""
        return 2 if self.scheme == "pair" else 1

    @property
    def cells_per_weight(self) -> int:
        """Cells that hold one weight."""
        return self.planes * self.slices

    @property
    def digit_weights(self) -> Floats:
        """Weight (slices,) of the whole range of each slice, least significant first; the sum is weight_per_range."""
        if self.slices == 1:
            return np.array([self.weight_per_range])
        base = 2.0**self.bits_per_cell
        places = base ** np.arange(self.slices, dtype=np.float64)
        return np.asarray(places * (self.weight_per_range * (base - 1) / (base**self.slices - 1)))

    def reference_of(self, model: CellModel) -> float:
        """The share of the range at which an offset weight is 0."""
        if self.reference is not None:
            return self.reference
        low, high = model.bounds()
        return -low / (high - low) if low < 0 < high else 0.5

    def reach(self, model: CellModel) -> float:
        """Range of a digit on each side of 0, in shares: the range of a pair, or the shorter side of a reference."""
        reference = self.reference_of(model)
        return 1.0 if self.scheme == "pair" else min(reference, 1 - reference)

    def states_to_carry(self, model: CellModel) -> float:
        """Number of states that a cell needs if carries to the next digit keep each digit within half of its reach.

        A step of the next digit equals 2^bits_per_cell steps of this one: half a step of each of its cells must fit in
        the remaining half of the reach.
        """
        return 2.0**self.bits_per_cell * self.planes / self.reach(model) + 1

    def weight_range(self, model: CellModel) -> tuple[float, float]:
        """Lowest and highest weight that nominal cells of `model` hold."""
        if self.scheme == "pair":
            return -self.weight_per_range, self.weight_per_range
        reference = self.reference_of(model)
        return -reference * self.weight_per_range, (1 - reference) * self.weight_per_range

    def check(self, model: CellModel, low: float, high: float) -> None:
        """Raises `DeviceError` if weights of `low` to `high`, or the slices, do not fit cells of `model`."""
        bounded("weights: the lowest", low, -1e12, 1e12, "")
        bounded("weights: the highest", high, low, 1e12, "")
        lowest, highest = self.weight_range(model)
        slack = 1e-9 * (highest - lowest)
        if low < lowest - slack or high > highest + slack:
            below = low / lowest if low < 0 > lowest else math.inf if low < lowest - slack else 0.0
            above = high / highest if high > 0 < highest else math.inf if high > highest + slack else 0.0
            factor = max(below, above)
            advice = f"weight_per_range of at least {self.weight_per_range * factor:.6g}"
            raise DeviceError(
                f"weights of {low:g} to {high:g}: {model.name} mapped as {self.scheme} holds {lowest:g} to {highest:g} "
                f"(needed: {advice if math.isfinite(factor) else 'another reference, or a pair'})"
            )
        states = states_of(model)
        if self.slices > 1 and states < 2**self.bits_per_cell:
            raise DeviceError(
                f"bits_per_cell: {self.bits_per_cell} bits need {2**self.bits_per_cell} states, "
                f"{model.name} has about {states:.0f} (nearest allowed: {max(1, int(math.log2(max(states, 2))))})"
            )

    def shares(self, weights: Reals, model: CellModel) -> Floats:
        """Shares (planes, slices, rows, columns) of the cells that hold `weights` (rows, columns), clipped to range."""
        low, high = self.weight_range(model)
        wanted = ARGUMENTS.reals("weights", weights, ("rows", "columns"), infinite=True)
        clipped = np.clip(wanted.astype(np.float64), low, high)
        if self.scheme == "pair":
            return np.stack([self._digits(np.maximum(clipped, 0)), self._digits(np.maximum(-clipped, 0))])
        return self._digits(clipped - low)[np.newaxis]

    def weights(self, shares: Reals, model: CellModel) -> Floats:
        """Weights (rows, columns) of cells at `shares` (planes, slices, rows, columns)."""
        return np.asarray(np.add.reduce(self.digit_weights[:, np.newaxis, np.newaxis] * self.digits(shares, model)))

    def digits(self, shares: Reals, model: CellModel) -> Floats:
        """Digits (slices, rows, columns): the contribution of each slice, in shares of its range."""
        shape = (self.planes, self.slices, "rows", "columns")
        wide = ARGUMENTS.reals("shares", shares, shape, infinite=True).astype(np.float64)
        if self.scheme == "pair":
            return np.asarray(wide[0] - wide[1])
        return np.asarray(wide[0] - self.reference_of(model))

    def _digits(self, sizes: Floats) -> Floats:
        """Shares (slices, rows, columns) of weights `sizes` above the lowest; digits are integers if sliced."""
        share = sizes / self.weight_per_range
        if self.slices == 1:
            return share[np.newaxis]
        base = 1 << self.bits_per_cell
        codes = np.floor(share * (base**self.slices - 1) + 0.5).astype(np.int64)
        return np.stack([codes // base**place % base for place in range(self.slices)]) / (base - 1)


def states_of(model: CellModel) -> float:
    """Number of distinguishable states of a cell: its stated levels, else its range over its nominal middle step."""
    levels = getattr(model, "levels", None)
    if isinstance(levels, int):
        return float(levels)
    low, high = model.bounds()
    step = model.step((low + high) / 2, True)
    return (high - low) / step + 1 if step > 0 else math.inf
