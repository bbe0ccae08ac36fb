"""Crossbars: weights come back as they were mapped, codes follow the weights, and every joule adds up by hand."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from hw_models.array.costs import area, floorplan, leakage_w, pulsed, read_cost, verify_cost
from hw_models.array.crossbar import Crossbar
from hw_models.array.mapping import Mapping
from hw_models.base import DeviceError
from hw_models.periphery import Adc, Dac, Sense, Wires
from hw_models.periphery.cell_costs import (
    array_read_energy_j,
    half_selected_energy_j,
    pulse_energy_j,
    read_energy_j,
    write_energy_j,
)
from hw_models.periphery.design import Periphery
from hw_models.periphery.ir_drop import exact_currents
from hw_models.technology import load
from tests.plain_cells import DRIVE, G_MAX, G_MIN, PlainCells, PlainWeights

SPAN = G_MAX - G_MIN
OPEN = Periphery(adc=Adc(12), adc_range=1.0, tile_rows=16, tile_columns=8, input_bits=4)
MAPPINGS = [
    Mapping("pair", 0.1),
    Mapping("offset", 0.2),
    Mapping("offset", 0.2, reference=0.25),
    Mapping("pair", 0.3, slices=3, bits_per_cell=2),
    Mapping("offset", 0.3, slices=2, bits_per_cell=4),
]


def near(value: float, rel: float = 1e-9) -> Any:
    """`pytest.approx` without its absolute tolerance, which is a whole picojoule."""
    return pytest.approx(value, rel=rel, abs=0)


def weights_in(mapping: Mapping, model: PlainCells, shape: tuple[int, int], seed: int = 0) -> np.ndarray[Any, Any]:
    low, high = mapping.weight_range(model)
    return np.random.default_rng(seed).uniform(low, high, shape)


def programmed(mapping: Mapping, around: Periphery = OPEN, model: PlainCells | None = None) -> Crossbar:
    array = Crossbar(model or PlainCells(), mapping, around, 40, 11, seed=3)
    array.program(weights_in(mapping, array.model, (40, 11)))  # type: ignore[arg-type]
    return array


@pytest.mark.parametrize("model", [PlainCells(), PlainWeights()])
@pytest.mark.parametrize("mapping", MAPPINGS)
def test_weights_come_back(mapping: Mapping, model: PlainCells) -> None:
    array = programmed(mapping, model=model)
    wanted = weights_in(mapping, model, (40, 11))
    codes = 2 ** (mapping.slices * mapping.bits_per_cell) - 1 if mapping.slices > 1 else 10**12
    assert np.abs(array.weights() - wanted).max() <= 0.5001 * mapping.weight_per_range / codes
    assert array.shares().min() >= 0 and array.shares().max() <= 1


def test_where_a_weight_is_zero() -> None:
    assert Mapping("offset", 0.1).weight_range(PlainWeights()) == pytest.approx((-0.0375, 0.0625))
    assert Mapping("offset", 0.1).weight_range(PlainCells()) == pytest.approx((-0.05, 0.05))
    assert Mapping("pair", 0.1).weight_range(PlainCells()) == (-0.1, 0.1)
    array = Crossbar(PlainCells(), Mapping("pair", 0.1), OPEN, 3, 2)
    assert not array.weights().any(), "a fresh pair is balanced"
    array.program(np.array([[0.1, -0.1], [0.05, -0.025], [0, 0]]))
    assert array.shares()[:, 0] == pytest.approx(np.array([[[1, 0], [0.5, 0], [0, 0]], [[0, 1], [0, 0.25], [0, 0]]]))


def test_slices_are_digits() -> None:
    mapping = Mapping("offset", 1.0, slices=2, bits_per_cell=2, reference=0.0)
    shares = mapping.shares(np.array([[0.0, 1 / 15, 7 / 15, 1.0]]), PlainCells())
    assert (shares[0, :, 0] * 3).tolist() == [[0, 1, 3, 3], [0, 0, 1, 3]], "least significant first"
    assert mapping.digit_weights == pytest.approx([3 / 15, 12 / 15])


@pytest.mark.parametrize("mapping", MAPPINGS)
def test_codes_follow_the_weights(mapping: Mapping) -> None:
    array = programmed(mapping)
    x = np.random.default_rng(1).integers(0, 16, (7, 40))
    ideal = x @ array.weights()
    read = array.mvm(x)
    base = 2.0**mapping.bits_per_cell
    steps = 3 * sum(base**s for s in range(mapping.slices))  # three row tiles, each rounded by half a step
    assert np.abs(read.codes * array.output_step - ideal).max() <= (0.5 * steps + 1) * array.output_step
    assert (read.conversions, read.clipped) == (7 * 11 * 3 * mapping.slices, 0)
    assert array.mvm(x[2]).codes.tolist() == read.codes[2].tolist()
    exact = Crossbar(array.model, mapping, OPEN.without(["adc"]), 40, 11)
    exact.cells = array.cells
    fine = exact.mvm(x).codes * exact.output_step
    assert np.abs(fine - ideal).max() < 40 * 15 * mapping.weight_per_range / 16384


def test_a_converter_too_narrow_is_told() -> None:
    array = programmed(MAPPINGS[0], replace(OPEN, adc_range=1e-3))
    x = np.full(40, 15)
    with pytest.warns(UserWarning, match=r"clips \d+% of the sums: raise adc_range \(now 0.001\)"):
        read = array.mvm(x)
    assert read.clipped_fraction > 0.5
    calibrated = replace(OPEN, adc_range=array.range_for(x[np.newaxis], kept=1.0), adc=Adc(6))
    again = programmed(MAPPINGS[0], calibrated)
    assert again.mvm(x).clipped == 0
    assert np.abs(again.mvm(x).codes).max() > 31, "of three tiles of up to 31: the range is used"


def test_reads_alter_nothing_and_repeat() -> None:
    around = replace(OPEN, read_noise="additive", read_noise_sd=0.05, output_noise=1.0)
    array = programmed(MAPPINGS[0], around)
    state, random = array.cells.visible.copy(), array.cells.random.copy()
    x = np.random.default_rng(4).integers(0, 16, (3, 40))
    first = array.mvm(x, counter=10).codes
    assert (first == array.mvm(x, counter=10).codes).all()
    assert first[1].tolist() == array.mvm(x[1], counter=11).codes.tolist()
    assert (first != array.mvm(x, counter=20).codes).any()
    assert (array.cells.visible == state).all() and (array.cells.random == random).all()


@pytest.mark.parametrize(("scheme", "planes"), [("pair", 2), ("offset", 1)])
@pytest.mark.parametrize("noise", ["additive", "proportional", "cell"])
def test_read_noise_of_an_array(scheme: Any, planes: int, noise: Any) -> None:
    around = replace(OPEN, read_noise=noise, read_noise_sd=0.03, tile_rows=40).without(["adc"])
    array = programmed(Mapping(scheme, 0.1), around)
    x = np.random.default_rng(2).integers(0, 16, 40)
    draws = array.mvm(np.broadcast_to(x, (4000, 40))).codes * array.output_step
    squares = x.astype(float) ** 2
    if noise == "additive":
        expected = 0.03 * 0.1 * np.sqrt(planes * squares.sum()) * np.ones(11)
    elif noise == "proportional":
        expected = 0.03 * np.sqrt(squares @ array.weights() ** 2)
    else:
        expected = 0.03 * 0.1 / SPAN * np.sqrt(squares @ (array.conductances()[:, 0] ** 2).sum(axis=0))
    assert draws.std(axis=0) == pytest.approx(expected, rel=0.05)


def test_output_noise_is_in_steps_of_the_converter() -> None:
    around = replace(OPEN, output_noise=2.0, tile_rows=40)
    array = programmed(MAPPINGS[0], around)
    x = np.random.default_rng(2).integers(0, 16, 40)
    codes = array.mvm(np.broadcast_to(x, (4000, 40))).codes
    assert codes.std(axis=0) == pytest.approx(np.full(11, (4 + 1 / 12) ** 0.5), rel=0.05)


def test_a_coarse_dac_rounds_the_inputs() -> None:
    array = programmed(MAPPINGS[0], replace(OPEN, dac=Dac(2)).without(["adc"]))
    fine = Crossbar(array.model, array.mapping, OPEN.without(["adc"]), 40, 11)
    fine.cells = array.cells
    x = np.tile(np.arange(8), 5)
    assert (array.mvm(x).codes == fine.mvm(np.tile([0, 0, 0, 5, 5, 5, 5, 5], 5)).codes).all()


@pytest.mark.parametrize("mapping", MAPPINGS[:2])
def test_ir_drop_is_that_of_the_networks_of_the_tiles(mapping: Mapping) -> None:
    around = replace(OPEN, wires=Wires(row_ohm=30.0, column_ohm=20.0)).without(["adc"])
    array = programmed(mapping, around)
    x = np.random.default_rng(6).integers(0, 16, 40)
    g, step = array.conductances()[:, 0], 8 // mapping.planes
    expected = np.zeros(11)
    for top in range(0, 40, 16):
        rows = slice(top, min(top + 16, 40))
        for at in range(0, 11, step):
            tile = g[:, rows, at : at + step]
            beside = np.moveaxis(tile, 0, 2).reshape(tile.shape[1], -1)
            currents = exact_currents(beside, x[rows].astype(float), 30.0, 20.0).reshape(-1, mapping.planes)
            reference = 0.0 if mapping.scheme == "pair" else x[rows].sum() * (G_MIN + G_MAX) / 2
            other = currents[:, 1] if mapping.planes == 2 else reference
            expected[at : at + step] += (currents[:, 0] - other) / SPAN * mapping.weight_per_range
    got = array.mvm(x).codes * array.output_step
    ideal = x @ array.weights()
    assert np.abs(got - expected).max() < 0.02 * np.abs(ideal - expected).max()
    assert np.abs(ideal - expected).max() > 1e-3
    array.periphery = around.without(["ir_drop"])
    assert array.mvm(x).codes * array.output_step == pytest.approx(ideal, abs=0.01)


def test_pulses_reach_their_cells() -> None:
    array = Crossbar(PlainWeights(states=101), Mapping("pair", 0.1), OPEN, 6, 5)
    array.program(np.zeros((6, 5)))
    array.cells.state[:] = array.cells.visible[:] = 0.25  # the middle
    array.pulse(np.array([1, 4]), np.array([0, 2, 3]), np.array([[1, -2, 0], [0, 3, 1]]))
    expected = np.zeros((6, 5))
    expected[1, 0], expected[1, 2], expected[4, 2], expected[4, 3] = 2, -4, 6, 2  # a pair moves twice
    assert array.weights() / 0.001 == pytest.approx(expected, abs=1e-9)
    assert array.cells.pulses.reshape(array.shape)[:, 0, 1, 2].tolist() == [2, 2]
    assert array.cells.pulses.sum() == 14


def test_time_passes_only_where_it_is_asked_to() -> None:
    array = programmed(MAPPINGS[1])
    fresh, x = array.weights(), np.full(40, 15)
    before = array.mvm(x).codes
    array.rest(1.0)
    assert array.weights() == pytest.approx(-0.1 + (fresh + 0.1) / 2)
    assert (array.mvm(x).codes != before).any()
    array.written()
    assert (array.weights() == fresh).all() and (array.mvm(x).codes == before).all()


@pytest.mark.parametrize(
    ("made", "told"),
    [
        (lambda: Mapping("pear"), "did you mean 'pair'"),  # type: ignore[arg-type]
        (lambda: Mapping("pair", -0.1), "weight_per_range"),
        (lambda: Mapping("pair", float("nan")), "weight_per_range"),
        (lambda: Mapping("pair", reference=0.5), "a pair needs none"),
        (lambda: Mapping("pair", slices=8, bits_per_cell=2), "16 bits a weight"),
        (lambda: Crossbar(PlainCells(states=8), Mapping("pair", 0.1, 2, 4), OPEN, 2, 2), "need 16 states.*about 8"),
        (lambda: Crossbar(PlainCells(), Mapping("pair"), replace(OPEN, tile_columns=1), 2, 2), "tile_columns"),
        (lambda: Crossbar(PlainCells(), Mapping("pair"), OPEN, 0, 2), "rows"),
        (lambda: programmed(MAPPINGS[0]).program(np.full((40, 11), 0.3)), "0.3.*holds -0.1 to 0.1.*at least 0.3"),
        (lambda: programmed(MAPPINGS[2]).program(np.full((40, 11), -0.1)), "holds -0.05 to 0.15.*at least 0.4"),
        (lambda: programmed(MAPPINGS[0]).program(np.full((40, 11), np.nan)), "finite"),
        (lambda: programmed(MAPPINGS[0]).program(np.zeros((11, 40))), "shape"),
        (lambda: programmed(MAPPINGS[3]).pulse(np.array([0]), np.array([0]), np.array([[1]])), "one cell per weight"),
        (lambda: programmed(MAPPINGS[0]).pulse(np.array([0]), np.array([0]), np.array([1])), "counts.*allowed: .*1, 1"),
        (lambda: programmed(MAPPINGS[0]).mvm(np.full(40, 16)), "x: 16, allowed: integers of -15 to 15"),
        (lambda: programmed(MAPPINGS[0]).mvm(np.zeros(39, dtype=int)), "x: shape.*allowed: .*40"),
        (lambda: floorplan(Crossbar(PlainWeights(drive=None), Mapping(), OPEN, 2, 2)), "no voltages and times"),
        (lambda: Crossbar(PlainWeights(drive=None), Mapping(), OPEN, 2, 2).conductances(), "no conductance range"),
    ],
)
def test_what_cannot_be_is_refused(made: Any, told: str) -> None:
    with pytest.raises(DeviceError, match=told):
        made()


def test_energies_of_one_cell_by_hand() -> None:
    assert pulse_energy_j(2.0, 1e-6, 3e-6, 50e-9) == near(4 * 2e-6 * 50e-9)
    assert pulse_energy_j(-2.0, 1e-6, 3e-6, 50e-9, 3) == near(3 * 4 * 2e-6 * 50e-9)
    # Ag:a-Si (Jo 2010), first pulse up: 3.2 V, 300 us, from 1/(26 MOhm x 12.5) to 3.912983 nS
    assert pulse_energy_j(3.2, 1 / (26e6 * 12.5), 3.912983e-9, 300e-6) == near(1.073650e-11, rel=1e-6)
    assert half_selected_energy_j(2.0, 1e-6, 50e-9) == near(5e-14)
    assert read_energy_j(0.5, 1e-5, 5e-9) == near(1.25e-14)
    volts, g = np.array([0.5, 0.0, 0.25]), np.array([[1e-6, 2e-6], [5e-6, 5e-6], [4e-6, 0.0]])
    assert array_read_energy_j(volts, g, 1e-8) == near((0.25 * 3e-6 + 0.0625 * 4e-6) * 1e-8)


@pytest.mark.parametrize("mapping", MAPPINGS)
def test_a_read_adds_up_by_hand(mapping: Mapping) -> None:
    array = programmed(mapping)
    x = np.zeros(40, dtype=int)
    x[[0, 7, 39]] = [15, 3, 5]
    cost = read_cost(array, x)
    volts = x / 15 * 0.5
    outputs = 8 // mapping.planes
    column_tiles = -(-11 // outputs) * mapping.slices
    g = array.conductances().sum(axis=(0, 1, 3))
    if mapping.scheme == "offset":
        g = g + column_tiles * (G_MIN + mapping.reference_of(array.model) * SPAN)
    assert cost.cells_j == near(float((volts**2 * g).sum()) * 5e-9)
    assert cost.dac_j == near(3 * column_tiles * OPEN.dac.energy_j)
    conversions = 11 * mapping.slices * 3
    assert cost.conversions == conversions
    assert cost.adc_j == near(conversions * OPEN.adc.energy_j)
    assert cost.sense_j == near(conversions * Sense(32).sample_j)
    assert cost.adders_j == near((conversions - 11) * load("cmos_45nm", 32).add_j(24))
    line_f = (outputs * mapping.planes + (mapping.scheme == "offset")) * 0.2e-9 * 128e-9
    assert cost.drivers_j == near(column_tiles * line_f * float((volts**2).sum()))
    assert cost.seconds == near(8e-9 + 5e-9 + outputs * 1e-8)
    parts = (cost.cells_j, cost.drivers_j, cost.dac_j, cost.sense_j, cost.adc_j, cost.adders_j)
    assert cost.total_j == near(sum(parts)) and min(parts) > 0


def test_a_batch_costs_what_its_reads_cost_and_silence_only_converts() -> None:
    array = programmed(MAPPINGS[0])
    x = np.random.default_rng(0).integers(0, 16, (4, 40))
    assert read_cost(array, x).total_j == near(sum(read_cost(array, one).total_j for one in x))
    assert read_cost(array, x).seconds == near(4 * read_cost(array, x[0]).seconds)
    silent = read_cost(array, np.zeros(40, dtype=int))
    assert silent.cells_j == silent.dac_j == silent.drivers_j == 0 < silent.adc_j


@pytest.mark.parametrize("selector", ["transistor", "half_voltage"])
def test_pulses_add_up_by_hand(selector: Any) -> None:
    array = Crossbar(PlainCells(states=10), Mapping("offset", 0.1), replace(OPEN, selector=selector), 20, 6)
    array.program(np.zeros((20, 6)))
    middle, step = (G_MIN + G_MAX) / 2, 1e-6
    cost = pulsed(array, np.array([2, 5]), np.array([1, 3, 4]), np.array([[2, -1, 0], [1, 1, 0]]))
    assert (cost.up, cost.down) == (4, 1)
    up = 2 * 4 * (middle + step) * 50e-9 + 2 * (4 * (middle + step / 2) * 50e-9) + 4 * 4e-15
    down = 2.25 * (middle - step / 2) * 100e-9 + 2.25e-15
    assert cost.cells_j == near(up + down)
    assert cost.seconds == near((2 + 1) * 50e-9 + 1 * 100e-9), "row by row: two slots and one up, one down"
    plan = floorplan(array)
    assert (plan.tile_rows, plan.tile_columns, plan.column_tiles, plan.row_tiles) == (16, 7, 1, 2)
    rows, columns = plan.drivers.row_j, plan.drivers.column_j
    assert cost.drivers_j == near(3 * rows(2.0) + rows(1.5) + 4 * columns(2.0) + columns(1.5))
    half = (3 * 7 - 4 + 4 * 15, 1 * 7 - 1 + 1 * 15) if selector == "half_voltage" else (0, 0)
    assert cost.half_selected == sum(half)
    mean = array.conductances().mean()
    up, down = 1.0 * (mean * 50e-9 + 1e-15), 0.5625 * (mean * 100e-9 + 1e-15)
    assert cost.half_selected_j == near(half[0] * up + half[1] * down)
    decode = plan.drivers.decode_j(20) * 4 + plan.drivers.decode_j(6) * 5
    assert cost.decoders_j == near(decode)


@pytest.mark.parametrize("selector", ["transistor", "half_voltage"])
def test_a_gate_is_charged_and_carries_no_current(selector: Any) -> None:
    """As the pulses above, of a cell whose gate is written: V^2 C, whatever the conductance and the width."""
    drive = replace(DRIVE, write_current=False, capacitance_f=0.25e-15)
    model = PlainCells(states=10, drive=drive)
    array = Crossbar(model, Mapping("offset", 0.1), replace(OPEN, selector=selector), 20, 6)
    array.program(np.zeros((20, 6)))
    cost = pulsed(array, np.array([2, 5]), np.array([1, 3, 4]), np.array([[2, -1, 0], [1, 1, 0]]))
    assert cost.cells_j == near((4 * 4 + 1 * 2.25) * 0.25e-15)
    half = (3 * 7 - 4 + 4 * 15, 1 * 7 - 1 + 1 * 15) if selector == "half_voltage" else (0, 0)
    assert cost.half_selected_j == near((half[0] * 1.0 + half[1] * 0.5625) * 0.25e-15)
    assert write_energy_j(drive, drive.up, 1e-6, 2e-6, 3) == near(3 * 4 * 0.25e-15)
    assert write_energy_j(DRIVE, DRIVE.up, 1e-6, 2e-6, 3) == near(3 * 4 * (1.5e-6 * 50e-9 + 1e-15))


def test_verify_is_a_read_and_a_decision() -> None:
    array = programmed(MAPPINGS[0])
    joules, seconds = verify_cost(array, 4e-6)
    plan = floorplan(array)
    assert joules == near(0.25 * 4e-6 * 5e-9 + Sense(32).decision_j + plan.drivers.row_j(0.5))
    assert seconds == near(5e-9 + plan.sense.decision_s)


def test_area_is_itemised_and_adds_up() -> None:
    array = programmed(MAPPINGS[0])
    silicon, tiles = area(array), 3 * 3  # 40 rows in tiles of 16, 11 outputs in tiles of 4 pairs
    assert silicon.cells == near(tiles * 16 * 8 * 16 * (32e-6) ** 2)
    assert silicon.adc == near(tiles * OPEN.adc.area_mm2)
    assert silicon.dac == near(tiles * 16 * OPEN.dac.area_mm2)
    assert silicon.sense == near(tiles * 4 * Sense(32).area_mm2)
    parts = (silicon.cells, silicon.adc, silicon.dac, silicon.sense, silicon.drivers, silicon.decoders)
    assert silicon.total == near(sum(parts)) and min(parts) > 0
    assert leakage_w(array) > 0
    shared = programmed(MAPPINGS[0], replace(OPEN, columns_per_adc=1))
    assert area(shared).adc == near(4 * silicon.adc)
    x = np.ones(40, dtype=int)
    assert read_cost(shared, x).seconds < read_cost(array, x).seconds
    assert read_cost(shared, x).adc_j == read_cost(array, x).adc_j
