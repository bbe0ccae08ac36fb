"""The cells of a weight layer as an entry of the memory map."""

from __future__ import annotations

from edgesdt.ledger.memory import Array
from edgesdt.spec import Spec


def cells_of(spec: Spec, layer: int) -> Array:
    """The cells of the one weight layer of `spec`, weight layer `layer` of its chip; they are no memory bits."""
    array = spec.device.array
    each = (2 if array.mapping == "pair" else 1, *spec.chip.layers)
    shape = (array.slices, *each) if array.slices > 1 else each
    return Array(f"cells_{layer}", shape, f"{_model(spec)} cell", 0, "weights")


def _model(spec: Spec) -> str:
    """The name of the cells' model: that of the catalogue, or the one that a sheet gives itself."""
    return spec.device.model if spec.device.file is None else spec.device.cell_model().name
