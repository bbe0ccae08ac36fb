"""What fields of the rule and of the chip must agree on: formats that hold what is put into them, labels that fit."""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil, floor, log2, sqrt

from edgesdt.rules.activation import registers
from edgesdt.rules.activation.settings import FACTOR_BITS, MEAN_BITS, SCORE_BITS, by_lines, settings
from edgesdt.spec import Spec, layers
from edgesdt.spec.checks import unused
from edgesdt.spec.checks.hints import Path
from edgesdt.spec.text.source import Fault

MOST_STATE_BITS = 15
"""A signal has a sign beside, and lies in a word of 16 bits."""
MOST_COPIES = 4096
"""Units of a class that `learning.label.copies` allows."""
LEAST_FRAC_BITS = 4
"""Bits below the point that `learning.frac_bits` allows at least."""
_RULE: Path = ("learning", "rule")


def disagreements(spec: Spec) -> Iterator[Fault]:
    """A fault for each width that cannot hold what it must, and for label units that the format cannot show."""
    chip = spec.chip
    if chip.states.rounding == "stochastic":
        text = "'stochastic' with rule activation, allowed: nearest, floor (its outputs draw no random words)"
        yield _fault(text, "chip", "states", "rounding")
    if chip.states.bits > MOST_STATE_BITS:
        text = f"{chip.states.bits} with rule activation, allowed: 4..{MOST_STATE_BITS} (a signal has a sign beside)"
        yield _fault(text, "chip", "states", "bits")
    if chip.weights.frac_bits != "auto" and chip.weights.frac_bits < 0:
        text = f"{chip.weights.frac_bits} with rule activation, allowed: 0..24"
        yield _fault(text, "chip", "weights", "frac_bits")
    needed = max(chip.states.bits + MEAN_BITS + 1, SCORE_BITS)
    if chip.accumulator.bits < needed:
        text = f"{chip.accumulator.bits} with rule activation, allowed: {needed}..32 (magnitudes less their mean)"
        yield _fault(text, "chip", "accumulator", "bits")
    yield from _labels(spec)
    yield from _columns(spec)
    feedback = settings(spec).feedback
    if feedback.enabled and feedback.after >= spec.epochs:
        text = f"{feedback.after} with {spec.epochs} epochs, of which none would have feedback, allowed: "
        yield _fault(f"{text}0..{spec.epochs - 1}", "learning", "feedback", "after")
    if not spec.device.digital:
        yield from _cells(spec)
    yield from registers.beyond(spec)


def _cells(spec: Spec) -> Iterator[Fault]:
    """What layers on cells cannot do: unlearn, and multiply signed codes by pulse trains that coincide."""
    device: Path = ("device",)
    if settings(spec).feedback.enabled:
        path: Path = ("learning", "feedback", "enabled")
        text = "true with weights on cells, allowed: false (unlearning amplifies the chance of pulses)"
        yield Fault(path, text, blame=(path, ("learning", "feedback"), ("device", "model"), device))
    if 0 in layers.on_cells(spec) and layers.device_of(spec, 0).array.programming == "coincidence":
        place: Path = ("device", "layers", "0") if spec.device.layers else device
        path = (*place, "array", "programming")
        text = "'coincidence' with rule activation, allowed: pulses, verify (a train has no sign, an error has)"
        yield Fault(path, text, blame=(path, ("device", "array", "programming"), place, device))


def _labels(spec: Spec) -> Iterator[Fault]:
    """A label unit's signal 1 / √copies must be a code of the format, and not 0."""
    learning, code = settings(spec), registers.label_code(spec)
    most, one = (1 << spec.chip.states.bits) - 1, 2.0**learning.frac_bits
    if 0 < code <= most:
        return
    fewest, highest = ceil((one / (most + 0.5)) ** 2 + 1e-9), min(floor((2 * one) ** 2), MOST_COPIES)
    finest = floor(log2((most + 0.5) * sqrt(learning.label.copies) - 1e-9))
    allowed = f"{fewest}..{highest} (or other learning.frac_bits, chip.states.bits)"
    text = (
        f"{learning.label.copies} units of a class have a signal of {learning.label.copies**-0.5:.4g} each, a code of "
        f"{code} of {most}, allowed: "
    )
    if fewest > highest:
        fewer = f"{LEAST_FRAC_BITS}..{finest} of them with this number, or " if finest >= LEAST_FRAC_BITS else ""
        allowed = f"no number with learning.frac_bits: {learning.frac_bits} ({fewer}more chip.states.bits)"
    yield _fault(text + allowed, "learning", "label", "copies")


def _columns(spec: Spec) -> Iterator[Fault]:
    """The factor of a column, if there is one, keeps no more bits than an output has, and holds the largest output."""
    if not by_lines(spec):
        return
    learning = settings(spec)
    most = min(learning.frac_bits, learning.frac_bits - spec.chip.states.bits + FACTOR_BITS - 1)
    if learning.column_bits > most:
        allowed = f"0..{most}" if most >= 0 else "fewer chip.states.bits, or more learning.frac_bits"
        text = f"a factor of {FACTOR_BITS} bits does not hold the largest output: {learning.column_bits}"
        yield _fault(f"{text}, allowed: {allowed}", "learning", "column_bits")


def _fault(text: str, *path: str) -> Fault:
    return Fault(path, text, blame=(path, path[:2], path[:1], _RULE))


def cautions(spec: Spec) -> list[str]:
    """Fields that the chip has no use for."""
    learning, told = settings(spec), unused.biases(spec)
    feedback = learning.feedback
    if not feedback.enabled:
        names = [name for name in type(feedback).model_fields if name != "enabled"]
        told += unused.fields(
            feedback, "learning.feedback", names, "with feedback.enabled: false, allowed: true with it"
        )
    elif not feedback.normalise:
        why = "with feedback.normalise: false, allowed: true with it"
        told += unused.fields(feedback, "learning.feedback", ["mean_bits", "most"], why)
    if learning.activation != "std_abs":
        why = f"with activation: {learning.activation}, allowed: std_abs with it"
        told += unused.fields(learning.statistics, "learning.statistics", ["share_bits"], why)
    if not by_lines(spec):
        why = "without factors of columns, allowed: draws: lines and chip.weights.rounding: stochastic with it"
        told += unused.fields(learning, "learning", ["column_bits"], why)
    return told
