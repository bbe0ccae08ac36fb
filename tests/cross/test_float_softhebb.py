"""A chip that learns by SoftHebb against the float64 one, and that one against the worked examples of the rule.

The bounds are those of docs/explanation/softhebb_arithmetic.md §7, computed neuron by neuron from the weights.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from edgesdt.reference.float_softhebb import Constants, FloatSoftHebb, Reals
from edgesdt.rules.softhebb import registers
from edgesdt.rules.softhebb.rule import SoftHebb
from tests.small_chips import random_samples
from tests.small_softhebb import softhebb

TAIL = float(np.exp(-8.0))
EXAMPLE: dict[str, Any] = {
    "learning.sharpness": 2.0, "learning.learning_rate": 0.1, "learning.normalisation": "maximum",
    "learning.centre.enabled": False,
}  # fmt: skip
W = np.array([[0.6, 0.0, 0.8], [1.0, 0.5, -0.5]]).T


def example(batch: int = 1) -> FloatSoftHebb:
    """Two neurons of three inputs, t 2, rate .1."""
    spec = softhebb([3, 2], {**EXAMPLE, "learning.batch": batch})
    return FloatSoftHebb(spec, [W], Constants.asked(spec))


def test_the_worked_example_of_one_sample() -> None:
    twin = example()
    update = twin.learn_batch(np.array([[1.0, 0.5, -0.2]]))
    assert twin.drives[0] == pytest.approx([0.44, 1.35], abs=1e-9)
    assert twin.signed_shares(0) == pytest.approx([-0.139434, 0.860566], abs=1e-6)
    wanted = [[-0.102623, -0.069717, 0.076967], [-0.301198, -0.150599, 0.408769]]
    assert pytest.approx(np.array(wanted), abs=1e-6) == update.T
    assert twin.weights[0].T[0] == pytest.approx([0.6, 0.0, 0.8], abs=3e-7)
    assert twin.weights[0].T[1] == pytest.approx([0.965068, 0.482534, -0.452593], abs=1e-6)


def test_the_worked_example_of_a_batch() -> None:
    twin = example(2)
    update = twin.learn_batch(np.array([[1.0, 0.5, -0.2], [0.0, 1.0, 1.0]]))
    wanted = [[-0.501992, 0.762301, 0.376494], [-0.301198, -0.318581, 0.240787]]
    assert pytest.approx(np.array(wanted), abs=1e-6) == update.T
    assert pytest.approx(
        np.array([[0.599999, 0.000001, 0.8], [0.981269, 0.480188, -0.485026]]), abs=1e-6
    ) == twin.weights[0].T


@pytest.mark.parametrize(("power", "wanted"), [(0.7, 0.890018), (1.4, 0.792132)])
def test_the_worked_example_of_the_triangle(power: float, wanted: float) -> None:
    spec = softhebb([3, 3], {"learning.activation.power": power, "learning.activation.range_bits": 0})
    twin = FloatSoftHebb(spec, [np.eye(3)], Constants.asked(spec))
    assert twin.activate(np.array([0.46, 1.35, -0.3])) == pytest.approx([0.0, wanted, 0.0], abs=1e-6)


KINDS: dict[str, dict[str, Any]] = {
    "triangle": {},
    "running, repu": {"learning.normalisation": "running", "learning.activation.kind": "repu"},
    "not centred, power 1": {"learning.centre.enabled": False, "learning.rate_power": 1.0},
}


def chip_of(kind: str) -> SoftHebb:
    """A chip with fine weights, small enough that nothing saturates, past its first window."""
    chosen: dict[str, Any] = {
        "chip.weights.bits": 16, "chip.weights.frac_bits": 12, "chip.weights.init_gain": 1.0, "chip.states.bits": 12,
        "learning.sharpness": 4.0, "learning.competition.share_bits": 12, "learning.competition.frac_bits": 12,
        "learning.competition.bits": 18, "learning.centre.window_bits": 3, "learning.activation.power": 1.0,
        "learning.activation.range_bits": 3,
    }  # fmt: skip
    rule = SoftHebb(softhebb([20, 12], chosen | KINDS[kind]))
    samples, labels = random_samples(rule.spec, 3, 8)
    rule.learn(samples, labels, np.arange(8), 0)
    return rule


def twin_of(rule: SoftHebb) -> FloatSoftHebb:
    """The float chip with the state of this one."""
    spec = rule.spec
    twin = FloatSoftHebb(spec, [rule.weights(0) * 2.0**-spec.chip.weights.point], Constants.held(spec))
    if rule.chip.means.size:
        twin.means = [rule.chip.means * 2.0**-spec.encoder.bits]
    if rule.chip.largest.size:
        twin.largest = [float(rule.chip.largest[0]) * 2.0**-registers.LARGEST_FRAC]
    return twin


def power_error(weights: Reals, power: float) -> Reals:
    """How far the power of each neuron's distance can be off, relative to it."""
    apart = np.maximum(np.abs(np.linalg.norm(weights, axis=0) - 1.0), 2.0**-12)
    near = np.maximum(apart - 2.0**-12, 2.0**-12)  # a root is cut to an LSB
    found: Reals = ((1 + 1 / 64) * apart / near) ** power * (1 + 2.0**-13 / near**power) - 1
    return found


@pytest.mark.parametrize("kind", KINDS)
def test_each_sample_is_within_the_bound(kind: str) -> None:
    """From the same weights: drives, states, shares, and every change of a weight."""
    rule = chip_of(kind)
    spec = rule.spec
    samples, labels = random_samples(spec, 5, 40)
    lsb, state_lsb = 2.0**-spec.chip.weights.point, 2.0**-spec.chip.states.bits
    delta, share_lsb = 2.0**-13, 2.0**-12
    compared = moved = 0
    for t in range(len(samples)):
        twin, x = twin_of(rule), samples[t] * 2.0**-spec.encoder.bits
        before, ready = rule.weights(0).copy(), rule.chip.ready.all()
        rule.learn(samples, labels, np.arange(t, t + 1), 0)
        twin.learn(x)
        drives = rule.chip.drives * 2.0**-12
        assert (np.abs(drives - twin.drives[0]) <= delta).all()
        states = rule.chip.states * state_lsb
        bound = 2.0**-3 * (2 * delta + 2.0**-17 * np.abs(drives).max()) + state_lsb
        assert (np.abs(states - np.minimum(twin.states[0], 1 - state_lsb)) <= bound).all()
        first, second = np.sort(twin.drives[0])[::-1][:2]
        if first - second <= 2 * delta or not ready:
            continue
        shares, real = rule.chip.shares * share_lsb, twin.shares[0]
        apart = np.exp(1 / 32 + 8.0 * 2 * delta) * (1 + 1 / 500) * (1 + len(real) * TAIL) - 1
        share_bound = np.abs(real) * apart + TAIL + share_lsb
        assert (np.abs(shares - real) <= share_bound).all()
        assert (np.sign(shares) * np.sign(real) >= 0).all()

        off = power_error(before * lsb, spec.learning.rate_power)  # type: ignore[attr-defined]
        step_bound = twin.full * (np.abs(real) * off + share_bound * (1 + off)) + 2.0**-16
        centred = np.abs(x - twin.means[0])[:, None]
        slack = step_bound * (centred + np.abs(twin.drives[0] * before * lsb))
        wrong = np.abs(rule.weights(0) * lsb - twin.weights[0])
        halved = np.abs(twin.steps[0] * twin.drives[0]) * (1 + off) + step_bound >= 0.25
        assert (wrong <= slack + 2 * lsb)[:, ~halved].all()
        moved += int((rule.weights(0) != before).sum())
        compared += 1
    assert compared > 25 and moved > 500
