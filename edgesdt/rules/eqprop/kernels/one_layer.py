"""Both phases of a chip with one layer, looked up: nothing feeds back on the drive, so a phase is a function of it.

A neuron at rest, with a constant drive and one of a few pulls, ends a phase in a state that only these decide.
`tabulate` runs the steps of `relax` once for every drive code; a sample then looks up the few neurons that its drive
can move. Same integers, and the same counts of changed codes, as step by step.
"""

from __future__ import annotations

import numpy as np

from edgesdt.kernels.arithmetic import saturate, scaled, sub32
from edgesdt.kernels.jit import inlined, kernel
from edgesdt.kernels.layout import NUDGED_CHANGES, STATE_CHANGES
from edgesdt.kernels.listing import list_reaching
from edgesdt.rules.eqprop.kernels.movers import stepped
from edgesdt.rules.eqprop.kernels.relax import MOVERS

FREE, TOWARDS, AWAY = 0, 1, 3
"""Rows of the tables: free phase; nudged with the sign of beta positive, negative (loser; the next row: winner)."""
ROWS = 5
MOST_DRIVES = 1 << 14
"""Drive codes up to which tables pay: those of 10-bit states."""


@kernel
def tabulate(plan, ends, moves):  # type: ignore[no-untyped-def]
    """Fill `ends` and `moves` (5, drives): final state and number of changes, by drive code + drive_limit + 1."""
    for column in range(ends.shape[1]):
        drive = np.int32(column - plan.drive_limit - 1)
        settle_one(plan, drive, FREE, np.int32(0), np.int32(0), plan.free_steps, column, ends, moves)
        for row in range(1, ROWS):
            target = np.int32(plan.target_low if row % 2 == 1 else plan.target_high)
            sign = np.int32(1 if row < AWAY else -1)
            settle_one(plan, drive, row, target, sign, plan.nudged_steps, column, ends, moves)


@inlined
def settle_one(plan, drive, row, target, sign, steps, column, ends, moves):  # type: ignore[no-untyped-def]
    """One entry: `steps` steps from rest (free phase) or from the end of the free phase."""
    state = np.int32(0) if row == FREE else ends[FREE, column]
    changes = np.int32(0)
    for _ in range(steps):
        new = stepped(state, drive, target, plan, sign, 0)
        if sub32(new, state) == 0:
            break
        changes += np.int32(1)
        state = new
    ends[row, column], moves[row, column] = state, changes


@inlined
def least_moving(plan):  # type: ignore[no-untyped-def]
    """The smallest accumulator code that can move a neuron at rest in any phase if it is not a winner."""
    pull = max(scaled(np.int64(plan.target_low), plan.beta, 0), 0)
    least = ((1 - pull) << plan.drive_right) - plan.drive_half
    return np.int32(max(least, -(1 << 31)))


@inlined
def drive_of(accumulator, plan):  # type: ignore[no-untyped-def]
    """Column of the tables for an accumulator code."""
    drive = (np.int64(accumulator) + plan.drive_half) >> plan.drive_right
    return saturate(drive, -plan.drive_limit - 1, plan.drive_limit) + plan.drive_limit + 1


@kernel
def free_phase(states, accumulators, keep, plan, ends, moves, movers, mover_drive, counts, events):  # type: ignore[no-untyped-def]
    """Free phase from rest: list who can move in this or the nudged phase, and look up where they end."""
    count = np.uint64(list_reaching(accumulators, least_moving(plan), keep, movers))
    changes = np.int64(0)
    for c in range(count):
        at = np.uint64(movers[c])
        column = np.uint64(drive_of(accumulators[at], plan))
        mover_drive[c] = column
        states[at] = ends[FREE, column]
        changes += moves[FREE, column]
    counts[MOVERS, 1] = count
    events[STATE_CHANGES, 1] += changes


@kernel
def nudged_phase(  # type: ignore[no-untyped-def]
    states, accumulators, keep, target, winners, plan, sign, ends, moves, movers, mover_drive, counts, events
):
    """Nudged phase from the end of the free one; `sign` is that of beta."""
    loser = np.uint64(TOWARDS if sign > 0 else AWAY)
    changes, least = np.int64(0), least_moving(plan)
    for c in range(np.uint64(counts[MOVERS, 1])):
        at, column = np.uint64(movers[c]), np.uint64(mover_drive[c])
        row = loser + np.uint64(target[at] != 0)
        states[at] = ends[row, column]
        changes += moves[row, column]
    for j in winners:
        at = np.uint64(j)
        if j >= 0 and accumulators[at] < least and keep[at] != 0:
            column = np.uint64(drive_of(accumulators[at], plan))
            states[at] = ends[loser + np.uint64(1), column]
            changes += moves[loser + np.uint64(1), column]
    events[STATE_CHANGES, 1] += changes
    events[NUDGED_CHANGES, 1] += changes
