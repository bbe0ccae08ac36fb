"""What holds the weights of a chip, as a rule's learner sees it: a digital memory, or analog cells in some layers.

A substrate owns what lies beside the chip's weight codes. `kernels` is the store that a rule's kernels are given.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from edgesdt.errors import SpecError
from edgesdt.kernels.layout import Codes
from edgesdt.spec import Spec
from edgesdt.synapses.memory import MemoryStore

Counts = dict[str, int]
State = dict[str, npt.NDArray[np.generic]]
Order = npt.NDArray[np.int64]
Words = Callable[[int], npt.NDArray[np.uint32]]
"""The next so many words of the chip's random bank."""
Tallies = Sequence[tuple[Sequence[int], Sequence[int]]]
"""Of each layer on cells, from the input up: its reads forward and its writes, and its reads back."""


class Substrate(Protocol):
    """The weights of one chip."""

    kernels: Any
    calibration: tuple[float, Counts] | None

    def draw(self, words: Words) -> None:
        """Give the chip its first weights."""
        ...

    def learn(self, order: Order, run: Callable[[Order], None], done: int, reads: int) -> None:
        """Call `run` on all of `order`, part by part, and do between them what the weights need.

        `done` samples were learned before; a sample takes `reads` of a layer in either direction at most.
        """
        ...

    def reader(self) -> Callable[[Codes], Any]:
        """A function that makes a store for inference: the same weights, as they are now, with scratch of its own.

        It takes the room for aligned codes (`Memory.aligned`).
        """
        ...

    def collect(self, stores: Sequence[Any]) -> None:
        """Keep what the stores of one inference have counted."""
        ...

    def empty(self) -> None:
        """Add what the arrays have tallied since `learn` to what happened so far."""
        ...

    def tallies(self, inference: bool = False) -> Tallies:
        """What happened to the arrays in training, or in the last inference."""
        ...

    def tally(self, inference: bool = False) -> tuple[int, ...]:
        """The tallies in a row, as `Seen.cells` has them."""
        ...

    def state(self) -> State:
        """Copies of all that learning changes beside the chip's own arrays."""
        ...

    def free(self) -> tuple[str, ...]:
        """Names in a state whose type says nothing."""
        ...

    def check(self, state: Mapping[str, Any]) -> None:
        """Raise `ArgumentError` where a number in `state`, whose shapes are right, cannot be."""
        ...

    def restore(self, state: Mapping[str, Any]) -> None:
        """Restore a state, once the chip's own arrays are."""
        ...

    def widest(self) -> int:
        """The largest weight code; the lowest is one further from 0."""
        ...

    def weights(self, layer: int) -> npt.NDArray[np.integer]:
        """Weight codes (n_l, n_{l+1}) of weight layer `layer`."""
        ...

    def rested(self, after_s: float) -> AbstractContextManager[None]:
        """Within the context the weights are as they are `after_s` seconds after the last write."""
        ...

    def wear(self, counts: Counts, events: npt.NDArray[np.int64]) -> dict[str, object]:
        """The record's `device`: what learning did to the memory or the cells."""
        ...

    def warnings(self) -> list[str]:
        """What the user should know, in sentences."""
        ...

    def weight_file(self, arrays: State) -> State:
        """`arrays` of a weight file, with what the weights need beside their codes."""
        ...


def substrate_of(spec: Spec, plan: Any, chip: Any, work: Any, aligned: Codes, frac: int) -> Substrate:
    """What holds the weights of `spec`; `frac` are fractional bits of its accumulators.

    Raises `SpecError` for cells that cannot be.
    """
    memory = MemoryStore(spec, plan, chip, work, aligned)
    return memory if spec.device.digital else on_cells(spec, memory, frac)


def on_cells(spec: Spec, memory: MemoryStore, frac: int) -> Substrate:
    """The weights of `spec` on cells; `memory` holds their codes, `frac` are fractional bits of the accumulators.

    Raises `SpecError` for cells that cannot be.
    """
    from edgesdt.synapses.cells import CellStore  # a digital chip needs no device models
    from hw_models.base import DeviceError

    try:
        return CellStore(spec, memory, frac)
    except DeviceError as error:
        raise SpecError(f"device: {error}") from error


def with_room(spec: Spec, work: Any) -> Any:
    """`work`, on cells with room for the random words of a whole pulse train, however small the layers are."""
    if spec.device.digital:
        return work
    from edgesdt.synapses.crossbar.layout import LONGEST_TRAIN

    words = np.zeros(len(work.words) + LONGEST_TRAIN // 2, np.uint32)
    views = {"words": words, "halves": words.view(np.uint16), "octets": words.view(np.uint8)}
    return work._replace(**{name: view for name, view in views.items() if name in work._fields})
