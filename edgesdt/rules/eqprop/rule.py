"""Equilibrium propagation with a self-defined target (or a label) on a fixed-point chip.

Liu et al., Neuromorph. Comput. Eng. 4 (2024) 044005. The algorithm itself, sample by sample, is
`edgesdt.rules.eqprop.sample.learn_stream`; this module wires it to a spec.
"""

from __future__ import annotations

from edgesdt.kernels.layout import Chip, Plan, Workspace
from edgesdt.ledger.memory import Array
from edgesdt.rules.arguments import signed
from edgesdt.rules.base import DigitalLearner, Events
from edgesdt.rules.eqprop import plan
from edgesdt.rules.eqprop.counts import actions
from edgesdt.rules.eqprop.memory import contrast_bits, memory
from edgesdt.rules.eqprop.sample import infer_stream, learn_stream
from edgesdt.rules.protocol import Counts, Labels, Outputs, Pixels
from edgesdt.spec import Spec


class EqProp(DigitalLearner):
    """The rule on the chip that `spec` describes, with freshly drawn weights."""

    plan: Plan
    chip: Chip
    work: Workspace

    def __init__(self, spec: Spec) -> None:
        super().__init__(spec, plan.plan(spec), plan.empty_chip(spec), plan.workspace(spec))

    def memory(self) -> tuple[Array, ...]:
        """Every on-chip array, as the memory map lists it."""
        return memory(self.spec)

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
        state = (0, int(self.plan.state_limit))
        layers = range(len(self.spec.chip.layers) - 1)
        contrast = signed((1 << (max(contrast_bits(self.spec, layer) for layer in layers) - 1)) - 1)
        return {
            "free_states": state,
            "plus_states": state,
            "weight_contrast": contrast,
            "bias_contrast": contrast,
        }

    def _in_order(self) -> bool:
        """States that round stochastically draw words in inference, too."""
        return bool(self.plan.stochastic_states)
