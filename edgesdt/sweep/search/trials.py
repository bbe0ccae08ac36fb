"""The trials of a search: the costs of each combination, and the expected costs of candidates."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy.special import ndtr

from edgesdt.spec.sweep.goals import Goal
from edgesdt.spec.sweep.section import Sweep
from edgesdt.sweep.forecast import known_before
from edgesdt.sweep.plan import Point
from edgesdt.sweep.search.acquisition import Expected
from edgesdt.sweep.search.candidates import Shares, features
from edgesdt.sweep.search.surrogate import Floats, Surrogate


@dataclass
class Trial:
    """One combination: its points, its predicted values and, after its runs, the measured values."""

    key: str
    shares: Shares
    values: tuple[Any, ...]
    points: list[Point]
    predicted: dict[str, float]
    found: dict[str, float] = field(default_factory=dict)
    costs: list[float] = field(default_factory=list)
    """Costs of the objectives, all to minimise; empty before there are results."""
    kept: bool = False
    """Whether it keeps every constraint."""
    curves: list[list[dict[str, Any]]] | None = None
    """Learning curves of its finished runs; None if there are none or one was stopped."""
    ranks: bool = True
    """Whether all parts of the chip have a price; only such a chip may be on a front."""


def cost(goal: Goal, value: float) -> float:
    """Converts a value to a cost to minimise: 1 minus the value if larger is better, else its logarithm."""
    return 1.0 - value if goal.up else math.log10(max(value, 1e-30))


def beats(one: Sequence[float], other: Sequence[float]) -> bool:
    """Whether costs dominate others: nowhere larger and somewhere smaller."""
    return one != other and all(mine <= theirs for mine, theirs in zip(one, other, strict=True))


def expectation(sweep: Sweep, goals: Sequence[Goal], seen: Sequence[Trial], pool: Sequence[Trial]) -> Expected:
    """Expected costs of the candidates in `pool` and their probability of keeping the constraints.

    Costs that follow from the spec alone are exact.
    """
    means, sds = _predicted(sweep, goals, seen, pool)
    likely = np.array([float(trial.ranks) for trial in pool])
    likely = likely if likely.any() else np.ones(len(pool))
    limits = dict.fromkeys(means, math.inf)
    for kept in sweep.constraints:
        name, limit = kept.goal.name, cost(kept.goal, kept.limit)
        below = kept.op.startswith("<") != kept.goal.up
        if below:
            limits[name] = min(limits[name], limit)
        if kept.goal not in known_before(goals):  # candidates that break one of these were left out before
            room = limit - means[name] if below else means[name] - limit
            likely *= ndtr(room / np.maximum(sds[name], 1e-9))
    order = [goal.name for goal in sweep.objectives]
    mean, sd = (np.stack([part[name] for name in order], axis=1) for part in (means, sds))
    return Expected(mean, sd, likely, np.array([limits[name] for name in order]))


def _predicted(
    sweep: Sweep, goals: Sequence[Goal], seen: Sequence[Trial], pool: Sequence[Trial]
) -> tuple[dict[str, Floats], dict[str, Floats]]:
    """Mean and standard deviation of the cost of every candidate for each goal."""
    x, there = (features(sweep, [trial.shares for trial in every]) for every in (seen, pool))
    certain = {goal.name for goal in known_before(goals)}
    means, sds = {}, {}
    for goal in goals:
        means[goal.name] = np.array([0.0 if goal.up else cost(goal, trial.predicted[goal.name]) for trial in pool])
        sds[goal.name] = np.zeros(len(pool))
        if goal.name not in certain:
            before = [0.0 if goal.up else cost(goal, trial.predicted[goal.name]) for trial in seen]
            found = [cost(goal, trial.found.get(goal.name, 0.0)) for trial in seen]
            miss, sds[goal.name] = Surrogate(x, np.array(found) - before).expected(there)
            means[goal.name] = means[goal.name] + miss
    return means, sds
