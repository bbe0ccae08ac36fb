"""What is counted: closed forms worked out here for a dense chip, never more when event-driven, however it is run."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from edgesdt import datasets
from edgesdt.chip.simulated import Chip
from edgesdt.datasets.encoders import encode
from edgesdt.ledger import actions as act
from edgesdt.readouts import methods
from edgesdt.rules import softmax
from edgesdt.rules.eqprop.ledger import counts
from tests.small_chips import random_samples, spec_of

KINDS: dict[str, tuple[list[int], dict[str, Any]]] = {
    "one layer": ([9, 7], {}),
    "two layers": ([9, 8, 7], {"learning.winners": 2}),
    "label": ([9, 8, 7], {"learning.target": "label"}),
    "symmetric": ([9, 8, 7], {"learning.beta_sign": "symmetric"}),
    "batch": ([9, 8, 7], {"learning.batch": 4}),
    "batch, symmetric": ([9, 7], {"learning.batch": 4, "learning.beta_sign": "symmetric"}),
    "no biases": ([9, 8, 7], {"chip.biases.enabled": False}),
    "stochastic states": ([9, 8, 7], {"chip.states.rounding": "stochastic"}),
    "three layers": ([9, 6, 8, 7], {}),
    "softmax": ([9, 8, 7], {"learning.loss": "cross_entropy", "learning.winners": 2}),
}


def styled(kind: str, style: str) -> Chip:
    """One chip of a kind in a style."""
    layers, fields = KINDS[kind]
    return Chip(spec_of(layers, fields | {"chip.style": style, "learning.free_steps": 11, "learning.nudged_steps": 4}))


@pytest.mark.parametrize("kind", KINDS)
def test_the_style_changes_the_bill_and_nothing_else(kind: str) -> None:
    dense, event = styled(kind, "dense"), styled(kind, "event_driven")
    samples, labels = random_samples(dense.spec, seed=4, count=90)
    for chip in (dense, event):
        chip.rule.learn(samples, labels, np.arange(90), 0)
    mine, theirs = dense.state(), event.state()
    for name in mine:
        np.testing.assert_array_equal(mine[name], theirs[name], err_msg=name)
    np.testing.assert_array_equal(dense.rule.infer(samples), event.rule.infer(samples))
    for every, some in (
        (dense.counts(), event.counts()),
        (dense.rule.inference_counts(), event.rule.inference_counts()),
    ):
        more = softmax.MEANING.keys() if kind == "softmax" else set()
        assert every.keys() == some.keys() == act.MEANING.keys() | more
        assert all(type(n) is int for n in (*every.values(), *some.values()))
        assert all(0 <= some[name] <= every[name] for name in every), (every, some)
        assert some[act.MAC] < every[act.MAC]


def test_the_style_does_not_change_the_accuracy() -> None:
    data = datasets.load("digits", 500, 200)
    found = []
    for style in ("dense", "event_driven"):
        chip = Chip(spec_of([64, 30], {"encoder.bits": 4, "learning.winners": 2, "chip.style": style}))
        chip.learn(data.x_train)
        x, x_test = encode(data.x_train, 4), encode(data.x_test, 4)
        found.append(methods.direct(chip.rule.infer, x, data.y_train, x_test, data.y_test, 10))
    assert found[0] == found[1]
    assert found[0]["direct_average"] > 0.3


# --- closed forms

FREE, NUDGED, SAMPLES = 5, 3, 12
N0, N1, N2 = 4, 3, 6


def dense_chip(**fields: Any) -> Chip:
    """A dense chip of layers N0-N1-N2."""
    plain = {
        "chip.style": "dense",
        "learning.winners": 2,
        "learning.free_steps": FREE,
        "learning.nudged_steps": NUDGED,
        "learning.beta_sign": "positive",
        "chip.random.lanes": 2,
    }
    changed = {name.replace("__", "."): value for name, value in fields.items()}
    return Chip(spec_of([N0, N1, N2], plain | changed))


def learned(chip: Chip, count: int = SAMPLES) -> dict[str, int]:
    """The counts of learning `count` samples."""
    samples, labels = random_samples(chip.spec, seed=5, count=count)
    chip.rule.learn(samples, labels, np.arange(count), 0)
    return chip.counts()


def test_a_dense_chip_in_closed_form() -> None:
    neurons, synapses = N1 + N2, N0 * N1 + N1 * N2
    steps = FREE + NUDGED
    # once a sample the inputs into layer 1; in every step each layer into the one above and the one below
    macs = N0 * N1 + steps * (N1 * N2 + N2 * N1)
    found = learned(dense_chip())
    words = found.pop(act.RANDOM_WORD)
    assert found == {
        act.MAC: SAMPLES * macs,
        act.WEIGHT_READ: SAMPLES * (macs + synapses),
        act.WEIGHT_WRITE: SAMPLES * synapses,
        act.INPUT_READ: SAMPLES * 2 * N0,  # for the drive and for the update
        act.INPUT_WRITE: SAMPLES * N0,
        act.STATE_READ: SAMPLES * (steps + 2) * neurons,  # in each step, and two ends of phases to compare
        act.STATE_WRITE: SAMPLES * (steps + 2) * neurons,  # in each step, at rest, and the free end kept
        act.NEURON_STEP: SAMPLES * steps * neurons,
        act.NUDGE: SAMPLES * NUDGED * N2,
        act.KEY_COMPARE: SAMPLES * N2 * 2,
        act.HOMEOSTASIS_STEP: SAMPLES * N2,
        act.CONTRAST: SAMPLES * (N0 * N1 + 2 * N1 * N2),  # one product where the input is the same in both phases
        act.RATE: SAMPLES * (synapses + neurons),
        act.BIAS_READ: SAMPLES * 2 * neurons,  # at rest, and to be moved
        act.BIAS_WRITE: SAMPLES * neurons,
        act.CONTRAST_ACCESS: 0,
    }
    assert words > 0 and words % 2 == 0, "whole steps of a bank of two lanes"


def test_dense_inference_in_closed_form() -> None:
    chip = dense_chip()
    samples, _ = random_samples(chip.spec, seed=6, count=SAMPLES)
    chip.rule.infer(samples)
    neurons, macs = N1 + N2, N0 * N1 + FREE * 2 * N1 * N2
    paid = {
        act.MAC: SAMPLES * macs,
        act.WEIGHT_READ: SAMPLES * macs,
        act.INPUT_READ: SAMPLES * N0,
        act.INPUT_WRITE: SAMPLES * N0,
        act.STATE_READ: SAMPLES * FREE * neurons,
        act.STATE_WRITE: SAMPLES * (FREE + 1) * neurons,
        act.NEURON_STEP: SAMPLES * FREE * neurons,
        act.BIAS_READ: SAMPLES * neurons,
    }
    assert chip.rule.inference_counts() == dict.fromkeys(act.MEANING, 0) | paid


def test_what_options_add_to_a_dense_chip() -> None:
    plain = learned(dense_chip())
    neurons, synapses = N1 + N2, N0 * N1 + N1 * N2
    expected = {
        ("learning__target", "label"): {act.KEY_COMPARE: -SAMPLES * N2 * 2, act.HOMEOSTASIS_STEP: -SAMPLES * N2},
        ("chip__biases__enabled", False): {
            act.BIAS_READ: -SAMPLES * 2 * neurons,
            act.BIAS_WRITE: -SAMPLES * neurons,
            act.RATE: -SAMPLES * neurons,
        },
        # the second nudged phase, and one step back to the free state before it
        ("learning__beta_sign", "symmetric"): {
            act.MAC: SAMPLES * (NUDGED + 1) * 2 * N1 * N2,
            act.WEIGHT_READ: SAMPLES * (NUDGED + 1) * 2 * N1 * N2,
            act.STATE_READ: SAMPLES * (NUDGED + 1) * neurons,
            act.STATE_WRITE: SAMPLES * (NUDGED + 2) * neurons,
            act.NEURON_STEP: SAMPLES * (NUDGED + 1) * neurons,
            act.NUDGE: SAMPLES * NUDGED * N2,
        },
        # nothing goes down in the free phase; shares are formed at its end and in every nudged step
        ("learning__loss", "cross_entropy"): {
            act.MAC: -SAMPLES * FREE * N1 * N2,
            act.WEIGHT_READ: -SAMPLES * FREE * N1 * N2,
            act.STATE_READ: -SAMPLES * FREE * N2,
            act.STATE_WRITE: -SAMPLES * FREE * N2,
            act.NEURON_STEP: -SAMPLES * (FREE + NUDGED) * N2,
            act.CONTRAST: -SAMPLES * N1 * N2,
            softmax.SOFTMAX: SAMPLES * (1 + NUDGED) * N2,
            softmax.RECIPROCAL: SAMPLES * (1 + NUDGED),
        },
        # 12 samples in batches of 5 are 3 updates, which also settle the homeostasis
        ("learning__batch", 5): {
            act.WEIGHT_READ: (3 - SAMPLES) * synapses,
            act.WEIGHT_WRITE: (3 - SAMPLES) * synapses,
            act.RATE: (3 - SAMPLES) * (synapses + neurons),
            act.BIAS_READ: (3 - SAMPLES) * neurons,
            act.BIAS_WRITE: (3 - SAMPLES) * neurons,
            act.HOMEOSTASIS_STEP: (3 - SAMPLES) * N2,
            act.CONTRAST_ACCESS: (SAMPLES + 3) * synapses,
        },
    }
    for (field, value), change in expected.items():
        found = learned(dense_chip(**{field: value}))
        moved = {name: n - plain.get(name, 0) for name, n in found.items() if n != plain.get(name, 0)}
        moved.pop(act.RANDOM_WORD, None)
        assert moved == change, field


def test_an_event_driven_inference_pays_for_what_is_there() -> None:
    """With all weights and biases 0 nothing moves: only the inputs that are not 0 are multiplied."""
    chip = Chip(spec_of([N0, N1, N2], {"chip.weights.init_gain": 0.0}))
    samples = np.array([[0, 9, 0, 255], [0, 0, 0, 0], [1, 2, 3, 4]], np.uint8)
    assert not chip.rule.infer(samples).any()
    active = 2 + 0 + 4
    assert chip.rule.inference_counts() == dict.fromkeys(act.MEANING, 0) | {
        act.MAC: active * N1,
        act.WEIGHT_READ: active * N1,
        act.INPUT_READ: active,
        act.INPUT_WRITE: 3 * N0,
        act.STATE_WRITE: 3 * (N1 + N2),  # at rest
        act.BIAS_READ: 3 * (N1 + N2),
    }


# --- how it is run does not matter


@pytest.mark.parametrize("style", ["dense", "event_driven"])
@pytest.mark.parametrize("kind", ["two layers", "symmetric", "batch", "stochastic states"])
def test_counts_add_up_over_calls(kind: str, style: str) -> None:
    whole, parts = styled(kind, style), styled(kind, style)
    samples, labels = random_samples(whole.spec, seed=7, count=60)
    whole.rule.learn(samples, labels, np.arange(60), 0)
    separate = dict.fromkeys(act.MEANING, 0)
    for start in (0, 20, 40):  # multiples of the batch
        events = parts.state() | {"events": np.zeros_like(parts.rule.work.events)}
        parts.restore(events)
        parts.rule.learn(samples, labels, np.arange(start, start + 20), 0)
        separate = {name: separate[name] + n for name, n in parts.counts().items()}
    assert separate == whole.counts()
    np.testing.assert_array_equal(parts.rule.chip.weights, whole.rule.chip.weights)


@pytest.mark.parametrize("kind", ["one layer", "two layers", "stochastic states"])
def test_threads_change_neither_outputs_nor_counts(kind: str) -> None:
    chip = styled(kind, "event_driven")
    samples, labels = random_samples(chip.spec, seed=8, count=1300)  # three chunks
    chip.rule.learn(samples[:50], labels[:50], np.arange(50), 0)
    before = chip.state()
    outputs: list[npt.NDArray[Any]] = []
    counted = []
    for threads in (1, 2, 5):
        outputs.append(chip.rule.infer(samples, threads))
        counted.append(chip.rule.inference_counts())
    assert counted[0] == counted[1] == counted[2]
    np.testing.assert_array_equal(outputs[0], outputs[1])
    np.testing.assert_array_equal(outputs[0], outputs[2])
    assert outputs[0].any()
    after = chip.state()
    for name in before:
        np.testing.assert_array_equal(after[name], before[name], err_msg=f"inference changed {name}")


def test_inference_of_nothing_is_nothing() -> None:
    chip = styled("two layers", "event_driven")
    assert chip.rule.infer(np.zeros((0, 9), np.uint8)).shape == (0, 7)
    assert set(chip.rule.inference_counts().values()) == {0}


def test_counts_stay_exact_beyond_what_a_float_holds() -> None:
    spec = spec_of([9, 7])
    events = np.full_like(Chip(spec).rule.work.events, 2**55 + 1)
    events[0, 0] = events[9, 0] = 1
    assert counts.actions(spec, events)[act.WEIGHT_WRITE] == 2 * (2**55 + 1)


@pytest.mark.parametrize(
    "kind", ["one layer", "two layers", "label", "symmetric", "no biases", "three layers", "softmax"]
)
def test_what_a_dense_chip_will_pay_is_known_before_it_runs(kind: str) -> None:
    chip = styled(kind, "dense")
    samples, labels = random_samples(chip.spec, seed=9, count=1000)
    chip.rule.learn(samples, labels, np.arange(1000), 0)
    chip.rule.infer(samples)
    told, paid = counts.predicted(chip.spec, learning=True), chip.counts()
    del told[act.RANDOM_WORD], paid[act.RANDOM_WORD]  # a neuron that did not move is not swept in either style
    assert told == paid
    assert counts.predicted(chip.spec, learning=False) == chip.rule.inference_counts()


def test_what_an_event_driven_chip_will_pay_is_an_estimate_below_dense() -> None:
    for layers, fields in KINDS.values():
        dense, event = (spec_of(layers, fields | {"chip.style": style}) for style in ("dense", "event_driven"))
        for learning in (True, False):
            most, some = (counts.predicted(spec, learning) for spec in (dense, event))
            assert all(type(n) is int and 0 <= n <= most[name] for name, n in some.items())
            assert some[act.MAC] < most[act.MAC]
