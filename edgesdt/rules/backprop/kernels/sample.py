"""One sample through a chip that learns by backpropagation, in the order of docs/explanation/backprop_arithmetic.md."""

from __future__ import annotations

from edgesdt.kernels.drive import drop, present, rest
from edgesdt.kernels.jit import inlined, kernel
from edgesdt.kernels.layout import APPLIED, BANK_STEPS, SAMPLES
from edgesdt.kernels.listing import list_codes
from edgesdt.kernels.softmax import softmax
from edgesdt.rules.backprop.kernels.backward import hidden_errors, output_errors, send_back
from edgesdt.rules.backprop.kernels.forward import activate, feed_on, mask
from edgesdt.rules.backprop.layout import ERRORS, LEARNED
from edgesdt.synapses.batch import apply_biases
from edgesdt.synapses.outer import gather_outer, move_biases
from edgesdt.synapses.store import apply_gathered, begin_inference, feed, update_outer, write
from edgesdt.targets.self_defined import pick_winners, set_target, settle_homeostasis, settle_homeostasis_of_batch


@inlined
def load(chip, plan, work, x, learning):  # type: ignore[no-untyped-def]
    """Clamp sample `x` (n_0,) to the input, dropping inputs and outputs when learning; accumulators at the biases."""
    work.events[SAMPLES, 0] += 1
    present(chip.inputs, chip.keep, x)
    if learning and plan.input_drop > 0:
        work.events[BANK_STEPS, 0] += drop(chip.inputs, plan.input_drop, chip.random, work.words, work.octets)
    if learning and plan.output_drop > 0:
        work.events[BANK_STEPS, 0] += drop(chip.keep, plan.output_drop, chip.random, work.words, work.octets)
    rest(chip.states, chip.accumulators, chip.biases, plan.bias_left, plan.accumulator_limit)
    for layer in range(1, plan.sizes.shape[0]):
        work.reach[layer] = (plan.bias_limit + 1) << plan.bias_left


@inlined
def forward(chip, plan, work, store):  # type: ignore[no-untyped-def]
    """States of every layer from the input up."""
    last = plan.sizes.shape[0] - 1
    feed(store, chip.inputs, chip.accumulators, plan, work)
    for layer in range(1, last + 1):
        start, end = plan.first[layer], plan.first[layer] + plan.sizes[layer]
        if layer == last and plan.softmax:
            softmax(
                chip.accumulators[start:end], chip.states[start:end], chip.exponentials, chip.reciprocals,
                plan.drive_right[layer], plan.drive_half[layer], plan.drive_limit, plan.exponent_right, plan.state_bits,
            )  # fmt: skip
        else:
            activate(
                chip.accumulators[start:end], chip.states[start:end], plan.drive_right[layer], plan.drive_half[layer],
                plan.drive_offset[layer], plan.state_limit,
            )  # fmt: skip
        if layer < last:
            feed_on(layer, chip, plan, work, store)


@inlined
def pick_target(chip, plan, work, label):  # type: ignore[no-untyped-def]
    """The target of this sample, and the homeostasis of the outputs that the chip picks itself."""
    if plan.supervised:
        chip.winners[0] = label
        set_target(chip.target, chip.winners)
    else:
        outputs = chip.states[plan.first[-1] :]
        pick_winners(outputs, chip.homeostasis, chip.keep, plan.key_left, work.keys, work.tops, chip.winners)
        set_target(chip.target, chip.winners)
        if plan.batch == 1:
            settle_homeostasis(chip.target, chip.winners, chip.activity, chip.homeostasis, plan)
        else:
            for j in range(chip.target.shape[0]):
                chip.winner_count[j] += chip.target[j]


@inlined
def backward(chip, plan, work, store):  # type: ignore[no-untyped-def]
    """Errors of every layer from the output down, through the weights as they were in the forward pass."""
    last = plan.sizes.shape[0] - 1
    top = plan.first[last]
    work.events[LEARNED, 0] += 1
    output_errors(chip.states[top:], chip.target, chip.keep, chip.errors[top:], plan)
    for down in range(1, last):
        layer = last - down
        start, end = plan.first[layer], plan.first[layer] + plan.sizes[layer]
        send_back(layer, chip, plan, work, store)
        hidden_errors(
            chip.accumulators[start:end], chip.states[start:end], chip.errors[start:end], plan.error_right[layer], plan
        )


@inlined
def hold(errors, frozen):  # type: ignore[no-untyped-def]
    """A frozen neuron has passed its error on, and learns nothing from it."""
    for j in range(frozen.shape[0]):
        if frozen[j] != 0:
            errors[j] = 0


@inlined
def list_pres(chip, plan, work, layer):  # type: ignore[no-untyped-def]
    """List the pre-synaptic neurons of weight layer `layer` that are not 0. Returns how many."""
    if layer == 0:
        return list_codes(chip.inputs, plan.sizes[0], work.pres, work.pre_values)
    start, end = plan.first[layer], plan.first[layer] + plan.sizes[layer]
    return list_codes(chip.states[start:end], plan.sizes[layer], work.pres, work.pre_values)


@inlined
def update(chip, plan, work, store, rates):  # type: ignore[no-untyped-def]
    """Move, or gather for the mini-batch, every weight by error times activation, then every bias by its error."""
    for layer in range(plan.sizes.shape[0] - 1):
        active = list_pres(chip, plan, work, layer)
        start, end = plan.first[layer + 1], plan.first[layer + 1] + plan.sizes[layer + 1]
        found = list_codes(chip.errors[start:end], plan.sizes[layer + 1], work.posts, work.post_values)
        work.events[ERRORS, layer + 1] += found
        if plan.batch == 1:
            update_outer(store, layer, active, found, rates[0, layer], chip.random, plan, work)
        else:
            gather_outer(
                chip.weight_gradient, plan, layer, work.pres, work.pre_values, active, work.posts, work.post_values,
                found, work.events,
            )  # fmt: skip
    if plan.learn_biases and plan.batch == 1:
        for layer in range(1, plan.sizes.shape[0]):
            start, end = plan.first[layer], plan.first[layer] + plan.sizes[layer]
            found = list_codes(chip.errors[start:end], plan.sizes[layer], work.posts, work.post_values)
            move_biases(
                chip.biases[start:end], plan, layer, rates[1, layer - 1], work.posts, work.post_values, found,
                chip.random, work.words, work.halves, work.events,
            )  # fmt: skip
    elif plan.learn_biases:
        for j in range(chip.errors.shape[0]):
            chip.bias_gradient[j] += chip.errors[j]
    if plan.batch == 1:
        write(store, plan, work)


@inlined
def apply_batch(chip, plan, work, store, rates):  # type: ignore[no-untyped-def]
    """End of a mini-batch: move weights, biases and homeostasis by what was gathered."""
    work.events[APPLIED, 0] += 1
    layers = plan.sizes.shape[0] - 1
    for layer in range(layers):
        apply_gathered(store, layer, chip.weight_gradient, rates[0, layer], chip.random, plan, work)
    if plan.learn_biases:
        for layer in range(layers):
            apply_biases(
                chip.bias_gradient, chip.biases, plan, layer + 1, rates[1, layer], chip.random, work.words, work.halves,
                work.events,
            )  # fmt: skip
    if not plan.supervised:
        settle_homeostasis_of_batch(chip.winner_count, chip.activity, chip.homeostasis, plan)


@kernel
def learn_stream(chip, plan, work, store, rates, samples, labels, order):  # type: ignore[no-untyped-def]
    """Learn from `samples[order]` (uint8 codes), one at a time; `labels` are read only by a supervised chip.

    A mini-batch is applied when full; a last incomplete one is applied as it is.
    """
    waiting = 0
    for t in range(order.shape[0]):
        load(chip, plan, work, samples[order[t]], True)
        forward(chip, plan, work, store)
        if plan.output_drop > 0:
            mask(chip.states[plan.first[-1] :], chip.keep)
        pick_target(chip, plan, work, labels[order[t]])
        backward(chip, plan, work, store)
        hold(chip.errors, chip.frozen)
        update(chip, plan, work, store, rates)
        waiting += 1
        if waiting == plan.batch or t + 1 == order.shape[0]:
            waiting = 0
            if plan.batch > 1:
                apply_batch(chip, plan, work, store, rates)


@kernel
def infer_stream(chip, plan, work, store, samples, first, outputs):  # type: ignore[no-untyped-def]
    """Output state codes (samples, n_L) of `samples` (samples, n_0), one at a time, nothing dropped.

    `first` is the place of the first one among all that are shown.
    """
    for t in range(samples.shape[0]):
        begin_inference(store, first + t, plan)
        load(chip, plan, work, samples[t], False)
        forward(chip, plan, work, store)
        top = plan.first[-1]
        for j in range(outputs.shape[1]):
            outputs[t, j] = chip.states[top + j]
