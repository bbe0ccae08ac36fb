"""Exponential, logarithm and power from IEEE additions and products only, with identical results on every machine.

Mathematics libraries differ in their last digit, and a difference in one digit makes two simulated chips diverge. The
relative accuracy is about 1e-15. `pulsing` and `randomness` call these functions in their kernels.
"""

from __future__ import annotations

import numpy as np

from hw_models.kernels.jit import njit

_LOG2_E = 1.4426950408889634
_LN2_HIGH = 6.93147180369123816490e-01  # ln 2 in two parts, the first exact when times a small integer
_LN2_LOW = 1.90821492927058770002e-10
_ROOT_2 = 1.4142135623730951
_FRACTION = np.int64((1 << 52) - 1)
_UNIT = np.int64(1023 << 52)
_SHIFT = np.int64(52)


@njit(inline="always")
def exp(x):  # type: ignore[no-untyped-def]
    """e^x; beyond ±700 as at ±700 (float64 ends at 709). Taylor to degree 13 on |r| ≤ ln 2 / 2, times 2^k."""
    x = min(max(x, -700.0), 700.0)
    k = np.floor(x * _LOG2_E + 0.5)
    r = (x - k * _LN2_HIGH) - k * _LN2_LOW
    tail = 1.0 / 6227020800.0
    tail = tail * r + 1.0 / 479001600.0
    tail = tail * r + 1.0 / 39916800.0
    tail = tail * r + 1.0 / 3628800.0
    tail = tail * r + 1.0 / 362880.0
    tail = tail * r + 1.0 / 40320.0
    tail = tail * r + 1.0 / 5040.0
    tail = tail * r + 1.0 / 720.0
    tail = tail * r + 1.0 / 120.0
    tail = tail * r + 1.0 / 24.0
    tail = tail * r + 1.0 / 6.0
    tail = tail * r + 0.5
    return ((tail * r + 1.0) * r + 1.0) * np.int64((np.int64(k) << _SHIFT) + _UNIT).view(np.float64)


@njit(inline="always")
def log(x):  # type: ignore[no-untyped-def]
    """ln x of a normal x > 0: x = m·2^e with m near 1, ln m = 2·artanh((m − 1)/(m + 1)) to degree 21."""
    place = np.float64(x).view(np.int64)
    e = np.float64((place >> _SHIFT) - np.int64(1023))
    m = np.int64((place & _FRACTION) | _UNIT).view(np.float64)
    if m > _ROOT_2:
        m = m * 0.5
        e = e + 1.0
    s = (m - 1.0) / (m + 1.0)
    square = s * s
    total = 1.0 / 21.0
    for odd in (19.0, 17.0, 15.0, 13.0, 11.0, 9.0, 7.0, 5.0, 3.0):
        total = total * square + 1.0 / odd
    return e * _LN2_HIGH + (2.0 * (s + s * square * total) + e * _LN2_LOW)


@njit(inline="always")
def power(x, exponent):  # type: ignore[no-untyped-def]
    """x^exponent for x ≥ 0; x below the normal doubles counts as 0, and 0^0 = 1."""
    if exponent == 0.0:
        return 1.0
    if x < 2.3e-308:
        return 0.0 if exponent > 0.0 else exp(700.0)
    return exp(exponent * log(x))
