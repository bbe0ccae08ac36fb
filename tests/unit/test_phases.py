"""Phases of a spec: what they mean to a rule, what they may change, and every fault of theirs as a sentence."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from edgesdt.datasets import Dataset, transforms
from edgesdt.errors import ArgumentError, DataError, SpecError
from edgesdt.ledger.recipes import KINDS
from edgesdt.readouts import labels
from edgesdt.rules.lookup import design_of, memory_map, resolve
from edgesdt.rules.schedule import factor
from edgesdt.runs import preview
from edgesdt.runs.phases import epochs
from edgesdt.spec import Spec, loads, spec_hash
from edgesdt.spec.schema.phases import Transform
from edgesdt.spec.stages import longest, samples_of, shares, stages
from edgesdt.spec.sweep.section import load_sweep
from edgesdt.sweep.plan import SweepPlan

HEAD = """
name: tiny
data: {set: digits, labels: {count: 40}}
chip: {layers: [64, 12, 10], memory_budget: 64 KiB}
readout: [direct, output]
epochs: 3
"""
MIXED = HEAD + "learning: {target: mixed, winners: 1}\n"
GIVEN = (
    HEAD
    + """
learning: {winners: 1}
phases:
  - {name: pretrain, samples: labelled, target: label, epochs: 2, learning_rate: 0.01}
  - name: both
    epochs: 4
    turns: 2
    alternate:
      - {samples: unlabelled, target: self_defined, learning: {homeostasis: {gamma: 0.05}, winners: 2}}
      - {samples: labelled, target: label, schedule: {kind: linear, start: 0.5, final: 0.1}, passes: 2}
"""
)


def fault(text: str, *overrides: str) -> str:
    with pytest.raises(SpecError) as told:
        loads(text, overrides=list(overrides))
    return str(told.value)


def test_mixed_stands_for_two_phases() -> None:
    found = stages(loads(MIXED))
    assert [(s.name, s.samples, s.spec.learning.target, s.spec.epochs) for s in found] == [
        ("pretrain", "labelled", "label", 3),
        ("both", "unlabelled", "self_defined", 3),
        ("both", "labelled", "label", 3),
    ]
    assert [e.name for e in epochs(loads(MIXED))] == ["pretrain"] * 3 + ["both"] * 3


def test_a_stage_is_the_spec_with_the_fields_of_its_part() -> None:
    pretrain, free, replay = (stage.spec.learning for stage in stages(loads(GIVEN)))
    assert pretrain.learning_rate == (0.01, 0.01) and replay.learning_rate == (0.002, 0.002)
    assert (free.winners, replay.winners) == (2, 1)  # type: ignore[attr-defined]
    assert (free.homeostasis.gamma, pretrain.homeostasis.gamma) == (0.05, 0.01)  # type: ignore[attr-defined]
    assert (free.dropout.output, replay.dropout.output) == (0.2, 0.0)  # type: ignore[attr-defined]
    assert [replay.schedule.start, replay.schedule.final] == [0.5, 0.1]


def test_a_short_spec_is_its_only_stage_and_keeps_its_hash() -> None:
    spec = loads(HEAD.replace(", labels: {count: 40}", "").replace(", output", ""))
    (only,) = stages(spec)
    assert only.spec is spec
    words = str(spec.plain()).replace("'", " ").split()
    assert {"phases", "labels", "replay", "consolidation", "start"}.isdisjoint(words)


@pytest.mark.parametrize("text", [MIXED, GIVEN])
def test_a_plain_spec_and_a_resolved_one_read_back(text: str) -> None:
    spec = loads(text)
    assert spec_hash(Spec.from_plain(spec.plain()).plain()) == spec_hash(spec.plain())
    held = resolve(spec)
    assert resolve(held) == held and stages(held)[0].spec.learning.target == "label"


def test_fields_of_phases_are_set_by_their_path() -> None:
    changes = ["phases.0.epochs=7", "phases.1.alternate.0.learning.beta=0.5", "phases.1.alternate.1.passes=3"]
    spec = loads(GIVEN, overrides=changes)
    found = stages(spec)
    assert (found[0].spec.epochs, found[1].spec.learning.beta, found[2].part.passes) == (7, 0.5, 3)  # type: ignore[attr-defined]


def test_a_phase_counts_its_samples() -> None:
    spec = loads(GIVEN)
    assert [samples_of(spec, stage) for stage in stages(spec)] == [40, 1397, 80]
    assert longest(spec).index == 1 and sum(shares(spec)) == pytest.approx(1)
    assert shares(loads(GIVEN, overrides=["data.set=mine.npz", "chip.layers=[3, 4, 10]"])) == [1 / 3] * 3


def test_the_chip_is_built_for_all_phases() -> None:
    spec = loads(GIVEN, overrides=["phases.1.alternate.0.learning.consolidation.frozen=0.5"])
    bits = {array.name: array.bits for array in memory_map(spec).arrays}
    assert bits["winners"] == 2 * 4 and bits["label"] == 4 and bits["homeostasis"] and bits["frozen"] == 22
    most = [unit.count for unit in design_of(spec).units if unit.component == "target"]
    assert most == [2]  # winners of the stage with most of them


def test_a_replay_buffer_is_in_the_memory_map_and_priced() -> None:
    spec = loads(MIXED, overrides=["chip.replay=buffer"])
    bits = {array.name: array.bits for array in memory_map(spec).arrays}
    assert (bits["replay_samples"], bits["replay_labels"]) == (40 * 64 * 8, 40 * 4)
    assert "replay_samples" not in {array.name for array in memory_map(loads(MIXED)).arrays}
    kinds = design_of(spec).kinds()
    assert "replay" in kinds["buffers"] and set(kinds) <= set(KINDS)


@pytest.mark.parametrize(
    ("kind", "start", "final", "expected"),
    [
        ("linear", 1.0, 0.0, [1, 0.5, 0]),
        ("linear", 0.1, 0.5, [0.1, 0.3, 0.5]),
        ("exponential", 1.0, 0.01, [1, 0.1, 0.01]),
        ("constant", 0.5, 0.1, [0.5, 0.5, 0.5]),
    ],
)
def test_schedules(kind: str, start: float, final: float, expected: list[float]) -> None:
    spec = loads(MIXED, overrides=[f"learning.schedule={{kind: {kind}, start: {start}, final: {final}}}"])
    assert [factor(spec, epoch) for epoch in range(3)] == pytest.approx(expected)
    assert resolve(spec).learning.learning_rate == resolve(loads(MIXED)).learning.learning_rate


ONE = HEAD + "learning: {winners: 1}\nphases: [{name: a, target: label}]\n"


@pytest.mark.parametrize(
    ("text", "overrides", "told"),
    [
        (MIXED, ["data.labels.count=1438"], "more labels than training samples: 1438, allowed: 1..1437"),
        (MIXED, ["data.train=30"], "more labels than training samples: 40, allowed: 1..30"),
        (MIXED, ["data.labels.count=9"], "fewer labels than classes: 9, allowed: 10 or more"),
        (MIXED, ["data.labels=null"], "learning.target: mixed without data.labels"),
        (MIXED, ["label_fraction=0.5"], "label_fraction: 0.5 beside data.labels"),
        (MIXED, ["label_seed=1"], "label_seed: 1 beside data.labels"),
        (MIXED, ["learning.rule=softhebb"], "learning.target: unknown choice: 'mixed', allowed: none, label"),
        (GIVEN, ["learning.target=mixed"], "mixed beside phases"),
        (GIVEN, ["data.labels=null"], "phases[1].alternate[0].samples: no sample is unlabelled"),
        (GIVEN, ["data.labels.count=1437"], "no sample is unlabelled: all 1437 are labelled"),
        (GIVEN, ["phases.1.alternate=[{samples: all}]"], "phases[1].alternate: one part, allowed: two or more"),
        (GIVEN, ["phases.1.samples=all"], "phases[1].samples: beside alternate, allowed: in its parts"),
        (GIVEN, ["phases.0.turns=2"], "2 without alternate"),
        (GIVEN, ["phases.2.epochs=3"], "--set phases.2: no such item: 2, allowed: 0..1"),
        (GIVEN, ["phases.epochs=3"], "phases is a list, allowed: phases.0"),
        (GIVEN, ["phases.0.epoch=3"], "did you mean 'phases[0].epochs'?"),
        (GIVEN, ["phases.1.name=pretrain"], "given more than once: 'pretrain'"),
        (GIVEN, ["phases.0.samples=unlabelled"], "unlabelled with target: label, allowed: labelled"),
        (GIVEN, ["phases.0.learning_rate=[0.1, 0.1, 0.1]"], "phases[0].learning_rate: wrong number of rates: 3"),
        (GIVEN, ["phases.0.learning.beta=9"], "phases[0].learning.beta: out of range: 9"),
        (GIVEN, ["phases.0.learning.batch=4"], "phases[0].learning.batch: cannot change between phases"),
        (GIVEN, ["phases.0.learning.bta=4"], "phases[0].learning.bta: unknown key"),
        (GIVEN, ["phases.0.learning.target=label"], "phases[0].learning.target: not a field that goes here"),
        (GIVEN, ["phases.0.learning={learning_rate: 0.1}"], "learning.learning_rate: not a field that goes here"),
        (GIVEN, ["phases.0.learning={schedule: 3}"], "phases[0].learning.schedule: not a field that goes here"),
        (GIVEN, ["phases.0.learning={rule: backprop}"], "phases[0].learning.rule: not a field that goes here"),
        (GIVEN, ["phases.0.learning={homeostasis: {bits: 9}}"], "homeostasis.bits: cannot change between phases"),
        (GIVEN, ["phases.0.learning={homeostasis: {gama: 1}}"], "did you mean 'homeostasis.gamma'?"),
        (GIVEN, ["phases.0.train=5"], "phases[0].train: 5 without a set"),
        (GIVEN, ["phases.0.set=mnist"], "phases[0].set: mnist has 784 features, allowed: a set of 64"),
        (GIVEN, ["phases.0.set=mnits"], "phases[0].set: unknown data set"),
        (GIVEN, ["phases.0.transform.rotate=400"], "phases[0].transform.rotate: out of range: 400"),
        (GIVEN, ["phases.0.transform.shift=[1]"], "phases[0].transform.shift: too few items"),
        (GIVEN, ["readout=[direct]", "learning={rule: similarity}"], "'self_defined', allowed: none, label"),
        (ONE, ["chip.replay=buffer", "data.labels=null"], "chip.replay: buffer"),
        (ONE, ["phases.0.samples=all"], "all with target: label, allowed: labelled"),
        (GIVEN, ["phases.0.set=fashion_mnist", "phases.0.train=70000"], "more samples than fashion_mnist has"),
    ],
)  # fmt: skip
def test_bad_phases_are_told(text: str, overrides: list[str], told: str) -> None:
    assert told in fault(text, *overrides)


@pytest.mark.parametrize(
    ("text", "overrides"),
    [
        (MIXED, ["data.labels.count=1438"]),
        (MIXED, ["data.labels=null"]),
        (GIVEN, ["phases.0.learning.bta=4"]),
        (GIVEN, ["phases.0.learning={learning_rate: 0.1}"]),
    ],
)
def test_one_mistake_is_told_once(text: str, overrides: list[str]) -> None:
    assert len(fault(text, *overrides).splitlines()) == 1


def test_unlabelled_samples_of_another_set_are_those_of_that_set() -> None:
    phases = "phases=[{name: a, set: digits, train: 900, samples: unlabelled}]"
    found = loads(ONE, overrides=["data.train=40", "readout=[direct]", "learning.target=self_defined", phases])
    assert samples_of(found, stages(found)[0]) == 860


@pytest.mark.parametrize("text", ["ONE", "GIVEN"])
def test_a_resolved_spec_of_phases_is_text(text: str) -> None:
    overrides = ["phases.0.learning_rate=0.013", "phases.0.learning.beta=0.3"]
    spec = loads({"ONE": ONE, "GIVEN": GIVEN}[text], overrides=overrides)
    assert loads(preview.resolved(spec)) == resolve(spec)


def test_a_sweep_of_phases(tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    file.write_text(GIVEN + "sweep: {phases.0.epochs: [1, 2], phases.1.alternate.0.learning.beta: [0.2, 0.5]}\n")
    plan = SweepPlan(*load_sweep(str(file)))
    found = [stages(plan.spec_of(point)) for point in plan.points]
    assert [(f[0].spec.epochs, f[1].spec.learning.beta) for f in found] == [  # type: ignore[attr-defined]
        (1, 0.2), (1, 0.5), (2, 0.2), (2, 0.5),
    ]  # fmt: skip
    assert len({point.spec_hash for point in plan.points}) == 4
    file.write_text(GIVEN + "sweep: {phases.5.epochs: [1, 2]}\n")
    with pytest.raises(SpecError, match="no such item: 5"):
        SweepPlan(*load_sweep(str(file)))


def image(rows: list[list[int]]) -> Dataset:
    x = np.array([rows], np.uint8).reshape(1, -1)
    y = np.zeros(1, np.int64)
    return Dataset("images", x, y, x.copy(), y.copy(), np.array(rows).shape, 1)


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({"rotate": 90}, [[2, 4], [1, 3]]),
        ({"rotate": 180}, [[4, 3], [2, 1]]),
        ({"rotate": -90}, [[3, 1], [4, 2]]),
        ({"shift": (1, 0)}, [[0, 1], [0, 3]]),
        ({"shift": (0, -1)}, [[3, 4], [0, 0]]),
        ({"invert": True}, [[254, 253], [252, 251]]),
    ],
)
def test_transformations_by_hand(asked: dict[str, object], expected: list[list[int]]) -> None:
    made = transforms.transformed(image([[1, 2], [3, 4]]), Transform.model_validate(asked), seed=0)
    assert made.x_train.reshape(2, 2).tolist() == expected and made.x_test.tolist() == made.x_train.tolist()


def test_noise_has_its_deviation_and_a_seed() -> None:
    flat = np.full((1000, 64), 128, np.uint8)
    one, same, other = (transforms.noisy(flat, 0.1, [seed, 0]) for seed in (0, 0, 1))
    assert np.array_equal(one, same) and not np.array_equal(one, other)
    assert one.astype(float).std() == pytest.approx(25.5, rel=0.02) and one.mean() == pytest.approx(128, abs=0.5)


def test_what_is_no_image_is_not_turned() -> None:
    row = np.zeros((1, 4), np.uint8)
    data = Dataset("rows", row, np.zeros(1, np.int64), row, np.zeros(1, np.int64), (4,), 1)
    with pytest.raises(DataError, match="cannot be turned or moved"):
        transforms.transformed(data, Transform(rotate=5), seed=0)


@pytest.mark.parametrize("shift", [(3, 0), (0, -2), (1000, 1000)])
def test_an_image_is_not_moved_out_of_sight(shift: tuple[int, int]) -> None:
    with pytest.raises(DataError, match=r"shift: .* allowed: -[12]\.\.[12] for images of 2 x 3"):
        transforms.transformed(image([[1, 2, 3], [4, 5, 6]]), Transform(shift=shift), seed=0)


def test_known_labels() -> None:
    y = np.repeat(np.arange(10), 50)
    found = labels.known(loads(MIXED), y)
    assert len(found) == 40 and np.bincount(y[found]).tolist() == [4] * 10
    assert np.array_equal(found, labels.drawn(y, 40 / 500, 0))
    loose = labels.known(loads(MIXED, overrides=["data.labels.per_class=false", "data.labels.seed=3"]), y)
    assert len(set(loose)) == 40 and len(set(np.bincount(y[loose], minlength=10))) > 1
    with pytest.raises(ArgumentError, match="count"):
        labels.chosen(y, 501, 0)
