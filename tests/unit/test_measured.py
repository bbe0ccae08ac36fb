"""Measured devices: every way in which laboratories write their tables, and every table that cannot be used."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest

from hw_models.base import DeviceError
from hw_models.measured import fit_file
from hw_models.measured.fit.families import label
from hw_models.measured.tables.columns import understood
from hw_models.measured.tables.reading import read
from hw_models.measured.tables.traces import StepTable, Traces
from hw_models.sheets import catalog

UP = [1.0 + 0.1 * k for k in range(13)]
DOWN = [2.2 - 0.11 * k for k in range(1, 12)]
STATISTICS = """\
G_S,inc_mean_dG_S,inc_std_dG_S,dec_mean_dG_S,dec_std_dG_S
3e-4,7e-6,1e-6,-1e-6,5e-7
4e-4,6e-6,1e-6,-2e-6,5e-7
5e-4,5e-6,1e-6,-3e-6,5e-7
6e-4,4e-6,1e-6,-4e-6,6e-7
7e-4,3e-6,1e-6,-5e-6,6e-7
"""


def table(header: str, rows: list[str]) -> str:
    return "\n".join([header, *rows]) + "\n"


def swept(unit: float = 1.0) -> list[str]:
    """`pulse,phase,G`: a start, 12 pulses up, 11 down, numbers going on."""
    rows = [f"{k},{'start' if not k else 'up'},{g * unit:.9g}" for k, g in enumerate(UP)]
    return rows + [f"{len(UP) + k},down,{g * unit:.9g}" for k, g in enumerate(DOWN)]


def measured(folder: Path, text: str, volts: float | None = None) -> Traces:
    path = folder / "m.csv"
    path.write_text(text, encoding="utf-8")
    found = read(path, volts)
    assert isinstance(found, Traces)
    return found


@pytest.mark.parametrize(
    ("header", "unit"),
    [
        ("pulse,phase,G (uS)", 1.0),
        ("Pulse Number,Direction,conductance_uS", 1.0),
        ("pulse #,branch,G [S]", 1e-6),
        ("n,polarity,g_nS", 1e3),
        ("pulse,phase,Conductance (µS)", 1.0),
        ("pulse,phase,G/mS", 1e-3),
        ("pulse,phase,g_us", 1.0),
    ],
)
def test_units_and_names_of_columns(header: str, unit: float, tmp_path: Path) -> None:
    found = measured(tmp_path, table(header, swept(unit)))
    assert found.conductance_s == pytest.approx(np.array(UP + DOWN) * 1e-6, rel=1e-8)
    assert (len(found.steps(True)), len(found.steps(False))) == (12, 11)


def test_the_same_from_current_and_resistance(tmp_path: Path) -> None:
    text = table("pulse,phase,I (nA)", swept(100.0))  # at 0.1 V
    assert measured(tmp_path, text, 0.1).conductance_s[0] == pytest.approx(1e-6)
    rows = [f"{row},100" for row in swept(100.0)]
    found = measured(tmp_path, table("pulse,phase,I (nA),V_read (mV)", rows))
    assert found.conductance_s[0] == pytest.approx(1e-6)
    assert found.origin.read_voltage_v == pytest.approx(0.1)
    rows = [",".join([*row.split(",")[:2], repr(1.0 / float(row.split(",")[2]))]) for row in swept()]
    assert measured(tmp_path, table("pulse,phase,R (MOhm)", rows)).conductance_s == pytest.approx(
        np.array(UP + DOWN) * 1e-6, rel=1e-8
    )


def test_separators_comments_and_decimal_commas(tmp_path: Path) -> None:
    rows = ["# made on a Monday", "pulse;phase;G (uS)", *(row.replace(",", ";").replace(".", ",") for row in swept())]
    found = measured(tmp_path, "\n".join(rows))
    assert found.conductance_s[1] == pytest.approx(1.1e-6)


def test_directions_from_signs_and_from_a_turning_point(tmp_path: Path) -> None:
    signed = [f"{k},{g}" for k, g in enumerate(UP)] + [f"{-k},{g}" for k, g in enumerate(DOWN, start=1)]
    plain = [f"{k},{g}" for k, g in enumerate(UP + DOWN)]
    volts = [f"{k},{g},{3.2 if k <= 12 else -2.8}" for k, g in enumerate(UP + DOWN)]
    for header, rows in (("pulse,G (uS)", signed), ("pulse,G (uS)", plain), ("pulse,G (uS),V_pulse (V)", volts)):
        found = measured(tmp_path, table(header, rows))
        assert (len(found.steps(True)), len(found.steps(False))) == (12, 11)
        assert found.branch_pulses(True) == 12
    assert (found.origin.up_v, found.origin.down_v) == (3.2, -2.8)


def test_branches_numbered_from_1_are_not_linked(tmp_path: Path) -> None:
    rows = [f"{k},LTP,{g}" for k, g in enumerate(UP, start=1)] + [f"{k},LTD,{g}" for k, g in enumerate(DOWN, start=1)]
    found = measured(tmp_path, table("pulse,phase,G (uS)", rows))
    assert (len(found.steps(True)), len(found.steps(False))) == (12, 10)


def test_cells_and_cycles_may_be_interleaved_and_pulses_skipped(tmp_path: Path) -> None:
    rows = []
    for row in swept():
        pulse, phase, g = row.split(",")
        rows += [f"{int(pulse) * 5},{phase},{g},{cell},{cycle}" for cell in "ab" for cycle in (1, 2)]
    found = measured(tmp_path, table("pulse,phase,G (uS),cell,cycle", rows))
    assert found.cells == ("a", "b")
    assert np.count_nonzero(found.pulses == 0) == 4
    assert set(found.pulses.tolist()) == {0, 5}
    assert found.branch_pulses(True) == 60


def test_statistics_are_read_as_they_are(tmp_path: Path) -> None:
    path = tmp_path / "s.csv"
    path.write_text(STATISTICS)
    found = read(path)
    assert isinstance(found, StepTable)
    assert found.up_mean_s[0] == 7e-6
    assert found.down_mean_s[-1] == -5e-6


NOISE = np.random.default_rng(3).uniform(1, 2, 40)
BAD = {
    "is empty": "",
    "no header": "1,up,2\n2,up,3\n",
    "has no unit": table("pulse,phase,G", swept()),
    "unknown unit 'furlong'": table("pulse,phase,G (furlong)", swept()),
    "no column of conductance": table("pulse,phase,colour", swept()),
    "need a read voltage": table("pulse,phase,I (nA)", swept()),
    "m.csv:4: G (uS): 'nan' is not a finite number": table(
        "pulse,phase,G (uS)", [*swept()[:2], "2,up,nan", *swept()[3:]]
    ),
    "m.csv:5: G (uS): is empty": table("pulse,phase,G (uS)", [*swept()[:3], "3,up,", *swept()[4:]]),
    "m.csv:3: G (uS): 'x' is not a finite number": table("pulse,phase,G (uS)", [swept()[0], "1,up,x", *swept()[2:]]),
    "the conductance is -1e-06 S, allowed: 1e-18..10 S": table(
        "pulse,phase,G (uS)", [*swept()[:2], "2,up,-1", *swept()[3:]]
    ),
    "G (kS): 1 is too large, allowed: up to 10 S": table("pulse,phase,G (kS)", swept()),
    "G (S): 1e+301 is too large, allowed: up to 10 S": table("pulse,phase,G (S)", swept(1e301)),
    "allowed: 1e-18..10 S": table("pulse,phase,G (pS)", swept(1e-9)),
    "R (Ohm): 1e+300 is too large, allowed: up to 1e+18 ohm": table("pulse,phase,R (Ohm)", swept(1e300)),
    "weight: 1e+300 is too large, allowed: up to 1e+06": table("pulse,phase,weight", swept(1e300)),
    "I (A): 1e+300 is too large": table("pulse,phase,I (A)", swept(1e300)),
    "v_pulse (V): 1e300 is too large": table(
        "pulse,phase,G (uS),v_pulse (V)", [f"{row},1e300" for row in swept()]
    ),
    "pulse: 1e300 is too large": table("pulse,phase,G (uS)", [*swept()[:-1], "1e300,down,1"]),
    "m.csv:3: 2 columns, the header has 3": table("pulse,phase,G (uS)", [swept()[0], "1,up", *swept()[2:]]),
    "one branch is missing: there are no steps down": table("pulse,phase,G (uS)", swept()[:13]),
    "one branch is missing: the conductance only rises": table(
        "pulse,G (uS)", [f"{k},{1 + k / 10}" for k in range(30)]
    ),
    "too little data: 3 steps up": table("pulse,phase,G (uS)", swept()[9:]),
    "unknown direction 'sideways'": table("pulse,phase,G (uS)", [row.replace("up", "sideways") for row in swept()]),
    "did you mean 'down'": table("pulse,phase,G (uS)", [row.replace("down", "dwn") for row in swept()]),
    "are they exchanged": table(
        "pulse,phase,G (uS)", [r.replace("up", "x").replace("down", "up").replace("x", "down") for r in swept()]
    ),
    "does not rise with pulses up": table(
        "pulse,phase,G (uS)", [f"{k},{'up' if k < 20 else 'down'},{g}" for k, g in enumerate(NOISE)]
    ),
    "twice in a branch": table("pulse,phase,G (uS)", [*swept()[:3], swept()[2], *swept()[3:]]),
    "not a whole number": table("pulse,phase,G (uS)", [*swept()[:2], "2.5,up,1.2", *swept()[3:]]),
    "two columns hold the conductance": table("pulse,phase,G (uS),conductance (S)", [f"{row},1" for row in swept()]),
    "missing: down_mean": STATISTICS.replace("dec_mean_dG_S", "x"),
    "must rise from row to row": STATISTICS.replace("4e-4,6e-6", "2e-4,6e-6"),
    "are the columns exchanged": STATISTICS.replace(",-", ",").replace("e-6,1e-6", "e-6,1e-6"),
    "rows of step statistics are too few": "\n".join(STATISTICS.splitlines()[:4]),
    "below 0": STATISTICS.replace("7e-6,1e-6", "7e-6,-1e-6"),
}


@pytest.mark.parametrize("told", BAD)
def test_what_cannot_be_used_is_refused_in_words(told: str, tmp_path: Path) -> None:
    path = tmp_path / "m.csv"
    path.write_text(BAD[told], encoding="utf-8")
    with pytest.raises(DeviceError) as refused:
        fit_file(path, tmp_path / "out.yaml", say=lambda _: None)
    assert told in str(refused.value)
    assert not list(tmp_path.glob("out*"))


def test_files_that_are_no_tables(tmp_path: Path) -> None:
    (tmp_path / "sheet.csv").write_bytes(b"PK\x03\x04\0\0")
    for name, told in (("none.csv", "cannot be read"), ("sheet.csv", "not a text file"), (".", "cannot be read")):
        with pytest.raises(DeviceError, match=told):
            read(tmp_path / name)


def test_arguments_that_cannot_be(tmp_path: Path) -> None:
    path = tmp_path / "m.csv"
    path.write_text(table("pulse,phase,G (uS)", swept()))
    out = tmp_path / "out.yaml"
    for keywords, told in (
        ({"family": "neurosym"}, "did you mean 'neurosim'"),
        ({"family": "linear", "lookup": True}, "one of them"),
        ({"plot": tmp_path / "x.doc"}, "must end in"),
        ({"plot": tmp_path / "none" / "x.svg"}, "no folder"),
        ({"lookup": True}, "too little data for a lookup table"),
    ):
        with pytest.raises(DeviceError, match=told):
            fit_file(path, out, say=lambda _: None, **keywords)  # type: ignore[arg-type]
    path.write_text(table("pulse,phase,I (nA)", swept()))
    for volts in (math.nan, 0.0, math.inf):
        with pytest.raises(DeviceError, match="allowed: a number of volts"):
            read(path, volts)


@pytest.mark.parametrize(
    ("a", "nl"), [(2.519877, 0.5), (1.251653, 1), (0.499181, 2.4), (0.200303, 4.88), (0.100251, 6.76), (0.022810, 9)]
)
def test_labels_are_neurosims(a: float, nl: float) -> None:
    assert label(np.array([1 / a, -1 / a])) == pytest.approx([nl, -nl], rel=1e-5)


def test_headers_that_say_nothing_are_left_alone() -> None:
    assert set(understood(["time (s)", "operator", "G (S)"])) == {"conductance"}


def test_statistics_become_the_table_that_was_measured(tmp_path: Path) -> None:
    """Law-breaking statistics are recommended as a table, with means and deviations as measured."""
    g = np.linspace(3e-4, 9e-4, 13)
    rows = [
        f"{x:.6e},{7e-6 * (1.05 - k / 12) ** 0.3:.6e},{1e-6:.6e},{-3e-6 - 2e-6 * math.sin(k):.6e},{6e-7:.6e}"
        for k, x in enumerate(g)
    ]
    path, out = tmp_path / "s.csv", tmp_path / "d.yaml"
    path.write_text(table(STATISTICS.splitlines()[0], rows))
    report = fit_file(path, out, say=lambda _: None)
    assert report.family == "lookup"
    device = catalog.from_file(out)
    assert device.step(float(g[4]), True) == pytest.approx(7e-6 * (1.05 - 4 / 12) ** 0.3, rel=1e-4)
    cells = device.manufacture(20_000, 1)
    device.program(cells, np.full(20_000, g[4]))
    device.pulse(cells, np.full(20_000, -1))
    change = cells.visible - g[4]
    assert float(change.mean()) == pytest.approx(-3e-6 - 2e-6 * math.sin(4), rel=0.01)
    assert float(change.std()) == pytest.approx(6e-7, rel=0.02)


def test_everything_is_written_and_says_where_it_is_from(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    up = 1 + np.cumsum(0.05 + 0.01 * random.standard_normal(60))
    down = up[-1] - np.cumsum(0.05 + 0.01 * random.standard_normal(55))
    rows = ["0,up,1.0", *(f"{k},up,{g!r}" for k, g in enumerate(up.tolist(), start=1))]
    rows += [f"{k},down,{g!r}" for k, g in enumerate(down.tolist(), start=61)]
    path, out = tmp_path / "m.csv", tmp_path / "mine.yaml"
    path.write_text(table("pulse,phase,G (uS)", rows))
    told: list[str] = []
    report = fit_file(path, out, say=told.append)
    details = json.loads((tmp_path / "mine.fit.json").read_text())
    assert details["data"]["sha256"] in out.read_text()
    assert (tmp_path / "mine.svg").read_text().startswith("<?xml")
    assert all(name in told[0] for name in report.parameters)
    assert {row["family"].partition(",")[0] for row in details["compared"]} >= {"constant", "linear", "neurosim"}
    forced = fit_file(path, out, family="constant_step", say=told.append, plot=tmp_path / "p.png")
    device = catalog.from_file(out)
    assert device.family == "constant_step"
    span = float(np.ptp(np.r_[1.0, up, down])) / 2
    assert forced.parameters["dw_min"].value == pytest.approx(0.05 / span, rel=0.1)
    assert (tmp_path / "p.png").read_bytes().startswith(b"\x89PNG")
