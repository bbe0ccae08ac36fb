"""Makes the table of a paper: for each of its rows the published figure and ours, from kept records alone."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence

from benchmarks import tables
from benchmarks.records import Record
from benchmarks.reproduce import verdict
from benchmarks.reproductions import Row
from edgesdt import units
from edgesdt.rules.lookup import resolve
from edgesdt.spec import spec_hash

HEAD = [
    "row", "read-out", "published %", "ours %", "seeds", "bar %", "verdict", "weights, states", "passes", "memory",
    "untrained: published %", "untrained: ours %", "energy/training sample",
]  # fmt: skip
NONE = "–"
CONTROL = "untrained_"


def table(rows: Sequence[Row], made: Sequence[Record]) -> str:
    """The rows as Markdown, with their figures from the records `made`."""
    known = {(record["name"], record["seed"]): record for record in made}
    return tables.markdown([HEAD, *(line for row in rows for line in lines(row, found(row, known)))])


def found(row: Row, known: Mapping[tuple[str, int], Record]) -> list[Record]:
    """The kept records of the row's seeds; those of an older spec of the same name are left out."""
    kept = []
    for seed in row.seeds if row.spec is not None else ():
        spec = row.load(seed)
        record = known.get((spec.name, seed))
        if record is not None and record["spec_hash"] == spec_hash(resolve(spec).plain()):
            kept.append(record)
    return kept


def lines(row: Row, seeds: Sequence[Record]) -> list[list[str]]:
    """One line for each read-out; the control is a column of its own."""
    return [_line(row, name, seeds) for name in row.metrics() if not name.startswith(CONTROL)]


def _line(row: Row, name: str, seeds: Sequence[Record]) -> list[str]:
    figures = _figures(name, seeds)
    judged = "not run" if row.spec is None or not seeds else verdict(row, name, figures)
    return [
        row.title,
        name.replace("_", " "),
        _published(row, name),
        spread(figures),
        str(len(figures) or NONE),
        f"{100 * row.bar[name]:.2f}" if name in row.bar else NONE,
        judged,
        *_chip(seeds),
        _published(row, CONTROL + name),
        spread(_figures(CONTROL + name, seeds)),
        units.format_energy(statistics.fmean(one["energy_j"]["train_per_sample"] for one in seeds)) if seeds else NONE,
    ]


def _figures(name: str, seeds: Sequence[Record]) -> list[float]:
    return [record["accuracy"][name] for record in seeds if name in record["accuracy"]]


def _published(row: Row, name: str) -> str:
    if row.published is None or name not in row.published.accuracy:
        return NONE
    mean, deviation = row.published.accuracy[name]
    return f"{100 * mean:.2f}" + ("" if deviation is None else f" ± {100 * deviation:.2f}")


def _chip(seeds: Sequence[Record]) -> list[str]:
    """Widths, passes and memory of the chip."""
    if not seeds:
        return [NONE] * 3
    spec = seeds[0]["spec"]
    widths = f"{spec['chip']['weights']['bits']}, {spec['chip']['states']['bits']} bits"
    return [widths, str(spec["epochs"]), units.format_size(seeds[0]["memory"]["used_bits"])]


def spread(figures: Sequence[float]) -> str:
    """Mean and standard deviation of fractions in per cent; a dash if there are none."""
    if not figures:
        return NONE
    deviation = f" ± {100 * statistics.stdev(figures):.2f}" if len(figures) > 1 else ""
    return f"{100 * statistics.fmean(figures):.2f}{deviation}"
