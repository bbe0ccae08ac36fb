"""Weights of activation learning in a digital memory: sums along columns and along rows, updates by lines."""

from __future__ import annotations

import numpy as np

from edgesdt.kernels.drive import accumulate
from edgesdt.kernels.jit import kernel
from edgesdt.kernels.layout import ACCUMULATOR_SATURATIONS
from edgesdt.kernels.listing import list_codes
from edgesdt.kernels.row_sums import add_signed_rows, sum_along_rows
from edgesdt.synapses.digital import register_of
from edgesdt.synapses.lines import add_lines, draw_lines
from edgesdt.synapses.store import update_outer


def add_inputs(store, sums, index, value, count, chip, plan, work):  # type: ignore[no-untyped-def]
    """As `rules.activation.kernels.weights.add_inputs`."""
    add_rows(sums, index, value, count, chip, plan, work)


def add_signals(store, layer, sums, chip, plan, work):  # type: ignore[no-untyped-def]
    """As `rules.activation.kernels.weights.add_signals`."""
    return add_hidden(layer, sums, chip, plan, work)


def sum_back(store, layer, sums, outputs, chip, plan, work):  # type: ignore[no-untyped-def]
    """As `rules.activation.kernels.weights.sum_back`."""
    sum_rows(layer, sums, outputs, chip, plan, work)


def move(store, layer, errors, outputs, chip, plan, work, rates):  # type: ignore[no-untyped-def]
    """As `rules.activation.kernels.weights.move`: at once, by factors of lines or by products."""
    if plan.by_lines:
        return move_lines(layer, errors, outputs, chip, plan, work, rates)
    return move_products(store, layer, errors, outputs, chip, plan, work, rates)


@kernel
def add_rows(sums, index, value, count, chip, plan, work):  # type: ignore[no-untyped-def]
    """Add the listed rows of layer 0 times their values to `sums`."""
    work.events[ACCUMULATOR_SATURATIONS, 1] += accumulate(
        sums, chip.weights, 0, index, value, count, work.weight_peak[0], work.reach, plan.accumulator_limit
    )


@kernel
def add_hidden(layer, sums, chip, plan, work):  # type: ignore[no-untyped-def]
    """Add the rows of weight layer `layer` times the signals of its neurons. Returns how many are not 0."""
    at, rows = plan.first_signal[layer], plan.sizes[layer]
    active, hits = add_signed_rows(
        sums, chip.weights, plan.first_weight[layer], chip.signals[at : at + rows], work, work.weight_peak[layer],
        np.int64(0), plan.accumulator_limit,
    )  # fmt: skip
    work.events[ACCUMULATOR_SATURATIONS, layer + 1] += hits
    return active


@kernel
def sum_rows(layer, sums, outputs, chip, plan, work):  # type: ignore[no-untyped-def]
    """Sum every row of weight layer `layer` times `outputs`."""
    work.events[ACCUMULATOR_SATURATIONS, layer] += sum_along_rows(
        sums, chip.weights, plan.first_weight[layer], outputs, work, work.weight_peak[layer], plan.accumulator_limit
    )


@kernel
def move_lines(layer, errors, outputs, chip, plan, work, rates):  # type: ignore[no-untyped-def]
    """Move weight layer `layer` by the factors of its rows and columns. Returns how many of both are not 0."""
    found = draw_lines(
        outputs, plan.column, plan.line_limit, chip.random, work.words, work.halves, chip.columns, work.posts,
        work.post_values, work.events,
    )  # fmt: skip
    active = draw_lines(
        errors, register_of(rates[layer]), plan.line_limit, chip.random, work.words, work.halves, work.row_factors,
        work.pres, work.pre_values, work.events,
    )  # fmt: skip
    add_lines(
        chip.weights, work.wear, work.wear_carry, plan, layer, work.pres, work.pre_values, active,
        chip.columns[: plan.widths[layer]], found, work.steps, work.weight_peak, work.events,
    )  # fmt: skip
    return active, found


@kernel
def move_products(store, layer, errors, outputs, chip, plan, work, rates):  # type: ignore[no-untyped-def]
    """Move weight layer `layer` by products, or list their pulses. Returns how many factors of both are not 0."""
    active = list_codes(errors, errors.shape[0], work.pres, work.pre_values)
    found = list_codes(outputs, outputs.shape[0], work.posts, work.post_values)
    update_outer(store, layer, active, found, rates[layer], chip.random, plan, work)
    return active, found
