"""Chips that learn by backpropagation with layers on cells, against plain Python; their state, counts and prices."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgesdt.chip.simulated import Chip
from edgesdt.pricing import bill
from edgesdt.rules.backprop.rule import Backprop
from edgesdt.rules.lookup import memory_map, rule_of
from edgesdt.runs.preview import preview
from edgesdt.spec import Spec
from tests.cell_chips import MAPPINGS, assert_cells_are, cell_of, learn, same, without_chance
from tests.oracle_backprop_cells import OracleBackpropOnCells
from tests.small_backprop import arrays_of, events_of
from tests.small_chips import flat, random_samples, spec_of

pytestmark = pytest.mark.slow  # its kernels alone compile for minutes; those of equilibrium propagation run always


def twins(spec: Spec, epoch: int = 0) -> tuple[Backprop, OracleBackpropOnCells]:
    """A fresh chip and the oracle's."""
    rule = Backprop(spec)
    cells = {each.layer: cell_of(each.crossbar) for each in rule.store.layers}
    oracle = OracleBackpropOnCells(copy.deepcopy(spec.plain()), cells, epoch)
    oracle.draw_weights()
    return rule, oracle


def assert_twins(rule: Backprop, oracle: OracleBackpropOnCells) -> None:
    """Every array of the chip, every cell, every event and every tally is the same."""
    assert_cells_are(rule.store.layers, oracle)
    arrays = {name: array.tolist() for name, array in rule.chip._asdict().items()}
    codes = [code for layer in range(oracle.top) for code in flat(oracle.codes_of(layer))]
    assert arrays == arrays_of(oracle) | {"weights": codes}
    assert events_of(rule.work.events) == oracle.counted()


@st.composite
def chips(draw: st.DrawFn) -> tuple[list[int], dict[str, Any]]:
    """One or two weight layers, on cells or one of the two in memory; cells without chance."""

    def one_of(*values: Any) -> Any:
        return draw(st.sampled_from(values))

    def device(layer: int) -> dict[str, Any]:
        plain = without_chance(one_of("Idealized", "GokmenVlasov", "ReRamSB"))
        array = {
            "mapping": one_of(*MAPPINGS), "verify_rounds": one_of(1, 3), "weight_per_range": 3.0,
            "programming": one_of("pulses", "verify", *(["coincidence"] if layer == 0 else [])),
            "tile_rows": one_of(3, 256), "tile_columns": one_of(2, 5, 256), "adc_bits": one_of(4, 9, 12),
            "adc_range": one_of(0.25, 1.0, 8.0), "dac_bits": one_of(3, 5, 8),
        }  # fmt: skip
        return {
            "model": plain["device.model"], "off": plain["device.off"] + one_of([], ["adc"], ["dac"]), "array": array
        }  # fmt: skip

    own, sizes = draw(st.booleans()), list(one_of([9, 7], [5, 4, 3], [9, 6, 4]))
    stack = one_of(("cells", "cells"), ("cells", "sram"), ("sram", "cells")) if len(sizes) > 2 else ("cells",)
    fields = {
        "learning.rule": "backprop",
        "device.layers": {str(k): device(k) if what == "cells" else "sram" for k, what in enumerate(stack)},
        "chip.weights.init_gain": one_of(0.5, 1.0),
        "chip.weights.frac_bits": one_of(3, 8, 12),
        "seed": draw(st.integers(0, 2**32 - 1)),
        "epochs": one_of(1, 3),
        "encoder.bits": one_of(4, 8),
        "chip.states.bits": one_of(4, 8, 12),
        "chip.states.rounding": one_of("nearest", "floor"),
        "chip.biases.enabled": draw(st.booleans()),
        "chip.biases.rounding": one_of("nearest", "stochastic"),
        "chip.accumulator.bits": one_of(16, 32),
        "chip.constants.bits": one_of(3, 8),
        "chip.random.lanes": one_of(1, 4, 32),
        "learning.target": "self_defined" if own else "label",
        "learning.loss": one_of("mse", "cross_entropy"),
        "learning.winners": 2,
        "learning.learning_rate": one_of(0.02, 0.3),
        "learning.activation.hidden": one_of("clamp", "hard_sigmoid"),
        "learning.activation.derivative": one_of("exact", "inward"),
        "learning.errors.bits": one_of(6, 12, 16),
        "learning.errors.frac_bits": one_of(3, 8, 11),
        "learning.dropout.input": one_of(0.0, 0.3),
        "learning.dropout.output": one_of(0.0, 0.2) if own else 0.0,
    }
    return sizes, fields


@settings(max_examples=40, deadline=None, derandomize=True)
@given(chip=chips(), epoch=st.integers(0, 2))
def test_a_chip_on_cells_equals_the_oracle(chip: tuple[list[int], dict[str, Any]], epoch: int) -> None:
    """Starting weights, learning and inference: every array, every cell, every event and every tally."""
    spec = spec_of(*chip)
    rule, oracle = twins(spec, epoch % spec.epochs)
    assert_twins(rule, oracle)
    samples, labels = random_samples(spec, spec.seed, 3)
    learn(rule, samples, labels, epoch % spec.epochs)
    oracle.learn_stream(samples.tolist(), labels.tolist())
    assert_twins(rule, oracle)
    assert rule.infer(samples[:2]).tolist() == [oracle.infer(x) for x in samples[:2].tolist()]


def test_the_oracle_sends_errors_back_through_cells() -> None:
    """Guards the comparison above: reads of either direction and pulses do happen."""
    plain = without_chance("Idealized")
    device = {"model": "Idealized", "off": plain["device.off"], "array": {"dac_bits": 5}}
    fields = {
        "learning.rule": "backprop", "device.layers": {"0": device, "1": device}, "learning.target": "label",
        "learning.learning_rate": 0.2,
    }  # fmt: skip
    _, oracle = twins(spec_of([9, 6, 4], fields))
    samples, labels = random_samples(spec_of([9, 6, 4], fields), 1, 10)
    oracle.learn_stream(samples.tolist(), labels.tolist())
    forward, back = oracle.arrays[1].reading.tally, oracle.back[1]
    assert forward["reads"] >= 10 and back["reads"] >= 10 and back["read_share"] != 0
    assert min(forward["pulses_up"], forward["pulses_down"]) > 20


EC_RAM: dict[str, Any] = {
    "model": "EcRam",
    "array": {"read_noise": "additive", "read_noise_sd": 0.02, "output_noise": 0.7, "tile_rows": 6},
}
STACKS: dict[str, dict[str, Any]] = {
    "both": {"0": EC_RAM, "1": EC_RAM},
    "lowest": {"0": EC_RAM, "1": "sram"},
    "not compiled": {"0": EC_RAM, "1": {"model": "Ag_aSi", "parameters": {"read_noise": 0.1}}},
}


def trained(stack: dict[str, Any], count: int = 20) -> Chip:
    """A noisy chip that has learned from random samples."""
    fields = {
        "learning.rule": "backprop", "device.layers": stack, "learning.target": "label",
        "learning.learning_rate": 0.1,
    }  # fmt: skip
    chip = Chip(spec_of([20, 8, 4], fields))
    learn(chip.rule, *random_samples(chip.spec, 0, count))
    return chip


@pytest.mark.parametrize("stack", STACKS.values(), ids=STACKS)
def test_a_restored_chip_goes_on_bit_for_bit(stack: dict[str, Any]) -> None:
    whole = trained(stack)
    for each in whole.rule.store.layers:
        assert each.crossbar.cells.pulses.any()
    kept, fresh = whole.state(), Chip(whole.spec)
    fresh.restore(kept)
    samples, labels = random_samples(whole.spec, 3, 6)
    for chip in (whole, fresh):
        learn(chip.rule, samples, labels)
    assert same(fresh.state(), whole.state()) and not same(kept, whole.state())
    assert np.array_equal(fresh.rule.infer(samples, 2), whole.rule.infer(samples))
    assert fresh.counts() == whole.counts() and fresh.rule.wear() == whole.rule.wear()


@pytest.mark.parametrize("stack", [STACKS["both"], STACKS["lowest"]], ids=["both", "lowest"])
def test_reads_in_both_directions_are_counted_and_priced(stack: dict[str, Any]) -> None:
    """Errors go down the columns of the upper array; a layer in memory keeps its products."""
    chip = trained(stack)
    counts, on_cells = chip.counts(), len(chip.rule.store.layers) == 2
    assert counts["array_read"] == 20
    assert (counts["mac"] == 0) == (counts["back_mac"] == 0) == (counts["weight_write"] == 0) == on_cells
    if on_cells:
        assert counts["layer_1.array_read_back"] >= 20 and counts["layer_1.column_drive"] > 0
    found = bill.bill(chip.spec, counts, memory_map(chip.spec).plain(), bill.technology(chip.spec))
    assert ("DAC and columns" in found.energy_j) == on_cells and found.energy_j["cell pulses"] > 0
    assert ("weight memory" in found.energy_j) == (not on_cells)


@pytest.mark.parametrize("layers", [[20, 8, 4], [20, 4]])
def test_what_is_predicted_has_every_action(layers: list[int]) -> None:
    fields = {"learning.rule": "backprop", "learning.target": "label", "device.model": "EcRam"}
    chip = Chip(spec_of(layers, fields))
    learn(chip.rule, *random_samples(chip.spec, 0, 3))
    assert rule_of(chip.spec).expected(chip.spec, True, _assumed()).keys() == chip.counts().keys()
    assert "on EcRam" in preview(chip.spec)


def _assumed() -> Any:
    from edgesdt.rules.activity import ASSUMED

    return ASSUMED
