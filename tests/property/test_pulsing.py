"""Cells pulsed in batches are those pulsed one by one: same states, same draws, same sums, whatever the counts."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hw_models.kernels.aligned import CACHE_LINE, on_cache_lines
from hw_models.kernels.pulsing import pulse_cells
from hw_models.kernels.step_laws import (
    ADDED,
    AFFINE,
    BY_STATE,
    CONSTANTS,
    EXPONENTIAL,
    HIGH,
    LOW,
    P0,
    P1,
    PER_WRITE,
    POWER,
    RELATIVE,
    SCALE,
    SCALED,
    WIDTH,
    WRITE,
)
from hw_models.kernels.straight_pulsing import BATCH, DRAWS, Room, pulse_batches

Arrays = tuple[npt.NDArray[np.generic], ...]
NOISES = {"relative": RELATIVE, "scaled": SCALED, "by state": BY_STATE, "added": ADDED}


def population(count: int, seed: int, dtype: type) -> Arrays:
    """state, visible, spread, pulses and random of cells that differ in everything."""
    dice = np.random.default_rng(seed)
    spread = np.zeros((count, WIDTH))
    spread[:, LOW], spread[:, HIGH] = -dice.uniform(0.1, 1, count), dice.uniform(0.1, 1, count)
    for column in (SCALE, P0):
        spread[:, column : column + 2] = dice.uniform(0.001, 0.05, (count, 2))
    spread[:, P1 : P1 + 2] = dice.uniform(-0.05, 0.05, (count, 2))
    state = dice.uniform(spread[:, LOW], spread[:, HIGH]).astype(dtype)
    pulses = dice.integers(0, 9, count).astype(np.uint32)
    return state, state.copy(), spread.astype(dtype), pulses, np.array([seed, 7], np.uint64)


def both(law: int, constants: npt.NDArray[np.float64], cells: Arrays, counts: object, places: object) -> None:
    """Pulse copies of `cells` in both ways and hold every array and every sum against each other."""
    one, other = [a.copy() for a in cells], [a.copy() for a in cells]
    wanted = pulse_cells(law, *one, constants, counts, places)
    found = pulse_batches(law, *other, constants, counts, places, Room.make())
    for a, b in zip(one, other, strict=True):
        assert a.tobytes() == b.tobytes()
    assert (wanted[0], wanted[2]) == (found[0], found[2])
    assert found[1] == pytest.approx(wanted[1], rel=1e-12) and found[3] == pytest.approx(wanted[3], rel=1e-12)


@settings(max_examples=60, deadline=None)
@given(
    cells=st.integers(1, 3 * BATCH),
    seed=st.integers(0, 2**32),
    noises=st.sets(st.sampled_from(sorted(NOISES)), min_size=1),
    write=st.booleans(),
    dtype=st.sampled_from([np.float32, np.float64]),
    most=st.sampled_from([0, 1, 3, 40, DRAWS // 2]),
    dense=st.booleans(),
)
def test_batches_are_the_cells_one_by_one(
    cells: int, seed: int, noises: set[str], write: bool, dtype: type, most: int, dense: bool
) -> None:
    constants = np.zeros(CONSTANTS)
    for name in noises:
        constants[NOISES[name]] = 0.02 if name in ("by state", "added") else 0.7
    constants[WRITE] = 0.01 * write
    dice = np.random.default_rng(seed)
    places = np.zeros(0, np.int64) if dense else dice.permutation(cells)[: max(1, cells // 2)]
    counts = dice.integers(-most, most + 1, cells if dense else len(places)).astype(np.int32)
    both(AFFINE, constants, population(cells, seed, dtype), counts, places)


def test_a_cell_with_more_pulses_than_a_batch_has_room_for() -> None:
    constants = np.zeros(CONSTANTS)
    constants[RELATIVE], constants[WRITE] = 0.3, 0.01
    counts = np.array([3, DRAWS, -DRAWS - 1, 0, 5, 20 * DRAWS, -1], np.int32)
    both(AFFINE, constants, population(len(counts), 5, np.float32), counts, np.zeros(0, np.int64))


@pytest.mark.parametrize("law", [AFFINE, EXPONENTIAL, POWER])
@pytest.mark.parametrize("noise", [WRITE, PER_WRITE])
def test_other_laws_and_noises_are_handed_on(law: int, noise: int) -> None:
    constants = np.zeros(CONSTANTS)
    constants[noise] = 0.02
    constants[RELATIVE] = 0.1 * (law != AFFINE)
    counts = np.random.default_rng(1).integers(-4, 5, 2 * BATCH).astype(np.int32)
    both(law, constants, population(len(counts), 6, np.float32), counts, np.zeros(0, np.int64))


@pytest.mark.parametrize("shape", [(1, 8), (5, 8), (3,)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_arrays_start_on_a_cache_line(shape: tuple[int, ...], dtype: type) -> None:
    values = np.arange(np.prod(shape)).reshape(shape)
    found = on_cache_lines(values, dtype)
    assert found.ctypes.data % CACHE_LINE == 0 and found.flags.c_contiguous and found.dtype == dtype
    assert np.array_equal(found, values)
