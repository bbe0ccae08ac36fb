"""Copies rows of 16-bit codes to bytes, and says whether each code fits: 32 codes at a time, with LLVM's vectors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

COLUMNS = 32
"""Codes of one step. The last step ends with the row."""
_I8, _I16, _I64 = ir.IntType(8), ir.IntType(16), ir.IntType(64)
_WIDE, _NARROW = ir.VectorType(_I16, COLUMNS), ir.VectorType(_I8, COLUMNS)


def _emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    """Emits the steps of one row; the bits that any code needs stay in a register."""
    codes, copies = (context.make_array(signature.args[k])(context, builder, arguments[k]).data for k in range(2))
    first, n = arguments[2:]
    bits = cgutils.alloca_once_value(builder, ir.Constant(_WIDE, [0] * COLUMNS))
    builder.store(ir.Constant(_WIDE, [0] * COLUMNS), bits)

    def step(column: Any) -> None:
        at = builder.add(first, column)
        found = builder.load(builder.bitcast(builder.gep(codes, [at]), _WIDE.as_pointer()), align=1)
        place = builder.bitcast(builder.gep(copies, [at]), _NARROW.as_pointer())
        builder.store(builder.trunc(found, _NARROW), place, align=1)
        size = builder.xor(found, builder.ashr(found, ir.Constant(_WIDE, [15] * COLUMNS)))
        builder.store(builder.or_(builder.load(bits), size), bits)

    blocks = builder.udiv(n, _I64(COLUMNS))
    with cgutils.for_range(builder, blocks) as loop:
        step(builder.mul(loop.index, _I64(COLUMNS)))
    with builder.if_then(builder.icmp_unsigned("!=", builder.mul(blocks, _I64(COLUMNS)), n)):
        step(builder.sub(n, _I64(COLUMNS)))
    beyond = builder.icmp_unsigned(">", builder.load(bits), ir.Constant(_WIDE, [127] * COLUMNS))
    return builder.icmp_unsigned("==", builder.bitcast(beyond, ir.IntType(COLUMNS)), ir.IntType(COLUMNS)(0))


@intrinsic
def copy_to_bytes(_context: Any, codes: Any, copies: Any, first: Any, n: Any) -> tuple[Any, Callable[..., Any]]:
    """`copies[first + j] = codes[first + j]`, j < n; returns whether each code fits. n ≥ `COLUMNS`.

    `codes` int16, `copies` int8; what does not fit is cut off.
    """
    return types.boolean(codes, copies, types.uint64, types.uint64), _emit
