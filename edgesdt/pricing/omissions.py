"""What the figures of a record leave out, as sentences beside them: `record`, `preview` and `report` show them.

Reads plain mappings only, so that old records, which lack some keys, say nothing rather than something wrong.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

UNPRICED: Final = ("cells", "pulses", "drivers")
"""What has no price without electrical conditions: neither joules, nor seconds, nor mm²."""

PRICED: Final = ("energy_j", "latency_s", "area_mm2")
"""Sections of a record that are not whole where something has no price."""

OF_TIME: Final = ("drift", "retention", "flicker_noise")
"""Switches of a device model by which cells at rest change."""


def not_priced(technology: object) -> list[str]:
    """What the record's `technology` says was not priced, in one sentence; nothing where all was."""
    missing = technology.get("not_priced") if isinstance(technology, Mapping) else None
    if not isinstance(missing, list | tuple) or not missing:
        return []
    *most, last = map(str, missing)
    named = f"{', '.join(most)} and {last}" if most else last
    return [f"{named} are not priced: the model states no electrical conditions (drive:)"]


def whole(record: Mapping[str, Any], path: str) -> bool:
    """Whether the figure at a dotted path of a record has all its parts; what lacks some is a lower bound, no more."""
    return path.partition(".")[0] not in PRICED or not not_priced(record.get("technology"))


def of_prices(priced: Mapping[str, Any]) -> list[str]:
    """What to know about the prices of a record, or of anything else with its `technology`."""
    return not_priced(priced.get("technology"))


def of_rest(record: Mapping[str, Any]) -> list[str]:
    """Why the accuracies after a rest are those of no rest, where the model of the cells knows no time."""
    device, spec = record.get("device"), record.get("spec")
    known = device.get("non_idealities") if isinstance(device, Mapping) else None
    if not record.get("deployment") or not isinstance(known, list | tuple) or set(OF_TIME) & set(map(str, known)):
        return []
    asked = spec.get("device") if isinstance(spec, Mapping) else None
    off = asked.get("off") if isinstance(asked, Mapping) else None
    ended = [name for name in OF_TIME if isinstance(off, list | tuple) and name in off]
    if ended:
        return [f"the cells do not change at rest: {' and '.join(ended)} switched off (device.off)"]
    return ["this model does not drift: not modelled, so these accuracies say nothing of its retention"]
