"""The forward pass: weighted sums less the offsets, drives, and the activation of each layer."""

from __future__ import annotations

import numpy as np

from edgesdt.kernels.arithmetic import saturate
from edgesdt.kernels.jit import inlined, kernel
from edgesdt.kernels.listing import list_codes
from edgesdt.kernels.lookups import exponentials_of, nearest, power_place, reciprocal_of
from edgesdt.rules.softhebb.layout import ACTIVE
from edgesdt.rules.softhebb.registers import MANTISSA_BITS
from edgesdt.synapses.store import add_changes, feed


@kernel
def begin(accumulators, offsets, left, limit):  # type: ignore[no-untyped-def]
    """Every accumulator at `-offset · 2^left`, or at 0 without offsets. Returns the largest of them."""
    largest = np.int64(0)
    for j in range(accumulators.shape[0]):
        accumulators[j] = 0
    for j in range(offsets.shape[0]):
        code = saturate(-offsets[j] << left, -limit - 1, limit)
        accumulators[j] = code
        largest = max(largest, abs(code))
    return largest


@inlined
def sum_up(chip, plan, work, store, layer):  # type: ignore[no-untyped-def]
    """The accumulators of the neurons above weight layer `layer`."""
    start, end = plan.first[layer + 1], plan.first[layer + 1] + plan.sizes[layer + 1]
    sums, limit = chip.accumulators[start:end], plan.accumulator_limit
    centred = plan.centred and layer < plan.competing
    offsets = chip.offsets[start:end] if centred else chip.offsets[:0]
    work.reach[layer + 1] = begin(sums, offsets, plan.offset_left[layer], limit)
    if layer == 0:
        feed(store, chip.inputs, chip.accumulators, plan, work)
    else:
        first, n = plan.first[layer], plan.sizes[layer]
        count = list_codes(chip.states[first : first + n], n, work.pres, work.pre_values)
        work.events[ACTIVE, layer] += count
        add_changes(
            store, layer, True, work.pres[:count], work.pre_values[:count], plan.state_left, chip.accumulators, plan,
            work.reach, work.events,
        )  # fmt: skip


@kernel
def drive(accumulators, drives, right, limit):  # type: ignore[no-untyped-def]
    """`u = sat(R(a, right))` of every neuron of a layer, to nearest. Returns their sum."""
    total = np.int64(0)
    half = (np.int64(1) << (right - 1)) if right > 0 else np.int64(0)
    for j in range(accumulators.shape[0]):
        wide = (np.int64(accumulators[j]) + half) >> right if right > 0 else np.int64(accumulators[j]) << -right
        code = saturate(wide, -limit - 1, limit)
        drives[j] = code
        total += code
    return total


@kernel
def activate(drives, states, mean, plan):  # type: ignore[no-untyped-def]
    """`s = (u − mean)⁺`, rounded and saturated to a state."""
    right, half, limit = plan.state_right, plan.state_half, plan.state_limit
    for j in range(drives.shape[0]):
        above = max(np.int64(drives[j]) - mean, 0)
        states[j] = min((above + half) >> right if right > 0 else above << -right, limit)


@kernel
def activate_by_table(drives, states, mean, table):  # type: ignore[no-untyped-def]
    """`s = ((u − mean)⁺)^p` by the highest bits of the difference."""
    for j in range(drives.shape[0]):
        above = np.int64(drives[j]) - mean
        states[j] = np.int64(table[power_place(above, MANTISSA_BITS, table.shape[0])]) if above > 0 else 0


@kernel
def winner_of(drives):  # type: ignore[no-untyped-def]
    """The neuron with the largest drive; ties go to the lowest."""
    best, top = 0, drives[0]
    for j in range(drives.shape[0]):
        if drives[j] > top:
            best, top = j, drives[j]
    return best


@kernel
def shares_of(drives, top, layer, chip, plan, bits, parts, shares):  # type: ignore[no-untyped-def]
    """The softmax of `drives` as codes of `bits` bits, by the two tables."""
    multiplier, right = plan.place_multiplier[layer], plan.place_right[layer]
    total = exponentials_of(drives, top, multiplier, right, chip.exponentials, parts)
    inverse, length = reciprocal_of(total, chip.reciprocals)
    down, most = length + 15 - bits, (np.int64(1) << bits) - 1
    for j in range(shares.shape[0]):
        shares[j] = min(nearest(np.int64(parts[j]) * inverse, down), most)


@inlined
def forward(chip, plan, work, store, x):  # type: ignore[no-untyped-def]
    """Drives and states of every layer from the input `x` up."""
    for i in range(chip.inputs.shape[0]):
        chip.inputs[i] = x[i]
    for layer in range(plan.sizes.shape[0] - 1):
        start, n = plan.first[layer + 1], plan.sizes[layer + 1]
        sum_up(chip, plan, work, store, layer)
        drives, states = chip.drives[start : start + n], chip.states[start : start + n]
        total = drive(chip.accumulators[start : start + n], drives, plan.drive_right[layer], plan.drive_limit)
        if layer == plan.competing:
            top = np.int64(drives[winner_of(drives)])
            shares_of(drives, top, layer, chip, plan, plan.state_bits, work.parts, states)
            continue
        mean = nearest(total * plan.mean_multiplier[layer], plan.mean_right[layer]) if plan.triangle else np.int64(0)
        if plan.powered:
            activate_by_table(drives, states, mean, chip.state_powers)
        else:
            activate(drives, states, mean, plan)
