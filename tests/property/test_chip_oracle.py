"""The whole chip against the oracle, bit for bit: random small specs, several samples, every array and every event.

The layers are small, so that the oracle is quick; `test_blocks` has wider ones, for the kernels work in blocks.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgesdt.errors import SpecError
from edgesdt.rules.eqprop.rule import EqProp
from tests.chip_specs import specs
from tests.oracle import OracleChip
from tests.small_chips import assert_twins, flat, random_samples, spec_of, started, twin


def run_both(layers: list[int], fields: dict[str, Any], seed: int, epoch: int, count: int) -> None:
    """Train and test the kernels and the oracle on the same samples, and compare after each stream."""
    spec = spec_of(layers, fields)
    epoch = epoch % spec.epochs
    machine = started(spec, seed, epoch)
    oracle = twin(machine, epoch)
    samples, labels = random_samples(spec, seed, count)
    machine.learn(samples, labels)
    oracle.learn_stream(samples.tolist(), labels.tolist())
    assert_twins(machine, oracle)
    assert machine.infer(samples[:2]).tolist() == [oracle.infer(x) for x in samples[:2].tolist()]
    assert_twins(machine, oracle)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(chip=specs(narrow=False), seed=st.integers(0, 2**32), epoch=st.integers(0, 2))
def test_chip_equals_the_oracle(chip: tuple[list[int], dict[str, Any]], seed: int, epoch: int) -> None:
    run_both(*chip, seed, epoch, count=5)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(chip=specs(narrow=True), seed=st.integers(0, 2**32), epoch=st.integers(0, 2))
def test_chip_with_narrow_accumulators_equals_the_oracle(
    chip: tuple[list[int], dict[str, Any]], seed: int, epoch: int
) -> None:
    run_both(*chip, seed, epoch, count=4)


WIDE = {"learning.free_steps": 6, "learning.nudged_steps": 3, "learning.winners": 5, "chip.weights.frac_bits": 8}


@pytest.mark.parametrize("rounding", ["nearest", "stochastic"])
@pytest.mark.parametrize("layers", [[30, 70], [21, 66, 65]])
def test_blocks(layers: list[int], rounding: str) -> None:
    """More neurons than a block of 64 and more inputs than the eight rows of a pass."""
    fields = {**WIDE, "chip.states.rounding": rounding, "learning.learning_rate": 0.05}
    for seed in range(3):
        run_both(layers, fields, seed, epoch=0, count=3)


EXTREMES: dict[str, dict[str, Any]] = {
    "finest weights": {"chip.weights.frac_bits": 24, "chip.states.bits": 16},
    "finest weights, strong pull": {
        "chip.weights.frac_bits": 24, "chip.states.bits": 4, "learning.label_smoothing": 0.9,
    },
    "coarsest weights": {"chip.weights.frac_bits": -8},
    "coarsest weights, widest states, mini-batch": {
        "chip.weights.frac_bits": -8, "chip.states.bits": 16, "learning.batch": 3, "learning.learning_rate": 1e-6,
    },
    "finest biases on coarsest weights": {"chip.weights.frac_bits": -8, "chip.biases.frac_bits": 24},
    "coarsest biases on finest weights": {
        "chip.weights.frac_bits": 24, "chip.biases.frac_bits": -8, "chip.states.bits": 16,
    },
    "widest states in a large batch": {"chip.states.bits": 16, "learning.batch": 4096},
    "widest constants and states": {
        "chip.constants.bits": 10, "chip.states.bits": 16, "learning.dt": 0.24994, "chip.weights.frac_bits": 2,
        "learning.label_smoothing": 0.0,
    },
    "coarse homeostasis": {"learning.homeostasis.frac_bits": 8, "learning.homeostasis.gamma": 0.5},
    "homeostasis coarser than states": {"learning.homeostasis.frac_bits": 4, "chip.states.bits": 12},
    "widest homeostasis": {
        "learning.homeostasis.bits": 28, "learning.homeostasis.frac_bits": 24, "learning.homeostasis.gamma": 8.0,
    },
    "small dt": {"learning.dt": 1e-10},
    "smallest dt": {"learning.dt": 1e-310},
    "smallest beta": {"learning.beta": 1e-3, "learning.dt": 0.01},
    "small eta": {"learning.homeostasis.eta": 1e-13},
    "smallest eta": {"learning.homeostasis.eta": 1e-310},
    "smallest gamma": {"learning.homeostasis.gamma": 1e-310},
    "small rate": {"learning.learning_rate": 1e-14, "chip.weights.frac_bits": -2, "learning.batch": 4},
    "smallest rate": {"learning.learning_rate": 1e-310, "chip.weights.rounding": "nearest"},
    "no beta": {"learning.beta": 1e-30},
    "fastest": {"learning.learning_rate": 1.0, "learning.beta": 1e-3, "chip.weights.frac_bits": 24},
}  # fmt: skip


@pytest.mark.parametrize("fields", EXTREMES.values(), ids=EXTREMES)
@pytest.mark.parametrize("layers", [[5, 4], [5, 4, 3]])
def test_extreme_specs_are_exact_or_refused(layers: list[int], fields: dict[str, Any]) -> None:
    """Whatever a spec may say at the ends of its ranges, the chip computes it as defined, or the spec is an error."""
    strong = {"learning.beta": 2.0, "learning.winners": 2, "learning.free_steps": 8}
    try:
        spec_of(layers, strong | fields)
    except SpecError as refused:
        assert any(path in str(refused) for path in fields)
        return
    for seed, sign in enumerate(("random", "symmetric", "random")):
        run_both(layers, strong | fields | {"learning.beta_sign": sign}, seed, epoch=0, count=12)


@settings(max_examples=20, deadline=None, derandomize=True)
@given(seed=st.integers(0, 2**32 - 1), gain=st.sampled_from([0.0, 0.5, 8.0]), bits=st.sampled_from([2, 8, 16]))
def test_starting_weights_come_from_the_bank(seed: int, gain: float, bits: int) -> None:
    fields = {"seed": seed, "chip.weights.init_gain": gain, "chip.weights.bits": bits, "chip.random.lanes": 4}
    spec = spec_of([6, 5, 3], fields)
    rule, oracle = EqProp(spec), OracleChip(spec.plain())
    oracle.draw_weights()
    assert rule.chip.weights.tolist() == flat(oracle.weights)
    assert rule.chip.random.tolist() == oracle.bank.lanes
    samples, labels = random_samples(spec, seed, 3)
    rule.learn(samples, labels, np.arange(3), epoch=0)
    oracle.learn_stream(samples.tolist(), labels.tolist())
    assert rule.chip.weights.tolist() == flat(oracle.weights)
    assert rule.infer(samples).tolist() == [oracle.infer(x) for x in samples.tolist()]


@pytest.mark.parametrize("layers", [[30, 20], [8, 6, 4]])
def test_an_evaluation_changes_nothing(layers: list[int]) -> None:
    """Not even the bank where states take words from it; and the result does not depend on the threads."""
    rule = EqProp(spec_of(layers, {"chip.states.rounding": "stochastic", "chip.weights.frac_bits": 6}))
    samples, _ = random_samples(rule.spec, 1, 40)
    before = {name: array.copy() for name, array in rule.state().items()}
    outputs = rule.infer(samples)
    assert outputs.any()
    assert rule.infer(samples, threads=2).tolist() == outputs.tolist()
    assert all(np.array_equal(before[name], array) for name, array in rule.state().items())
