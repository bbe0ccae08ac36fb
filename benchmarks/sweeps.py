"""Measures sweeps: `python -m benchmarks.sweeps scaling | cluster | planning | search`; each prints a few lines.

`scaling`: 60 runs on one worker and on two. `cluster`: 200 short runs on a Dask cluster of two workers, one of which is
killed half-way. `planning`: plans 10,000 points, resumes a sweep with one missing run, and reports on it. `search
[--seed N]`: the hypervolume of the front of a search compared with that of random points, for five seeds from N on. All
runs are in temporary folders.
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from edgesdt.errors import EdgesdtError

SMALL = """\
name: bench
data: {set: digits}
encoder: {bits: 4}
chip:
  layers: [64, 60]
  weights: {bits: 8, frac_bits: 8}
  memory_budget: 32 KiB
learning: {winners: 2, learning_rate: 0.004}
epochs: EPOCHS
sweep:
  SECTION
"""
SIXTY = "{chip.weights.bits: [3, 4, 6, 8], learning.winners: [1, 2, 3, 4, 5], seed: [0, 1, 2]}"
TWO_HUNDRED = "{chip.weights.bits: [3, 4, 5, 6, 8], learning.winners: [1, 2, 3, 4], seed: [0,1,2,3,4,5,6,7,8,9]}"
TEN_THOUSAND = "{learning.beta: {min: 0.1, max: 1.099, step: 0.001}, learning.winners: [1,2,3,4,5,6,7,8,9,10]}"
SPACE = """{method: METHOD, samples: 48, objectives: [accuracy, energy, memory],
    constraints: ['memory <= 8 KiB'], prune: false, parameters: {
    'chip.layers[1]': {min: 10, max: 120, log: true}, chip.weights.bits: [2, 3, 4, 5, 6, 8],
    chip.weights.frac_bits: {min: 6, max: 12}, learning.winners: {min: 1, max: 6},
    learning.learning_rate: {min: 0.0005, max: 0.05, log: true}, learning.beta: {min: 0.05, max: 1.5, log: true},
    learning.homeostasis.gamma: {min: 0.002, max: 1, log: true}, learning.dropout.input: {min: 0, max: 0.6}}}"""
REFERENCE = (1.0, -8.0, 16.0)
"""Corner of the hypervolume: error, log10 of joules of a training sample, log2 of bits of memory."""


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one measurement."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.sweeps", description=__doc__)
    measures = {"scaling": scaling, "cluster": cluster, "planning": planning}
    parser.add_argument("measure", choices=[*measures, "search"])
    parser.add_argument("--seed", type=int, default=0, help="the first of five seeds of search (default: 0)")
    arguments = parser.parse_args(argv)
    with tempfile.TemporaryDirectory(prefix="sweeps-") as folder:
        if arguments.measure == "search":
            search(Path(folder), arguments.seed)
        else:
            measures[arguments.measure](Path(folder))
    return 0


def scaling(folder: Path) -> None:
    """60 runs of about a second on one worker and on two."""
    file = _write(folder, SIXTY, 150)
    seconds = {}
    for workers in (1, 2):
        seconds[workers] = _timed("sweep", file, "--workers", workers, "--out", folder / str(workers), "--quiet")
    print(f"60 runs: {seconds[1]:.1f} s with 1 worker, {seconds[2]:.1f} s with 2: {seconds[1] / seconds[2]:.2f} times")


def cluster(folder: Path) -> None:
    """200 short runs on a cluster, undisturbed and then with a worker killed half-way."""
    file, out = _write(folder, TWO_HUNDRED, 3), folder / "out"
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"tcp://127.0.0.1:{probe.getsockname()[1]}"
    port = address.rpartition(":")[2]
    processes = [_dask(folder, "scheduler", "--host", "127.0.0.1", "--port", port)]
    try:
        processes += [_dask(folder, "worker", address, "--nthreads", "1", "--no-nanny") for _ in range(2)]
        time.sleep(8)
        command = ("sweep", file, "--scheduler", address, "--quiet", "--out")
        with _edgesdt(*command, folder / "quiet", stdout=subprocess.PIPE) as driver:
            print("\n".join(driver.communicate()[0].splitlines()[:2]))
        with _edgesdt(*command, out) as driver:
            while len(list(out.glob("points/[!.]*.json"))) < 100:
                time.sleep(0.05)
            processes[1].kill()
        rows = (out / "records.jsonl").read_text(encoding="utf-8").count('"status":"done"')
        print(f"{rows} of 200 runs arrived, a worker killed after 100")
    finally:
        for process in processes:
            process.kill()
            process.wait()


RESUME = """
import sys, time
from pathlib import Path
from edgesdt.spec.sweep.section import load_sweep
from edgesdt.sweep.driver import Driver, Planned
from edgesdt.sweep.plan import SweepPlan
from edgesdt.sweep.progress import Progress
from edgesdt.sweep.store import Store
class Begun(Exception): pass
def begin(runs):
    print(runs, time.time() - float(sys.argv[3]))
    raise Begun
plan = SweepPlan(*load_sweep(sys.argv[1]))
with Store(Path(sys.argv[2]), plan) as store:
    try: Driver(plan, Planned(plan), store, begin, Progress(plan, sys.stderr, quiet=True)).run()
    except Begun: pass
"""


def planning(folder: Path) -> None:
    """Plans 10,000 points, and starts a sweep with one unfinished point."""
    file, out = _write(folder, TEN_THOUSAND, 3), folder / "out"
    print(f"10,000 points planned in {_timed('sweep', file, '--plan', '--workers', 2):.1f} s")
    _fill(file, out)
    command = [sys.executable, "-c", RESUME, str(file), str(out), str(time.time())]
    told = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    print(f"10,000 points, {told[0]} to run: the first is given to a worker after {float(told[1]):.1f} s")
    seconds, size = _timed("report", out), (out / "report.html").stat().st_size
    print(f"9,999 records reported on in {seconds:.1f} s: {size / 1e6:.1f} MB")


def _fill(file: Path, out: Path) -> None:
    """Creates a store with all rows except one, all from one real record."""
    from edgesdt.runs.experiment import run
    from edgesdt.spec.sweep.section import load_sweep
    from edgesdt.sweep import rows
    from edgesdt.sweep.plan import SweepPlan
    from edgesdt.sweep.store import Store

    plan = SweepPlan(*load_sweep(str(file)))
    found = run(plan.spec_of(plan.points[0]), out.with_name("run"), report=False)
    with Store(out, plan):
        for point in plan.points[1:]:
            line = rows.line(rows.row(plan, point, rows.DONE, None, found))
            (out / "points" / f"{point.id}.json").write_bytes(line)


def search(folder: Path, first: int) -> None:
    """Compares the same number of runs chosen by search and at random, five times, with seeds from `first` on."""
    wins = 0
    for seed in range(first, first + 5):
        volume = {}
        for method in ("random", "search"):
            file, out = _write(folder, SPACE.replace("METHOD", method), 4), folder / f"{method}-{seed}"
            _timed("sweep", file, "--set", f"seed={seed}", "--out", out, "--quiet")
            volume[method] = hypervolume(_front(out))
        wins += volume["search"] > volume["random"]
        told = f"hypervolume {volume['search']:.4f} by search, {volume['random']:.4f} at random"
        print(f"seed {seed}: {told}", flush=True)
    print(f"the search is ahead in {wins} of 5 trials")


def _front(out: Path) -> list[tuple[float, ...]]:
    """Costs of the runs of a sweep that keep its constraint."""
    import math

    lines = (out / "records.jsonl").read_text(encoding="utf-8").splitlines()
    found: list[tuple[float, ...]] = []
    for record in (row["record"] for row in map(json.loads, lines) if row["status"] == "done"):
        if record["memory"]["used_bits"] <= 8 * 8192:
            joules, bits = record["energy_j"]["train_per_sample"], record["memory"]["used_bits"]
            found.append((1.0 - record["accuracy"]["direct_average"], math.log10(joules), math.log2(bits)))
    return found


def hypervolume(points: Sequence[tuple[float, ...]], corner: Sequence[float] = REFERENCE) -> float:
    """Volume between `corner` and the points that are below it in each of three costs."""
    inside = sorted((p for p in points if all(x < c for x, c in zip(p, corner, strict=True))), key=lambda p: p[2])
    total = 0.0
    for index, point in enumerate(inside):
        upper = inside[index + 1][2] if index + 1 < len(inside) else corner[2]
        area, lowest = 0.0, corner[1]
        for x, y, _ in sorted(inside[: index + 1]):
            if y < lowest:
                area += (corner[0] - x) * (lowest - y)
                lowest = y
        total += area * (upper - point[2])
    return total


def _write(folder: Path, section: str, epochs: int) -> Path:
    file = folder / "bench.yaml"
    file.write_text(SMALL.replace("EPOCHS", str(epochs)).replace("SECTION", section).replace("sweep:\n ", "sweep:"))
    return file


def _edgesdt(*arguments: object, stdout: int = subprocess.DEVNULL) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "edgesdt", *map(str, arguments)]
    return subprocess.Popen(command, stdout=stdout, text=True)


def _timed(*arguments: object) -> float:
    started = time.monotonic()
    if _edgesdt(*arguments).wait() != 0:
        raise EdgesdtError(f"edgesdt {' '.join(map(str, arguments))} failed")
    return time.monotonic() - started


def _dask(folder: Path, *command: str) -> subprocess.Popen[Any]:
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": os.getcwd()}
    arguments = [sys.executable, "-m", "dask", *command, "--no-dashboard"]
    quiet = subprocess.DEVNULL
    return subprocess.Popen(arguments, cwd=folder, env=environment, stdout=quiet, stderr=quiet)


if __name__ == "__main__":
    sys.exit(main())
