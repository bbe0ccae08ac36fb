"""Sentences about costs that the figures of a record leave out; `record`, `preview` and `report` show them.

It reads plain mappings only; for old records that lack some keys it returns no sentence instead of a wrong one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

UNPRICED: Final = ("cells", "pulses", "drivers")
"""Parts that have no price (joules, seconds, mm²) without electrical conditions."""

PRICED: Final = ("energy_j", "latency_s", "area_mm2")
"""Sections of a record that are incomplete if a part has no price."""

OF_TIME: Final = ("drift", "retention", "flicker_noise")
"""Switches of a device model for effects that change cells at rest."""


def not_priced(technology: object) -> list[str]:
    """One sentence on the parts that the record's `technology` lists as not priced; empty if all parts were priced."""
    missing = technology.get("not_priced") if isinstance(technology, Mapping) else None
    if not isinstance(missing, list | tuple) or not missing:
        return []
    *most, last = map(str, missing)
    named = f"{', '.join(most)} and {last}" if most else last
    return [f"{named} are not priced: the model states no electrical conditions (drive:)"]


def whole(record: Mapping[str, Any], path: str) -> bool:
    """Whether the figure at a dotted path of a record includes all parts; otherwise it is a lower bound."""
    return path.partition(".")[0] not in PRICED or not not_priced(record.get("technology"))


def of_prices(priced: Mapping[str, Any]) -> list[str]:
    """Sentences about the prices of a record, or of another mapping with a `technology` section."""
    return not_priced(priced.get("technology"))


def of_rest(record: Mapping[str, Any]) -> list[str]:
    """Sentences on why the accuracies after a rest show no change, if the model of the cells has no drift."""
    device, spec = record.get("device"), record.get("spec")
    known = device.get("non_idealities") if isinstance(device, Mapping) else None
    if not record.get("deployment") or not isinstance(known, list | tuple) or set(OF_TIME) & set(map(str, known)):
        return []
    asked = spec.get("device") if isinstance(spec, Mapping) else None
    off = asked.get("off") if isinstance(asked, Mapping) else None
    ended = [name for name in OF_TIME if isinstance(off, list | tuple) and name in off]
    if ended:
        return [f"the cells do not change at rest: {' and '.join(ended)} switched off (device.off)"]
    return ["this model has no drift, so these accuracies say nothing about its retention"]
