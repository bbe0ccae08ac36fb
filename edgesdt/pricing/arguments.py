"""Checks the arguments of pricing: counts of every action of a chip, their number of samples, and a memory map."""

from __future__ import annotations

from collections.abc import Mapping

from edgesdt.arguments import ARGUMENTS
from edgesdt.ledger import actions as act
from edgesdt.pricing import cells
from edgesdt.rules.lookup import design_of
from edgesdt.spec import Spec
from edgesdt.spec.checks.hints import did_you_mean
from hw_models.technology import Technology

_PHASES = ("train", "inference")


def check_tables(memory: object, tech: object) -> None:
    """Raise `ArgumentError` for what is no memory map or no technology table."""
    check_memory(memory)
    if not isinstance(tech, Technology):
        ARGUMENTS.refuse("tech", f"a {type(tech).__name__}", "a Technology (hw_models.technology.load)")


_PRICED_AGAIN = {
    "spec": Mapping, "counts": Mapping, "memory": Mapping, "curve": list, "train_samples": int, "test_samples": int,
}  # fmt: skip


def check_record(record: object) -> None:
    """Raise `ArgumentError` for what is no record, or lacks what prices are made of."""
    if not isinstance(record, Mapping):
        ARGUMENTS.refuse("record", f"a {type(record).__name__}", "a record of a run, as record.json holds it")
    needed = ", ".join(_PRICED_AGAIN)
    for key, kind in _PRICED_AGAIN.items():
        if key not in record:
            ARGUMENTS.refuse("record", f"lacks {key!r}", f"a record with {needed}")
        if not isinstance(record[key], kind):
            ARGUMENTS.refuse(f"record.{key}", f"a {type(record[key]).__name__}", f"a {kind.__name__.lower()}")


def check_table(table: object, node: object) -> None:
    """Raise `ArgumentError` for what is no name or path of a technology table, and no length of a node."""
    if not isinstance(table, str):
        ARGUMENTS.refuse("table", f"a {type(table).__name__}", "the name of a technology table, or the path of a file")
    if node is not None:
        ARGUMENTS.number("node", node, 1.0)


def check_phases(counts: object, samples: object) -> None:
    """Raises `ArgumentError` unless counts and samples (at least 1) are given for training and inference."""
    for name, given in (("counts", counts), ("samples", samples)):
        if not isinstance(given, Mapping) or not set(_PHASES) <= set(given):
            ARGUMENTS.refuse(name, f"a {type(given).__name__}", "a mapping with the keys train and inference")
    assert isinstance(samples, Mapping)
    for phase in _PHASES:
        ARGUMENTS.whole(f"samples.{phase}", samples[phase], 1)


def check_counts(spec: Spec, counts: object) -> None:
    """Raises `ArgumentError` unless `counts` has a whole number for exactly the actions of a chip of `spec`."""
    known = [*(action.name for action in design_of(spec).actions), *cells.actions(spec)]
    if not isinstance(counts, Mapping):
        ARGUMENTS.refuse("counts", f"a {type(counts).__name__}", "a mapping of actions to whole numbers")
    for action in counts:
        if action not in known:
            allowed = f"{', '.join(known)}{did_you_mean(action, known)}"
            ARGUMENTS.refuse(f"counts: {action!r}", "an unknown action", allowed)
    for action in known:
        if action == act.CONTRAST_ACCESS and spec.learning.batch == 1 and action not in counts:
            continue  # a chip without mini-batches has no buffers
        if action not in counts:
            ARGUMENTS.refuse(f"counts: {action!r}", "missing", "every action of the chip, 0 where there was none")
        # sums of share codes: they are negative if cells are below their nominal range
        ARGUMENTS.whole(f"counts: {action}", counts[action], -(10**300) if "share" in action else 0, 10**300)


def check_memory(memory: object) -> None:
    """Raises `ArgumentError` unless `memory` is a recorded memory map."""
    allowed = "a memory map as `MemoryMap.plain` returns it"
    if not isinstance(memory, Mapping) or not isinstance(memory.get("arrays"), list):
        ARGUMENTS.refuse("memory", f"a {type(memory).__name__}", allowed)
    ARGUMENTS.whole("memory.used_bits", memory.get("used_bits"), 0)
    for place, array in enumerate(memory["arrays"]):
        if not isinstance(array, Mapping) or not isinstance(array.get("name"), str):
            ARGUMENTS.refuse(f"memory.arrays[{place}]", f"a {type(array).__name__} without a name", allowed)
        ARGUMENTS.whole(f"memory.arrays[{place}].bits", array.get("bits"), 0)
