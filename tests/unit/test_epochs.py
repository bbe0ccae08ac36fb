"""An epoch starts with the first call that names it: a script and `edgesdt run` learn the same weights."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from edgesdt import datasets, registry
from edgesdt.chip.simulated import Chip
from edgesdt.rules.lookup import resolve
from edgesdt.runs.experiment import run
from edgesdt.spec import Spec, loads
from edgesdt.spec.schema.learning import Targeted
from tests.conftest import SMALL
from tests.small_chips import random_samples, spec_of
from tests.witnesses import fields_of

RESET = [
    "learning.homeostasis.reset=epoch", "learning.homeostasis.gamma=0.2", "data.train=200", "data.test=50",
    "deployment.times=[1]",
]  # fmt: skip


def scripted(spec: Spec) -> Chip:
    """What a user writes: every epoch in the order of a run."""
    spec = resolve(spec)
    data, chip = datasets.load(spec.data.set, spec.data.train, spec.data.test), Chip(spec)
    for epoch in range(spec.epochs):
        order = np.random.RandomState([spec.seed, epoch]).permutation(len(data.x_train))
        for part in (order[:70], order[70:]):
            chip.learn(data.x_train[part], data.y_train[part], epoch)
    return chip


def small_of(rule: str) -> str:
    """`SMALL` without the fields that a rule does not have."""
    known = "winners" in registry.load(rule).settings.model_fields
    return SMALL if known else SMALL.replace("winners: 2, ", "").replace("8 KiB", "1 MiB")


EVERY = [*([f"learning.rule={name}"] for name in registry.OURS), ["device.model=ReRamSB"]]


@pytest.mark.parametrize("more", EVERY, ids=lambda more: more[0])
def test_a_script_learns_what_a_run_learns(more: list[str], tmp_path: Path) -> None:
    rule = more[0].removeprefix("learning.rule=") if "rule" in more[0] else registry.DEFAULT
    small, asked = small_of(rule), fields_of(rule, [*RESET, *more])
    spec = loads(small, overrides=asked)
    record = run(spec, tmp_path / "run", report=False)
    rested, ended = record["deployment"][0], record["accuracy"]
    same = {name: share for name, share in rested.items() if name in registry.ACCURACIES}
    assert same and (not spec.device.digital or same.items() <= ended.items()), "a memory forgets nothing"
    chip = scripted(spec)
    with np.load(tmp_path / "run" / "weights.npz") as kept:
        for name, codes in chip.rule.weight_file((8, 8)).items():
            np.testing.assert_array_equal(kept[name], codes, err_msg=name)
    if isinstance(spec.learning, Targeted):
        other = scripted(loads(small, overrides=[*asked, "learning.homeostasis.reset=never"]))
    else:
        other = Chip(resolve(spec))
    assert not np.array_equal(other.rule.weights(0), chip.rule.weights(0)), "the test could not fail"


def chip_with_reset() -> tuple[Chip, Callable[[int, int, int], None]]:
    """A chip that resets at each epoch, and a way to learn some of its samples in one."""
    fields = {"learning.homeostasis.reset": "epoch", "learning.homeostasis.gamma": 0.5, "epochs": 3}
    chip = Chip(spec_of([6, 4], fields))
    samples, labels = random_samples(chip.spec, 1, 20)

    def learn(first: int, last: int, epoch: int) -> None:
        chip.rule.learn(samples, labels, np.arange(first, last), epoch)

    return chip, learn


def test_calls_of_one_epoch_are_one_stretch() -> None:
    whole, learn = chip_with_reset()
    learn(0, 20, 0)
    parts, learn = chip_with_reset()
    for first in range(0, 20, 5):
        learn(first, first + 5, 0)
    assert parts.rule.chip.homeostasis.any()
    np.testing.assert_array_equal(parts.rule.chip.homeostasis, whole.rule.chip.homeostasis)
    np.testing.assert_array_equal(parts.rule.chip.weights, whole.rule.chip.weights)


def test_no_samples_start_no_epoch() -> None:
    chip, learn = chip_with_reset()
    learn(0, 20, 0)
    before = chip.state()
    learn(0, 0, 1)
    assert all(np.array_equal(before[name], array) for name, array in chip.state().items())
    learn(0, 1, 1)
    assert not np.array_equal(before["chip_activity"], chip.state()["chip_activity"])


@pytest.mark.parametrize("epoch", [0, 1])
def test_a_restored_chip_goes_on_within_its_epoch_or_starts_the_next(epoch: int) -> None:
    whole, learn = chip_with_reset()
    learn(0, 10, 0)
    fresh, learn_fresh = chip_with_reset()
    fresh.restore(whole.state())
    learn(10, 20, epoch)
    learn_fresh(10, 20, epoch)
    for name, array in whole.state().items():
        np.testing.assert_array_equal(fresh.state()[name], array, err_msg=name)


def test_a_state_that_does_not_fit_changes_nothing() -> None:
    chip, learn = chip_with_reset()
    learn(0, 10, 0)
    before = chip.state()
    other = {**before, "chip_weights": before["chip_weights"] * 0, "wear": before["wear"][:-1]}
    with pytest.raises(ValueError, match="state: wear: uint32 of shape"):
        chip.restore(other)
    assert all(np.array_equal(before[name], array) for name, array in chip.state().items())
