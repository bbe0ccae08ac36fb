"""List where an array is not zero, ascending: sixteen entries at a time by LLVM's compressing of vectors.

Which entries of a state vector matter cannot be foretold, so that a loop with a branch (or a store) per entry is slow.
LLVM compresses in one instruction where the processor has it, in plain code elsewhere.
"""

from __future__ import annotations

from typing import Any

import llvmlite.binding as llvm
import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic

_AT_ONCE = 16
_IN_REGISTERS = llvm.llvm_version_info >= (19, 0, 0)
"""Whether LLVM can compress without a store; a compressing store is slower than this and a plain one."""
_I16, _I32, _I64 = ir.IntType(16), ir.IntType(32), ir.IntType(64)


def _chosen(context: Any, builder: Any, kind: Any, flags: Any, start: Any) -> tuple[Any, Any]:
    """The 16 places from `start` on, and which of their `flags` are not zero."""
    width = context.get_value_type(kind.dtype).width
    entries, places = ir.VectorType(ir.IntType(width), _AT_ONCE), ir.VectorType(_I32, _AT_ONCE)
    data = context.make_array(kind)(context, builder, flags).data
    where = builder.bitcast(builder.gep(data, [start]), entries.as_pointer())
    chosen = builder.icmp_signed("!=", builder.load(where, align=1), ir.Constant(entries, [0] * _AT_ONCE))
    undefined = ir.Constant(places, ir.Undefined)
    first = builder.insert_element(undefined, builder.trunc(start, _I32), _I32(0))
    first = builder.shuffle_vector(first, undefined, ir.Constant(places, [0] * _AT_ONCE))
    return builder.add(first, ir.Constant(places, list(range(_AT_ONCE)))), chosen


def _count(builder: Any, chosen: Any) -> Any:
    return builder.zext(builder.ctpop(builder.bitcast(chosen, _I16)), _I64)


@intrinsic
def _append(_context: Any, flags: Any, start: Any, listed: Any, count: Any) -> Any:
    """Append to `listed[count:]` the places of `flags[start:start + 16]` that are not zero; returns how many."""

    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        place, chosen = _chosen(context, builder, signature.args[0], arguments[0], arguments[1])
        data = context.make_array(signature.args[2])(context, builder, arguments[2]).data
        into = builder.gep(data, [arguments[3]])
        kind = ir.FunctionType(ir.VoidType(), [place.type, into.type, chosen.type])
        store = cgutils.get_or_insert_function(builder.module, kind, "llvm.masked.compressstore.v16i32")
        builder.call(store, [place, into, chosen])
        return _count(builder, chosen)

    return types.uint64(flags, types.uint64, listed, types.uint64), codegen


@intrinsic
def _append_over(_context: Any, flags: Any, start: Any, listed: Any, count: Any) -> Any:
    """As `_append`, but all of `listed[count:count + 16]` may be overwritten."""

    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        place, chosen = _chosen(context, builder, signature.args[0], arguments[0], arguments[1])
        data = context.make_array(signature.args[2])(context, builder, arguments[2]).data
        kind = ir.FunctionType(place.type, [place.type, chosen.type, place.type])
        name = "llvm.experimental.vector.compress.v16i32"
        compress = cgutils.get_or_insert_function(builder.module, kind, name)
        packed = builder.call(compress, [place, chosen, ir.Constant(place.type, ir.Undefined)])
        into = builder.bitcast(builder.gep(data, [arguments[3]]), place.type.as_pointer())
        builder.store(packed, into, align=4)
        return _count(builder, chosen)

    return types.uint64(flags, types.uint64, listed, types.uint64), codegen


@njit(inline="always")
def list_nonzero(flags, n, listed):  # type: ignore[no-untyped-def]
    """Write the j < n with `flags[j] != 0`, ascending, to `listed` (int32); returns how many.

    `listed` has room for n; what lies behind the listed entries may be overwritten.
    """
    size, room = np.uint64(n), np.uint64(listed.shape[0])
    width, count, start = np.uint64(_AT_ONCE), np.uint64(0), np.uint64(0)
    if _IN_REGISTERS:
        while start + width <= size and count + width <= room:
            count += _append_over(flags, start, listed, count)  # type: ignore[call-arg]
            start += width
    while start + width <= size:
        count += _append(flags, start, listed, count)  # type: ignore[call-arg]
        start += width
    while start < size:
        listed[count] = start
        count += np.uint64(flags[start] != 0)
        start += np.uint64(1)
    return np.int64(count)
