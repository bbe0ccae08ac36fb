"""Lists the indices of nonzero or large entries, ascending: sixteen entries at a time with LLVM's vector compress.

The nonzero entries of a state vector cannot be predicted, so a loop with a branch (or a store) per entry is slow. LLVM
compresses in one instruction if the processor has it, and in ordinary code otherwise.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import llvmlite.binding as llvm
import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from edgesdt.kernels.arithmetic import whole_vectors
from edgesdt.kernels.jit import inlined, kernel

_AT_ONCE = 16
_IN_REGISTERS = llvm.llvm_version_info >= (19, 0, 0)
"""Whether LLVM can compress in registers; a compressing store is slower than this followed by a plain store."""
_I16, _I32, _I64 = ir.IntType(16), ir.IntType(32), ir.IntType(64)
_PLACES = ir.VectorType(_I32, _AT_ONCE)
_WORD = types.uint64
Emit = Callable[[Any, Any, Any, Any], Any]


def _spread(builder: Any, value: Any, kind: Any) -> Any:
    """A vector of `kind` with `value` in every lane."""
    undefined = ir.Constant(kind, ir.Undefined)
    first = builder.insert_element(undefined, value, _I32(0))
    return builder.shuffle_vector(first, undefined, ir.Constant(_PLACES, [0] * _AT_ONCE))


def _loaded(context: Any, builder: Any, kind: Any, array: Any, start: Any) -> Any:
    """The 16 entries of `array` from `start` on."""
    entries = ir.VectorType(ir.IntType(context.get_value_type(kind.dtype).width), _AT_ONCE)
    data = context.make_array(kind)(context, builder, array).data
    return builder.load(builder.bitcast(builder.gep(data, [start]), entries.as_pointer()), align=1)


def _not_zero(builder: Any, entries: Any) -> Any:
    return builder.icmp_signed("!=", entries, ir.Constant(entries.type, [0] * _AT_ONCE))


def _places(builder: Any, start: Any) -> Any:
    """The 16 indices from `start` on."""
    first = _spread(builder, builder.trunc(start, _I32), _PLACES)
    return builder.add(first, ir.Constant(_PLACES, list(range(_AT_ONCE))))


def _append(context: Any, builder: Any, chosen: Any, into: Sequence[tuple[Any, Any, Any]], count: Any) -> Any:
    """Appends the chosen lanes of each vector to its array (kind, array, vector) at `count`; returns their number.

    If LLVM compresses in registers, all 16 entries from `count` on are overwritten.
    """
    for kind, array, entries in into:
        data = builder.gep(context.make_array(kind)(context, builder, array).data, [count])
        if _IN_REGISTERS:
            form = ir.FunctionType(_PLACES, [_PLACES, chosen.type, _PLACES])
            name = "llvm.experimental.vector.compress.v16i32"
            compress = cgutils.get_or_insert_function(builder.module, form, name)
            packed = builder.call(compress, [entries, chosen, ir.Constant(_PLACES, ir.Undefined)])
            builder.store(packed, builder.bitcast(data, _PLACES.as_pointer()), align=4)
        else:
            form = ir.FunctionType(ir.VoidType(), [_PLACES, data.type, chosen.type])
            store = cgutils.get_or_insert_function(builder.module, form, "llvm.masked.compressstore.v16i32")
            builder.call(store, [entries, data, chosen])
    return builder.zext(builder.ctpop(builder.bitcast(chosen, _I16)), _I64)


@intrinsic
def _append_nonzero(_context: Any, flags: Any, start: Any, listed: Any, count: Any) -> tuple[Any, Emit]:
    """Appends the indices of nonzero `flags[start:start + 16]` to `listed` (int32) at `count`; returns their number."""

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        array, at, into, end = arguments
        chosen = _not_zero(builder, _loaded(context, builder, signature.args[0], array, at))
        return _append(context, builder, chosen, [(signature.args[2], into, _places(builder, at))], end)

    return _WORD(flags, _WORD, listed, _WORD), emit


@intrinsic
def _append_packed(
    _context: Any, entries: Any, names: Any, start: Any, packed: Any, named: Any, count: Any
) -> tuple[Any, Emit]:
    """Appends the nonzero of 16 `entries` to `packed`, their `names` to `named` (int32); returns their number."""

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        kinds, (array, labels, at, into, beside, end) = signature.args, arguments
        values = _loaded(context, builder, kinds[0], array, at)
        called = _loaded(context, builder, kinds[1], labels, at)
        into = [(kinds[3], into, values), (kinds[4], beside, called)]
        return _append(context, builder, _not_zero(builder, values), into, end)

    return _WORD(entries, names, _WORD, packed, named, _WORD), emit


@intrinsic
def _append_reaching(
    _context: Any, values: Any, bar: Any, keep: Any, start: Any, listed: Any, count: Any
) -> tuple[Any, Emit]:
    """As `_append_nonzero`, for the indices where `values` (int32) reach `bar` and `keep` is not zero."""

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        kinds, (array, least, mask, at, into, end) = signature.args, arguments
        reached = builder.icmp_signed(
            ">=", _loaded(context, builder, kinds[0], array, at), _spread(builder, least, _PLACES)
        )
        chosen = builder.and_(reached, _not_zero(builder, _loaded(context, builder, kinds[2], mask, at)))
        return _append(context, builder, chosen, [(kinds[4], into, _places(builder, at))], end)

    return _WORD(values, types.int32, keep, _WORD, listed, _WORD), emit


@inlined
def list_nonzero(flags, n, listed):  # type: ignore[no-untyped-def]
    """Writes the j < n with `flags[j] != 0`, ascending, to `listed` (int32); returns their number.

    `listed` has room for n; entries after the listed ones may be overwritten.
    """
    size, room = np.uint64(n), np.uint64(listed.shape[0])
    width, count, start = np.uint64(_AT_ONCE), np.uint64(0), np.uint64(0)
    while start + width <= size and count + width <= room:
        count += _append_nonzero(flags, start, listed, count)  # type: ignore[call-arg]
        start += width
    while start < size:
        listed[count] = start
        count += np.uint64(flags[start] != 0)
        start += np.uint64(1)
    return np.int64(count)


@inlined
def pack_nonzero(entries, names, n, packed, named):  # type: ignore[no-untyped-def]
    """Writes the nonzero ones of the first n `entries` to `packed`, their `names` to `named`; returns their number.

    All are int32; `packed` and `named` have room for n, and later entries may be overwritten.
    """
    size, room = np.uint64(n), np.uint64(min(packed.shape[0], named.shape[0]))
    width, count, start = np.uint64(_AT_ONCE), np.uint64(0), np.uint64(0)
    while start + width <= size and count + width <= room:
        count += _append_packed(entries, names, start, packed, named, count)  # type: ignore[call-arg]
        start += width
    while start < size:
        packed[count], named[count] = entries[start], names[start]
        count += np.uint64(entries[start] != 0)
        start += np.uint64(1)
    return np.int64(count)


@inlined
def list_reaching(values, bar, keep, listed):  # type: ignore[no-untyped-def]
    """Writes the j with `values[j] >= bar` (int32) and `keep[j] != 0`, ascending, to `listed`; returns their number.

    `listed` has room for all; entries after the listed ones may be overwritten.
    """
    size, room = np.uint64(values.shape[0]), np.uint64(listed.shape[0])
    width, count, start = np.uint64(_AT_ONCE), np.uint64(0), np.uint64(0)
    while start + width <= size and count + width <= room:
        count += _append_reaching(values, bar, keep, start, listed, count)  # type: ignore[call-arg]
        start += width
    while start < size:
        listed[count] = start
        count += np.uint64((values[start] >= bar) & (keep[start] != 0))
        start += np.uint64(1)
    return np.int64(count)


@kernel
def list_codes(codes, n, names, values):  # type: ignore[no-untyped-def]
    """List the first n `codes` that are not 0: place and value, filled up with zeros to whole vectors. How many."""
    count = list_nonzero(codes, n, names)
    for a in range(np.uint64(count)):
        values[a] = codes[np.uint64(names[a])]
    for a in range(count, whole_vectors(count, values.shape[0])):
        values[a] = 0
    return count
