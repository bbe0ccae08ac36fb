"""What a chip on analog cells computes ahead: its learning rate in pulses, and how long its counters last."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from edgesdt.qformat import Rounding, Scale
from edgesdt.rules.eqprop import plan
from edgesdt.rules.eqprop.registers import rate
from edgesdt.rules.fixed_point import rate_row
from edgesdt.spec import Spec, layers
from edgesdt.synapses.crossbar.scales import weight_of_pulse


def pulse_rates(spec: Spec, epoch: int) -> npt.NDArray[np.int64]:
    """As `eqprop_plan.rates`, with the weights' rate in pulses: lr / β over the weight change of one pulse.

    With coincidences it is the probability of a column's pulse, in 2^-16, per LSB that its neuron moved: the expected
    number of coincidences of a row at x is then train · x · chance.
    """
    rates = plan.rates(spec, epoch)
    array, state_bits = spec.device.array, spec.chip.states.bits
    pulses = rate(spec, 0, epoch).value / weight_of_pulse(spec)
    if array.programming == "coincidence":
        held = Scale.nearest(pulses / array.train_length, spec.chip.constants.bits)
        rates[0, 0] = rate_row(held, state_bits, 16, Rounding.NEAREST)
    else:
        held = Scale.nearest(pulses, spec.chip.constants.bits)
        rates[0, 0] = rate_row(held, spec.encoder.bits + state_bits, 0, Rounding.STOCHASTIC)
    return rates


def layered_rates(spec: Spec, epoch: int) -> npt.NDArray[np.int64]:
    """As `eqprop_plan.rates` for a chip of several weight layers, with the rates of those on cells in pulses."""
    rates, state_bits = plan.rates(spec, epoch), spec.chip.states.bits
    for layer in layers.on_cells(spec):
        alone = layers.alone(spec, layer)
        if layer == 0:
            rates[0, 0] = pulse_rates(alone, epoch)[0, 0]
        else:
            pulses = rate(spec, layer, epoch).value / weight_of_pulse(alone)
            held = Scale.nearest(pulses, spec.chip.constants.bits)
            rates[0, layer] = rate_row(held, 2 * state_bits, 0, Rounding.STOCHASTIC)
    return rates


def longest_stretch(spec: Spec) -> int:
    """Samples after which tallies are emptied, so that none leaves 64 bits whatever is shown."""
    array, (n0, n1) = spec.device.array, spec.chip.layers
    planes = 2 if array.mapping == "pair" else 1
    of_sample = n0 * n1 * planes * array.slices * (1 << (2 * spec.encoder.bits)) << 15
    return max((1 << 62) // of_sample, 1)
