"""Every learning rule of ours with its oracle, and how to read both: a new rule is one line here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests import small_activation, small_backprop, small_chips
from tests.oracle import OracleChip
from tests.oracle_activation import OracleActivation
from tests.oracle_backprop import OracleBackprop


@dataclass(frozen=True)
class Witness:
    """An oracle in plain Python; its arrays under the names of the chip's; the events of a table by name."""

    oracle: Callable[..., Any]
    arrays_of: Callable[[Any], dict[str, list[int]]]
    events_of: Callable[[Any], dict[str, list[int]]]


WITNESSES = {
    "eqprop": Witness(OracleChip, small_chips.oracle_arrays, small_chips.named_events),
    "backprop": Witness(OracleBackprop, small_backprop.arrays_of, small_backprop.events_of),
    "activation": Witness(OracleActivation, small_activation.arrays_of, small_activation.events_of),
}
