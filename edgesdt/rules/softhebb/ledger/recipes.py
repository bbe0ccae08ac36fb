"""What the actions of SoftHebb are made of, as recipes; widths are those of `docs/explanation/softhebb_arithmetic.md`.

A product has the bits of its factors.
"""

from __future__ import annotations

from dataclasses import replace

from edgesdt.ledger import actions as act
from edgesdt.ledger.recipes import Access, Along, Use
from edgesdt.rules.softhebb import registers
from edgesdt.rules.softhebb.ledger import actions as own
from edgesdt.rules.softhebb.ledger.memory import gathered_bits, norm_bits, offset_bits
from edgesdt.rules.softhebb.settings import buffered, competing, pre_bits, settings
from edgesdt.spec import Spec

_STEP = 18
"""Width of a step, sign included."""
Recipe = tuple[str, tuple[Use | Access, ...]]


def recipes(spec: Spec) -> dict[str, Recipe]:
    """The component that pays for each action, and the recipe of it."""
    return _memories(spec) | neurons(spec) | learning(spec)


def learning(spec: Spec) -> dict[str, Recipe]:
    """The arithmetic of an update."""
    return _steps(spec) | _pulls(spec) | _means(spec) | _read_out(spec) | _buffers(spec)


def _event_bits(spec: Spec) -> int:
    """Bits of an input or a state."""
    return max(spec.encoder.bits, spec.chip.states.bits) if len(spec.chip.layers) > 2 else spec.encoder.bits


def mac(spec: Spec) -> tuple[Use, ...]:
    """A product of an input or a state and a weight, added to an accumulator."""
    total = spec.chip.accumulator.bits
    product = Use("multiply", (_event_bits(spec), spec.chip.weights.bits))
    return (product, Use("add", (total,)), Use("register", (total,)))


def _widths(spec: Spec) -> tuple[int, int, int, int]:
    """Widths of a norm, an offset, a sum of a window and a buffered update: the widest of all layers."""
    layers, window = range(competing(spec)), settings(spec).centre.window_bits
    return (
        max(norm_bits(spec, k) for k in layers),
        max(offset_bits(spec, k) for k in layers),
        max(pre_bits(spec, k) for k in layers) + window,
        max(gathered_bits(spec, k) for k in layers),
    )


def _found(spec: Spec) -> Along:
    """Where an event points: anywhere, in an event-driven chip."""
    return "column" if spec.chip.style == "event_driven" else "row"


def _memories(spec: Spec) -> dict[str, Recipe]:
    """Multiply-accumulates, and what is read and written apart from the arithmetic of a neuron."""
    chip, found = spec.chip, _found(spec)
    synapse = Access(chip.weights.bits, ("weights",), along="column")
    states = Access(chip.states.bits, ("states",), along=found)
    inputs = Access(spec.encoder.bits, ("input",), along=found, kind="inputs")
    # sums and offsets go along the rows of the weights, the sweep of a neuron down its column
    forward = replace(synapse, in_rows={act.MAC: 1.0, own.OFFSET: 1.0})
    return {
        act.MAC: ("synaptic arithmetic", mac(spec)),
        act.WEIGHT_READ: ("weight memory", (forward,)),
        act.WEIGHT_WRITE: ("weight memory", (synapse,)),
        act.INPUT_READ: ("input", (inputs,)),
        act.INPUT_WRITE: ("input", (replace(inputs, along="row"),)),
        act.STATE_READ: ("neurons", (states,)),
        act.STATE_WRITE: ("neurons", (replace(states, along="row"),)),
        act.RANDOM_WORD: ("random bank", (Use("xor", (32,), 3), Use("register", (32,)))),
    }


def neurons(spec: Spec) -> dict[str, Recipe]:
    """Drives, activations and the softmax."""
    chip, learning = spec.chip, settings(spec)
    form, total, state = learning.competition, chip.accumulator.bits, chip.states.bits
    wide = form.bits + max(n.bit_length() for n in chip.layers[1:])
    drives = Access(form.bits, ("drives",), kind="states")
    _, long, _, _ = _widths(spec)
    offset = (Access(long, ("offsets",), kind="states"),) if learning.centre.enabled else ()
    table = Access(form.table_bits, ("exponentials",), along="column", kind="buffers")
    inverse = Access(registers.RECIPROCAL_BITS, ("reciprocals",), along="column", kind="buffers")
    powers = Access(state, ("state_powers",), along="column", kind="buffers")
    shares = Access(form.share_bits + 1, ("shares",), kind="states")
    looked_up = (Use("shift", (form.bits + 1,)), powers) if learning.activation.power != 1 else ()
    return {
        own.DRIVE: (
            "neurons", (*offset, Use("add", (total,)), Use("shift", (total,)), Use("compare", (total,)), drives)
        ),
        own.ACTIVATION: (
            "neurons",
            (drives, Use("add", (wide,)), Use("add", (form.bits + 1,)), Use("compare", (form.bits + 1,), 2),
             Use("shift", (form.bits + 1,)), *looked_up),
        ),
        own.SOFTMAX: (
            "softmax",
            (
                drives,
                Use("compare", (form.bits,)),
                Use("add", (form.bits + 1,)),
                Use("multiply", (form.bits, chip.constants.bits)),
                Use("shift", (form.bits + chip.constants.bits,)),
                table,
                Use("add", (total,)),
                Use("multiply", (form.table_bits, registers.RECIPROCAL_BITS)),
                Use("shift", (form.table_bits + registers.RECIPROCAL_BITS,)),
                shares,
            ),
        ),
        own.RECIPROCAL: ("softmax", (Use("shift", (total,)), inverse)),
    }  # fmt: skip


def _steps(spec: Spec) -> dict[str, Recipe]:
    """The step of a neuron."""
    chip, learning = spec.chip, settings(spec)
    form, held = learning.competition, chip.constants.bits
    norm, long, _, _ = _widths(spec)
    radius, power = registers.RADIUS_BITS + 8, registers.POWER_BITS
    norms = Access(norm, ("norms",), 2, kind="states")
    offsets = (Access(long, ("offsets",), 2, kind="states"),) if learning.centre.enabled else ()
    powers = (Access(power, ("rate_powers",), along="column", kind="buffers"),) if learning.rate_power != 0 else ()
    return {
        own.NORM_RATE: (
            "learning arithmetic",
            (
                norms,
                *offsets,
                # a root is drawn bit by bit
                Use("shift", (norm,), radius),
                Use("add", (radius,), radius),
                Use("compare", (radius,), radius),
                *powers,
                Use("multiply", (form.share_bits, power)),
                Use("multiply", (form.share_bits + power, held)),
                Use("multiply", (_STEP, form.bits), 2),
                Use("shift", (_STEP + form.bits,), 2),
            ),
        ),
    }  # fmt: skip


def _pulls(spec: Spec) -> dict[str, Recipe]:
    """Weights pulled, and what is kept of them beside."""
    learning, weight, pre = settings(spec), spec.chip.weights.bits, _event_bits(spec)
    norm, long, _, gathered = _widths(spec)
    raw = gathered + learning.competition.frac_bits + weight
    means = Access(pre, ("means",), kind="buffers")
    return {
        own.CENTRE: ("learning arithmetic", (Use("add", (pre + 1,)), *((means,) if learning.centre.enabled else ()))),
        own.PULL: (
            "learning arithmetic",
            (
                Use("multiply", (_STEP, pre + 1)),
                Use("multiply", (_STEP, weight)),
                Use("add", (_STEP + max(pre + 1, weight),), 2),
                Use("shift", (_STEP + max(pre + 1, weight),)),
                Use("add", (weight,)),
                Use("compare", (weight,)),
            ),
        ),
        own.NORM_STEP: (
            "learning arithmetic",
            (
                Use("multiply", (weight + 1, weight + 1)),
                Use("add", (norm,)),
                *((Use("multiply", (pre, weight + 1)), Use("add", (long,))) if learning.centre.enabled else ()),
            ),
        ),
        own.LARGEST: (
            "learning arithmetic", (Use("multiply", (_STEP, weight)), Use("add", (raw,)), Use("compare", (raw,)))
        ),
    }  # fmt: skip


def _means(spec: Spec) -> dict[str, Recipe]:
    """Windows, means, and the offsets that follow from them."""
    learning, weight, pre = settings(spec), spec.chip.weights.bits, _event_bits(spec)
    _, long, summed, _ = _widths(spec)
    means = Access(pre, ("means",), kind="buffers")
    sums = Access(summed, ("sums",), 2, kind="buffers")
    return {
        own.WINDOW: ("means", (Use("add", (summed,)), *((sums,) if learning.centre.enabled else ()))),
        own.MEAN: (
            "means", (Use("add", (summed,)), Use("shift", (summed,)), *((means,) if learning.centre.enabled else ()))
        ),
        own.OFFSET: ("means", (Use("multiply", (pre, weight)), Use("add", (long,)))),
    }  # fmt: skip


def _read_out(spec: Spec) -> dict[str, Recipe]:
    """The delta rule of a read-out."""
    chip, learning = spec.chip, settings(spec)
    pre, state, weight, held = _event_bits(spec), chip.states.bits, chip.weights.bits, chip.constants.bits
    errors = Access(state + 1, ("errors",), kind="states")
    error = (Use("add", (state + 1,)), *((errors,) if learning.target == "label" else ()))
    product = pre + state + 1 + held
    return {
        own.ERROR: ("errors", error),
        own.HEAD: (
            "learning arithmetic",
            (
                Use("multiply", (pre, state + 1)),
                Use("multiply", (pre + state + 1, held)),
                Use("add", (product,)),
                Use("shift", (product,)),
                Use("add", (weight,)),
                Use("compare", (weight,)),
            ),
        ),
    }  # fmt: skip


def _buffers(spec: Spec) -> dict[str, Recipe]:
    """Updates that are gathered, and applied over the largest of them."""
    form, weight, pre = settings(spec).competition, spec.chip.weights.bits, _event_bits(spec)
    _, _, _, gathered = _widths(spec)
    raw, power = gathered + form.frac_bits + weight, registers.POWER_BITS
    kept = Access(gathered, ("gathered",), kind="buffers")
    return {
        own.GRADIENT_ACCESS: (
            "batch buffers",
            (
                Use("multiply", (form.share_bits, pre + 1)),
                Use("add", (gathered,)),
                *((kept, kept) if buffered(spec) else ()),
            ),
        ),
        own.NORMALISED: (
            "learning arithmetic",
            (
                Use("shift", (raw,)),
                Use("multiply", (_STEP, registers.RECIPROCAL_BITS)),
                Use("multiply", (_STEP, power)),
                Use("shift", (_STEP + power,), 2),
                Use("add", (weight,)),
                Use("compare", (weight,)),
            ),
        ),
    }  # fmt: skip
