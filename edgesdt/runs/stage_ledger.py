"""What the stages of a run cost: each is priced by its own design, on the one chip that is built for all of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from edgesdt.pricing import bill
from edgesdt.rules.course import added
from edgesdt.rules.protocol import Counts
from edgesdt.runs.phases import Course, Epoch
from edgesdt.spec import Spec
from edgesdt.spec.stages import stages
from hw_models.technology import Technology


def difference(now: Counts, before: Counts) -> Counts:
    """The actions since `before`."""
    return {name: count - before.get(name, 0) for name, count in now.items()}


def parts_of(epoch: Epoch, counts: Sequence[Counts]) -> list[dict[str, Any]]:
    """The actions of each part of an epoch, of the counts of every stage of the run."""
    return [{"stage": stage.index, "counts": counts[stage.index]} for stage in epoch.stages]


def forgetting(accuracies: Sequence[Mapping[str, Mapping[str, float]]]) -> dict[str, dict[str, float]]:
    """Stream → read-out → its best accuracy after a phase, less that after the last; 0 where the last is the best.

    Chaudhry et al., ECCV 2018, for a stream that is learned in one of several phases.
    """
    last = accuracies[-1]
    return {
        stream: {name: max(each[stream][name] for each in accuracies) - value for name, value in found.items()}
        for stream, found in last.items()
    }


class StageLedger:
    """Prices of the stages of `spec`, with its memory map and technology table."""

    def __init__(self, spec: Spec, memory: Mapping[str, Any], tech: Technology) -> None:
        self.spec, self.memory, self.tech, self.stages = spec, memory, tech, stages(spec)

    def energy_j(self, counts: Sequence[Counts]) -> float:
        """Joules of the counts of each stage."""
        made = bill.of_stages(self.spec, counts, self.memory, self.tech)
        return sum(made.energy_j.values())

    def phases(self, course: Course, found: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """The record's `phases`, from what the run noted of each."""
        return [self._phase(course, number, phase) for number, phase in enumerate(found)]

    def _phase(self, course: Course, number: int, phase: Mapping[str, Any]) -> dict[str, Any]:
        parts = [self._part(course, part, phase["epochs"]) for part in phase["parts"]]
        samples = sum(part["samples"] for part in parts)
        energy = sum(part["energy_j"] for part in parts)
        latency = sum(part["latency_s"] for part in parts)
        first = sum(course.samples(epoch) for epoch in course.epochs if epoch.phase < number)
        return {
            "name": phase["name"],
            "epochs": phase["epochs"],
            "samples": samples,
            "after_samples": first + samples,
            "accuracy": phase.get("accuracy", {}),
            "energy_j": energy,
            "latency_s": latency,
            "energy_per_sample_j": energy / max(samples, 1),
            "counts": added([part["counts"] for part in parts]),
            "parts": parts,
        }

    def _part(self, course: Course, part: Mapping[str, Any], epochs: int) -> dict[str, Any]:
        stage = self.stages[part["stage"]]
        made = bill.bill(stage.spec, part["counts"], self.memory, self.tech, self.spec)
        each = len(course.learned(stage)) * stage.part.passes
        return {
            "stage": stage.index,
            "which": stage.samples,
            "stream": course.streams.of(stage).name,
            "target": stage.spec.learning.target,
            "samples": each * epochs,
            "energy_j": sum(made.energy_j.values()),
            "latency_s": sum(made.latency_s.values()),
            "counts": dict(part["counts"]),
        }
