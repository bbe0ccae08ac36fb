"""The bit-width study: its page is that of what is kept, its trials and sweeps are those that ship."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.bits import chart, choices, commands, page, rows
from edgesdt.errors import EdgesdtError
from edgesdt.spec import load
from edgesdt.spec.sweep.section import load_sweep
from edgesdt.sweep.plan import SweepPlan


def test_the_page_is_that_of_what_is_kept(capsys: pytest.CaptureFixture[str]) -> None:
    assert page.stale() == [], "run python -m benchmarks.bits page"
    assert commands.main(["page", "--check"]) == 0
    assert capsys.readouterr().out == "BITS.md: ok\n"


@pytest.mark.parametrize("name", rows.SWEEPS)
def test_every_point_of_the_sweeps_is_kept_with_three_seeds(name: str) -> None:
    plan = SweepPlan(*load_sweep(name))
    planned = [(json.dumps(plan.named(point), sort_keys=True), point.seed) for point in plan.points]
    kept = [(json.dumps(row["point"], sort_keys=True), row["seed"]) for row in rows.kept() if row["sweep"] == name]
    assert sorted(kept) == sorted(planned)
    assert {seed for _, seed in kept} == {0, 1, 2}
    for one in rows.settings(rows.kept(), name):
        assert one.accuracy.n == 3 and 0 < one.accuracy.mean < 100 and one.memory_bits > 0 and one.energy_j > 0


def test_every_trial_is_kept_once_and_saw_no_test_image() -> None:
    planned, kept = [choices.name_of(trial) for trial in choices.trials()], choices.kept()
    assert sorted(map(choices.name_of, kept)) == sorted(set(planned)) and len(planned) == len(set(planned))
    for trial in kept:
        assert trial["train"] + choices.HELD_OUT <= 60_000
        load("mnist_1layer", [f"{key}={value}" for key, value in trial["fields"].items()])


@pytest.mark.parametrize("bits", [2, 3, 4])
def test_a_narrow_spec_is_one_of_the_trials(bits: int) -> None:
    spec = load(f"mnist_1layer_{bits}bit")
    weights = spec.chip.weights
    known = {choices.name_of(trial) for trial in choices.kept()}
    mine = choices.weights(bits, weights.point, weights.hidden_bits, weights.levels)
    assert choices.name_of({"train": 50_000, "fields": mine | {"epochs": spec.epochs}}) in known
    same = load("mnist_1layer")
    assert spec.learning == same.learning and spec.chip.states == same.chip.states


def test_a_sweep_is_kept_whole_or_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "KEPT", tmp_path / "rows.json")
    made = {
        "accuracy": {"direct_average": 0.9, "untrained_direct_average": 0.5}, "memory": {"used_bits": 8},
        "energy_j": {"train_per_sample": 1e-6},
    }  # fmt: skip
    row = {"point": {"encoder.bits": 4}, "seed": 1, "status": "done", "record": made}
    (tmp_path / "sweep.json").write_text('{"name": "mnist_widths"}')
    (tmp_path / "records.jsonl").write_text(json.dumps(row) + "\n")
    assert commands.main(["keep", str(tmp_path)]) == 0
    (kept,) = rows.kept(rows.KEPT)
    assert kept["accuracy"] == 0.9 and kept["sweep"] == "mnist_widths"
    assert chart.digest([kept]) != chart.digest([kept, kept])
    (tmp_path / "records.jsonl").write_text(json.dumps({**row, "status": "failed"}) + "\n")
    with pytest.raises(EdgesdtError, match="a run of seed 1 is failed"):
        commands.main(["keep", str(tmp_path)])
    (tmp_path / "sweep.json").write_text('{"name": "other"}')
    (tmp_path / "records.jsonl").write_text(json.dumps(row) + "\n")
    with pytest.raises(EdgesdtError, match="sweep other of 1 runs, allowed: mnist_bits or mnist_widths"):
        commands.main(["keep", str(tmp_path)])
    with pytest.raises(EdgesdtError, match="no rows of the bit-width study"):
        rows.kept(tmp_path / "sweep.json")
    with pytest.raises(EdgesdtError, match="no trials of the bit-width study"):
        choices.kept(tmp_path / "none.json")
