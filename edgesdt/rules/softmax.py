"""A softmax as a chip makes it: its look-up tables, their place in the memory map, its actions and its unit."""

from __future__ import annotations

from math import exp
from typing import Final

import numpy as np
import numpy.typing as npt

from edgesdt.ledger.memory import Array
from edgesdt.ledger.recipes import Access, Action, Unit, Use
from edgesdt.qformat import QFormat

TABLE = 256
"""Entries of either look-up table."""
STEP_BITS = 5
"""The table of exponentials goes in steps of 2^-5: exp(0) … exp(-8)."""
TABLE_BITS = 16
"""Width of an entry of either table."""
LOGIT_INTEGER_BITS = 3
"""Integer bits of a logit before it saturates: ±8."""

SOFTMAX: Final = "softmax"
RECIPROCAL: Final = "reciprocal"
MEANING: Final[dict[str, str]] = {
    SOFTMAX: "one output: difference to the largest, exponential looked up and added, product with the reciprocal",
    RECIPROCAL: "one look-up of the reciprocal of a sum of exponentials",
}


def exponentials() -> npt.NDArray[np.uint16]:
    """`exp(-i / 2^STEP_BITS)` in 0 … 65535, rounded to nearest, i < TABLE."""
    one = 2**TABLE_BITS - 1
    return np.array([int(one * exp(-i * 2.0**-STEP_BITS) + 0.5) for i in range(TABLE)], np.uint16)


def reciprocals() -> npt.NDArray[np.uint16]:
    """`2^TABLE_BITS / (1 + (i + 1/2) / TABLE)` rounded to nearest, i < TABLE; an integer division does it exactly."""
    top = 2**TABLE_BITS * TABLE * 2
    return np.array([(top + (2 * TABLE + 2 * i + 1) // 2) // (2 * TABLE + 2 * i + 1) for i in range(TABLE)], np.uint16)


def tables() -> tuple[Array, ...]:
    """The two look-up tables in a memory map."""
    form = QFormat(TABLE_BITS, TABLE_BITS, signed=False)
    names = ("exponentials", "reciprocals")
    return tuple(Array(name, (TABLE,), str(form), form.bits, name) for name in names)


def actions(state: int, total: int) -> tuple[Action, ...]:
    """What a softmax does, for states of `state` and accumulators of `total` bits."""
    table = Access(TABLE_BITS, ("exponentials",), along="column", kind="buffers")
    inverse = Access(TABLE_BITS, ("reciprocals",), along="column", kind="buffers")
    share = (
        Use("compare", (state + 4,)),
        Use("add", (state + 4,)),
        table,
        Use("add", (total,)),
        Use("multiply", (TABLE_BITS, TABLE_BITS)),
        Use("shift", (2 * TABLE_BITS,)),
    )
    return (
        Action(SOFTMAX, MEANING[SOFTMAX], "softmax", share),
        Action(RECIPROCAL, MEANING[RECIPROCAL], "softmax", (Use("shift", (total,)), inverse)),
    )


def unit(state: int) -> Unit:
    """The unit that makes one share per cycle."""
    uses = (Use("add", (state + 4,)), Use("multiply", (TABLE_BITS, TABLE_BITS)), Use("shift", (2 * TABLE_BITS,)))
    return Unit("softmax", 1, uses)
