"""A chip that learns by backpropagation: its memory map, its counts in both styles, its state, what is refused."""

from __future__ import annotations

import re
from collections import defaultdict
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from benchmarks.measuring.contestants import yardstick
from edgesdt.chip.simulated import Chip
from edgesdt.errors import SpecError
from edgesdt.ledger.recipes import Access
from edgesdt.pricing import bill
from edgesdt.reference.float_backprop import Constants, FloatBackprop
from edgesdt.rules.activity import ASSUMED, Seen
from edgesdt.rules.backprop.ledger import actions as own
from edgesdt.rules.lookup import design_of, memory_map, resolve, rule_of
from edgesdt.spec import Spec
from tests.small_backprop import events_of
from tests.small_chips import random_samples, spec_of

LABEL: dict[str, Any] = {"learning.target": "label", "learning.loss": "cross_entropy"}
SPECS: dict[str, tuple[list[int], dict[str, Any]]] = {
    "one layer": ([9, 7], {}),
    "three layers": ([9, 6, 8, 7], {"learning.winners": 2, "learning.activation.hidden": "hard_sigmoid"}),
    "softmax": ([9, 8, 4], LABEL),
    "softmax of its own winners": ([9, 8, 7], {"learning.loss": "cross_entropy", "learning.winners": 1}),
    "batch": ([9, 8, 7], {"learning.batch": 4}),
    "batch, label, no biases": ([9, 8, 7], {**LABEL, "learning.batch": 5, "chip.biases.enabled": False}),
    "wide": ([9, 8, 7], {"chip.weights.bits": 16, "chip.states.bits": 16, "learning.errors.bits": 16}),
    "narrow": (
        [9, 8, 7],
        {
            "chip.weights.bits": 2, "chip.weights.frac_bits": 1, "chip.states.bits": 4, "encoder.bits": 1,
            "learning.errors.bits": 2, "learning.errors.frac_bits": 1, "learning.learning_rate": 0.2,
        },
    ),
}  # fmt: skip


def backprop(layers: list[int], fields: dict[str, Any]) -> Spec:
    """A small chip with the rule."""
    return spec_of(layers, {"learning.rule": "backprop", **fields})


@pytest.fixture(params=list(SPECS))
def spec(request: pytest.FixtureRequest) -> Spec:
    """One chip of each kind."""
    return backprop(*SPECS[request.param])


def learned(spec: Spec, count: int = 40) -> Chip:
    """A chip that has learned from random samples."""
    chip = Chip(spec)
    samples, labels = random_samples(spec, 1, count)
    chip.rule.learn(samples, labels, np.arange(count), 0)
    return chip


def test_the_map_lists_what_is_really_allocated_and_nothing_else(spec: Spec) -> None:
    chip = Chip(spec)
    listed: defaultdict[str, int] = defaultdict(int)
    for array in chip.memory.arrays:
        listed[array.held_in] += array.entries
    registers = listed.pop("")
    held = {name: array.size for name, array in chip.rule.chip._asdict().items() if array.size}
    assert {name: n for name, n in listed.items() if n} == held
    # eta, gamma and a rate for each weight layer; two target codes, the aimed-at activity, two drop-out bytes
    assert registers == 2 + (len(spec.chip.layers) - 1) + 2 + 1 + 2


def test_no_code_leaves_the_bits_that_the_map_gives_it(spec: Spec) -> None:
    chip = learned(spec, 60)
    for array in chip.memory.arrays:
        if not array.held_in or "gradient" in array.held_in:
            continue
        codes = getattr(chip.rule.chip, array.held_in)
        signed = array.format.startswith("s")
        highest = 2 ** (array.bits_each - signed) - 1
        assert np.iinfo(codes.dtype).max >= highest, array
        of_a_format = re.match(r"[su]\d+", array.format) is not None
        assert not of_a_format or (codes.max() <= highest and codes.min() >= (-highest - 1 if signed else 0)), array
    assert chip.rule.chip.errors.any() or chip.rule.chip.states.any()


def test_a_mini_batch_cannot_outgrow_its_buffers() -> None:
    for batch in (2, 3, 4096):
        spec = backprop([9, 8, 7], {"learning.batch": batch, "chip.states.bits": 16, "learning.errors.bits": 16})
        width = {a.name: a.bits_each for a in memory_map(spec).arrays}
        for layer, pre in enumerate((2**8 - 1, 2**16 - 1)):
            assert batch * pre * 2**15 <= 2 ** (width[f"weight_gradient_{layer}"] - 1)
        assert batch * 2**15 <= 2 ** (width["bias_gradient_1"] - 1)


def test_a_dense_chip_pays_for_three_full_passes() -> None:
    layers = [9, 8, 7]
    spec = backprop(layers, {"chip.style": "dense"})
    chip = learned(spec, 10)
    counts, synapses = chip.counts(), sum(a * b for a, b in pairwise(layers))
    assert counts["mac"] == 10 * synapses
    assert counts[own.BACK_MAC] == 10 * 8 * 7  # the input layer has no error
    assert counts[own.OUTER] == counts["weight_write"] == 10 * synapses
    assert counts["weight_read"] == 10 * (2 * synapses + 8 * 7)
    chip.rule.infer(random_samples(spec, 1, 3)[0])
    shown = chip.rule.inference_counts()
    assert shown["mac"] == 3 * synapses
    assert not shown[own.BACK_MAC] + shown[own.OUTER] + shown[own.ERROR] + shown["weight_write"]


def test_an_event_driven_chip_pays_for_what_is_not_zero() -> None:
    layers = [9, 8, 7]
    chip = learned(backprop(layers, {}), 30)
    counts, events = chip.counts(), events_of(chip.rule.work.events)
    assert counts["mac"] == events["inputs"][0] * 8 + events["active"][1] * 7
    assert counts[own.BACK_MAC] == events["errors"][2] * 8
    assert counts[own.OUTER] == sum(events["pairs"]) <= 30 * (9 * 8 + 8 * 7)
    assert counts["weight_write"] == sum(events["weight_writes"]) > 0
    dense = learned(backprop(layers, {"chip.style": "dense"}), 30)
    assert np.array_equal(dense.rule.chip.weights, chip.rule.chip.weights)
    assert all(counts[name] <= paid for name, paid in dense.counts().items())


def test_every_action_that_is_counted_has_a_recipe_and_a_phase_names_only_such(spec: Spec) -> None:
    design, counts = design_of(spec), learned(spec, 4).counts()
    names = [action.name for action in design.actions]
    assert sorted(names) == sorted(counts) and len(set(names)) == len(names)
    bounds = {name for phase in design.phases for stage in phase.stages for bound in stage for name in bound.actions}
    assert bounds <= set(names)
    arrays = [array.name for array in memory_map(spec).arrays]
    for action in design.actions:
        for part in action.recipe:
            used = counts[action.name] > 0 and isinstance(part, Access)
            assert not used or any(name.startswith(part.arrays) for name in arrays), action
    priced = bill.price(spec, {"train": counts, "inference": counts}, {"train": 4, "inference": 4},
                        memory_map(spec).plain())  # fmt: skip
    assert priced["energy_j"]["train_total"] > 0


@pytest.mark.parametrize("style", ["dense", "event_driven"])
def test_what_was_seen_is_expected_again(spec: Spec, style: str) -> None:
    """The way from events to shares and rates and back, whatever the chip."""
    plain = spec.plain()
    plain["chip"]["style"] = style
    same, count = Spec.from_plain(plain), 400
    chip, rule = Chip(same), rule_of(same)
    samples, labels = random_samples(same, 1, count)
    chip.rule.learn(samples, labels, np.arange(count), 0)
    chip.rule.infer(samples)
    seen = [Seen(count, *chip.rule.happened(inference)) for inference in (False, True)]
    activity = rule.observed(same, seen[0], seen[1], "measured:")
    for learning, counts in ((True, chip.counts()), (False, chip.rule.inference_counts())):
        told = rule.expected(same, learning, activity)
        assert told.keys() == counts.keys() == rule.expected(same, learning, ASSUMED).keys()
        for name, paid in counts.items():
            # errors of layer 1 come from pairs: read a little more or less often than that
            assert told[name] == pytest.approx(1000 * paid / count, rel=0.08, abs=60), (name, learning)


def test_a_restored_chip_goes_on_bit_for_bit(spec: Spec) -> None:
    samples, labels = random_samples(spec, 3, 40)
    whole, first = Chip(spec), Chip(spec)
    batch = spec.learning.batch
    cut = 20 // batch * batch
    whole.rule.learn(samples, labels, np.arange(40), 0)
    first.rule.learn(samples, labels, np.arange(cut), 0)
    second = Chip(spec)
    second.restore(first.state())
    second.rule.learn(samples, labels, np.arange(cut, 40), 0)
    for name, array in whole.state().items():
        assert np.array_equal(array, second.state()[name]), name
    assert np.array_equal(whole.infer(samples), second.infer(samples, threads=2))


def test_resolving_again_changes_nothing(spec: Spec) -> None:
    once = resolve(spec)
    assert resolve(once) == once


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"learning.loss": "log"}, "learning.loss: unknown choice: 'log', allowed: mse, cross_entropy"),
        ({"chip.states.rounding": "stochastic"}, "chip.states.rounding: 'stochastic' with rule backprop, allowed: "),
        ({"learning.beta": 0.2}, "learning.beta"),
        ({"learning.errors.bits": 17}, "learning.errors.bits: out of range: 17, allowed: an integer 2..16"),
    ],
)
def test_what_the_rule_does_not_know_is_refused(fields: dict[str, Any], told: str) -> None:
    with pytest.raises(SpecError, match=re.escape(told)):
        backprop([9, 7], fields)


@pytest.mark.parametrize("layers", [[9, 7], [9, 8, 7]])
def test_the_yardstick_of_the_benchmark_learns_the_same(layers: list[int]) -> None:
    """float32 at a mini-batch of one beside the float64 twin; with eta 1 the two forms of homeostasis are one."""
    none = {"learning.dropout.input": 0.0, "learning.dropout.output": 0.0, "learning.homeostasis.eta": 1.0}
    spec = backprop(layers, {**none, "learning.winners": 2, "learning.learning_rate": 0.1, "chip.weights.init_gain": 2})
    quick = yardstick(spec, 1)
    zeros = [np.zeros(n) for n in layers[1:]]
    exact = FloatBackprop(spec, [w.astype(np.float64) for w in quick.weights], zeros, Constants.asked(spec))
    samples = random_samples(spec, 1, 40)[0] / 256
    for x in samples:
        quick.learn(x[None].astype(np.float32))
        exact.learn(x)
    for one, other in zip([*quick.weights, *quick.biases], [*exact.weights, *exact.biases], strict=True):
        assert np.allclose(one, other, atol=1e-4)
    assert np.allclose(quick.infer(samples.astype(np.float32)), [exact.infer(x) for x in samples], atol=1e-4)
    assert np.abs(exact.biases[-1]).max() > 0.01
