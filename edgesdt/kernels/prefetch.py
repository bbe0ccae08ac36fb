"""Prefetches memory that will be needed soon: a hint to the processor that changes no result.

`hw_models.kernels.prefetch` has the same function, because neither package may import the other here.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic


@intrinsic
def prefetch(_context: Any, array: Any, index: Any) -> Any:
    """Prefetches the cache line of element `index` of a contiguous array; an index out of range is harmless."""

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        data = context.make_array(signature.args[0])(context, builder, arguments[0]).data
        place, word = builder.gep(data, [arguments[1]]), ir.IntType(32)
        kind = ir.FunctionType(ir.VoidType(), [place.type, word, word, word])
        hint = builder.module.declare_intrinsic("llvm.prefetch", [place.type], kind)
        builder.call(hint, [place, word(0), word(3), word(1)])
        return context.get_dummy_value()

    return types.void(array, types.int64), emit
