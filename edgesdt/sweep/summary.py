"""Summary of a sweep in a few lines: number of runs, and the best point of each objective under the constraints."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from edgesdt import units
from edgesdt.pricing import omissions
from edgesdt.spec.sweep.goals import Goal
from edgesdt.sweep import objectives
from edgesdt.sweep.plan import SweepPlan
from edgesdt.sweep.progress import Progress
from edgesdt.sweep.rows import DONE, FAILED, INFEASIBLE, PRUNED


def lines(
    plan: SweepPlan, found: Sequence[Mapping[str, Any]], progress: Progress, workers: int, seconds: float
) -> Iterator[str]:
    """Lines for a terminal from the rows `found`; `seconds` of this session, with `workers` in parallel."""
    every = Counter(row["status"] for row in found)
    counts = [f"{every[word]} {word}" for word in (DONE, PRUNED, FAILED, INFEASIBLE) if every[word] or word == DONE]
    yield f"{plan.base.name}: {len(found)} runs: {', '.join(counts)}"
    yield from _misfits(found)
    if progress.ran and workers:
        each = progress.run_s / progress.ran
        beside = (seconds * workers - progress.run_s - progress.compile_s) / progress.ran
        yield (
            f"{units.format_time(seconds)} for {progress.ran} runs on {workers} worker{'s' if workers != 1 else ''}: "
            f"{units.format_time(each)} a run, {units.format_time(max(beside, 0.0))} beside it"
        )
    goals: dict[str, Goal] = {goal.name: goal for goal in plan.sweep.objectives}
    goals |= {kept.goal.name: kept.goal for kept in plan.sweep.constraints}
    means = objectives.means(found, list(goals.values()))
    kept = [mean for mean in means if objectives.keeps(mean, plan.sweep.constraints)]
    if plan.sweep.constraints:
        told = ", ".join(constraint.text for constraint in plan.sweep.constraints)
        yield f"{len(kept)} of {len(means)} points keep {told}"
    width = max(len(goal.name) for goal in plan.sweep.objectives)
    for goal in plan.sweep.objectives:
        best = objectives.best(kept, goal)
        if best is not None:
            number = objectives.shown(best.values[goal.name], goal)
            seeds = f" (mean of {best.runs} seeds{_scatter(best, goal)})" if best.runs > 1 else ""
            point = objectives.described(plan.told(best.point))
            yield f"best {goal.name.ljust(width)}  {number.rjust(10)}  {point}{seeds}"
    out = sum(not omissions.whole(row["record"], "energy_j") for row in found if row["status"] == DONE)
    if out:
        yield f"{out} of {every[DONE]} runs have parts without a price: their energy, latency and area are not ranked"


def _misfits(found: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Why points were not run: the first reason, and how many others there are."""
    reasons = dict.fromkeys(str(row["error"]) for row in found if row["status"] == INFEASIBLE)
    first = next(iter(reasons), None)
    if first is not None:
        others = len(reasons) - 1
        more = f" ({others} other reason{'s' * (others > 1)} in the records)" if others else ""
        yield f"{INFEASIBLE}: {first}{more}"


def _scatter(mean: objectives.Mean, goal: Goal) -> str:
    """Half the width of the 95 % confidence interval of an accuracy over the seeds."""
    half = mean.estimates[goal.name].half if goal.up else None
    return f", ± {objectives.shown(half, goal)}" if half is not None else ""
