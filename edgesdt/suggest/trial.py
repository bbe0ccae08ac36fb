"""Tries a spec in a short run: trains on a part of the training samples and evaluates on held-out ones."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np

from edgesdt.chip.simulated import Chip
from edgesdt.datasets import Dataset
from edgesdt.readouts.assessment import Assessment
from edgesdt.rules.lookup import resolve
from edgesdt.spec import Spec
from edgesdt.spec.stages import stages

MOST_LEARNED: Final = 4_000
"""Training samples of a short run."""
MOST_HELD_OUT: Final = 1_000
"""Held-out training samples on which a short run is evaluated."""
LEARNED: Final = 12_000
"""Total samples to learn; the number of passes follows from it."""
_SEED = 0x5EED


def part_of(data: Dataset) -> Dataset:
    """A part of the training samples; a fifth of it is held out and replaces the test split.

    The part is the same for every spec. A single sample is used for both.
    """
    order = np.random.RandomState(_SEED).permutation(len(data.x_train))
    held = max(min(len(order) // 5, MOST_HELD_OUT), 1)
    shown, rest = order[:held], order[held : held + MOST_LEARNED]
    rest = rest if len(rest) else shown
    x, y = data.x_train, data.y_train
    return replace(data, x_train=x[rest], y_train=y[rest], x_test=x[shown], y_test=y[shown])


def passes(part: Dataset) -> int:
    """Epochs of a short run on `part`."""
    return max(-(-LEARNED // len(part.x_train)), 1)


def accuracy(spec: Spec, part: Dataset) -> float:
    """The accuracy of the spec's first read-out on the held-out samples of `part`, after a short run."""
    return next(iter(learned(spec, part).read_out(spec.readout[:1]).values()))


def learned(spec: Spec, part: Dataset) -> Assessment:
    """A chip after a short run, with the order, rates and schedule of a full run in a few passes.

    Raises as `Chip`.
    """
    spec = resolve(_one_phase(spec).model_copy(update={"epochs": min(passes(part), 1000)}))
    chip = Chip(spec)
    read = Assessment(spec, chip, part, threads=1)
    shown = read.known if spec.learning.target == "label" else np.arange(len(read.x))
    for epoch in range(spec.epochs):
        order = shown[np.random.RandomState([spec.seed, epoch]).permutation(len(shown))]
        chip.rule.learn(read.x, part.y_train, order, epoch)
    return read


def _one_phase(spec: Spec) -> Spec:
    """`spec` itself, or the part of its phases that a short run is made of: one with labels, if there is one.

    A number of known labels is that of the whole data set; in a part of it every label is known.
    """
    every = stages(spec)
    stage = next((stage for stage in every if stage.spec.learning.target == "label"), every[0])
    if spec.data.labels is None:
        return stage.spec
    return stage.spec.model_copy(update={"data": spec.data.model_copy(update={"labels": None})})


def sampling_error(reached: float, part: Dataset) -> float:
    """Standard error of an accuracy on the held-out samples of `part`."""
    number = len(part.x_test)
    return float(max(reached * (1 - reached) / number, 0.25 / number**2) ** 0.5)
