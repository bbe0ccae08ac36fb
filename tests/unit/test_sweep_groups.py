"""Fields of a sweep that change together: in the section and its faults, the plan, a search, the store, the report."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import pytest

from edgesdt.errors import SpecError
from edgesdt.report.files import sweeps
from edgesdt.report.sweep.statistics import points
from edgesdt.spec import spec_hash
from edgesdt.spec.loading import load_traced
from edgesdt.spec.sweep.section import load_sweep
from edgesdt.sweep import plan_table
from edgesdt.sweep.plan import SweepPlan
from edgesdt.sweep.search.candidates import features, ordered
from edgesdt.sweep.search.search import Search
from tests.conftest import SMALL, Said

Cli = Callable[..., Said]
GROUPS = """\
  groups:
    - {chip.weights.bits: 4, chip.weights.frac_bits: 7}
    - {chip.weights.frac_bits: 12, chip.weights.bits: 8}
"""
SHORT = f"sweep:\n{GROUPS}  learning.winners: [1, 2, 3]\n  seed: [5, 6]\n"
LONG = f"sweep:\n  method: grid\n  parameters: {{learning.winners: [1, 2, 3]}}\n{GROUPS}  seeds: [5, 6]\n"
NAMED = """\
sweep:
  groups:
    formats: [{chip.weights.bits: 4, chip.weights.frac_bits: 7}, {chip.weights.bits: 8, chip.weights.frac_bits: 12}]
    sizes:
      - {"chip.layers[1]": 20, learning.winners: 1}
      - {"chip.layers[1]": 30, learning.winners: 2}
      - {"chip.layers[1]": 40, learning.winners: 3}
"""


def planned(folder: Path, section: str) -> SweepPlan:
    path = folder / "swept.yaml"
    path.write_text(SMALL + section, encoding="utf-8")
    return SweepPlan(*load_sweep(str(path)))


@pytest.mark.parametrize("section", [SHORT, LONG])
def test_groups_are_crossed_with_the_grid(section: str, tmp_path: Path) -> None:
    plan = planned(tmp_path, section)
    pairs = {(p["chip.weights.bits"], p["chip.weights.frac_bits"]) for p in map(plan.named, plan.points)}
    assert pairs == {(4, 7), (8, 12)}
    assert len(plan.points) == 2 * 3 * 2 and plan.repeated == 0
    assert list(plan.named(plan.points[0])) == ["learning.winners", "chip.weights.bits", "chip.weights.frac_bits"]


def test_a_point_of_a_group_is_the_spec_with_its_fields_set(tmp_path: Path) -> None:
    plan = planned(tmp_path, SHORT)
    for point in plan.points[::2]:
        sets = [f"{path}={value}" for path, value in plan.named(point).items()]
        alone = load_traced(str(tmp_path / "swept.yaml"), [*sets, f"seed={point.seed}", "sweep=null"]).spec
        assert plan.spec_of(point) == alone
        assert point.spec_hash == spec_hash(alone.plain())


def test_several_lists_have_names_and_are_crossed(tmp_path: Path) -> None:
    plan = planned(tmp_path, NAMED)
    assert len(plan.points) == 6
    assert {(p["chip.layers[1]"], p["learning.winners"]) for p in map(plan.named, plan.points)} == {
        (20, 1), (30, 2), (40, 3),
    }  # fmt: skip


def test_a_zip_takes_a_group_for_one_list(tmp_path: Path) -> None:
    plan = planned(tmp_path, f"sweep:\n  method: zip\n  parameters: {{learning.winners: [1, 2]}}\n{GROUPS}")
    assert [tuple(plan.named(point).values()) for point in plan.points] == [(1, 4, 7), (2, 8, 12)]


@pytest.mark.parametrize(
    ("section", "line", "told"),
    [
        ("  groups: 3\n", 11, "sweep.groups: wrong type: 3, allowed: a list of mappings"),
        ("  groups: []\n", 11, "sweep.groups: an empty list, allowed: a list of mappings"),
        ("  groups: {}\n", 11, "sweep.groups: an empty mapping"),
        ("  groups: [4]\n", 11, "sweep.groups[0]: wrong type: 4, allowed: a mapping of dotted field to its value"),
        ("  groups:\n    - {epochs: 1}\n    - {}\n", 13, "sweep.groups[1]: an empty mapping"),
        ("  groups:\n    - {epochs: 1}\n    - {epoch: 2}\n", 13, "unknown key, allowed: "),
        ("  groups:\n    - {epochs: 1}\n    - {epoch: 2}\n", 13, "(did you mean 'epochs'?)"),
        ("  groups:\n    - {epochs: 1}\n    - {encoder.bits: 2}\n", 13, "not in the first entry, allowed: epochs"),
        ("  groups:\n    - {epochs: 1}\n    - {encoder.bits: 2}\n", 13, "sweep.groups[1]: lacks epochs"),
        ("  groups:\n    - {epochs: 1}\n    - {epochs: 1}\n", 13, "given more than once: {\"epochs\": 1}"),
        ("  groups:\n    - {seed: 1}\n", 12, "cannot be swept: seeds go to sweep.seeds"),
        ("  groups:\n    - {name: a}\n", 12, "cannot be swept: it names the whole sweep"),
        ("  groups:\n    - {epochs: 1}\n  epochs: [2]\n", 12, "epochs sweeps what epochs sweeps, allowed: each"),
        (
            "  groups:\n    - {chip.weights: {bits: 3}, chip.weights.bits: 4}\n",
            12,
            "chip.weights.bits sweeps what chip.weights sweeps",
        ),
        (
            "  groups:\n    - {epochs: 1, encoder.bits: 2}\n    - {epochs: 2,\n       encoder.bits: 9}\n",
            14,
            "encoder.bits: out of range: 9, allowed: an integer 1..8, at point epochs=2, encoder.bits=9",
        ),
    ],
)
def test_a_fault_of_a_group_stands_at_its_line(section: str, line: int, told: str, tmp_path: Path) -> None:
    with pytest.raises(SpecError) as caught:
        planned(tmp_path, f"sweep:\n{section}")
    found = [fault for fault in caught.value.faults if told in fault]
    assert found and found[0].startswith(f"{tmp_path / 'swept.yaml'}:{line}: "), caught.value.faults


def test_a_group_may_choose_the_device(tmp_path: Path) -> None:
    section = "device: {off: [cycle_to_cycle]}\nsweep:\n  groups:\n"
    section += "    - {device.model: EcRam, learning.learning_rate: 0.01}\n"
    assert len(planned(tmp_path, section).points) == 1


def test_a_search_takes_a_group_for_a_choice_among_its_entries(tmp_path: Path) -> None:
    ranges = "  parameters: {learning.learning_rate: {min: 0.001, max: 0.01, log: true}}\n"
    plan = planned(tmp_path, f"sweep:\n  method: search\n  samples: 8\n{ranges}{GROUPS}")
    group = plan.sweep.parameters[1]
    assert not ordered(group)
    assert features(plan.sweep, [(0.5, 0.1), (0.5, 0.9)])[:, 1:].tolist() == [[1.0, 0.0], [0.0, 1.0]]
    Search(plan)
    bad = GROUPS.replace("frac_bits: 12", "frac_bits: 99")
    with pytest.raises(SpecError, match=r"swept.yaml:16: .*frac_bits: out of range: 99"):
        Search(planned(tmp_path, f"sweep:\n  method: search\n  samples: 8\n{ranges}{bad}"))


def test_the_plan_shows_a_group_as_its_fields(tmp_path: Path) -> None:
    lines = list(plan_table.lines(planned(tmp_path, SHORT), 1))
    heads = next(line for line in lines if "chip.weights.bits" in line).split()
    assert heads[:3] == ["learning.winners", "chip.weights.bits", "chip.weights.frac_bits"]
    assert [line.split()[:3] for line in lines if line.split()[:1] == ["3"]] == [["3", "4", "7"], ["3", "8", "12"]]


def test_a_sweep_of_groups_runs_goes_on_and_is_reported_as_one_factor(cli: Cli, tmp_path: Path) -> None:
    path = tmp_path / "g.yaml"
    path.write_text(SMALL.replace("epochs: 3", "epochs: 1").replace("700", "100") + SHORT, encoding="utf-8")
    assert cli("sweep", path, "--set", "sweep.learning.winners=[1]", "--out", "s", "--workers", 1).code == 0
    first = (tmp_path / "s" / "records.jsonl").read_text(encoding="utf-8")
    assert cli("sweep", path, "--out", "s", "--workers", 1, "--quiet").code == 0
    later = (tmp_path / "s" / "records.jsonl").read_text(encoding="utf-8").splitlines()
    assert set(first.splitlines()) <= set(later) and len(later) == 12
    again = cli("sweep", tmp_path / "s" / "spec.yaml", "--out", "s", "--workers", 1, "--quiet")
    assert again.code == 0 and "12 runs: 12 done" in again.out
    found = sweeps.load(tmp_path / "s")
    both = "chip.weights.bits, chip.weights.frac_bits"
    assert found.parameters == ["learning.winners", both]
    assert {tuple(row.point[both]) for row in found.rows} == {(4, 7), (8, 12)}
    assert {found.spec_of(row.point)["chip"]["weights"]["frac_bits"] for row in found.rows} == {7, 12}
    assert points.short_names(found.parameters)[both] == "weights bits, weights frac bits"
    assert points.value_text(both, [4, 7]) == "4, 7"
    page = (tmp_path / "s" / "report.html").read_text(encoding="utf-8")
    assert "weights bits, weights frac bits" in page and "4, 7; 8, 12" in page
    cli("report", "s", "--csv", "s.csv")
    with (tmp_path / "s.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    pairs = {(row["spec.chip.weights.bits"], row["spec.chip.weights.frac_bits"]) for row in rows}
    assert pairs == {("4", "7"), ("8", "12")}
