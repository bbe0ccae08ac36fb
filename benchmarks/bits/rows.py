"""The kept rows of the sweeps `mnist_bits` and `mnist_widths`: one for each setting and seed, and what seeds agree on.

A row holds `sweep`, `point` (dotted field: value), `seed`, `accuracy` and `untrained` (direct association, average),
`memory_bits` and `energy_j` (of a training sample).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

from edgesdt.errors import EdgesdtError
from edgesdt.report.sweep.statistics.points import Estimate, estimate

Row = dict[str, Any]
KEPT: Final = Path(__file__).parent / "rows.json"
SWEEPS: Final = ("mnist_bits", "mnist_widths")


def of_sweep(folder: Path) -> list[Row]:
    """The rows of a finished sweep. Raises `EdgesdtError` for a folder without, or with a run that is not done."""
    try:
        name = json.loads((folder / "sweep.json").read_text(encoding="utf-8"))["name"]
        lines = (folder / "records.jsonl").read_text(encoding="utf-8").splitlines()
        found = [_row(name, json.loads(line)) for line in lines]
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise EdgesdtError(f"{folder}: not the folder of a finished sweep: {error}") from error
    if name not in SWEEPS or not found:
        raise EdgesdtError(f"{folder}: sweep {name} of {len(found)} runs, allowed: {' or '.join(SWEEPS)}")
    return found


def _row(name: str, row: dict[str, Any]) -> Row:
    if row["status"] != "done":
        raise ValueError(f"a run of seed {row['seed']} is {row['status']}")
    made = row["record"]
    return {
        "sweep": name,
        "point": row["point"],
        "seed": row["seed"],
        "accuracy": made["accuracy"]["direct_average"],
        "untrained": made["accuracy"]["untrained_direct_average"],
        "memory_bits": made["memory"]["used_bits"],
        "energy_j": made["energy_j"]["train_per_sample"],
    }


def kept(path: Path = KEPT) -> list[Row]:
    """The kept rows. Raises `EdgesdtError` for a file that is none."""
    try:
        found: list[Row] = json.loads(path.read_text(encoding="utf-8"))
        [(row["sweep"], row["point"], row["seed"], float(row["accuracy"])) for row in found]
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise EdgesdtError(f"{path}: no rows of the bit-width study: {error}") from error
    return found


def text_of(found: Sequence[Row]) -> str:
    """The file of kept rows, one a line, sweep by sweep, each in the order of its plan."""
    return "[\n" + ",\n".join(json.dumps(row) for row in found) + "\n]\n"


class Setting:
    """All seeds of one point."""

    def __init__(self, seeds: Sequence[Row]) -> None:
        self.seeds = list(seeds)
        self.point: dict[str, Any] = self.seeds[0]["point"]

    def __getitem__(self, field: str) -> Any:
        """A field of the point; of a section, by its dotted name. Raises `KeyError`."""
        if field in self.point:
            return self.point[field]
        section, _, name = field.rpartition(".")
        return self.point[section][name]

    @property
    def accuracy(self) -> Estimate:
        """Percent, over the seeds."""
        return estimate([100 * float(row["accuracy"]) for row in self.seeds])

    @property
    def memory_bits(self) -> int:
        """All state on the chip."""
        return int(self.seeds[0]["memory_bits"])

    @property
    def energy_j(self) -> float:
        """Of a training sample, the mean over the seeds."""
        return estimate([float(row["energy_j"]) for row in self.seeds]).mean


def settings(found: Sequence[Row], sweep: str, where: Callable[[Setting], bool] = lambda one: True) -> list[Setting]:
    """The settings of a sweep for which `where` holds, in the order of its plan."""
    points: dict[str, list[Row]] = {}
    for row in found:
        if row["sweep"] == sweep:
            points.setdefault(json.dumps(row["point"], sort_keys=True), []).append(row)
    return [one for one in map(Setting, points.values()) if where(one)]
