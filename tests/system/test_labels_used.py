"""What `label_fraction` limits: training on labels, and read-outs. What is used is in record, report and CSV."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgesdt.runs.experiment import run
from edgesdt.spec import loads
from edgesdt.sweep.forecast import forecast
from edgesdt.sweep.rows import cut
from tests.conftest import Said

LABELLED = """\
name: few
data: {set: digits}
encoder: {bits: 4}
chip: {layers: [64, 10], weights: {bits: 8, frac_bits: 9}, memory_budget: 8 KiB}
learning: {target: label, learning_rate: 0.004}
readout: [output, direct, linear]
epochs: 1
"""
UNLABELLED = LABELLED.replace("[64, 10]", "[64, 12]").replace("target: label", "winners: 2").replace("output, ", "")
TRAIN = 1437


def made(folder: Path, text: str, *overrides: str) -> dict[str, Any]:
    """The record of a run."""
    return run(loads(text, overrides=overrides), folder / "-".join(["run", *overrides]), report=False)


def test_a_chip_learns_only_from_samples_whose_label_is_known(tmp_path: Path) -> None:
    whole = made(tmp_path, LABELLED)
    few = made(tmp_path, LABELLED, "label_fraction=0.05")
    assert (whole["train_samples"], few["train_samples"]) == (TRAIN, 72)
    assert few["labels"] == {"training": 72, "readout": 72, "seed": 0}
    assert few["counts"]["train"]["input_read"] < 0.1 * whole["counts"]["train"]["input_read"]
    assert few["energy_j"]["train_total"] < 0.1 * whole["energy_j"]["train_total"]
    each = [record["energy_j"]["train_per_sample"] for record in (few, whole)]
    assert each[0] == pytest.approx(each[1], rel=0.3), "the energy of a sample is over those learned"
    assert few["accuracy"]["output"] < whole["accuracy"]["output"]


def test_without_labels_a_chip_learns_from_all_whatever_is_known(tmp_path: Path) -> None:
    whole, few = made(tmp_path, UNLABELLED), made(tmp_path, UNLABELLED, "label_fraction=0.05")
    assert whole["counts"] == few["counts"] and few["train_samples"] == TRAIN
    assert whole["labels"] == {"training": 0, "readout": TRAIN, "seed": 0}
    assert few["labels"] == {"training": 0, "readout": 72, "seed": 0}
    assert whole["accuracy"] != few["accuracy"]


def test_the_draw_has_a_seed_of_its_own(tmp_path: Path) -> None:
    share = "label_fraction=0.05"
    one, same, other = (made(tmp_path, LABELLED, share, *more) for more in ([], ["label_seed=0"], ["label_seed=1"]))
    assert one["counts"] == same["counts"] and one["accuracy"] == same["accuracy"]
    assert one["counts"] != other["counts"] and other["labels"]["seed"] == 1
    fixed = made(tmp_path, UNLABELLED, share, "label_seed=7", "seed=2")
    assert fixed["labels"]["seed"] == 7 and fixed["seed"] == 2
    assert made(tmp_path, UNLABELLED, share, "seed=2")["labels"]["seed"] == 2


def test_the_output_neuron_alone_needs_no_label_to_be_read(tmp_path: Path) -> None:
    found = made(tmp_path, LABELLED, "readout=[output]", "label_fraction=0.05")
    assert found["labels"] == {"training": 72, "readout": 0, "seed": 0}


def test_specs_of_before_the_seed_keep_their_hash() -> None:
    assert "label_seed" not in loads(LABELLED).plain()
    assert loads(LABELLED, overrides=["label_seed=3"]).plain()["label_seed"] == 3


def test_what_is_learned_is_what_is_forecast() -> None:
    shares = [loads(LABELLED, overrides=[f"label_fraction={share}", "epochs=500"]) for share in (1, 0.1)]
    seconds = [forecast(spec).seconds for spec in shares]
    assert seconds[0] is not None and seconds[1] is not None and seconds[1] < 0.7 * seconds[0]


def test_labels_are_in_summary_report_csv_and_rows_of_sweeps(cli: Callable[..., Said], tmp_path: Path) -> None:
    (tmp_path / "few.yaml").write_text(LABELLED, encoding="utf-8")
    said = cli("run", "few.yaml", "--set", "label_fraction=0.05", "--out", "run", "--quiet")
    assert [line.split() for line in said.out.splitlines() if "used" in line] == [["used", "72", "72"]]
    assert "72 in training, 72 in read-outs" in (tmp_path / "run" / "report.html").read_text(encoding="utf-8")
    assert cli("report", "run", "--csv", "run.csv").code == 0
    (row,) = csv.DictReader((tmp_path / "run.csv").read_text(encoding="utf-8").splitlines())
    assert (row["labels.training"], row["labels.readout"], row["labels.seed"]) == ("72", "72", "0")
    record = json.loads((tmp_path / "run" / "record.json").read_text(encoding="utf-8"))
    assert cut(record)["labels"] == record["labels"]


def test_few_labels_read_out_far_above_chance(tmp_path: Path) -> None:
    """1 % of the labels is 14 of the digits: ten classes, most with one label."""
    found = made(tmp_path, UNLABELLED.replace("[64, 12]", "[64, 60]"), "label_fraction=0.01", "readout=[linear]")
    assert found["labels"]["readout"] == 14
    assert found["accuracy"]["linear"] > 0.35 and found["accuracy"]["untrained_linear"] > 0.25
    assert np.isfinite(list(found["accuracy"].values())).all()
