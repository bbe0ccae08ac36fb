"""Every real-valued constant of a spec as the register that the chip holds, and the value that is really used."""

from __future__ import annotations

from collections.abc import Iterator

from edgesdt.qformat import LEAST, Scale
from edgesdt.rules.activation.settings import settings
from edgesdt.rules.schedule import PEAK, factor, rates_beyond
from edgesdt.spec import Spec
from edgesdt.spec.text.source import Fault

SHARE_BITS = 8
"""Shares of an update are in 2^-8."""


def rate(spec: Spec, layer: int, epoch: int) -> Scale:
    """The learning-rate register of weight layer `layer` in `epoch` (0-based)."""
    return Scale.nearest(spec.learning.learning_rate[layer] * factor(spec, epoch), spec.chip.constants.bits)


def used_rates(spec: Spec, epoch: int) -> list[float]:
    """The learning rates really used in `epoch`, one per weight layer."""
    return [rate(spec, layer, epoch).value for layer in range(len(spec.chip.layers) - 1)]


def label_code(spec: Spec) -> int:
    """The signal of a label unit that is on: 1 / √copies, to nearest."""
    learning = settings(spec)
    return int(learning.label.copies**-0.5 * 2.0**learning.frac_bits + 0.5)


def margin(spec: Spec) -> int:
    """The lead of an activation that is asked for, in LSB of a sum of squares."""
    learning = settings(spec)
    return int(learning.feedback.margin * 4.0**learning.frac_bits + 0.5)


def unlearning(spec: Spec) -> int:
    """The step of the wrong label in 256ths of the right one's."""
    return int(settings(spec).feedback.unlearning * 2**SHARE_BITS + 0.5)


def most(spec: Spec) -> int:
    """The largest share of an update in 256ths: a whole one, or what is left of a share that is divided."""
    feedback = settings(spec).feedback
    return int(feedback.most * 2**SHARE_BITS + 0.5) if feedback.normalise else 2**SHARE_BITS


def beyond(spec: Spec) -> Iterator[Fault]:
    """A fault for every learning rate that its register holds as 0, or that no register makes of a rate in range."""
    bits = spec.chip.constants.bits
    yield from rates_beyond(spec, lambda asked: Scale.nearest(asked, bits).value, LEAST)


def held(spec: Spec) -> dict[str, tuple[float | list[float], str]]:
    """Dotted path → (value really used, its register in words), for every constant that is rounded."""
    learning = settings(spec)
    rates = [rate(spec, layer, PEAK) for layer in range(len(spec.chip.layers) - 1)]
    lead, share, largest = margin(spec), unlearning(spec), most(spec)
    return {
        "learning.learning_rate": (used_rates(spec, PEAK), "first epoch, " + ", ".join(map(str, rates))),
        "learning.feedback.margin": (lead / 4.0**learning.frac_bits, f"{lead}·2^{-2 * learning.frac_bits}"),
        "learning.feedback.unlearning": (share / 2**SHARE_BITS, f"{share}/{2**SHARE_BITS}"),
        **(
            {"learning.feedback.most": (largest / 2**SHARE_BITS, f"{largest}/{2**SHARE_BITS}")}
            if learning.feedback.normalise
            else {}
        ),
    }
