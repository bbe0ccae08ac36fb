"""Whole chips on analog cells against plain Python, the laws of their state, and every device of the catalog."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgesdt.chip.simulated import Chip
from edgesdt.rules import base as rules_base
from edgesdt.rules.eqprop.rule import EqProp
from edgesdt.synapses.crossbar import layout
from hw_models.sheets import catalog
from tests.cell_chips import (
    MAPPINGS,
    PLAIN,
    WIRED,
    WIRES,
    assert_infers_alike,
    assert_twins,
    by_place,
    cell_of,
    learn,
    same,
    tally_of,
    trained,
    twins,
    without_chance,
)
from tests.oracle_cells import Reading
from tests.small_chips import flat, random_samples, spec_of

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
    assert_infers_alike(rule, oracle, samples[:2])
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


# --- the chip's state

NOISY_CHIP = {
    "device.model": "EcRam", "device.array.read_noise": "additive", "device.array.read_noise_sd": 0.02,
    "device.array.output_noise": 0.7, "learning.learning_rate": 0.05, "device.array.tile_rows": 6,
}  # fmt: skip


@pytest.mark.parametrize("noise", ["additive", "proportional"])
@pytest.mark.parametrize("rounding", ["nearest", "stochastic"])
@pytest.mark.parametrize("wires", [{}, WIRED], ids=["ideal wires", "wired"])
def test_inference_changes_nothing_and_does_not_depend_on_threads(
    wires: dict[str, Any], rounding: str, noise: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    fields = {**NOISY_CHIP, **wires, "chip.states.rounding": rounding, "device.array.read_noise": noise}
    rule = trained([20, 12], fields)
    bank = rule.store.crossbar.bank
    before, shares, sums = rule.state(), bank.shares.copy(), bank.row_sums.copy()
    samples = random_samples(rule.spec, 9, 40)[0]
    outputs, counts = rule.infer(samples), rule.inference_counts()
    assert outputs.any() and len(np.unique(outputs, axis=0)) > 5
    for size, threads in ((512, 2), (512, 3), (1, 3), (7, 2), (7, 1)):
        monkeypatch.setattr(rules_base, "INFERENCE_CHUNK", size)
        assert np.array_equal(rule.infer(samples, threads), outputs), (size, threads)
        assert rule.inference_counts() == counts
    assert same(rule.state(), before)
    assert np.array_equal(bank.shares, shares) and np.array_equal(bank.row_sums, sums)
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
    assert whole.store.crossbar.cells.pulses.any()
    kept = whole.state()
    assert all(isinstance(array, np.ndarray) and array.dtype != object for array in kept.values()), "not for a file"
    fresh = EqProp(whole.spec)
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
    rule.store.layers[0].tally[layout.READ_SHARE] = 3**60
    fresh = EqProp(rule.spec)
    fresh.restore(rule.state())
    assert fresh.store.layers[0].tally == rule.store.layers[0].tally
    learn(fresh, *random_samples(rule.spec, 1, 2))
    assert fresh.store.layers[0].tally[layout.READ_SHARE] > 3**60
    assert fresh.counts()["cell_read_share"] == fresh.store.layers[0].tally[layout.READ_SHARE]


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
        EqProp(rule.spec).restore(state | {"cells_state": spoil(state)})


@pytest.mark.parametrize("device", MODELS, ids=named)
def test_a_rest_changes_what_is_read_and_leaves_no_trace(device: dict[str, Any]) -> None:
    rule = trained([9, 7], {**NOISY_CHIP, **device})
    before, weights = rule.state(), rule.chip.weights.copy()
    row_sums, shares = rule.store.crossbar.bank.row_sums.copy(), rule.store.crossbar.bank.shares.copy()
    samples = random_samples(rule.spec, 3, 5)[0]
    outputs = rule.infer(samples)
    with rule.rested(0.0):
        if not {"drift", "flicker_noise", "read_noise"} & set(rule.store.crossbar.model.non_idealities):
            assert np.array_equal(rule.chip.weights, weights), "no time has passed"
    with pytest.raises(ZeroDivisionError), rule.rested(1e6):
        drifts = {"drift", "retention"} & set(rule.store.crossbar.model.non_idealities)
        assert np.array_equal(rule.chip.weights, weights) != bool(drifts)
        rule.infer(samples)
        _ = 1 // 0
    assert same(rule.state(), before)
    assert np.array_equal(rule.store.crossbar.bank.row_sums, row_sums)
    assert np.array_equal(rule.store.crossbar.bank.shares, shares)
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
    assert isinstance(rule, EqProp)
    start = rule.chip.weights.copy()
    assert len(np.unique(start)) > 1, "the starting weights differ"
    samples, labels = random_samples(spec, 0, 8)
    chip.learn(samples, labels)
    wear = rule.wear()
    assert wear["model"] == rule.store.crossbar.model.name == model
    assert wear["writes_total"] == wear["pulses_up"] + wear["pulses_down"] > 0
    assert sum(wear["writes_histogram"].values()) == wear["cells"] == (126 if mapping == "pair" else 63)
    assert not np.array_equal(rule.chip.weights, start)
    assert np.isfinite(rule.store.crossbar.cells.visible).all()
    assert chip.infer(samples).shape == (8, 7)
    fresh = Chip(spec)
    fresh.restore(chip.state())
    assert same(fresh.state(), chip.state())


@pytest.mark.parametrize("name", WRAPPED)
def test_a_device_around_a_device_is_pulsed_as_a_whole(name: str) -> None:
    """Not only its inside: a wrapped step law is handed over."""
    rule = trained([9, 7], {"device.model": "EcRam", "device.parameters": {name: WRAPPED[name]}}, count=1)
    assert not rule.store.crossbar.stepped
    assert name in rule.store.crossbar.model.non_idealities


def test_stuck_cells_stay_and_are_paid_for() -> None:
    fields = {"device.model": "EcRam", "device.parameters": {"stuck_at": {"lrs_fraction": 0.3}}}
    fresh = EqProp(spec_of([9, 7], {**fields, "learning.learning_rate": 0.05}))
    stuck = fresh.store.crossbar.cells.spread[:, -1] != 0
    assert 5 < stuck.sum() < 40
    before = fresh.store.crossbar.cells.visible.copy()
    learn(fresh, *random_samples(fresh.spec, 0, 20))
    cells = fresh.store.crossbar.cells
    assert np.array_equal(cells.visible[stuck], before[stuck])
    assert not np.array_equal(cells.visible[~stuck], before[~stuck])
    assert cells.pulses[stuck].sum() > 0
    assert tally_of(fresh)["pulses_up"] + tally_of(fresh)["pulses_down"] == cells.pulses.sum()


def test_reading_of_the_oracle_has_the_same_formats() -> None:
    """Guards the oracle: the numbers that it derives itself are those that the kernels use."""
    rule = EqProp(spec_of([9, 7], {**PLAIN, "device.array.adc_range": 0.25, "device.array.adc_bits": 7}))
    frac = rule.plan.drive_right + 8
    reading = Reading(rule.spec.plain(), cell_of(rule.store.crossbar), frac)
    sensing, bank = rule.store.crossbar.sensing, rule.store.crossbar.bank
    assert (reading.one, reading.reference) == (bank.one, bank.reference) == (8192, 4096)
    assert reading.planes == bank.planes == 1
    assert (reading.scale, reading.highest, reading.times) == (sensing.scale, sensing.highest, 1 << sensing.left)
    assert sensing.highest == 63 and reading.times == 2 ** (frac - 8)
