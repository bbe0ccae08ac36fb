"""The competition for a sample: signed shares by a softmax, and the step of every neuron that has one."""

from __future__ import annotations

import numpy as np

from edgesdt.kernels.jit import inlined, kernel
from edgesdt.kernels.listing import list_codes
from edgesdt.kernels.lookups import bit_length, nearest, power_place, shifted, whole_root
from edgesdt.rules.softhebb.kernels.forward import shares_of, winner_of
from edgesdt.rules.softhebb.layout import SHARED
from edgesdt.rules.softhebb.registers import (
    LARGEST_FRAC,
    MANTISSA_BITS,
    POWER_FRAC,
    RADIUS_BITS,
    STEP_FRAC,
    STEP_LARGEST,
)

_ROOT_BITS = 42
"""A squared norm this long has a root past every table."""


@kernel
def norm_power(norm, left, table):  # type: ignore[no-untyped-def]
    """`| |w| − 1 |^q` of a squared norm: its root, then the table; the distance is at least one LSB."""
    if table.shape[0] == 0:
        return np.int64(1) << POWER_FRAC
    long = bit_length(norm) + left > _ROOT_BITS
    radius = np.int64(1) << (_ROOT_BITS // 2) if long else whole_root(shifted(norm, left))
    distance = max(abs(radius - (np.int64(1) << RADIUS_BITS)), np.int64(1))
    return np.int64(table[power_place(distance, MANTISSA_BITS, table.shape[0])])


@inlined
def share_out(chip, plan, work, layer):  # type: ignore[no-untyped-def]
    """Signed shares of the sample for the neurons above weight layer `layer`. Returns how many have one.

    They are listed in `posts`, their shares in `post_values`.
    """
    start, n = plan.first[layer + 1], plan.sizes[layer + 1]
    drives, shares = chip.drives[start : start + n], chip.shares[start : start + n]
    winner = winner_of(drives)
    shares_of(drives, np.int64(drives[winner]), layer, chip, plan, plan.share_bits, work.parts, shares)
    won = shares[winner]
    if plan.loser != 1:
        for j in range(n):
            shares[j] = shares[j] * plan.loser
        shares[winner] = won
    count = list_codes(shares, n, work.posts, work.post_values)
    work.events[SHARED, layer + 1] += count
    return count


@kernel
def step_of(share, power, rate, right, drive, limit):  # type: ignore[no-untyped-def]
    """`share · power · rate`, halved until `|step · drive|` is below `limit`; signed, its point at `STEP_FRAC`."""
    size = min(nearest(abs(np.int64(share)) * power * rate, right), STEP_LARGEST)
    while size * abs(np.int64(drive)) >= limit:
        size >>= 1
    return size if share > 0 else -size


@kernel
def steps_of(posts, values, count, drives, norms, rate, shift, down, table, plan, steps):  # type: ignore[no-untyped-def]
    """The steps of the listed neurons; `down` is what the running maximum shifts by."""
    right = plan.share_bits + POWER_FRAC + shift - STEP_FRAC + down
    for a in range(count):
        j = posts[a]
        power = norm_power(norms[j], plan.root_left, table)
        steps[a] = step_of(values[a], power, rate, right, drives[j], plan.step_limit)


@kernel
def largest_shift(largest):  # type: ignore[no-untyped-def]
    """The smallest k with `largest ≤ 2^k`, `largest` a code with its point at `LARGEST_FRAC`; 0 for none yet."""
    return bit_length(largest - 1) - LARGEST_FRAC if largest > 0 else 0
