"""Faults of weights that are read otherwise than they are stored: of the rule, of cells, of their widths."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from edgesdt.spec.checks.hints import Path
from edgesdt.spec.schema.spec import Spec
from edgesdt.spec.text.source import Fault

STORED_BITS: Final = 16
"""The most bits of a stored weight."""
FINEST: Final = 24
"""The most fractional bits of a stored weight."""
_SECTION: Path = ("chip", "weights")


def faults(spec: Spec, supported: bool) -> Iterator[Fault]:
    """Hidden bits, or levels, that the rule (`supported`), the cells or a stored weight cannot have."""
    weights, digital = spec.chip.weights, spec.device.digital
    for name, default in (("hidden_bits", 0), ("levels", "floor")):
        given, path = getattr(weights, name), (*_SECTION, name)
        if given == default:
            continue
        if not supported:
            text = f"{given} with rule {spec.learning.rule}, which reads weights as they are stored, allowed: {default}"
            yield Fault(path, text, blame=(path, ("learning", "rule"), ("chip",)))
        elif not digital:
            text = f"{given} with weights on analog cells, allowed: {default}, or device.model: sram for all layers"
            yield Fault(path, text, blame=(path, ("device", "model"), ("device",), ("chip",)))
    yield from _beyond(spec)


def _beyond(spec: Spec) -> Iterator[Fault]:
    """Widths beyond those of a stored weight or of a code that is read."""
    weights = spec.chip.weights
    bits, hidden, path = weights.bits, weights.hidden_bits, (*_SECTION, "hidden_bits")
    if bits + hidden > STORED_BITS:
        text = f"{hidden} with {bits} bits, a weight stores {STORED_BITS} at most, allowed: 0..{STORED_BITS - bits}"
        yield Fault(path, text, blame=(path, (*_SECTION, "bits"), _SECTION))
    elif hidden and weights.frac_bits != "auto" and weights.frac_bits + hidden > FINEST:
        most = max(FINEST - weights.frac_bits, 0)
        text = f"{hidden} with {weights.frac_bits} fractional bits, allowed: 0..{most} ({FINEST} at most together)"
        yield Fault(path, text, blame=(path, (*_SECTION, "frac_bits"), _SECTION))
    if weights.levels == "odd" and bits == STORED_BITS:
        levels = (*_SECTION, "levels")
        text = f"odd with {bits} bits, allowed: floor, or {STORED_BITS - 1} bits or fewer"
        yield Fault(levels, text, blame=(levels, (*_SECTION, "bits"), _SECTION))
