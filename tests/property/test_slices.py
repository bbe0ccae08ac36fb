"""Weights in slices against plain Python, against the stand-alone array and against what digits promise.

`tests.oracle_slices` computes what cells without chance must do, integer for integer, first weights, reads, updates and
carries; what cells with chance do is held to bounds.
"""

from __future__ import annotations

import copy
import math
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgesdt.crossbar import carrying, layout
from edgesdt.crossbar.bank import Crossbar
from edgesdt.crossbar.carrying import carry
from edgesdt.crossbar.sensing import sense
from edgesdt.crossbar.slicing import digits_shown, reach_of
from edgesdt.rules import eqprop_cells
from edgesdt.rules.eqprop_cells import EqPropOnCells
from edgesdt.spec import Spec
from hw_models.array import Crossbar as StandAlone
from hw_models.periphery.adc import Adc
from hw_models.periphery.dac import Dac
from hw_models.periphery.design import Periphery
from tests.cell_chips import call, cell_of, learn, named_tally, place, tally_of, trained, without_chance
from tests.oracle_slices import OracleSlicedChip
from tests.small_chips import flat, named_events, oracle_arrays, random_samples, spec_of

MAPPINGS = ["offset", "pair"]
SLICED = {"device.array.slices": 2, "device.array.carry_every": 4, "learning.learning_rate": 0.05}
WIRES = {"device.array.wire_resistance": 20.0, "device.array.tile_columns": 7, "device.array.ir_drop_every": 3}


# --- against the oracle


def twins(spec: Spec, epoch: int = 0) -> tuple[EqPropOnCells, OracleSlicedChip]:
    """A fresh chip and the oracle's."""
    rule = EqPropOnCells(spec)
    oracle = OracleSlicedChip(copy.deepcopy(spec.plain()), cell_of(rule), epoch)
    oracle.draw_weights()
    return rule, oracle


def by_place(oracle: OracleSlicedChip, slices: list[list[list[list[Any]]]]) -> list[Any]:
    """The oracle's numbers [slice][plane][row][column] in the simulator's order."""
    made: list[Any] = []
    for planes in slices:
        own: list[Any] = [None] * len(flat(planes))
        for plane, rows in enumerate(planes):
            for i, row in enumerate(rows):
                for j, value in enumerate(row):
                    own[place(oracle, plane, i, j)] = value
        made += own
    return made


def assert_twins(rule: EqPropOnCells, oracle: OracleSlicedChip) -> None:
    """Every array of the chip, every cell of every slice, every event and every tally is the same."""
    slices, cells = rule.crossbar.slices(rule.chip.weights), rule.crossbar.cells
    assert cells.state.tolist() == cells.visible.tolist() == by_place(oracle, oracle.of_all("states_of_cells"))
    assert cells.pulses.tolist() == by_place(oracle, oracle.of_all("received"))
    assert [n for bank, _, _ in slices for n in bank.shares.tolist()] == by_place(oracle, oracle.of_all("shares"))
    assert [codes.tolist() for _, codes, _ in slices] == [flat(codes) for codes in oracle.of_all("codes")]
    arrays = {name: array.tolist() for name, array in rule.chip._asdict().items()}
    assert arrays == oracle_arrays(oracle) | {"weights": flat(oracle.codes())}
    assert named_events(rule.work.events) == oracle.counted()
    assert tally_of(rule) == oracle.reading.tally
    assert rule._carries == oracle.carries
    if rule.crossbar.lines:
        assert [bank.lost.tolist() for bank, _, _ in slices] == [flat(lost) for lost in oracle.of_all("lost")]


@st.composite
def chips(draw: st.DrawFn) -> tuple[list[int], dict[str, Any]]:
    """Layers and fields of a chip in slices on cells without chance."""

    def one_of(*values: Any) -> Any:
        return draw(st.sampled_from(values))

    model = one_of("Idealized", "GokmenVlasov", "ReRamSB")
    plain = without_chance(model)
    fields = {
        **plain,
        "device.off": plain["device.off"] + one_of([], [], ["adc"], ["dac"]),
        "device.array.slices": one_of(2, 3),
        "device.array.bits_per_cell": one_of(1, 2, 4),
        "device.array.carry_every": one_of(1, 2, 3, 1000),
        "device.array.mapping": one_of(*MAPPINGS),
        "device.array.programming": one_of("pulses", "coincidence", "verify"),
        "device.array.verify_rounds": one_of(1, 8),
        "device.array.tile_rows": one_of(3, 256),
        "device.array.adc_bits": one_of(4, 9, 12),
        "device.array.adc_range": one_of(0.25, 1.0),
        "chip.accumulator.bits": one_of(16, 32),
        **one_of({}, {"chip.weights.init_gain": 0.0, "device.array.weight_per_range": 0.1}),
        **(one_of({}, WIRES) if model == "ReRamSB" else {}),
        "seed": draw(st.integers(0, 2**32 - 1)),
        "encoder.bits": one_of(4, 8),
        "chip.states.rounding": one_of("nearest", "stochastic"),
        "learning.winners": 2,
        "learning.learning_rate": one_of(0.02, 0.3),
        "learning.beta_sign": one_of("random", "symmetric"),
    }
    return one_of([5, 4], [9, 7]), fields


@settings(max_examples=60, deadline=None, derandomize=True)
@given(chip=chips())
def test_a_whole_chip_in_slices_equals_the_oracle(chip: tuple[list[int], dict[str, Any]]) -> None:
    """First weights, learning with carries, inference: every array, cell, event and tally."""
    layers, fields = chip
    rule, oracle = twins(spec_of(layers, fields))
    assert_twins(rule, oracle)
    samples, labels = random_samples(rule.spec, rule.spec.seed, 5)
    learn(rule, samples, labels)
    oracle.learn_stream(samples.tolist(), labels.tolist())
    assert_twins(rule, oracle)
    before = dict(oracle.reading.tally)
    outputs = rule.infer(samples[:2])
    assert outputs.tolist() == [oracle.infer(x) for x in samples[:2].tolist()]
    shown = {name: n - before[name] for name, n in oracle.reading.tally.items()}
    assert named_tally(rule._inference_tally) == shown


@pytest.mark.parametrize("mapping", MAPPINGS)
def test_the_oracle_sees_digits_carried_over_two_places(mapping: str) -> None:
    """Guards the comparison above."""
    fields = {
        **without_chance("Idealized"), "device.array.slices": 3, "device.array.carry_every": 2,
        "device.array.mapping": mapping, "learning.learning_rate": 0.2,
    }  # fmt: skip
    rule, oracle = twins(spec_of([9, 7], fields))
    samples, labels = random_samples(rule.spec, 1, 12)
    oracle.learn_stream(samples.tolist(), labels.tolist())
    looked, carried, _ = oracle.carries
    assert looked == 6 * 2 * 63 and carried > 30
    assert all(any(flat(received)) for received in oracle.of_all("received"))
