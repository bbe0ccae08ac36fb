"""The expected activity of the chip of every point of a plan, from profiles of some points.

Points with the same activity share a profile. If a plan has more kinds of chip than `MOST_PROFILES`, a random selection
is profiled. Every other kind uses the shares and rates of the most similar profile, which the counts scale to its own
sizes. The share of nonzero inputs is always measured on its own data.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any, Final

from edgesdt.datasets import Dataset
from edgesdt.rules.activity import Activity
from edgesdt.runs import expected, profile, samples
from edgesdt.runs.compilation import watched
from edgesdt.spec import Spec, layers
from edgesdt.suggest import frac_bits
from edgesdt.sweep import keys

MOST_PROFILES: Final = 32
"""Maximum profiles of a plan; more if it has more combinations of data set, depth, target and device: each has one."""
_WORK_S: Final = 0.04
"""Time of each profile [s]; the `work_s` of `profile.measure`."""
_FREE: Final = ("memory_budget", "clock", "macs_per_cycle", "neurons_per_cycle", "style")
"""Fields of the chip that do not change its activity."""

Say = Callable[[str], None]
Values = tuple[Any, ...]


class Foreseen:
    """The activity of each of `points` (values of a plan, with the resulting spec), from a few profiles.

    `assume` is a share of nonzero inputs; with it no data is read. Raises as `samples.load`.
    """

    def __init__(self, points: Iterable[tuple[Values, Spec]], assume: float | None, say: Say) -> None:
        self._assumed = None if assume is None else expected.assumed(assume)
        self._found: dict[tuple[str, ...], Activity] = {}
        self._sets: dict[tuple[Any, ...], Dataset] = {}
        self._inputs: dict[tuple[Any, ...], float] = {}
        self._missing: dict[str, bool] = {}
        self.profiles = self.kinds = 0
        if self._assumed is None:
            with watched(say) as compilation, compilation.together():
                self._measure({_kind(spec): (values, spec) for values, spec in points})

    def of(self, spec: Spec) -> Activity:
        """The expected activity of the chip of a point."""
        return self._assumed or self._found[_kind(spec)]

    def told(self) -> str:
        """One line that says how the activity was obtained."""
        if self._assumed is not None:
            return f"assuming {self._assumed.inputs:.0%} of the inputs not zero"
        if self.profiles == self.kinds:
            return f"the activity of a chip was measured on training samples for each of {self.kinds} kinds of chip"
        return (
            f"the activity of a chip was measured on training samples for {self.profiles} of {self.kinds} kinds of "
            "chip; the others use that of the most similar kind, scaled to their sizes"
        )

    def _measure(self, kinds: dict[tuple[str, ...], tuple[Values, Spec]]) -> None:
        groups: dict[tuple[Any, ...], list[tuple[str, ...]]] = {}
        for key, (_, spec) in kinds.items():
            groups.setdefault(_coarse(spec), []).append(key)
        self.kinds = len(kinds)
        spans = _spans([values for values, _ in kinds.values()])
        for group in groups.values():
            most = len(group) if self.kinds <= MOST_PROFILES else max(MOST_PROFILES // len(groups), 1)
            chosen = group if len(group) <= most else random.Random(0).sample(group, most)
            for key in chosen:
                self._found[key] = self._profile(kinds[key][1])
            self.profiles += len(chosen)
            for key in group:
                if key not in self._found:
                    near = min(chosen, key=lambda other: _distance(kinds[key][0], kinds[other][0], spans))
                    self._found[key] = self._with_own_inputs(kinds[key][1], self._found[near])

    def _profile(self, spec: Spec) -> Activity:
        if self._is_missing(spec):
            return replace(expected.assumed(), source=f"{spec.data.set} is not on this machine: assuming")
        return profile.measure(frac_bits.without_data(spec), self._data(spec), _WORK_S)

    def _with_own_inputs(self, spec: Spec, other: Activity) -> Activity:
        """The activity of another chip, with the share of nonzero inputs of this one."""
        if self._is_missing(spec):
            return other
        key = spec.data.set, spec.data.train, spec.encoder.bits, spec.seed
        if key not in self._inputs:
            self._inputs[key] = profile.inputs(spec, self._data(spec))
        return replace(other, inputs=self._inputs[key])

    def _data(self, spec: Spec) -> Dataset:
        key = spec.data.set, spec.data.train, spec.data.test
        if key not in self._sets:
            self._sets[key] = samples.load(spec, fetch=False)
        return self._sets[key]

    def _is_missing(self, spec: Spec) -> bool:
        if spec.data.set not in self._missing:
            self._missing[spec.data.set] = samples.is_missing(spec)
        return self._missing[spec.data.set]


def _kind(spec: Spec) -> tuple[str, ...]:
    """Key that is equal for points with the same activity."""
    chip = (part for name, part in spec.chip if name not in _FREE)
    return tuple(map(keys.of, (spec.data, spec.encoder, *chip, spec.learning, spec.device, spec.phases)))


def _coarse(spec: Spec) -> tuple[Any, ...]:
    """Key that is equal for points that may share their shares and rates."""
    devices = [layers.device_of(spec, layer) for layer in range(layers.count(spec))]
    where = [(d.model, d.file, d.array.programming, d.array.mapping, d.array.slices) for d in devices]
    return (spec.data.set, len(spec.chip.layers), spec.learning.rule, spec.learning.target, *where)


def _spans(every: Sequence[Values]) -> list[float]:
    """The range of every parameter that is a number in all points; 0 for other parameters."""
    return [max(column) - min(column) if all(map(_is_number, column)) else 0.0 for column in zip(*every, strict=True)]


def _distance(one: Values, other: Values, spans: Sequence[float]) -> float:
    """Distance of the values of two points: numbers as shares of their range; other values 1 if they differ."""
    return sum(_distances(one, other, spans))


def _distances(one: Values, other: Values, spans: Sequence[float]) -> Iterator[float]:
    for a, b, span in zip(one, other, spans, strict=True):
        yield abs(a - b) / span if span else float(a != b)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
