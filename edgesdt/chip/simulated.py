"""The chip: holds the arrays, runs the learning rule, and provides the memory map and the counts.

data set → encoder → chip [ inference → target → homeostasis → update ] ⇄ synapses (memory | cells)
                        └── action counts ── × technology table ──→ energy, latency, area → record → report
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from edgesdt.arguments import ARGUMENTS
from edgesdt.chip.replay import ACTIONS, KEPT, ReplayBuffer
from edgesdt.datasets.encoders import encode
from edgesdt.rules.course import added
from edgesdt.rules.lookup import memory_map, rule_of
from edgesdt.rules.protocol import Counts, Labels, Outputs
from edgesdt.rules.replay import is_kept
from edgesdt.spec import Spec
from edgesdt.spec.schema.spec import require_spec
from edgesdt.spec.stages import stages


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
        self.stages = stages(spec)
        self.stage = 0
        self.replay = ReplayBuffer(spec) if is_kept(spec) else None

    def enter(self, stage: int) -> None:
        """Goes on with another stage of the run (`edgesdt.spec.stages`): its target, constants and rates.

        Everything that was learned stays: weights, biases, homeostasis. Stages are numbered in the order of the spec,
        the parts of an alternating phase one by one; a chip starts in stage 0. Raises `ArgumentError`.
        """
        self.rule.enter(ARGUMENTS.whole("stage", stage, 0, len(self.stages) - 1))
        self.stage = stage

    def keep(self, x: npt.NDArray[np.uint8], labels: Labels) -> None:
        """Fills the replay buffer with 8-bit pixels `x` (samples, n_0) and their labels (samples,).

        Raises `ArgumentError` without a buffer, or for another number of samples than it has room for.
        """
        if self.replay is None:
            ARGUMENTS.refuse("x", "samples to keep", "none, chip.replay is stream")
        assert self.replay is not None
        self.replay.fill(self._encoded(x), labels)

    def replayed(self, order: npt.NDArray[np.int64], epoch: int = 0) -> None:
        """Learns the kept samples of these places in the replay buffer. Raises `ArgumentError`."""
        if self.replay is None or not self.replay.filled:
            ARGUMENTS.refuse("order", "places in a replay buffer", "none, nothing is kept")
        assert self.replay is not None
        self.rule.learn(self.replay.samples, self.replay.labels.astype(np.int64), order, epoch)
        self.replay.reads[self.stage] += len(order)

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
        elif self.stages[self.stage].spec.learning.target == "label":
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
        return added(self.stage_counts())

    def stage_counts(self) -> list[Counts]:
        """`counts` apart for every stage of the run."""
        counts = self.rule.stage_counts()
        return counts if self.replay is None else self.replay.beside(counts)

    def inference_counts(self) -> Counts:
        """Actions of the described chip for the samples of the last `infer`."""
        counts = self.rule.inference_counts()
        return counts if self.replay is None else {**counts, **dict.fromkeys(ACTIONS, 0)}

    def state(self) -> dict[str, npt.NDArray[np.generic]]:
        """The complete state; after `restore` the chip continues with the same integers."""
        return self.rule.state() | (self.replay.state() if self.replay else {})

    def restore(self, state: Mapping[str, npt.NDArray[np.generic]]) -> None:
        """Restores a state saved by `state`, completely or not at all.

        Raises `ArgumentError` if it is the state of another chip.
        """
        own = {name: array for name, array in state.items() if name not in KEPT} if self.replay else state
        if self.replay:
            self.replay.check(state)
        self.rule.restore(own)
        if self.replay:
            self.replay.restore(state)
        self.stage = int(state["stage"]) if len(self.stages) > 1 else 0
