"""A sweep before anything runs: its section, its ranges, its points, its faults, and what a search asks for."""

from __future__ import annotations

import itertools
import json
import random
import re
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgesdt.errors import DataError, SpecError
from edgesdt.spec import Spec, loads, spec_hash
from edgesdt.spec.loading import load_traced
from edgesdt.spec.sweep.goals import constraint, goal
from edgesdt.spec.sweep.section import Sweep, load_sweep
from edgesdt.spec.sweep.variants import Faulty, Variants
from edgesdt.sweep import plan_table
from edgesdt.sweep.forecast import forecast
from edgesdt.sweep.plan import SweepPlan
from edgesdt.sweep.sampling import random_shares, sobol_shares
from edgesdt.sweep.search.acquisition import Expected, choose
from edgesdt.sweep.search.candidates import Shares, features, varied
from edgesdt.sweep.search.optimiser import Optimiser
from edgesdt.sweep.search.pruning import Curve, floors
from edgesdt.sweep.search.surrogate import Surrogate
from tests.conftest import SMALL

BITS_AND_WINNERS = "{chip.weights.bits: [4, 8], learning.winners: [1, 2, 3], seed: [5, 6]}"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "swept.yaml"
    path.write_text(SMALL, encoding="utf-8")
    return path


def swept(file: Path, section: str, *overrides: str) -> Sweep:
    return load_sweep(str(file), [f"sweep={section}", *overrides])[1]


def planned(file: Path, section: str, *overrides: str) -> SweepPlan:
    return SweepPlan(*load_sweep(str(file), [f"sweep={section}", *overrides]))


def refused(file: Path, section: str, *overrides: str) -> list[str]:
    """The faults, without the name of the file."""
    with pytest.raises(SpecError) as caught:
        planned(file, section, *overrides)
    return [fault.replace(f"{file}", "FILE") for fault in caught.value.faults]


# --- the section


def test_the_short_form_is_a_grid_with_seeds(file: Path) -> None:
    sweep = swept(file, BITS_AND_WINNERS)
    assert sweep.method == "grid"
    assert [(parameter.name, parameter.values) for parameter in sweep.parameters] == [
        ("chip.weights.bits", (4, 8)),
        ("learning.winners", (1, 2, 3)),
    ]
    assert sweep.seeds == (5, 6)
    assert [goal.name for goal in sweep.objectives] == ["accuracy", "energy", "area", "memory"]


def test_the_long_form_says_the_same(file: Path) -> None:
    long = "{method: grid, parameters: {chip.weights.bits: [4, 8], learning.winners: [1, 2, 3]}, seeds: [5, 6]}"
    one, two = planned(file, long), planned(file, BITS_AND_WINNERS)
    assert one.points == two.points


def test_a_parameter_is_overridden_by_its_path(file: Path) -> None:
    sweep = swept(file, BITS_AND_WINNERS, "sweep.learning.winners=[4]", "sweep.seed=[0]")
    assert sweep.parameters[1].values == (4,) and sweep.seeds == (0,)
    long = "{method: random, samples: 3, parameters: {chip.weights.bits: [4, 8]}}"
    sweep = swept(file, long, "sweep.parameters.learning.winners={min: 1, max: 4}", "sweep.samples=9")
    assert [parameter.name for parameter in sweep.parameters] == ["chip.weights.bits", "learning.winners"]
    assert sweep.samples == 9


def test_without_seeds_it_is_the_specs_own(file: Path) -> None:
    assert swept(file, "{epochs: [1, 2]}", "seed=7").seeds == (7,)


SECTIONS = {
    "unknown path": ("{chip.weights.bit: [4]}", "unknown key, allowed: bits, .*did you mean 'chip.weights.bits'"),
    "a path into a value": ("{epochs.more: [4]}", "epochs is a value, not a mapping"),
    "empty list": ("{epochs: []}", "an empty list, allowed: a list of values"),
    "no list": ("{epochs: 3}", "wrong type: 3, allowed: a list of values, or {min, max, step, log}"),
    "twice the same": ("{epochs: [1, 2, 1]}", r"\[2\]: given more than once: 1"),
    "name": ("{name: [a, b]}", "cannot be swept: it names the whole sweep"),
    "seed as a parameter": ("{method: grid, parameters: {seed: [0]}}", "cannot be swept: seeds go to sweep.seeds"),
    "a bad seed": ("{epochs: [1], seed: [0, -1]}", r"seed\[1\]: not a seed: -1"),
    "a seed twice": ("{epochs: [1], seed: [0, 0]}", r"seed\[1\]: given more than once: 0"),
    "no seed": ("{epochs: [1], seed: []}", "an empty list"),
    "seeds that are no list": ("{epochs: [1], seed: 3}", "wrong type: 3, allowed: a list of different integers"),
    "a path and a part of it": ("{chip.weights: [{}], chip.weights.bits: [4]}", "sweeps what chip.weights sweeps"),
    "unknown method": ("{method: gird, parameters: {epochs: [1]}}", "unknown choice: 'gird', .*did you mean 'grid'"),
    "a path among the long keys": ("{method: grid, epochs: [1]}", "unknown key, .*goes below parameters"),
    "samples of a grid": ("{parameters: {epochs: [1]}, samples: 3}", "no effect: 3"),
    "no samples": ("{method: random, parameters: {epochs: [1]}, samples: 0}", "wrong number of points: 0"),
    "nothing to choose from": ("{method: random}", "no parameters"),
    "lists of two lengths": (
        "{method: zip, parameters: {epochs: [1], learning.winners: [1, 2]}}",
        "zip needs lists of one length: epochs 1, learning.winners 2",
    ),
    "parameters that are no mapping": ("{parameters: [epochs]}", "parameters: wrong type"),
    "a range without a step": ("{epochs: {min: 1, max: 3}}", "no step, allowed: a step"),
    "a range without an end": ("{epochs: {min: 1}}", "missing max"),
    "a range upside down": ("{epochs: {min: 3, max: 1, step: 1}}", "min: min is not below max: 3..1"),
    "an unknown key of a range": ("{epochs: {min: 1, max: 3, stp: 1}}", "stp: unknown key, .*did you mean 'step'"),
    "a step of nothing": ("{epochs: {min: 1, max: 3, step: 0}}", "step: out of range: 0, allowed: above 0"),
    "a factor of one": ("{epochs: {min: 1, max: 3, step: 1, log: true}}", "step: .*a factor above 1"),
    "a logarithm of zero": ("{learning.dropout.input: {min: 0, max: 0.5, step: 2, log: true}}", "min: not above 0"),
    "a range of words": ("{epochs: {min: a, max: b, step: 1}}", "min: wrong type: 'a', allowed: a finite number"),
    "half an epoch": ("{epochs: {min: 1, max: 3, step: 0.5}}", "step: not a whole number: 0.5"),
    "a unit that is none": ("{chip.memory_budget: {min: 1 KiB, max: 2 Kib, step: 1 KiB}}", "max: unknown unit 'Kib'"),
    "an unknown objective": ("{parameters: {epochs: [1]}, objectives: [acuracy]}", r"ives\[0\]: .*mean 'accuracy'"),
    "an objective twice": ("{parameters: {epochs: [1]}, objectives: [area, area]}", r"ives\[1\]: given more than"),
    "no constraint": ("{parameters: {epochs: [1]}, constraints: [memory]}", r"constraints\[0\]: not a constraint"),
    "a constraint of nothing": ("{parameters: {epochs: [1]}, constraints: ['mem <= 1']}", "unknown objective: 'mem'"),
    "a constraint of a wrong unit": (
        "{parameters: {epochs: [1]}, constraints: ['memory <= 1 ms']}",
        "unknown unit 'ms'",
    ),
    "millions of points": (
        "{learning.learning_rate: {min: 0.001, max: 0.9, step: 1e-6}, learning.beta: {min: 0.1, max: 1, step: 0.1}}",
        "too many runs: 8990010",
    ),
}


@pytest.mark.parametrize(("section", "told"), SECTIONS.values(), ids=SECTIONS.keys())
def test_a_section_that_is_wrong_says_where_and_why(section: str, told: str, file: Path) -> None:
    found = refused(file, section)
    assert len(found) == 1
    assert re.match(r"--set sweep: (sweep\b)?", found[0])
    assert re.search(told, found[0]), found[0]


def test_a_fault_in_a_file_has_its_line(file: Path) -> None:
    file.write_text(f"{SMALL}sweep:\n  epochs: [1, 2]\n  learning.winers: [1]\n  seed: []\n", encoding="utf-8")
    with pytest.raises(SpecError) as caught:
        load_sweep(str(file))
    assert [fault.split(" ")[0] for fault in caught.value.faults] == [f"{file}:12:", f"{file}:13:"]


def test_a_spec_without_a_sweep_is_told_so(file: Path) -> None:
    with pytest.raises(SpecError, match=r"sweep: missing: this spec runs one chip \('edgesdt run'\)"):
        load_sweep(str(file))


# --- ranges


@pytest.mark.parametrize(
    ("path", "spread", "values"),
    [
        ("epochs", "{min: 1, max: 7, step: 2}", [1, 3, 5, 7]),
        ("epochs", "{min: 1, max: 8, step: 2}", [1, 3, 5, 7]),
        ("epochs", "{min: 1, max: 100, step: 4, log: true}", [1, 4, 16, 64]),
        ("epochs", "{min: 1, max: 3, step: 1.5, log: true}", [1, 2]),
        ("learning.beta", "{min: 0.1, max: 0.4, step: 0.1}", [0.1, 0.2, 0.3, 0.4]),
        ("learning.beta", "{min: 1, max: 2, step: 1}", [1.0, 2.0]),
        ("learning.beta", "{min: 0.01, max: 1, step: 10, log: true}", [0.01, 0.1, 1.0]),
        ("chip.memory_budget", "{min: 4 KiB, max: 16 KiB, step: 2, log: true}", ["4 KiB", "8 KiB", "16 KiB"]),
        ("chip.memory_budget", "{min: 4096, max: 8 KiB, step: 2 KiB}", ["4 KiB", "6 KiB", "8 KiB"]),
        ("chip.clock", "{min: 50 MHz, max: 0.2 GHz, step: 2, log: true}", ["50 MHz", "100 MHz", "200 MHz"]),
        ('"chip.layers[1]"', "{min: 20, max: 40, step: 10}", [20, 30, 40]),
        ('"learning.learning_rate[0]"', "{min: 0.1, max: 0.2, step: 0.05}", [0.1, 0.15, 0.2]),
    ],
)
def test_a_stepped_range_gives_exact_values(path: str, spread: str, values: list[Any], file: Path) -> None:
    found = swept(file, f"{{{path}: {spread}}}").parameters[0].values
    assert list(found) == values
    assert [type(value) for value in found] == [type(value) for value in values]


def test_a_sampled_range_covers_its_ends_evenly(file: Path) -> None:
    section = "{method: random, samples: 1, parameters: {epochs: {min: 1, max: 4}, learning.beta: {min: 0.5, max: 2},"
    section += " learning.learning_rate: {min: 1e-4, max: 1e-2, log: true},"
    section += " chip.states.bits: {min: 4, max: 8, step: 2}}}"
    whole, real, log, stepped = swept(file, section).parameters
    shares = [k / 400 for k in range(400)]
    counts = [[whole.at_share(share) for share in shares].count(k) for k in (1, 2, 3, 4)]
    assert counts == [100] * 4
    assert real.at_share(0.0) == 0.5 and real.at_share(0.5) == 1.25 and real.at_share(1 - 1e-12) == 2.0
    assert log.at_share(0.5) == 0.001 and log.at_share(0.0) == 1e-4 and log.at_share(1 - 1e-12) == 1e-2
    assert {stepped.at_share(share) for share in shares} == {4, 6, 8}


# --- the points


def test_a_grid_is_in_the_order_of_the_file_with_seeds_innermost(file: Path) -> None:
    plan = planned(file, BITS_AND_WINNERS)
    expected = list(itertools.product((4, 8), (1, 2, 3), (5, 6)))
    assert [(*point.values, point.seed) for point in plan.points] == expected
    assert len({point.id for point in plan.points}) == 12
    assert plan.named(plan.points[0]) == {"chip.weights.bits": 4, "learning.winners": 1}


def test_a_points_spec_is_the_file_with_its_values(file: Path) -> None:
    plan = planned(file, BITS_AND_WINNERS)
    for point in plan.points:
        bits, winners = point.values
        text = SMALL.replace("bits: 8,", f"bits: {bits},").replace("winners: 2", f"winners: {winners}")
        direct = loads(text, overrides=[f"seed={point.seed}"])
        assert plan.spec_of(point) == direct
        assert point.spec_hash == spec_hash(direct.plain())
        assert Spec.from_plain(plan.spec_of(point).plain()) == direct


def test_bare_numbers_mean_what_they_mean_in_the_file(file: Path) -> None:
    plan = planned(file, "{chip.memory_budget: [8192, 16 KiB], chip.clock: [5e7]}")
    budgets = [plan.spec_of(point).chip.memory_budget for point in plan.points]
    assert budgets == [8192 * 8, 16 * 8192]
    assert plan.spec_of(plan.points[0]).chip.clock == 5e7


def test_layers_bring_their_own_learning_rates(file: Path) -> None:
    plan = planned(file, "{chip.layers: [[64, 40], [64, 30, 20]], learning.winners: [2]}")
    assert [plan.spec_of(point).learning.learning_rate for point in plan.points] == [(0.004,), (0.004, 0.004)]


def test_zip_takes_values_side_by_side(file: Path) -> None:
    plan = planned(file, "{method: zip, parameters: {epochs: [1, 2], learning.winners: [3, 4]}}")
    assert [point.values for point in plan.points] == [(1, 3), (2, 4)]


@pytest.mark.parametrize("method", ["random", "sobol"])
def test_sampled_points_are_many_different_and_the_same_again(method: str, file: Path) -> None:
    section = f"{{method: {method}, samples: 70, parameters: {{epochs: {{min: 1, max: 50}}, "
    section += "learning.beta: {min: 0.1, max: 1}, chip.weights.bits: [4, 6, 8]}}"
    plan, again, other = (planned(file, section, *more) for more in ((), (), ("seed=1",)))
    assert len(plan.points) == 70
    assert plan.points == again.points
    assert {point.values for point in plan.points}.isdisjoint({point.values for point in other.points})
    epochs, betas, bits = (np.array(column) for column in zip(*(p.values for p in plan.points), strict=True))
    assert epochs.min() < 8 and epochs.max() > 43 and betas.min() < 0.25 and betas.max() > 0.85
    assert all(15 < int((bits == width).sum()) < 33 for width in (4, 6, 8))


def test_the_drawn_points_are_the_same_on_every_machine(file: Path) -> None:
    section = "{method: METHOD, samples: 3, parameters: {epochs: {min: 1, max: 50}, learning.beta: {min: 0.1, max: 1}}}"
    drawn = {m: [p.values for p in planned(file, section.replace("METHOD", m)).points] for m in ("random", "sobol")}
    assert drawn["random"] == [(43, 0.782159), (22, 0.333025), (26, 0.464441)]
    assert drawn["sobol"][0] != drawn["sobol"][1]
    shifted = [values[0] for values in drawn["sobol"]]
    assert abs(shifted[0] - shifted[1]) == 25, "the second point of a Sobol sequence is half the range away"


def test_sobol_fills_evenly(file: Path) -> None:
    parameters = "{learning.beta: {min: 0.001, max: 2}, epochs: {min: 1, max: 64}}"
    section = f"{{method: sobol, samples: 64, parameters: {parameters}}}"
    epochs = sorted(point.values[1] for point in planned(file, section).points)
    assert epochs == list(range(1, 65)), "one in every 64th"


def test_a_small_space_ends_before_the_samples_do(file: Path) -> None:
    section = "{method: random, samples: 50, parameters: {chip.weights.bits: [4, 6, 8], learning.winners: [1, 2]}}"
    assert len(planned(file, section).points) == 6


def test_the_same_chip_is_planned_once(file: Path) -> None:
    plan = planned(file, "{chip.memory_budget: [8 KiB, 8192 B, 16 KiB]}")
    assert len(plan.points) == 2 and plan.repeated == 1


def test_points_over_the_memory_budget_are_infeasible(file: Path) -> None:
    plan = planned(file, "{chip.layers: [[64, 40], [64, 400]], seed: [0, 1]}")
    assert [bool(point.infeasible) for point in plan.points] == [False, False, True, True]
    assert plan.points[2].infeasible.startswith("chip.memory_budget: 8 KiB is too small by ")


def test_points_that_differ_in_nothing_predicted_are_one_line(file: Path) -> None:
    plan = planned(file, "{learning.learning_rate: [0.001, 0.002], learning.beta: [0.5, 1], chip.weights.bits: [4, 8]}")
    told = [line.split() for line in plan_table.lines(plan, 2, assume=0.2)]  # measured, every point is another
    assert told[0][:5] == ["small:", "grid,", "8", "points", "with"]
    heads, *rows = [words for words in told if "pJ" in words or "nJ" in words or "points" in words][1:]
    assert heads[:4] == ["learning.learning_rate", "learning.beta", "chip.weights.bits", "points"]
    assert [row[:6] for row in rows] == [["0.001,", "0.002", "0.5,", "1", bits, "4"] for bits in "48"]
    single = "\n".join(plan_table.lines(planned(file, "{chip.weights.bits: [4, 8]}"), 2, assume=0.2))
    assert " points " not in single.partition("\n")[2] and len(single.splitlines()) == 9


def test_a_predicted_cost_that_is_not_whole_is_a_lower_bound(file: Path) -> None:
    told = "\n".join(plan_table.lines(planned(file, "{device.model: [sram, Idealized]}"), 1))
    lines = {line.split()[0]: line for line in told.splitlines() if line.split()}
    assert lines["Idealized"].count(">= ") == 3 and ">=" not in lines["sram"]
    assert "states no electrical conditions" in told


def test_a_point_that_is_no_spec_is_named(file: Path) -> None:
    found = refused(file, "{learning.winners: [2, 40], chip.weights.bits: [8, 99]}")
    assert found == [
        "--set sweep: sweep.'chip.weights.bits'[1]: chip.weights.bits: out of range: 99, allowed: an integer 2..16, "
        "at point learning.winners=2, chip.weights.bits=99 and 1 more",
        "--set sweep: sweep.'learning.winners'[1]: learning.winners: too many winners: 40, allowed: 1..39 (fewer than "
        "the 40 output neurons), at point learning.winners=40, chip.weights.bits=8 and 1 more",
    ]


def test_a_point_without_the_item_it_sets_is_named(file: Path) -> None:
    (found,) = refused(file, '{"chip.layers[2]": [10]}')
    assert "chip.layers[2]: no such item: 2" in found


def test_a_data_set_of_ones_own_is_looked_at(file: Path, tmp_path: Path) -> None:
    own = tmp_path / "own.npz"
    arrays = {f"x_{split}": np.zeros((20, 6), np.uint8) for split in ("train", "test")}
    arrays |= {f"y_{split}": np.arange(20) % 2 for split in ("train", "test")}
    np.savez(own, **arrays)  # type: ignore[arg-type]
    less = ("data.train=20", "data.test=20")
    (found,) = refused(file, f"{{data.set: [digits, {own}]}}", *less)
    assert f"chip.layers[0]: does not fit {own}: 64 inputs, allowed: 6" in found
    fitting = planned(file, "{chip.layers: [[6, 40]]}", f"data.set={own}", *less)
    assert len(fitting.points) == 1
    own.write_bytes(b"no more")
    with pytest.raises(DataError):
        planned(file, "{epochs: [1]}", f"data.set={own}", "chip.layers=[6, 40]", *less)


def test_an_unknown_table_is_a_fault_of_its_point(file: Path) -> None:
    (found,) = refused(file, "{technology.table: [cmos_45nm, cmos_44nm]}")
    assert "sweep.'technology.table'[1]: technology.table: unknown technology table" in found


def test_quick_variants_are_what_the_loader_makes(file: Path) -> None:
    traced = load_traced(str(file))
    variants = Variants(traced.spec, traced.data)
    changes: list[tuple[tuple[str | int, ...], Any]] = [
        (("learning", "target"), "label"),
        (("chip", "layers", 1), 10),
        (("learning", "dropout"), {"input": 0.5}),
        (("epochs",), 4),
    ]
    direct = load_traced(
        str(file),
        ["learning.target=label", "chip.layers=[64, 10]", "learning.dropout={input: 0.5}", "epochs=4"],
    )
    assert variants.with_values(changes) == direct.spec
    wrong = ((("epochs",), 2.5), (("epochs",), True), (("chip", "wieghts"), 1), (("chip",), {"layers": [1]}))
    for path, value in wrong:
        with pytest.raises(Faulty) as caught:
            variants.with_values([(path, value)])
        assert caught.value.faults


# --- the table of a plan


def test_the_plan_lists_points_costs_and_time(file: Path) -> None:
    plan = planned(file, "{chip.layers: [[64, 40], [64, 400]], learning.winners: [1, 2], seed: [0, 1]}")
    lines = list(plan_table.lines(plan, workers=2))
    assert lines[0] == "small: grid, 4 points with 2 seeds: 4 runs"
    rows = [line for line in lines if "[64, 40]" in line]
    assert len(rows) == 2 and all("nJ" in row or "pJ" in row for row in rows)
    assert any(line.startswith("in all ") and "2 workers" in line for line in lines)
    left = lines.index("2 infeasible points, which are not run:")
    assert lines[left + 1].startswith("  chip.layers=[64, 400], learning.winners=1: chip.memory_budget: ")


def test_the_plan_of_a_search_shows_its_space(file: Path) -> None:
    section = "{method: search, samples: 9, parameters: {learning.beta: {min: 0.1, max: 1, log: true}},"
    lines = list(plan_table.lines(planned(file, f"{section} constraints: ['memory <= 6 KiB']}}"), 1))
    assert "  learning.beta: 0.1 to 1.0, logarithmic" in lines
    assert "  constraint memory <= 6 KiB" in lines


def test_a_forecast_is_that_of_the_preview(file: Path) -> None:
    from edgesdt.runs import preview

    base = load_traced(str(file)).spec
    for change in ("learning.learning_rate=0.02", "learning.beta=1", "learning.winners=9", "chip.weights.bits=4"):
        spec = load_traced(str(file), [change]).spec
        priced = preview.predicted(spec, preview.memory_map(spec))
        found = forecast(spec).values
        assert found["energy"] == priced["energy_j"]["train_per_sample"], change
        assert found["inference_latency"] == priced["latency_s"]["inference_per_sample"], change
        assert found["area"] == priced["area_mm2"]["total"], change
    more = load_traced(str(file), ["epochs=300"]).spec
    assert (forecast(more).seconds or 0) > 50 * (forecast(base).seconds or 0) / 3


# --- goals


@pytest.mark.parametrize(
    ("text", "name", "op", "limit"),
    [
        ("memory <= 64 KiB", "memory", "<=", 64 * 8192),
        ("memory<=1024", "memory", "<=", 8192),
        ("accuracy >= 90 %", "accuracy", ">=", 0.9),
        ("accuracy.linear > 0.5", "accuracy.linear", ">", 0.5),
        ("energy ≤ 10 nJ", "energy", "<=", 1e-8),
        ("latency < 1 ms", "latency", "<", 1e-3),
        ("area <= 0.5 mm2", "area", "<=", 0.5),
        ("area <= 900 um2", "area", "<=", 0.0009),
        ("area <= 1", "area", "<=", 1.0),
    ],
)
def test_constraints_are_read_with_their_units(text: str, name: str, op: str, limit: float) -> None:
    spec = loads(SMALL, overrides=["readout=[direct, linear]"])
    found = constraint(text, spec)
    assert (found.goal.name, found.op, found.limit) == (name, op, pytest.approx(limit))
    sign = 1 if op.startswith("<") else -1
    assert found.keeps(limit * (1 - 0.01 * sign)) and not found.keeps(limit * (1 + 0.01 * sign))
    assert found.excess(limit * (1 + 0.01 * sign)) == pytest.approx(0.01)


@pytest.mark.parametrize("text", ["energy <= nan", "energy <= inf", "memory <= 50 %", "energy <= ", "<= 3", 3])
def test_what_is_no_constraint_is_refused(text: object) -> None:
    with pytest.raises(ValueError, match=r"allowed|not a finite number|not a number"):
        constraint(text, loads(SMALL))


def test_accuracy_is_that_of_the_first_read_out() -> None:
    assert goal("accuracy", loads(SMALL)).path == "accuracy.direct_average"
    assert goal("accuracy", loads(SMALL, overrides=["readout=[linear, direct]"])).path == "accuracy.linear"


# --- search


SPACE = (
    "{method: search, samples: 24, parameters: {chip.weights.bits: [4, 6, 8], data.set: [digits], "
    "learning.beta: {min: 0.1, max: 1, log: true}, epochs: {min: 1, max: 9, step: 2}}, objectives: [accuracy, energy]}"
)


def _learned(sweep: Sweep, seed: int) -> list[Shares]:
    """What is proposed after forty lessons by a formula."""
    optimiser = Optimiser(sweep, seed)
    for shares in islice(sobol_shares(sweep, seed), 40):
        optimiser.learn(shares, _formula(shares), ())
    return optimiser.propose(40)


def _formula(shares: Shares) -> list[float]:
    """Costs: the third parameter should be in the middle, the first and the last low."""
    return [abs(shares[2] - 0.5), shares[0] + shares[3]]


def test_optuna_proposes_the_same_again_and_what_it_has_learned(file: Path) -> None:
    sweep = swept(file, SPACE)
    one, again, other = _learned(sweep, 0), _learned(sweep, 0), _learned(sweep, 1)
    assert one == again != other
    assert all(0 <= share < 1 for shares in one for share in shares)
    evenly = islice(sobol_shares(sweep, 2), 40)
    proposed, spread = (np.median([sum(_formula(shares)) for shares in part]) for part in (one, evenly))
    assert proposed < 0.8 * spread
    values = [tuple(p.at_share(s) for p, s in zip(sweep.parameters, shares, strict=True)) for shares in one]
    assert all(p[0] in (4, 6, 8) and p[1] == "digits" and 0.1 <= p[2] <= 1 and p[3] in (1, 3, 5, 7, 9) for p in values)


def test_variations_stay_near_in_range_and_differ(file: Path) -> None:
    sweep, drawn = swept(file, SPACE), random.Random(1)
    centre = (0.5, 0.5, 0.5, 0.5)
    made = [varied(sweep, centre, drawn) for _ in range(200)]
    assert all(shares != centre and all(0 <= share < 1 for share in shares) for shares in made)
    moved = [abs(shares[2] - 0.5) for shares in made if shares[2] != 0.5]
    assert 20 < len(moved) < 180 and 0.05 < np.mean(moved) < 0.2


def test_models_see_ordered_values_as_a_line_and_others_apart(file: Path) -> None:
    sweep = swept(file, SPACE.replace("[4, 6, 8]", "[4, 8]").replace("data.set: [digits]", "encoder.bits: [4, 2, 3]"))
    seen = features(sweep, [(0.0, 0.0, 0.25, 0.0), (0.9, 0.5, 0.75, 0.99)])
    assert seen.tolist() == [[0.25, 1, 0, 0, 0.25, 0.1], [0.75, 0, 1, 0, 0.75, 0.9]]


def test_a_surrogate_finds_the_parameter_that_matters_and_knows_what_it_does_not_know() -> None:
    x = np.array(list(islice(random_shares(3, 0), 40)))
    wave = Surrogate(x[:, :2], np.sin(3 * x[:, 0]) + 0.01 * (x[:, 2] - 0.5))
    near, sd = wave.expected(np.array([[0.2, 0.1], [0.2, 0.9], [0.5, 0.5]]))
    assert near == pytest.approx(np.sin([0.6, 0.6, 1.5]), abs=0.05) and sd.max() < 0.1
    _, far = wave.expected(np.array([[3.0, 0.5]]))
    assert far[0] > 2 * sd.max()
    flat, none = Surrogate(x, np.full(40, 7.0)).expected(x[:2])
    assert flat.tolist() == [7.0, 7.0] and none.tolist() == [0.0, 0.0]


def test_candidates_are_chosen_by_what_they_add_to_the_front() -> None:
    seen, free = np.array([[0.0, 1.0], [0.5, 0.5], [1.0, 0.0]]), np.full(2, np.inf)
    mean = np.array([[0.6, 0.6], [0.1, 0.1], [0.11, 0.1], [0.9, -0.3], [0.0, 0.0]])
    sure = np.zeros_like(mean)
    kept = np.array([1.0, 1.0, 1.0, 1.0, 0.0])
    chosen = choose(3, seen, seen, Expected(mean, sure, kept, free), 0)
    assert chosen[:2] == [1, 3], "the largest gain, then what adds to it; never what breaks a constraint for certain"
    assert 4 not in chosen
    unsure = Expected(mean[[0, 0]], np.array([[0.0, 0.0], [0.5, 0.5]]), np.ones(2), free)
    assert choose(1, seen, seen, unsure, 0) == [1], "of two that look beaten, the one that may surprise"
    assert choose(9, seen, seen[:0], Expected(mean, sure, kept, free), 0)[0] == 1, "nothing kept the constraints so far"
    beside = Expected(np.array([[0.9, 0.9], [0.4, 0.6]]), np.zeros((2, 2)), np.ones(2), free)
    assert choose(1, seen, seen[1:2], beside, 0) == [1], "one point that keeps the constraints is no scale"
    cheap = Expected(np.array([[0.39, 0.0], [0.2, 0.3]]), np.zeros((2, 2)), np.ones(2), np.array([0.4, np.inf]))
    assert choose(1, seen, seen[:0], cheap, 0) == [1], "what barely keeps a constraint gains little by it"


def test_values_of_a_search_that_are_impossible_by_themselves_are_named(file: Path) -> None:
    from edgesdt.sweep.search.search import Search

    section = "{method: search, samples: 2, parameters: {chip.weights.bits: [4, 99], learning.beta: {min: 1, max: 9}}}"
    plan = planned(file, section)
    with pytest.raises(SpecError) as caught:
        Search(plan)
    told = "\n".join(caught.value.faults)
    assert "parameters.'chip.weights.bits'[1]: chip.weights.bits: out of range: 99" in told
    assert "parameters.'learning.beta': learning.beta: out of range: 9" in told


# --- pruning


def _curve(*accuracies: float, rival: bool = True) -> Curve:
    return Curve([{"epoch": k + 1, "direct_average": a} for k, a in enumerate(accuracies)], rival)


def test_a_run_is_stopped_only_where_it_cannot_come_back() -> None:
    known = [_curve(0.5, 0.7, 0.8, 0.85)] * 7 + [_curve(0.6, 0.75, 0.8, 0.9)]
    found = {epoch: floor for epoch, _, floor in floors(known, "direct_average", 8)}
    assert found == {2: pytest.approx(0.9 - 0.35 - 0.02), 4: pytest.approx(0.9 - 0.15 - 0.02)}
    assert floors(known[:7], "direct_average", 8) == [], "too few curves"
    assert floors(known, "linear", 8) == [], "no such curve"
    assert floors(known, "direct_average", 1) == [], "no epoch to stop after"


def test_only_points_as_cheap_are_rivals_but_constraints_always_count() -> None:
    dear = [_curve(0.5, 0.7, 0.8, 0.85, rival=False)] * 8
    assert floors(dear, "direct_average", 4) == []
    found = floors(dear, "direct_average", 4, least=[0.95])
    assert found == [(1, "direct_average", pytest.approx(0.58)), (2, "direct_average", pytest.approx(0.78))]


def test_floors_travel_as_json() -> None:
    found = floors([_curve(0.5, 0.7, 0.8, 0.85)] * 8, "direct_average", 4)
    assert json.loads(json.dumps(found)) == [list(part) for part in found]


@pytest.mark.parametrize("method", ["grid", "random", "search"])
@pytest.mark.parametrize("field", ["chip.memory_budget", "learning.beta", "chip.weights.bits", "chip.clock"])
@pytest.mark.parametrize(
    "ends",
    [
        "{min: 1, max: 1e308}", "{min: -1.7e308, max: 1.7e308}", "{min: 0, max: 1e308, step: 1e300}",
        "{min: 1, max: 1e308, log: true, step: 1.5}", "{min: 1 KiB, max: 1e400 KiB}",
    ],
)  # fmt: skip
def test_no_range_is_too_wide_to_be_refused(method: str, field: str, ends: str, file: Path) -> None:
    samples = "" if method == "grid" else "samples: 2, "
    faults = refused(file, f"{{method: {method}, {samples}parameters: {{{field}: {ends}}}}}")
    assert any(field in fault for fault in faults)


@pytest.mark.parametrize("limit", ["memory <= 1e400 KiB", "memory <= 1e308", "energy <= 1e308 kJ"])
def test_no_limit_is_too_large_to_be_refused(limit: str, file: Path) -> None:
    try:
        planned(file, f"{{seeds: [0], constraints: ['{limit}']}}")
    except SpecError as error:
        assert "constraints" in str(error)
