"""Checks the phases of a spec: labels, samples, what a rule lets change between phases, and each stage by itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

from edgesdt import registry
from edgesdt.spec import layers
from edgesdt.spec.checks.hints import Path, did_you_mean, shown
from edgesdt.spec.fields import field_at, section_at
from edgesdt.spec.schema.learning import Targeted
from edgesdt.spec.schema.phases import OWN_FIELDS, Part
from edgesdt.spec.schema.spec import Spec
from edgesdt.spec.sets import SETS, SetFacts
from edgesdt.spec.stages import MIXED, Stage, StageError, is_phased, stages
from edgesdt.spec.text.source import Fault

_TARGET: Path = ("learning", "target")
_LABELS: Path = ("data", "labels")
_RULE: Path = ("learning", "rule")


def faults(spec: Spec, facts: SetFacts | None) -> Iterator[Fault]:
    """Faults of known labels and of phases, without those of a stage by itself."""
    yield from _labels(spec, facts)
    yield from _replay(spec)
    if not is_phased(spec):
        return
    yield from _mixed(spec)
    yield from _names(spec)
    yield from _changes(spec)
    if spec.learning.target == MIXED and not _some_unknown(spec):
        return  # what `_mixed` says is the reason for all that its phases would say
    for stage in staged(spec):
        yield from _samples(spec, stage, facts)


def staged(spec: Spec) -> tuple[Stage, ...]:
    """The stages of `spec`; none where a part has a faulty learning section, which `section_faults` tells."""
    try:
        return stages(spec)
    except StageError:
        return ()


def section_faults(spec: Spec) -> Iterator[Fault]:
    """Faults of the first part whose learning section is refused."""
    from edgesdt.spec.checks.faults import inside  # that module imports the fields, which import the schema

    try:
        stages(spec)
    except StageError as error:
        for fault in inside(error.error, ("learning",), spec.learning.rule):
            name = str(fault.path[1]) if len(fault.path) > 1 else ""
            path = (*error.place, *fault.path[1 if name in _BESIDE else 0 :])
            yield replace(fault, path=path, blame=(path, error.place))


def placed(fault: Fault, stage: Stage) -> Fault:
    """A fault of a stage at the fields of its part, where that gives them."""
    if not stage.place:
        return fault

    def own(path: Path) -> tuple[Path, ...]:
        if path[:1] != ("learning",) or len(path) < 2:
            return (path,)
        name = str(path[1])
        if name in _BESIDE and getattr(stage.part, name) is not None:
            return (*stage.place, *path[1:]), path
        return ((*stage.place, *path), path) if name in map(_head, stage.part.learning) else (path,)

    blame = [each for path in fault.blame or (fault.path,) for each in own(path)]
    return replace(fault, path=own(fault.path)[0], blame=tuple(dict.fromkeys(blame)))


_BESIDE: Final = ("target", "learning_rate", "schedule")
"""Fields of `learning` that a part gives itself, not below its `learning:`."""


def _head(key: str) -> str:
    return key.partition(".")[0]


def _labels(spec: Spec, facts: SetFacts | None) -> Iterator[Fault]:
    given = spec.data.labels
    if given is None:
        return
    for name in ("label_fraction", "label_seed"):
        value, usual = getattr(spec, name), Spec.model_fields[name].default
        if value != usual:
            text = f"{value:g} beside data.labels, allowed: {shown(usual)}, or no data.labels (one of the two)"
            yield Fault((name,), text, blame=((name,), _LABELS))
    if facts is None:
        return
    count = (*_LABELS, "count")
    samples = _samples_there(spec, facts)
    if given.count > samples:
        text = f"more labels than training samples: {given.count}, allowed: 1..{samples}"
        yield Fault(count, text, blame=(count, _LABELS, ("data", "train"), ("data", "set")))
    if given.per_class and given.count < facts.classes:
        text = f"fewer labels than classes: {given.count}, allowed: {facts.classes} or more (per_class: true)"
        yield Fault(count, text, blame=(count, _LABELS, ("data", "set")))


def _samples_there(spec: Spec, facts: SetFacts) -> int:
    """Training samples of the run's own data set."""
    return min(spec.data.train or facts.train, facts.train)


def _replay(spec: Spec) -> Iterator[Fault]:
    """A buffer that has no samples, or that nothing is learned from."""
    if spec.chip.replay == "stream":
        return
    path: Path = ("chip", "replay")
    own = [stage for stage in staged(spec) if stage.part.set is None and stage.part.transform is None]
    if spec.data.labels is None:
        text = "buffer without data.labels, allowed: stream, or data: {labels: {count: 600}}"
        yield Fault(path, text, blame=(path, ("chip",), ("data",)))
    elif not any(stage.samples == "labelled" for stage in own):
        text = "buffer without a phase of labelled samples of data.set as they are, allowed: stream"
        yield Fault(path, text, blame=(path, ("chip",), ("phases",)))


def _mixed(spec: Spec) -> Iterator[Fault]:
    if spec.learning.target != MIXED:
        return
    if spec.phases:
        text = "mixed beside phases, allowed: self_defined, label, or no phases (it stands for two of them)"
        yield Fault(_TARGET, text, blame=(_TARGET, ("phases",)))
    elif not _some_unknown(spec):
        text = "mixed without data.labels, allowed with it: data: {labels: {count: 600}}, or a label_fraction below 1"
        yield Fault(_TARGET, text, blame=(_TARGET, ("data",)))


def _some_unknown(spec: Spec) -> bool:
    return spec.data.labels is not None or spec.label_fraction < 1


def _names(spec: Spec) -> Iterator[Fault]:
    seen: list[str] = []
    for number, phase in enumerate(spec.phases):
        here: Path = ("phases", number)
        if phase.name in seen:
            yield Fault((*here, "name"), f"given more than once: {phase.name!r}, allowed: each name once")
        seen.append(phase.name)
        if len(phase.alternate) == 1:
            text = "one part, allowed: two or more, or its fields in the phase itself"
            yield Fault((*here, "alternate"), text, blame=((*here, "alternate"), here))
        if phase.alternate:
            given = [name for name in Part.model_fields if getattr(phase, name) != Part.model_fields[name].get_default(
                call_default_factory=True)]
            for name in given:
                yield Fault((*here, name), "beside alternate, allowed: in its parts", blame=((*here, name), here))
        elif phase.turns != 1:
            yield Fault((*here, "turns"), f"{phase.turns} without alternate, allowed: 1 (nothing takes turns)")


def _changes(spec: Spec) -> Iterator[Fault]:
    """Fields that a rule does not let change between phases, and that it does not have."""
    rule = registry.load(spec.learning.rule)
    may = rule.between_phases
    if not may:
        text = f"rule {rule.name} cannot change between phases, allowed: another rule, or no phases"
        yield Fault(_RULE, text, blame=(_RULE, ("phases",)))
        return
    targets = {stage.spec.learning.target for stage in staged(spec)}
    if len(targets) > 1 and "target" not in may:
        text = f"several targets ({', '.join(sorted(targets))}), rule {rule.name} keeps one for all phases"
        yield Fault(("phases",), text, blame=(("phases",), _RULE, _TARGET))
    for number, phase in enumerate(spec.phases):
        for at, part in enumerate(phase.parts):
            place: Path = ("phases", number, "alternate", at) if phase.alternate else ("phases", number)
            for path in _leaves(part.learning):
                yield from _field(".".join(map(str, path)), (*place, "learning", *path), rule)


def _leaves(given: Mapping[str, Any]) -> Iterator[Path]:
    """Paths of the fields in a section: those in a section of it one by one, so that each may change or not."""
    for key, value in given.items():
        if isinstance(value, Mapping) and value:
            yield from ((key, *path) for path in _leaves(value))
        else:
            yield (key,)


def _field(key: str, path: Path, rule: Any) -> Iterator[Fault]:
    name, may = key.split(".")[0], rule.between_phases
    known: Path = ("learning", *key.split("."))
    if name in OWN_FIELDS:
        where = "only in learning" if name == "rule" else "beside learning, in the phase itself"
        yield Fault(path, f"not a field that goes here, allowed: {where}")
    elif field_at(known, rule.name) is None and section_at(known, rule.name) is None:
        yield Fault(path, f"unknown key, allowed: {', '.join(may)}{did_you_mean(key, may)}")
    elif not any(each == key or key.startswith(f"{each}.") or each.startswith(f"{key}.") for each in may):
        yield Fault(path, f"cannot change between phases, allowed: {', '.join(may)}{did_you_mean(key, may)}")


def _samples(spec: Spec, stage: Stage, facts: SetFacts | None) -> Iterator[Fault]:
    """Samples that are not there, or that have no labels where the target is one."""
    place = (*stage.place, "samples") if stage.place else _TARGET
    own = (place, stage.place or _TARGET, _LABELS, ("data",))
    known, labelled = spec.data.labels, stage.spec.learning.target == "label"
    if labelled and stage.samples != "labelled" and _some_unknown(spec):
        yield Fault(place, f"{stage.samples} with target: label, allowed: labelled (others have no label)", blame=own)
    if stage.samples == "unlabelled":
        if not _some_unknown(spec):
            if not stage.place:  # the target itself is told
                return
            text = "no sample is unlabelled, allowed: all, labelled, or data: {labels: {count: 600}}"
            yield Fault(place, text, blame=own)
        elif facts and known and not stage.part.set and known.count == _samples_there(spec, facts):
            text = f"no sample is unlabelled: all {known.count} are labelled, allowed: all, labelled"
            yield Fault(place, text, blame=own)
    part = stage.part
    named = SETS.get(part.set) if part.set else None
    if named and named.inputs != spec.chip.layers[0]:
        text = f"{part.set} has {named.inputs} features, allowed: a set of {spec.chip.layers[0]} (chip.layers)"
        yield Fault((*stage.place, "set"), text, blame=((*stage.place, "set"), ("chip", "layers")))
    for split, held in (("train", named.train if named else None), ("test", named.test if named else None)):
        given = getattr(part, split)
        if given is not None and part.set is None:
            text = f"{given} without a set, allowed: null, or data.{split} for the samples of data.set"
            yield Fault((*stage.place, split), text, blame=((*stage.place, split), stage.place))
        elif given is not None and held is not None and given > held:
            text = f"more samples than {part.set} has: {given}, allowed: 1..{held} or null"
            yield Fault((*stage.place, split), text, blame=((*stage.place, split), stage.place))


def consolidation(spec: Spec, learning: Targeted) -> Iterator[Fault]:
    """Neurons are chosen by weights that a memory holds: an array of cells does not read them one by one."""
    if not learning.consolidation.frozen or learning.consolidation.by == "random":
        return
    if any(layer < max(len(spec.chip.layers) - 2, 1) for layer in layers.on_cells(spec)):
        path: Path = ("learning", "consolidation", "by")
        text = "weights of layers on analog cells, allowed: random (an array does not read weights one by one)"
        yield Fault(path, text, blame=(path, path[:2], ("device", "model"), ("device",)))
