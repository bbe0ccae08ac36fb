"""How busy a chip is expected to be: shares and rates of what happens in a sample, apart from what that costs.

An `Activity` is plain data. `ASSUMED` is taken where nothing was looked at; `edgesdt.runs.profile` measures one.
A rule turns it into the counts of a chip of any size (`Rule.expected`), and what it saw into an activity (`observed`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

import numpy as np
import numpy.typing as npt

from edgesdt.spec import Spec
from edgesdt.spec.schema.learning import targeted


@dataclass(frozen=True)
class Seen:
    """What happened in a stretch of `samples`: the rule's own table of events, and the tally of its array if any."""

    samples: int
    events: npt.NDArray[np.int64]
    cells: tuple[int, ...] = ()


@dataclass(frozen=True)
class Activity:
    """What is expected of a sample. Tuples go by layer from the input up; their last value stands for all layers above.

    A rate of updates is one of training; of pairs, the products that an event-driven chip forms between neurons that
    moved and inputs that count.
    """

    inputs: float
    """Share of the inputs that are not zero, nothing dropped."""
    changes: tuple[float, ...]
    """State changes per neuron and training sample, all phases together; from rest, one for a state that is not 0."""
    changes_at_inference: tuple[float, ...]
    """State changes per neuron and inference."""
    nudged: float
    """State changes per output neuron in the nudged steps alone."""
    moved: tuple[float, ...]
    """Share of the neurons of a layer that are updated."""
    pairing: tuple[float, ...]
    """Share of a hidden layer that an updated neuron above it is paired with, over what moved there."""
    written: float
    """Weight codes written, per pair."""
    biases_moved: tuple[float, ...]
    """Share of the neurons of a layer whose bias is updated."""
    biases_written: float
    """Bias codes written, per updated bias."""
    steps: float = 0.0
    """Steps of the random bank in a training sample, beyond those that follow from the other numbers."""
    steps_at_inference: float = 0.0
    """Steps of the random bank in an inference."""
    cells: tuple[float, ...] = ()
    """What an array did in training, over what follows from the other numbers, by its tally; empty: as that.

    A rule without an array may keep shares of its own here.
    """
    cells_at_inference: tuple[float, ...] = ()
    """The same for inference."""
    source: str = ""
    """Where the numbers are from, as the beginning of a sentence."""


def at(rates: tuple[float, ...], layer: int) -> float:
    """The rate of layer `layer` (from 1)."""
    return rates[min(layer, len(rates)) - 1]


ASSUMED = Activity(
    inputs=0.2,  # MNIST: 0.19
    changes=(0.5,),  # 784-2000 on MNIST: 0.44
    changes_at_inference=(0.25,),
    nudged=0.25,
    moved=(0.03,),  # 784-2000 on MNIST: 0.027
    pairing=(2.0,),
    written=0.15,
    biases_moved=(0.03,),
    biases_written=0.15,
    source="assuming",
)
"""Of an event-driven chip that nothing is known of."""


def in_words(activity: Activity, sizes: Sequence[int]) -> str:
    """The activity of a chip with neuron layers of `sizes` (input left out), in a sentence."""
    layers = range(1, len(sizes) + 1)
    changes, moved = (
        sum(at(rates, layer) * n for layer, n in zip(layers, sizes, strict=True)) / sum(sizes)
        for rates in (activity.changes, activity.moved)
    )
    return (
        f"{activity.source} {activity.inputs:.0%} of the inputs not zero, {changes:.2g} state changes per neuron and "
        f"{moved:.0%} of the neurons updated per sample; a run counts them"
    )


def of_inputs(activity: Activity, sizes: Sequence[int]) -> str:
    """The activity of a chip of which only the inputs are looked at, in a sentence."""
    return f"{activity.source} {activity.inputs:.0%} of the inputs not zero; a run counts them"


def kept_inputs(spec: Spec, learning: bool) -> float:
    """Share of the inputs that are not dropped."""
    return 1.0 - targeted(spec.learning).dropout.input if learning else 1.0


def bank_steps(spec: Spec, samples: int, moved: Sequence[float], pairs: Sequence[float]) -> float:
    """Steps of the random bank for drop-out and the rounding of so many updates."""
    bank = 2 * spec.chip.random.lanes
    masks = sum(-(-n // (2 * bank)) for n in (spec.chip.layers[0], spec.chip.layers[-1]))
    # every sweep of a post-synaptic neuron starts on a fresh step of the bank
    sweeps = sum(n * ceil(p / max(n * bank, 1)) for n, p in zip(moved, pairs, strict=True))
    return int(sweeps + samples * masks)


def rates(events: Sequence[int], samples: int, sizes: Sequence[int]) -> tuple[float, ...]:
    """Events by layer as a rate of each sample and neuron; `sizes` are those of the same layers."""
    return tuple(n / (samples * size) for n, size in zip(events, sizes, strict=True))


def over(seen: Seen, expected: Sequence[float]) -> tuple[float, ...]:
    """What the arrays did, over what is `expected` of 1,000 samples, entry by entry of their tallies."""
    share = 1000 / seen.samples
    return tuple(n * share / before if before else 0.0 for n, before in zip(seen.cells, expected, strict=True))
