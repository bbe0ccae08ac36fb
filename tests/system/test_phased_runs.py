"""Runs in phases: one chip through all of them, resumed anywhere, counted and priced phase by phase."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgesdt import datasets
from edgesdt.chip.simulated import Chip
from edgesdt.cli.main import main
from edgesdt.datasets.encoders import encode
from edgesdt.errors import ArgumentError
from edgesdt.pricing import bill
from edgesdt.readouts import labels
from edgesdt.report import write
from edgesdt.rules import replay
from edgesdt.rules.lookup import resolve
from edgesdt.runs.experiment import run
from edgesdt.spec import Spec, loads
from edgesdt.spec.stages import stages

TEXT = """
name: semi
data: {set: digits, train: 300, test: 60, labels: {count: 40}}
chip: {layers: [64, 12, 10], memory_budget: 64 KiB, weights: {frac_bits: 7}}
learning: {rule: RULE, winners: 1, learning_rate: 0.05, consolidation: {frozen: 0}}
readout: [output, direct]
phases:
  - {name: pretrain, target: label, epochs: 2}
  - name: both
    epochs: 2
    turns: 3
    alternate:
      - {samples: unlabelled, target: self_defined, learning_rate: 0.02, learning: {homeostasis: {reset: epoch}}}
      - {target: label}
  - {name: drift, target: label, epochs: 1, transform: {rotate: 30, noise: 0.05}, learning: {label_smoothing: 0.2}}
"""
EQPROP = TEXT.replace("RULE", "eqprop")


def made(folder: Path, text: str, *overrides: str, **options: Any) -> dict[str, Any]:
    return run(loads(text, overrides=list(overrides)), folder, report=False, **options)


def weights(folder: Path) -> dict[str, Any]:
    with np.load(folder / "weights.npz") as kept:
        return {name: kept[name] for name in kept.files}


def same(one: dict[str, Any], two: dict[str, Any]) -> None:
    assert one.keys() == two.keys()
    for name, array in one.items():
        assert np.array_equal(array, two[name]), name


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    folder = tmp_path_factory.mktemp("phased") / "run"
    return folder, made(folder, EQPROP)


@pytest.mark.parametrize("rule", ["eqprop", "backprop"])
def test_a_chip_in_stages_is_as_many_chips_that_hand_on_their_arrays(rule: str) -> None:
    spec = resolve(loads(TEXT.replace("RULE", rule)))
    data = datasets.load("digits", 60, 10)
    x, y = encode(data.x_train, 8), data.y_train
    one, order = Chip(spec), np.arange(20)
    parts = {stage.index: Chip(stage.spec) for stage in stages(spec)}
    held: dict[str, Any] = {}
    for index in (0, 1, 2, 1, 2, 3):
        one.enter(index)
        one.rule.learn(x, y, order + index, 0)
        alone = parts[index]
        state = dict(alone.state())
        shared = [name for name in held if name in state and held[name].shape == state[name].shape]
        alone.restore({**state, **{name: held[name] for name in shared if name not in ("events", "epoch")}})
        alone.rule.learn(x, y, order + index, 0)
        after = alone.state()
        held |= {name: array for name, array in after.items() if array.size}
    mine = one.state()
    for name in ("chip_weights", "chip_biases", "chip_random", "chip_homeostasis", "chip_activity", "wear"):
        assert np.array_equal(mine[name], held[name]), name
    assert one.stage_counts() == [parts[stage.index].counts() for stage in stages(spec)]
    again = Chip(spec)
    again.restore(mine)
    same(mine, again.state())
    assert np.array_equal(one.infer(data.x_test), again.infer(data.x_test)) and again.stage == 3
    with pytest.raises(ArgumentError, match="stage"):
        one.enter(4)


def test_one_phase_of_all_samples_is_the_short_form(tmp_path: Path) -> None:
    short = "name: a\ndata: {set: digits, train: 100, test: 60}\nchip: {layers: [64, 12, 10], memory_budget: 64 KiB}\n"
    one = made(tmp_path / "one", short + "epochs: 2\nlearning: {winners: 1}\n")
    two = made(tmp_path / "two", short + "learning: {winners: 1}\nphases: [{name: all, epochs: 2}]\n")
    same(weights(tmp_path / "one"), weights(tmp_path / "two"))
    for key in ("accuracy", "counts", "energy_j", "latency_s", "area_mm2", "labels", "train_samples"):
        assert one[key] == two[key], key
    assert "phases" not in one and [phase["name"] for phase in two["phases"]] == ["all"]


def test_every_phase_has_its_share_of_the_record(whole: tuple[Path, dict[str, Any]]) -> None:
    _, record = whole
    phases = record["phases"]
    assert [(p["name"], p["epochs"], p["samples"]) for p in phases] == [
        ("pretrain", 2, 80), ("both", 2, 600), ("drift", 1, 40),
    ]  # fmt: skip
    assert [part["which"] for part in phases[1]["parts"]] == ["unlabelled", "labelled"]
    assert [point["phase"] for point in record["curve"]] == ["pretrain", "pretrain", "both", "both", "drift"]
    for name, count in record["counts"]["train"].items():
        assert count == sum(p["counts"][name] for p in phases) == sum(c["counts"][name] for c in record["curve"])
    for every in (phases, record["curve"]):
        assert sum(each["energy_j"] for each in every) == pytest.approx(record["energy_j"]["train_total"])
    assert phases[0]["counts"]["homeostasis_step"] == 0 < phases[1]["parts"][0]["counts"]["homeostasis_step"]
    assert list(phases[0]["accuracy"]) == ["base", "rotated 30 noise 0.05"] == list(record["forgetting"])
    assert phases[-1]["accuracy"]["base"]["output"] == record["accuracy"]["output"]
    assert record["labels"]["training"] == record["labels"]["readout"] == 40
    again = bill.reprice(record, record["technology"]["table"])
    assert again["energy_j"] == record["energy_j"] and again["curve"] == record["curve"]
    assert again["phases"] == record["phases"]
    assert bill.reprice(record, "cmos_45nm", 22)["phases"][1]["energy_j"] < phases[1]["energy_j"]


def test_a_run_that_is_stopped_anywhere_goes_on_the_same(whole: tuple[Path, dict[str, Any]], tmp_path: Path) -> None:
    def stop(curve: list[dict[str, Any]]) -> None:
        if len(curve) in (1, 3, 4):
            raise KeyboardInterrupt

    folder, record = whole
    for _ in range(3):
        with pytest.raises(KeyboardInterrupt):
            made(tmp_path / "cut", EQPROP, watch=stop, threads=2)
    found = made(tmp_path / "cut", EQPROP, threads=2)
    same(weights(folder), weights(tmp_path / "cut"))
    for key in ("accuracy", "counts", "energy_j", "phases", "curve", "forgetting", "spec_hash", "device"):
        assert found[key] == record[key], key


def test_a_buffer_learns_what_a_stream_does(whole: tuple[Path, dict[str, Any]], tmp_path: Path) -> None:
    folder, record = whole
    kept = made(tmp_path / "kept", EQPROP, "chip.replay=buffer")
    same(weights(folder), weights(tmp_path / "kept"))
    counts = dict(kept["counts"]["train"])
    assert counts.pop(replay.READ) == (2 + 2) * 40 * 65 and counts.pop(replay.WRITE) == 40 * 65
    assert counts == record["counts"]["train"] and kept["accuracy"] == record["accuracy"]
    assert kept["energy_j"]["train_breakdown"]["replay buffer"] > 0
    assert kept["memory"]["used_bits"] - record["memory"]["used_bits"] == 40 * (64 * 8 + 4)
    spec = loads(EQPROP, overrides=["chip.replay=buffer"])
    buffer = Chip(spec).replay
    assert buffer is not None
    held = {array.name: array.shape for array in replay.arrays(spec)}
    assert held == {replay.SAMPLES: buffer.samples.shape, replay.LABELS: buffer.labels.shape}


def test_labels_that_are_not_known_change_nothing(tmp_path: Path) -> None:
    data = datasets.load("digits", 120, 40)
    text = EQPROP.replace("set: digits, train: 300, test: 60", f"set: {tmp_path / 'own.npz'}")
    known = labels.chosen(data.y_train, 40, 0, per_class=False)
    found = []
    for shift in (0, 1):
        y = (data.y_train + shift) % 10
        y[known] = data.y_train[known]
        np.savez(tmp_path / "own.npz", x_train=data.x_train.reshape(-1, 8, 8), y_train=y,
                 x_test=data.x_test.reshape(-1, 8, 8), y_test=data.y_test)  # fmt: skip
        spec = loads(text, overrides=["data.labels.per_class=false", "phases.1.turns=1"])
        plain = spec.plain()
        del plain["data"]["sha256"]
        found.append(run(Spec.from_plain(plain), tmp_path / str(shift), report=False))
    same(weights(tmp_path / "0"), weights(tmp_path / "1"))


def test_frozen_neurons_learn_no_more() -> None:
    freeze = "phases.2.learning.consolidation={frozen: 0.5}"
    for rule in ("eqprop", "backprop"):
        chip = Chip(resolve(loads(TEXT.replace("RULE", rule), overrides=[freeze])))
        data = datasets.load("digits", 100, 10)
        chip.learn(data.x_train, data.y_train)
        before = [chip.rule.weights(k).copy() for k in range(2)]  # type: ignore[attr-defined]
        sums = np.abs(before[0].astype(int)).sum(axis=0)
        chip.enter(3)
        read = chip.stage_counts()[3]["weight_read"]
        chip.learn(data.x_train, data.y_train)
        moved = (chip.rule.weights(0) != before[0]).any(axis=0)  # type: ignore[attr-defined]
        strongest = np.argsort(-sums, kind="stable")[:6]
        assert not moved[strongest].any() and moved.any()
        assert (chip.rule.weights(1) != before[1]).any()  # type: ignore[attr-defined]
        assert read == 0 and chip.stage_counts()[3]["weight_read"] > 64 * 12
        again = Chip(chip.spec)
        again.restore(chip.state())
        assert again.counts() == chip.counts()


def test_a_report_shows_the_phases(whole: tuple[Path, dict[str, Any]], tmp_path: Path) -> None:
    write([whole[0]], tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text()
    for told in ("Phases", "pretrain", "unlabelled, self defined", "rotated 30 noise 0.05", "after drift", "forgotten"):
        assert told in page


@pytest.mark.parametrize(
    ("overrides", "told"),
    [
        (["chip.replay=buffer", "chip.memory_budget=3 KiB"], "replay_samples"),
        (["phases.2.set=ROWS"], "phases[2].set: rows: 4 features, allowed: 64"),
        (["phases.2.set=FLAT"], "phases[2].transform: flat: samples of shape (64,) cannot be turned"),
        (["phases.2.set=FLAT", "phases.2.transform=null"], "more labels than flat has samples"),
        (["phases.2.set=none.npz"], "none.npz"),
        (["phases.0.samples=unlabelled"], "unlabelled with target: label"),
    ],
)
def test_bad_phases_end_with_a_sentence(
    overrides: list[str], told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, shape in (("rows", (20, 4)), ("flat", (20, 64))):
        x, y = np.zeros(shape, np.uint8), np.arange(20) % 10
        np.savez(tmp_path / f"{name}.npz", x_train=x, y_train=y, x_test=x, y_test=y)
    file = tmp_path / "a.yaml"
    file.write_text(EQPROP)
    sets = [each.replace("ROWS", str(tmp_path / "rows.npz")).replace("FLAT", str(tmp_path / "flat.npz")) for each in
            overrides]  # fmt: skip
    arguments = [word for each in sets for word in ("--set", each)]
    assert main(["run", str(file), *arguments, "--out", str(tmp_path / "out")]) == 2
    error = capsys.readouterr().err
    assert told in error and "Traceback" not in error
    assert not json.dumps(error).count("KeyError")
