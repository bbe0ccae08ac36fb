"""The memory map of an EqProp chip: every array that the rule needs, with shape, format and bits."""

from __future__ import annotations

from edgesdt.ledger.memory import Array
from edgesdt.qformat import QFormat
from edgesdt.rules import hidden_bits
from edgesdt.rules.eqprop.registers import Registers
from edgesdt.rules.eqprop.settings import settings
from edgesdt.rules.schedule import DROP_BITS
from edgesdt.rules.softmax import tables
from edgesdt.spec import Spec
from edgesdt.spec.layers import alone, device_of
from edgesdt.synapses.crossbar.memory_map import cells_of

SHIFT_BITS = 6
"""Width of the programmable shift beside each constant's multiplier (0 … 63)."""


def memory(spec: Spec) -> tuple[Array, ...]:
    """Every on-chip array of `spec`; `held_in` names the field of `kernels.layout.ChipArrays` that holds it."""
    chip, learning, regs = spec.chip, settings(spec), Registers.of(spec)
    layers = chip.layers
    outputs, depth = layers[-1], len(layers) - 1
    arrays = [_numbers("input", (layers[0],), QFormat(spec.encoder.bits, spec.encoder.bits, False), "inputs")]
    for k in range(depth):
        weights = _numbers(f"weights_{k}", (layers[k], layers[k + 1]), regs.weight, "weights")
        arrays.append(weights if device_of(spec, k).in_memory else cells_of(alone(spec, k), k))
    arrays += hidden_bits.arrays(spec)
    for k, n in enumerate(layers[1:], start=1):
        if chip.biases.enabled:
            arrays.append(_numbers(f"biases_{k}", (n,), regs.bias, "biases"))
        total = chip.accumulator.bits
        arrays.append(Array(f"accumulators_{k}", (n,), f"s{total}", total, "accumulators"))
        soft = learning.loss == "cross_entropy" and k == depth
        held = QFormat(regs.state.bits + 1, regs.state.frac_bits) if soft else regs.state  # a nudge has a sign
        arrays.append(_numbers(f"states_{k}", (n,), held, "states"))
        arrays.append(_numbers(f"free_states_{k}", (n,), regs.state, "free_states"))
        if depth > 1:  # all layers step from the old states, then pass on by how much they changed
            arrays.append(Array(f"changes_{k}", (n,), f"s{held.bits + 1}", held.bits + 1))
        if chip.states.rounding == "stochastic":  # which neurons draw a random word
            arrays.append(Array(f"listed_{k}", (n,), "bit", 1))
        if learning.beta_sign == "symmetric":
            arrays.append(_numbers(f"plus_states_{k}", (n,), held, "plus_states"))
    arrays.append(Array("output_mask", (outputs,), "bit", 1, "keep"))
    arrays.append(Array("target", (outputs,), "bit", 1, "target"))
    if learning.target == "self_defined":
        arrays.append(Array("winners", (learning.winners,), "index", max(1, (outputs - 1).bit_length()), "winners"))
        arrays.append(_numbers("activity", (outputs,), regs.target.activity, "activity"))
        arrays.append(_numbers("homeostasis", (outputs,), regs.target.homeostasis, "homeostasis"))
    else:
        arrays.append(Array("label", (1,), "index", max(1, (outputs - 1).bit_length()), "winners"))
    if learning.loss == "cross_entropy":
        arrays += tables()
    if learning.consolidation.frozen:
        arrays.append(Array("frozen", (sum(layers[1:]),), "bit", 1, "frozen"))
    arrays.append(Array("random_bank", (chip.random.lanes,), chip.random.generator, 32, "random"))
    arrays.append(Array("constants", (4 + depth,), "multiplier, shift", chip.constants.bits + SHIFT_BITS))
    arrays.append(_numbers("target_codes", (2,), regs.state, ""))
    arrays.append(_numbers("aimed_activity", (1,), regs.target.activity, ""))
    arrays.append(Array("drop_bytes", (2,), f"u{DROP_BITS}", DROP_BITS))
    return tuple(arrays + _batch_buffers(spec))


def _numbers(name: str, shape: tuple[int, ...], fixed: QFormat, held_in: str) -> Array:
    return Array(name, shape, str(fixed), fixed.bits, held_in)


def contrast_bits(spec: Spec, weight_layer: int) -> int:
    """Width of a mini-batch buffer entry that cannot overflow: sign, two codes multiplied, one for each sample."""
    pre = spec.encoder.bits if weight_layer == 0 else spec.chip.states.bits
    return 1 + pre + spec.chip.states.bits + (settings(spec).batch - 1).bit_length()


def _batch_buffers(spec: Spec) -> list[Array]:
    layers, batch = spec.chip.layers, settings(spec).batch
    if batch == 1:
        return []
    buffers = []
    for k in range(len(layers) - 1):
        wide = contrast_bits(spec, k)
        buffers.append(Array(f"weight_contrast_{k}", (layers[k], layers[k + 1]), f"s{wide}", wide, "weight_contrast"))
        if spec.chip.biases.enabled:
            narrow = 1 + spec.chip.states.bits + (batch - 1).bit_length()
            buffers.append(Array(f"bias_contrast_{k + 1}", (layers[k + 1],), f"s{narrow}", narrow, "bias_contrast"))
    if settings(spec).target == "self_defined":
        wins = batch.bit_length()
        buffers.append(Array("wins", (layers[-1],), f"u{wins}", wins, "winner_count"))
    return buffers
