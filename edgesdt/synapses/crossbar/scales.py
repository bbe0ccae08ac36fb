"""What the numbers of a crossbar stand for: share codes, steps of a converter, the weight that one pulse moves.

Plain arithmetic on a spec, for the kernels' arrays (`bank`) and for pricing alike.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from hw_models.mapping import Mapping

if TYPE_CHECKING:
    from edgesdt.spec import Spec
    from hw_models.base import CellModel

_MOST_SHARE_BITS = 13


def mapping_of(spec: Spec) -> Mapping:
    """How the chip's weights are held by cells."""
    array = spec.device.array
    return Mapping(array.mapping, weight_per_range(spec), array.slices, array.bits_per_cell)


def weight_per_range(spec: Spec) -> float:
    """Weight of the whole conductance range of a cell (of all its slices); a checked spec always says it."""
    found = spec.device.array.weight_per_range
    assert found is not None
    return found


def share_bits(spec: Spec) -> int:
    """Fractional bits of a share code: as many as keep every column sum within 32 bits, 13 at most.

    A weight code may be twice the range, so that it has one bit more.
    """
    largest = spec.chip.layers[0] * ((1 << spec.encoder.bits) - 1)
    return min(_MOST_SHARE_BITS, 31 - 1 - math.ceil(math.log2(largest)))


def reference_code(spec: Spec) -> int:
    """Share code at which a cell against a reference is weight 0: that of all reference cells."""
    mapping, model = mapping_of(spec), spec.device.cell_model()
    return round(mapping.reference_of(model) * (1 << share_bits(spec))) if mapping.planes == 1 else 0


def step_of(model: CellModel, mapping: Mapping) -> float:
    """Nominal state change of one pulse at weight 0: the mean of up and down."""
    low, high = model.bounds()
    middle = low + (high - low) * (0.5 if mapping.planes == 2 else mapping.reference_of(model))
    return (model.step(middle, True) + model.step(middle, False)) / 2


def weight_of_pulse(spec: Spec) -> float:
    """Nominal weight change of one pulse (of one pulse on each cell of a pair) of the least significant slice."""
    model, mapping = spec.device.cell_model(), mapping_of(spec)
    low, high = model.bounds()
    return mapping.planes * float(mapping.digit_weights[0]) * step_of(model, mapping) / (high - low)


def tiles(spec: Spec) -> tuple[int, int]:
    """Tiles along the rows and along the columns (a pair stands in two columns, each slice in tiles of its own)."""
    array, (rows, columns) = spec.device.array, spec.chip.layers
    planes = 2 if array.mapping == "pair" else 1
    return -(-rows // array.tile_rows), array.slices * -(-columns * planes // array.tile_columns)


def longest_stretch(spec: Spec) -> int:
    """Samples after which tallies are emptied, so that none leaves 64 bits whatever is shown; of a layer alone."""
    array, (n0, n1) = spec.device.array, spec.chip.layers
    planes = 2 if array.mapping == "pair" else 1
    of_sample = n0 * n1 * planes * array.slices * (1 << (2 * spec.encoder.bits)) << 15
    return max((1 << 62) // of_sample, 1)
