"""A short profile: the chip of a spec learns some of its training samples, and its counts become an `Activity`.

The first half is learned as at the start of a run, the second at the learning rate of the middle epoch. Only the second
half is measured: a chip is busier at its start, and writes less as its rate falls. The number of samples follows from
counts, not from a clock, so the same spec and data give the same numbers on any machine. No test sample is used.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np
import numpy.typing as npt

from edgesdt.chip.simulated import Chip
from edgesdt.datasets import Dataset
from edgesdt.datasets.encoders import encode
from edgesdt.ledger import actions as act
from edgesdt.rules.activity import Activity, Seen
from edgesdt.rules.lookup import resolve, rule_of
from edgesdt.rules.protocol import Counts
from edgesdt.spec import Spec
from edgesdt.spec.stages import longest

WORK_S: Final = 0.5
"""Approximate time limit of a profile on one core, without compilation [s]."""
_MOST, _MOST_ON_CELLS = 20_000, 5_000
"""Maximum number of samples of a profile."""
_FIRST = 100
"""Number of first samples to skip because they are the busiest; the same number then measures the work per sample."""
_SHOWN = 500
"""Number of training samples on which inference is then measured."""
_LOOKED_AT = 2_000
"""Number of training samples used to measure the share of nonzero inputs alone."""
_SAMPLE_S, _MAC_S, _CONTRAST_S, _STEP_S = 15e-6, 5e-11, 2e-9, 3e-9
"""Time of a sample, and of each MAC, product and neuron step in it [s]: upper estimates for one core of a server."""


def measure(spec: Spec, data: Dataset, work_s: float = WORK_S) -> Activity:
    """The activity of a sample of `data` on the chip of `spec`, from a profile of about `work_s` seconds [s].

    With phases, it is that of the stage that learns most samples.

    The first call in a process loads the kernels, and the first on a machine compiles them, which takes a minute.
    Raises as `Chip`.
    """
    spec = longest(resolve(spec)).spec
    chip, total = Chip(spec), len(data.x_train) * spec.epochs
    learner = _Learner(spec, chip, data)
    learner.learn(min(_FIRST, total), 0)  # the busiest samples are not measured
    before, counts = _seen(chip, learner.done), chip.counts()
    learner.learn(min(_FIRST, total - learner.done), 0)
    wanted = min(max(_samples(chip, counts, work_s), learner.done), total)
    if wanted > learner.done:
        learner.learn(max(wanted // 2 - learner.done, 0), 0)
        before = _seen(chip, learner.done)
        learner.learn(wanted - learner.done, spec.epochs // 2)
    trained = _difference(_seen(chip, learner.done), before) if learner.done > before.samples else before
    shown = learner.samples[-_SHOWN:]
    chip.rule.infer(learner.codes(shown))
    inferred = Seen(len(shown), *chip.rule.happened(inference=True))
    source = f"measured from sample {wanted - trained.samples + 1:,} to {wanted:,}:"
    return rule_of(spec).observed(spec, trained, inferred, source)


def inputs(spec: Spec, data: Dataset) -> float:
    """Share of the inputs of `spec` that are not zero, in the first training samples of a run."""
    order = _order(spec.seed, len(data.x_train))
    first = [next(order) for _ in range(min(_LOOKED_AT, len(data.x_train)))]
    return float((encode(data.x_train[first], spec.encoder.bits) != 0).mean())


class _Learner:
    """Trains a chip on the run's own training samples, in the order of the run."""

    def __init__(self, spec: Spec, chip: Chip, data: Dataset) -> None:
        self._spec, self._chip, self._data = spec, chip, data
        self._order = _order(spec.seed, len(data.x_train))
        self.done = 0
        self.samples: list[int] = []

    def codes(self, samples: list[int]) -> npt.NDArray[np.uint8]:
        """Input codes of training samples, by their indices in the data set."""
        return encode(self._data.x_train[samples], self._spec.encoder.bits)

    def learn(self, number: int, epoch: int) -> None:
        """Learns the next `number` samples with the rates of `epoch` (0-based)."""
        part = [next(self._order) for _ in range(number)]
        self._chip.rule.learn(self.codes(part), self._data.y_train[part], np.arange(number), epoch)
        self.samples += part
        self.done += number


def _order(seed: int, samples: int) -> Iterator[int]:
    """Indices of the training samples in the order of a run, epoch after epoch."""
    epoch = 0
    while True:
        yield from np.random.RandomState([seed, epoch]).permutation(samples).tolist()
        epoch += 1


def _samples(chip: Chip, before: Counts, work_s: float) -> int:
    """Number of samples that fit in `work_s` seconds, from the work of the samples since the counts `before`."""
    prices = {act.MAC: _MAC_S, act.CONTRAST: _CONTRAST_S, act.NEURON_STEP: _STEP_S}
    after = chip.counts()
    work = sum((after.get(name, 0) - before.get(name, 0)) * price for name, price in prices.items())
    most = _MOST if chip.spec.device.digital else _MOST_ON_CELLS
    return min(int(work_s / (_SAMPLE_S + work / _FIRST)), most)


def _seen(chip: Chip, samples: int) -> Seen:
    return Seen(samples, *chip.rule.happened())


def _difference(after: Seen, before: Seen) -> Seen:
    """Difference of two readings of the counts."""
    cells = tuple(a - b for a, b in zip(after.cells, before.cells, strict=True))
    return Seen(after.samples - before.samples, after.events - before.events, cells)
