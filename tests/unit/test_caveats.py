"""What totals leave out is told beside them: in the summary, the preview, the record and every kind of report."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from edgesdt import report
from edgesdt.pricing import bill, omissions
from edgesdt.report.files import repricing
from edgesdt.runs import preview, record
from edgesdt.runs.experiment import run
from edgesdt.spec import loads
from tests.conftest import SMALL, Said

NOTICE = "cells, pulses and drivers are not priced: the model states no electrical conditions (drive:)"
HERE = ["epochs=1", "data.train=200", "data.test=100"]


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Runs on cells with and without electrical conditions."""
    base = tmp_path_factory.mktemp("priced")
    for model in ("Idealized", "EcRam"):
        run(loads(SMALL, overrides=[*HERE, f"device.model={model}"]), base / model, report=False)
    return {path.name: path for path in base.iterdir()}


@pytest.fixture(scope="module")
def records(folders: dict[str, Path]) -> dict[str, dict[str, Any]]:
    """Their records."""
    return {name: record.read(path / "record.json") for name, path in folders.items()}


def test_the_record_names_what_has_no_price(records: dict[str, dict[str, Any]]) -> None:
    assert records["Idealized"]["technology"]["not_priced"] == ["cells", "pulses", "drivers"]
    assert not {"cells", "drivers"} & set(records["Idealized"]["area_mm2"]["breakdown"])
    assert not {"cell reads", "cell pulses"} & set(records["Idealized"]["energy_j"]["train_breakdown"])
    assert "not_priced" not in records["EcRam"]["technology"]


@pytest.mark.parametrize("model", ["sram", "EcRam", "Idealized", "GokmenVlasov", "Capacitor"])
def test_check_tells_it_in_its_last_line(model: str, cli: Callable[..., Said], small: Path) -> None:
    said = cli("check", small, "--set", f"device.model={model}")
    assert said.code == 0
    assert (said.out.splitlines()[-1].strip() == NOTICE) == (model not in ("sram", "EcRam"))


def test_the_summary_of_a_run_tells_it_in_its_last_line(records: dict[str, dict[str, Any]]) -> None:
    assert record.summary(records["Idealized"]).splitlines()[-1] == NOTICE
    assert NOTICE not in record.summary(records["EcRam"])


def test_reports_of_one_run_and_of_several_tell_it(folders: dict[str, Path], tmp_path: Path) -> None:
    for name, times in (("Idealized", 1), ("EcRam", 0)):
        page = report.write([folders[name]], tmp_path / "one.html").read_text(encoding="utf-8")
        assert page.count(NOTICE) == times
    page = report.write(list(folders.values()), tmp_path / "two.html").read_text(encoding="utf-8")
    assert page.count(NOTICE) == 2, "beside the table and in the run's own part"


def test_the_report_of_a_sweep_counts_the_runs(cli: Callable[..., Said], small: Path, tmp_path: Path) -> None:
    text = "\nsweep: {device.model: [sram, Idealized]}\n"
    small.write_text(small.read_text(encoding="utf-8") + text, encoding="utf-8")
    shortened = [word for pair in HERE for word in ("--set", pair)]
    assert cli("sweep", small, *shortened, "--out", "s", "--workers", 1).code == 0
    assert f"of 1 of 2 runs, {NOTICE}" in (tmp_path / "s" / "report.html").read_text(encoding="utf-8")


def test_other_prices_leave_out_the_same(records: dict[str, dict[str, Any]]) -> None:
    again = repricing.record(records["Idealized"], "cmos_40nm_aladdin", Path("record.json"))
    assert again["technology"]["not_priced"] == records["Idealized"]["technology"]["not_priced"]
    assert again == bill.reprice(records["Idealized"], "cmos_40nm_aladdin")


def rested(non_idealities: object, off: list[str] | None = None) -> dict[str, Any]:
    """The part of a record that tells of a rest."""
    point = {"time_s": 3600.0, "direct_average": 0.5}
    return {"deployment": [point], "device": {"non_idealities": non_idealities}, "spec": {"device": {"off": off or []}}}


def test_a_rest_without_drift_is_told_not_to_be_modelled(records: dict[str, dict[str, Any]], tmp_path: Path) -> None:
    told = "this model has no drift"
    assert omissions.of_rest(rested(["asymmetry"]))[0].startswith(told)
    for name in omissions.OF_TIME:
        assert omissions.of_rest(rested([name])) == []
        assert omissions.of_rest(rested([], off=[name])) == [
            f"the cells do not change at rest: {name} switched off (device.off)"
        ]
    for made in ({}, {"deployment": []}, rested(None), {"deployment": [{}]}, rested(3) | {"spec": None, "device": 1}):
        assert omissions.of_rest(made) == []
    made = records["EcRam"] | {"deployment": [{"time_s": 3600.0, "direct_average": 0.5}]}
    assert record.summary(made).splitlines()[-1].strip().startswith(told)
    assert told not in record.summary(records["EcRam"])
    record.write(tmp_path / "record.json", made)
    page = report.write([tmp_path], tmp_path / "rest.html").read_text(encoding="utf-8")
    assert page.count("This model has no drift") == 1


@pytest.mark.parametrize("technology", [None, {}, [], "x", {"not_priced": None}, {"not_priced": []}])
def test_an_old_or_odd_record_says_nothing(technology: object) -> None:
    assert omissions.of_prices({"technology": technology}) == omissions.of_prices({}) == []


def test_a_preview_is_priced_like_a_record(records: dict[str, dict[str, Any]]) -> None:
    spec = loads(json.dumps(records["Idealized"]["spec"]))
    assert preview.predicted(spec, preview.memory_map(spec))["technology"]["not_priced"] == list(omissions.UNPRICED)
