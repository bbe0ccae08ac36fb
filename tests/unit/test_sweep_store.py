"""The store of a sweep: rows whole or not at all, claims that end with their process, folders of others left alone."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from edgesdt.errors import EdgesdtError, RunError
from edgesdt.runs import record
from edgesdt.spec.sweep.section import load_sweep
from edgesdt.sweep import rows
from edgesdt.sweep.driver import MOST_DEATHS, Driver, Planned
from edgesdt.sweep.plan import Point, SweepPlan
from edgesdt.sweep.progress import Progress
from edgesdt.sweep.store import Store
from edgesdt.sweep.workers.jobs import Job, Outcome
from edgesdt.sweep.workers.point import carry_out
from tests.conftest import ROOT, SMALL, Finished

SECTION = "{chip.weights.bits: [4, 8], chip.layers: [[64, 40], [64, 400]], seed: [0, 1]}"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "swept.yaml"
    path.write_text(SMALL, encoding="utf-8")
    return path


def planned(file: Path, *overrides: str, section: str = SECTION) -> SweepPlan:
    return SweepPlan(*load_sweep(str(file), [f"sweep={section}", *overrides]))


@pytest.fixture
def plan(file: Path) -> SweepPlan:
    """Four feasible runs and four that do not fit."""
    return planned(file)


@pytest.fixture
def store(tmp_path: Path, plan: SweepPlan) -> Iterator[Store]:
    with Store(tmp_path / "sweep", plan) as opened:
        yield opened


def put(store: Store, plan: SweepPlan, point: Point, found: Finished, error: str | None = None) -> dict[str, Any]:
    status = rows.FAILED if error else rows.DONE
    made = rows.row(plan, point, status, error, None if error else found.record)
    store.put(point, made)
    return made


# --- rows


def test_a_row_has_what_a_report_needs_and_no_bulk(plan: SweepPlan, finished: Finished) -> None:
    point = plan.points[0]
    made = rows.row(plan, point, rows.DONE, None, finished.record)
    assert made["point"] == {"chip.weights.bits": 4, "chip.layers": [64, 40]}
    assert (made["schema"], made["seed"], made["spec_hash"], made["status"]) == (1, 0, point.spec_hash, "done")
    assert made["run"] == f"runs/{point.spec_hash}-0"
    kept = made["record"]
    for part in ("name", "seed", "accuracy", "energy_j", "latency_s", "area_mm2", "device", "counts", "speed"):
        assert kept[part] == finished.record[part], part
    assert kept["memory"] == {key: finished.record["memory"][key] for key in ("used_bits", "budget_bits")}
    assert [p["epoch"] for p in kept["curve"]] == [1, 2, 3] and "counts" not in kept["curve"][0]
    assert "spec" not in kept
    assert len(rows.line(made)) < 5000
    assert rows.read_line(rows.line(made), "here") == json.loads(json.dumps(made))


def test_lines_that_are_no_rows_are_none_and_newer_ones_are_refused(plan: SweepPlan) -> None:
    whole = rows.line(rows.row(plan, plan.points[4], rows.INFEASIBLE, "too big"))
    for cut in range(len(whole) - 2):
        assert rows.read_line(whole[:cut], "here") is None
    for text in (b"[]", b"3", b"{}", b'{"schema":"1"}', b'{"schema":1}', b"\xff"):
        assert rows.read_line(text, "here") is None
    with pytest.raises(EdgesdtError, match="here: of schema 2, written by a newer edgesdt"):
        rows.read_line(whole.replace(b'"schema":1', b'"schema":2'), "here")


# --- what is kept


def test_what_was_put_is_there_after_opening_again(
    store: Store, plan: SweepPlan, tmp_path: Path, finished: Finished
) -> None:
    done, failed, missing = plan.points[0], plan.points[1], plan.points[5]
    made = put(store, plan, done, finished)
    put(store, plan, failed, finished, error="poison")
    store.close()
    with Store(tmp_path / "sweep", plan) as again:
        assert [again.status(point) for point in (done, failed, missing)] == ["done", "failed", ""]
        assert again.row_of(done) == json.loads(json.dumps(made))
        assert (again.row_of(failed) or {})["error"] == "poison"
        assert again.row_of(missing) is None


def test_the_records_are_the_finished_and_the_infeasible_in_the_plans_order(
    store: Store, plan: SweepPlan, tmp_path: Path, finished: Finished
) -> None:
    for index in (5, 1, 0):
        put(store, plan, plan.points[index], finished)
    store.compact(plan.points)
    text = (tmp_path / "sweep" / "records.jsonl").read_text(encoding="utf-8")
    every = map(json.loads, text.splitlines())
    found = [(row["point"]["chip.weights.bits"], row["seed"], row["status"]) for row in every]
    infeasible = [(bits, seed, "infeasible") for bits in (4, 8) for seed in (0, 1)]
    assert found == [(4, 0, "done"), (4, 1, "done"), *infeasible[:2], (8, 1, "done"), *infeasible[2:]]
    assert "too small by" in json.loads(text.splitlines()[2])["error"]


def test_a_failure_is_replaced_by_success_and_forgotten_for_a_retry(
    store: Store, plan: SweepPlan, finished: Finished
) -> None:
    point = plan.points[0]
    put(store, plan, point, finished, error="poison")
    folder = store.run_folder(point)
    folder.mkdir(parents=True)
    (folder / "run.json").write_text("{}")
    store.forget_failure(point)
    assert store.look_at(point) == "" and not folder.exists()
    put(store, plan, point, finished, error="again")
    put(store, plan, point, finished)
    assert store.look_at(point) == "done"
    assert [path.name for path in (store.path / "points").iterdir()] == [f"{point.id}.json"]


@pytest.mark.parametrize("left", [b"", b"{", b'{"schema":1,"point":{', b"not a row\n", b"\x00" * 100])
def test_what_is_no_whole_row_is_never_read(
    left: bytes, store: Store, plan: SweepPlan, tmp_path: Path, finished: Finished
) -> None:
    point = plan.points[0]
    put(store, plan, point, finished)
    (store.path / "points" / f"{point.id}.json").write_bytes(left)
    (store.path / "points" / f".{plan.points[1].id}.json.0f").write_bytes(left)  # a draft of a process that was killed
    store.close()
    with Store(tmp_path / "sweep", plan) as again:
        assert again.row_of(point) is None
        assert [again.look_at(p) for p in plan.points[:2]] == ["", ""], "they are run again"
        again.compact(plan.points)
        assert b"done" not in (again.path / "records.jsonl").read_bytes()


def test_a_row_takes_the_values_of_the_plan_it_is_read_with(
    store: Store, plan: SweepPlan, file: Path, tmp_path: Path, finished: Finished
) -> None:
    put(store, plan, plan.points[0], finished)
    store.close()
    longer = planned(file, section="{chip.weights.bits: [4], encoder.bits: [4], seed: [1, 0]}")
    with Store(tmp_path / "sweep", longer) as again:
        row = again.row_of(longer.points[1])
        assert row is not None
        assert row["point"] == {"chip.weights.bits": 4, "encoder.bits": 4}
        assert row["record"]["accuracy"] == finished.record["accuracy"]


def test_damaged_rows_are_run_again_by_the_same_call(store: Store, plan: SweepPlan, finished: Finished) -> None:
    for point in (plan.points[0], plan.points[5]):
        put(store, plan, point, finished)
        (store.path / "points" / f"{point.id}.json").write_bytes(b"{")
    store._lines.clear()
    given: list[str] = []
    crew = Puppets(lambda job, times: given.append(job.id) or done(finished))
    assert [row["status"] for row in drive(store, plan, crew)].count("done") == 4
    assert len(given) == 4


def test_the_description_says_what_is_swept(store: Store, plan: SweepPlan) -> None:
    described = json.loads((store.path / "sweep.json").read_text(encoding="utf-8"))
    assert described["schema"] == 1 and described["name"] == "small" and described["points"] == 8
    assert described["plan"]["method"] == "grid" and described["plan"]["seeds"] == [0, 1]
    assert described["plan"]["parameters"] == {"chip.weights.bits": [4, 8], "chip.layers": [[64, 40], [64, 400]]}
    assert described["plan"]["objectives"][1] == {
        "name": "energy", "path": "energy_j.train_per_sample", "up": False, "unit": "J"
    }  # fmt: skip
    assert "sweep" not in described["spec"] and described["versions"].keys() >= {"edgesdt", "numpy"}


def test_ranges_and_constraints_are_described_in_base_units(file: Path, tmp_path: Path) -> None:
    parameters = "{chip.memory_budget: {min: 8 KiB, max: 16 KiB}, epochs: [1, 2]}"
    section = f"{{method: random, samples: 3, parameters: {parameters}, constraints: ['memory <= 4 KiB']}}"
    plan = planned(file, section=section)
    described = rows.description(plan)["plan"]
    budget = {"min": 65536.0, "max": 131072.0, "step": None, "log": False, "unit": "bit"}
    assert described["parameters"] == {"chip.memory_budget": budget, "epochs": [1, 2]}
    (kept,) = described["constraints"]
    assert (kept["name"], kept["op"], kept["bound"], kept["unit"]) == ("memory", "<=", 32768.0, "bit")


# --- claims


HOLD = """
import sys, time
from pathlib import Path
from edgesdt.spec.sweep.section import load_sweep
from edgesdt.sweep.plan import SweepPlan
from edgesdt.sweep.store import Store
plan = SweepPlan(*load_sweep(sys.argv[1], [sys.argv[2]]))
store = Store(Path(sys.argv[3]), plan)
print([store.claim(point) for point in plan.points[:2]], flush=True)
time.sleep(600)
"""


def test_a_claim_holds_against_other_processes_and_ends_with_its_own(
    store: Store, plan: SweepPlan, file: Path, tmp_path: Path
) -> None:
    assert store.claim(plan.points[0])
    command = [sys.executable, "-c", HOLD, str(file), f"sweep={SECTION}", str(tmp_path / "sweep")]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "[False, True]\n"
        assert not store.claim(plan.points[1])
        assert store.claim(plan.points[0]), "one's own claim stays"
        other.send_signal(signal.SIGKILL)
        other.wait()
    assert store.claim(plan.points[1])
    store.release(plan.points[1])


def test_opening_a_folder_leaves_claims_of_this_process_alone(store: Store, plan: SweepPlan) -> None:
    """Closing any file of a POSIX lock drops it: nothing but the store may open `.claims`."""
    store.claim(plan.points[0])
    (store.path / "sweep.json").read_bytes()
    store.compact(plan.points)
    probe = "import fcntl,sys\nf=open(sys.argv[1],'ab')\nfcntl.lockf(f,fcntl.LOCK_EX|fcntl.LOCK_NB)"
    other = subprocess.run([sys.executable, "-c", probe, store.path / ".claims"], capture_output=True, text=True)
    assert "BlockingIOError" in other.stderr


# --- folders that are not one's own


def test_a_folder_of_something_else_is_left_alone(plan: SweepPlan, tmp_path: Path) -> None:
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters" / "to_a_friend.txt").write_text("Dear")
    with pytest.raises(EdgesdtError, match="holds something that is not an edgesdt sweep; choose another --out"):
        Store(tmp_path / "letters", plan)
    assert [path.name for path in (tmp_path / "letters").iterdir()] == ["to_a_friend.txt"]


def test_the_sweep_of_another_spec_is_left_alone(store: Store, file: Path) -> None:
    before = (store.path / "sweep.json").read_bytes()
    with pytest.raises(EdgesdtError, match=r"holds the sweep of another spec, which differs in epochs, learning \("):
        Store(store.path, planned(file, "epochs=4", "learning.beta=0.5"))
    assert (store.path / "sweep.json").read_bytes() == before


def test_more_values_go_into_the_same_folder(store: Store, plan: SweepPlan, file: Path, finished: Finished) -> None:
    put(store, plan, plan.points[0], finished)
    longer = planned(file, section="{chip.weights.bits: [3, 4, 8], chip.layers: [[64, 40]], seed: [0]}")
    with Store(store.path, longer) as again:
        assert [again.status(point) for point in longer.points] == ["", "done", ""]


def test_what_a_newer_edgesdt_wrote_is_refused(store: Store, plan: SweepPlan) -> None:
    described = store.path / "sweep.json"
    described.write_text(described.read_text().replace('"schema": 1', '"schema": 2'))
    with pytest.raises(EdgesdtError, match=r"sweep.json: of schema 2, written by a newer edgesdt; this one reads 1"):
        Store(store.path, plan)
    described.write_text("{")
    with pytest.raises(EdgesdtError, match=r"sweep.json: damaged"):
        Store(store.path, plan)


def test_a_place_that_is_no_folder_is_bad_input(
    plan: SweepPlan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(EdgesdtError, match="not a folder that can be written: Not a directory") as caught:
        Store(tmp_path / "file", plan)
    assert caught.value.exit_code == 2

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.raises(EdgesdtError, match="not a folder that can be written: Permission denied") as caught:
        Store(tmp_path / "readonly", plan)
    assert caught.value.exit_code == 2


# --- the driver, with workers that do as they are told


class Puppets:
    """A crew whose outcomes come from a function of the job and of how often it was given."""

    def __init__(self, act: Callable[[Job, int], Outcome], size: int = 2) -> None:
        self._act, self.size, self._given = act, size, dict[str, int]()
        self._jobs: list[Job] = []
        self.closed = False

    def free(self) -> int:
        return self.size - len(self._jobs)

    def compiling(self) -> int:
        return 0

    def start(self, job: Job) -> None:
        assert self.free() > 0
        self._jobs.append(job)

    def wait(self, timeout: float) -> list[tuple[str, Outcome]]:
        jobs, self._jobs = self._jobs, []
        told = []
        for job in jobs:
            self._given[job.id] = self._given.get(job.id, 0) + 1
            told.append((job.id, self._act(job, self._given[job.id])))
        return told

    def close(self) -> None:
        self.closed = True


def drive(store: Store, plan: SweepPlan, crew: Puppets, retry_failed: bool = False) -> list[dict[str, Any]]:
    driver = Driver(plan, Planned(plan), store, lambda runs: crew, Progress(plan, sys.stderr, quiet=True), retry_failed)
    driver.run()
    return [json.loads(line) for line in (store.path / "records.jsonl").read_text().splitlines()]


def done(found: Finished) -> Outcome:
    return {"kind": "done", "record": found.record, "seconds": 1.0}


def test_a_point_whose_workers_die_is_tried_again_and_then_given_up(
    store: Store, plan: SweepPlan, finished: Finished
) -> None:
    poison, unlucky = plan.points[0].id, plan.points[1].id
    given: list[str] = []

    def act(job: Job, times: int) -> Outcome:
        given.append(job.id)
        if job.id == poison or (job.id == unlucky and times < MOST_DEATHS):
            return {"kind": "died", "error": "worker died (signal 9, SIGKILL)"}
        return done(finished)

    crew = Puppets(act)
    found = {(row["spec_hash"], row["seed"]): row for row in drive(store, plan, crew)}
    assert crew.closed
    row = found[plan.points[0].spec_hash, 0]
    assert row["status"] == "failed" and row["error"] == "worker died (signal 9, SIGKILL), 3 times"
    assert found[plan.points[1].spec_hash, 1]["status"] == "done"
    assert given.count(poison) == MOST_DEATHS and given.count(unlucky) == MOST_DEATHS
    assert sorted(row["status"] for row in found.values()) == ["done"] * 3 + ["failed"] + ["infeasible"] * 4


def test_workers_that_never_came_up_do_not_count_against_a_point(
    store: Store, plan: SweepPlan, finished: Finished
) -> None:
    crew = Puppets(lambda job, times: {"kind": "lost"} if times < 9 else done(finished))
    assert [row["status"] for row in drive(store, plan, crew)].count("done") == 4


def test_a_failed_point_stops_nothing_and_is_run_again_on_request_only(
    store: Store, plan: SweepPlan, finished: Finished
) -> None:
    poison = plan.points[4].id
    given: list[str] = []

    def act(job: Job, times: int) -> Outcome:
        given.append(job.id)
        spoilt = job.id == poison and len(given) < 5
        return {"kind": "failed", "error": "ValueError: poison"} if spoilt else done(finished)

    def statuses(retry: bool = False) -> list[str]:
        return [row["status"] for row in drive(store, plan, Puppets(act), retry) if row["status"] != "infeasible"]

    assert sorted(statuses()) == ["done", "done", "done", "failed"]
    assert len(given) == 4
    assert sorted(statuses()) == ["done", "done", "done", "failed"] and len(given) == 4
    assert statuses(retry=True) == ["done"] * 4 and given[4:] == [poison]


def test_a_full_disk_stops_the_sweep_and_keeps_what_is_finished(
    store: Store, plan: SweepPlan, finished: Finished, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = record.write_atomically
    written: list[Path] = []

    def filling(path: Path, data: bytes) -> None:
        if len(written) == 2:
            raise RunError(f"{path}: could not be written: No space left on device")
        written.append(path)
        whole(path, data)

    monkeypatch.setattr(record, "write_atomically", filling)
    crew = Puppets(lambda job, times: done(finished))
    with pytest.raises(RunError, match="No space left on device"):
        drive(store, plan, crew)
    assert crew.closed
    monkeypatch.undo()
    store.look()
    assert [store.status(point) for point in plan.points].count("done") == 2
    given: list[str] = []
    drive(store, plan, Puppets(lambda job, times: given.append(job.id) or done(finished)))
    assert len(given) == 2, "only what is missing"


@pytest.mark.parametrize("kind", ["disk", "stop"])
def test_what_no_run_could_overcome_stops_the_sweep(
    kind: str, store: Store, plan: SweepPlan, finished: Finished
) -> None:
    with pytest.raises(RunError, match="No space left"):
        drive(store, plan, Puppets(lambda job, times: {"kind": kind, "error": "No space left on device"}))
    assert not any(store.status(point) for point in plan.points)


def test_run_folders_that_were_made_elsewhere_come_home(store: Store, plan: SweepPlan, finished: Finished) -> None:
    files = {"record.json": b"{}", "weights.npz": b"w"}
    drive(store, plan, Puppets(lambda job, times: {**done(finished), "files": files}))
    folder = store.run_folder(plan.points[0])
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == files


# --- one run, whatever happens


def job_of(plan: SweepPlan, point: Point, folder: Path, floors: Any = ()) -> Job:
    return Job(point.id, plan.spec_of(point).plain(), str(folder), floors)


def test_a_stale_run_folder_makes_way(plan: SweepPlan, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / "run.json").write_text('{"spec_hash": "of another version", "seed": 0}')
    outcome = carry_out(job_of(plan, plan.points[0], folder))
    assert outcome["kind"] == "done", outcome
    assert json.loads((folder / "record.json").read_text())["accuracy"] == outcome["record"]["accuracy"]


def test_a_folder_that_cannot_be_made_fails_the_point_alone(plan: SweepPlan, tmp_path: Path) -> None:
    (tmp_path / "run").write_text("a file")
    outcome = carry_out(job_of(plan, plan.points[0], tmp_path / "run"))
    assert outcome["kind"] == "failed" and "not a folder that can be written" in outcome["error"]


def test_a_plain_spec_that_cannot_be_run_fails_the_point_alone(tmp_path: Path) -> None:
    outcome = carry_out(Job("x", {"name": "x"}, str(tmp_path / "run")))
    assert outcome["kind"] == "failed" and "missing" in outcome["error"]


def test_errors_of_the_system_are_told_apart(plan: SweepPlan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from edgesdt.sweep.workers import point as points

    for number, kind in ((errno.ENOSPC, "disk"), (errno.EMFILE, "failed"), (errno.EWOULDBLOCK, "busy")):
        def fail(*_: object, number: int = number, **__: object) -> None:
            raise RunError("told") from OSError(number, os.strerror(number))

        monkeypatch.setattr(points, "run", fail)
        assert carry_out(job_of(plan, plan.points[0], tmp_path / "run"))["kind"] == kind

    def poison(*_: object, **__: object) -> None:
        raise ZeroDivisionError("poison")

    monkeypatch.setattr(points, "run", poison)
    outcome = carry_out(job_of(plan, plan.points[0], tmp_path / "run"))
    assert (outcome["kind"], outcome["error"]) == ("failed", "ZeroDivisionError: poison")


def test_a_hopeless_run_is_stopped_at_its_checkpoint(plan: SweepPlan, tmp_path: Path) -> None:
    floors = [(1, "direct_average", 0.0), (2, "direct_average", 1.1)]
    outcome = carry_out(job_of(plan, plan.points[0], tmp_path / "run", floors))
    assert outcome["kind"] == "pruned", outcome
    assert [point["epoch"] for point in outcome["record"]["curve"]] == [1, 2]
    assert outcome["error"].startswith("stopped after epoch 2: direct_average 0.")
    untouched = carry_out(job_of(plan, plan.points[0], tmp_path / "other", floors[:1]))
    assert untouched["kind"] == "done"
