"""Digital-to-analog converters of the word lines: their output codes and their price.

The one-bit converter is ISAAC's (Shafiee et al., ISCA 2016, 32 nm). A `serial` converter redistributes charge bit by
bit (R. E. Suarez, P. R. Gray, D. A. Hodges, IEEE JSSC 10(6), 1975): it has the energy and time of one one-bit
conversion per bit, and the area of one converter. A `parallel` converter is an array of unit elements: every additional
bit doubles energy and area. Other nodes use hw_models.technology.scaling. Not modelled: mismatch, glitches. A code of 0
leaves its line at rest and costs nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from hw_models.arguments import ARGUMENTS
from hw_models.base import DeviceError, unknown
from hw_models.periphery.constants import bounded, constant, whole
from hw_models.technology.scaling import NODE_MAX_NM, NODE_MIN_NM, energy_ratio, logic_area_ratio


@dataclass(frozen=True)
class Dac:
    """One converter per row, `bits` wide (1 to 12), at `node_nm` (7 to 130). Raises `DeviceError` outside."""

    bits: int = 8
    node_nm: float = 32.0
    style: Literal["serial", "parallel"] = "serial"

    def __post_init__(self) -> None:
        whole("dac bits", self.bits, 1, 12, "bits")
        bounded("dac node_nm", self.node_nm, NODE_MIN_NM, NODE_MAX_NM, "nm")
        if self.style not in ("serial", "parallel"):
            raise DeviceError(unknown("dac style", self.style, ("serial", "parallel")))

    @property
    def energy_j(self) -> float:
        """Joules of one conversion of a code that is not 0."""
        at_home = constant("dac.energy") * (self.bits if self.style == "serial" else 2.0 ** (self.bits - 1))
        return at_home * energy_ratio(self.node_nm, _home_nm())

    @property
    def area_mm2(self) -> float:
        """Area of one converter in mm2."""
        at_home = constant("dac.area") * 1e6 * (1 if self.style == "serial" else 2.0 ** (self.bits - 1))
        return at_home * logic_area_ratio(self.node_nm, _home_nm())

    @property
    def seconds(self) -> float:
        """Time to set a line."""
        return constant("dac.seconds") * (self.bits if self.style == "serial" else 1)


def requantise(codes: npt.NDArray[np.integer], bits_in: int, bits: int) -> npt.NDArray[np.int64]:
    """Codes of `bits_in` bits (plus sign), rounded to the nearest level of a `bits`-bit converter, in input steps.

    Level k of 0 ... 2^bits - 1 has the value k (2^bits_in - 1) / (2^bits - 1), rounded; with `bits >= bits_in` codes
    are unchanged. Signs are kept. Raises `DeviceError` for a code that does not fit in `bits_in` bits.
    """
    bits_in, bits = whole("input bits", bits_in, 1, 24, "bits"), whole("dac bits", bits, 1, 24, "bits")
    wide: npt.NDArray[np.int64] = ARGUMENTS.integers("codes", codes, None, -(2**62), 2**62)
    top_in, top = (1 << bits_in) - 1, (1 << bits) - 1
    if wide.size and int(np.abs(wide).max()) > top_in:
        bounded("codes: input code", int(np.abs(wide).max()), 0, top_in, f"of {bits_in} bits")
    if bits >= bits_in:
        return wide
    size = np.abs(wide)
    level = (2 * size * top + top_in) // (2 * top_in)
    steps: npt.NDArray[np.int64] = np.sign(wide) * ((2 * level * top_in + top) // (2 * top))
    return steps


def _home_nm() -> float:
    return constant("dac.node") * 1e9
