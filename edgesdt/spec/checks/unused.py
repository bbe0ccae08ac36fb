"""Settings without effect on the chip: refused if they are probably a mistake, else a warning."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator

from edgesdt.spec import layers
from edgesdt.spec.checks.hints import Path, dotted, shown
from edgesdt.spec.schema.chip import Biases
from edgesdt.spec.schema.device import Array, LayerDevice
from edgesdt.spec.schema.spec import Spec
from edgesdt.spec.sweep import groups
from edgesdt.spec.text.source import Fault
from edgesdt.spec.types import Section

_FORGOTTEN = "allowed: an analog device.model (did you forget it?)"
_CHOOSES = (("device",), ("device", "model"), ("device", "file"))


def of_digital(spec: Spec) -> Iterator[Fault]:
    """Switches and parameters of a cell beside a digital memory, of the chip or of a layer; sheets without a file.

    Nothing where a sweep chooses the device.
    """
    if _is_chosen_by_sweep(spec):
        return
    device = spec.device
    if device.in_memory:  # beside layers on cells, `off` is of all of them
        yield from _of_a_cell(device, ("device",), with_switches=device.digital)
    yield from _without_file(device, ("device",))
    for layer, own in device.layers.items():
        inside: Path = ("device", "layers", layer)
        if int(layer) < layers.count(spec):
            yield from _of_a_cell(own, inside, beside=device) if own.in_memory else ()
            yield from _without_file(own, inside, beside=device)


def _of_a_cell(
    device: LayerDevice, inside: Path, with_switches: bool = True, beside: LayerDevice | None = None
) -> Iterator[Fault]:
    """Switches and parameters of a digital memory at `inside`, but for those of all layers (`beside`), said there."""
    inherited = beside.parameters if beside is not None and beside.in_memory else {}
    forgotten = f"allowed: an analog {dotted((*inside, 'model'))} (did you forget it?)"
    for index, name in enumerate(device.off if with_switches else ()):
        path: Path = (*inside, "off", index)
        text = f"{shown(name)}: sram weights are digital and have no non-ideality, {forgotten}"
        yield Fault(path, text, blame=(path, (*inside, "off"), (*inside, "model"), inside))
    for name, value in device.parameters.items():
        if name in inherited:
            continue
        path2: Path = (*inside, "parameters", name)
        text = f"{shown(value)}: sram weights are digital and have no such parameter, {forgotten}"
        yield Fault(path2, text, blame=(path2, (*inside, "parameters"), (*inside, "model"), inside))


def _without_file(device: LayerDevice, inside: Path, beside: LayerDevice | None = None) -> Iterator[Fault]:
    """A digest or a text of a sheet that is not named, but for those of all layers (`beside`)."""
    for key in ("sha256", "sheet") if device.file is None else ():
        value = getattr(device, key)
        if value is not None and value != getattr(beside, key, None):
            path: Path = (*inside, key)
            yield Fault(path, f"of no use without {dotted((*inside, 'file'))}, allowed: null", blame=(path, inside))


def settings(spec: Spec) -> list[str]:
    """Warnings on settings without effect."""
    return [*_levels(spec), *_of_devices(spec)]


def _levels(spec: Spec) -> list[str]:
    """A warning on rounding to levels that are all that is stored."""
    weights = spec.chip.weights
    if weights.levels != "nearest" or weights.hidden_bits:
        return []
    return ["chip.weights.levels: nearest: no effect without hidden bits, allowed: floor, or hidden_bits of 1 or more"]


def _of_devices(spec: Spec) -> list[str]:
    """Warnings on settings of devices and arrays.

    An array with a digital memory is allowed, since a sweep may choose the device.
    """
    array = spec.device.array
    if spec.device.digital and spec.device.layers:
        return _of_digital_layers(spec)
    if spec.device.digital:
        found = [f"device.array.{name}" for name in Array.model_fields if _differs(array, name)]
        found += ["device.drift_compensation"] if spec.device.drift_compensation != "none" else []
        told = f"{', '.join(found)}: no effect, sram weights are digital and have no array; {_FORGOTTEN}"
        return [told] if found else []
    if spec.device.layers:
        on_cells = [f"layer {k}: {told}" for k in layers.on_cells(spec) for told in _of_devices(layers.alone(spec, k))]
        return [*_of_digital_layers(spec), *on_cells]
    if array.read_noise == "none" and array.read_noise_sd > 0:
        other = "allowed: additive or proportional with it"
        return [f"device.array.read_noise_sd: {array.read_noise_sd:g}: no effect with read_noise: none, {other}"]
    if array.read_noise != "none" and array.read_noise_sd == 0:
        other = "allowed: a read_noise_sd above 0 with it"
        return [f"device.array.read_noise: {array.read_noise}: no effect with read_noise_sd: 0, {other}"]
    if spec.device.drift_compensation != "none" and not spec.deployment.times:
        return ["device.drift_compensation: global: no effect without deployment.times, allowed: none, or a rest"]
    return []


def biases(spec: Spec) -> list[str]:
    """A warning on biases with a format of their own, for a rule whose neurons have none."""
    given = spec.chip.biases
    if not given.enabled or given == Biases():
        return []
    return [f"chip.biases: no effect, neurons of {spec.learning.rule} have no bias"]


def fields(section: Section, path: str, names: Iterable[str], why: str) -> list[str]:
    """Warnings on the fields `names` of the section at `path` with other values than the default; `why` they are idle.

    A value that a register has rounded is that of the default: a resolved spec gives no more warnings than its source.
    """
    given = {name: (getattr(section, name), type(section).model_fields[name].default) for name in names}
    return [
        f"{path}.{name}: {shown(value)}: no effect {why}"
        for name, (value, default) in given.items()
        if not (math.isclose(value, default, rel_tol=_ROUNDED) if isinstance(value, float) else value == default)
    ]


_ROUNDED = 0.01
"""Largest relative difference between a default and its register."""


def _of_digital_layers(spec: Spec) -> list[str]:
    """Arrays of digital layers that are not those of all layers."""
    told = []
    for k in layers.in_memory(spec):
        own = layers.device_of(spec, k).array
        for name in Array.model_fields:
            if getattr(own, name) != getattr(spec.device.array, name):
                place, why = f"device.layers.{k}", "no effect, sram weights are digital and have no array"
                told.append(f"{place}.array.{name}: {why}; allowed: an analog {place}.model (did you forget it?)")
    return told


def _differs(array: Array, name: str) -> bool:
    return bool(getattr(array, name) != Array.model_fields[name].default)


def _is_chosen_by_sweep(spec: Spec) -> bool:
    """Whether a sweep sets the devices of this spec; its points are then checked separately."""
    section = spec.sweep or {}
    swept = section.get("parameters", section)
    names = {*swept, *groups.fields_of(section.get(groups.KEY))} if isinstance(swept, dict) else set()
    return any(".".join(path) in names for path in _CHOOSES) or any(name.startswith("device.layers") for name in names)
