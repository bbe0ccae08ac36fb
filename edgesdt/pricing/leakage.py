"""Static power by component, for as long as the chip has power; `bill` multiplies it by the time.

The leakage of memories is proportional to their bits, that of logic to its area, and that of the line drivers of an
array to the width of their transistors (`hw_models.periphery.drivers`). The static power of converters is part of their
conversions. Cells do not leak.
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
    """Static power [W] by component, with the names of the areas; components without leakage are left out.

    `shares` gives, by kind of array, the share of time for which memories in banks are awake; without it they are
    always awake.
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
