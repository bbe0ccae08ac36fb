"""The self-defined target: k-winner-take-all over (output state − homeostasis), and the homeostasis itself."""

from __future__ import annotations

import numpy as np

from edgesdt.kernels.arithmetic import add32, saturate, scaled, scaled32, shl32, sub32
from edgesdt.kernels.jit import inlined, kernel

BLOCK = 64
"""Outputs per block; the largest key of a block is found before its outputs are checked."""
_BLOCK = np.uint64(BLOCK)
_FEW = 32
_NEVER = np.int32(-(1 << 31))


@kernel
def pick_winners(outputs, homeostasis, keep, output_left, keys, tops, winners):  # type: ignore[no-untyped-def]
    """Writes the k kept outputs with the largest `state − homeostasis` to `winners`, best first; ties: lowest index.

    Keys are compared in homeostasis LSBs (`output_left` aligns a state code); `tops` receives the largest key of each
    block. A block is searched only if its largest key may be among the k best. With fewer than k kept outputs, the
    remaining entries are -1.
    """
    n, k = np.uint64(outputs.shape[0]), winners.shape[0]
    blocks = (n + _BLOCK - np.uint64(1)) // _BLOCK
    form_keys(outputs, homeostasis, keep, np.int32(output_left), keys, tops)
    for place in range(k):
        winners[place] = -1
    found, bar = 0, least_that_can_win(tops, blocks, k, winners)
    for block in range(blocks):
        if tops[block] <= bar:
            continue
        for j in range(block * _BLOCK, min((block + np.uint64(1)) * _BLOCK, n)):
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


@inlined
def form_keys(outputs, homeostasis, keep, left, keys, tops):  # type: ignore[no-untyped-def]
    """Computes the key of every output (the lowest key for dropped outputs), and the largest key of each block."""
    n = np.uint64(outputs.shape[0])
    whole = n // _BLOCK
    for block in range(whole):
        first, top = block * _BLOCK, _NEVER
        for j in range(first, first + _BLOCK):
            key = sub32(shl32(outputs[j], left), homeostasis[j])
            key = key if keep[j] != 0 else _NEVER
            keys[j] = key
            top = max(top, key)
        tops[block] = top
    top = _NEVER
    for j in range(whole * _BLOCK, n):
        key = sub32(shl32(outputs[j], left), homeostasis[j])
        keys[j] = key if keep[j] != 0 else _NEVER
        top = max(top, keys[j])
    if whole * _BLOCK < n:
        tops[whole] = top


@inlined
def least_that_can_win(tops, blocks, k, best):  # type: ignore[no-untyped-def]
    """A key that every one of the k best exceeds: below the k-th largest of the blocks' largest keys.

    `best` (k,) is filled with -1 before and after the call; it is used as scratch memory.
    """
    if k > _FEW or k > np.int64(blocks):
        return _NEVER
    found = 0
    for block in range(blocks):
        if found == k and tops[block] <= tops[best[k - 1]]:
            continue
        place = min(found, k - 1)
        while place > 0 and tops[block] > tops[best[place - 1]]:
            best[place] = best[place - 1]
            place -= 1
        best[place] = block
        found = min(found + 1, k)
    bar = tops[best[k - 1]]
    for place in range(k):
        best[place] = -1
    return max(bar, _NEVER + np.int32(1)) - np.int32(1)


@kernel
def set_target(target, winners):  # type: ignore[no-untyped-def]
    """Makes the target high (1) at the indices `winners` (entries of -1 are ignored) and low (0) elsewhere."""
    for j in range(target.shape[0]):
        target[j] = 0
    for j in winners:
        if j >= 0:
            target[j] = 1


@kernel
def settle_homeostasis(target, winners, activity, homeostasis, plan):  # type: ignore[no-untyped-def]
    """`A ← A + eta·(d − A)`; `H ← H + gamma·(A − A*)`, with d the 0/1 target of this sample (Liu et al. 2024, §2).

    d is 1 for the `winners` (-1: none). All other outputs are computed in 32 bits, unless an activity is so large that
    products need more.
    """
    one, busiest = plan.activity_one, np.int32(0)
    for j in range(np.uint64(activity.shape[0])):
        busiest = max(busiest, activity[j])
    reached = saturate(busiest + scaled(np.int64(one), plan.eta, 0) + 1, 0, one)
    if fits32(np.int64(busiest), plan.eta, one) and fits32(
        max(np.int64(reached), plan.activity_aim), plan.gamma, plan.homeostasis_limit
    ):
        for j in winners:
            if j >= 0:
                settle_one(np.uint64(j), one, activity, homeostasis, plan)
        settle_losers(target, activity, homeostasis, plan)
    else:
        for j in range(np.uint64(activity.shape[0])):
            settle_one(j, one if target[j] != 0 else 0, activity, homeostasis, plan)


@inlined
def fits32(largest, constant, more):  # type: ignore[no-untyped-def]
    """Whether rounded `code · constant`, and this value ± `more`, fit in 32 bits for all |code| up to `largest`."""
    product = largest * np.int64(constant.multiplier) + constant.half
    return constant.right < 31 and product < 1 << 31 and (product >> constant.right) + more + 1 < 1 << 31


@inlined
def settle_one(j, shown, activity, homeostasis, plan):  # type: ignore[no-untyped-def]
    """Updates one output, whose target is `shown` in activity codes."""
    limit = plan.homeostasis_limit
    running = saturate(activity[j] + scaled(np.int64(shown) - activity[j], plan.eta, 0), 0, plan.activity_one)
    activity[j] = running
    moved = homeostasis[j] + scaled(np.int64(running) - plan.activity_aim, plan.gamma, 0)
    homeostasis[j] = saturate(moved, -limit - 1, limit)


@inlined
def settle_losers(target, activity, homeostasis, plan):  # type: ignore[no-untyped-def]
    """As `settle_one` for all outputs whose target is 0, in 32 bits."""
    aim, zero, one = np.int32(plan.activity_aim), np.int32(0), np.int32(plan.activity_one)
    lowest, highest = np.int32(-plan.homeostasis_limit - 1), np.int32(plan.homeostasis_limit)
    for j in range(np.uint64(activity.shape[0])):
        old, bias = activity[j], homeostasis[j]
        running = add32(old, scaled32(sub32(zero, old), plan.eta, 0))
        running = max(min(running, one), zero)
        moved = add32(bias, scaled32(sub32(running, aim), plan.gamma, 0))
        moved = max(min(moved, highest), lowest)
        lost = target[j] == 0
        activity[j] = running if lost else old
        homeostasis[j] = moved if lost else bias


@kernel
def settle_homeostasis_of_batch(wins, activity, homeostasis, plan):  # type: ignore[no-untyped-def]
    """`H ← H + gamma·(A − A*)` with A the mean target over the batch, from the counted `wins`; clears the counters."""
    one, aim, limit = plan.activity_one, plan.activity_aim, plan.homeostasis_limit
    for j in range(wins.shape[0]):
        activity[j] = saturate((np.int64(wins[j]) * (one + 1)) // plan.batch, 0, one)
        moved = homeostasis[j] + scaled(np.int32(activity[j] - aim), plan.gamma, 0)
        homeostasis[j] = saturate(moved, -limit - 1, limit)
        wins[j] = 0
