"""Bad input, item by item: a message that says what, where and what is allowed; exit 2; no traceback; nothing lost."""

from __future__ import annotations

import functools
import gzip
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgesdt import datasets
from edgesdt.datasets import known, sources
from edgesdt.errors import DataError
from tests.conftest import SMALL, Said

compressed = functools.partial(gzip.compress, mtime=0)
"""The same bytes at any time, so that tests keep their names."""

Cli = Callable[..., Said]


@pytest.fixture(params=["run", "check"])
def both(request: pytest.FixtureRequest, cli: Cli, tmp_path: Path) -> Cli:
    """The commands that read a spec; neither leaves anything behind when it is refused."""

    def call(*arguments: object) -> Said:
        before = sorted(tmp_path.rglob("*"))
        said = cli(request.param, *arguments)
        assert sorted(tmp_path.rglob("*")) == before
        return said

    return call


def edited(folder: Path, old: str, new: str) -> Path:
    """`SMALL` with a piece of text replaced."""
    assert SMALL.count(old) == 1, old
    path = folder / "bad.yaml"
    path.write_text(SMALL.replace(old, new), encoding="utf-8")
    return path


# --- the spec

SPECS = {
    "unknown key": ("winners: 2", "winers: 2", r":8: learning\.winers: unknown key, .*did you mean 'winners'"),
    "unknown section": ("encoder:", "encodr:", r":3: encodr: unknown key, .*did you mean 'encoder'"),
    "key of another section": (
        "epochs: 3",
        "winners: 3",
        r":9: winners: unknown key, .*did you mean learning\.winners",
    ),
    "duplicate key": ("epochs: 3", "epochs: 3\nepochs: 4", r":10: epochs: duplicate key, first given on line 9"),
    "duplicate in a section": ("{bits: 4}", "{bits: 4, bits: 5}", r":3: encoder\.bits: duplicate key"),
    "missing key": ("  memory_budget: 8 KiB\n", "", r"chip\.memory_budget: missing, it has no default"),
    "wrong type": ("epochs: 3", "epochs: many", r":9: epochs: wrong type: 'many', allowed: an integer 1\.\.100000"),
    "a fraction": ("epochs: 3", "epochs: 3.5", r":9: epochs: wrong type: 3\.5, allowed: an integer"),
    "a flag for a number": ("epochs: 3", "epochs: true", r":9: epochs: wrong type: true, allowed: an integer"),
    "a list for a mapping": ("{bits: 4}", "[4]", r":3: encoder: wrong type: \[4\], allowed: a mapping"),
    "a number for a word": ("set: digits", "set: 8", r":2: data\.set: wrong type: 8, allowed: digits, mnist"),
    "no unit": ("8 KiB", "'8'", r":7: chip\.memory_budget: no unit: '8', allowed: "),
    "wrong unit": ("8 KiB", "8 ns", r":7: chip\.memory_budget: unknown unit 'ns': '8 ns', allowed: .*KiB"),
    "mistyped unit": ("8 KiB", "8 kib", r":7: chip\.memory_budget: unknown unit 'kib': '8 kib', .*did you mean 'Ki"),
    "too large": ("bits: 8", "bits: 17", r":6: chip\.weights\.bits: out of range: 17, allowed: an integer 2\.\.16"),
    "too small": ("bits: 8", "bits: 1", r":6: chip\.weights\.bits: out of range: 1, allowed: an integer 2\.\.16"),
    "zero": ("epochs: 3", "epochs: 0", r":9: epochs: out of range: 0, allowed: an integer 1\.\."),
    "negative": (
        "0.004",
        "-0.004",
        r":8: learning\.learning_rate: out of range: -0\.004, allowed: a number in \(0, 1\]",
    ),
    "not a number": ("0.004", ".nan", r":8: learning\.learning_rate: not a finite number: nan, allowed: "),
    "infinite": ("0.004", ".inf", r":8: learning\.learning_rate: not a finite number: inf, allowed: "),
    "infinite in words": ("0.004", "inf", r":8: learning\.learning_rate: not a finite number: 'inf', allowed: "),
    "infinite size": ("8 KiB", ".inf", r":7: chip\.memory_budget: not a finite number: inf, allowed: "),
    "not a number of layers": (
        "[64, 40]",
        "[64, .nan]",
        r":5: chip\.layers\[1\]: not a finite number: nan|wrong type: nan",
    ),
    "beyond every float": ("0.004", "1e999", r":8: learning\.learning_rate: not a finite number: inf"),
    "unknown choice": ("epochs: 3", "epochs: 3\nreadout: [directly]", r":10: readout\[0\]: .*did you mean 'direct'"),
    "inputs that are not the data's": (
        "[64, 40]",
        "[784, 40]",
        r":5: chip\.layers\[0\]: does not fit digits: 784 inputs, allowed: 64",
    ),
    "labels that are not the data's": (
        "winners: 2",
        "target: label",
        r":5: chip\.layers\[1\]: does not fit the classes of digits: 40 outputs, allowed: 10",
    ),
    "one layer": ("[64, 40]", "[64]", r":5: chip\.layers: too few items: \[64\], allowed: a list of 2 or more"),
    "as many winners as outputs": (
        "winners: 2",
        "winners: 40",
        r":8: learning\.winners: too many winners: 40, allowed: 1\.\.39",
    ),
    "more samples than there are": (
        "train: 700",
        "train: 1438",
        r":2: data\.train: more samples than digits has: 1438, allowed: 1\.\.1437",
    ),
    "unknown data set": (
        "set: digits",
        "set: digit",
        r":2: data\.set: unknown data set: 'digit', .*did you mean 'digits'",
    ),
    "unknown technology table": (
        "epochs: 3",
        "epochs: 3\ntechnology: {table: cmos_45mn}",
        r":10: technology\.table: unknown technology table: 'cmos_45mn', allowed: .*did you mean 'cmos_45nm'",
    ),
    "a node that no source covers": (
        "epochs: 3",
        "epochs: 3\ntechnology: {node: 5 nm}",
        r":10: technology\.node: out of range: '5 nm', allowed: 7 nm\.\.130 nm",
    ),
}


@pytest.mark.parametrize("fault", SPECS)
def test_a_fault_in_a_spec(fault: str, both: Cli, tmp_path: Path) -> None:
    old, new, told = SPECS[fault]
    said = both(edited(tmp_path, old, new)).refused()
    assert re.search(told, said.err), said.err
    assert said.err.count("\n") == 1, "one fault, one line"
    assert said.err.startswith(str(tmp_path / "bad.yaml"))


def test_all_faults_of_a_file_at_once_in_the_order_of_its_lines(both: Cli, tmp_path: Path) -> None:
    path = edited(tmp_path, SMALL, SMALL)
    path.write_text(
        SMALL.replace("bits: 4", "bits: 9").replace("[64, 40]", "[64, -1]").replace("epochs: 3", "epoch: 3"),
        encoding="utf-8",
    )
    said = both(path).refused("encoder.bits: out of range: 9", "chip.layers[1]: out of range: -1", "epoch: unknown key")
    assert [int(line.removeprefix(f"{path}:").split(":")[0]) for line in said.err.splitlines()] == [3, 5, 9]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "empty, allowed: a mapping of name, "),
        (b"- 1\n", "wrong type: [1], allowed: a mapping of name, "),
        (b"name: [\n", "not readable as YAML: "),
        (b"name: a\n\tdata: b\n", ":2: not readable as YAML: "),
        (b"name: \xff\n", ":1: not UTF-8 text: byte 0xff"),
        (b"\x00\x01\x02", "character that YAML does not allow"),
        (b"a: &x [*x]\n", "an alias"),
        (b"#" * 200_000, "this is not a spec"),
    ],
)
def test_a_file_that_is_no_spec(content: bytes, told: str, both: Cli, tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_bytes(content)
    both("bad.yaml").refused("bad.yaml:", told)


def test_a_spec_that_is_not_there(both: Cli, tmp_path: Path) -> None:
    both("quickstrat").refused(
        "quickstrat: no such file, and no shipped spec of this name", "did you mean 'quickstart'?"
    )
    both("lost/spec.yaml").refused("lost/spec.yaml: no such file")
    both(tmp_path).refused(f"{tmp_path}: a folder, allowed: a YAML file or the name of a shipped spec")
    both("").refused("'': ")


@pytest.mark.parametrize(
    ("override", "told"),
    [
        ("epochs", "--set 'epochs': not KEY=VALUE"),
        ("=3", "--set '=3': not KEY=VALUE"),
        ("epoch=3", "--set epoch: unknown key"),
        ("learning.winers=3", "--set learning.winers: unknown key"),
        (
            "chip.weights.bits.more=3",
            "--set chip.weights.bits.more: chip.weights.bits is a value, not a mapping: set it whole",
        ),
        ("epochs=0", "--set epochs: out of range: 0, allowed: an integer 1..100000"),
        ("epochs=nan", "--set epochs: not a finite number: 'nan'"),
        ("chip.memory_budget=8 parsec", "--set chip.memory_budget: unknown unit 'parsec'"),
        ("chip.memory.bank=4 B", "--set chip.memory.bank: smaller than a word: 4 B, allowed: at least 8 B"),
        ("chip.memory.states.word=1 parsec", "--set chip.memory.states.word: unknown unit 'parsec'"),
        ("chip.layers=[64", "--set chip.layers: not readable as YAML"),
        ("chip.layers=[63, 40]", "--set chip.layers: chip.layers[0]: does not fit digits: 63 inputs, allowed: 64"),
        ("technology.table=cmos", "--set technology.table: unknown technology table: 'cmos'"),
    ],
)
def test_a_bad_override(override: str, told: str, both: Cli, small: Path) -> None:
    both(small, "--set", override).refused(told)


def test_a_bad_seed(cli: Cli, small: Path) -> None:
    cli("run", small, "--seed", "-1").refused("--set seed: out of range: -1, allowed: an integer 0..4294967295")


def test_faults_of_file_and_overrides_together(both: Cli, tmp_path: Path) -> None:
    path = edited(tmp_path, "epochs: 3", "epochs: 0")
    both(path, "--set", "encoder.bits=9", "--set", "what=1").refused(
        f"{path}:9: epochs: out of range: 0", "--set encoder.bits: out of range: 9", "--set what: unknown key"
    )


def test_a_sweep_is_not_run_as_one_chip(cli: Cli, tmp_path: Path) -> None:
    path = edited(tmp_path, "epochs: 3", "epochs: 3\nsweep: {seed: [0, 1]}")
    cli("run", path).refused("sweep: this command runs one chip", "--set sweep=null")
    assert cli("run", path, "--set", "sweep=null", "--quiet").code == 0


def test_a_budget_too_small_shows_the_map_and_the_excess(both: Cli, small: Path) -> None:
    said = both(small, "--set", "chip.memory_budget=3 KiB")
    told = said.refused("chip.memory_budget: 3 KiB is too small by ", "bits); allowed: at least ").err
    for array in (
        "weights_0",
        "biases_1",
        "accumulators_1",
        "states_1",
        "free_states_1",
        "activity",
        "homeostasis",
        "input",
    ):
        assert re.search(rf"^ +{array} .* %$", told, re.MULTILINE), array
    used, budget = (re.search(rf"^ +{row} +([\d.]+) KiB", told, re.MULTILINE) for row in ("used", "budget"))
    assert used and budget and float(used[1]) > float(budget[1]) == 3.0


# --- data files


def npz_spec(folder: Path, **changed: Any) -> Path:
    """A spec whose data are an .npz of 6 features and 3 classes, with arrays changed or, if None, left out."""
    rng = np.random.default_rng(0)
    arrays: dict[str, Any] = {
        "x_train": rng.integers(0, 256, (30, 6)).astype(np.uint8),
        "y_train": np.arange(30) % 3,
        "x_test": rng.integers(0, 256, (9, 6)).astype(np.uint8),
        "y_test": np.arange(9) % 3,
    } | changed
    np.savez(folder / "own.npz", **{name: array for name, array in arrays.items() if array is not None})
    path = folder / "own.yaml"
    path.write_text(
        "{name: own, data: {set: own.npz}, chip: {layers: [6, 12], memory_budget: 8 KiB}, "
        "learning: {winners: 2}, epochs: 1}\n",
        encoding="utf-8",
    )
    return path


def with_value(value: float) -> Any:
    """Float pixels, one of them `value`."""
    pixels = np.full((30, 6), 0.5)
    pixels[4, 2] = value
    return pixels


ARRAYS: dict[str, tuple[dict[str, Any], str]] = {
    "no labels": ({"y_test": None}, "no array y_test; found x_train, y_train, x_test"),
    "other names": ({"x_train": None, "X_train": np.zeros((30, 6))}, "no array x_train; .*did you mean 'X_train'"),
    "pixels without samples": (
        {"x_train": np.zeros(30, np.uint8)},
        r"x_train has shape \(30,\); allowed: \(samples, features\)",
    ),
    "no samples": ({"x_test": np.zeros((0, 6), np.uint8)}, r"x_test has shape \(0, 6\)"),
    "labels in two dimensions": (
        {"y_train": np.zeros((30, 3), np.int64)},
        r"y_train has shape \(30, 3\); allowed: \(samples,\)",
    ),
    "fewer labels": ({"y_train": np.zeros(29, np.int64)}, "x_train has 30 samples, y_train 29: must be as many"),
    "two shapes": (
        {"x_test": np.zeros((9, 5), np.uint8)},
        r"a sample of x_train has shape \(6,\), one of x_test \(5,\)",
    ),
    "pixels above one": (
        {"x_train": with_value(1.5)},
        r"x_train\[4, 2\] is 1\.5 \(float64\); allowed: .*floats 0\.\.1",
    ),
    "pixels below zero": ({"x_train": with_value(-0.1)}, r"x_train\[4, 2\] is -0\.1 "),
    "pixels that are NaN": ({"x_train": with_value(np.nan)}, r"x_train\[4, 2\] is nan "),
    "pixels that are infinite": ({"x_train": with_value(np.inf)}, r"x_train\[4, 2\] is inf "),
    "integers above 255": (
        {"x_train": np.full((30, 6), 256)},
        r"x_train\[0, 0\] is 256 \(int64\); allowed: pixels are integers 0\.\.255",
    ),
    "pixels that are text": ({"x_train": np.full((30, 6), "a")}, "x_train has type <U1; allowed: pixels are"),
    "labels that are floats": (
        {"y_train": np.zeros(30)},
        r"y_train has type float64, first value 0\.0; allowed: labels are integers",
    ),
    "labels that are text": (
        {"y_test": np.full(9, "cat")},
        "y_test has type <U3, first value cat; allowed: labels are integers",
    ),
    "negative labels": ({"y_train": np.full(30, -1)}, r"y_train\[0\] is -1; allowed: labels are integers"),
    "objects": ({"y_train": np.array([{}] * 30, object)}, "cannot be read as an .npz file of plain numbers"),
}


@pytest.mark.parametrize("fault", ARRAYS)
def test_a_fault_in_an_npz(fault: str, cli: Cli, tmp_path: Path) -> None:
    changed, told = ARRAYS[fault]
    said = cli("run", npz_spec(tmp_path, **changed)).refused("own.npz: ")
    assert re.search(told, said.err), said.err
    assert not (tmp_path / "runs").exists()


def test_a_sound_npz_of_one_class_runs(cli: Cli, tmp_path: Path) -> None:
    """Nothing to tell apart, but nothing wrong either, for any read-out."""
    path = npz_spec(tmp_path, y_train=np.zeros(30, int), y_test=np.zeros(9, int))
    said = cli("run", path, "--quiet", "--set", "readout=[direct, linear]")
    assert (said.code, said.err) == (0, "")
    assert re.search(r"linear classifier +100\.00 % +100\.00 %", said.out)


@pytest.mark.parametrize(
    ("override", "told"),
    [
        ("chip.layers=[7, 12]", "chip.layers: first layer 7, allowed: 6 (the features of own)"),
        ("learning.target=label", "chip.layers: last layer 12, allowed: 3 (the classes of own)"),
        ("data.train=31", "31 training samples asked for, it has 30 (allowed: 1 to 30)"),
        ("data.test=10", "10 test samples asked for, it has 9 (allowed: 1 to 9)"),
    ],
)
def test_a_spec_that_does_not_fit_the_file(override: str, told: str, cli: Cli, tmp_path: Path) -> None:
    cli("run", npz_spec(tmp_path), "--set", override).refused(told)
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize("kept", [0, 3, 100, 600, -1])
def test_a_truncated_npz(kept: int, cli: Cli, tmp_path: Path) -> None:
    path = npz_spec(tmp_path)
    whole = (tmp_path / "own.npz").read_bytes()
    (tmp_path / "own.npz").write_bytes(whole[:kept])
    cli("run", path).refused("own.npz: ")


def test_what_is_no_npz(cli: Cli, tmp_path: Path) -> None:
    path = npz_spec(tmp_path)
    (tmp_path / "own.npz").write_text("x_train,y_train\n1,2\n")
    cli("run", path).refused("own.npz: not an .npz file")
    (tmp_path / "own.npz").unlink()
    cli("run", path).refused("own.npz: cannot be read: No such file or directory")
    (tmp_path / "own.npz").mkdir()
    cli("run", path).refused("own.npz: cannot be read: Is a directory")


@pytest.fixture
def offline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty data folder and cache, and sources that cannot be reached."""

    def nothing(source: object, *_: object) -> Any:
        raise DataError(f"{source} cannot be reached")
        yield

    folder = tmp_path / "data"
    folder.mkdir()
    monkeypatch.setenv("EDGESDT_DATA", str(folder))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(sources, "get", nothing)
    return folder


def test_data_that_are_not_here_and_cannot_be_fetched(offline: Path, cli: Cli, tmp_path: Path) -> None:
    said = cli("run", "mnist_edge").refused(
        "data set 'mnist' is not here and could not be fetched.",
        f"{offline / 'mnist'}: no such folder",
        "To place the files by hand",
        "train-images-idx3-ubyte.gz",
        "or into DIR/mnist, and set EDGESDT_DATA=DIR",
        "edgesdt data fetch mnist --dir DIR",
    )
    for source in known.KNOWN["mnist"].sources:
        assert f"{source}: {source} cannot be reached" in said.err
    assert not (tmp_path / "runs").exists()
    cli("data", "fetch", "mnist", "--dir", "there").refused("could not be fetched")
    cli("data", "fetch", "mnits").refused("data set 'mnits' is not known", "did you mean 'mnist'?")


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "the file is empty"),
        (compressed(b"\0\0\x08\x03" + bytes(2000))[:-30], "truncated"),
        (b"\x1f\x8b\x08\0" + bytes(100), "the gzip file is "),
        (b"no images at all", "not an IDX file: starts with "),
        (
            compressed(bytes.fromhex("00000803 00000002 0000001c 0000001c") + bytes(784)),
            "truncated: shape (2, 28, 28)",
        ),
        (compressed(bytes.fromhex("00000803 00000001 0000001c 0000001c") + bytes(784)), "holds shape (1, 28, 28)"),
    ],
)
def test_a_corrupt_or_truncated_data_file(content: bytes, told: str, offline: Path, cli: Cli) -> None:
    folder = offline / "mnist"
    folder.mkdir()
    for file in known.KNOWN["mnist"].files:
        (folder / f"{file.name}.gz").write_bytes(content)
    cli("run", "mnist_edge").refused(str(folder / "train-images-idx3-ubyte.gz"), told)
    assert (folder / "train-images-idx3-ubyte.gz").read_bytes() == content, "the user's file is the user's"


def test_damaged_embedded_data(cli: Cli, small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    there = Path(datasets.load("digits").origin)
    package = tmp_path / "sklearn"
    (package / "datasets" / "data").mkdir(parents=True)
    lines = gzip.decompress(there.read_bytes()).splitlines(keepends=True)
    (package / "datasets" / "data" / there.name).write_bytes(compressed(b"".join([lines[1], lines[0], *lines[2:]])))
    monkeypatch.setattr("edgesdt.datasets.digits.package_folder", lambda: package)
    cli("run", small).refused("SHA-256 of the digits is ", "damaged; install it again")


# --- the output folder


def test_an_output_folder_that_cannot_be_written(cli: Cli, small: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    cli("run", small, "--out", "file", "--quiet").refused("file: not a folder that can be written: ")
    cli("run", small, "--out", "file/run", "--quiet").refused(
        "file/run: not a folder that can be written: Not a directory"
    )
    assert (tmp_path / "file").read_text() == "mine"


def test_a_read_only_output_folder(cli: Cli, small: Path, tmp_path: Path) -> None:
    """Root may write anywhere but where the system itself takes no files."""
    place = Path("/proc/run")
    if not Path("/proc").is_dir():
        place = tmp_path / "readonly" / "run"
        place.parent.mkdir(mode=0o500)
    said = cli("run", small, "--out", place, "--quiet").refused(f"{place}: not a folder that can be written: ")
    assert said.err.count("\n") == 1


def test_a_folder_that_holds_something_else(cli: Cli, small: Path, tmp_path: Path) -> None:
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter.tex").write_text("all my work")
    cli("run", small, "--out", "thesis", "--quiet").refused(
        "thesis: holds something that is not an edgesdt run; choose another --out"
    )
    assert [p.name for p in (tmp_path / "thesis").iterdir()] == ["chapter.tex"]


def test_a_folder_that_holds_another_run(cli: Cli, small: Path, tmp_path: Path) -> None:
    assert cli("run", small, "--quiet").code == 0
    before = {p.name: p.read_bytes() for p in (tmp_path / "runs" / "small-0").iterdir()}
    cli("run", small, "--quiet", "--set", "epochs=4").refused("runs/small-0: holds the run of another spec or seed")
    assert {p.name: p.read_bytes() for p in (tmp_path / "runs" / "small-0").iterdir()} == before


def test_a_damaged_checkpoint_and_a_damaged_record(cli: Cli, small: Path, tmp_path: Path) -> None:
    assert cli("run", small, "--quiet").code == 0
    folder = tmp_path / "runs" / "small-0"
    (folder / "record.json").write_text("{")
    cli("run", small, "--quiet").refused("record.json: no readable record: ")
    (folder / "record.json").unlink()
    (folder / "checkpoint.npz").write_bytes(b"PK\x03\x04 and no more")
    cli("run", small, "--quiet").refused("checkpoint.npz: damaged checkpoint (", "delete the folder to start again")


# --- reports


def test_a_report_of_what_is_no_run(cli: Cli, small: Path, tmp_path: Path) -> None:
    cli("report", "lost").refused("lost/record.json: no record here; there is no such folder")
    (tmp_path / "empty").mkdir()
    cli("report", "empty").refused("empty/record.json: no record here; not a run, or one that has not finished")
    (tmp_path / "empty" / "record.json").write_text("{")
    cli("report", "empty").refused("empty/record.json: damaged")
    assert not (tmp_path / "empty" / "report.html").exists()


def test_a_report_with_an_unknown_table(cli: Cli, small: Path, tmp_path: Path) -> None:
    assert cli("run", small, "--quiet").code == 0
    page = (tmp_path / "runs" / "small-0" / "report.html").read_bytes()
    cli("report", "runs/small-0", "--table", "cmos_44nm").refused(
        "--table: unknown technology table: 'cmos_44nm'",
        "cmos_40nm_aladdin, cmos_45nm",
        "did you mean 'cmos_45nm'",
    )
    assert (tmp_path / "runs" / "small-0" / "report.html").read_bytes() == page
