"""Settings of a device without effect on its chip: refused if they are probably a mistake, else a warning."""

from __future__ import annotations

from collections.abc import Iterator

from edgesdt.spec import layers
from edgesdt.spec.hints import Path, shown
from edgesdt.spec.schema.device import Array
from edgesdt.spec.schema.spec import Spec
from edgesdt.spec.source import Fault
from edgesdt.spec.sweep import groups

_FORGOTTEN = "allowed: an analog device.model (did you forget it?)"
_CHOOSES = (("device",), ("device", "model"), ("device", "file"))


def of_digital(spec: Spec) -> Iterator[Fault]:
    """Faults of cell switches and parameters with a digital memory; none if a sweep chooses the device."""
    device = spec.device
    if not device.digital or _is_chosen_by_sweep(spec):
        return
    model: Path = ("device", "model")
    for index, name in enumerate(device.off):
        path = ("device", "off", index)
        text = f"{shown(name)}: sram weights are digital and have no non-ideality, {_FORGOTTEN}"
        yield Fault(path, text, blame=(path, ("device", "off"), model))
    for name, value in device.parameters.items():
        path2 = ("device", "parameters", name)
        text = f"{shown(value)}: sram weights are digital and have no such parameter, {_FORGOTTEN}"
        yield Fault(path2, text, blame=(path2, ("device", "parameters"), model))


def settings(spec: Spec) -> list[str]:
    """Warnings on settings without effect.

    An array with a digital memory is allowed, since a sweep may choose the device.
    """
    array = spec.device.array
    if spec.device.digital:
        found = [f"device.array.{name}" for name in Array.model_fields if _differs(array, name)]
        found += ["device.drift_compensation"] if spec.device.drift_compensation != "none" else []
        told = f"{', '.join(found)}: no effect, sram weights are digital and have no array; {_FORGOTTEN}"
        return [told] if found else []
    if spec.device.layers:
        return [f"layer {k}: {told}" for k in layers.on_cells(spec) for told in settings(layers.alone(spec, k))]
    if array.read_noise == "none" and array.read_noise_sd > 0:
        other = "allowed: additive or proportional with it"
        return [f"device.array.read_noise_sd: {array.read_noise_sd:g}: no effect with read_noise: none, {other}"]
    if array.read_noise != "none" and array.read_noise_sd == 0:
        other = "allowed: a read_noise_sd above 0 with it"
        return [f"device.array.read_noise: {array.read_noise}: no effect with read_noise_sd: 0, {other}"]
    if spec.device.drift_compensation != "none" and not spec.deployment.times:
        return ["device.drift_compensation: global: no effect without deployment.times, allowed: none, or a rest"]
    return []


def _differs(array: Array, name: str) -> bool:
    return bool(getattr(array, name) != Array.model_fields[name].default)


def _is_chosen_by_sweep(spec: Spec) -> bool:
    """Whether a sweep sets the devices of this spec; its points are then checked separately."""
    section = spec.sweep or {}
    swept = section.get("parameters", section)
    names = {*swept, *groups.fields_of(section.get(groups.KEY))} if isinstance(swept, dict) else set()
    return any(".".join(path) in names for path in _CHOOSES)
