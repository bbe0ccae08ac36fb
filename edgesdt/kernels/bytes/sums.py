"""Sums along rows of 8-bit weights times signed values, with the 8-bit dot product (VNNI).

The dot product multiplies unsigned bytes by signed ones. The weights are made unsigned by adding 128, which adds
`128 · Σ values` to every sum; values beyond a byte are the sum of two parts. Integer sums commute: the result is that
of a plain loop, which is used on other processors.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from edgesdt.kernels.bytes.rows import WIDTHS, dot_product

AT_ONCE = 4
"""Rows of one pass, for which the values are loaded once."""
BLOCK = WIDTHS[0] // 8 if WIDTHS else 64
"""Columns of one step. The last step ends with the row and has values of 0 for what was summed before."""
_I32, _I64 = ir.IntType(32), ir.IntType(64)


def _total(builder: Any, vector: Any) -> Any:
    """The sum of the words of a vector: halves are added until one is left."""
    count = vector.type.count
    while count > 1:
        count //= 2
        halves = [ir.Constant(ir.VectorType(_I32, count), [k * count + i for i in range(count)]) for k in (0, 1)]
        vector = builder.add(*(builder.shuffle_vector(vector, vector, half) for half in halves))
    return builder.extract_element(vector, _I32(0))


def _emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    """Emits the steps of `AT_ONCE` rows; their sums are in registers until the last step."""
    sums, weights, *values = (
        context.make_array(signature.args[k])(context, builder, arguments[k]).data for k in range(len(arguments) - 4)
    )
    base, n, first, excess = arguments[-4:]
    dot, octets, words = dot_product(builder, 8 * BLOCK)
    flip = ir.Constant(octets, [128] * BLOCK)
    rows = [builder.gep(weights, [builder.add(base, builder.mul(builder.add(first, _I64(r)), n))]) for r in range(4)]
    held = [cgutils.alloca_once(builder, words) for _ in rows]
    for place in held:
        builder.store(ir.Constant(words, [0] * words.count), place)

    def step(column: Any, at: Any) -> None:
        """Adds the products of the columns from `column` on and the values from `at` on."""
        factors = []
        for value in values:
            place = builder.bitcast(builder.gep(value, [at]), octets.as_pointer())
            factors.append(builder.bitcast(builder.load(place, align=1), words))
        for row, place in zip(rows, held, strict=True):
            found = builder.load(builder.bitcast(builder.gep(row, [column]), octets.as_pointer()), align=1)
            unsigned = builder.bitcast(builder.xor(found, flip), words)
            for factor in factors:
                builder.store(builder.call(dot, [builder.load(place), unsigned, factor]), place)

    blocks = builder.udiv(n, _I64(BLOCK))
    with cgutils.for_range(builder, blocks) as loop:
        column = builder.mul(loop.index, _I64(BLOCK))
        step(column, column)
    rest = builder.icmp_unsigned("!=", builder.mul(blocks, _I64(BLOCK)), n)
    with builder.if_then(rest):
        step(builder.sub(n, _I64(BLOCK)), n)
    for r, place in enumerate(held):
        total = builder.sub(_total(builder, builder.load(place)), excess)
        builder.store(total, builder.gep(sums, [builder.add(first, _I64(r))]))
    return context.get_dummy_value()


@intrinsic
def sum_four(
    _context: Any, sums: Any, weights: Any, low: Any, base: Any, n: Any, first: Any, excess: Any
) -> tuple[Any, Callable[..., Any]]:
    """`sums[i] = Σ_k weights[base + i·n + k] · low[k]` for the four rows i from `first` on, n ≥ `BLOCK`.

    `sums` int32, `weights` int8, `low` (n + BLOCK,) int8: the values, then, for the last `BLOCK` columns, those that
    are in no whole block from 0 on, and 0 for others. `excess` is `128 · Σ_k low[k]`.
    """
    word = types.uint64
    return types.void(sums, weights, low, word, word, word, types.int32), _emit


@intrinsic
def sum_four_wide(
    _context: Any, sums: Any, weights: Any, low: Any, high: Any, base: Any, n: Any, first: Any, excess: Any
) -> tuple[Any, Callable[..., Any]]:
    """As `sum_four`, for the values `low[k] + high[k]`."""
    word = types.uint64
    return types.void(sums, weights, low, high, word, word, word, types.int32), _emit
