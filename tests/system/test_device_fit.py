"""`edgesdt device fit` from the outside: pulses of a device that the package made itself, fitted, and used again."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from edgesdt.cli.main import main
from hw_models.sheets import catalog


def pulsed(folder: Path, name: str, *arguments: str) -> Path:
    path = folder / "pulses.csv"
    assert main(["device", "pulse", name, "--csv", str(path), *arguments]) == 0
    return path


def test_a_preset_is_found_again_in_its_own_pulses(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = pulsed(tmp_path, "EpiRAM", "--up", "64", "--down", "64", "--noise", "off")
    out = tmp_path / "mine.yaml"
    capsys.readouterr()
    assert main(["device", "fit", str(path), "--out", str(out), "--family", "neurosim"]) == 0
    told = capsys.readouterr().out
    assert all(word in told for word in ("nl_up", "r_on_ohm", "95 %", "neurosim, additive noise", "mine.yaml"))
    fitted, preset = catalog.from_file(out), catalog.load("EpiRAM")
    assert fitted.bounds() == pytest.approx(preset.bounds(), rel=1e-5)
    for state in np.linspace(*preset.bounds(), 7):
        for up in (True, False):
            assert fitted.step(float(state), up) == pytest.approx(preset.step(float(state), up), rel=1e-3)


def test_a_weight_device_is_found_again(tmp_path: Path) -> None:
    path = pulsed(tmp_path, "EcRam", "--up", "1000", "--down", "1000", "--noise", "off")
    out = tmp_path / "mine.yaml"
    assert main(["device", "fit", str(path), "--out", str(out), "--family", "linear"]) == 0
    fitted, preset = catalog.from_file(out), catalog.load("EcRam")
    low, high = preset.bounds()
    for state in np.linspace(low, min(high, fitted.bounds()[1]), 5):
        for up in (True, False):
            assert fitted.step(float(state), up) == pytest.approx(preset.step(float(state), up), rel=5e-3)


def test_what_was_fitted_can_be_shown_and_pulsed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = pulsed(tmp_path, "TaOx_HfOx", "--up", "128", "--down", "128", "--cells", "2")
    out = tmp_path / "table.yaml"
    assert main(["device", "fit", str(path), "--out", str(out), "--lookup"]) == 0
    capsys.readouterr()
    assert main(["device", "show", str(out)]) == 0
    assert "pulses.csv" in capsys.readouterr().out
    assert main(["device", "pulse", str(out), "--up", "5", "--down", "5", "--csv", str(tmp_path / "again.csv")]) == 0
    assert len((tmp_path / "again.csv").read_text().splitlines()) == 12


def test_bad_measurements_are_exit_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "m.csv"
    path.write_text("pulse,phase,G (uS)\n0,start,1\n1,up,nan\n")
    assert main(["device", "fit", str(path), "--out", str(tmp_path / "d.yaml")]) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert "m.csv:3: G (uS): 'nan' is not a finite number" in told.err
    assert "Traceback" not in told.err
    assert not (tmp_path / "d.yaml").exists()
    current = "pulse,phase,I (nA)\n" + "".join(
        f"{k},{'up' if k < 15 else 'down'},{15 - abs(k - 15)}\n" for k in range(1, 30)
    )
    path.write_text(current)
    assert main(["device", "fit", str(path), "--out", str(tmp_path / "d.yaml")]) == 2
    assert "--read-voltage" in capsys.readouterr().err
    assert main(["device", "fit", str(path), "--out", str(tmp_path / "d.yaml"), "--read-voltage", "0.1 V"]) == 0
