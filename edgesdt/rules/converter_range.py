"""Whether the converters of an array have codes for both signs, told before anything is run."""

from __future__ import annotations

from edgesdt.rules.fixed_point import accumulator_frac
from edgesdt.spec import Spec, layers


def warnings(spec: Spec, frac: int | None = None) -> list[str]:
    """A sentence where a converter's range is below two LSBs of the accumulator, so that no code is above 0.

    The least significant slice has the smallest range: all converters are alike in amperes. `frac` are fractional bits
    of the accumulator, where they are not those of most rules.
    """
    if layers.device_of(spec, 0).in_memory:
        return []  # above the input, reads are raised until their codes say something
    spec, frac = layers.alone(spec, 0), accumulator_frac(spec) if frac is None else frac
    array = spec.device.array
    if "adc" in spec.device.off:
        return []
    lsb, finer = 2.0**-frac, 2.0 ** (array.bits_per_cell * (array.slices - 1))
    if array.adc_range / finer >= 2 * lsb:
        return []
    whose = "" if array.slices == 1 else f" (of the least significant of {array.slices} slices: {1 / finer:g} of it)"
    return [
        f"device.array.adc_range: {array.adc_range:g}{whose}: below two LSBs of the accumulator ({lsb:g} each): its "
        f"converters know no code above 0, allowed: {2 * lsb * finer:g} or more, or a larger chip.weights.frac_bits"
    ]
