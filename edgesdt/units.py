"""Converts text with units such as `256 KiB` or `50 ns` to exact numbers, and numbers to readable text.

Parsing is exact (rational arithmetic, one rounding at the end): `50 ns` is the float `5e-8` everywhere. The spec is
parsed with this module; summaries and reports are printed with it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from fractions import Fraction

from edgesdt.errors import EdgesdtError

_TEN = Fraction(10)
_PREFIXES = {"f": -15, "p": -12, "n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12}
_NUMBER_AND_UNIT = re.compile(
    r"\s*(?P<number>[-+]?(?:[0-9][0-9_]*(?:\.[0-9_]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]{1,3})?)\s*(?P<unit>[^\W\d_]+)?\s*"
)
_LONGEST_TEXT = 64


class UnitError(EdgesdtError, ValueError):
    """A value that is not a quantity of the expected kind.

    `what` says what is wrong, `allowed` what is allowed, and `hint` (may be empty) what was probably meant.
    """

    def __init__(self, what: str, allowed: str, hint: str = "") -> None:
        super().__init__(f"{what}, allowed: {allowed}{hint}")
        self.what, self.allowed, self.hint = what, allowed, hint


@dataclass(frozen=True, eq=False)
class Kind:
    """One kind of quantity: its units as multiples of the base unit, and what a bare number means.

    `written` holds the units that `exact` uses, the largest first.
    """

    name: str
    base: str
    bare: str
    units: Mapping[str, Fraction]
    example: str
    written: tuple[str, ...]


def _si(symbol: str, prefixes: str) -> dict[str, Fraction]:
    """The units `prefix + symbol`; `-` is the plain unit; micro may be `u` or either of its Unicode letters."""
    units = {}
    for prefix in prefixes.replace("-", " "):
        scale = _TEN ** _PREFIXES[prefix.strip()]
        for letter in ("u", "µ", "μ") if prefix == "u" else (prefix.strip(),):
            units[letter + symbol] = scale
    return units


def _sizes() -> dict[str, Fraction]:
    binary = {"Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40, "Pi": 2**50}
    units = {**_si("bit", "-kMG"), **{unit: 8 * scale for unit, scale in _si("B", "-kMG").items()}}
    for prefix, factor in binary.items():
        units[prefix + "bit"] = Fraction(factor)
        units[prefix + "B"] = Fraction(8 * factor)
    return units


# The year is the Julian year of 365.25 days, the month a twelfth of it.
_CALENDAR = {
    "min": 60, "h": 3600, "day": 86400, "days": 86400, "week": 604800, "weeks": 604800, "month": 2629800,
    "months": 2629800, "year": 31557600, "years": 31557600,
}  # fmt: skip

SIZE = Kind("size", "bit", "B", _sizes(), "256 KiB", ("GiB", "MiB", "KiB", "kB", "B", "bit"))
TIME = Kind(
    "time",
    "s",
    "s",
    {**_si("s", "fpnum-"), **{unit: Fraction(seconds) for unit, seconds in _CALENDAR.items()}},
    "50 ns",
    ("h", "min", "s", "ms", "us", "ns", "ps", "fs"),
)
ENERGY = Kind("energy", "J", "J", _si("J", "fpnum-k"), "10 pJ", ("J", "mJ", "uJ", "nJ", "pJ", "fJ"))
VOLTAGE = Kind("voltage", "V", "V", _si("V", "num-k"), "1.6 V", ("V", "mV", "uV"))
RESISTANCE = Kind(
    "resistance",
    "Ohm",
    "Ohm",
    {**_si("Ohm", "m-kMG"), **_si("ohm", "m-kMG"), **_si("Ω", "m-kMG")},
    "100 kOhm",
    ("GOhm", "MOhm", "kOhm", "Ohm", "mOhm"),
)
FREQUENCY = Kind("frequency", "Hz", "Hz", _si("Hz", "m-kMGT"), "100 MHz", ("GHz", "MHz", "kHz", "Hz"))
LENGTH = Kind("length", "m", "m", _si("m", "pnum-k"), "65 nm", ("m", "mm", "um", "nm", "pm"))


def parse(value: object, kind: Kind, bare: str = "") -> Fraction:
    """The exact value, in `kind.base`, of a text `NUMBER UNIT` or a bare number (in `bare` or `kind.bare`).

    Raises `UnitError` for anything else: a text without a unit, an unknown unit, NaN, infinity, a bool.
    """
    like = f"a {kind.name} such as '{kind.example}'"
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise UnitError(f"wrong type: {value!r}", like)
    if not isinstance(value, str):
        if isinstance(value, float) and not math.isfinite(value):
            raise UnitError(f"not a finite number: {value!r}", like)
        return Fraction(value) * kind.units[bare or kind.bare]
    shown = repr(value if len(value) <= _LONGEST_TEXT else value[:_LONGEST_TEXT] + "…")
    match = _NUMBER_AND_UNIT.fullmatch(value) if len(value) <= _LONGEST_TEXT else None
    if match is None:
        raise UnitError(f"not a number followed by a unit: {shown}", like)
    unit = match["unit"]
    known = f"a number and one of {', '.join(unit for unit in kind.units if unit.isascii())}"
    if unit is None:
        raise UnitError(f"no unit: {shown}", known)
    if unit not in kind.units:
        close = _close_units(unit, kind)
        hint = f" (did you mean {' or '.join(map(repr, close))}?)" if close else ""
        raise UnitError(f"unknown unit {unit!r}: {shown}", known, hint)
    return Fraction(match["number"].replace("_", "")) * kind.units[unit]


def parse_size(value: str | int) -> int:
    """Bits (a bare number is bytes), a fraction of a bit rounded down. Raises `UnitError`."""
    return math.floor(parse(value, SIZE))


def parse_time(value: str | int | float) -> float:
    """Seconds; the year is the Julian year of 365.25 days, the month a twelfth of it. Raises `UnitError`."""
    return float(parse(value, TIME))


def parse_energy(value: str | int | float) -> float:
    """Joules. Raises `UnitError`."""
    return float(parse(value, ENERGY))


def parse_voltage(value: str | int | float) -> float:
    """Volts. Raises `UnitError`."""
    return float(parse(value, VOLTAGE))


def parse_resistance(value: str | int | float) -> float:
    """Ohms. Raises `UnitError`."""
    return float(parse(value, RESISTANCE))


def parse_frequency(value: str | int | float) -> float:
    """Hertz. Raises `UnitError`."""
    return float(parse(value, FREQUENCY))


def parse_length(value: str | int | float) -> float:
    """Metres. Raises `UnitError`."""
    return float(parse(value, LENGTH))


def exact(value: int | float, kind: Kind) -> str:
    """Text that `parse` reads back as the same number: a whole number of the largest unit that allows it.

    `value` is in `kind.base`: `exact(2**21, SIZE)` is `256 KiB`, `exact(0.5, FREQUENCY)` is `0.5 Hz`.
    """
    for unit in kind.written:
        whole = round(Fraction(value) / kind.units[unit])
        if 0 < abs(whole) < 10**15 and type(value)(whole * kind.units[unit]) == value:
            return f"{whole} {unit}"
    return f"{value!r} {kind.base}"


def _close_units(unit: str, kind: Kind) -> list[str]:
    """Units that differ only in case or in the binary `i`; else the most similar unit."""
    typed = unit.casefold()
    same = [known for known in kind.units if known.casefold() == typed]
    if same and "i" in typed:
        return same
    alike = [known for known in kind.units if known.casefold().replace("i", "") == typed.replace("i", "")]
    folded = {known.casefold(): known for known in kind.units}
    return alike or [folded[found] for found in get_close_matches(typed, folded, n=1, cutoff=0.7)]


# ---------------------------------------------------------------- for people


def _rounded(value: float) -> str:
    """Four significant digits without trailing zeros; from ten thousand on, whole and grouped."""
    return f"{value:,.0f}" if 9999.5 <= abs(value) < 1e15 else f"{value:.4g}"


def format_si(value: float, unit: str, low: int = -18, high: int = 12) -> str:
    """`value` in `unit` with the SI prefix that leaves 1 to 999.9: `format_si(0.0012, "V")` is `1.2 mV`.

    `low` and `high` bound the powers of ten of the prefixes; beyond them the number itself grows or shrinks.
    """
    if value == 0 or not math.isfinite(value):
        return f"{_rounded(value)} {unit}"
    magnitude = float(f"{abs(value):.4g}")  # 999.96 must become 1 k, so round before choosing
    power = min(max(3 * math.floor(math.log10(magnitude) / 3 + 1e-12), low), high)
    prefix = "afpnµm kMGTPE"[power // 3 + 6].strip()
    scaled = value / 10.0**power if power >= 0 else value * 10.0**-power
    return f"{_rounded(scaled)} {prefix}{unit}"


def format_energy(joules: float) -> str:
    """`1.2 nJ`."""
    return format_si(joules, "J")


def format_frequency(hertz: float) -> str:
    """`100 MHz`."""
    return format_si(hertz, "Hz", low=-3)


def format_time(seconds: float) -> str:
    """`25 µs`, `2 min 5 s`, `3 h 12 min`, `4.5 days`, `10 years`."""
    if not math.isfinite(seconds) or abs(seconds) < 59.95:
        return format_si(seconds, "s", high=0)
    sign, rest = ("-", -seconds) if seconds < 0 else ("", seconds)
    if rest < 3599.5:
        minutes, left = divmod(round(rest), 60)
        return f"{sign}{minutes} min {left} s" if left else f"{sign}{minutes} min"
    if rest < 86400 - 30:
        hours, left = divmod(round(rest / 60), 60)
        return f"{sign}{hours} h {left} min" if left else f"{sign}{hours} h"
    size, unit = (86400, "day") if rest < 31557600 else (31557600, "year")
    count = _rounded(rest / size)
    return f"{sign}{count} {unit}" if count == "1" else f"{sign}{count} {unit}s"


def format_size(bits: int | float) -> str:
    """`229.7 KiB`, `13 B`, `12 bit`: bytes when they are whole or when there are many."""
    if abs(bits) < 8 * 1024:
        return f"{_rounded(bits / 8)} B" if bits % 8 == 0 else f"{_rounded(bits)} bit"
    amount = bits / (8 * 1024)
    for unit in ("KiB", "MiB", "GiB"):
        if abs(amount) < 1023.95:
            return f"{_rounded(amount)} {unit}"
        amount /= 1024
    return f"{_rounded(amount)} TiB"


def format_area(square_millimetres: float) -> str:
    """`0.1234 mm²`; below a thousandth of that, `12.3 µm²`."""
    if 0 < abs(square_millimetres) < 0.0009999:
        return f"{_rounded(square_millimetres * 1e6)} µm²"
    return f"{_rounded(square_millimetres)} mm²"


def format_count(count: int | float) -> str:
    """`12,345` in full below a million; above that `1.235 M`, `4.7 G`, `8.1 T`."""
    if not math.isfinite(count):
        return _rounded(count)
    if abs(count) < 999_999.5:
        return f"{round(count):,}" if isinstance(count, int) or abs(count) >= 1000 else _rounded(count)
    return format_si(count, "", high=18).rstrip()
