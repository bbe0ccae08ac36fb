"""Backpropagation with a self-defined target or a label on a fixed-point chip.

Rumelhart, Hinton & Williams, Nature 323 (1986) 533; with the self-defined target: Liu et al., Neuromorph. Comput.
Eng. 4 (2024) 044005. The algorithm, sample by sample, is `edgesdt.rules.backprop.sample.learn_stream`.
"""

from __future__ import annotations

from edgesdt.rules.arguments import signed
from edgesdt.rules.backprop import plan
from edgesdt.rules.backprop.counts import actions
from edgesdt.rules.backprop.layout import Chip, Plan, Workspace
from edgesdt.rules.backprop.memory import gradient_bits
from edgesdt.rules.backprop.registers import TABLE_BITS
from edgesdt.rules.backprop.sample import infer_stream, learn_stream
from edgesdt.rules.base import DigitalLearner, Events
from edgesdt.rules.protocol import Counts, Labels, Outputs, Pixels
from edgesdt.spec import Spec


class Backprop(DigitalLearner):
    """The rule on the chip that `spec` describes, with freshly drawn weights."""

    plan: Plan
    chip: Chip
    work: Workspace

    def __init__(self, spec: Spec) -> None:
        super().__init__(spec, plan.plan(spec), plan.empty_chip(spec), plan.workspace(spec))

    def _learn(self, samples: Pixels, labels: Labels, order: Labels, epoch: int) -> None:
        rates = plan.rates(self.spec, epoch)
        learn_stream(self.chip, self.plan, self.work, rates, samples, labels, order)

    def _infer_part(self, chip: Chip, work: Workspace, samples: Pixels, outputs: Outputs) -> None:
        infer_stream(chip, self.plan, work, samples, outputs)

    def _actions(self, events: Events) -> Counts:
        return actions(self.spec, events)

    def _own_workspace(self) -> Workspace:
        return plan.workspace(self.spec, shared=self.work)

    def _own_ranges(self) -> dict[str, tuple[int, int]]:
        layers = range(len(self.spec.chip.layers) - 1)
        gradient = signed((1 << (max(gradient_bits(self.spec, layer) for layer in layers) - 1)) - 1)
        table = (0, (1 << TABLE_BITS) - 1)
        return {
            "errors": signed(self.plan.error_limit),
            "exponentials": table,
            "reciprocals": table,
            "weight_gradient": gradient,
            "bias_gradient": gradient,
        }
