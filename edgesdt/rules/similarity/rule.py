"""Similarity matching on a fixed-point chip: feed-forward and lateral weights, settled for every sample.

Bahroun et al., arXiv 2308.02427. The algorithm, sample by sample, is
`edgesdt.rules.similarity.kernels.sample.learn_stream`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from edgesdt.arguments import ARGUMENTS
from edgesdt.kernels.layout import Codes
from edgesdt.rules.arguments import signed
from edgesdt.rules.base import Events, StoreLearner
from edgesdt.rules.protocol import Counts, Labels, Outputs, Pixels
from edgesdt.rules.similarity import plan, registers
from edgesdt.rules.similarity.kernels.sample import infer_stream, learn_stream, reflect_layer
from edgesdt.rules.similarity.layout import ChipArrays, Plan, Workspace
from edgesdt.rules.similarity.ledger.counts import actions
from edgesdt.rules.similarity.settings import settings
from edgesdt.rules.similarity.store import NeuronStore
from edgesdt.spec import Spec
from edgesdt.synapses.substrate import Substrate, Tallies, substrate_of

READS = 2
"""Reads of an array in a sample: codes above 0, and codes below."""


class Similarity(StoreLearner):
    """The rule on the chip that `spec` describes, with freshly drawn weights."""

    plan: Plan
    chip: ChipArrays
    work: Workspace

    def __init__(self, spec: Spec) -> None:
        super().__init__(spec, plan)
        self._reflect()

    def _reflect(self) -> None:
        """Bring what the simulator keeps beside the lateral weights, and the reciprocals, in step with them."""
        for layer in range(len(self.spec.chip.layers) - 1):
            reflect_layer(layer, self.chip, self.plan, self.work)

    def _learn(self, samples: Pixels, labels: Labels, order: Labels, epoch: int) -> None:
        rates, (first, last) = self._of_epoch(plan.rates, epoch), plan.learning_layers(self.spec, epoch)

        def run(part: Labels) -> None:
            learn_stream(self.chip, self.plan, self.work, self.store.kernels, rates, samples, labels, part, first, last)

        self.store.learn(order, run, self._learned(), READS)

    def _infer_on(
        self, chip: ChipArrays, work: Workspace, store: Any, samples: Pixels, first: int, outputs: Outputs
    ) -> None:
        infer_stream(chip, self.plan, work, store, samples, first, outputs)

    def _priced(self, spec: Spec, events: Events, tallies: Tallies) -> Counts:
        if spec.device.digital:
            return actions(spec, events)
        from edgesdt.rules.similarity.ledger import cell_counts  # a digital chip needs no device models

        return cell_counts.actions(spec, events, tallies)

    def _own_workspace(self) -> Workspace:
        return plan.workspace(self.spec, shared=self.work)

    def _substrate(self, aligned: Codes) -> Substrate:
        if self.spec.device.digital:
            return NeuronStore(self.spec, self.plan, self.chip, self.work, aligned)
        plain = self.work._replace(mirror=np.zeros(0, np.uint16))  # that is of the lateral weights here
        return substrate_of(self.spec, self.plan, self.chip, plain, aligned, plan.sums_point(self.spec, 0))

    def _ranges(self) -> dict[str, tuple[int, int]]:
        machine, learning = self.plan, settings(self.spec)
        return {
            "inputs": (0, (1 << self.spec.encoder.bits) - 1),
            "weights": signed(self.store.widest()),
            "lateral": (0, machine.lateral_limit),
            "mean": (0, (1 << learning.centring.bits) - 1),
            "seen": (0, 1 << learning.centring.shift),
            "labels": (0, machine.state_limit),
            "label": (-1, machine.classes - 1),
            "accumulators": signed(machine.accumulator_limit),
            "states": (0, machine.state_limit),
            "reciprocals": (0, (1 << registers.RECIPROCAL_BITS) - 1),
            "gains": (registers.ONE, 2 * registers.ONE - 1),
            "random": (1, (1 << 32) - 1),  # a lane at 0 would stay there
        }

    def biases(self, layer: int) -> npt.NDArray[np.integer]:
        """Raises `ArgumentError`: the rule has no biases."""
        ARGUMENTS.refuse("layer", f"{layer}", "none: a chip with rule similarity has no biases")

    def lateral(self, layer: int) -> npt.NDArray[np.integer]:
        """Lateral codes (n, n) of layer `layer` >= 1 (a copy), times their gain.

        Raises `ArgumentError` where there are none.
        """
        layer = ARGUMENTS.whole("layer", layer, 1, len(self.spec.chip.layers) - 1)
        n, start = self.spec.chip.layers[layer], int(self.plan.first_square[layer - 1])
        stride = int(self.plan.strides[layer - 1])
        return self.work.mirror[start : start + n * stride].reshape(n, stride)[:, :n].copy()

    def weight_file(self, image_shape: tuple[int, ...]) -> dict[str, npt.NDArray[np.generic]]:
        """Integer codes of all that was learned, with their formats, for `weights.npz`."""
        layers, depth = self.spec.chip.layers, len(self.spec.chip.layers) - 1
        arrays: dict[str, npt.NDArray[np.generic]] = {f"weights_{k}": self.weights(k) for k in range(depth)}
        for k, n in enumerate(layers[1:]):
            for name, held, starts, size in (
                (f"lateral_{k + 1}", self.chip.lateral, self.plan.first_triangle, n * (n + 1) // 2),
                (f"mean_{k}", self.chip.mean, self.plan.first_input, layers[k]),
                (f"labels_{k + 1}", self.chip.labels, self.plan.first_label, self.plan.classes * n),
            ):
                if held.size:
                    codes = held[int(starts[k]) : int(starts[k]) + size]
                    arrays[name] = codes.reshape(-1, n) if name.startswith("labels") else codes
        arrays |= {
            "gains": self.chip.gains,
            "weights_frac_bits": np.array(self.spec.chip.weights.point),
            "lateral_frac_bits": np.array(settings(self.spec).lateral.frac_bits),
            "image_shape": np.array(image_shape),
            "random_bank": self.chip.random,
        }
        return self.store.weight_file(arrays)
