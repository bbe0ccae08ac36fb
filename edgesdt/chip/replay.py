"""The replay buffer of a chip: labelled samples as input codes, and how often they were written and read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from edgesdt.arguments import ARGUMENTS
from edgesdt.rules.protocol import Counts
from edgesdt.rules.replay import READ, WRITE, classes, reads, writes
from edgesdt.spec import Spec
from edgesdt.spec.stages import stages

ACTIONS = (READ, WRITE)
KEPT = ("replay_samples", "replay_labels", "replay_reads", "replay_filled")
"""Names of its arrays in the state of a chip."""


class ReplayBuffer:
    """Room for the labelled samples of `spec`: `samples` (count, n_0) and `labels` (count,); empty at first.

    `reads` counts the samples read in each stage of the run.
    """

    def __init__(self, spec: Spec) -> None:
        assert spec.data.labels is not None
        count = spec.data.labels.count
        self.spec, self._classes = spec, classes(spec)
        self.samples: npt.NDArray[np.uint8] = np.zeros((count, spec.chip.layers[0]), np.uint8)
        self.labels: npt.NDArray[np.uint16] = np.zeros(count, np.uint16)
        self.reads: npt.NDArray[np.int64] = np.zeros(len(stages(spec)), np.int64)
        self.filled = False

    def fill(self, codes: npt.NDArray[np.uint8], labels: npt.NDArray[np.int64]) -> None:
        """Keeps `codes` (count, n_0) and `labels` (count,). Raises `ArgumentError` for any other number of them."""
        kept = ARGUMENTS.integers("labels", labels, (len(self.labels),), 0, self._classes - 1)
        ARGUMENTS.integers("x", codes, self.samples.shape, 0, 255, np.uint8)
        self.samples[...], self.labels[...] = codes, kept
        self.filled = True

    def beside(self, counts: Sequence[Counts]) -> list[Counts]:
        """`counts` of each stage with the accesses to the buffer; it is written before the first stage."""
        made = []
        for at, (each, samples) in enumerate(zip(counts, self.reads.tolist(), strict=True)):
            written = writes(self.spec) if self.filled and at == 0 else {WRITE: 0}
            made.append({**each, **reads(self.spec, samples), **written})
        return made

    def state(self) -> dict[str, npt.NDArray[np.generic]]:
        """Copies of its arrays, under the names of `KEPT`."""
        return {
            "replay_samples": self.samples.copy(),
            "replay_labels": self.labels.copy(),
            "replay_reads": self.reads.copy(),
            "replay_filled": np.array(self.filled),
        }

    def check(self, state: Mapping[str, Any]) -> None:
        """Raise `ArgumentError` where a state is not that of this buffer."""
        for name, own in self.state().items():
            if name not in state:
                ARGUMENTS.refuse(f"state: {name!r}", "missing", "every array of `state()` of a chip of this spec")
            ARGUMENTS.like(f"state: {name}", state[name], own)
        highest = (1 << self.spec.encoder.bits) - 1
        ranges = {"replay_samples": highest, "replay_labels": self._classes - 1, "replay_reads": 2**62}
        for name, most in ranges.items():
            ARGUMENTS.integers(f"state: {name}", state[name], state[name].shape, 0, most, state[name].dtype)

    def restore(self, state: Mapping[str, Any]) -> None:
        """Restore a state that `check` has passed."""
        self.samples[...], self.labels[...] = state["replay_samples"], state["replay_labels"]
        self.reads[...], self.filled = state["replay_reads"], bool(state["replay_filled"])
