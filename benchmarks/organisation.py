"""Writes the organisation table of docs/explanation/energy.md: a kept record, priced with its memories in banks.

`python -m benchmarks.organisation` writes it from the record without running a chip. With `--check` it writes nothing
and fails if the page differs from the record.
"""

from __future__ import annotations

import argparse
import copy
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks import command, records, tables
from edgesdt.pricing import bill, phased
from edgesdt.rules.lookup import memory_map
from edgesdt.runs import record
from edgesdt.spec import Spec
from edgesdt.spec.stages import stages

RECORD = records.FOLDER / "mnist_1layer-0.json"
PAGE = records.HERE.parent / "docs" / "explanation" / "energy.md"
SECTION = "organisation"
WORD_BITS = 64
BANKS: tuple[tuple[str, Mapping[str, Any] | None], ...] = (
    ("no organisation", None),
    ("one bank", {"word": WORD_BITS}),
    ("64 KiB", {"word": WORD_BITS, "bank": 64 * 8192}),
    ("32 KiB", {"word": WORD_BITS, "bank": 32 * 8192}),
    ("8 KiB", {"word": WORD_BITS, "bank": 8 * 8192}),
)
"""Name of a row, and the `chip.memory` of its chip with sizes in bits."""


def priced(made: Mapping[str, Any], memory: Mapping[str, Any] | None, sleep: bool = False) -> dict[str, Any]:
    """Energy, latency, area, technology and memory, as in a record, with the arrays of `made` in this organisation."""
    plain = copy.deepcopy(dict(made["spec"]))
    if memory is not None:
        plain["chip"]["memory"] = {**memory, "sleep": sleep}
    spec = Spec.from_plain(plain)
    samples = {"train": phased.samples_learned(made), "inference": made["test_samples"]}
    fitted, by_stage = memory_map(spec).plain(), phased.stage_counts(made, len(stages(spec)))
    return {**bill.price(spec, made["counts"], samples, fitted, by_stage), "memory": fitted}


def costs(made: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """`priced` of each organisation, awake and asleep, by the head of its column."""
    found = {}
    for name, memory in BANKS:
        found[name] = priced(made, memory)
        if memory is not None:
            found[f"{name}, sleep"] = priced(made, memory, sleep=True)
    return found


def rows(made: Mapping[str, Any]) -> list[tuple[str, ...]]:
    """The table: a column for each organisation; energies in nJ of one sample, areas in mm², powers in mW."""
    columns = costs(made)
    presented = phased.samples_learned(made)
    dynamic = [name for name in columns[BANKS[0][0]]["energy_j"]["train_breakdown"] if name != bill.LEAKAGE]
    powers = ("leakage_w", "leakage_asleep_w")
    found: list[tuple[str, Sequence[float | None], str]] = [
        ("banks of the weights", [_banks(cost) for cost in columns.values()], "{:.0f}"),
        *(
            (name, [cost["energy_j"]["train_breakdown"][name] / presented * 1e9 for cost in columns.values()], "{:.1f}")
            for name in dynamic
        ),
        *(
            (f"leakage, {part}", [_leaks(cost, part) / presented * 1e9 for cost in columns.values()], "{:.1f}")
            for part in ("weight memory", "other memories", "logic")
        ),
        ("**a training sample**", [cost["energy_j"]["train_per_sample"] * 1e9 for cost in columns.values()], "{:.1f}"),
        ("**an inference**", [cost["energy_j"]["inference_per_sample"] * 1e9 for cost in columns.values()], "{:.1f}"),
        ("area, weight memory", [_weights_mm2(cost) for cost in columns.values()], "{:.3f}"),
        ("**area** [mm²]", [cost["area_mm2"]["total"] for cost in columns.values()], "{:.3f}"),
        *(
            (text, [_scaled(cost["technology"].get(key)) for cost in columns.values()], "{:.1f}")
            for text, key in zip(("**leakage, awake** [mW]", "leakage, asleep [mW]"), powers, strict=True)
        ),
    ]
    body = [(text, *("–" if n is None else form.format(n) for n in numbers)) for text, numbers, form in found]
    return [("nJ", *columns), *body]


def _banks(cost: Mapping[str, Any]) -> float | None:
    found: float | None = next((e["banks"] for e in cost["memory"].get("banks", ()) if e["kind"] == "weights"), None)
    return found


def _weights_mm2(cost: Mapping[str, Any]) -> float:
    return float(cost["area_mm2"]["breakdown"]["weight memory"])


def _scaled(watts: float | None) -> float | None:
    return None if watts is None else watts * 1e3


def _leaks(cost: Mapping[str, Any], part: str) -> float:
    """Leakage in joules over the whole training: of the weight memory, of all other memory, or of the logic."""
    kinds = {name: _part(name) for name in cost["energy_j"]["train_leakage"]}
    return float(sum(cost["energy_j"]["train_leakage"][name] for name, kind in kinds.items() if kind == part))


def _part(component: str) -> str:
    return component if component == "weight memory" else "other memories" if "memory" in component else "logic"


def section(path: Path = RECORD) -> str:
    """The table of a kept record as Markdown. Raises `EdgesdtError` for a damaged record."""
    return tables.markdown(rows(record.read(path)))


def main(arguments: Sequence[str]) -> int:
    """The command; returns its exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.organisation", description=__doc__.partition("\n")[0])
    parser.add_argument("--check", action="store_true", help="write nothing; fail if the page differs from the record")
    options = parser.parse_args(arguments)
    text = PAGE.read_text(encoding="utf-8")
    wanted = tables.with_section(PAGE, SECTION, section(), text)
    if options.check:
        print("the table and the record agree" if wanted == text else f"{PAGE.name}: the table differs from the record")
        return 0 if wanted == text else 1
    record.write_atomically(PAGE, wanted.encode())
    PAGE.chmod(0o644)
    print(PAGE)
    return 0


if __name__ == "__main__":
    command.finish(main)
