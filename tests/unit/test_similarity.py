"""A chip that matches similarities: its memory map, its counts in both styles, a sample by hand, what is refused."""

from __future__ import annotations

import math
import re
from collections import defaultdict
from typing import Any

import numpy as np
import pytest

from edgesdt.chip.simulated import Chip
from edgesdt.errors import ArgumentError, BudgetError, SpecError
from edgesdt.ledger.recipes import Access
from edgesdt.pricing import bill
from edgesdt.rules.activity import ASSUMED, Seen
from edgesdt.rules.lookup import cautions, design_of, memory_map, resolve, rule_of
from edgesdt.rules.similarity.ledger import actions as own
from edgesdt.spec import Spec
from tests.small_chips import random_samples, spec_of
from tests.small_similarity import events_of
from tests.unit.test_energy import add, multiply

SPECS: dict[str, tuple[list[int], dict[str, Any]]] = {
    "one layer": ([9, 7], {}),
    "labels, damped": (
        [9, 8, 7],
        {
            "learning.target": "label", "learning.settling.solver": "damped", "learning.settling.dt": 0.3,
            "chip.weights.init_gain": 2.0,
        },
    ),
    "greedy": ([9, 8, 7], {
            "learning.stacking": "greedy", "epochs": 2, "chip.states.rounding": "floor", "chip.weights.init_gain": 2.0,
            "learning.schedule.kind": "constant",
        }),
    "not centred, wide": (
        [9, 7],
        {
            "learning.centring.enabled": False, "chip.weights.bits": 16, "chip.states.bits": 16,
            "learning.lateral.bits": 16, "learning.lateral.frac_bits": 12,
        },
    ),
}  # fmt: skip


def similarity(layers: list[int], fields: dict[str, Any]) -> Spec:
    """A small chip with the rule."""
    fine = {"epochs": 1, "learning.learning_rate": 0.03, "learning.integer_bits": 1, "chip.weights.frac_bits": 7}
    return spec_of(layers, {"learning.rule": "similarity", "learning.settling.steps": 12, **fine, **fields})


@pytest.fixture(params=list(SPECS))
def spec(request: pytest.FixtureRequest) -> Spec:
    """One chip of each kind."""
    return similarity(*SPECS[request.param])


def learned(spec: Spec, count: int = 40) -> Chip:
    """A chip that has learned from random samples."""
    chip = Chip(spec)
    samples, labels = random_samples(spec, 1, count)
    for epoch in range(spec.epochs):
        chip.rule.learn(samples, labels, np.arange(count), epoch)
    return chip


def test_the_map_lists_what_is_really_allocated_and_nothing_else(spec: Spec) -> None:
    chip, depth = Chip(spec), len(spec.chip.layers) - 1
    listed: defaultdict[str, int] = defaultdict(int)
    for array in chip.memory.arrays:
        listed[array.held_in] += array.entries
    registers = listed.pop("")
    held = {name: array.size for name, array in chip.rule.chip._asdict().items() if array.size}
    assert {name: n for name, n in listed.items() if n} == held
    own_ones = (spec.learning.target == "label") + (spec.learning.settling.solver == "damped")
    assert registers == 4 * depth + own_ones  # two rates and two growths of a layer


def test_no_code_leaves_the_bits_that_the_map_gives_it(spec: Spec) -> None:
    chip = learned(spec)
    for array in chip.memory.arrays:
        if not array.held_in:
            continue
        codes = getattr(chip.rule.chip, array.held_in)
        signed = array.format.startswith("s")
        highest = 2 ** (array.bits_each - signed) - 1
        assert np.iinfo(codes.dtype).max >= highest or array.held_in == "reciprocals", array
        of_a_format = re.match(r"[su]\d+", array.format) is not None
        assert not of_a_format or (codes.max() <= highest and codes.min() >= (-highest - 1 if signed else 0)), array
    assert chip.rule.chip.states.any()


def test_lateral_weights_stay_symmetric_and_positive_on_the_diagonal(spec: Spec) -> None:
    chip = learned(spec)
    for layer, n in enumerate(spec.chip.layers[1:], 1):
        codes, start = chip.rule.lateral(layer), int(chip.rule.plan.first_triangle[layer - 1])
        triangle = chip.rule.chip.lateral[start : start + n * (n + 1) // 2]
        assert np.array_equal(codes, codes.T) and (np.diag(codes) >= 1).all()
        assert np.array_equal(codes[np.tril_indices(n)], triangle)


def test_the_style_changes_the_bill_and_nothing_else(spec: Spec) -> None:
    plain = spec.plain()
    plain["chip"]["style"] = "dense"
    event, dense = learned(spec), learned(Spec.from_plain(plain))
    for name, array in event.state().items():
        np.testing.assert_array_equal(array, dense.state()[name], err_msg=name)
    samples = random_samples(spec, 1, 10)[0]
    np.testing.assert_array_equal(event.rule.infer(samples), dense.rule.infer(samples))
    for some, every in (
        (event.counts(), dense.counts()),
        (event.rule.inference_counts(), dense.rule.inference_counts()),
    ):
        assert some.keys() == every.keys()
        assert all(0 <= some[name] <= every[name] for name in every), (some, every)
    assert event.counts()["mac"] < dense.counts()["mac"] and event.counts()[own.LATERAL_MAC] > 0


def test_a_dense_chip_pays_for_every_step() -> None:
    chip = learned(similarity([9, 7], {"chip.style": "dense", "learning.learning_rate": 0.05}), 10)
    counts = chip.counts()
    halvings = events_of(chip.rule.work.events)["halvings"][1]
    beside = events_of(chip.rule.work.events)["lateral_halvings"][1]
    assert halvings == beside == 1
    assert counts["mac"] == 10 * 63
    assert counts[own.SETTLE_STEP] == 10 * 12 * 7 and counts[own.LATERAL_MAC] == 10 * 12 * 49
    assert counts[own.STEP] == 10 * 63 and counts[own.LATERAL_STEP] == 10 * 28
    assert counts["weight_write"] == (10 + halvings) * 63
    assert counts["weight_read"] == (20 + halvings) * 63
    assert counts[own.CENTRE] == counts[own.MEAN_READ] == counts["input_read"] == 20 * 9
    assert counts[own.MEAN_STEP] == counts[own.MEAN_WRITE] == counts["input_write"] == 90
    assert counts[own.DIVIDE] == 10 * (1 + 7) + 7 * beside
    chip.rule.infer(random_samples(chip.spec, 1, 3)[0])
    shown = chip.rule.inference_counts()
    assert shown["mac"] == 3 * 63 and shown[own.SETTLE_STEP] == 3 * 12 * 7 and shown[own.MEAN_STEP] == 0
    assert not shown[own.OUTER] + shown["weight_write"] + shown[own.LATERAL_WRITE] + shown["random_word"]


def test_a_sample_by_hand() -> None:
    """Two inputs, two neurons, not centred: every event of one event-driven sample, and what it costs."""
    spec = similarity(
        [2, 2],
        {
            "learning.centring.enabled": False, "chip.weights.frac_bits": 4, "learning.lateral.frac_bits": 4,
            "learning.integer_bits": 0, "chip.weights.rounding": "nearest", "learning.lateral.rounding": "nearest",
            "learning.learning_rate": 0.125, "chip.constants.bits": 4,
        },
    )  # fmt: skip
    chip = Chip(spec)
    chip.rule.weights(0)[...] = [[8, -8], [16, 16]]  # 1/2, -1/2; 1, 1
    chip.rule.restore(chip.rule.state())
    chip.rule.learn(np.array([[64, 0]], np.uint8), np.zeros(1, np.int64), np.arange(1), 0)
    # drive 1/8 and -1/8: neuron 0 goes to 32/256 in the first sweep, and the second one changes nothing
    assert chip.rule.chip.states.tolist() == [32, 0]
    # the gain of 1 / (1 - 1/4): 11 · 2^-5 is 1/3 in four bits; the step 1/4 · 1/4 · 1/8 · 43/32 is 11/1024, so 0.17 LSB
    assert chip.rule.chip.gains.tolist() == [2**23 * 43 // 32] * 2
    assert chip.rule.weights(0).tolist() == [[8, -8], [16, 16]]
    events = {name: sum(row) for name, row in events_of(chip.rule.work.events).items() if any(row)}
    assert events == {
        "samples": 1, "inputs": 1, "learned": 1, "settled": 1, "centred": 1, "active": 1, "sweeps": 2,
        "state_changes": 1, "pairs": 1, "lateral_pairs": 1,
    }  # fmt: skip
    counts = {name: count for name, count in chip.counts().items() if count}
    assert counts == {
        "mac": 2, "weight_read": 3, "input_read": 2, "input_write": 2, "state_read": 4 + 2, "state_write": 2 + 1,
        own.DRIVE: 2, own.SETTLE_STEP: 4, own.LATERAL_MAC: 2, own.LATERAL_READ: 3, own.OUTER: 2, own.STEP: 1,
        own.LATERAL_STEP: 1, own.GAIN_STEP: 2, own.DIVIDE: 2,
    }  # fmt: skip
    prices = bill.recipes(spec, memory_map(spec).plain(), bill.technology(spec))
    total = 0.1 + 32 * 0.01039  # pJ: a sum of 32 bits and its register
    by_table = {
        "mac": multiply(8 * 8) + total,
        own.LATERAL_MAC: multiply(9 * 12) + total,  # the change of a state has a sign
        own.OUTER: multiply(8 * 8),
        own.DRIVE: multiply(32 * 18) + 0.4815 * 50 / 32,
        own.STEP: multiply(16 * 5) + add(21) + 0.4815 * 21 / 32 + 0.03 + 2 * 0.03403 * 8 / 32,
    }
    for name, picojoules in by_table.items():
        assert prices[name] == pytest.approx(picojoules * 1e-12, rel=1e-9), name
    cost = bill.price(spec, {"train": chip.counts(), "inference": chip.counts()}, {"train": 1, "inference": 1},
                      memory_map(spec).plain())  # fmt: skip
    by_hand = sum(prices[name] * count for name, count in counts.items())
    leaks = sum(cost["energy_j"].get("train_leakage", {}).values())
    assert cost["energy_j"]["train_total"] - leaks == pytest.approx(by_hand, rel=1e-9)


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


@pytest.mark.parametrize("style", ["dense", "event_driven"])
def test_what_was_seen_is_expected_again(spec: Spec, style: str) -> None:
    """The way from events to shares and back, whatever the chip; a greedy one learns in one layer at a time."""
    plain = spec.plain()
    plain["chip"]["style"] = style
    same, count = Spec.from_plain(plain), 300
    chip, rule = learned(same, count), rule_of(same)
    samples = random_samples(same, 1, count)[0]
    chip.rule.infer(samples)
    shown = count * same.epochs
    seen = Seen(shown, *chip.rule.happened(False)), Seen(count, *chip.rule.happened(True))
    activity = rule.observed(same, *seen, "measured:")
    for learning, counts, many in ((True, chip.counts(), shown), (False, chip.rule.inference_counts(), count)):
        told = rule.expected(same, learning, activity)
        assert told.keys() == counts.keys() == rule.expected(same, learning, ASSUMED).keys()
        for name, paid in counts.items():
            # halvings come when the gain is full: one more or less in a stretch
            assert told[name] == pytest.approx(1000 * paid / many, rel=0.12, abs=500), (name, learning)


def test_a_restored_chip_goes_on_bit_for_bit(spec: Spec) -> None:
    """Across 100 samples, where the simulator flushes its wear counters."""
    samples, labels = random_samples(spec, 3, 140)
    whole, first, second = Chip(spec), Chip(spec), Chip(spec)
    whole.rule.learn(samples, labels, np.arange(140), 0)
    first.rule.learn(samples, labels, np.arange(50), 0)
    second.restore(first.state())
    second.rule.learn(samples, labels, np.arange(50, 140), 0)
    for name, array in whole.state().items():
        assert np.array_equal(array, second.state()[name]), name
    assert np.array_equal(whole.infer(samples), second.infer(samples, threads=2))
    assert whole.rule.wear()["codes_changed"] <= int(whole.state()["wear"].sum())


def test_greedy_layers_learn_in_turn() -> None:
    spec = similarity(*SPECS["greedy"])
    chip, (samples, labels) = Chip(spec), random_samples(spec, 1, 30)
    start = [chip.rule.weights(k).copy() for k in (0, 1)]
    chip.rule.learn(samples, labels, np.arange(30), 0)
    after = [chip.rule.weights(k).copy() for k in (0, 1)]
    assert not np.array_equal(start[0], after[0]) and np.array_equal(start[1], after[1])
    chip.rule.learn(samples, labels, np.arange(30), 1)
    assert np.array_equal(chip.rule.weights(0), after[0]) and not np.array_equal(chip.rule.weights(1), after[1])


def test_weights_that_are_not_shown_decay() -> None:
    """The gain stands for decay: a weight that no update touches is halved in time."""
    chip = Chip(similarity([3, 2], {"chip.weights.frac_bits": 4, "chip.weights.rounding": "nearest"}))
    chip.rule.weights(0)[...] = [[64, 64], [0, 0], [0, 0]]
    chip.rule.restore(chip.rule.state())
    chip.rule.learn(np.zeros((200, 3), np.uint8), np.zeros(200, np.int64), np.arange(200), 0)
    held = chip.rule.weights(0) * (2.0**23 / chip.rule.chip.gains[0])
    assert held[0] == pytest.approx([64 * (1 - 0.06) ** 200] * 2, abs=1) and held[0, 0] < 2


def test_resolving_again_changes_nothing(spec: Spec) -> None:
    once = resolve(spec)
    assert resolve(once) == once


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"learning.batch": 2}, "learning.batch: 2 with rule similarity, allowed: 1"),
        ({"chip.states.rounding": "stochastic"}, "chip.states.rounding: 'stochastic' with rule similarity, allowed: "),
        ({"learning.learning_rate": 0.3}, "learning.learning_rate[0]: too fast: 0.3, allowed: up to 0.25"),
        ({"learning.tau": 0.01}, "too fast: 0.03, allowed: up to 0.005"),
        ({"learning.centring.bits": 6}, "learning.centring.bits: narrower than a code: 6, allowed: 8..24"),
        ({"learning.stacking": "greedy"}, "learning.stacking: greedy in 1 epochs, allowed: together, or epochs: 2"),
        ({"chip.states.bits": 16}, "chip.states.bits: 16 bits below a layer, allowed: 4..15"),
        ({"learning.winners": 2}, "learning.winners"),
        ({"learning.beta": 0.2}, "learning.beta"),
        ({"learning.target": "self_defined"}, "learning.target"),
        ({"readout": ["output"]}, "rule similarity has no read-out 'output', allowed: linear, direct"),
        ({"device.model": "EcRam"}, "2 layers of weights with rule similarity on analog cells, allowed: 1"),
        ({"learning.lateral.bits": 17}, "learning.lateral.bits: out of range: 17, allowed: an integer 2..16"),
        ({"learning.settling.steps": 0}, "learning.settling.steps: out of range: 0, allowed: an integer 1..10000"),
        ({"chip.weights.frac_bits": -8, "learning.lateral.frac_bits": 16, "learning.integer_bits": -4,
          "encoder.bits": 1}, "chip.weights.frac_bits: too coarse beside learning.lateral.frac_bits"),
    ],
)  # fmt: skip
def test_what_the_rule_does_not_know_is_refused(fields: dict[str, Any], told: str) -> None:
    with pytest.raises(SpecError, match=re.escape(told)):
        similarity([9, 8, 7], fields)


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"learning.labels.rate": 0.5}, ["learning.labels.rate: 0.5: no effect with learning.target: none, all"]),
        ({"learning.labels.classes": 3}, ["learning.labels.classes: 3: no effect with learning.target: none"]),
        ({"learning.labels.rate": 0.5, "learning.target": "label"}, []),
        ({"learning.settling.dt": 0.5}, ["learning.settling.dt: 0.5: no effect with settling.solver: gauss"]),
        ({"learning.settling.dt": 0.5, "learning.settling.solver": "damped"}, []),
        ({"learning.centring.enabled": False, "learning.centring.bits": 6, "learning.centring.shift": 3},
         ["learning.centring.bits: 6: no effect with centring", "learning.centring.shift: 3: no effect with centring"]),
        ({"chip.biases.bits": 4}, ["chip.biases: no effect, neurons of similarity have no bias"]),
        ({"chip.biases.bits": 4, "chip.biases.enabled": False}, []),
        ({}, []),
    ],
)  # fmt: skip
def test_what_has_no_effect_is_told(fields: dict[str, Any], told: list[str]) -> None:
    spec = similarity([9, 7], fields)
    for held in (spec, resolve(spec)):
        found = cautions(held)
        assert len(found) == len(told)
        assert all(sentence.startswith(start) for sentence, start in zip(found, told, strict=True))


def test_labels_beyond_their_vectors_are_refused() -> None:
    spec = similarity([9, 20], {"learning.target": "label", "learning.labels.classes": 3})
    chip, (samples, _) = Chip(spec), random_samples(spec, 1, 4)
    chip.rule.learn(samples, np.arange(4) % 3, np.arange(4), 0)
    with pytest.raises(ArgumentError, match=re.escape("labels: 3, allowed: integers of 0 to 2")):
        chip.rule.learn(samples, np.arange(4), np.arange(4), 0)
    plain = spec.plain()
    plain["data"]["set"] = "mnist"
    plain["chip"]["layers"][0] = 784
    told = "learning.labels.classes: does not fit the classes of mnist: 3 labels, allowed: 10"
    with pytest.raises(SpecError, match=re.escape(told)):
        Spec.from_plain(plain)


def test_a_budget_without_room_for_the_lateral_weights_is_refused() -> None:
    spec = similarity([9, 30], {})
    needed = math.ceil(memory_map(spec).used_bits)
    plain = spec.plain()
    plain["chip"]["memory_budget"] = needed - 30 * 31 // 2 * 12
    with pytest.raises(BudgetError, match=r"at least .*\n(.*\n)*.*lateral_1 +465"):
        Chip(Spec.from_plain(plain))
