"""The memory map of a chip that learns by backpropagation: every array that the rule needs, with shape and format."""

from __future__ import annotations

from edgesdt.ledger.memory import Array
from edgesdt.qformat import QFormat
from edgesdt.rules import hidden_bits
from edgesdt.rules.backprop.settings import settings
from edgesdt.rules.schedule import DROP_BITS
from edgesdt.rules.softmax import tables
from edgesdt.spec import Spec
from edgesdt.spec.layers import alone, device_of
from edgesdt.synapses.crossbar.memory_map import cells_of
from edgesdt.targets.registers import TargetRegisters

SHIFT_BITS = 6
"""Width of the programmable shift beside each constant's multiplier (0 … 63)."""


def memory(spec: Spec) -> tuple[Array, ...]:
    """Every on-chip array of `spec`; `held_in` names the field of `layout.ChipArrays` that holds it."""
    chip, learning, target = spec.chip, settings(spec), TargetRegisters.of(spec)
    layers, total, errors = chip.layers, chip.accumulator.bits, learning.errors
    depth, outputs = len(layers) - 1, layers[-1]
    arrays = [_numbers("input", (layers[0],), QFormat(spec.encoder.bits, spec.encoder.bits, False), "inputs")]
    weight, bias = QFormat(chip.weights.bits, chip.weights.point), QFormat(chip.biases.bits, chip.biases.frac_bits)
    for k in range(depth):
        stored = _numbers(f"weights_{k}", (layers[k], layers[k + 1]), weight, "weights")
        arrays.append(stored if device_of(spec, k).in_memory else cells_of(alone(spec, k), k))
    arrays += hidden_bits.arrays(spec)
    for k, n in enumerate(layers[1:], start=1):
        if chip.biases.enabled:
            arrays.append(_numbers(f"biases_{k}", (n,), bias, "biases"))
        arrays.append(Array(f"accumulators_{k}", (n,), f"s{total}", total, "accumulators"))
        arrays.append(_numbers(f"states_{k}", (n,), target.state, "states"))
        arrays.append(_numbers(f"errors_{k}", (n,), QFormat(errors.bits, errors.frac_bits), "errors"))
    arrays.append(Array("output_mask", (outputs,), "bit", 1, "keep"))
    arrays.append(Array("target", (outputs,), "bit", 1, "target"))
    index = max(1, (outputs - 1).bit_length())
    if learning.target == "self_defined":
        arrays.append(Array("winners", (learning.winners,), "index", index, "winners"))
        arrays.append(_numbers("activity", (outputs,), target.activity, "activity"))
        arrays.append(_numbers("homeostasis", (outputs,), target.homeostasis, "homeostasis"))
    else:
        arrays.append(Array("label", (1,), "index", index, "winners"))
    if learning.loss == "cross_entropy":
        arrays += tables()
    if learning.consolidation.frozen:
        arrays.append(Array("frozen", (sum(layers[1:]),), "bit", 1, "frozen"))
    arrays.append(Array("random_bank", (chip.random.lanes,), chip.random.generator, 32, "random"))
    arrays.append(Array("constants", (2 + depth,), "multiplier, shift", chip.constants.bits + SHIFT_BITS))
    arrays.append(_numbers("target_codes", (2,), target.state, ""))
    arrays.append(_numbers("aimed_activity", (1,), target.activity, ""))
    arrays.append(Array("drop_bytes", (2,), f"u{DROP_BITS}", DROP_BITS))
    return tuple(arrays + _batch_buffers(spec))


def _numbers(name: str, shape: tuple[int, ...], fixed: QFormat, held_in: str) -> Array:
    return Array(name, shape, str(fixed), fixed.bits, held_in)


def gradient_bits(spec: Spec, weight_layer: int) -> int:
    """Width of a mini-batch buffer entry that cannot overflow: an error times a code, one for each sample."""
    pre = spec.encoder.bits if weight_layer == 0 else spec.chip.states.bits
    return pre + settings(spec).errors.bits + (settings(spec).batch - 1).bit_length()


def _batch_buffers(spec: Spec) -> list[Array]:
    layers, learning = spec.chip.layers, settings(spec)
    batch = learning.batch
    if batch == 1:
        return []
    buffers = []
    for k in range(len(layers) - 1):
        wide = gradient_bits(spec, k)
        buffers.append(Array(f"weight_gradient_{k}", (layers[k], layers[k + 1]), f"s{wide}", wide, "weight_gradient"))
        if spec.chip.biases.enabled:
            narrow = learning.errors.bits + (batch - 1).bit_length()
            buffers.append(Array(f"bias_gradient_{k + 1}", (layers[k + 1],), f"s{narrow}", narrow, "bias_gradient"))
    if learning.target == "self_defined":
        wins = batch.bit_length()
        buffers.append(Array("wins", (layers[-1],), f"u{wins}", wins, "winner_count"))
    return buffers
