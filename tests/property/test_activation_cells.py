"""Chips that learn by local competition with layers on cells, against plain Python; their state, counts and prices."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgesdt.chip.simulated import Chip
from edgesdt.pricing import bill
from edgesdt.rules.activation.rule import ActivationLearning
from edgesdt.rules.activity import Seen
from edgesdt.rules.lookup import memory_map, rule_of
from edgesdt.spec import Spec
from tests.cell_chips import MAPPINGS, assert_cells_are, cell_of, learn, without_chance
from tests.oracle_activation_cells import OracleActivationOnCells
from tests.small_activation import arrays_of, events_of, small
from tests.small_chips import flat, random_samples

pytestmark = pytest.mark.slow  # its kernels alone compile for minutes; those of equilibrium propagation run always


def twins(spec: Spec, epoch: int = 0) -> tuple[ActivationLearning, OracleActivationOnCells]:
    """A fresh chip and the oracle's."""
    rule = ActivationLearning(spec)
    cells = {each.layer: cell_of(each.crossbar) for each in rule.store.layers}  # type: ignore[attr-defined]
    oracle = OracleActivationOnCells(copy.deepcopy(spec.plain()), cells, epoch)
    oracle.draw_weights()
    return rule, oracle


def assert_twins(rule: Any, oracle: OracleActivationOnCells) -> None:
    """Every array of the chip, every cell, every event and every tally is the same."""
    assert_cells_are(rule.store.layers, oracle)
    arrays = {name: array.tolist() for name, array in rule.chip._asdict().items()}
    codes = [code for layer in range(oracle.depth) for code in flat(oracle.codes_of(layer))]
    assert arrays == arrays_of(oracle) | {"weights": codes}
    assert events_of(rule.work.events) == oracle.counted()


@st.composite
def chips(draw: st.DrawFn) -> Spec:
    """One or two weight layers, on cells or one of the two in memory; cells without chance."""

    def one_of(*values: Any) -> Any:
        return draw(st.sampled_from(values))

    def device() -> dict[str, Any]:
        plain = without_chance(one_of("Idealized", "GokmenVlasov", "ReRamSB"))
        array = {
            "mapping": one_of(*MAPPINGS), "verify_rounds": one_of(1, 3), "weight_per_range": 3.0,
            "programming": one_of("pulses", "verify"), "tile_rows": one_of(3, 256), "tile_columns": one_of(2, 5, 256),
            "adc_bits": one_of(4, 9, 12), "adc_range": one_of(0.25, 1.0, 8.0), "dac_bits": one_of(3, 5, 8),
        }  # fmt: skip
        return {"model": plain["device.model"], "off": plain["device.off"] + one_of([], ["adc"]), "array": array}

    layers = list(one_of([7, 6], [9, 5, 6], [9, 5, 6]))
    stack = one_of(("cells", "cells"), ("cells", "sram"), ("sram", "cells")) if len(layers) > 2 else ("cells",)
    states = one_of(7, 8)
    fields = {
        "device.layers": {str(k): device() if what == "cells" else "sram" for k, what in enumerate(stack)},
        "chip.weights.bits": one_of(4, 8, 12),
        "chip.weights.frac_bits": one_of(3, 8, 12),
        "chip.weights.rounding": one_of("stochastic", "nearest"),
        "seed": draw(st.integers(0, 2**32 - 1)),
        "epochs": one_of(1, 3),
        "encoder.bits": one_of(4, 8),
        "chip.states.bits": states,
        "chip.states.rounding": one_of("nearest", "floor"),
        "chip.accumulator.bits": one_of(16, 32),
        "chip.constants.bits": one_of(3, 8),
        "chip.random.lanes": one_of(1, 4, 32),
        "learning.frac_bits": states,
        "learning.activation": one_of("abs", "ln_abs", "std_abs"),
        "learning.draws": one_of("lines", "weights"),
        "learning.learning_rate": one_of(0.02, 0.3),
        "learning.schedule.final": one_of(0.0, 0.5),
        "learning.errors.bits": one_of(9, 13),
        "learning.errors.frac_bits": one_of(6, 11),
    }
    return small(layers, fields)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(spec=chips(), epoch=st.integers(0, 2))
def test_a_chip_on_cells_equals_the_oracle(spec: Spec, epoch: int) -> None:
    """Starting weights, learning and inference: every array, every cell, every event and every tally."""
    rule, oracle = twins(spec, epoch % spec.epochs)
    assert_twins(rule, oracle)
    samples, labels = random_samples(spec, spec.seed, 3)
    labels %= oracle.classes
    learn(rule, samples, labels, epoch % spec.epochs)  # type: ignore[arg-type]
    oracle.learn_stream(samples.tolist(), labels.tolist())
    assert_twins(rule, oracle)
    assert rule.infer(samples[:2]).tolist() == [oracle.infer(x) for x in samples[:2].tolist()]


EC_RAM: dict[str, Any] = {
    "model": "EcRam",
    "array": {"read_noise": "additive", "read_noise_sd": 0.02, "output_noise": 0.7, "tile_rows": 6},
}
STACKS: dict[str, tuple[list[int], dict[str, Any]]] = {
    "all": ([9, 8, 7], {"0": EC_RAM, "1": EC_RAM}),
    "one of one": ([9, 8], {"0": EC_RAM}),
    "upper": ([9, 8, 7], {"0": "sram", "1": EC_RAM}),
}


def trained(name: str, style: str = "event_driven") -> Chip:
    """A chip that has learned from random samples."""
    layers, devices = STACKS[name]
    chip = Chip(small(layers, {"device.layers": devices, "chip.style": style}))
    samples, labels = random_samples(chip.spec, 1, 30)
    chip.learn(samples, labels % 3, 0)
    return chip


@pytest.mark.parametrize("name", list(STACKS))
def test_a_chip_goes_on_bit_for_bit(name: str) -> None:
    """After its state was kept, in whatever calls it learns and on however many threads it infers."""
    chip, other = trained(name), trained(name)
    samples, labels = random_samples(chip.spec, 2, 20)
    fresh = Chip(chip.spec)
    fresh.restore(chip.state())
    chip.learn(samples, labels % 3, 0)
    for start in range(0, 20, 7):
        fresh.learn(samples[start : start + 7], labels[start : start + 7] % 3, 0)
        other.learn(samples[start : start + 7], labels[start : start + 7] % 3, 0)
    states = [each.state() for each in (chip, fresh, other)]
    assert all(np.array_equal(states[0][part], state[part]) for state in states for part in states[0])
    assert np.array_equal(chip.infer(samples), other.rule.infer(samples, threads=2))
    assert all(np.array_equal(array, chip.state()[part]) for part, array in states[0].items())


@pytest.mark.parametrize("style", ["dense", "event_driven"])
@pytest.mark.parametrize("name", list(STACKS))
def test_what_was_seen_is_expected_again_and_has_a_price(name: str, style: str) -> None:
    chip = trained(name, style)
    chip.infer(random_samples(chip.spec, 3, 20)[0])
    rule, spec = rule_of(chip.spec), chip.spec
    seen = [Seen(samples, *chip.rule.happened(shown)) for samples, shown in ((30, False), (20, True))]
    activity = rule.observed(spec, seen[0], seen[1], "seen")
    for counts, samples, learning in ((chip.counts(), 30, True), (chip.rule.inference_counts(), 20, False)):
        expected = rule.expected(spec, learning, activity)
        assert expected.keys() == counts.keys()
        for action, count in counts.items():
            assert expected[action] == pytest.approx(count * 1000 / samples, rel=0.02, abs=70), action
    priced = bill.bill(spec, chip.counts(), memory_map(spec).plain(), bill.technology(spec))
    assert min(priced.energy_j.values()) >= 0 and priced.energy_j["ADC"] > 0


def test_reads_of_a_sample_by_hand() -> None:
    """All layers on cells: image and label on the rows, outputs of both signs on the columns of either array."""
    chip = Chip(small([9, 8, 7], {"device.layers": {"0": EC_RAM, "1": EC_RAM}}))
    samples, labels = random_samples(chip.spec, 1, 1)
    chip.learn(samples, labels % 3, 0)
    counts, tallies = chip.counts(), chip.rule.store.tallies()  # type: ignore[attr-defined]
    assert counts["array_read"] == 2, "image, label"
    assert counts["layer_1.array_read"] == 2, "signals above 0, signals below"
    assert counts["array_read_back"] == counts["layer_1.array_read_back"] == 2
    rows = 9 + 12
    assert counts["adc_conversion"] == 2 * 8 * -(-rows // 6) + 2 * rows
    assert counts["layer_1.adc_conversion"] == 2 * 7 * 2 + 2 * 8
    assert counts["mac"] == counts["reconstruction_mac"] == counts["weight_read"] == counts["weight_write"] == 0
    errors, outputs = (chip.rule.chip.errors[:rows] != 0).sum(), (chip.rule.chip.outputs[:8] != 0).sum()
    upper = int(events_of(chip.rule.work.events)["pairs"][1])
    assert counts["product_step"] == errors * outputs + upper
    assert tallies[0][0][10] > 0, "cells got pulses"
