"""The texts of the report: labels for keys, and numbers with their units."""

from __future__ import annotations

import json
import math
from datetime import datetime, timedelta
from typing import Any

from edgesdt import registry
from edgesdt.report.files.folders import number
from edgesdt.units import format_area, format_count, format_energy, format_si, format_size, format_time

ABSENT = "\N{EN DASH}"
AT_LEAST = "\N{GREATER-THAN OR EQUAL TO} "  # precedes a figure that is a lower bound, because parts have no price

READOUTS = registry.ACCURACIES
_CAPITALS = {
    "mac": "MAC",
    "macs": "MACs",
    "sram": "SRAM",
    "dram": "DRAM",
    "lfsr": "LFSR",
    "adc": "ADC",
    "dac": "DAC",
}
_CAPITALS |= {"rng": "RNG", "io": "I/O", "url": "URL", "wta": "WTA", "alu": "ALU"}
_LABELS = {"writes_total": "writes in all", "writes_per_cell_max": "writes to the busiest cell"}
_LABELS |= {"train_samples_per_s": "training samples", "inference_samples_per_s": "inferences"}
_SUFFIXED = ("_bits", "_mm2", "_ohm", "_per_s", "_hz", "_nm", "_j", "_s", "_v", "_w")


def label(key: str) -> str:
    """`sram_weight_read` → `SRAM weight read`; unit suffixes are dropped because the value has its unit."""
    if key in _LABELS:
        return _LABELS[key]
    for suffix in _SUFFIXED:
        if key.endswith(suffix) and len(key) > len(suffix):
            key = key.removesuffix(suffix)
            break
    return " ".join(_CAPITALS.get(word, word) for word in key.replace(".", " ").split("_") if word)


def readout(key: str) -> str:
    """The label of a read-out; `untrained_` is a suffix of the label."""
    bare = key.removeprefix("untrained_")
    text = READOUTS.get(bare) or label(bare)
    return text if bare == key else f"{text}, untrained"


def percent(fraction: float | None, samples: int | None = None) -> str:
    """A fraction as per cent; one decimal below 1,000 samples, where a second decimal would be noise."""
    if fraction is None:
        return ABSENT
    return f"{100 * fraction:.{1 if samples is not None and samples < 1000 else 2}f} %"


def share(part: float, whole: float) -> str:
    """A part of a whole as per cent; `< 0.1 %` for a small nonzero part."""
    if whole <= 0:
        return ABSENT
    value = 100 * part / whole
    return "< 0.1 %" if 0 < value < 0.1 else f"{value:.1f} %"


def interval(fraction: float | None, samples: int | None) -> str:
    """The 95 % Wilson score interval of an accuracy on `samples` samples (Wilson, JASA 22 (1927) 209)."""
    if fraction is None or not samples:
        return ABSENT
    z = 1.959964
    centre = (fraction + z * z / (2 * samples)) / (1 + z * z / samples)
    spread = fraction * (1 - fraction) / samples + z * z / (4 * samples * samples)
    half = z / (1 + z * z / samples) * math.sqrt(max(spread, 0.0))
    return f"{100 * max(centre - half, 0):.1f} to {100 * min(centre + half, 1):.1f} %"


def energy(value: object) -> str:
    """Joules with a prefix, or the sign for absent."""
    found = number(value)
    return ABSENT if found is None else format_energy(found)


def time(value: object) -> str:
    """Seconds with a prefix, or the sign for absent."""
    found = number(value)
    return ABSENT if found is None else format_time(found)


def area(value: object) -> str:
    """Square millimetres, or the sign for absent."""
    found = number(value)
    return ABSENT if found is None else format_area(found)


def size(bits: object) -> str:
    """Bits as bytes, KiB or MiB, or the sign for absent."""
    found = number(bits)
    return ABSENT if found is None else format_size(round(found))


def count(value: object) -> str:
    """A count for display: in full below a million, then with a prefix; or the sign for absent."""
    found = number(value)
    if found is None:
        return ABSENT
    return format_count(int(found) if found == int(found) else found)


def exact(value: object) -> str:
    """A whole number with every digit, or the sign for absent."""
    found = number(value)
    return ABSENT if found is None else f"{value:,}" if isinstance(value, int) else count(value)


def moment(stamp: object) -> str:
    """An ISO 8601 time stamp to the second, with UTC named; any other text unchanged."""
    try:
        when = datetime.fromisoformat(str(stamp))
    except ValueError:
        return str(stamp)
    zone = " UTC" if when.utcoffset() == timedelta(0) else f" {when:%z}".rstrip()
    return f"{when:%Y-%m-%d %H:%M:%S}{zone}"


def quantity(key: str, value: Any) -> str:
    """A record's value in the unit of its key's suffix; any other value as plain text."""
    found = number(value)
    if value is None:
        return ABSENT
    if isinstance(value, bool):
        return "yes" if value else "no"
    if found is None:
        return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    by_suffix = {"_bits": size, "_mm2": area, "_j": energy}
    for suffix, form in by_suffix.items():
        if key.endswith(suffix):
            return form(found)
    if key.endswith("_per_s"):
        return f"{count(round(found) if found >= 100 else found)} /s"
    if key.endswith("_s"):
        return time(found)
    for suffix, unit in {"_hz": "Hz", "_v": "V", "_ohm": "Ω", "_w": "W"}.items():
        if key.endswith(suffix):
            return format_si(found, unit)
    if key.endswith("_nm"):
        return f"{found:.4g} nm"
    return count(value) if found == int(found) and abs(found) < 1e15 else f"{found:.4g}"
