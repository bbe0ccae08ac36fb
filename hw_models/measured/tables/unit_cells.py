"""Finds units in a separate row or column and moves them into the header, where `columns` reads them.

A row of units follows the header (`pulse,G` and then `#,uS`). A column of units is called `unit` and is to the right of
its numbers, or names them (`G unit`, `unit of G`). Its units may change from row to row, like the range of an
instrument.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from hw_models.base import DeviceError
from hw_models.measured.tables.columns import DIMENSION, bare_role, unit_factor, words
from hw_models.measured.tables.traces import Floats

_WORDS = ("unit", "units")
_SHOWN = 10


@dataclass(frozen=True)
class Placed:
    """A header with units in its titles, and factors for each row for columns with changing units."""

    header: list[str]
    scales: dict[int, Floats]


def is_unit_row(header: list[str], row: list[str], number: Callable[[str], float]) -> bool:
    """Whether a row has words below all quantities without a unit, and no numbers."""
    if len(row) != len(header) or any(math.isfinite(number(cell)) for cell in row):
        return False
    return any(bare_role(title) and _unit(cell) for title, cell in zip(header, row, strict=True))


def is_known_unit_row(header: list[str], row: list[str]) -> bool:
    """Whether a row has a known unit below every quantity without one; for lines that may be comments."""
    pairs = [(role, _unit(cell)) for title, cell in zip(header, row, strict=False) if (role := bare_role(title))]
    return len(row) == len(header) and bool(pairs) and all(_is_known(unit, role) for role, unit in pairs)


def check_row(header: list[str], row: list[str]) -> None:
    """Raise `DeviceError` for the first cell of a row of units that is no unit of the quantity above it."""
    for title, cell in zip(header, row, strict=True):
        role = bare_role(title)
        if role and _unit(cell):
            unit_factor(_unit(cell), DIMENSION[role], title.strip())


def from_row(header: list[str], row: list[str]) -> list[str]:
    """The header with the units of the row added; a title with a unit keeps its own."""
    pairs = zip(header, row, strict=True)
    return [f"{title.strip()} ({_unit(cell)})" if bare_role(title) and _unit(cell) else title for title, cell in pairs]


def from_columns(header: list[str], rows: list[list[str]], where: str, lines: list[int]) -> Placed:
    """The header with the units from columns of units added; those columns lose their title.

    Raises `DeviceError` with `where` and the line of every cell that is not a unit.
    """
    made, scales = list(header), dict[int, Floats]()
    for place, title in enumerate(header):
        target = _target(header, place)
        if target is None or not rows:
            continue
        role = bare_role(header[target])
        assert role is not None
        cells = [_unit(row[place]) for row in rows]
        factors = _factors(cells, DIMENSION[role], title.strip(), where, lines)
        same = len(set(cells)) == 1
        made[target] = f"{header[target].strip()} ({cells[0] if same else DIMENSION[role]})"
        made[place] = ""
        if not same:
            scales[target] = factors
    return Placed(made, scales)


def _factors(cells: list[str], dimension: str, title: str, where: str, lines: list[int]) -> Floats:
    faults, factors = [], np.empty(len(cells))
    for index, cell in enumerate(cells):
        try:
            factors[index] = unit_factor(cell, dimension, title)
        except DeviceError as error:
            told = str(error) if cell else f"column {title!r}: no unit"
            faults.append(f"{where}:{lines[index]}: {told}")
    if faults:
        more = [f"... and {len(faults) - _SHOWN} more like these"] if len(faults) > _SHOWN else []
        raise DeviceError("\n".join(faults[:_SHOWN] + more))
    return factors


def _target(header: list[str], place: int) -> int | None:
    """The column whose units are in the column at `place`; None if there is none or none is needed."""
    named = words(header[place]).split()
    if not named or not {named[0], named[-1]} & set(_WORDS):
        return None
    bare = [other for other, title in enumerate(header) if bare_role(title)]
    about = " ".join(word for word in named if word not in (*_WORDS, "of"))
    if about:
        return next((other for other in bare if about in (words(header[other]), bare_role(header[other]))), None)
    if place - 1 in bare:
        return place - 1
    return bare[0] if len(bare) == 1 else None


def _unit(cell: str) -> str:
    """A unit without the brackets around it."""
    return cell.strip().lstrip("#").strip().strip("[]()").strip()


def _is_known(unit: str, role: str) -> bool:
    try:
        unit_factor(unit, DIMENSION[role], "")
    except DeviceError:
        return False
    return True
