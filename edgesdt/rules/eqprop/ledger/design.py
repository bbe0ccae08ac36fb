"""What an EqProp chip does and is made of: actions with their recipes, functional units, and the schedule.

Widths follow the datapath of `docs/explanation/arithmetic.md`: an event is an input or a state, a drive has four bits
more than a state, a contrast is the product of an event and a state with its sign.
"""

from __future__ import annotations

from dataclasses import replace

from edgesdt.ledger import actions as act
from edgesdt.ledger.recipes import Access, Action, Along, Bound, Design, Phase, Unit, Use
from edgesdt.rules import hidden_bits, softmax
from edgesdt.rules.eqprop.settings import settings
from edgesdt.spec import Spec, layers
from edgesdt.synapses import levels
from edgesdt.targets.design import design as target_design


def design(spec: Spec) -> Design:
    """The design of the chip of `spec`, its target included. Cells and converters are priced by `pricing.cells`."""
    target = target_design(spec)
    first, *others = _phases(spec)
    return Design(
        actions=_actions(spec) + target.actions,
        units=_units(spec) + target.units,
        phases=(first, others[0], *target.phases, *others[1:]),
    )


def _widths(spec: Spec) -> tuple[int, int, int]:
    """Bits of an event, of a drive and of a contrast."""
    state = spec.chip.states.bits
    event = max(spec.encoder.bits, state)
    return event, state + 4, event + state + 1


def _actions(spec: Spec) -> tuple[Action, ...]:
    chip = spec.chip
    weight, state, total, held = levels.seen(spec).bits, chip.states.bits, chip.accumulator.bits, chip.constants.bits
    event, drive, contrast = _widths(spec)
    wide, stored = contrast + held, levels.stored(spec).bits
    found: Along = "column" if chip.style == "event_driven" else "row"  # an event points anywhere
    states = Access(state, ("states", "free_states", "plus_states"), along=found)
    read, filled = (Access(spec.encoder.bits, ("input",), along=way, kind="inputs") for way in (found, _IN_ORDER))
    # the update goes neuron by neuron, down a column of the weights, and so do the buffers
    updated = hidden_bits.accessed(spec)
    upwards = {act.MAC: 1.0, act.COLUMN_MAC: -1.0} if counts_columns(spec) else {act.MAC: 1.0}
    bias = Access(chip.biases.bits, ("biases",), along=found)
    loaded = {act.INPUT_WRITE: sum(chip.layers[1:]) / chip.layers[0]}  # all of them at the start of a sample
    buffered = Access(
        contrast + (settings(spec).batch - 1).bit_length(), ("weight_contrast",), 2, along="column", kind="buffers"
    )
    recipes: dict[str, tuple[str, tuple[Use | Access, ...]]] = {
        act.MAC: (
            "synaptic arithmetic",
            (Use("multiply", (event, weight)), Use("add", (total,)), Use("register", (total,))),
        ),
        act.WEIGHT_READ: ("weight memory", (replace(updated, in_rows=upwards),)),
        act.WEIGHT_WRITE: ("weight memory", (updated,)),
        act.INPUT_READ: ("input", (read,)),
        act.INPUT_WRITE: ("input", (filled,)),
        act.STATE_READ: ("neurons", (states,)),
        act.STATE_WRITE: ("neurons", (states,)),
        act.NEURON_STEP: (
            "neurons",
            (Use("add", (drive,), 2), Use("multiply", (drive, held)), Use("compare", (drive,), 2)),
        ),
        act.NUDGE: ("neurons", (Use("add", (drive,), 2), Use("multiply", (state + 1, held)))),
        act.CONTRAST: ("learning arithmetic", (Use("multiply", (event, state)), Use("add", (contrast,)))),
        act.RATE: (
            "learning arithmetic",
            (
                Use("multiply", (contrast, held)),
                Use("add", (wide,)),
                Use("shift", (wide,)),
                Use("add", (stored,)),
                Use("compare", (stored,)),
            ),
        ),
        act.BIAS_READ: ("biases", (replace(bias, in_rows=loaded),)),
        act.BIAS_WRITE: ("biases", (bias,)),
        act.RANDOM_WORD: ("random bank", (Use("xor", (32,), 3), Use("register", (32,)))),
        act.CONTRAST_ACCESS: ("batch buffers", (buffered,)),
    }
    made = [Action(name, act.MEANING[name], part, recipe) for name, (part, recipe) in recipes.items()]
    if settings(spec).loss == "cross_entropy":
        made += softmax.actions(state, total)
    if counts_columns(spec):
        made.append(Action(act.COLUMN_MAC, act.BANK_MEANING[act.COLUMN_MAC], "weight memory", ()))
    return (*made, *hidden_bits.actions(spec))


_IN_ORDER: Along = "row"


def counts_columns(spec: Spec) -> bool:
    """Whether products that read down a column of the weights are counted apart: banks, and a layer to pass down to.

    Only weights in memory have banks; those that are cells are read by their array.
    """
    return any(layer > 0 for layer in layers.in_memory(spec)) and spec.chip.memory.of("weights") is not None


def _units(spec: Spec) -> tuple[Unit, ...]:
    chip = spec.chip
    weight, state, total, held = levels.seen(spec).bits, chip.states.bits, chip.accumulator.bits, chip.constants.bits
    event, drive, contrast = _widths(spec)
    wide = contrast + held
    mac = (Use("multiply", (event, weight)), Use("add", (total,)), Use("register", (total,)))
    learner = (
        Use("multiply", (event, state)),
        Use("multiply", (contrast, held)),
        Use("shift", (wide,)),
        Use("add", (contrast,)),
        Use("add", (wide,)),
        Use("add", (levels.stored(spec).bits,)),
    )
    neuron = (Use("multiply", (drive, held)), Use("multiply", (state + 1, held)), Use("add", (drive,), 4))
    return (
        *((Unit("synaptic arithmetic", chip.macs_per_cycle, mac),) if layers.in_memory(spec) else ()),
        Unit("learning arithmetic", chip.macs_per_cycle, learner),
        Unit("neurons", chip.neurons_per_cycle, neuron),
        *((softmax.unit(state),) if settings(spec).loss == "cross_entropy" else ()),
        Unit("random bank", chip.random.lanes, (Use("xor", (32,), 3), Use("register", (32,)))),
    )


def _phases(spec: Spec) -> tuple[Phase, ...]:
    """Input, inference and nudge, update: every unit is busy every cycle.

    A bank step takes one cycle and overlaps the update that consumes it; input is loaded `neurons_per_cycle` at a time.
    """
    chip = spec.chip
    synapse = act.CONTRAST_ACCESS if settings(spec).batch > 1 else act.RATE
    return (
        Phase("input", ((Bound(chip.neurons_per_cycle, {act.INPUT_WRITE: 1}),),)),
        Phase(
            "inference and nudge",
            (
                (Bound(chip.macs_per_cycle, {act.MAC: 1}),),
                (Bound(chip.neurons_per_cycle, {act.NEURON_STEP: 1}),),
                *(((Bound(1, {softmax.SOFTMAX: 1}),),) if settings(spec).loss == "cross_entropy" else ()),
            ),
        ),
        Phase(
            "update",
            ((Bound(chip.macs_per_cycle, {synapse: 1}), Bound(chip.random.lanes, {act.RANDOM_WORD: 1})),),
        ),
    )
