"""The whole chip that matches similarities against its oracle, bit for bit: every array and every event.

Random small specs; the layers of `test_blocks` are wider than what compiled loops take at once.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgesdt.rules.similarity.rule import Similarity
from edgesdt.spec import Spec
from tests.oracle_similarity import OracleSimilarity
from tests.small_chips import random_samples, spec_of
from tests.small_similarity import Pair, arrays_of, specs


def run_both(spec: Spec, seed: int, epoch: int, count: int) -> Pair:
    """Train and test the kernels and the oracle on the same samples, and compare after each stream."""
    pair = Pair.started(spec, seed, epoch % spec.epochs)
    samples, labels = random_samples(spec, seed, count)
    pair.learn(samples, labels % spec.learning.labels.classes)
    pair.assert_same()
    assert pair.rule.infer(samples[:2]).tolist() == [pair.oracle.infer(x) for x in samples[:2].tolist()]
    return pair


@settings(max_examples=120, deadline=None, derandomize=True)
@given(spec=specs(narrow=False), seed=st.integers(0, 2**32), epoch=st.integers(0, 4))
def test_chip_equals_the_oracle(spec: Spec, seed: int, epoch: int) -> None:
    run_both(spec, seed, epoch, count=5)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(spec=specs(narrow=True), seed=st.integers(0, 2**32), epoch=st.integers(0, 4))
def test_chip_with_narrow_accumulators_equals_the_oracle(spec: Spec, seed: int, epoch: int) -> None:
    run_both(spec, seed, epoch, count=4)


WIDE: dict[str, Any] = {"learning.rule": "similarity", "learning.learning_rate": 0.05, "learning.integer_bits": 2}


@pytest.mark.parametrize("layers", [[30, 40], [40, 35, 18]])
@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"learning.target": "label", "learning.settling.solver": "damped"},
        {"chip.weights.bits": 16, "chip.weights.rounding": "nearest", "chip.states.rounding": "floor"},
    ],
)
def test_blocks(layers: list[int], fields: dict[str, Any]) -> None:
    """More neurons than a vector has lanes, and gains that are halved on the way."""
    pair = run_both(spec_of(layers, WIDE | fields), 1, epoch=0, count=30)
    assert all(pair.oracle.events["halvings"][1:]) and all(pair.oracle.events["lateral_halvings"][1:])
    assert pair.oracle.events["weight_writes"][0] > 100


def test_the_start_is_that_of_the_page() -> None:
    spec = spec_of([9, 8, 5], {"learning.rule": "similarity", "chip.weights.frac_bits": 9, "learning.target": "label"})
    rule, oracle = Similarity(spec), OracleSimilarity(spec.plain())
    oracle.draw_weights()
    assert {name: array.tolist() for name, array in rule.chip._asdict().items()} == arrays_of(oracle)


def test_a_chip_at_rest_stays_there() -> None:
    """Any number of steps beyond the first that changes nothing gives the same outputs."""
    found = []
    for steps in (60, 400):
        rule = Similarity(spec_of([30, 40], WIDE | {"learning.settling.steps": steps}))
        samples, labels = random_samples(rule.spec, 2, 60)
        rule.learn(samples, labels, np.arange(60), 0)
        found.append(rule.infer(samples))
    assert np.array_equal(*found) and found[0].any()
