"""Registers of a layer of weights on cells: what a product, and the halving of a weight, are in pulses."""

from __future__ import annotations

from edgesdt.qformat import Scale
from edgesdt.rules.similarity import registers
from edgesdt.rules.similarity.ledger.memory import code_point
from edgesdt.spec import Spec
from edgesdt.synapses.crossbar.scales import share_bits, weight_of_pulse, weight_per_range

_CHANCE_BITS = 16
"""Bits of the probability of a column's pulse."""


def rate(spec: Spec, epoch: int) -> tuple[int, int]:
    """Full mantissa and shift of the rate of V, from a product of codes to pulses of a cell.

    With coincidences, from a code of a state to the probability of a pulse of its column, in 2^-16.
    """
    array, bits, state = spec.device.array, spec.chip.constants.bits, code_point(spec, 1)
    number = registers.feed_rate(spec, 0, epoch).value / weight_of_pulse(spec)
    if array.programming == "coincidence":
        held = registers.mantissa(Scale.nearest(number / array.train_length, bits), bits)
        return held.multiplier, held.shift + state - _CHANCE_BITS
    held = registers.mantissa(Scale.nearest(number, bits), bits)
    return held.multiplier, held.shift + code_point(spec, 0) + state


def halving(spec: Spec) -> tuple[int, int]:
    """Full mantissa and shift of half the LSB of a weight's code over the weight of a pulse."""
    bits, lsb = spec.chip.constants.bits, weight_per_range(spec) / (1 << share_bits(spec))
    held = registers.mantissa(Scale.nearest(lsb / 2 / weight_of_pulse(spec), bits), bits)
    return held.multiplier, held.shift
