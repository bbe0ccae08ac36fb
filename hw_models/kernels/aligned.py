"""Arrays that start on a cache line, so that rows of half or one cache line never span two lines."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from hw_models.arguments import ARGUMENTS

CACHE_LINE = 64
"""Size of a cache line on most processors [bytes]."""


def on_cache_lines(values: npt.ArrayLike, dtype: npt.DTypeLike) -> npt.NDArray[np.floating]:
    """A copy of `values` as `dtype`, C-contiguous, its first byte at a multiple of `CACHE_LINE`."""
    given = ARGUMENTS.reals("values", values, None, infinite=True)
    if np.dtype(dtype).kind != "f":
        ARGUMENTS.refuse("dtype", str(np.dtype(dtype)), "a floating-point type")
    size = given.size * np.dtype(dtype).itemsize
    room = np.empty(size + CACHE_LINE, np.uint8)
    start = -room.ctypes.data % CACHE_LINE
    found = room[start : start + size].view(dtype).reshape(given.shape)
    with np.errstate(over="ignore"):  # a value becomes infinite in a type that is too narrow
        found[...] = given
    return found
