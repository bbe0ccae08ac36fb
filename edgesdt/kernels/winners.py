"""The self-defined target: k-winner-take-all over (output state − homeostasis), and the homeostasis itself."""

from __future__ import annotations

import numpy as np
from numba import njit

from edgesdt.kernels.arithmetic import saturate, scaled, shl32, sub32

_BLOCK = np.uint64(64)
_NEVER = np.int32(-(1 << 31))


@njit(nogil=True, cache=True)
def pick_winners(outputs, homeostasis, keep, output_left, keys, winners):  # type: ignore[no-untyped-def]
    """Write the k kept outputs with the largest `state − homeostasis` to `winners`, best first; ties: lowest index.

    Keys are compared in homeostasis LSBs (`output_left` aligns a state code). One pass: a block of outputs is looked
    into only if its largest key beats the k-th best so far. Fewer than k kept outputs leave -1 in the unused places.
    """
    n, k = outputs.shape[0], winners.shape[0]
    left = np.int32(output_left)
    for j in range(n):
        key = sub32(shl32(outputs[j], left), homeostasis[j])
        keys[j] = key if keep[j] != 0 else _NEVER
    for place in range(k):
        winners[place] = -1
    found = 0
    bar = _NEVER
    start, total = np.uint64(0), np.uint64(n)
    while start < total:
        end = min(start + _BLOCK, total)
        top = _NEVER
        for j in range(start, end):
            top = max(top, keys[j])
        first, start = start, end
        if top <= bar:
            continue
        for j in range(first, end):
            if keys[j] <= bar:
                continue
            place = min(found, k - 1)
            while place > 0 and keys[j] > keys[winners[place - 1]]:
                winners[place] = winners[place - 1]
                place -= 1
            winners[place] = j
            found = min(found + 1, k)
            if found == k:
                bar = keys[winners[k - 1]]


@njit(nogil=True, cache=True)
def set_target(target, winners):  # type: ignore[no-untyped-def]
    """Make the target high (1) at the indices `winners` (entries of -1 are ignored) and low (0) elsewhere."""
    for j in range(target.shape[0]):
        target[j] = 0
    for j in winners:
        if j >= 0:
            target[j] = 1


@njit(nogil=True, cache=True)
def settle_homeostasis(target, activity, homeostasis, plan):  # type: ignore[no-untyped-def]
    """`A ← A + eta·(d − A)`; `H ← H + gamma·(A − A*)`, with d the 0/1 target of this sample (Liu et al. 2024, §2)."""
    one, aim, limit = plan.activity_one, plan.activity_aim, plan.homeostasis_limit
    for j in range(target.shape[0]):
        shown = one if target[j] != 0 else 0
        running = saturate(activity[j] + scaled(np.int32(shown - activity[j]), plan.eta, 0), 0, one)
        activity[j] = running
        moved = homeostasis[j] + scaled(np.int32(running - aim), plan.gamma, 0)
        homeostasis[j] = saturate(moved, -limit - 1, limit)


@njit(nogil=True, cache=True)
def settle_homeostasis_of_batch(wins, activity, homeostasis, plan):  # type: ignore[no-untyped-def]
    """`H ← H + gamma·(A − A*)` with A the mean target over the batch, from the counted `wins`; clears the counters."""
    one, aim, limit = plan.activity_one, plan.activity_aim, plan.homeostasis_limit
    for j in range(wins.shape[0]):
        activity[j] = saturate((np.int64(wins[j]) * (one + 1)) // plan.batch, 0, one)
        moved = homeostasis[j] + scaled(np.int32(activity[j] - aim), plan.gamma, 0)
        homeostasis[j] = saturate(moved, -limit - 1, limit)
        wins[j] = 0
