"""Predicts the cost of a point on the chip and the duration of its run on this machine."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from edgesdt.pricing import bill
from edgesdt.rules.activity import ASSUMED, Activity
from edgesdt.rules.lookup import memory_map, rule_of
from edgesdt.runs import preview
from edgesdt.spec import SETS, Spec
from edgesdt.spec.stages import epochs_of, is_phased, samples_of, stages
from edgesdt.spec.sweep.goals import Goal
from edgesdt.suggest import frac_bits
from edgesdt.sweep import keys

START_S = 0.1
"""Fixed time of a run [s]. This and the rates below are for one core of a server, within a factor of 2."""
SAMPLE_S = 12e-6
"""Time per training sample on any chip [s]."""
CELL_SAMPLE_S = 45e-6
"""Additional time per training sample on analog cells [s]."""
MAC_S = 0.25e-9
"""Time per multiply-accumulate of an event-driven chip [s]."""
SHARE_READ = 0.3
"""Time of an inference relative to a learned sample; an epoch reads out up to 10,000 samples and the test split."""



@dataclass(frozen=True)
class Forecast:
    """Predicted values of every cost objective [its unit], and seconds of a run (None if the data size is unknown).

    If not `whole`, parts of the chip have no price, and energy, latency and area are lower bounds.
    """

    values: dict[str, float]
    seconds: float | None
    whole: bool = True


def forecast(spec: Spec, activity: Activity = ASSUMED) -> Forecast:
    """The forecast for a checked spec and the expected `activity` of its chip."""
    values, whole = dict(_costs(_Hardware(spec), activity)), not bill.left_out(spec)
    train, test = _learned(spec), _tested(spec)
    if train is None or test is None:
        return Forecast(values, None, whole)
    macs = sum(a * b for a, b in zip(spec.chip.layers, spec.chip.layers[1:], strict=False))
    each = SAMPLE_S + MAC_S * macs + (0.0 if spec.device.digital else CELL_SAMPLE_S)
    epochs = epochs_of(spec)
    read = min(train // epochs, 10_000) + test
    return Forecast(values, START_S + each * (train + SHARE_READ * read * (epochs + 2)), whole)


def used_bits(spec: Spec) -> int:
    """Total bits of all arrays on the chip."""
    return _bits_of(_Hardware(spec))


class _Hardware:
    """A cache key: equal for specs with the same arrays and predicted costs, which learning constants do not change."""

    def __init__(self, spec: Spec) -> None:
        spec = frac_bits.without_data(spec)
        self.spec = spec
        quiet = spec.learning.model_copy(update=rule_of(spec).costless)
        parts = (spec.chip, spec.encoder, spec.device, spec.technology, quiet, *_course(spec))
        self._key = tuple(map(keys.of, parts))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Hardware) and self._key == other._key

    def __hash__(self) -> int:
        return hash(self._key)


@lru_cache(maxsize=4096)
def _bits_of(hardware: _Hardware) -> int:
    return memory_map(hardware.spec).used_bits


@lru_cache(maxsize=2048)
def _costs(hardware: _Hardware, activity: Activity) -> dict[str, float]:
    fitted = memory_map(hardware.spec)
    priced = preview.predicted(hardware.spec, fitted, activity)
    joules, latency = priced["energy_j"], priced["latency_s"]
    return {
        "energy": joules["train_per_sample"],
        "inference_energy": joules["inference_per_sample"],
        "latency": latency["train_per_sample"],
        "inference_latency": latency["inference_per_sample"],
        "area": priced["area_mm2"]["total"],
        "memory": float(fitted.used_bits),
    }


def known_before(goals: Iterable[Goal]) -> list[Goal]:
    """The goals among these that follow from the spec alone, without a run."""
    return [goal for goal in goals if goal.name in ("area", "memory")]


def _learned(spec: Spec) -> int | None:
    """Samples that a run learns, those of all epochs; None if the data size is unknown."""
    every = stages(spec)
    each = [samples_of(spec, stage) for stage in every]
    known = [size * stage.spec.epochs for size, stage in zip(each, every, strict=True) if size is not None]
    return sum(known) if len(known) == len(every) else None


def _tested(spec: Spec) -> int | None:
    facts = SETS.get(spec.data.set)
    return spec.data.test or (facts.test if facts else None)


def _course(spec: Spec) -> tuple[Any, ...]:
    """What the cost of a run with phases depends on, beside its chip."""
    return (spec.phases, spec.data, spec.epochs, spec.label_fraction) if is_phased(spec) else ()
