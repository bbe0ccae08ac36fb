"""Sweeps in processes of their own: resumed, killed, starved of disk, two at once; and bad input of every kind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT, Said, Shell

Cli = Callable[..., Said]

TINY = """\
name: tiny
data: {set: digits, train: 300, test: 100}
encoder: {bits: 4}
chip:
  layers: [64, 40]
  weights: {bits: 8, frac_bits: 9}
  memory_budget: 8 KiB
learning: {winners: 2, learning_rate: 0.004}
epochs: 3
sweep:
  chip.weights.bits: [4, 6, 8]
  learning.winners: [1, 2]
  seed: [0, 1]
"""
SAME = (
    "name", "seed", "spec_hash", "accuracy", "counts", "energy_j", "latency_s", "area_mm2", "memory", "device", "curve",
)  # fmt: skip
"""What a row's record must have in common however it was made: all but times, speeds and versions."""


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    path = tmp_path / "tiny.yaml"
    path.write_text(TINY, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of `TINY`, swept by one worker without an interruption."""
    folder = tmp_path_factory.mktemp("whole")
    (folder / "tiny.yaml").write_text(TINY, encoding="utf-8")
    said = Shell(folder)("sweep", "tiny.yaml", "--workers", "1")
    assert said.code == 0, said.err
    assert said.out.startswith("tiny: 12 runs: 12 done\n")
    assert "best accuracy" in said.out and "records: runs/tiny-sweep/records.jsonl\n" in said.out
    assert said.err.count("\n") == 12
    assert said.err.startswith("[1/12] chip.weights.bits=4, learning.winners=1, seed 0: accuracy ")
    return folder / "runs" / "tiny-sweep"


def rows_of(folder: Path) -> list[dict[str, Any]]:
    """The rows in `records.jsonl`."""
    return [json.loads(line) for line in (folder / "records.jsonl").read_text(encoding="utf-8").splitlines()]


def assert_same_rows(folder: Path, other: Path) -> None:
    """Each row is what it is in the other folder, but for times."""
    mine, theirs = rows_of(folder), rows_of(other)
    assert [(row["point"], row["seed"], row["status"]) for row in mine] == [
        (row["point"], row["seed"], row["status"]) for row in theirs
    ]
    for one, two in zip(mine, theirs, strict=True):
        for part in SAME:
            assert one["record"][part] == two["record"][part], (one["point"], part)


def finished_in(folder: Path) -> dict[str, tuple[int, int]]:
    """Rows that are there, each with what would change if it were written again."""
    places = (folder / "points").glob("[!.]*.json") if folder.exists() else ()
    return {place.name: (place.stat().st_ino, place.stat().st_mtime_ns) for place in places}


def wait_for(folder: Path, count: int) -> None:
    """Until so many rows are there."""
    deadline = time.monotonic() + 120
    while len(finished_in(folder)) < count:
        assert time.monotonic() < deadline, "too slow"
        time.sleep(0.01)


def workers_of(driver: int) -> list[int]:
    """Process ids of the workers of a driver that is running."""
    found = []
    for task in Path(f"/proc/{driver}/task").iterdir():
        for child in map(int, (task / "children").read_text().split()):
            if b"edgesdt.sweep.workers.process" in Path(f"/proc/{child}/cmdline").read_bytes():
                found.append(child)
    return found


def gone(process: int) -> bool:
    """Whether a process has ended (or only waits for its parent to notice)."""
    try:
        return "State:\tZ" in Path(f"/proc/{process}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return True


# --- what a sweep leaves behind


def test_the_folder_has_a_row_and_a_run_for_every_point(whole: Path) -> None:
    found = rows_of(whole)
    expected = [(bits, winners, seed) for bits in (4, 6, 8) for winners in (1, 2) for seed in (0, 1)]
    assert [(*row["point"].values(), row["seed"]) for row in found] == expected
    assert {row["status"] for row in found} == {"done"}
    for row in found:
        made = json.loads((whole / row["run"] / "record.json").read_text(encoding="utf-8"))
        assert made["accuracy"] == row["record"]["accuracy"]
        assert made["spec"]["chip"]["weights"]["bits"] == row["point"]["chip.weights.bits"]
        assert made["seed"] == row["seed"]
        assert (whole / row["run"] / "weights.npz").exists() and not (whole / row["run"] / "checkpoint.npz").exists()
    assert len({row["record"]["accuracy"]["direct_average"] for row in found}) > 4, "the points differ"
    assert {"sweep.json", "spec.yaml", "records.jsonl", "points", "runs"} <= {path.name for path in whole.iterdir()}


def test_a_point_is_the_run_of_its_spec(whole: Path, tiny: Path, cli: Cli) -> None:
    values = ("--set", "chip.weights.bits=6", "--set", "learning.winners=1", "--seed", "1", "--set", "sweep=null")
    alone = json.loads(cli("run", tiny, *values, "--json", "--quiet").out)
    row = next(r for r in rows_of(whole) if (*r["point"].values(), r["seed"]) == (6, 1, 1))
    for part in SAME:
        if part not in ("memory", "curve"):
            assert row["record"][part] == alone[part], part


def test_two_workers_give_the_same_rows_as_one(whole: Path, tiny: Path, shell: Shell) -> None:
    said = shell("sweep", tiny, "--workers", "2", "--out", "two", "--quiet")
    assert (said.code, said.err) == (0, "")
    assert_same_rows(tiny.parent / "two", whole)


def test_a_second_call_runs_nothing_and_a_longer_plan_only_what_is_missing(tiny: Path, shell: Shell) -> None:
    few = ("--set", "sweep.chip.weights.bits=[8]", "--out", "out", "--workers", "1")
    assert shell("sweep", tiny, *few).code == 0
    before = finished_in(tiny.parent / "out")
    said = shell("sweep", tiny, *few)
    assert (said.code, said.err) == (0, "") and said.out.startswith("tiny: 4 runs: 4 done\nbest accuracy")
    longer = shell("sweep", tiny, "--set", "sweep.chip.weights.bits=[6, 8]", *few[2:])
    assert longer.code == 0 and longer.out.startswith("tiny: 8 runs: 8 done\n")
    assert longer.err.startswith("[5/8] chip.weights.bits=6, ")
    after = finished_in(tiny.parent / "out")
    assert len(after) == 8 and {name: after[name] for name in before} == before


# --- faults


def test_killed_workers_and_drivers_lose_nothing_and_repeat_nothing(whole: Path, tiny: Path, shell: Shell) -> None:
    out = tiny.parent / "out"
    command = ("sweep", tiny, "--workers", "2", "--out", "out")
    with shell.start(*command) as driver:
        wait_for(out, 3)
        os.kill(workers_of(driver.pid)[0], signal.SIGKILL)
        wait_for(out, 7)
        workers = workers_of(driver.pid)
        driver.kill()
        driver.communicate()
    kept = finished_in(out)
    assert 7 <= len(kept) < 12, "too late: it had ended"
    deadline = time.monotonic() + 60
    while not all(gone(worker) for worker in workers):
        assert time.monotonic() < deadline, "a worker outlived its driver"
        time.sleep(0.05)
    said = shell(*command)
    assert said.code == 0, said.err
    assert_same_rows(out, whole)
    after = finished_in(out)
    assert {name: after[name] for name in kept} == kept, "a finished point was written again"
    for row in rows_of(out):
        log = (out / row["run"] / "log.txt").read_text(encoding="utf-8")
        assert log.count(" done direct_average ") == 1, "run twice"


def test_ctrl_c_ends_at_once_keeps_rows_and_says_how_to_go_on(whole: Path, tiny: Path, shell: Shell) -> None:
    out = tiny.parent / "out"
    with shell.start("sweep", tiny, "--workers", "1", "--out", "out") as driver:
        wait_for(out, 2)
        (worker,) = workers_of(driver.pid)
        driver.send_signal(signal.SIGINT)
        stdout, stderr = driver.communicate(timeout=60)
    assert driver.returncode == 130 and stdout == "" and "Traceback" not in stderr
    assert gone(worker)
    kept = len(finished_in(out))
    assert 2 <= kept < 12
    rows = len(rows_of(out))
    assert kept - 1 <= rows <= kept, "a run whose end the driver had not heard of yet is the most that may be missing"
    told = f"interrupted: {rows} of 12 runs are done and kept in out; the same command goes on with the rest\n"
    assert stderr.endswith(told)
    assert shell("sweep", tiny, "--workers", "1", "--out", "out", "--quiet").code == 0
    assert_same_rows(out, whole)


def test_two_sweeps_on_one_folder_share_the_work(whole: Path, tiny: Path, shell: Shell) -> None:
    command = ("sweep", tiny, "--workers", "1", "--out", "out")
    with shell.start(*command) as one, shell.start(*command) as two:
        told = [process.communicate()[1] for process in (one, two)]
    assert (one.returncode, two.returncode) == (0, 0), told
    own = [[line for line in text.splitlines() if "run by another sweep" not in line] for text in told]
    ran = [[line.partition("] ")[2].partition(": ")[0] for line in lines] for lines in own]
    assert len(ran[0]) + len(ran[1]) == 12 and not set(ran[0]) & set(ran[1]), "each point is run by one of them"
    assert_same_rows(tiny.parent / "out", whole)


def test_a_poison_point_fails_alone_and_is_retried_on_request(whole: Path, tiny: Path, shell: Shell) -> None:
    out = tiny.parent / "out"
    run = out / rows_of(whole)[5]["run"]
    run.parent.mkdir(parents=True)
    (out / "points").mkdir()
    run.write_text("a file where the run's folder should be")
    command = ("sweep", tiny, "--workers", "2", "--out", "out")
    said = shell(*command)
    assert said.code == 1
    assert said.out.startswith("tiny: 12 runs: 11 done, 1 failed\n")
    assert said.err.endswith("1 of 12 runs failed; --retry-failed runs them again\n")
    row = rows_of(out)[5]
    assert row["status"] == "failed" and "not a folder that can be written" in row["error"] and row["record"] is None
    run.unlink()
    again = shell(*command)
    assert again.code == 1 and again.out.startswith("tiny: 12 runs: 11 done, 1 failed\n"), "not without being asked"
    assert shell(*command, "--retry-failed").code == 0
    assert_same_rows(out, whole)


def test_a_full_disk_keeps_what_is_finished_and_says_so(whole: Path, tiny: Path, shell: Shell) -> None:
    """A limit on the size of files stands for the disk: no record fits in it."""
    few = shell("sweep", tiny, "--workers", "1", "--out", "out", "--set", "sweep.chip.weights.bits=[6]")
    assert few.code == 0
    kept = finished_in(tiny.parent / "out")
    limited = f"import resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (5000, resource.RLIM_INFINITY)); {MAIN}"
    arguments = ["sweep", str(tiny), "--workers", "1", "--out", "out"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", limited, *arguments], cwd=tiny.parent, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 1, done.stderr
    assert "Traceback" not in done.stderr
    assert "could not be written: File too large\n" in done.stderr
    told = "stopped: 4 of 12 runs are done and kept in out; the same command goes on with the rest\n"
    assert done.stderr.endswith(told)
    assert finished_in(tiny.parent / "out") == kept
    assert shell("sweep", tiny, "--workers", "1", "--out", "out", "--quiet").code == 0
    assert_same_rows(tiny.parent / "out", whole)


MAIN = "from edgesdt.cli.main import main; sys.exit(main(sys.argv[1:]))"


# --- search


SEARCH = TINY.partition("sweep:")[0] + """\
sweep:
  method: search
  samples: 12
  seeds: [0, 1]
  objectives: [accuracy, energy, memory]
  constraints: ["memory <= 3 KiB"]
  parameters:
    chip.weights.bits: [4, 6, 8]
    chip.layers[1]: {min: 10, max: 60, log: true}
    learning.winners: {min: 1, max: 5}
    learning.learning_rate: {min: 0.001, max: 0.03, log: true}
"""


def test_a_search_is_the_same_with_any_workers_and_after_a_kill(tmp_path: Path, shell: Shell) -> None:
    (tmp_path / "search.yaml").write_text(SEARCH, encoding="utf-8")
    said = shell("sweep", "search.yaml", "--workers", "1", "--out", "one")
    assert said.code == 0, said.err
    found = rows_of(tmp_path / "one")
    ran = [row for row in found if row["status"] != "infeasible"]
    assert len(ran) == 24 and {row["seed"] for row in ran} == {0, 1}
    for row in found:
        if row["status"] == "done":
            assert row["record"]["memory"]["used_bits"] <= 3 * 8192
        if row["status"] == "infeasible":
            assert row["error"].startswith(("memory <= 3 KiB: it is ", "chip.memory_budget: "))
    with shell.start("sweep", "search.yaml", "--workers", "2", "--out", "two") as driver:
        wait_for(tmp_path / "two", 10)
        driver.kill()
        driver.communicate()
    assert shell("sweep", "search.yaml", "--workers", "2", "--out", "two").code == 0

    def essence(folder: str) -> list[Any]:
        rows = rows_of(tmp_path / folder)
        return [(r["point"], r["seed"], r["status"], (r["record"] or {}).get("accuracy")) for r in rows]

    assert essence("one") == essence("two")


# --- bad input


def test_every_fault_of_a_plan_is_told_and_nothing_is_left_behind(cli: Cli, tiny: Path, tmp_path: Path) -> None:
    before = sorted(tmp_path.rglob("*"))
    refused = [
        ("sweep.chip.weights.bit=[4]", "unknown key", "did you mean"),
        ("sweep.epochs=[]", "sweep.epochs: an empty list"),
        ("sweep.chip.weights.bits=[8, 99]", "out of range: 99", "at point chip.weights.bits=99, learning.winners=1"),
        ("sweep=null", "sweep: missing: this spec runs one chip"),
        ("sweep.method=grod", "unknown choice: 'grod'"),
    ]
    for override, *told in refused:
        cli("sweep", tiny, "--set", override).refused(*told)
        cli("sweep", tiny, "--set", override, "--plan").refused(*told)
    tiny.write_text(TINY.replace("[4, 6, 8]", "[4, 6, 17]"), encoding="utf-8")
    cli("sweep", tiny).refused(f"{tiny}:11: sweep.'chip.weights.bits'[2]: chip.weights.bits: out of range: 17")
    assert sorted(tmp_path.rglob("*")) == before


def test_arguments_that_are_wrong(cli: Cli, tiny: Path) -> None:
    cli("sweep", tiny, "--workers", "0").refused("'0': allowed: 1..1024")
    cli("sweep", tiny, "--workers", "two").refused("'two': allowed: 1..1024")
    cli("sweep", tiny, "--workers", "2", "--scheduler", "tcp://x:1").refused("not allowed with argument --workers")
    cli("sweep").refused("the following arguments are required: SPEC")


def test_folders_that_cannot_be_used(cli: Cli, tiny: Path, tmp_path: Path, whole: Path) -> None:
    (tmp_path / "file").write_text("mine")
    cli("sweep", tiny, "--out", "file").refused("file: not a folder that can be written: ")
    place = Path("/proc/sweep") if Path("/proc").is_dir() else tmp_path / "readonly" / "sweep"
    if not Path("/proc").is_dir():
        place.parent.mkdir(mode=0o500)
    cli("sweep", tiny, "--out", place).refused(f"{place}: not a folder that can be written: ")
    other = ("--set", "epochs=9")
    cli("sweep", tiny, "--out", whole, *other).refused("holds the sweep of another spec, which differs in epochs")
    (tmp_path / "newer" / "points").mkdir(parents=True)
    (tmp_path / "newer" / "sweep.json").write_text('{"schema": 2}')
    cli("sweep", tiny, "--out", "newer").refused("sweep.json: of schema 2, written by a newer edgesdt; this one reads")


def test_the_plan_is_printed_and_nothing_is_run(cli: Cli, tiny: Path, tmp_path: Path) -> None:
    said = cli("sweep", tiny, "--plan", "--workers", "2", "--set", "sweep.chip.layers=[[64, 40], [64, 130]]")
    assert (said.code, said.err) == (0, "")
    assert said.out.startswith("tiny: grid, 12 points with 2 seeds: 16 runs\n"), "[64, 130] fits with 4 bits only"
    assert "\n4 infeasible points, which are not run:\n" in said.out
    assert [path.name for path in tmp_path.iterdir()] == ["tiny.yaml"]


def test_a_thousand_points_are_planned_quickly(shell: Shell, tmp_path: Path) -> None:
    """A tenth of what is promised in 20 s, in 20 s: start-up and busy machines count too."""
    text = TINY.partition("sweep:")[0] + "sweep:\n  learning.beta: {min: 0.1, max: 1.099, step: 0.001}\n"
    (tmp_path / "many.yaml").write_text(text, encoding="utf-8")
    started = time.monotonic()
    said = shell("sweep", "many.yaml", "--plan")
    assert said.code == 0 and said.out.startswith("tiny: grid, 1000 points with 1 seed: 1000 runs\n")
    assert time.monotonic() - started < 20
