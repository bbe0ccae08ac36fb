"""Low-order bits of weights that reads do not use, as data: arrays, actions with their recipes, counts.

They lie in a memory of their own, `weights_hidden_0` …, so that a drive moves no more bits than it needs. An update
reads and writes both memories. How a stored code is read is in `edgesdt.synapses.levels`.
"""

from __future__ import annotations

from itertools import pairwise

from edgesdt.ledger import actions as act
from edgesdt.ledger.memory import Array
from edgesdt.ledger.recipes import Access, Action
from edgesdt.spec import Spec


def arrays(spec: Spec) -> list[Array]:
    """The hidden bits of every weight layer; none where nothing is hidden."""
    hidden, layers = spec.chip.weights.hidden_bits, spec.chip.layers
    if hidden == 0:
        return []
    shapes = enumerate(pairwise(layers))
    return [Array(f"weights_hidden_{k}", shape, f"u{hidden}", hidden) for k, shape in shapes]


def accessed(spec: Spec) -> Access:
    """An access to the bits of a weight that are read, down a column of their memory."""
    weights = spec.chip.weights
    if weights.hidden_bits == 0:
        return Access(weights.bits, ("weights",), along="column")
    names = tuple(f"weights_{k}" for k in range(len(spec.chip.layers) - 1))
    return Access(weights.bits, names, along="column", kind="weights")


def actions(spec: Spec) -> tuple[Action, ...]:
    """What an update does with the hidden bits."""
    hidden = spec.chip.weights.hidden_bits
    if hidden == 0:
        return ()
    recipe = (Access(hidden, ("weights_hidden",), along="column", kind="buffers"),)
    return tuple(Action(name, text, "weight memory", recipe) for name, text in act.HIDDEN_MEANING.items())


def counts(spec: Spec, reads: int, writes: int) -> dict[str, int]:
    """Accesses to the hidden bits: `reads` and `writes` of weights by updates."""
    return {act.HIDDEN_READ: reads, act.HIDDEN_WRITE: writes} if spec.chip.weights.hidden_bits else {}
