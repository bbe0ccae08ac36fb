"""Consolidation: neurons that are frozen from the start of a phase, a bit of the chip for each neuron.

A chip chooses them by itself. It reads every weight of the layer once and adds up the absolute values of each neuron,
or it draws a random word for each neuron.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from edgesdt.ledger import actions as act
from edgesdt.rules.protocol import Counts
from edgesdt.spec import Spec
from edgesdt.spec.schema.learning import Targeted

Bits = npt.NDArray[np.uint8]


def share(spec: Spec) -> float:
    """The share of the neurons of a layer that is frozen."""
    return spec.learning.consolidation.frozen if isinstance(spec.learning, Targeted) else 0.0


def of_layers(spec: Spec) -> range:
    """The layers of neurons in which some are frozen: the hidden ones, or the outputs where there are none."""
    last = len(spec.chip.layers) - 1
    return range(1, max(last, 2))


def chosen(
    spec: Spec, weights: Callable[[int], npt.NDArray[np.integer]], words: Callable[[int], npt.NDArray[np.uint32]]
) -> dict[int, Bits]:
    """Layer → a bit for each of its neurons (n,), 1 where it is frozen; ties go to the lowest index."""
    found = {}
    for layer in of_layers(spec):
        size = spec.chip.layers[layer]
        keys = words(size).astype(np.int64) if _drawn(spec) else _sums(weights(layer - 1))
        bits: Bits = np.zeros(size, np.uint8)
        bits[np.argsort(-keys, kind="stable")[: round(share(spec) * size)]] = 1
        found[layer] = bits
    return found


def _sums(weights: npt.NDArray[np.integer]) -> npt.NDArray[np.int64]:
    """The sum of the absolute codes of each column of `weights` (n_in, n)."""
    found: npt.NDArray[np.int64] = np.abs(weights.astype(np.int64)).sum(axis=0)
    return found


def bank_steps(spec: Spec) -> int:
    """Steps of the random bank that `chosen` takes."""
    lanes = spec.chip.random.lanes
    return sum(-(-spec.chip.layers[layer] // lanes) for layer in of_layers(spec)) if _drawn(spec) else 0


def beside(counts: Counts, spec: Spec, frozen: bool) -> Counts:
    """`counts` of a stage, with those of choosing the neurons that it has frozen: a read and an addition a weight."""
    if not frozen or _drawn(spec):
        return counts
    looked_at = sum(spec.chip.layers[k - 1] * spec.chip.layers[k] for k in of_layers(spec))
    more = {name: looked_at for name in (act.MAC, act.WEIGHT_READ)}
    return {name: count + more.get(name, 0) for name, count in counts.items()}


def _drawn(spec: Spec) -> bool:
    """Whether neurons are chosen at random."""
    return isinstance(spec.learning, Targeted) and spec.learning.consolidation.by == "random"
