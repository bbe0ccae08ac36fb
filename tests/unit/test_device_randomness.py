"""Random words of cells: published SplitMix64 outputs, exact Gaussians, and the same values on every machine."""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np
import pytest
from numba import njit

from hw_models.kernels import portable_math, randomness
from hw_models.kernels.portable_arrays import exponentials, logarithms, powers

_word, _gaussian = randomness.word, randomness.gaussian


@njit
def words(key, count):  # type: ignore[no-untyped-def]
    """The first words of `key`."""
    out = np.empty(count, np.uint64)
    for i in range(count):
        out[i] = _word(key, np.uint64(i))
    return out


@njit
def gaussians_of(halves):  # type: ignore[no-untyped-def]
    """The Gaussian of each half-word."""
    out = np.empty(halves.shape[0])
    for i in range(halves.shape[0]):
        out[i] = _gaussian(halves[i])
    return out


def test_words_are_splitmix64() -> None:
    """First outputs of the published generator seeded with 0 and with 1234567."""
    assert [hex(word) for word in words(np.uint64(0), 3)] == [
        "0xe220a8397b1dcdaf",
        "0x6e789e6aa1b965f4",
        "0x6c45d188009454f",
    ]
    assert words(np.uint64(1234567), 2).tolist() == [6457827717110365317, 3203168211198807973]


def test_a_gaussian_is_the_quantile_of_its_half_word() -> None:
    """Bit 0 is the sign; (half | 1)/2^33 the tail probability, to 64 strips per octave: within 1e-4 everywhere."""
    halves = [1, 3, 5, 2**7 + 1, 2**16 + 7, 2**20 + 54321, 2**28 + 1, 2**31 + 12345, 2**32 - 3, 2**32 - 1]
    halves += np.random.default_rng(1).integers(0, 2**32, 2000).tolist()
    exact = NormalDist()
    for half, found in zip(halves, gaussians_of(np.array(halves, dtype=np.uint64)), strict=True):
        wanted = -exact.inv_cdf((half | 1) / 2**33)
        assert found == pytest.approx(wanted if half & 1 else -wanted, abs=1e-4)


def test_gaussians_are_symmetric_and_reach_six_sigma() -> None:
    odd = np.array([1, 99, 2**17 + 1, 2**32 - 1], dtype=np.uint64)
    np.testing.assert_array_equal(gaussians_of(odd), -gaussians_of(odd - np.uint64(1)))
    assert 6.3 < gaussians_of(odd)[0] < 6.4
    assert abs(gaussians_of(odd)[-1]) < 1e-5


def test_the_distribution_over_all_half_words_is_standard_normal() -> None:
    """Every 8191st half-word of one sign: as good as all of them, for a smooth function of the half-word."""
    draws = gaussians_of(np.arange(1, 2**32, 2 * 8191, dtype=np.uint64))
    assert (draws**2).mean() == pytest.approx(1.0, abs=1e-3)
    assert (draws**4).mean() == pytest.approx(3.0, abs=1e-2)
    assert draws.mean() == pytest.approx(math.sqrt(2 / math.pi), abs=1e-3)


def test_a_million_draws_are_standard_normal() -> None:
    draws = np.sort(randomness.gaussians(randomness.key_of(5, 1), 1_000_000))
    assert abs(draws.mean()) < 4e-3
    assert draws.var() == pytest.approx(1.0, abs=6e-3)
    exact = NormalDist()
    for share in (0.001, 0.1, 0.5, 0.8, 0.9999):
        error = math.sqrt(share * (1 - share) / 1e6)
        assert abs((draws < exact.inv_cdf(share)).mean() - share) < 4 * error


def test_the_same_values_on_every_machine() -> None:
    key = randomness.key_of(42, 3)
    assert key == 0xC02D6269A5197841
    assert randomness.gaussians(key, 4).tolist() == [
        -0.8336469908601885,
        -0.24693180181449748,
        2.247935521340878,
        0.56441822366682,
    ]
    assert randomness.uniforms(key, 3).tolist() == [0.40448271346084286, 0.8049610733130366, 0.024580532494038798]
    assert randomness.lognormals(key, 3, 0.7).tolist() == [0.5579126368729781, 0.8412618926275658, 4.823765585893898]


def test_draws_depend_on_their_number_alone() -> None:
    key = randomness.key_of(9, 0)
    many = randomness.gaussians(key, 50)
    np.testing.assert_array_equal(randomness.gaussians(key, 20, first=30), many[30:])
    random = randomness.start(9)
    assert int(random[0]) == key
    np.testing.assert_array_equal(np.concatenate([randomness.take(random, 7), randomness.take(random, 43)]), many)
    assert int(random[1]) == 50


def test_streams_and_seeds_are_unlike() -> None:
    keys = {randomness.key_of(seed, stream) for seed in (-1, 0, 1, 2**63, 2**64 + 5) for stream in range(40)}
    assert len(keys) == 200
    draws = np.array([randomness.gaussians(randomness.key_of(0, stream), 20_000) for stream in range(6)])
    assert np.abs(np.corrcoef(draws) - np.eye(6)).max() < 4 / math.sqrt(20_000)


def test_uniforms_fill_the_unit_interval() -> None:
    draws = randomness.uniforms(1, 100_000)
    assert draws.min() >= 0.0
    assert draws.max() < 1.0
    counts = np.histogram(draws, bins=20, range=(0, 1))[0]
    assert np.abs(counts - 5000).max() < 4 * math.sqrt(5000)


def test_portable_functions_agree_with_the_mathematics_library() -> None:
    x = np.concatenate([np.linspace(-690, 690, 5001), np.linspace(-1, 1, 2001)])
    np.testing.assert_allclose(exponentials(x), np.exp(x), rtol=1e-15)
    np.testing.assert_allclose(logarithms(np.exp(x)), np.log(np.exp(x)), rtol=1e-15, atol=3e-16)
    y = np.linspace(0.0, 3.0, 1001)
    np.testing.assert_allclose(powers(y, 2.5), y**2.5, rtol=3e-15)


def test_portable_functions_at_their_ends() -> None:
    assert exponentials(np.array([1e9, -1e9, 0.0])).tolist() == exponentials(np.array([700.0, -700.0, 0.0])).tolist()
    assert exponentials(np.array([0.0]))[0] == 1.0
    assert logarithms(np.array([1.0]))[0] == 0.0
    assert powers(np.array([0.0, 1.0, 7.0]), 0.0).tolist() == [1.0, 1.0, 1.0]
    assert powers(np.array([0.0, 1.0]), 3.0).tolist() == [0.0, 1.0]
    assert powers(np.array([0.0]), -1.0)[0] > 1e300


def test_the_scalar_functions_are_those_of_the_arrays() -> None:
    @njit
    def both(x):  # type: ignore[no-untyped-def]
        return portable_math.exp(x), portable_math.log(x), portable_math.power(x, 1.3)

    assert both(0.37) == (
        exponentials(np.array([0.37]))[0],
        logarithms(np.array([0.37]))[0],
        powers(np.array([0.37]), 1.3)[0],
    )
