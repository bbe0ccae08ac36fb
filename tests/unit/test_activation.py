"""A chip that learns by local competition: memory map, counts in both styles, state, a price by hand, refusals."""

from __future__ import annotations

import base64
import io
import re
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.image import imread

from benchmarks import activation_uses
from benchmarks.measuring import moved
from benchmarks.measuring.contestants import yardstick
from edgesdt import datasets
from edgesdt.chip.simulated import Chip
from edgesdt.errors import ArgumentError, EdgesdtError, SpecError
from edgesdt.ledger.recipes import Access
from edgesdt.pricing import bill
from edgesdt.reference.float_activation import FloatActivation
from edgesdt.report.files import folders
from edgesdt.report.run import completions
from edgesdt.rules.activation.ledger import actions as own
from edgesdt.rules.activation.settings import shapes
from edgesdt.rules.activity import ASSUMED, Seen
from edgesdt.rules.lookup import cautions, design_of, memory_map, resolve, rule_of
from edgesdt.runs.preview import preview
from edgesdt.spec import Spec, layers
from hw_models import technology
from tests.small_activation import events_of, small
from tests.small_chips import random_samples

LABELS = 3
SPECS: dict[str, tuple[list[int], dict[str, Any]]] = {
    "lines": ([9, 8, 7], {}),
    "one layer, products": ([9, 7], {"learning.draws": "weights"}),
    "feedback, running statistics": (
        [9, 6, 8, 7],
        {"learning.activation": "std_abs", "learning.feedback.enabled": True, "learning.feedback.margin": 0.05,
         "learning.feedback.normalise": True, "learning.feedback.brake": True},
    ),
    "nearest, wide": (
        [9, 8, 7],
        {"chip.weights.rounding": "nearest", "chip.weights.bits": 16, "chip.weights.frac_bits": 14,
         "chip.states.bits": 12, "learning.frac_bits": 12, "learning.column_bits": 2},
    ),
}  # fmt: skip


@pytest.fixture(params=list(SPECS))
def spec(request: pytest.FixtureRequest) -> Spec:
    """One chip of each kind."""
    return small(*SPECS[request.param])


def learned(spec: Spec, count: int = 40) -> Chip:
    """A chip that has learned from random samples."""
    chip = Chip(spec)
    samples, labels = random_samples(spec, 1, count)
    chip.rule.learn(samples, labels % LABELS, np.arange(count), 0)
    return chip


def test_the_map_lists_what_is_really_allocated_and_nothing_else(spec: Spec) -> None:
    chip = learned(spec)
    listed: defaultdict[str, int] = defaultdict(int)
    for array in chip.memory.arrays:
        listed[array.held_in] += array.entries
        if array.held_in:
            codes = getattr(chip.rule.chip, array.held_in)
            signed = array.format.startswith("s")
            highest = 2 ** (array.bits_each - signed) - 1
            assert np.iinfo(codes.dtype).max >= highest, array
            of_a_format = re.match(r"[su]\d+", array.format) is not None
            assert not of_a_format or (codes.max() <= highest and codes.min() >= (-highest - 1 if signed else 0)), array
    registers = listed.pop("")
    held = {name: array.size for name, array in chip.rule.chip._asdict().items() if array.size}
    assert {name: n for name, n in listed.items() if n} == held
    assert registers == len(spec.chip.layers) - 1 + 1  # a rate for each weight layer, and the label's signal


def test_a_dense_chip_pays_for_whole_passes() -> None:
    spec = small([9, 8, 7], {"chip.style": "dense"})
    counts, rows = learned(spec, 10).counts(), 9 + 12
    assert counts["mac"] == 10 * (rows * 8 + 8 * 7)
    assert counts[own.RECONSTRUCTION] == counts[own.LINE_STEP] == counts["weight_write"] == 10 * (rows * 8 + 8 * 7)
    chip = Chip(spec)
    chip.rule.infer(random_samples(spec, 1, 4)[0])
    shown = chip.rule.inference_counts()
    assert shown["mac"] == 4 * (9 * 8 + LABELS * (12 * 8 + 8 * 7))  # the image's sums are shared by the labels
    assert shown[own.COMPARE] == 4 * LABELS
    assert not shown[own.RECONSTRUCTION] + shown[own.ERROR] + shown["weight_write"] + shown["random_word"]


def test_an_event_driven_chip_pays_for_what_is_not_zero() -> None:
    chip = learned(small([9, 8, 7]), 30)
    counts, events = chip.counts(), events_of(chip.rule.work.events)
    assert counts["mac"] == (events["inputs"][0] + 30 * 4) * 8 + events["active"][1] * 7
    assert counts[own.RECONSTRUCTION] == events["outputs"][1] * 21 + events["outputs"][2] * 8
    assert counts[own.LINE_STEP] == sum(events["pairs"])
    assert counts["weight_write"] == sum(events["weight_writes"]) > 0
    dense = learned(small([9, 8, 7], {"chip.style": "dense"}), 30)
    assert np.array_equal(dense.rule.chip.weights, chip.rule.chip.weights)
    assert all(counts[name] <= paid for name, paid in dense.counts().items())


def test_a_sample_priced_by_hand() -> None:
    """One dense training sample of a chip of one layer, from the table's prices."""
    spec = small([4, 3], {"chip.style": "dense", "learning.label.classes": 2, "learning.label.copies": 2})
    chip = Chip(spec)
    samples, _ = random_samples(spec, 1, 1)
    chip.rule.learn(samples, np.zeros(1, np.int64), np.arange(1), 0)
    found = bill.bill(spec, chip.counts(), chip.memory.plain(), bill.technology(spec)).energy_j
    tech = technology.load("cmos_45nm")
    mac = tech.multiply_j(9, 8) + tech.add_j(32) + tech.register_j(32)
    synapses = (4 + 4) * 3  # four units of the label
    by_hand = synapses * mac + synapses * (mac + tech.register_j(9))
    assert found["synaptic arithmetic"] == pytest.approx(by_hand, rel=1e-9)
    weights = tech.sram_access_j(8, 8 * synapses)
    assert found["weight memory"] == pytest.approx(4 * synapses * weights, rel=1e-9)  # three reads and a write


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
    """The way from events to shares and rates and back, whatever the chip."""
    plain = spec.plain()
    plain["chip"]["style"] = style
    same, count = Spec.from_plain(plain), 200
    chip, rule = learned(same, count), rule_of(same)
    chip.rule.infer(random_samples(same, 1, count)[0])
    seen = [Seen(count, *chip.rule.happened(inference)) for inference in (False, True)]
    activity = rule.observed(same, seen[0], seen[1], "measured:")
    for learning, counts in ((True, chip.counts()), (False, chip.rule.inference_counts())):
        told = rule.expected(same, learning, activity)
        assert told.keys() == counts.keys() == rule.expected(same, learning, ASSUMED).keys()
        for name, paid in counts.items():
            assert told[name] == pytest.approx(1000 * paid / count, rel=0.08, abs=100), (name, learning)


def test_a_restored_chip_goes_on_bit_for_bit(spec: Spec) -> None:
    samples, labels = random_samples(spec, 3, 40)
    labels %= LABELS
    whole, first, second = Chip(spec), Chip(spec), Chip(spec)
    whole.rule.learn(samples, labels, np.arange(40), 0)
    first.rule.learn(samples, labels, np.arange(20), 0)
    second.restore(first.state())
    second.rule.learn(samples, labels, np.arange(20, 40), 0)
    for name, array in whole.state().items():
        assert np.array_equal(array, second.state()[name]), name
    many = np.tile(samples, (30, 1))
    assert np.array_equal(whole.infer(many), second.infer(many, threads=3))
    assert resolve(resolve(spec)) == resolve(spec)


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"chip.states.rounding": "stochastic"}, "chip.states.rounding: 'stochastic' with rule activation, allowed: "),
        ({"chip.states.bits": 16}, "chip.states.bits: 16 with rule activation, allowed: 4..15"),
        ({"chip.accumulator.bits": 12}, "chip.accumulator.bits: 12 with rule activation, allowed: 16..32"),
        ({"chip.weights.frac_bits": -1}, "chip.weights.frac_bits: -1 with rule activation, allowed: 0..24"),
        ({"learning.label.copies": 1}, "allowed: 2..4096"),
        ({"learning.frac_bits": 12}, "learning.label.copies: 4 units of a class have a signal of 0.5 each"),
        ({"learning.column_bits": 8}, "learning.column_bits: a factor of 8 bits does not hold the largest output: 8"),
        ({"learning.batch": 4}, "learning.batch: out of range: 4"),
        ({"learning.winners": 3}, "learning.winners"),
        (
            {"learning.feedback.enabled": True, "learning.feedback.after": 2, "epochs": 2},
            "learning.feedback.after: 2 with 2 epochs, of which none would have feedback, allowed: 0..1",
        ),
        ({"learning.target": "self_defined"}, "learning.target"),
        (
            {"device.model": "EcRam", "learning.feedback.enabled": True},
            "learning.feedback.enabled: true with weights on cells, allowed: false (unlearning amplifies",
        ),
        (
            {"device.model": "EcRam", "device.array.programming": "coincidence"},
            "array.programming: 'coincidence' with rule activation, allowed: pulses, verify (a train has no sign",
        ),
        (
            {"device.model": "EcRam", "chip.layers": [9, 8], "device.array.slices": 2},
            "device.array.slices: 2 with an array that rule activation reads both ways, allowed: 1",
        ),
        (
            {"device.model": "EcRam", "chip.layers": [9, 8], "device.drift_compensation": "global"},
            "device.drift_compensation: global with an array that rule activation reads both ways, allowed: none",
        ),
        ({"readout": ["direct"]}, "rule activation has no read-out 'direct', allowed: activation"),
        ({"data.set": "digits", "chip.layers": [64, 8, 7]}, "learning.label.classes: does not fit the classes"),
        ({"learning.rule": "backprop"}, "learning.label"),
    ],
)
def test_what_the_rule_does_not_know_is_refused(fields: dict[str, Any], told: str) -> None:
    with pytest.raises(SpecError, match=re.escape(told)):
        small([9, 8, 7], fields)


def test_feedback_begins_when_it_should() -> None:
    """No label is tried in the epochs before; what is expected of a run is the mean over its epochs."""
    fields = {"learning.feedback.enabled": True, "learning.feedback.after": 1, "epochs": 2}
    spec = small([9, 8, 7], fields)
    chip, plain = Chip(spec), Chip(small([9, 8, 7], {"epochs": 2}))
    samples, labels = random_samples(spec, 1, 20)
    for epoch in (0, 1):
        for each in (chip, plain):
            each.rule.learn(samples, labels % LABELS, np.arange(20), epoch)
        judged = events_of(chip.rule.work.events)["judged"][0]
        assert judged == 20 * epoch
        assert np.array_equal(chip.rule.chip.weights, plain.rule.chip.weights) == (epoch == 0)
    expected = rule_of(spec).expected(spec, True, ASSUMED)
    assert expected[own.COMPARE] == 500 * LABELS


def test_a_completed_image_keeps_what_was_given(tmp_path: Path) -> None:
    """And the report shows it: whole, as it was shown, and completed."""
    data, spec = datasets.load("digits"), small([64, 100, 100], DIGITS | {"learning.completions": 3})
    chip = Chip(spec)
    chip.learn(data.x_train, data.y_train, 0)
    before = chip.state()
    made = chip.rule.pictures(data.x_test.reshape(-1, 64), data.shape)
    assert all(np.array_equal(array, before[name]) for name, array in chip.state().items())
    whole, shown, completed = made["pictures"]
    assert np.array_equal(whole, data.x_test[:3].reshape(3, 64)) and np.array_equal(completed[:, :32], whole[:, :32])
    assert not shown[:, 32:].any() and completed[:, 32:].any()
    alike = [np.corrcoef(one[32:], other[32:])[0, 1] for one, other in zip(whole, completed, strict=True)]
    assert np.mean(alike) > 0.2  # faint, but of the digit
    np.savez(tmp_path / "weights.npz", **chip.rule.weight_file(data.shape), **made)
    drawn = completions.completions(folders.Run(tmp_path, {}, "run"))
    assert drawn is not None and (drawn.width, drawn.height, len(drawn.images)) == (8, 8, 3)
    picture = base64.b64decode(drawn.images[0].images[0].removeprefix("data:image/png;base64,"))
    grey = imread(io.BytesIO(picture), format="png").reshape(-1)
    assert np.allclose(grey, 1 - whole[0] / whole.max(), atol=0.01)
    np.savez(tmp_path / "weights.npz", **chip.rule.weight_file(data.shape), pictures=made["pictures"])
    with pytest.raises(EdgesdtError, match="picture_labels: expected a label for each of 3 images"):
        completions.completions(folders.Run(tmp_path, {}, "run"))


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"learning.feedback.margin": 0.75, "learning.feedback.unlearning": 0.5},
         ["learning.feedback.margin: 0.75: no effect", "learning.feedback.unlearning: 0.5: no effect with feedb"]),
        ({"learning.feedback.margin": 0.9, "learning.feedback.enabled": True}, []),
        ({"learning.feedback.most": 8.0, "learning.feedback.enabled": True},
         ["learning.feedback.most: 8.0: no effect with feedback.normalise: false, allowed: true with it"]),
        ({"learning.statistics.share_bits": 3},
         ["learning.statistics.share_bits: 3: no effect with activation: ln_abs, allowed: std_abs with it"]),
        ({"learning.statistics.share_bits": 3, "learning.activation": "std_abs"}, []),
        ({"learning.column_bits": 1, "learning.draws": "weights"},
         ["learning.column_bits: 1: no effect without factors of columns, allowed: draws: lines and"]),
        ({"chip.biases.bits": 4}, ["chip.biases: no effect, neurons of activation have no bias"]),
        ({}, []),
    ],
)  # fmt: skip
def test_what_has_no_effect_is_told(fields: dict[str, Any], told: list[str]) -> None:
    defaults = {"chip.states.bits": 8, "learning.frac_bits": 10, "learning.column_bits": 3, "learning.label.copies": 17}
    spec = small([9, 8, 7], {**defaults, **fields})
    for held in (spec, resolve(spec)):
        found = cautions(held)
        assert len(found) == len(told), found
        assert all(sentence.startswith(start) for sentence, start in zip(found, told, strict=True))


def test_arrays_have_rows_for_the_label_and_converters_on_both_sides() -> None:
    """What is known without a run: shapes, prices, and what no layer in memory does then."""
    cells = {"device.layers": {"0": "EcRam", "1": "EcRam"}}
    spec, mixed = small([9, 8, 7], cells), small([9, 8, 7], {"device.layers": {"1": "EcRam"}})
    rows = 9 + 3 * 4
    shapes_of = {array.name: array.shape for array in memory_map(spec).arrays if array.name.startswith("cells")}
    assert shapes_of == {"cells_0": (1, rows, 8), "cells_1": (1, 8, 7)}
    assert layers.alone(spec, 0).chip.layers == (rows, 8) == layers.alone(layers.alone(spec, 0), 0).chip.layers
    all_of, beside = (rule_of(chip).expected(chip, True, ASSUMED) for chip in (spec, mixed))
    assert all_of["mac"] == all_of["weight_read"] == all_of["weight_write"] == 0
    assert beside["mac"] > 0 and "array_read" not in beside
    for told in ("array_read_back", "layer_1.array_read_back"):
        assert all_of[told] > 0
    energy = bill.bill(spec, all_of, memory_map(spec).plain(), bill.technology(spec)).energy_j
    assert energy["ADC"] > 0 and energy["learning arithmetic"] > 0 and "synaptic arithmetic" not in design_units(spec)
    assert "for its rows" in preview(spec) and "for its rows" in preview(small([9, 8], {"device.model": "EcRam"}))


def design_units(spec: Spec) -> set[str]:
    """Components that have functional units."""
    return {unit.component for unit in design_of(spec).units}


def test_label_units_without_a_format_are_told_what_fits() -> None:
    """No number of copies may fit a format; the range that is told then is one that does."""
    asked = {"chip.states.bits": 4, "learning.frac_bits": 10, "learning.label.copies": 28, "learning.column_bits": 0}
    told = "allowed: no number with learning.frac_bits: 10 (4..6 of them with this number, or more chip.states.bits)"
    with pytest.raises(SpecError, match=re.escape(told)):
        small([9, 8, 7], asked)
    assert small([9, 8, 7], asked | {"learning.frac_bits": 6})
    with pytest.raises(SpecError, match=re.escape("allowed: 2..1024")):
        small([9, 8, 7], asked | {"learning.frac_bits": 4, "learning.label.copies": 1})


def test_columns_without_factors_need_not_hold_an_output() -> None:
    wide = {"chip.states.bits": 15, "learning.frac_bits": 10, "learning.column_bits": 3, "learning.label.copies": 28}
    with pytest.raises(SpecError, match=re.escape("learning.column_bits: a factor of 8 bits does not hold")):
        small([9, 8, 7], wide)
    assert small([9, 8, 7], wide | {"learning.draws": "weights"})


def test_a_label_that_is_no_class_is_refused() -> None:
    chip = Chip(small([9, 8, 7]))
    with pytest.raises(ArgumentError, match="labels"):
        chip.rule.learn(*random_samples(chip.spec, 1, 2)[:1], np.array([0, LABELS]), np.arange(2), 0)


DIGITS: dict[str, Any] = {
    "data.set": "digits", "chip.states.bits": 8, "learning.frac_bits": 8, "learning.label.classes": 10,
    "learning.label.copies": 6, "learning.column_bits": 3, "learning.learning_rate": 0.02, "epochs": 3,
    "chip.weights.frac_bits": 9, "chip.weights.init_gain": 0.33,
}  # fmt: skip


def digits_learned(**fields: Any) -> float:
    """Test accuracy of a chip of two layers after three passes over the digits."""
    spec, data = small([64, 100, 100], DIGITS | fields), datasets.load("digits")
    chip = Chip(spec)
    for epoch in range(spec.epochs):
        chip.learn(data.x_train, data.y_train, epoch)
    return activation_uses.accuracy(chip, data.x_test, data.y_test)


def test_eight_bits_learn_by_stochastic_rounding_and_not_by_nearest() -> None:
    """An update is a small part of an LSB: to nearest it is none at all, whatever is learned from."""
    stochastic = digits_learned()
    assert stochastic > 0.8
    assert digits_learned(**{"chip.weights.rounding": "nearest"}) < stochastic - 0.3
    wide = {"chip.weights.rounding": "nearest", "chip.weights.bits": 16, "chip.weights.frac_bits": 16}
    assert digits_learned(**wide) > stochastic - 0.05


def test_the_yardstick_of_the_benchmark_learns_the_same() -> None:
    """float32 at a mini-batch of one beside the float64 twin, which sees class 0 only."""
    spec = small([9, 8, 7], {"learning.learning_rate": 0.1, "chip.weights.init_gain": 2})
    quick = yardstick(spec, 1)
    exact = FloatActivation(spec, [w.astype(np.float64) for w in quick.weights], [0.1, 0.1])
    assert [w.shape for w in quick.weights] == shapes(spec)
    samples = random_samples(spec, 1, 20)[0] / 256
    for x in samples:
        quick.learn(x[None].astype(np.float32))
        exact.learn(x, 0)
    for one, other in zip(quick.weights, exact.weights, strict=True):
        assert np.allclose(one, other, atol=1e-4)
    assert np.allclose(quick.infer(samples.astype(np.float32)), [exact.infer(x) for x in samples], atol=1e-3)


def test_uses_are_measured_as_they_say() -> None:
    assert activation_uses.auc(np.array([3, 4]), np.array([1, 2])) == 1.0
    assert activation_uses.auc(np.array([1, 2]), np.array([2, 3])) == pytest.approx(0.125)
    x = np.arange(1, 33, dtype=np.uint8).reshape(2, 16)
    assert (activation_uses.masked(x, 1, 4) == 0).sum() == 8 and not activation_uses.masked(x, 1, 4)[:, 12:].any()
    assert (activation_uses.occluded(x, 2, 4, 0) == 0).sum() == 8
    assert np.array_equal(activation_uses.noisy(x, 0.0, 0), x)
    assert not np.array_equal(activation_uses.noisy(x, 9.0, 0), x)
    seen = moved.moved(np.full((3, 100), 200, np.uint8), 10, np.random.RandomState(0))
    assert (seen.reshape(3, 10, 10)[:, 4:6, 4:6] == 200).all() and len(np.unique(seen, axis=0)) == 3
    still = np.stack(np.meshgrid(np.arange(4), np.arange(4), indexing="ij"), -1).reshape(1, 16, 2).repeat(2, axis=0)
    assert np.array_equal(moved.between(x.reshape(2, 4, 4), still.astype(float)), x)
    assert np.array_equal(moved.between(x.reshape(2, 4, 4), still + 0.5)[:, 0], x[:, [0, 1, 4, 5]].mean(axis=1))
    y = np.array([0, 1, 0, 1, 1, 0])
    assert np.bincount(y[activation_uses.of_each_class(y, 2, 0)]).tolist() == [2, 2]
