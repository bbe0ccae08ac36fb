"""Reading an array of cells against plain Python, and its noise against the statistics that it must have."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgesdt.kernels.layout import ACCUMULATOR_SATURATIONS
from edgesdt.rules.eqprop.rule import EqProp
from edgesdt.runs.ablation import switches
from edgesdt.synapses.crossbar import layout
from edgesdt.synapses.crossbar.reading.sensing import sense
from hw_models.periphery.dac import requantise
from hw_models.periphery.ir_drop import exact_currents
from tests.cell_chips import (
    MAPPINGS,
    PLAIN,
    SEEDS,
    TIMID,
    WIRED,
    call,
    cell_of,
    learn,
    named_tally,
    pick,
    place,
    quick,
    read,
    same,
    spread_out,
    tally_of,
    trained,
    without_chance,
)
from tests.oracle_cells import OracleCellChip, dac_codes
from tests.small_chips import random_samples, spec_of

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
        "chip.weights.frac_bits": pick(-8, 4, 9, 20),  # from where a range is less than one LSB of the accumulator
        "chip.biases.enabled": pick(True, False),
    }
)


def oracle_of(rule: EqProp) -> OracleCellChip:
    """The oracle's chip with the cells of `rule` as they show."""
    oracle = OracleCellChip(rule.spec.plain(), cell_of(rule.store.crossbar))
    n0, n1 = oracle.sizes
    shown = rule.store.crossbar.cells.visible.tolist()
    oracle.states_of_cells = [
        [[shown[place(oracle, p, i, j)] for j in range(n1)] for i in range(n0)] for p in range(oracle.reading.planes)
    ]
    return oracle


@settings(max_examples=100, deadline=None, derandomize=True)
@given(seed=SEEDS, fields=READINGS, off=pick([], ["adc"], ["dac"], ["adc", "dac"]), model=pick("Idealized", "ReRamSB"))
def test_reading_equals_the_oracle(seed: int, fields: dict[str, Any], off: list[str], model: str) -> None:
    """Codes, accumulators that saturate, conversions at the end of their range, and what the read cost."""
    plain = without_chance(model) | TIMID
    rule = EqProp(spec_of([9, 7], {**plain, **fields, "device.off": plain["device.off"] + off}))
    spread_out(rule, seed)
    oracle = oracle_of(rule)
    for x in random_samples(rule.spec, seed, 3)[0]:
        oracle.accumulators, oracle.inputs = [[], [0] * 7], x.tolist()
        oracle.reading.count(oracle.inputs, oracle.shares())
        for j, addend in oracle.reading.codes(oracle.inputs, oracle.codes()):
            oracle.accumulate(1, j, addend)
        assert read(rule, x).tolist() == oracle.accumulators[1]
    assert named_tally(rule.store.crossbar.bank.tally) == oracle.reading.tally
    saturated = oracle.events["accumulator_saturations"]
    assert rule.work.events[ACCUMULATOR_SATURATIONS].tolist() == saturated


@quick
@given(seed=SEEDS, mapping=pick(*MAPPINGS), adc_range=pick(4.0, 8.0), tile_rows=pick(4, 256), bits=pick(4, 8))
def test_a_read_is_the_drive_that_the_weights_make(
    seed: int, mapping: str, adc_range: float, tile_rows: int, bits: int
) -> None:
    """In physical units: within half a step of every converter, and half a code of every cell, of Σ x w."""
    rule = EqProp(
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
    bank, model = rule.store.crossbar.bank, rule.store.crossbar.model
    shares = (rule.store.crossbar.cells.visible.astype(np.float64) - bank.low) / bank.span
    weights = rule.store.crossbar.mapping.weights(shares.reshape(bank.planes, 1, 12, 20).transpose(0, 1, 3, 2), model)
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
    rule = EqProp(spec_of([4, 3], {**PLAIN, "encoder.bits": 4, "device.array.dac_bits": 1}))
    read(rule, np.array([0, 1, 7, 15], np.uint8))
    assert rule.store.crossbar.bank.tally[layout.ROW_DRIVES] == 1
    assert rule.store.crossbar.bank.tally[layout.READ_BASE] == 15 * 15 * 3


@pytest.mark.parametrize("adc_bits", [6, 9, 16])
@pytest.mark.parametrize("off", [[], ["adc"]])
def test_the_range_of_a_converter_is_what_the_spec_says(adc_bits: int, off: list[str]) -> None:
    """Also where its step is finer than the accumulator's LSB; switched off it clips nothing."""
    fields = {
        **PLAIN, "device.array.adc_bits": adc_bits, "device.array.adc_range": 0.125, "chip.weights.frac_bits": 4,
        "chip.biases.frac_bits": 4, "device.array.weight_per_range": 4.0, "device.off": [*PLAIN["device.off"], *off],
    }  # fmt: skip
    rule = EqProp(spec_of([5, 4], fields))
    frac = rule.plan.drive_right + 8
    assert frac == 12
    for end in (1.0, -1.0):
        rule.store.crossbar.cells.visible[:] = end
        rule.store.crossbar.show(rule.chip.weights, rule.store.crossbar.cells.visible)
        drive = read(rule, np.full(5, 200, np.uint8)) / 2.0**frac
        true = end * 2.0 * 5 * 200 / 256
        assert np.abs(drive - (true if off else end * 0.125)).max() <= max(2.0 ** (-2 - adc_bits), 2.0**-frac)
    assert rule.store.crossbar.bank.tally[layout.CLIPPED] == (0 if off else 8)


# --- noise

NOISY = {**without_chance("Idealized"), **TIMID, "chip.weights.frac_bits": 16, "device.array.weight_per_range": 0.05}
"""Accumulators with an LSB of 2^-24 of a drive: rounding is nothing beside the noise."""


def noise_of(rule: EqProp, inputs: npt.NDArray[np.uint8], reads: int) -> npt.NDArray[np.float64]:
    """(reads, columns) what noise adds to the drive."""
    quiet = rule.store.crossbar.sensing._replace(output_sd=0.0, read_noise=layout.NO_NOISE, own_noise=False)
    rule.chip.accumulators[:] = 0
    call(rule, sense, inputs=inputs, sensing=quiet)
    still = rule.chip.accumulators.astype(np.int64)
    frac = rule.plan.drive_right + rule.spec.chip.states.bits
    return np.array([read(rule, inputs).astype(np.int64) - still for _ in range(reads)]) / 2.0**frac


def weights_of(rule: EqProp) -> npt.NDArray[np.float64]:
    """Weights (rows, columns) as the codes have them."""
    lsb = rule.spec.device.array.weight_per_range / rule.store.crossbar.bank.one
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
    rule = EqProp(spec_of([5, 400], fields))
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
    rule = EqProp(
        spec_of(
            [5, 400],
            {
                **TIMID, **device, "chip.weights.frac_bits": 16, "device.array.weight_per_range": 0.05,
                "device.array.mapping": mapping, "device.array.tile_rows": tile_rows, "device.off": ["adc"],
            },
        )
    )  # fmt: skip
    spread_out(rule, 3, beyond=0.0)
    bank, model, cells = rule.store.crossbar.bank, rule.store.crossbar.model, rule.store.crossbar.cells
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
    kept = rule.store.crossbar.bank.noise.copy()
    assert kept.any() and rule.store.crossbar.cells.pulses.sum() > 100
    rule.store.crossbar.show(rule.chip.weights, rule.store.crossbar.cells.visible)
    assert np.array_equal(rule.store.crossbar.bank.noise, kept)


def test_noise_of_the_model_is_a_switch_of_its_own_and_is_drawn_once_at_rest() -> None:
    """Off it is silent, beside the array's noise both are; a look at the rested cells does not freeze a draw of it."""
    noisy = {**OWN_NOISE["proportional"], "device.array.mapping": "pair"}
    on, off = (EqProp(spec_of([5, 7], {**noisy, "device.off": switched})) for switched in ([], ["read_noise"]))
    assert on.store.crossbar.sensing.own_noise and not off.store.crossbar.sensing.own_noise
    assert np.array_equal(on.store.crossbar.rested(10.0), on.store.crossbar.cells.visible)
    both = spec_of([5, 7], {**noisy, "device.array.read_noise": "additive", "device.array.read_noise_sd": 0.1})
    assert switches(both).count("read_noise") == 1
    plain = both.plain()
    plain["device"]["off"] = ["read_noise"]
    silent = EqProp(type(both).from_plain(plain)).store.crossbar.sensing
    assert (silent.own_noise, silent.read_noise) == (False, layout.NO_NOISE)


@pytest.mark.parametrize("off", [[], ["adc"]])
def test_noise_of_a_converter_is_in_its_own_steps(off: list[str]) -> None:
    """The same in volts whether its steps are there or not: one non-ideality is switched off alone."""
    fields = {
        **NOISY, "device.array.output_noise": 60.0, "device.array.adc_bits": 14, "device.array.adc_range": 4.0,
        "device.off": [*NOISY["device.off"], *off],
    }  # fmt: skip
    rule = EqProp(spec_of([5, 400], fields))
    step = 4.0 / 2**13
    found = noise_of(rule, np.array([255, 0, 128, 7, 64], np.uint8), 60)
    assert_noise(found, 60.0 * step)


def test_noises_add_up() -> None:
    fields = {
        **NOISY, "device.array.output_noise": 3.0, "device.array.adc_bits": 16, "device.array.read_noise": "additive",
        "device.array.read_noise_sd": 0.002, "device.array.tile_rows": 3,
    }  # fmt: skip
    rule = EqProp(spec_of([5, 400], fields))
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
    assert rule.store.crossbar.cells.state.tolist() == plain.store.crossbar.cells.state.tolist()
    assert tally_of(rule) == tally_of(plain)
    assert rule.store.crossbar.bank.reading[1] == 0, "noise was drawn"


# --- wires

def drive_of(rule: EqProp, inputs: npt.NDArray[np.uint8]) -> npt.NDArray[np.float64]:
    """The drive that the array gives for `inputs`, with the losses of its cells as they show now."""
    bank = rule.store.layers[0].as_shown()[0]
    rule.chip.accumulators[:] = 0
    seen = bank.seen if rule.store.crossbar.lines else rule.chip.weights
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
    rule = EqProp(spec_of([size, size // planes], fields))
    bank, cells = rule.store.crossbar.bank, rule.store.crossbar.cells
    shares = np.random.default_rng(size).uniform(0, 0.5, len(cells.visible))
    cells.visible[:] = bank.low + bank.span * shares
    rule.store.layers[0].show(cells.visible)
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
    whole, parts = (EqProp(spec_of([9, 7], fields)) for _ in range(2))
    samples, labels = random_samples(whole.spec, 0, 11)
    learn(whole, samples, labels)
    before: list[Any] = []
    for at in range(11):
        learn(parts, samples[at : at + 1], labels[at : at + 1])
        bank = parts.store.crossbar.bank
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
    assert not np.array_equal(wired.store.crossbar.cells.state, plain.store.crossbar.cells.state)
    for chip in (off, none):
        assert same(chip.state(), plain.state())
        assert "wire_loss" not in chip.wear()
    assert 0.05 < wired.wear()["wire_loss"] < 0.5  # type: ignore[operator]
    assert any("wire_resistance" in told for told in trained([40, 40], WIRED, count=1).warnings())
