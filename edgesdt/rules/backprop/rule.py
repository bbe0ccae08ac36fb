"""Backpropagation with a self-defined target or a label on a fixed-point chip.

Rumelhart, Hinton & Williams, Nature 323 (1986) 533; with the self-defined target: Liu et al., Neuromorph. Comput.
Eng. 4 (2024) 044005. The algorithm, sample by sample, is `edgesdt.rules.backprop.sample.learn_stream`.
"""

from __future__ import annotations

from edgesdt.rules.backprop import plan
from edgesdt.rules.backprop.counts import actions
from edgesdt.rules.backprop.layout import Chip, Plan, Workspace
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

    def learn(self, samples: Pixels, labels: Labels, order: Labels, epoch: int) -> None:
        """Learn from `samples[order]`, one at a time, with the learning-rate registers of `epoch` (0-based)."""
        rates = plan.rates(self.spec, epoch)
        learn_stream(self.chip, self.plan, self.work, rates, samples, labels, order)

    def actions_of(self, events: Events) -> Counts:
        """Actions of the described chip for an event table (EVENT_KINDS, L+1)."""
        return actions(self.spec, events)

    def own_workspace(self) -> Workspace:
        """A workspace for a second set of neurons that shares what goes with the weights."""
        return plan.workspace(self.spec, shared=self.work)

    def infer_with(self, chip: Chip, work: Workspace, samples: Pixels, outputs: Outputs) -> None:
        """Write the output codes of `samples` to `outputs`, on the neurons of `chip`."""
        infer_stream(chip, self.plan, work, samples, outputs)
