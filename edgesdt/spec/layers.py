"""The weight layers of a chip: their devices, which of them are on cells, and each layer as a separate chip.

The modules that read, write and price an array support chips with one weight layer. A layer of a larger chip is
described as such a chip (`alone`): the same fields, with the layer's own device, neurons and learning rate.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from edgesdt.spec.schema.device import Array, Device, LayerDevice, merged
from edgesdt.spec.types import CANONICAL

if TYPE_CHECKING:
    from edgesdt.spec.schema.spec import Spec

_OWN = ("parameters", "off", "file", "sha256", "sheet")
"""Fields of a device that belong to its model; a different model starts without them."""
_SEED_STEP = 0x9E3779B9
"""2^32 over the golden ratio, so that the seeds of layers are far apart."""


def count(spec: Spec) -> int:
    """Number of weight layers of the chip."""
    return len(spec.chip.layers) - 1


def both_ways(spec: Spec, layer: int) -> bool:
    """Whether weight layer `layer` is read in both directions: from its rows, and from its columns."""
    return layer > 0 or spec.learning.lowest_both_ways


def one_way(spec: Spec) -> bool:
    """Whether the chip has one weight layer, which is read from its rows alone."""
    return count(spec) == 1 and not both_ways(spec, 0)


def device_of(spec: Spec, layer: int) -> LayerDevice:
    """The device of weight layer `layer`."""
    return spec.device.layers.get(str(layer), spec.device)


def on_cells(spec: Spec) -> tuple[int, ...]:
    """The weight layers on analog cells, from the input up."""
    return tuple(layer for layer in range(count(spec)) if not device_of(spec, layer).in_memory)


def in_memory(spec: Spec) -> tuple[int, ...]:
    """The weight layers in a digital memory, from the input up."""
    return tuple(layer for layer in range(count(spec)) if device_of(spec, layer).in_memory)


def alone(spec: Spec, layer: int) -> Spec:
    """Weight layer `layer` as a separate chip; the spec itself if it has one layer.

    A line of a layer that is read in both directions is driven by a digit, which is as wide as the line's converter;
    the inputs of the separate chip have this width. Every layer has its own seed.
    """
    beside = spec.learning.rows_beside if layer == 0 else 0
    if one_way(spec) and not spec.device.layers and not beside:
        return spec
    device = device_of(spec, layer)
    fields: dict[str, Any] = {name: getattr(device, name) for name in LayerDevice.model_fields}
    rows, columns = spec.chip.layers[layer : layer + 2]
    changes: dict[str, Any] = {
        "chip": spec.chip.model_copy(update={"layers": (rows + beside, columns)}),
        "device": Device.model_construct(**fields, layers={}, drift_compensation=spec.device.drift_compensation),
        "learning": spec.learning.of_layer(layer),
        "seed": (spec.seed + layer * _SEED_STEP) % 2**32,
    }
    if both_ways(spec, layer):
        changes["encoder"] = spec.encoder.model_copy(update={"bits": device.array.dac_bits})
    return spec.model_copy(update=changes)


def spread(device: Device, layers: int) -> Device:
    """`device` with one device per weight layer if there are several or they differ; else the short form.

    A layer that names a model or a file starts without the parameters and switches of the others. What a digital layer
    is given of a device stays in sight, where `unused` refuses it or says so.
    """
    given = device.layers
    if any(int(key) >= layers for key in given):
        return device  # a fault that is reported elsewhere
    each = {str(layer): _own(device, given.get(str(layer)), layers > 1) for layer in range(layers)}
    beside = device.in_memory and bool(device.parameters)  # of a layer that is on cells they may seem
    if given and (beside or any(has_use_for_none(one, device.array) for one in each.values())):
        return device.model_copy(update={"layers": each})
    if all(one.in_memory for one in each.values()):
        digital: dict[str, Any] = {"layers": {}, "model": "sram", "file": None, "sha256": None, "sheet": None}
        return device.model_copy(update=digital) if given else device
    if layers > 1:
        return device.model_copy(update={"layers": each})
    return device.model_copy(update={"layers": {}, **{name: getattr(each["0"], name) for name in _fields()}})


def has_use_for_none(layer: LayerDevice, array: Array) -> bool:
    """Whether a layer is digital and yet has switches, parameters, a sheet, or an array that is not all layers'."""
    own = layer.off or layer.parameters or layer.sheet or layer.sha256 or layer.array != array
    return layer.in_memory and bool(own)


def _own(device: Device, given: LayerDevice | None, several: bool) -> LayerDevice:
    base = device.model_dump(include=set(_fields()))
    if several:  # a switch for all layers applies to every layer that has it
        base["off"] = ()
    own = given.model_dump(exclude_unset=True) if given is not None else {}
    if "model" in own or "file" in own:
        base = {name: value for name, value in base.items() if name not in _OWN}
        base |= {} if "model" in own else {"model": "sram"}
    made = LayerDevice.model_validate(merged(base, own), context={CANONICAL: True})
    common: tuple[str, ...] = () if made.in_memory else _known(made, device.off) if several else device.off
    return made.model_copy(update={"off": tuple(dict.fromkeys((*made.off, *common)))})


def _fields() -> tuple[str, ...]:
    return tuple(LayerDevice.model_fields)


def _known(device: LayerDevice, names: tuple[str, ...]) -> tuple[str, ...]:
    """Those of `names`, switched off for all layers, that this device has."""
    own = switches_of(device)
    return tuple(name for name in names if name in own)


@lru_cache(maxsize=64)
def _non_idealities(text: str) -> tuple[str, ...]:
    device = LayerDevice.model_validate_json(text, context={CANONICAL: True})
    return tuple(device.cell_model().non_idealities)


def switches_of(device: LayerDevice) -> tuple[str, ...]:
    """Every switchable non-ideality of a device on cells; empty for an invalid device."""
    from edgesdt.spec.schema.device import ARRAY_SWITCHES
    from hw_models.base import DeviceError

    try:
        own = _non_idealities(device.model_copy(update={"off": (), "array": Array()}).model_dump_json())
    except (DeviceError, OSError):
        own = ()
    return (*ARRAY_SWITCHES, *own)
