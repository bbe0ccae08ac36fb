"""Laws that every chip obeys, whatever its spec: nothing from nothing, bounds that bound, no memory but its state."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
from hypothesis import given, settings
from hypothesis import strategies as st

from edgesdt.rules.eqprop.plan import rates
from tests.chip_specs import specs
from tests.small_chips import Machine, random_samples, spec_of, started

Fields = tuple[list[int], dict[str, Any]]
SEEDS = st.integers(0, 2**32 - 1)
quick = settings(max_examples=25, deadline=None, derandomize=True)


def weight_layers(machine: Machine) -> list[Any]:
    """Copies of the weight matrices (pre, post)."""
    shapes = list(pairwise(machine.sizes))
    blocks = np.split(machine.chip.weights, np.cumsum([pre * post for pre, post in shapes])[:-1])
    return [block.reshape(shape).copy() for block, shape in zip(blocks, shapes, strict=True)]


@quick
@given(chip=specs(narrow=False), seed=SEEDS)
def test_black_inputs_move_no_input_weight(chip: Fields, seed: int) -> None:
    """Without biases and with one layer no weight moves at all; deeper, the nudge alone may move those above."""
    machine = started(spec_of(*chip), seed)
    machine.chip.biases[:] = 0
    samples, labels = random_samples(machine.spec, seed, 6)
    before = weight_layers(machine)
    machine.learn(np.zeros_like(samples), labels)
    assert np.array_equal(weight_layers(machine)[0], before[0])
    assert machine.events()["inputs"][0] == 0


@quick
@given(chip=specs(narrow=False), seed=SEEDS)
def test_a_rate_of_zero_learns_nothing(chip: Fields, seed: int) -> None:
    """In the last epoch of a schedule that ends at 0 the registers are 0; homeostasis still runs."""
    layers, fields = chip
    spec = spec_of(layers, fields | {"epochs": 2, "learning.schedule.final": 0.0})
    assert not rates(spec, 1)[:, :, 0].any()
    machine = started(spec, seed, epoch=1)
    weights, biases = machine.chip.weights.copy(), machine.chip.biases.copy()
    machine.learn(*random_samples(spec, seed, 6))
    assert np.array_equal(machine.chip.weights, weights)
    assert np.array_equal(machine.chip.biases, biases)


def test_with_every_output_dropped_a_layer_learns_nothing() -> None:
    machine = started(spec_of([5, 3], {"learning.dropout.output": 0.9, "learning.learning_rate": 1.0}), 4)
    samples, labels = random_samples(machine.spec, 4, 60)
    learned = 0
    for t in range(len(samples)):
        weights, biases = machine.chip.weights.copy(), machine.chip.biases.copy()
        machine.learn(samples[t : t + 1], labels[t : t + 1])
        same = np.array_equal(machine.chip.weights, weights) and np.array_equal(machine.chip.biases, biases)
        if machine.chip.keep.any():
            learned += not same
        else:
            assert same
            assert machine.chip.winners.tolist() == [-1]
            assert not machine.chip.states.any()
    assert learned > 5


@quick
@given(chip=specs(narrow=False), seed=SEEDS)
def test_as_many_winners_as_asked_or_kept(chip: Fields, seed: int) -> None:
    machine = started(spec_of(*chip), seed)
    samples, labels = random_samples(machine.spec, seed, 5)
    for t in range(len(samples)):
        machine.learn(samples[t : t + 1], labels[t : t + 1])
        target = np.flatnonzero(machine.chip.target).tolist()
        if machine.spec.learning.target == "label":
            assert target == [labels[t]]
        else:
            kept = np.flatnonzero(machine.chip.keep).tolist()
            assert len(target) == min(machine.spec.learning.winners, len(kept))
            assert set(target) <= set(kept)


@quick
@given(chip=specs(narrow=True), seed=SEEDS)
def test_codes_stay_in_their_formats_and_bounds_hold(chip: Fields, seed: int) -> None:
    """Every array fits its bits; the simulator's own bounds on weights and accumulators really bound them."""
    machine = started(spec_of(*chip), seed)
    machine.learn(*random_samples(machine.spec, seed, 6))
    arrays, spec, home = machine.chip, machine.spec, machine.spec.learning.homeostasis
    signed: list[tuple[npt.NDArray[Any], int]] = [
        (arrays.weights, spec.chip.weights.bits),
        (arrays.biases, spec.chip.biases.bits),
        (arrays.accumulators, spec.chip.accumulator.bits),
        (arrays.homeostasis, home.bits),
    ]
    outputs = spec.chip.layers[-1] if getattr(spec.learning, "loss", "mse") == "cross_entropy" else 0
    hidden = len(arrays.states) - outputs
    signed.append((arrays.states[hidden:], spec.chip.states.bits + 1))  # nudges of softmax outputs
    unsigned: list[tuple[npt.NDArray[Any], int]] = [
        (arrays.states[:hidden], spec.chip.states.bits),
        (arrays.activity, home.activity_bits),
        (arrays.inputs, spec.encoder.bits),
    ]
    for array, bits in signed:
        assert all(-(2 ** (bits - 1)) <= code < 2 ** (bits - 1) for code in array.tolist())
    for array, bits in unsigned:
        assert all(0 <= code < 2**bits for code in array.tolist())
    sums = np.split(np.abs(arrays.accumulators.astype(np.int64)), np.cumsum(machine.sizes[1:-1]))
    for layer, (weights, layer_sums) in enumerate(zip(weight_layers(machine), sums, strict=True)):
        assert np.abs(weights.astype(np.int64)).max() <= machine.work.weight_peak[layer]
        assert layer_sums.max() <= machine.work.reach[layer + 1]


@quick
@given(seed=SEEDS, layers=st.sampled_from([[9, 8], [6, 7, 5], [4, 3, 3, 2]]))
def test_accumulators_are_the_sums_they_stand_for(seed: int, layers: list[int]) -> None:
    """Kept by differences, yet equal to the whole sum over inputs, neighbours and bias where none saturated."""
    machine = started(spec_of(layers, {"learning.beta_sign": "symmetric", "learning.learning_rate": 1e-6}), seed)
    machine.learn(*random_samples(machine.spec, seed, 1))
    chip, plan = machine.chip, machine.plan
    assert not any(machine.events()["accumulator_saturations"])
    states = [np.zeros(0), *np.split(chip.states.astype(np.int64), np.cumsum(layers[1:-1]))]
    weights = [block.astype(np.int64) for block in weight_layers(machine)]
    sums = [chip.inputs.astype(np.int64) @ weights[0] << plan.input_left]
    sums += [np.zeros(n, np.int64) for n in layers[2:]]
    for layer in range(1, len(layers) - 1):
        sums[layer] += states[layer] @ weights[layer] << plan.state_left
        sums[layer - 1] += weights[layer] @ states[layer + 1] << plan.state_left
    assert machine.events()["weight_writes"] == [0] * len(layers)
    biases = started(machine.spec, seed).chip.biases.astype(np.int64) << plan.bias_left
    assert chip.accumulators.tolist() == (np.concatenate(sums) + biases).tolist()


SCRATCH = ("inputs", "accumulators", "states", "free_states", "plus_states", "keep", "target", "winners")
KEPT_WORK = ("mirror", "weight_peak", "wear", "wear_carry", "silence", "ends", "moves", "events")


def scribble(machine: Machine, rng: np.random.Generator) -> None:
    """Garbage in every array that a sample starts anew."""
    for name in SCRATCH:
        array: npt.NDArray[Any] = getattr(machine.chip, name)
        array[:] = rng.integers(0, 100, array.shape)


@quick
@given(chip=specs(narrow=True), seed=SEEDS)
def test_nothing_is_left_over_from_before(chip: Fields, seed: int) -> None:
    """What a sample starts with is weights, biases, homeostasis and the bank: garbage in all else changes nothing."""
    clean = started(spec_of(*chip), seed)
    samples, labels = random_samples(clean.spec, seed, 4)
    clean.learn(samples, labels)
    dirty = clean.copied()
    rng = np.random.default_rng(seed)
    scribble(dirty, rng)
    for name, array in dirty.work._asdict().items():
        if name not in KEPT_WORK:
            array[...] = rng.integers(0, 100, array.shape)
    clean.learn(samples, labels)
    dirty.learn(samples, labels)
    assert dirty.arrays() == clean.arrays()
    assert dirty.events() == clean.events()
    scribble(dirty, rng)
    assert dirty.infer(samples).tolist() == clean.infer(samples).tolist()


@quick
@given(chip=specs(narrow=False), seed=SEEDS, cut=st.integers(0, 3))
def test_a_stream_may_be_cut_between_mini_batches(chip: Fields, seed: int, cut: int) -> None:
    whole = started(spec_of(*chip), seed)
    parts = whole.copied()
    at = cut * whole.spec.learning.batch
    samples, labels = random_samples(whole.spec, seed, at + 4)
    whole.learn(samples, labels)
    parts.learn(samples[:at], labels[:at])
    parts.learn(samples[at:], labels[at:])
    assert parts.arrays() == whole.arrays()
    assert parts.events() == whole.events()


@quick
@given(chip=specs(narrow=False), seed=SEEDS)
def test_inference_of_a_sample_does_not_depend_on_the_others(chip: Fields, seed: int) -> None:
    layers, fields = chip
    machine = started(spec_of(layers, fields | {"chip.states.rounding": "nearest"}), seed)
    samples, _ = random_samples(machine.spec, seed, 6)
    outputs = machine.infer(samples)
    order = np.random.default_rng(seed).permutation(6)
    assert np.array_equal(machine.infer(samples[order]), outputs[order])


def test_the_seed_is_all_that_chance_depends_on() -> None:
    def learned(seed: int) -> list[int]:
        machine = started(spec_of([8, 6], {"seed": seed, "learning.learning_rate": 0.2}), 1)
        machine.learn(*random_samples(machine.spec, 2, 10))
        codes: list[int] = machine.chip.weights.tolist()
        return codes

    assert learned(0) == learned(0) != learned(1)
