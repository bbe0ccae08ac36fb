"""Cells that drift against a reference that does not: all weights sink together, which a sentence says beforehand."""

from __future__ import annotations

from edgesdt.spec import layers
from edgesdt.spec.schema.spec import Spec

_FAR = 0.05
"""Share of the range by which the level that cells decay to may lie beside the reference."""


def sentences(spec: Spec) -> list[str]:
    """What time at rest does to the chip of a checked spec, where it does more than blur; nothing else."""
    found = (sentence for layer in layers.on_cells(spec) for sentence in _of_layer(layers.alone(spec, layer)))
    return list(dict.fromkeys(found))


def _of_layer(spec: Spec) -> list[str]:
    device = spec.device
    if device.digital or device.array.mapping != "offset" or device.drift_compensation != "none":
        return []
    model = device.cell_model()
    how = _moves(model, _reference(spec))
    if how is None:
        return []
    return [
        f"device.array.mapping: offset: the cells of {model.name} {how} and their reference does not, so that all "
        "weights sink together at rest; allowed: mapping: pair, or device.drift_compensation: global"
    ]


def _reference(spec: Spec) -> float:
    from hw_models.mapping import Mapping

    return float(Mapping("offset", 1.0).reference_of(spec.device.cell_model()))


def _moves(model: object, reference: float) -> str | None:
    """What the mean of the cells does with time, in a word; None where only deviations grow, or nothing does."""
    names = getattr(model, "non_idealities", ())
    if "drift" in names and getattr(model, "shift", True):  # `programmed` may have deviations that grow alone
        return "drift"
    while hasattr(model, "inner"):
        level = getattr(model, "level", reference)
        if "retention" in getattr(model, "own", ()) and abs(level - reference) > _FAR:
            return "decay"
        model = model.inner
    return None
