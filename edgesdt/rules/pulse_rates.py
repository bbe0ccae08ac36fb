"""The learning rate of a weight layer on cells: in pulses of a cell, or as a chance of the pulses of a column."""

from __future__ import annotations

from edgesdt.qformat import Rounding, Scale
from edgesdt.rules.fixed_point import rate_row
from edgesdt.spec import Spec
from edgesdt.synapses.crossbar.scales import weight_of_pulse


def pulse_row(spec: Spec, rate: float, pre_bits: int, post_bits: int, magnitude_bits: int = 0) -> list[int]:
    """The row of the rates (`fixed_point.rate_row`) of the one weight layer of `spec` (`spec.layers.alone`).

    An update is `rate · pre · post`, of codes with so many fractional bits: in pulses, `rate` over the weight change of
    one. With coincidences the row gives the probability of a column's pulse, in 2^-16, per LSB of `post`: the expected
    number of coincidences of a row at x is then train · x · chance.
    """
    array, bits = spec.device.array, spec.chip.constants.bits
    pulses = rate / weight_of_pulse(spec)
    if array.programming == "coincidence":
        return rate_row(Scale.nearest(pulses / array.train_length, bits), post_bits, 16, Rounding.NEAREST)
    return rate_row(Scale.nearest(pulses, bits), pre_bits + post_bits, 0, Rounding.STOCHASTIC, magnitude_bits)
