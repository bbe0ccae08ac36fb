"""From a spec to the integers that the kernels of similarity matching run on: plan, arrays, the epoch's rates."""

from __future__ import annotations

from itertools import pairwise
from operator import mul
from typing import Any

import numpy as np
import numpy.typing as npt

from edgesdt.kernels.random_bank import seeded
from edgesdt.kernels.sixteens import LANES
from edgesdt.qformat import QFormat, Scale
from edgesdt.rules.fixed_point import codes, weight_codes, wide_codes
from edgesdt.rules.similarity import registers
from edgesdt.rules.similarity.layout import (
    EVENT_KINDS,
    FLOOR,
    NEAREST,
    RATE_COLUMNS,
    STOCHASTIC,
    ChipArrays,
    LateralCodes,
    Plan,
    Workspace,
)
from edgesdt.rules.similarity.ledger.memory import code_bits, code_point
from edgesdt.rules.similarity.settings import settings
from edgesdt.spec import Spec

_MODES = {"nearest": NEAREST, "floor": FLOOR, "stochastic": STOCHASTIC}
_FAR = (1 << 31) - 1
"""A residual that no neuron has more than."""
_LINE = 64
"""Bytes of a cache line."""
_FARTHEST = 62
"""The longest shift of a 64-bit product."""


def residual_point(spec: Spec) -> int:
    """Bits below the point of a residual: those of a product of a lateral weight and a state."""
    return settings(spec).lateral.frac_bits + code_point(spec, 1)


def sums_point(spec: Spec, layer: int) -> int:
    """Bits below the point of the sums of weight layer `layer`: those of a product of a weight and a code."""
    return spec.chip.weights.point + code_point(spec, layer)


def drive_right(spec: Spec, layer: int) -> int:
    """Shift from the sums of weight layer `layer` to a residual, without the ratio of the gains."""
    return sums_point(spec, layer) - residual_point(spec)


def plan(spec: Spec) -> Plan:
    """The machine of `spec` as integers (`Plan` says what each one means)."""
    chip, learning = spec.chip, settings(spec)
    layers = range(len(chip.layers) - 1)
    sizes = np.array(chip.layers, dtype=np.int64)
    below, above = sizes[:-1], sizes[1:]
    step = registers.dt(spec)
    strides = -(-above // LANES) * LANES
    highest = QFormat(chip.weights.bits, chip.weights.point).highest
    limit = (1 << (chip.accumulator.bits - 1)) - 1
    codes_below = np.array([(1 << code_bits(spec, k)) - 1 for k in layers], np.int64)
    return Plan(
        sizes=sizes,
        first=np.concatenate(([0], _offsets(above))),
        first_input=_offsets(below),
        first_weight=_offsets(below * above),
        first_triangle=_offsets(above * (above + 1) // 2),
        strides=strides,
        first_stride=_offsets(strides),
        first_square=_offsets(above * strides),
        first_label=_offsets(above * learning.labels.classes),
        mean_right=np.array([learning.centring.bits - code_bits(spec, k) for k in layers], np.int64),
        mean_shift=learning.centring.shift,
        centred=learning.centring.enabled,
        drive_right=np.array([drive_right(spec, k) + registers.RATIO_BITS for k in layers], np.int64),
        label_left=learning.lateral.frac_bits,
        accumulator_limit=limit,
        state_limit=(1 << chip.states.bits) - 1,
        weight_limit=highest,
        lateral_limit=(1 << learning.lateral.bits) - 1,
        weight_rounding=_MODES[chip.weights.rounding],
        lateral_rounding=_MODES[learning.lateral.rounding],
        state_nearest=chip.states.rounding == "nearest",
        damped=learning.settling.solver == "damped",
        steps=learning.settling.steps,
        dt=step.multiplier,
        dt_right=min(step.shift + registers.RATIO_BITS + learning.lateral.frac_bits, _FARTHEST),
        supervised=learning.target == "label",
        narrow=np.array([code_bits(spec, k) + chip.states.bits for k in layers], np.int64),
        unbound=below * codes_below * (highest + 1) > limit,
        classes=learning.labels.classes,
    )


def _offsets(lengths: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Where each of some arrays starts that lie end to end."""
    return np.concatenate(([0], np.cumsum(lengths)[:-1])).astype(np.int64)


def learning_layers(spec: Spec, epoch: int) -> tuple[int, int]:
    """First and last weight layer that learn in `epoch` (0-based)."""
    depth = len(spec.chip.layers) - 1
    if settings(spec).stacking == "together":
        return 0, depth - 1
    turn = min(epoch * depth // spec.epochs, depth - 1)
    return turn, turn


def rates(spec: Spec, epoch: int) -> npt.NDArray[np.int64]:
    """The rate registers of `epoch` (0-based) as (L, RATE_COLUMNS): mantissas, and shifts to the LSB of a weight."""
    learning, bits = settings(spec), spec.chip.constants.bits
    state, label = code_point(spec, 1), registers.label_rate(spec)
    rows = []
    for layer in range(len(spec.chip.layers) - 1):
        row: list[int] = []
        for held, product, point in (
            (registers.feed_rate(spec, layer, epoch), code_point(spec, layer) + state, spec.chip.weights.point),
            (registers.lateral_rate(spec, layer, epoch), 2 * state, learning.lateral.frac_bits),
        ):
            full, grown = registers.mantissa(held, bits), registers.growth(spec, held)
            row += [full.multiplier, full.shift + product - point, *_product(grown)]
        if not spec.device.digital:
            from edgesdt.rules.similarity import pulses  # a digital chip needs no device models

            row[:2] = pulses.rate(spec, epoch)
        rows.append([*row, *_product(label), *((0, 0) if spec.device.digital else pulses.halving(spec))])
    made = np.array(rows, dtype=np.int64)
    assert made.shape[1] == RATE_COLUMNS
    return made


def _product(held: Scale) -> tuple[int, int]:
    """Mantissa and shift of a constant; a shift left is folded into the mantissa."""
    return held.multiplier << max(-held.shift, 0), min(max(held.shift, 0), _FARTHEST)


def empty_chip(spec: Spec) -> ChipArrays:
    """Every on-chip array of `spec`, zeroed but for lateral weights, gains and reciprocals; the random bank seeded."""
    chip, learning = spec.chip, settings(spec)
    layers, depth = chip.layers, len(chip.layers) - 1
    neurons, own = sum(layers[1:]), learning.target == "label"
    return ChipArrays(
        inputs=np.zeros(layers[0], np.uint8),
        weights=weight_codes(spec, sum(a * b for a, b in pairwise(layers))),
        lateral=_identities(spec),
        mean=codes(sum(layers[:-1]) if learning.centring.enabled else 0),
        seen=codes(depth if learning.centring.enabled else 0),
        labels=codes(learning.labels.classes * neurons if own else 0),
        label=np.full(1 if own else 0, -1, np.int32),
        accumulators=codes(neurons),
        states=codes(neurons),
        reciprocals=codes(neurons if learning.settling.solver == "gauss_seidel" else 0),
        gains=np.full(2 * depth, registers.ONE, np.int64),
        random=seeded(spec.seed, chip.random.lanes),
    )


def _identities(spec: Spec) -> LateralCodes:
    """The triangles of every layer: 1, or the nearest that the format holds, on the diagonal."""
    form = settings(spec).lateral
    one, made = min(1 << form.frac_bits, (1 << form.bits) - 1), []
    for n in spec.chip.layers[1:]:
        triangle = np.zeros(n * (n + 1) // 2, np.uint16)
        triangle[np.cumsum(np.arange(1, n + 1)) - 1] = one
        made.append(triangle)
    return np.concatenate(made)


def _lined_up(count: int, kind: type[np.integer], value: int = 0) -> npt.NDArray[Any]:
    """An array of `value` that starts where a cache line does, so that no vector of sixteen lies in two."""
    room = np.full(count + _LINE // np.dtype(kind).itemsize, value, kind)
    first = -room.ctypes.data % _LINE // room.itemsize
    return room[first : first + count]


def workspace(spec: Spec, shared: Workspace | None = None) -> Workspace:
    """The simulator's own arrays for `spec` (none of them is part of the described chip).

    What goes with the weights is taken from `shared` where that is given, for a second set of neurons.
    """
    layers = spec.chip.layers
    widest, depth = max(layers), len(layers)
    strides = [-(-n // LANES) * LANES for n in layers[1:]]
    synapses = sum(a * b for a, b in pairwise(layers))
    words = np.zeros(widest + spec.chip.random.lanes, np.uint32)
    return Workspace(
        mirror=shared.mirror if shared else _lined_up(sum(map(mul, layers[1:], strides)), np.uint16),
        shifts=shared.shifts if shared else codes(sum(layers[1:])),
        above=shared.above if shared else _lined_up(sum(strides), np.int32, _FAR),
        below=shared.below if shared else _lined_up(sum(strides), np.int32, -_FAR - 1),
        residuals=_lined_up(max(strides), np.int32),
        states=_lined_up(max(strides), np.int32),
        weight_peak=shared.weight_peak if shared else wide_codes(depth - 1),
        lateral_peak=shared.lateral_peak if shared else wide_codes(depth - 1),
        codes=np.zeros(widest, np.int16),
        deltas=codes(widest),
        minus=codes(widest),
        driven=np.zeros(widest, np.uint8),
        event_index=codes(layers[0] + LANES),
        event_value=np.zeros(layers[0] + LANES, np.uint8),
        pres=codes(widest),
        posts=codes(widest),
        words=words,
        halves=words.view(np.uint16),
        octets=words.view(np.uint8),
        steady=np.full(widest, (1 << 15) if spec.chip.weights.rounding == "nearest" else 0, np.uint16),
        wear=shared.wear if shared else np.zeros(synapses, np.uint8),
        wear_carry=shared.wear_carry if shared else np.zeros(synapses, np.uint32),
        unflushed=shared.unflushed if shared else wide_codes(1),
        events=np.zeros((EVENT_KINDS, depth), np.int64),
    )
