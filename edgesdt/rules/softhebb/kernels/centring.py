"""The mean of what drives a layer: summed over a window of samples, then subtracted by way of an offset per neuron."""

from __future__ import annotations

import numpy as np

from edgesdt.kernels.jit import inlined, kernel
from edgesdt.kernels.lookups import nearest
from edgesdt.rules.softhebb.layout import RENEWED, SEEN, WINDOWED
from edgesdt.synapses.store import on_cells


@kernel
def centre(values, means, centred):  # type: ignore[no-untyped-def]
    """`centred[i] = value_i − mean_i`, or the value where there are no means."""
    for i in range(values.shape[0]):
        centred[i] = np.int32(values[i])
    for i in range(means.shape[0]):
        centred[i] -= means[i]


@kernel
def add_to_window(values, sums):  # type: ignore[no-untyped-def]
    """Add the values of a sample to the sums. Returns how many are not 0."""
    count = np.int64(0)
    for i in range(values.shape[0]):
        sums[i] += np.int64(values[i])
        count += values[i] != 0
    return count


@kernel
def renew(sums, means, bits, limit, offsets, weights, base):  # type: ignore[no-untyped-def]
    """The means of a full window, and the offsets that follow from them (where any are given); the sums are cleared."""
    n = offsets.shape[0]
    for j in range(n):
        offsets[j] = 0
    for i in range(means.shape[0]):
        means[i] = min(nearest(sums[i], bits), limit)
        sums[i] = 0
        mean, row = np.int64(means[i]), weights[base + i * n : base + (i + 1) * n]
        if mean != 0:
            for j in range(n):
                offsets[j] += mean * np.int64(row[j])


@inlined
def observe(chip, plan, work, store, layer, values):  # type: ignore[no-untyped-def]
    """One sample more in the window of weight layer `layer`; a full one renews the means."""
    low, high = plan.first_pre[layer], plan.first_pre[layer] + plan.sizes[layer]
    start, apart = plan.first[layer + 1], on_cells(store, layer)
    end = start if apart else start + plan.sizes[layer + 1]
    work.events[WINDOWED, layer] += add_to_window(values, chip.sums[low:high])
    work.events[SEEN, layer] += 1
    chip.seen[layer] += 1
    if chip.seen[layer] >> plan.window_bits != 0:
        renew(
            chip.sums[low:high], chip.means[low:high], plan.window_bits, plan.mean_limit[layer],
            chip.offsets[start:end], chip.weights, plan.first_weight[layer],
        )  # fmt: skip
        work.events[RENEWED, layer] += 1
        chip.seen[layer] = 0
        chip.ready[layer] = 2 if apart else 1
