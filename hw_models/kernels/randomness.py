"""Random words for cells: the n-th draw of a key is a pure function of (key, n), the same on every machine.

Word n of a key is SplitMix64 (Steele, Lea, Flood, OOPSLA 2014): the finaliser of `key + (n + 1)·golden`. A standard
Gaussian comes from 32 bits through a table of normal quantiles: octaves of the tail probability, 64 strips each, linear
interpolation between them; rounded to a 2^-20 grid, so that the last digit of a library has no effect. The largest draw
is 6.3 sigma. `pulsing` draws per pulse; the families draw device-to-device spread.
"""

from __future__ import annotations

from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from hw_models.arguments import ARGUMENTS
from hw_models.kernels.jit import njit
from hw_models.kernels.portable_math import exp

_MASK = (1 << 64) - 1
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_FIRST = np.uint64(0xBF58476D1CE4E5B9)
_SECOND = np.uint64(0x94D049BB133111EB)
_ONE, _LOW = np.uint64(1), np.uint64(0xFFFFFFFF)
_S30, _S27, _S31, _S32, _S11 = np.uint64(30), np.uint64(27), np.uint64(31), np.uint64(32), np.uint64(11)

STRIPS = 64
OCTAVES = 32
_STRIP_BITS = np.int64(46)  # mantissa bits of a double below the six that number the strip
_STRIP_MASK = np.int64((1 << 46) - 1)
_STRIP_SCALE = 2.0**-46
_BIAS = np.int64(1023 * STRIPS)


def _quantiles() -> npt.NDArray[np.float32]:
    """|z| at tail probabilities 2^e·(1 + s/64)/2^33, e 0..31, s 0..63, and at 1/2; exact in float32."""
    normal = NormalDist()
    chances = [(1 << e) * (1 + s / STRIPS) / 2.0**33 for e in range(OCTAVES) for s in range(STRIPS)]
    values = [-normal.inv_cdf(chance) for chance in chances] + [0.0]
    return np.array([round(value * 2**20) / 2**20 for value in values], dtype=np.float32)


_Z = _quantiles()


_KEY_AND_COUNTER = np.zeros(2, dtype=np.uint64)


def key_of(seed: int, stream: int) -> int:
    """A 64-bit key for one purpose (`stream` ≥ 0) of `seed` (any integer): different purposes are independent."""
    seed = ARGUMENTS.whole("seed", seed)
    stream = ARGUMENTS.whole("stream", stream, 0)
    return _mixed(_mixed(seed & _MASK) + (stream + 1) * 0xD1342543DE82EF95)


def _mixed(z: int) -> int:
    """SplitMix64 step in Python integers."""
    z = (z + 0x9E3779B97F4A7C15) & _MASK
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & _MASK
    return z ^ (z >> 31)


@njit(inline="always")
def word(key, counter):  # type: ignore[no-untyped-def]
    """The 64-bit word number `counter` of `key` (both uint64)."""
    z = key + (counter + _ONE) * _GOLDEN
    z = (z ^ (z >> _S30)) * _FIRST
    z = (z ^ (z >> _S27)) * _SECOND
    return z ^ (z >> _S31)


@njit(inline="always")
def low_half(bits):  # type: ignore[no-untyped-def]
    """Bits 0..31 of a word."""
    return bits & _LOW


@njit(inline="always")
def high_half(bits):  # type: ignore[no-untyped-def]
    """Bits 32..63 of a word."""
    return bits >> _S32


@njit(inline="always")
def gaussian(half):  # type: ignore[no-untyped-def]
    """Standard Gaussian of a half-word (uint64 below 2^32): bit 0 is the sign, the rest the tail probability."""
    place = np.float64(np.int64(half | _ONE)).view(np.int64)
    strip = np.uint64((place >> _STRIP_BITS) - _BIAS)  # unsigned, so there is no check for negative indices
    left, right = np.float64(_Z[strip]), np.float64(_Z[strip + _ONE])
    size = left + (right - left) * (np.float64(place & _STRIP_MASK) * _STRIP_SCALE)
    return size * (2.0 * np.float64(np.int64(half & _ONE)) - 1.0)  # faster than an unpredictable branch


@njit(inline="always")
def uniform(bits):  # type: ignore[no-untyped-def]
    """Uniform in [0, 1) from the top 53 bits of a word."""
    return np.float64(np.int64(bits >> _S11)) * 2.0**-53


@njit(nogil=True, cache=True)
def _fill_gaussians(key, first, out):  # type: ignore[no-untyped-def]
    """The Gaussians of words first, first + 1, …"""
    for i in range(out.shape[0]):
        out[i] = gaussian(high_half(word(key, first + np.uint64(i))))


@njit(nogil=True, cache=True)
def _fill_uniforms(key, first, out):  # type: ignore[no-untyped-def]
    """The uniforms of words first, first + 1, …"""
    for i in range(out.shape[0]):
        out[i] = uniform(word(key, first + np.uint64(i)))


@njit(nogil=True, cache=True)
def _exponentiate(values):  # type: ignore[no-untyped-def]
    """e^x in place."""
    for i in range(values.shape[0]):
        values[i] = exp(values[i])


def _room(count: object) -> npt.NDArray[np.float64]:
    return np.empty(ARGUMENTS.whole("count", count, 0, 2**28))


def _word(name: str, value: object) -> int:
    return ARGUMENTS.whole(name, value, 0, _MASK)


def gaussians(key: int, count: int, first: int = 0) -> npt.NDArray[np.float64]:
    """(count,) standard Gaussians, one per word from number `first` of `key`."""
    out, key, first = _room(count), _word("key", key), _word("first", first)
    _fill_gaussians(np.uint64(key), np.uint64(first), out)
    return out


def uniforms(key: int, count: int, first: int = 0) -> npt.NDArray[np.float64]:
    """(count,) uniforms in [0, 1), one per word from number `first` of `key`."""
    out, key, first = _room(count), _word("key", key), _word("first", first)
    _fill_uniforms(np.uint64(key), np.uint64(first), out)
    return out


def lognormals(key: int, count: int, sigma: float, first: int = 0) -> npt.NDArray[np.float64]:
    """(count,) draws of exp(sigma·xi): median 1, log standard deviation `sigma` ≥ 0."""
    out = ARGUMENTS.number("sigma", sigma, 0.0) * gaussians(key, count, first)
    _exponentiate(out)
    return out


def start(seed: int) -> npt.NDArray[np.uint64]:
    """(2,) key and counter 0 of a population made with `seed`: the initial value of `Cells.random`."""
    return np.array([key_of(seed, 0), 0], dtype=np.uint64)


def take(random: npt.NDArray[np.uint64], count: int) -> npt.NDArray[np.float64]:
    """Gaussians (count,) from the next words of `random` (2,) uint64; advances its counter."""
    ARGUMENTS.like("random", random, _KEY_AND_COUNTER)
    out = gaussians(int(random[0]), count, int(random[1]))
    random[1:] += np.uint64(count)  # modulo 2^64
    return out
