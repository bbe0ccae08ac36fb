"""Backpropagation with a self-defined target or a label, in integers: global, two-way, keeps activations and errors."""

from __future__ import annotations

from collections.abc import Iterator

from edgesdt.rules.activity import Activity, Seen, in_words
from edgesdt.rules.backprop import registers
from edgesdt.rules.backprop.ledger.design import design
from edgesdt.rules.backprop.ledger.memory import memory
from edgesdt.rules.backprop.settings import Settings
from edgesdt.rules.protocol import Counts, Learner, Rule
from edgesdt.spec import Spec
from edgesdt.spec.schema.learning import Schedule
from edgesdt.spec.text.source import Fault


def _expected(spec: Spec, learning: bool, activity: Activity) -> Counts:
    from edgesdt.rules.backprop.ledger import (
        cell_counts,
        counts,  # event tables come with the compiler
    )

    predicted = counts.predicted if spec.device.digital else cell_counts.predicted
    return predicted(spec, learning, activity)


def _observed(spec: Spec, trained: Seen, inferred: Seen, source: str) -> Activity:
    from edgesdt.rules.backprop.ledger.activity import observed

    return observed(spec, trained, inferred, source)


def _cautions(spec: Spec) -> list[str]:
    from edgesdt.rules import converter_range  # with the plan comes the compiler

    return converter_range.warnings(spec)


def _build(spec: Spec) -> Learner:
    from edgesdt.rules.backprop.rule import Backprop

    return Backprop(spec)


def _disagreements(spec: Spec) -> Iterator[Fault]:
    """States take no random word; constants fit their registers."""
    rounding = ("chip", "states", "rounding")
    if spec.chip.states.rounding == "stochastic":
        text = "'stochastic' with rule backprop, allowed: nearest, floor (its states draw no random words)"
        yield Fault(rounding, text, blame=(rounding, ("learning", "rule"), ("chip",)))
    yield from registers.beyond(spec)


RULE = Rule(
    name="backprop",
    summary="backpropagation: forward, pick or take a target, send errors back, move each layer by an outer product",
    source="Rumelhart, Hinton & Williams, Nature 323 (1986) 533; Liu et al., Neuromorph. Comput. Eng. 4 (2024) 044005",
    targets=("self_defined", "label", "mixed"),
    readouts=("direct", "linear", "output"),
    synapses=("digital", "cells"),
    settings=Settings,
    arrays=memory,
    design=design,
    held=registers.held,
    rates=registers.used_rates,
    expected=_expected,
    observed=_observed,
    in_words=in_words,
    disagreements=_disagreements,
    cautions=_cautions,
    hidden_bits=True,
    costless={"learning_rate": (), "label_smoothing": 0.0, "schedule": Schedule()},
    between_phases=(
        "target", "learning_rate", "schedule", "winners", "label_smoothing", "dropout", "homeostasis.gamma",
        "homeostasis.eta", "homeostasis.reset", "consolidation",
    ),
    build=_build,
)
