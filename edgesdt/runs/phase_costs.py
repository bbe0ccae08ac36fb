"""What the phases of a run are expected to cost before anything is run: per sample, per phase and in total."""

from __future__ import annotations

from edgesdt import units
from edgesdt.ledger.memory import MemoryMap
from edgesdt.pricing import bill
from edgesdt.rules import replay
from edgesdt.rules.activity import Activity
from edgesdt.rules.lookup import rule_of
from edgesdt.rules.protocol import Counts
from edgesdt.spec import Spec
from edgesdt.spec.stages import Stage, is_phased, samples_of, shares, stages

_SAMPLES = 1000
"""Samples that a rule expects counts of."""


def expected(spec: Spec, activity: Activity) -> list[Counts]:
    """Actions of 1,000 samples of the whole run, apart for each stage: as many of each as its share in the run."""
    found = []
    for stage, share in zip(stages(spec), shares(spec), strict=True):
        counts = of_stage(spec, stage, activity)
        found.append(counts if share == 1.0 else {name: round(count * share) for name, count in counts.items()})
    return found


def expected_inference(spec: Spec, activity: Activity) -> Counts:
    """Actions of 1,000 inferences with the constants of the last stage."""
    counts = rule_of(spec).expected(stages(spec)[-1].spec, False, activity)
    return {**counts, replay.READ: 0, replay.WRITE: 0} if replay.is_kept(spec) else counts


def of_stage(spec: Spec, stage: Stage, activity: Activity) -> Counts:
    """Actions of 1,000 samples of one stage, with the reads of the replay buffer."""
    counts = rule_of(spec).expected(stage.spec, True, activity)
    if not replay.is_kept(spec):
        return counts
    return {**counts, **replay.reads(spec, _SAMPLES if replay.is_replayed(stage, spec) else 0), replay.WRITE: 0}


def lines(spec: Spec, fitted: MemoryMap, activity: Activity) -> list[str]:
    """A line for each part of each phase, and one for the whole run; none for a run without phases."""
    if not is_phased(spec):
        return []
    tech, memory, told, whole = bill.technology(spec), fitted.plain(), ["", "phases"], 0.0
    for stage in stages(spec):
        made = bill.bill(stage.spec, of_stage(spec, stage, activity), memory, tech, spec)
        each, size = sum(made.energy_j.values()) / _SAMPLES, samples_of(spec, stage)
        learned = None if size is None else size * stage.spec.epochs
        whole += each * (learned or 0)
        which = f"{stage.samples} samples" if size is None else f"{units.format_count(size)} {stage.samples} samples"
        cost = "" if learned is None else f", {units.format_energy(each * learned)}"
        told.append(
            f"  {stage.name}: {stage.spec.epochs} epoch{'s' * (stage.spec.epochs > 1)} of {which}{_of(stage)}, target "
            f"{stage.spec.learning.target}: {units.format_energy(each)} per sample{cost}"
        )
    return [*told, f"  whole training {units.format_energy(whole)}"] if whole else told


def _of(stage: Stage) -> str:
    """The other data set of a stage, and that its samples are transformed."""
    other = f" of {stage.part.set}" if stage.part.set else ""
    return other + (", transformed" if stage.part.transform else "")
