"""The memory map of a chip that learns by local competition: every array that the rule needs, with shape and format."""

from __future__ import annotations

from edgesdt.ledger.memory import Array
from edgesdt.qformat import QFormat
from edgesdt.rules.activation.settings import (
    FACTOR_BITS,
    ROOT_BITS,
    ROOT_TABLE,
    RUNNING_BITS,
    by_lines,
    settings,
    shapes,
)
from edgesdt.rules.standard import SHIFT_BITS
from edgesdt.spec import Spec
from edgesdt.spec.layers import alone, device_of
from edgesdt.synapses.crossbar.memory_map import cells_of

SHARE_MEAN = QFormat(17, 16, signed=False)
"""A running mean of shares, of which a whole one is 2^16."""


def memory(spec: Spec) -> tuple[Array, ...]:
    """Every on-chip array of `spec`; `held_in` names the field of `layout.ChipArrays` that holds it."""
    chip, learning, each = spec.chip, settings(spec), shapes(spec)
    point, total, errors = learning.frac_bits, chip.accumulator.bits, learning.errors
    rows, columns = zip(*each, strict=True)
    signal = QFormat(chip.states.bits + 1, point)
    arrays = [_numbers("input", (chip.layers[0],), QFormat(spec.encoder.bits, spec.encoder.bits, False), "inputs")]
    weight = QFormat(chip.weights.bits, chip.weights.point)
    for k, shape in enumerate(each):
        stored = _numbers(f"weights_{k}", shape, weight, "weights")
        arrays.append(stored if device_of(spec, k).in_memory else cells_of(alone(spec, k), k))
    arrays += [_numbers(f"signals_{k}", (n,), signal, "signals") for k, n in enumerate(rows)]
    arrays += [_numbers(f"outputs_{k}", (n,), signal, "outputs") for k, n in enumerate(columns, start=1)]
    arrays += [
        Array("image_sums", (columns[0],), f"s{total}", total, "image_sums"),
        Array("accumulators", (max(rows + columns),), f"s{total}", total, "accumulators"),
        _numbers("errors", (max(rows),), QFormat(errors.bits, errors.frac_bits), "errors"),
    ]
    if by_lines(spec):
        factor = QFormat(FACTOR_BITS, learning.column_bits)
        arrays.append(_numbers("column_factors", (max(columns),), factor, "columns"))
    squares = square_bits(spec)
    arrays.append(Array("activations", (learning.label.classes,), f"u{squares}", squares, "activations"))
    if learning.activation == "std_abs":
        mean = QFormat(chip.states.bits + RUNNING_BITS, point + RUNNING_BITS, signed=False)
        spread = QFormat(2 * chip.states.bits + RUNNING_BITS, 2 * point + RUNNING_BITS, signed=False)
        for k, n in enumerate(columns[:-1], start=1):
            arrays.append(_numbers(f"means_{k}", (n,), mean, "means"))
            arrays.append(_numbers(f"variances_{k}", (n,), spread, "variances"))
    if learning.feedback.enabled and learning.feedback.brake:
        arrays.append(Array("squares", (len(each),), f"u{squares}", squares, "squares"))
    if learning.feedback.enabled and learning.feedback.normalise:
        arrays.append(_numbers("share_mean", (1,), SHARE_MEAN, "share_mean"))
    arrays.append(Array("inverse_roots", (ROOT_TABLE,), f"u{ROOT_BITS}", ROOT_BITS, "roots"))
    arrays.append(Array("random_bank", (chip.random.lanes,), chip.random.generator, 32, "random"))
    arrays.append(Array("constants", (len(each),), "multiplier, shift", chip.constants.bits + SHIFT_BITS))
    arrays.append(_numbers("label_signal", (1,), signal, ""))
    return tuple(arrays)


def square_bits(spec: Spec) -> int:
    """Width of a sum of squares of the outputs of any layer, which cannot overflow."""
    return 2 * spec.chip.states.bits + max(spec.chip.layers[1:]).bit_length()


def input_square_bits(spec: Spec) -> int:
    """Width of the sum of squares of an image."""
    return 2 * spec.encoder.bits + spec.chip.layers[0].bit_length()


def _numbers(name: str, shape: tuple[int, ...], fixed: QFormat, held_in: str) -> Array:
    return Array(name, shape, str(fixed), fixed.bits, held_in)
