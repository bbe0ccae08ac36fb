"""Figures that leave something out rank nowhere; devices have the name of their sheet; retention is in the headline."""

from __future__ import annotations

import copy
import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest

from edgesdt import report
from edgesdt.pricing import omissions
from edgesdt.report import export
from edgesdt.report.files.folders import Run
from edgesdt.report.files.sweeps import load
from edgesdt.report.run import comparison, curves, summary, wear
from edgesdt.report.sweep import metrics, view
from edgesdt.report.sweep.results import findings, mean_run
from edgesdt.report.sweep.statistics import points
from edgesdt.runs import record
from edgesdt.spec.sweep.goals import Goal
from edgesdt.sweep import objectives
from tests import sweep_stores
from tests.conftest import Finished
from tests.sweep_stores import bound, row

PRICED = ("energy_j.train_per_sample", "energy_j.inference_per_sample", "latency_s.train_per_sample",
          "latency_s.inference_per_sample", "area_mm2.total")  # fmt: skip


def scaled(made: dict[str, Any], factor: float, accuracy: float, unpriced: bool) -> dict[str, Any]:
    """A record with other figures, of a chip of which parts have no price or that is whole."""
    made = copy.deepcopy(made)
    made["accuracy"]["direct_average"] = accuracy
    for path in PRICED:
        section, name = path.split(".")
        made[section][name] *= factor
    made["memory"]["used_bits"] = int(made["memory"]["used_bits"] * (0.9 if unpriced else 1.0))
    if unpriced:
        made["technology"]["not_priced"] = list(omissions.UNPRICED)
    return made


@pytest.fixture(scope="module")
def given(finished: Finished) -> dict[str, Any]:
    return finished.record


@pytest.fixture
def runs(given: dict[str, Any]) -> list[Run]:
    """One chip that seems to cost a tenth because parts have no price, and two that are whole."""
    made = [scaled(given, 0.1, 0.80, True), scaled(given, 1.0, 0.90, False), scaled(given, 2.0, 0.95, False)]
    return [Run(Path(name), one, name) for name, one in zip(("open", "cheap", "dear"), made, strict=True)]


def column(runs: list[Run], name: str) -> dict[str, comparison.Cell]:
    place = comparison.headings(runs).index(name)
    return {label: cells[place] for label, cells in comparison.table(runs)}


def test_a_comparison_crowns_no_incomplete_bill(runs: list[Run]) -> None:
    costs = ("energy per training sample", "energy per inference", "latency, training", "latency, inference", "area")
    for name in costs:
        cells = column(runs, name)
        assert [cells[label].best for label in ("open", "cheap", "dear")] == [False, True, False], name
        assert cells["open"].text.startswith("≥ ") and not cells["cheap"].text.startswith("≥")
    assert column(runs, "memory used")["open"].best, "the memory map is whole"
    assert column(runs, "accuracy")["dear"].best
    alone = column(runs[:2], "area")
    assert not any(cell.best for cell in alone.values()), "one whole figure is best of nothing"


def priced_with(made: dict[str, Any], factor: float, **technology: object) -> dict[str, Any]:
    """A record with other figures, priced with another table."""
    made = scaled(made, factor, 0.9, False)
    made["technology"] |= technology
    return made


OWN = {"table": "cmos_45nm", "file": "mine.yaml", "sha256": "ab" * 32}


@pytest.mark.parametrize("other", [{"table": "cmos_40nm_aladdin"}, {"node_nm": 28}, OWN])
def test_prices_of_different_tables_do_not_rank(given: dict[str, Any], other: dict[str, Any], tmp_path: Path) -> None:
    made = {"ours": given, "theirs": priced_with(given, 0.5, **other)}
    runs = [Run(Path(name), one, name) for name, one in made.items()]
    for name in comparison.headings(runs):
        if name.startswith(("energy", "latency", "area")):
            assert not any(cell.best for cell in column(runs, name).values()), name
    (told,) = comparison.of_tables(runs)
    assert "do not rank against each other" in told and "ours: cmos_45nm at 45 nm; theirs: " in told
    for name, one in made.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "record.json").write_text(json.dumps(one), encoding="utf-8")
    page = report.write([tmp_path / name for name in made], tmp_path / "page.html").read_text(encoding="utf-8")
    assert "do not rank against each other" in page and "(cmos_45nm at 45 nm)" in page
    alike = [Run(Path(name), priced_with(given, k, **other), name) for name, k in (("a", 1.0), ("b", 2.0))]
    assert column(alike, "area")["a"].best and not comparison.of_tables(alike)


def test_a_table_of_ones_own_is_called_by_its_file_and_digest(given: dict[str, Any]) -> None:
    one = Run(Path("mine"), priced_with(given, 1.0, **OWN), "mine")
    assert dict(summary.facts(one))["technology"] == "mine.yaml (SHA-256 abababababab…)"
    assert "mine.yaml (SHA-256 abababababab…) at 45 nm" in record.summary(one.record).splitlines()[0]


def test_a_sweep_over_tables_has_no_front_of_prices(given: dict[str, Any], tmp_path: Path) -> None:
    path = "technology.file"
    rows = [row({path: None}, 0, given), row({path: "mine.yaml"}, 0, priced_with(given, 0.5, **OWN))]
    folder = sweep_stores.write(tmp_path / "sweep", rows, given["spec"])
    found = findings(load(folder))
    assert set(found.fronts) == {"memory"}
    assert all(choice.metric.key in ("accuracy", "memory") for choice in found.choices)
    assert "do not rank against each other (cmos_45nm, mine.yaml" in report.write([folder]).read_text(encoding="utf-8")


def test_an_incomplete_run_is_on_no_axis_of_energy(runs: list[Run]) -> None:
    drawn = {chart.title: [text for *_, text in chart.legend] for chart in curves.of_runs(runs)}
    assert drawn["Accuracy over epochs"] == ["open", "cheap", "dear"]
    assert drawn["Accuracy over training energy"] == ["cheap", "dear"]
    totals = {r.label: r.total for stack in comparison.stacks(runs)[:1] for r in stack.rows}
    assert totals["open"].startswith("≥ ") and not totals["cheap"].startswith("≥")


@pytest.fixture
def sweep(given: dict[str, Any], tmp_path: Path) -> Path:
    rows = []
    for model, factor, accuracy in (("Idealized", 0.1, 0.95), ("sram", 1.0, 0.945), ("EcRam", 2.0, 0.95)):
        rows += [row({"device.model": model}, seed, scaled(given, factor, accuracy, model == "Idealized"))
                 for seed in (0, 1)]  # fmt: skip
    return sweep_stores.write(tmp_path / "sweep", rows, given["spec"])


def test_fronts_and_advice_leave_incomplete_points_out(sweep: Path) -> None:
    found = findings(load(sweep))
    models = [p.values["device.model"] for p in found.allowed]
    for key in ("energy", "inference_energy", "area"):
        assert "Idealized" not in [models[i] for i in found.fronts[key]] and found.fronts[key], key
    chosen = {choice.metric.key: choice.point.values["device.model"] for choice in found.choices}
    assert chosen["energy"] == chosen["area"] == "sram" and chosen["memory"] == "Idealized"
    shown = view.view(found, "", sweep / "r.html")
    assert any("rank nowhere and are on no front" in sentence for sentence in shown["caveats"])
    assert found.points[0].told(metrics.COSTS[0]).startswith("≥ ")


def test_a_bound_on_a_cost_is_not_met_by_a_figure_that_is_not_whole(sweep: Path, given: dict[str, Any]) -> None:
    rows = (sweep / "records.jsonl").read_text(encoding="utf-8").splitlines()
    limits = [bound("energy", "<=", 1.0, "energy <= 1 J")]
    sweep_stores.write(sweep, list(map(json.loads, rows)), given["spec"], constraints=limits)
    assert [p.values["device.model"] for p in findings(load(sweep)).allowed] == ["sram", "EcRam"]


def test_the_best_of_a_sweep_in_the_terminal_and_in_a_search_is_whole(given: dict[str, Any]) -> None:
    goals = [Goal("energy", "energy_j.train_per_sample", False, "J"), Goal("memory", "memory.used_bits", False, "bit")]
    factors = {"Idealized": 0.1, "sram": 1.0}
    rows = [row({"device.model": m}, 0, scaled(given, f, 0.9, m == "Idealized")) for m, f in factors.items()]
    means = objectives.means(rows, goals)
    best = [objectives.best(means, goal) for goal in goals]
    assert [mean and mean.point["device.model"] for mean in best] == ["sram", "Idealized"]
    assert objectives.value(rows[0], goals[0]) is None


def fitted(made: dict[str, Any]) -> dict[str, Any]:
    made = copy.deepcopy(made)
    made["spec"]["device"] = {**made["spec"]["device"], "model": "sram", "file": "lab/mine.yaml"}
    made["device"]["model"] = "mine"
    return made


def test_a_fitted_device_has_the_name_of_its_sheet(given: dict[str, Any], tmp_path: Path) -> None:
    run = Run(tmp_path, fitted(given), "fitted")
    told = dict(comparison.differences([run, Run(tmp_path, given, "memory")]))
    assert told["device.model"] == ["mine", "sram"]
    assert dict(summary.facts(run))["device"] == "mine"
    del run.record["device"]
    assert dict(summary.facts(run))["device"] == "mine", "by the file's own name"
    record.write(tmp_path / "record.json", fitted(given))
    out = export.csv_file([tmp_path], tmp_path / "t.csv")
    line = next(csv.DictReader(io.StringIO(out.read_text(encoding="utf-8"))))
    assert (line["spec.device.model"], line["spec.device.file"]) == ("mine", "lab/mine.yaml")


def rested(made: dict[str, Any], share: float, time: float, drifts: bool) -> dict[str, Any]:
    made = copy.deepcopy(made)
    made["device"] = {"model": "x", "cells": 10, "non_idealities": ["drift"] if drifts else ["asymmetry"]}
    made["deployment"] = [{"time_s": 1.0, "direct_average": 0.99}, {"time_s": time, "direct_average": share}]
    return made


def test_retention_is_in_the_headline(given: dict[str, Any], tmp_path: Path) -> None:
    made = [rested(given, share, 3600.0, drifts) for share, drifts in ((0.6, True), (0.7, True), (0.9, False))]
    made.append(given)
    runs = [Run(tmp_path, one, str(i)) for i, one in enumerate(made)]
    cells = column(runs, "accuracy at rest")
    assert cells["0"].text == "60.0 % after 1 h"
    assert [cells[str(i)].best for i in range(4)] == [False, True, False, False]
    assert (cells["2"].text, cells["3"].text) == ("retention not modelled", "–")
    assert "accuracy at rest" not in comparison.headings(runs[3:])
    longer = [runs[0], Run(tmp_path, rested(given, 0.7, 7200.0, True), "longer")]
    assert not any(cell.best for cell in column(longer, "accuracy at rest").values()), "unequal rests do not rank"
    record.write(tmp_path / "record.json", made[0])
    assert "at rest: <b>60.0 % after 1 h</b>" in report.write([tmp_path]).read_text(encoding="utf-8")


@pytest.mark.parametrize("odd", [None, 3, "x", [], [3], [{}], [{"time_s": "x"}], [{"time_s": 1, "output": None}]])
def test_an_odd_rest_is_none(given: dict[str, Any], odd: object) -> None:
    assert wear.last_rest(Run(Path(), given | {"deployment": odd}, "")) is None


def test_points_of_a_comparison_are_means_over_seeds_with_their_rests(given: dict[str, Any], tmp_path: Path) -> None:
    rows = [row({"epochs": 1}, seed, rested(given, share, 60.0, True)) for seed, share in ((0, 0.4), (1, 0.6))]
    found = findings(load(sweep_stores.write(tmp_path / "s", rows, given["spec"])))
    rest = wear.last_rest(mean_run(found.sweep, found.points[0], "mean"))
    assert rest is not None and rest.accuracy == pytest.approx(0.5)
    assert points.estimate([0.4, 0.6]).mean == rest.accuracy
