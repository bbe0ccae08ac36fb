"""Relaxation: the free and nudged phases, one Jacobi step after another, in state codes.

`s ← clamp(s + dt·(drive − s [± beta·(target − s)]))` (Liu et al. 2024, eq. of the dynamics). The drive of a layer is
its accumulator rounded to the state LSB. Accumulators are kept up to date by differences: when a state code changes by
Δ, `Δ·w` is added in the layers above and below. When no code changes, the fixed point is reached and the remaining
steps do nothing.
"""

from __future__ import annotations

import numpy as np

from edgesdt.kernels.arithmetic import saturate, scaled, whole_vectors
from edgesdt.kernels.jit import inlined, kernel
from edgesdt.kernels.layout import BANK_STEPS, NUDGED_CHANGES, STATE_CHANGES
from edgesdt.kernels.random_bank import draw, steps_for
from edgesdt.kernels.softmax import softmax
from edgesdt.rules.eqprop.kernels.movers import gather, list_changes, settle_alone, step_stochastic, write_back
from edgesdt.rules.eqprop.kernels.step import step_all
from edgesdt.synapses.store import add_changes

MOVERS, CHANGES, STALE = 0, 1, 2


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
def step_movers(  # type: ignore[no-untyped-def]
    layer, states, accumulators, keep, target, bank, plan, burst, sign, flags, movers, mover_state, mover_drive,
    mover_target, changes, change_by, counts, words, halves, events,
):  # fmt: skip
    """Step the movers of one layer: `burst` times in the only one, once where states are rounded at random.

    Arrays of neurons are those of the layer. Returns how many codes changed.
    """
    if counts[STALE, layer] != 0:
        counts[STALE, layer] = 0
        counts[MOVERS, layer] = gather(
            states, accumulators, keep, target, plan, sign, flags, movers, mover_state, mover_drive, mover_target
        )
    count = counts[MOVERS, layer]
    if not plan.stochastic_states:
        whole = whole_vectors(count, states.shape[0])
        return settle_alone(mover_state[:whole], mover_drive[:whole], mover_target[:whole], plan, sign, burst)
    bank_steps = steps_for(count, 2 * bank.shape[0])
    draw(bank, words, bank_steps)
    events[BANK_STEPS, 0] += bank_steps
    moved = step_stochastic(
        mover_state[:count], mover_drive[:count], mover_target[:count], change_by[:count], plan, sign, halves
    )
    if plan.sizes.shape[0] > 2 and moved > 0:
        write_back(states, movers[:count], mover_state)
        list_changes(movers[:count], changes, change_by)
    return moved


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
        kept, aims = (keep, target) if top else (keep[:0], target[:0])
        if top and plan.softmax:
            counts[CHANGES, layer] = 0
            if sign == 0:
                continue
            moved = nudge_from_softmax(
                states[start:end], accumulators[start:end], keep, target, exponentials, reciprocals, plan, sign,
                mover_state[start:end], changes[start:end], change_by[start:end],
            )  # fmt: skip
        elif last == 1 or plan.stochastic_states:
            moved = step_movers(
                layer, states[start:end], accumulators[start:end], kept, aims, bank, plan, burst, pull, flags,
                movers[start:end], mover_state[start:end], mover_drive[start:end], mover_target[start:end],
                changes[start:end], change_by[start:end], counts, words, halves, events,
            )  # fmt: skip
        elif counts[STALE, layer] == 0 and counts[CHANGES, layer] == 0:
            continue  # the layer and its drive are as they were when nothing moved
        else:
            counts[STALE, layer] = 0
            moved = step_all(
                states[start:end], accumulators[start:end], kept, aims, plan, pull, mover_state[start:end],
                changes[start:end], change_by[start:end],
            )  # fmt: skip
        counts[CHANGES, layer] = moved
        events[STATE_CHANGES, layer] += moved
        if pull != 0:
            events[NUDGED_CHANGES, layer] += moved
        total += moved
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
