"""The memory map: every on-chip array with shape, format and bits, compared with the budget before a run."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from edgesdt.errors import BudgetError
from edgesdt.ledger.organisation import Organisation, lines
from edgesdt.units import format_count, format_size


@dataclass(frozen=True)
class Array:
    """One on-chip array: `bits_each` bits for each of its entries.

    `format` is a fixed-point format (`s8.11`: signed, 8 bits, 11 of them fractional) or a word. `held_in` names the
    array of the simulator that stores it; it is empty for registers that the simulator stores as plain integers, and
    for hidden bits of weights, which it stores with the others.
    """

    name: str
    shape: tuple[int, ...]
    format: str
    bits_each: int
    held_in: str = ""

    @property
    def entries(self) -> int:
        """Number of entries."""
        return math.prod(self.shape)

    @property
    def bits(self) -> int:
        """Total bits."""
        return self.entries * self.bits_each

    def plain(self) -> dict[str, Any]:
        """The array as `record.json` lists it."""
        return {"name": self.name, "shape": list(self.shape), "format": self.format, "bits": self.bits}


@dataclass(frozen=True)
class MemoryMap:
    """All arrays of a chip, its budget [bits], and the memories that are divided into banks."""

    arrays: tuple[Array, ...]
    budget_bits: int
    memories: tuple[Organisation, ...] = ()

    @property
    def used_bits(self) -> int:
        """Bits of all arrays."""
        return sum(array.bits for array in self.arrays)

    def enforce(self) -> None:
        """Raises `BudgetError`, with the whole map and the excess, if the arrays do not fit."""
        excess = self.used_bits - self.budget_bits
        if excess > 0:
            raise BudgetError(
                f"chip.memory_budget: {format_size(self.budget_bits)} is too small by {format_size(excess)} "
                f"({format_count(excess)} bits); allowed: at least {format_size(self.used_bits)} for these arrays\n"
                + self.table()
            )

    def table(self) -> str:
        """The map as aligned text, largest array first, with the sum and the budget."""
        arrays = [array.plain() for array in sorted(self.arrays, key=lambda a: -a.bits)]
        banks = lines([memory.plain() for memory in self.memories])
        return "\n".join([table(arrays, self.used_bits, self.budget_bits), *banks])

    def plain(self) -> dict[str, Any]:
        """The map as `record.json` holds it."""
        return {
            "used_bits": self.used_bits,
            "budget_bits": self.budget_bits,
            "arrays": [array.plain() for array in self.arrays],
            **({"banks": [memory.plain() for memory in self.memories]} if self.memories else {}),
        }


def table(arrays: Sequence[dict[str, Any]], used_bits: int, budget_bits: int) -> str:
    """Aligned text of a recorded memory map."""
    rows = [("array", "shape", "format", "size", "share")]
    for array in arrays:
        shape = " x ".join(str(n) for n in array["shape"])
        share = f"{100 * array['bits'] / budget_bits:.1f} %"
        rows.append((array["name"], shape, array["format"], format_size(array["bits"]), share))
    rows.append(("used", "", "", format_size(used_bits), f"{100 * used_bits / budget_bits:.1f} %"))
    rows.append(("budget", "", "", format_size(budget_bits), "100.0 %"))
    widths = [max(len(row[i]) for row in rows) for i in range(5)]
    return "\n".join(
        "  "
        + "  ".join(
            cell.ljust(width) if i < 3 else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    )
