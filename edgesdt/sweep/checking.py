"""Whether the points of a sweep can be: every one of them, or enough of a large sweep to find what is wrong.

`edgesdt check` asks before anything is planned. What it refuses, `edgesdt sweep` refuses too.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from itertools import chain, islice
from typing import Any, Final

from edgesdt.errors import SpecError
from edgesdt.spec.loading import Traced
from edgesdt.spec.sweep.section import Parameter, Sweep
from edgesdt.sweep.plan import SweepPlan
from edgesdt.sweep.sampling import combinations

MOST: Final = 2000
"""Points up to which every one is checked."""
_VALUES: Final = 100
"""Values of a field, from either end, that are checked in a grid of more."""


def check(traced: Traced, sweep: Sweep, with_data: bool = True) -> str:
    """What was checked, in words. Raises `SpecError` with every fault of every point that was looked at."""
    plan = SweepPlan(traced, replace(sweep, method="search"), with_data)  # which plans no points of its own
    if sweep.method == "search":
        check_ends(plan)
        return "search: every listed value and both ends of every range can be"
    count = _count(sweep)
    if count <= MOST:
        plan.check(combinations(sweep, traced.spec.seed))
        return f"{sweep.method} of {count:,} points: all can be"
    if sweep.method == "grid":
        plan.check(_of_grid(sweep))
        return f"grid of {count:,} points: every field and its ends can be (all points up to {MOST:,})"
    plan.check(islice(combinations(sweep, traced.spec.seed), MOST))
    return f"{sweep.method} of {count:,} points: the first {MOST:,} can be"


def check_ends(plan: SweepPlan) -> None:
    """Raise `SpecError` if an end of a range, or a value of a list, is impossible by itself on the spec as it is."""
    told = []
    for parameter in plan.sweep.parameters:
        values = parameter.values or (parameter.at_share(0.0), parameter.at_share(1.0 - 1e-12))
        told += plan.faults_of(parameter, values)
    if told:
        raise SpecError(told)


def _count(sweep: Sweep) -> int:
    """Points of the sweep, without its seeds."""
    if sweep.method == "grid":
        return math.prod(len(parameter.values) for parameter in sweep.parameters)
    return len(sweep.parameters[0].values) if sweep.method == "zip" and sweep.parameters else max(sweep.samples, 1)


def _of_grid(sweep: Sweep) -> Iterator[tuple[Any, ...]]:
    """Points of a grid: every value of each field, beside the first values of all others and beside their last."""
    for end in (0, -1):
        others = [parameter.values[end] for parameter in sweep.parameters]
        for place, parameter in enumerate(sweep.parameters):
            for value in _some(parameter):
                yield (*others[:place], value, *others[place + 1 :])


def _some(parameter: Parameter) -> Iterator[Any]:
    """Values of a field: all, or the first and the last `_VALUES`."""
    values = parameter.values
    yield from values if len(values) <= 2 * _VALUES else chain(values[:_VALUES], values[-_VALUES:])
