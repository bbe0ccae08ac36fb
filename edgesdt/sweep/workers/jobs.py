"""What a driver and a worker tell each other: a job, and the outcome of one. Plain data, and light to import.

An outcome is a mapping: `kind` and what belongs to it. `done`: the `record`; `pruned`: why, and a record of the curve
alone; `failed`: the `error`; `busy`: another process holds the run folder; `died`: the worker was lost with the job;
`lost`: the job was, before it had begun. Two kinds stop a sweep. `disk`: nothing more can be written; `stop`: no
worker can run it. `seconds` are those of the run in its worker, `files` its run folder where no disk is shared.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Outcome = dict[str, Any]


@dataclass(frozen=True)
class Job:
    """A point as a worker gets it: the plain spec, and the accuracies below which it is not worth going on.

    `floors` are triples of epoch, key of the curve, and accuracy.
    """

    id: str
    plain: Mapping[str, Any]
    folder: str
    floors: Sequence[tuple[int, str, float]] = field(default_factory=list)
