"""The figures of the tutorial are those of its sweep, within a tolerance, and do not contradict one another."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from edgesdt.runs.experiment import run
from tests.conftest import ROOT

PAGE = (ROOT / "docs" / "tutorial" / "choose_a_chip.md").read_text(encoding="utf-8")
BEST = re.compile(r"^best (accuracy|energy|area)\s+([\d.]+) (%|nJ|mm²)  (.+) \(mean of (\d) seeds\)$", re.M)
KEPT = re.compile(r"^(\d+) of (\d+) points keep energy <= (.+)$", re.M)
ACCURACY, COST = 2.0, 0.03
"""Percentage points, and a share: machines agree to the last digit, constants may be tuned a little."""


def endings() -> list[tuple[list[tuple[str, ...]], tuple[str, ...]]]:
    """What each sweep on the page ends with: the best points, and how many keep the constraint."""
    blocks = [block for block in re.findall(r"```\w+\n(.*?)```", PAGE, re.S) if BEST.search(block)]
    return [(BEST.findall(block), KEPT.findall(block)[0]) for block in blocks]


def test_what_is_best_keeps_the_constraint_and_the_other_figures() -> None:
    assert len(endings()) == 2
    for best, (kept, points, limit) in endings():
        energy = next(float(value) for name, value, *_ in best if name == "energy")
        assert energy <= float(limit.split()[0]) and 0 < int(kept) <= int(points)
        points_of = {name: point for name, _, _, point, _ in best}
        same = {value for _, value, _, point, _ in best if point == points_of["area"]}
        assert len(same) == len([point for *_, point, _ in best if point == points_of["area"]])
    for area in {value for best, _ in endings() for name, value, *_ in best if name == "area"}:
        assert f"{area} mm²" in PAGE.partition("## Run")[0], "the plan has another area"


@pytest.mark.parametrize("which", [0, pytest.param(1, marks=pytest.mark.slow)])
def test_the_best_points_are_what_the_page_says(which: int, tmp_path: Path) -> None:
    best, _ = endings()[which]
    epochs = ["epochs=2"] if which == 0 else []
    records: dict[str, list[dict[str, float]]] = {}
    for name, _, _, point, seeds in best:
        if point not in records:
            values = [re.sub(r"^chip.layers\[1\]=(\d+)$", r"chip.layers=[64, \1]", part) for part in point.split(", ")]
            records[point] = [_run(values + epochs, seed, tmp_path) for seed in range(int(seeds))]
        found = sum(record[name] for record in records[point]) / int(seeds)
        said = next(float(value) for other, value, *_ in best if other == name)
        allowed = ACCURACY if name == "accuracy" else COST * said
        assert found == pytest.approx(said, abs=allowed), (name, point)


def _run(values: list[str], seed: int, tmp_path: Path) -> dict[str, float]:
    from edgesdt.spec import load

    spec = load("choose_a_chip", [*values, f"seed={seed}", "sweep=null"])
    made = run(spec, tmp_path / f"{abs(hash((*values, seed)))}", report=False)
    return {
        "accuracy": 100 * made["accuracy"]["direct_average"],
        "energy": 1e9 * made["energy_j"]["train_per_sample"],
        "area": made["area_mm2"]["total"],
    }


@pytest.mark.slow
def test_the_best_rules_are_what_the_page_says(tmp_path: Path) -> None:
    from edgesdt.spec.sweep.section import load_sweep
    from edgesdt.sweep.plan import SweepPlan

    page = (ROOT / "docs" / "tutorial" / "which_rule.md").read_text(encoding="utf-8")
    end = re.findall(r"^best (\w+) +([\d.]+) (\S+)  learning.rule=(\w+) \(mean of 3 seeds", page, re.M)
    assert [name for name, *_ in end] == ["accuracy", "energy", "memory"]
    plan = SweepPlan(*load_sweep("which_rule"))
    for name, said, _, rule in end:
        points = [point for point in plan.points if plan.named(point)["learning"]["rule"] == rule]
        made = [run(plan.spec_of(point), tmp_path / point.id, report=False) for point in points]
        figures = {
            "accuracy": [100 * next(iter(each["accuracy"].values())) for each in made],
            "energy": [1e9 * each["energy_j"]["train_per_sample"] for each in made],
            "memory": [each["memory"]["used_bits"] / 8192 for each in made],
        }[name]
        allowed = ACCURACY if name == "accuracy" else COST * float(said)
        assert sum(figures) / len(figures) == pytest.approx(float(said), abs=allowed), (name, rule)
