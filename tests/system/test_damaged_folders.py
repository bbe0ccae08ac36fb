"""Run and sweep folders whose files are damaged at random: one line and exit 2, or left out with a warning.

Seeded, so that a failure comes again. What a mutation does is in the name of the failing assertion.
"""

from __future__ import annotations

import copy
import json
import random
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgesdt.errors import EdgesdtError
from edgesdt.runs.experiment import run
from edgesdt.spec import loads
from tests import sweep_stores
from tests.conftest import SMALL, Finished, Said

Cli = Callable[..., Said]


@pytest.fixture(params=[10, pytest.param(40, marks=pytest.mark.slow)], ids=["some", "many"])
def each(request: pytest.FixtureRequest) -> int:
    """Mutations of each kind: some in every run of the tests; the many begin with the same ones."""
    return int(request.param)


def deep(levels: int) -> list[Any]:
    made: list[Any] = []
    for _ in range(levels):
        made = [made]
    return made


ODD: list[Any] = [
    None, True, -1, 0, 2.5, 1e308, -1e308, 10**400, float("nan"), float("inf"), "x", "", "2024-01-01T00:00:00", "=1+1",
    "\x1b[31m\r", "a\nb", [], {}, [1, "a"], [[]], {"a": {"b": 1}}, deep(30), deep(60),
]  # fmt: skip


def places(whole: Any, above: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Paths of everything in a document, of a list its first two items."""
    inner = whole.items() if isinstance(whole, dict) else enumerate(whole[:2]) if isinstance(whole, list) else ()
    for key, value in inner:
        yield (*above, key)
        yield from places(value, (*above, key))


def mutants(text: str, rng: random.Random, count: int) -> Iterator[tuple[str, bytes]]:
    """What was done, and the bytes of a document after it: another value, a missing key, a flipped byte, a cut."""
    whole = json.loads(text)
    paths = list(places(whole))
    for _ in range(count):
        made, path, kind = copy.deepcopy(whole), rng.choice(paths), rng.random()
        parent = made
        for step in path[:-1]:
            parent = parent[step]
        if kind < 0.15 and isinstance(parent, dict):
            del parent[path[-1]]
            yield f"{path} gone", json.dumps(made).encode()
        elif kind < 0.75:
            value = rng.choice(ODD)
            parent[path[-1]] = value
            yield f"{path} = {value!r:.40}", json.dumps(made).encode()
        else:
            yield from flipped(text.encode(), rng, 1)
    yield "nested deeply", b'{"schema": 1, "accuracy": ' + b"[" * 100_000 + b"]" * 100_000 + b"}"


def flipped(content: bytes, rng: random.Random, count: int) -> Iterator[tuple[str, bytes]]:
    """Bytes changed, and now and then cut."""
    for _ in range(count):
        made = bytearray(content)
        for _ in range(rng.randint(1, 4)):
            made[rng.randrange(len(made))] = rng.randrange(256)
        cut = rng.randrange(len(made)) if rng.random() < 0.25 else len(made)
        yield f"bytes, {cut} of {len(content)}", bytes(made[:cut])


ARRAYS = [
    np.array("text"), np.array(["a", "b"]), np.array("2024-01-01", "M8[D]"), np.array(10**9), np.array(-(10**9)),
    np.array(np.nan), np.array(np.inf), np.zeros((0, 5), np.int8), np.array(True), np.array(1 + 2j),
    np.full((64, 40), 2**64 - 1, np.uint64), np.array([-8, -8]), np.array([2**62, 2**62]), np.full(40, np.nan),
]  # fmt: skip


def arrays(path: Path, rng: random.Random, count: int) -> Iterator[tuple[str, bytes]]:
    """An archive with one array changed for another or gone, then with its bytes changed."""
    with np.load(path) as file:
        kept = dict(file)
    before = path.read_bytes()
    for name in kept:
        for value in [None, *rng.sample(ARRAYS, count * 6 // 40)]:
            changed = {key: array for key, array in kept.items() if key != name}
            np.savez_compressed(path, **(changed if value is None else changed | {name: value}))
            yield f"{name} = {value!r:.40}", path.read_bytes()
    yield from flipped(before, rng, count)


def said_well(said: Said, what: str) -> None:
    """Done, or refused in one line; whichever, nothing that a terminal would obey."""
    assert said.code in (0, 2), (what, said)
    assert "Traceback" not in said.err and (said.code == 0 or said.err.count("\n") == 1), (what, said.err)
    assert not any(ord(c) < 32 and c not in "\n\t" for c in said.out + said.err), (what, said)


@pytest.fixture
def folder(finished: Finished, tmp_path: Path) -> Path:
    """A finished run to damage."""
    (tmp_path / "small.yaml").write_text(SMALL, encoding="utf-8")
    return Path(shutil.copytree(finished.folder, tmp_path / "run"))


COMMANDS = (
    ["report", "run", "--out", "page.html"], ["report", "run", "--csv", "rows.csv"],
    ["report", "run", "--out", "other.html", "--table", "cmos_40nm_aladdin"],
    ["run", "small.yaml", "--out", "run", "--quiet"],
)  # fmt: skip


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: f"{command[0]} {command[-2]}")
def test_a_damaged_record(command: list[str], each: int, folder: Path, cli: Cli) -> None:
    path = folder / "record.json"
    for what, content in mutants(path.read_text(encoding="utf-8"), random.Random(command[-1]), each):
        path.write_bytes(content)
        said_well(cli(*command), f"{command}: {what}")
        assert path.read_bytes() == content, "what is damaged is kept"


def test_a_damaged_owner_and_spec(each: int, folder: Path, cli: Cli) -> None:
    for name in ("run.json", "spec.yaml", "log.txt", ".lock"):
        path, rng = folder / name, random.Random(name)
        before = path.read_bytes()
        damaged = mutants(before.decode(), rng, each) if name == "run.json" else flipped(before or b"x", rng, each // 4)
        for what, content in damaged:
            path.write_bytes(content)
            said_well(cli("run", "small.yaml", "--out", "run", "--quiet"), f"{name}: {what}")
            if name != "run.json":
                said_well(cli("report", "run"), f"{name}: {what}")
            if name == "spec.yaml":
                said_well(cli("check", "run/spec.yaml"), f"{name}: {what}") if content.isascii() else None
        path.write_bytes(before)


def test_damaged_weights(each: int, folder: Path, cli: Cli) -> None:
    path = folder / "weights.npz"
    for what, content in list(arrays(path, random.Random(3), each)):
        path.write_bytes(content)
        said = cli("report", "run", "--out", "page.html")
        said_well(said, what)
        assert said.code == 0 or f"{path.parent.name}/weights.npz: damaged: " in said.err, (what, said)


def test_a_damaged_checkpoint(each: int, tmp_path: Path) -> None:
    spec = loads(SMALL, overrides=["data.train=60", "data.test=40"])

    def stop(curve: list[dict[str, Any]]) -> None:
        if len(curve) == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(spec, tmp_path / "run", watch=stop)
    path, rng = tmp_path / "run" / "checkpoint.npz", random.Random(5)
    sound = path.read_bytes()
    with np.load(path) as file:
        kept = dict(file)
    progress = str(kept["progress"])
    damaged = list(arrays(path, rng, each))
    for what, content in mutants(progress, rng, each):
        np.savez_compressed(path, **(kept | {"progress": np.array(content.decode(errors="replace"))}))
        damaged.append((f"progress: {what}", path.read_bytes()))
    goes_on = []
    for what, content in damaged:
        path.write_bytes(content)
        try:
            run(spec, tmp_path / "run", watch=stop_at_once)
        except EdgesdtError as error:
            assert error.exit_code == 2 and "damaged checkpoint" in str(error) and "\n" not in str(error), what
            assert path.read_bytes() == content, what
        except StopIteration:
            goes_on.append(what)
    assert len(goes_on) < len(damaged) / 2, goes_on
    path.write_bytes(sound)
    run(spec, tmp_path / "run", report=False)


def stop_at_once(curve: list[dict[str, Any]]) -> None:
    raise StopIteration


@pytest.fixture
def sweep(finished: Finished, tmp_path: Path) -> Path:
    """A sweep of four runs with their folders, to damage."""
    made = list(sweep_stores.grid(finished.record, 2, {"chip.weights.bits": [4, 8]}))
    folder = sweep_stores.write(tmp_path / "sweep", made, finished.record["spec"])
    sweep_stores.write_runs(folder, finished.record, made, report=True)
    return folder


SHOWN = (
    ["report", "sweep", "--csv", "rows.csv"],
    ["report", "sweep", "--csv", "r.csv", "--table", "cmos_40nm_aladdin"],
)


@pytest.mark.parametrize("command", SHOWN, ids=["csv", "other prices"])
def test_one_damaged_run_costs_one_row(command: list[str], each: int, sweep: Path, cli: Cli) -> None:
    path, rng = sweep / "records.jsonl", random.Random(len(command))
    first, *others = path.read_text(encoding="utf-8").splitlines()
    for what, content in mutants(first, rng, each):
        path.write_bytes(content.replace(b"\n", b" ") + b"\n" + "\n".join(others).encode() + b"\n")
        said = cli(*command)
        said_well(said, what)
        assert said.code == 0, (what, said.err)
        rows = (sweep.parent / command[3]).read_bytes().count(b"\r\n")
        assert rows in (4, 5), what
    path.write_text("\n".join([first, *others]) + "\n", encoding="utf-8")
    record = next(sweep.glob("runs/*/record.json"))
    for what, content in mutants(record.read_text(encoding="utf-8"), rng, each // 2):
        record.write_bytes(content)
        said = cli(*command)
        said_well(said, what)
        assert said.code == 0, (what, said.err)


def test_the_page_of_a_sweep_tells_what_it_left_out(sweep: Path, cli: Cli) -> None:
    path = sweep / "records.jsonl"
    lines = path.read_text(encoding="utf-8").splitlines()
    damaged = json.loads(lines[1])
    damaged["record"]["energy_j"] = "\x1b[31mmuch"
    path.write_text("\n".join([lines[0], json.dumps(damaged), *lines[2:]]) + "\n", encoding="utf-8")
    said = cli("report", "sweep")
    assert said.code == 0 and said.err.startswith("warning: ") and "records.jsonl:2: damaged: energy_j" in said.err
    page = (sweep / "report.html").read_text(encoding="utf-8")
    assert "1 row of the store" in page and "\x1b" not in page


def test_a_damaged_description(each: int, sweep: Path, cli: Cli) -> None:
    path = sweep / "sweep.json"
    for what, content in mutants(path.read_text(encoding="utf-8"), random.Random(7), each):
        path.write_bytes(content)
        said_well(cli("report", "sweep", "--csv", "rows.csv"), what)
        (sweep.parent / "s.yaml").write_text(SMALL + "sweep: {seeds: [0]}\n", encoding="utf-8")
        said = cli("sweep", "s.yaml", "--out", "sweep", "--quiet")
        said.refused()
        assert said.err.count("\n") == 1, (what, said.err)
