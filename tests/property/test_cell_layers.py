"""Chips of several weight layers, on cells, in memory or both, against plain Python; and the laws of their state."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgesdt.chip.simulated import Chip
from edgesdt.rules.eqprop.rule import EqProp
from edgesdt.spec import Spec, layers
from edgesdt.synapses.memory import MemoryStore
from tests.cell_chips import MAPPINGS, TIMID, assert_cells_are, cell_of, learn, named_tally, same, without_chance
from tests.oracle_layers import OracleLayers
from tests.small_chips import flat, named_events, oracle_arrays, random_samples, spec_of


def twins(spec: Spec, epoch: int = 0) -> tuple[EqProp, OracleLayers]:
    """A fresh chip and the oracle's."""
    rule = EqProp(spec)
    cells = {each.layer: cell_of(each.crossbar) for each in rule.store.layers}
    oracle = OracleLayers(copy.deepcopy(spec.plain()), cells, epoch)
    oracle.draw_weights()
    return rule, oracle


def assert_twins(rule: EqProp, oracle: OracleLayers) -> None:
    """Every array of the chip, every cell, every event and every tally is the same."""
    assert_cells_are(rule.store.layers, oracle)
    arrays = {name: array.tolist() for name, array in rule.chip._asdict().items()}
    codes = [code for layer in range(oracle.top) for code in flat(oracle.codes_of(layer))]
    assert arrays == oracle_arrays(oracle) | {"weights": codes}
    assert named_events(rule.work.events) == oracle.counted()


@st.composite
def chips(draw: st.DrawFn) -> tuple[list[int], dict[str, Any]]:
    """Layers and fields of a chip with one layer on cells without chance, or more."""

    def one_of(*values: Any) -> Any:
        return draw(st.sampled_from(values))

    def device(layer: int) -> dict[str, Any]:
        plain = without_chance(one_of("Idealized", "GokmenVlasov", "ReRamSB"))
        off = plain["device.off"] + one_of([], [], ["adc"], ["dac"])
        programming = one_of("pulses", "verify", *(["coincidence"] if layer == 0 else []))
        array = {
            "mapping": one_of(*MAPPINGS), "programming": programming, "verify_rounds": one_of(1, 3),
            "tile_rows": one_of(3, 256), "tile_columns": one_of(2, 5, 256), "adc_bits": one_of(4, 9, 12),
            "adc_range": one_of(0.25, 1.0, 8.0), "dac_bits": one_of(3, 5, 8),
        }  # fmt: skip
        array |= one_of({}, {"weight_per_range": 3.0})
        return {"model": plain["device.model"], "off": off, "array": array}

    own, sizes = draw(st.booleans()), list(one_of([5, 4, 3], [9, 6, 4], [6, 5, 4, 3]))
    # one layer on cells or two: each number is a type of its own, which takes seconds to compile
    several = st.lists(st.booleans(), min_size=len(sizes) - 1, max_size=len(sizes) - 1)
    on_cells = draw(several.filter(lambda cells: 0 < sum(cells) < 3))
    fields = {
        "device.layers": {str(k): device(k) if cells else "sram" for k, cells in enumerate(on_cells)},
        "chip.weights.init_gain": one_of(0.5, 1.0),
        "chip.weights.frac_bits": one_of(3, 8, 12),
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
        "learning.loss": one_of("mse", "cross_entropy"),
        "learning.learning_rate": one_of(0.005, 0.1),
        "learning.beta": one_of(0.25, 1.0),
        "learning.beta_sign": one_of("random", "positive", "symmetric"),
        "learning.free_steps": one_of(3, 12),
        "learning.nudged_steps": one_of(1, 6),
        "learning.dropout.input": one_of(0.0, 0.3),
        "learning.dropout.output": one_of(0.0, 0.2) if own else 0.0,
    }
    return sizes, fields


@settings(max_examples=40, deadline=None, derandomize=True)
@given(chip=chips(), epoch=st.integers(0, 2))
def test_a_chip_of_several_layers_equals_the_oracle(chip: tuple[list[int], dict[str, Any]], epoch: int) -> None:
    """Starting weights, learning and inference: every array, every cell, every event and every tally."""
    sizes, fields = chip
    spec = spec_of(sizes, fields)
    rule, oracle = twins(spec, epoch % spec.epochs)
    assert_twins(rule, oracle)
    samples, labels = random_samples(spec, spec.seed, 3)
    learn(rule, samples, labels, epoch % spec.epochs)
    oracle.learn_stream(samples.tolist(), labels.tolist())
    assert_twins(rule, oracle)
    before = [(dict(array.reading.tally), dict(oracle.back[k])) for k, array in oracle.arrays.items()]
    assert rule.infer(samples[:2]).tolist() == [oracle.infer(x) for x in samples[:2].tolist()]
    shown = rule.store.tallies(inference=True)
    for (tally, back), (forward, backward), k in zip(shown, before, oracle.arrays, strict=True):
        now = oracle.arrays[k].reading.tally, oracle.back[k]
        for found, then, after in ((tally, forward, now[0]), (back, backward, now[1])):
            assert named_tally(found) == {name: after[name] - then[name] for name in after}


def test_the_oracle_reads_arrays_in_both_directions_and_moves_cells() -> None:
    """Guards the comparison above: reads of either direction, digits, clipped codes and pulses do happen."""
    plain = without_chance("Idealized")
    device = {"model": "Idealized", "off": plain["device.off"], "array": {"dac_bits": 5, "adc_range": 0.25}}
    fields = {"device.layers": {"0": device, "1": device}, "learning.target": "label", "learning.learning_rate": 0.1}
    _, oracle = twins(spec_of([9, 6, 4], fields))
    samples, labels = random_samples(spec_of([9, 6, 4], fields), 1, 10)
    oracle.learn_stream(samples.tolist(), labels.tolist())
    forward, back = oracle.arrays[1].reading.tally, oracle.back[1]
    assert min(forward["reads"], back["reads"]) > 20
    assert min(forward["pulses_up"], forward["pulses_down"]) > 20
    assert back["read_share"] != 0


EC_RAM: dict[str, Any] = {
    "model": "EcRam",
    "array": {"read_noise": "additive", "read_noise_sd": 0.02, "output_noise": 0.7, "tile_rows": 6},
}
STACKS: dict[str, dict[str, Any]] = {
    "both": {"0": EC_RAM, "1": EC_RAM},
    "lowest": {"0": EC_RAM, "1": "sram"},
    "upper": {"0": "sram", "1": {**EC_RAM, "array": {**EC_RAM["array"], "mapping": "pair", "programming": "verify"}}},
    "two models": {"0": EC_RAM, "1": "PCM_Joshi"},
    "not compiled": {"0": "ENODe_lookup", "1": {"model": "Ag_aSi", "parameters": {"read_noise": 0.1}}},
}


def trained(stack: dict[str, Any], fields: dict[str, Any] | None = None, count: int = 12) -> EqProp:
    """A noisy chip that has learned from random samples."""
    own = {"device.layers": stack, "learning.target": "label", "learning.learning_rate": 0.05, **(fields or {})}
    rule = Chip(spec_of([20, 8, 4], own)).rule
    assert isinstance(rule, EqProp)
    learn(rule, *random_samples(rule.spec, 0, count))
    return rule


@pytest.mark.parametrize("stack", STACKS.values(), ids=STACKS)
def test_a_restored_chip_goes_on_bit_for_bit(stack: dict[str, Any]) -> None:
    whole = trained(stack)
    for each in whole.store.layers:
        assert each.crossbar.cells.pulses.any()
    kept = whole.state()
    assert all(isinstance(array, np.ndarray) and array.dtype != object for array in kept.values()), "not for a file"
    fresh = Chip(whole.spec).rule
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


@pytest.mark.parametrize("stack", [STACKS["both"], STACKS["upper"]], ids=["both", "upper"])
def test_inference_changes_nothing_and_does_not_depend_on_threads(
    stack: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    rule = trained(stack)
    before = rule.state()
    samples = random_samples(rule.spec, 9, 30)[0]
    outputs, counts = rule.infer(samples), rule.inference_counts()
    assert len(np.unique(outputs, axis=0)) > 5
    for size, threads in ((512, 2), (7, 3), (1, 1)):
        monkeypatch.setattr("edgesdt.rules.base.INFERENCE_CHUNK", size)
        assert np.array_equal(rule.infer(samples, threads), outputs), (size, threads)
        assert rule.inference_counts() == counts
    assert same(rule.state(), before)


def test_a_rest_changes_what_is_read_and_leaves_no_trace() -> None:
    fading = {"model": "EcRam", "parameters": {"retention": {"time_constant_s": 1e3}}}
    rule = trained({"0": fading, "1": fading})
    before, weights = rule.state(), rule.chip.weights.copy()
    samples = random_samples(rule.spec, 3, 5)[0]
    outputs = rule.infer(samples)
    with rule.rested(1e6):
        for layer in (0, 1):
            changed = rule.weights(layer).ravel() != rule.store.memory.block(weights, layer)
            assert changed.any()
        assert np.array_equal(rule.store.layers[1].turned, rule.weights(1).T.ravel())
    assert same(rule.state(), before)
    assert np.array_equal(rule.infer(samples), outputs)


@pytest.mark.parametrize("stack", STACKS.values(), ids=STACKS)
def test_what_reading_back_needs_follows_the_cells(stack: dict[str, Any]) -> None:
    """Transposed codes and sums of columns are those of the cells, after pulses of every kind."""
    rule = trained(stack)
    for each in rule.store.layers:
        if each.layer > 0:
            n0, n1 = each.crossbar.spec.chip.layers
            shares = each.crossbar.bank.shares.reshape(-1, n1, n0).astype(np.int64)
            assert np.array_equal(each.way.column_sums, shares.sum(axis=(0, 2)))
            assert np.array_equal(each.turned, rule.weights(each.layer).T.ravel())


def test_a_chip_whose_layers_all_lie_in_memory_is_the_digital_one() -> None:
    plain = spec_of([9, 6, 4], {"learning.target": "label"})
    named = spec_of([9, 6, 4], {"learning.target": "label", "device.layers": {"0": "sram", "1": "sram"}})
    assert named == plain
    assert isinstance(Chip(named).rule.store, MemoryStore)


def test_one_device_for_all_layers_is_each_layers_own() -> None:
    short = spec_of([9, 6, 4], {**TIMID, "learning.target": "label", "device.model": "EcRam"})
    long = spec_of([9, 6, 4], {**TIMID, "learning.target": "label", "device.layers": {"0": "EcRam", "1": "EcRam"}})
    assert short.device.layers == long.device.layers
    assert layers.on_cells(short) == (0, 1)
    a, b = (each.crossbar.cells.spread for each in EqProp(short).store.layers)
    assert not np.array_equal(a[: len(b)], b), "every layer has cells of its own"


def test_one_layer_named_by_number_is_the_short_form() -> None:
    fields = {**TIMID, "device.array.weight_per_range": 0.2}
    named = spec_of([9, 7], {**fields, "device.layers": {"0": "EcRam"}})
    assert named == spec_of([9, 7], {**fields, "device.model": "EcRam"})
