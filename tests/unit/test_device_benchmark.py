"""The benchmark of the devices: it measures what it says, keeps it, shows it again, and refuses what is no result."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks import devices
from edgesdt.errors import EdgesdtError

SMALL = devices.Effort(rounds=2, seconds=0.001, rows=30, columns=20)


def test_every_case_is_measured_once_a_round() -> None:
    result = devices.measure(SMALL)
    assert len(result["reads_per_s"]) == len(devices.NOISES) * len(devices.BATCHES)
    assert devices.BAR_CASE in result["reads_per_s"]
    assert all(len(rates) == 2 and min(rates) > 0 for rates in result["reads_per_s"].values())
    (found,) = result["updates"].values()
    assert len(found["cells_per_s"]) == 2
    assert {"device_to_device", "cycle_to_cycle", "write_noise"} <= set(found["non_idealities"])


def test_reads_have_new_noise_each_time_and_updates_move_every_cell() -> None:
    steps = devices.reads(SMALL)
    step, vectors = steps["proportional noise, 5 %, batch 256"]
    assert vectors == 256
    one, two = step(vectors), step(vectors)
    assert one.shape == two.shape == (256, 20) and (one == two).all()  # type: ignore[attr-defined]
    quiet, vectors = steps["no noise, batch 1"]
    assert (quiet(vectors) == quiet(vectors)).all()  # type: ignore[attr-defined]
    pulsed, cells = devices.update(SMALL)
    assert cells == 600 and pulsed(cells) is None


def test_the_command_keeps_and_shows_a_result(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(devices, "QUICK", SMALL)
    file = tmp_path / "devices.json"
    assert devices.main(["--quick", "--json", str(file)]) == 0
    shown = capsys.readouterr().out
    assert "reads of 30 x 20 cells" in shown and "ReRamSB, one pulse for every cell" in shown
    assert devices.main(["--from", str(file)]) == 0
    assert capsys.readouterr().out == shown
    result = json.loads(file.read_text(encoding="utf-8"))
    result["reads_per_s"][devices.BAR_CASE] = [2_000.0, 2_500.0]
    assert devices.verdict(result).endswith("2,250 reads/s: FALLS SHORT of the bar of 3,000")
    result["reads_per_s"][devices.BAR_CASE] = [3_000.0]
    assert devices.verdict(result).endswith("3,000 reads/s: holds the bar of 3,000")
    result["updates"][devices.UPDATE]["cells_per_s"] = [6e5, 3e5]
    assert devices.update_rows(result)[1][1:] == ["1.5 (1.0–2.0)", "0 (0–1)"]


@pytest.mark.parametrize("text", [None, "{", "[]", '{"schema": 2}', '{"schema": 0, "reads_per_s": {}}'])
def test_what_is_no_result_is_refused(tmp_path: Path, text: str | None) -> None:
    path = tmp_path / "x.json"
    if text is not None:
        path.write_text(text, encoding="utf-8")
    with pytest.raises(EdgesdtError, match=r"x\.json: not a result of benchmarks\.devices"):
        devices.kept(path)


def test_the_page_of_devices_is_made_from_the_kept_records() -> None:
    from benchmarks import device_table

    assert device_table.PAGE.read_text(encoding="utf-8") == device_table.page()
    assert device_table.main(["page", "--check"]) == 0


def test_the_page_of_layers_is_made_from_the_kept_records() -> None:
    from benchmarks import layer_table

    assert layer_table.PAGE.read_text(encoding="utf-8") == layer_table.page()
    assert layer_table.main(["page", "--check"]) == 0
