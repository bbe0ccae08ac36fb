"""Values of objectives from rows, their means over seeds, and the best points among those that keep the constraints."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from edgesdt import units
from edgesdt.pricing import omissions
from edgesdt.report.sweep.statistics.points import Estimate, estimate
from edgesdt.spec.sweep import goals
from edgesdt.spec.sweep.goals import Constraint, Goal
from edgesdt.sweep import rows

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Mean:
    """The mean of each objective and constrained quantity over the finished runs of one combination of values."""

    point: Mapping[str, Any]
    values: Mapping[str, float]
    runs: int
    estimates: Mapping[str, Estimate] = field(default_factory=dict)


def value(row: Row, goal: Goal) -> float | None:
    """The value of an objective in a row [the goal's unit]; None if the run has no value or only a lower bound."""
    here: Any = row.get("record")
    if isinstance(here, Mapping) and not omissions.whole(here, goal.path):
        return None
    for part in goal.path.split("."):
        here = here.get(part) if isinstance(here, Mapping) else None
    if goal.path == goals.OWN:
        here = next(iter(here.values()), None) if isinstance(here, Mapping) else None
    return float(here) if isinstance(here, int | float) else None


def means(found: Iterable[Row], goals: Sequence[Goal]) -> list[Mean]:
    """The mean over seeds of every combination that has a finished run, in the order of the rows."""
    grouped: dict[str, list[Row]] = {}
    for row in found:
        if row["status"] == rows.DONE:
            grouped.setdefault(json.dumps(row["point"]), []).append(row)
    made = []
    for group in grouped.values():
        estimates = {}
        for goal in goals:
            known = [v for v in (value(row, goal) for row in group) if v is not None]
            if known:
                estimates[goal.name] = estimate(known)
        values = {name: found.mean for name, found in estimates.items()}
        made.append(Mean(group[0]["point"], values, len(group), estimates))
    return made


def keeps(mean: Mean, constraints: Iterable[Constraint]) -> bool:
    """Whether the means keep every constraint."""
    return all(kept.goal.name in mean.values and kept.keeps(mean.values[kept.goal.name]) for kept in constraints)


def best(found: Iterable[Mean], goal: Goal) -> Mean | None:
    """The combination with the best mean of one objective; the first of equals."""
    known = [mean for mean in found if goal.name in mean.values]
    sign = 1.0 if goal.up else -1.0
    return max(known, key=lambda mean: sign * mean.values[goal.name], default=None)


def shown(number: float, goal: Goal) -> str:
    """A value with its unit, for display."""
    match goal.unit:
        case "J":
            return units.format_energy(number)
        case "s":
            return units.format_time(number)
        case "mm²":
            return units.format_area(number)
        case "bit":
            return units.format_size(number)
    return f"{100 * number:.2f} %"


def described(point: Mapping[str, Any]) -> str:
    """`chip.weights.bits=4, learning.winners=3`."""
    return ", ".join(f"{k}={v if isinstance(v, str) else json.dumps(v)}" for k, v in point.items()) or "the spec itself"
