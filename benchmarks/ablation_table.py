"""Ablations of one device with several seeds as one table: the cost of each non-ideality and its uncertainty."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from typing import Any

from edgesdt.runs.ablation import ALL_OFF, ALL_ON

TEXT = """The same run with each non-ideality alone and with all but one (`edgesdt run SPEC --ablate`); differences in
percentage points, taken seed by seed. What one costs alone and what its removal gains need not agree: some act only
together, such as the nonlinearity and the asymmetry of symmetric soft bounds."""


def section(results: Sequence[dict[str, Any]]) -> list[str]:
    """Heading, text and table of the ablations `results` of one model and chip, one result per seed."""
    first = results[0]
    chip = "-".join(str(size) for size in first["layers"])
    seeds = ", ".join(str(result["seed"]) for result in results)
    how = f"{chip}, {first['epochs']} epochs, seeds {seeds}.\n{TEXT}"
    lines = "\n".join("| " + " | ".join(row) + " |" for row in rows(results))
    return [f"## Ablation: {first['model']}", how, lines]


def rows(results: Sequence[dict[str, Any]]) -> list[list[str]]:
    """A row per variant in the order of the first result: accuracy, difference to all on, difference to all off."""
    scores = [{row["variant"]: 100 * row["direct_average"] for row in result["variants"]} for result in results]
    made = [["on", "direct average", "to all on", "to all off"], ["---"] * 4]
    for name in scores[0]:
        apart = ([seed[name] - seed[other] for seed in scores] for other in (ALL_ON, ALL_OFF))
        told = ("–" if not any(each) else _spread(each, "+") for each in apart)
        made.append([name, _spread([seed[name] for seed in scores], "") + " %", *told])
    return made


def _spread(values: Sequence[float], sign: str) -> str:
    """Mean ± standard deviation."""
    spread = f" ± {statistics.stdev(values):.2f}" if len(values) > 1 else ""
    return f"{statistics.fmean(values):{sign}.2f}{spread}"
