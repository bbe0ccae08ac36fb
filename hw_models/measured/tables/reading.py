"""Reads measured tables from laboratories; `columns` interprets the headers, `branches` finds the pulses."""

from __future__ import annotations

import csv
import hashlib
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hw_models.base import DeviceError
from hw_models.files import read_bytes
from hw_models.foreign import printable
from hw_models.measured.tables import branches, unit_cells
from hw_models.measured.tables.columns import CONDUCTANCES, DIMENSION, LEAST_CONDUCTANCE, MOST, Column, understood
from hw_models.measured.tables.traces import Floats, Origin, StepTable, Traces

_SHOWN = 10
"""Maximum number of faults of a file in one report."""


@dataclass(frozen=True)
class Table:
    """The rows of a file: cells as text, with the line of each row."""

    name: str
    sha256: str
    header: list[str]
    rows: list[list[str]]
    lines: list[int]
    decimal_comma: bool
    columns: dict[str, Column]
    scales: dict[int, Floats]
    """For columns whose unit changes from row to row: a factor for each row, by the index of the column."""

    def text(self, role: str) -> list[str] | None:
        """A column as text; None if it is missing."""
        column = self.columns.get(role)
        return None if column is None else [row[column.place].strip() for row in self.rows]

    def numbers(self, role: str, faults: list[str]) -> Floats | None:
        """A column in SI units; a cell that is not a finite number is added to `faults` with its line."""
        written = self.text(role)
        if written is None:
            return None
        column = self.columns[role]
        values = np.empty(len(written))
        for place, cell in enumerate(written):
            values[place] = _number(cell, self.decimal_comma)
            if not math.isfinite(values[place]):
                what = "is empty" if not cell else f"{cell!r} is not a finite number"
                faults.append(f"{self.name}:{self.lines[place]}: {column.title}: {what}")
        with np.errstate(over="ignore", invalid="ignore"):
            found: Floats = values * column.factor * self.scales.get(column.place, 1.0)
        faults += self._too_large(role, found, written)
        return found

    def _too_large(self, role: str, found: Floats, written: list[str]) -> list[str]:
        """A fault for each number that no cell and no instrument has; what is not finite is said already."""
        most, unit, column = MOST[role], DIMENSION.get(role, ""), self.columns[role]
        places = [place for place in np.flatnonzero(np.abs(found) > most) if _is_number(written[place], self)]
        allowed = f"allowed: up to {most:g} {unit}".rstrip()
        return [f"{self.name}:{self.lines[p]}: {column.title}: {written[p]} is too large, {allowed}" for p in places]


def _is_number(cell: str, table: Table) -> bool:
    return math.isfinite(_number(cell, table.decimal_comma))


def read(path: str | Path, read_voltage_v: float | None = None) -> Traces | StepTable:
    """Reads a CSV: pulses and conductance (or current and read voltage, or resistance), or step statistics.

    Separators are comma, semicolon or tab; lines that start with # are comments. `read_voltage_v` is for currents
    without a column of voltages. Raises `DeviceError` with file and line for all invalid content.
    """
    table = _table(Path(path))
    if {"up_mean", "down_mean"} & set(table.columns):
        return _statistics(table)
    faults: list[str] = []
    weight = _only_weights(table)
    if weight:
        found = table.numbers("weight", faults)
        assert found is not None
        conductance, volts, quantum = found, None, _resolution(table, "weight")
    else:
        conductance, volts, quantum = _conductance(table, read_voltage_v, faults)
    pulse = table.numbers("pulse", faults)
    refuse(faults)
    refuse([] if weight else [
        f"{table.name}:{line}: the conductance is {g:g} S, allowed: {CONDUCTANCES}"
        for line, g in zip(table.lines, conductance, strict=True) if not LEAST_CONDUCTANCE <= g <= MOST["conductance"]
    ])  # fmt: skip
    amplitude = table.numbers("pulse_voltage", faults)
    width = table.numbers("pulse_width", faults)
    refuse(faults)
    rows = branches.Rows(
        table.name, tuple(table.lines), conductance, pulse, table.text("phase"), amplitude,
        table.text("cell"), table.text("cycle"),
    )  # fmt: skip
    order = branches.ordered(rows)
    up, down = order.steps[True], order.steps[False]
    origin = Origin(
        table.name, table.sha256, volts, _typical(amplitude, up), _typical(amplitude, down),
        _typical(width, up), _typical(width, down),
    )  # fmt: skip
    return branches.traces(rows, order, origin, quantum, weight)


def _only_weights(table: Table) -> bool:
    """Whether this is a table of `edgesdt device pulse` for a model without conductances (an empty column g_s)."""
    if "weight" not in table.columns or {"current", "resistance"} & set(table.columns):
        return False
    return not any(table.text("conductance") or [])


def refuse(faults: list[str]) -> None:
    """Raises one `DeviceError` with all `faults`, if there are any."""
    if faults:
        more = [f"... and {len(faults) - _SHOWN} more like these"] if len(faults) > _SHOWN else []
        raise DeviceError("\n".join(faults[:_SHOWN] + more))


def _typical(values: Floats | None, places: list[int]) -> float | None:
    return None if values is None or not places else float(np.median(values[places]))


def _table(path: Path) -> Table:
    try:
        data = read_bytes(path)
    except OSError as error:
        raise DeviceError(f"{printable(str(path))}: cannot be read: {error.strerror or error}") from None
    if b"\0" in data:
        raise DeviceError(f"{path}: is not a text file (CSV expected; a spreadsheet must be exported first)")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("latin-1")  # the µ of older instruments
    return _split(path, text, hashlib.sha256(data).hexdigest())


def _split(path: Path, text: str, digest: str) -> Table:
    """The cells of a text, with the units of a row or of columns of units in the header."""
    every = [(number, line) for number, line in enumerate(text.splitlines(), start=1) if line.strip()]
    lines = [(number, line) for number, line in every if not line.lstrip().startswith("#")]
    if not lines:
        raise DeviceError(f"{path}: is empty")
    separator = max("\t;,", key=lines[0][1].count)

    def cells(line: str) -> list[str]:
        try:
            return next(csv.reader([line], delimiter=separator, skipinitialspace=True))
        except csv.Error as error:
            raise DeviceError(f"{path}: not readable as CSV: {error}") from None

    header = cells(lines[0][1])
    if any(math.isfinite(_number(cell, separator != ",")) for cell in header):
        raise DeviceError(f"{path}:{lines[0][0]}: no header: name the columns and units, such as pulse,phase,G (S)")
    split, numbers = [cells(line) for _, line in lines[1:]], [number for number, _ in lines[1:]]
    below, next_line = next(((number, line) for number, line in every if number > lines[0][0]), (0, ""))

    def number_of(cell: str) -> float:
        return _number(cell, separator != ",")

    title_row, odd = header, False  # a comment that looks like a row of units, but has an unknown one
    if next_line.startswith("#") and unit_cells.is_known_unit_row(header, cells(next_line)):
        header = unit_cells.from_row(header, cells(next_line))
    elif split and unit_cells.is_unit_row(header, split[0], number_of):
        check_units(header, split[0], f"{path}:{numbers[0]}")
        header, split, numbers = unit_cells.from_row(header, split[0]), split[1:], numbers[1:]
    else:
        odd = next_line.startswith("#") and unit_cells.is_unit_row(header, cells(next_line), number_of)
    refuse([
        f"{path}:{number}: {len(row)} columns, the header has {len(header)}"
        for number, row in zip(numbers, split, strict=True) if len(row) != len(header)
    ])  # fmt: skip
    placed = unit_cells.from_columns(header, split, str(path), numbers)
    try:
        columns = understood(placed.header)
    except DeviceError as error:
        if odd:
            check_units(title_row, cells(next_line), f"{path}:{below}")
        raise DeviceError(f"{path}:{lines[0][0]}: {error}") from None
    return Table(printable(path.name), digest, placed.header, split, numbers, separator != ",", columns, placed.scales)


def check_units(header: list[str], row: list[str], where: str) -> None:
    """`unit_cells.check_row`, whose error begins with `where` the row stands."""
    try:
        unit_cells.check_row(header, row)
    except DeviceError as error:
        raise DeviceError(f"{where}: {error}") from None


def _number(text: str, decimal_comma: bool) -> float:
    if decimal_comma and "." not in text:
        text = text.replace(",", ".")
    try:
        return float(text) if "_" not in text else math.nan
    except ValueError:
        return math.nan


def _conductance(table: Table, read_voltage_v: float | None, faults: list[str]) -> tuple[Floats, float | None, float]:
    """(conductance in siemens, read voltage if known, resolution in siemens)."""
    volts = table.numbers("read_voltage", faults)
    for what, value in (("--read-voltage", read_voltage_v),):
        if value is not None and not 0 < abs(value) <= MOST["read_voltage"]:
            most = MOST["read_voltage"]
            raise DeviceError(f"{what}: {value!r} V, allowed: a number of volts that is not 0, up to {most:g}")
    single = read_voltage_v if read_voltage_v is not None else _typical(volts, list(range(len(table.rows))))
    direct = table.numbers("conductance", faults)
    if direct is not None:
        return direct, single, _resolution(table, "conductance")
    resistance = table.numbers("resistance", faults)
    if resistance is not None:
        refuse(faults)
        with np.errstate(divide="ignore", over="ignore"):
            found = 1.0 / resistance
            return found, single, _resolution(table, "resistance") * float(np.median(found**2))
    current = table.numbers("current", faults)
    if current is None:
        raise DeviceError(
            f"{table.name}: no column of conductance, current or resistance with a unit, such as G (uS); "
            f"found: {', '.join(table.header)}"
        )
    refuse(faults)
    if volts is None and read_voltage_v is None:
        raise DeviceError(f"{table.name}: currents need a read voltage: a column such as v_read (V), or --read-voltage")
    divisor = np.full(len(current), read_voltage_v) if volts is None else volts
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        found = current / divisor
    step = _resolution(table, "current") / abs(float(np.median(divisor)) or 1.0)
    return found, float(np.median(divisor)), step


def _resolution(table: Table, role: str) -> float:
    """Value of the last written digit of a column's numbers, in SI units: the size of rounding errors."""
    finest, column = math.inf, table.columns[role]
    scales = table.scales.get(column.place)
    for index, cell in enumerate(table.text(role) or []):
        if not math.isfinite(_number(cell, table.decimal_comma)):
            continue  # another check reports it with its line
        mantissa, _, exponent = cell.lower().replace(",", ".").partition("e")
        step = 10.0 ** min(int(exponent or 0) - len(mantissa.partition(".")[2]), 300)
        finest = min(finest, step if scales is None else step * float(scales[index]))
    return finest * column.factor if math.isfinite(finest) else 0.0


def _statistics(table: Table) -> StepTable:
    needed = ("conductance", "up_mean", "up_std", "down_mean", "down_std")
    missing = [role for role in needed if role not in table.columns]
    if missing:
        side = {role.split("_")[0] for role in missing} & {"up", "down"}
        hint = "; one branch is missing" if side and len(missing) < 4 else ""
        raise DeviceError(
            f"{table.name}: a table of step statistics needs the columns G, inc_mean_dG, inc_std_dG, dec_mean_dG and "
            f"dec_std_dG with units; missing: {', '.join(missing)}{hint}"
        )
    faults: list[str] = []
    columns = {role: table.numbers(role, faults) for role in table.columns}
    refuse(faults)
    g, up, down = columns["conductance"], columns["up_mean"], columns["down_mean"]
    up_std, down_std = columns["up_std"], columns["down_std"]
    assert g is not None and up is not None and down is not None and up_std is not None and down_std is not None
    rising = np.r_[True, np.diff(g) > 0]
    for line, value, last, a, b in zip(table.lines, g, rising, up_std, down_std, strict=True):
        if not value >= LEAST_CONDUCTANCE:
            faults.append(f"{table.name}:{line}: the conductance is {value:g} S, allowed: {CONDUCTANCES}")
        elif not last:
            faults.append(f"{table.name}:{line}: the conductances must rise from row to row")
        elif min(a, b) < 0:
            faults.append(f"{table.name}:{line}: a standard deviation below 0")
    refuse(faults)
    if len(g) < 5:
        raise DeviceError(f"{table.name}: {len(g)} rows of step statistics are too few, allowed: 5 or more")
    if np.mean(up > 0) < 0.7 or np.mean(down < 0) < 0.7:
        raise DeviceError(f"{table.name}: up steps must be above 0 and down steps below; are the columns exchanged?")
    counts = columns.get("up_count"), columns.get("down_count")
    return StepTable(Origin(table.name, table.sha256), g, up, up_std, down, down_std, *counts)
