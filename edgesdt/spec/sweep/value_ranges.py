"""Ranges of a swept field, `{min, max, step, log}`: reads it with the field's unit, steps through it or samples it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Final, get_args, get_origin

from edgesdt.spec.checks.hints import Path, did_you_mean, shown
from edgesdt.spec.fields import field_at, quantity_at
from edgesdt.spec.types import Quantity
from edgesdt.units import UnitError, exact, parse

_KEYS: Final = ("min", "max", "step", "log")
_MOST_STEPS: Final = 1_000_000
_LARGEST: Final = 1e100
"""Largest end or step, in base units: far beyond every field, and small enough that differences do not overflow."""
_DIGITS: Final = 6
"""Significant digits of a sampled number: short to read, but far finer than any register."""


class RangeError(ValueError):
    """Values cannot be swept; the text is the fault, `inside` is the faulty key or index."""

    def __init__(self, text: str, inside: Path = ()) -> None:
        super().__init__(text)
        self.inside = inside


@dataclass(frozen=True)
class Range:
    """Numbers from `low` to `high`: every `step` (a factor if `log`) from `low` on, or any number if there is no step.

    With a `quantity`, numbers are in the base unit of its kind and values are text with a unit.
    """

    low: float
    high: float
    step: float | None
    log: bool
    whole: bool
    quantity: Quantity | None

    def steps(self) -> Iterator[Any]:
        """Every value; the range must have a step."""
        last = None
        for index in range(self.count()):
            value = self._value(self._stepped(index))
            if value != last:
                yield value
            last = value

    def at_share(self, share: float) -> Any:
        """The value at `share` in [0, 1) of the range, on a logarithmic scale if `log`."""
        if self.step is not None:
            return self._value(self._stepped(int(share * self.count())))
        if self.log:
            low, high = (self.low - 0.5, self.high + 0.5) if self.whole else (self.low, self.high)
            number = math.exp(math.log(low) + share * (math.log(high) - math.log(low)))
        elif self.whole:
            number = self.low + math.floor(share * (self.high - self.low + 1))
        else:
            number = self.low + share * (self.high - self.low)
        return self._value(min(max(number, self.low), self.high))

    def count(self) -> int:
        """Number of values on the steps."""
        assert self.step is not None
        if self.log:
            return math.floor(math.log(self.high / self.low) / math.log(self.step) * (1 + 1e-9) + 1e-9) + 1
        return math.floor((_exact(self.high) - _exact(self.low)) / _exact(self.step)) + 1

    def _stepped(self, index: int) -> float:
        assert self.step is not None
        if self.log:
            return min(self.low * self.step**index, self.high)
        return float(_exact(self.low) + index * _exact(self.step))

    def _value(self, number: float) -> Any:
        if self.quantity is not None:
            number = float(f"{number:.{_DIGITS}g}") if self.step is None else number
            return exact(round(number) if self.quantity.whole else number, self.quantity.kind)
        if self.whole:
            return round(number)
        on_steps = self.step is not None and not self.log
        return float(number) if on_steps else min(max(float(f"{number:.{_DIGITS}g}"), self.low), self.high)


def read_range(given: Mapping[str, Any], place: Path, sampled: bool) -> Range:
    """The range that a mapping describes, for the field at `place`. Raises `RangeError`.

    A range has integer values if the field is an integer, or (for fields without a type) if both ends are integers.
    """
    for key in given:
        if key not in _KEYS:
            raise RangeError(f"unknown key, allowed: {', '.join(_KEYS)}{did_you_mean(key, _KEYS)}", (key,))
    for key in ("min", "max"):
        if key not in given:
            raise RangeError(f"missing {key}, allowed: {{min, max, step, log}} or a list of values")
    quantity = quantity_at(place)
    low, high = (_number(given, key, quantity) for key in ("min", "max"))
    log = given.get("log", False)
    if not isinstance(log, bool):
        raise RangeError(f"wrong type: {shown(log)}, allowed: true or false", ("log",))
    step = None
    if given.get("step") is not None:
        step = _number(given, "step", None if log else quantity)
    kind = _kind_of(place)
    whole = kind == "whole" or (kind == "" and all(isinstance(given[key], int) for key in ("min", "max")))
    made = Range(low, high, step, log, whole and quantity is None, quantity)
    _check(made, given, sampled)
    return made


def _check(made: Range, given: Mapping[str, Any], sampled: bool) -> None:
    ends = f"{shown(given['min'])}..{shown(given['max'])}"
    if made.low >= made.high:
        raise RangeError(f"min is not below max: {ends}", ("min",))
    if made.log and made.low <= 0:
        raise RangeError(f"not above 0: {shown(given['min'])}, allowed: a positive min with log: true", ("min",))
    if made.step is None and not sampled:
        raise RangeError("no step, allowed: a step, a list of values, or method random, sobol or search")
    lowest = 1 if made.log else 0
    if made.step is not None and made.step <= lowest:
        wanted = "a factor above 1 (log: true)" if made.log else "above 0"
        raise RangeError(f"out of range: {shown(given['step'])}, allowed: {wanted}", ("step",))
    if made.whole:
        for key in ("min", "max", *(() if made.log or made.step is None else ("step",))):
            if not float(_number(given, key, None)).is_integer():
                raise RangeError(f"not a whole number: {shown(given[key])}, as the field is an integer", (key,))
    if made.step is not None and made.count() > _MOST_STEPS:
        raise RangeError(f"too many values: {made.count()}, allowed: up to {_MOST_STEPS}", ("step",))


def _number(given: Mapping[str, Any], key: str, quantity: Quantity | None) -> float:
    value = given[key]
    if quantity is not None:
        try:
            found = float(parse(value, quantity.kind, quantity.bare))
        except UnitError as error:
            raise RangeError(f"{error.what}, allowed: {quantity.text}{error.hint}", (key,)) from None
        except OverflowError:
            found = math.inf
        if not abs(found) <= _LARGEST:
            raise RangeError(f"out of range: {shown(value)}, allowed: {quantity.text}", (key,))
        return found
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < math.inf:
        raise RangeError(f"wrong type: {shown(value)}, allowed: a finite number", (key,))
    if abs(value) > _LARGEST:
        raise RangeError(f"out of range: {shown(value)}, allowed: {-_LARGEST:g}..{_LARGEST:g}", (key,))
    return float(value)


def _kind_of(place: Path) -> str:
    """`whole` or `real` according to the schema; empty if the schema does not say."""
    field = field_at(place)
    if field is None:
        return ""
    seen, found = [field.annotation], set()
    while seen:
        kind = seen.pop()
        if get_origin(kind) is not None:
            seen += [arg for arg in get_args(kind) if arg is not Ellipsis]
        found.add(kind)
    return "whole" if int in found else "real" if float in found else ""


def _exact(number: float) -> Fraction:
    """The exact decimal number as written, so that steps of 0.1 do not accumulate errors."""
    return Fraction(repr(number))
