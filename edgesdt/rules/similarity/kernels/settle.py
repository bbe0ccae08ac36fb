"""From an input to the states of a layer: centre it, weigh it, and settle until b − M y is at rest."""

from __future__ import annotations

import numpy as np

from edgesdt.kernels.arithmetic import add32, mul32, saturate
from edgesdt.kernels.jit import inlined, kernel
from edgesdt.kernels.sixteens import LANES
from edgesdt.rules.similarity.kernels.lanes import (
    four_sums,
    lowest,
    subtract,
    subtract_and_look,
    ways_open,
    ways_wanted,
)


@inlined
def rounded(wide, right, nearest):  # type: ignore[no-untyped-def]
    """`wide · 2^-right` to a whole number: ties up, or down to the floor; exact where `right` is 0 or less."""
    half = (np.int64(1) << (right - 1)) if nearest and right > 0 else np.int64(0)
    return (wide + half) >> right if right > 0 else wide << -right


@kernel
def move_mean(source, mean, seen, right, longest):  # type: ignore[no-untyped-def]
    """Each mean a share of the way to its code; `seen` (1,) counts. Returns how many means changed."""
    share, count = np.int64(0), np.int64(seen[0]) + 1
    while share < longest and (count >> (share + 1)) != 0:
        share += 1
    half = (np.int64(1) << (share - 1)) if share > 0 else np.int64(0)
    writes = np.int64(0)
    for i in range(np.uint64(mean.shape[0])):
        old = np.int32(mean[i])
        new = np.int32(old + ((((np.int64(source[i]) << right) - old) + half) >> share))
        writes += new != old
        mean[i] = new
    seen[0] = min(count, np.int64(1) << longest)
    return writes


@kernel
def take_off(source, mean, right, codes):  # type: ignore[no-untyped-def]
    """`codes = source − R(mean)`; without a mean the source itself. Returns how many are not 0."""
    half, found = ((np.int64(1) << right) >> 1), np.int64(0)
    if mean.shape[0] == 0:
        for i in range(np.uint64(source.shape[0])):
            codes[i] = source[i]
            found += source[i] != 0
        return found
    for i in range(np.uint64(source.shape[0])):
        code = np.int32(source[i]) - np.int32((mean[i] + half) >> right)
        codes[i] = code
        found += code != 0
    return found


@kernel
def weigh(codes, weights, sums, n, peak, limit):  # type: ignore[no-untyped-def]
    """`sums[j] = Σ_i codes[i] · weights[j, i]`, saturating after every addition. Returns how often that happened.

    `peak` bounds |weight|: where no partial sum can leave the accumulator, the order does not matter.
    """
    rows, total = np.uint64(codes.shape[0]), np.int64(0)
    for i in range(rows):
        total += abs(np.int64(codes[i]))
    if total * peak <= limit:
        weigh_in_fours(codes, weights, sums, np.uint64(n))
        return np.int64(0)
    hits = np.int64(0)
    for j in range(np.uint64(n)):
        far = np.int64(0)
        for i in range(rows):
            wide = far + np.int64(weights[j * rows + i]) * np.int64(codes[i])
            far = saturate(wide, -limit - 1, limit)
            hits += far != wide
        sums[j] = far
    return hits


@inlined
def weigh_in_fours(codes, weights, sums, n):  # type: ignore[no-untyped-def]
    """`weigh` four neurons at a time, where nothing can saturate."""
    rows, one = np.uint64(codes.shape[0]), np.uint64(1)
    whole = rows // np.uint64(LANES) * np.uint64(LANES)
    j, four = np.uint64(0), np.uint64(4)
    while j + four <= n:
        sums[j], sums[j + one], sums[j + np.uint64(2)], sums[j + np.uint64(3)] = four_sums(  # type: ignore[call-arg]
            weights, j * rows, rows, codes, rows
        )
        j += four
    while j < n:
        near = np.int32(0)
        for i in range(whole):
            near = add32(near, mul32(np.int32(weights[j * rows + i]), np.int32(codes[i])))
        sums[j] = near
        j += one
    if whole != rows:
        for k in range(n):
            near = np.int32(sums[k])
            for i in range(whole, rows):
                near = add32(near, mul32(np.int32(weights[k * rows + i]), np.int32(codes[i])))
            sums[k] = near


@kernel
def drive(sums, n, vectors, label, ratio, right, label_left, limit):  # type: ignore[no-untyped-def]
    """n sums to residuals of states at 0: times the ratio of the gains, and the vector of the label added if any."""
    for j in range(n):
        code = saturate(rounded(np.int64(sums[j]) * ratio, right, True), -limit - 1, limit)
        if label >= 0:
            code = saturate(code + (np.int64(vectors[label * n + j]) << label_left), -limit - 1, limit)
        sums[j] = code


@kernel
def send(residuals, row, change, limit):  # type: ignore[no-untyped-def]
    """A change of a state to all residuals: `a −= M · change`. Returns how many saturated."""
    hits = np.int64(0)
    for i in range(residuals.shape[0]):
        wide = np.int64(residuals[i]) - np.int64(row[i]) * np.int64(change)
        kept = saturate(wide, -limit - 1, limit)
        hits += kept != wide
        residuals[i] = kept
    return hits


@inlined
def send_whole(residuals, mirror, row, first, end, change):  # type: ignore[no-untyped-def]
    """`send` where no residual can saturate, to the sixteens `first` to `end - 1`."""
    for b in range(first, end):
        subtract(residuals, mirror, row, b * np.uint64(LANES), change)  # type: ignore[call-arg]


@inlined
def is_safe(residuals, n, peak, state_limit, limit):  # type: ignore[no-untyped-def]
    """Whether no residual of n neurons can leave the accumulator, whatever the states."""
    largest = np.int64(0)
    for j in range(np.uint64(residuals.shape[0])):
        largest = max(largest, abs(np.int64(residuals[j])))
    return largest + n * peak * state_limit <= limit


@inlined
def either(ways):  # type: ignore[no-untyped-def]
    """A bit for each of sixteen neurons that has one of its two ways in `ways`."""
    return (ways | (ways >> np.uint64(LANES))) & np.uint64((1 << LANES) - 1)


@kernel
def settle_whole(residuals, states, mirror, neurons, plan):  # type: ignore[no-untyped-def]
    """`settle` where nothing saturates: sixteen neurons at a time are asked which of them would move.

    A neuron that has moved is not asked again before the next sweep, so the ways that are open stay as they are.
    """
    lanes, blocks, zero = np.uint64(LANES), np.uint64(residuals.shape[0] // LANES), np.uint64(0)
    up, down, top = neurons.above, neurons.below, np.int32(plan.state_limit)
    changes, one = np.int64(0), np.uint64(1)
    for sweep in range(plan.steps):
        before = changes
        for b in range(blocks):
            at = b * lanes
            free = ways_open(states, top, at)  # type: ignore[call-arg, var-annotated]
            waiting = either(free & ways_wanted(residuals, up, down, at))
            while waiting != zero:
                j = at + lowest(waiting)
                old, row = np.int64(states[j]), j * blocks * lanes
                way = np.int64(residuals[j]) * np.int64(neurons.reciprocals[j])
                new = saturate(old + rounded(way, np.int64(neurons.shifts[j]), plan.state_nearest), 0, plan.state_limit)
                states[j], change = new, np.int32(new - old)
                changes += 1
                ways = subtract_and_look(residuals, mirror, row, at, change, up, down)
                send_whole(residuals, mirror, row, zero, b, change)
                send_whole(residuals, mirror, row, b + one, blocks, change)
                waiting = either(free & ways) & (~zero << (j + one - at))
        if changes == before:
            return changes, np.int64(sweep + 1)
    return changes, np.int64(plan.steps)


@kernel
def settle(residuals, states, mirror, neurons, n, peak, plan):  # type: ignore[no-untyped-def]
    """Gauss–Seidel: sweep by sweep every neuron to the optimum of its own state, given all others.

    The arrays have room for whole sixteens behind the n neurons. Returns the changes, the sweeps up to the first
    without one (all later ones would be the same) and the saturations.
    """
    limit, top, stride = plan.accumulator_limit, plan.state_limit, residuals.shape[0]
    changes, hits = np.int64(0), np.int64(0)
    for j in range(stride):
        states[j] = 0
    if is_safe(residuals, n, peak, top, limit):
        changes, sweeps = settle_whole(residuals, states, mirror, neurons, plan)
        return changes, sweeps, hits
    for sweep in range(plan.steps):
        before = changes
        for j in range(n):
            old = np.int64(states[j])
            way = np.int64(residuals[j]) * np.int64(neurons.reciprocals[j])
            new = saturate(old + rounded(way, np.int64(neurons.shifts[j]), plan.state_nearest), 0, top)
            if new != old:
                states[j] = new
                changes += 1
                hits += send(residuals[:n], mirror[j * stride : j * stride + n], new - old, limit)
        if changes == before:
            return changes, np.int64(sweep + 1), hits
    return changes, np.int64(plan.steps), hits


@kernel
def relax(residuals, states, mirror, step, n, peak, plan, moved):  # type: ignore[no-untyped-def]
    """Damped: all neurons of the layer together a share of the way along their residuals. Returns as `settle`."""
    limit, top, stride = plan.accumulator_limit, plan.state_limit, residuals.shape[0]
    fast, changes, hits = is_safe(residuals, n, peak, top, limit), np.int64(0), np.int64(0)
    for j in range(stride):
        states[j] = 0
    for sweep in range(plan.steps):
        before = changes
        for j in range(n):
            old = np.int64(states[j])
            way = rounded(np.int64(residuals[j]) * step, plan.dt_right, plan.state_nearest)
            new = saturate(old + way, 0, top)
            moved[j] = new - old
            states[j] = new
        for j in range(n):
            if moved[j] != 0:
                changes += 1
                if fast:
                    send_whole(
                        residuals, mirror, np.uint64(j * stride), np.uint64(0), np.uint64(stride // LANES),
                        np.int32(moved[j]),
                    )  # fmt: skip
                else:
                    row = mirror[j * stride : j * stride + n]
                    hits += send(residuals[:n], row, np.int64(moved[j]), limit)
        if changes == before:
            return changes, np.int64(sweep + 1), hits
    return changes, np.int64(plan.steps), hits
