"""Sweeps of whole sections, such as those of learning rules: checked, run and shown by the rule."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import pytest

from edgesdt import registry
from edgesdt.errors import SpecError
from edgesdt.report.files import sweeps, telling
from edgesdt.report.page import priced
from edgesdt.spec import Spec, load
from edgesdt.spec.sweep.section import load_sweep
from edgesdt.sweep import objectives, plan_table
from edgesdt.sweep.plan import SweepPlan, label
from tests.conftest import Said

Cli = Callable[..., Said]
BASE = """\
name: rules
data: {set: digits, train: 100, test: 60}
encoder: {bits: 4}
chip: {layers: [64, 20], memory_budget: 32 KiB}
epochs: 1
sweep:
  groups:
    - {learning: {rule: backprop, winners: 2}, chip.weights.frac_bits: 12, readout: [direct]}
    - {learning: {rule: softhebb, sharpness: 6}, chip.weights.frac_bits: 8, readout: [linear]}
"""
AGAIN = "    - {learning: {rule: softhebb, sharpness: 3}, chip.weights.frac_bits: 8, readout: [linear]}\n"


def planned(folder: Path, section: str = BASE) -> SweepPlan:
    path = folder / "rules.yaml"
    path.write_text(section, encoding="utf-8")
    return SweepPlan(*load_sweep(str(path)))


def test_an_entry_is_told_by_its_rule_and_by_no_more_than_needed() -> None:
    one = {"learning": {"rule": "a", "x": 1, "y": 2}, "chip.bits": 3}
    other = {"learning": {"rule": "b", "z": 5}, "chip.bits": 4}
    assert telling.telling([one, other]) == ["learning.rule"]
    third = {"learning": {"rule": "b", "z": 6}, "chip.bits": 4}
    assert telling.telling([one, other, third]) == ["learning.rule", "learning.z"]
    assert telling.told(one, [one, other, third]) == {"learning.rule": "a", "learning.z": None}
    assert telling.told(third, [one, other, third]) == {"learning.rule": "b", "learning.z": 6}


def test_a_group_without_a_section_is_told_by_all_its_fields() -> None:
    entries = [{"a.b": 1, "c": [2]}, {"a.b": 3, "c": [2]}]
    assert telling.telling(entries) == ["a.b", "c"]
    assert telling.told(entries[0], entries) == entries[0]


def test_a_section_takes_the_place_of_that_of_the_spec(tmp_path: Path) -> None:
    plan = planned(tmp_path, BASE.replace("epochs: 1", "learning: {beta: 0.3, winners: 4}\nepochs: 1"))
    backprop, softhebb = (plan.spec_of(point).learning for point in plan.points)
    assert (backprop.rule, softhebb.rule) == ("backprop", "softhebb")
    assert backprop.winners == 2  # type: ignore[attr-defined]


def test_a_field_of_another_rule_is_refused_at_its_line(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match=r"rules.yaml:9: .*winners.*at point learning.rule=softhebb"):
        planned(tmp_path, BASE.replace("sharpness: 6", "winners: 6"))


def test_the_plan_shows_rules_and_what_tells_equal_ones_apart(tmp_path: Path) -> None:
    lines = list(plan_table.lines(planned(tmp_path), 1, assume=0.5))
    assert [line.split()[0] for line in lines[2:5]] == ["learning.rule", "backprop", "softhebb"]
    plan = planned(tmp_path, BASE + AGAIN)
    heads = next(line for line in plan_table.lines(plan, 1, assume=0.5) if "learning.rule" in line).split()
    assert heads[:2] == ["learning.rule", "learning.sharpness"]
    assert label(plan.sweep.parameters, plan.points[2].values) == "learning.rule=softhebb, learning.sharpness=3"


def test_accuracy_is_that_of_the_first_read_out_of_each_run(tmp_path: Path) -> None:
    goal = planned(tmp_path).sweep.objectives[0]
    direct = {"accuracy": {"direct_average": 0.5, "direct_max": 0.9, "untrained_direct_average": 0.1}}
    assert objectives.value({"record": direct}, goal) == 0.5
    assert objectives.value({"record": {"accuracy": {"linear": 0.7}}}, goal) == 0.7
    alone = planned(tmp_path, BASE.replace(", readout: [direct]", "").replace(", readout: [linear]", ""))
    assert alone.sweep.objectives[0].path == "accuracy.direct_average"
    searched = BASE.replace("sweep:\n", "sweep:\n  method: search\n  samples: 2\n")
    assert planned(tmp_path, searched).sweep.objectives[0].path == "accuracy.direct_average"


def test_a_sweep_of_rules_runs_and_is_reported_by_rule(cli: Cli, tmp_path: Path) -> None:
    path = tmp_path / "rules.yaml"
    path.write_text(BASE, encoding="utf-8")
    done = cli("sweep", path, "--out", "s", "--workers", 1, "--quiet")
    assert done.code == 0 and "learning.rule=" in done.out and "{" not in done.out
    found = sweeps.load(tmp_path / "s")
    assert found.parameters == ["learning.rule"]
    assert [row.point for row in found.rows] == [{"learning.rule": "backprop"}, {"learning.rule": "softhebb"}]
    specs = [Spec.from_plain(found.spec_of(row.given)) for row in found.rows]
    assert [spec.learning.rule for spec in specs] == ["backprop", "softhebb"]
    assert [spec.chip.weights.frac_bits for spec in specs] == [12, 8]
    cheaper = priced(found, "cmos_40nm_aladdin")
    assert all(a.record["energy_j"] != b.record["energy_j"] for a, b in zip(cheaper.rows, found.rows, strict=True))
    page = (tmp_path / "s" / "report.html").read_text(encoding="utf-8")
    assert "backprop, softhebb (swept)" in page and "Accuracy by rule" in page
    cli("report", "s", "--csv", "s.csv")
    with (tmp_path / "s.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["spec.learning.rule"] for row in rows] == ["backprop", "softhebb"]
    assert [row["spec.chip.weights.frac_bits"] for row in rows] == ["12", "8"]


def test_the_shipped_sweep_has_every_rule_of_ours_in_equal_memory() -> None:
    plan = SweepPlan(*load_sweep("which_rule"))
    specs = [plan.spec_of(point) for point in plan.points[:: len(plan.sweep.seeds)]]
    assert [spec.learning.rule for spec in specs] == list(registry.OURS)
    assert not any(point.infeasible for point in plan.points)
    assert {spec.chip.memory_budget for spec in specs} == {load("which_rule").chip.memory_budget}
    assert {spec.chip.weights.bits for spec in specs} == {8} and plan.sweep.objectives[0].path == "accuracy"
