"""A chip that learns by backpropagation against the float64 one: rounding is all that parts them.

The bounds are derived (docs/explanation/backprop_arithmetic.md §6), neuron by neuron. A neuron so near an end of its
range that rounding decides whether an error passes may have the whole error or none.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from edgesdt.reference.float_backprop import Constants, FloatBackprop, Reals
from edgesdt.rules.backprop.rule import Backprop
from tests.small_chips import random_samples, spec_of

LAYERS = ([20, 12], [14, 11, 10], [8, 7, 6, 5])
TAIL = float(np.exp(-8.0))


def rule_of(layers: list[int], fields: dict[str, Any]) -> Backprop:
    """A chip with fine weights, small enough that no sum saturates."""
    chosen: dict[str, Any] = {
        "learning.rule": "backprop", "chip.weights.bits": 16, "chip.weights.frac_bits": 12, "chip.biases.frac_bits": 13,
        "learning.winners": 2, "learning.learning_rate": 0.05, "learning.errors.bits": 16,
        "learning.errors.frac_bits": 14,
    }  # fmt: skip
    return Backprop(spec_of(layers, chosen | fields))


def twin_of(rule: Backprop) -> FloatBackprop:
    """The float chip with the state of this one."""
    spec = rule.spec
    depth, home = len(spec.chip.layers) - 1, spec.learning.homeostasis
    weights = [rule.weights(k) * 2.0**-spec.chip.weights.frac_bits for k in range(depth)]
    biases = [rule.biases(k) * 2.0**-spec.chip.biases.frac_bits for k in range(1, depth + 1)]
    twin = FloatBackprop(spec, weights, biases, Constants.held(spec))
    if rule.chip.activity.size:
        twin.activity = rule.chip.activity * 2.0**-home.activity_bits
        twin.homeostasis = rule.chip.homeostasis * 2.0**-home.frac_bits
    return twin


def by_layer(rule: Backprop, codes: Any, lsb: float) -> list[Reals]:
    """A neuron array of the chip as numbers, layer by layer."""
    return list(np.split(codes.astype(np.float64) * lsb, np.cumsum(rule.spec.chip.layers[1:-1])))


def state_bounds(twin: FloatBackprop, weights: list[Reals]) -> list[Reals]:
    """How far each state can be from its twin."""
    q, bounds = 2.0**-twin.spec.chip.states.bits, []
    below = np.zeros(len(weights[0]))
    for layer, w in enumerate(weights):
        drive = twin.slope(layer) * (below @ np.abs(w)) + q / 2
        if layer == len(weights) - 1 and twin.spec.learning.loss == "cross_entropy":
            n, p = w.shape[1], twin.states[-1]
            apart = np.exp(2 * (1 / 64 + 2 * drive.max())) * (1 + 1 / 500) * (1 + n * TAIL) - 1
            below = p * apart + TAIL + q
        else:
            below = np.maximum(drive, q)  # 1 is held as 1 - q
        bounds.append(below)
    return bounds


def error_bounds(twin: FloatBackprop, weights: list[Reals], states: list[Reals]) -> list[Reals]:
    """How far each error can be from its twin, given how far the states can be."""
    q, lsb, top = 2.0**-twin.spec.chip.states.bits, 2.0**-twin.spec.learning.errors.frac_bits, len(weights) - 1
    sums = states[top] + q / 2  # the code of the target is rounded, too
    bounds: list[Reals] = []
    for layer in range(top, -1, -1):
        s, slope = twin.states[layer], twin.slope(layer)
        ends = (s <= states[layer]) | (s >= 1 - q - states[layer])
        soft = layer == top and twin.spec.learning.loss == "cross_entropy"
        open_or_not = np.where(ends & (not soft), np.abs(twin.sums[layer]), 0.0)
        bounds.insert(0, slope * (sums + open_or_not) + lsb / 2)
        sums = np.abs(weights[layer]) @ bounds[0]
    return bounds


def too_close(twin: FloatBackprop, keep: Any, target: Any, bound: float) -> bool:
    """Whether winners were picked differently where rounding may decide."""
    if twin.spec.learning.target == "label" or np.array_equal(twin.target, target):
        return False
    used = twin.homeostasis - twin.constants.gamma * (twin.activity - twin.constants.share)
    keys = np.sort(np.where(keep > 0, twin.states[-1] - used, -np.inf))[::-1]
    k = twin.spec.learning.winners
    return bool(keys[k - 1] - keys[k] <= 2 * bound)


KINDS: dict[str, dict[str, Any]] = {
    "self_defined": {},
    "inward": {"learning.activation.derivative": "inward", "learning.activation.hidden": "hard_sigmoid"},
    "hard_sigmoid": {"learning.target": "label", "learning.activation.output": "hard_sigmoid"},
    "softmax": {"learning.target": "label", "learning.loss": "cross_entropy"},
}


@pytest.mark.parametrize("layers", LAYERS)
@pytest.mark.parametrize("states", [8, 12])
@pytest.mark.parametrize("kind", KINDS)
def test_each_sample_is_within_the_bound(layers: list[int], states: int, kind: str) -> None:
    """From the same weights: states, errors, and every change of a weight and a bias."""
    rule = rule_of(layers, KINDS[kind] | {"chip.states.bits": states})
    spec = rule.spec
    samples, labels = random_samples(spec, 5, 30)
    compared = moved = 0
    for t in range(len(samples)):
        twin = twin_of(rule)
        before, old_biases = [w.copy() for w in twin.weights], [b.copy() for b in twin.biases]
        rule.learn(samples, labels, np.arange(t, t + 1), 0)
        x, keep = rule.chip.inputs * 2.0**-spec.encoder.bits, rule.chip.keep.astype(np.float64)
        twin.learn(x, keep, int(labels[t]))
        bounds = state_bounds(twin, before)
        if too_close(twin, keep, rule.chip.target, float(bounds[-1].max())):
            continue
        assert np.array_equal(twin.target, rule.chip.target)
        got = by_layer(rule, rule.chip.states, 2.0**-states)
        assert all((np.abs(a - b) <= e).all() for a, b, e in zip(got, twin.states, bounds, strict=True))
        errors = by_layer(rule, rule.chip.errors, 2.0**-spec.learning.errors.frac_bits)
        apart = error_bounds(twin, before, bounds)
        assert all((np.abs(a - b) <= e).all() for a, b, e in zip(errors, twin.errors, apart, strict=True))

        after = twin_of(rule)
        lsb, bias_lsb = 2.0**-spec.chip.weights.frac_bits, 2.0**-spec.chip.biases.frac_bits
        for layer, rate in enumerate(twin.constants.rates):
            pre = x if layer == 0 else twin.states[layer - 1]
            wrong = np.zeros(len(x)) if layer == 0 else bounds[layer - 1]
            slack = np.outer(wrong, np.abs(errors[layer])) + np.outer(pre, apart[layer])
            assert (np.abs(after.weights[layer] - twin.weights[layer]) <= rate * slack + lsb).all()
            assert (np.abs(after.biases[layer] - twin.biases[layer]) <= rate * apart[layer] + bias_lsb).all()
            moved += int((after.weights[layer] != before[layer]).sum())
            moved += int((after.biases[layer] != old_biases[layer]).sum())
        compared += 1
    assert compared > 15 and moved > 50


def test_the_float_chip_follows_the_gradient() -> None:
    """Its update is −rate times the numerical gradient of the loss."""
    for kind, loss in (("hard_sigmoid", "mse"), ("softmax", "cross_entropy")):
        rule = rule_of([6, 5, 4], KINDS[kind] | {"learning.label_smoothing": 0.0})
        twin, (samples, labels) = twin_of(rule), random_samples(rule.spec, 1, 1)
        x, label = samples[0] * 2.0**-8, int(labels[0])

        def cost(net: FloatBackprop, x: Reals = x, label: int = label, loss: str = loss) -> float:
            out = net.infer(x)
            squared = ((out - np.eye(4)[label]) ** 2).sum() / 2
            return float(-np.log(out[label]) if loss == "cross_entropy" else squared)

        learned = twin_of(rule)
        learned.learn(x, None, label)
        step = 1e-6
        for layer, shape in enumerate(pairwise(rule.spec.chip.layers)):
            for i, j in np.ndindex(*shape):
                up, down = twin_of(rule), twin_of(rule)
                up.weights[layer][i, j] += step
                down.weights[layer][i, j] -= step
                gradient = (cost(up) - cost(down)) / (2 * step)
                moved = learned.weights[layer][i, j] - twin.weights[layer][i, j]
                assert moved == pytest.approx(-twin.constants.rates[layer] * gradient, abs=1e-9)
