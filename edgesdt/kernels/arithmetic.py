"""Multiplication by a constant register with rounding, and saturation: the compiled versions of `edgesdt.qformat`.

numba widens every integer operation to 64 bits and lets a store into a narrower array wrap silently, so each kernel
that stores calls `saturate` first.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import types
from numba.extending import intrinsic

from edgesdt.kernels.jit import inlined
from edgesdt.qformat import Rounding

VECTOR = 32
"""Entries per pass of a compiled loop: eight 32-bit lanes, unrolled four times."""


class Register(NamedTuple):
    """A constant `multiplier * 2**-right` with its rounding mode, in the form that the kernels use.

    `half` is added before the shift (half an LSB for nearest, 0 otherwise); a 16-bit random word is aligned to the top
    of the dropped bits by `(word << word_left) >> word_right` (callers pass word 0 unless rounding is stochastic).
    All fields are int32, so that a product with an int32 array is one 32x32-bit multiplication.
    """

    multiplier: np.int32
    right: np.int32
    half: np.int64
    word_left: np.int32
    word_right: np.int32


def register(multiplier: int, shift: int, rounding: Rounding) -> Register:
    """The register for `multiplier * 2**-shift`; a shift left (negative `shift`) is folded into the multiplier.

    The values are clamped where this changes no result: products round identically beyond 62 bits, and a multiplier of
    2**30 saturates every format.
    """
    right = min(max(shift, 0), 62)
    half = 1 << (right - 1) if rounding is Rounding.NEAREST and right > 0 else 0
    return Register(
        np.int32(min(multiplier << max(-shift, 0), 1 << 30)),
        np.int32(right),
        np.int64(half),
        np.int32(max(right - 16, 0)),
        np.int32(max(16 - right, 0)),
    )


def _binary(emit: str, kind: Any = types.int32) -> Any:
    """An operation that wraps in two's complement: numba alone would widen it to 64 bits, fewer SIMD lanes."""

    @intrinsic
    def operation(_context: Any, a: Any, b: Any) -> Any:
        def codegen(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
            return getattr(builder, emit)(*arguments)

        return kind(kind, kind), codegen

    return operation


add32, sub32, mul32 = _binary("add"), _binary("sub"), _binary("mul")
shl32, shr32 = _binary("shl"), _binary("ashr")
mul16 = _binary("mul", types.int16)


@inlined
def scaled(code, constant, word):  # type: ignore[no-untyped-def]
    """`round(code * constant)` in the register's rounding mode; exact in 64 bits."""
    noise = (np.int64(word) << constant.word_left) >> constant.word_right
    return (code * constant.multiplier + constant.half + noise) >> constant.right


@inlined
def scaled32(code, constant, word):  # type: ignore[no-untyped-def]
    """As `scaled`, for an int32 `code` and word, if the product and the rounding term fit in 32 bits."""
    noise = shr32(shl32(np.int32(word), constant.word_left), constant.word_right)
    product = add32(mul32(code, constant.multiplier), np.int32(constant.half))
    return shr32(add32(product, noise), constant.right)


@inlined
def saturate(code, lowest, highest):  # type: ignore[no-untyped-def]
    """The nearest value in `lowest … highest`."""
    return min(max(code, lowest), highest)


@inlined
def whole_vectors(count, room):  # type: ignore[no-untyped-def]
    """`count` rounded up to whole SIMD passes, but at most `room`: a partial pass takes as long as a whole one."""
    return min((count + VECTOR - 1) // VECTOR * VECTOR, room)
