"""Every learning rule of ours with its oracle, and how to read both: a new rule is one line here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from edgesdt import registry
from tests import small_backprop, small_chips, small_similarity
from tests.oracle import OracleChip
from tests.oracle_backprop import OracleBackprop
from tests.oracle_similarity import OracleSimilarity


@dataclass(frozen=True)
class Witness:
    """An oracle in plain Python; its arrays under the names of the chip's; the events of a table by name."""

    oracle: Callable[..., Any]
    arrays_of: Callable[[Any], dict[str, list[int]]]
    events_of: Callable[[Any], dict[str, list[int]]]
    refused: tuple[str, ...] = ()
    """Fields of all rules that this one takes its default of only."""


WITNESSES = {
    "eqprop": Witness(OracleChip, small_chips.oracle_arrays, small_chips.named_events),
    "backprop": Witness(OracleBackprop, small_backprop.arrays_of, small_backprop.events_of),
    "similarity": Witness(
        OracleSimilarity, small_similarity.arrays_of, small_similarity.events_of, refused=("learning.batch",)
    ),
}


def fields_of(name: str, overrides: list[str]) -> list[str]:
    """Those of some overrides that mean something to a rule of ours."""
    known, refused = registry.load(name).settings.model_fields, WITNESSES[name].refused
    paths = {override: override.partition("=")[0] for override in overrides}
    return [
        override
        for override, path in paths.items()
        if path not in refused and (not path.startswith("learning.") or path.split(".")[1] in known)
    ]
