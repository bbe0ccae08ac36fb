"""Logarithm, exponential and power of whole arrays, with the same last digit on every machine (see `portable_math`)."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from hw_models.arguments import ARGUMENTS
from hw_models.kernels.jit import njit
from hw_models.kernels.portable_math import exp, log, power

LEAST = 2.0**-1022
"""The smallest argument of the logarithm: the smallest normal number."""
Values = npt.NDArray[np.float64]


@njit(nogil=True, cache=True)
def _exponentials(values, out):  # type: ignore[no-untyped-def]
    """e^x of each value."""
    for i in range(values.shape[0]):
        out[i] = exp(values[i])


@njit(nogil=True, cache=True)
def _logarithms(values, out):  # type: ignore[no-untyped-def]
    """ln x of each value."""
    for i in range(values.shape[0]):
        out[i] = log(values[i])


@njit(nogil=True, cache=True)
def _powers(values, exponent, out):  # type: ignore[no-untyped-def]
    """x^exponent of each value."""
    for i in range(values.shape[0]):
        out[i] = power(values[i], exponent)


def exponentials(values: npt.NDArray[np.floating]) -> Values:
    """(n,) e^x; beyond ±700 as at ±700."""
    given = _checked(values, -math.inf)
    out = np.empty(len(given))
    _exponentials(given, out)
    return out


def logarithms(values: npt.NDArray[np.floating]) -> Values:
    """(n,) ln x of x > 0."""
    given = _checked(values, LEAST)
    out = np.empty(len(given))
    _logarithms(given, out)
    return out


def powers(values: npt.NDArray[np.floating], exponent: float) -> Values:
    """(n,) x^exponent of x ≥ 0."""
    given = _checked(values, 0.0)
    out = np.empty(len(given))
    _powers(given, ARGUMENTS.number("exponent", exponent), out)
    return out


def logarithm(value: float) -> float:
    """ln of one number > 0."""
    return float(logarithms(np.array([value]))[0])


def _checked(values: object, low: float) -> Values:
    array = ARGUMENTS.reals("values", values, ("values",), low, infinite=True)
    return np.asarray(array, dtype=np.float64, order="C")
