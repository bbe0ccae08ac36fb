"""Competitive learning: the neuron whose weights are nearest to a sample moves them towards it; no target, no label.

Sources: Rumelhart and Zipser, Cognitive Science 9, 75 (1985); the conscience, by which a neuron that wins too often
holds back, is DeSieno's, Proc. ICNN 1988, I-117. Nearest is largest `w·x - |w|²/2`. In integers throughout.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from edgesdt.ledger import actions as act
from edgesdt.ledger.memory import Array
from edgesdt.ledger.recipes import Access, Action, Bound, Design, Phase, Unit, Use
from edgesdt.qformat import QFormat, Rounding
from edgesdt.rules import standard
from edgesdt.rules.activity import ASSUMED, Activity, Seen
from edgesdt.rules.mapped import Ints, MappedLearner, rounded, scaled
from edgesdt.rules.protocol import Counts, Labels, Outputs, Pixels, Rule
from edgesdt.spec import Spec
from edgesdt.spec.schema.learning import AsHeld, Learning
from edgesdt.spec.text.source import Fault
from edgesdt.spec.types import Rates


class Settings(Learning):
    """The fields of `learning:` with this rule: those of all rules, and its own."""

    target: Literal["none"] = Field(default="none", description="This rule has no target")
    learning_rate: Rates = Field(default=(0.03,), description="Share of the way to the sample that the winner moves")
    conscience: Annotated[float, Field(ge=0, le=1), AsHeld] = Field(
        default=0.02, description="How much a neuron holds back for each sample that it wins"
    )


def held(spec: Spec) -> dict[str, tuple[float | list[float], str]]:
    """The two constants as the chip holds them."""
    rate, conscience = standard.rate(spec, 0), standard.register(spec, spec.learning.conscience)
    return {
        "learning.learning_rate": ([rate.value], f"first epoch, {rate}"),
        "learning.conscience": (conscience.value, str(conscience)),
    }


def disagreements(spec: Spec) -> Iterator[Fault]:
    """One layer, one sample at a time, weights that reach an input of 1, and accumulators that hold every score."""
    chip, bits, frac = spec.chip, spec.encoder.bits, spec.chip.weights.frac_bits  # which may be "auto"
    needed = chip.layers[0].bit_length() + bits + chip.weights.bits + 1
    for path, given, fits, allowed in (
        (("chip", "layers"), len(chip.layers), len(chip.layers) == 2, "a list of 2 layers"),
        (("learning", "batch"), spec.learning.batch, spec.learning.batch == 1, "1"),
        (
            ("chip", "weights", "frac_bits"),
            frac,
            frac in range(bits, chip.weights.bits),
            f"{bits}..{chip.weights.bits - 1}",
        ),
        (("chip", "accumulator", "bits"), chip.accumulator.bits, needed <= chip.accumulator.bits, f"{needed}..32"),
    ):
        if not fits:
            yield Fault(path, f"{given}, allowed: {allowed} with the rule competitive")
    yield from standard.rates_held(spec)


def arrays(spec: Spec) -> tuple[Array, ...]:
    """The memory map: input, weights, random bank and constants, and a score with its parts for each neuron."""
    score = QFormat(spec.chip.accumulator.bits, spec.encoder.bits + spec.chip.weights.point)
    own = ("scores", "half_squares", "conscience")
    return standard.arrays(spec, constants=2) + tuple(
        standard.numbers(name, spec.chip.layers[1:], score) for name in own
    )


def design(spec: Spec) -> Design:
    """What the actions of this rule cost beside the standard ones, its functional units, and its phases."""
    chip, weight, held_bits, total = (
        spec.chip,
        spec.chip.weights.bits,
        spec.chip.constants.bits,
        spec.chip.accumulator.bits,
    )
    compare = (Use("add", (total,), 2), Use("compare", (total,)))
    pull = (Use("multiply", (weight + 1, held_bits)), Use("add", (weight + 1 + held_bits,), 3))
    square = (Use("multiply", (weight, weight)), Use("add", (total,)))
    parts = Access(total, ("half_squares", "conscience"), 2, kind="states")
    step = (Use("multiply", (total, held_bits)), Use("add", (total,)), Access(total, ("conscience",), 2, kind="states"))
    return standard.design(spec) + Design(
        actions=(
            Action("score_compare", "one score formed and compared with the best so far", "neurons", (*compare, parts)),
            Action("conscience_step", "one conscience moved by whether its neuron won", "neurons", step),
            Action("weight_pull", "one weight of the winner moved towards its input", "learning arithmetic", pull),
            Action("weight_square", "one weight of the winner squared and summed", "learning arithmetic", square),
        ),
        units=(
            Unit("neurons", chip.neurons_per_cycle, compare),
            Unit("learning arithmetic", chip.macs_per_cycle, pull + square),
        ),
        phases=(
            Phase(
                "scores",
                ((Bound(chip.macs_per_cycle, {act.MAC: 1}),), (Bound(chip.neurons_per_cycle, {"score_compare": 1}),)),
            ),
            Phase(
                "update",
                ((Bound(chip.macs_per_cycle, {"weight_pull": 1}), Bound(chip.random.lanes, {act.RANDOM_WORD: 1})),),
            ),
        ),
    )


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
        "score_compare": samples * m,
        "conscience_step": learned * m,
        "weight_pull": learned * n,
        "weight_square": learned * n,
    }


def expected(spec: Spec, learning: bool, activity: Activity) -> Counts:
    """Actions of 1,000 samples on a chip so busy."""
    n, learned = spec.chip.layers[0], 1000 * learning
    steps = -(-n // (2 * spec.chip.random.lanes)) if spec.chip.weights.rounding == "stochastic" else 0
    writes = int(learned * n * activity.written)
    return counted(spec, 1000, int(1000 * n * activity.inputs), learned, writes, learned * steps)


def observed(spec: Spec, trained: Seen, inferred: Seen, source: str) -> Activity:
    """How busy a chip was: the share of inputs that are not 0, and of the winner's weights that were written."""
    n, seen = spec.chip.layers[0], Competitive.named(trained.events)
    inputs, written = seen["inputs"] / (n * seen["samples"]), seen["changes"] / (n * seen["learned"])
    return replace(ASSUMED, inputs=inputs, written=written, source=source)


class Competitive(MappedLearner):
    """The rule on a chip, with weights drawn from the lower half of what an input can be."""

    events_of_rule = ("samples", "inputs", "learned")
    learned = ("conscience",)

    def __init__(self, spec: Spec) -> None:
        super().__init__(spec, arrays(spec))
        self.frac, self.align = spec.chip.weights.point, spec.chip.weights.point - spec.encoder.bits
        self.draw("weights_0", 0, (1 << (self.frac - 1)) - 1)
        self.square(slice(None))

    def square(self, where: slice) -> None:
        """Store |w|²/2 of the neurons `where`, in the format of a score."""
        squares = np.square(self.arrays["weights_0"][:, where]).sum(axis=0)
        self.store("half_squares", where, rounded(squares, self.align + 1, Rounding.NEAREST))

    def score(self, sample: Pixels) -> Ints:
        """`w·x - |w|²/2` of every neuron, from the inputs that are not 0."""
        (used,) = np.nonzero(sample)
        self.events["samples"] += 1
        self.events["inputs"] += len(used)
        sums = sample[used].astype(np.int64) @ self.arrays["weights_0"][used]
        self.store("input", slice(None), sample.astype(np.int64))
        self.store("scores", slice(None), sums - self.arrays["half_squares"])
        return self.arrays["scores"]

    def _learn(self, samples: Pixels, labels: Labels, order: Labels, epoch: int) -> None:
        rate, back = standard.rate(self.spec, epoch), standard.register(self.spec, self.spec.learning.conscience)
        mode, one = Rounding.named(self.spec.chip.weights.rounding), 1 << (self.frac + self.spec.encoder.bits)
        for place in order:
            winner = int(np.argmax(self.score(samples[place]) - self.arrays["conscience"]))  # ties: the lowest
            won = np.zeros(self.spec.chip.layers[1], np.int64)
            won[winner] = one
            moved = scaled(won - one // len(won), back, 0, Rounding.NEAREST)
            self.store("conscience", slice(None), self.arrays["conscience"] + moved)
            weights = self.arrays["weights_0"][:, winner]
            apart = (self.arrays["input"] << self.align) - weights
            moved = scaled(apart, rate, 0, mode, self.noise(mode, len(apart)))
            self.store("weights_0", (slice(None), winner), weights + moved)
            self.square(slice(winner, winner + 1))
            self.events["learned"] += 1

    def _infer_part(self, samples: Pixels, outputs: Outputs) -> None:
        bits = self.spec.chip.states.bits
        for place, sample in enumerate(samples):
            scores = self.score(sample)
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
    rates=lambda spec, epoch: [standard.rate(spec, epoch).value],
    expected=expected,
    observed=observed,
    disagreements=disagreements,
    costless={"learning_rate": (), "conscience": 0.0},
    build=Competitive,
)
