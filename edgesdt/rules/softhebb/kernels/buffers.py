"""Updates gathered in buffers as large as the weights: a mini-batch, and the division by the largest entry."""

from __future__ import annotations

import numpy as np

from edgesdt.kernels.arithmetic import saturate, scaled
from edgesdt.kernels.jit import inlined, kernel
from edgesdt.kernels.layout import APPLIED, BANK_STEPS, PAIRS
from edgesdt.kernels.lookups import nearest, reciprocal_of
from edgesdt.kernels.random_bank import draw, steps_for
from edgesdt.rules.softhebb.kernels.compete import norm_power
from edgesdt.rules.softhebb.kernels.pull import write_column
from edgesdt.rules.softhebb.layout import SWEPT
from edgesdt.rules.softhebb.registers import RECIPROCAL_BITS, STEP_FRAC
from edgesdt.synapses.digital import FAR

_WIDEST = (1 << 23) - 1
"""The largest code of an update that is not divided by the largest."""


@inlined
def gather(chip, plan, work, layer, count):  # type: ignore[no-untyped-def]
    """Add share times centred input, and share times drive, of the `count` listed neurons."""
    rows, start = plan.sizes[layer], plan.first[layer + 1]
    for a in range(count):
        post, share = np.int64(work.posts[a]), np.int64(work.post_values[a])
        first = plan.first_weight[layer] + post * rows
        for i in range(rows):
            chip.gathered[first + i] += share * np.int64(work.centred[i])
        chip.decay[start + post] += share * np.int64(chip.drives[start + post])
    work.events[SWEPT, layer + 1] += count
    work.events[PAIRS, layer] += count * rows


@inlined
def raw_of(gathered, decay, weight, left):  # type: ignore[no-untyped-def]
    """`Σ share · (input − drive · w)` of one weight."""
    pulled = gathered << left if left >= 0 else nearest(gathered, -left)
    return pulled - decay * np.int64(weight)


@kernel
def largest_of(gathered, decay, mirror, rows, left):  # type: ignore[no-untyped-def]
    """The largest entry of an update of a whole layer, neuron by neuron."""
    top = np.int64(0)
    for post in range(decay.shape[0]):
        for i in range(rows):
            at = post * rows + i
            top = max(top, abs(raw_of(gathered[at], decay[post], mirror[at], left)))
    return top


@kernel
def form_applied(gathered, decay, column, left, top, inverse, length, step, constant, noise, plan, deltas):  # type: ignore[no-untyped-def]
    """The changes of a neuron's weights: entries over `top` (or as they are) times its step; the buffer is cleared."""
    for i in range(gathered.shape[0]):
        raw = raw_of(gathered[i], decay, column[i], left)
        if plan.maximum:
            entry = nearest(nearest(raw, length - STEP_FRAC - 1) * inverse, RECIPROCAL_BITS)
        else:
            entry = saturate(nearest(raw, plan.raw_right), -_WIDEST - 1, _WIDEST)
        deltas[i] = saturate(scaled(entry * step, constant, noise[i]), -FAR, FAR)
        gathered[i] = 0


@inlined
def apply(chip, plan, work, layer, rate, constant):  # type: ignore[no-untyped-def]
    """Move all weights of `layer` by what was gathered, if anything was; every neuron on fresh steps of the bank."""
    rows, n, base = plan.sizes[layer], plan.sizes[layer + 1], plan.first_weight[layer]
    start, left = plan.first[layer + 1], plan.raw_left[layer]
    gathered, decay = chip.gathered[base : base + rows * n], chip.decay[start : start + n]
    top = largest_of(gathered, decay, work.mirror[base : base + rows * n], rows, left)
    if top == 0:
        for at in range(gathered.shape[0]):
            gathered[at] = 0
        for j in range(n):
            decay[j] = 0
        return
    inverse, length = reciprocal_of(top, chip.reciprocals)
    bank_steps = steps_for(rows, 2 * chip.random.shape[0]) if plan.stochastic_weights else 0
    noise = work.halves if plan.stochastic_weights else work.silence
    for post in range(n):
        first = post * rows
        column = work.mirror[base + first : base + first + rows]
        step = rate * norm_power(chip.norms[start + post], plan.root_left, chip.rate_powers)
        draw(chip.random, work.words, bank_steps)
        form_applied(
            gathered[first : first + rows], decay[post], column, left, top, inverse, length, step, constant, noise,
            plan, work.deltas,
        )  # fmt: skip
        decay[post] = 0
        write_column(chip, plan, work, layer, post)
    work.events[BANK_STEPS, 0] += bank_steps * n
    work.events[APPLIED, layer] += 1
