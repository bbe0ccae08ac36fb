"""Programming cells and what they show afterwards, against plain Python, in compiled code or by the model itself."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgesdt.kernels.layout import BANK_STEPS, PAIRS
from edgesdt.rules.eqprop.kernels.sample import learn_stream
from edgesdt.rules.eqprop.plan import rates
from edgesdt.rules.eqprop.rule import EqProp
from edgesdt.synapses.crossbar.crossbar import Crossbar
from edgesdt.synapses.crossbar.layout import MOST_PULSES
from edgesdt.synapses.crossbar.writing.updates import list_pulses
from hw_models.mapping import Mapping
from tests.cell_chips import (
    MAPPINGS,
    PLAIN,
    SEEDS,
    WIRES,
    call,
    learn,
    named_tally,
    pick,
    place,
    quick,
    read,
    spread_out,
    tally_of,
    trained,
    twins,
    without_chance,
)
from tests.oracle_numbers import clamped
from tests.small_chips import random_samples, spec_of

# --- programming

PROGRAMS = st.fixed_dictionaries(
    {
        "device.array.mapping": pick(*MAPPINGS),
        "device.array.programming": pick("pulses", "coincidence", "verify"),
        "device.array.weight_per_range": pick(0.02, 0.1, 5.0),
        "device.array.train_length": pick(1, 2, 17, 31, 32),
        "encoder.bits": pick(1, 4, 8),
        "chip.states.bits": pick(4, 8, 16),
        "chip.constants.bits": pick(2, 8, 10),
        "chip.random.lanes": pick(1, 4, 32),
        "learning.learning_rate": pick(1e-6, 0.01, 0.2, 1.0),
        "learning.beta": pick(0.01, 0.5, 2.0),
        "learning.homeostasis.frac_bits": st.just(16),
    }
)


def random_phases(rule: EqProp, seed: int) -> dict[str, Any]:
    """Inputs and the ends of two phases: many silent, many the same in both, some at full scale."""
    rng, n, top = np.random.default_rng(seed), len(rule.chip.states), rule.plan.state_limit
    ends = []
    for _ in range(2):
        codes = np.where(rng.random(n) < 0.4, 0, rng.integers(0, top + 1, n))
        ends.append(np.where(rng.random(n) < 0.1, top, codes).astype(np.int32))
    ends[1] = np.where(rng.random(n) < 0.3, ends[0], ends[1]).astype(np.int32)
    return {"inputs": random_samples(rule.spec, seed, 1)[0][0], "plus": ends[0], "minus": ends[1]}


def listed(rule: EqProp, phases: dict[str, Any]) -> list[tuple[int, int]]:
    """(cell, pulses) of the update between two phases."""
    count = call(rule, list_pulses, **phases)
    bank = rule.store.crossbar.bank
    return list(zip(bank.places[:count].tolist(), bank.counts[:count].tolist(), strict=True))


@settings(max_examples=120, deadline=None, derandomize=True)
@given(seed=SEEDS, fields=PROGRAMS, layers=pick([9, 7], [20, 12], [1, 2], [40, 3]))
def test_listed_pulses_equal_the_oracle(seed: int, fields: dict[str, Any], layers: list[int]) -> None:
    """The same random words in the same order, whatever the rounding, and the opposite for the other of a pair."""
    rule, oracle = twins(spec_of(layers, {**PLAIN, **fields, "seed": seed}))
    phases = random_phases(rule, seed)
    oracle.inputs = phases["inputs"].tolist()
    plus, minus = [[], phases["plus"].tolist()], [[], phases["minus"].tolist()]
    expected = [(place(oracle, p, i, j), c) for p, i, j, c in oracle.changes(plus, minus)]
    assert listed(rule, phases) == expected
    assert named_tally(rule.store.crossbar.bank.tally) == oracle.reading.tally
    assert rule.chip.random.tolist() == oracle.bank.lanes
    assert rule.work.events[BANK_STEPS, 0] == oracle.bank.steps
    assert rule.work.events[PAIRS, 0] == oracle.events["pairs"][0]
    assert rule.store.crossbar.cells.pulses.sum() == 0, "listing pulses nothing"
    if rule.store.crossbar.bank.planes == 2:
        synapses = layers[0] * layers[1]
        plus_cells = {cell: count for cell, count in expected if cell < synapses}
        assert {cell - synapses: -count for cell, count in expected if cell >= synapses} == plus_cells


def test_no_cell_is_listed_for_a_neuron_that_did_not_move() -> None:
    rule = EqProp(spec_of([9, 7], PLAIN))
    codes = np.full(7, 40, np.int32)
    assert listed(rule, {"inputs": np.full(9, 255, np.uint8), "plus": codes, "minus": codes.copy()}) == []
    moved = codes.copy()
    moved[2] = 90
    cells = listed(rule, {"inputs": np.full(9, 255, np.uint8), "plus": moved, "minus": codes})
    assert [cell // 9 for cell, _ in cells] == [2] * 9
    assert listed(rule, {"inputs": np.zeros(9, np.uint8), "plus": moved, "minus": codes}) == []


def test_a_cell_gets_no_more_pulses_than_stated() -> None:
    fields = {
        **PLAIN, "learning.learning_rate": 1.0, "learning.beta": 1e-3, "chip.weights.init_gain": 0.0,
        "device.array.weight_per_range": 1e-4,
    }  # fmt: skip
    rule = EqProp(spec_of([2, 2], fields))
    ends = {"plus": np.array([255, 0], np.int32), "minus": np.array([0, 255], np.int32)}
    cells = listed(rule, {"inputs": np.full(2, 255, np.uint8), **ends})
    assert [count for _, count in cells] == [MOST_PULSES] * 2 + [-MOST_PULSES] * 2


@pytest.mark.parametrize("mapping", MAPPINGS)
@pytest.mark.parametrize("programming", ["pulses", "coincidence"])
def test_the_mean_update_is_the_contrast_times_the_rate(mapping: str, programming: str) -> None:
    """Over many draws: `lr/β · x · (s⁺ − s⁻)` over the weight of a pulse; a train never gives more than its length."""
    fields = {
        **PLAIN, "device.array.mapping": mapping, "device.array.programming": programming,
        "learning.learning_rate": 0.004, "learning.beta": 0.5, "device.array.train_length": 31, "encoder.bits": 8,
    }  # fmt: skip
    rule = EqProp(spec_of([6, 4], fields))
    x = np.array([255, 0, 128, 30, 200, 77], np.uint8)
    plus, minus = np.array([200, 10, 50, 9], np.int32), np.array([100, 30, 50, 250], np.int32)
    total, squares, draws = np.zeros((2, 4, 6)), np.zeros((2, 4, 6)), 500
    for _ in range(draws):
        counts = np.zeros(len(rule.store.crossbar.cells.state))
        for cell, count in listed(rule, {"inputs": x, "plus": plus, "minus": minus}):
            counts[cell] += count
        assert programming == "pulses" or np.abs(counts).max() <= 31
        planes = np.resize(counts, (2, 4, 6)) if mapping == "pair" else np.stack([counts.reshape(4, 6)] * 2)
        total += planes
        squares += planes**2
    mean = total / draws
    # a pulse moves a cell by 0.0002 of a range of 2 that stands for a weight of 0.1: both cells of a pair by as much
    pulse = 0.1 * 0.0002 / 2.0 * (2 if mapping == "pair" else 1)
    exact = 0.004 / 0.5 / pulse * np.outer((plus - minus) / 256.0, x / 256.0)
    if programming == "coincidence":
        chance = np.minimum(np.abs(plus - minus) / 256.0 * (0.004 / 0.5 / pulse) / 31, 1.0)
        exact = np.sign(plus - minus)[:, None] * 31 * np.outer(chance, x / 256.0)
    error = np.sqrt(np.maximum(squares / draws - mean**2, 0) / draws)
    assert (np.abs(mean[0] - exact) <= 5 * error[0] + 0.006 * np.abs(exact) + 1e-12).all()
    assert np.array_equal(mean[1], -mean[0] if mapping == "pair" else mean[0])
    assert (mean[0][:, 1] == 0).all() and (mean[0][2] == 0).all()


@pytest.mark.parametrize("mapping", MAPPINGS)
@pytest.mark.parametrize("model", ["Idealized", "ReRamSB"])
def test_verified_cells_end_where_they_are_wanted(mapping: str, model: str) -> None:
    """Without noise: within half a nominal step of the state asked for, or of the end of the range beyond it.

    Soft bounds are only crept up to: near them, nearer than before is enough.
    """
    fields = {
        **without_chance(model), "device.array.programming": "verify", "device.array.mapping": mapping,
        "device.array.verify_rounds": 100, "learning.learning_rate": 0.05, "device.array.weight_per_range": 2.0,
    }  # fmt: skip
    rule = EqProp(spec_of([9, 7], fields))
    bank, cells = rule.store.crossbar.bank, rule.store.crossbar.cells
    inner = 0
    for x, label in zip(*random_samples(rule.spec, 5, 12), strict=True):
        before, pulsed = cells.visible.copy(), cells.pulses.copy()
        bank.counts[:], bank.places[:] = 0, -1
        twin = EqProp(rule.spec)
        twin.restore(rule.state())
        asked = dict(requested(twin, x, label))
        learn(rule, x[None], np.array([label]))
        for cell, count in asked.items():
            wanted = min(max(before[cell] + count * bank.step, bank.low), bank.low + bank.span)
            missed, share = abs(cells.visible[cell] - wanted), (wanted - bank.low) / bank.span
            if model == "Idealized" or 0.1 < share < 0.9:
                assert missed <= 0.5 * bank.step * 1.001 + 1e-6
            else:
                assert missed < abs(before[cell] - wanted) or missed <= bank.step
            inner += 0.1 < share < 0.9
        rest = np.setdiff1d(np.arange(len(before)), list(asked))
        assert np.array_equal(cells.visible[rest], before[rest])
        assert np.array_equal(cells.pulses[rest], pulsed[rest])
    assert inner > 30


def requested(rule: EqProp, x: npt.NDArray[np.uint8], label: int) -> list[tuple[int, int]]:
    """(cell, pulses) that the update of a sample asks for; `rule` is moved on, its cells are not pulsed."""
    store, labels = rule.store.kernels._replace(pulsed=False), np.array([label])
    given = {"samples": x[np.newaxis], "labels": labels, "order": np.zeros(1, np.int64), "rates": rates(rule.spec, 0)}
    call(rule, learn_stream, store=store, **given)
    bank, count = rule.store.crossbar.bank, int(store.listed[0])
    return list(zip(bank.places[:count].tolist(), bank.counts[:count].tolist(), strict=True))


def test_a_cell_at_its_end_is_not_pulsed_again_and_again() -> None:
    """Asked beyond the range, write-verify stops where the cell does."""
    fields = {
        **PLAIN, "device.array.programming": "verify", "learning.learning_rate": 1.0,
    }  # fmt: skip
    once = trained([5, 4], {**fields, "device.array.verify_rounds": 1}, count=3)
    often = trained([5, 4], {**fields, "device.array.verify_rounds": 50}, count=3)
    assert often.store.crossbar.cells.state.tolist() == once.store.crossbar.cells.state.tolist()
    assert np.abs(often.store.crossbar.cells.state).max() == 1.0
    assert often.store.crossbar.cells.pulses.max() <= 3 * 10_000
    assert tally_of(often)["pulses_up"] == tally_of(once)["pulses_up"]


def test_verify_comes_nearer_than_pulses_on_noisy_cells() -> None:
    """What it is for: state-dependent noisy steps, yet the weights end where they are wanted."""
    missed = {}
    for rounds in (1, 20):
        rule = EqProp(
            spec_of(
                [20, 12],
                {
                    "device.model": "EcRam", "device.array.programming": "verify", "learning.learning_rate": 0.3,
                    "device.array.verify_rounds": rounds,
                },
            )
        )  # fmt: skip
        twin = EqProp(rule.spec)
        x, labels = random_samples(rule.spec, 2, 1)
        before = rule.store.crossbar.cells.visible.copy()
        asked = requested(twin, x[0], labels[0])
        learn(rule, x, labels)
        bank, visible = rule.store.crossbar.bank, rule.store.crossbar.cells.visible
        aims = {cell: clamped(before[cell] + n * bank.step, bank.low, bank.low + bank.span) for cell, n in asked}
        off = [abs(visible[cell] - aim) for cell, aim in aims.items()]
        assert len(off) > 10
        missed[rounds] = float(np.mean(off)) / bank.step
    assert missed[20] < 0.8 < missed[1]


# --- what cells show, as codes


@quick
@given(
    seed=SEEDS,
    mapping=pick(*MAPPINGS),
    model=pick("Idealized", "ReRamSB", "EcRam", "PCM", "FeFET"),
    layers=pick([9, 7], [20, 12], [300, 3]),
)
def test_weight_codes_are_the_weights_of_the_mapping(seed: int, mapping: str, model: str, layers: list[int]) -> None:
    """Within half an LSB for every quantity that is rounded: a cell, the other of its pair, the reference."""
    rule = EqProp(spec_of(layers, {"device.model": model, "device.array.mapping": mapping}))
    spread_out(rule, seed)
    bank, array, (n0, n1) = rule.store.crossbar.bank, rule.spec.device.array, layers
    shares = (rule.store.crossbar.cells.visible.astype(np.float64) - bank.low) / bank.span
    laid_out = shares.reshape(bank.planes, 1, n1, n0).transpose(0, 1, 3, 2)
    known = Mapping(array.mapping, array.weight_per_range)
    weights = known.weights(laid_out, rule.store.crossbar.model) * (bank.one / array.weight_per_range)
    exact = mapping == "offset" and float(known.reference_of(rule.store.crossbar.model) * bank.one).is_integer()
    assert np.abs(rule.weights(0) - weights).max() <= (0.5 if exact else 1.0) + 1e-6
    codes = np.floor(shares * bank.one + 0.5)
    assert np.abs(bank.shares - codes).max() == 0
    assert bank.row_sums.tolist() == bank.shares.astype(np.int64).reshape(-1, n0).sum(axis=0).tolist()
    assert bank.one == 1 << min(13, 30 - math.ceil(math.log2(n0 * 255)))


@pytest.mark.parametrize("mapping", MAPPINGS)
@pytest.mark.parametrize("programming", ["pulses", "coincidence", "verify"])
@pytest.mark.parametrize("model", ["EcRam", "ReRamES", "PCM_Joshi", "quantized_4bit"])
def test_what_is_kept_up_to_date_is_what_a_whole_look_gives(mapping: str, programming: str, model: str) -> None:
    """After many updates of listed cells: share codes, row sums and weight codes, pulsed here or by the model."""
    fields = {
        "device.model": model, "device.array.mapping": mapping, "device.array.programming": programming,
        "learning.learning_rate": 0.05,
    }  # fmt: skip
    rule = trained([20, 12], fields, count=25)
    bank = rule.store.crossbar.bank
    assert rule.store.crossbar.cells.pulses.sum() > 100
    kept = rule.chip.weights.copy(), bank.shares.copy(), bank.row_sums.copy()
    rule.store.crossbar.show(rule.chip.weights, rule.store.crossbar.cells.visible)
    assert np.array_equal(rule.chip.weights, kept[0])
    assert np.array_equal(bank.shares, kept[1])
    assert np.array_equal(bank.row_sums, kept[2])


@pytest.mark.parametrize("mapping", MAPPINGS)
@pytest.mark.parametrize("share", [-40.0, -1.5, 2.5, 40.0])
def test_a_cell_far_outside_its_range_saturates(mapping: str, share: float) -> None:
    rule = EqProp(spec_of([9, 7], {**PLAIN, "device.array.mapping": mapping}))
    bank, visible = rule.store.crossbar.bank, rule.store.crossbar.cells.visible
    visible[:] = 0.0
    visible[:7] = bank.low + bank.span * share
    rule.store.crossbar.show(rule.chip.weights, visible)
    assert bank.shares[0] == clamped(math.floor(share * bank.one + 0.5), -32768, 32767)
    zero = bank.one // 2
    assert rule.weights(0)[0, 0] == clamped(int(bank.shares[0]) - zero, -2 * bank.one, 2 * bank.one)


@pytest.mark.parametrize("layers", [[1, 2], [9, 7], [784, 2], [3000, 2]])
@pytest.mark.parametrize("bits", [1, 8])
def test_no_column_sum_leaves_32_bits(layers: list[int], bits: int) -> None:
    rule = EqProp(spec_of(layers, {**PLAIN, "encoder.bits": bits, "device.array.tile_rows": 65536}))
    bank = rule.store.crossbar.bank
    assert layers[0] * (2**bits - 1) * bank.highest < 2**31
    for code, end in ((bank.highest, 1), (-bank.highest, -1)):
        rule.chip.weights[:] = code
        read(rule, np.full(layers[0], 2**bits - 1, np.uint8))
        assert (bank.partial == end * layers[0] * (2**bits - 1) * bank.highest).all()


# --- pulsed in compiled code, or handed to the model


@pytest.mark.parametrize("mapping", MAPPINGS)
@pytest.mark.parametrize("programming", ["pulses", "coincidence", "verify"])
@pytest.mark.parametrize("model", ["EcRam", "ReRamES", "ReRamSB", "PCMO"])
def test_both_ways_of_pulsing_give_the_same_cells(
    mapping: str, programming: str, model: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    fields = {
        **(WIRES if model == "ReRamSB" else {}), "device.model": model,
        "device.array.mapping": mapping, "device.array.programming": programming,
        "learning.learning_rate": 0.05, "device.array.output_noise": 1.0,
    }  # fmt: skip
    compiled = trained([9, 7], fields, count=15)
    assert compiled.store.crossbar.stepped
    monkeypatch.setattr(Crossbar, "compiled", property(lambda self: False))
    handed = trained([9, 7], fields, count=15)
    mine, theirs = compiled.state(), handed.state()
    assert mine.keys() == theirs.keys()
    for name in mine:
        if name != "cells_tally":
            assert np.array_equal(mine[name], theirs[name]), name
    assert compiled.store.crossbar.cells.pulses.sum() > 20
    a, b = tally_of(compiled), tally_of(handed)
    shares = ("up_share", "down_share")
    assert {n: v for n, v in a.items() if n not in shares} == {n: v for n, v in b.items() if n not in shares}


@pytest.mark.parametrize("mapping", MAPPINGS)
def test_both_ways_sum_the_same_shares_where_steps_are_single(mapping: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Half a code for each end of a pulse, and one for each update."""
    fields = {
        **without_chance("Idealized"), "device.array.mapping": mapping, "device.array.programming": "coincidence",
        "device.array.train_length": 1, "learning.learning_rate": 0.05,
    }  # fmt: skip
    compiled = trained([9, 7], fields, count=40)
    monkeypatch.setattr(Crossbar, "compiled", property(lambda self: False))
    handed = trained([9, 7], fields, count=40)
    a, b = tally_of(compiled), tally_of(handed)
    for way in ("up", "down"):
        assert a[f"pulses_{way}"] == b[f"pulses_{way}"] > 20
        assert abs(a[f"{way}_share"] - b[f"{way}_share"]) <= 0.5 * a[f"pulses_{way}"] + 40
