"""Chips that match similarities on cells, against plain Python; their state, counts and prices, and what is refused."""

from __future__ import annotations

import copy
import re
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgesdt.chip.simulated import Chip
from edgesdt.errors import SpecError
from edgesdt.pricing import bill
from edgesdt.rules.activity import ASSUMED, Seen
from edgesdt.rules.lookup import memory_map, rule_of
from edgesdt.rules.similarity.ledger import actions as own
from edgesdt.rules.similarity.rule import Similarity
from edgesdt.runs.preview import preview
from edgesdt.spec import Spec
from tests.cell_chips import MAPPINGS, by_place, cell_of, learn, named_tally, same, without_chance
from tests.oracle_similarity_cells import OracleSimilarityOnCells
from tests.small_chips import flat, random_samples, spec_of
from tests.small_similarity import arrays_of, events_of


def twins(spec: Spec, epoch: int = 0) -> tuple[Similarity, OracleSimilarityOnCells]:
    """A fresh chip and the oracle's."""
    rule = Similarity(spec)
    oracle = OracleSimilarityOnCells(copy.deepcopy(spec.plain()), cell_of(rule.store.crossbar), epoch)
    oracle.draw_weights()
    return rule, oracle


def assert_twins(rule: Similarity, oracle: OracleSimilarityOnCells) -> None:
    """Every array of the chip, every cell, every event and every tally is the same."""
    (each,), array = rule.store.layers, oracle.array
    assert each.crossbar.cells.state.tolist() == by_place(array, array.states_of_cells)
    assert each.crossbar.cells.pulses.tolist() == by_place(array, array.received)
    assert each.crossbar.bank.shares.tolist() == by_place(array, array.shares())
    assert named_tally(each.tally) == array.reading.tally
    arrays = {name: codes.tolist() for name, codes in rule.chip._asdict().items()}
    assert arrays == arrays_of(oracle) | {"weights": flat(array.codes())}
    assert events_of(rule.work.events) == oracle.counted()


@st.composite
def chips(draw: st.DrawFn) -> tuple[list[int], dict[str, Any]]:
    """One layer of weights on cells without chance."""

    def one_of(*values: Any) -> Any:
        return draw(st.sampled_from(values))

    plain = without_chance(one_of("Idealized", "GokmenVlasov", "ReRamSB"))
    fields = {
        "learning.rule": "similarity",
        "device.model": plain["device.model"],
        "device.off": plain["device.off"] + one_of([], ["adc"], ["dac"]),
        "device.array": {
            "mapping": one_of(*MAPPINGS), "verify_rounds": one_of(1, 3), "weight_per_range": 3.0,
            "programming": one_of("pulses", "verify", "coincidence"), "tile_rows": one_of(3, 256),
            "adc_bits": one_of(4, 9, 12), "adc_range": one_of(0.25, 1.0, 8.0), "dac_bits": one_of(3, 8),
        },
        "chip.weights.init_gain": one_of(0.5, 1.0),
        "chip.weights.frac_bits": one_of(3, 8, 12),
        "seed": draw(st.integers(0, 2**32 - 1)),
        "epochs": one_of(1, 3),
        "encoder.bits": one_of(4, 8),
        "chip.states.bits": one_of(4, 8, 12),
        "chip.states.rounding": one_of("nearest", "floor"),
        "chip.accumulator.bits": one_of(16, 32),
        "chip.constants.bits": one_of(3, 8),
        "chip.random.lanes": one_of(1, 4, 32),
        "learning.target": one_of("none", "label"),
        "learning.learning_rate": one_of(0.03, 0.125),
        "learning.tau": one_of(0.5, 3.0),
        "learning.integer_bits": one_of(0, 3),
        "learning.centring.enabled": one_of(True, True, False),
        "learning.centring.bits": 16,
        "learning.settling.solver": one_of("gauss_seidel", "damped"),
        "learning.settling.steps": 9,
        "learning.labels.classes": 4,
    }  # fmt: skip
    return list(one_of([9, 7], [5, 4], [18, 20])), fields


@settings(max_examples=40, deadline=None, derandomize=True)
@given(chip=chips(), epoch=st.integers(0, 2))
def test_a_chip_on_cells_equals_the_oracle(chip: tuple[list[int], dict[str, Any]], epoch: int) -> None:
    """Starting weights, learning with halvings, and inference: every array, every cell, every event and every tally."""
    spec = spec_of(*chip)
    rule, oracle = twins(spec, epoch % spec.epochs)
    assert_twins(rule, oracle)
    samples, labels = random_samples(spec, spec.seed, 8)
    rule.learn(samples, labels % 4, np.arange(8), epoch % spec.epochs)
    oracle.learn_stream(samples.tolist(), (labels % 4).tolist())
    assert_twins(rule, oracle)
    before = dict(oracle.array.reading.tally)
    assert rule.infer(samples[:2]).tolist() == [oracle.infer(x) for x in samples[:2].tolist()]
    shown = {name: n - before[name] for name, n in oracle.array.reading.tally.items()}
    assert named_tally(rule.store.layers[0].inference[0]) == shown


def test_the_oracle_halves_and_moves_its_cells() -> None:
    """Guards the comparison above: codes of both signs drive rows, pulses go both ways, and weights are halved."""
    fields = without_chance("Idealized") | {"learning.rule": "similarity", "learning.learning_rate": 0.1}
    _, oracle = twins(spec_of([9, 7], fields))
    samples, labels = random_samples(spec_of([9, 7], fields), 1, 10)
    oracle.learn_stream(samples.tolist(), labels.tolist())
    tally = oracle.array.reading.tally
    assert tally["reads"] == 20 and tally["verify_reads"] == 63 * oracle.events["halvings"][1] > 0
    assert min(tally["pulses_up"], tally["pulses_down"]) > 20


NOISY = {"read_noise": "additive", "read_noise_sd": 0.02, "output_noise": 0.7, "tile_rows": 6}
DEVICES: dict[str, dict[str, Any]] = {
    "cells": {"device.model": "EcRam", "device.array": NOISY},
    "not compiled": {"device.model": "Ag_aSi", "device.parameters": {"read_noise": 0.1}},
}


def on(device: dict[str, Any], fields: dict[str, Any] | None = None, layers: list[int] | None = None) -> Spec:
    """A chip of that device."""
    given = {"learning.rule": "similarity", "epochs": 1, "learning.learning_rate": 0.05, "learning.settling.steps": 12}
    return spec_of(layers or [20, 8], given | device | (fields or {}))


def trained(device: dict[str, Any], count: int = 30) -> Chip:
    """A noisy chip that has learned from random samples, with halvings."""
    chip = Chip(on(device))
    learn(chip.rule, *random_samples(chip.spec, 0, count))
    return chip


@pytest.mark.parametrize("device", DEVICES.values(), ids=DEVICES)
def test_a_restored_chip_goes_on_bit_for_bit(device: dict[str, Any]) -> None:
    whole = trained(device)
    assert whole.rule.store.crossbar.cells.pulses.any() and events_of(whole.rule.work.events)["halvings"][1] > 0
    kept, fresh = whole.state(), Chip(whole.spec)
    fresh.restore(kept)
    samples, labels = random_samples(whole.spec, 3, 6)
    for chip in (whole, fresh):
        learn(chip.rule, samples, labels)
    assert same(fresh.state(), whole.state()) and not same(kept, whole.state())
    assert np.array_equal(fresh.rule.infer(samples, 2), whole.rule.infer(samples))
    assert fresh.counts() == whole.counts() and fresh.rule.wear() == whole.rule.wear()


def test_reads_pulses_and_halvings_are_counted_and_priced() -> None:
    """The lateral weights keep their memory; the feed-forward ones have none."""
    chip = trained(DEVICES["cells"])
    counts, halvings = chip.counts(), events_of(chip.rule.work.events)["halvings"][1]
    assert counts["array_read"] == 60 and counts["verify_read"] == 160 * halvings > 0
    assert counts["mac"] == counts["weight_read"] == counts["weight_write"] == 0
    assert counts[own.LATERAL_MAC] > 0 and counts["pulse_up"] > 0
    pairs = events_of(chip.rule.work.events)["pairs"][0]
    assert counts[own.STEP] == pairs + 160 * halvings
    memory, table = memory_map(chip.spec).plain(), bill.technology(chip.spec)
    parts = bill.bill(chip.spec, counts, memory, table).energy_j
    assert parts["cell pulses"] > 0 and parts["lateral memory"] > 0 and "weight memory" not in parts
    digital = on({})
    dearer = bill.recipes(chip.spec, memory, table)[own.DRIVE]
    assert dearer > bill.recipes(digital, memory_map(digital).plain(), table)[own.DRIVE]


@pytest.mark.parametrize("programming", ["pulses", "coincidence"])
def test_what_was_seen_is_expected_again(programming: str) -> None:
    spec = on({"device.model": "EcRam"}, {"device.array.programming": programming})
    chip, rule, count = Chip(spec), rule_of(spec), 200
    samples, labels = random_samples(spec, 1, count)
    chip.rule.learn(samples, labels, np.arange(count), 0)
    chip.rule.infer(samples)
    seen = Seen(count, *chip.rule.happened(False)), Seen(count, *chip.rule.happened(True))
    activity = rule.observed(spec, *seen, "measured:")
    for learning, counts in ((True, chip.counts()), (False, chip.rule.inference_counts())):
        told = rule.expected(spec, learning, activity)
        assert told.keys() == counts.keys() == rule.expected(spec, learning, ASSUMED).keys()
        for name, paid in counts.items():
            assert told[name] == pytest.approx(1000 * paid / count, rel=0.12, abs=500), (name, learning)
    assert "on EcRam" in preview(spec)


@pytest.mark.parametrize(
    ("layers", "fields", "told"),
    [
        ([9, 8, 7], {}, "chip.layers: 2 layers of weights with rule similarity on analog cells, allowed: 1"),
        ([9, 8], {"device.array.slices": 2}, "device.array.slices: 2 with rule similarity, allowed: 1"),
        ([9, 8], {"chip.states.rounding": "stochastic"}, "chip.states.rounding: 'stochastic' with rule similarity"),
    ],
)
def test_what_an_array_cannot_do_is_refused(layers: list[int], fields: dict[str, Any], told: str) -> None:
    with pytest.raises(SpecError, match=re.escape(told)):
        on({"device.model": "EcRam"}, fields, layers)


def test_lateral_weights_have_no_cells() -> None:
    """They are read in every step of settling, and stay in a digital memory whatever holds the others."""
    names = {array.name: array.format for array in memory_map(on({"device.model": "EcRam"})).arrays}
    assert "cell" in names["cells_0"] and names["lateral_1"] == "u12.10" and "weights_0" not in names
