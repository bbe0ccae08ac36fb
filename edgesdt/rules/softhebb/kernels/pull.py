"""One sweep of a neuron's weights: each is pulled towards its centred input and decays, norm and offset go along."""

from __future__ import annotations

import numpy as np

from edgesdt.kernels.arithmetic import mul32, saturate, scaled, scaled32, sub32
from edgesdt.kernels.jit import inlined, kernel
from edgesdt.kernels.layout import BANK_STEPS, PAIRS, WEIGHT_SATURATIONS, WEIGHT_WRITES
from edgesdt.kernels.listing import list_nonzero
from edgesdt.kernels.lookups import nearest
from edgesdt.kernels.random_bank import draw, steps_for
from edgesdt.rules.softhebb.layout import SWEPT
from edgesdt.synapses.digital import FAR


@inlined
def form_pulls(centred, column, step, decay, constant, noise, rows, deltas):  # type: ignore[no-untyped-def]
    """`deltas[i] = R(step · centred_i − decay · w_i)` in 32 bits."""
    for i in range(np.uint64(rows)):
        apart = sub32(mul32(centred[i], step), mul32(np.int32(column[i]), decay))
        deltas[i] = scaled32(apart, constant, noise[i])


@inlined
def form_pulls_wide(centred, column, step, decay, constant, noise, rows, deltas):  # type: ignore[no-untyped-def]
    """As `form_pulls` in 64 bits; saturates to ±`FAR`, beyond any format."""
    for i in range(np.uint64(rows)):
        apart = np.int64(centred[i]) * np.int64(step) - np.int64(column[i]) * np.int64(decay)
        deltas[i] = saturate(scaled(apart, constant, noise[i]), -FAR, FAR)


@kernel
def settle(column, deltas, means, lowest, highest):  # type: ignore[no-untyped-def]
    """Add `deltas` to the weights `column`, saturating; `deltas` become the changes really made.

    Returns the changes of the squared norm and of the offset, a bound of |code|, and how many saturated.
    """
    square, offset, hits, peak = np.int64(0), np.int64(0), np.int64(0), np.int32(0)
    for i in range(np.uint64(column.shape[0])):
        old = np.int32(column[i])
        asked = np.int32(old + deltas[i])
        new = min(max(asked, lowest), highest)
        hits += new != asked
        square += np.int64(new * new) - np.int64(old * old)
        column[i] = new
        deltas[i] = new - old
        peak |= np.int32(new ^ (new >> 31))
    for i in range(np.uint64(means.shape[0])):
        offset += np.int64(means[i]) * np.int64(deltas[i])
    return square, offset, np.int64(peak) + 1, hits


@kernel
def store(weights, base, n, post, column, changed, count, worn, carry):  # type: ignore[no-untyped-def]
    """Write the weights that `changed` from the mirror's `column` to the chip's rows, and count them as worn."""
    for h in range(count):
        pre = np.uint64(changed[h])
        weights[np.uint64(base + post) + pre * np.uint64(n)] = column[pre]
        times = np.uint8(worn[pre] + np.uint8(1))
        worn[pre] = times
        if times == 0:
            carry[pre] += np.uint32(1)


@inlined
def write_column(chip, plan, work, layer, post):  # type: ignore[no-untyped-def]
    """Add `work.deltas` to all weights of neuron `post`; its norm and offset follow."""
    base, rows, n = plan.first_weight[layer], plan.sizes[layer], plan.sizes[layer + 1]
    first, at = base + post * rows, plan.first[layer + 1] + post
    column, deltas = work.mirror[first : first + rows], work.deltas[:rows]
    low = plan.first_pre[layer]
    means = chip.means[low : low + rows] if plan.centred else chip.means
    lowest, highest = np.int32(-plan.weight_limit - 1), np.int32(plan.weight_limit)
    square, offset, peak, hits = settle(column, deltas, means, lowest, highest)
    chip.norms[at] += square
    if plan.centred:
        chip.offsets[at] += offset
    changed = list_nonzero(deltas, rows, work.pres)
    store(
        chip.weights, base, n, post, column, work.pres, changed, work.wear[first : first + rows],
        work.wear_carry[first : first + rows],
    )  # fmt: skip
    work.weight_peak[layer] = max(work.weight_peak[layer], peak)
    work.events[WEIGHT_WRITES, layer] += changed
    work.events[WEIGHT_SATURATIONS, layer] += hits


@inlined
def pull(chip, plan, work, layer, constant, count):  # type: ignore[no-untyped-def]
    """Sweep the `count` listed neurons whose step is not 0, ascending, on fresh steps of the random bank each."""
    rows, start = plan.sizes[layer], plan.first[layer + 1]
    bank_steps = steps_for(rows, 2 * chip.random.shape[0]) if plan.stochastic_weights else 0
    noise = work.halves if plan.stochastic_weights else work.silence
    for a in range(count):
        step, post = np.int32(work.steps[a]), np.int64(work.posts[a])
        if step == 0:
            continue
        decay = nearest(np.int64(step) * np.int64(chip.drives[start + post]), plan.decay_right[layer])
        first = plan.first_weight[layer] + post * rows
        column = work.mirror[first : first + rows]
        draw(chip.random, work.words, bank_steps)
        if plan.narrow[layer]:
            form_pulls(work.centred, column, step, np.int32(decay), constant, noise, rows, work.deltas)
        else:
            form_pulls_wide(work.centred, column, step, decay, constant, noise, rows, work.deltas)
        write_column(chip, plan, work, layer, post)
        work.events[BANK_STEPS, 0] += bank_steps
        work.events[SWEPT, layer + 1] += 1
        work.events[PAIRS, layer] += rows
