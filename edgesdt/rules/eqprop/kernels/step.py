"""One step of all neurons of a layer, in vectors: quicker than finding out first which of them can move."""

from __future__ import annotations

import numpy as np

from edgesdt.kernels.arithmetic import add32, saturate, scaled32, sub32
from edgesdt.kernels.jit import inlined, kernel
from edgesdt.kernels.listing import list_nonzero
from edgesdt.rules.eqprop.kernels.movers import stepped


@inlined
def drive_of(accumulator, plan):  # type: ignore[no-untyped-def]
    """The drive code (int32) of an accumulator code, saturated."""
    drive = (np.int64(accumulator) + plan.drive_half) >> plan.drive_right
    return np.int32(saturate(drive, -plan.drive_limit - 1, plan.drive_limit))


@kernel
def step_all(states, accumulators, keep, target, plan, sign, moved, changes, change_by):  # type: ignore[no-untyped-def]
    """Step every neuron of one layer; list in `changes` who moved and in `change_by` by how much. Returns how many.

    `keep` has length 0 in a hidden layer, and `target` is read only where `sign`, that of beta, is not 0. `moved` (n,)
    is scratch. States are rounded to nearest or down.
    """
    n, s = np.uint64(states.shape[0]), np.int32(sign)
    high, low, limit = np.int32(plan.target_high), np.int32(plan.target_low), np.int32(plan.state_limit)
    if s == 0:
        for j in range(n):  # `stepped` without a pull
            new = add32(states[j], scaled32(sub32(drive_of(accumulators[j], plan), states[j]), plan.dt, 0))
            moved[j] = sub32(saturate(new, np.int32(0), limit), states[j])
    else:
        for j in range(n):
            aim = high if target[j] != 0 else low
            new = stepped(states[j], drive_of(accumulators[j], plan), aim, plan, s, 0)
            moved[j] = sub32(new, states[j])
    for j in range(np.uint64(keep.shape[0])):
        moved[j] = moved[j] if keep[j] != 0 else np.int32(0)
    for j in range(n):
        states[j] = add32(states[j], moved[j])
    count = list_nonzero(moved, n, changes)
    for c in range(np.uint64(count)):
        change_by[c] = moved[np.uint64(changes[c])]
    return count
