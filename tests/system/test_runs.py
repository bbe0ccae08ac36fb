"""Whole runs in processes of their own: the record's contract, determinism, and what a kill or Ctrl-C loses."""

from __future__ import annotations

import json
import re
import shutil
import signal
import subprocess
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgesdt.ledger import actions
from edgesdt.spec import Spec, load, spec_hash
from tests.conftest import Said, Shell

LONG = """\
name: long
data: {set: digits}
encoder: {bits: 4}
chip:
  layers: [64, 60]
  weights: {bits: 8, frac_bits: 9}
  memory_budget: 16 KiB
learning: {winners: 3, learning_rate: 0.004}
readout: [direct, linear]
epochs: 60
seed: 3
"""
SAME = ("accuracy", "counts", "energy_j", "memory")
"""What the same spec and seed give again, everywhere."""


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of `LONG`, run without an interruption in a process of its own."""
    folder = tmp_path_factory.mktemp("whole")
    (folder / "long.yaml").write_text(LONG, encoding="utf-8")
    said = Shell(folder)("run", "long.yaml", "--quiet", "--threads", "1")
    assert (said.code, said.err) == (0, "")
    assert said.out.endswith("\nreport: runs/long-3/report.html\n"), "where a run goes without --out"
    return folder / "runs" / "long-3"


@pytest.fixture
def long(tmp_path: Path) -> Path:
    """The spec file of `LONG`."""
    path = tmp_path / "long.yaml"
    path.write_text(LONG, encoding="utf-8")
    return path


def record_of(folder: Path) -> dict[str, Any]:
    """The record in a run folder."""
    return dict(json.loads((folder / "record.json").read_text(encoding="utf-8")))


def assert_same_run(folder: Path, whole: Path) -> None:
    """Everything that is promised to be the same is the same, to the last bit."""
    found, expected = record_of(folder), record_of(whole)
    for part in SAME:
        assert found[part] == expected[part], part
    for part in ("spec", "spec_hash", "latency_s", "area_mm2", "device", "held", "technology", "curve"):
        assert found[part] == expected[part], part
    with np.load(folder / "weights.npz") as mine, np.load(whole / "weights.npz") as theirs:
        assert mine.files == theirs.files
        for name in mine.files:
            assert mine[name].dtype == theirs[name].dtype
            assert mine[name].tobytes() == theirs[name].tobytes(), name


# --- the record


def test_the_record_keeps_the_contract(whole: Path) -> None:
    record = record_of(whole)
    assert record["schema"] == 1
    assert (record["name"], record["seed"]) == ("long", 3)
    spec = Spec.from_plain(record["spec"])
    assert spec.plain() == record["spec"]
    assert record["spec_hash"] == spec_hash(record["spec"]) == spec_hash(load(str(whole / "spec.yaml")).plain())
    assert record["versions"].keys() >= {"edgesdt", "python", "numpy", "numba"}
    assert all(re.match(r"\d+\.\d+", version) for version in record["versions"].values())
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", record["started"])
    assert isinstance(record["duration_s"], float) and 0 < record["duration_s"] < 600
    shares = {name: value for name, value in record["accuracy"].items() if not name.endswith("_samples")}
    names = {"direct_average", "direct_max", "linear"}
    assert shares.keys() == names | {f"untrained_{name}" for name in names}
    assert all(isinstance(value, float) and 0 <= value <= 1 for value in shares.values())
    for place in (record, record["accuracy"]):
        assert (place["train_samples"], place["test_samples"]) == (1437, 360)
    assert record["counts"].keys() == {"train", "inference"}
    for counts in record["counts"].values():
        assert counts.keys() == actions.MEANING.keys()
        assert all(type(n) is int and n >= 0 for n in counts.values())


def test_the_costs_in_the_record_keep_the_contract(whole: Path) -> None:
    record = record_of(whole)
    joules = record["energy_j"]
    assert joules.keys() == {
        "train_total", "train_per_sample", "inference_per_sample", "train_breakdown", "inference_breakdown",
        "train_leakage", "inference_leakage",
    }  # fmt: skip
    for phase, total in (("train", "train_total"), ("inference", "inference_per_sample")):
        assert sum(joules[f"{phase}_breakdown"].values()) == pytest.approx(joules[total], rel=1e-12, abs=0)
    assert record["latency_s"].keys() >= {"train_per_sample", "inference_per_sample"}
    assert record["area_mm2"].keys() == {"total", "breakdown"}
    memory = record["memory"]
    assert memory["budget_bits"] == 16 * 8192
    assert memory["used_bits"] == sum(array["bits"] for array in memory["arrays"]) <= memory["budget_bits"]
    assert all(array.keys() == {"name", "shape", "format", "bits"} for array in memory["arrays"])
    assert record["device"]["model"] == "sram"
    assert record["device"]["writes_total"] == record["counts"]["train"]["weight_write"]
    assert 0 < record["device"]["writes_per_cell_max"] <= record["device"]["writes_total"]
    assert record["speed"].keys() == {"train_samples_per_s", "inference_samples_per_s"}
    for value in (*record["speed"].values(), *joules["train_breakdown"].values(), record["area_mm2"]["total"]):
        assert isinstance(value, float) and value > 0


def test_the_curve_has_a_point_for_each_epoch_and_ends_at_the_result(whole: Path) -> None:
    record = record_of(whole)
    assert [point["epoch"] for point in record["curve"]] == list(range(1, 61))
    for point in record["curve"]:
        assert 0 <= point["direct_average"] <= 1 and point["energy_j"] > 0
    last, result = record["curve"][-1], record["accuracy"]
    assert (last["direct_average"], last["direct_max"]) == (result["direct_average"], result["direct_max"])
    rates = [point["learning_rate"][0] for point in record["curve"]]
    assert rates == sorted(rates, reverse=True) and rates[0] == pytest.approx(0.004, rel=0.01)


def test_the_chip_has_learned(whole: Path) -> None:
    accuracy = record_of(whole)["accuracy"]
    assert accuracy["direct_average"] > 0.75
    assert accuracy["direct_average"] > accuracy["untrained_direct_average"] + 0.2


class Loads(HTMLParser):
    """Everything that a page would fetch or run."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in ("script", "iframe", "object", "embed", "base"):
            self.found.append(tag)
        for name, value in attrs:
            if name in ("src", "srcset", "data", "href") and tag != "a" and not str(value).startswith(("data:", "#")):
                self.found.append(f"{tag} {name}={value}")


def test_the_report_stands_alone(whole: Path) -> None:
    page = (whole / "report.html").read_text(encoding="utf-8")
    assert Loads(page).found == []
    assert not re.search(r"@import|url\(\s*['\"]?(?!data:|#)", page)
    accuracy = record_of(whole)["accuracy"]["direct_average"]
    for part in ("long", f"{100 * accuracy:.1f}", "weights_0", "cmos_45nm", "data:image/png;base64,", "<svg"):
        assert part in page, part
    assert str(whole) not in page


def test_the_log_tells_the_run(whole: Path) -> None:
    lines = [line.split(" ", 1)[1] for line in (whole / "log.txt").read_text(encoding="utf-8").splitlines()]
    assert lines[0].startswith("untrained direct_average ")
    assert [line.split()[1] for line in lines[1:-1]] == [f"{n}/60" for n in range(1, 61)]
    assert lines[-1].startswith("done direct_average ")


# --- determinism


def test_the_same_again_with_two_threads(whole: Path, long: Path, cli: Callable[..., Said]) -> None:
    assert cli("run", long, "--threads", "2", "--quiet").code == 0
    assert_same_run(long.parent / "runs" / "long-3", whole)


def test_another_seed_is_another_run(whole: Path, long: Path, cli: Callable[..., Said]) -> None:
    first, second = ("--seed", 3, "--set", "epochs=2"), ("--seed", 4, "--set", "epochs=2")
    records = [json.loads(cli("run", long, *extra, "--json", "--quiet").out) for extra in (first, second)]
    assert records[0]["spec_hash"] == records[1]["spec_hash"]
    assert records[0]["accuracy"] != records[1]["accuracy"]
    assert records[0]["counts"] != records[1]["counts"]


# --- interruptions


def until(process: subprocess.Popen[str], line: str) -> str:
    """Read standard error up to the line that starts so; returns all that was read."""
    assert process.stderr is not None
    told = ""
    for read in process.stderr:
        told += read
        if read.startswith(line):
            return told
    raise AssertionError(f"it ended before {line!r}: {told}")


def stopped(shell: Shell, when: str, how: signal.Signals) -> tuple[int, str]:
    """Start `LONG`, send it a signal after that line; its exit code, and what it said from there on."""
    with shell.start("run", "long.yaml") as process:
        until(process, when)
        process.send_signal(how)
        out, told = process.communicate()
    assert out == ""
    return process.returncode, told


def test_a_killed_run_goes_on_and_ends_the_same(whole: Path, long: Path, shell: Shell) -> None:
    folder = long.parent / "runs" / "long-3"
    for when in ("untrained", "epoch 2/", "epoch 6/"):  # before the first checkpoint, after one, and once resumed
        code, _ = stopped(shell, when, signal.SIGKILL)
        assert code == -signal.SIGKILL
        assert not (folder / "record.json").exists(), "too late: the run had ended"
        assert when == "untrained" or (folder / "checkpoint.npz").exists()
    said = shell("run", "long.yaml")
    assert said.code == 0, said.err
    gone_on = re.match(r"going on after epoch (\d+) of 60\n", said.err)
    assert gone_on and 6 <= int(gone_on[1]) < 60
    assert_same_run(folder, whole)
    assert {p.name for p in folder.iterdir()} == {p.name for p in whole.iterdir()}, "litter"


def test_ctrl_c_keeps_finished_epochs_and_goes_on(whole: Path, long: Path, shell: Shell) -> None:
    code, told = stopped(shell, "epoch 3/", signal.SIGINT)
    assert code == 130
    assert "Traceback" not in told
    assert told.endswith("interrupted; finished epochs are kept, and the same command goes on from there\n")
    folder = long.parent / "runs" / "long-3"
    assert (folder / "checkpoint.npz").exists() and not (folder / "record.json").exists()
    said = shell("run", "long.yaml")
    assert said.code == 0 and re.match(r"going on after epoch ([3-9]|[1-5]\d) of 60\n", said.err)
    assert_same_run(folder, whole)


def test_a_folder_in_use_is_left_to_its_process(long: Path, shell: Shell) -> None:
    with shell.start("run", "long.yaml") as process:
        until(process, "untrained")
        said = shell("run", "long.yaml")
        process.kill()
        process.communicate()
    assert (said.code, said.out) == (1, "")
    assert said.err == "runs/long-3: another process is running here\n"


# --- a folder that is there already


def test_a_finished_run_is_shown_again_without_running(whole: Path, long: Path, cli: Callable[..., Said]) -> None:
    folder = Path(shutil.copytree(whole, long.parent / "copy"))
    before = {p.name: p.stat().st_mtime_ns for p in folder.iterdir() if p.name != ".lock"}
    said = cli("run", long, "--out", folder)
    assert said.code == 0
    assert said.err == f"{folder}: this run is finished; its record is shown (delete the folder to run it again)\n"
    assert said.out.startswith("long · seed 3 · ")
    assert {p.name: p.stat().st_mtime_ns for p in folder.iterdir() if p.name != ".lock"} == before


@pytest.mark.parametrize("change", [("--seed", "4"), ("--set", "learning.winners=2"), ("--set", "epochs=61")])
def test_another_run_does_not_overwrite_it(
    change: tuple[str, str], whole: Path, long: Path, cli: Callable[..., Said]
) -> None:
    before = (whole / "record.json").read_bytes()
    cli("run", long, *change, "--out", whole).refused("holds the run of another spec or seed", "choose another --out")
    assert (whole / "record.json").read_bytes() == before
