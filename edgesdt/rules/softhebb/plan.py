"""From a spec to the integers that the kernels of SoftHebb run on: the plan, the arrays, the epoch's rates."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from edgesdt.kernels.arithmetic import register
from edgesdt.kernels.bytes.rows import ROWS as AT_ONCE
from edgesdt.kernels.layout import Ints
from edgesdt.kernels.random_bank import seeded
from edgesdt.qformat import QFormat, Rounding, Scale
from edgesdt.rules.fixed_point import accumulator_frac, codes, rate_row, weight_codes, wide_codes
from edgesdt.rules.softhebb import registers as held
from edgesdt.rules.softhebb.layout import EVENT_KINDS, ChipArrays, Plan, Rates, Workspace
from edgesdt.rules.softhebb.settings import buffered, competing, learning_layers, pre_bits, settings
from edgesdt.spec import Spec
from edgesdt.spec.layers import alone, device_of, on_cells

_PENDING, _SWEEPS = 1 << 12, 1 << 5
_SIGNS = {"anti_hebbian": -1, "hebbian": 1, "still": 0}


def plan(spec: Spec) -> Plan:
    """The machine of `spec` as integers (`Plan` says what each one means)."""
    chip, learning, form = spec.chip, settings(spec), settings(spec).competition
    sizes, depth = np.array(chip.layers, np.int64), len(chip.layers) - 1
    pre = np.array([pre_bits(spec, k) for k in range(depth)], np.int64)
    means = [held.share_of_layer(spec, k) for k in range(depth)]
    sharps = [held.sharp(spec, k) for k in range(depth)]
    raw = form.share_bits + form.frac_bits + chip.weights.point
    state_right = form.frac_bits - chip.states.bits + learning.activation.range_bits
    nearest = Rounding.named(chip.states.rounding) is Rounding.NEAREST
    weights = Rounding.named(chip.weights.rounding)
    left = _left(spec, pre)
    coarse, read = _read_alone(spec)
    return Plan(
        sizes=sizes,
        first=np.concatenate(([0, 0], np.cumsum(sizes[1:-1]))).astype(np.int64),
        first_pre=np.concatenate(([0], np.cumsum(sizes[:-1]))).astype(np.int64),
        first_weight=np.concatenate(([0], np.cumsum(sizes[:-1] * sizes[1:])[:-1])).astype(np.int64),
        competing=competing(spec),
        head=learning.target == "label",
        input_left=int(left[0]),
        state_left=int(left[-1]) if depth > 1 else 0,
        offset_left=np.array([int(n) if device_of(spec, k).in_memory else 0 for k, n in enumerate(left)], np.int64),
        drive_right=pre + left + chip.weights.point - form.frac_bits,
        drive_limit=QFormat(form.bits, form.frac_bits).highest,
        mean_multiplier=_ints(m.multiplier for m in means),
        mean_right=_ints(m.shift for m in means),
        triangle=learning.activation.kind == "triangle",
        powered=learning.activation.power != 1,
        state_right=state_right,
        state_half=1 << (state_right - 1) if nearest and state_right > 0 else 0,
        state_bits=chip.states.bits,
        state_limit=(1 << chip.states.bits) - 1,
        place_multiplier=_ints(s.multiplier for s in sharps),
        place_right=_ints(s.shift + form.frac_bits - held.STEP_BITS for s in sharps),
        share_bits=form.share_bits,
        loser=_SIGNS[learning.losers],
        root_left=2 * (held.RADIUS_BITS - chip.weights.point),
        step_limit=1 << (held.STEP_FRAC + form.frac_bits - 1),
        decay_right=form.frac_bits + chip.weights.point - pre,
        pull_right=held.STEP_FRAC + pre - chip.weights.point,
        narrow=np.array([_narrow(spec, int(p)) for p in pre]),
        coarse=coarse,
        read_multiplier=read.multiplier,
        read_right=read.shift,
        running=learning.normalisation == "running",
        buffered=buffered(spec),
        maximum=learning.normalisation == "maximum",
        raw_left=form.frac_bits + chip.weights.point - pre,
        raw_right=raw - held.STEP_FRAC,
        top_right=raw - held.LARGEST_FRAC,
        window_bits=learning.centre.window_bits,
        centred=learning.centre.enabled,
        mean_limit=(1 << pre) - 1,
        accumulator_limit=(1 << (chip.accumulator.bits - 1)) - 1,
        weight_limit=QFormat(chip.weights.bits, chip.weights.point).highest,
        stochastic_weights=weights is Rounding.STOCHASTIC,
        nearest_weights=weights is Rounding.NEAREST,
        batch=learning.batch,
        bias_limit=0,
        activity_one=0,
        homeostasis_limit=0,
    )


def _left(spec: Spec, pre: Ints) -> Ints:
    """Shifts (L,) that align products with the accumulators: alike in all layers where one lies on cells, else none."""
    if spec.device.digital:
        return np.zeros_like(pre)
    found: Ints = accumulator_frac(spec) - spec.chip.weights.point - pre
    return found


def _read_alone(spec: Spec) -> tuple[int, Scale]:
    """Bits that a converter loses of a share code, and the register from codes of the lowest array to weight codes."""
    if 0 not in on_cells(spec):
        return 0, Scale(0, 0)
    from edgesdt.synapses.crossbar.scales import share_bits, weight_per_range  # a digital chip needs no device models

    lowest = alone(spec, 0)
    array, bits = lowest.device.array, share_bits(lowest)
    coarse = 0 if "adc" in lowest.device.off else max(bits - array.adc_bits, 0)
    return coarse, Scale.nearest(weight_per_range(lowest) * 2.0 ** (spec.chip.weights.point - bits), held.READ_BITS)


def _ints(numbers: object) -> Ints:
    return np.array(list(numbers), np.int64)  # type: ignore[call-overload]


def _narrow(spec: Spec, pre: int) -> bool:
    """Whether step · input − decay · weight and every rounding term fit 32 bits."""
    right = held.STEP_FRAC + pre - spec.chip.weights.point
    # a step has 17 bits; the decay is below half, so that it has `right` bits
    return 0 <= right <= 28 and 17 + pre <= 29 and right + spec.chip.weights.bits - 1 <= 29


def rates(spec: Spec, epoch: int) -> Rates:
    """The registers of `epoch` (0-based)."""
    chip, depth, learns = spec.chip, len(spec.chip.layers) - 1, learning_layers(spec, epoch)
    made = [held.rate(spec, layer, epoch) for layer in range(depth)]
    mode, point, layers = Rounding.named(chip.weights.rounding), chip.weights.point, range(depth)
    pulls = [_pull(spec, k, mode) for k in layers]
    applied = [register(1, held.STEP_FRAC + held.POWER_FRAC + rate.shift - point, mode) for rate in made]
    return Rates(
        multiplier=_ints(rate.multiplier for rate in made),
        shift=_ints(rate.shift for rate in made),
        learns=_ints(int(k in learns) for k in layers),
        pulls=np.array(pulls, np.int64),
        applied=np.array([[*(int(part) for part in row), 0] for row in applied], np.int64),
        head=_ints(_head(spec, made[-1], mode)),
    )


def _pull(spec: Spec, layer: int, mode: Rounding) -> list[int]:
    """From a product of a step and an input to a weight of `layer`, or to pulses of its cells."""
    bits = held.STEP_FRAC + pre_bits(spec, layer)
    if layer >= competing(spec) or device_of(spec, layer).in_memory:
        return [*(int(part) for part in register(1, bits - spec.chip.weights.point, mode)), 0]
    from edgesdt.rules.pulse_rates import pulse_row  # a digital chip needs no device models

    return pulse_row(alone(spec, layer), 1.0, bits, 0)


def _head(spec: Spec, rate: Scale, mode: Rounding) -> list[int]:
    """From a product of a state and an error to a weight of the read-out, or to pulses of its cells."""
    layer, states = len(spec.chip.layers) - 2, spec.chip.states.bits
    pre = pre_bits(spec, layer)
    if settings(spec).target != "label" or device_of(spec, layer).in_memory:
        return rate_row(rate, pre + states, spec.chip.weights.point, mode)
    from edgesdt.rules.pulse_rates import pulse_row  # a digital chip needs no device models

    return pulse_row(alone(spec, layer), rate.value, pre, states)


def most_reads(spec: Spec) -> int:
    """Reads of a weight layer that a sample may take at most: of inputs and means, or of the digits of states."""
    widths = [device_of(spec, k).array.dac_bits for k in on_cells(spec)]
    return 2 * max((-(-spec.chip.states.bits // bits) for bits in widths), default=1)


def empty_chip(spec: Spec) -> ChipArrays:
    """Every on-chip array of `spec`, zeroed but for the look-up tables, the random bank seeded."""
    chip, learning = spec.chip, settings(spec)
    layers, many = chip.layers, competing(spec)
    competitors, pres = sum(layers[1 : many + 1]), sum(layers[:many])
    synapses = sum(a * b for a, b in pairwise(layers))
    gathered = sum(a * b for a, b in pairwise(layers[: many + 1])) if buffered(spec) else 0
    centred, none = learning.centre.enabled, np.zeros(0, np.uint16)
    return ChipArrays(
        inputs=np.zeros(layers[0], np.uint8),
        weights=weight_codes(spec, synapses),
        accumulators=codes(sum(layers[1:])),
        drives=codes(sum(layers[1:])),
        shares=codes(competitors),
        states=codes(sum(layers[1:])),
        norms=wide_codes(competitors),
        offsets=wide_codes(competitors if centred else 0),
        means=codes(pres if centred else 0),
        sums=wide_codes(pres if centred else 0),
        seen=wide_codes(many if centred else 0),
        ready=np.zeros(many if centred else 0, np.uint8),
        largest=wide_codes(many if learning.normalisation == "running" else 0),
        errors=codes(layers[-1] if learning.target == "label" else 0),
        label=codes(1 if learning.target == "label" else 0),
        activity=codes(0),
        homeostasis=codes(0),
        random=seeded(spec.seed, chip.random.lanes),
        exponentials=held.exponentials(spec),
        reciprocals=held.reciprocals(),
        rate_powers=held.rate_powers(spec) if learning.rate_power != 0 else none,
        state_powers=held.state_powers(spec) if learning.activation.power != 1 else none,
        gathered=wide_codes(gathered),
        decay=wide_codes(competitors if buffered(spec) else 0),
    )


def workspace(spec: Spec, shared: Workspace | None = None) -> Workspace:
    """The simulator's own arrays for `spec` (none of them is part of the described chip).

    What goes with the weights is taken from `shared` where that is given, for a second set of neurons.
    """
    layers = spec.chip.layers
    widest, depth = max(layers), len(layers)
    synapses = sum(a * b for a, b in pairwise(layers))
    words = np.zeros(widest + spec.chip.random.lanes, np.uint32)
    return Workspace(
        mirror=shared.mirror if shared else weight_codes(spec, synapses),
        weight_peak=shared.weight_peak if shared else wide_codes(depth - 1),
        reach=wide_codes(depth),
        event_index=codes(layers[0] + AT_ONCE),
        event_value=np.zeros(layers[0] + AT_ONCE, np.uint8),
        rows=np.zeros(layers[0], np.uint8),
        column=codes(widest),
        centred=codes(widest),
        parts=codes(widest),
        steps=codes(widest),
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
