"""Sweep folders for tests of the report: rows made from one real record, varied by formula, in the engine's format."""

from __future__ import annotations

import copy
import itertools
import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

GRID: dict[str, list[Any]] = {
    "chip.weights.bits": [4, 6, 8],
    "learning.winners": [1, 2, 4, 8],
    "device.model": ["sram", "EcRam"],
}
GOALS = {
    "accuracy": ("accuracy.direct_average", True, ""),
    "energy": ("energy_j.train_per_sample", False, "J"),
    "area": ("area_mm2.total", False, "mm²"),
    "memory": ("memory.used_bits", False, "bit"),
}


def varied(record: dict[str, Any], point: dict[str, Any], seed: int) -> dict[str, Any]:
    """The record as if it were of another point: more bits and fewer winners are better; bits cost, winners too."""
    bits, winners = point.get("chip.weights.bits", 8), point.get("learning.winners", 2)
    noise = random.Random(f"{sorted(point.items())}, {seed}").gauss(0, 0.004)
    made = copy.deepcopy(record)
    made["seed"] = seed
    made["accuracy"]["direct_average"] = 0.6 + 0.03 * bits - 0.01 * winners + noise
    energy, factor = made["energy_j"], 0.5 + bits / 16
    energy["train_breakdown"] = {name: j * factor for name, j in energy["train_breakdown"].items()}
    energy["train_breakdown"]["neurons"] *= winners
    total = sum(energy["train_breakdown"].values())
    energy["train_per_sample"] *= total / energy["train_total"]
    energy["train_total"] = total
    energy["inference_breakdown"] = {name: j * factor for name, j in energy["inference_breakdown"].items()}
    energy["inference_per_sample"] = sum(energy["inference_breakdown"].values())
    made["area_mm2"]["total"] *= factor
    made["memory"]["used_bits"] = 8192 * bits + 64 * winners
    return made


def trimmed(record: dict[str, Any]) -> dict[str, Any]:
    """A record as the store keeps it."""
    kept = {key: value for key, value in record.items() if key not in ("spec", "held", "schema")}
    kept["memory"] = {key: record["memory"][key] for key in ("used_bits", "budget_bits")}
    kept["technology"] = {key: value for key, value in record["technology"].items() if key != "sources"}
    kept["curve"] = [{key: value for key, value in row.items() if key != "counts"} for row in record["curve"]]
    return kept


def row(
    point: dict[str, Any], seed: int, record: dict[str, Any] | None, status: str = "done", error: str | None = None
) -> dict[str, Any]:
    """A row of the store."""
    digest = f"{random.Random(str(sorted(point.items()))).getrandbits(64):016x}"
    return {
        "schema": 1,
        "point": point,
        "seed": seed,
        "spec_hash": digest,
        "status": status,
        "error": error,
        "run": f"runs/{digest}-{seed}" if status != "infeasible" else None,
        "record": None if record is None else trimmed(record),
    }


def grid(record: dict[str, Any], seeds: int = 3, values: dict[str, list[Any]] = GRID) -> Iterator[dict[str, Any]]:
    """A row for every combination and seed."""
    for combination in itertools.product(*values.values()):
        point = dict(zip(values, combination, strict=True))
        yield from (row(point, seed, varied(record, point, seed)) for seed in range(seeds))


def scattered(record: dict[str, Any], points: int, seeds: int = 1) -> Iterator[dict[str, Any]]:
    """Rows of points drawn from eight ranges and lists, as a random search makes them."""
    rng = random.Random(5)
    for _ in range(points):
        point = {
            "chip.weights.bits": rng.randint(2, 9),
            "learning.winners": rng.randint(1, 8),
            "learning.learning_rate": 0.0004 * 100 ** rng.random(),
            "learning.beta": round(rng.uniform(0.1, 0.9), 6),
            "chip.memory_budget": rng.choice(["8 KiB", "16 KiB", "1 MiB"]),
            "chip.clock": rng.choice(["50 MHz", "100 MHz"]),
            "device.model": rng.choice(["sram", "EcRam", "PCM"]),
            "epochs": rng.choice([1, 2, 3]),
        }
        yield from (row(point, seed, varied(record, point, seed)) for seed in range(seeds))


def write(
    folder: Path,
    rows: list[dict[str, Any]],
    spec: dict[str, Any],
    *,
    constraints: list[dict[str, Any]] | None = None,
    name: str = "choose",
    planned: int | None = None,
) -> Path:
    """Write `records.jsonl` and `sweep.json` into `folder` (made if need be) and return it."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "records.jsonl").write_text("".join(json.dumps(made) + "\n" for made in rows), encoding="utf-8")
    paths = dict.fromkeys(path for made in rows for path in made["point"])
    plan = {
        "method": "grid",
        "seeds": sorted({made["seed"] for made in rows}),
        "parameters": {path: [] for path in paths},
        "objectives": [dict(zip(("name", "path", "up", "unit"), (n, *goal), strict=True)) for n, goal in GOALS.items()],
        "constraints": constraints or [],
    }
    description = {"schema": 1, "name": name, "spec": spec, "plan": plan, "versions": {"edgesdt": "0.1.0"}}
    description["points"] = len(rows) if planned is None else planned
    (folder / "sweep.json").write_text(json.dumps(description), encoding="utf-8")
    return folder


def write_runs(folder: Path, record: dict[str, Any], rows: list[dict[str, Any]], report: bool = False) -> None:
    """Write a run folder for every finished row: its whole record and, if asked for, a page in a report's place."""
    for made in rows:
        if made["status"] == "done":
            run = folder / made["run"]
            run.mkdir(parents=True)
            (run / "record.json").write_text(json.dumps(varied(record, made["point"], made["seed"])), encoding="utf-8")
            if report:
                (run / "report.html").write_text(f"<title>{made['run']}</title>", encoding="utf-8")


def bound(name: str, op: str, limit: float, text: str) -> dict[str, Any]:
    """A constraint as `sweep.json` has it."""
    path, up, unit = GOALS[name]
    return {"text": text, "name": name, "path": path, "up": up, "unit": unit, "op": op, "bound": limit}
