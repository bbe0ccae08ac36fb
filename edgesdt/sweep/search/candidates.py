"""Candidates of a search as shares of each parameter's range: variations of good points, and features for models."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Final

import numpy as np

from edgesdt.spec.sweep.section import Parameter, Sweep
from edgesdt.sweep.search.surrogate import Floats

Shares = tuple[float, ...]
_STEP: Final = 0.15
"""Standard deviation of a variation, as a share of the range; at least one value of a list."""


def count(parameter: Parameter) -> int:
    """Number of values of a list or of a stepped range; 0 for a continuous range."""
    if parameter.range is None:
        return len(parameter.values)
    return parameter.range.count() if parameter.range.step is not None else 0


def ordered(parameter: Parameter) -> bool:
    """Whether neighbouring values are similar: true for a range or a list of increasing numbers."""
    values = parameter.values
    if parameter.range is not None:
        return True
    numbers = all(isinstance(value, int | float) and not isinstance(value, bool) for value in values)
    return numbers and sorted(values) == list(values)


def varied(sweep: Sweep, shares: Shares, drawn: random.Random) -> Shares:
    """Shares near the given ones: at least one parameter is changed by a step."""
    made = list(shares)
    some = max(1.5 / len(made), 0.2)
    sure = drawn.randrange(len(made))
    for index, parameter in enumerate(sweep.parameters):
        if index != sure and drawn.random() > some:
            continue
        if not ordered(parameter):
            made[index] = drawn.random()
            continue
        step = max(_STEP, 0.8 / (count(parameter) or 100))
        made[index] = min(max(made[index] + drawn.gauss(0.0, step), 0.0), 1.0 - 1e-9)
    return tuple(made)


def features(sweep: Sweep, every: Sequence[Shares]) -> Floats:
    """Features (points, features) in 0..1: a share for ordered values, else one feature for each value."""
    columns = []
    for index, parameter in enumerate(sweep.parameters):
        shares = np.array([point[index] for point in every], np.float64)
        values = count(parameter)
        places = np.floor(shares * values) if values else shares
        if ordered(parameter):
            columns.append((places + 0.5) / values if values else shares)
        else:
            columns += [np.asarray(places == value, np.float64) for value in range(values)]
    return np.stack(columns, axis=1)
