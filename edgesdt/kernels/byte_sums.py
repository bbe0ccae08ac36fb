"""Sums along rows of 8-bit weights times signed values of 8 bits and a sign, with the 8-bit dot product (VNNI).

The dot product multiplies unsigned bytes by signed ones, so values above 0 and below 0 are summed apart and subtracted.
Integer sums commute: the result is that of a plain loop, which is used on other processors.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from edgesdt.kernels.byte_rows import WIDTHS, dot_product

AT_ONCE = 4
"""Rows of one pass, for which the values are loaded once."""
_I32, _I64 = ir.IntType(32), ir.IntType(64)


def _total(builder: Any, vector: Any) -> Any:
    """The sum of the words of a vector: halves are added until one is left."""
    count = vector.type.count
    while count > 1:
        count //= 2
        halves = [ir.Constant(ir.VectorType(_I32, count), [k * count + i for i in range(count)]) for k in (0, 1)]
        vector = builder.add(*(builder.shuffle_vector(vector, vector, half) for half in halves))
    return builder.extract_element(vector, _I32(0))


def _add_blocks(builder: Any, width: int, rows: list[Any], values: list[Any], start: Any, blocks: Any) -> list[Any]:
    """Emits the sums of each row over `blocks` blocks of width / 8 columns from `start` on."""
    dot, octets, words = dot_product(builder, width)
    zero = ir.Constant(words, [0] * words.count)
    held = [[cgutils.alloca_once_value(builder, zero) for _ in values] for _ in rows]
    for pair in held:
        for place in pair:
            builder.store(zero, place)
    with cgutils.for_range(builder, blocks) as loop:
        column = builder.add(start, builder.mul(loop.index, _I64(width // 8)))

        def loaded(data: Any) -> Any:
            place = builder.bitcast(builder.gep(data, [column]), octets.as_pointer())
            return builder.bitcast(builder.load(place, align=1), words)

        factors = [loaded(value) for value in values]
        for row, pair in zip(rows, held, strict=True):
            weights = loaded(row)
            for factor, place in zip(factors, pair, strict=True):
                builder.store(builder.call(dot, [builder.load(place), factor, weights]), place)
    return [_total(builder, builder.sub(*(builder.load(place) for place in pair))) for pair in held]


def _emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    """Emits the sums of `AT_ONCE` rows over all complete groups of 16 columns, in blocks of each width."""
    sums, weights, plus, minus = (
        context.make_array(signature.args[k])(context, builder, arguments[k]).data for k in range(4)
    )
    base, n, first = arguments[4:]
    rows = []
    for r in range(AT_ONCE):
        at = builder.add(base, builder.mul(builder.add(first, _I64(r)), n))
        rows.append(builder.gep(weights, [at]))
    done: Any = _I64(0)
    found: list[Any] = [_I32(0)] * AT_ONCE
    for width in WIDTHS:
        wide = _I64(width // 8)
        blocks = builder.udiv(builder.sub(n, done), wide)
        parts = _add_blocks(builder, width, rows, [plus, minus], done, blocks)
        found = [builder.add(one, other) for one, other in zip(found, parts, strict=True)]
        done = builder.add(done, builder.mul(blocks, wide))
    for r, total in enumerate(found):
        builder.store(total, builder.gep(sums, [builder.add(first, _I64(r))]))
    return done


@intrinsic
def sum_four(
    _context: Any, sums: Any, weights: Any, plus: Any, minus: Any, base: Any, n: Any, first: Any
) -> tuple[Any, Callable[..., Any]]:
    """`sums[i] = Σ_k weights[base + i·n + k] · (plus[k] − minus[k])` for the four rows i from `first` on.

    `sums` int32, `weights` int8, `plus` and `minus` (n,) uint8. Returns the columns summed; the last n mod 16 are left.
    """
    word = types.uint64
    return word(sums, weights, plus, minus, word, word, word), _emit
