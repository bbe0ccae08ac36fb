"""What the simulator keeps beside the weights: the transposed weights, and rows of both as bytes, kept in step.

A row as bytes is half of one with codes of 16 bits, and is read with the 8-bit dot product
(`edgesdt.synapses.narrow`). It is copied when it is first read; then every write is written to the copy, too.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numba import types
from numba.extending import overload

from edgesdt.kernels.jit import operation
from edgesdt.kernels.layout import WeightCodes

UNKNOWN, FITS, WIDE = 0, 1, 2
"""Of a row: not copied yet; as bytes; some code is wider."""


class Mirror(NamedTuple):
    """Transposed weights with rows as bytes; kernels that write weights take this or the transposed weights alone."""

    codes: WeightCodes  # weight layers 1 … L-1 transposed, at the same offsets
    narrow: npt.NDArray[np.int8]  # as weights: rows as bytes, or (0,) where there are none
    turned: npt.NDArray[np.int8]  # as codes: rows as bytes
    fits: npt.NDArray[np.uint8]  # (2, L, max n) UNKNOWN, FITS or WIDE, of each row of the weights and of `codes`


def mirror_sweep(column, n, names, mirror, base, rows, layer, post):  # type: ignore[no-untyped-def]
    """Copy the weights `column[names · n]` of neuron `post`, just written, to the transposed ones and to bytes.

    `base` and `rows`: offset and pre-synaptic neurons of the layer.
    """
    raise NotImplementedError("for kernels alone")


def _codes_alone(column, n, names, mirror, base, rows, layer, post):  # type: ignore[no-untyped-def]
    turned = mirror[base + post * rows :]
    for h in range(np.uint64(names.shape[0])):
        pre = np.uint64(names[h])
        turned[pre] = column[pre * np.uint64(n)]


def _codes_and_bytes(column, n, names, mirror, base, rows, layer, post):  # type: ignore[no-untyped-def]
    stride, first = np.uint64(n), np.uint64(base + post * rows)
    into, below, above = mirror.codes, mirror.narrow[base + post :], mirror.turned
    below_fits, above_fits = mirror.fits[0, layer], mirror.fits[1, layer]
    for h in range(np.uint64(names.shape[0])):
        pre = np.uint64(names[h])
        code = column[pre * stride]
        into[first + pre] = code
        if mirror.narrow.shape[0] > 0:
            below[pre * stride] = above[first + pre] = np.int8(code)
            if code > 127 or code < -128:
                below_fits[pre] = above_fits[np.uint64(post)] = WIDE


@overload(mirror_sweep, jit_options=operation)
def _choose(column, n, names, mirror, base, rows, layer, post):  # type: ignore[no-untyped-def]
    """The transposed weights alone, or with bytes."""
    return _codes_alone if isinstance(mirror, types.Array) else _codes_and_bytes
