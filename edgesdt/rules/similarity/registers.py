"""Every real-valued constant of a spec as the register that the chip holds, and the value that is really used."""

from __future__ import annotations

from collections.abc import Iterator

from edgesdt.qformat import LEAST, Scale
from edgesdt.rules.schedule import PEAK, factor, rates_beyond
from edgesdt.rules.similarity.settings import settings
from edgesdt.spec import Spec
from edgesdt.spec.checks.held import too_small
from edgesdt.spec.checks.hints import Path
from edgesdt.spec.text.source import Fault

GAIN_BITS = 24
"""Width of a gain, unsigned, 1 … 2: all but one bit lie below the point."""
ONE = 1 << (GAIN_BITS - 1)
"""The gain of 1."""
RATIO_BITS = 16
"""Bits below the point of the ratio of two gains."""
RECIPROCAL_BITS = 16
"""Width of the mantissa of a reciprocal."""
FASTEST = 0.5
"""The largest share of a weight that a sample replaces."""
MOST_LEFT = 12
"""The longest shift left of a sum that still fits 64 bits."""


def feed_rate(spec: Spec, layer: int, epoch: int) -> Scale:
    """The register `2·lr` of weight layer `layer` in `epoch` (0-based)."""
    return Scale.nearest(2 * spec.learning.learning_rate[layer] * factor(spec, epoch), spec.chip.constants.bits)


def lateral_rate(spec: Spec, layer: int, epoch: int) -> Scale:
    """The register `lr / tau` of the lateral weights behind weight layer `layer`, of the rate that is really used."""
    used = feed_rate(spec, layer, epoch).value / 2
    return Scale.nearest(used / settings(spec).tau, spec.chip.constants.bits)


def growth(spec: Spec, rate: Scale) -> Scale:
    """The register `rate / (1 − rate)`: what a gain grows by in a sample, per gain."""
    return Scale.nearest(rate.value / (1.0 - rate.value), spec.chip.constants.bits)


def dt(spec: Spec) -> Scale:
    """The register of the damped step."""
    return Scale.nearest(settings(spec).settling.dt, spec.chip.constants.bits)


def label_rate(spec: Spec) -> Scale:
    """The register of the step of a label vector."""
    return Scale.nearest(settings(spec).labels.rate, spec.chip.constants.bits)


def mantissa(held: Scale, bits: int) -> Scale:
    """The same constant with a mantissa of exactly `bits` bits; 0 as it is."""
    room = bits - held.multiplier.bit_length() if held.multiplier else 0
    return Scale(held.multiplier << room, held.shift + room)


def used_rates(spec: Spec, epoch: int) -> list[float]:
    """The learning rates really used in `epoch`, one per weight layer."""
    return [feed_rate(spec, layer, epoch).value / 2 for layer in range(len(spec.chip.layers) - 1)]


def held(spec: Spec) -> dict[str, tuple[float | list[float], str]]:
    """Dotted path → (value really used, its register in words), for every constant that is rounded."""
    learning = settings(spec)
    layers = range(len(spec.chip.layers) - 1)
    words = ", ".join(f"2 lr = {feed_rate(spec, k, PEAK)}, lr/tau = {lateral_rate(spec, k, PEAK)}" for k in layers)
    found: dict[str, tuple[float | list[float], str]] = {
        "learning.learning_rate": (used_rates(spec, PEAK), f"first epoch, {words}")
    }
    if learning.settling.solver == "damped":
        found["learning.settling.dt"] = (dt(spec).value, str(dt(spec)))
    if learning.target == "label":
        found["learning.labels.rate"] = (label_rate(spec).value, str(label_rate(spec)))
    return found


def beyond(spec: Spec) -> Iterator[Fault]:
    """A fault for every constant that its register cannot hold, or that is too fast for a gain."""
    bits, learning = spec.chip.constants.bits, settings(spec)
    yield from rates_beyond(spec, lambda rate: Scale.nearest(2 * rate, bits).value / 2, LEAST / 2)
    most = FASTEST / max(2.0, 1.0 / learning.tau)
    for layer, rate in enumerate(learning.learning_rate):
        path: Path = ("learning", "learning_rate", layer)
        if rate > most:
            text = f"too fast: {rate:g}, allowed: up to {most:g} (2 lr and lr/tau are at most {FASTEST:g})"
            yield Fault(path, text, blame=(path, path[:2], ("learning", "tau")))
        elif feed_rate(spec, layer, PEAK).multiplier and not lateral_rate(spec, layer, PEAK).multiplier:
            text = f"lr / tau is held as 0, allowed: less than {rate / LEAST:.3g}"
            yield Fault(("learning", "tau"), text, blame=(("learning", "tau"), path, path[:2]))
    for name, register in (("settling.dt", dt(spec)), ("labels.rate", label_rate(spec))):
        section, key = name.split(".")
        place: Path = ("learning", section, key)
        if register.multiplier == 0:
            yield Fault(place, too_small(getattr(getattr(learning, section), key), LEAST), blame=(place, place[:2]))
