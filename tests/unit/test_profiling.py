"""How busy a chip is: what a profile shows is expected again, tells the cost of the run, and sees no test sample."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks.records import FOLDER
from edgesdt import datasets
from edgesdt.chip.simulated import Chip
from edgesdt.datasets import Dataset
from edgesdt.rules.activity import ASSUMED, Activity, Seen, in_words
from edgesdt.rules.eqprop.ledger.activity import observed
from edgesdt.rules.lookup import resolve, rule_of
from edgesdt.runs import preview, profile, record
from edgesdt.runs.experiment import run
from edgesdt.spec import Spec, loads
from tests.conftest import SMALL

KINDS = {
    "one layer": [],
    "two layers": ["chip.layers=[64, 30, 20]"],
    "three layers without biases": ["chip.layers=[64, 20, 15, 12]", "chip.biases.enabled=false"],
    "labels in batches": ["chip.layers=[64, 10]", "learning.target=label", "learning.batch=8"],
    "both signs": ["learning.beta_sign=symmetric"],
    "stochastic states": ["chip.states.rounding=stochastic"],
    "nearest weights, nothing dropped": ["chip.weights.rounding=nearest", "learning.dropout={input: 0, output: 0}"],
    "a dense chip": ["chip.style=dense"],
    "cells": ["device.model=FeFET"],
    "pairs of cells in slices, verified": [
        "device.model=EcRam", "device.array={mapping: pair, slices: 2, carry_every: 100, programming: verify}",
    ],
    "two layers on cells": ["chip.layers=[64, 30, 20]", "device.layers={0: EcRam, 1: FeFET}"],
    "cells above a memory": ["chip.layers=[64, 30, 20]", "device.layers={0: sram, 1: EcRam}"],
}  # fmt: skip


def dense_set(seed: int = 0) -> Dataset:
    """600 samples of 64 features in 4 classes, no feature ever zero."""
    rng = np.random.RandomState(seed)
    centres, y = rng.uniform(60, 200, (4, 64)), rng.randint(0, 4, 600)
    x = np.clip(centres[y] + rng.normal(0, 25, (600, 64)), 1, 255).astype(np.uint8)
    return Dataset("dense", x[:500], y[:500].astype(np.int64), x[500:], y[500:].astype(np.int64), (64,), 4)


def expected(spec: Spec, learning: bool, activity: Activity) -> dict[str, int]:
    return rule_of(spec).expected(spec, learning, activity)


@pytest.mark.parametrize("kind", KINDS)
def test_what_a_profile_shows_is_expected_again(kind: str) -> None:
    """The way from events to shares and rates and back loses nothing, whatever the chip."""
    spec = resolve(loads(SMALL, overrides=[*KINDS[kind], "chip.memory_budget=1 MiB"]))
    data, chip = datasets.load("digits"), Chip(spec)
    x = data.x_train >> np.uint8(4)
    chip.rule.learn(x, data.y_train, np.arange(400), 0)
    chip.rule.infer(x[:400])
    trained, inferred = (Seen(400, events, cells) for events, cells in map(chip.rule.happened, (False, True)))
    found = observed(spec, trained, inferred, "measured:")
    for learning, counts in ((True, chip.counts()), (False, chip.rule.inference_counts())):
        told = expected(spec, learning, found)
        for name, count in counts.items():
            # whole numbers of 1,000 samples, and drop-out draws a few more or fewer than its share
            assert told[name] == pytest.approx(1000 * count / 400, rel=0.03, abs=30), (name, learning)


@pytest.mark.parametrize("data", ["digits", "dense"])
@pytest.mark.parametrize("epochs", [1, 6])
def test_energy_and_main_counts_of_a_run_are_foretold(data: str, epochs: int, tmp_path: Path) -> None:
    samples = datasets.load("digits") if data == "digits" else dense_set()
    path = tmp_path / "set.npz"
    np.savez(path, **{name: getattr(samples, name) for name in ("x_train", "y_train", "x_test", "y_test")})
    changes = [f"data={{set: {path}}}", f"epochs={epochs}", "encoder.bits=8", "readout=[direct]"]
    spec = loads(SMALL, overrides=changes)
    made = run(spec, tmp_path / "run", report=False)
    resolved = resolve(spec)
    activity = profile.measure(spec, samples)
    priced = preview.predicted(resolved, preview.memory_map(resolved), activity)
    for part in ("energy_j", "latency_s"):
        for each in ("train_per_sample", "inference_per_sample"):
            assert priced[part][each] == pytest.approx(made[part][each], rel=0.1), (part, each)
    trained = made["train_samples"] * epochs
    told = expected(resolved, True, activity)
    for name, count in made["counts"]["train"].items():
        assert told[name] == pytest.approx(1000 * count / trained, rel=0.25, abs=50), name


RECORDED = ("mnist_1layer", "fashion_1layer", "mnist_edge", "quickstart")


@pytest.mark.parametrize("name", RECORDED)
def test_the_recorded_runs_would_have_been_foretold(name: str) -> None:
    """Whole runs of 20 to 30 epochs, from their records; sets that are not on this machine are left out."""
    made = record.read(FOLDER / f"{name}-0.json")
    spec = Spec.from_plain(made["spec"])
    try:
        data = datasets.load(spec.data.set, fetch=False)
    except datasets.DataError:
        return
    priced = preview.predicted(spec, preview.memory_map(spec), profile.measure(spec, data))
    for part in ("energy_j", "latency_s"):
        for each in ("train_per_sample", "inference_per_sample"):
            assert priced[part][each] == pytest.approx(made[part][each], rel=0.1), (part, each)


def test_a_profile_is_the_same_again_and_sees_no_test_sample() -> None:
    spec, data = loads(SMALL, overrides=["encoder.bits=8"]), dense_set()
    blind = replace(data, x_test=np.zeros_like(data.x_test), y_test=np.zeros_like(data.y_test))
    assert profile.measure(spec, data) == profile.measure(spec, data) == profile.measure(spec, blind)
    other = replace(data, x_train=data.x_train // 2)
    assert profile.measure(spec, other) != profile.measure(spec, data)


@pytest.mark.parametrize("samples", [1, 2, 150, 250])
def test_a_few_samples_are_enough_for_a_profile(samples: int) -> None:
    spec, data = loads(SMALL, overrides=["encoder.bits=8", "epochs=1"]), dense_set()
    few = replace(data, x_train=data.x_train[:samples], y_train=data.y_train[:samples])
    found = profile.measure(spec, few)
    assert found.inputs == pytest.approx(1.0, abs=0.2) and all(n >= 0 for n in found.changes)


def test_the_words_name_what_was_measured() -> None:
    assert in_words(ASSUMED, (200,)).startswith("assuming 20% of the inputs not zero, 0.5 state changes per neuron")
    told = in_words(profile.measure(loads(SMALL, overrides=["encoder.bits=8"]), dense_set()), (40,))
    assert told.startswith("measured from sample ") and ": 100% of the inputs not zero" in told


def test_prices_take_the_activity_that_they_are_given() -> None:
    spec = resolve(loads(SMALL))
    fitted = preview.memory_map(spec)
    idle, busy = (preview.predicted(spec, fitted, replace(ASSUMED, inputs=share)) for share in (0.1, 0.9))
    assert idle["energy_j"]["train_per_sample"] * 3 < busy["energy_j"]["train_per_sample"]
    assert idle["area_mm2"] == busy["area_mm2"]
