"""Similarity matching in integers: local Hebbian weights in, anti-Hebbian weights between the neurons of a layer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from edgesdt.rules.activity import Activity, Seen
from edgesdt.rules.protocol import Counts, Learner, Rule
from edgesdt.rules.similarity import registers
from edgesdt.rules.similarity.ledger.design import design
from edgesdt.rules.similarity.ledger.memory import code_bits, code_point, memory
from edgesdt.rules.similarity.settings import Settings, settings
from edgesdt.spec import Spec
from edgesdt.spec.checks import unused
from edgesdt.spec.text.source import Fault

MOST_CODE_BITS = 15
"""Bits of a code that a layer above can take the mean off in 16."""


def _expected(spec: Spec, learning: bool, activity: Activity) -> Counts:
    if spec.device.digital:
        from edgesdt.rules.similarity.ledger import activity as activity_of  # event tables come with the compiler

        return activity_of.predicted(spec, learning, activity)
    from edgesdt.rules.similarity.ledger import cell_counts

    return cell_counts.predicted(spec, learning, activity)


def _observed(spec: Spec, trained: Seen, inferred: Seen, source: str) -> Activity:
    from edgesdt.rules.similarity.ledger.activity import observed

    return observed(spec, trained, inferred, source)


def _in_words(activity: Activity, sizes: Sequence[int]) -> str:
    from edgesdt.rules.similarity.ledger.activity import in_words

    return in_words(activity, sizes)


def _cautions(spec: Spec) -> list[str]:
    from edgesdt.rules import converter_range  # with the plan comes the compiler

    told = _idle(spec)
    if not spec.device.digital:
        told += converter_range.warnings(spec, spec.chip.weights.point + code_point(spec, 0))
    return told


def _idle(spec: Spec) -> list[str]:
    """Fields that the chip has no use for."""
    learning, told = settings(spec), unused.biases(spec)
    if learning.target != "label":
        why = f"with learning.target: {learning.target}, allowed: label with it"
        told += unused.fields(learning.labels, "learning.labels", ["classes", "rate"], why)
    if not learning.centring.enabled:
        why = "with centring.enabled: false, allowed: true with it"
        told += unused.fields(learning.centring, "learning.centring", ["bits", "shift"], why)
    if learning.settling.solver != "damped":
        why = f"with settling.solver: {learning.settling.solver}, allowed: damped with it"
        told += unused.fields(learning.settling, "learning.settling", ["dt"], why)
    return told


def _build(spec: Spec) -> Learner:
    from edgesdt.rules.similarity.rule import Similarity

    return Similarity(spec)


def _disagreements(spec: Spec) -> Iterator[Fault]:
    """One sample at a time; states draw no words; means hold their codes; a layer has its turn; constants fit."""
    learning, chip = settings(spec), spec.chip
    depth = len(chip.layers) - 1
    if learning.batch != 1:
        path = ("learning", "batch")
        yield Fault(path, f"{learning.batch} with rule similarity, allowed: 1 (one sample at a time)", blame=(path,))
    if chip.states.rounding == "stochastic":
        path2 = ("chip", "states", "rounding")
        text = "'stochastic' with rule similarity, allowed: nearest, floor (its states draw no random words)"
        yield Fault(path2, text, blame=(path2, ("learning", "rule"), ("chip",)))
    widest = max(code_bits(spec, k) for k in range(depth))
    if widest > MOST_CODE_BITS:
        path5 = ("chip", "states", "bits")
        text = f"{widest} bits below a layer, allowed: 4..{MOST_CODE_BITS} (a centred code has one more)"
        yield Fault(path5, text, blame=(path5, ("chip", "layers"), ("chip",)))
    if learning.centring.enabled and learning.centring.bits < widest:
        path3 = ("learning", "centring", "bits")
        text = f"narrower than a code: {learning.centring.bits}, allowed: {widest}..24 (encoder.bits, chip.states.bits)"
        yield Fault(path3, text, blame=(path3, ("encoder", "bits"), ("chip", "states", "bits"), ("chip",)))
    if learning.stacking == "greedy" and spec.epochs < depth:
        path4 = ("learning", "stacking")
        text = f"greedy in {spec.epochs} epochs, allowed: together, or epochs: {depth} or more (one a layer)"
        yield Fault(path4, text, blame=(path4, ("epochs",), ("chip", "layers")))
    yield from _lateral(learning)
    if not spec.device.digital:
        yield from _on_cells(spec)
    if chip.weights.frac_bits != "auto":
        yield from _coarse(spec, chip.weights.frac_bits)
    yield from registers.beyond(spec)


def _lateral(learning: Settings) -> Iterator[Fault]:
    """Lateral weights start as the identity, so that their format must hold 1, or the code below it."""
    lateral, path, beside = learning.lateral, ("learning", "lateral", "bits"), ("learning", "lateral", "frac_bits")
    if lateral.frac_bits > lateral.bits:
        held = f"{lateral.bits} with frac_bits: {lateral.frac_bits}"
        text = f"{held} cannot hold 1, with which lateral weights start, allowed: {lateral.frac_bits}..16"
        yield Fault(path, text, blame=(path, beside, path[:2]))


def _on_cells(spec: Spec) -> Iterator[Fault]:
    """What lies on cells is one layer of weights from the inputs, each weight in one cell or one pair."""
    layers, slices, device = ("chip", "layers"), ("device", "array", "slices"), ("device",)
    if len(spec.chip.layers) > 2:
        text = (
            f"{len(spec.chip.layers) - 1} layers of weights with rule similarity on analog cells, allowed: 1 (an array "
            "between layers has no centred codes on its lines), or device.model: sram"
        )
        yield Fault(layers, text, blame=(layers, ("device", "layers"), ("device", "model"), device))
    elif spec.device.array.slices != 1:
        text = f"{spec.device.array.slices} with rule similarity, allowed: 1 (a weight is read back and halved whole)"
        yield Fault(slices, text, blame=(slices, ("device", "array"), device))


def _coarse(spec: Spec, point: int) -> Iterator[Fault]:
    """Sums that would have to be shifted left beyond 64 bits to become residuals."""
    finest = settings(spec).lateral.frac_bits + code_point(spec, 1)
    least = finest - min(code_point(spec, 0), code_point(spec, 1)) - registers.RATIO_BITS - registers.MOST_LEFT
    if point < least:
        path = ("chip", "weights", "frac_bits")
        text = f"too coarse beside learning.lateral.frac_bits: {point}, allowed: {least}..24"
        yield Fault(path, text, blame=(path, ("learning", "lateral", "frac_bits"), ("chip",)))


RULE = Rule(
    name="similarity",
    summary="similarity matching: settle against lateral weights, move both kinds of weights by what is active",
    source="Bahroun, Sridharan, Acharya, Chklovskii & Sengupta, arXiv 2308.02427",
    targets=("none", "label"),
    readouts=("linear", "direct"),
    synapses=("digital", "cells"),
    settings=Settings,
    arrays=memory,
    design=design,
    held=registers.held,
    rates=registers.used_rates,
    expected=_expected,
    observed=_observed,
    classes=lambda spec: settings(spec).labels.classes,
    classes_in="learning.labels.classes",
    in_words=_in_words,
    disagreements=_disagreements,
    cautions=_cautions,
    between_phases=("learning_rate", "schedule"),
    build=_build,
)
