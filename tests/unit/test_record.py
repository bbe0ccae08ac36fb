"""The record: written whole or not at all, read back the same, refused where it is not one, summed up with units."""

from __future__ import annotations

import copy
import json
import os
import platform
import re
import stat
from pathlib import Path

import numpy as np
import pytest

from edgesdt import __version__
from edgesdt.errors import EdgesdtError, RunError
from edgesdt.runs import record
from tests.conftest import Finished


def test_what_is_written_is_read(finished: Finished, tmp_path: Path) -> None:
    counts = {**finished.record["counts"], "train": {**finished.record["counts"]["train"], "mac": 2**70}}
    made = {**finished.record, "counts": counts, "name": "µ"}
    record.write(tmp_path / "record.json", made)
    assert record.read(tmp_path / "record.json") == made
    assert (tmp_path / "record.json").read_bytes().endswith(b"}\n")


def test_a_real_record_survives_json_exactly(finished: Finished, tmp_path: Path) -> None:
    record.write(tmp_path / "again.json", finished.record)
    assert (tmp_path / "again.json").read_bytes() == (finished.folder / "record.json").read_bytes()


def test_there_is_no_nan_in_a_record(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="JSON compliant"):
        record.write(tmp_path / "record.json", {"schema": 1, "accuracy": float("nan")})
    assert list(tmp_path.iterdir()) == []


def test_a_file_is_replaced_whole_and_with_the_users_own_rights(tmp_path: Path) -> None:
    path = tmp_path / "record.json"
    before = os.umask(0o027)
    try:
        record.write_atomically(path, b"old, and longer than the new")
        record.write_atomically(path, b"new")
    finally:
        os.umask(before)
    assert path.read_bytes() == b"new"
    assert [p.name for p in tmp_path.iterdir()] == ["record.json"]
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


@pytest.mark.parametrize("failing", ["fsync", "replace"])
def test_a_write_that_fails_leaves_the_old_file_alone(
    failing: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "record.json"
    record.write_atomically(path, b"old")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, failing, full)
    with pytest.raises(RunError, match=r"record\.json: could not be written: No space left on device") as caught:
        record.write_atomically(path, b"new")
    assert caught.value.exit_code == 1
    assert path.read_bytes() == b"old"
    assert [p.name for p in tmp_path.iterdir()] == ["record.json"], "litter"


def test_an_interrupted_write_leaves_the_old_file_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "record.json"
    record.write_atomically(path, b"old")

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupted)
    with pytest.raises(KeyboardInterrupt):
        record.write_atomically(path, b"new")
    assert path.read_bytes() == b"old"
    assert [p.name for p in tmp_path.iterdir()] == ["record.json"], "litter"


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (None, "no readable record"),
        (b"", "no readable record"),
        (b'{"schema": 1, "name"', "no readable record"),
        (b"\xff\xfe", "no readable record"),
        (b"[1]", "not a record of schema 1"),
        (b"{}", "not a record of schema 1"),
        (b'{"schema": 2}', "not a record of schema 1"),
    ],
)
def test_what_is_no_record_is_refused(content: bytes | None, told: str, tmp_path: Path) -> None:
    path = tmp_path / "record.json"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(EdgesdtError, match=told) as caught:
        record.read(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert caught.value.exit_code == 2


def test_versions_are_those_that_run() -> None:
    found = record.versions()
    assert (found["edgesdt"], found["python"], found["numpy"]) == (
        __version__,
        platform.python_version(),
        np.__version__,
    )
    assert re.match(r"\d+\.\d+", found["numba"])


def test_the_summary_gives_every_figure_its_unit_and_its_control(finished: Finished) -> None:
    lines = record.summary(finished.record).splitlines()
    assert lines[0] == "small · seed 0 · cmos_45nm at 45 nm"
    accuracy = finished.record["accuracy"]
    for words, key in (
        ("direct association, average", "direct_average"),
        ("direct association, max", "direct_max"),
        ("linear classifier", "linear"),
    ):
        line = next(line for line in lines if words in line)
        assert line.split()[-4:] == [
            f"{100 * accuracy[key]:.2f}",
            "%",
            f"{100 * accuracy[f'untrained_{key}']:.2f}",
            "%",
        ]
    for words, pattern in (
        ("energy per sample", r"[\d.]+ [pnµ]J +[\d.]+ [pnµ]J$"),
        ("time per sample", r"[\d.]+ [nµm]s +[\d.]+ [nµm]s$"),
        ("energy, whole training", r"[\d.]+ [nµm]J$"),
        ("area", r"[\d.]+ mm²$"),
        ("memory", r"[\d.]+ KiB +of 8 KiB$"),
        ("simulator", r"[\d,]+ samples/s +[\d.]+ s$"),
    ):
        line = next(line for line in lines if line.strip().startswith(words))
        assert re.search(pattern, line), line
    assert not any("output neuron" in line for line in lines), "a read-out that was not asked for"


def test_the_summary_of_a_run_on_cells_tells_their_wear_and_rest(finished: Finished) -> None:
    made = copy.deepcopy(finished.record)
    made["device"] = {
        "model": "EcRam", "cells": 12800, "writes_per_cell_mean": 26.5, "writes_per_cell_max": 1234,
        "wire_loss": 0.0714, "carries": 4321, "carried_digits": 0.0123,
    }  # fmt: skip
    made["deployment"] = [{"time_s": 0.0, "direct_average": 0.8}, {"time_s": 3600.0, "direct_average": 0.5}]
    found = record.summary(made)
    for pattern in (
        r"cells +EcRam +12,800 cells$", r"pulses per cell +26\.5 +1,234 at most$",
        r"lost on wires +7\.1 % +of the current$", r"digits carried +4,321 +1\.2 % of those looked at$",
        r"accuracy at rest +direct association, average$", r"after 0 s +80\.00 %$", r"after 1 h +50\.00 %$",
    ):  # fmt: skip
        assert re.search(pattern, found, re.M), (pattern, found)
    assert "cells" not in record.summary(finished.record)


def test_the_summary_of_a_label_run_shows_its_output_neurons(finished: Finished) -> None:
    made = copy.deepcopy(finished.record)
    made["accuracy"] = {"output": 0.5, "untrained_output": 0.25}
    found = record.summary(json.loads(json.dumps(made)))
    assert re.search(r"output neuron +50\.00 % +25\.00 %", found)
    assert "direct" not in found
