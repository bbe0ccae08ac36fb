"""The protocol that every learning rule offers to the chip: memory needed · infer · learn · counts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import numpy as np
import numpy.typing as npt

from edgesdt.ledger.memory import Array

Pixels = npt.NDArray[np.uint8]
Labels = npt.NDArray[np.int64]
Outputs = npt.NDArray[np.uint8] | npt.NDArray[np.uint16]
Counts = dict[str, int]


class Rule(Protocol):
    """A learning rule on a described chip; it owns the chip's arrays."""

    def memory(self) -> tuple[Array, ...]:
        """Every on-chip array that the rule needs."""
        ...

    def learn(self, samples: Pixels, labels: Labels, order: Labels, epoch: int) -> None:
        """Learn from `samples[order]` (input codes), one at a time, with the rates of `epoch` (0-based)."""
        ...

    def infer(self, samples: Pixels, threads: int = 1) -> Outputs:
        """Output codes (samples, n_L) of the chip as it is; changes nothing. The same for any `threads`."""
        ...

    def counts(self) -> Counts:
        """Actions of the described chip for everything learned so far."""
        ...

    def inference_counts(self) -> Counts:
        """Actions of the described chip for the samples of the last `infer`."""
        ...

    def state(self) -> dict[str, npt.NDArray[np.generic]]:
        """Everything that a later `restore` needs to go on bit for bit."""
        ...

    def restore(self, state: Mapping[str, npt.NDArray[np.generic]]) -> None:
        """Take up a state that `state` gave."""
        ...
