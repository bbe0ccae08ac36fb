"""The weights of a chip that matches similarities, which lie neuron by neuron, and what goes with them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from edgesdt.kernels.layout import Codes
from edgesdt.rules.similarity.layout import ChipArrays, Plan, Workspace
from edgesdt.spec import Spec
from edgesdt.synapses.memory import MemoryStore


class NeuronStore(MemoryStore):
    """The feed-forward weights, each times the gain of its layer; their wear counters lie in the same order."""

    def __init__(self, spec: Spec, plan: Plan, chip: ChipArrays, work: Workspace, aligned: Codes) -> None:
        super().__init__(spec, plan, chip, work, aligned)
        self.chip, self.work = chip, work

    def weights(self, layer: int) -> npt.NDArray[np.integer]:
        """Weight codes (n_l, n_{l+1}) of weight layer `layer` (a view)."""
        rows, columns = self.spec.chip.layers[layer : layer + 2]
        codes: npt.NDArray[np.integer] = self.block(self.chip.weights, layer).reshape(columns, rows)
        return codes.T

    def refresh(self) -> None:
        """Bring the bounds of the weights in step with them."""
        for layer in range(len(self.spec.chip.layers) - 1):
            self.work.weight_peak[layer] = np.abs(self.weights(layer).astype(np.int64)).max(initial=0)

    def restore(self, state: Mapping[str, Any]) -> None:
        """Restore the counts of changes, and bring the bounds in step with the weights."""
        self.work.wear[...] = 0
        self.work.wear_carry[...] = state["wear"]
        self.work.unflushed[...] = 0
        self.refresh()

    def worn(self) -> npt.NDArray[np.uint32]:
        """How often each weight code was changed, in the order of the weight array (a copy)."""
        return self.work.wear + self.work.wear_carry
