"""Each kernel alone against the oracle's definition of it, on inputs that a whole chip reaches rarely.

Narrow accumulators, 2- to 16-bit weights and states, ties, all roundings, blocks and their ends.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numba import njit

from edgesdt.kernels.bytes.rows import ROWS, WIDTHS
from edgesdt.kernels.drive import (
    accumulate,
    add_rows_in_eights,
    add_rows_in_pairs,
    add_rows_in_sixteens,
    drop,
    list_inputs,
    rest,
)
from edgesdt.kernels.listing import list_nonzero, list_reaching, pack_nonzero
from edgesdt.kernels.pairs import COLUMNS
from edgesdt.rules.eqprop.kernels.one_layer import free_phase, nudged_phase
from edgesdt.rules.eqprop.kernels.relax import list_return, propagate, relax
from edgesdt.synapses.batch import apply_biases, apply_weights, gather_contrast
from edgesdt.synapses.digital import (
    form_deltas,
    form_deltas_wide,
    list_posts,
    list_pres,
    register_of,
    update_biases,
    update_weights,
)
from edgesdt.targets.self_defined import (
    BLOCK,
    pick_winners,
    set_target,
    settle_homeostasis,
    settle_homeostasis_of_batch,
)
from tests.oracle import OracleChip, winners_of
from tests.oracle_numbers import Bank, signed
from tests.small_chips import Machine, flat, spec_of, started, twin

ROUNDINGS = st.sampled_from(["nearest", "floor", "stochastic"])
SEEDS = st.integers(0, 2**32 - 1)
quick = settings(max_examples=40, deadline=None, derandomize=True)


def pair(layers: list[int], fields: dict[str, Any], seed: int) -> tuple[Machine, OracleChip, np.random.Generator]:
    """A chip on the kernels and in the oracle, with the same random weights and biases."""
    machine = started(spec_of(layers, fields), seed)
    return machine, twin(machine), np.random.default_rng(seed)


def random_phases(machine: Machine, oracle: OracleChip, rng: np.random.Generator) -> None:
    """Random inputs, and random states at the end of two phases: many silent, many the same in both."""
    highest, n = machine.plan.state_limit, len(machine.chip.states)
    for array in (machine.chip.states, machine.chip.free_states):
        array[:] = np.where(rng.random(n) < 0.4, 0, rng.integers(0, highest + 1, n))
    same = rng.random(n) < 0.3
    machine.chip.states[same] = machine.chip.free_states[same]
    codes = rng.integers(0, 2**machine.spec.encoder.bits, machine.sizes[0])
    machine.chip.inputs[:] = np.where(rng.random(machine.sizes[0]) < 0.4, 0, codes)
    oracle.inputs = machine.chip.inputs.tolist()
    oracle.states, oracle.free_states = layered(machine, "states"), layered(machine, "free_states")


def layered(machine: Machine, name: str) -> list[list[int]]:
    """A neuron array of the chip as the oracle's lists."""
    codes = iter(getattr(machine.chip, name).tolist())
    return [[], *([next(codes) for _ in range(n)] for n in machine.sizes[1:])]


def assert_events(machine: Machine, oracle: OracleChip) -> None:
    """The same was counted."""
    assert machine.events() == oracle.counted()
    assert machine.chip.random.tolist() == oracle.bank.lanes


@quick
@given(seed=SEEDS, n=st.integers(1, 150), lanes=st.sampled_from([1, 4, 32]), byte=st.integers(1, 255))
def test_drop(seed: int, n: int, lanes: int, byte: int) -> None:
    bank = Bank(seed, lanes)
    state, words = np.array(bank.lanes, np.uint32), np.zeros(n + lanes, np.uint32)
    kept = np.arange(1, n + 1).astype(np.uint8)
    expected = [k if octet >= byte else 0 for k, octet in zip(kept.tolist(), bank.parts(n, 8), strict=True)]
    assert drop(kept, byte, state, words, words.view(np.uint8)) == bank.steps
    assert (kept.tolist(), state.tolist()) == (expected, bank.lanes)


@quick
@given(codes=st.lists(st.sampled_from([0, 0, 1, 255]), min_size=1, max_size=40))
def test_list_inputs(codes: list[int]) -> None:
    inputs, index, value = np.array(codes, np.uint8), np.zeros(len(codes), np.int32), np.zeros(len(codes), np.uint8)
    count = list_inputs(inputs, index, value)
    listed = list(zip(index[:count].tolist(), value[:count].tolist(), strict=True))
    assert listed == [(i, v) for i, v in enumerate(codes) if v != 0]


@njit
def eights(into, weights, base, index, value, count):  # type: ignore[no-untyped-def]
    add_rows_in_eights(into, weights, base, index, value, count)


@njit
def sixteens(into, weights, base, index, value, count):  # type: ignore[no-untyped-def]
    add_rows_in_sixteens(into, weights, base, index, value, count)


@njit
def pairs(into, weights, base, index, value, count):  # type: ignore[no-untyped-def]
    add_rows_in_pairs(into, weights, base, index, value, count)


@njit
def listing(flags, n, listed):  # type: ignore[no-untyped-def]
    return list_nonzero(flags, n, listed)


@njit
def packing(entries, names, n, packed, named):  # type: ignore[no-untyped-def]
    return pack_nonzero(entries, names, n, packed, named)


@njit
def reaching(values, bar, keep, listed):  # type: ignore[no-untyped-def]
    return list_reaching(values, bar, keep, listed)


@pytest.mark.parametrize("ways", [(eights,), (sixteens,)] if WIDTHS else [(eights,)])
@quick
@given(seed=SEEDS, n=st.integers(1, 200), count=st.integers(0, 40), base=st.integers(0, 9), room=st.integers(0, 20))
def test_add_rows(ways: tuple[Any, ...], seed: int, n: int, count: int, base: int, room: int) -> None:
    """Every way to add rows, at the extremes of its bytes, with and without room for a whole last pass."""
    rng = np.random.default_rng(seed)
    weights = rng.choice([-128, -1, 0, 127, 5], base + 50 * n).astype(np.int8)
    index = np.append(rng.choice(50, count, replace=False), np.full(room, 49)).astype(np.int32)
    value = np.append(rng.choice([1, 255, 128, 77], count), np.full(room, 9)).astype(np.uint8)
    start = rng.integers(-(2**20), 2**20, n)
    rows = weights[base:].astype(np.int64).reshape(50, n)[index[:count]]
    expected = (start + value[:count].astype(np.int64) @ rows).tolist()
    for way in ways:
        into = start.astype(np.int32)
        way(into, weights, base, index.copy(), value.copy(), count)
        assert into.tolist() == expected


def test_sixteens_are_four_dot_products() -> None:
    assert ROWS == 16
    assert all(width % 128 == 0 for width in WIDTHS)


@quick
@given(seed=SEEDS, n=st.integers(0, 90), kind=st.sampled_from(["u1", "i4"]), spare=st.integers(0, 30))
def test_list_nonzero(seed: int, n: int, kind: str, spare: int) -> None:
    rng = np.random.default_rng(seed)
    flags = np.where(rng.random(n) < rng.random(), 0, rng.choice([1, 255, 128], n)).astype(kind)
    listed = np.full(n + spare, -7, np.int32)
    count = listing(flags, n, listed)
    assert listed[:count].tolist() == np.flatnonzero(flags).tolist()


@quick
@given(seed=SEEDS, n=st.integers(0, 90), spare=st.integers(0, 30))
def test_pack_nonzero(seed: int, n: int, spare: int) -> None:
    rng = np.random.default_rng(seed)
    entries = np.where(rng.random(n) < rng.random(), 0, rng.integers(-(2**31), 2**31, n)).astype(np.int32)
    names = rng.integers(0, 2**31, n).astype(np.int32)
    packed, named = (np.full(n + spare, -7, np.int32) for _ in range(2))
    count = packing(entries, names, n, packed, named)
    assert packed[:count].tolist() == entries[entries != 0].tolist()
    assert named[:count].tolist() == names[entries != 0].tolist()


@quick
@given(seed=SEEDS, n=st.integers(0, 90), bar=st.integers(-3, 3), spare=st.integers(0, 30))
def test_list_reaching(seed: int, n: int, bar: int, spare: int) -> None:
    rng = np.random.default_rng(seed)
    values = rng.choice([-(2**31), -2, -1, 0, 1, 2, 2**31 - 1], n).astype(np.int32)
    keep = rng.integers(0, 2, n).astype(np.uint8)
    listed = np.full(n + spare, -7, np.int32)
    count = reaching(values, np.int32(bar), keep, listed)
    assert listed[:count].tolist() == np.flatnonzero((values >= bar) & (keep != 0)).tolist()


@quick
@given(
    seed=SEEDS,
    n=st.integers(1, 20),
    count=st.integers(0, 20),
    bits=st.integers(8, 32),
    weight_bits=st.sampled_from([2, 8, 16]),
    value_bits=st.sampled_from([8, 24]),
)
def test_accumulate(seed: int, n: int, count: int, bits: int, weight_bits: int, value_bits: int) -> None:
    """The sum, the saturations, and a bound on the accumulators that stays one."""
    rng, rows, limit = np.random.default_rng(seed), 25, 2 ** (bits - 1) - 1
    end = 2 ** (weight_bits - 1)
    weights = rng.integers(-end, end, rows * n).astype(np.int8 if weight_bits <= 8 else np.int16)
    sums = (rng.integers(-limit - 1, limit + 1, n) // rng.integers(1, 200)).astype(np.int32)
    index = np.sort(rng.choice(rows, count, replace=False)).astype(np.int32)
    if value_bits == 8:
        value: npt.NDArray[Any] = rng.integers(1, 256, count).astype(np.uint8)
    else:
        value = rng.integers(-(2**23), 2**23, count).astype(np.int32)
    reach = np.array([np.abs(sums.astype(np.int64)).max() + int(rng.integers(0, 5))])
    peak = int(np.abs(weights.astype(np.int64)).max())

    expected, hits = sums.tolist(), 0
    for i, v in zip(index.tolist(), value.tolist(), strict=True):
        for j in range(n):
            wide = expected[j] + v * int(weights[i * n + j])
            expected[j] = signed(wide, bits)
            hits += expected[j] != wide
    assert accumulate(sums, weights, 0, index, value, count, peak, reach, limit) == hits
    assert sums.tolist() == expected
    assert max(abs(code) for code in expected) <= reach[0]


@quick
@given(seed=SEEDS, bias_frac=st.integers(-8, 12), bits=st.sampled_from([8, 16, 32]), enabled=st.booleans())
def test_rest(seed: int, bias_frac: int, bits: int, enabled: bool) -> None:
    fields = {
        "chip.biases.frac_bits": bias_frac, "chip.accumulator.bits": bits, "chip.biases.enabled": enabled,
        "learning.dropout.input": 0.0, "learning.dropout.output": 0.0, "chip.weights.frac_bits": 12,
    }  # fmt: skip
    machine, oracle, _ = pair([3, 5, 4], fields, seed)
    chip = machine.chip
    chip.accumulators[:], chip.states[:] = 99, 99
    oracle.load([0, 0, 0], learning=True)
    machine.call(rest, bias_left=machine.plan.bias_left, limit=machine.plan.accumulator_limit)
    assert chip.accumulators.tolist() == flat(oracle.accumulators)
    assert not chip.states.any()


@quick
@given(
    seed=SEEDS,
    n=st.integers(2, 900),
    k=st.sampled_from([1, 2, 5, 12, 40]),
    levels=st.sampled_from([1, 2, 5, 200]),
    left=st.sampled_from([0, 3, 12]),
    kept=st.sampled_from([0.0, 0.05, 0.8, 1.0]),
)
def test_pick_winners(seed: int, n: int, k: int, levels: int, left: int, kept: float) -> None:
    """Few levels make many ties; few kept outputs leave places that nobody takes."""
    rng = np.random.default_rng(seed)
    outputs = rng.integers(0, levels, n).astype(np.int32)
    homeostasis = (rng.integers(-levels, levels, n) << left).astype(np.int32)
    keep = (rng.random(n) < kept).astype(np.uint8)
    winners, target = np.full(k, 7, np.int32), np.full(n, 7, np.uint8)
    pick_winners(outputs, homeostasis, keep, left, np.zeros(n, np.int32), np.zeros(n // BLOCK + 1, np.int32), winners)
    best = winners_of(outputs.tolist(), homeostasis.tolist(), keep.tolist(), left, k)
    assert winners.tolist() == best + [-1] * (k - len(best))
    set_target(target, winners)
    assert target.tolist() == [int(j in best) for j in range(n)]


@quick
@given(
    seed=SEEDS,
    gamma=st.sampled_from([0.0, 0.01, 0.7, 8.0]),
    eta=st.sampled_from([1e-4, 0.05, 1.0]),
    bits=st.sampled_from([8, 16, 28]),
    activity_bits=st.sampled_from([8, 16, 24]),
    batch=st.sampled_from([1, 3, 16]),
)
def test_homeostasis(seed: int, gamma: float, eta: float, bits: int, activity_bits: int, batch: int) -> None:
    fields = {
        "learning.homeostasis.gamma": gamma, "learning.homeostasis.eta": eta, "learning.homeostasis.bits": bits,
        "learning.homeostasis.activity_bits": activity_bits, "learning.batch": batch, "learning.winners": 2,
    }  # fmt: skip
    machine, oracle, rng = pair([3, 9], fields, seed)
    chip, end = machine.chip, 2 ** (bits - 1)
    chip.activity[:] = rng.integers(0, 2**activity_bits, 9) // rng.choice([1, 30])
    chip.homeostasis[:] = rng.integers(-end, end, 9) // rng.choice([1, 100])
    oracle.activity, oracle.homeostasis = chip.activity.tolist(), chip.homeostasis.tolist()
    if batch == 1:
        chip.winners[:] = rng.choice([-1, *range(9)], 2, replace=False)
        set_target(chip.target, chip.winners)
        oracle.target = chip.target.tolist()
        settle_homeostasis(chip.target, chip.winners, chip.activity, chip.homeostasis, machine.plan)
        oracle.settle_homeostasis()
    else:
        chip.winner_count[:] = rng.integers(0, batch + 1, 9)
        oracle.wins = chip.winner_count.tolist()
        settle_homeostasis_of_batch(chip.winner_count, chip.activity, chip.homeostasis, machine.plan)
        oracle.apply_batch()
    assert chip.activity.tolist() == oracle.activity
    assert chip.homeostasis.tolist() == oracle.homeostasis
    assert chip.winner_count.tolist() == [0] * len(chip.winner_count)


def relax_both(
    seed: int, layers: list[int], bits: int, rounding: str, beta: float, dt: float, sums: int, kept: float
) -> None:
    """Phases of every sign from states and accumulators that no input need explain, and the way back."""
    fields = {
        "chip.states.bits": bits, "chip.states.rounding": rounding, "learning.beta": beta, "learning.dt": dt,
        "chip.accumulator.bits": sums, "chip.weights.bits": 5, "chip.weights.frac_bits": 3, "chip.random.lanes": 1,
    }  # fmt: skip
    machine, oracle, rng = pair(layers, fields, seed)
    chip, plan, work = machine.chip, machine.plan, machine.work
    random_phases(machine, oracle, rng)
    end = plan.accumulator_limit >> int(rng.integers(0, 10))
    chip.accumulators[:] = rng.integers(-end - 1, end + 1, len(chip.accumulators))
    chip.keep[:] = rng.random(layers[-1]) < kept
    chip.states[plan.first[-1] :][chip.keep == 0] = 0
    chip.free_states[plan.first[-1] :][chip.keep == 0] = 0
    chip.target[:] = (rng.random(layers[-1]) < 0.3) & (chip.keep > 0)
    work.reach[:] = plan.accumulator_limit + 1
    work.counts[2] = 1  # the movers of every layer are to be listed
    oracle.accumulators, oracle.keep = layered(machine, "accumulators"), chip.keep.tolist()
    oracle.states, oracle.free_states = layered(machine, "states"), layered(machine, "free_states")
    oracle.target = chip.target.tolist()
    for sign, steps in ((0, 3), (1, 4), (None, 0), (-1, 2)):
        if sign is None:
            machine.call(list_return)
            machine.call(propagate)
            oracle.return_to_free()
        else:
            machine.call(relax, steps=steps, sign=np.int64(sign))
            oracle.relax(steps, sign)
        assert chip.states.tolist() == flat(oracle.states)
        assert chip.accumulators.tolist() == flat(oracle.accumulators)
        assert_events(machine, oracle)


@quick
@given(
    seed=SEEDS,
    bits=st.sampled_from([4, 8, 10]),
    rounding=st.sampled_from(["nearest", "floor"]),
    beta=st.sampled_from([0.01, 0.25, 2.0]),
    dt=st.sampled_from([0.05, 0.2, 1.0]),
    smoothing=st.sampled_from([0.0, 0.3, 0.95]),
    kept=st.sampled_from([0.0, 0.8, 1.0]),
)
def test_one_layer_looked_up(
    seed: int, bits: int, rounding: str, beta: float, dt: float, smoothing: float, kept: float
) -> None:
    """Free phase from rest and nudged phases of both signs from its end, for any drives."""
    fields = {
        "chip.states.bits": bits, "chip.states.rounding": rounding, "learning.beta": beta, "learning.dt": dt,
        "learning.winners": 9, "learning.label_smoothing": smoothing,
    }  # fmt: skip
    machine, oracle, rng = pair([3, 70], fields, seed)
    chip, plan, work = machine.chip, machine.plan, machine.work
    assert work.ends.shape[1] > 0
    end = (plan.state_limit << plan.drive_right) << int(rng.integers(0, 5)) >> 2
    end = min(end, plan.accumulator_limit)
    chip.accumulators[:] = rng.integers(-end - 1, end + 1, 70) >> rng.integers(0, 12, 70)
    chip.keep[:] = rng.random(70) < kept
    oracle.accumulators, oracle.keep = layered(machine, "accumulators"), chip.keep.tolist()
    machine.call(free_phase)
    oracle.relax(plan.free_steps, 0)
    free = chip.states.copy()
    assert free.tolist() == flat(oracle.states)
    chip.winners[:] = np.where(rng.random(9) < 0.2, -1, rng.choice(70, 9, replace=False))
    set_target(chip.target, chip.winners)
    oracle.target = chip.target.tolist()
    for sign in (1, -1):
        oracle.states[-1] = free.tolist()
        machine.call(nudged_phase, sign=np.int64(sign))
        oracle.relax(plan.nudged_steps, sign)
        assert chip.states.tolist() == flat(oracle.states)
        assert_events(machine, oracle)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    seed=SEEDS,
    layers=st.sampled_from([[3, 70], [3, 7, 5], [2, 4, 66, 3]]),
    bits=st.sampled_from([4, 8, 16]),
    rounding=ROUNDINGS,
    beta=st.sampled_from([0.25, 2.0]),
    dt=st.sampled_from([0.2, 1.0]),
    sums=st.sampled_from([10, 20, 32]),
    kept=st.sampled_from([0.0, 0.8, 1.0]),
)
def test_relax_from_any_state(
    seed: int, layers: list[int], bits: int, rounding: str, beta: float, dt: float, sums: int, kept: float
) -> None:
    relax_both(seed, layers, bits, rounding, beta, dt, sums, kept)


@pytest.mark.parametrize("seed", range(10))
def test_the_way_back_lists_every_layer_anew(seed: int) -> None:
    """Also a hidden layer beside outputs that did not move."""
    relax_both(seed, [3, 7, 5], 8, "stochastic", beta=0.25, dt=0.5, sums=32, kept=0.0)


@pytest.mark.skipif(not COLUMNS, reason="this processor has no 16-bit multiply-add")
@pytest.mark.parametrize("kind", [np.int8, np.int16])
@quick
@given(seed=SEEDS, n=st.integers(1, 200), count=st.integers(0, 40), base=st.integers(0, 9), far=st.booleans())
def test_add_rows_in_pairs(kind: Any, seed: int, n: int, count: int, base: int, far: bool) -> None:
    """Rows of any length times values at the ends of 16 bits, or beyond them; sums wrap in 32 bits."""
    rng = np.random.default_rng(seed)
    ends = np.iinfo(kind)
    weights = rng.choice([ends.min, -1, 0, ends.max, 5], base + 50 * n).astype(kind)
    index = rng.choice(50, count, replace=False).astype(np.int32)
    value = rng.choice([-32767, 32767, -1, 1, 77, *([65535] if far else [])], count).astype(np.int32)
    start = rng.integers(-(2**20), 2**20, n).astype(np.int32)
    rows = weights[base:].astype(np.int64).reshape(50, n)[index]
    expected = (start.astype(np.int64) + value.astype(np.int64) @ rows).astype(np.int32)
    into = start.copy()
    pairs(into, weights, base, index, value, count)
    assert into.tolist() == expected.tolist()


RULES = st.fixed_dictionaries(
    {
        "chip.weights.bits": st.sampled_from([2, 3, 8, 9, 16]),
        "chip.weights.frac_bits": st.sampled_from([-4, 2, 9, 14, 24]),
        "chip.weights.rounding": ROUNDINGS,
        "chip.biases.rounding": ROUNDINGS,
        "chip.states.bits": st.sampled_from([4, 8, 16]),
        "chip.constants.bits": st.sampled_from([2, 8, 10]),
        "chip.random.lanes": st.sampled_from([1, 4, 32]),
        "learning.learning_rate": st.sampled_from([1e-6, 0.01, 1.0]),
        "learning.beta": st.sampled_from([0.01, 0.25, 2.0]),
    }
)


@quick
@given(seed=SEEDS, fields=RULES, layers=st.sampled_from([[66, 5], [5, 66], [4, 6, 3]]))
def test_updates(seed: int, fields: dict[str, Any], layers: list[int]) -> None:
    """Weights and biases after one sample, from any two phases."""
    machine, oracle, rng = pair(layers, fields, seed)
    chip, work = machine.chip, machine.work
    random_phases(machine, oracle, rng)
    ends = {"plus": chip.states, "minus": chip.free_states}
    for layer in range(len(layers) - 1):
        machine.call(update_weights, **ends, layer=layer, rate=machine.rates[0, layer])
    for layer in range(1, len(layers)):
        machine.call(update_biases, **ends, layer=layer, rate=machine.rates[1, layer - 1])
    oracle.update(oracle.states, oracle.free_states)
    assert chip.weights.tolist() == flat(oracle.weights)
    assert chip.biases.tolist() == flat(oracle.biases)
    assert_events(machine, oracle)
    assert int(work.wear.sum()) + 256 * int(work.wear_carry.sum()) == sum(oracle.events["weight_writes"])
    start = 0
    for layer, (pre, post) in enumerate(pairwise(layers)):
        codes = chip.weights[start : start + pre * post].reshape(pre, post)
        assert work.weight_peak[layer] >= np.abs(codes.astype(np.int64)).max()
        if layer > 0:
            assert np.array_equal(work.mirror[start : start + pre * post].reshape(post, pre), codes.T)
        start += pre * post


@quick
@given(seed=SEEDS, fields=RULES, layers=st.sampled_from([[66, 5], [5, 66], [4, 6, 3]]))
def test_mini_batch(seed: int, fields: dict[str, Any], layers: list[int]) -> None:
    """Contrasts of three samples gathered, then applied to every weight and bias."""
    machine, oracle, rng = pair(layers, fields | {"learning.batch": 3}, seed)
    chip = machine.chip
    for _ in range(3):
        random_phases(machine, oracle, rng)
        ends = {"plus": chip.states, "minus": chip.free_states}
        machine.call(gather_contrast, **ends, top_plus=chip.states, top_minus=chip.free_states)
        oracle.gather(oracle.states, oracle.free_states)
        assert chip.weight_contrast.tolist() == flat(oracle.weight_contrast)
        assert chip.bias_contrast.tolist() == flat(oracle.bias_contrast)
    for layer in range(len(layers) - 1):
        machine.call(apply_weights, layer=layer, rate=machine.rates[0, layer])
    for layer in range(1, len(layers)):
        machine.call(apply_biases, layer=layer, rate=machine.rates[1, layer - 1])
    oracle.apply_batch()
    oracle.events["applied"][0] = 0  # counted by the stream, not by these kernels
    assert chip.weights.tolist() == flat(oracle.weights)
    assert chip.biases.tolist() == flat(oracle.biases)
    assert not chip.weight_contrast.any()
    assert not chip.bias_contrast.any()
    assert_events(machine, oracle)


@quick
@given(seed=SEEDS, fields=RULES)
def test_narrow_and_wide_deltas_agree(seed: int, fields: dict[str, Any]) -> None:
    """Where the rates say that 32 bits are enough, 64 bits give the same; either way it is the oracle's rounding."""
    machine, oracle, rng = pair([5, 4], fields, seed)
    rate, n, most = machine.rates[0, 0], 50, machine.plan.state_limit
    x = rng.integers(0, 256, n).astype(np.int32)
    stochastic = fields["chip.weights.rounding"] == "stochastic"
    noise = rng.integers(0, 2**16 if stochastic else 1, n).astype(np.uint16)
    high, low = (np.int32(code) for code in rng.integers(0, most + 1, 2))
    held, pairs = oracle.weight_rates[0], zip(x.tolist(), noise.tolist(), strict=True)
    expected = [held.times(v * (int(high) - int(low)), word) for v, word in pairs]
    expected = [min(max(delta, -(2**24)), 2**24) for delta in expected]
    for kernel in (form_deltas, form_deltas_wide) if rate[5] else (form_deltas_wide,):
        deltas = np.zeros(n, np.int32)
        constant = register_of(rate)
        kernel(x, x, high, low, constant, noise, n, deltas)
        assert np.clip(deltas, -(2**24), 2**24).tolist() == expected


@quick
@given(seed=SEEDS, layer=st.sampled_from([0, 1]))
def test_who_takes_part(seed: int, layer: int) -> None:
    machine, oracle, rng = pair([70, 69, 3], {}, seed)
    chip, plan, work = machine.chip, machine.plan, machine.work
    random_phases(machine, oracle, rng)
    plus, minus = chip.states, chip.free_states
    count = machine.call(list_pres, plus=plus, minus=minus, layer=layer)
    columns = (work.pres, work.pre_plus, work.pre_minus)
    listed = [tuple(int(column[a]) for column in columns) for a in range(count)]
    assert listed == oracle.pres(layer, oracle.states, oracle.free_states)
    start, n = plan.first[layer + 1], plan.sizes[layer + 1]
    swept = list_posts(plus[start : start + n], minus[start : start + n], layer == 0, work.flags, work.posts)
    expected = [j for j, _, _ in oracle.posts(layer, oracle.states, oracle.free_states)]
    assert work.posts[:swept].tolist() == expected
