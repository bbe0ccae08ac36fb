"""The forward pass: weighted sums and activations, layer by layer."""

from __future__ import annotations

import numpy as np

from edgesdt.kernels.arithmetic import saturate
from edgesdt.kernels.jit import inlined, kernel
from edgesdt.kernels.listing import list_codes
from edgesdt.rules.backprop.layout import ACTIVE
from edgesdt.synapses.store import add_changes


@kernel
def activate(accumulators, states, right, half, offset, limit):  # type: ignore[no-untyped-def]
    """`s = clamp(R(a, right) + offset, 0, limit)` for every neuron of a layer; `half` is that of R."""
    offset32, limit32 = np.int32(offset), np.int32(limit)
    for j in range(np.uint64(states.shape[0])):
        drive = (np.int64(accumulators[j]) + half) >> right
        states[j] = saturate(drive + offset32, 0, limit32)


@kernel
def mask(states, keep):  # type: ignore[no-untyped-def]
    """The states of dropped outputs are 0."""
    for j in range(states.shape[0]):
        states[j] = states[j] if keep[j] != 0 else 0


@inlined
def feed_on(layer, chip, plan, work, store):  # type: ignore[no-untyped-def]
    """Add the weighted states of hidden layer `layer` that are not 0 to the accumulators of the layer above."""
    first, n = plan.first[layer], plan.sizes[layer]
    count = list_codes(chip.states[first : first + n], n, work.pres, work.pre_values)
    work.events[ACTIVE, layer] += count
    add_changes(
        store, layer, True, work.pres[:count], work.pre_values[:count], plan.state_left, chip.accumulators, plan,
        work.reach, work.events,
    )  # fmt: skip
