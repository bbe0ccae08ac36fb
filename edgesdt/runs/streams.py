"""The streams of samples of a run: its own data set, and those of phases with another set or a transformation."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from edgesdt import datasets
from edgesdt.datasets import Dataset, transforms
from edgesdt.datasets.encoders import encode
from edgesdt.errors import DataError, SpecError
from edgesdt.readouts import labels
from edgesdt.rules.lookup import rule_of
from edgesdt.runs import samples
from edgesdt.spec import Spec
from edgesdt.spec.checks.hints import dotted
from edgesdt.spec.schema.phases import Part
from edgesdt.spec.stages import Stage, stages

BASE = "base"
Indices = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Stream:
    """Samples as input codes `x`, `x_test`, with the places `known` of those whose labels are known.

    `shown` are the labels that a chip may see: 0 in place of those that are unknown.
    """

    name: str
    data: Dataset
    x: npt.NDArray[np.uint8]
    x_test: npt.NDArray[np.uint8]
    known: Indices
    shown: npt.NDArray[np.int64]

    def chosen(self, which: str) -> Indices:
        """Ascending places of the samples that are labelled, unlabelled, or all."""
        if which == "labelled":
            return self.known
        every = np.arange(len(self.x))
        if which == "all":
            return every
        found: Indices = np.setdiff1d(every, self.known)
        return found


class Streams:
    """The streams of `spec`, made from its own `data` and from the sets of its phases. Raises as `samples.load`."""

    def __init__(self, spec: Spec, data: Dataset) -> None:
        self.spec = spec
        self.base = _stream(spec, BASE, data)
        self._known: dict[str, Stream] = {_key(Part()): self.base}
        for stage in stages(spec):
            key = _key(stage.part)
            if key not in self._known:
                self._known[key] = _stream(spec, _name(stage.part), _of(spec, stage, data))
        for stage in stages(spec):
            if not len(self.of(stage).chosen(stage.samples)):
                text = f"no samples: no one is {stage.samples}, allowed: a phase with one or more"
                raise SpecError(f"{dotted(stage.place) or 'learning.target'}: {text}")

    def of(self, stage: Stage) -> Stream:
        """The stream that a stage learns from."""
        return self._known[_key(stage.part)]

    def every(self) -> tuple[Stream, ...]:
        """All streams, the run's own data set first."""
        return tuple(self._known.values())


def _key(part: Part) -> str:
    return part.model_dump_json(include={"set", "train", "test", "transform"})


def _name(part: Part) -> str:
    """What a stream is called in a record: its set, and what is done to it."""
    words = [Path(part.set).name.removesuffix(".npz")] if part.set else []
    transform = part.transform
    if transform is not None:
        words += [f"rotated {transform.rotate:g}"] if transform.rotate else []
        words += [f"shifted {transform.shift[0]} {transform.shift[1]}"] if any(transform.shift) else []
        words += [f"noise {transform.noise:g}"] if transform.noise else []
        words += ["inverted"] if transform.invert else []
    return " ".join(words)


def _of(spec: Spec, stage: Stage, data: Dataset) -> Dataset:
    """The data set of a part."""
    part, where = stage.part, dotted(stage.place)
    found = data if part.set is None else _loaded(spec, part, where)
    if found.features != spec.chip.layers[0]:
        text = f"{found.features} features, allowed: {spec.chip.layers[0]} (chip.layers)"
        raise SpecError(f"{where}.set: {found.name}: {text}")
    if stage.spec.learning.target == "label" and rule_of(spec).classes(stage.spec) != found.classes:
        text = f"{found.classes} classes, allowed: {rule_of(spec).classes(stage.spec)} (the classes of the chip)"
        raise SpecError(f"{where}.set: {found.name}: {text}")
    if part.transform is None:
        return found
    try:
        return transforms.transformed(found, part.transform, spec.seed)
    except DataError as error:
        raise SpecError(f"{where}.transform: {error}") from error


def _loaded(spec: Spec, part: Part, where: str) -> Dataset:
    assert part.set is not None
    whole = datasets.load(samples.file_of(part.set, part.sha256))
    asked = {}
    for split, there in (("train", len(whole.y_train)), ("test", len(whole.y_test))):
        own, base = getattr(part, split), getattr(spec.data, split)
        if own is not None and own > there:
            raise SpecError(f"{where}.{split}: more samples than {whole.name} has: {own}, allowed: 1..{there} or null")
        asked[split] = own if own is not None else min(base, there) if base is not None else None
    return whole.first(asked["train"], asked["test"])


def _stream(spec: Spec, name: str, data: Dataset) -> Stream:
    bits = spec.encoder.bits
    given = spec.data.labels
    if given is not None and given.count > len(data.y_train):
        text = f"more labels than {data.name} has samples: {given.count}, allowed: 1..{len(data.y_train)}"
        raise SpecError(f"data.labels.count: {text}")
    known = labels.known(spec, data.y_train)
    shown = np.zeros_like(data.y_train)
    shown[known] = data.y_train[known]
    return Stream(name, data, encode(data.x_train, bits), encode(data.x_test, bits), known, shown)
