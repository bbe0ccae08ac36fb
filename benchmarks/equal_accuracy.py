"""Compares the energy of learning rules at equal accuracy, from the learning curves of kept records.

Chips with equal layers, bits, data and target are compared (`rule_table`); of several of one rule, the most accurate.
The goal is the highest accuracy, in steps of `STEP`, that every seed of every rule reaches at some epoch; a chip pays
for all epochs until it first does. Rates fall over the whole schedule of a run; a schedule made for the goal would be
shorter, so the energies are upper bounds.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from fractions import Fraction

from benchmarks import rule_table, tables
from benchmarks.records import Record
from edgesdt import units

HEAD = [
    "chip", "rule", "direct average %", "energy/training sample", "samples until", "energy until", "goal %",
]  # fmt: skip
STEP = Fraction(1, 400)
"""Goals are multiples of a quarter of a percentage point."""
NAME = "direct_average"


def table(made: Sequence[Record]) -> str:
    """The rows as Markdown; empty if no chips can be compared."""
    lines = [line for group in rule_table.alike(made) for line in rows(group)]
    return tables.markdown([HEAD, *lines]) if lines else ""


def rows(group: Sequence[Sequence[Record]]) -> list[list[str]]:
    """A row for each rule of one group of comparable chips, given as the seeds of each."""
    best: dict[str, Sequence[Record]] = {}
    for seeds in sorted(group, key=_accuracy):
        best[seeds[0]["spec"]["learning"]["rule"]] = seeds
    goal = reached_by_all(list(best.values()))
    return [_row(seeds, goal) for _, seeds in sorted(best.items())]


def _accuracy(seeds: Sequence[Record]) -> float:
    """The mean accuracy at the end."""
    return statistics.fmean(record["accuracy"].get(NAME, 0.0) for record in seeds)


def reached_by_all(group: Sequence[Sequence[Record]]) -> float:
    """The highest multiple of `STEP` that every record's curve reaches."""
    least = min(max(point[NAME] for point in record["curve"]) for seeds in group for record in seeds)
    return float(Fraction(least).limit_denominator(10**6) // STEP * STEP)


def until(record: Record, goal: float) -> tuple[int, float]:
    """Samples learned, and energy spent [J], when the curve first reaches `goal`, which it does."""
    spent = 0.0
    for point in record["curve"]:
        spent += point["energy_j"]
        if point[NAME] >= goal:
            return point["epoch"] * record["train_samples"], spent
    raise ValueError(f"{record['name']}: never reaches {goal}")


def _row(seeds: Sequence[Record], goal: float) -> list[str]:
    ends = [until(record, goal) for record in seeds]
    layers = "-".join(str(n) for n in seeds[0]["spec"]["chip"]["layers"])
    mean = statistics.fmean
    return [
        f"{seeds[0]['name']}, {layers}",
        seeds[0]["spec"]["learning"]["rule"],
        f"{100 * _accuracy(seeds):.2f}",
        units.format_energy(mean(record["energy_j"]["train_per_sample"] for record in seeds)),
        f"{mean(samples for samples, _ in ends):,.0f}",
        units.format_energy(mean(joules for _, joules in ends)),
        f"{100 * goal:.2f}",
    ]
