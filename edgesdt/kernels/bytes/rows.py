"""Adds rows of 8-bit weights times 8-bit inputs with the processor's 8-bit dot product, if it has one (VNNI).

The dot product needs four weights of a neuron in adjacent bytes. Rows are stored one after the other, so four rows are
interleaved when they are read. Integer sums commute, so the result equals that of `drive.add_rows`, which is used on
other processors.
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
"""Rows of one pass: the largest number that leaves enough registers for the sums."""
_I8, _I32, _I64 = ir.IntType(8), ir.IntType(32), ir.IntType(64)


def _widths() -> tuple[int, ...]:
    """Register widths in bits, widest first, for which this processor has the 8-bit dot product."""
    if getattr(config, "CPU_NAME", None) or getattr(config, "CPU_FEATURES", None):
        return ()  # compiled for another processor
    features = llvm.get_host_cpu_features()
    if features.get("avx512vnni") and features.get("avx512vl"):
        return (512, 128)
    return (256, 128) if features.get("avxvnni") else ()


WIDTHS = _widths()


def _constant(values: Sequence[int]) -> Any:
    return ir.Constant(ir.VectorType(_I32, len(values)), list(values))


def _unpack(builder: Any, one: Any, other: Any, high: int, size: int) -> Any:
    """Interleaves runs of `size` bytes of the low or high half of each 16-byte lane of two byte vectors."""
    count = one.type.count
    places = []
    for at in range(count):
        lane, byte = at - at % 16, at % 16
        run, within = divmod(byte, size)
        places.append(lane + 8 * high + (run // 2) * size + within + count * (run % 2))
    return builder.shuffle_vector(one, other, _constant(places))


def _interleave(builder: Any, rows: Sequence[Any]) -> list[Any]:
    """Rearranges four byte vectors so that the bytes of a column are adjacent.

    Lane l of vector q holds the columns 16·l + 4·q … + 3.
    """
    near = [_unpack(builder, rows[0], rows[1], high, 1) for high in (0, 1)]
    far = [_unpack(builder, rows[2], rows[3], high, 1) for high in (0, 1)]
    return [_unpack(builder, near[q // 2], far[q // 2], q % 2, 2) for q in range(4)]


def _in_order(builder: Any, sums: Sequence[Any]) -> list[Any]:
    """The sums of all columns in order, sixteen to a vector, from four vectors arranged by `_interleave`."""
    lanes = sums[0].type.count // 4

    def lanes_of(one: Any, other: Any, places: Sequence[int]) -> Any:
        return builder.shuffle_vector(one, other, _constant([4 * lane + e for lane in places for e in range(4)]))

    if lanes == 1:
        halves = [lanes_of(sums[q], sums[q + 1], (0, 1)) for q in (0, 2)]
        return [builder.shuffle_vector(*halves, _constant(range(16)))]
    found = []
    for first in range(0, lanes, 2):  # the 128-bit lanes of the four vectors, transposed in two steps
        near = [lanes_of(sums[q], sums[q + 1], (first, first + 1, lanes + first, lanes + first + 1)) for q in (0, 2)]
        found += [lanes_of(near[0], near[1], (k, k + 2, k + 4, k + 6)) for k in (0, 1)]
    return found


def dot_product(builder: Any, width: int) -> tuple[Any, Any, Any]:
    """The dot product of unsigned and signed bytes for `width` bits, and its types: vectors of bytes and of words."""
    octets, words = ir.VectorType(_I8, width // 8), ir.VectorType(_I32, width // 32)
    kind = ir.FunctionType(words, [words, words, words])
    return cgutils.get_or_insert_function(builder.module, kind, f"llvm.x86.avx512.vpdpbusd.{width}"), octets, words


def _add_block(
    builder: Any, width: int, rows: Sequence[Any], factors: Sequence[Sequence[Any]], into: Any, column: Any,
    least: Any = None,
) -> None:  # fmt: skip
    """Emits `into[column + j] += Σ_r value_r · row_r[column + j]` for the width / 8 columns from `column`.

    `factors` are the values in fours, and with them, for a row with a sign, those that are subtracted. Of a block of
    16 columns only those from `least` on are added, where that is given.
    """
    dot, octets, words = dot_product(builder, width)
    totals = [[ir.Constant(words, [0] * words.count)] * 4 for _ in factors]
    for first in range(0, ROWS, 4):
        four = []
        for row in rows[first : first + 4]:
            place = builder.bitcast(builder.gep(row, [column]), octets.as_pointer())
            four.append(builder.load(place, align=1))
        mixed = [builder.bitcast(v, words) for v in _interleave(builder, four)]
        for k, values in enumerate(factors):
            undefined = ir.Constant(words, ir.Undefined)
            spread = builder.insert_element(undefined, values[first // 4], _I32(0))
            spread = builder.shuffle_vector(spread, undefined, _constant([0] * words.count))
            totals[k] = [builder.call(dot, [s, spread, v]) for s, v in zip(totals[k], mixed, strict=True)]
    sums = totals[0] if len(totals) == 1 else [builder.sub(a, b) for a, b in zip(*totals, strict=True)]
    for lane, found in enumerate(_in_order(builder, sums)):
        place = builder.gep(into, [builder.add(column, _I64(16 * lane))])
        place = builder.bitcast(place, ir.VectorType(_I32, 16).as_pointer())
        if least is not None:
            bound = builder.insert_element(ir.Constant(found.type, ir.Undefined), builder.trunc(least, _I32), _I32(0))
            bound = builder.shuffle_vector(bound, bound, _constant([0] * 16))
            kept = builder.icmp_unsigned(">=", ir.Constant(found.type, list(range(16))), bound)
            found = builder.select(kept, found, ir.Constant(found.type, [0] * 16))
        builder.store(builder.add(builder.load(place, align=4), found), place, align=4)


def _emit_columns(builder: Any, rows: Sequence[Any], factors: Sequence[Sequence[Any]], into: Any, stride: Any) -> Any:
    """Emits one pass over all columns in blocks of each width; the last one ends with the row. Needs 16 columns.

    Returns how many columns are done.
    """
    done: Any = _I64(0)
    for width in WIDTHS:
        wide = _I64(width // 8)
        blocks = builder.udiv(builder.sub(stride, done), wide)
        with cgutils.for_range(builder, blocks) as loop:
            column = builder.add(done, builder.mul(loop.index, wide))
            _add_block(builder, width, rows, factors, into, column)
        done = builder.add(done, builder.mul(blocks, wide))
    some = builder.and_(builder.icmp_unsigned("<", done, stride), builder.icmp_unsigned(">=", stride, _I64(16)))
    with builder.if_then(some):
        least = builder.sub(_I64(16), builder.sub(stride, done))
        _add_block(builder, 128, rows, factors, into, builder.sub(stride, _I64(16)), least)
    return builder.select(some, stride, done)


def _emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    """Emits one pass of sixteen rows, whose values are bytes."""
    into, weights, index, *values = (
        context.make_array(signature.args[k])(context, builder, arguments[k]).data for k in range(len(arguments) - 3)
    )
    base, stride, at = arguments[-3:]
    rows = []
    for r in range(ROWS):
        which = builder.zext(builder.load(builder.gep(index, [builder.add(at, _I64(r))])), _I64)
        rows.append(builder.gep(weights, [builder.add(base, builder.mul(which, stride))]))
    factors = []
    for value in values:
        packed = builder.bitcast(builder.gep(value, [at]), _I32.as_pointer())
        factors.append([builder.load(builder.gep(packed, [_I64(k)]), align=1) for k in range(ROWS // 4)])
    return _emit_columns(builder, rows, factors, into, stride)


def _emit_words(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    """Emits one pass of up to sixteen rows, whose values are words: those beyond `count` repeat a row, times 0."""
    into, weights, index, value = (
        context.make_array(signature.args[k])(context, builder, arguments[k]).data for k in range(4)
    )
    base, stride, at, count = arguments[4:]
    last = builder.sub(count, _I64(1))
    rows, factors = [], [[_I32(0)] * (ROWS // 4) for _ in range(2)]
    for r in range(ROWS):
        place = builder.add(at, _I64(r))
        there = builder.icmp_unsigned("<", place, count)
        place = builder.select(there, place, last)
        which = builder.zext(builder.load(builder.gep(index, [place])), _I64)
        rows.append(builder.gep(weights, [builder.add(base, builder.mul(which, stride))]))
        plus = builder.select(there, builder.load(builder.gep(value, [place])), _I32(0))
        for signed, four in zip((plus, builder.neg(plus)), factors, strict=True):
            part = builder.select(builder.icmp_signed(">", signed, _I32(0)), signed, _I32(0))
            four[r // 4] = builder.or_(four[r // 4], builder.shl(part, _I32(8 * (r % 4))))
    return _emit_columns(builder, rows, factors, into, stride)


@intrinsic
def add_sixteen(
    _context: Any, into: Any, weights: Any, index: Any, value: Any, base: Any, stride: Any, at: Any
) -> tuple[Any, Callable[..., Any]]:
    """`into[j] += Σ_r value[at + r] · weights[base + index[at + r]·stride + j]`, r < 16; returns the columns done.

    `into` (stride,) int32, `weights` int8, `index` int32, `value` uint8; fewer than 16 columns are left.
    """
    word = types.uint64
    return word(into, weights, index, value, word, word, word), _emit


@intrinsic
def add_sixteen_signed(
    _context: Any, into: Any, weights: Any, index: Any, plus: Any, minus: Any, base: Any, stride: Any, at: Any
) -> tuple[Any, Callable[..., Any]]:
    """As `add_sixteen`, for the values `plus[at + r] − minus[at + r]`, both uint8."""
    word = types.uint64
    return word(into, weights, index, plus, minus, word, word, word), _emit


@intrinsic
def add_sixteen_words(
    _context: Any, into: Any, weights: Any, index: Any, value: Any, base: Any, stride: Any, at: Any, count: Any
) -> tuple[Any, Callable[..., Any]]:
    """As `add_sixteen_signed`, for int32 values of at most ±255 in one array, r < 16 and at + r < count; at < count."""
    word = types.uint64
    return word(into, weights, index, value, word, word, word, word), _emit_words
