"""Equilibrium propagation with a self-defined target (or a label) on a fixed-point chip.

Liu et al., Neuromorph. Comput. Eng. 4 (2024) 044005. The algorithm itself, sample by sample, is
`edgesdt.rules.eqprop.kernels.sample.learn_stream`; this module wires it to a spec.
What holds the weights is its `store`.
"""

from __future__ import annotations

from typing import Any

from edgesdt.kernels.layout import ChipArrays, Codes, Plan, Workspace
from edgesdt.ledger.memory import Array
from edgesdt.rules import arguments
from edgesdt.rules.arguments import signed
from edgesdt.rules.base import Events, StoreLearner
from edgesdt.rules.eqprop import plan
from edgesdt.rules.eqprop.kernels.sample import infer_stream, learn_stream
from edgesdt.rules.eqprop.ledger.memory import contrast_bits, memory
from edgesdt.rules.protocol import Counts, Labels, Outputs, Pixels
from edgesdt.rules.softmax import TABLE_BITS
from edgesdt.spec import Spec
from edgesdt.synapses.substrate import Tallies


class EqProp(StoreLearner):
    """The rule on the chip that `spec` describes, with freshly drawn weights. Raises `SpecError`."""

    plan: Plan
    chip: ChipArrays
    work: Workspace

    def __init__(self, spec: Spec) -> None:
        super().__init__(spec, plan)

    def memory(self) -> tuple[Array, ...]:
        """Every on-chip array, as the memory map lists it."""
        return memory(self.spec)

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
            from edgesdt.rules.eqprop.ledger.counts import actions

            return actions(spec, events)
        from edgesdt.rules.eqprop.ledger import cell_counts  # a digital chip needs no device models

        return cell_counts.actions(spec, events, tallies)

    def _tables(self, work: Workspace, spec: Spec) -> Workspace:
        ends, moves = plan.tables(spec)
        return work._replace(ends=ends, moves=moves)

    def _own_workspace(self) -> Workspace:
        return plan.workspace(self.spec, shared=self.work)

    def _aligned(self, work: Workspace) -> Codes:
        return work.pres

    def _ranges(self) -> dict[str, tuple[int, int]]:
        state = (0, int(self.plan.state_limit))
        nudged = signed(self.plan.state_limit) if self.plan.softmax else state
        table = (0, (1 << TABLE_BITS) - 1)
        layers = range(len(self.spec.chip.layers) - 1)
        contrast = signed((1 << (max(contrast_bits(self.spec, layer) for layer in layers) - 1)) - 1)
        return arguments.ranges_of(self.spec, self.plan, self.store.widest()) | {
            "states": nudged,
            "free_states": state,
            "plus_states": nudged,
            "exponentials": table,
            "reciprocals": table,
            "weight_contrast": contrast,
            "bias_contrast": contrast,
        }

    def _in_order(self) -> bool:
        """States that round stochastically draw words in inference, too."""
        return bool(self.plan.stochastic_states)
