"""Relaxation: the free and nudged phases, one Jacobi step after another, in state codes.

`s ← clamp(s + dt·(drive − s [± beta·(target − s)]))` (Liu et al. 2024, eq. of the dynamics). The drive of a layer is
its accumulator rounded to the state LSB. Accumulators are kept up to date by differences: when a state code changes by
Δ, `Δ·w` is added in the layers above and below. A neuron at 0 whose drive and pull are not positive cannot move, so
only the *movers* are stepped; when no code changes, the fixed point is reached and the remaining steps do nothing.
"""

from __future__ import annotations

import numpy as np

from edgesdt.kernels.arithmetic import add32, mul32, saturate, scaled, scaled32, sub32, whole_vectors
from edgesdt.kernels.jit import inlined, kernel
from edgesdt.kernels.layout import BANK_STEPS, NUDGED_CHANGES, STATE_CHANGES
from edgesdt.kernels.listing import list_nonzero
from edgesdt.kernels.random_bank import draw, steps_for
from edgesdt.kernels.softmax import softmax
from edgesdt.synapses.store import add_changes

MOVERS, CHANGES, STALE = 0, 1, 2


@kernel
def gather(  # type: ignore[no-untyped-def]
    states, accumulators, keep, target, plan, sign, flags, movers, mover_state, mover_drive, mover_target
):
    """List the movers of one layer: neuron, state, drive and target code of each. Returns how many.

    The codes are filled up to whole vectors with zeros, which cannot move.
    `keep` and `target` have length 0 in a hidden layer; `sign` is that of beta, 0 where nothing pulls.
    """
    pull_low = scaled(np.int64(plan.target_low), plan.beta, 0) * sign
    pull_high = scaled(np.int64(plan.target_high), plan.beta, 0) * sign
    silent = np.int32(max(-((max(pull_low, 0) + 1) << plan.drive_right), -(1 << 31)))
    n = np.uint64(states.shape[0])
    if sign > 0:
        for j in range(n):
            flags[j] = (accumulators[j] >= silent) | (states[j] != 0) | (target[j] != 0)
    else:
        for j in range(n):
            flags[j] = (accumulators[j] >= silent) | (states[j] != 0)
    listed = list_nonzero(flags, n, movers)
    count = np.uint64(0)
    for c in range(np.uint64(listed)):
        at = np.uint64(movers[c])
        if keep.shape[0] > 0 and keep[at] == 0:
            continue
        high = sign != 0 and target[at] != 0
        drive = (np.int64(accumulators[at]) + plan.drive_half) >> plan.drive_right
        drive = saturate(drive, -plan.drive_limit - 1, plan.drive_limit)
        if states[at] == 0 and drive + (pull_high if high else pull_low) <= 0:
            continue
        movers[count] = at
        mover_state[count] = states[at]
        mover_drive[count] = drive
        mover_target[count] = plan.target_high if high else plan.target_low
        count += np.uint64(1)
    for idle in range(np.int64(count), whole_vectors(np.int64(count), movers.shape[0])):
        mover_state[idle] = mover_drive[idle] = mover_target[idle] = 0
    return np.int64(count)


@inlined
def stepped(state, drive, target, plan, sign, word):  # type: ignore[no-untyped-def]
    """`clamp(s + dt·(drive − s + sign·beta·(target − s)))` in 32 bits (states ≤ 16 and constants ≤ 10 bits)."""
    pull = mul32(sign, scaled32(sub32(target, state), plan.beta, 0))
    slope = add32(sub32(drive, state), pull)
    moved = add32(state, scaled32(slope, plan.dt, word))
    return max(min(moved, np.int32(plan.state_limit)), np.int32(0))


@kernel
def step(state, drive, target, change, plan, sign):  # type: ignore[no-untyped-def]
    """One step of the movers of a layer; `change` receives the differences. Returns how many codes changed."""
    s, changed = np.int32(sign), np.int32(0)
    for c in range(state.shape[0]):
        new = stepped(state[c], drive[c], target[c], plan, s, 0)
        change[c] = sub32(new, state[c])
        changed = add32(changed, np.int32(new != state[c]))
        state[c] = new
    return np.int64(changed)


@kernel
def settle_alone(state, drive, target, plan, sign, steps):  # type: ignore[no-untyped-def]
    """Up to `steps` steps of the movers of a layer whose drive stays as it is; stops at the fixed point.

    Returns how many codes changed, over all steps.
    """
    s, total = np.int32(sign), np.int64(0)
    for _ in range(steps):
        changed = np.int32(0)
        if s == 0:
            for c in range(state.shape[0]):  # `stepped` without a pull
                new = add32(state[c], scaled32(sub32(drive[c], state[c]), plan.dt, 0))
                new = max(min(new, np.int32(plan.state_limit)), np.int32(0))
                changed = add32(changed, np.int32(new != state[c]))
                state[c] = new
        else:
            for c in range(state.shape[0]):
                new = stepped(state[c], drive[c], target[c], plan, s, 0)
                changed = add32(changed, np.int32(new != state[c]))
                state[c] = new
        total += changed
        if changed == 0:
            break
    return total


@kernel
def step_stochastic(state, drive, target, change, plan, sign, noise):  # type: ignore[no-untyped-def]
    """One step of the movers of a layer, each rounded with its random half-word. Returns how many codes changed."""
    s, changed = np.int32(sign), np.int64(0)
    for c in range(state.shape[0]):
        new = stepped(state[c], drive[c], target[c], plan, s, noise[c])
        change[c] = sub32(new, state[c])
        changed += new != state[c]
        state[c] = new
    return changed


@kernel
def write_back(states, movers, mover_state):  # type: ignore[no-untyped-def]
    """Write the states of the movers back to their neurons."""
    for c in range(movers.shape[0]):
        states[movers[c]] = mover_state[c]


@kernel
def list_changes(movers, changes, change_by):  # type: ignore[no-untyped-def]
    """Keep in `changes` and `change_by` only the movers that changed; `change_by` comes with all differences."""
    changed = 0
    for c in range(movers.shape[0]):
        difference = change_by[c]
        changes[changed] = movers[c]
        change_by[changed] = difference
        changed += difference != 0


@kernel
def propagate(accumulators, store, plan, changes, change_by, counts, reach, events):  # type: ignore[no-untyped-def]
    """Add the listed state changes, weighted, to the accumulators above (then below), layer by layer upwards."""
    last = plan.sizes.shape[0] - 1
    for layer in range(1, last + 1):
        count = counts[CHANGES, layer]
        if count == 0:
            continue
        index = changes[plan.first[layer] :][:count]
        change = change_by[plan.first[layer] :][:count]
        if layer < last:
            add_changes(store, layer, True, index, change, plan.state_left, accumulators, plan, reach, events)
            counts[STALE, layer + 1] = 1
        if layer > 1:
            add_changes(store, layer - 1, False, index, change, plan.state_left, accumulators, plan, reach, events)
            counts[STALE, layer - 1] = 1


@kernel
def nudge_from_softmax(  # type: ignore[no-untyped-def]
    nudges, accumulators, keep, target, exponentials, reciprocals, plan, sign, shares, changes, change_by
):
    """One step of softmax outputs: `sign·beta·(target − share)`, the nudge of the layer below, in state codes.

    Lists the nudges that changed, and by how much; returns how many.
    """
    softmax(
        accumulators, shares, exponentials, reciprocals, plan.drive_right, plan.drive_half, plan.drive_limit,
        plan.exponent_right, plan.state_bits,
    )  # fmt: skip
    changed, limit = 0, np.int64(plan.state_limit)
    for j in range(nudges.shape[0]):
        apart = np.int64(plan.target_high if target[j] != 0 else plan.target_low) - np.int64(shares[j])
        new = saturate(sign * scaled(apart, plan.beta, 0), -limit - 1, limit) if keep[j] != 0 else np.int64(0)
        difference = new - np.int64(nudges[j])
        changes[changed], change_by[changed] = j, difference
        changed += difference != 0
        nudges[j] = new
    return changed


@inlined
def step_layers(  # type: ignore[no-untyped-def]
    states, accumulators, keep, target, exponentials, reciprocals, bank, plan, burst, sign, flags, movers, mover_state,
    mover_drive, mover_target, changes, change_by, counts, words, halves, events,
):  # fmt: skip
    """Step every layer from the old states, `burst` times where nothing feeds back; returns how many codes changed.

    With more than one layer, lists what changed for those who pass it on.
    """
    last, total = plan.sizes.shape[0] - 1, np.int64(0)
    for layer in range(1, last + 1):
        start, end = plan.first[layer], plan.first[layer] + plan.sizes[layer]
        top = layer == last
        pull = sign if top else np.int64(0)
        if top and plan.softmax:
            counts[CHANGES, layer] = 0
            if sign != 0:
                moved = nudge_from_softmax(
                    states[start:end], accumulators[start:end], keep, target, exponentials, reciprocals, plan, sign,
                    mover_state[start:end], changes[start:end], change_by[start:end],
                )  # fmt: skip
                counts[CHANGES, layer] = moved
                events[STATE_CHANGES, layer] += moved
                events[NUDGED_CHANGES, layer] += moved
                total += moved
            continue
        if counts[STALE, layer] != 0:
            counts[STALE, layer] = 0
            counts[MOVERS, layer] = gather(
                states[start:end], accumulators[start:end], keep if top else keep[:0],
                target if top else target[:0], plan, pull, flags, movers[start:end], mover_state[start:end],
                mover_drive[start:end], mover_target[start:end],
            )  # fmt: skip
        until = start + counts[MOVERS, layer]
        whole = until if plan.stochastic_states else start + whole_vectors(until - start, end - start)
        state, drive = mover_state[start:whole], mover_drive[start:whole]
        aims, change = mover_target[start:whole], change_by[start:whole]
        if plan.stochastic_states:
            bank_steps = steps_for(until - start, 2 * bank.shape[0])
            draw(bank, words, bank_steps)
            events[BANK_STEPS, 0] += bank_steps
            moved = step_stochastic(state, drive, aims, change, plan, pull, halves)
        elif burst > 1:
            moved = settle_alone(state, drive, aims, plan, pull, burst)
        else:
            moved = step(state, drive, aims, change, plan, pull)
        counts[CHANGES, layer] = moved
        events[STATE_CHANGES, layer] += moved
        if pull != 0:
            events[NUDGED_CHANGES, layer] += moved
        total += moved
        if last > 1 and moved > 0:
            write_back(states[start:end], movers[start:until], mover_state[start:until])
            list_changes(movers[start:until], changes[start:until], change_by[start:until])
    return total


@kernel
def relax(  # type: ignore[no-untyped-def]
    states, accumulators, keep, target, exponentials, reciprocals, store, bank, plan, steps, sign, flags, movers,
    mover_state, mover_drive, mover_target, changes, change_by, counts, reach, words, halves, events,
):  # fmt: skip
    """Run `steps` Jacobi steps of every layer; `sign` is 0 in the free phase, +1 or −1 (that of beta) when nudged."""
    last = plan.sizes.shape[0] - 1
    counts[STALE, last] = 1
    # with one layer nothing feeds back on the drive: all steps can be taken in one go
    burst = steps if last == 1 and not plan.stochastic_states else 1
    for _ in range(steps // burst):
        changed = step_layers(
            states, accumulators, keep, target, exponentials, reciprocals, bank, plan, burst, sign, flags, movers,
            mover_state, mover_drive, mover_target, changes, change_by, counts, words, halves, events,
        )  # fmt: skip
        if changed == 0 and not plan.stochastic_states:
            break
        if last > 1:
            propagate(accumulators, store, plan, changes, change_by, counts, reach, events)
    if last == 1 and not plan.softmax:
        write_back(states, movers[: counts[MOVERS, 1]], mover_state)


@kernel
def list_return(states, free_states, plan, changes, change_by, counts, events):  # type: ignore[no-untyped-def]
    """Set every state back to its free value (nudges of a softmax to 0); lists the changes, for `propagate` to undo."""
    last = plan.sizes.shape[0] - 1
    for layer in range(1, last + 1):
        start, count = plan.first[layer], 0
        for j in range(plan.sizes[layer]):
            free = np.int32(0) if plan.softmax and layer == last else free_states[start + j]
            difference = free - states[start + j]
            changes[start + count] = j
            change_by[start + count] = difference
            count += difference != 0
            states[start + j] = free
        counts[CHANGES, layer] = count
        counts[STALE, layer] = 1
        events[STATE_CHANGES, layer] += count
