"""Weights of activation learning where layers lie on cells: every sum is one read for each sign and digit.

A layer in memory stays as on a digital chip, but for its updates, which are by products. The arithmetic is in "On
cells" of docs/explanation/activation_arithmetic.md.
"""

from __future__ import annotations

from edgesdt.kernels.jit import kernel
from edgesdt.kernels.listing import list_codes
from edgesdt.rules.activation.kernels.in_memory import add_hidden, add_rows, move_products, sum_rows
from edgesdt.synapses.crossbar.reading.two_way import read_changes
from edgesdt.synapses.stores.stack import block


def add_inputs(store, sums, index, value, count, chip, plan, work):  # type: ignore[no-untyped-def]
    """As `rules.activation.kernels.weights.add_inputs`."""
    drive_inputs(store, sums, index, value, count, chip, plan, work)


def add_signals(store, layer, sums, chip, plan, work):  # type: ignore[no-untyped-def]
    """As `rules.activation.kernels.weights.add_signals`."""
    return drive_signals(store, layer, sums, chip, plan, work)


def sum_back(store, layer, sums, outputs, chip, plan, work):  # type: ignore[no-untyped-def]
    """As `rules.activation.kernels.weights.sum_back`."""
    drive_outputs(store, layer, sums, outputs, chip, plan, work)


def move(store, layer, errors, outputs, chip, plan, work, rates):  # type: ignore[no-untyped-def]
    """As `rules.activation.kernels.weights.move`: by products, or the pulses of products."""
    return move_products(store, layer, errors, outputs, chip, plan, work, rates)


@kernel
def read_array(store, between, forward, index, value, sums, plan, work):  # type: ignore[no-untyped-def]
    """Read the array of weight layer `between` with the listed codes on its rows (`forward`), or on its columns.

    Adds what the converters return to `sums`, which saturate.
    """
    at, memory = store.place[between], store.memory
    codes = block(memory.weights, plan, between) if forward else block(memory.mirror, plan, between)
    read_changes(
        index, value, codes, forward, plan.finer, sums, between + 1 if forward else between, store.sensings[at],
        store.banks[at], store.ways[at], work.events,
    )  # fmt: skip


@kernel
def drive_inputs(store, sums, index, value, count, chip, plan, work):  # type: ignore[no-untyped-def]
    """Add what the listed signals of layer 0 give."""
    if store.place[0] < 0:
        add_rows(sums, index, value, count, chip, plan, work)
        return
    for a in range(count):
        work.signed[a], work.signed_values[a] = index[a], value[a]
    read_array(store, 0, True, work.signed[:count], work.signed_values[:count], sums, plan, work)


@kernel
def drive_signals(store, layer, sums, chip, plan, work):  # type: ignore[no-untyped-def]
    """Add what the signals of hidden layer `layer` give. Returns how many are not 0."""
    if store.place[layer] < 0:
        return add_hidden(layer, sums, chip, plan, work)
    at, rows = plan.first_signal[layer], plan.sizes[layer]
    count = list_codes(chip.signals[at : at + rows], rows, work.signed, work.signed_values)
    read_array(store, layer, True, work.signed[:count], work.signed_values[:count], sums, plan, work)
    return count


@kernel
def drive_outputs(store, layer, sums, outputs, chip, plan, work):  # type: ignore[no-untyped-def]
    """What `outputs` on the columns of weight layer `layer` make of its rows."""
    if store.place[layer] < 0:
        sum_rows(layer, sums, outputs, chip, plan, work)
        return
    for i in range(sums.shape[0]):
        sums[i] = 0
    count = list_codes(outputs, outputs.shape[0], work.posts, work.post_values)
    read_array(store, layer, False, work.posts[:count], work.post_values[:count], sums, plan, work)
