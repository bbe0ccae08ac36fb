"""Whole runs of chips of two weight layers on cells: record, wear, threads, ablation, rest and report."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgesdt.ledger import actions
from edgesdt.spec import Spec
from tests.conftest import Said, Shell

Cli = Callable[..., Said]
TEXT = """\
name: layers
data: {set: digits, train: 800, test: 200}
chip: {layers: [64, 40, 10], weights: {bits: 16, frac_bits: 13}, memory_budget: 16 KiB}
learning: {target: label, learning_rate: [0.02, 0.01], beta: 0.5, dt: 0.5, free_steps: 20}
device: {layers: {0: EcRam, 1: {model: EcRam, array: {weight_per_range: 2}}}}
readout: [output]
epochs: 3
"""
MIXED = ["--set", "device.layers.1=sram"]


def record_of(folder: Path) -> dict[str, Any]:
    """The record in a run folder."""
    return dict(json.loads((folder / "record.json").read_text(encoding="utf-8")))


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folders of the chip with both layers on cells, looked at a year later, and with the lower one alone on cells."""
    folder = tmp_path_factory.mktemp("layers")
    (folder / "layers.yaml").write_text(TEXT, encoding="utf-8")
    for name, extra in (("both", ["--set", "deployment.times=[1 year]"]), ("mixed", MIXED)):
        said = Shell(folder)("run", "layers.yaml", *extra, "--out", name, "--quiet")
        assert (said.code, said.err) == (0, "")
    return folder


@pytest.mark.parametrize(("name", "on_cells"), [("both", (0, 1)), ("mixed", (0,))])
def test_a_chip_with_layers_on_cells_learns_and_is_recorded(name: str, on_cells: tuple[int, ...], runs: Path) -> None:
    record = record_of(runs / name)
    assert Spec.from_plain(record["spec"]).plain() == record["spec"]
    assert record["accuracy"]["output"] > 0.75 > 0.3 > record["accuracy"]["untrained_output"]
    device, train = record["device"], record["counts"]["train"]
    assert list(device["layers"]) == [str(layer) for layer in on_cells]
    assert device["cells"] == sum(64 * 40 if layer == 0 else 40 * 10 for layer in on_cells)
    for layer in on_cells:
        worn = device["layers"][str(layer)]
        up, down = (train[actions.of_layer(pulse, layer)] for pulse in (actions.PULSE_UP, actions.PULSE_DOWN))
        assert (worn["pulses_up"], worn["pulses_down"]) == (up, down)
        assert worn["writes_total"] == up + down > 1000
        assert sum(worn["writes_histogram"].values()) == worn["cells"]
    assert device["writes_total"] == sum(worn["writes_total"] for worn in device["layers"].values())
    assert ("layer_1.array_read_back" in train) == (1 in on_cells)
    assert ("memory_writes" in device) == (1 not in on_cells) == (train["mac"] > 0) == (train["weight_write"] > 0)
    parts = {"cell reads", "cell pulses", "ADC", *(["DAC and columns"] if 1 in on_cells else ["weight memory"])}
    assert record["energy_j"]["train_breakdown"].keys() >= parts
    with np.load(runs / name / "weights.npz") as kept:
        assert kept["weights_1"].shape == (40, 10)
        assert ("cells_1_state" in kept.files) == (1 in on_cells)


def test_cells_that_do_not_drift_show_the_same_a_year_later(runs: Path) -> None:
    record = record_of(runs / "both")
    assert record["deployment"][0]["output"] == record["accuracy"]["output"]


def test_the_report_shows_both_layers(runs: Path) -> None:
    page = (runs / "both" / "report.html").read_text(encoding="utf-8")
    assert "Pulses received" in page and "EcRam" in page
    said = Shell(runs)("report", "both", "mixed", "--out", "two.html")
    assert said.code == 0, said.err
    assert "EcRam, sram" in (runs / "two.html").read_text(encoding="utf-8")


def test_threads_do_not_matter(runs: Path) -> None:
    said = Shell(runs)("run", "layers.yaml", "--set", "deployment.times=[1 year]", "--threads", 3, "--out", "threads")
    assert said.code == 0
    one, three = record_of(runs / "both"), record_of(runs / "threads")
    for part in ("accuracy", "counts", "energy_j", "device", "curve"):
        assert one[part] == three[part], part


def test_an_ablation_switches_every_layer(runs: Path) -> None:
    few = ["--set", "epochs=1", "--set", "data.train=100", "--set", "device.off=[nonlinearity, asymmetry]"]
    said = Shell(runs)("run", "layers.yaml", *few, "--ablate", "--out", "ablated", "--quiet")
    assert said.code == 0, said.err
    found = json.loads((runs / "ablated" / "ablation.json").read_text(encoding="utf-8"))
    assert {"only adc", "all but adc", "only cycle_to_cycle"} <= {row["variant"] for row in found["variants"]}
    ideal = record_of(runs / "ablated" / "all_off")["device"]
    assert ideal["non_idealities"] == [] and ideal["clipped_conversions"] == 0
