"""From a spec to the integers that the kernels of activation learning run on: the plan, the arrays, the rates."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from edgesdt.kernels.arithmetic import register
from edgesdt.kernels.bytes.rows import ROWS as AT_ONCE
from edgesdt.kernels.bytes.steps import COLUMNS
from edgesdt.kernels.bytes.sums import BLOCK
from edgesdt.kernels.inverse_root import roots
from edgesdt.kernels.random_bank import seeded
from edgesdt.qformat import QFormat, Rounding
from edgesdt.rules.activation import registers
from edgesdt.rules.activation.kernels.sample import OUTPUT_POINT
from edgesdt.rules.activation.layout import EVENT_KINDS, ChipArrays, Plan, Workspace
from edgesdt.rules.activation.settings import (
    FACTOR_BITS,
    MEAN_BITS,
    ROOT_BITS,
    RUNNING_BITS,
    by_lines,
    settings,
    shapes,
)
from edgesdt.rules.fixed_point import codes, rate_row, weight_codes, wide_codes
from edgesdt.spec import Spec
from edgesdt.spec.layers import alone, device_of, on_cells

_PENDING, _SWEEPS = 1 << 12, 1 << 5
"""Weight changes, and sweeps with them, planned before they are written: few enough to stay in the nearest cache."""
KINDS = ("abs", "ln_abs", "std_abs")
"""Names of the activations in the order of `Plan.activation`."""
VARIANCE_AT_FIRST, VARIANCE_FLOOR = 0.1, 1e-5
"""Zhou's code."""


def plan(spec: Spec) -> Plan:
    """The machine of `spec` as integers (`Plan` says what each one means)."""
    chip, learning = spec.chip, settings(spec)
    frac, point, feedback = chip.weights.point, learning.frac_bits, learning.feedback
    rows, columns = (np.array(side, np.int64) for side in zip(*shapes(spec), strict=True))
    sizes = np.append(rows, columns[-1])
    hidden = np.array([int(n).bit_length() for n in sizes], np.int64)
    nearest = chip.states.rounding == "nearest"
    return Plan(
        sizes=sizes,
        widths=columns,
        first=np.concatenate(([0, 0], np.cumsum(sizes[1:-1]))).astype(np.int64),
        first_signal=np.concatenate(([0], np.cumsum(sizes[:-1]))).astype(np.int64),
        first_weight=np.concatenate(([0], np.cumsum(rows * columns)[:-1])).astype(np.int64),
        image=chip.layers[0],
        classes=learning.label.classes,
        copies=learning.label.copies,
        label_code=registers.label_code(spec),
        point=point,
        state_limit=(1 << chip.states.bits) - 1,
        output_right=frac,
        output_half=1 << (frac - 1) if nearest and frac > 0 else 0,
        error_right=frac + point - learning.errors.frac_bits,
        error_limit=(1 << (learning.errors.bits - 1)) - 1,
        accumulator_limit=(1 << (chip.accumulator.bits - 1)) - 1,
        weight_limit=QFormat(chip.weights.bits, frac).highest,
        finer=chip.states.bits - point,
        activation=KINDS.index(learning.activation),
        inverse=np.array([(2 ** (ROOT_BITS + int(b)) // int(n) + 1) // 2 for n, b in zip(sizes, hidden, strict=True)]),
        inverse_right=ROOT_BITS - 1 + hidden - MEAN_BITS,
        variance_floor=int(VARIANCE_FLOOR * 2.0 ** (2 * point + RUNNING_BITS) + 0.5),
        share=learning.statistics.share_bits,
        activation_right=2 * point - OUTPUT_POINT,
        stochastic_weights=Rounding.named(chip.weights.rounding) is Rounding.STOCHASTIC,
        by_lines=by_lines(spec),
        column=register(1, point - learning.column_bits, Rounding.STOCHASTIC),
        line_limit=(1 << (FACTOR_BITS - 1)) - 1,
        feedback=feedback.enabled,
        margin=registers.margin(spec),
        slope_right=2 * point - feedback.slope_bits - registers.SHARE_BITS,
        unlearning=registers.unlearning(spec),
        brake=feedback.enabled and feedback.brake,
        normalise=feedback.normalise,
        mean_bits=feedback.mean_bits,
        most=registers.most(spec),
    )


def rates(spec: Spec, epoch: int) -> npt.NDArray[np.int64]:
    """The rate registers of `epoch` (0-based) as (L, 6): error → factor of a row, or product → weight code.

    That of a weight layer on cells is in pulses (`rules.pulse_rates`).
    """
    chip, learning = spec.chip, settings(spec)
    mode, lines, rows = Rounding.named(chip.weights.rounding), by_lines(spec), []
    for layer in range(len(chip.layers) - 1):
        held, errors = registers.rate(spec, layer, epoch), learning.errors
        other, widest = learning.column_bits if lines else learning.frac_bits, errors.bits + chip.states.bits
        if device_of(spec, layer).in_memory:
            rows.append(rate_row(held, errors.frac_bits + other, chip.weights.point, mode, widest))
            continue
        from edgesdt.rules.pulse_rates import pulse_row  # a digital chip needs no device models

        rows.append(pulse_row(alone(spec, layer), held.value, errors.frac_bits, other, widest))
    return np.array(rows, dtype=np.int64)


def most_reads(spec: Spec) -> int:
    """Reads of a weight layer, in either direction, that a training sample may take: of two signs, digit by digit."""
    widths = [device_of(spec, k).array.dac_bits for k in on_cells(spec)]
    return 2 * max((-(-spec.chip.states.bits // bits) for bits in widths), default=1)


def empty_chip(spec: Spec) -> ChipArrays:
    """Every on-chip array of `spec`, zeroed but for the table and the variances, the random bank seeded."""
    chip, learning, each = spec.chip, settings(spec), shapes(spec)
    rows, columns = zip(*each, strict=True)
    hidden = sum(columns[:-1]) if learning.activation == "std_abs" else 0
    variance = int(VARIANCE_AT_FIRST * 2.0 ** (2 * learning.frac_bits + RUNNING_BITS) + 0.5)
    variance = min(variance, (1 << (2 * chip.states.bits + RUNNING_BITS)) - 1)
    return ChipArrays(
        inputs=np.zeros(chip.layers[0], np.uint8),
        weights=weight_codes(spec, sum(a * b for a, b in each)),
        signals=np.zeros(sum(rows), np.int16),
        outputs=np.zeros(sum(columns), np.int16),
        image_sums=codes(columns[0]),
        accumulators=codes(max(rows + columns)),
        errors=codes(max(rows)),
        columns=np.zeros(max(columns) if by_lines(spec) else 0, np.int8),
        activations=wide_codes(learning.label.classes),
        means=codes(hidden),
        variances=np.full(hidden, variance, np.int64),
        squares=wide_codes(len(each) if learning.feedback.enabled and learning.feedback.brake else 0),
        share_mean=np.full(int(learning.feedback.enabled and learning.feedback.normalise), 1 << 16, np.int32),
        roots=roots(),
        random=seeded(spec.seed, chip.random.lanes),
    )


def workspace(spec: Spec, shared: Workspace | None = None) -> Workspace:
    """The simulator's own arrays for `spec` (none of them is part of the described chip).

    What goes with the weights is taken from `shared` where that is given, for a second set of neurons.
    """
    each, layers = shapes(spec), len(spec.chip.layers)
    rows, columns = zip(*each, strict=True)
    widest, synapses = max(rows + columns), sum(a * b for a, b in each)
    small: Any = np.uint8 if spec.chip.states.bits <= 8 else np.int32  # the quick sums take bytes
    words = np.zeros(widest + spec.chip.random.lanes, np.uint32)
    swept = not by_lines(spec)
    turned = swept and (layers > 2 or not spec.device.digital)
    room = 2 * max(_PENDING, 2 * widest) if swept else 0

    def listed(n: int) -> npt.NDArray[np.int32]:
        return codes(n + AT_ONCE)

    return Workspace(
        mirror=shared.mirror if shared else weight_codes(spec, synapses if turned else 0),
        weight_peak=shared.weight_peak if shared else wide_codes(layers - 1),
        event_index=listed(rows[0]),
        event_value=np.zeros(rows[0] + AT_ONCE, small),
        signed=listed(max(rows)),
        signed_values=listed(max(rows)),
        plus=np.zeros(max(rows) + AT_ONCE, small),
        minus=np.zeros(max(rows) + AT_ONCE, small),
        low=np.zeros(max(columns) + BLOCK, np.int8 if small is np.uint8 else np.int32),
        high=np.zeros(max(columns) + BLOCK, np.int8 if small is np.uint8 else np.int32),
        label_index=listed(settings(spec).label.copies),
        label_value=np.zeros(settings(spec).label.copies + AT_ONCE, small),
        reach=wide_codes(2),
        words=words,
        halves=words.view(np.uint16),
        silence=np.zeros(widest, np.uint16),
        deltas=codes(widest),
        row_factors=np.zeros(widest, np.int8),
        steps=np.zeros((3, max(columns) + COLUMNS), np.int8),
        pending=codes(room),
        named=codes(room),
        swept=np.zeros((_SWEEPS + 1, 2), np.int64),
        pres=codes(widest),
        pre_values=codes(widest),
        posts=codes(widest),
        post_values=codes(widest),
        wear=shared.wear if shared else np.zeros(synapses, np.uint8),
        wear_carry=shared.wear_carry if shared else np.zeros(synapses, np.uint32),
        events=np.zeros((EVENT_KINDS, layers), np.int64),
    )
