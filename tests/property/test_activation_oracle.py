"""The whole chip that learns by local competition against its oracle, bit for bit: every array and every event."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgesdt.spec import Spec
from tests.oracle_activation import root
from tests.small_activation import Pair, small, specs
from tests.small_chips import random_samples


def compared(spec: Spec, seed: int, epoch: int) -> None:
    """Both learn, then infer."""
    pair = Pair.started(spec, seed, epoch % spec.epochs)
    samples, labels = random_samples(spec, seed, 4)
    samples[1] = 0  # a black image has no norm
    pair.learn(samples, labels % spec.learning.label.classes)
    pair.assert_same()
    assert pair.rule.infer(samples).tolist() == [pair.oracle.infer(x) for x in samples.tolist()]


@settings(max_examples=25, deadline=None)
@given(spec=specs(narrow=False), seed=st.integers(0, 2**31), epoch=st.integers(0, 2))
def test_whole_samples(spec: Spec, seed: int, epoch: int) -> None:
    compared(spec, seed, epoch)


@settings(max_examples=10, deadline=None)
@given(spec=specs(narrow=True), seed=st.integers(0, 2**31))
def test_saturating_sums(spec: Spec, seed: int) -> None:
    compared(spec, seed, 0)


@pytest.mark.parametrize("feedback", [False, True])
def test_layers_wider_than_a_vector(feedback: bool) -> None:
    """Sums by the 8-bit dot product, in whole passes and not; a second layer that sees both signs."""
    fields = {"learning.feedback.enabled": feedback, "chip.weights.frac_bits": 9, "learning.label.copies": 6}
    compared(small([90, 83, 70], fields), 3, 0)


def test_the_oracle_takes_inverse_roots() -> None:
    """Within the bound of the page, over all that can be a sum of squares."""
    worst = 0.0
    for s in [*range(1, 3000), *(int(1.37**n) for n in range(20, 120))]:
        z, k, _ = root(s)
        worst = max(worst, abs(z * 2.0 ** -(23 + k) * float(s) ** 0.5 - 1.0))
    assert 1e-6 < worst < 1e-4
    assert root(0) == (0, 0, 0)


def test_saturation_really_happens() -> None:
    """Guards the comparison of narrow accumulators."""
    fields = {"chip.accumulator.bits": 16, "chip.weights.bits": 16, "chip.weights.frac_bits": 12}
    pair = Pair.started(small([9, 5, 6], fields), 5)
    samples, labels = random_samples(pair.rule.spec, 5, 4)
    pair.learn(samples, labels % 3)
    pair.assert_same()
    assert np.asarray(pair.oracle.events["accumulator_saturations"]).sum() > 10
