"""Sixteen entries of an array as one vector, for functions that are written in LLVM's instructions.

LLVM makes of such a vector what the processor has: one register, or several.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba.core import cgutils

LANES = 16
"""Entries of a vector."""
I16, I32, I64 = ir.IntType(16), ir.IntType(32), ir.IntType(64)
WIDE, HALF = ir.VectorType(I32, LANES), ir.VectorType(I16, LANES)


def spread(builder: Any, value: Any) -> Any:
    """Sixteen times a 32-bit value."""
    undefined = ir.Constant(WIDE, ir.Undefined)
    first = builder.insert_element(undefined, value, I32(0))
    return builder.shuffle_vector(first, undefined, ir.Constant(WIDE, [0] * LANES))


def _place(context: Any, builder: Any, kind: Any, array: Any, at: Any) -> Any:
    """Where the sixteen entries of `array` from `at` on lie."""
    entries = ir.VectorType(ir.IntType(context.get_value_type(kind.dtype).width), LANES)
    data = context.make_array(kind)(context, builder, array).data
    return builder.bitcast(builder.gep(data, [at]), entries.as_pointer())


def entries_of(context: Any, builder: Any, kind: Any, array: Any, at: Any, lanes: Any = WIDE) -> Any:
    """Those entries, widened to `lanes`."""
    found = builder.load(_place(context, builder, kind, array, at), align=1)
    if found.type == lanes:
        return found
    return (builder.sext if kind.dtype.signed else builder.zext)(found, lanes)


def store(context: Any, builder: Any, kind: Any, array: Any, at: Any, entries: Any) -> None:
    """Write sixteen entries, which fit, to `array`."""
    place = _place(context, builder, kind, array, at)
    narrow = ir.VectorType(ir.IntType(context.get_value_type(kind.dtype).width), LANES)
    builder.store(entries if narrow == entries.type else builder.trunc(entries, narrow), place, align=1)


def reduced(builder: Any, what: str, entries: Any) -> Any:
    """The sum (`add`) or the largest (`smax`) of sixteen entries, as 64 bits."""
    form = ir.FunctionType(I32, [WIDE])
    call = cgutils.get_or_insert_function(builder.module, form, f"llvm.vector.reduce.{what}.v16i32")
    return builder.sext(builder.call(call, [entries]), I64)
