"""Ends of the ranges that the sheet of a family allows: a fitted value at one is no fit, and none may go beyond."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import cache

from hw_models.measured.fit.families import SHEET_FAMILY

_LEFT_TO_DOUBTS = ("states_up", "states_down")
"""Below one state there is no usable device; `doubts` says so with the number that was found."""


@cache
def limits(family: str) -> Mapping[str, tuple[float, float]]:
    """Lowest and highest value of every number in the sheet of a fitted family, by its name."""
    from hw_models.sheets import building, catalog

    kind = catalog.family(SHEET_FAMILY[family])
    return {p.name: (p.low, p.high) for p in building.parameters(kind) if p.kind in ("number", "whole")}


def reached(family: str, values: Mapping[str, float]) -> dict[str, float]:
    """Of `values`, those at an end of their range or beyond it, by name: that end."""
    found = {}
    for name, value in values.items():
        low, high = limits(family).get(name, (-math.inf, math.inf))
        if name in _LEFT_TO_DOUBTS:
            low = -math.inf
        if value <= low or value >= high:
            found[name] = low if value <= low else high
    return found
