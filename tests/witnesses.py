"""Every learning rule of ours with its oracle, and how to read both: a new rule is one line here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests import small_backprop, small_chips, small_softhebb
from tests.oracle import OracleChip
from tests.oracle_backprop import OracleBackprop
from tests.oracle_softhebb import OracleSoftHebb


@dataclass(frozen=True)
class Witness:
    """An oracle in plain Python; its arrays under the names of the chip's; the events of a table by name."""

    oracle: Callable[..., Any]
    arrays_of: Callable[[Any], dict[str, list[int]]]
    events_of: Callable[[Any], dict[str, list[int]]]
    quick: tuple[str, ...] = ()
    """Overrides of a spec that let a small chip learn from its first samples on."""


WITNESSES = {
    "eqprop": Witness(OracleChip, small_chips.oracle_arrays, small_chips.named_events),
    "backprop": Witness(OracleBackprop, small_backprop.arrays_of, small_backprop.events_of),
    "softhebb": Witness(
        OracleSoftHebb, small_softhebb.arrays_of, small_softhebb.events_of, ("learning.centre.window_bits=1",)
    ),
}
