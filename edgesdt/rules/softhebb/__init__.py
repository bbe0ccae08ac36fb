"""SoftHebb in integers: a soft winner-take-all moves winners towards a sample and losers away, without a target."""

from __future__ import annotations

from collections.abc import Sequence

from edgesdt.rules.activity import Activity, Seen
from edgesdt.rules.protocol import Counts, Learner, Rule
from edgesdt.rules.softhebb import agreement, registers
from edgesdt.rules.softhebb.ledger.design import design
from edgesdt.rules.softhebb.ledger.memory import memory
from edgesdt.rules.softhebb.settings import Settings
from edgesdt.spec import Spec
from edgesdt.spec.schema.learning import Schedule


def _expected(spec: Spec, learning: bool, activity: Activity) -> Counts:
    from edgesdt.rules.softhebb.ledger import (
        cell_counts,
        expected,  # event tables come with the compiler
    )

    predicted = expected.predicted if spec.device.digital else cell_counts.predicted
    return predicted(spec, learning, activity)


def _observed(spec: Spec, trained: Seen, inferred: Seen, source: str) -> Activity:
    from edgesdt.rules.softhebb.ledger.expected import observed

    return observed(spec, trained, inferred, source)


def _in_words(activity: Activity, sizes: Sequence[int]) -> str:
    from edgesdt.rules.softhebb.ledger.expected import in_words

    return in_words(activity, tuple(sizes))


def _cautions(spec: Spec) -> list[str]:
    from edgesdt.rules import converter_range  # with the plan comes the compiler

    return [*agreement.cautions(spec), *converter_range.warnings(spec)]


def _build(spec: Spec) -> Learner:
    from edgesdt.rules.softhebb.rule import SoftHebb

    return SoftHebb(spec)


RULE = Rule(
    name="softhebb",
    summary="SoftHebb: neurons compete softly for a sample, winners move towards it and losers away from it",
    source="Journé, Garcia Rodriguez, Guo & Moraitis, Hebbian deep learning without feedback, ICLR 2023",
    targets=("none", "label"),
    readouts=("direct", "linear", "output"),
    synapses=("digital", "cells"),
    settings=Settings,
    arrays=memory,
    design=design,
    held=registers.held,
    rates=registers.used_rates,
    expected=_expected,
    observed=_observed,
    in_words=_in_words,
    disagreements=agreement.disagreements,
    cautions=_cautions,
    costless={"learning_rate": (), "sharpness": (12.0,), "schedule": Schedule()},
    between_phases=("learning_rate", "schedule"),
    build=_build,
)
