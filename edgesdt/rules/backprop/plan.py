"""From a spec to the integers that the kernels of backpropagation run on: the plan, the arrays, the epoch's rates."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import numpy.typing as npt

from edgesdt.kernels.arithmetic import register
from edgesdt.kernels.bytes.rows import ROWS as AT_ONCE
from edgesdt.kernels.random_bank import seeded
from edgesdt.qformat import QFormat, Rounding
from edgesdt.rules.backprop.layout import EVENT_KINDS, ChipArrays, Plan, Workspace
from edgesdt.rules.backprop.registers import rate
from edgesdt.rules.backprop.settings import settings
from edgesdt.rules.fixed_point import accumulator_frac, bias_left, codes, rate_row, read_codes, weight_codes, wide_codes
from edgesdt.rules.schedule import drop_byte
from edgesdt.rules.softmax import LOGIT_INTEGER_BITS, STEP_BITS, exponentials, reciprocals
from edgesdt.spec import Spec
from edgesdt.spec.layers import alone, count, device_of, on_cells
from edgesdt.synapses import levels
from edgesdt.targets.registers import TargetRegisters
from edgesdt.targets.self_defined import BLOCK

_PENDING, _SWEEPS = 1 << 12, 1 << 5
"""Weight changes, and sweeps with them, planned before they are written: few enough to stay in the nearest cache."""
SLOPE_BITS = 2
"""The slope of the hard sigmoid is 2^-2."""


def plan(spec: Spec) -> Plan:
    """The machine of `spec` as integers (`Plan` says what each one means)."""
    chip, learning, target = spec.chip, settings(spec), TargetRegisters.of(spec)
    sizes = np.array(chip.layers, dtype=np.int64)
    frac, state, read = accumulator_frac(spec), chip.states.bits, levels.seen(spec)
    slopes = _slopes(spec)
    drive_right = frac - state + slopes
    nearest = Rounding.named(chip.states.rounding) is Rounding.NEAREST
    half = np.array([1 << (int(n) - 1) if nearest and n > 0 else 0 for n in drive_right], np.int64)
    error_right = read.frac_bits + slopes
    error_right[-1] = state - learning.errors.frac_bits + slopes[-1]
    return Plan(
        sizes=sizes,
        first=np.concatenate(([0, 0], np.cumsum(sizes[1:-1]))).astype(np.int64),
        first_weight=np.concatenate(([0], np.cumsum(sizes[:-1] * sizes[1:])[:-1])).astype(np.int64),
        input_left=frac - read.frac_bits - spec.encoder.bits,
        state_left=frac - read.frac_bits - state,
        bias_left=bias_left(spec),
        drive_right=drive_right,
        drive_half=half,
        drive_offset=np.where(slopes > 0, 1 << (state - 1), 0).astype(np.int64),
        drive_limit=(1 << (state + LOGIT_INTEGER_BITS)) - 1,
        error_right=error_right,
        error_limit=(1 << (learning.errors.bits - 1)) - 1,
        exponent_right=state - STEP_BITS,
        inward=learning.activation.derivative == "inward",
        softmax=learning.loss == "cross_entropy",
        accumulator_limit=(1 << (chip.accumulator.bits - 1)) - 1,
        state_bits=state,
        state_limit=target.state.highest,
        weight_limit=levels.stored(spec).highest,
        bias_limit=QFormat(chip.biases.bits, chip.biases.frac_bits).highest if chip.biases.enabled else 0,
        stochastic_weights=Rounding.named(chip.weights.rounding) is Rounding.STOCHASTIC,
        stochastic_biases=Rounding.named(chip.biases.rounding) is Rounding.STOCHASTIC,
        learn_biases=chip.biases.enabled,
        supervised=learning.target == "label",
        target_high=target.high,
        target_low=target.low,
        input_drop=drop_byte(learning.dropout.input),
        output_drop=drop_byte(learning.dropout.output),
        key_left=learning.homeostasis.frac_bits - state,
        eta=register(target.eta.multiplier, target.eta.shift, Rounding.NEAREST),
        gamma=register(target.gamma.multiplier, target.gamma_shift, Rounding.NEAREST),
        activity_one=target.activity.highest,
        activity_aim=target.aim,
        homeostasis_limit=target.homeostasis.highest,
        batch=learning.batch,
    )


def _slopes(spec: Spec) -> npt.NDArray[np.int64]:
    """The shift that the activation of each layer adds (L+1,); a softmax adds none."""
    learning, above = settings(spec), len(spec.chip.layers) - 1
    names = [learning.activation.hidden] * above + [learning.activation.output]
    slopes = np.array([SLOPE_BITS if name == "hard_sigmoid" else 0 for name in names], np.int64)
    if learning.loss == "cross_entropy":
        slopes[-1] = 0
    return slopes


def rates(spec: Spec, epoch: int) -> npt.NDArray[np.int64]:
    """The rate registers of `epoch` (0-based) as (2, L, 6): product code → weight code, error code → bias code.

    That of a weight layer on cells is in pulses (`rules.pulse_rates`).
    """
    chip, errors = spec.chip, settings(spec).errors
    weights, biases = Rounding.named(chip.weights.rounding), Rounding.named(chip.biases.rounding)
    rows: list[list[list[int]]] = [[], []]
    for layer in range(len(chip.layers) - 1):
        held = rate(spec, layer, epoch)
        pre = spec.encoder.bits if layer == 0 else chip.states.bits
        widest = pre + errors.bits - 1
        if device_of(spec, layer).in_memory:
            rows[0].append(rate_row(held, pre + errors.frac_bits, levels.stored(spec).frac_bits, weights, widest))
        else:
            from edgesdt.rules.pulse_rates import pulse_row  # a digital chip needs no device models

            rows[0].append(pulse_row(alone(spec, layer), held.value, pre, errors.frac_bits, widest))
        rows[1].append(rate_row(held, errors.frac_bits, chip.biases.frac_bits, biases, errors.bits - 1))
    return np.array(rows, dtype=np.int64)


def most_reads(spec: Spec) -> int:
    """Reads of a weight layer in one direction that a sample may take at most, for the digits of both signs."""
    if count(spec) == 1:
        return 1
    widest = max(spec.chip.states.bits, settings(spec).errors.bits)
    return 2 * max((-(-widest // device_of(spec, layer).array.dac_bits) for layer in on_cells(spec)), default=1)


def empty_chip(spec: Spec) -> ChipArrays:
    """Every on-chip array of `spec`, zeroed but for the look-up tables, the random bank seeded."""
    chip, learning = spec.chip, settings(spec)
    layers = chip.layers
    outputs, neurons = layers[-1], sum(layers[1:])
    synapses = sum(a * b for a, b in pairwise(layers))
    own, batched, tables = learning.target == "self_defined", learning.batch > 1, learning.loss == "cross_entropy"
    return ChipArrays(
        inputs=np.zeros(layers[0], np.uint8),
        weights=weight_codes(spec, synapses),
        biases=codes(neurons if chip.biases.enabled else 0),
        accumulators=codes(neurons),
        states=codes(neurons),
        errors=codes(neurons),
        keep=np.ones(outputs, np.uint8),
        target=np.zeros(outputs, np.uint8),
        winners=codes(learning.winners if own else 1),
        activity=codes(outputs if own else 0),
        homeostasis=codes(outputs if own else 0),
        random=seeded(spec.seed, chip.random.lanes),
        exponentials=exponentials() if tables else np.zeros(0, np.uint16),
        reciprocals=reciprocals() if tables else np.zeros(0, np.uint16),
        weight_gradient=wide_codes(synapses if batched else 0),
        bias_gradient=codes(neurons if batched and chip.biases.enabled else 0),
        winner_count=codes(outputs if own and batched else 0),
        frozen=np.zeros(neurons if learning.consolidation.frozen else 0, np.uint8),
    )


def workspace(spec: Spec, shared: Workspace | None = None) -> Workspace:
    """The simulator's own arrays for `spec` (none of them is part of the described chip).

    What goes with the weights is taken from `shared` where that is given, for a second set of neurons.
    """
    layers = spec.chip.layers
    widest, depth = max(layers), len(layers)
    synapses = sum(a * b for a, b in pairwise(layers))
    words = np.zeros(widest + spec.chip.random.lanes, np.uint32)
    how = shared.reading if shared else levels.reading(spec)
    return Workspace(
        read=shared.read if shared else read_codes(spec, synapses if len(how) else 0),
        reading=how,
        mirror=shared.mirror if shared else read_codes(spec, synapses if depth > 2 else 0),
        weight_peak=shared.weight_peak if shared else wide_codes(depth - 1),
        reach=wide_codes(depth),
        event_index=codes(layers[0] + AT_ONCE),
        event_value=np.zeros(layers[0] + AT_ONCE, np.uint8),
        keys=codes(layers[-1]),
        tops=codes(-(-layers[-1] // BLOCK)),
        words=words,
        halves=words.view(np.uint16),
        octets=words.view(np.uint8),
        silence=np.zeros(widest, np.uint16),
        deltas=codes(widest),
        pending=codes(max(_PENDING, 2 * widest)),
        named=codes(max(_PENDING, 2 * widest)),
        swept=np.zeros((_SWEEPS + 1, 2), np.int64),
        pres=codes(widest),
        pre_values=codes(widest),
        posts=codes(widest),
        post_values=codes(widest),
        wear=shared.wear if shared else np.zeros(synapses, np.uint8),
        wear_carry=shared.wear_carry if shared else np.zeros(synapses, np.uint32),
        events=np.zeros((EVENT_KINDS, depth), np.int64),
    )
