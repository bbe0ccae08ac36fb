"""The whole chip that learns by backpropagation against its oracle, bit for bit: every array and every event.

Random small specs; the layers of `test_blocks` are wider than the blocks in which the kernels work.
"""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgesdt.rules.backprop.rule import Backprop
from edgesdt.spec import Spec
from tests.oracle_backprop import OracleBackprop
from tests.small_backprop import Pair, specs
from tests.small_chips import flat, random_samples, spec_of


def run_both(spec: Spec, seed: int, epoch: int, count: int) -> None:
    """Train and test the kernels and the oracle on the same samples, and compare after each stream."""
    pair = Pair.started(spec, seed, epoch % spec.epochs)
    samples, labels = random_samples(spec, seed, count)
    pair.learn(samples, labels)
    pair.assert_same()
    assert pair.rule.infer(samples[:2]).tolist() == [pair.oracle.infer(x) for x in samples[:2].tolist()]


@settings(max_examples=120, deadline=None, derandomize=True)
@given(spec=specs(narrow=False), seed=st.integers(0, 2**32), epoch=st.integers(0, 2))
def test_chip_equals_the_oracle(spec: Spec, seed: int, epoch: int) -> None:
    run_both(spec, seed, epoch, count=5)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(spec=specs(narrow=True), seed=st.integers(0, 2**32), epoch=st.integers(0, 2))
def test_chip_with_narrow_accumulators_equals_the_oracle(spec: Spec, seed: int, epoch: int) -> None:
    run_both(spec, seed, epoch, count=4)


WIDE: dict[str, Any] = {"learning.rule": "backprop", "learning.winners": 5, "learning.learning_rate": 0.05}
LABEL: dict[str, Any] = {**WIDE, "learning.target": "label", "learning.loss": "cross_entropy"}


@pytest.mark.parametrize("fields", [WIDE, LABEL], ids=["self_defined", "label"])
@pytest.mark.parametrize("layers", [[30, 70], [21, 66, 65], [20, 40, 35, 18]])
def test_blocks(layers: list[int], fields: dict[str, Any]) -> None:
    """More neurons than a block of 64 and more inputs than the eight rows of a pass."""
    for seed in range(3):
        run_both(spec_of(layers, fields), seed, epoch=0, count=3)


def test_starting_weights_are_those_of_the_page() -> None:
    spec = spec_of([9, 8, 5], {"learning.rule": "backprop", "chip.weights.frac_bits": 9})
    rule, oracle = Backprop(spec), OracleBackprop(spec.plain())
    oracle.draw_weights()
    assert rule.chip.weights.tolist() == flat(oracle.weights)
    assert rule.chip.random.tolist() == oracle.bank.lanes
