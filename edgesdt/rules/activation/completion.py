"""Completion of an image of which a part is given: what is missing becomes what the first layer makes of the rest."""

from __future__ import annotations

import numpy as np

from edgesdt.kernels.arithmetic import saturate
from edgesdt.kernels.inverse_root import inverse_root
from edgesdt.kernels.jit import kernel
from edgesdt.rules.activation.kernels.forward import nearest
from edgesdt.rules.activation.kernels.sample import load, pass_up
from edgesdt.rules.activation.kernels.weights import sum_back
from edgesdt.synapses.store import begin_inference

ROUNDS = 12
"""Times that the missing pixels are reconstructed; later ones change little."""


@kernel
def complete_stream(chip, plan, work, store, samples, given, highest, completed, labels):  # type: ignore[no-untyped-def]
    """Complete `samples` (n, n_0), of which the pixels with `given` (n_0,) not 0 are known; the others begin at 0.

    The label is that with the largest activation of what is known. Writes codes 0 … `highest` and `labels`.
    """
    for t in range(samples.shape[0]):
        begin_inference(store, t, plan)
        image = completed[t]
        for i in range(plan.image):
            image[i] = samples[t, i] if given[i] else 0
        load(chip, plan, work, store, image)
        label = 0
        for c in range(plan.classes):
            pass_up(chip, plan, work, store, c)
            if chip.activations[c] > chip.activations[label]:
                label = c
        labels[t] = label
        for _ in range(ROUNDS):
            load(chip, plan, work, store, image)
            pass_up(chip, plan, work, store, label)
            reconstruct_image(chip, plan, work, store, given, highest, image)


@kernel
def reconstruct_image(chip, plan, work, store, given, highest, image):  # type: ignore[no-untyped-def]
    """Pixels of `image` that are not given become their reconstruction, at the norm that the image has."""
    square, sums = np.int64(0), chip.accumulators[: plan.sizes[0]]
    for i in range(plan.image):
        square += np.int64(image[i]) * np.int64(image[i])
    z, k, _ = inverse_root(square, chip.roots)
    norm = nearest(square * z, 23 + k)
    n = plan.widths[0]
    outputs = chip.outputs[plan.first[1] : plan.first[1] + n]
    sum_back(store, 0, sums, outputs, chip, plan, work)
    for i in range(plan.image):
        if not given[i]:
            code = nearest(np.int64(sums[i]), plan.output_right)
            image[i] = saturate(nearest(code * norm, plan.point), 0, highest)
