"""The fixed-point chip against the float64 one: rounding is all that parts them, and no more than it can.

The bounds below are derived, not fitted. One LSB of a state is `q = 2**-states.bits`. A step adds at most q/2 for
rounding the drive (times dt), q/2 for rounding the step and, when nudged, beta·dt·q for the code of the target and
q/2·dt for rounding the pull; errors of the neighbours come in through the weights; the clamp at 1 − q instead of 1
lets an error be q at least. With one layer that makes at most max(1, (1 + dt) / (2 dt)) LSB: 3 at dt = 0.2.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from edgesdt.reference.float_chip import Constants, FloatChip, Reals
from tests.oracle_numbers import Bank
from tests.small_chips import Machine, random_samples, spec_of

LAYERS = ([20, 12], [14, 11, 10], [8, 7, 6, 5])


def machine_of(layers: list[int], states: int, fields: dict[str, Any]) -> Machine:
    """A chip with fine weights, small enough that no drive reaches ±8."""
    chosen: dict[str, Any] = {
        "chip.weights.bits": 16, "chip.weights.frac_bits": 12, "chip.biases.frac_bits": 13, "chip.states.bits": states,
        "chip.constants.bits": 8, "learning.winners": 2, "learning.learning_rate": 0.02,
    }  # fmt: skip
    machine = Machine.of(spec_of(layers, chosen | fields))
    rng, frac = np.random.default_rng(3), 12
    scale = np.concatenate([np.full(pre * post, 0.5 * (6 / (pre + post)) ** 0.5) for pre, post in pairwise(layers)])
    machine.set_weights(np.rint(rng.uniform(-1, 1, len(scale)) * scale * 2**frac).astype(np.int64))
    return machine


def real_weights(machine: Machine) -> list[Reals]:
    """The weights of the chip as numbers."""
    lsb, blocks, start = 2.0**-machine.spec.chip.weights.frac_bits, [], 0
    for pre, post in pairwise(machine.sizes):
        codes = machine.chip.weights[start : start + pre * post].reshape(pre, post)
        blocks.append(codes.astype(np.float64) * lsb)
        start += pre * post
    return blocks


def real(machine: Machine, name: str, lsb: float) -> list[Reals]:
    """A neuron array of the chip as numbers, layer by layer."""
    codes = getattr(machine.chip, name).astype(np.float64) * lsb
    return list(np.split(codes, np.cumsum(machine.sizes[1:-1])))


def float_twin(machine: Machine) -> FloatChip:
    """The float chip with the state of this one."""
    spec = machine.spec
    biases = real(machine, "biases", 2.0**-spec.chip.biases.frac_bits)
    twin = FloatChip(spec, real_weights(machine), biases, Constants.held(spec))
    home = spec.learning.homeostasis
    twin.activity = machine.chip.activity.astype(np.float64) * 2.0**-home.activity_bits
    twin.homeostasis = machine.chip.homeostasis.astype(np.float64) * 2.0**-home.frac_bits
    return twin


def learn_one(machine: Machine, x: Any, label: int) -> tuple[Reals, int]:
    """Learn one sample; returns what was left of the input by drop-out, and the sign of beta."""
    bank = Bank(0, len(machine.chip.random))
    bank.lanes = machine.chip.random.tolist()
    sign = -1 if machine.spec.learning.beta_sign == "random" and bank.step()[0] >= 2**31 else 1
    machine.learn(x[None], [label])
    return machine.chip.inputs.astype(np.float64) * 2.0**-machine.spec.encoder.bits, sign


def grown(errors: list[float], weights: list[Reals], twin: FloatChip, steps: int, nudged: bool) -> list[float]:
    """How far the states of each layer can be apart after `steps` more steps."""
    c, q, top = twin.constants, 2.0**-twin.spec.chip.states.bits, len(errors) - 1
    up = [0.0, *(float(np.abs(w).sum(axis=0).max()) for w in weights[1:])]
    down = [*(float(np.abs(w).sum(axis=1).max()) for w in weights[1:]), 0.0]
    for _ in range(steps):
        new = []
        for layer, error in enumerate(errors):
            drive = q / 2
            drive += up[layer] * errors[layer - 1] if layer > 0 else 0.0
            drive += down[layer] * errors[layer + 1] if layer < top else 0.0
            pull = c.beta * (error + q) + q / 2 if nudged and layer == top else 0.0
            new.append(max(q, (1 - c.dt) * error + c.dt * (drive + pull) + q / 2))
        errors = new
    return errors


def largest(one: list[Reals], other: list[Reals]) -> list[float]:
    """The largest difference in each layer."""
    return [float(np.abs(a - b).max()) for a, b in zip(one, other, strict=True)]


@pytest.mark.parametrize("layers", LAYERS)
@pytest.mark.parametrize("states", [8, 12, 16])
@pytest.mark.parametrize("beta_sign", ["random", "symmetric"])
@pytest.mark.parametrize("target", ["self_defined", "label"])
def test_each_sample_is_within_the_bound(layers: list[int], states: int, beta_sign: str, target: str) -> None:
    """From the same weights: states of all phases, winners, homeostasis, and every change of a weight."""
    fields: dict[str, Any] = {"learning.beta_sign": beta_sign, "learning.target": target, "learning.free_steps": 15}
    fields |= {"learning.dropout.output": 0.0} if target == "label" else {}
    machine = machine_of(layers, states, fields)
    spec, q = machine.spec, 2.0**-states
    samples, labels = random_samples(spec, 5, 25)
    compared = 0
    for x, label in zip(samples, labels.tolist(), strict=True):
        twin, before = float_twin(machine), real_weights(machine)
        inputs, sign = learn_one(machine, x, label)
        twin.learn(inputs, sign, machine.chip.keep.astype(np.float64), label)

        free = grown([0.0] * (len(layers) - 1), before, twin, spec.learning.free_steps, nudged=False)
        apart = largest(real(machine, "free_states", q), twin.free)
        assert all(a <= e for a, e in zip(apart, free, strict=True))

        target_codes = machine.chip.target.astype(np.float64)
        if target == "self_defined":
            used = twin.homeostasis - twin.constants.gamma * (twin.activity - twin.constants.share)
            keys = np.sort(np.where(machine.chip.keep > 0, twin.free[-1] - used, -np.inf))[::-1]
            k = spec.learning.winners
            if keys[k - 1] - keys[k] <= 2 * free[-1] and not np.array_equal(target_codes, twin.target):
                continue  # too close to call, and called differently
            home = spec.learning.homeostasis
            assert np.abs(machine.chip.activity * 2.0**-home.activity_bits - twin.activity).max() <= 2.0**-15
            assert np.abs(machine.chip.homeostasis * 2.0**-home.frac_bits - twin.homeostasis).max() <= 2.0**-14
        assert np.array_equal(target_codes, twin.target)

        ends = grown(free, before, twin, spec.learning.nudged_steps, nudged=True)
        moved = [np.maximum(f, e) for f, e in zip(free, ends, strict=True)]
        if beta_sign == "symmetric":
            pairs = [("plus_states", twin.plus), ("states", twin.minus)]
        else:
            pairs = [("states", twin.plus if sign > 0 else twin.minus)]
        for name, expected in pairs:
            assert all(a <= e for a, e in zip(largest(real(machine, name, q), expected), moved, strict=True))

        lsb = 2.0**-spec.chip.weights.frac_bits
        for layer, (now, old) in enumerate(zip(real_weights(machine), twin.weights, strict=True)):
            pre = 0.0 if layer == 0 else moved[layer - 1]
            contrast = 2 * (pre + moved[layer] + pre * moved[layer])
            assert np.abs(now - old).max() <= twin.constants.rates[layer] * contrast + lsb
        compared += 1
    assert not any(machine.events()["accumulator_saturations"])
    assert compared >= (25 if target == "label" else 20)


def test_one_layer_is_within_three_lsb() -> None:
    """The closed form of the bound at dt = 0.2."""
    machine = machine_of([20, 12], 8, {"learning.free_steps": 200})
    twin, worst = float_twin(machine), 0.0
    samples, _ = random_samples(machine.spec, 9, 200)
    outputs = machine.infer(samples)
    for x, codes in zip(samples, outputs, strict=True):
        worst = max(worst, float(np.abs(twin.infer(x * 2.0**-8) - codes * 2.0**-8).max()) * 2**8)
    assert 1.0 < worst <= (1 + twin.constants.dt) / (2 * twin.constants.dt)


@pytest.mark.parametrize("layers", LAYERS)
def test_left_to_themselves_fine_formats_stay_together(layers: list[int]) -> None:
    """Sixty samples without putting the float chip right: the same winners, weights within 2**-8 of each other."""
    machine = machine_of(layers, 16, {"chip.biases.bits": 16, "learning.free_steps": 15})
    twin, agreed = float_twin(machine), 0
    samples, labels = random_samples(machine.spec, 6, 60)
    for x, label in zip(samples, labels.tolist(), strict=True):
        inputs, sign = learn_one(machine, x, label)
        twin.learn(inputs, sign, machine.chip.keep.astype(np.float64))
        agreed += np.array_equal(machine.chip.target, twin.target)
    assert agreed >= 58
    apart = largest(real_weights(machine), twin.weights)
    start = real_weights(machine_of(layers, 16, {}))
    assert max(apart) <= 2.0**-8
    assert max(largest(real_weights(machine), start)) > 4 * max(apart)


@pytest.mark.parametrize("beta_sign", ["random", "symmetric"])
def test_a_softmax_stays_near_real_numbers(beta_sign: str) -> None:
    """Sixty samples with labels: shares within the bound of the tables, weights together as they move."""
    fields = {
        "learning.loss": "cross_entropy", "learning.target": "label", "learning.beta_sign": beta_sign,
        "learning.free_steps": 40, "chip.biases.bits": 16, "learning.learning_rate": [0.1, 0.1],
    }  # fmt: skip
    layers = [14, 11, 5]
    machine = machine_of(layers, 16, fields)
    twin = float_twin(machine)
    start = real_weights(machine)
    samples, labels = random_samples(machine.spec, 6, 60)
    for x, label in zip(samples, labels.tolist(), strict=True):
        inputs, sign = learn_one(machine, x, label)
        twin.learn(inputs, sign, label=label)
    shares = machine.infer(samples) * 2.0**-16
    exact = np.array([twin.infer(x * 2.0**-8) for x in samples])
    assert np.abs(shares - exact).max() < np.expm1(2 / 64) + 1 / 500
    apart, moved = largest(real_weights(machine), twin.weights), largest(real_weights(machine), start)
    assert all(a < 0.05 * m for a, m in zip(apart, moved, strict=True))


def test_constants_asked_and_held_differ_by_the_registers() -> None:
    spec = spec_of([4, 3, 3], {"learning.learning_rate": 0.0123, "chip.constants.bits": 6})
    asked, held = Constants.asked(spec, epoch=4), Constants.held(spec, epoch=4)
    for name in ("dt", "beta", "eta", "gamma"):
        assert getattr(held, name) == pytest.approx(getattr(asked, name), rel=2.0**-6)
    assert held.rates == pytest.approx(asked.rates, rel=2.0**-5)
    assert held.rates != asked.rates


def test_mini_batches_are_refused() -> None:
    spec = spec_of([4, 3], {"learning.batch": 2})
    with pytest.raises(ValueError, match=r"learning\.batch: 2"):
        FloatChip(spec, [np.zeros((4, 3))], [np.zeros(3)], Constants.asked(spec))


def test_a_free_neuron_charges_exponentially() -> None:
    """With a constant drive p in 0 … 1 and from rest, `s_T = p·(1 − (1 − dt)^T)`."""
    spec = spec_of([2, 2], {"learning.free_steps": 7})
    chip = FloatChip(spec, [np.array([[0.5, 3.0], [0.25, 0.0]])], [np.array([0.1, -4.0])], Constants.asked(spec))
    p = 0.5 * 0.6 + 0.25 * 0.8 + 0.1
    assert chip.infer(np.array([0.6, 0.8])) == pytest.approx([p * (1 - 0.8**7), 0.0], abs=1e-15)


@pytest.mark.parametrize("loss", ["mse", "cross_entropy"])
def test_symmetric_nudging_follows_the_gradient(loss: str) -> None:
    """Scellier and Bengio 2017: for a weak nudge from the fixed point, ΔW / lr = −dC/dW.

    C = ½·|target − s|², or −ln y of the label with a softmax (Laborieux et al. 2021).
    """
    fields = {
        "learning.loss": loss,
        "learning.beta_sign": "symmetric", "learning.target": "label", "learning.beta": 0.01, "learning.winners": 1,
        "learning.free_steps": 400, "learning.nudged_steps": 400, "learning.label_smoothing": 0.0,
        "learning.learning_rate": 1.0, "learning.dropout.output": 0.0,
    }  # fmt: skip
    spec, rng = spec_of([4, 5, 3], fields), np.random.default_rng(0)
    weights = [rng.uniform(-0.2, 0.2, (4, 5)), rng.uniform(-0.2, 0.2, (5, 3))]
    biases, x, label = [np.full(5, 0.4), np.full(3, 0.5)], rng.uniform(0, 1, 4), 1

    def cost(layer: int, place: tuple[int, int], by: float) -> float:
        changed = [w.copy() for w in weights]
        changed[layer][place] += by
        outputs = FloatChip(spec, changed, biases, Constants.asked(spec)).infer(x)
        if loss == "cross_entropy":
            return float(-np.log(outputs[label]))
        return float(0.5 * ((np.eye(3)[label] - outputs) ** 2).sum())

    chip = FloatChip(spec, weights, biases, Constants.asked(spec))
    chip.learn(x, sign=1, label=label)
    assert all(((s > 0.05) & (s < 0.95)).all() for s in chip.free)
    for layer, place in ((0, (1, 2)), (0, (3, 4)), (1, (0, 1)), (1, (4, 2))):
        gradient = (cost(layer, place, 1e-5) - cost(layer, place, -1e-5)) / 2e-5
        assert (chip.weights[layer] - weights[layer])[place] == pytest.approx(-gradient, rel=1e-3, abs=1e-7)
