"""How well a spec learns, from a miniature of its run: training samples alone, some of them held out to look at."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np

from edgesdt.chip.simulated import Chip
from edgesdt.datasets import Dataset
from edgesdt.readouts.assessment import Assessment
from edgesdt.rules.lookup import resolve
from edgesdt.spec import Spec

MOST_LEARNED: Final = 4_000
"""Training samples that a miniature learns from."""
MOST_HELD_OUT: Final = 1_000
"""Other training samples, on which it is read out."""
LEARNED: Final = 12_000
"""Samples that are learned in all, in as many passes as that takes."""
_SEED = 0x5EED


def part_of(data: Dataset) -> Dataset:
    """A part of the training samples, the fifth of them that is held out in the place of the test split.

    The same for every spec. Of a single sample, that one is held out, too.
    """
    order = np.random.RandomState(_SEED).permutation(len(data.x_train))
    held = max(min(len(order) // 5, MOST_HELD_OUT), 1)
    shown, rest = order[:held], order[held : held + MOST_LEARNED]
    rest = rest if len(rest) else shown
    x, y = data.x_train, data.y_train
    return replace(data, x_train=x[rest], y_train=y[rest], x_test=x[shown], y_test=y[shown])


def passes(part: Dataset) -> int:
    """Epochs of a miniature on `part`."""
    return max(-(-LEARNED // len(part.x_train)), 1)


def accuracy(spec: Spec, part: Dataset) -> float:
    """The accuracy of the spec's first read-out on the held-out samples of `part`, after a miniature of its run."""
    return next(iter(learned(spec, part).read_out(spec.readout[:1]).values()))


def learned(spec: Spec, part: Dataset) -> Assessment:
    """A chip after a miniature of its run: the order, the rates and the schedule of the run, in a few passes.

    Raises as `Chip`.
    """
    spec = resolve(spec.model_copy(update={"epochs": min(passes(part), 1000)}))
    chip = Chip(spec)
    read = Assessment(spec, chip, part, threads=1)
    for epoch in range(spec.epochs):
        order = read.learned[np.random.RandomState([spec.seed, epoch]).permutation(len(read.learned))]
        chip.rule.learn(read.x, part.y_train, order, epoch)
    return read


def sampling_error(reached: float, part: Dataset) -> float:
    """Standard error of an accuracy on the held-out samples of `part`."""
    number = len(part.x_test)
    return float(max(reached * (1 - reached) / number, 0.25 / number**2) ** 0.5)
