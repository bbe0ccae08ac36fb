"""The whole chip that learns by SoftHebb against its oracle, bit for bit: every array and every event.

Random small specs; the layers of `test_blocks` are wider than the blocks in which the kernels work.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgesdt.kernels import lookups
from edgesdt.rules.softhebb.rule import SoftHebb
from edgesdt.spec import Spec
from tests.oracle_softhebb import OracleSoftHebb, place_of
from tests.small_chips import flat, random_samples
from tests.small_softhebb import Pair, softhebb, specs


def run_both(spec: Spec, seed: int, epoch: int, count: int) -> None:
    """Train and test the kernels and the oracle on the same samples, and compare after each stream."""
    pair = Pair.started(spec, seed, epoch % spec.epochs)
    samples, labels = random_samples(spec, seed, count)
    pair.learn(samples, labels)
    pair.assert_same()
    assert pair.rule.infer(samples[:2]).tolist() == [pair.oracle.infer(x) for x in samples[:2].tolist()]


@settings(max_examples=120, deadline=None, derandomize=True)
@given(spec=specs(narrow=False), seed=st.integers(0, 2**32), epoch=st.integers(0, 4))
def test_chip_equals_the_oracle(spec: Spec, seed: int, epoch: int) -> None:
    run_both(spec, seed, epoch, count=6)


@settings(max_examples=50, deadline=None, derandomize=True)
@given(spec=specs(narrow=True), seed=st.integers(0, 2**32), epoch=st.integers(0, 4))
def test_chip_with_narrow_accumulators_equals_the_oracle(spec: Spec, seed: int, epoch: int) -> None:
    run_both(spec, seed, epoch, count=4)


WIDE: dict[str, Any] = {"learning.centre.window_bits": 1, "chip.weights.init_gain": 4}
LABEL: dict[str, Any] = {**WIDE, "learning.target": "label", "learning.activation.range_bits": 1}
BATCH: dict[str, Any] = {**WIDE, "learning.batch": 2, "learning.normalisation": "maximum"}


@pytest.mark.parametrize("fields", [WIDE, LABEL, BATCH], ids=["none", "label", "maximum"])
@pytest.mark.parametrize("layers", [[30, 70, 9], [21, 66, 65]])
def test_blocks(layers: list[int], fields: dict[str, Any]) -> None:
    """More neurons than a block of 64 and more inputs than the eight rows of a pass."""
    for seed in range(2):
        run_both(softhebb(layers, fields), seed, epoch=0, count=5)


def test_starting_weights_and_norms_are_those_of_the_page() -> None:
    spec = softhebb([9, 8, 5], {"chip.weights.frac_bits": 8, "chip.weights.init_gain": 3})
    rule, oracle = SoftHebb(spec), OracleSoftHebb(spec.plain())
    oracle.draw_weights()
    assert rule.chip.weights.tolist() == flat(oracle.weights)
    assert rule.chip.norms.tolist() == flat(oracle.norms)
    assert rule.chip.random.tolist() == oracle.bank.lanes


def test_lookups_are_exact() -> None:
    """Lengths, roots and places at and around every power of two and square."""
    codes = sorted({max(2**k + d, 0) for k in range(51) for d in (-1, 0, 1)})
    codes += [max(n * n + d, 0) for n in (3, 46341, 2**25 - 1) for d in (-1, 0, 1)]
    for code in codes:
        assert lookups.bit_length(code) == code.bit_length()
        root = int(lookups.whole_root(np.int64(code)))
        assert root * root <= code < (root + 1) ** 2
        assert code == 0 or lookups.power_place(np.int64(code), 5, 640) == place_of(code)
