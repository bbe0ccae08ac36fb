"""What a record says of the stages of a run: samples learned, and the counts of each stage."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

Counts = Mapping[str, int]


def samples_learned(record: Mapping[str, Any]) -> int:
    """Samples that a run learned in all its epochs."""
    if "phases" in record:
        return sum(int(phase["samples"]) for phase in record["phases"])
    return int(record["train_samples"]) * int(record["spec"]["epochs"])


def stage_counts(record: Mapping[str, Any], stages: int) -> list[dict[str, int]] | None:
    """The counts of each of the `stages` of a run, from its phases; None of a run without phases.

    What no phase counts comes before the first, and is counted with it: filling the replay buffer.
    """
    if "phases" not in record:
        return None
    every = [part for phase in record["phases"] for part in phase["parts"]]
    found = _by_stage(every, stages)
    for name, count in record["counts"]["train"].items():
        found[0][name] = found[0].get(name, 0) + count - sum(each.get(name, 0) for each in found)
    return found


def of_point(point: Mapping[str, Any], stages: Sequence[Counts] | None) -> list[Counts]:
    """The counts of each stage in a point of the curve."""
    if stages is None:
        return [point["counts"]]
    return list(_by_stage(point["parts"], len(stages), dict.fromkeys(point["counts"], 0)))


def _by_stage(
    parts: Sequence[Mapping[str, Any]], stages: int, nothing: Mapping[str, int] | None = None
) -> list[dict[str, int]]:
    """Counts at their stage, and zeros for the stages that did nothing."""
    names = nothing if nothing is not None else dict.fromkeys((n for part in parts for n in part["counts"]), 0)
    found = [dict(names) for _ in range(stages)]
    for part in parts:
        found[part["stage"]] = dict(part["counts"])
    return found
