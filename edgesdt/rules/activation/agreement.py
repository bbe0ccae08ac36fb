"""What fields of the rule and of the chip must agree on: formats that hold what is put into them, labels that fit."""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil, floor

from edgesdt.rules.activation import registers
from edgesdt.rules.activation.settings import FACTOR_BITS, MEAN_BITS, SCORE_BITS, settings
from edgesdt.spec import Spec
from edgesdt.spec.checks.hints import Path
from edgesdt.spec.text.source import Fault

MOST_STATE_BITS = 15
"""A signal has a sign beside, and lies in a word of 16 bits."""
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
    yield from registers.beyond(spec)


def _labels(spec: Spec) -> Iterator[Fault]:
    """A label unit's signal 1 / √copies must be a code of the format, and not 0."""
    learning, code = settings(spec), registers.label_code(spec)
    most, one = (1 << spec.chip.states.bits) - 1, 2.0**learning.frac_bits
    if 0 < code <= most:
        return
    fewest, highest = ceil((one / (most + 0.5)) ** 2 + 1e-9), floor((2 * one) ** 2)
    text = (
        f"{learning.label.copies} units of a class have a signal of {learning.label.copies**-0.5:.4g} each, a code of "
        f"{code} of {most}, allowed: {fewest}..{min(highest, 4096)} (or other learning.frac_bits, chip.states.bits)"
    )
    yield _fault(text, "learning", "label", "copies")


def _columns(spec: Spec) -> Iterator[Fault]:
    """The factor of a column keeps no more bits than an output has, and holds the largest output."""
    learning = settings(spec)
    most = min(learning.frac_bits, learning.frac_bits - spec.chip.states.bits + FACTOR_BITS - 1)
    if learning.column_bits > most:
        allowed = f"0..{most}" if most >= 0 else "fewer chip.states.bits, or more learning.frac_bits"
        text = f"a factor of {FACTOR_BITS} bits does not hold the largest output: {learning.column_bits}"
        yield _fault(f"{text}, allowed: {allowed}", "learning", "column_bits")


def _fault(text: str, *path: str) -> Fault:
    return Fault(path, text, blame=(path, path[:2], path[:1], _RULE))
