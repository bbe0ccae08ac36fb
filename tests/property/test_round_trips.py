"""What one command writes every other reads: fitted sheets, resolved specs, records, exports."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edgesdt.report import export
from edgesdt.runs import record
from edgesdt.spec import load, loads
from hw_models.base import DeviceError
from hw_models.measured import fit_file
from hw_models.measured.fit.limits import limits
from hw_models.measured.results.summary import FitReport
from hw_models.measured.tables.reading import read
from hw_models.sheets import catalog
from tests.conftest import SMALL, Finished, Said

Cli = Callable[..., Said]


def curve(pulses: int, bend: float, past: float) -> np.ndarray:
    """(pulses,) from 0 to 1 + `past`, by steps that change exponentially; straight for a `bend` of 0."""
    x = np.arange(1, pulses + 1) / pulses
    risen = x if abs(bend) < 1e-3 else np.expm1(-bend * x) / np.expm1(-bend)
    return np.asarray((1 + past) * risen)


def measured(folder: Path, up: np.ndarray, down: np.ndarray, low_s: float, ratio: float, noise: float) -> Path:
    random = np.random.default_rng(0)
    shares = np.r_[0.0, up, up[-1] - down * up[-1]]
    g = low_s * (1 + (ratio - 1) * np.maximum(shares + noise * random.standard_normal(len(shares)), 0.0))
    phases = ["up"] * (1 + len(up)) + ["down"] * len(down)
    path = folder / "m.csv"
    rows = [f"{k},{phase},{value!r}" for k, (phase, value) in enumerate(zip(phases, g.tolist(), strict=True))]
    path.write_text("\n".join(["pulse,phase,G (S)", *rows]) + "\n", encoding="utf-8")
    return path


SHAPES = st.fixed_dictionaries(
    {
        "ups": st.integers(6, 90), "downs": st.integers(6, 90), "bend_up": st.floats(-30, 60),
        "bend_down": st.floats(-30, 60), "past": st.floats(-0.05, 0.05), "low_s": st.floats(1e-9, 1e-3),
        "ratio": st.floats(1.05, 200), "noise": st.sampled_from([0.0, 0.001, 0.02]),
    }
)  # fmt: skip


@settings(max_examples=12, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(shape=SHAPES, family=st.sampled_from([None, None, "neurosim", "linear", "lookup"]))
def test_every_fitted_sheet_is_a_device(shape: dict[str, Any], family: str | None, tmp_path: Path) -> None:
    up, down = curve(shape["ups"], shape["bend_up"], 0.0), curve(shape["downs"], shape["bend_down"], shape["past"])
    path = measured(tmp_path, up, down, shape["low_s"], shape["ratio"], shape["noise"])
    try:
        report = fit_file(path, tmp_path / "d.yaml", family=family, say=lambda _: None)
    except DeviceError:
        return  # it is told that this is no such device
    usable(report)


def usable(report: FitReport) -> None:
    """The sheet makes a model whose parameters are those of the report; at a limit they have no interval."""
    model = catalog.from_file(report.sheet)
    assert model.bounds()[0] < model.bounds()[1]
    for name, estimate in report.parameters.items():
        low, high = limits(report.family).get(name, (-np.inf, np.inf))
        assert low <= getattr(model, name) <= high
        assert getattr(model, name) == pytest.approx(estimate.value, rel=1e-12) or name.startswith("states")
        if estimate.at_limit:
            assert estimate.value in (low, high)
            assert not np.isfinite([estimate.low, estimate.high, estimate.error]).any()
            assert any(f"{name}: " in line and "end of what the family allows" in line for line in warnings_of(report))
    json.loads(report.details.read_text(encoding="utf-8"))


def warnings_of(report: FitReport) -> list[str]:
    return [line for line in report.text().splitlines() if line.startswith("warning: ")]


@pytest.fixture
def leaping(tmp_path: Path) -> Path:
    """A cell that rises by equal steps in 12 pulses and falls, within a few of 87, to above where it began."""
    g = [0.8e-6 + 9.2e-6 * k / 11 for k in range(12)] + [1e-6 + 9e-6 * float(np.exp(-k)) for k in range(1, 88)]
    path = tmp_path / "leap.csv"
    rows = [f"{k},{'up' if k < 12 else 'down'},{value:.6e}" for k, value in enumerate(g)]
    path.write_text("\n".join(["pulse,phase,G (S)", *rows]) + "\n", encoding="utf-8")
    return path


def test_a_label_at_its_limit(leaping: Path, tmp_path: Path, cli: Cli, small: Path) -> None:
    told = cli("device", "fit", leaping, "--out", "d.yaml", "--family", "neurosim").out
    assert re.search(r"^nl_down +-9 +at its limit: no interval ", told, re.MULTILINE)
    assert "warning: nl_down: -9 is the end of what the family allows" in told
    assert cli("device", "show", "d.yaml").code == 0
    assert cli("check", small, "--set", "device.file=d.yaml", "--set", "chip.memory_budget=1 MiB").code == 0
    details = json.loads((tmp_path / "d.fit.json").read_text(encoding="utf-8"))["parameters"]
    unknown = dict.fromkeys(("error", "low", "high"))
    assert details["nl_down"] == {"value": -9.0, **unknown, "unit": "1", "at_limit": True}
    assert details["states_down"]["low"] is None, "its pulses are those of the limit"


def test_a_fit_at_a_limit_counts_against_the_family(leaping: Path, tmp_path: Path) -> None:
    report = fit_file(leaping, tmp_path / "d.yaml", say=lambda _: None)
    assert report.family != "neurosim" and report.comparison is not None
    assert "neurosim" in {candidate.family for candidate in report.comparison.limited}
    assert "at a limit" in report.text()
    usable(report)


def test_a_sheet_of_any_name_is_read(leaping: Path, tmp_path: Path) -> None:
    for name in ("a b", "é", "a\x1b[31m", "x\x7f\x9b", "quo'te\"s", "yes", "1", "\u2028", "\udcff"):
        made = leaping.with_name(f"{name}.csv")
        made.write_bytes(leaping.read_bytes())
        report = fit_file(made, tmp_path / f"{name}.yaml", family="linear", say=lambda _: None)
        assert catalog.from_file(report.sheet).name.isprintable()


def test_readings_that_hardly_differ_make_a_table(tmp_path: Path) -> None:
    """A range of a millionth of its conductance: six digits would make neighbours equal."""
    path = measured(tmp_path, curve(40, 0.0, 0.0), curve(40, 0.0, 0.0), 1e-4, 1 + 1e-6, 0.0)
    usable(fit_file(path, tmp_path / "d.yaml", lookup=True, say=lambda _: None))


def test_pulses_of_a_device_are_read(cli: Cli, tmp_path: Path) -> None:
    for name in ("EpiRAM", "EcRam"):
        assert cli("device", "pulse", name, "--csv", "p.csv", "--cells", "2").code == 0
        assert read(tmp_path / "p.csv") is not None


@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=st.text(min_size=1, max_size=20))
def test_a_resolved_spec_is_read_whatever_its_paths_are(name: str, tmp_path: Path) -> None:
    from edgesdt.spec import Spec, to_yaml

    plain = loads(SMALL).plain()
    plain["data"] = {**plain["data"], "set": f"{tmp_path}/{name}.npz", "train": None, "test": None}
    spec = Spec.from_plain(plain)
    path = tmp_path / "resolved.yaml"
    path.write_bytes(to_yaml(spec.plain()).encode("utf-8", "surrogatepass"))
    assert load(str(path)) == spec


def test_a_record_is_what_every_reader_takes(finished: Finished, tmp_path: Path) -> None:
    path = tmp_path / "record.json"
    record.write(path, finished.record)
    assert record.read(path) == json.loads(path.read_text(encoding="utf-8")) == finished.record
    assert record.summary(record.read(path))


FORMULAS = ["=1+1", "+1", "-1", "@A1", "\t=1", " =1", "-1.5e3", "-", "--"]


@settings(max_examples=30, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.one_of(st.text(max_size=20), st.sampled_from(FORMULAS)))
def test_an_export_has_no_formulas_and_the_same_numbers(text: str, finished: Finished, tmp_path: Path) -> None:
    made = json.loads(json.dumps(finished.record))
    made["name"], made["versions"][text] = text, text
    record.write(tmp_path / "record.json", made)
    export.csv_file([tmp_path], tmp_path / "rows.csv")
    with (tmp_path / "rows.csv").open(encoding="utf-8", newline="") as file:
        names, cells = csv.reader(file)
    for cell in (*names, *cells):
        assert cell.lstrip()[:1] not in ("=", "@")
        if cell.lstrip()[:1] in ("+", "-"):
            float(cell)
    row = dict(zip(names, cells, strict=True))
    assert float(row["energy_j.train_total"]) == made["energy_j"]["train_total"]
    assert int(row["seed"]) == made["seed"]
