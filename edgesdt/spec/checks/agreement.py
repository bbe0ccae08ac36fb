"""Checks that the fields of a spec agree with each other, and fills in defaults that depend on other fields."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any, TypeVar

from edgesdt import registry
from edgesdt.spec import layers, named_files
from edgesdt.spec.checks import hidden, layered, memory_faults, phased, unused
from edgesdt.spec.checks.device_faults import faults_of
from edgesdt.spec.checks.hints import Path, dotted
from edgesdt.spec.schema.device import LayerDevice
from edgesdt.spec.schema.learning import DROPOUT_OUTPUT_LABEL, Targeted
from edgesdt.spec.schema.phases import Part, Phase
from edgesdt.spec.schema.spec import Spec, Technology
from edgesdt.spec.sets import SETS, SetFacts
from edgesdt.spec.text.source import Fault

_LAYERS = ("chip", "layers")
_SET = ("data", "set")
_TARGET = ("learning", "target")


def completed(spec: Spec, data: Mapping[str, Any]) -> Spec:
    """The spec with one learning rate per weight layer, and without output dropout by default with labels.

    `data` is the plain data of the spec, where a single rate differs from a list of one rate.
    """
    learning = spec.learning
    section = data.get("learning")
    rate = section.get("learning_rate") if isinstance(section, Mapping) else None
    changes: dict[str, Any] = {}
    if not isinstance(rate, list | tuple):
        changes["learning_rate"] = learning.learning_rate[:1] * (len(spec.chip.layers) - 1)
    if isinstance(learning, Targeted) and _drops_by_default(learning):
        changes["dropout"] = learning.dropout.model_copy(update={"output": DROPOUT_OUTPUT_LABEL})
    spec = spec.model_copy(update={"learning": learning.model_copy(update=changes)})
    spec = _with_files(spec)
    spec = spec.model_copy(update={"device": layers.spread(spec.device, layers.count(spec))})
    if not spec.device.layers:
        return spec.model_copy(update={"device": _device_completed(spec, spec.device)})
    each = {
        key: _device_completed(layers.alone(spec, int(key)), device) if int(key) < layers.count(spec) else device
        for key, device in spec.device.layers.items()
    }
    return spec.model_copy(update={"device": spec.device.model_copy(update={"layers": each})})


_Held = TypeVar("_Held", bound=LayerDevice)


def _device_completed(spec: Spec, device: _Held) -> _Held:
    """The device of a `spec` with one weight layer, with its weight range filled in."""
    if not device.in_memory and device.array.weight_per_range is None:
        array = device.array.model_copy(update={"weight_per_range": _weight_range(spec)})
        device = device.model_copy(update={"array": array})
    return device


def _drops_by_default(learning: Targeted) -> bool:
    """Whether output dropout with labels would come only from its default."""
    return learning.target == "label" and "output" not in learning.dropout.model_fields_set


def _with_files(spec: Spec) -> Spec:
    """The spec with digests of the files that it names, and the texts of sheets; missing files are left out."""
    changes: dict[str, Any] = {name: _with_sheet(getattr(spec, name)) for name in ("device", "technology")}
    if spec.device.layers:
        each = {key: _with_sheet(device) for key, device in spec.device.layers.items()}
        changes["device"] = changes["device"].model_copy(update={"layers": each})
    if spec.data.sha256 is None and spec.data.set.lower().endswith(".npz"):
        changes["data"] = spec.data.model_copy(update={"sha256": named_files.digest(spec.data.set)})
    if spec.phases:
        changes["phases"] = tuple(_part_with_file(phase) for phase in spec.phases)
    return spec.model_copy(update=changes)


_Part = TypeVar("_Part", bound=Part)


def _part_with_file(part: _Part) -> _Part:
    """A phase or a part of one with the digest of its own data file, if it names one."""
    changes: dict[str, Any] = {}
    if part.set is not None and part.sha256 is None and part.set.lower().endswith(".npz"):
        changes["sha256"] = named_files.digest(part.set)
    if isinstance(part, Phase) and part.alternate:
        changes["alternate"] = tuple(map(_part_with_file, part.alternate))
    return part.model_copy(update=changes) if changes else part


_Named = TypeVar("_Named", LayerDevice, Technology)


def _with_sheet(section: _Named) -> _Named:
    """The section with text and digest of its sheet, if it names a readable sheet that matches its digest."""
    if section.file is None or section.sheet is not None:
        return section
    with suppress(named_files.SheetError):  # reported by the checks of agreement
        text, digest = named_files.sheet(section.file)
        if section.sha256 in (None, digest):
            return section.model_copy(update={"sheet": text, "sha256": digest})
    return section


def disagreements(spec: Spec, facts: SetFacts | None = None) -> Iterator[Fault]:
    """Faults between fields that are valid by themselves; `blame` holds every path that takes part.

    `facts` describes the spec's data set if it is not one that loads by name.
    """
    facts = facts or SETS.get(spec.data.set)
    told = list(phased.faults(spec, facts))
    yield from told
    places = {dotted(fault.path) for fault in told}
    yield from (fault for fault in phased.section_faults(spec) if dotted(fault.path) not in places)
    for stage in phased.staged(spec):
        for fault in _of_stage(stage.spec, SETS.get(stage.part.set) if stage.part.set else facts):
            yield phased.placed(fault, stage)
    yield from _readouts(spec)
    yield from _coarsest(spec)
    yield from memory_faults.smaller_than_a_word(spec)
    yield from unused.of_digital(spec)
    yield from _prices(spec)
    yield from layered.faults(spec)
    for layer in layers.on_cells(spec):
        found = _cells(layers.alone(spec, layer))
        yield from found if not spec.device.layers else (layered.placed(fault, layer) for fault in found)
    if facts:
        yield from _inputs(spec, facts)
        yield from _samples(spec, facts)


def _of_stage(spec: Spec, facts: SetFacts | None) -> Iterator[Fault]:
    """Faults of the learning section of a run, or of one stage of it."""
    yield from _rates(spec)
    yield from _rule(spec)
    if isinstance(spec.learning, Targeted):
        yield from _target(spec, spec.learning)
        yield from phased.consolidation(spec, spec.learning)
    yield from _homeostasis(spec)
    if facts:
        yield from _classes(spec, facts)


def _rates(spec: Spec) -> Iterator[Fault]:
    given, needed = len(spec.learning.learning_rate), len(spec.chip.layers) - 1
    if given != needed:
        path = ("learning", "learning_rate")
        wanted = f"one number, or a list of {needed} (one per weight layer)"
        text = f"wrong number of rates: {given}, allowed: {wanted}"
        yield Fault(path, text, blame=(path, _LAYERS))


def _rule(spec: Spec) -> Iterator[Fault]:
    """Faults of the learning rule: an unsupported target or synapse type, and the rule's own checks."""
    rule = registry.load(spec.learning.rule)
    kind = "digital" if spec.device.digital else "cells"
    if spec.learning.target not in rule.targets:
        text = f"rule {rule.name} has no target {spec.learning.target!r}, allowed: {', '.join(rule.targets)}"
        yield Fault(_TARGET, text, blame=(_TARGET, _TARGET[:1], _RULE))
    if kind not in rule.synapses:
        others = [name for name in registry.usable() if kind in registry.load(name).synapses]
        text = f"rule {rule.name} does not run on {_KINDS[kind]}, allowed: {', '.join(others) or 'no rule'}"
        yield Fault(_RULE, text, blame=(_RULE, ("device", "model"), ("device",)))
    yield from hidden.faults(spec, rule.hidden_bits)
    yield from rule.disagreements(spec)


def _readouts(spec: Spec) -> Iterator[Fault]:
    """Faults of read-outs that the rule does not have, or that need a label as the target of some samples."""
    rule = registry.load(spec.learning.rule)
    targets = {stage.spec.learning.target for stage in phased.staged(spec)}
    for place, name in enumerate(spec.readout):
        path: Path = ("readout", place)
        if name not in rule.readouts:
            text = f"rule {rule.name} has no read-out {name!r}, allowed: {', '.join(rule.readouts)}"
            yield Fault(path, text, blame=(path, ("readout",), _RULE))
        if name == "output" and isinstance(spec.learning, Targeted) and targets == {"self_defined"}:
            text = "'output' needs learning.target: label, with self_defined allowed: direct, linear"
            yield Fault(path, text, blame=(path, ("readout",), _TARGET))


_RULE = ("learning", "rule")
_KINDS = {"digital": "a digital memory", "cells": "analog cells"}


def _target(spec: Spec, learning: Targeted) -> Iterator[Fault]:
    outputs = spec.chip.layers[-1]
    if learning.target == "self_defined":
        if learning.winners >= outputs:
            path = ("learning", "winners")
            most = f"1..{outputs - 1} (fewer than the {outputs} output neurons)"
            wanted = most if outputs > 1 else "a chip of 2 or more output neurons"
            text = f"too many winners: {learning.winners}, allowed: {wanted}"
            yield Fault(path, text, blame=(path, _LAYERS, _TARGET))
    elif learning.dropout.output != 0:
        path3 = ("learning", "dropout", "output")
        text = f"output dropout with learning.target: label: {learning.dropout.output:g}, allowed: 0"
        yield Fault(path3, text, blame=(path3, _TARGET))


def _cells(spec: Spec) -> Iterator[Fault]:
    """Faults of a weight layer on analog cells, checked as a separate chip."""
    from hw_models.base import DeviceError

    device = spec.device
    if device.model != "sram" and device.file is not None:
        path = ("device", "file")
        yield Fault(path, f"beside model {device.model}, allowed: one of the two", blame=(path, ("device", "model")))
        return
    try:
        if device.file is not None and device.sha256 not in (None, device.digest()):
            path = ("device", "sha256")
            text = f"{device.file} has changed, allowed: {device.digest()}"
            yield Fault(path, text, blame=(path, ("device", "file")))
        needed, held = _needed_range(spec), device.array.weight_per_range
        if needed > _MOST_RANGE:
            path = ("device", "parameters")
            text = f"one bound lies so near 0 that the first weights need {needed:.3g} of weight per range, allowed: "
            scale = ("device", "array", "weight_per_range")
            yield Fault(path, f"{text}up to {_MOST_RANGE}", blame=(path, scale, ("device",)))
        elif held is not None and held < needed:
            scale = ("device", "array", "weight_per_range")
            text = f"{held:g} cannot hold the first weights (chip.weights.init_gain), allowed: {needed:.4g}..1000"
            yield Fault(scale, text, blame=(scale, ("chip", "weights", "init_gain"), ("chip", "layers"), ("device",)))
    except (DeviceError, OSError, named_files.SheetError) as error:
        yield from faults_of(error, device)
    yield from _wires(spec)
    yield from _slices(spec)
    if spec.learning.batch != 1:
        path = ("learning", "batch")
        text = f"mini-batches of {spec.learning.batch} on analog cells, allowed: 1 (one sample at a time)"
        yield Fault(path, text, blame=(path, ("device", "model"), ("device",)))


def _prices(spec: Spec) -> Iterator[Fault]:
    """Faults of the user's own technology table: it is incomplete, has changed, or is given beside a named table."""
    from hw_models.technology import TechnologyError

    section, path = spec.technology, ("technology", "file")
    if section.file is None:
        for key in ("sha256", "sheet"):
            if getattr(section, key) is not None:
                yield Fault(("technology", key), "no effect without technology.file, allowed: null")
        return
    if "table" in section.model_fields_set:
        text = f"beside table {section.table}, allowed: one of the two (technology.file: null for the named one)"
        yield Fault(path, text, blame=(path, ("technology", "table")))
        return
    try:
        sheet = section.sheet
        found = hashlib.sha256(sheet.encode()).hexdigest() if sheet else named_files.sheet(section.file)[1]
        if section.sha256 not in (None, found):
            text = f"{section.file} has changed, allowed: {found}"
            yield Fault(("technology", "sha256"), text, blame=(("technology", "sha256"), path))
            return
        section.prices()
    except (TechnologyError, named_files.SheetError) as error:
        for line in str(error).splitlines():
            at = ("technology", "node") if line.startswith("node_nm: ") else path
            yield Fault(at, line, blame=(at, path, ("technology",)))


def _wires(spec: Spec) -> Iterator[Fault]:
    """IR drop needs conductances."""
    from hw_models.base import DeviceError

    if not spec.device.array.has_ir_drop:
        return
    try:
        model = spec.device.cell_model()
    except (DeviceError, OSError, named_files.SheetError):
        return  # already reported
    if model.quantity == "weight" and model.drive is None:
        path = ("device", "array", "wire_resistance")
        text = f"IR drop on {model.name}, which has a weight but no conductance, allowed: null or 0 with this device"
        yield Fault(path, text, blame=(path, ("device", "model"), ("device",)))


def _slices(spec: Spec) -> Iterator[Fault]:
    """Digits need states enough, and room for what piles up between two carries."""
    from hw_models.base import DeviceError
    from hw_models.mapping import Mapping as Held
    from hw_models.mapping import states_of

    array, path = spec.device.array, ("device", "array", "bits_per_cell")
    if array.slices == 1:
        return
    blame = (path, ("device", "array", "slices"), ("device", "model"), ("device",))
    try:
        model = spec.device.cell_model()
        held = Held(array.mapping, 1.0, array.slices, array.bits_per_cell)
    except DeviceError as error:
        if str(error).startswith("bits_per_cell: "):  # faults of the model are already reported
            yield Fault(path, str(error).removeprefix("bits_per_cell: "), blame=blame)
        return
    except (OSError, named_files.SheetError):
        return
    states, needed = states_of(model), held.states_to_carry(model)
    if states < needed:
        fewer = range(1, array.bits_per_cell)
        most = [bits for bits in fewer if states >= replace(held, bits_per_cell=bits).states_to_carry(model)]
        wanted = f"1..{most[-1]}" if most else "slices: 1 with this device"
        text = f"{array.bits_per_cell} bits and the carry need {needed:.0f} states, {model.name} has about "
        yield Fault(path, f"{text}{states:.0f}, allowed: {wanted}", blame=blame)


_USUAL_RANGE = 0.1
"""Weight per conductance range that learns best at 784 inputs with most devices; half or twice the value is worse."""


_MOST_RANGE = 1000
"""The largest `weight_per_range`, as its field says."""


def _weight_range(spec: Spec) -> float:
    """The default of `weight_per_range`: the usual value, or that for the initial weights, rounded up to two digits."""
    from hw_models.base import DeviceError

    try:
        needed = _needed_range(spec)
    except (DeviceError, OSError, named_files.SheetError):
        return _USUAL_RANGE  # what is wrong is said where the fields are held against each other
    if not _USUAL_RANGE < needed <= _MOST_RANGE:
        return _USUAL_RANGE
    digit = 10.0 ** (math.floor(math.log10(needed)) - 1)
    return float(f"{math.ceil(needed / digit) * digit:.2g}")


def _needed_range(spec: Spec) -> float:
    """The smallest `weight_per_range` that holds the first weights, Xavier-uniform. Raises `DeviceError`."""
    from hw_models.mapping import Mapping as Held

    bound = spec.chip.weights.init_gain * math.sqrt(6.0 / sum(spec.chip.layers[:2]))
    low, high = Held(spec.device.array.mapping, 1.0).weight_range(spec.device.cell_model())
    return bound / min(-low, high)


def _coarsest(spec: Spec) -> Iterator[Fault]:
    chip = spec.chip
    coarsest = chip.biases.frac_bits - 30 if chip.biases.enabled else -8
    if chip.weights.frac_bits != "auto" and chip.weights.frac_bits < coarsest:
        path = ("chip", "weights", "frac_bits")
        text = f"too coarse to be aligned with chip.biases.frac_bits: {chip.weights.frac_bits}, allowed: {coarsest}..24"
        yield Fault(path, text, blame=(path, ("chip", "biases", "frac_bits"), ("chip",)))


def _homeostasis(spec: Spec) -> Iterator[Fault]:
    chip = spec.chip
    if not isinstance(spec.learning, Targeted) or spec.learning.target != "self_defined":
        return
    given = spec.learning.homeostasis.frac_bits
    if given < chip.states.bits:
        path = ("learning", "homeostasis", "frac_bits")
        text = f"coarser than a state: {given}, allowed: {chip.states.bits}..24 (chip.states.bits or more)"
        yield Fault(path, text, blame=(path, ("chip", "states", "bits"), ("chip",)))


def _inputs(spec: Spec, facts: SetFacts) -> Iterator[Fault]:
    sizes = spec.chip.layers
    if sizes[0] != facts.inputs:
        text = f"does not fit {spec.data.set}: {sizes[0]} inputs, allowed: {facts.inputs}"
        yield Fault((*_LAYERS, 0), text, blame=((*_LAYERS, 0), _LAYERS, _SET))


def _classes(spec: Spec, facts: SetFacts) -> Iterator[Fault]:
    sizes, rule = spec.chip.layers, registry.load(spec.learning.rule)
    if spec.learning.target == "label" and rule.classes(spec) != facts.classes:
        path: Path = tuple(rule.classes_in.split(".")) if rule.classes_in else (*_LAYERS, len(sizes) - 1)
        what = "labels" if rule.classes_in else "outputs"
        text = f"does not fit the classes of {spec.data.set}: {rule.classes(spec)} {what}, allowed: {facts.classes}"
        yield Fault(path, f"{text} (with learning.target: label)", blame=(path, path[:-1], _LAYERS, _SET, _TARGET))


def _samples(spec: Spec, facts: SetFacts) -> Iterator[Fault]:
    for split, given, held in (("train", spec.data.train, facts.train), ("test", spec.data.test, facts.test)):
        if given is not None and given > held:
            path = ("data", split)
            text = f"more samples than {spec.data.set} has: {given}, allowed: 1..{held} or null for all"
            yield Fault(path, text, blame=(path, _SET))
