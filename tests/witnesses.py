"""Every learning rule of ours with its oracle, and how to read both: a new rule is one line here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from edgesdt import registry
from tests import small_activation, small_backprop, small_chips, small_similarity, small_softhebb
from tests.oracle import OracleChip
from tests.oracle_activation import OracleActivation
from tests.oracle_backprop import OracleBackprop
from tests.oracle_similarity import OracleSimilarity
from tests.oracle_softhebb import OracleSoftHebb


@dataclass(frozen=True)
class Witness:
    """An oracle in plain Python; its arrays under the names of the chip's; the events of a table by name."""

    oracle: Callable[..., Any]
    arrays_of: Callable[[Any], dict[str, list[int]]]
    events_of: Callable[[Any], dict[str, list[int]]]
    quick: tuple[str, ...] = ()
    """Overrides of a spec that let a small chip learn from its first samples on."""
    refused: tuple[str, ...] = ()
    """Fields of all rules that this one takes its default of only."""


WITNESSES = {
    "eqprop": Witness(OracleChip, small_chips.oracle_arrays, small_chips.named_events),
    "backprop": Witness(OracleBackprop, small_backprop.arrays_of, small_backprop.events_of),
    "softhebb": Witness(
        OracleSoftHebb, small_softhebb.arrays_of, small_softhebb.events_of, ("learning.centre.window_bits=1",)
    ),
    "similarity": Witness(
        OracleSimilarity, small_similarity.arrays_of, small_similarity.events_of, refused=("learning.batch",)
    ),
    "activation": Witness(
        OracleActivation, small_activation.arrays_of, small_activation.events_of,
        quick=("readout=[activation]", "learning.frac_bits=8"), refused=("learning.batch",),
    ),
}


def fields_of(name: str, overrides: list[str]) -> list[str]:
    """Those of some overrides that mean something to a rule of ours, and its `quick` ones."""
    known, refused = registry.load(name).settings.model_fields, WITNESSES[name].refused
    paths = {override: override.partition("=")[0] for override in overrides}
    kept = [
        override
        for override, path in paths.items()
        if path not in refused and (not path.startswith("learning.") or path.split(".")[1] in known)
    ]
    return [*kept, *WITNESSES[name].quick]
