"""The error of the technology tables: a table, node or width that cannot be priced."""

from __future__ import annotations

import math
from collections.abc import Iterable
from numbers import Real


class TechnologyError(ValueError):
    """A technology table, node, width or area has no price; the text gives the value and what is allowed."""


def nearest(word: object, known: Iterable[str]) -> str:
    """` (did you mean 'X'?)` for the most similar name; empty if there is none."""
    import difflib  # only an error needs it

    by_lower_case = {name.lower(): name for name in known}
    close = difflib.get_close_matches(str(word).lower()[:200], by_lower_case, n=1, cutoff=0.6)
    return f" (did you mean {by_lower_case[close[0]]!r}?)" if close else ""


def unknown(what: str, value: object, known: Iterable[str]) -> TechnologyError:
    """An error for a name that is not one of `known`, with the most similar one as a suggestion."""
    import difflib  # only an error needs it

    choices = list(known)
    by_lower_case = {choice.lower(): choice for choice in choices}
    close = difflib.get_close_matches(str(value).lower(), by_lower_case, n=1, cutoff=0.4)
    guess = f" (did you mean {by_lower_case[close[0]]!r}?)" if close else ""
    return TechnologyError(f"{what}: unknown name {value!r}{guess}; known: {', '.join(choices)}")


def checked(what: str, value: float, low: float, high: float, unit: str) -> float:
    """Returns `value` as a float if it is a number in [low, high].

    Raises `TechnologyError` otherwise; refuses NaN, infinities, booleans and other types.
    """
    if type(value) in (int, float) and low <= value <= high and value < math.inf:
        return float(value)  # fast path for the usual case
    number = isinstance(value, Real) and not isinstance(value, bool)
    if number and math.isfinite(value) and low <= value <= high:
        return float(value)
    allowed = f"at least {low:g} {unit}" if math.isinf(high) else f"{low:g} to {high:g} {unit}"
    nearest = min(max(value, low), high) if number and not math.isnan(value) else math.nan
    hint = f" (nearest allowed: {nearest:g} {unit})" if math.isfinite(nearest) else ""
    raise TechnologyError(f"{what}: {value!r} is out of range, allowed is a number, {allowed}{hint}")
