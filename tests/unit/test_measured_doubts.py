"""What a fit says against itself: stray readings, noisy turns, huge steps, spread that a sheet has no number for."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from edgesdt.cli.main import main
from hw_models.measured import fit_file
from hw_models.measured.fit.families import SHEET_FAMILY, SPREAD, holds_spread, left_out
from hw_models.measured.results.summary import FitReport
from hw_models.measured.results.warnings import doubts
from hw_models.measured.tables.reading import read


def swept(noise: float = 0.01, seed: int = 0, cells: int = 1, spread: float = 0.0) -> list[tuple[int, str, int, float]]:
    """(pulse, phase, cell, µS): 60 pulses up and 60 down of 0.05 µS, per cell more or less by `spread`."""
    random, rows = np.random.default_rng(seed), []
    for cell in range(cells):
        step = 0.05 * (1 + spread * random.standard_normal())
        steps = np.r_[np.full(60, step), np.full(60, -step)] + noise * random.standard_normal(120)
        readings = 1 + np.r_[0, np.cumsum(steps)]
        readings += 0.3 - min(readings.min(), 0.3)
        rows += [(k, "up" if k <= 60 else "down", cell, g) for k, g in enumerate(readings.tolist())]
    return rows


def fitted(rows: list[tuple[int, str, int, float]], folder: Path, phase: bool = True, **how: str) -> FitReport:
    """The fit of rows, with or without a column that says which way a pulse goes."""
    lines = [f"{k},{way},{cell},{g!r}" if phase else f"{k},{cell},{g!r}" for k, way, cell, g in rows]
    head = "pulse,phase,cell,G (uS)" if phase else "pulse,cell,G (uS)"
    path = folder / "m.csv"
    path.write_text("\n".join([head, *lines]) + "\n", encoding="utf-8")
    return fit_file(path, folder / "d.yaml", say=lambda _: None, **how)  # type: ignore[arg-type]


def warned(report: FitReport) -> list[str]:
    lines = [line for line in report.text().splitlines() if line.startswith("warning: ")]
    details = json.loads(report.details.read_text(encoding="utf-8"))
    assert [f"warning: {sentence}" for sentence in details["warnings"]] == lines
    return lines


def test_a_clean_sweep_has_no_warning(tmp_path: Path) -> None:
    for phase in (True, False):
        assert warned(fitted(swept(), tmp_path, phase)) == []


def test_a_stray_reading_is_named(tmp_path: Path) -> None:
    rows = swept()
    rows[17] = (17, "up", 0, 400.0)
    told = warned(fitted(rows, tmp_path, family="linear"))
    assert any(line.startswith("warning: pulse 17: 0.0004 S is far from the readings next to it") for line in told)
    assert "remove it if it is a mistake" in told[0] and len([line for line in told if "is far from" in line]) == 1


def test_a_measurement_that_a_stray_reading_spoils_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    random = np.random.default_rng(3)
    steps = 0.05 * (1 + 0.2 * random.standard_normal(120)) * np.r_[np.ones(60), -np.ones(60)]
    readings = 2 + np.r_[0, np.cumsum(steps)]
    readings[20] = 250
    path = tmp_path / "m.csv"
    lines = [f"{k},{'up' if k <= 60 else 'down'},{g!r}" for k, g in enumerate(readings.tolist())]
    path.write_text("\n".join(["pulse,phase,G (uS)", *lines]) + "\n", encoding="utf-8")
    assert main(["device", "fit", str(path), "--out", str(tmp_path / "d.yaml")]) == 2
    said = capsys.readouterr()
    assert said.out == "" and said.err.count("\n") == 1
    assert "not a valid device; pulse 20: 0.00025 S is far from the readings next to it" in said.err


def test_read_noise_is_no_stray_reading(tmp_path: Path) -> None:
    random = np.random.default_rng(3)
    rows = [(k, "up" if k <= 60 else "down", 0, 2 + 0.01 * min(k, 120 - k)) for k in range(121)]
    noisy = [(k, way, cell, g + 0.3 * random.standard_normal()) for k, way, cell, g in rows]
    assert warned(fitted(noisy, tmp_path, family="constant")) == []


def test_steps_beyond_the_range_are_told(tmp_path: Path) -> None:
    estimates = fitted(swept(), tmp_path, family="constant").estimates
    assert estimates is not None
    huge = replace(estimates.parameters["dw_min"], value=2.5)
    wide = replace(estimates, parameters={**estimates.parameters, "dw_min": huge})
    (told,) = doubts(read(tmp_path / "m.csv"), "constant", wide)
    assert told.startswith("dw_min: a step of 2.5 is larger than the whole range of 2")
    few = replace(estimates, parameters={"states_up": replace(huge, value=0.4), "states_down": huge})
    (told,) = doubts(read(tmp_path / "m.csv"), "neurosim", few)
    assert told.startswith("states_up: 0.4: one pulse moves a cell by more than its whole range")


def test_the_turn_without_directions_is_from_the_sweep(tmp_path: Path) -> None:
    with_phase = fitted(swept(), tmp_path, family="neurosim")
    assert "from the sweep" not in with_phase.text() and "from the sweep" not in with_phase.sheet.read_text()
    without = fitted(swept(), tmp_path, phase=False, family="neurosim")
    assert re.findall(r"^(\w+) .* \(from the sweep, not fitted\)$", without.text(), re.M) == ["r_on_ohm", "on_off"]
    assert without.sheet.read_text(encoding="utf-8").count("from the sweep, not fitted; 95 % interval") == 2


def test_a_noisy_top_is_told(tmp_path: Path) -> None:
    told = warned(fitted(swept(noise=0.15), tmp_path, phase=False, family="constant"))
    assert any("the turn may be elsewhere" in line and "give a column `phase`" in line for line in told)
    assert not any("the turn" in line for line in warned(fitted(swept(noise=0.15), tmp_path, family="constant")))


def test_a_tie_goes_to_the_family_that_holds_the_spread(tmp_path: Path) -> None:
    """Cells of equal steps, each of another size: NeuroSim's sheet has no number for that, the others have."""
    rows = swept(cells=6, spread=0.3)
    report = fitted(rows, tmp_path)
    assert report.estimates is not None and report.estimates.spread and report.family != "neurosim"
    assert not any("for which a sheet" in line for line in warned(report))
    assert re.search(r"dw_min_dtod: \{value: 0\.[1-9]", report.sheet.read_text(encoding="utf-8"))
    forced = fitted(rows, tmp_path, family="neurosim")
    (told,) = [line for line in warned(forced) if "for which a sheet of neurosim has no number" in line]
    assert "states_up" in told and "nl_up" not in told


def test_one_cell_is_as_before(tmp_path: Path) -> None:
    assert fitted(swept(), tmp_path).estimates is not None
    assert holds_spread("constant") and holds_spread("linear") and not holds_spread("neurosim")
    assert left_out("exponential", ["dw_min", "A_up"]) == ("A_up",)
    assert set(SPREAD) <= set(SHEET_FAMILY)


@pytest.mark.parametrize("seed", range(6))
def test_the_table_is_sorted_and_the_reason_holds(seed: int, tmp_path: Path) -> None:
    report = fitted(swept(noise=0.03, seed=seed), tmp_path)
    rows = re.findall(r"^(\w+, \w+ noise(?:, read noise)?) +\d+ +([\d.]+) +[\d.]+(  <)?$", report.text(), re.M)
    assert report.comparison is not None and len(rows) == len(report.comparison.fits)
    above = [float(delta) for _, delta, _ in rows]
    assert above == sorted(above) and above[0] == 0
    chosen = next((delta for (_, _, mark), delta in zip(rows, above, strict=True) if mark), None)
    if chosen is not None and "bounds are near" not in report.reason:
        assert report.reason.endswith(": lowest AIC") == (chosen == 0)
        assert ("within 2 of the lowest AIC" in report.reason) == (chosen > 0)
    assert "or best known" not in report.text()


def test_warnings_are_printed_and_exit_is_0(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = swept()
    rows[30] = (30, "up", 0, 300.0)
    fitted(rows, tmp_path, family="linear")
    capsys.readouterr()
    arguments = ["--out", str(tmp_path / "d.yaml"), "--family", "linear"]
    assert main(["device", "fit", str(tmp_path / "m.csv"), *arguments]) == 0
    assert "warning: pulse 30: 0.0003 S is far from the readings next to it" in capsys.readouterr().out


@pytest.mark.parametrize("family", ["constant", "linear", "neurosim", "exponential"])
def test_what_data_without_scatter_does_not_tell_has_no_interval(family: str, tmp_path: Path) -> None:
    readings = [(k, "up" if k else "start", 0, 10 + 1.25 * k) for k in range(33)]
    readings += [(32 + k, "down", 0, 50 - 1.25 * k) for k in range(1, 33)]
    report = fitted(readings, tmp_path, family=family)
    noise = "c2c" if family == "neurosim" else "dw_min_std"
    assert not report.parameters[noise].identified
    for name, found in report.parameters.items():
        assert not found.identified or found.high - found.low <= 20 * max(abs(found.value), 1), name
    row = next(line for line in report.text().splitlines() if line.startswith(noise))
    assert "not identified: no interval" in row and ".." not in row
    details = json.loads(report.details.read_text(encoding="utf-8"))["parameters"][noise]
    assert details["identified"] is False and details["low"] is None and details["high"] is None
    assert f"{noise}: {{" in report.sheet.read_text() and "not identified: the measurement" in report.sheet.read_text()
