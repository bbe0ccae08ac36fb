"""One sample through a chip that learns by SoftHebb, in the order of docs/explanation/softhebb_arithmetic.md."""

from __future__ import annotations

import numpy as np

from edgesdt.kernels.jit import inlined, kernel
from edgesdt.kernels.layout import SAMPLES
from edgesdt.kernels.listing import list_codes
from edgesdt.rules.softhebb.kernels.buffers import apply, gather, raw_of
from edgesdt.rules.softhebb.kernels.cells import pulse_columns, read_offsets
from edgesdt.rules.softhebb.kernels.centring import centre, observe
from edgesdt.rules.softhebb.kernels.compete import largest_shift, share_out, steps_of
from edgesdt.rules.softhebb.kernels.forward import forward
from edgesdt.rules.softhebb.kernels.pull import pull
from edgesdt.rules.softhebb.layout import ERRORS, LEARNED
from edgesdt.synapses.digital import register_of
from edgesdt.synapses.store import begin_inference, begin_update, on_cells, update_outer, write


@kernel
def top_entry(posts, values, count, drives, centred, mirror, base, rows, left):  # type: ignore[no-untyped-def]
    """The largest `|share · (input − drive · w)|` of the listed neurons."""
    top = np.int64(0)
    for a in range(count):
        post, share = np.int64(posts[a]), np.int64(values[a])
        decay = share * np.int64(drives[post])
        for i in range(rows):
            raw = raw_of(share * np.int64(centred[i]), decay, mirror[base + post * rows + i], left)
            top = max(top, abs(raw))
    return top


@inlined
def run_maximum(chip, plan, work, layer, count):  # type: ignore[no-untyped-def]
    """Move the running maximum of `layer`: it falls by a 1024th, or rises to the largest entry of this sample."""
    start, rows = plan.first[layer + 1], plan.sizes[layer]
    top = top_entry(
        work.posts, work.post_values, count, chip.drives[start : start + plan.sizes[layer + 1]], work.centred,
        work.mirror, plan.first_weight[layer], rows, plan.raw_left[layer],
    )  # fmt: skip
    right = plan.top_right
    code = (top + (np.int64(1) << (right - 1))) >> right if right > 0 else top << -right
    fallen = chip.largest[layer] - ((chip.largest[layer] + 1023) >> 10)
    chip.largest[layer] = min(max(code, fallen), np.int64(0xFFFFFFFF))


@inlined
def values_below(chip, plan, layer):  # type: ignore[no-untyped-def]
    """The states that drive weight layer `layer`, from 1 up."""
    return chip.states[plan.first[layer] : plan.first[layer] + plan.sizes[layer]]


@inlined
def learn_layer(chip, plan, work, store, rates, layer):  # type: ignore[no-untyped-def]
    """The competition for this sample in `layer`, once it has means; then its window."""
    low, rows = plan.first_pre[layer], plan.sizes[layer]
    ready = not plan.centred or chip.ready[layer] != 0
    if ready:
        means = chip.means[low : low + rows] if plan.centred else chip.means
        if layer == 0:
            centre(chip.inputs, means, work.centred)
        else:
            centre(values_below(chip, plan, layer), means, work.centred)
        work.events[LEARNED, layer] += 1
        count = share_out(chip, plan, work, layer)
        if on_cells(store, layer):
            pulse_columns(store, chip, plan, work, layer, rates, count)
        elif plan.buffered:
            gather(chip, plan, work, layer, count)
        else:
            down = np.int64(0)
            if plan.running:
                run_maximum(chip, plan, work, layer, count)
                down = largest_shift(chip.largest[layer])
            start, end = plan.first[layer + 1], plan.first[layer + 1] + plan.sizes[layer + 1]
            steps_of(
                work.posts, work.post_values, count, chip.drives[start:end], chip.norms[start:end],
                rates.multiplier[layer], rates.shift[layer], down, chip.rate_powers, plan, work.steps,
            )  # fmt: skip
            pull(chip, plan, work, layer, register_of(rates.pulls[layer]), count)
    if plan.centred:
        if layer == 0:
            observe(chip, plan, work, store, layer, chip.inputs)
        else:
            observe(chip, plan, work, store, layer, values_below(chip, plan, layer))


@inlined
def learn_head(chip, plan, work, store, rates, label):  # type: ignore[no-untyped-def]
    """The delta rule of the read-out: every weight by state times error."""
    layer = plan.competing
    chip.label[0] = label
    outputs = chip.states[plan.first[layer + 1] :]
    for j in range(outputs.shape[0]):
        chip.errors[j] = (plan.state_limit if j == label else 0) - outputs[j]
    work.events[LEARNED, layer] += 1
    active = list_codes(values_below(chip, plan, layer), plan.sizes[layer], work.pres, work.pre_values)
    found = list_codes(chip.errors, chip.errors.shape[0], work.posts, work.post_values)
    work.events[ERRORS, layer + 1] += found
    update_outer(store, layer, active, found, rates.head, chip.random, plan, work)


@kernel
def learn_stream(chip, plan, work, store, rates, samples, labels, order):  # type: ignore[no-untyped-def]
    """Learn from `samples[order]` (uint8 codes), one at a time; `labels` are read only for the read-out.

    Buffered updates are applied when a mini-batch is full; a last incomplete one is applied as it is.
    """
    waiting = 0
    for t in range(order.shape[0]):
        work.events[SAMPLES, 0] += 1
        begin_update(store)
        read_offsets(store, chip, plan, work)
        forward(chip, plan, work, store, samples[order[t]])
        if plan.head and rates.learns[plan.competing] != 0:
            learn_head(chip, plan, work, store, rates, labels[order[t]])
        for layer in range(plan.competing):
            if rates.learns[layer] != 0:
                learn_layer(chip, plan, work, store, rates, layer)
        write(store, plan, work)
        waiting += 1
        if plan.buffered and (waiting == plan.batch or t + 1 == order.shape[0]):
            waiting = 0
            for layer in range(plan.competing):
                if rates.learns[layer] != 0:
                    apply(chip, plan, work, layer, rates.multiplier[layer], register_of(rates.applied[layer]))


@kernel
def infer_stream(chip, plan, work, store, samples, first, outputs):  # type: ignore[no-untyped-def]
    """Output state codes (samples, n_L) of `samples` (samples, n_0), one at a time.

    `first` is the place of the first one among all that are shown.
    """
    top = plan.first[plan.sizes.shape[0] - 1]
    for t in range(samples.shape[0]):
        work.events[SAMPLES, 0] += 1
        begin_inference(store, first + t, plan)
        forward(chip, plan, work, store, samples[t])
        for j in range(outputs.shape[1]):
            outputs[t, j] = chip.states[top + j]
