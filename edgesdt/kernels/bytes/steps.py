"""Adds steps of a byte to a row of 8-bit weights, saturating, and counts what changes: 64 columns at a time.

Written with LLVM's vectors, which every processor gets in some form: what changes is one bit for each column, and
counting bits is one instruction. Plain numba needs 16 bits for a sum and 32 for a count.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

COLUMNS = 64
"""Columns of one step. The last step ends with the row and has deltas of 0 for what was moved before."""
_I8, _I32, _I64 = ir.IntType(8), ir.IntType(32), ir.IntType(64)
_OCTETS = ir.VectorType(_I8, COLUMNS)


def _spread(builder: Any, value: Any) -> Any:
    """A vector with the byte `value` in every column."""
    undefined = ir.Constant(_OCTETS, ir.Undefined)
    first = builder.insert_element(undefined, builder.trunc(value, _I8), _I32(0))
    return builder.shuffle_vector(first, undefined, ir.Constant(ir.VectorType(_I32, COLUMNS), [0] * COLUMNS))


def _largest(builder: Any, vector: Any) -> Any:
    """The largest byte of a vector, unsigned."""
    count = COLUMNS
    while count > 1:
        count //= 2
        parts = [ir.Constant(ir.VectorType(_I32, count), [k * count + i for i in range(count)]) for k in (0, 1)]
        one, other = (builder.shuffle_vector(vector, vector, part) for part in parts)
        vector = builder.select(builder.icmp_unsigned(">", one, other), one, other)
    return builder.zext(builder.extract_element(vector, _I32(0)), _I64)


def _emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    """Emits the steps of one row; the counts stay in registers."""
    weights, wear, carry, deltas = (
        context.make_array(signature.args[k])(context, builder, arguments[k]).data for k in range(4)
    )
    start, n, low, high = arguments[4:]
    lowest, highest, zeros = _spread(builder, low), _spread(builder, high), ir.Constant(_OCTETS, [0] * COLUMNS)
    writes, hits = (cgutils.alloca_once_value(builder, _I64(0)) for _ in range(2))
    peak = cgutils.alloca_once(builder, _OCTETS)
    for count in (writes, hits):
        builder.store(_I64(0), count)
    builder.store(zeros, peak)
    kind = ir.FunctionType(_OCTETS, [_OCTETS, _OCTETS])
    add = cgutils.get_or_insert_function(builder.module, kind, f"llvm.sadd.sat.v{COLUMNS}i8")

    def at(data: Any, place: Any) -> Any:
        return builder.bitcast(builder.gep(data, [place]), _OCTETS.as_pointer())

    def counted(flags: Any, into: Any) -> Any:
        bits = builder.bitcast(flags, _I64)
        builder.store(builder.add(builder.load(into), builder.ctpop(bits)), into)
        return bits

    def step(column: Any, delta: Any) -> None:
        """Moves the columns from `column` on by the deltas from `delta` on."""
        first = builder.add(start, column)
        old, move = (builder.load(at(data, place), align=1) for data, place in ((weights, first), (deltas, delta)))
        new = builder.call(add, [old, move])
        new = builder.select(builder.icmp_signed(">", new, highest), highest, new)
        new = builder.select(builder.icmp_signed("<", new, lowest), lowest, new)
        changed = builder.icmp_signed("!=", new, old)
        counted(changed, writes)
        counted(builder.icmp_signed("!=", new, builder.add(old, move)), hits)
        builder.store(new, at(weights, first), align=1)
        worn = builder.load(at(wear, first), align=1)
        full = builder.and_(changed, builder.icmp_unsigned("==", worn, ir.Constant(_OCTETS, [255] * COLUMNS)))
        builder.store(builder.add(worn, builder.zext(changed, _OCTETS)), at(wear, first), align=1)
        size = builder.xor(new, builder.ashr(new, ir.Constant(_OCTETS, [7] * COLUMNS)))
        most = builder.load(peak)
        builder.store(builder.select(builder.icmp_unsigned(">", size, most), size, most), peak)
        bits = builder.bitcast(full, _I64)
        wrapped = builder.icmp_unsigned("!=", bits, _I64(0))
        with cgutils.for_range(builder, builder.select(wrapped, _I64(COLUMNS), _I64(0))) as loop:
            place = builder.gep(carry, [builder.add(first, loop.index)])
            once = builder.trunc(builder.and_(builder.lshr(bits, loop.index), _I64(1)), _I32)
            builder.store(builder.add(builder.load(place), once), place)

    blocks = builder.udiv(n, _I64(COLUMNS))
    with cgutils.for_range(builder, blocks) as loop:
        column = builder.mul(loop.index, _I64(COLUMNS))
        step(column, column)
    with builder.if_then(builder.icmp_unsigned("!=", builder.mul(blocks, _I64(COLUMNS)), n)):
        step(builder.sub(n, _I64(COLUMNS)), n)
    bound = builder.add(_largest(builder, builder.load(peak)), _I64(1))
    found = [builder.load(writes), builder.load(hits), bound]
    return context.make_tuple(builder, signature.return_type, found)


@intrinsic
def add_steps(
    _context: Any, weights: Any, wear: Any, carry: Any, deltas: Any, start: Any, n: Any, lowest: Any, highest: Any
) -> tuple[Any, Callable[..., Any]]:
    """`weights[start + j] += deltas[j]`, j < n, saturating to `lowest … highest`; n ≥ `COLUMNS`.

    `deltas` (n + COLUMNS,) int8: the deltas, then, for the last `COLUMNS` columns, those that are in no whole block
    from 0 on, and 0 for others. `wear` counts changed codes modulo 256, `carry` how often that wrapped. Returns how
    many codes changed, how many saturated, and a bound of |code|.
    """
    word, found = types.uint64, types.UniTuple(types.int64, 3)
    return found(weights, wear, carry, deltas, word, word, types.int64, types.int64), _emit
