"""Activation learning by local competition, in integers: layers reconstruct their input, image and label together."""

from __future__ import annotations

from collections.abc import Sequence

from edgesdt.rules.activation import registers
from edgesdt.rules.activation.agreement import cautions, disagreements
from edgesdt.rules.activation.ledger.design import design
from edgesdt.rules.activation.ledger.memory import memory
from edgesdt.rules.activation.settings import Settings, settings
from edgesdt.rules.activity import Activity, Seen
from edgesdt.rules.protocol import Counts, Learner, Pictures, Pixels, Rule
from edgesdt.spec import Spec
from edgesdt.spec.schema.learning import Schedule


def _expected(spec: Spec, learning: bool, activity: Activity) -> Counts:
    from edgesdt.rules.activation.ledger import cell_counts, counts  # event tables come with the compiler

    predicted = counts.predicted if spec.device.digital else cell_counts.predicted
    return predicted(spec, learning, activity)


def _observed(spec: Spec, trained: Seen, inferred: Seen, source: str) -> Activity:
    from edgesdt.rules.activation.ledger.activity import observed

    return observed(spec, trained, inferred, source)


def _in_words(activity: Activity, sizes: Sequence[int]) -> str:
    return (
        f"{activity.source} {activity.inputs:.0%} of the inputs not zero, {activity.pairing[0]:.1%} of the weights of "
        "the first layer reached by an update; a run counts them"
    )


def _pictures(learner: Learner, samples: Pixels, image_shape: tuple[int, ...]) -> Pictures:
    from edgesdt.rules.activation.rule import ActivationLearning

    return learner.pictures(samples, image_shape) if isinstance(learner, ActivationLearning) else {}


def _build(spec: Spec) -> Learner:
    from edgesdt.rules.activation.rule import ActivationLearning

    return ActivationLearning(spec)


RULE = Rule(
    name="activation",
    summary="activation learning: units compete to reconstruct image and label; the label that activates most wins",
    source="Zhou, Activation learning by local competitions, arXiv 2209.13400 (2022)",
    targets=("label",),
    readouts=("activation",),
    synapses=("digital", "cells"),
    settings=Settings,
    arrays=memory,
    design=design,
    held=registers.held,
    rates=registers.used_rates,
    expected=_expected,
    observed=_observed,
    outputs=lambda spec: settings(spec).label.classes,
    output_bits=lambda spec: 16,
    classes=lambda spec: settings(spec).label.classes,
    classes_in="learning.label.classes",
    in_words=_in_words,
    disagreements=disagreements,
    cautions=cautions,
    costless={"learning_rate": (), "schedule": Schedule(), "completions": 0},
    pictures=_pictures,
    between_phases=("learning_rate", "schedule"),
    build=_build,
)
