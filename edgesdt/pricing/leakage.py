"""Static power by component: what leaks for as long as the chip has power; `energy` multiplies it by the time.

Memories leak by their bits, logic by its area, the drivers of an array's lines by the width of their transistors
(`hw_models.periphery.drivers`). Converters draw what their conversions cost, static power included, and cells nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from edgesdt.pricing import banks, cells
from edgesdt.spec import Spec, layers
from hw_models.technology import Technology

DRIVERS = "drivers"


def of_rest(memory: Mapping[str, Any], area: Mapping[str, float], tech: Technology) -> float:
    """Static power [W] of all memories and of the logic area."""
    return tech.sram_leakage_w(memory["used_bits"]) + tech.logic_leakage_w(sum(_logic(area).values()))


def total_w(spec: Spec, memory: Mapping[str, Any], area: Mapping[str, float], tech: Technology) -> float:
    """Static power [W] of the whole chip, array drivers included, every bank awake."""
    if spec.chip.memory.organised:
        return sum(by_component(spec, memory, area, tech).values())
    return of_rest(memory, area, tech) + _drivers_w(spec, tech)


def by_component(
    spec: Spec,
    memory: Mapping[str, Any],
    area: Mapping[str, float],
    tech: Technology,
    shares: Mapping[str, float] | None = None,
) -> dict[str, float]:
    """The same [W] by component, named as their areas are; what does not leak is left out.

    Memories in banks are awake for the share of the time in `shares` (by kind of array), or always without it.
    """
    held = banks.held(spec, memory)
    weights = sum(int(a["bits"]) for a in memory["arrays"] if a["name"].startswith("weights"))
    weights = weights if layers.in_memory(spec) and "weights" not in held else 0
    others = memory["used_bits"] - weights - sum(own.used_bits for own in held.values())
    parts = {
        "weight memory": tech.sram_leakage_w(weights),
        "other memory": tech.sram_leakage_w(others),
        **banks.leakage_w(held, tech, shares),
        **{name: tech.logic_leakage_w(mm2) for name, mm2 in _logic(area).items()},
        DRIVERS: _drivers_w(spec, tech),
    }
    return {name: watts for name, watts in parts.items() if watts}


def _logic(area: Mapping[str, float]) -> dict[str, float]:
    return {n: mm2 for n, mm2 in area.items() if "memory" not in n and n not in cells.ANALOG_AREAS}


def _drivers_w(spec: Spec, tech: Technology) -> float:
    return 0.0 if spec.device.digital else cells.static_w(spec, tech)
