"""Sums along rows, sums of signed rows and steps of rows against plain integers, at widths around those of a vector."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pytest

from edgesdt.kernels.bytes.rows import ROWS
from edgesdt.kernels.bytes.steps import COLUMNS
from edgesdt.kernels.bytes.sums import BLOCK
from edgesdt.kernels.row_sums import add_signed_rows, sum_along_rows
from edgesdt.synapses.lines import add_lines

FAR = np.int64(2**31 - 1)


class Room(NamedTuple):
    """What the kernels use of a workspace."""

    signed: Any
    signed_values: Any
    plus: Any
    minus: Any
    low: Any
    high: Any


class Shape(NamedTuple):
    """What `add_lines` uses of a plan."""

    first_weight: Any
    widths: Any
    weight_limit: int


def room(rows: int, columns: int) -> Room:
    """Scratch for a layer of weights of a byte."""
    listed, small = np.zeros(rows + ROWS, np.int32), np.zeros(rows + ROWS, np.uint8)
    low = np.zeros(columns + BLOCK, np.int8)
    return Room(listed, listed.copy(), small, small.copy(), low, low.copy())


@pytest.mark.parametrize("columns", [5, 16, 63, 64, 65, 83, 130, 191])
@pytest.mark.parametrize("largest", [100, 127, 254, 255])
def test_sums(columns: int, largest: int) -> None:
    rng, rows = np.random.default_rng(columns), 39
    weights = rng.integers(-128, 128, rows * columns).astype(np.int8)
    weights[:columns] = -128
    matrix, work = weights.reshape(rows, columns).astype(np.int64), room(rows, columns)
    for values in (rng.integers(-largest, largest + 1, columns), np.full(columns, largest), np.full(columns, -largest)):
        sums = np.zeros(rows, np.int32)
        assert sum_along_rows(sums, weights, 0, values.astype(np.int16), work, np.int64(128), FAR) == 0
        assert sums.tolist() == (matrix @ values).tolist()
    for signals in (rng.integers(-largest, largest + 1, rows), np.full(rows, -largest)):
        signals[3:9] = 0
        sums = np.full(columns, 7, np.int32)
        found = add_signed_rows(sums, weights, 0, signals.astype(np.int16), work, np.int64(128), np.int64(7), FAR)
        assert found == (np.count_nonzero(signals), 0)
        assert sums.tolist() == (7 + signals @ matrix).tolist()


@pytest.mark.parametrize("columns", [5, 64, 83, 130])
@pytest.mark.parametrize(("largest", "limit"), [(1, 127), (3, 127), (127, 127), (3, 31)])
def test_steps(columns: int, largest: int, limit: int) -> None:
    """Products of a byte and larger ones, codes of 8 and of 6 bits, counters that wrap."""
    rng, rows = np.random.default_rng(columns + largest), 12
    weights = rng.integers(-limit - 1, limit + 1, rows * columns).astype(np.int8)
    wear, carry = rng.integers(250, 256, len(weights)).astype(np.uint8), np.zeros(len(weights), np.uint32)
    lines, factors = np.array([0, 2, 3, 7, 11], np.int32), rng.integers(-largest, largest + 1, columns)
    values = np.array([1, -1, 2, -41, 127], np.int32)
    wide = weights.reshape(rows, columns).astype(np.int64)
    wide[lines] += np.outer(values, factors)
    kept = np.clip(wide, -limit - 1, limit)
    changed = kept.reshape(-1) != weights
    times = wear.astype(np.int64) + changed
    events, peak = np.zeros((40, 3), np.int64), np.array([1])
    plan = Shape(np.zeros(1, np.int64), np.array([columns]), limit)
    add_lines(
        weights, wear, carry, plan, 0, lines, values, len(lines), factors.astype(np.int8), 9,
        np.zeros((3, columns + COLUMNS), np.int8), peak, events,
    )  # fmt: skip
    assert weights.tolist() == kept.reshape(-1).tolist()
    assert wear.tolist() == (times % 256).tolist() and carry.tolist() == (times // 256).tolist()
    assert sorted(events[:, 0][events[:, 0] > 0].tolist()) == sorted(
        n for n in (9 * len(lines), int(changed.sum()), int((kept != wide).sum())) if n
    )
    assert np.abs(kept[lines]).max() <= peak[0] <= limit + 1
