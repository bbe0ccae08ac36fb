"""Warns of cells that drift while their reference does not: all weights then decrease together."""

from __future__ import annotations

from edgesdt.spec import layers
from edgesdt.spec.schema.spec import Spec

_FAR = 0.05
"""Largest distance between the reference and the level to which cells decay, as a share of the range."""


def sentences(spec: Spec) -> list[str]:
    """Warnings on the effect of time at rest on the chip of a checked spec, if it shifts all weights."""
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
        f"device.array.mapping: offset: the cells of {model.name} {how} and their reference does not, so all weights "
        "decrease together at rest; allowed: mapping: pair, or device.drift_compensation: global"
    ]


def _reference(spec: Spec) -> float:
    from hw_models.mapping import Mapping

    return float(Mapping("offset", 1.0).reference_of(spec.device.cell_model()))


def _moves(model: object, reference: float) -> str | None:
    """The change of the cells' mean with time, as a verb; None if the mean does not change."""
    names = getattr(model, "non_idealities", ())
    if "drift" in names and getattr(model, "shift", True):  # in `programmed`, only the deviations may grow
        return "drift"
    while hasattr(model, "inner"):
        level = getattr(model, "level", reference)
        if "retention" in getattr(model, "own", ()) and abs(level - reference) > _FAR:
            return "decay"
        model = model.inner
    return None
