"""Device sheets and the catalog: presets have units and sources, bad sheets are refused, plug-ins keep the laws."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Iterator
from importlib.metadata import EntryPoint
from itertools import permutations
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

import hw_models
from hw_models import laws, response
from hw_models.base import CellModel, Cells, DeviceError
from hw_models.families.levels.quantized import Quantized
from hw_models.sheets import catalog, quantities, sheet

PRESETS = sorted((Path(hw_models.__file__).parent / "presets").glob("*.yaml"))
AIHWKIT = ["ReRamES", "ReRamSB", "Capacitor", "EcRam", "EcRamMO", "Idealized", "GokmenVlasov", "PCM", "ReRamArrayOM"]
AIHWKIT += ["ReRamArrayHfO2"]
NEUROSIM = ["Ag_aSi", "TaOx_HfOx", "PCMO", "AlOx_HfO2", "GST_PCM", "EpiRAM", "HZO_FeFET"]
TABLE = {
    "ReRamES": {"dw_min": 0.00135, "up_down": 0.259359, "A_up": -1.18445, "gamma_down": 5.0, "write_noise_std": 75.0},
    "ReRamSB": {"dw_min": 0.002, "w_max": 1.25, "w_max_dtod": 0.24, "w_min_dtod": 0.4, "dw_min_std": 3.75},
    "Capacitor": {"dw_min": 0.005, "gamma_up": 0.05, "lifetime": 1e6, "lifetime_dtod": 0.3, "mult_noise": False},
    "EcRam": {"w_max": 1.1724, "w_min": -0.8276, "gamma_up": 0.1153, "gamma_down": 0.5085, "mult_noise": True},
    "EcRamMO": {"dw_min": 2.8214e-4, "gamma_up": 0.4152, "dw_min_std": 2.0},
    "Idealized": {"dw_min": 0.0002, "up_down_dtod": 0.0, "w_max_dtod": 0.3},
    "GokmenVlasov": {"dw_min": 0.0016, "up_down_dtod": 0.01},
    "PCM": {"a": -1.0, "A_up": -27.235, "dw_min_std_add": 0.042, "dw_min_std_slope": 0.108, "w_max": 2.0},
    "ReRamArrayOM": {"dw_min": 0.0949, "dw_min_dtod": 0.7829, "dw_min_dtod_log_normal": True, "reference_std": 0.05},
    "ReRamArrayHfO2": {"w_max_dtod": 0.4295, "w_min_dtod": 0.599, "write_noise_std": 0.5841},
    "Ag_aSi": {"states_up": 97, "states_down": 100, "nl_up": 2.4, "nl_down": -4.88, "r_on_ohm": 26e6, "c2c": 0.035},
    "TaOx_HfOx": {"states_up": 128, "nl_down": -0.63, "r_on_ohm": 100e3, "on_off": 10},
    "PCMO": {"states_up": 50, "nl_down": -6.76, "on_off": 6.84},
    "AlOx_HfO2": {"nl_up": 1.94, "r_on_ohm": 16.9e3, "c2c": 0.05},
    "GST_PCM": {"states_up": 100, "states_down": 120, "nl_down": 2.4, "r_on_ohm": 4.71e3},
    "EpiRAM": {"states_up": 64, "on_off": 50.2, "c2c": 0.02},
    "HZO_FeFET": {"states_up": 32, "nl_up": 1.75, "nl_down": 1.46, "r_on_ohm": 559.28e3, "c2c": 0.005},
    "TaOx_TiO2": {"states_up": 102, "on_off": 2, "r_on_ohm": 5e6},
    "FeFET": {"states_up": 32, "r_on_ohm": 240e3, "on_off": 100, "c2c": 0.003},
    "PCM_inference": {"g_max_s": 25e-6, "drift_t0_s": 20.0, "read_s": 250e-9},
    "RRAM_Milo": {"g_min_s": 50e-6, "g_max_s": 225e-6, "coefficients": ((4.782321, -0.009107),)},
    "SONOS": {"g_max_s": 16e-6, "argument_s": 1e-8, "times_s": (0, 86400, 172800, 259200, 345600, 432000)},
    "sram": {"bits": 8},
    "quantized_4bit": {"levels": 16},
}


# --- the presets


def _numbers(node: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    for section in ("parameters", "drive"):
        yield from (node.get(section) or {}).items()


@pytest.mark.parametrize("path", PRESETS, ids=lambda path: path.stem)
def test_every_number_of_a_preset_has_a_unit_and_a_source(path: Path) -> None:
    """Read with plain YAML, so that the reader under test cannot hide a number without them."""
    tree = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert tree["name"] == path.stem and tree["summary"] and set(tree) <= set(sheet.KEYS)
    found = list(_numbers(tree))
    assert found
    for key, entry in found:
        assert isinstance(entry, dict), key
        assert entry["source"] in tree["sources"], key
        assert entry.get("unit") or isinstance(entry["value"], bool | str), key
    assert all(len(citation) > 20 for citation in tree["sources"].values())


@pytest.mark.parametrize("path", PRESETS, ids=lambda path: path.stem)
def test_every_preset_loads_and_keeps_the_laws(path: Path) -> None:
    model = catalog.load(path.stem)
    assert model.name == path.stem
    laws.check_laws(model)


def test_all_presets_are_there() -> None:
    assert len(PRESETS) >= 20
    assert {*AIHWKIT, *NEUROSIM} <= {path.stem for path in PRESETS}
    assert set(catalog.names()) >= {path.stem for path in PRESETS}


@pytest.mark.parametrize("name", TABLE)
def test_presets_have_the_published_numbers(name: str) -> None:
    model = catalog.load(name)
    for key, value in TABLE[name].items():
        found = getattr(model, key)
        assert found == (value if isinstance(value, tuple) else pytest.approx(value, rel=1e-12)), key


@pytest.mark.parametrize("name", [*AIHWKIT, *NEUROSIM])
def test_case_does_not_matter(name: str) -> None:
    assert catalog.load(name.lower()) == catalog.load(name.upper()) == catalog.load(name)


@pytest.mark.parametrize("name", AIHWKIT)
def test_borrowed_conditions_are_named_as_such(name: str) -> None:
    """aihwkit states no volts: a preset either has none either, or cites where they are from and says so."""
    made, model = catalog.preset(name), catalog.load(name)
    assert (model.drive is None) == (not made.drive)
    if model.drive is not None:
        assert "aihwkit" not in model.drive.source and "another cell" in made.notes
    assert model.quantity == "weight"


def test_conditions_of_neurosim_presets_come_from_its_table() -> None:
    model = catalog.load("EpiRAM")
    assert model.drive is not None
    assert (model.drive.up.voltage_v, model.drive.up.width_s) == (5.0, 5e-6)
    assert (model.drive.down.voltage_v, model.drive.down.width_s) == (-3.0, 5e-6)
    assert (model.drive.g_min_s, model.drive.g_max_s) == model.bounds()
    assert (model.drive.read_voltage_v, model.drive.access_ohm, model.drive.cell_area_f2) == (0.5, 15e3, 16.0)


def test_the_lookup_preset_has_the_measured_steps() -> None:
    model = catalog.load("ENODe_lookup")
    assert model.step(297.72e-6, True) == pytest.approx(7.667e-6, rel=0.02)
    assert model.step(297.72e-6, False) == pytest.approx(0.686e-6, rel=0.02)
    cells = model.manufacture(20_000, 3)
    model.program(cells, np.full(20_000, 297.72e-6))
    model.pulse(cells, np.ones(20_000, dtype=np.int64))
    change = cells.state - 297.72e-6
    assert change.mean() == pytest.approx(7.667e-6, rel=0.02)
    assert change.std() == pytest.approx(1.130e-6, rel=0.02)


@pytest.mark.parametrize(
    ("name", "up", "down", "energies"),
    [
        ("Ag_aSi", 97, 100, (7.8414e-9, 2.3342e-9)),
        ("TaOx_HfOx", 128, 128, (9.0501e-11, 8.3986e-11)),
        ("PCMO", 50, 50, (6.7394e-9, 2.0177e-9)),
    ],
)
def test_energy_of_a_sweep(name: str, up: int, down: int, energies: tuple[float, float]) -> None:
    """NeuroSim's write energy, V^2 G_avg t, no wire capacitance."""
    made = response.measure(response.without_noise(catalog.load(name)), up, down)
    assert (made.up_energy_j, made.down_energy_j) == pytest.approx(energies, rel=1e-4)


def test_pulses_of_ag_asi() -> None:
    """NeuroSim's curve, eqs 1-3 of its manual, evaluated with 16 digits."""
    shown = response.measure(response.without_noise(catalog.load("Ag_aSi")), 97, 100).visible[:, 0]
    expected = {1: 3.912983e-9, 10: 1.070895e-8, 50: 2.941480e-8, 97: 3.846154e-8}
    expected |= {98: 3.672658e-8, 147: 5.770532e-9, 197: 3.076923e-9}
    assert {pulse: shown[pulse] for pulse in expected} == pytest.approx(expected, rel=1e-6)


# --- names, families, origins


def test_an_unknown_name_is_refused_with_the_nearest() -> None:
    with pytest.raises(DeviceError, match="unknown device 'ReRamSD' \\(did you mean 'ReRamSB'\\?\\)"):
        catalog.load("ReRamSD")


def test_families_are_found_by_their_names() -> None:
    for name in catalog.families():
        assert catalog.family(name).family == name
    with pytest.raises(DeviceError, match="did you mean 'soft_bounds'"):
        catalog.family("softbounds")


def test_origin_cites() -> None:
    origin = catalog.origin("rerambs".replace("bs", "sb"))
    assert (origin.name, origin.kind, origin.where) == ("ReRamSB", "preset", "presets/ReRamSB.yaml")
    assert any("Gong" in source for source in origin.sources)


# --- overrides


def test_overrides_replace_parameters_and_conditions() -> None:
    plain = catalog.load("ReRamSB")
    model: Any = catalog.load("ReRamSB", dw_min=0.004, up_voltage="1.5 V", g_min="100 kOhm", cell_area=4)
    assert model == dataclasses.replace(plain, dw_min=0.004, drive=model.drive)
    assert (model.drive.up.voltage_v, model.drive.g_min_s, model.drive.cell_area_f2) == (1.5, 1e-5, 4.0)
    assert catalog.load("Ag_aSi", r_on_ohm="1 uS").bounds()[1] == pytest.approx(1e-6)


@pytest.mark.parametrize(
    ("overrides", "told"),
    [
        ({"dwmin": 1}, "dwmin: unknown parameter 'dwmin' (did you mean 'dw_min'?)"),
        ({"dw_min_std": -1}, "dw_min_std"),
        ({"dw_min": math.nan}, "must be a finite number"),
        ({"dw_min": math.inf}, "must be a finite number"),
        ({"dw_min": True}, "must be a number"),
        ({"dw_min": "0.1"}, "'0.1' is not a number followed by a unit"),
        ({"dw_min": "12"}, "'12' is not a number followed by a unit"),
        ({"dw_min": "0.1 V"}, "'V' is a unit of voltage"),
        ({"mult_noise": 1}, "allowed: true, false"),
        ({"w_min": 2.0, "w_max": 1.0}, "w_min"),
        ({"g_min": "1 Ohm"}, "g_min 1 S must be below g_max"),
        ({"up_width": 0}, "more than 0 s"),
        ({"read_voltage": -1}, "at least 0 V"),
        ({"g_max": "5 kV"}, "'kV' is a unit of voltage"),
    ],
)
def test_bad_overrides_are_refused(overrides: dict[str, Any], told: str) -> None:
    with pytest.raises(DeviceError) as refused:
        catalog.load("ReRamSB", **overrides)
    assert told in str(refused.value)


def test_all_bad_overrides_are_told_at_once() -> None:
    with pytest.raises(DeviceError) as refused:
        catalog.load("ReRamSB", dw_min=-1, dwmim=1, up_voltage="x")
    assert len(str(refused.value).splitlines()) == 3


def test_conditions_that_are_missing_are_named() -> None:
    with pytest.raises(DeviceError, match="not given: g_max, up_voltage, up_width"):
        catalog.load("Idealized", g_min="1 MOhm")


def test_wrappers_are_put_around_a_model() -> None:
    model: Any = catalog.load("ReRamSB", stuck_at={"lrs_fraction": 0.25}, retention={"time_constant_s": "1 h"})
    assert (model.family, model.lrs_fraction, model.name) == ("stuck_at", 0.25, "ReRamSB")
    assert (model.inner.family, model.inner.time_constant_s) == ("retention", 3600.0)
    assert {"stuck_at", "retention", "write_noise"} <= set(model.non_idealities)
    with pytest.raises(DeviceError, match=r"ReRamSB.stuck_at: lrs: unknown parameter 'lrs' \(did you mean"):
        catalog.load("ReRamSB", stuck_at={"lrs": 0.25})


@pytest.mark.parametrize("order", list(permutations(("stuck_at", "endurance", "retention"))))
def test_a_stuck_cell_does_not_decay_and_a_worn_out_one_does(order: tuple[str, ...]) -> None:
    """Whatever the order in which they are asked for."""
    asked = {
        "stuck_at": {"lrs_fraction": 0.5},
        "endurance": {"limit_pulses": 3},
        "retention": {"time_constant_s": "10 s", "level": 0.0},
    }
    model = catalog.load("TaOx_HfOx", c2c=0.0, **{name: asked[name] for name in order})
    around: Any = model
    families = []
    while around.family != "neurosim":
        families.append(around.family)
        around = around.inner
    assert families == ["stuck_at", "endurance", "retention"]
    cells = model.manufacture(200, 1)
    model.pulse(cells, np.full(200, 9))
    low, high = model.bounds()
    stuck = cells.spread[:, -1] == 1
    assert 60 < stuck.sum() < 140
    shown = model.read(cells, 10.0)
    assert (shown[stuck] == high).all()
    three = around.curve(3, True)[3]
    assert shown[~stuck] == pytest.approx(low + (three - low) * np.exp(-1), rel=1e-9)


# --- sheets

SOURCES = {"sources": {"here": "a measurement of the authors, unpublished"}}


def _sheet(family: str = "soft_bounds", parameters: Any = None, **more: Any) -> dict[str, Any]:
    given = {"dw_min": {"value": 0.01, "unit": "1", "source": "here"}} if parameters is None else parameters
    return {"name": "mine", "family": family, **SOURCES, "parameters": given, **more}


def _entry(value: Any, unit: str = "1", **more: Any) -> dict[str, Any]:
    return {"value": value, "unit": unit, "source": "here", **more}


DRIVE = {
    "g_min": _entry(20, "kOhm"),
    "g_max": _entry(1, "mS"),
    "up_voltage": _entry(1.5, "V"),
    "up_width": _entry(50, "ns"),
    "down_voltage": _entry(-1500, "mV"),
    "down_width": _entry(0.05, "us"),
    "read_voltage": _entry(0.2, "V"),
    "read_width": _entry(10, "ns"),
    "cell_area": _entry(16, "F2"),
}


def test_a_gate_is_written_without_current() -> None:
    gate = {**DRIVE, "capacitance": _entry(0.5, "fF"), "write_current": {"value": False, "source": "here"}}
    drive = catalog.from_mapping(_sheet(drive=gate), "mine.yaml").drive
    assert drive is not None and (drive.write_current, drive.capacitance_f) == (False, 0.5e-15)
    current = catalog.from_mapping(_sheet(drive=gate), "mine.yaml", write_current=True).drive
    assert current is not None and current.write_current
    assert catalog.load("ReRamSB").drive.write_current  # type: ignore[union-attr]
    with pytest.raises(DeviceError, match=r"mine.yaml: drive: write_current is false.*capacitance must be above 0 F"):
        catalog.from_mapping(_sheet(drive=gate), "mine.yaml", capacitance=0.0)
    gate["write_current"] = _entry(0)
    with pytest.raises(DeviceError, match=r"drive.write_current: 0: allowed: true, false"):
        catalog.from_mapping(_sheet(drive=gate), "mine.yaml")


@pytest.mark.parametrize(
    ("name", "up_j", "down_j"),
    [
        ("HZO_FeFET", 3.65**2 * 2.1717e-18, 2.95**2 * 2.1717e-18),
        ("FeFET", 4**2 * 2.1717e-18, 4**2 * 2.1717e-18),
        ("EcRam", 1e-15, 1e-15),
        ("EcRamMO", 1e-15, 1e-15),
    ],
)
def test_presets_whose_gate_is_written_cost_its_charge(name: str, up_j: float, down_j: float) -> None:
    made = response.measure(response.without_noise(catalog.load(name)), 5, 3)
    assert made.up_energy_j == pytest.approx(5 * up_j, rel=1e-9, abs=0)
    assert made.down_energy_j == pytest.approx(3 * down_j, rel=1e-9, abs=0)
    assert "V2C" in catalog.origin(name).notes
    others = [other for other in catalog.names() if (drive := catalog.load(other).drive) and not drive.write_current]
    assert set(others) == {"HZO_FeFET", "FeFET", "EcRam", "EcRamMO"}


def test_a_sheet_becomes_a_model() -> None:
    model: Any = catalog.from_mapping(_sheet(drive=DRIVE), "mine.yaml")
    assert (model.name, model.family, model.dw_min) == ("mine", "soft_bounds", 0.01)
    drive = model.drive
    assert (drive.g_min_s, drive.g_max_s, drive.up.width_s, drive.down.voltage_v) == (5e-5, 1e-3, 5e-8, -1.5)
    assert drive.source == SOURCES["sources"]["here"]


def test_a_file_reads_numbers_as_people_write_them(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    text = "name: mine\nfamily: soft_bounds\nsources: {here: a measurement of the authors}\nparameters:\n"
    path.write_text(text + "  dw_min: {value: 1e-3, unit: 1, source: here}\n", encoding="utf-8")
    assert catalog.from_file(path).step(0.0, True) == pytest.approx(1e-3)


@pytest.mark.parametrize(
    ("tree", "told"),
    [
        ([], "a sheet is a mapping"),
        ({}, "family: '': must be a word"),
        (_sheet("sofbounds"), "unknown family 'sofbounds' (did you mean 'soft_bounds'?)"),
        (_sheet(parameter={}), "unknown key 'parameter' (did you mean 'parameters'?)"),
        (_sheet(parameters={"dw_min": 0.01}), "no unit and no source"),
        (_sheet(parameters={"dw_min": {"value": 0.01, "source": "here"}}), "0.01 has no unit"),
        (_sheet(parameters={"dw_min": {"value": 0.01, "unit": "1"}}), "no source"),
        (_sheet(parameters={"dw_min": _entry(0.01) | {"source": "there"}}), "unknown source 'there'"),
        (_sheet(parameters={"dw_min": _entry(0.01, "V")}), "'V' is a unit of voltage"),
        (_sheet(parameters={"dw_min": _entry(0.01, "foo")}), "unknown unit 'foo'"),
        (_sheet(parameters={"dw_min": _entry(-0.01)}), "dw_min"),
        (_sheet(parameters={"dw_min": _entry(math.nan)}), "must be a finite number"),
        (_sheet(parameters={"dw_min": _entry([0.01])}), "must be a number"),
        (_sheet(parameters={"w_min": _entry(1), "w_max": _entry(-1)}), "parameters.w_m"),
        (_sheet(parameters={"mult_noise": _entry(0.5)}), "allowed: true, false"),
        (_sheet("quantized", {"levels": _entry(4.5, "levels")}), "must be a whole number"),
        (_sheet("lookup", {}), "parameters.g_s: not given"),
        (_sheet(drive={**DRIVE, "g_max": _entry(1, "uS")}), "must be below g_max"),
        (_sheet(drive={**DRIVE, "g_min": _entry(0, "Ohm")}), "0 Ohm has no value in S"),
        (_sheet(drive={**DRIVE, "gate": _entry(1, "V")}), "unknown condition 'gate'"),
        (_sheet(drive={"g_min": DRIVE["g_min"]}), "drive: not given: g_max, up_voltage"),
        (_sheet(over="ReRamSB"), "only stuck_at, endurance, retention have a device inside"),
        (_sheet("stuck_at", {}), "the name or the sheet of the device inside"),
        (_sheet("stuck_at", {}, over="mine"), "is this device itself"),
        (_sheet("stuck_at", {}, over="ReRamSD"), "did you mean 'ReRamSB'"),
        (_sheet("stuck_at", {}, over=_sheet(parameters={"dw_min": 1})), "no unit and no source"),
    ],
)
def test_a_bad_sheet_is_refused(tree: Any, told: str) -> None:
    with pytest.raises(DeviceError) as refused:
        catalog.from_mapping(tree, "mine.yaml")
    assert told in str(refused.value)
    assert "mine.yaml" in str(refused.value)


def test_a_wrapper_may_hold_a_name_or_a_sheet() -> None:
    wrapped: Any = catalog.from_mapping(_sheet("stuck_at", {"lrs_fraction": _entry(5, "%")}, over="ecram"), "x.yaml")
    assert wrapped.lrs_fraction == 0.05 and wrapped.inner == catalog.load("EcRam")
    inside = _sheet("retention", {"time_constant_s": _entry(1, "day")}, over=_sheet())
    nested: Any = catalog.from_mapping(_sheet("endurance", {"limit_pulses": _entry(1e6, "pulses")}, over=inside), "x")
    assert (nested.inner.time_constant_s, nested.inner.inner.dw_min) == (86400.0, 0.01)
    laws.check_laws(nested)


YAML = """\
name: mine
family: soft_bounds
sources: {here: a measurement of the authors}
parameters:
  dw_min: {value: 0.01, unit: "1", source: here}
"""


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (YAML + "  dw_min: {value: 0.02, unit: '1', source: here}\n", "mine.yaml:6: parameters.dw_min: duplicate key"),
        (YAML + "  dw_mn: {value: 1, unit: '1', source: here}\n", "mine.yaml:6: parameters.dw_mn: unknown parameter"),
        (YAML + "  w_max: {value: .nan, unit: '1', source: here}\n", "mine.yaml:6: parameters.w_max: nan"),
        (YAML + "  w_max: {value: -2, unit: '1', source: here}\n", "mine.yaml:6: parameters.w_max"),
        (YAML + "  w_max: {value: 2, unit: V, source: here}\n", "mine.yaml:6: parameters.w_max: 'V' is a unit"),
        (YAML + "drive: {g_min: {value: 1, unit: S, source: here}}\n", "mine.yaml:6: drive: not given: g_max"),
        (YAML + "  w_max: [1\n", "mine.yaml:7: not readable as YAML"),
        (YAML + "  w_max: &a [*a]\n", "mine.yaml:6: aliases are not read"),
        (YAML + "over: " + "[" * 50_000, "nest"),
        (YAML + "x: \x01\n", "not readable as YAML"),
        ("", "a sheet is a mapping"),
        ("- 1\n", "mine.yaml:1: a sheet is a mapping"),
        ("a" * (1 << 21), "allowed: at most"),
    ],
)
def test_a_bad_file_is_refused_with_its_line(text: str, told: str, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.chdir(tmp_path)
    Path("mine.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(DeviceError) as refused:
        catalog.from_file("mine.yaml")
    assert told in str(refused.value)


def test_a_file_that_is_not_there_or_no_text(tmp_path: Path) -> None:
    with pytest.raises(DeviceError, match="cannot be read: No such file"):
        catalog.from_file(tmp_path / "none.yaml")
    (tmp_path / "bytes.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(DeviceError, match="not a text file"):
        catalog.from_file(tmp_path / "bytes.yaml")


@pytest.mark.parametrize(
    ("value", "unit", "into", "expected"),
    [
        (26, "MOhm", "S", 1 / 26e6),
        (20, "kOhm", "Ohm", 20e3),
        (25, "uS", "Ohm", 40e3),
        (0.3, "ms", "s", 3e-4),
        (3.5, "%", "1", 0.035),
        (2, "day", "s", 172800.0),
        (8, "1", "bits", 8.0),
        (7, "uS/uS^2", "uS/uS^2", 7.0),
    ],
)
def test_units_are_converted_exactly(value: float, unit: str, into: str, expected: float) -> None:
    assert quantities.converted(value, unit, into) == expected


# --- plug-ins


@pytest.fixture
def plugged(monkeypatch: pytest.MonkeyPatch) -> Callable[[str, Any], None]:
    """Puts an object into the catalog as the plug-in of a name."""

    def plug(name: str, found: Any) -> None:
        class Point:
            value, dist = "other_package:thing", None

            def load(self) -> Any:
                if isinstance(found, Exception):
                    raise found
                return found

        point: Any = Point()
        point.name = name
        plugins: dict[str, EntryPoint] = {name: point}
        monkeypatch.setattr(catalog, "_plugins", lambda: plugins)

    return plug


@dataclasses.dataclass(frozen=True)
class Plugged(Quantized):
    """Sixteen levels of somebody else."""

    family = "somebody_elses"


def test_a_plug_in_may_be_a_class(plugged: Callable[[str, Any], None]) -> None:
    plugged("theirs", Plugged)
    assert catalog.names()[-1] == "theirs" and "somebody_elses" in catalog.families()
    model: Any = catalog.load("Theirs", levels=4, w_max="2 1")
    assert (model.name, model.levels, model.w_max) == ("theirs", 4, 2.0)
    assert catalog.from_mapping(_sheet("somebody_elses", {"levels": _entry(8)}), "x").name == "mine"
    assert catalog.origin("theirs").summary == "Sixteen levels of somebody else."
    with pytest.raises(DeviceError, match="did you mean 'levels'"):
        catalog.load("theirs", level=4)


def test_a_plug_in_may_be_a_factory(plugged: Callable[[str, Any], None]) -> None:
    plugged("made", lambda levels=4: Quantized(name="made", levels=levels))
    assert catalog.load("made", levels=5) == Quantized(name="made", levels=5)


@pytest.mark.parametrize(
    ("found", "told"),
    [
        (ImportError("no such thing"), "plug-in theirs (other_package:thing): ImportError: no such thing"),
        (lambda: 3, "makes a int, not a hw_models.base.CellModel"),
        (lambda: 1 / 0, "ZeroDivisionError"),
        (lambda: Quantized(levels=1), "levels is 1"),
    ],
)
def test_a_plug_in_that_fails_is_named(plugged: Callable[[str, Any], None], found: Any, told: str) -> None:
    plugged("theirs", found)
    with pytest.raises(DeviceError) as refused:
        catalog.load("theirs")
    assert told in str(refused.value)


def _shifted(method: str) -> Callable[..., Any]:
    """A method of the healthy model after which the first state is one level off."""

    def broken(self: Any, cells: Cells, *arguments: Any) -> Any:
        result = getattr(Quantized, method)(self, cells, *arguments)
        cells.state[0] += self.spacing()
        return result

    return broken


def _silent(self: Any, cells: Cells, counts: Any, places: Any = None) -> None:
    Quantized.pulse(self, cells, counts, places)
    cells.pulses[:] = 0


def _everywhere(self: Any, cells: Cells, counts: Any, places: Any = None) -> None:
    moved = np.zeros(len(cells.state), dtype=np.int64)
    moved[slice(None) if places is None else places] = counts
    Quantized.pulse(self, cells, np.where(moved == 0, moved.sum() // 4, moved))


def _unseeded(self: Any, count: int, seed: int, dtype: Any = np.float64) -> Cells:
    cells = Quantized.manufacture(self, count, seed, dtype)
    cells.random[0] = np.random.default_rng().integers(1 << 62)
    return cells


def _unbounded(self: Any, cells: Cells, counts: Any, places: Any = None) -> None:
    where = slice(None) if places is None else places
    cells.state[where] += np.asarray(counts) * self.spacing()
    cells.visible[where] = cells.state[where]
    cells.pulses[where] += np.abs(counts).astype(np.uint32)


BROKEN = {
    "a model says what it is": {"not_modelled": " "},
    "a model has bounds and steps": {"bounds": lambda self: (1.0, 1.0)},
    "new cells are at their lowest state": {"manufacture": lambda *_: None},
    "no pulses change nothing": {"pulse": _shifted("pulse")},
    "the same seed gives the same cells and the same noise": {"manufacture": _unseeded},
    "the state stays inside the bounds": {"pulse": _unbounded},
    "ideal() pulses without noise or spread": {"step": lambda *_: 0.01},
    "a pulse reaches its own cells and is counted": {"pulse": _silent},
    "reading alters nothing": {"read": lambda self, cells, *_: cells.visible},
    "the noise of a read has a size": {"read_sd": lambda self, state: -np.ones(len(state))},
    "each non-ideality switches alone": {"only": lambda self, name: self},
}


@pytest.mark.parametrize("law", BROKEN)
def test_a_plug_in_that_breaks_a_law_is_told_which(law: str, plugged: Callable[[str, Any], None]) -> None:
    healthy = {"levels": 9, "write_noise": 0.3, "read_noise": 0.1}
    laws.check_laws(Quantized(**healthy))
    kind: Any = type("Broken", (Quantized,), {"__doc__": "Broken on purpose.", **BROKEN[law]})
    plugged("theirs", lambda: kind(**healthy))
    with pytest.raises(DeviceError) as refused:
        catalog.load("theirs")
    assert f"plug-in theirs (other_package:thing): breaks the law {law!r}" in str(refused.value)


def test_drift_that_has_begun_at_once_breaks_a_law() -> None:
    sound: Any = catalog.load("PCM_inference")


    def read(self: Any, cells: Cells, after_s: float = 0.0, seed: int = 0) -> Any:
        return cells.visible * (0.9 if "drift" in self.non_idealities else 1.0)

    kind: Any = type("Broken", (type(sound),), {"read": read})
    values = {item.name: getattr(sound, item.name) for item in dataclasses.fields(sound)}
    with pytest.raises(DeviceError, match="breaks the law 'no time passed is no drift'"):
        laws.check_laws(kind(**values))


def test_every_law_has_a_model_that_breaks_it() -> None:
    assert {*BROKEN, "no time passed is no drift"} == set(laws.LAWS)


def test_other_cells_are_protected() -> None:
    kind: Any = type("Broken", (Quantized,), {"pulse": _everywhere})
    with pytest.raises(DeviceError, match="a pulse reached other cells"):
        laws.check_laws(kind(levels=9))


# --- pulse response


def test_noise_off_keeps_the_shape() -> None:
    model = response.without_noise(catalog.load("ReRamSB"))
    assert set(model.non_idealities) <= set(response.SHAPE)
    assert model.step(-0.75, True) > 4 * model.step(0.85, True)


@pytest.mark.parametrize("numbers", [(-1, 0, 1, 0), (0, -1, 1, 0), (0, 0, 0, 0), (0, 0, 1, -1), (10**6, 0, 10**3, 0)])
def test_numbers_out_of_range(numbers: tuple[int, int, int, int]) -> None:
    with pytest.raises(DeviceError, match="allowed: at "):
        response.measure(catalog.load("sram"), *numbers)


def test_a_model_is_a_cell_model() -> None:
    assert all(isinstance(catalog.load(name), CellModel) for name in catalog.names())
