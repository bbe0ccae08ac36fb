"""What most rules on a digital memory have alike, as data: input, weights, multiply-accumulate and the random bank.

A rule of its own adds its arrays and actions: `standard.arrays(spec) + (Array(...),)`, `standard.design(spec) +
Design(...)`. Recipes are those of a fully connected chip of any depth.
"""

from __future__ import annotations

from collections.abc import Iterator

from edgesdt.ledger import actions as act
from edgesdt.ledger.memory import Array
from edgesdt.ledger.recipes import Access, Action, Along, Bound, Design, Phase, Unit, Use
from edgesdt.qformat import MAX_SHIFT, QFormat, Scale
from edgesdt.rules.schedule import factor, rates_beyond
from edgesdt.spec import Spec
from edgesdt.spec.text.source import Fault

_IN_ORDER: Along = "row"
SHIFT_BITS = 6
"""Width of the programmable shift beside each constant's multiplier (0 … 63)."""


def arrays(spec: Spec, constants: int) -> tuple[Array, ...]:
    """`input`, `weights_0` …, `random_bank`, and the registers of as many `constants`."""
    chip = spec.chip
    weight = QFormat(chip.weights.bits, chip.weights.point)
    return (
        numbers("input", (chip.layers[0],), QFormat(spec.encoder.bits, spec.encoder.bits, signed=False)),
        *(numbers(f"weights_{k}", chip.layers[k : k + 2], weight) for k in range(len(chip.layers) - 1)),
        Array("random_bank", (chip.random.lanes,), chip.random.generator, 32),
        Array("constants", (constants,), "multiplier, shift", chip.constants.bits + SHIFT_BITS),
    )


def numbers(name: str, shape: tuple[int, ...], kept: QFormat) -> Array:
    """An array of fixed-point numbers."""
    return Array(name, shape, str(kept), kept.bits)


def design(spec: Spec) -> Design:
    """The actions `mac`, `weight_read`, `weight_write`, `input_read`, `input_write`, `random_word`, and their units.

    Weights are read along rows for sums, and otherwise read and written down a column: neuron by neuron.
    Its phase is `input`, which loads a sample. The sums and everything else are phases of the rule.
    """
    chip, pixel, total = spec.chip, spec.encoder.bits, spec.chip.accumulator.bits
    codes = max(pixel, chip.states.bits) if len(chip.layers) > 2 else pixel
    mac = (Use("multiply", (codes, chip.weights.bits)), Use("add", (total,)), Use("register", (total,)))
    word = (Use("xor", (32,), 3), Use("register", (32,)))
    found: Along = "row" if chip.style == "dense" else "column"  # where an input points, in an event-driven chip
    summed = Access(chip.weights.bits, ("weights",), along="column", in_rows={act.MAC: 1.0})
    moved = Access(chip.weights.bits, ("weights",), along="column")
    read, filled = (Access(pixel, ("input",), along=way, kind="inputs") for way in (found, _IN_ORDER))
    recipes: dict[str, tuple[str, tuple[Use | Access, ...]]] = {
        act.MAC: ("synaptic arithmetic", mac),
        act.WEIGHT_READ: ("weight memory", (summed,)),
        act.WEIGHT_WRITE: ("weight memory", (moved,)),
        act.INPUT_READ: ("input", (read,)),
        act.INPUT_WRITE: ("input", (filled,)),
        act.RANDOM_WORD: ("random bank", word),
    }
    return Design(
        actions=tuple(Action(name, act.MEANING[name], part, recipe) for name, (part, recipe) in recipes.items()),
        units=(
            Unit("synaptic arithmetic", chip.macs_per_cycle, mac),
            Unit("random bank", chip.random.lanes, word),
        ),
        phases=(Phase("input", ((Bound(chip.neurons_per_cycle, {act.INPUT_WRITE: 1}),),)),),
    )


def register(spec: Spec, value: float) -> Scale:
    """A constant as the chip holds it."""
    return Scale.nearest(value, spec.chip.constants.bits)


def rate(spec: Spec, epoch: int, layer: int = 0) -> Scale:
    """The register of a learning rate in `epoch` (0-based), after the schedule."""
    return register(spec, spec.learning.learning_rate[layer] * factor(spec, epoch))


def rates_held(spec: Spec) -> Iterator[Fault]:
    """A fault for every learning rate that `rate` would hold as 0: to be among the disagreements of a rule."""
    return rates_beyond(spec, lambda asked: register(spec, asked).value, 2.0 ** -(MAX_SHIFT + 1))
