"""Noisy matrix-vector products of a crossbar, in integers: a dot product for the sum and another for its noise.

Read noise of single cells, additive (s per cell) or proportional (s times the size of the cell), adds up exactly to a
Gaussian of the whole sum:

    y_j = sum_i W_ij x_i + s' xi_j,    s'^2 = s^2 sum_i x_i^2   or   s^2 sum_i M_ij^2 x_i^2

one Gaussian per column instead of one per cell. W are 16-bit codes, x integers, and every sum is an integer below 2^53.
float64 then adds without rounding in any order, so a batch with BLAS and one vector with the kernel give the same
integers on every machine. Gaussians: word `first + batch * columns + j` of a key (`hw_models.kernels.randomness`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import numpy.typing as npt

from hw_models.arguments import ARGUMENTS
from hw_models.base import DeviceError, unknown
from hw_models.kernels.jit import njit
from hw_models.kernels.randomness import gaussian, high_half, word
from hw_models.periphery.constants import bounded

Codes = npt.NDArray[np.int16]
Sums = npt.NDArray[np.int64]
ReadNoise = Literal["none", "additive", "proportional"]
KINDS: Final = ("none", "additive", "proportional")
CODE_MAX: Final = 32767
_EXACT_BITS: Final = 53
_NONE, _ADDITIVE, _PROPORTIONAL = 0, 1, 2
_SHORT_MAX = 65535


@dataclass
class Matrix:
    """The cells as an integer matrix, for reading sums; created by `matrix`. Arrays (rows, columns), C order.

    `codes` are the weights in steps; `sizes` are the factors of proportional noise, in 2^shift of the same steps.
    `wide` and `squares` are float64 copies for batches, created at the first batch.
    """

    codes: Codes
    sizes: Codes
    shift: int
    input_max: int
    wide: npt.NDArray[np.float64] | None = None
    squares: npt.NDArray[np.float64] | None = None


@dataclass(frozen=True)
class Read:
    """The result of one read (or a batch): `codes` (..., columns) int64, and the clipping of the converters."""

    codes: Sums
    conversions: int
    clipped: int

    @property
    def clipped_fraction(self) -> float:
        """Share of the conversions that reach the end of the converter's range."""
        return self.clipped / self.conversions if self.conversions else 0.0


def matrix(codes: Codes, input_max: int, sizes: Codes | None = None) -> Matrix:
    """A matrix for inputs of up to `input_max` in size; `sizes` (default: |codes|) set the noise.

    `sizes` lose as many low bits as necessary for exact sums of their squares. Raises `DeviceError` if the sums of the
    codes could reach 2^53, or `codes` is not int16 (rows, columns) within +-32767.
    """
    arrays = isinstance(codes, np.ndarray) and codes.ndim == 2 and codes.dtype == np.int16
    if not arrays or not codes.size or codes.min() < -CODE_MAX:
        raise DeviceError("codes of a matrix: allowed are int16 (rows, columns) of -32767 to 32767")
    bounded("input_max", input_max, 1, 1 << 24, "steps")
    row_bits, input_bits = (codes.shape[0] - 1).bit_length(), int(input_max).bit_length()
    if row_bits + input_bits + 15 > _EXACT_BITS:
        raise DeviceError(f"{codes.shape[0]} rows of {input_bits}-bit inputs: sums reach 2^53, too long to be exact")
    size_bits = (_EXACT_BITS - row_bits - 2 * input_bits) // 2
    if size_bits < 4:
        raise DeviceError(f"{codes.shape[0]} rows of {input_bits}-bit inputs: too long for exact noise")
    shift = max(0, 15 - size_bits)
    carried = codes if sizes is None else ARGUMENTS.integers("sizes", sizes, codes.shape, -CODE_MAX, CODE_MAX, np.int16)
    magnitude = np.abs(carried).astype(np.int32)
    rounded = np.minimum((magnitude + ((1 << shift) >> 1)) >> shift, CODE_MAX >> shift)
    return Matrix(np.ascontiguousarray(codes), rounded.astype(np.int16), shift, int(input_max))


def read(
    cells: Matrix, x: npt.NDArray[np.integer], noise: ReadNoise = "none", sd: float = 0.0, key: int = 0, first: int = 0
) -> Sums:
    """Sums of one vector `x` (rows,) or a batch (vectors, rows): int64 (columns,) or (vectors, columns).

    `sd`: additive in steps of the codes, proportional as a share of the size. `key` and `first` (the word number of the
    first column of the first vector) choose the Gaussians. The sum with its noise is rounded once, to an integer.
    Raises `DeviceError` for an unknown `noise`, a negative `sd`, inputs beyond `input_max`, or a wrong shape.
    """
    if not isinstance(noise, str) or noise not in KINDS:
        raise DeviceError(unknown("read noise", noise, KINDS))
    bounded("read noise sd", sd, 0.0, 1e9, "steps" if noise == "additive" else "of the size")
    inputs = ARGUMENTS.rows("x", x, cells.codes.shape[0], -cells.input_max, cells.input_max)
    key = ARGUMENTS.whole("key", key, 0, 2**64 - 1)
    first = ARGUMENTS.whole("first", first, 0, 2**64 - 1)
    kind = KINDS.index(noise) if sd > 0 else _NONE
    scale = sd * 2.0**cells.shift if kind == _PROPORTIONAL else sd
    if inputs.shape[0] == 1:
        sums = np.empty((1, cells.codes.shape[1]), dtype=np.int64)
        one = inputs[0]
        read_one(cells.codes, cells.sizes, one, kind, scale, np.uint64(key), np.uint64(first), sums[0])
    else:
        sums = _batch(cells, inputs, kind, scale, key, first)
    return sums[0] if np.ndim(x) == 1 else sums


def _batch(cells: Matrix, inputs: npt.NDArray[np.integer], kind: int, sd: float, key: int, first: int) -> Sums:
    """As `read_one` for every row of `inputs`; both products are exact in float64 in any order of additions."""
    if cells.wide is None:
        cells.wide = cells.codes.astype(np.float64)
    wide = inputs.astype(np.float64)
    sums = wide @ cells.wide
    if kind == _NONE:
        return sums.astype(np.int64)
    if kind == _ADDITIVE:
        total = (wide * wide).sum(axis=1)
        variance = np.broadcast_to(total[:, np.newaxis], sums.shape)
    else:
        if cells.squares is None:
            cells.squares = cells.sizes.astype(np.float64) ** 2
        variance = (wide * wide) @ cells.squares
    noisy = np.empty(sums.shape, dtype=np.int64)
    _add_noise(sums, variance, sd, np.uint64(key), np.uint64(first), noisy)
    return noisy


@njit(nogil=True, cache=True)
def read_one(codes, sizes, x, kind, sd, key, first, out):  # type: ignore[no-untyped-def]
    """Sets `out` (columns,) int64 to the noisy sums of `x` (rows,) int64; rows with input 0 are skipped.

    codes, sizes int16 (rows, columns); kind 0 none, 1 additive, 2 proportional; key, first uint64.
    """
    columns = codes.shape[1]
    active = np.flatnonzero(x)
    _add_up(codes, x, active, out)
    if kind == _ADDITIVE:
        total = np.int64(0)
        for i in active:
            total += x[i] * x[i]
        common = sd * np.sqrt(np.float64(total))
        for j in range(columns):
            out[j] = np.int64(np.rint(out[j] + common * gaussian(high_half(word(key, first + np.uint64(j))))))
    elif kind == _PROPORTIONAL:
        variance = np.zeros(columns)
        _add_squares(sizes, x, active, variance)
        for j in range(columns):
            own = sd * np.sqrt(variance[j])
            out[j] = np.int64(np.rint(out[j] + own * gaussian(high_half(word(key, first + np.uint64(j))))))


@njit(nogil=True, cache=True)
def _add_up(codes, x, active, out):  # type: ignore[no-untyped-def]
    """Sets `out` (columns,) int64 to the sum of the rows `active` times x, four rows per pass.

    Adds in 32 bits, which is twice as fast as 64, while the sum fits: up to a sum of |x| of 2^31 / 2^15.
    """
    columns = codes.shape[1]
    short = np.zeros(columns, dtype=np.int32)
    out[:] = 0
    held, a = np.int64(0), 0
    while a < active.shape[0]:
        span = min(4, active.shape[0] - a)
        size = np.int64(0)
        for b in range(a, a + span):
            size += abs(x[active[b]])
        if held + size > _SHORT_MAX:
            for j in range(columns):
                out[j] += np.int64(short[j])
                short[j] = 0
            held = np.int64(0)
        if size <= _SHORT_MAX and span == 4:
            i0, i1, i2, i3 = active[a], active[a + 1], active[a + 2], active[a + 3]
            r0, r1, r2, r3 = codes[i0], codes[i1], codes[i2], codes[i3]
            v0, v1, v2, v3 = np.int32(x[i0]), np.int32(x[i1]), np.int32(x[i2]), np.int32(x[i3])
            for j in range(columns):
                low = np.int32(v0 * np.int32(r0[j])) + np.int32(v1 * np.int32(r1[j]))
                high = np.int32(v2 * np.int32(r2[j])) + np.int32(v3 * np.int32(r3[j]))
                short[j] += np.int32(low) + np.int32(high)
            held += size
        else:
            for b in range(a, a + span):
                row, value = codes[active[b]], x[active[b]]
                for j in range(columns):
                    out[j] += value * np.int64(row[j])
        a += span
    for j in range(columns):
        out[j] += np.int64(short[j])


@njit(nogil=True, cache=True)
def _add_squares(sizes, x, active, variance):  # type: ignore[no-untyped-def]
    """Adds (x_i size_ij)^2 over the rows `active` to variance (columns,), four rows per pass, exactly in float64."""
    a = 0
    while a + 4 <= active.shape[0]:
        i0, i1, i2, i3 = active[a], active[a + 1], active[a + 2], active[a + 3]
        r0, r1, r2, r3 = sizes[i0], sizes[i1], sizes[i2], sizes[i3]
        v0, v1, v2, v3 = np.float64(x[i0]), np.float64(x[i1]), np.float64(x[i2]), np.float64(x[i3])
        for j in range(variance.shape[0]):
            p0, p1 = v0 * np.float64(r0[j]), v1 * np.float64(r1[j])
            p2, p3 = v2 * np.float64(r2[j]), v3 * np.float64(r3[j])
            variance[j] += (p0 * p0 + p1 * p1) + (p2 * p2 + p3 * p3)
        a += 4
    while a < active.shape[0]:
        row, value = sizes[active[a]], np.float64(x[active[a]])
        for j in range(variance.shape[0]):
            product = value * np.float64(row[j])
            variance[j] += product * product
        a += 1


@njit(nogil=True, cache=True)
def _add_noise(sums, variance, sd, key, first, noisy):  # type: ignore[no-untyped-def]
    """`noisy` (vectors, columns) int64 = sums + sd sqrt(variance) xi, rounded to the nearest even."""
    vectors, columns = sums.shape
    for b in range(vectors):
        start = first + np.uint64(b) * np.uint64(columns)
        for j in range(columns):
            own = sd * np.sqrt(variance[b, j])
            noisy[b, j] = np.int64(np.rint(sums[b, j] + own * gaussian(high_half(word(key, start + np.uint64(j))))))
