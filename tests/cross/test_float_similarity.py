"""A chip that matches similarities against the float64 one: rounding is all that parts them.

The bounds are derived (docs/explanation/similarity_arithmetic.md §7), neuron by neuron. The float chip itself is held
to worked examples of the rule (package pynsm, to six digits).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from edgesdt.kernels.layout import ACCUMULATOR_SATURATIONS
from edgesdt.reference.float_similarity import Constants, FloatSimilarity, Reals, settled
from edgesdt.rules.similarity import registers
from edgesdt.rules.similarity.rule import Similarity
from edgesdt.spec import Spec
from tests.small_chips import random_samples, spec_of

RAW: dict[str, Any] = {
    "learning.rule": "similarity", "learning.centring.enabled": False, "learning.learning_rate": 0.05,
    "learning.tau": 0.5, "learning.settling.steps": 400, "learning.labels.classes": 2, "learning.labels.rate": 0.1,
}  # fmt: skip
X = np.array([1.0, 0.5, 0.2])


def example(fields: dict[str, Any]) -> FloatSimilarity:
    """The float chip of the worked examples: three inputs, two neurons."""
    spec = spec_of([3, 2], RAW | fields)
    chip = FloatSimilarity(spec, [np.array([[0.4, 0.2], [0.1, 0.5], [0.3, -0.1]])], Constants.asked(spec))
    chip.lateral[0] = np.array([[1.0, 0.5], [0.5, 1.2]])
    return chip


@pytest.mark.parametrize("solver", ["gauss_seidel", "damped"])
def test_the_float_chip_is_the_worked_example(solver: str) -> None:
    chip = example({"learning.settling.solver": solver, "learning.settling.dt": 0.2})
    chip.learn(X)
    assert chip.drives[0] == pytest.approx([0.51, 0.43], abs=1e-9)
    assert chip.states[0] == pytest.approx([0.417895, 0.184211], abs=1e-6)
    wanted = np.array([[0.401789, 0.110895, 0.278358], [0.198421, 0.459211, -0.086316]])
    assert pytest.approx(wanted, abs=1e-6) == chip.weights[0].T
    assert chip.lateral[0] == pytest.approx(np.array([[0.917464, 0.457698], [0.457698, 1.083393]]), abs=1e-6)


@pytest.mark.parametrize(("steps", "states"), [(1, (0.102, 0.086)), (2, (0.175, 0.14116)), (3, (0.227884, 0.175782))])
def test_damped_steps_of_the_worked_example(steps: int, states: tuple[float, float]) -> None:
    chip = example({})
    assert settled(X @ chip.weights[0], chip.lateral[0], "damped", steps, 0.2, 8.0) == pytest.approx(states, abs=1e-6)


def test_a_clipped_neuron_of_the_worked_example() -> None:
    chip = example({})
    chip.learn(np.array([0.1, 1.0, -0.5]))
    assert chip.states[0] == pytest.approx([0.0, 0.475])
    assert pytest.approx(np.array([[0.36, 0.09, 0.27], [0.18475, 0.4975, -0.11375]])) == chip.weights[0].T
    assert chip.lateral[0] == pytest.approx(np.array([[0.9, 0.45], [0.45, 1.102562]]), abs=1e-6)


def test_a_label_of_the_worked_example() -> None:
    chip = example({"learning.target": "label"})
    chip.labels[0] = np.array([[0.3, 0.0], [-0.2, 0.4]])  # a row for each class
    chip.learn(X, label=1)
    assert chip.drives[0] == pytest.approx([0.31, 0.83])
    assert chip.states[0] == pytest.approx([0.0, 0.691667], abs=1e-6)
    wanted = np.array([[0.36, 0.09, 0.27], [0.249167, 0.484583, -0.076167]])
    assert pytest.approx(wanted, abs=1e-6) == chip.weights[0].T
    assert chip.labels[0] == pytest.approx(np.array([[0.3, 0.0], [-0.18, 0.429167]]), abs=1e-6)


def twin_of(rule: Similarity) -> FloatSimilarity:
    """The float chip with the state of this one."""
    spec, form = rule.spec, rule.spec.learning
    depth, one = len(spec.chip.layers) - 1, float(registers.ONE)
    gains, beside = rule.chip.gains[:depth] / one, rule.chip.gains[depth:] / one
    weights = [rule.weights(k) * 2.0**-spec.chip.weights.frac_bits / gains[k] for k in range(depth)]
    twin = FloatSimilarity(spec, weights, Constants.held(spec))
    for k, n in enumerate(spec.chip.layers[1:]):
        twin.lateral[k] = rule.lateral(k + 1) * 2.0**-form.lateral.frac_bits / beside[k]
        if len(rule.chip.labels):
            place = int(rule.plan.first_label[k])
            codes = rule.chip.labels[place : place + twin.labels[k].size].reshape(-1, n)
            twin.labels[k] = codes * lsb_of(spec, 1)
    return twin


def lsb_of(spec: Spec, layer: int) -> float:
    """The LSB of a code of a layer."""
    inside = 0 if layer == 0 else spec.learning.integer_bits
    return 2.0 ** (inside - (spec.encoder.bits if layer == 0 else spec.chip.states.bits))


def rounded_mean(rule: Similarity, k: int) -> Reals:
    """The means of layer k as they are taken off."""
    start, right = int(rule.plan.first_input[k]), int(rule.plan.mean_right[k])
    codes = rule.chip.mean[start : start + rule.spec.chip.layers[k]].astype(np.int64)
    found: Reals = ((codes + (1 << right >> 1)) >> right) * lsb_of(rule.spec, k)
    return found


KINDS: dict[str, dict[str, Any]] = {
    "8 bits": {},
    "16 bits": {
        "chip.weights.bits": 16, "chip.weights.frac_bits": 13, "chip.states.bits": 12,
        "learning.lateral.bits": 14, "learning.lateral.frac_bits": 10,
    },
    "label": {"learning.target": "label"},
}  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_each_sample_is_within_the_bound(kind: str) -> None:
    """From the same weights: drives, states, and every change of a weight, a lateral weight and a label's vector."""
    spec = spec_of(
        [20, 12],
        {
            "learning.rule": "similarity", "learning.learning_rate": 0.02, "chip.weights.frac_bits": 6,
            "chip.weights.init_gain": 2.0, "learning.settling.steps": 400, "learning.integer_bits": 2,
            "learning.lateral.bits": 8, "learning.lateral.frac_bits": 6,
        }
        | KINDS[kind],
    )  # fmt: skip
    rule, y_lsb = Similarity(spec), lsb_of(spec, 1)
    a_lsb = y_lsb * 2.0**-spec.learning.lateral.frac_bits
    samples, labels = random_samples(spec, 5, 40)
    labels %= spec.learning.labels.classes
    moved, compared = 0, 0
    for t in range(len(samples)):
        before, gain = twin_of(rule), rule.chip.gains[1] / registers.ONE
        rule.learn(samples, labels, np.arange(t, t + 1), 0)
        after, codes, mean = twin_of(rule), rule.chip.states.astype(np.int64), rounded_mean(rule, 0)
        centred = samples[t] * lsb_of(spec, 0) - mean
        drive = centred @ before.weights[0]
        drive = drive + before.labels[0][labels[t]] if spec.learning.target == "label" else drive
        held = before.lateral[0] * gain  # as the chip holds it, over the LSB of 1
        top = (2**spec.chip.states.bits - 1) * y_lsb
        exact = settled(drive, before.lateral[0], "gauss_seidel", 4000, 0.1, top)
        apart = np.abs(drive * gain) / a_lsb  # residuals at the start
        own = np.diag(held) * 2.0**spec.learning.lateral.frac_bits
        wrong = (own * (0.5 + 2.0**-14 * (1 + apart / own)) + 0.5 + apart * 2.0**-15) * a_lsb
        least = float(np.linalg.eigvalsh(held)[0])
        off = np.linalg.norm(codes * y_lsb - exact)
        if least > 0.05:
            compared += 1
            assert off <= np.linalg.norm(wrong) / least
        # what is moved, from the states that the chip really has
        y, c, gains = codes * y_lsb, before.constants, rule.chip.gains / registers.ONE
        lsb, beside = 2.0**-spec.chip.weights.frac_bits / gains[0], 2.0**-spec.learning.lateral.frac_bits / gains[1]
        slack = 2.0 ** (1 - spec.chip.constants.bits)
        for now, old, rate, product, step in (
            (after.weights[0], before.weights[0], c.feed[0], np.outer(centred, y), lsb),
            (after.lateral[0], before.lateral[0], c.lateral[0], np.outer(y, y), beside),
        ):
            wanted = old + rate * (product - old)
            halved = step * 1.5  # a halving rounds once more
            assert (np.abs(now - wanted) <= rate * slack * (np.abs(product) + np.abs(old)) + step + halved).all()
            moved += int((now != old).sum())
        if spec.learning.target == "label":
            v = before.labels[0].copy()
            v[labels[t]] += c.label * (y - v[labels[t]])
            assert (np.abs(after.labels[0] - v) <= y_lsb).all()
    assert compared > 10 and moved > 50
    assert rule.work.events[ACCUMULATOR_SATURATIONS, 1] == 0
