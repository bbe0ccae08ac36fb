"""A plan measures a bounded number of chips, and gives each of its points the inputs of its own data."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgesdt.runs import expected
from edgesdt.spec.sweep.section import load_sweep
from edgesdt.sweep.activity import MOST_PROFILES, Foreseen
from edgesdt.sweep.forecast import forecast
from edgesdt.sweep.plan import SweepPlan
from tests.conftest import SMALL

MANY = (
    "sweep: {method: grid, parameters: {learning.winners: [1, 2, 3, 4, 5], 'chip.layers[1]': [20, 30, 40, 50], "
    "encoder.bits: [2, 4, 8], chip.clock: [100 MHz, 200 MHz]}}\n"
)


def foreseen(file: Path, section: str, assume: float | None = None) -> tuple[SweepPlan, Foreseen]:
    file.write_text(SMALL + section, encoding="utf-8")
    plan = SweepPlan(*load_sweep(str(file), []))
    return plan, Foreseen(((point.values, plan.spec_of(point)) for point in plan.points), assume, print)


def test_profiles_are_bounded_and_inputs_are_each_points_own(tmp_path: Path) -> None:
    plan, found = foreseen(tmp_path / "many.yaml", MANY)
    assert (found.kinds, found.profiles) == (60, MOST_PROFILES)
    assert f"for {MOST_PROFILES} of 60 kinds of chip" in found.told()
    by_bits = {}
    for point in plan.points:
        spec = plan.spec_of(point)
        by_bits.setdefault(spec.encoder.bits, []).append(found.of(spec).inputs)
    means = {bits: sum(shares) / len(shares) for bits, shares in by_bits.items()}
    assert means[2] < means[4] == pytest.approx(means[8], rel=0.02)
    assert all(share == pytest.approx(means[bits], rel=0.05) for bits, shares in by_bits.items() for share in shares)
    for point in plan.points[::17]:
        spec, own = expected.of(plan.spec_of(point), print)
        told, seen = (forecast(spec, activity).values["inference_energy"] for activity in (found.of(spec), own))
        assert told == pytest.approx(seen, rel=0.25)


def test_points_of_one_kind_share_a_profile(tmp_path: Path) -> None:
    section = "sweep: {method: grid, parameters: {chip.clock: [1 MHz, 2 MHz], technology.node: [45 nm, 22 nm]}}\n"
    _, found = foreseen(tmp_path / "one.yaml", section)
    assert (found.kinds, found.profiles) == (1, 1)
    assert "for each of 1 kinds of chip" in found.told()


def test_every_device_and_depth_has_a_profile_of_its_own(tmp_path: Path) -> None:
    section = (
        "sweep: {method: grid, parameters: {chip.layers: [[64, 20], [64, 20, 10]], learning.learning_rate: "
        "[0.001, 0.002, 0.003], chip.weights.bits: [4, 6, 8], learning.beta: [0.2, 0.4, 0.6]}}\n"
    )
    plan, found = foreseen(tmp_path / "deep.yaml", section)
    assert found.kinds == 54 and found.profiles == MOST_PROFILES
    assert {len(found.of(plan.spec_of(point)).changes) for point in plan.points} == {1, 2}


def test_what_is_assumed_reads_nothing(tmp_path: Path) -> None:
    plan, found = foreseen(tmp_path / "many.yaml", MANY, assume=0.7)
    assert (found.kinds, found.profiles) == (0, 0)
    assert found.of(plan.spec_of(plan.points[0])).inputs == 0.7
