"""The table of several ablations: differences are taken seed by seed, and their scatter is told."""

from __future__ import annotations

from typing import Any

from benchmarks import ablation_table


def result(seed: int, on: float, off: float, only: float) -> dict[str, Any]:
    scores = {"all on": on, "all off": off, "only adc": only}
    rows = [{"variant": name, "direct_average": score} for name, score in scores.items()]
    return {"model": "ReRamSB", "seed": seed, "layers": [784, 300], "epochs": 4, "variants": rows}


def test_differences_are_those_of_the_same_seed() -> None:
    head, rule, on, off, only = ablation_table.rows([result(0, 0.80, 0.90, 0.85), result(1, 0.84, 0.94, 0.87)])
    assert head == ["on", "direct average", "to all on", "to all off"] and rule == ["---"] * 4
    assert on == ["all on", "82.00 ± 2.83 %", "–", "-10.00 ± 0.00"]
    assert off == ["all off", "92.00 ± 2.83 %", "+10.00 ± 0.00", "–"]
    assert only == ["only adc", "86.00 ± 1.41 %", "+4.00 ± 1.41", "-6.00 ± 1.41"]


def test_one_seed_has_no_scatter_and_the_section_says_what_was_run() -> None:
    heading, how, table = ablation_table.section([result(3, 0.5, 0.6, 0.55)])
    assert heading == "## Ablation: ReRamSB"
    assert how.startswith("784-300, 4 epochs, seeds 3.\n")
    assert "| only adc | 55.00 % | +5.00 | -5.00 |" in table
