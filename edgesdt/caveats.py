"""What the figures of a record leave out, as sentences beside them: `record`, `preview` and `report` show them.

Reads plain mappings only, so that old records, which lack some keys, say nothing rather than something wrong.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

UNPRICED: Final = ("cells", "pulses", "drivers")
"""What has no price without electrical conditions: neither joules, nor seconds, nor mm²."""


def not_priced(technology: object) -> list[str]:
    """What the record's `technology` says was not priced, in one sentence; nothing where all was."""
    missing = technology.get("not_priced") if isinstance(technology, Mapping) else None
    if not isinstance(missing, list | tuple) or not missing:
        return []
    *most, last = map(str, missing)
    named = f"{', '.join(most)} and {last}" if most else last
    return [f"{named} are not priced: the model states no electrical conditions (drive:)"]


def of_prices(priced: Mapping[str, Any]) -> list[str]:
    """What to know about the prices of a record, or of anything else with its `technology`."""
    return not_priced(priced.get("technology"))
