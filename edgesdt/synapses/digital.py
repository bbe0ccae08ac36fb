"""The local contrastive update: `Δw_ij = (lr / beta)·(s_i⁺ s_j⁺ − s_i⁻ s_j⁻)`, one sweep per post-synaptic neuron.

Liu et al. 2024, the contrastive update. (+, −) are the ends of two phases: nudged and free, in the order that the
sign of beta gives, or the two nudged phases. A sweep of post-synaptic neuron j visits the pre-synaptic neurons that are
not silent, in ascending order, and starts on a fresh step of the random bank. Each new code saturates in its format.
"""

from __future__ import annotations

import numpy as np

from edgesdt.kernels.arithmetic import Register, add32, mul32, saturate, scaled, scaled32, shr32, sub32, whole_vectors
from edgesdt.kernels.jit import inlined, kernel
from edgesdt.kernels.layout import (
    BANK_STEPS,
    BIAS_MOVES,
    BIAS_WRITES,
    PAIRS,
    WEIGHT_SATURATIONS,
    WEIGHT_WRITES,
)
from edgesdt.kernels.listing import list_nonzero, pack_nonzero
from edgesdt.kernels.prefetch import prefetch
from edgesdt.kernels.random_bank import draw, steps_for
from edgesdt.synapses.mirror import mirror_sweep

FAR = 1 << 24
CACHE_LINE = 64


@inlined
def register_of(row):  # type: ignore[no-untyped-def]
    """The register stored in one row (6,) of the rates."""
    return Register(np.int32(row[0]), np.int32(row[1]), row[2], np.int32(row[3]), np.int32(row[4]))


@kernel
def list_pres(inputs, plus, minus, plan, layer, flags, pres, pre_plus, pre_minus):  # type: ignore[no-untyped-def]
    """List the pre-synaptic neurons of weight layer `layer` not silent in both phases, with both codes.

    Returns how many; the codes are filled up with zeros to whole vectors.
    """
    if layer == 0:
        count = list_nonzero(inputs, inputs.shape[0], pres)
        for a in range(np.uint64(count)):
            pre_plus[a] = pre_minus[a] = inputs[np.uint64(pres[a])]
    else:
        start, n = np.uint64(plan.first[layer]), np.uint64(plan.sizes[layer])
        for i in range(n):
            flags[i] = (plus[start + i] | minus[start + i]) != 0
        count = list_nonzero(flags, n, pres)
        for a in range(np.uint64(count)):
            at = start + np.uint64(pres[a])
            pre_plus[a], pre_minus[a] = plus[at], minus[at]
    for a in range(count, whole_vectors(count, pre_plus.shape[0])):
        pre_plus[a] = pre_minus[a] = 0
    return count


@kernel
def list_posts(plus, minus, moved_only, flags, posts):  # type: ignore[no-untyped-def]
    """List the neurons of a layer that moved between the phases (or, else, are not silent in both phases)."""
    n = np.uint64(plus.shape[0])
    if moved_only:
        for j in range(n):
            flags[j] = plus[j] != minus[j]
    else:
        for j in range(n):
            flags[j] = (plus[j] | minus[j]) != 0
    return list_nonzero(flags, n, posts)


@inlined
def by_what_moved(plan, layer):  # type: ignore[no-untyped-def]
    """Whether only neurons that moved learn from weight layer `layer`: the lowest one, and that below a softmax."""
    return (layer == 0) | (plan.softmax & (layer == plan.sizes.shape[0] - 2))


@inlined
def form_deltas(plus, minus, high, low, rate, noise, count, deltas):  # type: ignore[no-untyped-def]
    """`deltas[a] = round(rate·(plus[a]·high − minus[a]·low))` in 32 bits, a < count; `noise`: half-words, or 0.

    What the codes are multiplied by is multiplied by the rate first: a product less, and 32 bits wrap to the same.
    """
    up, down = mul32(high, rate.multiplier), mul32(low, rate.multiplier)
    once = Register(np.int32(1), rate.right, rate.half, rate.word_left, rate.word_right)
    for a in range(np.uint64(count)):
        deltas[a] = scaled32(sub32(mul32(plus[a], up), mul32(minus[a], down)), once, noise[a])


@inlined
def form_deltas_wide(plus, minus, high, low, rate, noise, count, deltas):  # type: ignore[no-untyped-def]
    """As `form_deltas` where a product or a rounding term needs 64 bits; saturates to ±`FAR`, beyond any format."""
    for a in range(np.uint64(count)):
        wide = scaled(np.int64(plus[a]) * high - np.int64(minus[a]) * low, rate, noise[a])
        deltas[a] = saturate(wide, -FAR, FAR)


@inlined
def plan_sweep(post, rows, pres, deltas, count, pending, named, swept, wear):  # type: ignore[no-untyped-def]
    """Note the first `count` deltas that are not 0 in `pending`, their neurons in `named`, for `write_planned`.

    `swept[0]` counts the sweeps planned; row a of the others is neuron and end of sweep a. The wear counters of the
    neuron's synapses, `wear` (rows,), are asked for.
    """
    planned = swept[0, 0]
    fill = swept[planned, 1]
    for line in range(0, rows, CACHE_LINE):
        prefetch(wear, line)  # type: ignore[call-arg]
    found = pack_nonzero(deltas, pres, count, pending[fill:], named[fill:])  # most deltas are 0
    swept[planned + 1, 0], swept[planned + 1, 1] = post, fill + found
    swept[0, 0] = planned + 1


@inlined
def has_room(count, pending, swept):  # type: ignore[no-untyped-def]
    """Whether another sweep of `count` deltas can be planned."""
    planned = swept[0, 0]
    return planned + 1 < swept.shape[0] and swept[planned, 1] + count <= pending.shape[0]


@kernel
def write_planned(  # type: ignore[no-untyped-def]
    weights, read, reading, mirror, wear, wear_carry, plan, layer, pending, named, swept, weight_peak, events
):
    """Add the planned deltas to their weights, saturating; keeps read codes, wear, mirror and `weight_peak` up to date.

    Apart from planning, so that no sweep waits for what the one before has just written.
    """
    base, rows, n = plan.first_weight[layer], plan.sizes[layer], plan.sizes[layer + 1]
    lowest, highest = np.int32(-plan.weight_limit - 1), np.int32(plan.weight_limit)
    begin, peak = np.int64(0), weight_peak[layer]
    for a in range(1, swept[0, 0] + 1):
        post, end = swept[a, 0], swept[a, 1]
        column, first = weights[base + post :], base + post * rows
        names, moved, worn = named[begin:end], pending[begin:end], wear[first : first + rows]
        carry = wear_carry[first : first + rows]
        reached = write_sweep(column, n, names, moved, lowest, highest, worn, carry, events[:, layer])
        seen = read[base + post :]
        if reading.shape[0] > 0:
            reached = read_peak(reached, reading)
            read_sweep(column, n, names, seen, reading)
        peak = max(peak, reached)
        if layer > 0:
            mirror_sweep(seen, n, names, mirror, base, rows, layer, post)
        begin = end
    swept[0, 0] = 0
    weight_peak[layer] = peak
    events[WEIGHT_WRITES, layer] += begin


@inlined
def write_sweep(column, n, names, deltas, lowest, highest, worn, carry, happened):  # type: ignore[no-untyped-def]
    """Add `deltas` to the weights `column[names · n]`, saturating, and count the codes that change in `worn`.

    Returns an upper bound of |code written|.
    """
    stride, bits = np.uint64(n), np.int32(0)
    for h in range(np.uint64(names.shape[0])):
        pre, once = np.uint64(names[h]), np.uint8(1)
        at = pre * stride
        new = add32(np.int32(column[at]), deltas[h])
        if new > highest or new < lowest:
            new = highest if new > highest else lowest
            happened[WEIGHT_SATURATIONS] += 1
            if new == column[at]:
                happened[WEIGHT_WRITES] -= 1
                once = np.uint8(0)
        bits |= new ^ shr32(new, 31)
        column[at] = new
        times = np.uint8(worn[pre] + once)
        worn[pre] = times
        if times < once:
            carry[pre] += np.uint32(1)
    return np.int64(bits) + 1


@inlined
def read_of(stored, reading):  # type: ignore[no-untyped-def]
    """The read code of a stored code; `reading` (5,): right, half, lowest, highest, odd (`synapses.levels`)."""
    code = (np.int32(stored) + np.int32(reading[1])) >> np.int32(reading[0])
    code = min(max(code, np.int32(reading[2])), np.int32(reading[3]))
    return (code << np.int32(reading[4])) | np.int32(reading[4])


@inlined
def read_peak(peak, reading):  # type: ignore[no-untyped-def]
    """An upper bound of |read code| where |stored code| is at most `peak`."""
    return (((peak + reading[1]) >> reading[0]) + 1) << reading[4]


@inlined
def read_sweep(column, n, names, seen, reading):  # type: ignore[no-untyped-def]
    """Write the read codes of the stored codes `column[names · n]` to `seen`, at the same places."""
    for h in range(np.uint64(names.shape[0])):
        at = np.uint64(names[h]) * np.uint64(n)
        seen[at] = read_of(column[at], reading)


@kernel
def update_weights(  # type: ignore[no-untyped-def]
    weights, read, reading, mirror, wear, wear_carry, inputs, plus, minus, plan, layer, rate, bank, words, halves,
    silence, flags, deltas, pending, named, swept, pres, pre_plus, pre_minus, posts, weight_peak, events,
):  # fmt: skip
    """Sweep every listed post-synaptic neuron of weight layer `layer`."""
    constant = register_of(rate)
    narrow = rate[5] != 0
    start, base = plan.first[layer + 1], plan.first_weight[layer]
    rows, n = plan.sizes[layer], plan.sizes[layer + 1]
    active = list_pres(inputs, plus, minus, plan, layer, flags, pres, pre_plus, pre_minus)
    found = list_posts(plus[start : start + n], minus[start : start + n], by_what_moved(plan, layer), flags, posts)
    steps = steps_for(active, 2 * bank.shape[0]) if plan.stochastic_weights else 0
    noise = halves if plan.stochastic_weights else silence
    whole = whole_vectors(active, pre_plus.shape[0])  # the deltas of what fills up are 0
    swept[0, 0] = swept[0, 1] = 0
    for b in range(found):
        post = np.int64(posts[b])
        high, low = plus[start + post], minus[start + post]
        draw(bank, words, steps)
        if narrow:
            form_deltas(pre_plus, pre_minus, high, low, constant, noise, whole, deltas)
        else:
            form_deltas_wide(pre_plus, pre_minus, high, low, constant, noise, whole, deltas)
        if not has_room(whole, pending, swept):
            write_planned(
                weights, read, reading, mirror, wear, wear_carry, plan, layer, pending, named, swept, weight_peak,
                events,
            )  # fmt: skip
        first = base + post * rows
        plan_sweep(post, rows, pres, deltas, whole, pending, named, swept, wear[first:])
    write_planned(
        weights, read, reading, mirror, wear, wear_carry, plan, layer, pending, named, swept, weight_peak, events
    )
    events[BANK_STEPS, 0] += steps * found
    events[PAIRS, layer] += active * found


@kernel
def update_biases(biases, plus, minus, plan, layer, rate, bank, words, halves, flags, posts, events):  # type: ignore[no-untyped-def]
    """`Δb_j = (lr / beta)·(s_j⁺ − s_j⁻)` for the neurons of `layer` that moved, in one sweep.

    The a-th neuron that moved takes the a-th half-word, so words are drawn for as many as there are.
    """
    constant = register_of(rate)
    start, end = plan.first[layer], plan.first[layer] + plan.sizes[layer]
    moved = list_posts(plus[start:end], minus[start:end], True, flags, posts)
    steps = steps_for(moved, 2 * bank.shape[0]) if plan.stochastic_biases else 0
    draw(bank, words, steps)
    writes = 0
    for a in range(moved):
        j = start + posts[a]
        noise = halves[a] if plan.stochastic_biases else np.uint16(0)
        old = np.int64(biases[j])
        new = saturate(old + scaled(plus[j] - minus[j], constant, noise), -plan.bias_limit - 1, plan.bias_limit)
        writes += new != old
        biases[j] = new
    events[BANK_STEPS, 0] += steps
    events[BIAS_MOVES, layer] += moved
    events[BIAS_WRITES, layer] += writes
