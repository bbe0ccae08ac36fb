"""A device for each weight layer: what a spec may say, what is refused in words, and what such a chip costs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from edgesdt.cli.main import main
from edgesdt.errors import SpecError
from edgesdt.ledger import actions as act
from edgesdt.pricing import bill, cells
from edgesdt.rules.activity import ASSUMED
from edgesdt.rules.lookup import memory_map, rule_of
from edgesdt.runs import preview
from edgesdt.runs.ablation import switches
from edgesdt.spec import Spec, layers, load, loads, spec_hash, to_yaml
from edgesdt.spec.checks import unused
from edgesdt.spec.sweep.section import load_sweep
from edgesdt.sweep.plan import SweepPlan
from tests.conftest import ROOT

TEXT = """
name: layers
data: {set: mnist}
chip: {layers: [784, 300, 10], memory_budget: 1 MiB}
learning: {target: label}
readout: [output]
"""
MIXED, BOTH = "device.layers={0: EcRam, 1: sram}", "device.layers={0: EcRam, 1: EcRam}"


def of(*overrides: str) -> Spec:
    """The chip of `TEXT` with `KEY=VALUE` overrides."""
    return loads(TEXT, overrides=list(overrides))


@pytest.mark.parametrize(
    ("override", "told"),
    [
        ("device.layers={2: EcRam}", "device.layers.2: no such layer: 2, allowed: 0..1 (784-300-10 has 2 layers of"),
        ("device.layers={-1: EcRam}", "'-1': not the number of a weight layer, allowed: 0, 1, ... from the input up"),
        ("device.layers={first: EcRam}", "'first': not the number of a weight layer"),
        ("device.layers={0: EcRan}", "device.layers.0.model: unknown device model: 'EcRan'"),
        ("device.layers={0: 5}", "0: 5, allowed: the name of a device model, or fields of a device"),
        ("device.layers=EcRam", "device.layers: wrong type: 'EcRam', allowed: a mapping of weight layers"),
        ("device.layers={0: {modl: EcRam}}", "device.layers.0.modl: unknown key"),
        ("device.layers={1: {model: EcRam, array: {adc_bits: 30}}}", "adc_bits: out of range: 30"),
        ("device.layers={1: {model: EcRam, array: {slices: 2}}}", "slices: 2 with 2 layers of weights"),
        ("device.layers={0: {model: ReRamSB, array: {wire_resistance: 2 Ohm}}}", "wire_resistance: 2 Ohm"),
        ("device.layers={1: {model: EcRam, array: {programming: coincidence}}}", "coincidence above the input"),
        ("device.layers={1: {model: EcRam, array: {weight_per_range: 0.01}}}", "0.01 cannot hold the first weights"),
        ("device.layers={1: {model: EcRam, parameters: {speed: 1}}}", "device.layers.1.parameters.speed: unknown"),
        ("device={layers: {1: EcRam}, off: [drift]}", "device.off[0]: unknown non-ideality 'drift'"),
        ("device={layers: {1: PCM}, drift_compensation: global}", "drift_compensation: global with 2 layers"),
        ("device.layers={1: {off: [adc]}}", "device.layers.1.off[0]: 'adc': sram weights are digital"),
        ("device.layers={0: EcRam, 1: {model: sram, off: [adc]}}", "an analog device.layers.1.model (did you forget"),
        ("device.layers={0: EcRam, 1: {parameters: {a: 1}}}", "device.layers.1.parameters.a: 1: sram weights are"),
        ("device={layers: {0: EcRam}, parameters: {a: 1}}", "device.parameters.a: 1: sram weights are digital"),
        ("device={sheet: text}", "device.sheet: of no use without device.file, allowed: null"),
        ("device={model: EcRam, sheet: text}", "device.sheet: of no use without device.file, allowed: null"),
        ("device.layers={1: {sheet: text}}", "device.layers.1.sheet: of no use without device.layers.1.file"),
        ("device.layers={1: {model: EcRam, parameters: {w_max: 1e9}}}", "weight per range, allowed: up to 1000"),
    ],
)
def test_a_device_that_cannot_be_is_refused_in_words(
    override: str, told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SpecError, match="device"):
        of(override)
    path = tmp_path / "layers.yaml"
    path.write_text(TEXT, encoding="utf-8")
    assert main(["check", str(path), "--set", override]) == 2
    assert told in capsys.readouterr().err


def test_an_array_of_a_digital_layer_is_said_to_have_no_effect() -> None:
    for devices in ("{1: {array: {adc_bits: 5}}}", "{0: EcRam, 1: {model: sram, array: {adc_bits: 5}}}"):
        told = unused.settings(of(f"device.layers={devices}"))
        assert any(line.startswith("device.layers.1.array.adc_bits: no effect, sram weights are") for line in told)
    assert unused.settings(of("device.array.adc_bits=5", MIXED)) == []


def _faults(text: str, *overrides: str) -> str:
    with pytest.raises(SpecError) as caught:
        loads(text, "x.yaml", list(overrides))
    return str(caught.value)


ONE = TEXT.replace("784, 300, 10", "784, 10")


@pytest.mark.parametrize(
    ("text", "overrides", "told"),
    [
        (TEXT, ["device.model=EcRam", "device.layers.1.off=[zzz]"], "--set device.layers.1.off: unknown non-ideality"),
        (TEXT, ["device.layers.1.model=EcRam", "device.layers.1.parameters={dw_mni: 1}"],
         "--set device.layers.1.parameters: device.layers.1.parameters.dw_mni: unknown parameter"),
        (TEXT + "device:\n  model: EcRam\n  layers:\n    1:\n      off: [zzz]\n", [],
         "x.yaml:11: device.layers.1.off: unknown non-ideality"),
        (TEXT + "device: {file: absent.yaml}\n", [], "x.yaml:7: device.file: absent.yaml: cannot be read"),
        (ONE, ["device.layers.0={model: EcRam, off: [zzz]}"], "--set device.layers.0: device.layers.0.off: unknown"),
        (ONE + "device:\n  layers:\n    0: {model: EcRam, array: {weight_per_range: 0.001}}\n", [],
         "x.yaml:9: device.layers.0.array.weight_per_range: 0.001 cannot hold"),
    ],
)  # fmt: skip
def test_a_fault_of_a_device_is_told_once_and_where_it_was_written(text: str, overrides: list[str], told: str) -> None:
    found = _faults(text, *overrides)
    assert found.startswith(told) and "\n" not in found


def test_a_value_of_the_spec_is_not_told_at_the_line_of_the_sheet_that_it_replaces(tmp_path: Path) -> None:
    path = _with_sheet(tmp_path)
    text = path.read_text(encoding="utf-8").replace("mine.yaml", str(tmp_path / "mine.yaml"))
    for given, told in (("{g_min: 9 S}", "g_min 9 S must be below g_max"), ("{dw_min: 0}", "dw_min is 0; it must be")):
        found = _faults(text, f"device.layers.1.parameters={given}")
        assert found.startswith("--set device.layers.1.parameters: device.layers.1.parameters.") and told in found
        assert "mine.yaml" not in found


def test_a_batch_is_refused_where_any_layer_lies_on_cells() -> None:
    with pytest.raises(SpecError, match="mini-batches of 4 on analog cells, allowed: 1"):
        of(MIXED, "learning.batch=4")


OFF = "device.layers={1: {model: PCM_inference, off: [drift]}}"


@pytest.mark.parametrize("override", [MIXED, BOTH, "device.model=EcRam", OFF])
def test_a_spec_with_layers_survives_every_way_out_and_back(override: str) -> None:
    spec = of(override)
    plain = spec.plain()
    assert Spec.from_plain(plain) == spec
    assert Spec.from_plain(plain).plain() == plain
    assert loads(to_yaml(plain)).plain() == plain
    assert spec_hash(loads(preview.resolved(spec)).plain()) == spec_hash(preview.resolve(spec).plain())


def test_fields_for_all_layers_hold_where_a_layer_says_nothing_else() -> None:
    spec = of(
        "device.model=EcRam", "device.array.adc_bits=7", "device.layers.1={array: {weight_per_range: 2}}",
        "device.off=[cycle_to_cycle]",
    )  # fmt: skip
    first, second = (layers.device_of(spec, layer) for layer in (0, 1))
    assert (first.array.adc_bits, second.array.adc_bits) == (7, 7)
    assert (first.array.weight_per_range, second.array.weight_per_range) == (0.1, 2)
    assert first.off == second.off == ("cycle_to_cycle",)
    assert layers.on_cells(spec) == (0, 1)


def test_another_model_starts_without_the_parameters_of_the_others() -> None:
    own = "device.parameters={up_down: 0.1}"
    spec = of("device.model=EcRam", own, "device.layers={1: PCM_inference}", "device.off=[drift]")
    first, second = (layers.device_of(spec, layer) for layer in (0, 1))
    assert first.parameters == {"up_down": 0.1} and second.parameters == {}
    assert first.off == () and second.off == ("drift",), "what a model does not have cannot be switched off"


def test_every_layer_is_a_chip_of_its_own() -> None:
    spec = of(BOTH, "learning.learning_rate=[0.01, 0.02]")
    first, second = (layers.alone(spec, layer) for layer in (0, 1))
    assert (first.chip.layers, second.chip.layers) == ((784, 300), (300, 10))
    assert (first.seed, second.seed) == (0, 0x9E3779B9)
    assert second.learning.learning_rate == (0.02,)
    short = loads(TEXT.replace("784, 300, 10", "784, 10"), overrides=["device.model=EcRam"])
    assert layers.alone(short, 0) is short


def test_memory_holds_the_layers_that_are_not_on_cells() -> None:
    names = {array.name: array.bits for array in memory_map(of(MIXED)).arrays}
    assert "weights_0" not in names and names["cells_0"] == 0
    assert names["weights_1"] == 3000 * 8
    assert "cells_1" not in names


def test_check_shows_both_arrays() -> None:
    told = preview.preview(of(BOTH))
    assert "layer 0: array of 4 x 2 tiles of up to 256 x 256 cells" in told
    assert "layer 1: array of 2 x 1 tiles of up to 256 x 10 cells" in told
    assert "layer 1: weights 8 bits" in preview.preview(of(MIXED))


def _counts(spec: Spec) -> dict[str, int]:
    return rule_of(spec).expected(spec, True, ASSUMED)


def test_only_layers_in_memory_have_weights_read_and_multiplied() -> None:
    digital, mixed, both = (_counts(of(*given)) for given in ((), (MIXED,), (BOTH,)))
    assert both[act.MAC] == both[act.WEIGHT_READ] == both[act.WEIGHT_WRITE] == 0
    assert 0 < mixed[act.MAC] < digital[act.MAC]
    assert mixed[act.CONTRAST] == both[act.CONTRAST] == digital[act.CONTRAST]
    assert set(mixed) == set(digital) | set(act.CELL_MEANING)
    above = {act.of_layer(name, 1) for name in (*act.CELL_MEANING, *act.BACK_MEANING)}
    assert set(both) == set(mixed) | above


def test_every_action_of_every_layer_has_a_price_and_a_component() -> None:
    spec = of(BOTH)
    tech, memory = bill.technology(spec), memory_map(spec).plain()
    prices, paid_by, counts = bill.recipes(spec, memory, tech), bill.components(spec), _counts(spec)
    assert set(prices) == set(paid_by) == set(counts)
    assert prices["layer_1.column_drive"] > 0
    one = counts | dict.fromkeys(counts, 0)
    made = bill.bill(spec, one | {"layer_1.column_drive": 1000}, memory, tech)
    assert made.energy_j["DAC and columns"] == pytest.approx(1000 * prices["layer_1.column_drive"])
    assert bill.bill(spec, one | {"layer_1.array_read_back": 10}, memory, tech).latency_s["array read"] > 0


def test_an_array_that_is_read_both_ways_has_converters_on_its_rows() -> None:
    spec = of(BOTH)
    tech = bill.technology(spec)
    alone = layers.alone(spec, 1)
    one_way, both = (cells.areas(cells.Parts.of(alone, tech, two_way)) for two_way in (False, True))
    adc = cells.Parts.of(alone, tech).adc.area_mm2
    rows = -(-300 // alone.device.array.columns_per_adc)
    assert both["ADC"] - one_way["ADC"] == pytest.approx(rows * adc)
    assert both["DAC"] > one_way["DAC"] and both["cells"] > one_way["cells"] and both["sense"] > one_way["sense"]
    whole = bill.areas(spec, memory_map(spec).plain(), tech)
    lowest = cells.areas(cells.Parts.of(layers.alone(spec, 0), tech))
    assert whole["cells"] == pytest.approx(lowest["cells"] + both["cells"])


def test_an_ablation_switches_every_layer() -> None:
    spec = of(BOTH)
    names = switches(spec)
    assert {"device_to_device", "cycle_to_cycle", "adc"} <= set(names)
    plain: dict[str, Any] = spec.plain()
    plain["device"]["off"] = list(names)
    off = Spec.from_plain(plain)
    assert all(set(names) == set(layers.device_of(off, layer).off) for layer in (0, 1))
    assert switches(off) == ()


# Sheets of one's own


def _with_sheet(folder: Path, name: str = "mine.yaml") -> Path:
    """A spec in `folder` whose upper layer is of a device sheet beside it, which is that of EcRam."""
    preset = ROOT / "hw_models" / "presets" / "EcRam.yaml"
    (folder / name).write_text(preset.read_text(encoding="utf-8").replace("EcRam", "Mine"), encoding="utf-8")
    device = f"device: {{layers: {{0: EcRam, 1: {{file: {name}}}}}}}\n"
    (folder / "spec.yaml").write_text(TEXT + device, encoding="utf-8")
    return folder / "spec.yaml"


def test_the_sheet_of_a_layer_travels_with_the_spec(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = _with_sheet(tmp_path)
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    plain = load(str(path)).plain()
    (tmp_path / "mine.yaml").unlink()
    spec = Spec.from_plain(plain)
    own = layers.device_of(spec, 1)
    assert own.file == str(tmp_path / "mine.yaml") and own.sheet and own.sha256
    assert own.cell_model().name == "Mine" and spec.plain() == plain == loads(to_yaml(plain)).plain()
    assert "sheet" not in plain["device"]["layers"]["0"]
    assert "layer 1: weights on Mine (mine.yaml)" in preview.preview(spec)


def test_a_layers_sheet_counts_by_what_it_holds(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    here, there = load(str(_with_sheet(tmp_path))), load(str(_with_sheet(tmp_path / "there", "other.yaml")))
    assert here.plain() != there.plain() and spec_hash(here.plain()) == spec_hash(there.plain())
    plain = here.plain()
    del plain["device"]["layers"]["1"]["sheet"]
    with (tmp_path / "mine.yaml").open("a", encoding="utf-8") as sheet:
        sheet.write("# edited\n")
    with pytest.raises(SpecError, match=r"device\.layers\.1\.sha256: .* has changed"):
        Spec.from_plain(plain)
    assert spec_hash(load(str(tmp_path / "spec.yaml")).plain()) != spec_hash(here.plain())


@pytest.mark.parametrize("key", ["device.layers.1.file", "device.layers.1"])
def test_another_sheet_for_a_layer_forgets_what_was_known_of_the_first(
    key: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = tmp_path / "whole.yaml"
    whole.write_text(to_yaml(load(str(_with_sheet(tmp_path))).plain()), encoding="utf-8")
    text = (tmp_path / "mine.yaml").read_text(encoding="utf-8").replace("Mine", "Second")
    (tmp_path / "second.yaml").write_text(text, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    value = "second.yaml" if key.endswith("file") else "{file: second.yaml}"
    own = layers.device_of(load(str(whole), overrides=[f"{key}={value}"]), 1)
    assert own.file == str(tmp_path / "second.yaml") and own.cell_model().name == "Second"


@pytest.mark.parametrize(
    "parameter",
    ["device.layers.1.file: [{}]", "device.layers.1: [{{file: {}}}]", "device.layers: [{{1: {{file: {}}}}}]"],
)
def test_a_sweep_finds_the_sheets_of_layers_beside_it(parameter: str, tmp_path: Path) -> None:
    path = _with_sheet(tmp_path)
    text = (tmp_path / "mine.yaml").read_text(encoding="utf-8").replace("Mine", "Second")
    (tmp_path / "second.yaml").write_text(text, encoding="utf-8")
    with path.open("a", encoding="utf-8") as file:
        file.write(f"sweep: {{{parameter.format('second.yaml')}}}\n")
    (point,) = (made := SweepPlan(*load_sweep(str(path)))).points
    own = layers.device_of(made.spec_of(point), 1)
    assert own.file == str(tmp_path / "second.yaml") and own.cell_model().name == "Second"


def test_a_sweep_over_layers_of_neurons_gives_every_chip_its_own_devices(tmp_path: Path) -> None:
    path = tmp_path / "spec.yaml"
    swept = "device: {model: EcRam}\nsweep: {chip.layers: [[784, 10], [784, 30, 10]]}\n"
    path.write_text(TEXT + swept, encoding="utf-8")
    made = SweepPlan(*load_sweep(str(path)))
    assert [layers.on_cells(made.spec_of(point)) for point in made.points] == [(0,), (0, 1)]
    by_hand = loads(TEXT.replace("784, 300, 10", "784, 30, 10"), overrides=["device.model=EcRam"])
    assert spec_hash(made.spec_of(made.points[1]).plain()) == spec_hash(by_hand.plain())
