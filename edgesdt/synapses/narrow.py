"""Rows of weights as bytes, read with the 8-bit dot product: half or a quarter of what wider codes and sums move.

A network that settles reads a row of weights in many steps of a sample. Where codes have 16 bits, a row is copied when
it is first read, if each of its codes fits in a byte (`edgesdt.synapses.mirror` keeps the copy in step); other rows are
read as they are. What is added is the same.
"""

from __future__ import annotations

import numpy as np
from numba.extending import overload

from edgesdt.kernels.bytes.copies import copy_to_bytes
from edgesdt.kernels.bytes.rows import ROWS, WIDTHS, add_sixteen_words
from edgesdt.kernels.drive import add_rows
from edgesdt.kernels.jit import inlined, kernel
from edgesdt.synapses.mirror import FITS, UNKNOWN, WIDE

MOST = 255
"""Largest |value| of one pass."""
LEAST_COLUMNS = 64
"""Shorter rows are added as they are."""
AVAILABLE = bool(WIDTHS)


@inlined
def add_bytes(accumulators, codes, copies, fits, base, index, value, count, parts):  # type: ignore[no-untyped-def]
    """`drive.add_rows` with copies (as codes) of the rows that fit, or those codes themselves.

    `fits` (rows,) says what is known of each row; `parts` (4, max n) is scratch.
    """
    n, start = np.uint64(accumulators.shape[0]), np.uint64(base)
    near, far = np.uint64(0), np.uint64(0)
    for a in range(np.uint64(count)):
        row, size = np.uint64(index[a]), value[a]
        if fits[row] == UNKNOWN:
            fits[row] = FITS if copy_to_bytes(codes, copies, start + row * n, n) else WIDE  # type: ignore[call-arg]
        if fits[row] == FITS and abs(size) <= MOST:
            parts[0, near], parts[1, near] = row, size
            near += np.uint64(1)
        else:
            parts[2, far], parts[3, far] = row, size
            far += np.uint64(1)
    for a in range(np.uint64(0), near, np.uint64(ROWS)):
        add_sixteen_words(accumulators, copies, parts[0], parts[1], start, n, a, near)  # type: ignore[call-arg]
    if far > 0:
        add_rows(accumulators, codes, base, parts[2], parts[3], np.int64(far))


@kernel
def add_narrow(accumulators, codes, copies, fits, base, index, value, count, parts):  # type: ignore[no-untyped-def]
    """`drive.add_rows`, by bytes where there are `copies` and the rows are long enough."""
    if copies.shape[0] > 0 and accumulators.shape[0] >= LEAST_COLUMNS:
        _by_bytes(accumulators, codes, copies, fits, base, index, value, count, parts)
    else:
        add_rows(accumulators, codes, base, index, value, count)


def _by_bytes(accumulators, codes, copies, fits, base, index, value, count, parts):  # type: ignore[no-untyped-def]
    raise NotImplementedError("placeholder for the overload below")


@overload(_by_bytes, inline="always")
def _choose(accumulators, codes, copies, fits, base, index, value, count, parts):  # type: ignore[no-untyped-def]
    """A processor without the dot product has no copies, and nothing to compile."""
    if AVAILABLE:

        def add(accumulators, codes, copies, fits, base, index, value, count, parts):  # type: ignore[no-untyped-def]
            add_bytes(accumulators, codes, copies, fits, base, index, value, count, parts)
    else:

        def add(accumulators, codes, copies, fits, base, index, value, count, parts):  # type: ignore[no-untyped-def]
            return None

    return add
