"""Sixteen entries of an array at a time: residuals that move, a row of lateral weights, a row of weights.

Sums of integers commute, so the results are those of a loop entry by entry.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from edgesdt.kernels.sixteens import HALF, I16, I32, I64, LANES, WIDE, entries_of, reduced, spread, store

_WORD = types.uint64
Emit = Callable[[Any, Any, Any, Any], Any]


@intrinsic
def ways_open(_context: Any, states: Any, top: Any, at: Any) -> tuple[Any, Emit]:
    """Which of the 16 neurons from `at` on are less than `top` (bits 0 to 15), and which are more than 0 (16 to 31)."""

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        kinds, (state, most, start) = signature.args, arguments
        y = entries_of(context, builder, kinds[0], state, start)
        up = builder.icmp_signed("<", y, spread(builder, most))
        return _both(builder, up, builder.icmp_signed(">", y, ir.Constant(WIDE, [0] * LANES)))

    return _WORD(states, types.int32, _WORD), emit


@intrinsic
def ways_wanted(_context: Any, residuals: Any, above: Any, below: Any, at: Any) -> tuple[Any, Emit]:
    """Which of the 16 residuals from `at` on are more than `above` (bits 0 to 15), or less than `below` (16 to 31)."""

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        kinds, (apart, up, down, start) = signature.args, arguments
        a = entries_of(context, builder, kinds[0], apart, start)
        return _wanted(context, builder, a, kinds[1:3], (up, down), start)

    return _WORD(residuals, above, below, _WORD), emit


@intrinsic
def subtract(_context: Any, residuals: Any, weights: Any, row: Any, at: Any, change: Any) -> tuple[Any, Emit]:
    """`residuals[at + k] -= weights[row + at + k] · change` for k < 16, in 32 bits."""

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        _less(context, builder, signature.args[:2], arguments)
        return context.get_dummy_value()

    return types.void(residuals, weights, _WORD, _WORD, types.int32), emit


@intrinsic
def subtract_and_look(
    _context: Any, residuals: Any, weights: Any, row: Any, at: Any, change: Any, above: Any, below: Any
) -> tuple[Any, Emit]:
    """`subtract`; returns `ways_wanted` of the same neurons afterwards."""

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        a = _less(context, builder, signature.args[:2], arguments[:5])
        return _wanted(context, builder, a, signature.args[5:], arguments[5:], arguments[3])

    return _WORD(residuals, weights, _WORD, _WORD, types.int32, above, below), emit


def _less(context: Any, builder: Any, kinds: Any, arguments: Any) -> Any:
    """Emits `subtract`; returns the new residuals."""
    apart, beside, first, start, step = arguments
    a = entries_of(context, builder, kinds[0], apart, start)
    w = entries_of(context, builder, kinds[1], beside, builder.add(first, start))
    a = builder.sub(a, builder.mul(w, spread(builder, step)))
    store(context, builder, kinds[0], apart, start, a)
    return a


def _wanted(context: Any, builder: Any, residuals: Any, kinds: Any, bounds: Any, at: Any) -> Any:
    up, down = (entries_of(context, builder, kind, array, at) for kind, array in zip(kinds, bounds, strict=True))
    return _both(builder, builder.icmp_signed(">", residuals, up), builder.icmp_signed("<", residuals, down))


def _both(builder: Any, low: Any, high: Any) -> Any:
    """Two times sixteen flags as bits of a word."""
    one, other = (builder.zext(builder.bitcast(flags, I16), I64) for flags in (low, high))
    return builder.or_(one, builder.shl(other, I64(LANES)))


@intrinsic
def move_whole(
    _context: Any, weights: Any, wear: Any, base: Any, codes: Any, words: Any, count: Any, factor: Any, left: Any,
    right: Any, lowest: Any, highest: Any,
) -> tuple[Any, Emit]:  # fmt: skip
    """Move the weights from `base` on by `(codes · factor + words · 2^left) >> right`, and count that in `wear`.

    Goes through all whole sixteens of `count` codes; nothing may leave 32 bits. Returns codes changed and saturations.
    """

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        kinds, (row, worn, base, code, word, count) = signature.args, arguments[:6]
        times, left, right = (spread(builder, value) for value in arguments[6:9])
        held = HALF if kinds[0].dtype.bitwidth == 8 else WIDE  # lanes that hold a weight and any change of it
        low, high = (_narrowed(builder, spread(builder, value), held) for value in arguments[9:])
        writes, hits = (cgutils.alloca_once_value(builder, I64(0)) for _ in range(2))
        with cgutils.for_range(builder, builder.udiv(count, I64(LANES))) as loop:
            at = builder.mul(loop.index, I64(LANES))
            here = builder.add(base, at)
            drawn = builder.shl(entries_of(context, builder, kinds[4], word, at), left)
            product = builder.mul(entries_of(context, builder, kinds[3], code, at), times)
            delta = builder.ashr(builder.add(product, drawn), right)
            old = entries_of(context, builder, kinds[0], row, here, held)
            wide = _sum(builder, old, _narrowed(builder, delta, held))
            new = _largest(builder, _smallest(builder, wide, high), low)
            changed = builder.icmp_signed("!=", new, old)
            store(context, builder, kinds[0], row, here, new)
            octets = ir.VectorType(ir.IntType(8), LANES)
            before = entries_of(context, builder, kinds[1], worn, here, octets)
            store(context, builder, kinds[1], worn, here, builder.add(before, builder.zext(changed, octets)))
            _count(builder, writes, changed)
            _count(builder, hits, builder.icmp_signed("!=", new, wide))
        return context.make_tuple(builder, signature.return_type, [builder.load(writes), builder.load(hits)])

    made = types.UniTuple(types.int64, 2)
    return made(weights, wear, _WORD, codes, words, _WORD, *[types.int32] * 5), emit


def _narrowed(builder: Any, entries: Any, kind: Any) -> Any:
    """Entries of 32 bits, saturated to the lanes of `kind`."""
    if kind == WIDE:
        return entries
    most = (1 << (kind.element.width - 1)) - 1
    low, high = ir.Constant(WIDE, [-most - 1] * LANES), ir.Constant(WIDE, [most] * LANES)
    return builder.trunc(_largest(builder, _smallest(builder, entries, high), low), kind)


def _sum(builder: Any, one: Any, other: Any) -> Any:
    """The sum of two vectors; lanes of 16 bits saturate."""
    if one.type == WIDE:
        return builder.add(one, other)
    form = ir.FunctionType(HALF, [HALF, HALF])
    return builder.call(cgutils.get_or_insert_function(builder.module, form, "llvm.sadd.sat.v16i16"), [one, other])


def _count(builder: Any, total: Any, flags: Any) -> None:
    """Add how many of sixteen flags are set."""
    found = builder.zext(builder.ctpop(builder.bitcast(flags, I16)), I64)
    builder.store(builder.add(builder.load(total), found), total)


def _smallest(builder: Any, one: Any, other: Any) -> Any:
    return builder.select(builder.icmp_signed("<", one, other), one, other)


def _largest(builder: Any, one: Any, other: Any) -> Any:
    return builder.select(builder.icmp_signed(">", one, other), one, other)


@intrinsic
def four_sums(_context: Any, weights: Any, base: Any, stride: Any, codes: Any, count: Any) -> tuple[Any, Emit]:
    """`Σ codes[i] · weights[base + r · stride + i]` for r < 4, in 32 bits.

    Goes through all whole sixteens of `count` codes (int16). LLVM makes products and sums of neighbours in 16 bits of
    it, where the processor has those.
    """

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        kinds, (row, base, stride, code, count) = signature.args, arguments
        totals = [cgutils.alloca_once_value(builder, ir.Constant(WIDE, [0] * LANES)) for _ in range(4)]
        with cgutils.for_range(builder, builder.udiv(count, I64(2 * LANES))) as loop:
            at = builder.mul(loop.index, I64(2 * LANES))
            c, here = _pairs(context, builder, kinds[3], code, at), builder.add(base, at)
            for total in totals:
                product = builder.mul(_pairs(context, builder, kinds[0], row, here), c)
                even, odd = (
                    builder.shuffle_vector(product, product, ir.Constant(WIDE, list(range(first, 2 * LANES, 2))))
                    for first in (0, 1)
                )
                builder.store(builder.add(builder.load(total), builder.add(even, odd)), total)
                here = builder.add(here, stride)
        done = builder.and_(count, I64(-2 * LANES))
        with builder.if_then(builder.icmp_unsigned("!=", builder.and_(count, I64(LANES)), I64(0))):
            c, here = entries_of(context, builder, kinds[3], code, done), builder.add(base, done)
            for total in totals:
                product = builder.mul(entries_of(context, builder, kinds[0], row, here), c)
                builder.store(builder.add(builder.load(total), product), total)
                here = builder.add(here, stride)
        found = [reduced(builder, "add", builder.load(total)) for total in totals]
        return context.make_tuple(builder, signature.return_type, found)

    return types.UniTuple(types.int64, 4)(weights, _WORD, _WORD, codes, _WORD), emit


def _pairs(context: Any, builder: Any, kind: Any, array: Any, at: Any) -> Any:
    """The 32 entries of `array` from `at` on, widened to 32 bits by way of 16."""
    octets = ir.VectorType(ir.IntType(context.get_value_type(kind.dtype).width), 2 * LANES)
    data = context.make_array(kind)(context, builder, array).data
    found = builder.load(builder.bitcast(builder.gep(data, [at]), octets.as_pointer()), align=1)
    return builder.sext(found, ir.VectorType(I32, 2 * LANES))


@intrinsic
def lowest(_context: Any, bits: Any) -> tuple[Any, Emit]:
    """The place of the lowest bit that is set."""

    def emit(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.cttz(arguments[0], ir.Constant(ir.IntType(1), 1))

    return _WORD(_WORD), emit
