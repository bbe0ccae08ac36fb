"""What a chip that learns by SoftHebb does and is made of: actions with their recipes, units, and the schedule."""

from __future__ import annotations

from edgesdt.ledger import actions as act
from edgesdt.ledger.recipes import Action, Bound, Design, Phase, Unit, Use
from edgesdt.rules.softhebb.ledger import actions as own
from edgesdt.rules.softhebb.ledger.recipes import learning, mac, neurons, recipes
from edgesdt.rules.softhebb.settings import buffered, settings
from edgesdt.spec import Spec
from edgesdt.spec.layers import in_memory

_MEANING = act.MEANING | own.MEANING


def design(spec: Spec) -> Design:
    """The design of the chip of `spec`."""
    made = recipes(spec)
    return Design(
        actions=tuple(Action(name, _MEANING[name], part, recipe) for name, (part, recipe) in made.items()),
        units=_units(spec),
        phases=_phases(spec),
    )


def _units(spec: Spec) -> tuple[Unit, ...]:
    chip, made = spec.chip, neurons(spec) | learning(spec)

    def parts(*names: str) -> tuple[Use, ...]:
        return tuple(part for name in names for part in made[name][1] if isinstance(part, Use))

    synapse = own.NORMALISED if buffered(spec) else own.PULL
    read_out = (own.HEAD,) if settings(spec).target == "label" else ()
    centred = settings(spec).centre.enabled
    return (
        *((Unit("synaptic arithmetic", chip.macs_per_cycle, mac(spec)),) if in_memory(spec) else ()),
        Unit("learning arithmetic", chip.macs_per_cycle, parts(synapse, own.NORM_STEP, *read_out)),
        Unit("neurons", chip.neurons_per_cycle, parts(own.DRIVE, own.ACTIVATION)),
        Unit("softmax", 1, parts(own.SOFTMAX, own.RECIPROCAL)),
        *((Unit("means", chip.neurons_per_cycle, parts(own.WINDOW)),) if centred else ()),
        Unit("random bank", chip.random.lanes, (Use("xor", (32,), 3), Use("register", (32,)))),
    )


def _phases(spec: Spec) -> tuple[Phase, ...]:
    """Input, forward, competition, update. A bank step takes one cycle and overlaps the update that consumes it."""
    chip = spec.chip
    macs, lanes = chip.macs_per_cycle, chip.neurons_per_cycle
    words = Bound(chip.random.lanes, {act.RANDOM_WORD: 1})
    # one neuron's root is drawn, all of its bits in a row, while the weights of the one before are swept
    roots = Bound(1, {own.NORM_RATE: 1})
    moved = [Bound(macs, {name: 1}) for name in (own.PULL, own.NORMALISED)]
    return (
        Phase("input", ((Bound(lanes, {act.INPUT_WRITE: 1}),),)),
        Phase(
            "forward",
            ((Bound(macs, {act.MAC: 1}),), (Bound(lanes, {own.DRIVE: 1}),), (Bound(lanes, {own.ACTIVATION: 1}),)),
        ),
        Phase("competition", ((Bound(1, {own.SOFTMAX: 1}),),)),
        Phase(
            "update",
            (
                (Bound(macs, {own.GRADIENT_ACCESS: 1}),),
                (Bound(macs, {own.LARGEST: 1}),),
                (*moved, roots, words, Bound(lanes, {own.CENTRE: 1})),
                (Bound(macs, {own.HEAD: 1}),),
                (Bound(lanes, {own.WINDOW: 1}),),
                (Bound(macs, {own.OFFSET: 1}), Bound(lanes, {own.MEAN: 1})),
            ),
        ),
    )
