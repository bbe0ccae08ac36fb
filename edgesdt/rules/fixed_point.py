"""From fields of a spec to integers, as every rule needs them: the point of accumulators, rates, empty arrays."""

from __future__ import annotations

import numpy as np

from edgesdt.kernels.arithmetic import register
from edgesdt.kernels.layout import Codes, Ints, WeightCodes
from edgesdt.qformat import Rounding, Scale
from edgesdt.spec import Spec
from edgesdt.synapses import levels


def accumulator_frac(spec: Spec) -> int:
    """Fractional bits of the accumulators: the finest of input product, state product, state and bias.

    Every term is then aligned by a shift left, which is exact.
    """
    chip = spec.chip
    products = max(spec.encoder.bits, chip.states.bits) + levels.seen(spec).frac_bits
    return max(products, chip.states.bits, chip.biases.frac_bits if chip.biases.enabled else 0)


def bias_left(spec: Spec) -> int:
    """The shift that aligns a bias with the accumulator; past 40 bits any bias but 0 saturates every accumulator."""
    return min(accumulator_frac(spec) - spec.chip.biases.frac_bits, 40) if spec.chip.biases.enabled else 0


def rate_row(held: Scale, product_bits: int, frac_bits: int, mode: Rounding, magnitude_bits: int = 0) -> list[int]:
    """One row of the rates: from a signed product of `product_bits` fractional bits to `frac_bits`.

    A row is a `Register` and a flag: 1 where a product of up to `magnitude_bits` (0: its fractional bits) times the
    rate, and every rounding term, fit 32 bits.
    """
    if held.multiplier == 0:
        return [*(int(value) for value in register(0, 0, Rounding.FLOOR)), 1]
    made = register(held.multiplier, held.shift + product_bits - frac_bits, mode)
    wide = (magnitude_bits or product_bits) + int(made.multiplier).bit_length()
    return [*(int(value) for value in made), int(wide <= 30 and made.right <= 30)]


def codes(n: int) -> Codes:
    """`n` zeros for codes of up to 32 bits."""
    return np.zeros(n, np.int32)


def wide_codes(n: int) -> Ints:
    """`n` zeros for sums of up to 64 bits."""
    return np.zeros(n, np.int64)


def weight_codes(spec: Spec, n: int) -> WeightCodes:
    """`n` zeros of the narrowest type that holds a weight code; of 16 bits where bits are hidden."""
    narrow = spec.device.digital and spec.chip.weights.bits <= 8 and not spec.chip.weights.hidden_bits
    return np.zeros(n, np.int8) if narrow else np.zeros(n, np.int16)


def read_codes(spec: Spec, n: int) -> WeightCodes:
    """`n` zeros of the narrowest type that holds the code of a weight that is read."""
    narrow = spec.device.digital and levels.seen(spec).bits <= 8
    return np.zeros(n, np.int8) if narrow else np.zeros(n, np.int16)
