"""Chips that learn by SoftHebb with layers on cells, against plain Python; their state, counts, prices and rests."""

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
from edgesdt.rules.activity import Seen
from edgesdt.rules.lookup import memory_map, rule_of
from edgesdt.rules.softhebb.ledger import actions as own
from edgesdt.rules.softhebb.rule import SoftHebb
from edgesdt.runs.preview import preview
from edgesdt.spec import Spec
from tests.cell_chips import MAPPINGS, assert_cells_are, cell_of, learn, same, without_chance
from tests.oracle_softhebb_cells import OracleSoftHebbOnCells
from tests.small_chips import flat, random_samples
from tests.small_softhebb import arrays_of, events_of, softhebb


def twins(spec: Spec, epoch: int = 0) -> tuple[SoftHebb, OracleSoftHebbOnCells]:
    """A fresh chip and the oracle's."""
    rule = SoftHebb(spec)
    cells = {each.layer: cell_of(each.crossbar) for each in rule.store.layers}  # type: ignore[attr-defined]
    oracle = OracleSoftHebbOnCells(copy.deepcopy(spec.plain()), cells, epoch)
    oracle.draw_weights()
    return rule, oracle


def assert_twins(rule: Any, oracle: OracleSoftHebbOnCells) -> None:
    """Every array of the chip, every cell, every event and every tally is the same."""
    assert_cells_are(rule.store.layers, oracle)
    arrays = {name: array.tolist() for name, array in rule.chip._asdict().items()}
    codes = [code for layer in range(oracle.top) for code in flat(oracle.codes_of(layer))]
    wanted = arrays_of(oracle) | {"weights": codes}
    assert {name: arrays[name] for name in wanted} == wanted and arrays.keys() == wanted.keys()
    assert events_of(rule.work.events) == oracle.counted()


def run_both(spec: Spec, epoch: int, count: int = 6) -> OracleSoftHebbOnCells:
    """Starting weights, learning and inference of both."""
    rule, oracle = twins(spec, epoch)
    assert_twins(rule, oracle)
    samples, labels = random_samples(spec, spec.seed, count)
    learn(rule, samples, labels, epoch)  # type: ignore[arg-type]
    oracle.learn_stream(samples.tolist(), labels.tolist())
    assert_twins(rule, oracle)
    assert rule.infer(samples[:2]).tolist() == [oracle.infer(x) for x in samples[:2].tolist()]
    return oracle


@st.composite
def fields(draw: st.DrawFn) -> dict[str, Any]:
    """What a chip with a layer that competes on cells may be, apart from its device."""

    def one_of(*values: Any) -> Any:
        return draw(st.sampled_from(values))

    return {
        "chip.weights.init_gain": one_of(0.5, 1.0),
        "chip.weights.bits": one_of(4, 8, 12),
        "chip.weights.frac_bits": one_of(3, 6, 10),
        "seed": draw(st.integers(0, 2**32 - 1)),
        "epochs": one_of(2, 3),
        "encoder.bits": one_of(4, 8),
        "chip.states.bits": one_of(4, 8, 12),
        "chip.states.rounding": one_of("nearest", "floor"),
        "chip.biases.enabled": draw(st.booleans()),
        "chip.accumulator.bits": one_of(16, 32),
        "chip.constants.bits": one_of(3, 8),
        "chip.random.lanes": one_of(1, 4, 32),
        "learning.learning_rate": one_of(0.02, 0.3),
        "learning.sharpness": one_of(0.5, 12.0),
        "learning.losers": one_of("anti_hebbian", "still"),
        "learning.rate_power": one_of(0.0, 0.5),
        "learning.centre.enabled": draw(st.booleans()),
        "learning.centre.window_bits": one_of(0, 1),
        "learning.activation.power": one_of(1.0, 2.0),
        "learning.activation.range_bits": one_of(-3, 2),
    }


@st.composite
def device(draw: st.DrawFn) -> dict[str, Any]:
    """Cells without chance."""

    def one_of(*values: Any) -> Any:
        return draw(st.sampled_from(values))

    plain = without_chance(one_of("Idealized", "GokmenVlasov", "ReRamSB"))
    array = {
        "mapping": one_of(*MAPPINGS), "verify_rounds": one_of(1, 3), "weight_per_range": 3.0,
        "programming": one_of("pulses", "verify"), "tile_rows": one_of(3, 256), "tile_columns": one_of(2, 256),
        "adc_bits": one_of(4, 9, 12), "adc_range": one_of(1.0, 8.0), "dac_bits": one_of(3, 8),
    }  # fmt: skip
    return {"model": plain["device.model"], "off": plain["device.off"] + one_of([], ["adc"]), "array": array}


@settings(max_examples=40, deadline=None, derandomize=True)
@given(chip=fields(), cells=device(), epoch=st.integers(0, 1))
def test_a_layer_on_cells_equals_the_oracle(chip: dict[str, Any], cells: dict[str, Any], epoch: int) -> None:
    """Every array, every cell, every event and every tally."""
    run_both(softhebb([9, 7], chip | {f"device.{name}": value for name, value in cells.items()}), epoch)


@pytest.mark.slow
@settings(max_examples=25, deadline=None, derandomize=True)
@given(
    chip=fields(), cells=device(), head=device(),
    stack=st.sampled_from([("cells", "cells"), ("cells", "sram"), ("sram", "cells")]),
)  # fmt: skip
def test_a_read_out_anywhere_equals_the_oracle(
    chip: dict[str, Any], cells: dict[str, Any], head: dict[str, Any], stack: tuple[str, str]
) -> None:
    both = zip(stack, (cells, head), strict=True)
    each = {str(k): made if what == "cells" else "sram" for k, (what, made) in enumerate(both)}
    run_both(softhebb([9, 6, 4], chip | {"learning.target": "label", "device.layers": each}), 0)


QUICK: dict[str, Any] = {
    "learning.centre.window_bits": 1, "chip.weights.init_gain": 2, "learning.learning_rate": 0.2,
    "learning.schedule.kind": "constant", "device.model": "EcRam", "device.array.output_noise": 0.5,
    "device.array.tile_rows": 6,
}  # fmt: skip


def trained(more: dict[str, Any] | None = None, count: int = 30) -> Chip:
    """A noisy chip that has learned from random samples."""
    chip = Chip(softhebb([16, 8], QUICK | (more or {})))
    learn(chip.rule, *random_samples(chip.spec, 0, count))  # type: ignore[arg-type]
    return chip


@pytest.mark.parametrize("model", ["EcRam", pytest.param("Ag_aSi", marks=pytest.mark.slow)])
def test_a_restored_chip_goes_on_bit_for_bit(model: str) -> None:
    """Also where offsets are due when the chip is saved, and where Python gives the pulses."""
    whole = trained({"device.model": model}, 21)
    assert whole.rule.chip.ready.tolist() == [2]  # type: ignore[attr-defined]
    kept, fresh = whole.state(), Chip(whole.spec)
    fresh.restore(kept)
    samples, labels = random_samples(whole.spec, 3, 6)
    for chip in (whole, fresh):
        learn(chip.rule, samples, labels)  # type: ignore[arg-type]
    assert same(fresh.state(), whole.state()) and not same(kept, whole.state())
    assert np.array_equal(fresh.rule.infer(samples, 2), whole.rule.infer(samples))
    assert fresh.counts() == whole.counts() and fresh.rule.wear() == whole.rule.wear()


def test_offsets_are_those_of_the_weights_and_learning_moves_the_winners() -> None:
    """Without a converter, the offset that is read is the weighted sum of the means."""
    chip = trained({"device.array.output_noise": 0.0, "device.off": ["adc"]})
    rule: Any = chip.rule
    before = Chip(chip.spec).rule.weights(0)
    assert not np.array_equal(rule.weights(0), before)
    rule.infer(random_samples(chip.spec, 1, 1)[0])
    bank = rule.store.crossbar.bank
    lsb = chip.spec.device.array.weight_per_range / bank.one * 2.0**chip.spec.chip.weights.point
    exact = rule.chip.means @ (rule.weights(0).astype(np.float64) * lsb)
    assert np.abs(rule.chip.offsets * 2.0**-(rule.plan.input_left) - exact).max() <= 3
    assert rule.chip.ready.tolist() == [1] and rule.chip.norms.all()


def test_reads_of_columns_are_counted_and_priced() -> None:
    chip = trained()
    counts, events = chip.counts(), events_of(chip.rule.work.events)  # type: ignore[attr-defined]
    shared = events["shared"][1]
    assert counts["verify_read"] == counts[own.NORM_STEP] == shared * 16 and counts[own.PULL] == events["pairs"][0]
    assert not counts["mac"] + counts["weight_read"] + counts["weight_write"] + counts[own.OFFSET]
    assert 30 < counts["array_read"] <= 60 and counts["pulse_up"] > 0
    # a mean less the input, for each that learns; and every mean for each read of offsets
    assert counts[own.CENTRE] == 16 * (events["learned"][0] + counts["array_read"] - 30)
    found = bill.bill(chip.spec, counts, memory_map(chip.spec).plain(), bill.technology(chip.spec))
    assert found.energy_j["verify"] > 0 and found.energy_j["cell pulses"] > 0 and "weight memory" not in found.energy_j
    assert found.latency_s["array programming"] > 0


def test_what_was_seen_is_expected_again() -> None:
    chip = trained(count=200)
    spec, rule = chip.spec, rule_of(chip.spec)
    chip.rule.infer(random_samples(spec, 1, 50)[0])
    seen = Seen(200, *chip.rule.happened()), Seen(50, *chip.rule.happened(True))
    activity = rule.observed(spec, *seen, "measured:")
    for learning, counts, samples in ((True, chip.counts(), 200), (False, chip.rule.inference_counts(), 50)):
        told = rule.expected(spec, learning, activity)
        assert told.keys() == counts.keys()
        for name, paid in counts.items():
            assert told[name] == pytest.approx(1000 * paid / samples, rel=0.05, abs=100), (name, learning)
    assert "on EcRam" in preview(spec)


def test_a_rested_chip_reads_its_offsets_again() -> None:
    """What drifts in a weight drifts in its offset; back from the rest, all is as before."""
    chip = trained({"device.model": "PCM_inference", "device.array.programming": "verify"})
    rule: Any = chip.rule
    samples = random_samples(chip.spec, 5, 4)[0]
    fresh = rule.infer(samples)
    kept, state = rule.chip.offsets.copy(), chip.state()
    with rule.rested(1e6):
        assert not np.array_equal(rule.chip.offsets, kept)
        assert not np.array_equal(rule.infer(samples), fresh)
    assert np.array_equal(rule.chip.offsets, kept) and same(chip.state(), state)
    assert np.array_equal(rule.infer(samples), fresh)


@pytest.mark.parametrize(
    ("layers", "fields", "told"),
    [
        ([9, 7, 6], {"device.model": "EcRam"}, "EcRam for layer 1, which competes, allowed: sram"),
        ([9, 7], {"device.model": "EcRam", "device.array.programming": "coincidence"}, "allowed: pulses, verify"),
        ([9, 7], {"device.model": "EcRam", "device.array.slices": 2}, "2 with rule softhebb, allowed: 1"),
        ([9, 7], {"device.model": "EcRam", "learning.normalisation": "running"}, "'running' with layer 0 on cells"),
        ([9, 7], {"device.model": "EcRam", "learning.batch": 4}, "mini-batches of 4 on analog cells, allowed: 1"),
    ],
)  # fmt: skip
def test_what_cells_cannot_do_is_refused(layers: list[int], fields: dict[str, Any], told: str) -> None:
    with pytest.raises(SpecError, match=re.escape(told)):
        softhebb(layers, fields)
