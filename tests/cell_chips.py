"""Chips on analog cells, small enough to check by hand: the simulator's and the oracle's with one start."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
from hypothesis import settings
from hypothesis import strategies as st

from edgesdt.rules.eqprop.plan import rates
from edgesdt.rules.eqprop.rule import EqProp
from edgesdt.spec import Spec
from edgesdt.synapses.crossbar import layout
from edgesdt.synapses.crossbar.crossbar import Crossbar
from edgesdt.synapses.crossbar.reading.sensing import sense
from hw_models.kernels.step_laws import HIGH, LOW, P0, P1
from hw_models.sheets import catalog
from tests.oracle_cells import TALLIES, Cell, OracleCellChip
from tests.small_chips import Samples, flat, named_events, oracle_arrays, random_samples, spec_of

KEPT_ON = {"nonlinearity", "asymmetry"}
"""What the oracle's cells have: steps that depend on the state and the direction, but no chance."""


def without_chance(model: str) -> dict[str, Any]:
    """Fields of a device of a step law that behaves the same every time."""
    off = [name for name in catalog.load(model).non_idealities if name not in KEPT_ON]
    return {"device.model": model, "device.off": off}


SEEDS = st.integers(0, 2**32 - 1)
MAPPINGS = ["offset", "pair"]
TIMID = {"chip.weights.init_gain": 0.001}
"""First weights so small that cells of any weight range hold them."""
PLAIN = {
    **without_chance("Idealized"), **TIMID, "learning.learning_rate": 0.05, "learning.dropout.input": 0.0,
}  # fmt: skip
"""Cells of equal steps without chance: 10,000 from one end to the other."""
WIRES = {"device.array.wire_resistance": 20.0, "device.array.tile_columns": 7}
"""Wires that take a tenth and more from cells of 20 kOhm to 1.3 kOhm, in tiles that the columns do not fill."""
WIRED = {"device.model": "ReRamSB", "learning.learning_rate": 0.05, "device.array.ir_drop_every": 4, **WIRES}
quick = settings(max_examples=30, deadline=None, derandomize=True)


def pick(*values: Any) -> Any:
    """Any of the values."""
    return st.sampled_from(values)


def cell_of(crossbar: Crossbar) -> Cell:
    """The oracle's cell: what the model says of a nominal one, and the steps that all its cells were made with."""
    model, rows = crossbar.model, crossbar.cells.spread
    assert np.ptp(rows, axis=0).max() == 0, "the cells differ"
    low, high = model.bounds()
    assert (rows[0, LOW], rows[0, HIGH]) == (np.float32(low), np.float32(high))
    steps = []
    for up in (True, False):
        slope = (model.step(high, up) - model.step(low, up)) / (high - low)
        steps.append((model.step(0.0, up), slope))
        made = rows[0, [P0 + (not up), P1 + (not up)]]
        assert np.allclose(made, steps[-1], rtol=1e-6, atol=1e-9), "no affine step"
        steps[-1] = (float(made[0]), float(made[1]))
    zero = -low / (high - low) if low < 0 < high else 0.5
    return Cell(low, high, up=steps[0], down=steps[1], zero=zero, siemens=siemens_of(crossbar))


def siemens_of(crossbar: Crossbar) -> tuple[float, float]:
    """Conductances of the ends of a cell's range; 0 where its model has none."""
    model = crossbar.model
    if model.quantity == "conductance":
        return model.bounds()
    return (model.drive.g_min_s, model.drive.g_max_s) if model.drive else (0.0, 0.0)


def twins(spec: Spec, epoch: int = 0) -> tuple[EqProp, OracleCellChip]:
    """A fresh chip and the oracle's."""
    rule = EqProp(spec)
    oracle = OracleCellChip(copy.deepcopy(spec.plain()), cell_of(rule.store.crossbar), epoch)
    oracle.draw_weights()
    return rule, oracle


def place(oracle: OracleCellChip, plane: int, i: int, j: int) -> int:
    """Where the simulator keeps a cell of the oracle's."""
    n0, n1 = oracle.sizes
    return plane * n0 * n1 + j * n0 + i


def by_place(oracle: OracleCellChip, nested: list[list[list[Any]]]) -> list[Any]:
    """The oracle's numbers [plane][row][column] in the simulator's order."""
    made: list[Any] = [None] * len(flat(nested))
    for plane, rows in enumerate(nested):
        for i, row in enumerate(rows):
            for j, value in enumerate(row):
                made[place(oracle, plane, i, j)] = value
    return made


def tally_of(rule: EqProp) -> dict[str, int]:
    """What happened to the array in training, by the names of `layout` in lower case."""
    return named_tally(rule.store.layers[0].tally)


def named_tally(tally: Any) -> dict[str, int]:
    """A tally by name, in the order of the layout."""
    names = [name.lower() for name in TALLIES]
    assert [getattr(layout, name.upper()) for name in names] == list(range(len(names)))
    return {name: int(tally[at]) for at, name in enumerate(names)}


def assert_twins(rule: EqProp, oracle: OracleCellChip) -> None:
    """Every array of the chip, every cell, every event and every tally is the same."""
    assert rule.store.crossbar.cells.state.tolist() == by_place(oracle, oracle.states_of_cells)
    assert rule.store.crossbar.cells.visible.tolist() == by_place(oracle, oracle.states_of_cells)
    assert rule.store.crossbar.cells.pulses.tolist() == by_place(oracle, oracle.received)
    assert rule.store.crossbar.bank.shares.tolist() == by_place(oracle, oracle.shares())
    arrays = {name: array.tolist() for name, array in rule.chip._asdict().items()}
    assert arrays == oracle_arrays(oracle) | {"weights": flat(oracle.codes())}
    assert named_events(rule.work.events) == oracle.counted()
    if rule.store.crossbar.lines:
        assert rule.store.crossbar.bank.lost.tolist() == flat(oracle.lost)
        assert rule.store.crossbar.bank.seen.tolist() == flat(oracle.seen(oracle.lost))
    assert tally_of(rule) == oracle.reading.tally


def assert_infers_alike(rule: EqProp, oracle: OracleCellChip, samples: Samples) -> None:
    """The same outputs, at the cost of the same reads."""
    before = dict(oracle.reading.tally)
    assert rule.infer(samples).tolist() == [oracle.infer(x) for x in samples.tolist()]
    shown = {name: n - before[name] for name, n in oracle.reading.tally.items()}
    assert named_tally(rule.store.layers[0].inference[0]) == shown


def learn(rule: EqProp, samples: Samples, labels: npt.NDArray[np.int64] | None = None, epoch: int = 0) -> None:
    """Learn from the samples in order."""
    count = len(samples)
    rule.learn(samples, np.zeros(count, np.int64) if labels is None else labels, np.arange(count), epoch)


def trained(layers: list[int], fields: Mapping[str, Any], count: int = 12, seed: int = 0) -> EqProp:
    """A chip that has learned from random samples."""
    rule = EqProp(spec_of(layers, fields))
    learn(rule, *random_samples(rule.spec, seed, count))
    return rule


def call(rule: EqProp, kernel: Any, **given: Any) -> Any:
    """Call a kernel of the crossbar with `given` arguments; the others are the chip's of the same name."""
    chip, work = rule.chip._asdict(), rule.work._asdict()
    known = {
        **chip, **work, "plan": rule.plan, "work": rule.work, "chip": rule.chip, "bank": rule.store.crossbar.bank,
        "sensing": rule.store.crossbar.sensing, "store": rule.store.kernels, "rate": rates(rule.spec, 0)[0, 0],
        "layer": 0, "index": rule.work.event_index, "value": rule.work.event_value, **given,
    }  # fmt: skip
    return kernel(*(known[name] for name in inspect.signature(kernel.py_func).parameters))


def spread_out(rule: EqProp, seed: int, beyond: float = 0.3) -> None:
    """Cells anywhere in their range and up to `beyond` of it outside, some at its ends, and the codes in step."""
    rng, bank, cells = np.random.default_rng(seed), rule.store.crossbar.bank, rule.store.crossbar.cells
    shares = rng.uniform(-beyond, 1 + beyond, len(cells.visible))
    shares = np.where(rng.random(len(shares)) < 0.2, rng.choice([0.0, 0.5, 1.0], len(shares)), shares)
    cells.visible[:] = bank.low + bank.span * shares
    rule.store.crossbar.show(rule.chip.weights, cells.visible)


def read(rule: EqProp, inputs: npt.NDArray[np.uint8]) -> npt.NDArray[np.int32]:
    """The accumulators after one read of the array from 0."""
    rule.chip.accumulators[:] = 0
    call(rule, sense, inputs=inputs)
    return rule.chip.accumulators.copy()


def same(a: dict[str, Any], b: dict[str, Any]) -> bool:
    """Whether two states are the same to the last bit."""
    alike = [np.array_equal(a[name], b[name]) and a[name].dtype == b[name].dtype for name in a if name in b]
    return a.keys() == b.keys() and all(alike)


def assert_cells_are(layers: Any, oracle: Any) -> None:
    """Every cell of all layers of a store, and every tally, is that of the oracle."""
    for each in layers:
        array, bank = oracle.arrays[each.layer], each.crossbar.bank
        assert each.crossbar.cells.state.tolist() == by_place(array, array.states_of_cells)
        assert each.crossbar.cells.pulses.tolist() == by_place(array, array.received)
        assert bank.shares.tolist() == by_place(array, array.shares())
        assert named_tally(each.tally) == array.reading.tally
        assert named_tally(each.back) == oracle.back[each.layer]
