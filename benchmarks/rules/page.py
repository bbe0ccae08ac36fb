"""Writes RULES.md and its charts from the kept records."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final

from benchmarks import tables
from benchmarks.rules import charts, findings, rows, words
from benchmarks.rules.charts import NAMES
from benchmarks.rules.findings import Group, Record
from benchmarks.rules.grid import BUDGETS, SETS

PAGE: Final = Path(__file__).resolve().parents[1] / "RULES.md"


def _tables(
    found: Sequence[Group], table: Callable[[list[Group]], list[rows.Cells]], without: str = words.WITHOUT
) -> Iterator[str]:
    for own, mine in rows.by_labels(found):
        yield f"{words.WITH if own else without}:"
        yield tables.markdown(table(mine))


def page(records: Sequence[Record]) -> str:
    """RULES.md."""
    memory = findings.groups(records, part="memory", fraction=1.0)
    middle = findings.groups(records, part="memory", budget=BUDGETS[1])
    parts = [words.HEADING, words.method(records), words.MEMORY, _chart("memory", "Accuracy over memory")]
    for one in SETS:
        parts += [f"### {NAMES[one]}", *_tables([g for g in memory if g.case.data == one], rows.memory_rows)]
    parts += [words.ENERGY, _chart("energy", "Accuracy over training energy")]
    for one in SETS:
        parts += [f"### {NAMES[one]}, by energy", *_tables([g for g in memory if g.case.data == one], rows.energy_rows)]
    parts += [words.LABELS, _chart("labels", "Accuracy over known labels")]
    for one in SETS:
        mine = [group for group in middle if group.case.data == one]
        parts += [f"### {NAMES[one]}, by labels", *_tables(mine, rows.label_rows, words.ALONE)]
    heads = findings.groups(records, part="head")
    if heads:
        parts += [words.HEADS, tables.markdown(rows.head_rows([g for g in memory if g.case.data == SETS[0]], heads))]
    bits, cells = findings.groups(records, part="bits"), findings.groups(records, part="cells")
    parts += [words.BITS, _chart("bits", "Accuracy over the width of weights"), *_tables(bits, rows.bit_rows)]
    parts += [words.CELLS, tables.markdown(rows.cell_rows(cells)) if cells else "Not run.", words.refusals(records)]
    parts += [words.CONTROL, "\n".join(rows.no_better(records)) or "None."]
    parts += [words.DECISION, tables.markdown(rows.best_rows(records)), words.CONCLUSIONS, words.not_run(records)]
    return "\n\n".join(part for part in parts if part) + "\n"


def _chart(name: str, title: str) -> str:
    return f"![{title}](rules/figures/{charts.path_of(name).name})"


def stale() -> list[str]:
    """The files that were not made from the kept records."""
    records = findings.kept()
    old = [] if PAGE.exists() and PAGE.read_text(encoding="utf-8") == page(records) else [PAGE.name]
    return old + [charts.path_of(name).name for name in charts.CHARTS if not charts.is_current(name, records)]


def write() -> None:
    """Writes the page and its charts."""
    records = findings.kept()
    PAGE.write_text(page(records), encoding="utf-8")
    charts.FOLDER.mkdir(exist_ok=True)
    for name in charts.CHARTS:
        charts.path_of(name).write_bytes(charts.draw(name, records))
