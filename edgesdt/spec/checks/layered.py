"""Checks devices of single weight layers, and assigns the faults of a separately checked layer to its fields."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from edgesdt.spec import layers
from edgesdt.spec.checks.hints import Path, flat
from edgesdt.spec.schema.spec import Spec
from edgesdt.spec.text.source import Fault

_DEVICE = ("device",)


def faults(spec: Spec) -> Iterator[Fault]:
    """Faults of devices for missing layers, and of settings that only a chip with one weight layer may have."""
    there, sizes = layers.count(spec), "-".join(map(str, spec.chip.layers))
    for key in spec.device.layers:
        if int(key) >= there:
            path: Path = ("device", "layers", key)
            known = f"0..{there - 1}" if there > 1 else "0"
            text = f"no such layer: {key}, allowed: {known} ({sizes} has {there} layer{'s' * (there > 1)} of weights)"
            yield Fault(path, text, blame=(path, ("device", "layers"), ("chip", "layers")))
    if layers.one_way(spec):
        return
    if there > 1:
        yield from _switches(spec)
    for layer in layers.on_cells(spec):
        yield from _alone_only(spec, layer)
    if layers.on_cells(spec) and spec.device.drift_compensation != "none":
        path = ("device", "drift_compensation")
        text = f"{spec.device.drift_compensation} with {_arrays(spec)}, allowed: none"
        yield Fault(path, f"{text}{', or one layer' * (there > 1)}", blame=(path, *_CHANGEABLE))


def _arrays(spec: Spec) -> str:
    """What the chip has that arrays of some kinds do not allow."""
    there = layers.count(spec)
    return f"{there} layers of weights" if there > 1 else f"an array that rule {spec.learning.rule} reads both ways"


def _switches(spec: Spec) -> Iterator[Fault]:
    """Switches for all layers that none of them has."""
    switches = [name for k in layers.on_cells(spec) for name in layers.switches_of(layers.device_of(spec, k))]
    for index, name in enumerate(spec.device.off if switches else ()):
        if name not in switches:
            path = ("device", "off", index)
            text = f"unknown non-ideality {name!r} of every layer, allowed: {', '.join(dict.fromkeys(switches))}"
            yield Fault(path, text, blame=(path, ("device", "off"), _DEVICE))


_CHANGEABLE: tuple[Path, ...] = (("device", "layers"), ("chip", "layers"), _DEVICE)


def _alone_only(spec: Spec, layer: int) -> Iterator[Fault]:
    """Faults of a layer of a larger chip: slices and wires are not supported; coincidence only in the first layer."""
    array = layers.device_of(spec, layer).array
    for name, wrong, told, allowed in (
        ("slices", array.slices > 1, f"{array.slices}", "1"),
        ("wire_resistance", array.has_ir_drop, f"{array.wire_resistance:g} Ohm" if array.has_ir_drop else "", "null"),
        ("programming", layer > 0 and array.programming == "coincidence", "coincidence", "pulses or verify"),
    ):
        if wrong:
            rest = ("array", name)
            where = "above the input" if name == "programming" else f"with {_arrays(spec)}"
            inside: Path = ("device", "layers", str(layer)) if spec.device.layers else _DEVICE
            path: Path = (*inside, *rest)
            yield Fault(path, f"{told} {where}, allowed: {allowed}", blame=(path, (*_DEVICE, *rest), *_CHANGEABLE))


def at_written(fault: Fault, data: Mapping[str, Any]) -> Fault:
    """The fault of a device at the field that `data` has: that of one layer, or else that of all of them.

    A chip of one weight layer has its device in the short form, wherever it was written.
    """
    if fault.path[:1] != _DEVICE:
        return fault
    layer = str(fault.path[2]) if fault.path[1:2] == ("layers",) and len(fault.path) > 2 else "0"
    inside: Path = ("device", "layers", layer)

    def both(path: Path) -> tuple[Path, ...]:
        if path[:3] == inside:
            return path, (*_DEVICE, *path[3:])
        return ((*inside, *path[1:]), path) if path[:1] == _DEVICE and path[1:2] != ("layers",) else (path,)

    places = both(fault.path)
    place = next((each for each in places if is_written(data, each)), fault.path)
    blame = [each for path in (fault.blame or (fault.path,)) for each in both(path)]
    return replace(fault, path=place, blame=tuple(dict.fromkeys((place, *blame))))


def is_written(data: Any, path: Path) -> bool:
    """Whether plain data have a value at `path`, its parts and their keys dotted or not."""
    if not path:
        return True
    if isinstance(path[0], int):
        return isinstance(data, list | tuple) and path[0] < len(data) and is_written(data[path[0]], path[1:])
    if not isinstance(data, Mapping):
        return False
    parts = flat(path)
    keys = ((key, flat((str(key),))) for key in data)
    return any(parts[: len(key)] == key and is_written(data[name], parts[len(key) :]) for name, key in keys)


def placed(fault: Fault, layer: int) -> Fault:
    """The fault of a weight layer that was checked as a separate chip, moved to the fields of that layer."""
    inside = ("device", "layers", str(layer))

    def own(path: Path) -> Path:
        return (*inside, *path[1:]) if path[:1] == _DEVICE and len(path) > 1 else path

    blame = [each for path in fault.blame for each in (own(path), path)]
    return replace(fault, path=own(fault.path) if fault.path != _DEVICE else inside, blame=tuple(blame))
