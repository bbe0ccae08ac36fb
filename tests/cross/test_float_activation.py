"""A chip that learns by local competition against the float64 one, and that against the paper's equations by hand.

The bounds are derived (docs/explanation/activation_arithmetic.md §6), unit by unit.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from edgesdt.kernels.random_bank import seeded
from edgesdt.reference.float_activation import FloatActivation, Reals
from edgesdt.rules.activation.rule import ActivationLearning
from edgesdt.rules.activation.settings import settings
from tests.small_activation import small
from tests.small_chips import random_samples

FINE: dict[str, Any] = {
    "chip.weights.bits": 16, "chip.weights.frac_bits": 13, "chip.states.bits": 14, "learning.frac_bits": 12,
    "learning.errors.bits": 16, "learning.errors.frac_bits": 14, "learning.column_bits": 3, "chip.weights.init_gain": 1,
    "learning.learning_rate": 0.02,
}  # fmt: skip
ROOT = 1e-4


def by_hand(layers: list[int], classes: int, weights: Any, **fields: Any) -> FloatActivation:
    """The float chip with these weights, whose input is taken as it is."""
    spec = small(layers, {"learning.label.classes": classes, "learning.label.copies": 1, "learning.frac_bits": 6}
                 | {"learning.learning_rate": 0.1} | fields)  # fmt: skip
    twin = FloatActivation(spec, [np.array(weights)], [0.1])
    return twin


def test_one_update_of_the_worked_example(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three inputs and two units: x = (.6, 0, .8)."""
    twin = by_hand([1, 2], 2, [[0.5, -0.2], [0.1, 0.4], [-0.3, 0.6]])
    monkeypatch.setattr(twin, "shown", lambda x, label: np.array([0.6, 0.0, 0.8]))
    assert twin.activation(np.zeros(1), 0) == pytest.approx(0.1332)
    assert twin.outputs[0] == pytest.approx([0.06, 0.36])
    twin.learn(np.zeros(1), 0)
    assert twin.errors[0] == pytest.approx([0.642, -0.15, 0.602])
    moved = [[0.503852, -0.176888], [0.0991, 0.3946], [-0.296388, 0.621672]]
    assert np.allclose(twin.weights[0], moved, atol=1e-9)
    assert twin.activation(np.zeros(1), 0) == pytest.approx(0.157292, abs=1e-6)


def test_feedback_of_the_worked_example() -> None:
    """The image (.6, .8) and a label of two units; the wrong one is unlearned at the new weights."""
    fields = {"learning.feedback.enabled": True, "learning.feedback.margin": 0.25}  # (0.036 + .25) · 4 is above 1
    twin = by_hand([2, 2], 2, [[0.5, -0.2], [0.4 - 0.3, 0.4], [0.1, 0.2], [0.2, 0.1]], **fields)
    x = np.array([0.6, 0.8])
    assert twin.infer(x) == pytest.approx([0.3904, 0.4264])
    twin.learn(x, 0)
    moved = [[0.502389, -0.192369], [0.096385, 0.406632], [0.15076, 0.239619], [0.146808, 0.069724]]
    assert np.allclose(twin.weights[0], moved, atol=1e-6)


def test_activations_of_the_worked_example() -> None:
    y = np.array([0.3, -0.4, 1.2])
    twin = FloatActivation(small([4, 3, 2]), [])
    assert twin.sent_on(0, y) == pytest.approx([-0.621164, -0.434815, 1.055979], abs=1e-6)
    twin = FloatActivation(small([4, 3, 2], {"learning.activation": "std_abs"}), [])
    twin.means, twin.variances = [np.array([0.2, 0.3, 0.5])], [np.array([0.1, 0.1, 0.4])]
    assert twin.sent_on(0, y) == pytest.approx([0.344378, 0.344378, 1.205324], abs=1e-6)
    assert np.linalg.norm(twin.sent_on(0, y)) == pytest.approx(1.3)


def twin_of(rule: ActivationLearning) -> FloatActivation:
    """The float chip with the state of this one."""
    spec = rule.spec
    point, depth = settings(spec).frac_bits, len(spec.chip.layers) - 1
    twin = FloatActivation(spec, [rule.weights(k) * 2.0**-spec.chip.weights.frac_bits for k in range(depth)])
    if rule.chip.means.size:
        ends = np.cumsum(spec.chip.layers[1:-1])[:-1]
        twin.means = np.split(rule.chip.means * 2.0 ** -(point + 8), ends)
        twin.variances = np.split(rule.chip.variances * 2.0 ** -(2 * point + 8), ends)
    return twin


def signal_bound(twin: FloatActivation, layer: int, y: Reals, off: Reals, lsb: float) -> Reals:
    """How far the signals above outputs `y` can be from theirs, of outputs that are `off` at most."""
    kind, sizes = settings(twin.spec).activation, np.abs(y)
    if kind == "abs":
        return off
    if kind == "ln_abs":
        apart, wrong = sizes - sizes.mean(), off + off.mean() + lsb / 16 + sizes.mean() * 2.0**-15
    else:
        spread = np.sqrt(np.maximum(twin.variances[layer], 1e-5))
        apart = (sizes - twin.means[layer]) / spread
        wrong = off / spread + np.abs(apart) * ROOT + 2.0**-8
    norm, own = float(np.linalg.norm(y)), float(np.linalg.norm(apart))
    of_norm, of_own = float(np.linalg.norm(off)), float(np.linalg.norm(wrong))
    scale, least = norm / own, own - of_own
    assert least > 0, "the bound needs signals that are larger than their errors"
    factor = (norm + of_norm) / least - scale + 3 * ROOT * scale
    return np.abs(apart) * factor + wrong * (scale + factor) + lsb / 2


@pytest.mark.parametrize("activation", ["abs", "ln_abs", "std_abs"])
@pytest.mark.parametrize("layers", [[20, 12], [14, 11, 10]])
def test_each_sample_is_within_the_bound(layers: list[int], activation: str) -> None:
    """From the same weights: signals, outputs, errors, the activation, and every change of a weight (each product)."""
    spec = small(layers, FINE | {"learning.activation": activation, "learning.draws": "weights"})
    rule = ActivationLearning(spec)
    learning, shapes, moved = settings(spec), [rule.weights(k).shape for k in range(len(layers) - 1)], 0
    lsb, error_lsb = 2.0**-learning.frac_bits, 2.0**-learning.errors.frac_bits
    samples, labels = random_samples(spec, 5, 20)
    rows, columns = (np.cumsum([shape[k] for shape in shapes])[:-1] for k in (0, 1))
    for t in range(len(samples)):
        twin, label = twin_of(rule), int(labels[t]) % 3
        before = [w.copy() for w in twin.weights]
        rule.learn(samples, labels % 3, np.arange(t, t + 1), 0)
        twin.learn(samples[t] * 2.0**-8, label)
        signals = np.split(rule.chip.signals * lsb, rows)
        outputs = np.split(rule.chip.outputs * lsb, columns)
        after = twin_of(rule)
        off = twin.signals[0] * ROOT + lsb / 2
        for layer, w in enumerate(before):
            assert (np.abs(signals[layer] - twin.signals[layer]) <= off + 1e-12).all()
            y = twin.outputs[layer]
            wrong = np.abs(w).T @ off + lsb / 2
            assert (np.abs(outputs[layer] - y) <= wrong + 1e-12).all()
            errors = off + np.abs(w) @ wrong + error_lsb / 2
            if layer == 0:  # the lowest layer is updated last: its errors are still there
                got = rule.chip.errors[: len(w)] * error_lsb
                assert (np.abs(got - twin.errors[layer]) <= errors + 1e-12).all()
            step = twin.rates[layer] * (
                np.outer(errors, np.abs(y) + wrong) + np.outer(np.abs(twin.errors[layer]), wrong)
            )
            apart = np.abs(after.weights[layer] - twin.weights[layer])
            assert (apart <= step + 2.0**-spec.chip.weights.frac_bits + 1e-12).all()
            moved += int((after.weights[layer] != w).sum())
            if layer < len(before) - 1:
                off = signal_bound(twin, layer, y, wrong, lsb)
    assert moved > 200


def test_lines_are_without_bias() -> None:
    """The mean change over many draws is that of the float chip, within five standard errors."""
    spec = small([6, 5], FINE | {"chip.weights.bits": 8, "chip.weights.frac_bits": 7, "learning.learning_rate": 0.3})
    samples, labels = random_samples(spec, 7, 1)
    rule = ActivationLearning(spec)
    twin, kept = twin_of(rule), rule.state()
    start = twin.weights[0].copy()
    twin.learn(samples[0] * 2.0**-8, int(labels[0]) % 3)
    changes = []
    for draw in range(1000):
        rule.restore(kept | {"chip_random": seeded(draw, spec.chip.random.lanes)})
        rule.learn(samples, labels % 3, np.arange(1), 0)
        changes.append((rule.weights(0) * 2.0**-7) - start)
    found = np.array(changes)
    wanted, error = twin.weights[0] - start, found.std(axis=0) / len(found) ** 0.5
    assert (np.abs(found.mean(axis=0) - wanted) <= 5 * error + 2e-4).all()
    assert (np.abs(wanted) > 10 * error).sum() > 5
