"""The chip: holds the arrays, runs the learning rule, and provides the memory map and the counts.

data set → encoder → chip [ inference → target → homeostasis → update ] ⇄ synapses (memory | cells)
                        └── action counts ── × technology table ──→ energy, latency, area → record → report
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from edgesdt.arguments import ARGUMENTS
from edgesdt.datasets.encoders import encode
from edgesdt.rules.lookup import memory_map, rule_of
from edgesdt.rules.protocol import Counts, Labels, Outputs
from edgesdt.spec import Spec
from edgesdt.spec.schema.spec import require_spec


class Chip:
    """A described chip that can learn and infer. Raises `BudgetError` if its arrays do not fit the budget,
    and `ArgumentError` for what is no spec.

    >>> from edgesdt.spec import loads
    >>> chip = Chip(loads(
    ...     "{name: tiny, data: {set: digits}, chip: {layers: [64, 20], memory_budget: 8 KiB}, learning: {winners: 2}}"
    ... ))
    >>> chip.memory.used_bits < chip.memory.budget_bits
    True
    """

    def __init__(self, spec: Spec) -> None:
        require_spec(spec)
        self.spec = spec
        self.memory = memory_map(spec)
        self.memory.enforce()
        self.rule = rule_of(spec).build(spec)

    def learn(self, x: npt.NDArray[np.uint8], labels: Labels | None = None, epoch: int = 0) -> None:
        """Learn from 8-bit pixels `x` (samples, n_0) or (n_0,), one sample at a time, in the order given.

        Each sample: load x · inference · target · homeostasis · update, as defined by the rule of the spec. `labels`
        (samples,) are needed only if the target is the label. `epoch` (0-based, below `spec.epochs`) selects the
        learning rate of the schedule. A call with a different epoch than the previous call starts that epoch, as in a
        run: with `homeostasis.reset: epoch` it sets homeostasis to 0. Raises `ArgumentError`, a `ValueError`, for
        invalid arguments.
        """
        codes = self._encoded(x)
        if labels is not None:
            known: object = [labels] if isinstance(labels, int | np.integer) else labels
        elif self.spec.learning.target == "label":
            ARGUMENTS.refuse("labels", "None", f"integers of shape ({len(codes)},), as learning.target is label")
        else:
            known = np.zeros(len(codes), np.int64)
        self.rule.learn(codes, known, np.arange(len(codes)), epoch)  # type: ignore[arg-type]

    def infer(self, x: npt.NDArray[np.uint8], threads: int = 1) -> Outputs:
        """Output codes (samples, n_L) for 8-bit pixels `x` (samples, n_0) or (n_0,).

        Each sample is inferred by a free phase without drop-out. Raises `ArgumentError`, a `ValueError`, for invalid
        arguments.
        """
        return self.rule.infer(self._encoded(x), threads)

    def _encoded(self, x: object) -> npt.NDArray[np.uint8]:
        pixels = ARGUMENTS.rows("x", x, self.spec.chip.layers[0], 0, 255, np.uint8)
        return encode(pixels, self.spec.encoder.bits)

    def counts(self) -> Counts:
        """Actions of the described chip for everything learned so far (exact integers)."""
        return self.rule.counts()

    def state(self) -> dict[str, npt.NDArray[np.generic]]:
        """The complete state; after `restore` the chip continues with the same integers."""
        return self.rule.state()

    def restore(self, state: Mapping[str, npt.NDArray[np.generic]]) -> None:
        """Restores a state saved by `state`, completely or not at all.

        Raises `ArgumentError` if it is the state of another chip.
        """
        self.rule.restore(state)
