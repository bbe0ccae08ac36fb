"""Sweeps on a Dask cluster: a scheduler and workers started by hand, each in a folder of its own; and their faults."""

from __future__ import annotations

import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT, Shell
from tests.system.test_sweep import TINY, assert_same_rows, finished_in, gone, rows_of, wait_for, workers_of

FORTY = TINY.partition("sweep:")[0] + """\
sweep:
  chip.weights.bits: [3, 4, 5, 6, 8]
  learning.winners: [1, 2, 3, 4]
  seed: [0, 1]
"""


@dataclass
class Cluster:
    """A scheduler and its workers, processes of this machine that share nothing but the scheduler's address."""

    folder: Path
    address: str = ""
    scheduler: subprocess.Popen[bytes] | None = None
    workers: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def begin(self) -> None:
        """Start the scheduler and two workers, and wait until they know each other."""
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.address = f"tcp://127.0.0.1:{probe.getsockname()[1]}"
        port = self.address.rpartition(":")[2]
        self.scheduler = self._start("scheduler", "--host", "127.0.0.1", "--port", port, "--no-dashboard")
        for _ in range(2):
            self.add_worker()
        self._wait_for(2)

    def add_worker(self) -> None:
        """One more worker with one thread."""
        self.workers.append(self._start("worker", self.address, "--nthreads", "1", "--no-nanny", "--no-dashboard"))

    def _start(self, *command: str) -> subprocess.Popen[bytes]:
        place = self.folder / f"{command[0]}-{len(self.workers)}"
        place.mkdir(parents=True)
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "TMPDIR": str(place)}
        with (place / "log").open("wb") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "dask", *command], cwd=place, env=environment, stdout=log, stderr=log
            )

    def _wait_for(self, count: int) -> None:
        log = self.folder / "scheduler-0" / "log"
        deadline = time.monotonic() + 90
        while log.read_text(errors="replace").count("Register worker") < count:
            assert time.monotonic() < deadline, log.read_text(errors="replace")
            time.sleep(0.1)

    def end(self) -> None:
        """Kill all of them."""
        for process in [*self.workers, *([self.scheduler] if self.scheduler else [])]:
            process.kill()
            process.wait()


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    started = Cluster(tmp_path / "cluster")
    try:
        started.begin()
        yield started
    finally:
        started.end()


def test_forty_runs_with_every_kind_of_kill_are_those_of_a_quiet_sweep(
    cluster: Cluster, shell: Shell, tmp_path: Path
) -> None:
    (tmp_path / "forty.yaml").write_text(FORTY, encoding="utf-8")
    quiet, out = tmp_path / "quiet", tmp_path / "out"
    assert shell("sweep", "forty.yaml", "--workers", "2", "--out", quiet, "--quiet").code == 0
    seed = time.time_ns()
    print(f"kills drawn from seed {seed}")  # shown if it fails
    drawn = random.Random(seed)
    local = ("sweep", "forty.yaml", "--workers", "2", "--out", out)
    with shell.start(*local) as driver:
        wait_for(out, drawn.randint(2, 8))
        time.sleep(drawn.uniform(0, 0.15))  # at any moment of a run, not only when one has ended
        os.kill(drawn.choice(workers_of(driver.pid)), signal.SIGKILL)
        wait_for(out, drawn.randint(9, 15))
        time.sleep(drawn.uniform(0, 0.15))
        workers = workers_of(driver.pid)
        driver.kill()
        driver.communicate()
    deadline = time.monotonic() + 60
    while not all(map(gone, workers)):
        assert time.monotonic() < deadline, "a worker outlived its driver"
        time.sleep(0.05)
    kept = finished_in(out)
    remote = ("sweep", "forty.yaml", "--scheduler", cluster.address, "--out", out)
    with shell.start(*remote) as driver:
        wait_for(out, len(kept) + drawn.randint(3, 9))
        time.sleep(drawn.uniform(0, 0.15))
        cluster.workers[0].kill()
        cluster.add_worker()
        wait_for(out, len(kept) + drawn.randint(10, 14))
        time.sleep(drawn.uniform(0, 0.15))
        driver.kill()
        driver.communicate()
    later = finished_in(out)
    assert {name: later[name] for name in kept} == kept and len(later) < 40
    said = shell(*remote)
    assert said.code == 0, said.err
    assert said.out.startswith("tiny: 40 runs: 40 done\n")
    after = finished_in(out)
    assert len(after) == 40 and {name: after[name] for name in later} == later, "a finished point was run again"
    assert_same_rows(out, quiet)
    for row in rows_of(out):
        folder = out / row["run"]
        assert (folder / "log.txt").read_text(encoding="utf-8").count(" done direct_average ") == 1, "run twice"
        record: dict[str, Any] = json.loads((folder / "record.json").read_text(encoding="utf-8"))
        assert record["accuracy"] == row["record"]["accuracy"] and (folder / "weights.npz").exists()
    alive = [cluster.folder / f"worker-{number}" for number in (1, 2)]
    assert [path for worker in alive for path in worker.rglob("*.npz")] == [], "a worker kept a run"


def test_a_cluster_that_goes_away_leaves_what_is_finished(cluster: Cluster, shell: Shell, tmp_path: Path) -> None:
    (tmp_path / "tiny.yaml").write_text(TINY, encoding="utf-8")
    out = tmp_path / "out"
    with shell.start("sweep", "tiny.yaml", "--scheduler", cluster.address, "--out", out) as driver:
        wait_for(out, 2)
        cluster.end()
        stdout, stderr = driver.communicate(timeout=120)
    assert (driver.returncode, stdout) == (1, "") and "Traceback" not in stderr
    assert f"--scheduler {cluster.address}: the scheduler is gone\n" in stderr
    assert stderr.endswith(f"of 12 runs are done and kept in {out}; the same command goes on with the rest\n")
    assert 2 <= len(rows_of(out)) == len(finished_in(out)) < 12


def test_ctrl_c_leaves_the_cluster_to_others(cluster: Cluster, shell: Shell, tmp_path: Path) -> None:
    (tmp_path / "tiny.yaml").write_text(TINY, encoding="utf-8")
    command = ("sweep", "tiny.yaml", "--scheduler", cluster.address, "--out", "out")
    with shell.start(*command) as driver:
        wait_for(tmp_path / "out", 2)
        driver.send_signal(signal.SIGINT)
        _, stderr = driver.communicate(timeout=60)
    assert driver.returncode == 130 and "interrupted: " in stderr and "Traceback" not in stderr
    assert shell(*command).code == 0
    assert len(rows_of(tmp_path / "out")) == 12


@pytest.mark.parametrize("what", ["nothing", "no address", "something else"])
def test_a_scheduler_that_is_not_there_is_told_soon(what: str, shell: Shell, tmp_path: Path) -> None:
    (tmp_path / "tiny.yaml").write_text(TINY, encoding="utf-8")
    with socket.socket() as mute:
        mute.bind(("127.0.0.1", 0))
        if what == "something else":
            mute.listen()  # takes the call and never says a word
        port = mute.getsockname()[1]
        address = "nonsense" if what == "no address" else f"tcp://127.0.0.1:{port}"
        started = time.monotonic()
        said = shell("sweep", "tiny.yaml", "--scheduler", address, "--out", "out")
    assert time.monotonic() - started < 60  # a few seconds; a busy machine starts Python and Dask slowly
    said.refused(f"--scheduler {address}: no Dask scheduler answers there (")
    assert said.err.count("\n") == 1
    assert not (tmp_path / "out").exists()
