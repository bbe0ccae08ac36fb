"""Equilibrium propagation with a self-defined target or a label, in integers (Liu et al. 2024)."""

from __future__ import annotations

from edgesdt.rules.activity import Activity, Seen, in_words
from edgesdt.rules.eqprop import registers
from edgesdt.rules.eqprop.ledger.design import design
from edgesdt.rules.eqprop.ledger.memory import memory
from edgesdt.rules.eqprop.settings import Settings
from edgesdt.rules.protocol import Counts, Learner, Rule
from edgesdt.spec import Spec
from edgesdt.spec.schema.learning import Schedule


def _expected(spec: Spec, learning: bool, activity: Activity) -> Counts:
    from edgesdt.rules.eqprop.ledger import (
        cell_counts,
        counts,  # event tables come with the compiler
    )

    predicted = counts.predicted if spec.device.digital else cell_counts.predicted
    return predicted(spec, learning, activity)


def _observed(spec: Spec, trained: Seen, inferred: Seen, source: str) -> Activity:
    from edgesdt.rules.eqprop.ledger.activity import observed

    return observed(spec, trained, inferred, source)


def _cautions(spec: Spec) -> list[str]:
    from edgesdt.rules import converter_range  # with the plan comes the compiler

    return converter_range.warnings(spec)


def _build(spec: Spec) -> Learner:
    from edgesdt.rules.eqprop.rule import EqProp

    return EqProp(spec)


RULE = Rule(
    name="eqprop",
    summary="equilibrium propagation: relax, pick or take a target, nudge to it, move each synapse by a local contrast",
    source="Liu et al., Neuromorph. Comput. Eng. 4 (2024) 044005",
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
    disagreements=registers.beyond,
    cautions=_cautions,
    hidden_bits=True,
    costless={"learning_rate": (), "beta": 1.0, "label_smoothing": 0.0, "schedule": Schedule()},
    between_phases=(
        "target", "learning_rate", "schedule", "winners", "label_smoothing", "dropout", "homeostasis.gamma",
        "homeostasis.eta", "homeostasis.reset", "consolidation", "beta", "beta_sign", "dt", "free_steps",
        "nudged_steps",
    ),
    build=_build,
)
