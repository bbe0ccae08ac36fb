"""Digital memory as a device: a cell holds its integer code exactly, without wear or drift.

Source: a static CMOS latch has two stable states per bit, restored by positive feedback (any textbook; J. M. Rabaey, A.
Chandrakasan, B. Nikolic, *Digital Integrated Circuits*, 2nd ed., 2003, ch. 12). Valid for 2 to 24 bits. It is the
reference for all other devices. Not modelled: soft errors, read disturb, failures at low supply voltage. Energy and
area of SRAM are in the technology tables, not here.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from hw_models.base import Cells, DeviceError, Drive, Ints, Quantity, Reals
from hw_models.families.levels.target_level import Written, check_off

WIDEST = 24
"""Bits of the integers that float32, the narrower state format, holds exactly (IEEE 754: 24)."""


@dataclass(frozen=True)
class Sram(Written):
    """Two's complement codes of `bits` bits; one pulse is one code, saturating at both ends."""

    family: ClassVar[str] = "sram"
    citation: ClassVar[str] = "Rabaey, Chandrakasan, Nikolic, Digital Integrated Circuits, 2nd ed., 2003, ch. 12"
    valid_range: ClassVar[str] = f"2 to {WIDEST} bits"
    not_modelled: ClassVar[str] = "soft errors, read disturb, failures at low supply voltage"
    quantity: ClassVar[Quantity] = "weight"

    name: str = "sram"
    drive: Drive | None = None
    bits: int = field(default=8, metadata={"unit": "bits", "doc": "width of a code", "low": 2, "high": WIDEST})
    off: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        if isinstance(self.bits, bool) or not isinstance(self.bits, int) or not 2 <= self.bits <= WIDEST:
            raise DeviceError(f"{self.name}: bits is {self.bits!r}; it must be an integer, 2 to {WIDEST}")
        check_off(self, ())

    @property
    def levels(self) -> int:  # type: ignore[override]
        """Number of codes."""
        return int(2**self.bits)

    @property
    def non_idealities(self) -> tuple[str, ...]:  # type: ignore[override]
        """None: a digital cell holds what was written."""
        return ()

    def bounds(self) -> tuple[float, float]:
        """Lowest and highest code."""
        return -float(2 ** (self.bits - 1)), float(2 ** (self.bits - 1) - 1)

    def write_law(self) -> npt.NDArray[np.float64]:
        """Constants of the compiled write (`level_writing`)."""
        from hw_models.kernels import level_writing as kernel

        return kernel.law(self.spacing(), self.bounds(), (kernel.TO_WHOLE, 1.0, 0.0))

    def _rounded(self, wanted: Reals) -> Reals:
        return np.rint(wanted)

    def _settled(self, cells: Cells, state: Reals, places: Ints) -> Reals:
        return state
