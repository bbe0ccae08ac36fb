"""Competitive learning: the neuron whose weights are nearest to a sample moves them towards it; no target, no label.

Sources: Rumelhart and Zipser, Cognitive Science 9, 75 (1985); the conscience, by which a neuron that wins too often
holds back, is DeSieno's, Proc. ICNN 1988, I-117. Nearest is largest `w·x - |w|²/2`. In integers throughout.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Literal

import numpy as np
import numpy.typing as npt
from pydantic import Field

from edgesdt.ledger import actions as act
from edgesdt.ledger.memory import Array
from edgesdt.ledger.recipes import Access, Action, Bound, Design, Phase, Unit, Use
from edgesdt.qformat import QFormat, Rounding, Scale
from edgesdt.rules.mapped import MappedLearner, rounded, scaled
from edgesdt.rules.protocol import Counts, Labels, Outputs, Pixels, Rule
from edgesdt.rules.schedule import factor
from edgesdt.spec import Spec
from edgesdt.spec.schema.learning import AsHeld, Learning
from edgesdt.spec.source import Fault
from edgesdt.spec.types import Rates

COMPARE, PULL, SQUARE, CONSCIENCE = "score_compare", "weight_pull", "weight_square", "conscience_step"


class Settings(Learning):
    """The fields of `learning:` with this rule: those of all rules, and its own."""

    target: Literal["none"] = Field(default="none", description="This rule has no target")
    learning_rate: Rates = Field(default=(0.03,), description="Share of the way to the sample that the winner moves")
    conscience: Annotated[float, Field(ge=0, le=1), AsHeld] = Field(
        default=0.02, description="How much a neuron holds back for each sample that it wins"
    )


def conscience(spec: Spec) -> Scale:
    """The register of the conscience."""
    return Scale.nearest(spec.learning.conscience, spec.chip.constants.bits)  # type: ignore[attr-defined]


def rate(spec: Spec, epoch: int) -> Scale:
    """The register of the learning rate in `epoch`."""
    return Scale.nearest(spec.learning.learning_rate[0] * factor(spec, epoch), spec.chip.constants.bits)


def held(spec: Spec) -> dict[str, tuple[float | list[float], str]]:
    """The two constants as the chip holds them."""
    first, second = rate(spec, 0), conscience(spec)
    return {
        "learning.learning_rate": ([first.value], f"first epoch, {first}"),
        "learning.conscience": (second.value, str(second)),
    }


def disagreements(spec: Spec) -> Iterator[Fault]:
    """One layer, one sample at a time, weights that reach an input of 1, and accumulators that hold every score."""
    chip, bits = spec.chip, spec.encoder.bits
    if len(chip.layers) > 2:
        yield Fault(("chip", "layers"), f"{len(chip.layers)} layers of neurons, allowed: 2 with this rule")
    if spec.learning.batch > 1:
        yield Fault(("learning", "batch"), f"mini-batches of {spec.learning.batch}, allowed: 1 with this rule")
    if not bits <= chip.weights.frac_bits <= chip.weights.bits - 1:
        text = f"{chip.weights.frac_bits}, allowed: {bits}..{chip.weights.bits - 1} with this rule (weights are inputs)"
        yield Fault(("chip", "weights", "frac_bits"), text)
    needed = chip.layers[0].bit_length() + bits + chip.weights.frac_bits + 2
    if chip.accumulator.bits < needed:
        text = f"{chip.accumulator.bits}, allowed: {needed}..32 with this rule (a score must fit)"
        yield Fault(("chip", "accumulator", "bits"), text, blame=(("chip", "accumulator", "bits"), ("chip", "layers")))


def arrays(spec: Spec) -> tuple[Array, ...]:
    """The memory map."""
    chip, (inputs, outputs) = spec.chip, spec.chip.layers
    pixel, weight = QFormat(spec.encoder.bits, spec.encoder.bits, signed=False), QFormat(chip.weights.bits, chip.weights.frac_bits)
    total = chip.accumulator.bits
    score = f"s{total}.{spec.encoder.bits + chip.weights.frac_bits}"
    return (
        Array("input", (inputs,), str(pixel), pixel.bits),
        Array("weights_0", (inputs, outputs), str(weight), weight.bits),
        Array("scores", (outputs,), score, total),
        Array("half_squares", (outputs,), score, total),
        Array("conscience", (outputs,), score, total),
        Array("random_bank", (chip.random.lanes,), chip.random.generator, 32),
        Array("constants", (2,), "multiplier, shift", chip.constants.bits + 6),
    )


def design(spec: Spec) -> Design:
    """What each action costs, the functional units, and what bounds each phase of a sample."""
    chip, pixel, weight = spec.chip, spec.encoder.bits, spec.chip.weights.bits
    total, wide = chip.accumulator.bits, weight + 1 + chip.constants.bits
    mac = (Use("multiply", (pixel, weight)), Use("add", (total,)), Use("register", (total,)))
    pull = (Use("add", (weight + 1,)), Use("multiply", (weight + 1, chip.constants.bits)), Use("add", (wide,), 2))
    square = (Use("multiply", (weight, weight)), Use("add", (total,)))
    compare = (Use("add", (total,), 2), Use("compare", (total,)))
    score, synapse, random = Access(total, ("half_squares", "conscience")), Access(weight, ("weights",)), Use("xor", (32,), 3)
    step = (Use("multiply", (total, chip.constants.bits)), Use("add", (total,)), Access(total, ("conscience",), 2))
    actions = (
        Action(act.MAC, act.MEANING[act.MAC], "synaptic arithmetic", mac),
        Action(act.WEIGHT_READ, act.MEANING[act.WEIGHT_READ], "weight memory", (synapse,)),
        Action(act.WEIGHT_WRITE, act.MEANING[act.WEIGHT_WRITE], "weight memory", (synapse,)),
        Action(act.INPUT_READ, act.MEANING[act.INPUT_READ], "input", (Access(pixel, ("input",)),)),
        Action(act.INPUT_WRITE, act.MEANING[act.INPUT_WRITE], "input", (Access(pixel, ("input",)),)),
        Action(act.RANDOM_WORD, act.MEANING[act.RANDOM_WORD], "random bank", (random, Use("register", (32,)))),
        Action(COMPARE, "one score formed and compared with the best so far", "neurons", (*compare, score, score)),
        Action(CONSCIENCE, "one conscience moved by whether its neuron won", "neurons", step),
        Action(PULL, "one weight of the winner moved towards its input", "learning arithmetic", pull),
        Action(SQUARE, "one weight of the winner squared and summed", "learning arithmetic", square),
    )
    units = (
        Unit("synaptic arithmetic", chip.macs_per_cycle, mac),
        Unit("learning arithmetic", chip.macs_per_cycle, pull + square),
        Unit("neurons", chip.neurons_per_cycle, compare),
        Unit("random bank", chip.random.lanes, (random, Use("register", (32,)))),
    )
    phases = (
        Phase("input", ((Bound(chip.neurons_per_cycle, {act.INPUT_WRITE: 1}),),)),
        Phase("scores", ((Bound(chip.macs_per_cycle, {act.MAC: 1}),), (Bound(chip.neurons_per_cycle, {COMPARE: 1}),))),
        Phase("update", ((Bound(chip.macs_per_cycle, {PULL: 1}), Bound(chip.random.lanes, {act.RANDOM_WORD: 1})),)),
    )
    return Design(actions, units, phases)


def counted(spec: Spec, samples: int, inputs: int, learned: int, writes: int, bank_steps: int) -> Counts:
    """Actions for `samples` with `inputs` that are not 0 together, of which `learned` moved a winner."""
    n, m = spec.chip.layers
    if spec.chip.style == "dense":
        inputs, writes = samples * n, learned * n
    return {
        act.MAC: inputs * m,
        act.WEIGHT_READ: inputs * m + learned * n,
        act.WEIGHT_WRITE: writes,
        act.INPUT_READ: inputs + learned * n,
        act.INPUT_WRITE: samples * n,
        act.RANDOM_WORD: bank_steps * spec.chip.random.lanes,
        COMPARE: samples * m,
        CONSCIENCE: learned * m,
        PULL: learned * n,
        SQUARE: learned * n,
    }


def expected(spec: Spec, learning: bool) -> Counts:
    """Actions of 1,000 samples: a third of the inputs not 0, a third of the winner's weights change."""
    n, learned = spec.chip.layers[0], 1000 * learning
    steps = -(-n // (2 * spec.chip.random.lanes)) if spec.chip.weights.rounding == "stochastic" else 0
    return counted(spec, 1000, 1000 * n // 3, learned, learned * n // 3, learned * steps)


class Competitive(MappedLearner):
    """The rule on a chip, with weights drawn from the lower half of what an input can be."""

    events_of_rule = ("samples", "inputs", "learned")
    learned = ("conscience",)

    def __init__(self, spec: Spec) -> None:
        super().__init__(spec, arrays(spec))
        self.frac, self.align = spec.chip.weights.frac_bits, spec.chip.weights.frac_bits - spec.encoder.bits
        self.mode = Rounding.named(spec.chip.weights.rounding)
        self.draw("weights_0", 0, (1 << (self.frac - 1)) - 1)
        self._square(slice(None))

    def _square(self, where: slice) -> None:
        """|w|²/2 of the neurons `where`, in the format of a score."""
        squares = np.square(self.arrays["weights_0"][:, where]).sum(axis=0)
        self.store("half_squares", where, rounded(squares, self.align + 1, Rounding.NEAREST))

    def _score(self, sample: Pixels) -> npt.NDArray[np.int64]:
        """`w·x - |w|²/2` of every neuron, from the inputs that are not 0."""
        (used,) = np.nonzero(sample)
        self.events["samples"] += 1
        self.events["inputs"] += len(used)
        sums = sample[used].astype(np.int64) @ self.arrays["weights_0"][used]
        self.store("input", slice(None), sample.astype(np.int64))
        self.store("scores", slice(None), sums - self.arrays["half_squares"])
        return self.arrays["scores"]

    def _learn(self, samples: Pixels, labels: Labels, order: Labels, epoch: int) -> None:
        step, back, one = rate(self.spec, epoch), conscience(self.spec), 1 << (self.frac + self.spec.encoder.bits)
        for place in order:
            winner = int(np.argmax(self._score(samples[place]) - self.arrays["conscience"]))  # ties: the lowest
            won = np.zeros(self.spec.chip.layers[1], np.int64)
            won[winner] = one
            moved = scaled(won - one // len(won), back, 0, Rounding.NEAREST)
            self.store("conscience", slice(None), self.arrays["conscience"] + moved)
            weights = self.arrays["weights_0"][:, winner]
            apart = (self.arrays["input"] << self.align) - weights
            moved = scaled(apart, step, 0, self.mode, self.noise(self.mode, len(apart)))
            self.store("weights_0", (slice(None), winner), weights + moved)
            self._square(slice(winner, winner + 1))
            self.events["learned"] += 1

    def _infer_part(self, samples: Pixels, outputs: Outputs) -> None:
        bits = self.spec.chip.states.bits
        for place, sample in enumerate(samples):
            scores = self._score(sample)
            below = rounded(scores.max() - scores, self.frac + self.spec.encoder.bits - bits, Rounding.NEAREST)
            outputs[place] = np.maximum((1 << bits) - 1 - below, 0)

    def _actions(self, events: Mapping[str, int]) -> Counts:
        names = ("samples", "inputs", "learned", "changes", "bank_steps")
        return counted(self.spec, *(events[name] for name in names))


RULE = Rule(
    name="competitive",
    summary="competitive learning: the neuron nearest to a sample moves towards it, one that wins too often holds back",
    source="Rumelhart and Zipser, Cognitive Science 9, 75 (1985); DeSieno, Proc. ICNN 1988, I-117",
    targets=("none",),
    readouts=("direct", "linear"),
    synapses=("digital",),
    settings=Settings,
    arrays=arrays,
    design=design,
    held=held,
    rates=lambda spec, epoch: [rate(spec, epoch).value],
    expected=expected,
    assumptions=lambda spec: "assuming a third of the inputs not zero and a third of the winner's weights written",
    disagreements=disagreements,
    costless={"learning_rate": (), "conscience": 0.0},
    build=Competitive,
)
