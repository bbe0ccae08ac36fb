"""The memory map of a chip that learns by SoftHebb: every array that the rule needs, with shape and format."""

from __future__ import annotations

from edgesdt.ledger.memory import Array
from edgesdt.qformat import QFormat
from edgesdt.rules.softhebb import registers
from edgesdt.rules.softhebb.settings import buffered, competing, pre_bits, settings
from edgesdt.rules.standard import SHIFT_BITS
from edgesdt.spec import Spec
from edgesdt.spec.layers import alone, device_of
from edgesdt.synapses.crossbar.memory_map import cells_of

LARGEST_BITS = 32
"""Width of the running maximum of an update."""


def memory(spec: Spec) -> tuple[Array, ...]:
    """Every on-chip array of `spec`; `held_in` names the field of `layout.ChipArrays` that holds it."""
    chip, learning = spec.chip, settings(spec)
    layers, depth = chip.layers, len(chip.layers) - 1
    encoded = QFormat(spec.encoder.bits, spec.encoder.bits, signed=False)
    weight = QFormat(chip.weights.bits, chip.weights.point)
    arrays = [_numbers("input", (layers[0],), encoded, "inputs")]
    for k in range(depth):
        stored = _numbers(f"weights_{k}", (layers[k], layers[k + 1]), weight, "weights")
        arrays.append(stored if device_of(spec, k).in_memory else cells_of(alone(spec, k), k))
    for k in range(depth):
        arrays += _of_layer(spec, k)
    if learning.target == "label":
        index = max(1, (layers[-1] - 1).bit_length())
        arrays.append(_numbers("errors", (layers[-1],), QFormat(chip.states.bits + 1, chip.states.bits), "errors"))
        arrays.append(Array("label", (1,), "index", index, "label"))
    arrays += _tables(spec)
    arrays.append(Array("random_bank", (chip.random.lanes,), chip.random.generator, 32, "random"))
    wide = max(chip.constants.bits, registers.MEAN_BITS if learning.activation.kind == "triangle" else 0)
    arrays.append(Array("constants", (registers.constants(spec),), "multiplier, shift", wide + SHIFT_BITS))
    return tuple(arrays)


def _of_layer(spec: Spec, k: int) -> list[Array]:
    """The neurons above weight layer `k`, and the means of what drives it."""
    chip, learning, total = spec.chip, settings(spec), spec.chip.accumulator.bits
    (below, n), form = chip.layers[k : k + 2], learning.competition
    arrays = [
        Array(f"accumulators_{k + 1}", (n,), f"s{total}", total, "accumulators"),
        _numbers(f"drives_{k + 1}", (n,), QFormat(form.bits, form.frac_bits), "drives"),
        _numbers(f"states_{k + 1}", (n,), QFormat(chip.states.bits, chip.states.bits, signed=False), "states"),
    ]
    if k >= competing(spec):
        return arrays
    arrays.append(_numbers(f"shares_{k + 1}", (n,), QFormat(form.share_bits + 1, form.share_bits), "shares"))
    wide = norm_bits(spec, k)
    arrays.append(Array(f"norms_{k + 1}", (n,), f"u{wide}", wide, "norms"))
    if learning.centre.enabled:
        pre, window = pre_bits(spec, k), learning.centre.window_bits
        long = offset_bits(spec, k)
        arrays.append(Array(f"offsets_{k + 1}", (n,), f"s{long}", long, "offsets"))
        arrays.append(_numbers(f"means_{k}", (below,), QFormat(pre, pre, signed=False), "means"))
        arrays.append(Array(f"sums_{k}", (below,), f"u{pre + window}", pre + window, "sums"))
        arrays.append(Array(f"seen_{k}", (1,), f"u{window + 1}", window + 1, "seen"))
        stored = device_of(spec, k).in_memory
        arrays.append(Array(f"ready_{k}", (1,), "bit" if stored else "u2", 1 if stored else 2, "ready"))
    if learning.normalisation == "running":
        arrays.append(Array(f"largest_{k}", (1,), f"u{LARGEST_BITS}", LARGEST_BITS, "largest"))
    if buffered(spec):
        wide, long = gathered_bits(spec, k), decay_bits(spec)
        arrays.append(Array(f"gathered_{k}", (n, below), f"s{wide}", wide, "gathered"))
        arrays.append(Array(f"decay_{k + 1}", (n,), f"s{long}", long, "decay"))
    return arrays


def _tables(spec: Spec) -> list[Array]:
    learning = settings(spec)
    wide, inverse = learning.competition.table_bits, registers.RECIPROCAL_BITS
    tables = [
        _numbers("exponentials", (registers.TABLE,), QFormat(wide, wide, signed=False), "exponentials"),
        _numbers("reciprocals", (registers.TABLE,), QFormat(inverse, inverse, signed=False), "reciprocals"),
    ]
    if learning.rate_power != 0:
        power = QFormat(registers.POWER_BITS, registers.POWER_FRAC, signed=False)
        tables.append(_numbers("rate_powers", (registers.POWERS,), power, "rate_powers"))
    if learning.activation.power != 1:
        bits = spec.chip.states.bits
        tables.append(_numbers("state_powers", (registers.POWERS,), QFormat(bits, bits, signed=False), "state_powers"))
    return tables


def _numbers(name: str, shape: tuple[int, ...], fixed: QFormat, held_in: str) -> Array:
    return Array(name, shape, str(fixed), fixed.bits, held_in)


def norm_bits(spec: Spec, layer: int) -> int:
    """Width of a squared norm that cannot overflow: squares of the lowest code, one for each weight of a neuron."""
    return 2 * (spec.chip.weights.bits - 1) + spec.chip.layers[layer].bit_length()


def offset_bits(spec: Spec, layer: int) -> int:
    """Width of an offset that cannot overflow: a mean times a weight for each input; on cells, that of a sum read."""
    if not device_of(spec, layer).in_memory:
        return spec.chip.accumulator.bits
    return pre_bits(spec, layer) + spec.chip.weights.bits + spec.chip.layers[layer].bit_length()


def gathered_bits(spec: Spec, layer: int) -> int:
    """Width of a buffered update that cannot overflow: a share times a centred input, one for each sample."""
    batch = settings(spec).batch
    return settings(spec).competition.share_bits + pre_bits(spec, layer) + 1 + (batch - 1).bit_length()


def decay_bits(spec: Spec) -> int:
    """Width of a buffered sum of share times drive that cannot overflow."""
    form, batch = settings(spec).competition, settings(spec).batch
    return form.share_bits + form.bits + (batch - 1).bit_length()
