"""What a chip that matches similarities does and is made of: actions with their recipes, units, and the schedule.

Widths follow the datapath of `docs/explanation/similarity_arithmetic.md`: a product has the bits of its factors.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from edgesdt.ledger import actions as act
from edgesdt.ledger.recipes import Access, Action, Along, Bound, Design, Phase, Unit, Use
from edgesdt.rules.similarity.ledger import actions as own
from edgesdt.rules.similarity.ledger.memory import code_bits
from edgesdt.rules.similarity.registers import GAIN_BITS, RATIO_BITS, RECIPROCAL_BITS
from edgesdt.rules.similarity.settings import settings
from edgesdt.spec import Spec

_MEANING = act.MEANING | own.MEANING
Recipe = tuple[Use | Access, ...]


@dataclass(frozen=True)
class _Widths:
    """Bits of what goes through the datapath."""

    weight: int
    lateral: int
    code: int  # of a centred code, sign included
    state: int
    total: int
    rate: int  # of a rate times a gain
    mean: int
    step: int  # of the factor of a settling step

    @classmethod
    def of(cls, spec: Spec) -> _Widths:
        chip, learning = spec.chip, settings(spec)
        centred, held = learning.centring.enabled, chip.constants.bits
        return cls(
            weight=chip.weights.bits,
            lateral=learning.lateral.bits,
            code=max(code_bits(spec, k) for k in range(len(chip.layers) - 1)) + centred,
            state=chip.states.bits,
            total=chip.accumulator.bits,
            rate=held + 1,
            mean=learning.centring.bits,
            step=RECIPROCAL_BITS if learning.settling.solver == "gauss_seidel" else held + RATIO_BITS,
        )


def design(spec: Spec) -> Design:
    """The design of the chip of `spec`."""
    recipes = _arithmetic(spec) | _accesses(spec)
    return Design(
        actions=tuple(Action(name, _MEANING[name], part, recipe) for name, (part, recipe) in recipes.items()),
        units=_units(spec),
        phases=_phases(spec),
    )


def _mac(spec: Spec) -> tuple[Use, ...]:
    w = _Widths.of(spec)
    return (Use("multiply", (w.code, w.weight)), Use("add", (w.total,)), Use("register", (w.total,)))


def _lateral_mac(spec: Spec) -> tuple[Use, ...]:
    w = _Widths.of(spec)
    return (Use("multiply", (w.state + 1, w.lateral)), Use("add", (w.total,)), Use("register", (w.total,)))


def _step(spec: Spec) -> tuple[Use, ...]:
    """One step of a neuron."""
    w = _Widths.of(spec)
    return (
        Use("multiply", (w.total, w.step)),
        Use("shift", (w.total + w.step,)),
        Use("add", (w.state + 1,)),
        Use("compare", (w.state + 1,), 2),
    )


def _rated(product: int, rate: int, weight: int) -> tuple[Use, ...]:
    """A product times a rate, added to a weight."""
    wide = product + rate
    return (
        Use("multiply", (product, rate)),
        Use("add", (wide,)),
        Use("shift", (wide,)),
        Use("add", (weight,)),
        Use("compare", (weight,), 2),
    )


def _arithmetic(spec: Spec) -> dict[str, tuple[str, Recipe]]:
    w, supervised = _Widths.of(spec), settings(spec).target == "label"
    held, ratio = spec.chip.constants.bits, RATIO_BITS + 2
    # on cells, sums of codes below 0 are taken off those of codes above
    less = () if spec.device.digital else (Use("add", (w.total,)),)
    drive = (*less, Use("multiply", (w.total, ratio)), Use("shift", (w.total + ratio,)))
    inverse = () if settings(spec).settling.solver == "damped" else (_reciprocal(),)
    gain = (Use("multiply", (GAIN_BITS, held), 2), Use("shift", (GAIN_BITS + held,), 2), Use("add", (GAIN_BITS,)))
    return {
        act.MAC: ("synaptic arithmetic", _mac(spec)),
        own.CENTRE: ("means", (Use("shift", (w.mean,)), Use("add", (w.code,)))),
        own.MEAN_STEP: ("means", (Use("add", (w.mean + 1,), 2), Use("shift", (w.mean + 1,)))),
        own.DRIVE: ("neurons", (*drive, Use("add", (w.total,))) if supervised else drive),
        own.SETTLE_STEP: ("neurons", (*_step(spec), *(replace(part, along="row") for part in inverse))),
        own.LATERAL_MAC: ("lateral arithmetic", _lateral_mac(spec)),
        own.OUTER: ("learning arithmetic", (Use("multiply", (w.code, w.state)),)),
        own.STEP: ("learning arithmetic", _rated(w.code + w.state, w.rate, w.weight)),
        own.LATERAL_STEP: ("learning arithmetic", _rated(2 * w.state, w.rate, w.lateral)),
        own.HALVE: ("learning arithmetic", (Use("add", (max(w.weight, w.lateral),)),)),
        own.GAIN_STEP: ("gains", gain),
        # a serial divider: a comparison and a subtraction for each bit of the quotient
        own.DIVIDE: ("gains", (Use("add", (GAIN_BITS,), ratio), Use("register", (GAIN_BITS,), ratio))),
        own.LABEL_STEP: ("learning arithmetic", _rated(w.state + 1, held, w.state)),
        act.RANDOM_WORD: ("random bank", (Use("xor", (32,), 3), Use("register", (32,)))),
    }


def _reciprocal() -> Access:
    return Access(RECIPROCAL_BITS + 5, ("reciprocals",), kind="buffers")


def _accesses(spec: Spec) -> dict[str, tuple[str, Recipe]]:
    """Weights lie pre-synaptic neuron first: sums read them along rows, updates go down the column of a neuron."""
    w = _Widths.of(spec)
    found: Along = "column" if spec.chip.style == "event_driven" else "row"  # an event points anywhere
    every: Along = "row" if settings(spec).centring.enabled else found  # with a mean, all codes are read in order
    synapse = Access(w.weight, ("weights",), along="column")
    # of the triangle, half of what a neuron sends to lies in its row and half down its column
    lateral = Access(w.lateral, ("lateral",), along="column", kind="weights", in_rows={own.LATERAL_MAC: 0.5})
    inputs = Access(spec.encoder.bits, ("input",), along=every, kind="inputs")
    states = Access(w.state, ("states",), along="row")
    mean = Access(w.mean, ("mean",), along="row", kind="buffers")
    label = Access(w.state, ("labels",), along="row", kind="buffers")
    return {
        act.WEIGHT_READ: ("weight memory", (replace(synapse, in_rows={act.MAC: 1.0}),)),
        act.WEIGHT_WRITE: ("weight memory", (synapse,)),
        act.INPUT_READ: ("input", (inputs,)),
        act.INPUT_WRITE: ("input", (replace(inputs, along="row"),)),
        act.STATE_READ: ("neurons", (states,)),
        act.STATE_WRITE: ("neurons", (replace(states, along=found),)),
        own.MEAN_READ: ("means", (mean,)),
        own.MEAN_WRITE: ("means", (mean,)),
        own.LATERAL_READ: ("lateral memory", (lateral,)),
        own.LATERAL_WRITE: ("lateral memory", (replace(lateral, in_rows={}),)),
        own.LABEL_READ: ("label vectors", (label,)),
        own.LABEL_WRITE: ("label vectors", (label,)),
    }


def _units(spec: Spec) -> tuple[Unit, ...]:
    chip, w = spec.chip, _Widths.of(spec)
    learner = (
        Use("multiply", (w.code, w.state)),
        *_rated(max(w.code + w.state, 2 * w.state), w.rate, max(w.weight, w.lateral)),
    )
    mean = (Use("add", (w.mean + 1,), 3), Use("shift", (w.mean + 1,), 2))
    gain = (Use("multiply", (GAIN_BITS, chip.constants.bits)), Use("add", (GAIN_BITS,), 2), Use("shift", (GAIN_BITS,)))
    return (
        *((Unit("synaptic arithmetic", chip.macs_per_cycle, _mac(spec)),) if spec.device.digital else ()),
        Unit("lateral arithmetic", chip.macs_per_cycle, _lateral_mac(spec)),
        Unit("learning arithmetic", chip.macs_per_cycle, learner),
        Unit("neurons", chip.neurons_per_cycle, _step(spec)),
        *((Unit("means", chip.neurons_per_cycle, mean),) if settings(spec).centring.enabled else ()),
        Unit("gains", 1, gain),
        Unit("random bank", chip.random.lanes, (Use("xor", (32,), 3), Use("register", (32,)))),
    )


def _phases(spec: Spec) -> tuple[Phase, ...]:
    """Input, drive, settling, update. A bank step takes one cycle and overlaps the update that consumes it.

    Gauss–Seidel goes neuron by neuron: a step waits for the change before it to reach the residuals.
    """
    chip = spec.chip
    macs, lanes, words = chip.macs_per_cycle, chip.neurons_per_cycle, chip.random.lanes
    steps = ((Bound(macs, {own.LATERAL_MAC: 1}),), (Bound(lanes, {own.SETTLE_STEP: 1}),))
    moved = {own.STEP: 1, own.LATERAL_STEP: 1, own.LABEL_STEP: 1, own.HALVE: 1}
    return (
        Phase("input", ((Bound(lanes, {act.INPUT_WRITE: 1}),), (Bound(lanes, {own.CENTRE: 1, own.MEAN_STEP: 1}),))),
        Phase("drive", ((Bound(macs, {act.MAC: 1}),), (Bound(lanes, {own.DRIVE: 1}),))),
        Phase("settling", steps),
        Phase("update", ((Bound(macs, moved), Bound(words, {act.RANDOM_WORD: 1})), (Bound(1, {own.DIVIDE: 1}),))),
    )
