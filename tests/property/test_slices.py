"""Weights in slices against plain Python, against plain reals and against what digits promise.

`tests.oracle_slices` computes what cells without chance must do, integer for integer, first weights, reads, updates and
carries; what cells with chance do is held to bounds.
"""

from __future__ import annotations

import copy
import math
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgesdt.errors import SpecError
from edgesdt.rules import base as rules_base
from edgesdt.rules.eqprop.rule import EqProp
from edgesdt.spec import Spec
from edgesdt.synapses.crossbar import layout
from edgesdt.synapses.crossbar.crossbar import Crossbar
from edgesdt.synapses.crossbar.reading.sensing import sense
from edgesdt.synapses.crossbar.slices import digits_shown, reach_of
from edgesdt.synapses.crossbar.writing import carry as carrying
from edgesdt.synapses.crossbar.writing.carry import carry
from hw_models.mapping import Mapping, states_of
from hw_models.sheets import catalog
from tests.cell_chips import (
    assert_infers_alike,
    call,
    cell_of,
    learn,
    place,
    tally_of,
    trained,
    without_chance,
)
from tests.oracle_slices import OracleSlicedChip
from tests.small_chips import flat, named_events, oracle_arrays, random_samples, spec_of

MAPPINGS = ["offset", "pair"]
SLICED = {"device.array.slices": 2, "device.array.carry_every": 4, "learning.learning_rate": 0.05}
WIRES = {"device.array.wire_resistance": 20.0, "device.array.tile_columns": 7, "device.array.ir_drop_every": 3}


# --- against the oracle


def twins(spec: Spec, epoch: int = 0) -> tuple[EqProp, OracleSlicedChip]:
    """A fresh chip and the oracle's."""
    rule = EqProp(spec)
    oracle = OracleSlicedChip(copy.deepcopy(spec.plain()), cell_of(rule.store.crossbar), epoch)
    model, bank = rule.store.crossbar.model, rule.store.crossbar.bank
    middle = bank.low + bank.span * (0.5 if bank.planes == 2 else oracle.cell.zero)
    # not that of the cells in single precision: digits are often half a step from one another
    oracle.step_of_cell = (model.step(middle, True) + model.step(middle, False)) / 2
    oracle.draw_weights()
    return rule, oracle


def by_place(oracle: OracleSlicedChip, slices: list[list[list[list[Any]]]]) -> list[Any]:
    """The oracle's numbers [slice][plane][row][column] in the simulator's order."""
    made: list[Any] = []
    for planes in slices:
        own: list[Any] = [None] * len(flat(planes))
        for plane, rows in enumerate(planes):
            for i, row in enumerate(rows):
                for j, value in enumerate(row):
                    own[place(oracle, plane, i, j)] = value
        made += own
    return made


def assert_twins(rule: EqProp, oracle: OracleSlicedChip) -> None:
    """Every array of the chip, every cell of every slice, every event and every tally is the same."""
    slices, cells = rule.store.crossbar.slices(rule.chip.weights), rule.store.crossbar.cells
    assert cells.state.tolist() == cells.visible.tolist() == by_place(oracle, oracle.of_all("states_of_cells"))
    assert cells.pulses.tolist() == by_place(oracle, oracle.of_all("received"))
    assert [n for bank, _, _ in slices for n in bank.shares.tolist()] == by_place(oracle, oracle.of_all("shares"))
    assert [codes.tolist() for _, codes, _ in slices] == [flat(codes) for codes in oracle.of_all("codes")]
    arrays = {name: array.tolist() for name, array in rule.chip._asdict().items()}
    assert arrays == oracle_arrays(oracle) | {"weights": flat(oracle.codes())}
    assert named_events(rule.work.events) == oracle.counted()
    assert tally_of(rule) == oracle.reading.tally
    assert rule.store.layers[0].carries == oracle.carries
    if rule.store.crossbar.lines:
        assert [bank.lost.tolist() for bank, _, _ in slices] == [flat(lost) for lost in oracle.of_all("lost")]


@st.composite
def chips(draw: st.DrawFn) -> tuple[list[int], dict[str, Any]]:
    """Layers and fields of a chip in slices on cells without chance."""

    def one_of(*values: Any) -> Any:
        return draw(st.sampled_from(values))

    model = one_of("Idealized", "GokmenVlasov", "ReRamSB")
    plain = without_chance(model)
    fields = {
        **plain,
        "device.off": plain["device.off"] + one_of([], [], ["adc"], ["dac"]),
        "device.array.slices": one_of(2, 3),
        "device.array.bits_per_cell": one_of(1, 2, 4),
        "device.array.carry_every": one_of(1, 2, 3, 1000),
        "device.array.mapping": one_of(*MAPPINGS),
        "device.array.programming": one_of("pulses", "coincidence", "verify"),
        "device.array.verify_rounds": one_of(1, 8),
        "device.array.tile_rows": one_of(3, 256),
        "device.array.adc_bits": one_of(4, 9, 12),
        "device.array.adc_range": one_of(0.25, 1.0),
        "chip.accumulator.bits": one_of(16, 32),
        **one_of({}, {"chip.weights.init_gain": 0.0, "device.array.weight_per_range": 0.1}),
        **(one_of({}, WIRES) if model == "ReRamSB" else {}),
        "seed": draw(st.integers(0, 2**32 - 1)),
        "encoder.bits": one_of(4, 8),
        "chip.states.rounding": one_of("nearest", "stochastic"),
        "learning.winners": 2,
        "learning.learning_rate": one_of(0.02, 0.3),
        "learning.beta_sign": one_of("random", "symmetric"),
    }
    return one_of([5, 4], [9, 7]), fields


@settings(max_examples=60, deadline=None, derandomize=True)
@given(chip=chips())
def test_a_whole_chip_in_slices_equals_the_oracle(chip: tuple[list[int], dict[str, Any]]) -> None:
    """First weights, learning with carries, inference: every array, cell, event and tally."""
    layers, fields = chip
    rule, oracle = twins(spec_of(layers, fields))
    assert_twins(rule, oracle)
    samples, labels = random_samples(rule.spec, rule.spec.seed, 5)
    learn(rule, samples, labels)
    oracle.learn_stream(samples.tolist(), labels.tolist())
    assert_twins(rule, oracle)
    assert_infers_alike(rule, oracle, samples[:2])


@pytest.mark.parametrize("mapping", MAPPINGS)
def test_the_oracle_sees_digits_carried_over_two_places(mapping: str) -> None:
    """Guards the comparison above."""
    fields = {
        **without_chance("Idealized"), "device.array.slices": 3, "device.array.carry_every": 2,
        "device.array.mapping": mapping, "learning.learning_rate": 0.2,
    }  # fmt: skip
    rule, oracle = twins(spec_of([9, 7], fields))
    samples, labels = random_samples(rule.spec, 1, 12)
    oracle.learn_stream(samples.tolist(), labels.tolist())
    looked, carried, _ = oracle.carries
    assert looked == 6 * 2 * 63 and carried > 30
    assert all(any(flat(received)) for received in oracle.of_all("received"))


# --- reading


def spread_out(rule: EqProp, seed: int) -> None:
    """Cells of all slices anywhere in their range, and the codes in step."""
    rng, bank, cells = np.random.default_rng(seed), rule.store.crossbar.bank, rule.store.crossbar.cells
    cells.visible[:] = bank.low + bank.span * rng.random(len(cells.visible))
    rule.store.crossbar.show(rule.chip.weights, cells.visible)


def read(rule: EqProp, inputs: npt.NDArray[np.uint8], **given: Any) -> npt.NDArray[np.float64]:
    """(n_1,) the drive that one read of all slices gives."""
    rule.chip.accumulators[:] = 0
    call(rule, sense, inputs=inputs, **given)
    return rule.chip.accumulators / 2.0 ** (rule.plan.drive_right + rule.spec.chip.states.bits)


def laid_out(rule: EqProp) -> npt.NDArray[np.float64]:
    """(planes, slices, rows, columns) states of the cells, as a mapping lays them out."""
    bank, (n0, n1) = rule.store.crossbar.bank, rule.spec.chip.layers
    states = rule.store.crossbar.cells.visible.astype(np.float64)
    return states.reshape(rule.store.crossbar.mapping.slices, bank.planes, n1, n0).transpose(1, 0, 3, 2)


@pytest.mark.parametrize("mapping", MAPPINGS)
@pytest.mark.parametrize("slices", [2, 3])
@pytest.mark.parametrize("bits", [1, 2, 4])
def test_a_read_is_the_sum_of_weights_in_plain_reals(mapping: str, slices: int, bits: int) -> None:
    """The same cells in plain reals: as converted, and without converters."""
    fields = {
        **without_chance("Idealized"), "device.array.mapping": mapping, "device.array.slices": slices,
        "device.array.bits_per_cell": bits, "device.array.weight_per_range": 0.3, "chip.weights.frac_bits": 16,
        "chip.weights.init_gain": 0.1, "device.array.adc_range": 8.0, "device.array.tile_rows": 7,
    }  # fmt: skip
    rule = EqProp(spec_of([20, 12], fields))
    spread_out(rule, slices + bits)
    bank, mapped, model = rule.store.crossbar.bank, rule.store.crossbar.mapping, rule.store.crossbar.model
    inputs = random_samples(rule.spec, 1, 1)[0][0]
    x = inputs / 256.0
    weights = mapped.weights((laid_out(rule) - bank.low) / bank.span, model)
    own = rule.weights(0) * (mapped.digit_weights[0] / bank.one)
    code = float(mapped.digit_weights.sum()) / bank.one  # half a code for a cell, half for the other or the reference
    assert np.abs(own - weights).max() <= code
    missed = np.abs(read(rule, inputs) - x @ weights)
    steps = [8.0 / (2**bits) ** (slices - 1 - place) / 2**8 for place in range(slices)]
    assert missed.max() <= 3 * sum(steps) / 2 + float(x.sum()) * code + 3 * slices * 2.0**-24
    off = Spec.from_plain(spec_of([20, 12], {**fields, "device.off": [*fields["device.off"], "adc"]}).plain())
    exact = EqProp(off)
    exact.store.crossbar.cells.visible[:] = rule.store.crossbar.cells.visible
    exact.store.crossbar.show(exact.chip.weights, exact.store.crossbar.cells.visible)
    assert np.abs(read(exact, inputs) - x @ own).max() <= 3 * slices * 2.0**-24
    assert np.abs(read(exact, inputs) - x @ weights).max() <= float(x.sum()) * code + 2e-4
    assert np.abs(x @ weights).max() > 0.05


NOISES: dict[str, dict[str, Any]] = {
    "additive": {"device.array.read_noise": "additive", "device.array.read_noise_sd": 0.05},
    "proportional": {"device.array.read_noise": "proportional", "device.array.read_noise_sd": 0.05},
    "output": {"device.array.output_noise": 60.0},
    "own": {"device.model": "Ag_aSi", "device.parameters": {"read_noise": 0.04}, "device.off": ["adc"]},
}


@pytest.mark.parametrize("mapping", MAPPINGS)
@pytest.mark.parametrize("kind", NOISES)
def test_noise_of_a_read_is_that_of_all_slices(kind: str, mapping: str) -> None:
    """Variances of the slices add, each by the square of its place."""
    fields = {
        **without_chance("Idealized"), "device.array.slices": 2, "device.array.weight_per_range": 0.05,
        "chip.weights.init_gain": 0.001, "chip.weights.frac_bits": 16, "device.array.mapping": mapping,
        "device.array.adc_bits": 16, **NOISES[kind],
    }  # fmt: skip
    rule = EqProp(spec_of([5, 400], fields))
    spread_out(rule, 3)
    crossbar, inputs = rule.store.crossbar, np.array([255, 0, 128, 7, 64], np.uint8)
    bank, mapped = crossbar.bank, crossbar.mapping
    x2, worth = (inputs / 256.0) ** 2, mapped.digit_weights
    if kind == "additive":
        variance = (0.05 * worth) ** 2 * bank.planes * x2.sum()
    elif kind == "proportional":
        digits = [codes.reshape(5, 400) / bank.one for _, codes, _ in rule.store.crossbar.slices(rule.chip.weights)]
        variance = np.array([(0.05 * w) ** 2 * (x2 @ digit**2) for w, digit in zip(worth, digits, strict=True)])
    elif kind == "output":
        variance = (60.0 * np.array([0.25, 1.0]) / 2**15) ** 2
    else:
        sd = rule.store.crossbar.model.read_sd(laid_out(rule)) / bank.span
        variance = np.array([w**2 * (x2 @ each) for w, each in zip(worth, (sd**2).sum(axis=0), strict=True)])
    sensing, upper = rule.store.crossbar.sensing, bank.upper._replace(output_sd=np.zeros(1))
    quiet = sensing._replace(output_sd=0.0, read_noise=layout.NO_NOISE, own_noise=False)
    still = read(rule, inputs, sensing=quiet, bank=bank._replace(upper=upper))
    scaled = np.array([read(rule, inputs) - still for _ in range(60)]) / np.sqrt(variance.sum(axis=0))
    assert scaled.std() == pytest.approx(1.0, rel=0.03)
    assert abs(scaled.mean()) < 4 / math.sqrt(scaled.size)
    assert np.allclose(scaled.std(axis=0), 1.0, atol=0.6)


# --- carrying

DEVICES: list[dict[str, Any]] = [
    {"device.model": "Ag_aSi"},
    {"device.model": "EcRam"},
    {"device.model": "ReRamSB"},
    {"device.model": "Ag_aSi", "device.parameters": {"read_noise": 0.1}},
    {"device.model": "PCM_Joshi"},
    {"device.model": "ENODe_lookup"},
    {"device.model": "quantized_4bit"},
    {"device.model": "EcRam", "device.parameters": {"stuck_at": {"hrs_fraction": 0.1}}},
    {"device.model": "ReRamSB", **WIRES},
    {"device.model": "PCM_Joshi", **WIRES},
]


def named(fields: dict[str, Any]) -> str:
    """A device for the name of a test."""
    wired = ["wired"] * ("device.array.wire_resistance" in fields)
    return "-".join([fields["device.model"], *fields.get("device.parameters", {}), *wired])


@pytest.mark.parametrize("mapping", MAPPINGS)
@pytest.mark.parametrize(
    ("model", "off"),
    [  # cells whose own range is narrower hold less; where each write is a lottery, none is near
        ("Idealized", ["device_to_device"]),
        ("EcRam", ["device_to_device"]),
        ("ReRamSB", ["device_to_device", "cycle_to_cycle", "write_noise"]),
        ("Ag_aSi", []),
    ],
)
def test_a_carry_leaves_weights_as_they_are_and_digits_small(model: str, off: list[str], mapping: str) -> None:
    """Up to what a write with verification leaves of the least significant digit, however far the others miss."""
    fields = {
        "device.model": model, "device.array.mapping": mapping, "device.array.slices": 2,
        "device.array.carry_every": 10**6, "device.array.verify_rounds": 30, "learning.learning_rate": 0.1,
        "device.off": off,
    }  # fmt: skip
    rule = trained([20, 12], fields, count=10)
    crossbar = rule.store.crossbar
    lower, upper = crossbar.slices(rule.chip.weights)
    low, high, weights = lower.codes.astype(np.int64), upper.codes.astype(np.int64), rule.weights(0).astype(np.int64)
    reach = reach_of(crossbar.bank)
    far, room = np.abs(low) >= reach // 2, np.abs(high) <= reach // 2  # cells may end before their nominal range does
    assert (far & room).sum() > 10
    tally = [0] * carrying.TALLIES
    carry(crossbar, rule.chip.weights, tally)
    assert tally[carrying.LOOKED] == 240 and (far & room).sum() <= tally[carrying.CARRIED] <= far.sum()
    step = crossbar.bank.step / crossbar.bank.span * crossbar.bank.one  # half of one for each cell, and noise
    moved = np.abs((rule.weights(0) - weights).ravel())
    assert np.median(moved[far & room]) <= step * crossbar.bank.planes
    assert (moved[far & room] <= 4 * step).mean() > 0.9
    assert not moved[~far].any()
    small = np.abs(lower.codes.astype(np.int64)) <= reach // 2 + 4 * step
    assert small[room].mean() > 0.95
    again, before = [0] * carrying.TALLIES, crossbar.cells.state.copy()
    carry(crossbar, rule.chip.weights, again)
    assert again[carrying.CARRIED] < 0.4 * tally[carrying.CARRIED]
    assert np.mean(crossbar.cells.state == before) > 0.8


def test_a_full_weight_is_not_carried_again_and_again() -> None:
    """The last slice at its end: what is below stays, and no pulse is given."""
    fields = {
        **without_chance("Idealized"), **SLICED, "device.array.mapping": "pair", "device.array.weight_per_range": 1.0,
    }  # fmt: skip
    rule = EqProp(spec_of([3, 2], fields))
    rule.store.crossbar.program(np.full((3, 2), 5.0))
    rule.store.layers[0].show(rule.store.crossbar.cells.visible)
    assert (rule.weights(0) == rule.store.crossbar.bank.one * 5).all()
    tally = [0] * carrying.TALLIES
    carry(rule.store.crossbar, rule.chip.weights, tally)
    assert tally == [6, 0, 0] and not rule.store.crossbar.cells.pulses.any()
    low = rule.store.crossbar.above[0]
    assert np.abs(digits_shown(low.bank) - rule.store.crossbar.bank.one).max() < 1e-6


@pytest.mark.parametrize("device", DEVICES, ids=named)
@pytest.mark.parametrize("mapping", MAPPINGS)
def test_a_restored_chip_in_slices_goes_on_bit_for_bit(device: dict[str, Any], mapping: str) -> None:
    """In one go, sample by sample, and from a state that was kept: the same cells, counts and record."""
    fields = {
        **SLICED, **device, "device.array.mapping": mapping, "device.array.output_noise": 0.7,
        "device.array.bits_per_cell": 1,
    }  # fmt: skip
    whole, parts = (EqProp(spec_of([9, 7], fields)) for _ in range(2))
    samples, labels = random_samples(whole.spec, 0, 22)
    learn(whole, samples, labels)
    assert whole.store.layers[0].carries[carrying.LOOKED] == 5 * 63
    for at in range(13):
        learn(parts, samples[at : at + 1], labels[at : at + 1])
    fresh = EqProp(whole.spec)
    fresh.restore(parts.state())
    learn(fresh, samples[13:], labels[13:])
    mine, theirs = whole.state(), fresh.state()
    assert mine.keys() == theirs.keys()
    for name in mine:
        assert np.array_equal(mine[name], theirs[name]), name
    assert np.array_equal(whole.infer(samples), fresh.infer(samples, 2))
    assert (whole.counts(), whole.wear(), whole.warnings()) == (fresh.counts(), fresh.wear(), fresh.warnings())
    assert np.array_equal(whole.weights(0), fresh.weights(0))


@pytest.mark.parametrize("device", DEVICES, ids=named)
@pytest.mark.parametrize("programming", ["pulses", "coincidence", "verify"])
def test_what_is_kept_up_to_date_is_what_a_whole_look_gives(device: dict[str, Any], programming: str) -> None:
    fields = {
        **SLICED, "learning.learning_rate": 0.2, **device, "device.array.mapping": "pair",
        "device.array.programming": programming, "device.array.bits_per_cell": 1,
    }  # fmt: skip
    rule = trained([20, 12], fields, count=25)
    carried = rule.store.layers[0].carries[carrying.CARRIED]
    assert carried > 0 or programming == "coincidence"  # small steps, few of them

    def kept() -> list[Any]:
        slices = rule.store.crossbar.slices(rule.chip.weights)
        arrays = [(codes, bank.shares, bank.row_sums, bank.noise, bank.seen) for bank, codes, _ in slices]
        return [array.copy() for each in arrays for array in each] + [rule.store.crossbar.bank.upper.codes.copy()]

    before = kept()
    rule.store.layers[0].show(rule.store.crossbar.cells.visible)
    assert all(np.array_equal(a, b) for a, b in zip(before, kept(), strict=True))


def test_time_at_rest_is_seen_in_all_slices_and_leaves_no_trace() -> None:
    fields = {"device.model": "EcRam", "device.parameters": {"retention": {"time_constant_s": 1e3}}}
    rule = trained([9, 7], {**SLICED, **fields})
    before, samples = rule.state(), random_samples(rule.spec, 3, 5)[0]
    codes, outputs = rule.store.crossbar.above[0].codes.copy(), rule.infer(samples)
    with rule.rested(1e6):
        assert not np.array_equal(rule.store.crossbar.above[0].codes, codes)
    assert np.array_equal(rule.store.crossbar.above[0].codes, codes) and np.array_equal(rule.infer(samples), outputs)
    after = rule.state()
    assert all(np.array_equal(before[name], after[name]) for name in before)


@pytest.mark.parametrize("model", ["EcRam", "ReRamSB"])
def test_both_ways_of_pulsing_give_the_same_cells(model: str, monkeypatch: pytest.MonkeyPatch) -> None:
    fields = {**SLICED, "device.model": model, "learning.learning_rate": 0.2}
    compiled = trained([9, 7], fields, count=15)
    monkeypatch.setattr(Crossbar, "compiled", property(lambda self: False))
    handed = trained([9, 7], fields, count=15)
    mine, theirs = compiled.state(), handed.state()
    assert compiled.store.layers[0].carries[carrying.CARRIED] > 0
    assert all(np.array_equal(mine[name], theirs[name]) for name in mine if name != "cells_tally")


def test_one_slice_is_no_slice() -> None:
    """What only slices use changes nothing with one of them."""
    plain, told = (
        trained([9, 7], {"device.model": "EcRam", "learning.learning_rate": 0.05, **more})
        for more in ({}, {"device.array.carry_every": 2, "device.array.bits_per_cell": 7, "device.array.slices": 1})
    )
    mine, theirs = plain.state(), told.state()
    assert mine.keys() == theirs.keys() and all(np.array_equal(mine[name], theirs[name]) for name in mine)
    assert plain.counts() == told.counts() and plain.wear() == told.wear()


@pytest.mark.parametrize("mapping", MAPPINGS)
@pytest.mark.parametrize("model", [name for name in catalog.names() if name != "sram"])
def test_every_device_of_the_catalog_holds_digits_or_says_why_not(model: str, mapping: str) -> None:
    fields = {
        "device.model": model, "device.array.mapping": mapping, "device.array.slices": 2, "learning.learning_rate": 1.0,
        "device.array.carry_every": 3,
    }  # fmt: skip
    try:
        spec = spec_of([9, 7], fields)
    except SpecError as error:
        assert "bits and the carry need" in str(error)
        cell, mapped = catalog.load(model), Mapping(mapping, 1.0, 2, 2)  # type: ignore[arg-type]
        assert states_of(cell) < mapped.states_to_carry(cell)
        return
    rule = EqProp(spec)
    start = rule.weights(0).copy()
    samples, labels = random_samples(spec, 0, 8)
    learn(rule, samples, labels)
    assert np.isfinite(rule.store.crossbar.cells.visible).all()
    assert not np.array_equal(rule.weights(0), start) and len(np.unique(start)) > 1
    assert rule.wear()["cells"] == 2 * (126 if mapping == "pair" else 63)


def test_an_inference_in_slices_does_not_depend_on_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    fields = {**SLICED, "device.model": "EcRam", **NOISES["additive"]}
    rule = trained([20, 12], fields)
    samples = random_samples(rule.spec, 9, 40)[0]
    outputs = rule.infer(samples)
    monkeypatch.setattr(rules_base, "INFERENCE_CHUNK", 7)
    assert np.array_equal(rule.infer(samples, 2), outputs) and len(np.unique(outputs, axis=0)) > 5
