"""A short profile: the chip of a spec learns a part of its own training samples, and what happened is an `Activity`.

The first half is learned as a run starts, the second at the learning rate of the middle epoch, and only that is taken:
a chip is busier at its start than later, and writes less as its rate falls. How many samples that are follows from
counts, not from a clock, so that the same spec and data give the same numbers on any machine. No test sample is seen.
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

WORK_S: Final = 0.5
"""Seconds, roughly and of one core, that a profile may take once the kernels are compiled."""
_MOST, _MOST_ON_CELLS = 20_000, 5_000
"""Samples of a profile at most."""
_FIRST = 100
"""Samples that are left out as the busiest, and then as many that tell how much work one is."""
_SHOWN = 500
"""Training samples that the chip is shown afterwards, to see what an inference does."""
_LOOKED_AT = 2_000
"""Training samples of which inputs are looked at, and nothing else."""
_SAMPLE_S, _MAC_S, _CONTRAST_S, _STEP_S = 15e-6, 5e-11, 2e-9, 3e-9
"""Of a sample, and of a MAC, a product and a neuron step in it [s]: generous for one core of a server."""


def measure(spec: Spec, data: Dataset, work_s: float = WORK_S) -> Activity:
    """What a sample of `data` does on the chip of `spec`, from a profile of about `work_s` seconds [s].

    The first call in a process loads the kernels, and the first on a machine compiles them, which takes a minute.
    Raises as `Chip`.
    """
    spec = resolve(spec)
    chip, total = Chip(spec), len(data.x_train) * spec.epochs
    learner = _Learner(spec, chip, data)
    learner.learn(min(_FIRST, total), 0)  # the busiest, from which nothing is taken
    before, counts = _seen(chip, learner.done), chip.counts()
    learner.learn(min(_FIRST, total - learner.done), 0)
    wanted = min(max(_samples(chip, counts, work_s), learner.done), total)
    if wanted > learner.done:
        learner.learn(max(wanted // 2 - learner.done, 0), 0)
        before = _seen(chip, learner.done)
        learner.learn(wanted - learner.done, spec.epochs // 2)
    trained = _less(_seen(chip, learner.done), before) if learner.done > before.samples else before
    shown = learner.samples[-_SHOWN:]
    chip.rule.infer(learner.codes(shown))
    inferred = Seen(len(shown), *chip.rule.happened(inference=True))
    source = f"measured from sample {wanted - trained.samples + 1:,} to {wanted:,}:"
    return rule_of(spec).observed(spec, trained, inferred, source)


def inputs(spec: Spec, data: Dataset) -> float:
    """Share of the inputs of `spec` that are not zero, on the first training samples that a run takes."""
    order = _order(spec.seed, len(data.x_train))
    first = [next(order) for _ in range(min(_LOOKED_AT, len(data.x_train)))]
    return float((encode(data.x_train[first], spec.encoder.bits) != 0).mean())


class _Learner:
    """Teaches a chip from the run's own training samples, in the order of the run."""

    def __init__(self, spec: Spec, chip: Chip, data: Dataset) -> None:
        self._spec, self._chip, self._data = spec, chip, data
        self._order = _order(spec.seed, len(data.x_train))
        self.done = 0
        self.samples: list[int] = []

    def codes(self, samples: list[int]) -> npt.NDArray[np.uint8]:
        """Input codes of training samples, by their places in the data set."""
        return encode(self._data.x_train[samples], self._spec.encoder.bits)

    def learn(self, number: int, epoch: int) -> None:
        """Learn the next `number` samples with the rates of `epoch` (0-based)."""
        part = [next(self._order) for _ in range(number)]
        self._chip.rule.learn(self.codes(part), self._data.y_train[part], np.arange(number), epoch)
        self.samples += part
        self.done += number


def _order(seed: int, samples: int) -> Iterator[int]:
    """Places of the training samples in the order in which a run takes them, epoch after epoch."""
    epoch = 0
    while True:
        yield from np.random.RandomState([seed, epoch]).permutation(samples).tolist()
        epoch += 1


def _samples(chip: Chip, before: Counts, work_s: float) -> int:
    """Samples that `work_s` seconds are enough for, by what those since the counts `before` took."""
    prices = {act.MAC: _MAC_S, act.CONTRAST: _CONTRAST_S, act.NEURON_STEP: _STEP_S}
    after = chip.counts()
    work = sum((after.get(name, 0) - before.get(name, 0)) * price for name, price in prices.items())
    most = _MOST if chip.spec.device.digital else _MOST_ON_CELLS
    return min(int(work_s / (_SAMPLE_S + work / _FIRST)), most)


def _seen(chip: Chip, samples: int) -> Seen:
    return Seen(samples, *chip.rule.happened())


def _less(after: Seen, before: Seen) -> Seen:
    """What happened between two looks."""
    cells = tuple(a - b for a, b in zip(after.cells, before.cells, strict=True))
    return Seen(after.samples - before.samples, after.events - before.events, cells)
