"""Keeps the rows of finished sweeps with the code and makes a table of each: `python -m benchmarks.kept_sweeps DIR...`.

A sweep folder becomes `sweep_records/NAME.json`, without counts and curves. `python -m benchmarks.results` writes the
table of each between the marks `sweep NAME` of benchmarks/README.md.
"""

from __future__ import annotations

import argparse
import json
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks import command, records, tables
from benchmarks.reproduction_table import NONE, spread
from edgesdt import units
from edgesdt.errors import EdgesdtError
from edgesdt.runs import record
from edgesdt.sweep import rows

FOLDER = records.HERE / "sweep_records"
FIELDS = ("accuracy", "memory", "versions", "train_samples", "test_samples", "duration_s")
ENERGIES = ("train_total", "train_per_sample", "inference_per_sample")
FIGURES = ("direct_average", "direct_max", "linear", "output", "activation")
"""Accuracies that a table shows, if the records have them; the control of the first one is shown too."""

Kept = dict[str, Any]


def keep(folder: Path) -> Path:
    """Keeps the rows of a sweep folder; returns the file. Raises `EdgesdtError` if the sweep is not finished."""
    plan = _read(folder / "sweep.json")
    lines = (folder / "records.jsonl").read_bytes().splitlines(keepends=True)
    found = [made for line in lines if (made := rows.read_line(line, str(folder))) is not None]
    short = [made for made in found if made["status"] != rows.DONE]
    if short or len(found) != plan["points"]:
        raise EdgesdtError(f"{folder}: {len(found) - len(short)} of {plan['points']} runs are done; finish the sweep")
    path = FOLDER / f"{plan['name']}.json"
    FOLDER.mkdir(exist_ok=True)
    record.write(path, {"name": plan["name"], "spec": plan["spec"], "rows": [_compact(made) for made in found]})
    return path


def _compact(made: Mapping[str, Any]) -> Kept:
    one = made["record"]
    energy = {name: one["energy_j"][name] for name in ENERGIES}
    return {
        "point": made["point"],
        "seed": made["seed"],
        "spec_hash": made["spec_hash"],
        **{name: one[name] for name in FIELDS},
        "energy_j": energy,
    }


def _read(path: Path) -> Kept:
    try:
        found: Kept = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise EdgesdtError(f"{path}: no sweep: {error}") from error
    return found


def sections() -> dict[str, str]:
    """Section name → table of each kept sweep."""
    return {f"sweep {path.stem}": table(_read(path)) for path in sorted(FOLDER.glob("*.json"))}


def table(sweep: Kept) -> str:
    """One line for each point, over its seeds, in the order of the plan."""
    points: dict[str, list[Kept]] = {}
    for made in sweep["rows"]:
        points.setdefault(json.dumps(made["point"], sort_keys=True), []).append(made)
    fields = list(dict.fromkeys(name for made in sweep["rows"] for name in made["point"]))
    first = sweep["rows"][0]["accuracy"]
    shown = [name for name in FIGURES if name in first]
    head = [_short(name, fields) for name in fields]
    head += ["memory", *(f"{name.replace('_', ' ')} %" for name in shown), f"untrained {shown[0].replace('_', ' ')} %"]
    head += ["seeds", "energy/training sample", "energy/inference"]
    return tables.markdown([head, *(_line(seeds, fields, shown) for seeds in points.values())])


def _line(seeds: Sequence[Kept], fields: Sequence[str], shown: Sequence[str]) -> list[str]:
    def figure(name: str) -> str:
        return spread([made["accuracy"][name] for made in seeds if name in made["accuracy"]])

    def energy(name: str) -> str:
        return units.format_energy(statistics.fmean(made["energy_j"][name] for made in seeds))

    return [
        *(_value(seeds[0]["point"].get(name, NONE)) for name in fields),
        units.format_size(seeds[0]["memory"]["used_bits"]),
        *(figure(name) for name in shown),
        figure(f"untrained_{shown[0]}"),
        str(len(seeds)),
        energy("train_per_sample"),
        energy("inference_per_sample"),
    ]


def _short(name: str, fields: Sequence[str]) -> str:
    """The end of a dotted path, as long as it has to be to be told from those of the other fields."""
    parts = name.split(".")
    for length in range(1, len(parts)):
        end = ".".join(parts[-length:])
        if sum(other == end or other.endswith("." + end) for other in fields) == 1:
            return end.replace("_", " ")
    return name


def _value(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {_value(one)}" for name, one in value.items())
    return "-".join(map(str, value)) if isinstance(value, list) else str(value)


def main(arguments: Sequence[str]) -> int:
    """The command; returns its exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.kept_sweeps", description=__doc__.partition(":")[0])
    parser.add_argument("folders", nargs="+", type=Path, metavar="DIR", help="folder of a finished sweep")
    for folder in parser.parse_args(arguments).folders:
        print(keep(folder))
    return 0


if __name__ == "__main__":
    command.finish(main)
