"""Limits of the values in a family's sheet: a fitted value at a limit is not a valid fit, and none may exceed it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import cache

from hw_models.measured.fit.families import SHEET_FAMILY

_LEFT_TO_DOUBTS = ("states_up", "states_down")
"""With less than one state there is no usable device; the warnings say so with the fitted number."""


@cache
def limits(family: str) -> Mapping[str, tuple[float, float]]:
    """Lowest and highest value of every number in the sheet of a fitted family, by its name."""
    from hw_models.sheets import building, catalog

    kind = catalog.family(SHEET_FAMILY[family])
    return {p.name: (p.low, p.high) for p in building.parameters(kind) if p.kind in ("number", "whole")}


def reached(family: str, values: Mapping[str, float]) -> dict[str, float]:
    """The limits, by name, of those `values` that are at a limit of their range or beyond it."""
    found = {}
    for name, value in values.items():
        low, high = limits(family).get(name, (-math.inf, math.inf))
        if name in _LEFT_TO_DOUBTS:
            low = -math.inf
        if value <= low or value >= high:
            found[name] = low if value <= low else high
    return found
