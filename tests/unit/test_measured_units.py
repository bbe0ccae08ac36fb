"""Units of measured tables in a row or in columns of their own give the same numbers as units in the header."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from hw_models.base import DeviceError
from hw_models.measured.tables.reading import read
from hw_models.measured.tables.traces import Traces

UP = [1.0 + 0.1 * k for k in range(13)]
DOWN = [2.2 - 0.11 * k for k in range(1, 12)]
PHASES = ["start", *["up"] * 12, *["down"] * 11]


def rows(form: str, separator: str = ",", split: int = 99) -> list[str]:
    """A row for each pulse by a form of `k`, `phase`, `g` [uS] and `unit`: uS, from pulse `split` on nS."""
    made = []
    for k, (phase, g) in enumerate(zip(PHASES, [*UP, *DOWN], strict=True)):
        value, unit = (g, "uS") if k < split else (1000 * g, "nS")
        cells = form.format(k=k, phase=phase, g=f"{value:.9g}", unit=unit)
        made.append(cells.replace(",", separator))
    return made


def siemens(folder: Path, lines: list[str], volts: float | None = None) -> np.ndarray:
    path = folder / "m.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    found = read(path, volts)
    assert isinstance(found, Traces)
    return found.conductance_s


PLAIN = ["pulse,phase,G (uS)", *rows("{k},{phase},{g}")]
WAYS = {
    "row": ["pulse,phase,G", ",,uS", *rows("{k},{phase},{g}")],
    "row in brackets": ["pulse,phase,G", "[#],[-],[uS]", *rows("{k},{phase},{g}")],
    "row that looks like a comment": ["pulse,phase,G", "#,,uS", *rows("{k},{phase},{g}")],
    "row with semicolons": ["pulse;phase;conductance", ";;(µS)", *rows("{k},{phase},{g}", ";")],
    "row after a comment": ["# of 2024", "pulse,phase,g_read", "", "-,-,uS", *rows("{k},{phase},{g}")],
    "column": ["pulse,phase,G,unit", *rows("{k},{phase},{g},{unit}")],
    "column far away": ["unit,pulse,phase,G", *rows("{unit},{k},{phase},{g}")],
    "column that names it": ["G units,pulse,phase,G", *rows("[{unit}],{k},{phase},{g}")],
    "column by the word": ["pulse,phase,g,unit of conductance", *rows("{k},{phase},{g},{unit}")],
    "column that changes": ["pulse,phase,G,unit", *rows("{k},{phase},{g},{unit}", split=7)],
    "row beside a title with a unit": ["pulse,phase,G (uS)", *rows("{k},{phase},{g}")],
}


@pytest.mark.parametrize("way", WAYS)
def test_every_way_gives_the_same_siemens(way: str, tmp_path: Path) -> None:
    assert siemens(tmp_path, WAYS[way]) == pytest.approx(siemens(tmp_path, PLAIN), rel=1e-12)


def test_currents_and_voltages_in_a_row_and_in_columns(tmp_path: Path) -> None:
    plain = siemens(tmp_path, PLAIN)
    row = ["pulse,phase,I,v_read", ",,uA,mV", *rows("{k},{phase},{g},1000")]
    columns = ["pulse,phase,I,I unit,v_read,v_read unit", *rows("{k},{phase},{g},uA,1,V")]
    assert siemens(tmp_path, row) == pytest.approx(plain, rel=1e-12)
    assert siemens(tmp_path, columns) == pytest.approx(plain, rel=1e-12)


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        (["pulse,phase,G", ",,uT", *rows("{k},{phase},{g}")], "m.csv:2: column 'G': unknown unit 'uT'"),
        (["pulse,phase,G", "#,-,furlong", *rows("{k},{phase},{g}")], "m.csv:2: column 'G': unknown unit 'furlong'"),
        (["pulse,phase,G,unit", *rows("{k},{phase},{g},uT")], "m.csv:2: column 'unit': unknown unit 'uT'"),
        (["pulse,phase,G,unit", *rows("{k},{phase},{g},{unit}")[:-1], "23,down,1,"], ":25: column 'unit': no unit"),
        (["pulse,phase,G", *rows("{k},{phase},{g}")], "into a row below the header, or into a column 'unit'"),
    ],
)
def test_what_is_no_unit_is_told_with_its_line(lines: list[str], told: str, tmp_path: Path) -> None:
    with pytest.raises(DeviceError) as error:
        siemens(tmp_path, lines)
    assert told in str(error.value), str(error.value)
