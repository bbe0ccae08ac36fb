"""Noisy products: exact sums against plain Python, the same integers in batches and alone, noise of the right size."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hw_models.array.mvm import KINDS, ReadNoise, matrix, read
from hw_models.base import DeviceError

shapes = st.tuples(st.integers(1, 40), st.integers(1, 17))
DRAWS = 10_000


@given(shapes, st.sampled_from([1, 15, 255, 4095, 65535, 1 << 18]), st.integers(0, 2**32 - 1))
@settings(deadline=None, max_examples=60)
def test_sums_are_those_of_plain_integers(shape: tuple[int, int], largest: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    codes = rng.integers(-32767, 32768, shape).astype(np.int16)
    x = rng.integers(-largest, largest + 1, shape[0]) * rng.integers(0, 2, shape[0])
    expected = [sum(int(w) * int(v) for w, v in zip(column, x, strict=True)) for column in codes.T]
    cells = matrix(codes, largest)
    assert read(cells, x).tolist() == expected
    assert read(cells, np.stack([x, x])).tolist() == [expected, expected]


@given(shapes, st.sampled_from(KINDS), st.sampled_from([3, 255, 4095]), st.integers(0, 2**32 - 1))
@settings(deadline=None, max_examples=60)
def test_a_batch_is_its_vectors_one_by_one(shape: tuple[int, int], noise: ReadNoise, largest: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    cells = matrix(rng.integers(-32767, 32768, shape).astype(np.int16), largest)
    batch = rng.integers(0, largest + 1, (5, shape[0]))
    together = read(cells, batch, noise, 0.3, key=seed, first=11)
    alone = [read(cells, x, noise, 0.3, key=seed, first=11 + b * shape[1]) for b, x in enumerate(batch)]
    assert together.tolist() == [sums.tolist() for sums in alone]


def test_the_same_key_is_the_same_noise_and_another_is_another() -> None:
    rng = np.random.default_rng(5)
    cells, x = matrix(rng.integers(-9000, 9000, (50, 400)).astype(np.int16), 255), rng.integers(0, 256, 50)
    once = read(cells, x, "proportional", 0.1, key=9)
    assert (once == read(cells, x, "proportional", 0.1, key=9)).all()
    others = [read(cells, x, "proportional", 0.1, key=k, first=f) for k, f in ((10, 0), (9, 400))]
    clean = read(cells, x)
    for other in others:
        correlation = np.corrcoef(once - clean, other - clean)[0, 1]
        assert abs(correlation) < 0.2  # 4 sigma of 400 draws


def test_proportional_noise_has_the_spread_of_its_cells() -> None:
    """sd(y_j) = .05 sqrt(sum_i W_ij^2 x_i^2) within 3 % over 10^4 draws: 0.7 % is one sigma of that many."""
    rng = np.random.default_rng(0)
    codes = np.rint(np.clip(rng.normal(0, 6000, (784, 24)), -32767, 32767)).astype(np.int16)
    x = rng.integers(0, 256, 784) * (rng.random(784) < 0.3)
    cells = matrix(codes, 255)
    draws = read(cells, np.broadcast_to(x, (DRAWS, 784)), "proportional", 0.05, key=3)
    clean = read(cells, x)
    expected = 0.05 * np.sqrt((codes.astype(float) ** 2).T @ (x.astype(float) ** 2))
    assert draws.std(axis=0) == pytest.approx(expected, rel=0.03)
    assert np.abs(draws.mean(axis=0) - clean).max() < 4.5 * expected.max() / math.sqrt(DRAWS)
    shares = (draws - clean) / expected
    assert np.mean(np.abs(shares) < 1) == pytest.approx(0.6827, abs=0.005)
    assert np.mean(np.abs(shares) > 3) == pytest.approx(0.0027, abs=0.0006)


def test_it_is_the_noise_of_drawing_every_cell() -> None:
    """The shortcut against one normal per cell and read, as other simulators draw it."""
    rng = np.random.default_rng(2)
    codes = rng.integers(-20000, 20001, (60, 8)).astype(np.int16)
    x = rng.integers(0, 16, 60)
    noisy_cells = codes * (1 + 0.2 * rng.standard_normal((4000, 60, 8)))
    every_cell = np.einsum("i,bij->bj", x.astype(float), noisy_cells)
    shortcut = read(matrix(codes, 15), np.broadcast_to(x, (4000, 60)), "proportional", 0.2, key=8)
    assert shortcut.std(axis=0) == pytest.approx(every_cell.std(axis=0), rel=0.07)


def test_additive_noise_depends_on_the_inputs_alone() -> None:
    rng = np.random.default_rng(1)
    codes, x = rng.integers(-32767, 32768, (200, 12)).astype(np.int16), rng.integers(-255, 256, 200)
    draws = read(matrix(codes, 255), np.broadcast_to(x, (DRAWS, 200)), "additive", 40.0, key=1)
    expected = 40.0 * math.sqrt(float((x.astype(float) ** 2).sum()))
    assert draws.std(axis=0) == pytest.approx(np.full(12, expected), rel=0.03)


def test_other_sizes_than_the_weights() -> None:
    """Two large conductances that nearly cancel are noisier than their difference."""
    rng = np.random.default_rng(3)
    codes, x = rng.integers(-100, 101, (100, 6)).astype(np.int16), rng.integers(1, 16, 100)
    sizes = rng.integers(20000, 30000, (100, 6)).astype(np.int16)
    draws = read(matrix(codes, 15, sizes), np.broadcast_to(x, (DRAWS, 100)), "proportional", 0.02, key=2)
    expected = 0.02 * np.sqrt((sizes.astype(float) ** 2).T @ (x.astype(float) ** 2))
    assert draws.std(axis=0) == pytest.approx(expected, rel=0.03)


def test_no_input_no_noise() -> None:
    cells = matrix(np.full((9, 5), 777, dtype=np.int16), 15)
    for noise in KINDS:
        assert not read(cells, np.zeros(9, dtype=np.int64), noise, 0.5, key=4).any()


def test_what_is_refused() -> None:
    small = np.ones((4, 3), dtype=np.int16)
    with pytest.raises(DeviceError, match="int16"):
        matrix(small.astype(np.int32), 15)
    with pytest.raises(DeviceError, match="-32767"):
        matrix(np.full((2, 2), -32768, dtype=np.int16), 15)
    with pytest.raises(DeviceError, match="input_max"):
        matrix(small, 1 << 30)
    cells = matrix(small, 15)
    with pytest.raises(DeviceError, match="allowed: integers of -15 to 15"):
        read(cells, np.array([0, 0, 0, 16]))
    with pytest.raises(DeviceError, match="integers of"):
        read(cells, np.zeros(5, dtype=np.int64))
    with pytest.raises(DeviceError, match="integers of"):
        read(cells, np.zeros(4))  # type: ignore[arg-type]
    with pytest.raises(DeviceError, match="did you mean 'proportional'"):
        read(cells, np.zeros(4, dtype=np.int64), "proportion", 0.1)  # type: ignore[arg-type]
    with pytest.raises(DeviceError, match="sd"):
        read(cells, np.zeros(4, dtype=np.int64), "additive", -0.1)
