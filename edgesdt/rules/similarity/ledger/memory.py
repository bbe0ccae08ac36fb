"""The memory map of a chip that matches similarities: every array that the rule needs, with shape and format."""

from __future__ import annotations

from itertools import pairwise

from edgesdt.ledger.memory import Array
from edgesdt.qformat import QFormat
from edgesdt.rules.similarity.registers import GAIN_BITS, RECIPROCAL_BITS
from edgesdt.rules.similarity.settings import settings
from edgesdt.rules.standard import SHIFT_BITS
from edgesdt.spec import Spec
from edgesdt.spec.layers import alone, device_of
from edgesdt.synapses.crossbar.memory_map import cells_of


def code_bits(spec: Spec, layer: int) -> int:
    """Width of a code of layer `layer`: an input or a state [bits]."""
    return spec.encoder.bits if layer == 0 else spec.chip.states.bits


def code_point(spec: Spec, layer: int) -> int:
    """Bits below the point of a code of layer `layer`."""
    return spec.encoder.bits if layer == 0 else spec.chip.states.bits - settings(spec).integer_bits


def memory(spec: Spec) -> tuple[Array, ...]:
    """Every on-chip array of `spec`; `held_in` names the field of `layout.ChipArrays` that holds it."""
    chip, learning = spec.chip, settings(spec)
    layers, total, lateral = chip.layers, chip.accumulator.bits, learning.lateral
    depth = len(layers) - 1
    state = QFormat(chip.states.bits, code_point(spec, 1), signed=False)
    arrays = [_numbers("input", (layers[0],), QFormat(spec.encoder.bits, spec.encoder.bits, False), "inputs")]
    weight = QFormat(chip.weights.bits, chip.weights.point)
    beside = QFormat(lateral.bits, lateral.frac_bits, signed=False)
    for k, (rows, n) in enumerate(pairwise(layers)):
        stored = _numbers(f"weights_{k}", (rows, n), weight, "weights")
        arrays.append(stored if device_of(spec, k).in_memory else cells_of(alone(spec, k), k))
        arrays.append(_numbers(f"lateral_{k + 1}", (n * (n + 1) // 2,), beside, "lateral"))
        if learning.centring.enabled:
            point = learning.centring.bits - code_bits(spec, k) + code_point(spec, k)
            arrays.append(_numbers(f"mean_{k}", (rows,), QFormat(learning.centring.bits, point, False), "mean"))
        if learning.target == "label":
            arrays.append(_numbers(f"labels_{k + 1}", (learning.labels.classes, n), state, "labels"))
        arrays.append(Array(f"residuals_{k + 1}", (n,), f"s{total}", total, "accumulators"))
        arrays.append(_numbers(f"states_{k + 1}", (n,), state, "states"))
        if learning.settling.solver == "gauss_seidel":
            arrays.append(
                Array(f"reciprocals_{k + 1}", (n,), "mantissa, shift", RECIPROCAL_BITS + _SHIFT, "reciprocals")
            )
    if learning.target == "label":
        arrays.append(Array("label", (1,), "index", max(1, (learning.labels.classes - 1).bit_length()), "label"))
    if learning.centring.enabled:
        arrays.append(Array("seen", (depth,), f"u{learning.centring.shift + 1}", learning.centring.shift + 1, "seen"))
    gain = QFormat(GAIN_BITS, GAIN_BITS - 1, signed=False)
    arrays.append(_numbers("gains", (2 * depth,), gain, "gains"))
    arrays.append(Array("random_bank", (chip.random.lanes,), chip.random.generator, 32, "random"))
    arrays.append(Array("constants", (constants(spec),), "multiplier, shift", chip.constants.bits + SHIFT_BITS))
    return tuple(arrays)


_SHIFT = 5
"""Width of the shift beside the mantissa of a reciprocal (1 … 16)."""


def constants(spec: Spec) -> int:
    """How many constants the chip holds: four of a layer (two rates, two growths), those of solver and labels, and
    the pulses that halve a weight on cells.
    """
    learning = settings(spec)
    own = (not spec.device.digital) + (learning.settling.solver == "damped") + (learning.target == "label")
    return 4 * (len(spec.chip.layers) - 1) + own


def _numbers(name: str, shape: tuple[int, ...], fixed: QFormat, held_in: str) -> Array:
    return Array(name, shape, str(fixed), fixed.bits, held_in)
