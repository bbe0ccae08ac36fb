"""The results of a run so far, without the chip: stored in every checkpoint and checked when it is loaded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

from edgesdt.files import record_shape
from edgesdt.runs.phases import Epoch


@dataclass
class Progress:
    """JSON-ready results.

    `control` holds the read-outs of the untrained chip, `curve` a point for every finished epoch, `phases` what was
    counted in every phase so far, of a run that has phases.
    """

    started: str
    epochs_done: int = 0
    duration_s: float = 0.0
    train_s: float = 0.0
    control: dict[str, float] = field(default_factory=dict)
    curve: list[dict[str, Any]] = field(default_factory=list)
    phases: list[dict[str, Any]] = field(default_factory=list)

    def add(self, epoch: Epoch, counts: Sequence[Mapping[str, int]]) -> None:
        """Counts a finished epoch to its phase: `counts` are those of each stage of the run."""
        if epoch.of_phase == 0:
            parts = [{"stage": stage.index, "counts": {}} for stage in epoch.stages]
            self.phases.append({"name": epoch.name, "epochs": 0, "parts": parts})
        mine = self.phases[-1]
        mine["epochs"] += 1
        for part in mine["parts"]:
            for name, count in counts[part["stage"]].items():
                part["counts"][name] = part["counts"].get(name, 0) + count

    @classmethod
    def of(cls, kept: Any, epochs: int) -> Progress:
        """Restores the progress of a run of `epochs` from the mapping that `vars` returned.

        Raises `ValueError` otherwise.
        """
        names = {one.name for one in fields(cls)}
        if not isinstance(kept, dict) or set(kept) != names:
            raise ValueError(f"progress: expected a mapping of {', '.join(sorted(names))}")
        made = cls(**kept)
        # the types of a record, because `duration_s`, `train_s` and `control` become parts of one
        wrong = record_shape.fault_of_kind(
            {"started": made.started, "duration_s": made.duration_s, "accuracy": made.control, "curve": made.curve,
             "phases": made.phases}
        ) or record_shape.fault_of_kind({"duration_s": made.train_s})
        if wrong:
            raise ValueError(f"progress: {wrong}")
        if type(made.epochs_done) is not int or not 0 <= made.epochs_done <= epochs:
            raise ValueError(f"progress: epochs_done: {made.epochs_done!r}, allowed: 0..{epochs}")
        if [point.get("epoch") for point in made.curve] != list(range(1, made.epochs_done + 1)):
            raise ValueError(f"progress: curve: expected a point for each of {made.epochs_done} epochs")
        return made
