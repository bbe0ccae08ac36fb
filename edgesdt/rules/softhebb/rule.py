"""SoftHebb on a fixed-point chip: a soft winner-take-all whose losers move away from the sample.

Journé et al., ICLR 2023; the inputs are centred by running means. The algorithm, sample by sample, is
`edgesdt.rules.softhebb.kernels.sample.learn_stream`. What holds the weights is the learner's `store`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import numpy.typing as npt

from edgesdt.arguments import ARGUMENTS
from edgesdt.rules import arguments
from edgesdt.rules.arguments import signed
from edgesdt.rules.base import Events, StoreLearner
from edgesdt.rules.protocol import Counts, Labels, Outputs, Pixels
from edgesdt.rules.softhebb import plan
from edgesdt.rules.softhebb.kernels.cells import offsets_at_rest, offsets_of_rows
from edgesdt.rules.softhebb.kernels.sample import infer_stream, learn_stream
from edgesdt.rules.softhebb.layout import ChipArrays, Plan, Workspace
from edgesdt.rules.softhebb.ledger.memory import LARGEST_BITS, decay_bits, gathered_bits, norm_bits, offset_bits
from edgesdt.rules.softhebb.registers import POWER_BITS, RECIPROCAL_BITS
from edgesdt.rules.softhebb.settings import competing, pre_bits, settings
from edgesdt.spec import Spec
from edgesdt.spec.layers import device_of
from edgesdt.synapses.substrate import Tallies

_STALE = 2
"""Of `ready`: the offsets of the layer must be read from its cells."""
_FAR_PLACE = 1 << 30
"""Among samples that are inferred: the place of a read of offsets after a rest, past them all."""


class SoftHebb(StoreLearner):
    """The rule on the chip that `spec` describes, with freshly drawn weights. Raises `SpecError`."""

    tables = ("exponentials", "reciprocals", "rate_powers", "state_powers")
    plan: Plan
    chip: ChipArrays
    work: Workspace

    def __init__(self, spec: Spec) -> None:
        super().__init__(spec, plan)
        for layer in (k for k in range(competing(spec)) if device_of(spec, k).in_memory):
            start, codes = int(self.plan.first[layer + 1]), self.weights(layer).astype(np.int64)
            self.chip.norms[start : start + codes.shape[1]] = np.square(codes).sum(axis=0)

    def _learn(self, samples: Pixels, labels: Labels, order: Labels, epoch: int) -> None:
        rates, store = self._of_epoch(plan.rates, epoch), self.store.kernels

        def run(part: Labels) -> None:
            learn_stream(self.chip, self.plan, self.work, store, rates, samples, labels, part)

        self.store.learn(order, run, self._learned(), plan.most_reads(self.spec))

    def _infer_on(
        self, chip: ChipArrays, work: Workspace, store: Any, samples: Pixels, first: int, outputs: Outputs
    ) -> None:
        infer_stream(chip, self.plan, work, store, samples, first, outputs)

    def _infer(self, samples: Pixels, outputs: Outputs, size: int, threads: int) -> None:
        """As every learner's; offsets of a layer on cells are read first where they are not those of its weights."""
        self._settle()
        super()._infer(samples, outputs, size, threads)

    @contextmanager
    def rested(self, after_s: float) -> Iterator[None]:
        """As every learner's; a layer on cells reads its offsets then, too, which no count has."""
        if not self._on_cells or not self.chip.offsets.size:
            with super().rested(after_s):
                yield
            return
        self._settle()
        kept = self.chip.offsets.copy()
        with super().rested(after_s):
            self._settle_rested()
            try:
                yield
            finally:
                self.chip.offsets[:] = kept

    @property
    def _on_cells(self) -> bool:
        """Whether the lowest layer lies on cells."""
        return not device_of(self.spec, 0).in_memory

    def _settle(self) -> None:
        """Read the offsets of a layer on cells, if they are not those of its weights and means."""
        if self._on_cells and self.chip.ready.size and self.chip.ready[0] == _STALE:
            offsets_of_rows(self.chip, self.plan, self.work, self.store.kernels)
            self.store.empty()

    def _settle_rested(self) -> None:
        """Read the offsets as the cells are now, unless there are no means yet."""
        if self.chip.ready[0] == 0:
            return
        work = self._own_workspace()
        chip = self.chip._replace(
            accumulators=self.chip.accumulators.copy(), ready=np.full_like(self.chip.ready, _STALE)
        )
        offsets_at_rest(chip, self.plan, work, self.store.reader()(self._aligned(work)), _FAR_PLACE)

    def _priced(self, spec: Spec, events: Events, tallies: Tallies) -> Counts:
        if spec.device.digital:
            from edgesdt.rules.softhebb.ledger.counts import actions

            return actions(spec, events)
        from edgesdt.rules.softhebb.ledger import cell_counts  # a digital chip needs no device models

        return cell_counts.actions(spec, events, tallies)

    def _own_workspace(self) -> Workspace:
        return plan.workspace(self.spec, shared=self.work)

    def _ranges(self) -> dict[str, tuple[int, int]]:
        layers, spec, learning = range(competing(self.spec)), self.spec, settings(self.spec)
        form, window = learning.competition, learning.centre.window_bits
        gathered = max((gathered_bits(spec, k) for k in layers), default=1)
        offset = max(offset_bits(spec, k) for k in layers)
        return arguments.ranges_of(self.spec, self.plan, self.store.widest()) | {
            "drives": signed(self.plan.drive_limit),
            "shares": signed((1 << form.share_bits) - 1),
            "norms": (0, (1 << max(norm_bits(spec, k) for k in layers)) - 1),
            "offsets": signed((1 << (offset - 1)) - 1),
            "means": (0, int(self.plan.mean_limit.max())),
            "sums": (0, (1 << (max(pre_bits(spec, k) for k in layers) + window)) - 1),
            "seen": (0, (1 << window) - 1),
            "ready": (0, _STALE if self._on_cells else 1),
            "largest": (0, (1 << LARGEST_BITS) - 1),
            "errors": signed(self.plan.state_limit),
            "label": (0, spec.chip.layers[-1] - 1),
            "exponentials": (0, (1 << form.table_bits) - 1),
            "reciprocals": (0, (1 << RECIPROCAL_BITS) - 1),
            "rate_powers": (0, (1 << POWER_BITS) - 1),
            "state_powers": (0, self.plan.state_limit),
            "gathered": signed((1 << (gathered - 1)) - 1),
            "decay": signed((1 << (decay_bits(spec) - 1)) - 1),
        }

    def biases(self, layer: int) -> npt.NDArray[np.integer]:
        """Empty: this rule has no biases. Raises `ArgumentError` for a layer that is not there."""
        ARGUMENTS.whole("layer", layer, 1, len(self.spec.chip.layers) - 1)
        return np.zeros(0, np.int32)

    def weight_file(self, image_shape: tuple[int, ...]) -> dict[str, npt.NDArray[np.generic]]:
        """Integer codes of all that was learned, with their formats, for `weights.npz`."""
        chip, spec = self.chip, self.spec
        arrays: dict[str, npt.NDArray[np.generic]] = {
            f"weights_{k}": self.weights(k) for k in range(len(spec.chip.layers) - 1)
        }
        for k in range(competing(spec) if settings(spec).centre.enabled else 0):
            low, start = int(self.plan.first_pre[k]), int(self.plan.first[k + 1])
            arrays[f"means_{k}"] = chip.means[low : low + spec.chip.layers[k]]
            arrays[f"offsets_{k + 1}"] = chip.offsets[start : start + spec.chip.layers[k + 1]]
        arrays |= {
            "weights_frac_bits": np.array(spec.chip.weights.point),
            "image_shape": np.array(image_shape),
            "random_bank": chip.random,
        }
        return self.store.weight_file(arrays)
