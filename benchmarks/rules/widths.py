"""The widest hidden layers whose memory map fits a budget."""

from __future__ import annotations

from collections.abc import Sequence

from edgesdt.errors import EdgesdtError
from edgesdt.rules.lookup import memory_map, rule_of
from edgesdt.spec import Spec, load

MOST = 20_000
"""Neurons of the widest layer that is tried."""


def layers_of(spec: Spec, hidden: int) -> list[int]:
    """The layers of `spec` with `hidden` neurons in every one but the input and, if it holds the classes, the last."""
    layers, rule = list(spec.chip.layers), rule_of(spec)
    by_class = spec.learning.target == "label" and not rule.classes_in
    kept = [layers[-1]] if by_class else []
    return [layers[0], *[hidden] * (len(layers) - 1 - len(kept)), *kept]


def widest(name: str, overrides: Sequence[str], budget: str) -> int:
    """Neurons of the widest hidden layers of the spec that fit `budget`. Raises `EdgesdtError` if not even 10 do.

    As `edgesdt check`: by the memory map of the chip, without building it.
    """
    shape = load(name, overrides)

    def fits(hidden: int) -> bool:
        wide = [*overrides, f"chip.layers={layers_of(shape, hidden)}", f"chip.memory_budget={budget}"]
        found = memory_map(load(name, wide))
        return found.used_bits <= found.budget_bits

    low, high = 10, MOST
    if not fits(low):
        raise EdgesdtError(f"{name}: {low} hidden neurons do not fit {budget}")
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if fits(middle) else (low, middle)
    return low
