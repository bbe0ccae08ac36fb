"""The movers of a layer: the neurons that can move while its drive stays as it is, and their steps.

A neuron at 0 whose drive and pull are not positive cannot move. A single layer, whose drive is constant, takes all its
steps on them; states that are rounded at random draw a half-word for each mover.
"""

from __future__ import annotations

import numpy as np

from edgesdt.kernels.arithmetic import add32, mul32, saturate, scaled, scaled32, sub32, whole_vectors
from edgesdt.kernels.jit import inlined, kernel
from edgesdt.kernels.listing import list_nonzero


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
