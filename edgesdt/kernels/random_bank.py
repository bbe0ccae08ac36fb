"""The chip's random words: a bank of 32-bit xorshift generators, one per lane, which step at the same time.

Marsaglia, "Xorshift RNGs", J. Stat. Softw. 8(14), 2003, triple (13, 17, 5): period 2**32 - 1 per lane, three shifts
and three XORs in hardware. Lane states are seeded differently by SplitMix64 and are never 0.
A step yields `lanes` 32-bit words; half-words and bytes are taken low part first, lane 0 first.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from edgesdt.kernels.jit import inlined, kernel
from edgesdt.kernels.sixteens import LANES, WIDE, entries_of, store

_MASK = (1 << 64) - 1


def seeded(seed: int, lanes: int) -> npt.NDArray[np.uint32]:
    """Lane states (lanes,) for `seed`: the high halves of SplitMix64 outputs, zeros replaced by 1."""
    states = []
    counter = (seed * 0xD1342543DE82EF95 + 0x632BE59BD9B4E019) & _MASK
    for _ in range(lanes):
        counter = (counter + 0x9E3779B97F4A7C15) & _MASK
        z = counter
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & _MASK
        states.append(((z ^ (z >> 31)) >> 32) or 1)
    return np.array(states, dtype=np.uint32)


@intrinsic
def step_lanes(_context: Any, bank: Any, words: Any, lane: Any, steps: Any, stride: Any) -> tuple[Any, Any]:
    """Step the 16 xorshift generators from `lane` on `steps` times; their words lie `stride` apart in `words`."""

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        kinds, (lanes, drawn, first, count, apart) = signature.args, arguments
        held = cgutils.alloca_once_value(builder, entries_of(context, builder, kinds[0], lanes, first))
        with cgutils.for_range(builder, count) as loop:
            s = builder.load(held)
            for shift, by in ((builder.shl, 13), (builder.lshr, 17), (builder.shl, 5)):
                s = builder.xor(s, shift(s, ir.Constant(WIDE, [by] * LANES)))
            builder.store(s, held)
            at = builder.add(first, builder.mul(loop.index, apart))
            store(context, builder, kinds[1], drawn, at, s)
        store(context, builder, kinds[0], lanes, first, builder.load(held))
        return context.get_dummy_value()

    return types.void(bank, words, types.uint64, types.uint64, types.uint64), emit


@kernel
def draw(bank, words, steps):  # type: ignore[no-untyped-def]
    """Step the whole bank `steps` times; `words` (uint32, >= steps * lanes) receives the outputs in order."""
    lanes = np.uint64(bank.shape[0])
    if lanes % np.uint64(LANES) == 0:
        for first in range(np.uint64(0), lanes, np.uint64(LANES)):
            step_lanes(bank, words, first, np.uint64(steps), lanes)  # type: ignore[call-arg]
        return
    at = np.uint64(0)
    for _ in range(steps):
        for lane in range(lanes):
            s = bank[lane]
            s = np.uint32(s ^ np.uint32(s << np.uint32(13)))
            s = np.uint32(s ^ np.uint32(s >> np.uint32(17)))
            s = np.uint32(s ^ np.uint32(s << np.uint32(5)))
            bank[lane] = s
            words[at + lane] = s
        at += lanes


@inlined
def steps_for(count, per_step):  # type: ignore[no-untyped-def]
    """Number of bank steps for at least `count` items, with `per_step` items per step."""
    return (count + per_step - 1) // per_step
