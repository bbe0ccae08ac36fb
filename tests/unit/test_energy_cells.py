"""Prices of a chip on analog cells: reads, pulses, converters, time and area, each worked out again from volts, siemens
and seconds.
"""

from __future__ import annotations

import copy
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgesdt.ledger import actions as act
from edgesdt.pricing import bill, leakage
from edgesdt.pricing import cells as energy_cells
from edgesdt.rules.eqprop.ledger import cell_counts
from edgesdt.rules.eqprop.rule import EqProp
from edgesdt.rules.lookup import memory_map
from edgesdt.runs.experiment import run
from edgesdt.spec import Spec, loads
from hw_models.periphery.adc import Adc
from hw_models.periphery.dac import Dac
from hw_models.periphery.drivers import Drivers
from hw_models.periphery.sense import Sense
from hw_models.periphery.wires import Wires
from hw_models.sheets import catalog
from tests.cell_chips import learn, tally_of
from tests.conftest import SMALL, Finished
from tests.small_chips import random_samples, spec_of

KINDS = {
    "a weight, currents": "ReRamSB",
    "a conductance, currents": "Ag_aSi",
    "a weight, a gate": "EcRam",
    "a conductance, a gate": "FeFET",
    "set and reset pulses": "PCM",
    "handed over": "RRAM_Wan",
}


def exactly(value: float) -> Any:
    """A float up to rounding errors; pytest's own absolute tolerance would swallow femtojoules."""
    return pytest.approx(value, rel=1e-9, abs=0)


def bill_of(rule: EqProp, counts: dict[str, int] | None = None) -> bill.Bill:
    """What a chip's training cost so far."""
    spec = rule.spec
    return bill.bill(spec, counts or rule.counts(), memory_map(spec).plain(), bill.technology(spec))


def fields_of(model: str, **array: Any) -> dict[str, Any]:
    """A chip that learns much from a sample, all of which it sees."""
    fields = {f"device.array.{name}": value for name, value in array.items()}
    return {
        "device.model": model, "learning.learning_rate": 0.2, "learning.dropout.input": 0.0,
        "chip.weights.init_gain": 0.5, **fields,
    }  # fmt: skip


def siemens_of(spec: Spec) -> tuple[float, float]:
    """Conductance of the lowest and of the highest nominal state, from the sheet."""
    model = spec.device.cell_model()
    assert model.drive is not None
    if model.quantity == "conductance":
        return model.bounds()
    return model.drive.g_min_s, model.drive.g_max_s


# --- what a sample costs


@pytest.mark.parametrize("mapping", ["offset", "pair"])
@pytest.mark.parametrize("model", KINDS.values(), ids=KINDS)
def test_the_cells_of_one_sample_by_hand(model: str, mapping: str) -> None:
    """V² G t of every cell of every driven row; V² G t and C V² of every pulse."""
    rule = EqProp(spec_of([9, 7], fields_of(model, mapping=mapping)))
    spec, drive = rule.spec, rule.store.crossbar.model.drive
    assert drive is not None
    low, high = siemens_of(spec)
    assert 0 <= low < high < 1
    x = random_samples(spec, 4, 1)[0][0]
    planes, one = rule.store.crossbar.bank.planes, rule.store.crossbar.bank.one
    shares = rule.store.crossbar.bank.shares.reshape(planes, 7, 9).astype(np.float64) / one
    learn(rule, x[None])
    found, counts = bill_of(rule).energy_j, rule.counts()

    reads = 0.0
    for i, code in enumerate(x.tolist()):
        volts = drive.read_voltage_v * code / 255
        for plane in range(planes):
            for j in range(7):
                siemens = low + shares[plane, j, i] * (high - low)
                reads += volts * volts * siemens * drive.read_s
        if planes == 1:  # the tile's column of reference cells
            siemens = low + rule.store.crossbar.bank.reference / one * (high - low)
            reads += volts * volts * siemens * drive.read_s
    assert found["cell reads"] == exactly(reads)

    pulses = 0.0
    for way, pulse in (("up", drive.up), ("down", drive.down)):
        number = counts[f"pulse_{way}"]
        siemens = number * low + counts[f"pulse_{way}_share"] / one * (high - low)  # summed over the pulses
        current = pulse.voltage_v**2 * siemens * pulse.width_s if drive.write_current else 0.0
        pulses += current + number * drive.capacitance_f * pulse.voltage_v**2
    assert counts["pulse_up"] + counts["pulse_down"] == rule.store.crossbar.cells.pulses.sum() > 0
    assert found["cell pulses"] == exactly(pulses)
    assert "half-selected cells" not in found and "verify" not in found


@pytest.mark.parametrize("mapping", ["offset", "pair"])
@pytest.mark.parametrize("model", ["ReRamES", "Ag_aSi"])
def test_a_pulse_costs_the_mean_of_the_conductances_that_it_goes_between(model: str, mapping: str) -> None:
    """From the cells' states alone, where each gets at most one pulse: E = V² (G₀ + G₁)/2 t.

    Without cycle-to-cycle noise, which comes on top after a write.
    """
    fields = fields_of(model, mapping=mapping, programming="coincidence", train_length=1)
    rule = EqProp(spec_of([9, 7], {**fields, "device.off": ["cycle_to_cycle"]}))
    drive, cells = rule.store.crossbar.model.drive, rule.store.crossbar.cells
    assert drive is not None
    by_hand, pulsed = 0.0, {True: 0, False: 0}
    for x in random_samples(rule.spec, 1, 40)[0]:
        before, received = rule.store.crossbar.model.conductance_s(cells.state.astype(np.float64)), cells.pulses.copy()
        places, counts = rule.store.crossbar.bank.places, rule.store.crossbar.bank.counts
        places[:] = -1
        learn(rule, x[None])
        after = rule.store.crossbar.model.conductance_s(cells.state.astype(np.float64))
        hit = np.flatnonzero(cells.pulses != received)
        ways = dict(zip(places.tolist(), counts.tolist(), strict=True))
        for cell in hit.tolist():
            assert cells.pulses[cell] == received[cell] + 1 and abs(ways[cell]) == 1
            pulse = drive.up if ways[cell] > 0 else drive.down
            pulsed[ways[cell] > 0] += 1
            by_hand += pulse.voltage_v**2 * (before[cell] + after[cell]) / 2 * pulse.width_s
    counted = rule.counts()
    assert (counted["pulse_up"], counted["pulse_down"]) == (pulsed[True], pulsed[False])
    assert min(pulsed.values()) > 3
    assert bill_of(rule).energy_j["cell pulses"] == pytest.approx(by_hand, rel=1e-3, abs=0)


@pytest.mark.parametrize("mapping", ["offset", "pair"])
@pytest.mark.parametrize("tile", [(256, 256), (4, 3), (9, 14)])
def test_converters_and_rows_by_hand(mapping: str, tile: tuple[int, int]) -> None:
    """Every row of every tile that is driven, every column of every tile: a pair has two columns and one conversion."""
    fields = fields_of("EcRam", mapping=mapping, tile_rows=tile[0], tile_columns=tile[1], dac_bits=3, adc_bits=7)
    rule = EqProp(spec_of([9, 7], {**fields, "technology.node": 22.0}))
    samples = random_samples(rule.spec, 2, 5)[0]
    samples[0, :3] = (18, 19, 17)  # half a step of the converter is 18.2
    learn(rule, samples)
    counts, found = rule.counts(), bill_of(rule).energy_j
    row_tiles = math.ceil(9 / tile[0])
    column_tiles = math.ceil(7 * (2 if mapping == "pair" else 1) / tile[1])
    driven = sum(round(int(v) * 7 / 255) != 0 for v in samples.ravel())
    assert driven < np.count_nonzero(samples)
    assert counts["array_read"] == 5
    assert counts["row_drive"] == driven * column_tiles
    assert counts["adc_conversion"] == 5 * 7 * row_tiles
    assert found["ADC"] == exactly(5 * 7 * row_tiles * Adc(7, node_nm=22.0).energy_j)
    line_f = tile[1] * 0.2e-15 * (22e-3 * 4)  # 0.2 fF/um along cells of 4F
    assert found["DAC and rows"] == exactly(driven * column_tiles * (Dac(3, 22.0).energy_j + line_f * 0.5**2))


def test_digital_weights_are_not_paid_for() -> None:
    rule = EqProp(spec_of([9, 7], fields_of("EcRam")))
    learn(rule, random_samples(rule.spec, 2, 5)[0])
    counts = rule.counts()
    assert [counts[name] for name in (act.MAC, act.WEIGHT_READ, act.WEIGHT_WRITE)] == [0, 0, 0]
    assert counts[act.CONTRAST] > 0 and counts[act.RATE] > 0
    assert "weight memory" not in bill_of(rule).energy_j


@pytest.mark.parametrize("biases", [True, False])
def test_coincidences_multiply_on_the_lines(biases: bool) -> None:
    """No synapse needs arithmetic: one product for the chance of each column, one for each bias."""
    fields = fields_of("EcRam", programming="coincidence") | {"chip.biases.enabled": biases}
    rule = EqProp(spec_of([9, 7], fields))
    swept = 0
    for x in random_samples(rule.spec, 2, 20)[0]:
        learn(rule, x[None])
        swept += int((rule.chip.states != rule.chip.free_states).sum())
    counts = rule.counts()
    assert swept > 10
    assert (counts[act.CONTRAST], counts[act.RATE]) == (0, swept * (2 if biases else 1))


def test_write_verify_reads_are_paid_for() -> None:
    rule = EqProp(spec_of([9, 7], fields_of("ReRamSB", programming="verify")))
    learn(rule, random_samples(rule.spec, 2, 5)[0])
    counts, found, drive = rule.counts(), bill_of(rule).energy_j, rule.store.crossbar.model.drive
    assert drive is not None
    low, high = siemens_of(rule.spec)
    assert counts["verify_read"] > 20
    siemens = counts["verify_read"] * low + counts["verify_share"] / rule.store.crossbar.bank.one * (high - low)
    assert found["verify"] == exactly(drive.read_voltage_v**2 * siemens * drive.read_s)
    assert counts["adc_conversion"] == 5 * 7 + counts["verify_read"]
    assert found["ADC"] == exactly(counts["adc_conversion"] * Adc(9, node_nm=45).energy_j)


@pytest.mark.parametrize("model", ["ReRamSB", "FeFET"])
@pytest.mark.parametrize("tile", [256, 5])
def test_half_selected_cells_by_hand(model: str, tile: int) -> None:
    """Those on the two lines of a cell, as far as they exist; a gate that is half charged carries no current."""
    fields = fields_of(model, selector="half_voltage", tile_rows=tile, tile_columns=tile)
    rule = EqProp(spec_of([9, 7], fields))
    learn(rule, random_samples(rule.spec, 2, 3)[0])
    counts, found, drive = rule.counts(), bill_of(rule).energy_j, rule.store.crossbar.model.drive
    assert drive is not None
    others = min(tile, 9) + min(tile, 7) - 2
    assert counts["half_selected"] == (counts["pulse_up"] + counts["pulse_down"]) * others > 0
    middle = sum(siemens_of(rule.spec)) / 2
    each = 0.0
    for pulse in (drive.up, drive.down):
        half = (pulse.voltage_v / 2) ** 2
        current = half * middle * pulse.width_s if drive.write_current else 0.0
        each += (current + half * drive.capacitance_f) / 2
    assert found["half-selected cells"] == exactly(counts["half_selected"] * each)
    transistors = EqProp(spec_of([9, 7], fields_of(model)))
    learn(transistors, random_samples(rule.spec, 2, 3)[0])
    assert transistors.counts()["half_selected"] == 0


def test_a_gate_costs_its_charge_whatever_the_cell_conducts() -> None:
    """FeFET: E = C V², and nothing for the conductance."""
    rule = EqProp(spec_of([9, 7], fields_of("FeFET")))
    learn(rule, random_samples(rule.spec, 2, 5)[0])
    counts, drive = rule.counts(), rule.store.crossbar.model.drive
    assert drive is not None and not drive.write_current
    assert (drive.up.voltage_v, drive.down.voltage_v, drive.capacitance_f) == (4.0, -4.0, 2.1717e-18)
    number = counts["pulse_up"] + counts["pulse_down"]
    assert number > 5
    assert bill_of(rule).energy_j["cell pulses"] == exactly(number * 2.1717e-18 * 16)
    prices = energy_cells.recipes(energy_cells.Parts.of(rule.spec, bill.technology(rule.spec)))
    assert (prices["pulse_up_share"], prices["pulse_down_share"]) == (0.0, 0.0)


@pytest.mark.parametrize("model", ["Idealized", "ENODe_lookup", "SONOS"])
def test_a_model_without_electrical_conditions_prices_only_converters(model: str) -> None:
    rule = EqProp(spec_of([9, 7], fields_of(model)))
    assert rule.store.crossbar.model.drive is None
    learn(rule, random_samples(rule.spec, 2, 5)[0])
    counts, found = rule.counts(), bill_of(rule).energy_j
    assert counts["pulse_up"] + counts["pulse_down"] > 0 and counts["cell_read_share"] > 0
    of_cells = set(energy_cells.COMPONENT.values()) & found.keys()
    assert of_cells == {"ADC", "DAC and rows", "sense", "code adders", "decoders"}
    assert found["ADC"] == exactly(counts["adc_conversion"] * Adc(9, node_nm=45).energy_j)
    assert found["DAC and rows"] == exactly(counts["row_drive"] * Dac(8, 45).energy_j)
    tech = bill.technology(rule.spec)
    areas = bill.areas(rule.spec, memory_map(rule.spec).plain(), tech)
    assert all(areas[name] > 0 for name in ("ADC", "DAC", "sense", "code adders", "decoders"))
    assert not {"cells", "drivers"} & areas.keys()


# --- what stands around the cells

CODES = 32
"""Bits of an accumulator: those of a converter code's addition."""


@pytest.mark.parametrize("mapping", ["offset", "pair"])
@pytest.mark.parametrize("programming", ["pulses", "coincidence", "verify"])
def test_drivers_decoders_and_additions_by_hand(programming: str, mapping: str) -> None:
    """Lines of 4F cells and 0.2 fF/um at the volts of the sheet; latched addresses; 9 rows in tiles of 4."""
    fields = fields_of("TaOx_TiO2", mapping=mapping, programming=programming, tile_rows=4, tile_columns=6)
    rule = EqProp(spec_of([9, 7], {**fields, "technology.node": 22.0, "chip.accumulator.bits": CODES}))
    learn(rule, random_samples(rule.spec, 2, 5)[0])
    counts, found, tally = rule.counts(), bill_of(rule).energy_j, tally_of(rule)
    tech, planes = bill.technology(rule.spec), 2 if mapping == "pair" else 1
    pulses = {way: tally[f"pulses_{way}"] for way in ("up", "down")}
    assert min(pulses.values()) > 0 and pulses["up"] + pulses["down"] == rule.store.crossbar.cells.pulses.sum()

    cell_f = 0.2e-15 * (22e-3 * 4)
    squares = {"up": 3.0**2, "down": 3.0**2}  # volts
    rows = sum(pulses[way] * 6 * cell_f * squares[way] for way in pulses)
    columns = tally["pulse_times"] * planes * 4 * cell_f * sum(squares.values()) / 2
    assert found["pulse drivers"] == exactly(rows + columns)

    alone = tally["verify_reads"]
    assert (alone > 0) == (programming == "verify")
    of_rows, of_columns = (tech.register_j(bits) + tech.xor_j(bits) for bits in (4, 4 if planes == 2 else 3))
    selected = alone if programming == "verify" else tally["cell_writes"]
    swept = tally["swept"] * planes + alone
    assert found["decoders"] == exactly(selected * of_rows + swept * of_columns)

    added = 5 * 7 * 3
    assert counts["code_add"] == added and counts["column_sample"] == added + alone == counts["adc_conversion"]
    assert found["code adders"] == exactly(added * (tech.add_j(CODES) + tech.register_j(CODES)))
    assert found["sense"] == exactly((added + alone) * Sense(22.0).sample_j)


def test_a_cell_is_selected_once_for_all_its_pulses() -> None:
    """Many pulses, one address: selections are cells, not pulses."""
    rule = EqProp(spec_of([9, 7], fields_of("EcRam", weight_per_range=1.0)))
    learn(rule, random_samples(rule.spec, 2, 1)[0])
    touched = int((rule.store.crossbar.cells.pulses > 0).sum())
    assert rule.counts()["row_select"] == touched < rule.store.crossbar.cells.pulses.sum()
    assert rule.counts()["column_select"] == int((rule.chip.states != rule.chip.free_states).sum())


# --- time, area, leakage


@pytest.mark.parametrize("columns", [20, 3])
def test_the_time_of_the_array_by_hand(columns: int) -> None:
    """All tiles at once; the columns that there are in turn; a slot is as long as the longer pulse."""
    fields = fields_of("TaOx_TiO2", columns_per_adc=8, tile_rows=4, programming="verify", tile_columns=10)
    rule = EqProp(spec_of([9, columns], fields))
    learn(rule, random_samples(rule.spec, 2, 5)[0])
    counts, found = rule.counts(), bill_of(rule).latency_s
    assert found["code sums"] == exactly(5 * 3 / rule.spec.chip.clock)
    assert found["array read"] == exactly(5 * (8e-9 + 5e-9 + min(columns, 8) * 10e-9))
    assert counts["pulse_time"] > 5
    verified = counts["verify_read"] * (5e-9 + 10e-9) / 10
    assert found["array programming"] == exactly(counts["pulse_time"] * 0.04 + verified)


def test_pulse_slots_of_verified_writes_are_those_that_were_given() -> None:
    """One round asks for what one write does; later rounds add slots, and nothing is asked beyond the range."""
    counted = {}
    for rounds in (1, 20):
        fields = fields_of("EcRam", programming="verify", verify_rounds=rounds)
        rule = EqProp(spec_of([9, 7], fields))
        learn(rule, random_samples(rule.spec, 2, 5)[0])
        counted[rounds] = rule.counts()
        most = int(rule.store.crossbar.cells.pulses.max())
        assert most <= counted[rounds]["pulse_time"] <= rule.store.crossbar.cells.pulses.sum()
    assert counted[20]["pulse_time"] > counted[1]["pulse_time"]


@pytest.mark.parametrize("mapping", ["offset", "pair"])
def test_the_area_of_the_array_by_hand(mapping: str) -> None:
    fields = fields_of("FeFET", mapping=mapping, tile_rows=4, tile_columns=5, columns_per_adc=3)
    spec = spec_of([9, 7], {**fields, "technology.node": 32.0})
    found = bill.areas(spec, memory_map(spec).plain(), bill.technology(spec))
    planes = 2 if mapping == "pair" else 1
    row_tiles, column_tiles = 3, math.ceil(7 * planes / 5)
    references = 9 * column_tiles if planes == 1 else 0
    assert found["cells"] == exactly((planes * 63 + references) * 24 * (32e-6) ** 2)
    assert found["ADC"] == exactly(row_tiles * 3 * Adc(9, node_nm=32.0).area_mm2)
    assert found["DAC"] == exactly(column_tiles * 9 * Dac(8, 32.0).area_mm2)
    lines = Drivers(4, 5, Wires.at_node(32.0, 24.0), node_nm=32.0)
    assert found["drivers"] == exactly(row_tiles * column_tiles * lines.area_mm2(4.0, 1 / 240e3))
    assert found["decoders"] == exactly(row_tiles * column_tiles * lines.decoder_area_mm2)
    assert found["sense"] == exactly(row_tiles * 7 * Sense(32.0).area_mm2)
    assert found["code adders"] == exactly(row_tiles * 3 * bill.technology(spec).add_mm2(32))
    assert found["weight memory"] == 0.0 and "synaptic arithmetic" not in found


def test_drivers_leak_and_cells_do_not() -> None:
    spec = spec_of([9, 7], fields_of("PCMO", tile_rows=4))  # its pulses up are of -2 V
    memory, tech = memory_map(spec).plain(), bill.technology(spec)
    lines = Drivers(4, 256, Wires.at_node(45.0, 16.0), node_nm=45.0)
    drivers = 3 * lines.leakage_w(2.0, catalog.load("PCMO").drive.g_max_s)  # type: ignore[union-attr]
    assert drivers > 0
    area = bill.areas(spec, memory, tech)
    parts = leakage.by_component(spec, memory, area, tech)
    assert parts.pop("drivers") == exactly(drivers)
    assert bill.static_w(spec, memory, tech) == exactly(sum(parts.values()) + drivers)
    assert parts.pop("other memory") == exactly(tech.sram_leakage_w(memory["used_bits"]))
    logic = {name: tech.logic_leakage_w(mm2) for name, mm2 in area.items() if mm2 and "memory" not in name}
    assert parts == {name: watts for name, watts in logic.items() if name not in ("cells", "ADC", "DAC", "drivers")}
    assert {"sense", "code adders", "decoders", "neurons"} < set(parts)


def test_the_access_resistance_is_for_information_only() -> None:
    """As the sheet's reference says: NeuroSim's 15 kOhm, none, or a megohm give the same joules, seconds and mm²."""
    found = []
    for ohm in (None, "1 Ohm", "1 MOhm"):
        given = {} if ohm is None else {"device.parameters": {"access_resistance": ohm}}
        spec = spec_of([9, 7], fields_of("ReRamSB") | given)
        parts = energy_cells.Parts.of(spec, bill.technology(spec))
        assert parts.drive is not None and parts.drive.access_ohm == {None: 15e3, "1 Ohm": 1.0, "1 MOhm": 1e6}[ohm]
        area = energy_cells.areas(parts)
        found.append((energy_cells.recipes(parts), area, energy_cells.leakage_w(parts)))
    assert found[0] == found[1] == found[2]


def test_every_action_of_cells_has_a_meaning_a_price_and_a_component() -> None:
    spec = spec_of([9, 7], fields_of("ReRamSB", selector="half_voltage"))
    prices = energy_cells.recipes(energy_cells.Parts.of(spec, bill.technology(spec)))
    assert prices.keys() == act.CELL_MEANING.keys() == energy_cells.COMPONENT.keys() - act.BACK_MEANING.keys()
    nothing_alone = {act.ARRAY_READ, act.PULSE_TIME}  # they take time only
    assert {name for name, joules in prices.items() if joules == 0} == nothing_alone
    assert all(joules >= 0 for joules in prices.values())


@pytest.mark.parametrize("programming", ["pulses", "coincidence", "verify"])
@pytest.mark.parametrize("learning", [True, False])
def test_a_prediction_has_every_action_of_a_run(learning: bool, programming: str) -> None:
    spec = spec_of([64, 200], fields_of("EcRam", programming=programming))
    counts = cell_counts.predicted(spec, learning)
    assert counts.keys() == act.MEANING.keys() | act.CELL_MEANING.keys()
    assert all(type(n) is int and n >= 0 for n in counts.values())
    assert counts["array_read"] == 1000 and counts["adc_conversion"] >= 200_000
    assert (counts["pulse_up"] > 0) == (counts["pulse_time"] > 0) == learning
    assert (counts["verify_read"] > 0) == (learning and programming == "verify")
    bill.bill(spec, counts, memory_map(spec).plain(), bill.technology(spec))


# --- the record of a real run


@pytest.fixture(scope="module")
def insitu(tmp_path_factory: pytest.TempPathFactory) -> Finished:
    """A run of `SMALL` on cells."""
    folder = tmp_path_factory.mktemp("insitu") / "run"
    made = run(loads(SMALL, overrides=["device.model=ReRamSB", "epochs=2", "data.train=300"]), folder, report=False)
    kept = json.loads((folder / "record.json").read_text(encoding="utf-8"))
    assert kept == made
    return Finished(folder, kept, ())


def test_breakdowns_of_a_run_on_cells_sum_to_their_totals(insitu: Finished) -> None:
    record = insitu.record
    joules, seconds = record["energy_j"], record["latency_s"]
    assert sum(joules["train_breakdown"].values()) == exactly(joules["train_total"])
    assert sum(joules["inference_breakdown"].values()) == exactly(joules["inference_per_sample"])
    for phase in ("train", "inference"):
        assert sum(seconds[f"{phase}_breakdown"].values()) == exactly(seconds[f"{phase}_per_sample"])
    assert sum(record["area_mm2"]["breakdown"].values()) == exactly(record["area_mm2"]["total"])
    assert sum(point["energy_j"] for point in record["curve"]) == exactly(joules["train_total"])
    cells = {"cell reads", "ADC", "DAC and rows", "sense", "code adders"}
    assert cells | {"cell pulses", "pulse drivers", "decoders"} <= joules["train_breakdown"].keys()
    assert cells <= joules["inference_breakdown"].keys()
    assert not {"cell pulses", "verify", "pulse drivers", "decoders"} & joules["inference_breakdown"].keys()


def test_the_energy_of_a_run_is_its_counts_times_volts_siemens_and_seconds(insitu: Finished) -> None:
    """From the record and the sheet alone."""
    record = insitu.record
    drive = catalog.load("ReRamSB").drive
    assert drive is not None
    low, step = drive.g_min_s, (drive.g_max_s - drive.g_min_s) / 8192
    for phase, per in (("train", 1), ("inference", record["test_samples"])):
        counts, found = record["counts"][phase], record["energy_j"][f"{phase}_breakdown"]
        squared = (drive.read_voltage_v / 15) ** 2 * drive.read_s
        reads = squared * (low * counts["cell_read_base"] + step * counts["cell_read_share"])
        assert found["cell reads"] == exactly(reads / per)
        assert found["ADC"] == exactly(counts["adc_conversion"] * Adc(9, node_nm=45).energy_j / per)
    counts, pulses = record["counts"]["train"], 0.0
    for way, pulse in (("up", drive.up), ("down", drive.down)):
        siemens = low * counts[f"pulse_{way}"] + step * counts[f"pulse_{way}_share"]
        pulses += pulse.voltage_v**2 * (siemens * pulse.width_s + drive.capacitance_f * counts[f"pulse_{way}"])
    assert record["energy_j"]["train_breakdown"]["cell pulses"] == exactly(pulses)
    samples = record["train_samples"] * 2
    assert counts["array_read"] == samples and counts["adc_conversion"] == samples * 40
    assert record["counts"]["inference"]["array_read"] == record["test_samples"]
    assert counts["pulse_up"] + counts["pulse_down"] == record["device"]["writes_total"]


def test_repricing_a_run_on_cells_there_and_back(insitu: Finished) -> None:
    record, kept = insitu.record, copy.deepcopy(insitu.record)
    other = bill.reprice(record, "cmos_40nm_aladdin")
    assert record == kept, "the record was changed in place"
    priced = {"energy_j", "latency_s", "area_mm2", "technology", "spec", "spec_hash", "curve"}
    assert {name for name in record if other[name] != record[name]} <= priced, "the counts are facts"
    before, after = record["energy_j"]["train_breakdown"], other["energy_j"]["train_breakdown"]
    assert after["ADC"] / before["ADC"] == exactly(Adc(9, node_nm=40).energy_j / Adc(9, node_nm=45).energy_j)
    for cells in ("cell reads", "cell pulses"):
        assert after[cells] == before[cells], "the cells are the device's, not the node's"
    assert sum(point["energy_j"] for point in other["curve"]) == exactly(other["energy_j"]["train_total"])
    assert bill.reprice(other, "cmos_45nm") == record


def test_a_record_on_cells_is_all_that_pricing_needs(insitu: Finished, tmp_path: Path) -> None:
    record = json.loads((insitu.folder / "record.json").read_text(encoding="utf-8"))
    samples = {"train": record["train_samples"] * 2, "inference": record["test_samples"]}
    priced = bill.price(Spec.from_plain(record["spec"]), record["counts"], samples, record["memory"])
    assert priced == {name: record[name] for name in ("energy_j", "latency_s", "area_mm2", "technology")}
