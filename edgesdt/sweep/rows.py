"""The format of a sweep's store: one row for each run, and the description of the sweep.

A sweep folder holds::

    sweep.json       the plan of the sweep: see below
    records.jsonl    one row per line, in the order of the plan; a copy of `points/`, written anew now and then and at
                     the end, always whole
    points/ID.json   the row of a finished run; `points/ID.failed.json` of one that failed
    runs/ID/         the run folder of a point (`record.json`, `weights.npz`, `log.txt`, `spec.yaml`)
    spec.yaml        the spec as it was run, with its `sweep:` section
    report.html      the report

with ID = SPEC_HASH-SEED. A row is a JSON object::

    {"schema": 1,
     "point": {dotted.path: value, ...},     as the spec has it; a text where it has a unit ("64 KiB")
     "seed": n, "spec_hash": "...",          of the spec as planned; the run's record has that of the rounded one
     "status": "done" | "failed" | "infeasible" | "pruned",
     "error": null | "why it failed, is infeasible or was stopped early",
     "run": "runs/ID" | null,
     "record": null | {name, seed, spec_hash, versions, started, duration_s, train_samples, test_samples,
                       labels, accuracy, energy_j, latency_s, area_mm2, technology,
                       memory: {used_bits, budget_bits}, device, counts: {train, inference}, speed,
                       phases: as in the record without counts, forgetting,
                       curve: [{epoch, phase, direct_average, ..., energy_j}]}}

`record` is that of `record.json` without `spec`, `held`, the arrays of `memory` and the counts of the points of the
curve. A `pruned` row (only a search makes them) has no record but the `curve` as far as it went. `sweep.json` is::

    {"schema": 1, "name": "...", "spec": {...}, "spec_hash": "...",   the base spec, plain, without its sweep
     "plan": {"method": "grid", "seeds": [...], "samples": n, "prune": true | false,
              "parameters": {dotted.path: [values] | {"min", "max", "step", "log"}, ...},
              "groups": [{"fields": [dotted.path, ...], "values": [[value, ...], ...]}, ...],   only where there are any
              "objectives": [{"name", "path", "up", "unit"}, ...],    path: dotted, into `record`
              "constraints": [{"text", "name", "path", "up", "unit", "op", "bound"}, ...]},  bound in the unit
     "section": {...}, "points": n,          the `sweep:` section as written; number of runs planned
     "versions": {...}}
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from edgesdt.errors import EdgesdtError
from edgesdt.files import documents, record_shape
from edgesdt.runs import record
from edgesdt.spec import spec_hash
from edgesdt.spec.sweep.goals import Goal
from edgesdt.spec.sweep.section import Parameter
from edgesdt.sweep.plan import Point, SweepPlan

SCHEMA = 1
DONE, FAILED, INFEASIBLE, PRUNED = "done", "failed", "infeasible", "pruned"
_KEPT = (
    "name", "seed", "spec_hash", "versions", "started", "duration_s", "train_samples", "test_samples", "labels",
    "accuracy", "energy_j", "latency_s", "area_mm2", "technology", "memory", "device", "counts", "speed", "curve",
    "deployment", "phases", "forgetting",
)  # fmt: skip


def head(plan: SweepPlan, point: Point) -> dict[str, Any]:
    """The part of a row that follows from the plan alone."""
    return {"schema": SCHEMA, "point": plan.named(point), "seed": point.seed, "spec_hash": point.spec_hash}


def row(
    plan: SweepPlan, point: Point, status: str, error: str | None = None, found: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """The row of a point; `found` is the record of its run, complete or shortened."""
    ran = status != INFEASIBLE
    return {
        **head(plan, point),
        "status": status,
        "error": error,
        "run": f"runs/{point.id}" if ran else None,
        "record": cut(found) if found is not None else None,
    }


def cut(found: Mapping[str, Any]) -> dict[str, Any]:
    """A record without its large parts."""
    kept = {key: found[key] for key in _KEPT if key in found}
    if "memory" in kept:
        kept["memory"] = {key: kept["memory"][key] for key in ("used_bits", "budget_bits")}
    if "technology" in kept:
        kept["technology"] = {key: value for key, value in kept["technology"].items() if key != "sources"}
    if "curve" in kept:
        kept["curve"] = [_without_counts(point) for point in kept["curve"]]
    if "phases" in kept:
        kept["phases"] = [
            {**_without_counts(phase), "parts": list(map(_without_counts, phase.get("parts", ())))}
            for phase in kept["phases"]
        ]
    return kept


def line(made: Mapping[str, Any]) -> bytes:
    """A row as a line of `records.jsonl`."""
    return json.dumps(made, separators=(",", ":"), allow_nan=False).encode() + b"\n"


def read_line(text: bytes, where: str) -> dict[str, Any] | None:
    """The row of a line; None if the line is not a row. Raises `EdgesdtError` for a row of a newer edgesdt."""
    try:
        made = documents.loads(text)
    except documents.DocumentError:
        return None
    if not isinstance(made, dict) or type(made.get("schema")) is not int:
        return None
    check_schema(made, where)
    return made if _is_row(made) else None


def _is_row(made: Mapping[str, Any]) -> bool:
    """Whether a document has all fields of a row, with the right types."""
    point, found, status = made.get("point"), made.get("record"), made.get("status")
    kinds = (
        isinstance(point, dict) and all(isinstance(name, str) for name in point),
        type(made.get("seed")) is int,
        isinstance(made.get("spec_hash"), str),
        status in (DONE, FAILED, INFEASIBLE, PRUNED),
        isinstance(made.get("error"), str | None),
        isinstance(made.get("run"), str | None),
    )
    if not all(kinds):
        return False
    if status in (DONE, PRUNED):
        has_curve = isinstance(found, dict) and (status == DONE or bool(found.get("curve")))
        return has_curve and not record_shape.fault_of_kind(found)
    return found is None


def check_schema(made: Mapping[str, Any], where: str) -> None:
    """Raises `EdgesdtError` for a document of a newer edgesdt."""
    if made["schema"] > SCHEMA:
        raise EdgesdtError(f"{where}: of schema {made['schema']}, written by a newer edgesdt; this one reads {SCHEMA}")


def description(plan: SweepPlan) -> dict[str, Any]:
    """`sweep.json`."""
    plain = plan.base.model_copy(update={"sweep": None}).plain()
    sweep = plan.sweep
    groups = [
        {"fields": [name for name, _ in p.fields], "values": [list(value) for value in p.values]}
        for p in sweep.parameters
        if p.group
    ]
    return {
        "schema": SCHEMA,
        "name": plan.base.name,
        "spec": plain,
        "spec_hash": spec_hash(plain),
        "plan": {
            "method": sweep.method,
            "seeds": list(sweep.seeds),
            "samples": sweep.samples,
            "prune": sweep.prune,
            "parameters": {p.name: _parameter(p) for p in sweep.parameters if not p.group},
            **({"groups": groups} if groups else {}),
            "objectives": [_goal(goal) for goal in sweep.objectives],
            "constraints": [
                {"text": kept.text, **_goal(kept.goal), "op": kept.op, "bound": kept.limit}
                for kept in sweep.constraints
            ],
        },
        "section": plan.base.sweep,
        "points": len(plan.points) if plan.points else sweep.samples * len(sweep.seeds),
        "versions": record.versions(),
    }


def _goal(goal: Goal) -> dict[str, Any]:
    return {"name": goal.name, "path": goal.path, "up": goal.up, "unit": goal.unit}


def _parameter(parameter: Parameter) -> list[Any] | dict[str, Any]:
    spread = parameter.range
    if spread is None:
        return list(parameter.values)
    unit = {"unit": spread.quantity.kind.base} if spread.quantity else {}
    return {"min": spread.low, "max": spread.high, "step": spread.step, "log": spread.log, **unit}


def _without_counts(point: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in point.items() if key not in ("counts", "parts")}
