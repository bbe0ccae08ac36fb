"""The objectives of a sweep with their paths in a record, and constraints such as `memory <= 64 KiB`.

`section` reads the section that contains them; `edgesdt.sweep` reads their values from records.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Final

from edgesdt import registry
from edgesdt.spec.checks.hints import did_you_mean, shown
from edgesdt.units import ENERGY, SIZE, TIME, Kind, UnitError, parse

if TYPE_CHECKING:
    from edgesdt.spec.schema.spec import Spec

_AREAS: Final = {"mm²": Fraction(1), "µm²": Fraction(1, 10**6), "um²": Fraction(1, 10**6)}
_AREA: Final = Kind("area", "mm²", "mm²", _AREAS, "0.5 mm2", ("mm²",))
_SHARE: Final = Kind("share", "", "", {"": Fraction(1)}, "0.9", ("",))


@dataclass(frozen=True)
class Goal:
    """One objective: its name in a spec, its path in a record, whether larger is better, and its unit."""

    name: str
    path: str
    up: bool
    unit: str


@dataclass(frozen=True)
class Constraint:
    """A constraint on points: the quantity `goal`, compared by `op` with `limit` [its unit]; `text` as written."""

    goal: Goal
    op: str
    limit: float
    text: str

    def keeps(self, value: float) -> bool:
        """Whether a value [the goal's unit] satisfies the constraint."""
        return _COMPARE[self.op](value, self.limit)

    def excess(self, value: float) -> float:
        """The violation by a value as a share of the limit; 0 or less if the constraint is satisfied."""
        over = value - self.limit if self.op.startswith("<") else self.limit - value
        return over / (abs(self.limit) or 1.0)


_COMPARE: Final[dict[str, Callable[[float, float], bool]]] = {
    "<=": lambda value, limit: value <= limit,
    ">=": lambda value, limit: value >= limit,
    "<": lambda value, limit: value < limit,
    ">": lambda value, limit: value > limit,
}
_COSTS: Final = {
    "energy": Goal("energy", "energy_j.train_per_sample", False, "J"),
    "inference_energy": Goal("inference_energy", "energy_j.inference_per_sample", False, "J"),
    "latency": Goal("latency", "latency_s.train_per_sample", False, "s"),
    "inference_latency": Goal("inference_latency", "latency_s.inference_per_sample", False, "s"),
    "area": Goal("area", "area_mm2.total", False, "mm²"),
    "memory": Goal("memory", "memory.used_bits", False, "bit"),
}
_KINDS: Final = {"J": ENERGY, "s": TIME, "mm²": _AREA, "bit": SIZE, "": _SHARE}
OWN: Final = "accuracy"
"""Path of the accuracy of a run's own first read-out: the first of the accuracies in its record."""
DEFAULT: Final = ("accuracy", "energy", "area", "memory")
"""The default objectives of a sweep."""
_CONSTRAINT = re.compile(r"\s*([A-Za-z_.]+)\s*(<=|>=|≤|≥|<|>)\s*(.+?)\s*")


def names(spec: Spec) -> tuple[str, ...]:
    """All objectives for runs of this spec."""
    return ("accuracy", *_COSTS, *(f"accuracy.{name}" for name in _accuracies(spec)))


def goal(name: object, spec: Spec, own: bool = False) -> Goal:
    """The objective of that name; `accuracy` is that of the first read-out. Raises `ValueError`: what is wrong.

    With `own`, `accuracy` is that of the first read-out of each run, as runs of a sweep may have different read-outs.
    """
    known = names(spec)
    if not isinstance(name, str) or name not in known:
        raise ValueError(f"unknown objective: {shown(name)}, allowed: {', '.join(known)}{did_you_mean(name, known)}")
    if name in _COSTS:
        return _COSTS[name]
    if own and name == "accuracy":
        return Goal(name, OWN, True, "")
    readout = _accuracies(spec)[0] if name == "accuracy" else name.removeprefix("accuracy.")
    return Goal(name, f"accuracy.{readout}", True, "")


def constraint(text: object, spec: Spec, own: bool = False) -> Constraint:
    """The constraint `NAME <= VALUE` (or >=, <, >) with the unit of a spec. Raises `ValueError`: what is wrong."""
    found = _CONSTRAINT.fullmatch(text) if isinstance(text, str) and len(text) < 200 else None
    if found is None or not isinstance(text, str):
        raise ValueError(f"not a constraint: {shown(text)}, allowed: for example 'memory <= 64 KiB', 'accuracy >= 0.9'")
    judged = goal(found[1], spec, own)
    op = {"≤": "<=", "≥": ">="}.get(found[2], found[2])
    return Constraint(judged, op, _limit(found[3], judged), text.strip())


def _limit(text: str, judged: Goal) -> float:
    kind = _KINDS[judged.unit]
    try:
        bare = float(text.removesuffix("%"))
    except ValueError:
        bare = math.nan
    if text.endswith("%") and judged.unit == "":
        bare /= 100
    elif text.endswith("%") or math.isnan(bare):
        try:
            return float(parse(text.replace("m2", "m²"), kind))
        except UnitError as error:
            raise ValueError(f"{error.what}, allowed: {error.allowed}{error.hint}") from None
        except OverflowError:
            raise ValueError(f"not a finite number: {shown(text)}") from None
    if not math.isfinite(bare):
        raise ValueError(f"not a finite number: {shown(text)}")
    try:
        return float(Fraction(bare) * kind.units[kind.bare])
    except OverflowError:
        raise ValueError(f"not a finite number: {shown(text)}") from None


def _accuracies(spec: Spec) -> list[str]:
    """The keys of a record's `accuracy`, those of the first read-out first."""
    return [name for readout in spec.readout for name in registry.READOUTS[readout]]
