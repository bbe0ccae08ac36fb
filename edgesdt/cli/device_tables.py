"""The tables of `edgesdt device show`: a row for each parameter with its value, unit, source and meaning."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from hw_models.foreign import printable

if TYPE_CHECKING:
    from hw_models.base import CellModel
    from hw_models.sheets.sheet import Entry, Sheet


def print_table(rows: Sequence[Sequence[str]]) -> None:
    """Prints rows of five words, the first four aligned."""
    rows = [[*map(printable, row)] for row in rows]
    widths = [max((len(row[column]) for row in rows), default=0) for column in range(4)]
    for row in rows:
        words = [word.ljust(width) for word, width in zip(row, widths, strict=False)]
        print(f"  {'  '.join([*words, row[4]])}".rstrip())


def parameter_rows(model: CellModel, made: Sheet | None) -> Iterator[tuple[str, str, str, str, str]]:
    """Rows of name, value, unit, source and meaning: first those in the sheet, then the family's defaults."""
    from hw_models.sheets import building

    kind = type(model)
    documented = {parameter.name: parameter for parameter in building.parameters(kind)}
    stated = {} if made is None else made.parameters
    for name, entry in stated.items():
        assert made is not None
        yield entry_row(name, entry, made, documented[name].doc if name in documented else "")
    if building.MOMENTS[0] in stated:
        return  # the parameters left out here are derived from these
    for name, parameter in documented.items():
        if name not in stated:
            unit = "" if parameter.unit == "1" else parameter.unit
            yield name, shown(getattr(model, name)), unit, "default", parameter.doc
    inner = building.inner_field(kind)
    if inner is not None:
        inside = getattr(model, inner)
        for row in parameter_rows(inside, None):
            yield (f"{inside.name}.{row[0]}", row[1], row[2], f"of {inside.name}", row[4])


def entry_row(name: str, entry: Entry, made: Sheet, doc: str = "") -> tuple[str, str, str, str, str]:
    """A row of `print_table` for one number of a sheet."""
    from hw_models.sheets.conditions import INFORMATIVE

    number = [citation.strip() for citation in made.sources.values()].index(entry.source) + 1
    about = "; ".join(part for part in (doc, entry.derived, INFORMATIVE.get(name, "")) if part)
    return name, shown(entry.value), "" if entry.unit == "1" else entry.unit, f"[{number}]", about


def shown(value: Any) -> str:
    """A value in ten digits; long lists are shortened."""
    if isinstance(value, tuple) and value and isinstance(value[0], tuple):
        return f"[{len(value)} x {len(value[0])} numbers]"
    if isinstance(value, tuple):
        words = [shown(item) for item in value]
        return f"[{', '.join(words)}]" if len(words) <= 6 else f"[{', '.join(words[:3])}, … {len(words)} in all]"
    return f"{value:.10g}" if isinstance(value, float) else str(value)
