"""Verdicts of a sweep: none where nothing has an effect, in 95 % of draws; one where the effect is clear."""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Callable

import pytest

from edgesdt.report.sweep import recommendations
from edgesdt.report.sweep.statistics import points, sensitivity, significance
from edgesdt.report.sweep.statistics.points import Point
from tests.unit.test_sweep_report import JUDGED, made_points

PATHS = ["a.a", "b.b", "c.c"]
LEVELS = (2, 3, 2)
Noise = Callable[[random.Random, int, int], Callable[[int, int, int], float]]


def independent(rng: random.Random, seeds: int, seed: int) -> Callable[[int, int, int], float]:
    """Every run scatters by itself."""
    return lambda a, b, c: rng.gauss(0, 0.01)


def shared(rng: random.Random, seeds: int, seed: int) -> Callable[[int, int, int], float]:
    """A seed does most to all points at once."""
    common = rng.gauss(0, 0.1)
    return lambda a, b, c: common + rng.gauss(0, 0.01)


def repeated(rng: random.Random, seeds: int, seed: int) -> Callable[[int, int, int], float]:
    """The last parameter, like a technology node, changes nothing at all: its runs repeat each other."""
    kept: dict[tuple[int, int], float] = {}
    return lambda a, b, c: kept.setdefault((a, b), rng.gauss(0, 0.03))


def unequal(rng: random.Random, seeds: int, seed: int) -> Callable[[int, int, int], float]:
    """One value of the second parameter scatters fifty times as much as the others."""
    return lambda a, b, c: rng.gauss(0, 0.1 if b == 0 else 0.002)


def apart(rng: random.Random, seeds: int, seed: int) -> Callable[[int, int, int], float]:
    """Every seed prefers other values, none of them in general."""
    liking = [rng.gauss(0, 0.03) for _ in range(LEVELS[1])]
    return lambda a, b, c: liking[b] + rng.gauss(0, 0.01)


def drawn(noise: Noise, rng: random.Random, seeds: int, effect: float) -> list[Point]:
    """A grid of three parameters; `effect` is what each step of the second adds to the accuracy."""
    scatter = [noise(rng, seeds, seed) for seed in range(seeds)]
    cells = itertools.product(*map(range, LEVELS))
    return made_points({(a, b, c): [0.7 + effect * b + each(a, b, c) for each in scatter] for a, b, c in cells})


def verdicts(noise: Noise, seeds: int, effect: float, draws: int) -> list[list[str]]:
    rng = random.Random(f"{noise.__name__} {seeds}")
    found = [sensitivity.on_grid(drawn(noise, rng, seeds, effect), PATHS, JUDGED.accuracy) for _ in range(draws)]
    return [worked.exceeding for worked in found if worked is not None]


@pytest.mark.parametrize("noise", [independent, shared, repeated, unequal, apart])
def test_a_sweep_of_scatter_gives_no_verdict(noise: Noise) -> None:
    made = [one for seeds in (2, 3, 5) for one in verdicts(noise, seeds, 0.0, 150)]
    assert len(made) == 450
    assert sum(not one for one in made) >= 0.95 * len(made)


@pytest.mark.parametrize("noise", [independent, shared])
@pytest.mark.parametrize("seeds", [3, 5])
def test_a_clear_effect_gives_a_verdict(noise: Noise, seeds: int) -> None:
    made = verdicts(noise, seeds, 0.06, 60)
    assert sum("b.b" in one for one in made) >= 0.95 * len(made)


def test_what_chance_explains_is_no_share() -> None:
    """With noise alone, shares that are not corrected for chance come to a quarter here."""
    rng = random.Random(5)
    found = [sensitivity.on_grid(drawn(independent, rng, 3, 0.0), PATHS, JUDGED.accuracy) for _ in range(60)]
    told = [math.fsum(worked.shares[path] for path in PATHS) for worked in found if worked is not None]
    assert math.fsum(told) / len(told) < 0.08
    for worked in found:
        assert worked is not None and math.fsum(worked.shares.values()) == pytest.approx(1.0)


def test_one_seed_gives_no_verdict() -> None:
    worked = sensitivity.on_grid(drawn(independent, random.Random(1), 1, 0.2), PATHS, JUDGED.accuracy)
    assert worked is not None and worked.seeds == 1 and worked.exceeding == [] and worked.shares["b.b"] > 0.9


def test_a_cost_without_scatter_needs_none_to_exceed() -> None:
    found = made_points({(a, b): [0.5 + 0.1 * a] * 2 for a in (1, 2) for b in (1, 2)})
    worked = sensitivity.on_grid(found, PATHS[:2], JUDGED.costs[0])
    assert worked is not None and worked.exceeding == worked.leading == ["a.a"]


def test_two_that_matter_alike_are_not_ranked() -> None:
    rng = random.Random(3)
    levels = list(itertools.product((0, 1), (0, 1)))

    def of(second: float) -> list[str]:
        cells = {(a, b): [0.5 + 0.1 * a + second * b + rng.gauss(0, 0.005) for _ in range(4)] for a, b in levels}
        worked = sensitivity.on_grid(made_points(cells), PATHS[:2], JUDGED.accuracy)
        assert worked is not None and len(worked.exceeding) == 2
        return worked.leading

    assert sorted(of(0.1)) == ["a.a", "b.b"] and of(0.04) == ["a.a"]


def test_f_for_two_values_is_the_square_of_students_t() -> None:
    """Differences 1, 2, 3: t = 2 √3, p = 0.0742 with two degrees of freedom (Student's table)."""
    ratio, p = significance.f_of([[0.0, 1.0], [5.0, 7.0], [1.0, 4.0]])
    assert ratio == pytest.approx(12.0) and p == pytest.approx(0.07418, abs=1e-5)
    assert significance.f_of([[1.0, 1.0], [2.0, 2.0]]) == (0.0, 1.0)
    assert significance.f_of([[1.0, 2.0], [2.0, 3.0]]) == (math.inf, 0.0)


def test_unequal_scatter_costs_degrees_of_freedom() -> None:
    """One value scatters alone: F with (1, 2) degrees of freedom, not (3, 6), whose p would be below 0.05."""
    table = [[4.0, 0.0, 0.0, 0.0], [5.0, 0.0, 0.0, 0.0], [1.5, 0.0, 0.0, 0.0]]
    ratio, p = significance.f_of(table)
    assert ratio == pytest.approx(11.30769, rel=1e-5) and p == pytest.approx(0.07813, abs=1e-4)


def test_p_values_are_corrected_by_holm() -> None:
    assert significance.holm({"x": 0.01, "y": 0.04, "z": 0.03}) == pytest.approx({"x": 0.03, "z": 0.06, "y": 0.06})
    assert significance.exceeding({"x": 0.01, "y": 0.04, "z": 0.03}) == ["x"]


def scattered_points(rng: random.Random, effect: float, seeds: int) -> list[Point]:
    """No grid: 30 drawn points, each twice but for a parameter that changes nothing."""
    values = {}
    for _ in range(15):
        a, b = rng.random(), rng.random()
        runs = [0.7 + effect * a + rng.gauss(0, 0.02) for _ in range(seeds)]
        values |= {(a, b, c): runs for c in (0, 1)}
    return made_points(values)


def test_a_forest_on_scatter_gives_no_verdict_and_on_a_clear_effect_one() -> None:
    rng = random.Random(7)
    none = [sensitivity.by_forest(scattered_points(rng, 0.0, 2), PATHS, JUDGED.accuracy) for _ in range(20)]
    clear = [sensitivity.by_forest(scattered_points(rng, 0.4, 2), PATHS, JUDGED.accuracy) for _ in range(4)]
    assert sum(not worked.exceeding for worked in none if worked is not None) >= 19
    assert all(worked is not None and worked.leading == ["a.a"] and worked.seeds == 2 for worked in clear)
    single = sensitivity.by_forest(scattered_points(rng, 0.4, 1), PATHS, JUDGED.accuracy)
    assert single is not None and single.seeds == 1 and single.exceeding == []


def test_a_loss_in_accuracy_is_taken_seed_by_seed() -> None:
    """What both points share by their seed does not blur their difference; what they do not share does."""
    accuracy, cost = JUDGED.accuracy, JUDGED.costs[0]
    top, near, far = made_points({(1,): [0.90, 0.80, 0.70], (2,): [0.88, 0.80, 0.66], (3,): [0.80, 0.70, 0.605]})
    told = [recommendations.trade(recommendations.Choice(cost, p, True), top, accuracy) for p in (near, far)]
    assert told[0].startswith("2.0 ± 5.0 points below the highest accuracy, seed by seed: not distinguishable")
    assert told[1].startswith("9.8 ± 0.7 points below the highest accuracy, at ")
    assert recommendations.alike(top, [top, near, far], accuracy) == 1
    one = made_points({(1,): [0.9], (2,): [0.8]})
    assert recommendations.alike(one[0], one, accuracy) is None
    assert points.difference(one[0], Point({}, [], {}, None), accuracy) is None
