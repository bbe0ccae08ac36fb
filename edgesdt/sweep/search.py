"""A sweep that chooses its own points: several objectives, constraints, means over seeds, hopeless runs stopped early.

Points come in batches whose size depends on the spec alone, and what is asked for depends on finished rows alone: so a
search gives the same points with any number of workers, and goes on after an interruption by asking again from the
start.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, median
from typing import Any

from edgesdt.errors import SpecError
from edgesdt.spec.goals import Goal
from edgesdt.spec.revising import Faulty
from edgesdt.sweep import objectives, rows
from edgesdt.sweep.forecast import forecast, known_before
from edgesdt.sweep.optimiser import Optimiser
from edgesdt.sweep.plan import Plan, Point
from edgesdt.sweep.pruning import Curve, floors
from edgesdt.sweep.store import Store

_BATCH = 8
_BATCHES = 16
"""A search of many points takes them in this many batches, a small one in batches of `_BATCH`."""
_PATIENCE = 30
"""Questions without a new point, for each point wanted, before points are spread evenly instead."""


@dataclass
class _Trial:
    """One combination that has been asked for: its points, what is predicted, and (once told) what was found."""

    number: int
    points: list[Point]
    predicted: dict[str, float]
    costs: list[float] | None = None
    violations: tuple[float, ...] = ()
    values: dict[str, float] | None = None
    curves: list[list[dict[str, Any]]] | None = None
    """Of its finished runs; None if it has none or was stopped."""


class Search:
    """The source of a sweep with `method: search`; see `driver.Source`."""

    def __init__(self, plan: Plan) -> None:
        self.points: list[Point] = []
        self._plan, self._sweep = plan, plan.sweep
        self._optimiser = Optimiser(plan.sweep, plan.base.seed)
        self._trials: dict[str, _Trial] = {}
        self._open: list[_Trial] = []
        self._run = 0
        self._floors: dict[str, list[tuple[int, str, float]]] = {}
        constrained = (kept.goal for kept in self._sweep.constraints)
        self._goals: list[Goal] = list(dict.fromkeys([*self._sweep.objectives, *constrained]))
        _check_ends(plan)

    def floors(self, point: Point) -> list[tuple[int, str, float]]:
        """As known when its batch was made."""
        return self._floors.get(point.id, [])

    def more(self, store: Store) -> Sequence[Point]:
        """The next batch; the last one must be finished."""
        for trial in self._open:
            self._learn(trial, store)
        self._open = []
        wanted = min(max(_BATCH, self._sweep.samples // _BATCHES), self._sweep.samples - self._run)
        found: list[Point] = []
        misses = 0
        while len(self._open) < wanted:
            spread = misses > _PATIENCE * wanted
            asked = self._optimiser.ask(spread)
            if asked is None or misses > 100 * _PATIENCE * wanted:
                break
            made = self._new(*asked)
            misses += made is None or bool(made.points[0].infeasible)
            found += made.points if made is not None else []
        self._run += len(self._open)
        self.points += found
        return found

    def _new(self, number: int, values: tuple[Any, ...]) -> _Trial | None:
        """The trial of a combination that was not asked for before; None for a repeated or an impossible one."""
        key = json.dumps(values)
        known = self._trials.get(key)
        if known is not None:
            self._optimiser.tell(number, known.costs, known.violations)
            return None
        try:
            points = self._plan.points_of(values)
            spec = self._plan.spec_with(values)
        except Faulty:
            self._optimiser.tell(number, None, self._no_violation())
            return None
        trial = _Trial(number, points, forecast(spec).values)
        self._trials[key] = trial
        reason = points[0].infeasible or self._broken(trial)
        if not reason:
            self._open.append(trial)
            if self._sweep.prune:
                made = self._stops(trial, spec.epochs)
                self._floors |= {point.id: made for point in points}
            return trial
        trial.points = [Point(p.values, p.seed, p.spec_hash, reason) for p in points]
        excess = trial.predicted["memory"] / spec.chip.memory_budget - 1.0
        trial.violations = (excess, *self._violations(trial.predicted))
        trial.costs = self._costs({**self._corrected(trial), **{g.name: 0.0 for g in self._goals if g.up}})
        self._optimiser.tell(number, trial.costs, trial.violations)
        return trial

    def _broken(self, trial: _Trial) -> str:
        """The constraints that a point breaks before it is run, in words."""
        certain = {goal.name for goal in known_before(self._goals)}
        told = []
        for kept in self._sweep.constraints:
            if kept.goal.name in certain and not kept.keeps(trial.predicted[kept.goal.name]):
                told.append(f"{kept.text}: it is {objectives.shown(trial.predicted[kept.goal.name], kept.goal)}")
        return "; ".join(told)

    def _learn(self, trial: _Trial, store: Store) -> None:
        """Tell the optimiser what came of a trial."""
        found = [row for row in map(store.row_of, trial.points) if row is not None]
        done = [row for row in found if row["status"] == rows.DONE]
        stopped = [row for row in found if row["status"] == rows.PRUNED]
        values = dict(self._corrected(trial))
        for goal in self._goals:
            known = [v for v in (objectives.value(row, goal) for row in done) if v is not None]
            if goal.up:
                last = goal.path.rpartition(".")[2]
                known += [row["record"]["curve"][-1].get(last, 0.0) for row in stopped]
            if known:
                values[goal.name] = fmean(known)
        if not found or all(row["status"] == rows.FAILED for row in found):
            trial.costs, trial.violations = None, self._no_violation()
        else:
            trial.costs, trial.violations = self._costs(values), (0.0, *self._violations(values))
            if done and not stopped:
                trial.values, trial.curves = values, [row["record"]["curve"] for row in done]
        self._optimiser.tell(trial.number, trial.costs, trial.violations)

    def _costs(self, values: dict[str, float]) -> list[float]:
        """Objectives as costs: what is to go up as what is missing from 1, the others as logarithms."""
        return [
            1.0 - values.get(goal.name, 0.0) if goal.up else math.log10(max(values.get(goal.name, 1.0), 1e-30))
            for goal in self._sweep.objectives
        ]

    def _violations(self, values: dict[str, float]) -> tuple[float, ...]:
        return tuple(
            kept.excess(values[kept.goal.name]) if kept.goal.name in values else 0.0 for kept in self._sweep.constraints
        )

    def _no_violation(self) -> tuple[float, ...]:
        return (0.0,) * (1 + len(self._sweep.constraints))

    def _corrected(self, trial: _Trial) -> dict[str, float]:
        """What is predicted for a trial, times what predictions have been short of so far."""
        corrected = {}
        for name, predicted in trial.predicted.items():
            finished = [(trial.values or {}, trial.predicted) for trial in self._finished()]
            ratios = [found[name] / before[name] for found, before in finished if name in found and before[name]]
            corrected[name] = predicted * (median(ratios) if ratios else 1.0)
        return corrected

    def _finished(self) -> list[_Trial]:
        return [trial for trial in self._trials.values() if trial.values is not None]

    def _stops(self, trial: _Trial, epochs: int) -> list[tuple[int, str, float]]:
        accuracy = next((goal for goal in self._sweep.objectives if goal.up), None)
        if accuracy is None:
            return []
        costs = [goal.name for goal in self._sweep.objectives if not goal.up]
        known = []
        for other in self._finished():
            assert other.values is not None and other.curves is not None
            as_cheap = all(other.predicted[name] <= trial.predicted[name] * (1 + 1e-9) for name in costs)
            kept = all(violation <= 0 for violation in other.violations)
            known += [Curve(curve, as_cheap and kept) for curve in other.curves]
        least = [c.limit for c in self._sweep.constraints if c.goal == accuracy and c.op.startswith(">")]
        return floors(known, accuracy.path.rpartition(".")[2], epochs, least)


def _check_ends(plan: Plan) -> None:
    """Raise `SpecError` if an end of a range, or a value of a list, is impossible by itself on the spec as it is."""
    parameters = plan.sweep.parameters
    told = []
    for parameter in parameters:
        values = parameter.values or (parameter.at_share(0.0), parameter.at_share(1.0 - 1e-12))
        told += plan.faults_of(parameter, values)
    if told:
        raise SpecError(told)
