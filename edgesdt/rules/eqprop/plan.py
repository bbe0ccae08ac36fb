"""From a spec to the integers that the EqProp kernels run on: the plan, the arrays and the epoch's rates."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import numpy.typing as npt

from edgesdt.kernels.arithmetic import register
from edgesdt.kernels.bytes.rows import ROWS as AT_ONCE
from edgesdt.kernels.layout import EVENT_KINDS, ChipArrays, Codes, Plan, Workspace
from edgesdt.kernels.random_bank import seeded
from edgesdt.qformat import Rounding
from edgesdt.rules.eqprop.kernels.one_layer import MOST_DRIVES, ROWS, tabulate
from edgesdt.rules.eqprop.registers import Registers, rate, rounding
from edgesdt.rules.eqprop.settings import settings
from edgesdt.rules.fixed_point import accumulator_frac, bias_left, codes, rate_row, read_codes, weight_codes, wide_codes
from edgesdt.rules.softmax import STEP_BITS, exponentials, reciprocals
from edgesdt.spec import Spec
from edgesdt.spec.layers import alone, count, device_of, on_cells
from edgesdt.synapses import levels
from edgesdt.targets.self_defined import BLOCK

_NUDGE = {"random": 0, "positive": 1, "symmetric": 2}
_PENDING, _SWEEPS = 1 << 12, 1 << 5
"""Weight changes, and sweeps with them, planned before they are written: few enough to stay in the nearest cache."""
_DRIVE_INTEGER_BITS = 3
"""Integer bits of the drive before it saturates: ±8, four times what a state in 0…1 can follow in one step."""


def plan(spec: Spec) -> Plan:
    """The machine of `spec` as integers (`Plan` says what each one means)."""
    chip, learning = spec.chip, settings(spec)
    regs = Registers.of(spec)
    sizes = np.array(chip.layers, dtype=np.int64)
    first = np.concatenate(([0, 0], np.cumsum(sizes[1:-1]))).astype(np.int64)
    first_weight = np.concatenate(([0], np.cumsum(sizes[:-1] * sizes[1:])[:-1])).astype(np.int64)
    frac, read = accumulator_frac(spec), levels.seen(spec)
    down = frac - chip.states.bits
    states = rounding(chip.states.rounding)
    fixed = Rounding.NEAREST if states is Rounding.STOCHASTIC else states
    return Plan(
        sizes=sizes,
        first=first,
        first_weight=first_weight,
        input_left=frac - read.frac_bits - spec.encoder.bits,
        state_left=frac - read.frac_bits - chip.states.bits,
        bias_left=bias_left(spec),
        drive_right=down,
        drive_half=1 << (down - 1) if fixed is Rounding.NEAREST and down > 0 else 0,
        drive_limit=(1 << (chip.states.bits + _DRIVE_INTEGER_BITS)) - 1,
        accumulator_limit=(1 << (chip.accumulator.bits - 1)) - 1,
        softmax=learning.loss == "cross_entropy",
        exponent_right=chip.states.bits - STEP_BITS,
        state_bits=chip.states.bits,
        state_limit=regs.state.highest,
        weight_limit=levels.stored(spec).highest,
        bias_limit=regs.bias.highest if chip.biases.enabled else 0,
        stochastic_states=states is Rounding.STOCHASTIC,
        stochastic_weights=rounding(chip.weights.rounding) is Rounding.STOCHASTIC,
        stochastic_biases=rounding(chip.biases.rounding) is Rounding.STOCHASTIC,
        learn_biases=chip.biases.enabled,
        supervised=learning.target == "label",
        nudge_sign=_NUDGE[learning.beta_sign],
        free_steps=learning.free_steps,
        nudged_steps=learning.nudged_steps,
        dt=register(regs.dt.multiplier, regs.dt.shift, states),
        beta=register(regs.beta.multiplier, regs.beta.shift, fixed),
        target_high=regs.target.high,
        target_low=regs.target.low,
        input_drop=regs.input_drop,
        output_drop=regs.output_drop,
        key_left=learning.homeostasis.frac_bits - chip.states.bits,
        eta=register(regs.target.eta.multiplier, regs.target.eta.shift, Rounding.NEAREST),
        gamma=register(regs.target.gamma.multiplier, regs.target.gamma_shift, Rounding.NEAREST),
        activity_one=regs.target.activity.highest,
        activity_aim=regs.target.aim,
        homeostasis_limit=regs.target.homeostasis.highest,
        batch=learning.batch,
    )


def rates(spec: Spec, epoch: int) -> npt.NDArray[np.int64]:
    """The rate registers of `epoch` (0-based) as (2, L, 6): contrast code → weight code, state code → bias code.

    A row is a `Register` and a flag: 1 where every product and rounding term of one contrast fits 32 bits. That of a
    weight layer on cells is lr / β in pulses (`rules.pulse_rates`).
    """
    chip = spec.chip
    state_bits = chip.states.bits
    rows: list[list[list[int]]] = [[], []]
    for layer in range(len(chip.layers) - 1):
        held = rate(spec, layer, epoch)
        pre_bits = spec.encoder.bits if layer == 0 else state_bits
        if device_of(spec, layer).in_memory:
            product = pre_bits + state_bits
            frac = levels.stored(spec).frac_bits
            rows[0].append(rate_row(held, product, frac, rounding(chip.weights.rounding)))
        else:
            from edgesdt.rules.pulse_rates import pulse_row  # a digital chip needs no device models

            rows[0].append(pulse_row(alone(spec, layer), held.value, pre_bits, state_bits))
        rows[1].append(rate_row(held, state_bits, chip.biases.frac_bits, rounding(chip.biases.rounding)))
    return np.array(rows, dtype=np.int64)


def most_reads(spec: Spec) -> int:
    """Reads of a weight layer in one direction that a sample may take at most, for the digits of both signs."""
    if count(spec) == 1:
        return 1
    learning = settings(spec)
    steps = learning.free_steps + 2 * learning.nudged_steps + 1
    widest = spec.chip.states.bits + (learning.loss == "cross_entropy")  # a nudge has a sign
    digits = [-(-widest // device_of(spec, layer).array.dac_bits) for layer in on_cells(spec)]
    return 2 * steps * max(digits, default=1)


def empty_chip(spec: Spec) -> ChipArrays:
    """Every on-chip array of `spec`, zeroed, the random bank seeded."""
    chip, learning = spec.chip, settings(spec)
    layers = chip.layers
    outputs, neurons = layers[-1], sum(layers[1:])
    synapses = sum(a * b for a, b in pairwise(layers))
    own = learning.target == "self_defined"
    batched = learning.batch > 1
    return ChipArrays(
        inputs=np.zeros(layers[0], np.uint8),
        weights=weight_codes(spec, synapses),
        biases=codes(neurons if chip.biases.enabled else 0),
        accumulators=codes(neurons),
        states=codes(neurons),
        free_states=codes(neurons),
        plus_states=codes(neurons if learning.beta_sign == "symmetric" else 0),
        keep=np.ones(outputs, np.uint8),
        target=np.zeros(outputs, np.uint8),
        winners=codes(learning.winners if own else 1),
        activity=codes(outputs if own else 0),
        homeostasis=codes(outputs if own else 0),
        random=seeded(spec.seed, chip.random.lanes),
        exponentials=exponentials() if learning.loss == "cross_entropy" else np.zeros(0, np.uint16),
        reciprocals=reciprocals() if learning.loss == "cross_entropy" else np.zeros(0, np.uint16),
        weight_contrast=np.zeros(synapses if batched else 0, np.int64),
        bias_contrast=codes(neurons if batched and chip.biases.enabled else 0),
        winner_count=codes(outputs if own and batched else 0),
        frozen=np.zeros(neurons if learning.consolidation.frozen else 0, np.uint8),
    )


def workspace(spec: Spec, shared: Workspace | None = None) -> Workspace:
    """The simulator's own arrays for `spec` (none of them is part of the described chip).

    What goes with the weights is taken from `shared` where that is given, for a second set of neurons.
    """
    layers = spec.chip.layers
    widest, neurons, depth = max(layers), sum(layers[1:]), len(layers)
    synapses = sum(a * b for a, b in pairwise(layers))
    lanes = spec.chip.random.lanes
    how = shared.reading if shared else levels.reading(spec)
    ends, moves = (shared.ends, shared.moves) if shared else tables(spec)
    words = np.zeros(widest + lanes, np.uint32)
    return Workspace(
        read=shared.read if shared else read_codes(spec, synapses if len(how) else 0),
        reading=how,
        mirror=shared.mirror if shared else read_codes(spec, synapses if depth > 2 else 0),
        narrow=np.zeros((2, synapses if depth > 2 and levels.seen(spec).bits > 8 and not shared else 0), np.int8),
        weight_peak=shared.weight_peak if shared else wide_codes(depth - 1),
        reach=wide_codes(depth),
        event_index=codes(layers[0] + AT_ONCE),
        event_value=np.zeros(layers[0] + AT_ONCE, np.uint8),
        flags=np.zeros(widest, np.uint8),
        movers=codes(neurons),
        mover_state=codes(neurons),
        mover_drive=codes(neurons),
        mover_target=codes(neurons),
        ends=ends,
        moves=moves,
        changes=codes(neurons),
        change_by=codes(neurons),
        counts=np.zeros((3, depth), np.int64),
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
        pre_plus=codes(widest),
        pre_minus=codes(widest),
        posts=codes(widest),
        wear=shared.wear if shared else np.zeros(synapses, np.uint8),
        wear_carry=shared.wear_carry if shared else np.zeros(synapses, np.uint32),
        events=np.zeros((EVENT_KINDS, depth), np.int64),
    )


def tables(spec: Spec) -> tuple[Codes, Codes]:
    """Where the phases of a chip with one layer end, by drive; without columns where it is stepped instead."""
    made = plan(spec)
    drives = 2 * (made.drive_limit + 1)
    if len(spec.chip.layers) > 2 or made.softmax or made.stochastic_states or drives > MOST_DRIVES:
        drives = 0
    ends, moves = (np.zeros((ROWS, drives), np.int32) for _ in range(2))
    tabulate(made, ends, moves)
    return ends, moves
