"""Compares learning rules from kept records: chips with equal layers, bits, data and target, by rule.

Traffic is the number of bits that a training sample moves between memories and the rest of the chip: the accesses in
each action's recipe.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from benchmarks import tables
from benchmarks.records import Record, by_spec
from benchmarks.result_pages import accuracy, means
from edgesdt import units
from edgesdt.ledger.recipes import Access
from edgesdt.registry import BY_CLASS
from edgesdt.rules.lookup import design_of
from edgesdt.spec import Spec

HEAD = [
    "chip", "rule", "weights, states", "epochs", "direct average %", "output %", "memory", "energy/training sample",
    "energy/inference", "latency training / inference", "traffic/training sample", "of it weights",
]  # fmt: skip


def alike(made: Sequence[Record]) -> list[list[list[Record]]]:
    """Groups of chips that differ in rule; a group is a list of specs, each given by the records of its seeds."""
    found: defaultdict[tuple[object, ...], list[list[Record]]] = defaultdict(list)
    for seeds in by_spec(made):
        found[_key(seeds[0])].append(seeds)
    return [group for group in found.values() if len({seeds[0]["spec"]["learning"]["rule"] for seeds in group}) > 1]


def rows(made: Sequence[Record]) -> list[list[str]]:
    """A row for each spec with a counterpart of another rule, counterparts together; empty if there is none."""
    return [_row(seeds) for group in alike(made) for seeds in group]


def table(found: Sequence[Sequence[str]]) -> str:
    """The rows as Markdown."""
    return tables.markdown([HEAD, *(list(cells) for cells in found)])


def _key(made: Record) -> tuple[object, ...]:
    """The key of comparable chips; the fractional bits of the weights may differ by rule."""
    spec, chip = made["spec"], made["spec"]["chip"]
    bits = chip["weights"]["bits"], chip["states"]["bits"]
    labels = spec["learning"]["target"], spec["label_fraction"]
    return (spec["data"]["set"], tuple(chip["layers"]), *bits, *labels, spec["device"]["model"])


def _row(seeds: Sequence[Record]) -> list[str]:
    first, chip = seeds[0], seeds[0]["spec"]["chip"]
    energy, latency = means(seeds, "energy_j"), means(seeds, "latency_s")
    moved, weights = traffic(first)
    return [
        f"{first['name']}, {'-'.join(str(n) for n in chip['layers'])}",
        first["spec"]["learning"]["rule"],
        f"{chip['weights']['bits']}, {chip['states']['bits']} bits",
        str(first["spec"]["epochs"]),
        accuracy(seeds, "direct_average"),
        accuracy(seeds, next((name for name in BY_CLASS if name in first["accuracy"]), BY_CLASS[0])),
        units.format_size(first["memory"]["used_bits"]),
        units.format_energy(energy("train_per_sample")),
        units.format_energy(energy("inference_per_sample")),
        f"{units.format_time(latency('train_per_sample'))} / {units.format_time(latency('inference_per_sample'))}",
        units.format_size(moved),
        f"{100 * weights / moved:.0f} %",
    ]


def traffic(made: Record) -> tuple[int, int]:
    """Bits that a training sample reads and writes in all memories, and in the weight memory."""
    total = weights = 0
    for action in design_of(Spec.from_plain(made["spec"])).actions:
        for part in action.recipe:
            if isinstance(part, Access):
                bits = made["counts"]["train"].get(action.name, 0) * part.times * part.bits
                total += bits
                weights += bits if "weights" in part.arrays else 0
    samples = made["train_samples"] * made["spec"]["epochs"]
    return total // samples, weights // samples
