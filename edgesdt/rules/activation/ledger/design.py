"""What a chip that learns by local competition does and is made of: actions with their recipes, units, and schedule.

Widths follow the datapath of `docs/explanation/activation_arithmetic.md`: a product has the bits of its factors.
"""

from __future__ import annotations

from edgesdt.ledger import actions as act
from edgesdt.ledger.recipes import Access, Action, Along, Bound, Design, Phase, Unit, Use
from edgesdt.rules.activation.ledger import actions as own
from edgesdt.rules.activation.ledger.memory import input_square_bits, square_bits
from edgesdt.rules.activation.settings import FACTOR_BITS, ROOT_BITS, RUNNING_BITS, SCORE_BITS, by_lines, settings
from edgesdt.spec import Spec
from edgesdt.spec.layers import in_memory

_MEANING = act.MEANING | own.MEANING
_MANTISSA = 3 * ROOT_BITS
"""Bits of the largest product of a Newton step."""


def design(spec: Spec) -> Design:
    """The design of the chip of `spec`."""
    return Design(actions=_actions(spec), units=_units(spec), phases=_phases(spec))


def _mac(spec: Spec) -> tuple[Use, ...]:
    """A product of a signal and a weight, added to an accumulator."""
    total = spec.chip.accumulator.bits
    return (Use("multiply", (spec.chip.states.bits + 1, spec.chip.weights.bits)), Use("add", (total,)),
            Use("register", (total,)))  # fmt: skip


def _root() -> tuple[Use, ...]:
    """An inverse root without its table: a Newton step is three products and a difference."""
    return (
        Use("shift", (_MANTISSA,), 2),
        Use("multiply", (ROOT_BITS, ROOT_BITS), 3),
        Use("multiply", (ROOT_BITS, 2 * ROOT_BITS)),
        Use("add", (_MANTISSA,), 2),
    )


def _square(spec: Spec) -> tuple[Use, ...]:
    """A square added to a sum of squares, at the width of the largest that the unit sees."""
    widest = max(spec.encoder.bits, spec.chip.states.bits, SCORE_BITS if _standard(spec) else 0)
    return (Use("multiply", (widest, widest)), Use("add", (max(input_square_bits(spec), square_bits(spec)),)))


def _standard(spec: Spec) -> bool:
    return settings(spec).activation == "std_abs"


def _recipes(spec: Spec) -> dict[str, tuple[str, tuple[Use | Access, ...]]]:
    chip, learning = spec.chip, settings(spec)
    signal, total, weight = chip.states.bits + 1, chip.accumulator.bits, chip.weights.bits
    held, errors = chip.constants.bits, learning.errors.bits
    found: Along = "column" if chip.style == "event_driven" else "row"  # an event points anywhere
    inputs = Access(spec.encoder.bits, ("input",), kind="inputs")
    states = Access(signal, ("signals", "outputs"), along=found, kind="states")
    error = Access(errors, ("errors",), kind="states")
    sums = Access(total, ("image_sums", "accumulators"), kind="states")
    table = Access(ROOT_BITS, ("inverse_roots",), along="column", kind="buffers")
    squares, variance = square_bits(spec), 2 * chip.states.bits + RUNNING_BITS
    mean = Access(chip.states.bits + RUNNING_BITS, ("means", "variances"), 4, kind="buffers")
    wide = errors + signal + held
    # every pass goes along the rows of the weights; a line's steps go to the columns whose factor is not 0
    moved = Access(weight, ("weights",), along=found, in_rows={act.MAC: 1.0, own.RECONSTRUCTION: 1.0})
    recipes: dict[str, tuple[str, tuple[Use | Access, ...]]] = {
        act.MAC: ("synaptic arithmetic", _mac(spec)),
        own.RECONSTRUCTION: ("synaptic arithmetic", (*_mac(spec), Use("register", (signal,)))),
        act.WEIGHT_READ: ("weight memory", (moved,)),
        act.WEIGHT_WRITE: ("weight memory", (Access(weight, ("weights",), along=found),)),
        act.INPUT_READ: ("input", (inputs,)),
        act.INPUT_WRITE: ("input", (inputs,)),
        own.SQUARE: ("normalisation", _square(spec)),
        own.INVERSE_ROOT: ("normalisation", (*_root(), table)),
        own.NORMALISE: (
            "normalisation",
            (Use("multiply", (spec.encoder.bits, ROOT_BITS)), Use("add", (spec.encoder.bits + ROOT_BITS,)),
             Use("shift", (spec.encoder.bits + ROOT_BITS,)), Use("compare", (signal,))),
        ),
        own.SUM_COPY: ("neurons", (Access(total, ("image_sums", "accumulators"), 2, kind="states"),)),
        own.OUTPUT: ("neurons", (Use("add", (total,)), Use("shift", (total,)), Use("compare", (total,), 2), sums)),
        own.MEAN: ("neurons", (Use("add", (total,), 2), Use("shift", (total,)), sums)),
        own.SIGNAL: (
            "neurons",
            (Use("multiply", (SCORE_BITS, ROOT_BITS)), Use("add", (SCORE_BITS + ROOT_BITS,)),
             Use("shift", (SCORE_BITS + ROOT_BITS,)), Use("compare", (signal,), 2), sums),
        ),
        own.RUN: ("running statistics", (
            Use("add", (variance,), 4), Use("shift", (variance,), 2),
            Use("multiply", (chip.states.bits + RUNNING_BITS + 1,) * 2), *((mean,) if _standard(spec) else ()),
        )),
        act.STATE_READ: ("neurons", (states,)),
        act.STATE_WRITE: ("neurons", (states,)),
        own.ERROR: (
            "errors",
            (Use("add", (total,), 2), Use("shift", (total,)), Use("compare", (errors,), 2),
             Use("multiply", (errors, 9))),
        ),
        own.ERROR_READ: ("errors", (error,)),
        own.ERROR_WRITE: ("errors", (error,)),
        own.COMPARE: ("neurons", (Use("compare", (squares,)), Access(squares, ("activations",), 2, kind="states"))),
        own.FACTOR: (
            "learning arithmetic",
            (Use("multiply", (errors, held)), Use("add", (errors + held,)), Use("shift", (errors + held,)),
             Use("compare", (FACTOR_BITS,), 2), Use("register", (FACTOR_BITS,))),
        ),
        own.LINE_STEP: (
            "learning arithmetic",
            (Use("multiply", (FACTOR_BITS, FACTOR_BITS)), Use("add", (weight,)), Use("compare", (weight,)),
             *((Access(FACTOR_BITS, ("column_factors",), along=found, kind="states"),) if by_lines(spec) else ())),
        ),
        own.PRODUCT_STEP: (
            "learning arithmetic",
            (Use("multiply", (errors, signal)), Use("multiply", (errors + signal, held)), Use("add", (wide,)),
             Use("shift", (wide,)), Use("add", (weight,)), Use("compare", (weight,))),
        ),
        act.RANDOM_WORD: ("random bank", (Use("xor", (32,), 3), Use("register", (32,)))),
    }  # fmt: skip
    return recipes


def _actions(spec: Spec) -> tuple[Action, ...]:
    return tuple(Action(name, _MEANING[name], part, recipe) for name, (part, recipe) in _recipes(spec).items())


def _units(spec: Spec) -> tuple[Unit, ...]:
    chip, parts = spec.chip, {name: recipe for name, (_, recipe) in _recipes(spec).items()}

    def arithmetic(*names: str) -> tuple[Use, ...]:
        return tuple(part for name in names for part in parts[name] if isinstance(part, Use))

    step, stored = own.LINE_STEP if by_lines(spec) else own.PRODUCT_STEP, in_memory(spec)
    factor = (Unit("learning arithmetic", chip.neurons_per_cycle, arithmetic(own.FACTOR)),) if by_lines(spec) else ()
    return (
        *((Unit("synaptic arithmetic", chip.macs_per_cycle, arithmetic(own.RECONSTRUCTION)),) if stored else ()),
        Unit("learning arithmetic", chip.macs_per_cycle, arithmetic(step)),
        *factor,
        Unit("neurons", chip.neurons_per_cycle, arithmetic(own.OUTPUT, own.MEAN, own.SIGNAL)),
        Unit("errors", chip.neurons_per_cycle, arithmetic(own.ERROR)),
        Unit("normalisation", chip.neurons_per_cycle, arithmetic(own.SQUARE, own.NORMALISE)),
        Unit("normalisation", 1, _root()),
        *((Unit("running statistics", chip.neurons_per_cycle, arithmetic(own.RUN)),) if _standard(spec) else ()),
        Unit("random bank", chip.random.lanes, arithmetic(act.RANDOM_WORD)),
    )


def _phases(spec: Spec) -> tuple[Phase, ...]:
    """Input, the passes up, reconstruction, update. A bank step takes one cycle and overlaps what consumes it."""
    chip = spec.chip
    macs, lanes = chip.macs_per_cycle, chip.neurons_per_cycle
    step = own.LINE_STEP if by_lines(spec) else own.PRODUCT_STEP
    words = Bound(chip.random.lanes, {act.RANDOM_WORD: 1})
    update = (Bound(macs, {step: 1}), words)
    return (
        Phase("input", ((Bound(lanes, {act.INPUT_WRITE: 1}),),)),
        # an inverse root takes four cycles on the one unit there is
        Phase("normalisation", ((Bound(lanes, {own.SQUARE: 1}),), (_roots(),), (Bound(lanes, {own.NORMALISE: 1}),))),
        Phase(
            "passes",
            (
                (Bound(macs, {act.MAC: 1}),),
                (Bound(lanes, {own.OUTPUT: 1}), Bound(lanes, {own.SUM_COPY: 1})),
                (Bound(lanes, {own.MEAN: 1}),),
                (Bound(lanes, {own.SIGNAL: 1}),),
            ),
        ),
        Phase("reconstruction", ((Bound(macs, {own.RECONSTRUCTION: 1}),), (Bound(lanes, {own.ERROR: 1}),))),
        Phase("update", ((Bound(lanes, {own.FACTOR: 1}),), update)),
    )


def _roots() -> Bound:
    return Bound(1, {own.INVERSE_ROOT: 1})
