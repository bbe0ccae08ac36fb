"""A chip that learns by SoftHebb: its memory map, its counts in both styles, a sample by hand, what is refused."""

from __future__ import annotations

import math
import re
from collections import defaultdict
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from benchmarks.float32.softhebb import FloatSoftHebb as FloatYardstick
from benchmarks.measuring.contestants import yardstick
from edgesdt.chip.simulated import Chip
from edgesdt.errors import SpecError
from edgesdt.ledger.recipes import Access
from edgesdt.pricing import bill
from edgesdt.reference.float_softhebb import Constants, FloatSoftHebb
from edgesdt.rules.activity import ASSUMED, Seen
from edgesdt.rules.lookup import cautions, design_of, memory_map, resolve, rule_of
from edgesdt.rules.softhebb.ledger import actions as own
from edgesdt.spec import Spec
from tests.small_chips import random_samples
from tests.small_softhebb import events_of, softhebb

QUICK: dict[str, Any] = {
    "learning.centre.window_bits": 1, "chip.weights.init_gain": 2, "chip.weights.frac_bits": 6,
    "learning.learning_rate": 0.2, "learning.schedule.kind": "constant",
}  # fmt: skip
SPECS: dict[str, tuple[list[int], dict[str, Any]]] = {
    "one layer": ([9, 7], {}),
    "three layers, running": ([9, 6, 8, 7], {"learning.normalisation": "running", "learning.sharpness": [4, 4, 2]}),
    "read-out": ([9, 8, 4], {"learning.target": "label"}),
    "greedy, not centred": ([9, 8, 4], {"learning.training": "greedy", "epochs": 2, "learning.centre.enabled": False}),
    "batch": ([9, 8, 7], {"learning.batch": 4}),
    "maximum, read-out": ([9, 8, 7], {"learning.normalisation": "maximum", "learning.target": "label"}),
    "wide": ([9, 8, 7], {"chip.weights.bits": 16, "chip.states.bits": 16, "learning.competition.share_bits": 12}),
    "no tables of powers": ([9, 7], {"learning.rate_power": 0, "learning.activation.power": 1}),
}


@pytest.fixture(params=list(SPECS))
def spec(request: pytest.FixtureRequest) -> Spec:
    """One chip of each kind."""
    layers, fields = SPECS[request.param]
    return softhebb(layers, QUICK | fields)


def learned(spec: Spec, count: int = 40) -> Chip:
    """A chip that has learned from random samples, in its last epoch."""
    chip = Chip(spec)
    samples, labels = random_samples(spec, 1, count)
    chip.rule.learn(samples, labels, np.arange(count), spec.epochs - 1)
    return chip


def test_the_map_lists_what_is_really_allocated_and_nothing_else(spec: Spec) -> None:
    chip = Chip(spec)
    listed: defaultdict[str, int] = defaultdict(int)
    for array in chip.memory.arrays:
        listed[array.held_in] += array.entries
    registers = listed.pop("")
    held = {name: array.size for name, array in chip.rule.chip._asdict().items() if array.size}
    assert dict(listed) == held
    # a rate and a sharpness for each weight layer, one over n for each layer that competes
    depth = len(spec.chip.layers) - 1
    assert registers == 2 * depth + depth - (spec.learning.target == "label")


def test_no_code_leaves_the_bits_that_the_map_gives_it(spec: Spec) -> None:
    chip = learned(spec, 60)
    for array in chip.memory.arrays:
        if not array.held_in:
            continue
        codes = getattr(chip.rule.chip, array.held_in)
        signed = array.format.startswith("s")
        highest = 2 ** (array.bits_each - signed) - 1
        assert np.iinfo(codes.dtype).max >= highest, array
        if len(spec.chip.layers) == 2 and re.match(r"[su]\d+", array.format):
            assert codes.max() <= highest and codes.min() >= (-highest - 1 if signed else 0), array
    assert chip.rule.chip.states.any() and chip.rule.chip.shares.any()


def test_norms_and_offsets_are_those_of_the_weights(spec: Spec) -> None:
    """Kept from change to change, they stay exact."""
    rule: Any = learned(spec).rule
    for layer in range(rule.plan.competing):
        start, low = int(rule.plan.first[layer + 1]), int(rule.plan.first_pre[layer])
        codes = rule.weights(layer).astype(np.int64)
        n, m = codes.shape
        assert rule.chip.norms[start : start + m].tolist() == np.square(codes).sum(axis=0).tolist()
        if rule.chip.means.size:
            assert rule.chip.offsets[start : start + m].tolist() == (rule.chip.means[low : low + n] @ codes).tolist()


def test_buffers_hold_every_sum() -> None:
    for batch in (2, 3, 4096):
        spec = softhebb([9, 8, 7], {"learning.batch": batch, "learning.competition.share_bits": 12})
        width = {a.name: a.bits_each for a in memory_map(spec).arrays}
        for layer in (0, 1):
            assert batch * (2**12 - 1) * (2**8 - 1) < 2 ** (width[f"gathered_{layer}"] - 1)
        assert batch * (2**12 - 1) * 2**15 <= 2 ** (width["decay_1"] - 1)
        assert 2 ** width["norms_1"] > 9 * 2**14 and 2 ** (width["offsets_1"] - 1) >= 9 * 255 * 128


def test_the_published_rule_pays_for_its_buffer() -> None:
    bits = {}
    for name in ("none", "running", "maximum"):
        bits[name] = memory_map(softhebb([30, 20], {"learning.normalisation": name})).used_bits
    assert bits["running"] == bits["none"] + 32
    assert bits["maximum"] > bits["none"] + 30 * 20 * 16
    counts = {name: learned(softhebb([30, 20], QUICK | {"learning.normalisation": name})).counts() for name in bits}
    assert counts["maximum"][own.NORMALISED] == 38 * 30 * 20 > counts["none"][own.NORMALISED] == 0
    assert not counts["none"][own.GRADIENT_ACCESS] and counts["maximum"][own.GRADIENT_ACCESS] > 38 * 30 * 20
    assert counts["running"][own.LARGEST] >= counts["running"][own.PULL] > counts["none"][own.LARGEST] == 0


def test_a_dense_chip_pays_for_all_synapses() -> None:
    layers = [9, 8, 7]
    spec = softhebb(layers, QUICK | {"chip.style": "dense"})
    chip, synapses = learned(spec, 12), sum(a * b for a, b in pairwise(layers))
    counts = chip.counts()
    assert counts["mac"] == 12 * synapses
    assert counts[own.PULL] == counts["weight_write"] == 10 * synapses  # the first two fill the first window
    assert counts[own.SOFTMAX] == 10 * 15 and counts[own.MEAN] == 6 * 17
    chip.rule.infer(random_samples(spec, 1, 3)[0])
    shown = chip.rule.inference_counts()
    assert shown["mac"] == 3 * synapses
    assert not shown[own.PULL] + shown[own.SOFTMAX] + shown[own.WINDOW] + shown["weight_write"] + shown["random_word"]


def test_an_event_driven_chip_pays_for_what_is_not_zero() -> None:
    layers = [9, 8, 7]
    chip = learned(softhebb(layers, QUICK), 30)
    counts, events = chip.counts(), events_of(chip.rule.work.events)  # type: ignore[attr-defined]
    assert counts["mac"] == events["inputs"][0] * 8 + events["active"][1] * 7
    assert counts[own.PULL] == events["swept"][1] * 9 + events["swept"][2] * 8 == sum(events["pairs"])
    assert counts["weight_write"] == counts[own.NORM_STEP] == sum(events["weight_writes"]) > 0
    dense = learned(softhebb(layers, QUICK | {"chip.style": "dense"}), 30)
    assert np.array_equal(dense.rule.weights(0), chip.rule.weights(0))
    assert all(counts[name] <= paid for name, paid in dense.counts().items())


def test_every_action_that_is_counted_has_a_recipe_and_a_phase_names_only_such(spec: Spec) -> None:
    design, counts = design_of(spec), learned(spec, 6).counts()
    names = [action.name for action in design.actions]
    assert sorted(names) == sorted(counts) and len(set(names)) == len(names)
    bounds = {name for phase in design.phases for stage in phase.stages for bound in stage for name in bound.actions}
    assert bounds <= set(names)
    arrays = [array.name for array in memory_map(spec).arrays]
    for action in design.actions:
        for part in action.recipe:
            used = counts[action.name] > 0 and isinstance(part, Access)
            assert not used or any(name.startswith(part.arrays) for name in arrays), (action, part)
    priced = bill.price(spec, {"train": counts, "inference": counts}, {"train": 6, "inference": 6},
                        memory_map(spec).plain())  # fmt: skip
    assert priced["energy_j"]["train_total"] > 0


@pytest.mark.parametrize("style", ["dense", "event_driven"])
def test_what_was_seen_is_expected_again(spec: Spec, style: str) -> None:
    """The way from events to shares and rates and back, whatever the chip."""
    plain = spec.plain()
    plain["chip"]["style"], plain["learning"]["training"] = style, "together"
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
            if name == own.NORM_STEP and same.learning.target == "label" and style == "event_driven":
                continue  # one share of pairs is written, whether they are of the read-out or not
            assert told[name] == pytest.approx(1000 * paid / count, rel=0.05, abs=60), (name, learning)


def test_a_sample_priced_by_hand() -> None:
    """Two neurons of three inputs, one sample past the first window, on paper."""
    fields = {"learning.centre.window_bits": 0, "chip.weights.init_gain": 2, "chip.weights.frac_bits": 6}
    spec = softhebb([3, 2], fields)
    chip = Chip(spec)
    samples = np.array([[0, 200, 100], [255, 0, 100]], np.uint8)
    chip.rule.learn(samples, np.zeros(2, np.int64), np.array([0]), 0)
    before = chip.counts()
    chip.rule.learn(samples, np.zeros(2, np.int64), np.array([1]), 0)
    after = chip.counts()
    spent = {name: after[name] - before[name] for name in after}
    shared, writes = spent[own.NORM_RATE], spent[own.NORM_STEP]
    assert shared in (1, 2) and writes <= 3 * shared
    # 2 inputs drive 2 neurons; a share sweeps 3 weights; the window of one sample renews 3 means and 2 offsets of 3
    assert spent == {
        "mac": 4, "weight_read": 4 + 3 * shared + 6, "weight_write": writes, "input_read": 2 + 3 + 2, "input_write": 3,
        "state_read": 0, "state_write": 2, "random_word": 32 * shared, own.DRIVE: 2, own.ACTIVATION: 2, own.SOFTMAX: 2,
        own.RECIPROCAL: 1, own.NORM_RATE: shared, own.CENTRE: 3, own.PULL: 3 * shared, own.NORM_STEP: writes,
        own.LARGEST: 0, own.WINDOW: 2, own.MEAN: 3, own.OFFSET: 6, own.ERROR: 0, own.HEAD: 0, own.GRADIENT_ACCESS: 0,
        own.NORMALISED: 0,
    }  # fmt: skip


def multiply(product: int) -> float:
    """The table's products in pJ: 0.2 at 8 x 8 and 3.1 at 32 x 32 bits, a power law between."""
    return float(0.2 * (product / 64) ** (math.log(3.1 / 0.2) / math.log(16)))


def add(bits: int) -> float:
    """The table's sums in pJ: 0.03, 0.05 and 0.1 at 8, 16 and 32 bits, straight lines between."""
    return 0.03 + 0.02 * (bits - 8) / 8 if bits <= 16 else 0.05 + 0.05 * (bits - 16) / 16


PRICES_PJ = {
    # a step of 18 bits times an input less its mean and times a weight; rounded, added, held in its range
    own.PULL: multiply(18 * 9) + multiply(18 * 8) + 2 * add(27) + 0.4815 * 27 / 32 + 0.03 + 0.03403 * 8 / 32,
    # old and new code: one product of their sum and difference; the difference times a mean into the offset
    own.NORM_STEP: multiply(9 * 9) + add(20) + multiply(8 * 9) + add(22),
    own.OFFSET: multiply(8 * 8) + add(22),
    own.HEAD: multiply(8 * 9) + multiply(17 * 8) + add(25) + 0.4815 * 25 / 32 + 0.03 + 0.03403 * 8 / 32,
}


@pytest.mark.parametrize("action", PRICES_PJ)
def test_the_price_of_an_action_by_hand(action: str) -> None:
    """32 inputs: a squared norm has 14 + 6 bits, an offset 16 + 6."""
    spec = softhebb([32, 16, 4], {"learning.target": "label"})
    prices = bill.recipes(spec, memory_map(spec).plain(), bill.technology(spec))
    assert prices[action] == pytest.approx(PRICES_PJ[action] * 1e-12, rel=1e-9, abs=0)


def test_a_restored_chip_goes_on_bit_for_bit(spec: Spec) -> None:
    samples, labels = random_samples(spec, 3, 40)
    whole, first = Chip(spec), Chip(spec)
    cut = 20 // spec.learning.batch * spec.learning.batch + spec.learning.batch
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


def test_a_read_out_learns_its_labels() -> None:
    """Four far patterns: the delta rule on the chip tells them apart, and the layers below do not see the labels."""
    fields = QUICK | {"learning.target": "label", "chip.weights.bits": 12, "chip.weights.frac_bits": 9}
    fields |= {"learning.learning_rate": [0.05, 0.5], "learning.activation.range_bits": 0, "learning.sharpness": [8, 1]}
    patterns = np.kron(np.eye(4, dtype=np.uint8), np.full(4, 250, np.uint8))
    labels, order = np.arange(4), np.tile(np.arange(4), 60)
    weights = []
    for turned in (labels, labels[::-1].copy()):
        chip = Chip(softhebb([16, 20, 4], fields))
        chip.rule.learn(patterns, turned, order, 0)
        assert chip.infer(patterns).argmax(axis=1).tolist() == turned.tolist()
        weights.append(chip.rule.weights(1).copy())
    assert not np.array_equal(*weights)


def test_in_greedy_training_one_layer_learns_at_a_time() -> None:
    fields = {"learning.training": "greedy", "epochs": 4}
    spec = softhebb([9, 8, 7], QUICK | fields)
    chip = Chip(spec)
    samples, labels = random_samples(spec, 1, 30)
    for epoch, moved in enumerate((0, 0, 1, 1)):
        before = [chip.rule.weights(k).copy() for k in (0, 1)]
        chip.rule.learn(samples, labels, np.arange(30), epoch)
        assert [not np.array_equal(w, chip.rule.weights(k)) for k, w in enumerate(before)] == [moved == 0, moved == 1]


@pytest.mark.parametrize(
    ("layers", "fields", "told"),
    [
        ([9, 7], {"learning.target": "label"}, "learning.target: 'label' with layers [9, 7], allowed: none, or "),
        ([9, 7], {"readout": ["output"]}, "readout[0]: 'output' needs learning.target: label"),
        ([9, 7], {"learning.target": "self_defined"}, "learning.target: unknown choice: 'self_defined', allowed: none"),
        ([9, 7], {"learning.winners": 3}, "learning.winners"),
        ([9, 7], {"learning.beta": 0.2}, "learning.beta"),
        ([9, 7], {"learning.sharpness": [1, 2]}, "learning.sharpness: wrong number of values: 2, allowed: one number"),
        ([9, 7], {"learning.sharpness": 200}, "learning.sharpness: out of range: 200"),
        ([9, 8, 7], {"learning.training": "greedy", "epochs": 1}, "learning.training: 'greedy' with 2 weight layers"),
        ([9, 100_000], {}, "learning.competition.table_bits: 16 with layers of 100,000, allowed: 8..14"),
        ([9, 7], {"learning.competition.table_bits": 17}, "table_bits: out of range: 17, allowed: an integer 8..16"),
        (
            [9, 7], {"learning.competition.bits": 8, "learning.competition.frac_bits": 8},
            "learning.competition.frac_bits: 8 of 8 bits, allowed: 0..7",
        ),
        (
            [9, 7],
            {"learning.batch": 4096, "chip.weights.bits": 16, "chip.weights.frac_bits": 24,
             "learning.competition.frac_bits": 15, "learning.competition.share_bits": 12},
            "chip.weights.frac_bits: 24 with buffered updates takes sums of",
        ),
        ([9, 7], {"chip.states.rounding": "stochastic"}, "chip.states.rounding: 'stochastic' with rule softhebb"),
    ],
)  # fmt: skip
def test_what_the_rule_does_not_know_is_refused(layers: list[int], fields: dict[str, Any], told: str) -> None:
    with pytest.raises(SpecError, match=re.escape(told)):
        softhebb(layers, fields)


def test_a_window_longer_than_the_training_is_told() -> None:
    (told,) = cautions(softhebb([9, 7], {"data.train": 1000, "epochs": 1}))
    assert told.startswith("learning.centre.window_bits: 1,024 samples are as many as all 1,000 or more")
    assert cautions(softhebb([9, 7], {"data.train": 1000, "epochs": 1, "learning.centre.window_bits": 8})) == []


def test_biases_are_told_where_they_were_asked_for() -> None:
    """A spec that was written out in full has the default format of biases, which nobody asked for."""
    spec = softhebb([9, 7], {"learning.centre.window_bits": 8})
    assert cautions(Spec.from_plain(spec.plain())) == []
    told = ["chip.biases: no effect, neurons of softhebb have no bias"]
    assert cautions(softhebb([9, 7], {"chip.biases.bits": 4})) == told
    (idle,) = cautions(softhebb([9, 7], {"learning.centre.enabled": False, "learning.centre.window_bits": 8}))
    assert idle.startswith("learning.centre.window_bits: 8: no effect with centre.enabled: false, allowed: true")


def test_the_yardstick_of_the_benchmark_learns_the_same() -> None:
    """float32 at a mini-batch of one beside the float64 twin, with a mean that hardly moves."""
    fields = {"learning.centre.window_bits": 20, "chip.weights.init_gain": 2, "learning.activation.range_bits": 0}
    spec = softhebb([9, 7], QUICK | fields)
    quick = yardstick(spec, 1)
    exact = FloatSoftHebb(spec, [w.astype(np.float64) for w in quick.weights], Constants.asked(spec))
    samples = random_samples(spec, 1, 40)[0] / 256
    exact.means = [samples.mean(axis=0)]
    assert isinstance(quick, FloatYardstick)
    quick.mean, quick._seen = samples.mean(axis=0).astype(np.float32), 1 << 40
    start = exact.weights[0].copy()
    for x in samples:
        quick.learn(x[None].astype(np.float32))
        exact.learn(x)
    assert np.allclose(quick.weights[0], exact.weights[0], atol=1e-3)
    assert np.allclose(quick.squares, np.square(quick.weights[0]).sum(axis=0), atol=1e-4)
    assert np.abs(exact.weights[0] - start).max() > 0.1
    wanted = np.array([exact.activate(exact.drives[0]) for x in samples if len(exact.infer(x))])
    assert np.allclose(quick.infer(samples.astype(np.float32)), wanted, atol=0.02)
