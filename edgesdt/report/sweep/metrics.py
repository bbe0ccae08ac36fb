"""The metrics of a sweep, accuracy and costs: path in a record, unit and label of each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

from edgesdt.pricing import omissions
from edgesdt.report.drawing import wording
from edgesdt.report.files.folders import number
from edgesdt.report.files.sweeps import Sweep
from edgesdt.report.run import summary


@dataclass(frozen=True)
class Metric:
    """A figure of a run: `path` in its record (whose last suffix is the unit), and whether larger is better."""

    key: str
    path: str
    title: str
    up: bool
    form: Callable[[object], str]
    superlative: str
    step: float = 1.0  # ticks of an axis are round multiples of this

    def of(self, record: Mapping[str, Any]) -> float | None:
        """The figure in a record; None if it is missing or only a lower bound, which cannot be ranked."""
        return self.at_least(record) if omissions.whole(record, self.path) else None

    def at_least(self, record: Mapping[str, Any]) -> float | None:
        """The figure in a record, even if it is only a lower bound; None if it is missing."""
        here: Any = record
        for step in self.path.split("."):
            here = here.get(step) if isinstance(here, Mapping) else None
        if self.path == OWN and isinstance(here, Mapping):
            here = next(iter(here.values()), None)
        return number(here)

    def best(self, values: Sequence[float]) -> float:
        """The best of several values."""
        return max(values) if self.up else min(values)


COSTS = (
    Metric("energy", "energy_j.train_per_sample", "energy per training sample", False, wording.energy, "least"),
    Metric("inference_energy", "energy_j.inference_per_sample", "energy per inference", False, wording.energy, "least"),
    Metric("area", "area_mm2.total", "area", False, wording.area, "smallest"),
    Metric("memory", "memory.used_bits", "memory used", False, wording.size, "least", 8192),
    Metric("latency", "latency_s.train_per_sample", "latency per training sample", False, wording.time, "shortest"),
    Metric(
        "inference_latency", "latency_s.inference_per_sample", "latency per inference", False, wording.time, "shortest"
    ),
)
OWN = "accuracy"
"""Path of the accuracy of a run's own first read-out, as in `edgesdt.spec.sweep.goals`."""
FRONTS = ("energy", "inference_energy", "area", "memory")

@dataclass(frozen=True)
class Metrics:
    """The accuracy metric of a sweep, and its costs."""

    accuracy: Metric
    costs: tuple[Metric, ...] = COSTS

    @property
    def all(self) -> tuple[Metric, ...]:
        """All metrics, the accuracy first."""
        return (self.accuracy, *self.costs)

    def find(self, path: str) -> Metric | None:
        """The metric at a path of the record; None if the path is not a cost or an accuracy."""
        for metric in self.all:
            if path == metric.path:
                return metric
        readout = path.removeprefix("accuracy.")
        return None if readout == path else replace(self.accuracy, key=path, path=path, title=wording.readout(readout))


def accuracy(readout: str, samples: int | None = None) -> Metric:
    """The accuracy of one read-out, a fraction, measured on `samples` samples; of each run's first one if it is empty.
    """

    def form(value: object) -> str:
        return wording.percent(number(value), samples)

    path = f"accuracy.{readout}" if readout else OWN
    return Metric("accuracy", path, "accuracy", True, form, "highest")


def of_sweep(sweep: Sweep) -> Metrics:
    """The metrics of a sweep, with the accuracy of one read-out for all rows.

    This read-out is the first accuracy among the plan's objectives, else the main read-out of most rows. Where the
    plan's objective is the accuracy of each run's own first read-out, so is the metric.
    """
    runs = [sweep.run_of(row) for row in islice((row for row in sweep.rows if row.done), 200)]
    leads = Counter(key for key in map(summary.best_key, runs) if key is not None)
    samples = {summary.samples_tested(run) for run in runs}
    planned = [str(goal.get("path")) for goal in sweep.listed("objectives")]
    asked = [path.removeprefix("accuracy.") for path in planned if path.startswith("accuracy.")]
    if OWN in planned:
        return Metrics(accuracy("", samples.pop() if len(samples) == 1 else None))
    readout = asked[0] if asked else leads.most_common(1)[0][0] if leads else "direct_average"
    return Metrics(accuracy(readout, samples.pop() if len(samples) == 1 else None))
