"""Chips with rows wide enough to be read as bytes, against the oracle: as stored, with hidden bits, below a softmax."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from edgesdt.synapses.mirror import FITS, UNKNOWN, WIDE
from edgesdt.synapses.narrow import AVAILABLE, LEAST_COLUMNS
from tests.small_chips import Machine, assert_twins, random_samples, spec_of, started, twin

LAYERS = [6, LEAST_COLUMNS + 6, LEAST_COLUMNS + 2]
FIELDS: dict[str, Any] = {
    "chip.weights.frac_bits": 7, "learning.winners": 3, "learning.free_steps": 6, "learning.nudged_steps": 3,
    "learning.dt": 0.5, "learning.learning_rate": 0.5,
}  # fmt: skip
SOFTMAX = {
    "learning.loss": "cross_entropy", "learning.winners": 1, "learning.dropout.output": 0.0,
    "learning.learning_rate": 1, "learning.beta": 0.125,
}  # fmt: skip
CHIPS: dict[str, tuple[int, int, dict[str, Any]]] = {
    "as stored": (10, 0, {}),
    "hidden bits": (10, 4, {"chip.weights.levels": "nearest"}),
    "odd levels, batch": (8, 2, {"chip.weights.levels": "odd", "learning.batch": 2}),
    "read as bytes": (4, 6, {"chip.weights.frac_bits": 3}),
    "softmax": (10, 4, SOFTMAX),
}
READ_WIDE = [name for name in CHIPS if name != "read as bytes"]


def machine_of(name: str) -> Machine:
    """A chip whose read codes mostly fit in a byte, and are at its edge in one row of each direction."""
    bits, hidden, fields = CHIPS[name]
    spec = spec_of(LAYERS, {**FIELDS, **fields, "chip.weights.bits": bits, "chip.weights.hidden_bits": hidden})
    machine, rng = started(spec, 1), np.random.default_rng(2)
    widest = min(machine.plan.weight_limit >> hidden, 127)
    codes = np.rint(rng.normal(0, widest / 6, len(machine.chip.weights))).astype(np.int64)
    square = np.clip(codes[-LAYERS[1] * LAYERS[2] :], -widest, widest).reshape(LAYERS[1:])
    square[3] = square[:, 5] = widest >> (spec.chip.weights.levels == "odd")
    machine.set_weights(np.concatenate([codes[: LAYERS[0] * LAYERS[1]], square.ravel()]) << hidden)
    return machine


@pytest.mark.parametrize("name", CHIPS)
def test_rows_as_bytes_equal_the_oracle(name: str) -> None:
    machine = machine_of(name)
    oracle = twin(machine)
    samples, labels = random_samples(machine.spec, 3, 4)
    machine.learn(samples, labels)
    oracle.learn_stream(samples.tolist(), labels.tolist())
    assert_twins(machine, oracle)
    assert machine.infer(samples[:1]).tolist() == [oracle.infer(x) for x in samples[:1].tolist()]


@pytest.mark.skipif(not AVAILABLE, reason="this processor has no 8-bit dot product")
@pytest.mark.parametrize("name", READ_WIDE)
def test_copies_hold_what_is_read(name: str) -> None:
    """After updates, a row that is marked as fitting holds the codes that a read gives; some do, and one no more."""
    machine = machine_of(name)
    samples, labels = random_samples(machine.spec, 3, 4)
    store = machine.store
    machine.learn(samples, labels, store)
    base, (pre, post) = LAYERS[0] * LAYERS[1], LAYERS[1:]
    read, turned = store.read[base:].reshape(pre, post), store.mirror[base:].reshape(post, pre)
    assert np.array_equal(read.T, turned)
    for way, codes, copies in ((0, read, store.narrow), (1, turned, store.narrow_mirror)):
        rows, known = copies[base:].reshape(codes.shape), store.fits[way, 1, : len(codes)]
        assert (known == FITS).any() and set(known.tolist()) <= {UNKNOWN, FITS, WIDE}
        for row in np.flatnonzero(known == FITS):
            assert np.array_equal(rows[row], codes[row])
    assert (store.fits[:, 1] == WIDE).any()
