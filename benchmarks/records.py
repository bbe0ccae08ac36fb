"""Records stored with the code: compact copies of `record.json`, one per name and seed, in `records/`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from edgesdt.errors import EdgesdtError
from edgesdt.runs import record

HERE = Path(__file__).parent
FOLDER = HERE / "records"
PROMISED = ("accuracy", "counts", "energy_j", "memory")
"""Fields of a record that are the same on every machine for the same spec and seed."""

Record = dict[str, Any]


def compact(made: Mapping[str, Any]) -> Record:
    """`made` without the action counts of single epochs (totals are kept)."""
    curve = [{key: value for key, value in point.items() if key != "counts"} for point in made["curve"]]
    return {**made, "curve": curve}


def of_runs(folders: Iterable[Path]) -> list[Record]:
    """The records of finished run folders. Raises `EdgesdtError` for a folder without one."""
    return [record.read(folder / "record.json") for folder in folders]


def kept() -> list[Record]:
    """All kept records, by file name. Raises `EdgesdtError` for a damaged one."""
    return [record.read(path) for path in sorted(FOLDER.glob("*.json"))]


def place(made: Mapping[str, Any]) -> Path:
    """Path of the kept record of this name and seed."""
    return FOLDER / f"{made['name']}-{made['seed']}.json"


def keep(made: Mapping[str, Any]) -> Path:
    """Stores a compact copy and replaces an older one of the same spec. Raises `EdgesdtError` if the spec differs."""
    path = place(made)
    if path.exists():
        there = record.read(path)
        if there["spec_hash"] != made["spec_hash"]:
            raise EdgesdtError(
                f"{path}: holds the record of another spec ({there['spec_hash']}, not {made['spec_hash']}); "
                "give this run a name of its own (--set name=NAME), or delete the old records of this name first"
            )
    FOLDER.mkdir(parents=True, exist_ok=True)
    record.write(path, compact(made))
    return path


def by_spec(records: Sequence[Record]) -> list[list[Record]]:
    """Records grouped by name and spec, in order of seeds; groups are sorted by data set, layers and name."""
    groups: dict[tuple[str, str], list[Record]] = {}
    for made in sorted(records, key=_order):
        groups.setdefault((made["name"], made["spec_hash"]), []).append(made)
    return list(groups.values())


def _order(made: Record) -> tuple[Any, ...]:
    spec = made["spec"]
    return (spec["data"]["set"], spec["chip"]["layers"], made["name"], spec["chip"]["weights"]["bits"], made["seed"])


def difference(one: Any, other: Any, path: str = "") -> str | None:
    """Where two JSON-ready values first differ, as `path: one, other`; None where they are equal.

    A number and an equal number of another type (1 and 1.0) differ too.
    """
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        for key in [*one, *(key for key in other if key not in one)]:
            here = f"{path}.{key}" if path else str(key)
            if key not in one or key not in other:
                return f"{here}: only in one of them"
            if found := difference(one[key], other[key], here):
                return found
        return None
    if isinstance(one, list) and isinstance(other, list):
        if len(one) != len(other):
            return f"{path}: {len(one)} and {len(other)} entries"
        each = (difference(a, b, f"{path}[{i}]") for i, (a, b) in enumerate(zip(one, other, strict=True)))
        return next((text for text in each if text), None)
    return None if type(one) is type(other) and one == other else f"{path}: {one!r}, {other!r}"
