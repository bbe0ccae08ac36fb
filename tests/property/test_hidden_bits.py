"""Weights with bits that reads do not use, and other levels: chips against the oracle, and the laws of reading."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgesdt.rules.eqprop.rule import EqProp
from edgesdt.synapses import levels
from tests.oracle import OracleChip
from tests.small_backprop import Pair
from tests.small_chips import Machine, assert_twins, flat, random_samples, spec_of, started, twin

WIDTHS = st.sampled_from([(2, 1), (2, 4), (3, 2), (4, 12), (7, 3), (8, 8)])
LEVELS = st.sampled_from(["floor", "nearest", "odd"])
CHIPS = st.fixed_dictionaries(
    {
        "chip.weights.levels": LEVELS,
        "chip.weights.rounding": st.sampled_from(["nearest", "stochastic"]),
        "chip.weights.frac_bits": st.sampled_from([-3, 2, 5]),
        "chip.accumulator.bits": st.sampled_from([14, 32]),
        "chip.random.lanes": st.sampled_from([1, 32]),
        "learning.learning_rate": st.sampled_from([0.01, 0.5]),
        "learning.batch": st.sampled_from([1, 3]),
    }
)
quick = settings(max_examples=15, deadline=None, derandomize=True)


def fields_of(widths: tuple[int, int], fields: dict[str, Any]) -> dict[str, Any]:
    """`fields` with widths that a weight can have with these levels."""
    bits, hidden = widths
    return {**fields, "chip.weights.bits": bits, "chip.weights.hidden_bits": hidden}


def assert_read(machine: Machine) -> None:
    """What the simulator keeps for reads is what the page says of the stored codes, and its bound holds."""
    chip, work, oracle = machine.chip, machine.work, OracleChip(machine.spec.plain())
    wanted = [oracle.read_code(code) for code in chip.weights.tolist()]
    assert machine.store.read.tolist() == wanted
    start = 0
    for layer, (pre, post) in enumerate(pairwise(machine.sizes)):
        codes = np.array(wanted[start : start + pre * post]).reshape(pre, post)
        assert np.abs(codes).max() <= work.weight_peak[layer]
        if layer > 0:
            assert work.mirror[start : start + pre * post].tolist() == codes.T.ravel().tolist()
        start += pre * post


@quick
@given(widths=WIDTHS, fields=CHIPS, seed=st.integers(0, 2**32), layers=st.sampled_from([[5, 4], [4, 6, 3]]))
def test_eqprop_equals_the_oracle(
    widths: tuple[int, int], fields: dict[str, Any], seed: int, layers: list[int]
) -> None:
    spec = spec_of(layers, {"learning.winners": 2, "learning.free_steps": 8, **fields_of(widths, fields)})
    machine = started(spec, seed)
    oracle = twin(machine)
    samples, labels = random_samples(spec, seed, 4)
    machine.learn(samples, labels)
    oracle.learn_stream(samples.tolist(), labels.tolist())
    assert_twins(machine, oracle)
    assert machine.infer(samples[:2]).tolist() == [oracle.infer(x) for x in samples[:2].tolist()]
    assert_read(machine)


@pytest.mark.slow  # kernels of two widths, which no other test compiles
@quick
@given(widths=WIDTHS, fields=CHIPS, seed=st.integers(0, 2**32), layers=st.sampled_from([[5, 4], [4, 6, 3]]))
def test_backprop_equals_the_oracle(
    widths: tuple[int, int], fields: dict[str, Any], seed: int, layers: list[int]
) -> None:
    spec = spec_of(layers, {"learning.rule": "backprop", "learning.winners": 2, **fields_of(widths, fields)})
    pair = Pair.started(spec, seed)
    pair.learn(*random_samples(spec, seed, 4))
    pair.assert_same()


@pytest.mark.parametrize("bits, kind", [(3, "odd"), (16, "nearest"), (5, "nearest")])
def test_levels_alone(bits: int, kind: str) -> None:
    """Without hidden bits: odd levels, and nothing to round."""
    frac = {"chip.weights.bits": bits, "chip.weights.frac_bits": 3, "chip.weights.levels": kind}
    spec = spec_of([4, 6, 3], {"learning.winners": 2, "learning.learning_rate": 0.3, **frac})
    machine = started(spec, seed=1)
    oracle = twin(machine)
    samples, labels = random_samples(spec, 1, 4)
    machine.learn(samples, labels)
    oracle.learn_stream(samples.tolist(), labels.tolist())
    assert_twins(machine, oracle)
    assert_read(machine)


def test_a_chip_starts_and_goes_on_with_all_bits() -> None:
    fields = {"chip.weights.bits": 2, "chip.weights.hidden_bits": 5, "chip.weights.levels": "nearest"}
    spec = spec_of([6, 5], {**fields, "chip.weights.frac_bits": 1, "learning.learning_rate": 0.2})
    rule, oracle = EqProp(spec), OracleChip(spec.plain())
    oracle.draw_weights()
    assert rule.chip.weights.tolist() == flat(oracle.weights) and np.abs(rule.chip.weights).max() > 1
    samples, labels = random_samples(spec, 1, 8)
    rule.learn(samples, labels, np.arange(4), 0)
    resumed = EqProp(spec)
    resumed.restore(rule.state())
    for each in (rule, resumed):
        each.learn(samples, labels, np.arange(4, 8), 0)
    assert resumed.chip.weights.tolist() == rule.chip.weights.tolist()
    assert resumed.infer(samples).tolist() == rule.infer(samples).tolist()
    oracle.learn_stream(samples.tolist(), labels.tolist())
    assert rule.chip.weights.tolist() == flat(oracle.weights)
    kept = rule.weight_file((2, 3))
    assert int(kept["weights_frac_bits"]) == 6 and int(kept["weights_hidden_bits"]) == 5


@pytest.mark.parametrize("bits, hidden", [(2, 0), (2, 3), (4, 2)])
def test_levels_are_what_their_names_say(bits: int, hidden: int) -> None:
    """All stored codes: levels in order, odd ones symmetric, each within a level of the stored value."""
    seen = {}
    for kind in ("floor", "nearest", "odd"):
        fields = {"chip.weights.bits": bits, "chip.weights.hidden_bits": hidden, "chip.weights.levels": kind}
        spec = spec_of([3, 2], fields)
        stored, read = levels.stored(spec), levels.seen(spec)
        codes = np.arange(stored.lowest, stored.highest + 1)
        values = levels.read(codes, levels.reading(spec)) * read.lsb
        seen[kind] = values
        assert (np.diff(values) >= 0).all() and len(set(values)) == 2**bits
        assert np.abs(values - codes * stored.lsb).max() <= 2.0**-spec.chip.weights.point
    assert (seen["odd"] == -seen["odd"][::-1]).all()
    assert (seen["odd"] - seen["floor"] == 2.0 ** -(9 + 1)).all()
