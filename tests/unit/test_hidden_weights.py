"""Hidden bits of weights in the map, in counts and prices, foreseen, and refused where they cannot be."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from edgesdt import registry
from edgesdt.chip.simulated import Chip
from edgesdt.errors import SpecError
from edgesdt.ledger import actions as act
from edgesdt.pricing import bill
from edgesdt.rules.activity import Seen
from edgesdt.rules.lookup import memory_map, rule_of
from edgesdt.spec import Spec
from edgesdt.spec.checks import unused
from tests.small_chips import random_samples, spec_of

HIDDEN = {"chip.weights.bits": 2, "chip.weights.hidden_bits": 4, "chip.weights.levels": "nearest"}
RULES = [name for name in registry.OURS if registry.load(name).hidden_bits]
PJ = 1e-12


def chip_of(rule: str, layers: list[int], **fields: Any) -> Chip:
    """A chip whose weights hide bits."""
    made = {name.replace("__", "."): value for name, value in fields.items()}
    frac = {"chip.weights.frac_bits": 2, "learning.learning_rate": 0.1, "learning.winners": 2}
    return Chip(spec_of(layers, {"learning.rule": rule, **HIDDEN, **frac, **made}))


@pytest.mark.parametrize("rule", RULES)
def test_the_map_has_a_memory_for_what_is_hidden(rule: str) -> None:
    chip = chip_of(rule, [9, 7])
    bits = {array.name: array.bits for array in chip.memory.arrays}
    plain = {array.name: array.bits for array in memory_map(spec_of([9, 7], {"learning.rule": rule})).arrays}
    assert bits.pop("weights_hidden_0") == 9 * 7 * 4 and bits["weights_0"] == 9 * 7 * 2
    assert bits | {"winners": 0} == plain | {"weights_0": 9 * 7 * 2, "winners": 0}


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("style", ["event_driven", "dense"])
def test_an_update_reads_and_writes_both_memories_and_a_drive_one(rule: str, style: str) -> None:
    """The sample of a dense chip of one layer by hand: every weight is driven once, moved once."""
    chip = chip_of(rule, [9, 7], chip__style=style)
    samples, labels = random_samples(chip.spec, seed=1, count=20)
    chip.rule.learn(samples, labels, np.arange(20), 0)
    counts, events = chip.counts(), chip.rule.work.events
    assert counts[act.HIDDEN_WRITE] == counts[act.WEIGHT_WRITE] > 0
    assert counts[act.HIDDEN_READ] == counts[act.WEIGHT_READ] - counts[act.MAC] > 0
    if style == "dense":
        assert counts[act.HIDDEN_READ] == counts[act.HIDDEN_WRITE] == 20 * 9 * 7
        assert counts[act.WEIGHT_READ] == 20 * 2 * 9 * 7
    chip.rule.infer(samples)
    shown = chip.rule.inference_counts()
    assert shown[act.HIDDEN_READ] == shown[act.HIDDEN_WRITE] == 0 < shown[act.WEIGHT_READ]
    assert int(events[4].sum()) == chip.rule.wear()["codes_changed"]


@pytest.mark.parametrize("rule", RULES)
def test_prices_by_hand(rule: str) -> None:
    """128 KiB are read, 256 hidden; an access of n bits costs 10 pJ · n / 64 at 8 KiB, by the root of the size."""
    spec = spec_of([1024, 512], {"learning.rule": rule, **HIDDEN})
    prices = bill.recipes(spec, memory_map(spec).plain(), bill.technology(spec))
    assert prices[act.WEIGHT_READ] == pytest.approx(2 / 64 * 10 * PJ * 16**0.5, rel=0.05)
    assert prices[act.HIDDEN_READ] == pytest.approx(prices[act.WEIGHT_READ] * 2 * 2**0.5, rel=0.05)
    assert prices[act.HIDDEN_WRITE] == prices[act.HIDDEN_READ]
    narrow = spec_of([1024, 512], {"learning.rule": rule, "chip.weights.bits": 2})
    both = [bill.recipes(each, memory_map(each).plain(), bill.technology(each)) for each in (spec, narrow)]
    assert both[0][act.MAC] == both[1][act.MAC] and both[0][act.WEIGHT_READ] == both[1][act.WEIGHT_READ]
    step = {"eqprop": act.RATE}.get(rule, "weight_step")
    assert both[0][step] > both[1][step]  # added and compared over all bits
    odd = spec_of([1024, 512], {"learning.rule": rule, "chip.weights.bits": 2, "chip.weights.levels": "odd"})
    assert bill.recipes(odd, memory_map(odd).plain(), bill.technology(odd))[act.MAC] > both[1][act.MAC]


def test_banks_of_weights_hold_the_bits_that_are_read() -> None:
    spec = spec_of([64, 32], {**HIDDEN, "chip.memory.weights.bank": 1024, "chip.memory.weights.word": 32})
    found = memory_map(spec).plain()["banks"]
    assert [(each["kind"], each["arrays"], each["built_bits"]) for each in found] == [("weights", ["weights_0"], 4096)]


@pytest.mark.parametrize("rule", RULES)
def test_a_check_foresees_what_a_run_counts(rule: str) -> None:
    chip = chip_of(rule, [9, 8, 7])
    samples, labels = random_samples(chip.spec, seed=2, count=100)
    chip.rule.learn(samples, labels, np.arange(100), 0)
    chip.rule.infer(samples)
    known = rule_of(chip.spec)
    seen = [Seen(100, *chip.rule.happened(inference)) for inference in (False, True)]
    told = known.expected(chip.spec, True, known.observed(chip.spec, *seen, "a run"))
    for name in (act.HIDDEN_READ, act.HIDDEN_WRITE, act.WEIGHT_WRITE):
        assert told[name] / 10 == pytest.approx(chip.counts()[name], rel=0.03)


def test_a_spec_without_hidden_bits_is_what_it_was() -> None:
    spec = spec_of([9, 7], {"chip.weights.hidden_bits": 0, "chip.weights.levels": "floor"})
    assert spec.plain() == spec_of([9, 7]).plain() and "hidden_bits" not in spec.plain()["chip"]["weights"]
    kept = spec_of([9, 7], HIDDEN)
    assert Spec.from_plain(kept.plain()) == kept


def test_rounding_of_nothing_is_warned_of() -> None:
    rounded = {"chip.weights.levels": "nearest"}
    told = ["chip.weights.levels: nearest: no effect without hidden bits, allowed: floor, or hidden_bits of 1 or more"]
    assert unused.settings(spec_of([9, 7], rounded)) == told
    assert unused.settings(spec_of([9, 7], rounded | {"chip.weights.hidden_bits": 1})) == []


FAULTS: dict[str, tuple[dict[str, Any], str]] = {
    "beyond the store": (
        {"chip.weights.bits": 8, "chip.weights.hidden_bits": 9},
        r"chip\.weights\.hidden_bits: 9 with 8 bits, a weight stores 16 at most, allowed: 0\.\.8",
    ),
    "too fine": (
        {"chip.weights.frac_bits": 22, "chip.weights.hidden_bits": 4},
        r"chip\.weights\.hidden_bits: 4 with 22 fractional bits, allowed: 0\.\.2 \(24 at most together\)",
    ),
    "more than any": ({"chip.weights.hidden_bits": 15}, r"chip\.weights\.hidden_bits: out of range: 15"),
    "a level that is not": ({"chip.weights.levels": "od"}, r"chip\.weights\.levels: .*did you mean 'odd'"),
    "odd of all bits": (
        {"chip.weights.bits": 16, "chip.weights.levels": "odd"},
        r"chip\.weights\.levels: odd with 16 bits, allowed: floor, or 15 bits or fewer",
    ),
    "on cells": (
        {"chip.weights.hidden_bits": 2, "device.model": "EcRam"},
        r"chip\.weights\.hidden_bits: 2 with weights on analog cells, allowed: 0, or device\.model: sram for all",
    ),
    "levels on cells": (
        {"chip.weights.levels": "odd", "device.model": "EcRam"},
        r"chip\.weights\.levels: odd with weights on analog cells, allowed: floor, or ",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_what_a_weight_cannot_be(fault: str) -> None:
    fields, told = FAULTS[fault]
    with pytest.raises(SpecError, match=told):
        spec_of([9, 7], fields)


@pytest.mark.parametrize("rule", sorted(set(registry.OURS) - set(RULES)))
@pytest.mark.parametrize(("field", "value", "default"), [("hidden_bits", 2, "0"), ("levels", "odd", "floor")])
def test_a_rule_that_reads_all_bits_says_so(rule: str, field: str, value: object, default: str) -> None:
    told = rf"chip\.weights\.{field}: {value} with rule {rule}, which reads weights as .*, allowed: {default}"
    with pytest.raises(SpecError, match=told):
        spec_of([9, 7], {"learning.rule": rule, f"chip.weights.{field}": value})
