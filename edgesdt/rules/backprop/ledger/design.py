"""What a chip that learns by backpropagation does and is made of: actions with their recipes, units, and the schedule.

Widths follow the datapath of `docs/explanation/backprop_arithmetic.md`: a product has the bits of its factors.
"""

from __future__ import annotations

from dataclasses import replace

from edgesdt.ledger import actions as act
from edgesdt.ledger.recipes import Access, Action, Along, Bound, Design, Phase, Unit, Use
from edgesdt.rules import hidden_bits, softmax
from edgesdt.rules.backprop.ledger import actions as own
from edgesdt.rules.backprop.ledger.memory import gradient_bits
from edgesdt.rules.backprop.settings import settings
from edgesdt.spec import Spec
from edgesdt.spec.layers import in_memory
from edgesdt.synapses import levels
from edgesdt.targets.design import design as target_design

_MEANING = act.MEANING | own.MEANING


def design(spec: Spec) -> Design:
    """The design of the chip of `spec`, its target included."""
    target = target_design(spec)
    first, second, *others = _phases(spec)
    return Design(
        actions=_actions(spec) + target.actions,
        units=_units(spec) + target.units,
        phases=(first, second, *target.phases, *others),
    )


def _event_bits(spec: Spec) -> int:
    """Bits of an input or a state."""
    return max(spec.encoder.bits, spec.chip.states.bits)


def _mac(spec: Spec, bits: int) -> tuple[Use, ...]:
    """A product of `bits` bits and a weight, added to an accumulator."""
    total = spec.chip.accumulator.bits
    return (Use("multiply", (bits, levels.seen(spec).bits)), Use("add", (total,)), Use("register", (total,)))


def _actions(spec: Spec) -> tuple[Action, ...]:
    chip, errors = spec.chip, settings(spec).errors.bits
    weight, state, total, held = levels.stored(spec).bits, chip.states.bits, chip.accumulator.bits, chip.constants.bits
    event = _event_bits(spec)
    product = event + errors
    wide = product + held
    buffered = max(gradient_bits(spec, k) for k in range(len(chip.layers) - 1))
    found: Along = "column" if chip.style == "event_driven" else "row"  # an event points anywhere
    states = Access(state, ("states",), along=found)
    error = Access(errors, ("errors",), along=found, kind="states")
    inputs = Access(spec.encoder.bits, ("input",), along=found, kind="inputs")
    # the forward pass reads rows of the weights; the transposed one and the update go down a column, as buffers do
    synapse = hidden_bits.accessed(spec)
    bias = Access(chip.biases.bits, ("biases",), along=found)
    loaded = {act.INPUT_WRITE: sum(chip.layers[1:]) / chip.layers[0]}  # all of them at the start of a sample
    recipes: dict[str, tuple[str, tuple[Use | Access, ...]]] = {
        act.MAC: ("synaptic arithmetic", _mac(spec, event)),
        own.BACK_MAC: ("synaptic arithmetic", _mac(spec, errors)),
        act.WEIGHT_READ: ("weight memory", (replace(synapse, in_rows={act.MAC: 1.0}),)),
        act.WEIGHT_WRITE: ("weight memory", (synapse,)),
        act.INPUT_READ: ("input", (inputs,)),
        act.INPUT_WRITE: ("input", (replace(inputs, along="row"),)),
        act.STATE_READ: ("neurons", (states,)),
        act.STATE_WRITE: ("neurons", (states,)),
        own.ACTIVATION: ("neurons", (Use("add", (total,)), Use("shift", (total,)), Use("compare", (total,), 2))),
        **{each.name: (each.component, each.recipe) for each in softmax.actions(state, total)},
        own.ERROR: (
            "errors",
            (Use("add", (total,)), Use("shift", (total,)), Use("compare", (total,)), Use("compare", (state,), 2)),
        ),
        own.ERROR_READ: ("errors", (error,)),
        own.ERROR_WRITE: ("errors", (error,)),
        own.OUTER: ("learning arithmetic", (Use("multiply", (event, errors)),)),
        own.STEP: (
            "learning arithmetic",
            (
                Use("multiply", (product, held)),
                Use("add", (wide,)),
                Use("shift", (wide,)),
                Use("add", (weight,)),
                Use("compare", (weight,)),
            ),
        ),
        act.BIAS_READ: ("biases", (replace(bias, in_rows=loaded),)),
        act.BIAS_WRITE: ("biases", (bias,)),
        act.RANDOM_WORD: ("random bank", (Use("xor", (32,), 3), Use("register", (32,)))),
        own.GRADIENT_ACCESS: (
            "batch buffers",
            (Use("add", (buffered,)), Access(buffered, ("weight_gradient",), 2, along="column", kind="buffers")),
        ),
    }
    made = (Action(name, _MEANING[name], part, recipe) for name, (part, recipe) in recipes.items())
    return (*made, *hidden_bits.actions(spec))


def _units(spec: Spec) -> tuple[Unit, ...]:
    """One multiplier serves a forward and a transposed product: it has the bits of the wider of the two.

    Weights that are all cells need none. Cells and converters are priced by `pricing.cells`.
    """
    chip, errors = spec.chip, settings(spec).errors.bits
    state, total, held = chip.states.bits, chip.accumulator.bits, chip.constants.bits
    event = _event_bits(spec)
    product = event + errors
    learner = (
        Use("multiply", (event, errors)),
        Use("multiply", (product, held)),
        Use("add", (product + held,)),
        Use("shift", (product + held,)),
        Use("add", (levels.stored(spec).bits,)),
    )
    neuron = (Use("add", (total,), 2), Use("shift", (total,), 2), Use("compare", (state,), 2))
    mac = _mac(spec, max(event, errors))
    return (
        *((Unit("synaptic arithmetic", chip.macs_per_cycle, mac),) if in_memory(spec) else ()),
        Unit("learning arithmetic", chip.macs_per_cycle, learner),
        Unit("neurons", chip.neurons_per_cycle, neuron),
        *((softmax.unit(state),) if settings(spec).loss == "cross_entropy" else ()),
        Unit("random bank", chip.random.lanes, (Use("xor", (32,), 3), Use("register", (32,)))),
    )


def _phases(spec: Spec) -> tuple[Phase, ...]:
    """Input, forward, backward, update. A bank step takes one cycle and overlaps the update that consumes it."""
    chip = spec.chip
    macs, lanes = chip.macs_per_cycle, chip.neurons_per_cycle
    synapse = own.GRADIENT_ACCESS if settings(spec).batch > 1 else own.STEP
    return (
        Phase("input", ((Bound(lanes, {act.INPUT_WRITE: 1}),),)),
        Phase(
            "forward",
            (
                (Bound(macs, {act.MAC: 1}),),
                (Bound(lanes, {own.ACTIVATION: 1}),),
                (Bound(1, {softmax.SOFTMAX: 1}),),
            ),
        ),
        Phase("backward", ((Bound(macs, {own.BACK_MAC: 1}),), (Bound(lanes, {own.ERROR: 1}),))),
        Phase("update", ((Bound(macs, {synapse: 1}), Bound(chip.random.lanes, {act.RANDOM_WORD: 1})),)),
    )
