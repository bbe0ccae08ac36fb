"""Rows of 16-bit weights read as bytes: the same sums, and the same chip, with the copies and without."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgesdt.rules.eqprop.kernels.sample import infer_stream, learn_stream
from edgesdt.synapses.mirror import FITS, UNKNOWN, WIDE
from edgesdt.synapses.narrow import AVAILABLE, add_narrow
from edgesdt.synapses.stores.memory import Memory
from tests.oracle import OracleChip
from tests.small_chips import Machine, assert_twins, random_samples, spec_of, started, twin

pytestmark = pytest.mark.skipif(not AVAILABLE, reason="this processor has no 8-bit dot product")

LAYERS = [9, 70, 66]
FIELDS: dict[str, Any] = {
    "chip.weights.bits": 16, "chip.weights.frac_bits": 9, "learning.winners": 5, "learning.free_steps": 8,
    "learning.nudged_steps": 4, "learning.learning_rate": 0.5,
}  # fmt: skip
CHIPS: dict[str, dict[str, Any]] = {
    "states of 10 bits": {"chip.states.bits": 10},
    "saturating accumulators": {"chip.accumulator.bits": 17},
    "stochastic states": {"chip.states.rounding": "stochastic", "chip.states.bits": 8},
    "mini-batch": {"learning.batch": 3, "learning.learning_rate": 0.2},
    "both signs": {"learning.beta_sign": "symmetric"},
}


@settings(max_examples=40, deadline=None, derandomize=True)
@given(seed=st.integers(0, 2**32 - 1), n=st.integers(1, 200), count=st.integers(0, 40), most=st.sampled_from([9, 600]))
def test_rows_as_bytes(seed: int, n: int, count: int, most: int) -> None:
    """Codes at the ends of a byte, some rows with wider ones, values within and beyond a pass; read twice."""
    rng = np.random.default_rng(seed)
    codes = rng.choice([-128, -1, 0, 127, 5], (50, n)).astype(np.int16)
    wide = rng.random(50) < 0.3
    codes[wide, rng.integers(0, n, wide.sum())] = rng.choice([128, -129, 32767], wide.sum())
    copies, fits, parts = np.zeros(50 * n, np.int8), np.zeros(50, np.uint8), np.zeros((4, 50), np.int32)
    index = rng.choice(50, count, replace=False).astype(np.int32)
    value = rng.integers(-most, most + 1, count).astype(np.int32)
    start = rng.integers(-(2**20), 2**20, n)
    once = value.astype(np.int64) @ codes[index].astype(np.int64)
    into = start.astype(np.int32)
    for times in (1, 2):
        add_narrow(into, codes.ravel(), copies, fits, 0, index, value, count, parts)
        assert into.tolist() == (start + times * once).tolist()
    if n >= 64:
        assert fits[index].tolist() == np.where(wide[index], WIDE, FITS).tolist()
    assert set(np.delete(fits, index).tolist()) <= {UNKNOWN}


def without_copies(store: Memory) -> Memory:
    """The same weights, none of them read as bytes."""
    none = np.zeros(0, np.int8)
    assert isinstance(store.kept, tuple)
    kept = store.kept._replace(narrow=none, turned=none)
    return store._replace(narrow=none, narrow_mirror=none, kept=kept)


def run(machine: Machine, store: Memory, seed: int) -> list[list[int]]:
    """Everything that the chip and the simulator hold after some samples, and what the chip infers."""
    samples, labels = random_samples(machine.spec, seed, 12)
    outputs = np.zeros((12, LAYERS[-1]), np.int32)
    chip, plan, work = machine.chip, machine.plan, machine.work
    for part in (np.arange(6), np.arange(6, 12)):
        learn_stream(chip, plan, work, store, machine.rates, samples, labels, part)
    infer_stream(chip, plan, work, store, samples, 0, outputs)
    held = [chip.weights, chip.biases, chip.accumulators, chip.states, chip.random, work.mirror, work.wear, work.events]
    return [array.ravel().tolist() for array in (*held, outputs)]


@pytest.mark.parametrize("fields", CHIPS.values(), ids=CHIPS)
def test_a_chip_learns_the_same_with_copies_and_without(fields: dict[str, Any]) -> None:
    """While weights outgrow a byte."""
    spec = spec_of(LAYERS, FIELDS | fields)
    one, other = started(spec, 1), started(spec, 1)
    store = one.store
    found = run(one, store, 1)
    assert found == run(other, without_copies(other.store), 1)
    before = set(np.unique(store.fits[:, 1, :66]).tolist())
    assert before & {FITS, WIDE}
    for layer in (1,):
        block = one.chip.weights[one.plan.first_weight[layer] :].reshape(70, 66)
        copied = store.narrow[one.plan.first_weight[layer] :].reshape(70, 66)
        rows = store.fits[0, layer, :70] == FITS
        assert copied[rows].tolist() == block[rows].tolist()


@pytest.mark.parametrize("name", ["states of 10 bits", "saturating accumulators"])
def test_a_chip_with_copies_equals_the_oracle(name: str) -> None:
    spec = spec_of(LAYERS, FIELDS | CHIPS[name])
    machine = started(spec, 2)
    oracle: OracleChip = twin(machine)
    samples, labels = random_samples(spec, 2, 3)
    machine.learn(samples, labels)
    oracle.learn_stream(samples.tolist(), labels.tolist())
    assert_twins(machine, oracle)
