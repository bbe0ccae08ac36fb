"""The replay buffer: labelled samples that the chip keeps, so that phases learn them again without a link to outside.

Its arrays are in the memory map. A sample that is kept is written once; one that is learned again is read, which costs
beside what the rule does with every sample. Streamed samples cost nothing here.
"""

from __future__ import annotations

from dataclasses import replace

from edgesdt.ledger.memory import Array
from edgesdt.ledger.recipes import Access, Action, Design
from edgesdt.qformat import QFormat
from edgesdt.spec import Spec
from edgesdt.spec.stages import Stage, stages

SAMPLES, LABELS = "replay_samples", "replay_labels"
READ, WRITE = "replay_read", "replay_write"
MEANING = {
    READ: "an input of a kept sample, or its label, read from the replay buffer",
    WRITE: "an input of a sample, or its label, kept in the replay buffer",
}


def is_kept(spec: Spec) -> bool:
    """Whether the chip has a replay buffer."""
    return spec.chip.replay == "buffer" and spec.data.labels is not None


def is_replayed(stage: Stage, spec: Spec) -> bool:
    """Whether a stage learns from the replay buffer: labelled samples of the run's own data set, as they are."""
    return is_kept(spec) and stage.samples == "labelled" and stage.part.set is None and stage.part.transform is None


def classes(spec: Spec) -> int:
    """Classes that a kept label tells apart."""
    from edgesdt.rules.lookup import rule_of

    labelled = [stage.spec for stage in stages(spec) if stage.spec.learning.target == "label"]
    return rule_of(spec).classes(labelled[0]) if labelled else 2


def arrays(spec: Spec) -> tuple[Array, ...]:
    """The kept samples and their labels; none without a buffer."""
    labels = spec.data.labels
    if not is_kept(spec) or labels is None:
        return ()
    code = QFormat(spec.encoder.bits, spec.encoder.bits, signed=False)
    wide = max(1, (classes(spec) - 1).bit_length())
    return (
        Array(SAMPLES, (labels.count, spec.chip.layers[0]), str(code), code.bits, "samples"),
        Array(LABELS, (labels.count,), "index", wide, "labels"),
    )


def with_buffer(spec: Spec, design: Design) -> Design:
    """`design` with the accesses to the buffer; as it is without one."""
    if not is_kept(spec):
        return design
    access = Access(spec.encoder.bits, ("replay",), kind="buffers")
    made = tuple(Action(name, MEANING[name], "replay buffer", (access,)) for name in (READ, WRITE))
    return replace(design, actions=design.actions + made)


def reads(spec: Spec, samples: int) -> dict[str, int]:
    """Actions of learning `samples` from the buffer."""
    return {READ: samples * (spec.chip.layers[0] + 1)}


def writes(spec: Spec) -> dict[str, int]:
    """Actions of keeping all labelled samples once."""
    labels = spec.data.labels
    return {WRITE: labels.count * (spec.chip.layers[0] + 1)} if is_kept(spec) and labels is not None else {}
