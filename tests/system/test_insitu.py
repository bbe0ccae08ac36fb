"""Whole runs of chips on analog cells: the record, what a kill loses (nothing), time at rest, and bad input."""

from __future__ import annotations

import json
import re
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgesdt.ledger import actions
from edgesdt.rules.eqprop.rule import EqProp
from edgesdt.spec import Spec
from tests.conftest import Said, Shell

Cli = Callable[..., Said]
CELLS = ["--set", "device.model=EcRam", "--set", "epochs=2"]
NOISE = ["--set", "device.array.read_noise=additive", "--set", "device.array.read_noise_sd=0.02"]
HANDED = ["--set", "device.model=PCM_Joshi", "--set", "device.parameters={stuck_at: {hrs_fraction: 0.02}}"]
WIRED = [
    "--set", "device.model=TaOx_HfOx", "--set", "device.array.wire_resistance=2.5 Ohm", "--set",
    "device.array.ir_drop_every=700",
]  # fmt: skip
SLICED = ["--set", "device.array.slices=2", "--set", "device.array.carry_every=300"]
LAYERED = [
    "--set", "chip.layers=[64, 40, 20]", "--set",
    "device.layers={0: EcRam, 1: {model: EcRam, array: {read_noise: additive, read_noise_sd: 0.02}}}",
]  # fmt: skip
HANDED_LONG = [*HANDED, "--set", "device.array.programming=verify", "--set", "data.train=300", "--set", "epochs=10"]
LONG = """\
name: long
data: {set: digits, train: 1000, test: 200}
encoder: {bits: 4}
chip: {layers: [64, 60], memory_budget: 16 KiB}
learning: {winners: 3, learning_rate: 0.004}
device: {model: EcRam}
epochs: 25
seed: 3
"""


def record_of(folder: Path) -> dict[str, Any]:
    """The record in a run folder."""
    return dict(json.loads((folder / "record.json").read_text(encoding="utf-8")))


@pytest.fixture(scope="module")
def quick(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the quickstart on ECRAM cells, two epochs, looked at a year later."""
    folder = tmp_path_factory.mktemp("quick")
    rests = ["--set", "deployment.times=[0, 1 year]"]
    said = Shell(folder)("run", "quickstart", *CELLS, *rests, "--out", "run", "--quiet")
    assert (said.code, said.err) == (0, "")
    return folder / "run"


# --- the record


def test_the_record_of_a_run_on_cells(quick: Path) -> None:
    record = record_of(quick)
    assert Spec.from_plain(record["spec"]).plain() == record["spec"]
    assert record["spec"]["device"]["model"] == "EcRam"
    assert record["spec"]["device"]["array"]["weight_per_range"] > 0.18, "the first weights fit"
    for phase in ("train", "inference"):
        counts = record["counts"][phase]
        assert counts.keys() == actions.MEANING.keys() | actions.CELL_MEANING.keys()
        assert all(type(n) is int and n >= 0 for n in counts.values())
    train, inference = record["counts"]["train"], record["counts"]["inference"]
    assert train["array_read"] == 2 * record["train_samples"]
    assert inference["array_read"] == record["test_samples"]
    assert inference["pulse_up"] == inference["pulse_down"] == inference["pulse_time"] == 0
    assert not {"weights_0"} & {array["name"] for array in record["memory"]["arrays"]}
    assert next(a for a in record["memory"]["arrays"] if a["name"] == "cells_0")["shape"] == [1, 64, 200]
    learned = record["accuracy"]["direct_average"]
    assert learned > 0.6 and learned > record["accuracy"]["untrained_direct_average"] + 0.2
    assert record["energy_j"]["train_breakdown"].keys() >= {"cell reads", "cell pulses", "ADC", "DAC and rows"}
    assert (quick / "report.html").stat().st_size > 10_000


def test_what_learning_did_to_the_cells(quick: Path) -> None:
    record = record_of(quick)
    device, train = record["device"], record["counts"]["train"]
    assert (device["model"], device["family"], device["cells"]) == ("EcRam", "linear_step", 64 * 200)
    assert device["writes_total"] == train["pulse_up"] + train["pulse_down"] > 10_000
    assert (device["pulses_up"], device["pulses_down"]) == (train["pulse_up"], train["pulse_down"])
    assert device["writes_per_cell_mean"] == pytest.approx(device["writes_total"] / 12_800)
    assert device["writes_per_cell_mean"] < device["writes_per_cell_max"] < device["writes_total"]
    histogram = device["writes_histogram"]
    assert sum(histogram.values()) == 12_800
    assert all(n > 0 for name, n in histogram.items() if name != "never")
    with np.load(quick / "weights.npz") as kept:
        spread = kept["weights_0"].astype(np.float64) * kept["weights_lsb"]
        assert kept["weights_0"].shape == (64, 200) and kept["cells_state"].shape == (12_800,)
        share = (kept["cells_visible"].reshape(200, 64).T.astype(np.float64) + 0.8276) / 2.0
    wide = record["spec"]["device"]["array"]["weight_per_range"]
    assert np.abs(spread - (share - 0.4138) * wide).max() <= wide / 8192
    assert set(device["non_idealities"]) == {"device_to_device", "cycle_to_cycle", "nonlinearity", "asymmetry"}


def test_cells_that_do_not_drift_show_the_same_a_year_later(quick: Path) -> None:
    record = record_of(quick)
    now, later = record["deployment"]
    assert (now["time_s"], later["time_s"]) == (0.0, 365.25 * 86400.0)
    for name in ("direct_average", "direct_max"):
        assert now[name] == later[name] == record["accuracy"][name]


def test_cells_that_drift_are_read_out_worse_later(cli: Cli) -> None:
    """The chip itself is left as it was: the accuracy of the record is that right after training."""
    extra = ["--set", "device.model=PCM_Joshi", "--set", "device.parameters={retention: {time_constant_s: 1000}}"]
    plain = [*extra, "--set", "epochs=2", "--json", "--quiet"]
    without = json.loads(cli("run", "quickstart", *plain, "--out", "a").out)
    record = json.loads(cli("run", "quickstart", *plain, "--set", "deployment.times=[0, 1 day]", "--out", "b").out)
    assert record["accuracy"] == without["accuracy"]
    assert record["deployment"][1]["direct_average"] < record["accuracy"]["direct_average"] - 0.2


def test_a_digital_memory_beside_it_does_not_change(cli: Cli) -> None:
    """The section `device` says nothing where the weights are digital."""
    first = json.loads(cli("run", "quickstart", "--set", "epochs=1", "--json", "--quiet", "--out", "a").out)
    assert first["spec"]["device"] == {"model": "sram"}
    assert first["counts"]["train"].keys() == actions.MEANING.keys()


@pytest.mark.parametrize(
    "extra",
    [[], NOISE, HANDED, WIRED, [*NOISE, *SLICED]],
    ids=["compiled", "noisy reads", "handed over", "wired", "sliced"],
)
def test_threads_do_not_matter(extra: list[str], cli: Cli) -> None:
    records = []
    for threads in (1, 3):
        run = ["run", "quickstart", *CELLS, *extra, "--threads", threads, "--out", f"t{threads}", "--json", "--quiet"]
        records.append(json.loads(cli(*run).out))
    for part in ("accuracy", "counts", "energy_j", "device", "curve"):
        assert records[0][part] == records[1][part], part


def test_wires_are_in_the_record_and_in_the_ablation(cli: Cli, tmp_path: Path) -> None:
    settings = [*WIRED, "--set", "epochs=1", "--set", "data.train=200", "--set", "device.off=[cycle_to_cycle]"]
    assert cli("run", "quickstart", *settings, "--ablate", "--out", "ablated", "--quiet").code == 0
    found = json.loads((tmp_path / "ablated" / "ablation.json").read_text(encoding="utf-8"))["variants"]
    assert {"only ir_drop", "all but ir_drop"} <= {row["variant"] for row in found}
    with_wires = record_of(tmp_path / "ablated" / "all_on")
    assert with_wires["spec"]["device"]["array"]["wire_resistance"] == 2.5
    assert 0.01 < with_wires["device"]["wire_loss"] < 0.5
    without = record_of(tmp_path / "ablated" / "without_ir_drop")
    assert "wire_loss" not in without["device"]
    assert with_wires["counts"]["train"]["pulse_up"] != without["counts"]["train"]["pulse_up"]


def test_check_shows_the_plan_of_the_array(cli: Cli) -> None:
    settings = ["device.model=EcRam", "device.array.mapping=pair", "device.array.tile_rows=24"]
    settings += ["device.array.tile_columns=128", "device.array.wire_resistance=2.5 Ohm"]
    said = cli("check", "quickstart", *[word for pair in settings for word in ("--set", pair)])
    plan = "array of 3 x 4 tiles of up to 24 x 128 cells, 75 converters of 9 bits for 8 columns each"
    assert f"{plan}, lines of 2.5 Ω per cell\n" in said.out
    assert "array of" not in cli("check", "quickstart").out


def test_check_shows_slices(cli: Cli) -> None:
    settings = ["device.model=EcRam", "device.array.mapping=pair", "device.array.tile_rows=24"]
    settings += ["device.array.tile_columns=128", "device.array.slices=3", "device.array.bits_per_cell=2"]
    said = cli("check", "quickstart", *[word for pair in settings for word in ("--set", pair)]).out
    assert "weights on EcRam, pairs of cells in 3 slices of base 4, carried every 1,000 samples, " in said
    assert "array of 3 x 12 tiles of up to 24 x 128 cells, 225 converters of 9 bits for 8 columns each\n" in said
    assert re.search(r"cells_0 +3 x 2 x 64 x 200 +EcRam cell +0 B", said), said
    assert "slices" not in cli("check", "quickstart", *CELLS).out


def test_slices_are_in_the_record_and_help_a_coarse_device(cli: Cli, tmp_path: Path) -> None:
    """97 steps from one end of a cell to the other, of unlike size, against the same in two digits."""
    coarse = ["--set", "device.model=Ag_aSi", "--set", "epochs=3"]
    for name, extra in (("plain", []), ("sliced", ["--set", "device.array.slices=2"])):
        assert cli("run", "quickstart", *coarse, *extra, "--out", name, "--quiet").code == 0
    plain, sliced = record_of(tmp_path / "plain"), record_of(tmp_path / "sliced")
    assert sliced["accuracy"]["direct_average"] > plain["accuracy"]["direct_average"] + 0.03
    device, train = sliced["device"], sliced["counts"]["train"]
    assert device["cells"] == 2 * plain["device"]["cells"] == 2 * 64 * 200
    assert device["weight_per_pulse"] == pytest.approx(plain["device"]["weight_per_pulse"] / 5)
    assert device["carries"] > 100 and 0 < device["carried_digits"] < 0.2 and device["crowded_digits"] < 0.05
    assert device["writes_total"] == train["pulse_up"] + train["pulse_down"]
    looks = 3 * sliced["train_samples"] // 1000
    assert train["verify_read"] > looks * 64 * 200 and plain["counts"]["train"]["verify_read"] == 0
    assert sliced["counts"]["inference"]["adc_conversion"] == 2 * plain["counts"]["inference"]["adc_conversion"]
    assert "carries" not in plain["device"]
    with np.load(tmp_path / "sliced" / "weights.npz") as kept:
        array = sliced["spec"]["device"]["array"]
        low, high = 3.076923e-9, 38.461538e-9
        shares = (kept["cells_visible"].astype(np.float64).reshape(2, 200, 64) - low) / (high - low)
        weights = np.einsum("s,sji->ij", array["weight_per_range"] * np.array([0.2, 0.8]), shares - 0.5)
        assert np.abs(kept["weights_0"] * kept["weights_lsb"] - weights).max() < array["weight_per_range"] / 8192 + 1e-7
    shown = cli("report", "sliced", "--out", "sliced.html")
    assert shown.code == 0 and "carries" in (tmp_path / "sliced.html").read_text(encoding="utf-8")


def test_carries_that_come_too_seldom_are_told(cli: Cli) -> None:
    coarse = ["--set", "device.model=Ag_aSi", "--set", "epochs=1", "--set", "device.array.slices=2"]
    late = ["--set", "device.array.carry_every=1400", "--set", "learning.learning_rate=0.05"]
    said = cli("run", "quickstart", *coarse, *late, "--out", "late")
    assert said.code == 0
    assert "warning: " in said.err and "device.array.carry_every: 1400 is too seldom" in said.err


def test_noise_is_not_silent(cli: Cli) -> None:
    plain, noisy = (
        json.loads(cli("run", "quickstart", *CELLS, *extra, "--out", name, "--json", "--quiet").out)
        for name, extra in (("plain", []), ("noisy", NOISE))
    )
    assert plain["counts"] != noisy["counts"]


# --- interruptions


def until(process: Any, line: str) -> str:
    """Read standard error up to the line that starts so; returns all that was read."""
    told = ""
    for read in process.stderr:
        told += read
        if read.startswith(line):
            return told
    raise AssertionError(f"it ended before {line!r}: {told}")


@pytest.mark.parametrize(
    "extra",
    [NOISE, HANDED_LONG, WIRED, [*WIRED, *SLICED], LAYERED],
    ids=["own", "handed", "wired", "sliced", "layered"],
)
def test_a_killed_run_on_cells_goes_on_and_ends_the_same(
    extra: list[str], tmp_path: Path, shell: Shell, cli: Cli
) -> None:
    """Cells, noise and tallies go on where they were, to the last bit."""
    (tmp_path / "long.yaml").write_text(LONG, encoding="utf-8")
    said = cli("run", "long.yaml", *extra, "--out", "whole", "--quiet")
    assert said.code == 0, said.err
    for when in ("epoch 2/", "epoch 5/") if extra is NOISE else ("epoch 3/",):  # once resumed it may be killed again
        with shell.start("run", "long.yaml", *extra, "--out", "parts") as process:
            until(process, when)
            process.send_signal(signal.SIGKILL)
            process.communicate()
        assert process.returncode == -signal.SIGKILL
        assert not (tmp_path / "parts" / "record.json").exists(), "too late: the run had ended"
    said = cli("run", "long.yaml", *extra, "--out", "parts")
    assert said.code == 0, said.err
    assert said.err.startswith("going on after epoch ")
    found, expected = record_of(tmp_path / "parts"), record_of(tmp_path / "whole")
    for part in ("accuracy", "counts", "energy_j", "latency_s", "device", "curve", "memory", "spec_hash"):
        assert found[part] == expected[part], part
    with np.load(tmp_path / "parts" / "weights.npz") as mine, np.load(tmp_path / "whole" / "weights.npz") as theirs:
        assert mine.files == theirs.files
        assert all(mine[name].tobytes() == theirs[name].tobytes() for name in mine.files)


# --- bad input


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (["device.model=EcRaam"], ["device.model: unknown device model: 'EcRaam'", "did you mean 'EcRam'?"]),
        (["device.layers={1: EcRam}"], ["device.layers.1: no such layer: 1, allowed: 0 (64-200 has 1 layer"]),
        (
            ["device.model=ecram", "chip.layers=[64, 30, 20]", "device.array.slices=2"],
            ["device.array.slices: 2 with 2 layers of weights, allowed: 1"],
        ),
        (["device.model=EcRam", "learning.batch=4"], ["learning.batch: mini-batches of 4 on analog cells, allowed: 1"]),
        (["device.model=EcRam", "device.off=[cycle_to_cycel]"], ["device.off", "'cycle_to_cycel'", "'cycle_to_cycle'"]),
        (["device.model=EcRam", "device.off=[drift]"], ["device.off", "'drift'", "EcRam"]),
        (
            ["device.model=EcRam", "device.parameters={dw_mim: 0.1}"],
            ["device.parameters", "'dw_mim'", "did you mean 'dw_min'?"],
        ),
        (["device.model=EcRam", "device.parameters={dw_min: -1}"], ["device.parameters", "dw_min"]),
        (["device.model=EcRam", "device.array.mapping=pairs"], ["device.array.mapping", "did you mean 'pair'?"]),
        (["device.model=EcRam", "device.array.adc_range=3"], ["device.array.adc_range: not a power of two: 3"]),
        (["device.model=EcRam", "device.array.adc_bits=1"], ["device.array.adc_bits: out of range: 1"]),
        (["device.model=EcRam", "device.array.train_length=33"], ["device.array.train_length: out of range: 33"]),
        (
            ["device.model=EcRam", "device.array.weight_per_range=0.01"],
            ["device.array.weight_per_range: 0.01 cannot hold the first weights", "allowed: 0.18"],
        ),
        (
            ["device.model=EcRam", "device.array.wire_resistance=2.5 Om"],
            ["device.array.wire_resistance", "'2.5 Om'", "did you mean 'ohm'?"],
        ),
        (
            ["device.model=EcRam", "device.array.wire_resistance=-1 Ohm"],
            ["device.array.wire_resistance: out of range: '-1 Ohm'", "0 Ohm..1 MOhm"],
        ),
        (
            ["device.model=Idealized", "device.array.wire_resistance=2.5 Ohm"],
            ["device.array.wire_resistance: IR drop on Idealized, which has a weight but no conductance"],
        ),
        (["device.model=EcRam", "device.array.slices=0"], ["device.array.slices: out of range: 0"]),
        (["device.model=EcRam", "device.array.slices=two"], ["device.array.slices", "'two'"]),
        (["device.model=EcRam", "device.array.bits_per_cell=0"], ["device.array.bits_per_cell: out of range: 0"]),
        (["device.model=EcRam", "device.array.carry_every=0"], ["device.array.carry_every: out of range: 0"]),
        (
            ["device.model=EcRam", "device.array.slice=2"],
            ["device.array.slice: unknown key", "did you mean 'device.array.slices'?"],
        ),
        (
            ["device.model=EcRam", "device.array.slices=6", "device.array.bits_per_cell=3"],
            ["device.array.bits_per_cell: 3 in 6 slices are 18 bits a weight, allowed: 1..2 with so many slices"],
        ),
        (
            ["device.model=quantized_4bit", "device.array.slices=2", "device.array.bits_per_cell=3"],
            ["bits_per_cell: 3 bits and the carry need 17 states, quantized_4bit has about 16, allowed: 1..2"],
        ),
        (
            ["device.model=quantized_4bit", "device.parameters={levels: 4}", "device.array.slices=2"],
            ["device.array.bits_per_cell: 2 bits", "need 9 states", "about 4, allowed: slices: 1 with this device"],
        ),
        (["device.file=nowhere.yaml"], ["device.file", "nowhere.yaml"]),
        (["device.model=EcRam", "device.file=nowhere.yaml"], ["device.file", "allowed: one of the two"]),
    ],
    ids=lambda given: given[-1] if isinstance(given, list) and "=" in given[-1] else "",
)
@pytest.mark.parametrize("command", ["run", "check"])
def test_bad_cells_are_a_sentence(command: str, change: list[str], told: list[str], cli: Cli, tmp_path: Path) -> None:
    settings = [word for pair in change for word in ("--set", pair)]
    cli(command, "quickstart", *settings).refused(*told)
    assert list(tmp_path.iterdir()) == [], "nothing was begun"


def test_a_sheet_of_ones_own_is_used_and_held_to_its_digest(cli: Cli, tmp_path: Path) -> None:
    sheet = tmp_path / "mine.yaml"
    sheet.write_text(
        "name: mine\nfamily: constant_step\nsummary: equal steps\nsources: {me: measured here}\n"
        "parameters:\n  dw_min: {value: 0.002, unit: '1', source: me}\n",
        encoding="utf-8",
    )
    run = ["run", "quickstart", "--set", "device.file=mine.yaml", "--set", "epochs=1", "--out", "own"]
    record = json.loads(cli(*run, "--json", "--quiet").out)
    assert (record["device"]["model"], record["device"]["family"]) == ("mine", "constant_step")
    cells = next(array for array in record["memory"]["arrays"] if array["name"] == "cells_0")
    assert cells["format"] == "mine cell"
    assert "mine cell" in (tmp_path / "own" / "report.html").read_text(encoding="utf-8")
    shown = cli("check", *run[1:-2]).out
    assert "mine cell" in shown and "sram" not in shown and "weights on mine (" in shown
    assert record["spec"]["device"]["file"] and len(record["spec"]["device"]["sha256"]) == 64
    sheet.write_text(sheet.read_text(encoding="utf-8").replace("0.002", "0.004"), encoding="utf-8")
    cli(*run).refused("holds the run of another spec or seed")
    kept = tmp_path / "own" / "spec.yaml"
    assert cli("check", kept).code == 0, "the run has the text of its sheet"
    text = kept.read_text(encoding="utf-8")
    kept.write_text(text.replace("value: 0.002", "value: 0.004"), encoding="utf-8")
    cli("check", kept).refused("device.sha256", "has changed")
    alone = f"device.sha256={record['spec']['device']['sha256']}"
    cli("check", "quickstart", "--set", "device.file=mine.yaml", "--set", alone).refused("device.sha256", "has changed")


def test_clipped_conversions_are_told(cli: Cli) -> None:
    said = cli("run", "quickstart", *CELLS, "--set", "device.array.adc_range=0.0625", "--out", "clipped")
    assert said.code == 0
    assert "warning: " in said.err and "device.array.adc_range: 0.0625 is too small" in said.err
    assert said.err.count("conversions were at the end") == 1
    assert re.search(r"warning: \d+% of the conversions .* a larger adc_range \(up to 8\) or fewer tile_rows", said.err)
    log = Path("clipped", "log.txt").read_text(encoding="utf-8")
    assert log.count("conversions were at the end") == 1
    share = record_of(Path("clipped"))["device"]["clipped_conversions"]
    assert 0.05 < share <= 1


def test_what_shows_late_is_told_at_the_end_and_once(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    """1.2 % after the first epoch and 3.4 % at the end are one thing; what only the end knows is said then."""
    told = iter([[], ["1.2% are crowded"], ["3.4% are crowded", "5.6% are clipped"]])  # the first: its rehearsal
    monkeypatch.setattr(EqProp, "warnings", lambda self: next(told))
    said = cli("run", "quickstart", "--set", "epochs=3", "--out", "late")
    lines = [line for line in said.err.splitlines() if line.startswith("warning: ")]
    assert (said.code, lines) == (0, ["warning: 1.2% are crowded", "warning: 5.6% are clipped"])
    assert said.err.index("crowded") < said.err.index("epoch 2/3") < said.err.index("clipped")
    log = Path("late", "log.txt").read_text(encoding="utf-8")
    assert log.count("warning: ") == 2


def test_a_forgotten_device_is_refused_or_told(cli: Cli) -> None:
    refused = cli("run", "quickstart", "--set", "device.off=[adc]", "--out", "no").refused(
        "device.off: device.off[0]: 'adc': sram weights are digital", "(did you forget it?)"
    )
    assert refused.err.count("\n") == 1 and not Path("no").exists()
    said = cli("run", "quickstart", "--set", "device.array.adc_bits=5", "--set", "epochs=1", "--out", "yes")
    told = "warning: device.array.adc_bits: no effect, sram weights are digital and have no array"
    assert said.code == 0 and said.err.count(told) == 1
    assert told in Path("yes", "log.txt").read_text(encoding="utf-8")
    checked = cli("check", "quickstart", "--set", "device.array.adc_bits=5")
    assert checked.code == 0 and checked.err.startswith(told) and checked.err.count("\n") == 1


def test_an_ablation_of_several_seeds_goes_on_and_has_a_page(cli: Cli, tmp_path: Path) -> None:
    settings = ["--set", "epochs=1", "--set", "data.train=100", "--set", "data.test=50"]
    settings += ["--set", "device={model: EcRam, off: [nonlinearity, asymmetry, device_to_device]}"]
    command = ["run", "quickstart", *settings, "--ablate", "--seeds", "4,5", "--out", "ablated"]
    said = cli(*command, "--quiet")
    assert said.code == 0 and "mean of 2 seeds ± half of the 95 % interval" in said.out
    assert said.out.endswith("report: ablated/report.html\n") and (tmp_path / "ablated" / "report.html").exists()
    found = json.loads((tmp_path / "ablated" / "ablation.json").read_text(encoding="utf-8"))
    assert found["seeds"] == [4, 5] and [each["seed"] for each in found["results"]] == [4, 5]
    for each in found["results"]:
        for row in each["variants"]:
            record = record_of(tmp_path / "ablated" / row["folder"])
            assert record["seed"] == each["seed"] and record["accuracy"]["direct_average"] == row["direct_average"]
    again = cli(*command)
    assert again.out == said.out and again.err.count("this run is finished") == 2 * len(found["results"][0]["variants"])
    assert cli("report", "ablated", "--csv", "-").out.count("\n") == 1 + 2 * len(found["results"][0]["variants"])
@pytest.mark.parametrize(
    ("fields", "told"),
    [
        (["device.array.adc_range=0.0625"], "adc_range: 0.0625: below two LSBs of the accumulator (0.0625 each)"),
        (["device.array.slices=4", "device.array.bits_per_cell=3"], "of the least significant of 4 slices"),
        (["device.off=[adc]", "device.array.adc_range=0.0625"], ""),
        ([], ""),
    ],
)
def test_a_converter_without_codes_above_zero_is_told_beforehand(fields: list[str], told: str, cli: Cli) -> None:
    narrow = ["chip.biases.enabled=false", "chip.states.bits=4", "encoder.bits=4", "chip.weights.frac_bits=-4"]
    cells = ["device.model=Idealized", "chip.weights.init_gain=0.01", "learning.homeostasis.frac_bits=16"]
    spec = [*cells, "chip.memory_budget=1 MiB", *narrow, *fields]
    said = cli("check", "quickstart", *(word for field in spec for word in ("--set", field)))
    assert said.code == 0, said.err
    assert (told in said.err) if told else "adc_range" not in said.err
