"""The weights of a chip that learns by local competition: the first layer has rows for the units of the label, too."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from edgesdt.rules.activation.settings import shapes
from edgesdt.synapses.memory import MemoryStore


class LabelStore(MemoryStore):
    """The weights; updates by lines count wear in the order of the weights, updates by products in that of sweeps."""

    def shape(self, layer: int) -> tuple[int, int]:
        """Rows and columns of weight layer `layer`; rows of the label's units are behind those of the image."""
        return shapes(self.spec)[layer]

    def _turned(self, synapses: npt.NDArray[np.uint32], back: bool) -> npt.NDArray[np.uint32]:
        return synapses.copy() if self.plan.by_lines else super()._turned(synapses, back)
