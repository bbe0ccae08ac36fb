"""Checks the arguments of public functions (arrays and numbers) once per call, before a kernel uses them.

An error names the argument, its value and what is allowed. The checks cost no time per sample: shape and type are
checked once, and values only if the type could hold a forbidden one.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, NoReturn

import numpy as np
import numpy.typing as npt

Shape = Sequence[int | str]
"""Lengths of the axes: a number, or a word for an axis of any length."""
_MOST_SHOWN: Final = 60


class DeviceError(ValueError):
    """An invalid device. The text names the parameter, its value, the allowed range and the nearest valid name."""


@dataclass(frozen=True)
class Arguments:
    """The checks, which raise `error`; each returns the argument in the form that the caller uses."""

    error: type[ValueError]

    def integers(
        self, name: str, value: object, shape: Shape | None, low: int, high: int,
        dtype: npt.DTypeLike | None = np.int64,
    ) -> npt.NDArray[Any]:
        """`value` as a C-contiguous array of `dtype` (None: its own), if it is one of integers in low … high.

        An array of that type is not copied. Lists of integers are accepted too. Values are not checked if the type of
        `value` cannot exceed the range. A shape of None is any.
        """
        limits = (-(2**63), 2**63 - 1)
        allowed = "integers" if (low, high) == limits else f"integers of {low} to {high}"
        allowed += "" if shape is None else f", shape {_words(shape)}"
        array = self._array(name, value, shape, "iu", allowed)
        info = np.iinfo(array.dtype)
        if array.size and (info.min < low or info.max > high):
            least, most = int(array.min()), int(array.max())
            if least < low or most > high:
                self.refuse(name, f"{least if least < low else most}", allowed)
        return np.asarray(array, dtype=dtype, order="C")

    def rows(
        self, name: str, value: object, width: int, low: int, high: int,
        dtype: npt.DTypeLike | None = np.int64,
    ) -> npt.NDArray[Any]:
        """As `integers`, for one row (width,) or several (rows, width); always returns several."""
        allowed = f"integers of {low} to {high}, shape (rows, {width}) or ({width},)"
        array = self._array(name, value, None, "iu", allowed)
        if array.ndim not in (1, 2) or array.shape[-1] != width:
            self.refuse(name, f"shape {array.shape}", allowed)
        return self.integers(name, np.atleast_2d(array), ("rows", width), low, high, dtype)

    def reals(
        self, name: str, value: object, shape: Shape | None, low: float = -math.inf, high: float = math.inf,
        *, infinite: bool = False,
    ) -> npt.NDArray[Any]:  # fmt: skip
        """`value` as an array of integers or floats, all in low … high and finite (with `infinite` only not NaN).

        A shape of None is any.
        """
        where = "" if shape is None else f", shape {_words(shape)}"
        allowed = f"{'' if infinite else 'finite '}numbers{_between(low, high)}{where}"
        array = self._array(name, value, shape, "iuf", allowed)
        if array.dtype.itemsize > 8:
            self.refuse(name, f"type {array.dtype}", allowed)
        if array.size:
            least, most = float(array.min()), float(array.max())
            if math.isnan(least):
                self.refuse(name, "a value that is not a number", allowed)
            if not infinite and not (math.isfinite(least) and math.isfinite(most)):
                self.refuse(name, "a value that is not finite", allowed)
            if least < low or most > high:
                self.refuse(name, f"{least if least < low else most:g}", allowed)
        return array

    def one_or_each(self, name: str, array: npt.NDArray[Any], count: int) -> npt.NDArray[Any]:
        """A checked array of shape (count,), from one value or one for each of `count`."""
        if array.ndim == 0 or array.shape == (1,):
            return np.broadcast_to(array, (count,))
        if array.shape != (count,):
            self.refuse(name, f"shape {array.shape}", f"one number, or one for each of {count}: shape ({count},)")
        return array

    def whole(self, name: str, value: object, low: int | None = None, high: int | None = None) -> int:
        """`value` as an int, if it is a whole number in low … high (None: no limit)."""
        within = "" if low is None else f", {low} or more" if high is None else f", {low} to {high}"
        allowed = f"a whole number{within}"
        try:
            if isinstance(value, bool | np.bool_):
                raise TypeError
            number = operator.index(value)  # type: ignore[arg-type]
        except TypeError:
            self.refuse(name, _shown(value), allowed)
        if (low is not None and number < low) or (high is not None and number > high):
            self.refuse(name, _shown(number), allowed)
        return number

    def number(self, name: str, value: object, low: float = -math.inf, high: float = math.inf) -> float:
        """`value` as a float, if it is a finite number in low … high."""
        allowed = f"a finite number{_between(low, high)}"
        if not isinstance(value, int | float | np.integer | np.floating) or isinstance(value, bool):
            self.refuse(name, _shown(value), allowed)
        try:
            number = float(value)
        except OverflowError:
            number = math.inf
        if not math.isfinite(number) or not low <= number <= high:
            self.refuse(name, _shown(value), allowed)
        return number

    def like(self, name: str, value: object, wanted: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """`value`, if it is an array with the shape and the type of `wanted`."""
        allowed = f"{wanted.dtype} of shape {wanted.shape}"
        if not isinstance(value, np.ndarray) or isinstance(value, np.ma.MaskedArray):
            self.refuse(name, _shown(value), allowed)
        if value.shape != wanted.shape or value.dtype != wanted.dtype:
            self.refuse(name, f"{value.dtype} of shape {value.shape}", allowed)
        return value

    def refuse(self, name: str, came: str, allowed: str) -> NoReturn:
        """Raises the error for a refused argument."""
        raise self.error(f"{name}: {came}, allowed: {allowed}")

    def _array(self, name: str, value: object, shape: Shape | None, kinds: str, allowed: str) -> npt.NDArray[Any]:
        """`value` as an array of a type in `kinds` and of `shape`."""
        if isinstance(value, np.ma.MaskedArray):
            self.refuse(name, "an array with a mask", allowed)
        try:
            array = np.asarray(value)
        except (ValueError, TypeError, OverflowError, RuntimeError):  # rows of different lengths, or no array at all
            self.refuse(name, f"a {type(value).__name__} that is not an array", allowed)
        if array.size == 0 and not isinstance(value, np.ndarray):
            array = array.astype(np.int64)  # an empty list has no type of its own
        if array.dtype.kind not in kinds:
            self.refuse(name, _shown(value) if array.ndim == 0 else f"type {array.dtype}", allowed)
        if shape is not None and not _fits(array.shape, shape):
            self.refuse(name, f"shape {array.shape}", allowed)
        return array


ARGUMENTS: Final = Arguments(DeviceError)
"""The checks of this package."""


def _fits(shape: tuple[int, ...], wanted: Shape) -> bool:
    pairs = zip(shape, wanted, strict=False)
    return len(shape) == len(wanted) and all(isinstance(n, str) or n == found for found, n in pairs)


def _words(shape: Shape) -> str:
    return f"({', '.join(map(str, shape))}{',' if len(shape) == 1 else ''})"


def _between(low: float, high: float) -> str:
    if math.isinf(high):
        return "" if math.isinf(low) else f" of at least {low:g}"
    return f" up to {high:g}" if math.isinf(low) else f" of {low:g} to {high:g}"


def _shown(value: object) -> str:
    """Any value in a few characters."""
    if isinstance(value, int) and value.bit_length() > 200:
        return f"an integer of {value.bit_length()} bits"
    text = repr(value) if isinstance(value, int | float | str | np.generic | None) else f"a {type(value).__name__}"
    return text if len(text) <= _MOST_SHOWN else f"{text[: _MOST_SHOWN - 1]}…"
