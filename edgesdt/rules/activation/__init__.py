"""Activation learning by local competition, in integers: layers reconstruct their input, image and label together."""

from __future__ import annotations

from collections.abc import Iterator

from edgesdt.rules.activation import registers
from edgesdt.rules.activation.settings import Settings, settings
from edgesdt.rules.protocol import Learner, Rule
from edgesdt.spec import Spec


def _build(spec: Spec) -> Learner:
    from edgesdt.rules.activation.rule import ActivationLearning

    return ActivationLearning(spec)


RULE = Rule(
    name="activation",
    summary="activation learning: layers compete to reconstruct image and label; the label with the most activation wins",
    source="Zhou, Activation learning by local competitions, arXiv 2209.13400 (2022)",
    targets=("label",),
    readouts=("output",),
    synapses=("digital",),
    settings=Settings,
    arrays=lambda spec: (),
    design=None,
    held=registers.held,
    rates=registers.used_rates,
    expected=None,
    observed=None,
    outputs=lambda spec: settings(spec).label.classes,
    outputs_in="learning.label.classes",
    output_bits=lambda spec: 16,
    build=_build,
)
