"""From an input to the states of a layer: centre it, weigh it, and settle until b − M y is at rest."""

from __future__ import annotations

import numpy as np

from edgesdt.kernels.arithmetic import add32, mul32, saturate, sub32
from edgesdt.kernels.jit import inlined, kernel


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
def weigh(codes, weights, sums, peak, limit):  # type: ignore[no-untyped-def]
    """`sums[j] = Σ_i codes[i] · weights[j, i]`, saturating after every addition. Returns how often that happened.

    `peak` bounds |weight|: where no partial sum can leave the accumulator, the order does not matter.
    """
    rows, total = np.uint64(codes.shape[0]), np.int64(0)
    for i in range(rows):
        total += abs(np.int64(codes[i]))
    hits = np.int64(0)
    for j in range(np.uint64(sums.shape[0])):
        row = weights[j * rows : j * rows + rows]
        if total * peak <= limit:
            near = np.int32(0)
            for i in range(rows):
                near = add32(near, mul32(np.int32(row[i]), np.int32(codes[i])))
            sums[j] = near
        else:
            far = np.int64(0)
            for i in range(rows):
                wide = far + np.int64(row[i]) * np.int64(codes[i])
                far = saturate(wide, -limit - 1, limit)
                hits += far != wide
            sums[j] = far
    return hits


@kernel
def drive(sums, vectors, label, ratio, right, label_left, limit):  # type: ignore[no-untyped-def]
    """Sums to residuals of states at 0: times the ratio of the gains, and the vector of the label added if any."""
    n = sums.shape[0]
    for j in range(n):
        code = saturate(rounded(np.int64(sums[j]) * ratio, right, True), -limit - 1, limit)
        if label >= 0:
            code = saturate(code + (np.int64(vectors[label * n + j]) << label_left), -limit - 1, limit)
        sums[j] = code


@kernel
def send(residuals, row, change, fast, limit):  # type: ignore[no-untyped-def]
    """A change of a state to all residuals: `a −= M · change`. Returns how many saturated."""
    hits = np.int64(0)
    if fast:
        step = np.int32(change)
        for i in range(np.uint64(residuals.shape[0])):
            residuals[i] = sub32(residuals[i], mul32(np.int32(row[i]), step))
        return hits
    for i in range(residuals.shape[0]):
        wide = np.int64(residuals[i]) - np.int64(row[i]) * np.int64(change)
        kept = saturate(wide, -limit - 1, limit)
        hits += kept != wide
        residuals[i] = kept
    return hits


@inlined
def is_safe(residuals, peak, state_limit, limit):  # type: ignore[no-untyped-def]
    """Whether no residual can leave the accumulator, whatever the states."""
    largest = np.int64(0)
    for j in range(np.uint64(residuals.shape[0])):
        largest = max(largest, abs(np.int64(residuals[j])))
    return largest + residuals.shape[0] * peak * state_limit <= limit


@kernel
def settle(residuals, states, mirror, reciprocals, shifts, peak, plan):  # type: ignore[no-untyped-def]
    """Gauss–Seidel: sweep by sweep every neuron to the optimum of its own state, given all others.

    Returns the changes, the sweeps up to the first without one (all later ones would be the same) and the saturations.
    """
    n, limit, top = states.shape[0], plan.accumulator_limit, plan.state_limit
    fast, changes, hits = is_safe(residuals, peak, top, limit), np.int64(0), np.int64(0)
    for j in range(n):
        states[j] = 0
    for sweep in range(plan.steps):
        before = changes
        for j in range(n):
            old, apart = np.int64(states[j]), np.int64(residuals[j])
            if old == 0 and apart <= 0:
                continue
            way = apart * np.int64(reciprocals[j])
            new = saturate(old + rounded(way, np.int64(shifts[j]), plan.state_nearest), 0, top)
            if new != old:
                states[j] = new
                changes += 1
                hits += send(residuals, mirror[j * n : j * n + n], new - old, fast, limit)
        if changes == before:
            return changes, sweep + 1, hits
    return changes, plan.steps, hits


@kernel
def relax(residuals, states, mirror, step, peak, plan, moved):  # type: ignore[no-untyped-def]
    """Damped: all neurons of the layer together a share of the way along their residuals. Returns as `settle`."""
    n, limit, top = states.shape[0], plan.accumulator_limit, plan.state_limit
    fast, changes, hits = is_safe(residuals, peak, top, limit), np.int64(0), np.int64(0)
    for j in range(n):
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
                hits += send(residuals, mirror[j * n : j * n + n], np.int64(moved[j]), fast, limit)
        if changes == before:
            return changes, sweep + 1, hits
    return changes, plan.steps, hits
