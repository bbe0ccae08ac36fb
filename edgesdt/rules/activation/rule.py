"""Activation learning on a fixed-point chip: Zhou, "Activation learning by local competitions", arXiv 2209.13400.

The algorithm, sample by sample, is `edgesdt.rules.activation.kernels.sample.learn_stream`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from edgesdt.arguments import ARGUMENTS
from edgesdt.kernels.layout import Codes
from edgesdt.rules import arguments
from edgesdt.rules.activation import plan
from edgesdt.rules.activation.completion import complete_stream
from edgesdt.rules.activation.kernels.sample import infer_stream, learn_stream
from edgesdt.rules.activation.layout import ChipArrays, Plan, Workspace
from edgesdt.rules.activation.settings import ROOT_BITS, RUNNING_BITS, settings, sum_bits
from edgesdt.rules.activation.store import LabelStore
from edgesdt.rules.arguments import signed
from edgesdt.rules.base import Events, StoreLearner
from edgesdt.rules.protocol import Counts, Labels, Outputs, Pixels
from edgesdt.spec import Spec
from edgesdt.synapses.substrate import Substrate, Tallies, on_cells


class ActivationLearning(StoreLearner):
    """The rule on the chip that `spec` describes, with freshly drawn weights."""

    tables = ("roots",)
    plan: Plan
    chip: ChipArrays
    work: Workspace

    def __init__(self, spec: Spec) -> None:
        super().__init__(spec, plan)

    def biases(self, layer: int) -> npt.NDArray[np.integer]:
        """No neuron of this rule has a bias: an empty array. Raises `ArgumentError` where there is no such layer."""
        ARGUMENTS.whole("layer", layer, 1, len(self.spec.chip.layers) - 1)
        return np.zeros(0, np.int32)

    def _learn(self, samples: Pixels, labels: Labels, order: Labels, epoch: int) -> None:
        rates = self._of_epoch(plan.rates, epoch)
        begun = self.plan.feedback and epoch >= settings(self.spec).feedback.after
        machine, store = self.plan._replace(feedback=begun), self.store.kernels

        def run(part: Labels) -> None:
            learn_stream(self.chip, machine, self.work, store, rates, samples, labels, part)

        self.store.learn(order, run, self._learned(), plan.most_reads(self.spec))

    def _infer_on(
        self, chip: ChipArrays, work: Workspace, store: Any, samples: Pixels, first: int, outputs: Outputs
    ) -> None:
        infer_stream(chip, self.plan, work, store, samples, first, outputs)

    def _priced(self, spec: Spec, events: Events, tallies: Tallies) -> Counts:
        if spec.device.digital:
            from edgesdt.rules.activation.ledger.counts import actions

            return actions(spec, events)
        from edgesdt.rules.activation.ledger import cell_counts  # a digital chip needs no device models

        return cell_counts.actions(spec, events, tallies)

    def _own_workspace(self) -> Workspace:
        return plan.workspace(self.spec, shared=self.work)

    def _substrate(self, aligned: Codes) -> Substrate:
        memory = LabelStore(self.spec, self.plan, self.chip, self.work, aligned)
        return memory if self.spec.device.digital else on_cells(self.spec, memory, sum_bits(self.spec))

    def _ranges(self) -> dict[str, tuple[int, int]]:
        most = int(self.plan.state_limit)
        return {
            "inputs": (0, (1 << self.spec.encoder.bits) - 1),
            "weights": signed(self.store.widest()),
            "signals": (-most, most),
            "outputs": (-most, most),
            "image_sums": signed(self.plan.accumulator_limit),
            "accumulators": signed(self.plan.accumulator_limit),
            "errors": signed(self.plan.error_limit),
            "columns": (-int(self.plan.line_limit), int(self.plan.line_limit)),
            "activations": (0, most * most * self.spec.chip.layers[-1]),
            "means": (0, most << RUNNING_BITS),
            "variances": (0, (1 << (2 * self.spec.chip.states.bits + RUNNING_BITS)) - 1),
            "squares": (0, most * most * max(self.spec.chip.layers[1:])),
            "share_mean": (0, 1 << 16),
            "roots": (0, (1 << ROOT_BITS) - 1),
            "random": (1, (1 << 32) - 1),  # a lane at 0 would stay there
        }

    def completed(self, samples: Pixels, given: npt.NDArray[np.bool_]) -> tuple[Pixels, Labels]:
        """`samples` (n, n_0) with what is not `given` (n_0,) completed, and the label that each was taken for.

        Works on a copy of the neurons: nothing on the chip changes. Raises `ArgumentError`.
        """
        samples, _ = arguments.to_infer(self.spec, samples, 1)
        known = ARGUMENTS.integers("given", np.asarray(given).astype(np.uint8), (samples.shape[1],), 0, 1, np.uint8)
        found, labels = np.zeros_like(samples), np.zeros(len(samples), np.int64)
        own = {name: array.copy() for name, array in self.chip._asdict().items() if name != "weights"}
        highest = (1 << self.spec.encoder.bits) - 1
        work = self._own_workspace()
        store = self.store.reader()(self._aligned(work))
        complete_stream(self.chip._replace(**own), self.plan, work, store, samples, known, highest, found, labels)
        return found, labels

    def pictures(self, samples: Pixels, image_shape: tuple[int, ...]) -> dict[str, npt.NDArray[np.generic]]:
        """The first of the test `samples` with their lower half completed, as the spec asks for, for `weights.npz`."""
        chosen = samples[: settings(self.spec).completions]
        if not len(chosen):
            return {}
        side = image_shape[0] if len(image_shape) > 1 else 2
        given = np.arange(samples.shape[1]) < samples.shape[1] // side * (side // 2)
        found, labels = self.completed(chosen, given)
        return {"pictures": np.stack([chosen, np.where(given, chosen, 0), found]), "picture_labels": labels}

    def weight_file(self, image_shape: tuple[int, ...]) -> dict[str, npt.NDArray[np.generic]]:
        """Integer codes of all that was learned, with their formats, for `weights.npz`."""
        arrays: dict[str, npt.NDArray[np.generic]] = {
            f"weights_{layer}": self.weights(layer) for layer in range(len(self.spec.chip.layers) - 1)
        }
        if self.chip.means.size:
            arrays |= {"means": self.chip.means, "variances": self.chip.variances}
        if self.chip.share_mean.size:
            arrays |= {"share_mean": self.chip.share_mean}
        arrays |= {
            "weights_frac_bits": np.array(self.spec.chip.weights.point),
            "frac_bits": np.array(settings(self.spec).frac_bits),
            "image_shape": np.array(image_shape),
            "image_rows": np.array(self.spec.chip.layers[0]),
            "random_bank": self.chip.random,
        }
        return self.store.weight_file(arrays)
