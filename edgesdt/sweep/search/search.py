"""A sweep that chooses its own points, with several objectives, constraints, means over seeds and early stopping.

Points come in batches. Their size depends only on the spec, and their points only on finished rows. So a search gives
the same points with any number of workers. After an interruption it repeats its choices from the start, using the
stored rows.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from statistics import fmean, median
from typing import Any

import numpy as np

from edgesdt.pricing import omissions
from edgesdt.spec.sweep.goals import Goal
from edgesdt.spec.sweep.variants import Faulty
from edgesdt.sweep import objectives, rows
from edgesdt.sweep.checking import check_ends
from edgesdt.sweep.forecast import forecast, known_before
from edgesdt.sweep.plan import Point, SweepPlan
from edgesdt.sweep.sampling import sobol_shares
from edgesdt.sweep.search.acquisition import choose
from edgesdt.sweep.search.candidates import Shares, varied
from edgesdt.sweep.search.optimiser import Optimiser
from edgesdt.sweep.search.pruning import Curve, floors
from edgesdt.sweep.search.trials import Trial, beats, cost, expectation
from edgesdt.sweep.store import Store

_BATCH = 8
_BATCHES = 16
"""Number of batches of a large search; a small search uses batches of `_BATCH` points."""
_LARGEST_BATCH = 64
_AT_FIRST = 0.25
"""Share of the points that are spread evenly at the start, without a model."""
_POOL = 400
"""Number of candidates from which a batch is chosen."""
_PROPOSED = 60
"""Number of candidates that Optuna proposes."""
_VARIATIONS = 2
"""Number of variations of good points for each candidate that is far from all others."""
_PATIENCE = 30
"""A space counts as exhausted after this number of combinations per wanted or known point."""


class Search:
    """The source of a sweep with `method: search`; see `driver.Source`."""

    def __init__(self, plan: SweepPlan) -> None:
        self.points: list[Point] = []
        self._plan, self._sweep = plan, plan.sweep
        self._spread: Iterator[Shares] = sobol_shares(plan.sweep, plan.base.seed)
        self._drawn = random.Random(plan.base.seed)
        self._optimiser = Optimiser(plan.sweep, plan.base.seed)
        self._trials: dict[str, Trial] = {}
        self._open: list[Trial] = []
        self._run = 0
        self._floors: dict[str, list[tuple[int, str, float]]] = {}
        constrained = (kept.goal for kept in self._sweep.constraints)
        self._goals: list[Goal] = list(dict.fromkeys([*self._sweep.objectives, *constrained]))
        self._priced = any(goal.path.partition(".")[0] in omissions.PRICED for goal in self._goals)
        check_ends(plan)

    def floors(self, point: Point) -> list[tuple[int, str, float]]:
        """The floors of a point, fixed when its batch was made."""
        return self._floors.get(point.id, [])

    def more(self, store: Store) -> Sequence[Point]:
        """The next batch; the previous one must be finished."""
        for trial in self._open:
            self._learn(trial, store)
        batch = min(max(_BATCH, self._sweep.samples // _BATCHES), _LARGEST_BATCH)
        wanted = min(batch, self._sweep.samples - self._run)
        first = max(1, round(_AT_FIRST * self._sweep.samples)) - self._run
        if first > 0:
            made = self._gather(self._spread, min(wanted, first), self._trials)
        else:
            made = self._most_promising(wanted)
        self._open = [trial for trial in made if not trial.points[0].infeasible]
        for trial in self._open:
            self._floors |= dict.fromkeys((point.id for point in trial.points), self._stops(trial))
        self._run += len(self._open)
        found = [point for trial in made for point in trial.points]
        self.points += found
        return found

    def _gather(self, source: Iterable[Shares], number: int, known: dict[str, Trial]) -> list[Trial]:
        """Collects `number` new feasible trials, and the infeasible ones found on the way; adds them to `known`."""
        found: list[Trial] = []
        fit = 0
        for tries, shares in enumerate(source, 1):
            trial = self._new(shares, known)
            if trial is not None:
                known[trial.key] = trial
                found.append(trial)
                fit += not trial.points[0].infeasible
            if fit == number or tries > _PATIENCE * (number + len(known)):
                break
        return found

    def _most_promising(self, wanted: int) -> list[Trial]:
        """The candidates with the largest expected gain of the Pareto front, from earlier trials."""
        seen = [trial for trial in self._trials.values() if trial.costs]
        if len(seen) < 3:
            return self._gather(self._spread, wanted, self._trials)
        pool = self._gather(self._candidates(seen), _POOL, dict(self._trials))
        pool = [trial for trial in pool if not trial.points[0].infeasible]
        if not pool:
            return []
        expected = expectation(self._sweep, self._goals, seen, pool)
        costs, kept = np.array([trial.costs for trial in seen]), np.array([trial.kept for trial in seen])
        chosen = choose(wanted, costs, costs[kept], expected, self._run)
        best = [pool[index] for index in chosen]
        self._trials |= {trial.key: trial for trial in best}
        return best

    def _candidates(self, seen: Sequence[Trial]) -> Iterator[Shares]:
        """Proposals of Optuna, points far from all others, and variations of points on the front."""
        kept = [trial for trial in seen if trial.kept] or seen
        front = [trial for trial in kept if not any(beats(other.costs, trial.costs) for other in kept)]
        yield from self._optimiser.propose(_PROPOSED)
        for far in self._spread:
            yield far
            for _ in range(_VARIATIONS):
                yield varied(self._sweep, self._drawn.choice(front).shares, self._drawn)

    def _new(self, shares: Shares, known: Mapping[str, Trial]) -> Trial | None:
        """The trial of a new combination; None for a repeated or invalid one."""
        values = tuple(p.at_share(share) for p, share in zip(self._sweep.parameters, shares, strict=True))
        key = json.dumps(values)
        if key in known:
            return None
        try:
            points = self._plan.points_of(values)
            spec = self._plan.spec_with(values)
        except Faulty:
            return None
        expected = forecast(spec)
        trial = Trial(key, shares, values, points, expected.values, ranks=expected.whole or not self._priced)
        reason = points[0].infeasible or self._broken(trial)
        if reason:
            trial.points = [Point(p.values, p.seed, p.spec_hash, reason) for p in points]
        return trial

    def _broken(self, trial: Trial) -> str:
        """Text for the constraints that the predicted costs of a point break; empty if none."""
        certain = {goal.name for goal in known_before(self._goals)}
        told = []
        for kept in self._sweep.constraints:
            if kept.goal.name in certain and not kept.keeps(trial.predicted[kept.goal.name]):
                told.append(f"{kept.text}: it is {objectives.shown(trial.predicted[kept.goal.name], kept.goal)}")
        return "; ".join(told)

    def _learn(self, trial: Trial, store: Store) -> None:
        """Stores the results of a trial; none if every run failed."""
        found = [row for row in map(store.row_of, trial.points) if row is not None]
        done = [row for row in found if row["status"] == rows.DONE]
        stopped = [row for row in found if row["status"] == rows.PRUNED]
        if not done and not stopped:
            return
        values = self._corrected(trial)
        for goal in self._goals:
            known = [v for v in (objectives.value(row, goal) for row in done) if v is not None]
            if goal.up:
                last = goal.path.rpartition(".")[2]
                known += [self._end_of(row["record"]["curve"], last) for row in stopped]
            if known:
                values[goal.name] = fmean(known)
        trial.found = values
        trial.costs = [cost(goal, values.get(goal.name, 0.0)) for goal in self._sweep.objectives]
        kept = all(kept.keeps(values.get(kept.goal.name, 0.0)) for kept in self._sweep.constraints)
        trial.kept = kept and trial.ranks  # a lower bound of a cost is no cost to beat
        excess = [kept.excess(values.get(kept.goal.name, 0.0)) for kept in self._sweep.constraints]
        self._optimiser.learn(trial.shares, trial.costs, excess if trial.ranks else [*excess, 1.0])
        if not stopped:
            trial.curves = [row["record"].get("curve", []) for row in done]

    def _end_of(self, curve: Sequence[Mapping[str, Any]], key: str) -> float:
        """Estimates the final accuracy of a run that was stopped early: it rises as the median of the other runs."""
        others = (other for trial in self._finished() for other in trial.curves or [])
        whole = [o for o in others if len(o) >= len(curve) and all(key in point for point in o)]
        rises = [other[-1][key] - other[len(curve) - 1][key] for other in whole]
        return min(float(curve[-1].get(key, 0.0)) + (median(rises) if rises else 0.0), 1.0)

    def _corrected(self, trial: Trial) -> dict[str, float]:
        """The predictions for a trial, multiplied by the median ratio of found to predicted values so far."""
        corrected = {}
        for name, predicted in trial.predicted.items():
            finished = [(other.found, other.predicted) for other in self._finished()]
            ratios = [found[name] / before[name] for found, before in finished if name in found and before[name]]
            corrected[name] = predicted * (median(ratios) if ratios else 1.0)
        return corrected

    def _finished(self) -> list[Trial]:
        return [trial for trial in self._trials.values() if trial.curves is not None]

    def _stops(self, trial: Trial) -> list[tuple[int, str, float]]:
        accuracy = next((goal for goal in self._sweep.objectives if goal.up), None)
        if accuracy is None or not self._sweep.prune:
            return []
        costs = [goal.name for goal in self._sweep.objectives if not goal.up]
        known = []
        for other in self._finished():
            as_cheap = all(other.predicted[name] <= trial.predicted[name] * (1 + 1e-9) for name in costs)
            known += [Curve(curve, as_cheap and other.kept) for curve in other.curves or []]
        least = [c.limit for c in self._sweep.constraints if c.goal == accuracy and c.op.startswith(">")]
        return floors(known, accuracy.path.rpartition(".")[2], self._plan.spec_with(trial.values).epochs, least)
