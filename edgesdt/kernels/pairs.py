"""Adds rows of weights times signed 16-bit values: two rows in one instruction, sixteen in one pass.

x86 multiplies vectors of 16-bit numbers and adds neighbouring products (`pmaddwd`). Rows are stored one after the
other, so two rows are interleaved when they are read. Integer sums commute and wrap in 32 bits, so the result equals
that of `drive.add_rows_in_eights`, which is used on other processors.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import llvmlite.binding as llvm
from llvmlite import ir
from numba import types
from numba.core import cgutils, config
from numba.extending import intrinsic

ROWS = 16
"""Rows of one pass. In a pass with fewer, the others repeat the last one with a value of 0."""
MOST = (1 << 15) - 1
"""Largest |value| that is multiplied exactly."""
_I16, _I32, _I64 = ir.IntType(16), ir.IntType(32), ir.IntType(64)


def _width() -> int:
    """Columns of one block: the 16-bit lanes of the widest register with the instruction, or 0 if there is none."""
    if getattr(config, "CPU_NAME", None) or getattr(config, "CPU_FEATURES", None):
        return 0  # compiled for another processor
    features = llvm.get_host_cpu_features()
    if features.get("avx512bw"):
        return 32
    return 16 if features.get("avx2") else 0


COLUMNS = _width()


def _constant(values: Sequence[int]) -> Any:
    return ir.Constant(ir.VectorType(_I32, len(values)), list(values))


def _interleaved(builder: Any, one: Any, other: Any, high: int) -> Any:
    """Alternates the four entries of the low or high half of each 128-bit lane of two rows."""
    places = []
    for at in range(COLUMNS):
        lane, word = at - at % 8, at % 8
        places.append(lane + 4 * high + word // 2 + COLUMNS * (word % 2))
    return builder.shuffle_vector(one, other, _constant(places))


def _in_order(builder: Any, low: Any, high: Any) -> list[Any]:
    """The sums of the columns in order, as two vectors, from those of the halves of each 128-bit lane."""
    half = COLUMNS // 2
    places = [(at // 8) * 4 + at % 4 + half * (at % 8 // 4) for at in range(COLUMNS)]
    return [builder.shuffle_vector(low, high, _constant(part)) for part in (places[:half], places[half:])]


def _add_block(
    builder: Any, rows: Sequence[Any], values: Sequence[Any], into: Any, column: Any, least: Any = None
) -> None:
    """Emits `into[column + j] += Σ_r value_r · row_r[column + j]`, j < `COLUMNS`; from j = `least` on if given.

    `values` are those of two rows in one 32-bit word.
    """
    half = COLUMNS // 2
    words, sums = ir.VectorType(_I16, COLUMNS), ir.VectorType(_I32, half)
    name = {32: "llvm.x86.avx512.pmaddw.d.512", 16: "llvm.x86.avx2.pmadd.wd"}[COLUMNS]
    multiply = cgutils.get_or_insert_function(builder.module, ir.FunctionType(sums, [words, words]), name)

    def row(r: int) -> Any:
        place = builder.gep(rows[r], [column])
        entries = ir.VectorType(place.type.pointee, COLUMNS)
        found = builder.load(builder.bitcast(place, entries.as_pointer()), align=1)
        return found if entries == words else builder.sext(found, words)

    totals = [ir.Constant(sums, [0] * half)] * 2
    for k, value in enumerate(values):
        one, other = row(2 * k), row(2 * k + 1)
        undefined = ir.Constant(sums, ir.Undefined)
        spread = builder.shuffle_vector(
            builder.insert_element(undefined, value, _I32(0)), undefined, _constant([0] * half)
        )
        factors = builder.bitcast(spread, words)
        for high in (0, 1):
            product = builder.call(multiply, [_interleaved(builder, one, other, high), factors])
            totals[high] = builder.add(totals[high], product)
    for part, found in enumerate(_in_order(builder, *totals)):
        if least is not None:
            bound = builder.insert_element(ir.Constant(sums, ir.Undefined), builder.trunc(least, _I32), _I32(0))
            bound = builder.shuffle_vector(bound, bound, _constant([0] * half))
            kept = builder.icmp_unsigned(">=", _constant(range(part * half, part * half + half)), bound)
            found = builder.select(kept, found, ir.Constant(sums, [0] * half))
        place = builder.gep(into, [builder.add(column, _I64(part * half))])
        place = builder.bitcast(place, sums.as_pointer())
        builder.store(builder.add(builder.load(place, align=4), found), place, align=4)


def _emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    """Emits one pass over all columns, block by block; the last block ends with the row."""
    into, weights, index, value = (
        context.make_array(signature.args[k])(context, builder, arguments[k]).data for k in range(4)
    )
    base, stride, at, count = arguments[4:]
    rows, factors = [], []
    last = builder.sub(count, _I64(1))
    for r in range(ROWS):
        place = builder.add(at, _I64(r))
        there = builder.icmp_unsigned("<", place, count)
        place = builder.select(there, place, last)
        which = builder.zext(builder.load(builder.gep(index, [place])), _I64)
        rows.append(builder.gep(weights, [builder.add(base, builder.mul(which, stride))]))
        factors.append(builder.select(there, builder.load(builder.gep(value, [place])), _I32(0)))
    values = [
        builder.or_(builder.and_(one, _I32(0xFFFF)), builder.shl(other, _I32(16)))
        for one, other in zip(factors[::2], factors[1::2], strict=True)
    ]
    blocks = builder.udiv(stride, _I64(COLUMNS))
    with cgutils.for_range(builder, blocks) as loop:
        _add_block(builder, rows, values, into, builder.mul(loop.index, _I64(COLUMNS)))
    done = builder.mul(blocks, _I64(COLUMNS))
    with builder.if_then(builder.icmp_unsigned("<", done, stride)):
        column = builder.sub(stride, _I64(COLUMNS))
        _add_block(builder, rows, values, into, column, builder.sub(done, column))
    return context.get_dummy_value()


@intrinsic
def add_pairs(
    _context: Any, into: Any, weights: Any, index: Any, value: Any, base: Any, stride: Any, at: Any, count: Any
) -> tuple[Any, Callable[..., Any]]:
    """`into[j] += Σ_r value[at + r] · weights[base + index[at + r]·stride + j]`, r < 16 and at + r < count.

    `into` (stride,) int32, `weights` int8 or int16, `index` and `value` int32; stride ≥ `COLUMNS`, |value| ≤ `MOST`,
    at < count.
    """
    word = types.uint64
    return types.void(into, weights, index, value, word, word, word, word), _emit
