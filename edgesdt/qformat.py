"""The numbers of the chip: fixed-point formats, rounding modes and the registers of learning constants.

It uses plain Python integers; the compiled versions of these definitions are in `edgesdt.kernels.arithmetic`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from math import floor

MAX_SHIFT = 63
"""The longest shift of a constant's register (6 bits)."""
LEAST = 2.0 ** -(MAX_SHIFT + 1)
"""The smallest constant that is not stored as 0."""


class Rounding(IntEnum):
    """How `x >> n` rounds the bits that it drops.

    `NEAREST` adds half an LSB and floors (ties go up); `FLOOR` truncates toward minus infinity; `STOCHASTIC` adds a
    16-bit random word aligned to the top of the dropped bits, so that E[result] = x / 2**n up to 2**-16 LSB.
    """

    NEAREST = 0
    FLOOR = 1
    STOCHASTIC = 2

    @classmethod
    def named(cls, name: str) -> Rounding:
        """The mode with this lower-case name (`KeyError` if there is none)."""
        return cls[name.upper()]


@dataclass(frozen=True)
class QFormat:
    """A fixed-point format: a code `c` of `bits` bits stands for the value `c * 2**-frac_bits`.

    `frac_bits` may exceed `bits` (all bits then lie below the point) or be negative. Every store saturates.
    """

    bits: int
    frac_bits: int
    signed: bool = True

    @property
    def lowest(self) -> int:
        """The smallest code."""
        return -(1 << (self.bits - 1)) if self.signed else 0

    @property
    def highest(self) -> int:
        """The largest code."""
        return (1 << (self.bits - 1 if self.signed else self.bits)) - 1

    @property
    def lsb(self) -> float:
        """The value of one code step."""
        return 2.0**-self.frac_bits

    def saturate(self, code: int) -> int:
        """The nearest code that the format holds."""
        return min(max(code, self.lowest), self.highest)

    def encode(self, value: float) -> int:
        """The code nearest to a real value (ties up), saturated."""
        exact = value * 2.0**self.frac_bits
        whole = floor(exact)
        return self.saturate(whole + (exact - whole >= 0.5))

    def value(self, code: int) -> float:
        """The real value of a code."""
        return code * self.lsb

    def __str__(self) -> str:
        return f"{'s' if self.signed else 'u'}{self.bits}.{self.frac_bits}"


@dataclass(frozen=True)
class Scale:
    """A learning constant as the chip stores it: multiply by `multiplier`, then shift right by `shift`.

    `multiplier` is an unsigned mantissa; `shift` may be negative (a shift left). Its value is
    `multiplier * 2**-shift`. A constant of zero has multiplier 0 and shift 0.
    """

    multiplier: int
    shift: int

    @classmethod
    def nearest(cls, value: float, bits: int) -> Scale:
        """The register nearest to `value` >= 0 with a mantissa of `bits` bits, trailing zeros removed.

        The shift is at most `MAX_SHIFT`: smaller values lose mantissa bits, and the smallest become 0.
        """
        if value == 0.0:
            return cls(0, 0)
        shift = 0
        while value * 2.0**shift >= (1 << bits) - 0.5:
            shift -= 1
        while shift < MAX_SHIFT and value * 2.0 ** (shift + 1) < (1 << bits) - 0.5:
            shift += 1
        multiplier = int(value * 2.0**shift + 0.5)
        if multiplier == 0:
            return cls(0, 0)
        while multiplier % 2 == 0:
            multiplier, shift = multiplier // 2, shift - 1
        return cls(multiplier, shift)

    @property
    def value(self) -> float:
        """The value that the chip uses in place of the given constant."""
        return self.multiplier * 2.0**-self.shift

    def __str__(self) -> str:
        return f"{self.multiplier}·2^{-self.shift}"


def round_shift(code: int, shift: int, rounding: Rounding, word: int = 0) -> int:
    """`code / 2**shift` rounded to an integer; `word` is the 16-bit random word that `STOCHASTIC` adds.

    A shift of zero or less is exact (a shift left).
    """
    if shift <= 0:
        return code << -shift
    if rounding is Rounding.NEAREST:
        code += 1 << (shift - 1)
    elif rounding is Rounding.STOCHASTIC:
        code += word << (shift - 16) if shift >= 16 else word >> (16 - shift)
    return code >> shift
