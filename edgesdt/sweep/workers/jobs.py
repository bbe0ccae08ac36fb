"""The messages between driver and worker: jobs and outcomes. Plain data; fast to import.

An outcome is a mapping with a `kind` and its data. `done`: the `record`; `pruned`: the reason, and a record with the
curve alone; `failed`: the `error`; `busy`: another process uses the run folder; `died`: the worker was lost during the
job; `lost`: the job was lost before it started. Two kinds stop a sweep: `disk`, because nothing more can be written,
and `stop`, because no worker can run it. `seconds` is the time of the run in its worker; `files` is its run folder if
no disk is shared.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Outcome = dict[str, Any]


@dataclass(frozen=True)
class Job:
    """A point sent to a worker: the plain spec, and the accuracies below which the run stops early.

    `floors` are triples of epoch, key of the curve, and accuracy.
    """

    id: str
    plain: Mapping[str, Any]
    folder: str
    floors: Sequence[tuple[int, str, float]] = field(default_factory=list)
