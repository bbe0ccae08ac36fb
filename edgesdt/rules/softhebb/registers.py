"""Every real-valued constant of a spec as the register or the table that the chip holds."""

from __future__ import annotations

from collections.abc import Iterator
from math import exp

import numpy as np
import numpy.typing as npt

from edgesdt.qformat import Scale
from edgesdt.rules import standard
from edgesdt.rules.schedule import PEAK
from edgesdt.rules.softhebb.settings import competing, settings, sharpness
from edgesdt.spec import Spec
from edgesdt.spec.text.source import Fault

TABLE = 256
"""Entries of the tables of exponentials and reciprocals."""
STEP_BITS = 5
"""The table of exponentials goes in steps of 2^-5: exp(0) … exp(-8)."""
RECIPROCAL_BITS = 16
"""Width of a reciprocal."""
MANTISSA_BITS = 5
"""The tables of powers have 2^5 entries for each place of the highest bit."""
PLACES = 20
"""Places of the highest bit that the tables of powers tell apart."""
POWERS = PLACES << MANTISSA_BITS
"""Entries of a table of powers."""
RADIUS_BITS = 12
"""Bits below the point of the norm of a neuron's weights, and of its distance from 1."""
POWER_BITS, POWER_FRAC = 16, 12
"""Width of a power of that distance, unsigned, and the bits of it below the point."""
STEP_FRAC = 16
"""Bits below the point of the step of a neuron."""
STEP_LARGEST = (1 << 17) - 1
"""The largest code of a step."""
MEAN_BITS = 16
"""Mantissa of the register 1 / n of the mean over a layer."""
READ_BITS = 16
"""Mantissa of the register from the codes of an array to weight codes."""
LARGEST_FRAC = 12
"""Bits below the point of the running maximum of an update."""


def rate(spec: Spec, layer: int, epoch: int) -> Scale:
    """The register of the learning rate of weight layer `layer` in `epoch` (0-based)."""
    return standard.rate(spec, epoch, layer)


def used_rates(spec: Spec, epoch: int) -> list[float]:
    """The learning rates really used in `epoch`, one per weight layer."""
    return [rate(spec, layer, epoch).value for layer in range(len(spec.chip.layers) - 1)]


def sharp(spec: Spec, layer: int) -> Scale:
    """The register of the inverse temperature of weight layer `layer`."""
    return standard.register(spec, sharpness(spec, layer))


def share_of_layer(spec: Spec, layer: int) -> Scale:
    """The register 1 / n of the neurons of weight layer `layer`."""
    return Scale.nearest(1.0 / spec.chip.layers[layer + 1], MEAN_BITS)


def beyond(spec: Spec) -> Iterator[Fault]:
    """A fault for every learning rate that its register cannot hold."""
    yield from standard.rates_held(spec)


def held(spec: Spec) -> dict[str, tuple[float | list[float], str]]:
    """Dotted path → (value really used, its register in words), for every constant that is rounded."""
    layers = range(len(spec.chip.layers) - 1)
    rates, sharps = [rate(spec, k, PEAK) for k in layers], [sharp(spec, k) for k in layers]
    if len(settings(spec).sharpness) == 1:
        sharps = sharps[:1]
    return {
        "learning.learning_rate": (used_rates(spec, PEAK), "first epoch, " + ", ".join(map(str, rates))),
        "learning.sharpness": ([s.value for s in sharps], ", ".join(map(str, sharps))),
    }


def exponentials(spec: Spec) -> npt.NDArray[np.uint16]:
    """`exp(-i / 2^STEP_BITS)` as codes of `table_bits` bits, 1 as all ones, rounded to nearest, i < TABLE."""
    one = (1 << settings(spec).competition.table_bits) - 1
    return np.array([int(one * exp(-i * 2.0**-STEP_BITS) + 0.5) for i in range(TABLE)], np.uint16)


def reciprocals() -> npt.NDArray[np.uint16]:
    """`2^16 / (1 + (i + 1/2) / TABLE)` rounded to nearest, i < TABLE; an integer division does it exactly."""
    top = 2**RECIPROCAL_BITS * TABLE * 2
    return np.array([(top + (2 * TABLE + 2 * i + 1) // 2) // (2 * TABLE + 2 * i + 1) for i in range(TABLE)], np.uint16)


def _middles() -> Iterator[float]:
    """What each entry of a table of powers stands for: the middle of the integers that share it."""
    for place in range(PLACES):
        for mantissa in range(1 << MANTISSA_BITS):
            wide = place > MANTISSA_BITS
            yield ((1 << MANTISSA_BITS) + mantissa + (0.5 if wide else 0.0)) * 2.0 ** (place - MANTISSA_BITS)


def rate_powers(spec: Spec) -> npt.NDArray[np.uint16]:
    """The power of the distance of a norm from 1, by its highest bits."""
    power, most = settings(spec).rate_power, (1 << POWER_BITS) - 1
    found = ((middle * 2.0**-RADIUS_BITS) ** power * 2.0**POWER_FRAC for middle in _middles())
    return np.array([min(int(value + 0.5), most) for value in found], np.uint16)


def state_powers(spec: Spec) -> npt.NDArray[np.uint16]:
    """The state of a drive above 0, by its highest bits, where it is raised to a power."""
    learning, bits = settings(spec), spec.chip.states.bits
    lsb, scale = 2.0**-learning.competition.frac_bits, 2.0 ** (bits - learning.activation.range_bits)
    found = ((middle * lsb) ** learning.activation.power * scale for middle in _middles())
    return np.array([min(int(value + 0.5), (1 << bits) - 1) for value in found], np.uint16)


def constants(spec: Spec) -> int:
    """Registers with a multiplier and a shift: rate and sharpness of each weight layer, a mean for each triangle."""
    depth = len(spec.chip.layers) - 1
    return 2 * depth + (competing(spec) if settings(spec).activation.kind == "triangle" else 0)
