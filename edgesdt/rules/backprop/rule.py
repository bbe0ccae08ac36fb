"""Backpropagation with a self-defined target or a label on a fixed-point chip.

Rumelhart, Hinton & Williams, Nature 323 (1986) 533; with the self-defined target: Liu et al., Neuromorph. Comput.
Eng. 4 (2024) 044005. The algorithm, sample by sample, is `edgesdt.rules.backprop.kernels.sample.learn_stream`.
What holds the weights is the learner's `store`.
"""

from __future__ import annotations

from typing import Any

from edgesdt.kernels.layout import Codes
from edgesdt.rules import arguments
from edgesdt.rules.arguments import signed
from edgesdt.rules.backprop import plan
from edgesdt.rules.backprop.kernels.sample import infer_stream, learn_stream
from edgesdt.rules.backprop.layout import ChipArrays, Plan, Workspace
from edgesdt.rules.backprop.ledger.memory import gradient_bits
from edgesdt.rules.base import Events, StoreLearner
from edgesdt.rules.protocol import Counts, Labels, Outputs, Pixels
from edgesdt.rules.softmax import TABLE_BITS
from edgesdt.spec import Spec
from edgesdt.synapses.substrate import Tallies


class Backprop(StoreLearner):
    """The rule on the chip that `spec` describes, with freshly drawn weights. Raises `SpecError`."""

    tables = ("exponentials", "reciprocals")
    plan: Plan
    chip: ChipArrays
    work: Workspace

    def __init__(self, spec: Spec) -> None:
        super().__init__(spec, plan)

    def _learn(self, samples: Pixels, labels: Labels, order: Labels, epoch: int) -> None:
        rates, store = self._of_epoch(plan.rates, epoch), self.store.kernels

        def run(part: Labels) -> None:
            learn_stream(self.chip, self.plan, self.work, store, rates, samples, labels, part)

        self.store.learn(order, run, self._learned(), plan.most_reads(self.spec))

    def _infer_on(
        self, chip: ChipArrays, work: Workspace, store: Any, samples: Pixels, first: int, outputs: Outputs
    ) -> None:
        infer_stream(chip, self.plan, work, store, samples, first, outputs)

    def _priced(self, spec: Spec, events: Events, tallies: Tallies) -> Counts:
        if spec.device.digital:
            from edgesdt.rules.backprop.ledger.counts import actions

            return actions(spec, events)
        from edgesdt.rules.backprop.ledger import cell_counts  # a digital chip needs no device models

        return cell_counts.actions(spec, events, tallies)

    def _own_workspace(self) -> Workspace:
        return plan.workspace(self.spec, shared=self.work)

    def _aligned(self, work: Workspace) -> Codes:
        return work.deltas

    def _ranges(self) -> dict[str, tuple[int, int]]:
        layers = range(len(self.spec.chip.layers) - 1)
        gradient = signed((1 << (max(gradient_bits(self.spec, layer) for layer in layers) - 1)) - 1)
        table = (0, (1 << TABLE_BITS) - 1)
        return arguments.ranges_of(self.spec, self.plan, self.store.widest()) | {
            "errors": signed(self.plan.error_limit),
            "exponentials": table,
            "reciprocals": table,
            "weight_gradient": gradient,
            "bias_gradient": gradient,
        }
