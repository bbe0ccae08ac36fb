"""Chips on analog cells against plain Python: reading, programming, whole chips, and the laws of their state.

`tests.oracle_cells` computes what cells without chance must do, integer for integer; what noise must be like is told by
statistics.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgesdt.ablation import switches
from edgesdt.chip import Chip
from edgesdt.crossbar import layout
from edgesdt.crossbar.bank import Crossbar
from edgesdt.crossbar.programming import MOST_PULSES, list_pulses
from edgesdt.crossbar.sensing import sense
from edgesdt.crossbar.stream import update_of
from edgesdt.kernels.layout import ACCUMULATOR_SATURATIONS, BANK_STEPS, PAIRS
from edgesdt.rules import eqprop_cells
from edgesdt.rules.eqprop_cells import EqPropOnCells
from hw_models import catalog
from hw_models.mapping import Mapping
from hw_models.periphery.dac import requantise
from hw_models.periphery.ir_drop import exact_currents
from tests.cell_chips import (
    assert_twins,
    by_place,
    call,
    cell_of,
    learn,
    named_tally,
    place,
    spread_out,
    tally_of,
    trained,
    twins,
    without_chance,
)
from tests.oracle_cells import OracleCellChip, Reading, dac_codes
from tests.oracle_numbers import clamped
from tests.small_chips import flat, random_samples, spec_of

SEEDS = st.integers(0, 2**32 - 1)
MAPPINGS = ["offset", "pair"]
TIMID = {"chip.weights.init_gain": 0.001}
"""First weights so small that cells of any weight range hold them."""
PLAIN = {
    **without_chance("Idealized"), **TIMID, "learning.learning_rate": 0.05, "learning.dropout.input": 0.0,
}  # fmt: skip
"""Cells of equal steps without chance: 10,000 from one end to the other."""
WIRES = {"device.array.wire_resistance": 20.0, "device.array.tile_columns": 7}
"""Wires that take a tenth and more from cells of 20 kOhm to 1.3 kOhm, in tiles that the columns do not fill."""
quick = settings(max_examples=30, deadline=None, derandomize=True)


def pick(*values: Any) -> Any:
    return st.sampled_from(values)


# --- reading

READINGS = st.fixed_dictionaries(
    {
        "device.array.mapping": pick(*MAPPINGS),
        "device.array.weight_per_range": pick(0.01, 0.1, 0.37, 3.0),
        "device.array.tile_rows": pick(1, 2, 5, 8, 9, 256),
        "device.array.adc_bits": pick(2, 5, 9, 12, 16),
        "device.array.adc_range": pick(2.0**-10, 0.125, 1.0, 8.0),
        "device.array.dac_bits": pick(1, 2, 3, 7, 8),
        "encoder.bits": pick(1, 3, 4, 8),
        "chip.states.bits": pick(4, 8),
        "chip.accumulator.bits": pick(10, 20, 32),
        "chip.weights.frac_bits": pick(4, 9, 20),
    }
)


def oracle_of(rule: EqPropOnCells) -> OracleCellChip:
    """The oracle's chip with the cells of `rule` as they show."""
    oracle = OracleCellChip(rule.spec.plain(), cell_of(rule))
    n0, n1 = oracle.sizes
    shown = rule.crossbar.cells.visible.tolist()
    oracle.states_of_cells = [
        [[shown[place(oracle, p, i, j)] for j in range(n1)] for i in range(n0)] for p in range(oracle.reading.planes)
    ]
    return oracle


def read(rule: EqPropOnCells, inputs: npt.NDArray[np.uint8]) -> npt.NDArray[np.int32]:
    """The accumulators after one read of the array from 0."""
    rule.chip.accumulators[:] = 0
    call(rule, sense, inputs=inputs)
    return rule.chip.accumulators.copy()


@settings(max_examples=100, deadline=None, derandomize=True)
@given(seed=SEEDS, fields=READINGS, off=pick([], ["adc"], ["dac"], ["adc", "dac"]), model=pick("Idealized", "ReRamSB"))
def test_reading_equals_the_oracle(seed: int, fields: dict[str, Any], off: list[str], model: str) -> None:
    """Codes, accumulators that saturate, conversions at the end of their range, and what the read cost."""
    plain = without_chance(model) | TIMID
    rule = EqPropOnCells(spec_of([9, 7], {**plain, **fields, "device.off": plain["device.off"] + off}))
    spread_out(rule, seed)
    oracle = oracle_of(rule)
    for x in random_samples(rule.spec, seed, 3)[0]:
        oracle.accumulators, oracle.inputs = [[], [0] * 7], x.tolist()
        oracle.reading.count(oracle.inputs, oracle.shares())
        for j, addend in oracle.reading.codes(oracle.inputs, oracle.codes()):
            oracle.accumulate(1, j, addend)
        assert read(rule, x).tolist() == oracle.accumulators[1]
    assert named_tally(rule.crossbar.bank.tally) == oracle.reading.tally
    saturated = oracle.events["accumulator_saturations"]
    assert rule.work.events[ACCUMULATOR_SATURATIONS].tolist() == saturated


@quick
@given(seed=SEEDS, mapping=pick(*MAPPINGS), adc_range=pick(4.0, 8.0), tile_rows=pick(4, 256), bits=pick(4, 8))
def test_a_read_is_the_drive_that_the_weights_make(
    seed: int, mapping: str, adc_range: float, tile_rows: int, bits: int
) -> None:
    """In physical units: within half a step of every converter, and half a code of every cell, of Σ x w."""
    rule = EqPropOnCells(
        spec_of(
            [20, 12],
            {
                **PLAIN, "device.array.mapping": mapping, "device.array.adc_range": adc_range, "encoder.bits": bits,
                "device.array.tile_rows": tile_rows, "device.array.weight_per_range": 0.3,
                "chip.weights.frac_bits": 12,
            },
        )
    )  # fmt: skip
    spread_out(rule, seed, beyond=0.0)
    bank, model = rule.crossbar.bank, rule.crossbar.model
    shares = (rule.crossbar.cells.visible.astype(np.float64) - bank.low) / bank.span
    weights = rule.crossbar.mapping.weights(shares.reshape(bank.planes, 1, 12, 20).transpose(0, 1, 3, 2), model)
    inputs = random_samples(rule.spec, seed, 1)[0][0]
    x = inputs / 2.0**bits
    frac = rule.plan.drive_right + rule.spec.chip.states.bits
    tiles = math.ceil(20 / tile_rows)
    slack = tiles * adc_range / 2**9 + float(x.sum()) * 0.3 / bank.one
    drive = read(rule, inputs) / 2.0**frac
    assert np.abs(drive - x @ weights).max() <= slack
    assert np.abs(drive).max() > slack, "nothing was read"


def test_codes_of_a_coarse_input_converter() -> None:
    assert dac_codes(4, 1) == [0] * 8 + [15] * 8
    assert dac_codes(4, 2) == [0, 0, 0, 5, 5, 5, 5, 5, 10, 10, 10, 10, 10, 15, 15, 15]
    for bits in range(1, 9):
        for dac_bits in range(1, 9):
            assert requantise(np.arange(2**bits), bits, dac_bits).tolist() == dac_codes(bits, dac_bits)


def test_a_row_that_its_converter_leaves_at_rest_is_not_driven() -> None:
    rule = EqPropOnCells(spec_of([4, 3], {**PLAIN, "encoder.bits": 4, "device.array.dac_bits": 1}))
    read(rule, np.array([0, 1, 7, 15], np.uint8))
    assert rule.crossbar.bank.tally[layout.ROW_DRIVES] == 1
    assert rule.crossbar.bank.tally[layout.READ_BASE] == 15 * 15 * 3


@pytest.mark.parametrize("adc_bits", [6, 9, 16])
@pytest.mark.parametrize("off", [[], ["adc"]])
def test_the_range_of_a_converter_is_what_the_spec_says(adc_bits: int, off: list[str]) -> None:
    """Also where its step is finer than the accumulator's LSB; switched off it clips nothing."""
    fields = {
        **PLAIN, "device.array.adc_bits": adc_bits, "device.array.adc_range": 0.125, "chip.weights.frac_bits": 4,
        "chip.biases.frac_bits": 4, "device.array.weight_per_range": 4.0, "device.off": [*PLAIN["device.off"], *off],
    }  # fmt: skip
    rule = EqPropOnCells(spec_of([5, 4], fields))
    frac = rule.plan.drive_right + 8
    assert frac == 12
    for end in (1.0, -1.0):
        rule.crossbar.cells.visible[:] = end
        rule.crossbar.show(rule.chip.weights, rule.crossbar.cells.visible)
        drive = read(rule, np.full(5, 200, np.uint8)) / 2.0**frac
        true = end * 2.0 * 5 * 200 / 256
        assert np.abs(drive - (true if off else end * 0.125)).max() <= max(2.0 ** (-2 - adc_bits), 2.0**-frac)
    assert rule.crossbar.bank.tally[layout.CLIPPED] == (0 if off else 8)


# --- noise

NOISY = {**without_chance("Idealized"), **TIMID, "chip.weights.frac_bits": 16, "device.array.weight_per_range": 0.05}
"""Accumulators with an LSB of 2^-24 of a drive: rounding is nothing beside the noise."""


def noise_of(rule: EqPropOnCells, inputs: npt.NDArray[np.uint8], reads: int) -> npt.NDArray[np.float64]:
    """(reads, columns) what noise adds to the drive."""
    quiet = rule.crossbar.sensing._replace(output_sd=0.0, read_noise=layout.NO_NOISE, own_noise=False)
    rule.chip.accumulators[:] = 0
    call(rule, sense, inputs=inputs, sensing=quiet)
    still = rule.chip.accumulators.astype(np.int64)
    frac = rule.plan.drive_right + rule.spec.chip.states.bits
    return np.array([read(rule, inputs).astype(np.int64) - still for _ in range(reads)]) / 2.0**frac


def weights_of(rule: EqPropOnCells) -> npt.NDArray[np.float64]:
    """Weights (rows, columns) as the codes have them."""
    lsb = rule.spec.device.array.weight_per_range / rule.crossbar.bank.one
    return rule.weights(0).astype(np.float64) * lsb


def assert_noise(found: npt.NDArray[np.float64], sd: npt.NDArray[np.float64] | float) -> None:
    """Gaussian around 0 of the given deviation per column, apart from column to column and from read to read."""
    scaled = found / sd
    count = scaled.size
    assert abs(scaled.mean()) < 4 / math.sqrt(count)
    assert scaled.std() == pytest.approx(1.0, rel=0.03)
    assert np.mean(np.abs(scaled) < 1) == pytest.approx(0.6827, abs=0.02)
    assert np.mean(np.abs(scaled) > 3) == pytest.approx(0.0027, abs=0.002)
    neighbours = np.mean(scaled[:, 1:] * scaled[:, :-1])
    repeats = np.mean(scaled[1:] * scaled[:-1])
    assert abs(neighbours) < 4 / math.sqrt(count) and abs(repeats) < 4 / math.sqrt(count)


@pytest.mark.parametrize("mapping", MAPPINGS)
@pytest.mark.parametrize("kind", ["additive", "proportional"])
@pytest.mark.parametrize("tile_rows", [256, 2])
def test_read_noise_is_that_of_all_cells_of_a_column(mapping: str, kind: str, tile_rows: int) -> None:
    """As if every cell had its own: variances add over driven rows, over tiles, and over the cells of a pair."""
    sd = 0.05
    fields = {
        **NOISY, "device.array.mapping": mapping, "device.array.read_noise": kind, "device.array.read_noise_sd": sd,
        "device.array.tile_rows": tile_rows, "device.off": [*NOISY["device.off"], "adc"],
    }  # fmt: skip
    rule = EqPropOnCells(spec_of([5, 400], fields))
    spread_out(rule, 3, beyond=0.0)
    inputs = np.array([255, 0, 128, 7, 64], np.uint8)
    x = inputs / 256.0
    if kind == "additive":
        planes = 2 if mapping == "pair" else 1
        expected: Any = sd * 0.05 * math.sqrt(planes * float((x**2).sum()))
    else:
        expected = sd * np.sqrt((x**2) @ weights_of(rule) ** 2)
    assert_noise(noise_of(rule, inputs, 60), expected)


OWN_NOISE: dict[str, dict[str, Any]] = {
    "proportional": {"device.model": "Ag_aSi", "device.parameters": {"read_noise": 0.04}},
    "by level": {"device.model": "quantized_4bit", "device.parameters": {"read_noise": 0.3}},
    "by a curve": {"device.model": "SONOS"},
    "inside a wrapper": {
        "device.model": "Ag_aSi", "device.parameters": {"read_noise": 0.04, "endurance": {"limit_pulses": 1e6}},
    },
}  # fmt: skip


@pytest.mark.parametrize("mapping", MAPPINGS)
@pytest.mark.parametrize("device", OWN_NOISE.values(), ids=OWN_NOISE)
@pytest.mark.parametrize("tile_rows", [256, 2])
def test_noise_of_the_model_itself_is_that_of_its_cells(tile_rows: int, device: dict[str, Any], mapping: str) -> None:
    """As many draws of the model's own `read` have it: that of every cell, in quadrature."""
    rule = EqPropOnCells(
        spec_of(
            [5, 400],
            {
                **TIMID, **device, "chip.weights.frac_bits": 16, "device.array.weight_per_range": 0.05,
                "device.array.mapping": mapping, "device.array.tile_rows": tile_rows, "device.off": ["adc"],
            },
        )
    )  # fmt: skip
    spread_out(rule, 3, beyond=0.0)
    bank, model, cells = rule.crossbar.bank, rule.crossbar.model, rule.crossbar.cells
    draws = np.array([model.read(cells, 0.0, seed) for seed in range(900)], dtype=np.float64)
    of_cells = (draws.std(axis=0) / bank.span * 0.05).reshape(bank.planes, 400, 5)
    assert of_cells.max() > 0
    inputs = np.array([255, 0, 128, 7, 64], np.uint8)
    expected = np.sqrt((of_cells**2).sum(axis=0) @ (inputs / 256.0) ** 2)
    found = noise_of(rule, inputs, 300)
    assert np.allclose(found.std(axis=0) / expected, 1.0, atol=0.3), "some column has another noise"
    assert_noise(found, expected)


@pytest.mark.parametrize("mapping", MAPPINGS)
@pytest.mark.parametrize("programming", ["pulses", "verify"])
@pytest.mark.parametrize("device", OWN_NOISE.values(), ids=OWN_NOISE)
def test_noise_of_the_model_follows_what_is_written(device: dict[str, Any], programming: str, mapping: str) -> None:
    """After many updates: as a look at all cells finds it."""
    fields = {
        **device, "device.array.mapping": mapping, "device.array.programming": programming,
        "learning.learning_rate": 0.1,
    }  # fmt: skip
    rule = trained([20, 12], fields, count=25)
    kept = rule.crossbar.bank.noise.copy()
    assert kept.any() and rule.crossbar.cells.pulses.sum() > 100
    rule.crossbar.show(rule.chip.weights, rule.crossbar.cells.visible)
    assert np.array_equal(rule.crossbar.bank.noise, kept)


def test_noise_of_the_model_is_a_switch_of_its_own_and_is_drawn_once_at_rest() -> None:
    """Off it is silent, beside the array's noise both are; a look at the rested cells does not freeze a draw of it."""
    noisy = {**OWN_NOISE["proportional"], "device.array.mapping": "pair"}
    on, off = (EqPropOnCells(spec_of([5, 7], {**noisy, "device.off": switched})) for switched in ([], ["read_noise"]))
    assert on.crossbar.sensing.own_noise and not off.crossbar.sensing.own_noise
    assert np.array_equal(on.crossbar.rested(10.0), on.crossbar.cells.visible)
    both = spec_of([5, 7], {**noisy, "device.array.read_noise": "additive", "device.array.read_noise_sd": 0.1})
    assert switches(both).count("read_noise") == 1
    plain = both.plain()
    plain["device"]["off"] = ["read_noise"]
    silent = EqPropOnCells(type(both).from_plain(plain)).crossbar.sensing
    assert (silent.own_noise, silent.read_noise) == (False, layout.NO_NOISE)


@pytest.mark.parametrize("off", [[], ["adc"]])
def test_noise_of_a_converter_is_in_its_own_steps(off: list[str]) -> None:
    """The same in volts whether its steps are there or not: one non-ideality is switched off alone."""
    fields = {
        **NOISY, "device.array.output_noise": 60.0, "device.array.adc_bits": 14, "device.array.adc_range": 4.0,
        "device.off": [*NOISY["device.off"], *off],
    }  # fmt: skip
    rule = EqPropOnCells(spec_of([5, 400], fields))
    step = 4.0 / 2**13
    found = noise_of(rule, np.array([255, 0, 128, 7, 64], np.uint8), 60)
    assert_noise(found, 60.0 * step)


def test_noises_add_up() -> None:
    fields = {
        **NOISY, "device.array.output_noise": 3.0, "device.array.adc_bits": 16, "device.array.read_noise": "additive",
        "device.array.read_noise_sd": 0.002, "device.array.tile_rows": 3,
    }  # fmt: skip
    rule = EqPropOnCells(spec_of([5, 400], fields))
    inputs = np.array([255, 10, 128, 7, 64], np.uint8)
    cells = 0.002 * 0.05 * math.sqrt(float(((inputs / 256.0) ** 2).sum()))
    converters = math.sqrt(2) * 3.0 * 2.0**-15
    assert 0.3 < cells / converters < 3
    assert_noise(noise_of(rule, inputs, 60), math.hypot(cells, converters))


@pytest.mark.parametrize(
    "fields",
    [
        {"device.array.read_noise": "additive", "device.array.read_noise_sd": 0.0},
        {"device.array.read_noise": "none", "device.array.read_noise_sd": 0.5},
        {"device.array.read_noise": "proportional", "device.array.read_noise_sd": 0.5, "device.off": ["read_noise"]},
        {"device.array.output_noise": 2.0, "device.off": ["output_noise"]},
    ],
)
def test_without_noise_a_read_is_exact(fields: dict[str, Any]) -> None:
    more = {**fields, "device.off": [*PLAIN["device.off"], *fields.get("device.off", [])]}
    plain, rule = (trained([9, 7], {**PLAIN, **extra}) for extra in ({}, more))
    assert rule.chip.accumulators.tolist() == plain.chip.accumulators.tolist()
    assert rule.crossbar.cells.state.tolist() == plain.crossbar.cells.state.tolist()
    assert tally_of(rule) == tally_of(plain)
    assert rule.crossbar.bank.reading[1] == 0, "noise was drawn"


# --- programming

PROGRAMS = st.fixed_dictionaries(
    {
        "device.array.mapping": pick(*MAPPINGS),
        "device.array.programming": pick("pulses", "coincidence", "verify"),
        "device.array.weight_per_range": pick(0.02, 0.1, 5.0),
        "device.array.train_length": pick(1, 2, 17, 31, 32),
        "encoder.bits": pick(1, 4, 8),
        "chip.states.bits": pick(4, 8, 16),
        "chip.constants.bits": pick(2, 8, 10),
        "chip.random.lanes": pick(1, 4, 32),
        "learning.learning_rate": pick(1e-6, 0.01, 0.2, 1.0),
        "learning.beta": pick(0.01, 0.5, 2.0),
        "learning.homeostasis.frac_bits": st.just(16),
    }
)


def random_phases(rule: EqPropOnCells, seed: int) -> dict[str, Any]:
    """Inputs and the ends of two phases: many silent, many the same in both, some at full scale."""
    rng, n, top = np.random.default_rng(seed), len(rule.chip.states), rule.plan.state_limit
    ends = []
    for _ in range(2):
        codes = np.where(rng.random(n) < 0.4, 0, rng.integers(0, top + 1, n))
        ends.append(np.where(rng.random(n) < 0.1, top, codes).astype(np.int32))
    ends[1] = np.where(rng.random(n) < 0.3, ends[0], ends[1]).astype(np.int32)
    return {"inputs": random_samples(rule.spec, seed, 1)[0][0], "plus": ends[0], "minus": ends[1]}


def listed(rule: EqPropOnCells, phases: dict[str, Any]) -> list[tuple[int, int]]:
    """(cell, pulses) of the update between two phases."""
    count = call(rule, list_pulses, **phases)
    bank = rule.crossbar.bank
    return list(zip(bank.places[:count].tolist(), bank.counts[:count].tolist(), strict=True))


@settings(max_examples=120, deadline=None, derandomize=True)
@given(seed=SEEDS, fields=PROGRAMS, layers=pick([9, 7], [20, 12], [1, 2], [40, 3]))
def test_listed_pulses_equal_the_oracle(seed: int, fields: dict[str, Any], layers: list[int]) -> None:
    """The same random words in the same order, whatever the rounding, and the opposite for the other of a pair."""
    rule, oracle = twins(spec_of(layers, {**PLAIN, **fields, "seed": seed}))
    phases = random_phases(rule, seed)
    oracle.inputs = phases["inputs"].tolist()
    plus, minus = [[], phases["plus"].tolist()], [[], phases["minus"].tolist()]
    expected = [(place(oracle, p, i, j), c) for p, i, j, c in oracle.changes(plus, minus)]
    assert listed(rule, phases) == expected
    assert named_tally(rule.crossbar.bank.tally) == oracle.reading.tally
    assert rule.chip.random.tolist() == oracle.bank.lanes
    assert rule.work.events[BANK_STEPS, 0] == oracle.bank.steps
    assert rule.work.events[PAIRS, 0] == oracle.events["pairs"][0]
    assert rule.crossbar.cells.pulses.sum() == 0, "listing pulses nothing"
    if rule.crossbar.bank.planes == 2:
        synapses = layers[0] * layers[1]
        plus_cells = {cell: count for cell, count in expected if cell < synapses}
        assert {cell - synapses: -count for cell, count in expected if cell >= synapses} == plus_cells


def test_no_cell_is_listed_for_a_neuron_that_did_not_move() -> None:
    rule = EqPropOnCells(spec_of([9, 7], PLAIN))
    codes = np.full(7, 40, np.int32)
    assert listed(rule, {"inputs": np.full(9, 255, np.uint8), "plus": codes, "minus": codes.copy()}) == []
    moved = codes.copy()
    moved[2] = 90
    cells = listed(rule, {"inputs": np.full(9, 255, np.uint8), "plus": moved, "minus": codes})
    assert [cell // 9 for cell, _ in cells] == [2] * 9
    assert listed(rule, {"inputs": np.zeros(9, np.uint8), "plus": moved, "minus": codes}) == []


def test_a_cell_gets_no_more_pulses_than_stated() -> None:
    fields = {
        **PLAIN, "learning.learning_rate": 1.0, "learning.beta": 1e-3, "chip.weights.init_gain": 0.0,
        "device.array.weight_per_range": 1e-4,
    }  # fmt: skip
    rule = EqPropOnCells(spec_of([2, 2], fields))
    ends = {"plus": np.array([255, 0], np.int32), "minus": np.array([0, 255], np.int32)}
    cells = listed(rule, {"inputs": np.full(2, 255, np.uint8), **ends})
    assert [count for _, count in cells] == [MOST_PULSES] * 2 + [-MOST_PULSES] * 2


@pytest.mark.parametrize("mapping", MAPPINGS)
@pytest.mark.parametrize("programming", ["pulses", "coincidence"])
def test_the_mean_update_is_the_contrast_times_the_rate(mapping: str, programming: str) -> None:
    """Over many draws: `lr/β · x · (s⁺ − s⁻)` over the weight of a pulse; a train never gives more than its length."""
    fields = {
        **PLAIN, "device.array.mapping": mapping, "device.array.programming": programming,
        "learning.learning_rate": 0.004, "learning.beta": 0.5, "device.array.train_length": 31, "encoder.bits": 8,
    }  # fmt: skip
    rule = EqPropOnCells(spec_of([6, 4], fields))
    x = np.array([255, 0, 128, 30, 200, 77], np.uint8)
    plus, minus = np.array([200, 10, 50, 9], np.int32), np.array([100, 30, 50, 250], np.int32)
    total, squares, draws = np.zeros((2, 4, 6)), np.zeros((2, 4, 6)), 500
    for _ in range(draws):
        counts = np.zeros(len(rule.crossbar.cells.state))
        for cell, count in listed(rule, {"inputs": x, "plus": plus, "minus": minus}):
            counts[cell] += count
        assert programming == "pulses" or np.abs(counts).max() <= 31
        planes = np.resize(counts, (2, 4, 6)) if mapping == "pair" else np.stack([counts.reshape(4, 6)] * 2)
        total += planes
        squares += planes**2
    mean = total / draws
    # a pulse moves a cell by 0.0002 of a range of 2 that stands for a weight of 0.1: both cells of a pair by as much
    pulse = 0.1 * 0.0002 / 2.0 * (2 if mapping == "pair" else 1)
    exact = 0.004 / 0.5 / pulse * np.outer((plus - minus) / 256.0, x / 256.0)
    if programming == "coincidence":
        chance = np.minimum(np.abs(plus - minus) / 256.0 * (0.004 / 0.5 / pulse) / 31, 1.0)
        exact = np.sign(plus - minus)[:, None] * 31 * np.outer(chance, x / 256.0)
    error = np.sqrt(np.maximum(squares / draws - mean**2, 0) / draws)
    assert (np.abs(mean[0] - exact) <= 5 * error[0] + 0.006 * np.abs(exact) + 1e-12).all()
    assert np.array_equal(mean[1], -mean[0] if mapping == "pair" else mean[0])
    assert (mean[0][:, 1] == 0).all() and (mean[0][2] == 0).all()


@pytest.mark.parametrize("mapping", MAPPINGS)
@pytest.mark.parametrize("model", ["Idealized", "ReRamSB"])
def test_verified_cells_end_where_they_are_wanted(mapping: str, model: str) -> None:
    """Without noise: within half a nominal step of the state asked for, or of the end of the range beyond it.

    Soft bounds are only crept up to: near them, nearer than before is enough.
    """
    fields = {
        **without_chance(model), "device.array.programming": "verify", "device.array.mapping": mapping,
        "device.array.verify_rounds": 100, "learning.learning_rate": 0.05, "device.array.weight_per_range": 2.0,
    }  # fmt: skip
    rule = EqPropOnCells(spec_of([9, 7], fields))
    bank, cells = rule.crossbar.bank, rule.crossbar.cells
    inner = 0
    for x, label in zip(*random_samples(rule.spec, 5, 12), strict=True):
        before, pulsed = cells.visible.copy(), cells.pulses.copy()
        bank.counts[:], bank.places[:] = 0, -1
        twin = EqPropOnCells(rule.spec)
        twin.restore(rule.state())
        asked = dict(requested(twin, x, label))
        learn(rule, x[None], np.array([label]))
        for cell, count in asked.items():
            wanted = min(max(before[cell] + count * bank.step, bank.low), bank.low + bank.span)
            missed, share = abs(cells.visible[cell] - wanted), (wanted - bank.low) / bank.span
            if model == "Idealized" or 0.1 < share < 0.9:
                assert missed <= 0.5 * bank.step * 1.001 + 1e-6
            else:
                assert missed < abs(before[cell] - wanted) or missed <= bank.step
            inner += 0.1 < share < 0.9
        rest = np.setdiff1d(np.arange(len(before)), list(asked))
        assert np.array_equal(cells.visible[rest], before[rest])
        assert np.array_equal(cells.pulses[rest], pulsed[rest])
    assert inner > 30


def requested(rule: EqPropOnCells, x: npt.NDArray[np.uint8], label: int) -> list[tuple[int, int]]:
    """(cell, pulses) that the update of a sample asks for; `rule` is moved on."""
    count = call(
        rule, update_of, sample=x, label=np.int64(label), rates=eqprop_cells.pulse_rates(rule.spec, 0)
    )  # fmt: skip
    bank = rule.crossbar.bank
    return list(zip(bank.places[:count].tolist(), bank.counts[:count].tolist(), strict=True))


def test_a_cell_at_its_end_is_not_pulsed_again_and_again() -> None:
    """Asked beyond the range, write-verify stops where the cell does."""
    fields = {
        **PLAIN, "device.array.programming": "verify", "learning.learning_rate": 1.0,
    }  # fmt: skip
    once = trained([5, 4], {**fields, "device.array.verify_rounds": 1}, count=3)
    often = trained([5, 4], {**fields, "device.array.verify_rounds": 50}, count=3)
    assert often.crossbar.cells.state.tolist() == once.crossbar.cells.state.tolist()
    assert np.abs(often.crossbar.cells.state).max() == 1.0
    assert often.crossbar.cells.pulses.max() <= 3 * 10_000
    assert tally_of(often)["pulses_up"] == tally_of(once)["pulses_up"]


def test_verify_comes_nearer_than_pulses_on_noisy_cells() -> None:
    """What it is for: state-dependent noisy steps, yet the weights end where they are wanted."""
    missed = {}
    for rounds in (1, 20):
        rule = EqPropOnCells(
            spec_of(
                [20, 12],
                {
                    "device.model": "EcRam", "device.array.programming": "verify", "learning.learning_rate": 0.3,
                    "device.array.verify_rounds": rounds,
                },
            )
        )  # fmt: skip
        twin = EqPropOnCells(rule.spec)
        x, labels = random_samples(rule.spec, 2, 1)
        before = rule.crossbar.cells.visible.copy()
        asked = requested(twin, x[0], labels[0])
        learn(rule, x, labels)
        bank, visible = rule.crossbar.bank, rule.crossbar.cells.visible
        aims = {cell: clamped(before[cell] + n * bank.step, bank.low, bank.low + bank.span) for cell, n in asked}
        off = [abs(visible[cell] - aim) for cell, aim in aims.items()]
        assert len(off) > 10
        missed[rounds] = float(np.mean(off)) / bank.step
    assert missed[20] < 0.8 < missed[1]


# --- what cells show, as codes


@quick
@given(
    seed=SEEDS,
    mapping=pick(*MAPPINGS),
    model=pick("Idealized", "ReRamSB", "EcRam", "PCM", "FeFET"),
    layers=pick([9, 7], [20, 12], [300, 3]),
)
def test_weight_codes_are_the_weights_of_the_mapping(seed: int, mapping: str, model: str, layers: list[int]) -> None:
    """Within half an LSB for every quantity that is rounded: a cell, the other of its pair, the reference."""
    rule = EqPropOnCells(spec_of(layers, {"device.model": model, "device.array.mapping": mapping}))
    spread_out(rule, seed)
    bank, array, (n0, n1) = rule.crossbar.bank, rule.spec.device.array, layers
    shares = (rule.crossbar.cells.visible.astype(np.float64) - bank.low) / bank.span
    laid_out = shares.reshape(bank.planes, 1, n1, n0).transpose(0, 1, 3, 2)
    known = Mapping(array.mapping, array.weight_per_range)
    weights = known.weights(laid_out, rule.crossbar.model) * (bank.one / array.weight_per_range)
    exact = mapping == "offset" and float(known.reference_of(rule.crossbar.model) * bank.one).is_integer()
    assert np.abs(rule.weights(0) - weights).max() <= (0.5 if exact else 1.0) + 1e-6
    codes = np.floor(shares * bank.one + 0.5)
    assert np.abs(bank.shares - codes).max() == 0
    assert bank.row_sums.tolist() == bank.shares.astype(np.int64).reshape(-1, n0).sum(axis=0).tolist()
    assert bank.one == 1 << min(13, 30 - math.ceil(math.log2(n0 * 255)))


@pytest.mark.parametrize("mapping", MAPPINGS)
@pytest.mark.parametrize("programming", ["pulses", "coincidence", "verify"])
@pytest.mark.parametrize("model", ["EcRam", "ReRamES", "PCM_Joshi", "quantized_4bit"])
def test_what_is_kept_up_to_date_is_what_a_whole_look_gives(mapping: str, programming: str, model: str) -> None:
    """After many updates of listed cells: share codes, row sums and weight codes, pulsed here or by the model."""
    fields = {
        "device.model": model, "device.array.mapping": mapping, "device.array.programming": programming,
        "learning.learning_rate": 0.05,
    }  # fmt: skip
    rule = trained([20, 12], fields, count=25)
    bank = rule.crossbar.bank
    assert rule.crossbar.cells.pulses.sum() > 100
    kept = rule.chip.weights.copy(), bank.shares.copy(), bank.row_sums.copy()
    rule.crossbar.show(rule.chip.weights, rule.crossbar.cells.visible)
    assert np.array_equal(rule.chip.weights, kept[0])
    assert np.array_equal(bank.shares, kept[1])
    assert np.array_equal(bank.row_sums, kept[2])


@pytest.mark.parametrize("mapping", MAPPINGS)
@pytest.mark.parametrize("share", [-40.0, -1.5, 2.5, 40.0])
def test_a_cell_far_outside_its_range_saturates(mapping: str, share: float) -> None:
    rule = EqPropOnCells(spec_of([9, 7], {**PLAIN, "device.array.mapping": mapping}))
    bank, visible = rule.crossbar.bank, rule.crossbar.cells.visible
    visible[:] = 0.0
    visible[:7] = bank.low + bank.span * share
    rule.crossbar.show(rule.chip.weights, visible)
    assert bank.shares[0] == clamped(math.floor(share * bank.one + 0.5), -32768, 32767)
    zero = bank.one // 2
    assert rule.weights(0)[0, 0] == clamped(int(bank.shares[0]) - zero, -2 * bank.one, 2 * bank.one)


@pytest.mark.parametrize("layers", [[1, 2], [9, 7], [784, 2], [3000, 2]])
@pytest.mark.parametrize("bits", [1, 8])
def test_no_column_sum_leaves_32_bits(layers: list[int], bits: int) -> None:
    rule = EqPropOnCells(spec_of(layers, {**PLAIN, "encoder.bits": bits, "device.array.tile_rows": 65536}))
    bank = rule.crossbar.bank
    assert layers[0] * (2**bits - 1) * bank.highest < 2**31
    for code, end in ((bank.highest, 1), (-bank.highest, -1)):
        rule.chip.weights[:] = code
        read(rule, np.full(layers[0], 2**bits - 1, np.uint8))
        assert (bank.partial == end * layers[0] * (2**bits - 1) * bank.highest).all()


# --- whole chips


@st.composite
def chips(draw: st.DrawFn) -> tuple[list[int], dict[str, Any]]:
    """Layers and fields of a chip on cells without chance."""

    def one_of(*values: Any) -> Any:
        return draw(st.sampled_from(values))

    own = draw(st.booleans())
    layers = one_of([5, 4], [9, 7], [20, 12])
    model = one_of("Idealized", "GokmenVlasov", "ReRamSB")
    plain = without_chance(model)
    fields = {
        **plain,
        "device.off": plain["device.off"] + one_of([], ["adc"], ["dac"]),
        "device.array.mapping": one_of(*MAPPINGS),
        "device.array.programming": one_of("pulses", "coincidence", "verify"),
        "device.array.verify_rounds": one_of(1, 3, 8),
        "device.array.train_length": one_of(5, 31),
        **one_of(
            {"chip.weights.init_gain": 0.0, "device.array.weight_per_range": 0.05},
            {"chip.weights.init_gain": 0.5, "device.array.weight_per_range": 3.0},
            {"chip.weights.init_gain": 0.5},
            {"chip.weights.init_gain": 8.0},
        ),
        "device.array.tile_rows": one_of(3, 256),
        "device.array.adc_bits": one_of(4, 9, 12),
        "device.array.adc_range": one_of(0.25, 1.0),
        "device.array.dac_bits": one_of(3, 8),
        **(one_of({}, WIRES, WIRES | {"device.off": plain["device.off"] + ["ir_drop"]}) if model == "ReRamSB" else {}),
        "device.array.ir_drop_every": one_of(1, 2, 3, 1000),
        "seed": draw(st.integers(0, 2**32 - 1)),
        "epochs": one_of(1, 3),
        "encoder.bits": one_of(4, 8),
        "chip.states.bits": one_of(4, 8, 12),
        "chip.states.rounding": one_of("nearest", "floor", "stochastic"),
        "chip.biases.enabled": draw(st.booleans()),
        "chip.biases.rounding": one_of("nearest", "stochastic"),
        "chip.accumulator.bits": one_of(16, 32),
        "chip.constants.bits": one_of(3, 8),
        "chip.random.lanes": one_of(1, 4, 32),
        "learning.target": "self_defined" if own else "label",
        "learning.winners": 2,
        "learning.learning_rate": one_of(0.005, 0.1),
        "learning.beta": one_of(0.25, 1.0),
        "learning.beta_sign": one_of("random", "positive", "symmetric"),
        "learning.free_steps": one_of(3, 12),
        "learning.nudged_steps": one_of(1, 6),
        "learning.dropout.input": one_of(0.0, 0.3),
        "learning.dropout.output": one_of(0.0, 0.2) if own else 0.0,
    }
    return layers, fields


@settings(max_examples=60, deadline=None, derandomize=True)
@given(chip=chips(), epoch=st.integers(0, 2))
def test_a_whole_chip_on_cells_equals_the_oracle(chip: tuple[list[int], dict[str, Any]], epoch: int) -> None:
    """Starting weights, learning and inference: every array, every cell, every event and every tally."""
    layers, fields = chip
    spec = spec_of(layers, fields)
    rule, oracle = twins(spec, epoch % spec.epochs)
    assert_twins(rule, oracle)
    samples, labels = random_samples(spec, spec.seed, 4)
    learn(rule, samples, labels, epoch % spec.epochs)
    oracle.learn_stream(samples.tolist(), labels.tolist())
    assert_twins(rule, oracle)
    trained_tally = dict(oracle.reading.tally)
    outputs = rule.infer(samples[:2])
    assert outputs.tolist() == [oracle.infer(x) for x in samples[:2].tolist()]
    shown = {name: n - trained_tally[name] for name, n in oracle.reading.tally.items()}
    assert named_tally(rule._inference_tally) == shown
    assert tally_of(rule) == trained_tally


def test_the_oracle_sees_every_way_of_programming_move_cells() -> None:
    """Guards the comparison above: cells go up and down, some verify reads are needed twice."""
    for programming in ("pulses", "coincidence", "verify"):
        fields = {**PLAIN, "device.array.programming": programming, "chip.weights.init_gain": 0.5}
        rule, oracle = twins(spec_of([9, 7], fields))
        samples, labels = random_samples(rule.spec, 1, 10)
        oracle.learn_stream(samples.tolist(), labels.tolist())
        tally = oracle.reading.tally
        assert tally["pulses_up"] > 100 and tally["pulses_down"] > 100
        assert (tally["verify_reads"] > tally["cell_writes"]) == (programming == "verify")
        assert by_place(oracle, oracle.received) != [0] * len(flat(oracle.received))


# --- wires

WIRED = {"device.model": "ReRamSB", "learning.learning_rate": 0.05, "device.array.ir_drop_every": 4, **WIRES}


def drive_of(rule: EqPropOnCells, inputs: npt.NDArray[np.uint8]) -> npt.NDArray[np.float64]:
    """The drive that the array gives for `inputs`, with the losses of its cells as they show now."""
    bank = rule._as_they_show()[0]
    rule.chip.accumulators[:] = 0
    seen = bank.seen if rule.crossbar.lines else rule.chip.weights
    call(rule, sense, inputs=inputs, weights=seen, bank=bank)
    return rule.chip.accumulators / 2.0 ** (rule.plan.drive_right + rule.spec.chip.states.bits)


@pytest.mark.parametrize("mapping", MAPPINGS)
@pytest.mark.parametrize("ohm", [0.35, 1.0, 2.5])
@pytest.mark.parametrize("size", [64, 128])
def test_a_wired_read_is_that_of_the_resistive_network(size: int, ohm: float, mapping: str) -> None:
    """A tile of `size` by `size` cells (and a reference) of up to 20 uS: every column within 2 % of its current."""
    planes = 2 if mapping == "pair" else 1
    fields = {
        "device.model": "RRAM_Wan", "device.array.mapping": mapping, "device.array.wire_resistance": ohm,
        "device.array.adc_range": 8.0, "device.array.weight_per_range": 1.0, "chip.weights.frac_bits": 16,
        "device.array.tile_rows": size, "device.array.tile_columns": size, "device.off": ["adc"],
    }  # fmt: skip
    rule = EqPropOnCells(spec_of([size, size // planes], fields))
    bank, cells = rule.crossbar.bank, rule.crossbar.cells
    shares = np.random.default_rng(size).uniform(0, 0.5, len(cells.visible))
    cells.visible[:] = bank.low + bank.span * shares
    rule._show(cells.visible)
    g = np.moveaxis(cells.visible.astype(np.float64).reshape(planes, -1, size), 0, 1).reshape(-1, size).T
    middle, reference = size // 2, bank.low + bank.span * bank.reference / bank.one
    if planes == 1:
        g = np.insert(g, middle, reference, axis=1)
    x = random_samples(rule.spec, 3, 1)[0][0]
    exact = exact_currents(g, x / 256.0, ohm, ohm)
    amperes = np.delete(exact, middle) if planes == 1 else exact[::2]
    less = exact[middle] if planes == 1 else exact[1::2]
    scale = rule.spec.device.array.weight_per_range / bank.span
    missed = np.abs(drive_of(rule, x) - (amperes - less) * scale)
    assert (missed <= 0.02 * amperes * scale + 2.0**-13 * x.sum() / 256).all()
    plain = ((x / 256.0) @ g)[: len(amperes)] - amperes[: len(amperes)]
    assert np.abs(plain).max() > 0, "nothing was lost"


@pytest.mark.parametrize("mapping", MAPPINGS)
def test_losses_are_worked_out_as_often_as_stated(mapping: str) -> None:
    """At samples 0, 4, 8 … of all, in however many calls; between, `seen` moves by what is written."""
    fields = {**WIRED, "device.array.mapping": mapping}
    whole, parts = (EqPropOnCells(spec_of([9, 7], fields)) for _ in range(2))
    samples, labels = random_samples(whole.spec, 0, 11)
    learn(whole, samples, labels)
    before: list[Any] = []
    for at in range(11):
        learn(parts, samples[at : at + 1], labels[at : at + 1])
        bank = parts.crossbar.bank
        if at % 4:
            assert np.array_equal(bank.lost, before), at
        elif at:
            assert not np.array_equal(bank.lost, before), at
        before = bank.lost.copy()
        assert np.array_equal(bank.seen, parts.chip.weights - bank.lost)
    assert same(whole.state(), parts.state())
    assert np.abs(before).max() > 50


def test_wires_matter_and_are_switched_off_alone() -> None:
    plain = trained([9, 7], {**WIRED, "device.array.wire_resistance": None})
    wired = trained([9, 7], WIRED)
    off = trained([9, 7], {**WIRED, "device.off": ["ir_drop"]})
    none = trained([9, 7], {**WIRED, "device.array.wire_resistance": 0.0})
    assert not np.array_equal(wired.crossbar.cells.state, plain.crossbar.cells.state)
    for chip in (off, none):
        assert same(chip.state(), plain.state())
        assert "wire_loss" not in chip.wear()
    assert 0.05 < wired.wear()["wire_loss"] < 0.5  # type: ignore[operator]
    assert any("wire_resistance" in told for told in trained([40, 40], WIRED, count=1).warnings())


# --- pulsed in compiled code, or handed to the model


@pytest.mark.parametrize("mapping", MAPPINGS)
@pytest.mark.parametrize("programming", ["pulses", "coincidence", "verify"])
@pytest.mark.parametrize("model", ["EcRam", "ReRamES", "ReRamSB", "PCMO"])
def test_both_ways_of_pulsing_give_the_same_cells(
    mapping: str, programming: str, model: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    fields = {
        **(WIRES if model == "ReRamSB" else {}), "device.model": model,
        "device.array.mapping": mapping, "device.array.programming": programming,
        "learning.learning_rate": 0.05, "device.array.output_noise": 1.0,
    }  # fmt: skip
    compiled = trained([9, 7], fields, count=15)
    assert compiled.crossbar.stepped
    monkeypatch.setattr(Crossbar, "stepped", property(lambda self: False))
    handed = trained([9, 7], fields, count=15)
    mine, theirs = compiled.state(), handed.state()
    assert mine.keys() == theirs.keys()
    for name in mine:
        if name != "cells_tally":
            assert np.array_equal(mine[name], theirs[name]), name
    assert compiled.crossbar.cells.pulses.sum() > 20
    a, b = tally_of(compiled), tally_of(handed)
    shares = ("up_share", "down_share")
    assert {n: v for n, v in a.items() if n not in shares} == {n: v for n, v in b.items() if n not in shares}


@pytest.mark.parametrize("mapping", MAPPINGS)
def test_both_ways_sum_the_same_shares_where_steps_are_single(mapping: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Half a code for each end of a pulse, and one for each update."""
    fields = {
        **without_chance("Idealized"), "device.array.mapping": mapping, "device.array.programming": "coincidence",
        "device.array.train_length": 1, "learning.learning_rate": 0.05,
    }  # fmt: skip
    compiled = trained([9, 7], fields, count=40)
    monkeypatch.setattr(Crossbar, "stepped", property(lambda self: False))
    handed = trained([9, 7], fields, count=40)
    a, b = tally_of(compiled), tally_of(handed)
    for way in ("up", "down"):
        assert a[f"pulses_{way}"] == b[f"pulses_{way}"] > 20
        assert abs(a[f"{way}_share"] - b[f"{way}_share"]) <= 0.5 * a[f"pulses_{way}"] + 40


# --- the chip's state

NOISY_CHIP = {
    "device.model": "EcRam", "device.array.read_noise": "additive", "device.array.read_noise_sd": 0.02,
    "device.array.output_noise": 0.7, "learning.learning_rate": 0.05, "device.array.tile_rows": 6,
}  # fmt: skip


def same(a: dict[str, Any], b: dict[str, Any]) -> bool:
    """Whether two states are the same to the last bit."""
    alike = [np.array_equal(a[name], b[name]) and a[name].dtype == b[name].dtype for name in a if name in b]
    return a.keys() == b.keys() and all(alike)


@pytest.mark.parametrize("noise", ["additive", "proportional"])
@pytest.mark.parametrize("rounding", ["nearest", "stochastic"])
@pytest.mark.parametrize("wires", [{}, WIRED], ids=["ideal wires", "wired"])
def test_inference_changes_nothing_and_does_not_depend_on_threads(
    wires: dict[str, Any], rounding: str, noise: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    fields = {**NOISY_CHIP, **wires, "chip.states.rounding": rounding, "device.array.read_noise": noise}
    rule = trained([20, 12], fields)
    before, bank = rule.state(), [array.copy() for array in (rule.crossbar.bank.shares, rule.crossbar.bank.row_sums)]
    samples = random_samples(rule.spec, 9, 40)[0]
    outputs, counts = rule.infer(samples), rule.inference_counts()
    assert outputs.any() and len(np.unique(outputs, axis=0)) > 5
    for size, threads in ((512, 2), (512, 3), (1, 3), (7, 2), (7, 1)):
        monkeypatch.setattr(eqprop_cells, "_INFERENCE_CHUNK", size)
        assert np.array_equal(rule.infer(samples, threads), outputs), (size, threads)
        assert rule.inference_counts() == counts
    assert same(rule.state(), before)
    assert np.array_equal(rule.crossbar.bank.shares, bank[0]) and np.array_equal(rule.crossbar.bank.row_sums, bank[1])
    untouched = trained([20, 12], fields)
    for chip in (rule, untouched):
        learn(chip, *random_samples(rule.spec, 11, 5))
    assert same(rule.state(), untouched.state())


def test_noise_of_an_inference_depends_on_the_place_of_the_sample_alone() -> None:
    """The same sample shown at different places is read differently; shown again at the same place it is not."""
    rule = trained([20, 12], {**NOISY_CHIP, "device.array.read_noise_sd": 0.2})
    x = random_samples(rule.spec, 9, 1)[0]
    outputs = rule.infer(np.repeat(x, 6, axis=0))
    assert len(np.unique(outputs, axis=0)) > 1
    assert np.array_equal(rule.infer(x), outputs[:1])


def test_the_seed_decides_everything() -> None:
    chips = [trained([9, 7], {**NOISY_CHIP, "seed": seed}) for seed in (4, 4, 5)]
    first, again, other = (chip.state() for chip in chips)
    assert same(first, again)
    for name in ("cells_state", "cells_spread", "cells_random", "cells_reading", "chip_random"):
        assert not np.array_equal(first[name], other[name]), name
    samples = random_samples(chips[0].spec, 9, 10)[0]
    shown = [chip.infer(samples) for chip in chips]
    assert np.array_equal(shown[0], shown[1]) and not np.array_equal(shown[0], shown[2])


WRAPPED: dict[str, dict[str, Any]] = {
    "stuck_at": {"lrs_fraction": 0.1, "hrs_fraction": 0.1},
    "endurance": {"limit_pulses": 40.0},
    "retention": {"time_constant_s": 1e3},
}
MODELS: list[dict[str, Any]] = [
    {"device.model": "EcRam"},
    {"device.model": "PCM"},
    {"device.model": "ENODe_lookup"},
    {"device.model": "RRAM_Wan"},
    *({"device.model": "EcRam", "device.parameters": {name: given}} for name, given in WRAPPED.items()),
    {"device.model": "PCM_Joshi", "device.parameters": WRAPPED},
    {"device.model": "PCM_Joshi", **WIRES, "device.array.ir_drop_every": 5},
    {"device.model": "ReRamSB", **WIRES, "device.array.ir_drop_every": 5},
    {"device.model": "SONOS"},
    {"device.model": "Ag_aSi", "device.parameters": {"read_noise": 0.1}},
]


def named(fields: dict[str, Any]) -> str:
    """A device for the name of a test."""
    return "-".join([fields["device.model"], *fields.get("device.parameters", {})])


@pytest.mark.parametrize("programming", ["pulses", "verify"])
@pytest.mark.parametrize("device", MODELS, ids=named)
def test_a_restored_chip_goes_on_bit_for_bit(device: dict[str, Any], programming: str) -> None:
    fields = {**NOISY_CHIP, **device, "device.array.programming": programming, "device.array.mapping": "pair"}
    whole = trained([9, 7], fields)
    assert whole.crossbar.cells.pulses.any()
    kept = whole.state()
    assert all(isinstance(array, np.ndarray) and array.dtype != object for array in kept.values()), "not for a file"
    fresh = EqPropOnCells(whole.spec)
    assert not same(fresh.state(), kept)
    fresh.restore(kept)
    assert same(fresh.state(), kept)
    samples, labels = random_samples(whole.spec, 3, 6)
    for chip in (whole, fresh):
        learn(chip, samples, labels)
    assert same(fresh.state(), whole.state())
    assert not same(kept, whole.state()), "a state is a copy"
    assert np.array_equal(fresh.infer(samples), whole.infer(samples))
    assert fresh.counts() == whole.counts()
    assert fresh.wear() == whole.wear()


def test_a_tally_longer_than_64_bits_is_kept() -> None:
    rule = trained([9, 7], {**NOISY_CHIP, "device.array.mapping": "pair"})  # no reference is read beside the cells
    rule._tally[layout.READ_SHARE] = 3**60
    fresh = EqPropOnCells(rule.spec)
    fresh.restore(rule.state())
    assert fresh._tally == rule._tally
    learn(fresh, *random_samples(rule.spec, 1, 2))
    assert fresh._tally[layout.READ_SHARE] > 3**60
    assert fresh.counts()["cell_read_share"] == fresh._tally[layout.READ_SHARE]


@pytest.mark.parametrize(
    "spoil",
    [
        lambda state: state["cells_state"].astype(np.float64),
        lambda state: state["cells_state"][:-1],
        lambda state: state["cells_state"][:1],
    ],
    ids=["wider", "too short", "one for all"],
)
def test_a_state_of_other_cells_is_refused(spoil: Callable[[dict[str, Any]], Any]) -> None:
    rule = trained([9, 7], NOISY_CHIP)
    state = rule.state()
    with pytest.raises(ValueError, match="cells_state"):
        EqPropOnCells(rule.spec).restore(state | {"cells_state": spoil(state)})


@pytest.mark.parametrize("device", MODELS, ids=named)
def test_a_rest_changes_what_is_read_and_leaves_no_trace(device: dict[str, Any]) -> None:
    rule = trained([9, 7], {**NOISY_CHIP, **device})
    before, weights = rule.state(), rule.chip.weights.copy()
    row_sums, shares = rule.crossbar.bank.row_sums.copy(), rule.crossbar.bank.shares.copy()
    samples = random_samples(rule.spec, 3, 5)[0]
    outputs = rule.infer(samples)
    with rule.rested(0.0):
        if not {"drift", "flicker_noise", "read_noise"} & set(rule.crossbar.model.non_idealities):
            assert np.array_equal(rule.chip.weights, weights), "no time has passed"
    with pytest.raises(ZeroDivisionError), rule.rested(1e6):
        drifts = {"drift", "retention"} & set(rule.crossbar.model.non_idealities)
        assert np.array_equal(rule.chip.weights, weights) != bool(drifts)
        rule.infer(samples)
        _ = 1 // 0
    assert same(rule.state(), before)
    assert np.array_equal(rule.crossbar.bank.row_sums, row_sums)
    assert np.array_equal(rule.crossbar.bank.shares, shares)
    assert np.array_equal(rule.infer(samples), outputs)


# --- every device of the catalog


@pytest.mark.parametrize("mapping", MAPPINGS)
@pytest.mark.parametrize("model", [name for name in catalog.names() if name != "sram"])
def test_every_device_of_the_catalog_can_hold_the_weights(model: str, mapping: str) -> None:
    fields = {
        "device.model": model, "device.array.mapping": mapping, "learning.learning_rate": 1.0, "encoder.bits": 8,
    }  # fmt: skip
    spec = spec_of([9, 7], fields)
    chip = Chip(spec)
    rule = chip.rule
    assert isinstance(rule, EqPropOnCells)
    start = rule.chip.weights.copy()
    assert len(np.unique(start)) > 1, "the starting weights differ"
    samples, labels = random_samples(spec, 0, 8)
    chip.learn(samples, labels)
    wear = rule.wear()
    assert wear["model"] == rule.crossbar.model.name == model
    assert wear["writes_total"] == wear["pulses_up"] + wear["pulses_down"] > 0
    assert sum(wear["writes_histogram"].values()) == wear["cells"] == (126 if mapping == "pair" else 63)
    assert not np.array_equal(rule.chip.weights, start)
    assert np.isfinite(rule.crossbar.cells.visible).all()
    assert chip.infer(samples).shape == (8, 7)
    fresh = Chip(spec)
    fresh.restore(chip.state())
    assert same(fresh.state(), chip.state())


@pytest.mark.parametrize("name", WRAPPED)
def test_a_device_around_a_device_is_pulsed_as_a_whole(name: str) -> None:
    """Not only its inside: a wrapped step law is handed over."""
    rule = trained([9, 7], {"device.model": "EcRam", "device.parameters": {name: WRAPPED[name]}}, count=1)
    assert not rule.crossbar.stepped
    assert name in rule.crossbar.model.non_idealities


def test_stuck_cells_stay_and_are_paid_for() -> None:
    fields = {"device.model": "EcRam", "device.parameters": {"stuck_at": {"lrs_fraction": 0.3}}}
    fresh = EqPropOnCells(spec_of([9, 7], {**fields, "learning.learning_rate": 0.05}))
    stuck = fresh.crossbar.cells.spread[:, -1] != 0
    assert 5 < stuck.sum() < 40
    before = fresh.crossbar.cells.visible.copy()
    learn(fresh, *random_samples(fresh.spec, 0, 20))
    cells = fresh.crossbar.cells
    assert np.array_equal(cells.visible[stuck], before[stuck])
    assert not np.array_equal(cells.visible[~stuck], before[~stuck])
    assert cells.pulses[stuck].sum() > 0
    assert tally_of(fresh)["pulses_up"] + tally_of(fresh)["pulses_down"] == cells.pulses.sum()


def test_reading_of_the_oracle_has_the_same_formats() -> None:
    """Guards the oracle: the numbers that it derives itself are those that the kernels use."""
    rule = EqPropOnCells(spec_of([9, 7], {**PLAIN, "device.array.adc_range": 0.25, "device.array.adc_bits": 7}))
    frac = rule.plan.drive_right + 8
    reading = Reading(rule.spec.plain(), cell_of(rule), frac)
    sensing, bank = rule.crossbar.sensing, rule.crossbar.bank
    assert (reading.one, reading.reference) == (bank.one, bank.reference) == (8192, 4096)
    assert reading.planes == bank.planes == 1
    assert (reading.scale, reading.highest, reading.times) == (sensing.scale, sensing.highest, 1 << sensing.left)
    assert sensing.highest == 63 and reading.times == 2 ** (frac - 8)
