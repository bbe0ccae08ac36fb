"""Small chips that learn by local competition: the kernels' chip and the oracle's with one start, and random specs.

The only place where tests translate between the flat arrays of `rules.activation.layout` and the oracle's lists.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from hypothesis import strategies as st

from edgesdt.kernels import layout
from edgesdt.rules.activation import layout as own_layout
from edgesdt.rules.activation.rule import ActivationLearning
from edgesdt.spec import Spec
from tests.chip_specs import ROUNDINGS
from tests.oracle_activation import ROOTS, OracleActivation
from tests.small_chips import Samples, flat, random_codes, spec_of

SMALL: dict[str, Any] = {
    "learning.rule": "activation", "learning.target": "label", "readout": ["activation"], "learning.label.classes": 3,
    "learning.label.copies": 4, "learning.frac_bits": 8, "chip.weights.frac_bits": 8, "learning.learning_rate": 0.3,
    "learning.column_bits": 4,
}  # fmt: skip
"""What a chip of a few neurons needs: outputs of up to 1, and an update that moves something."""


def small(layers: list[int], fields: dict[str, Any] | None = None) -> Spec:
    """A small chip with the rule."""
    return spec_of(layers, SMALL | (fields or {}))


@dataclass
class Pair:
    """The same chip twice."""

    rule: ActivationLearning
    oracle: OracleActivation
    epoch: int

    @classmethod
    def started(cls, spec: Spec, seed: int, epoch: int = 0) -> Pair:
        """Both with the same random weights and the seeded bank."""
        rng, rule = np.random.default_rng(seed), ActivationLearning(spec)
        oracle = OracleActivation(copy.deepcopy(spec.plain()), epoch)
        rule.chip.weights[:] = random_codes(rng, len(rule.chip.weights), spec.chip.weights.bits)
        rule.restore(rule.state())  # what the simulator keeps beside the weights
        weights = iter(rule.chip.weights.tolist())
        oracle.weights = [[[next(weights) for _ in row] for row in rows] for rows in oracle.weights]
        oracle.bank.lanes = rule.chip.random.tolist()
        return cls(rule, oracle, epoch)

    def learn(self, samples: Samples, labels: npt.NDArray[np.int64]) -> None:
        """Let both learn from the samples in order."""
        self.rule.learn(samples, labels, np.arange(len(samples)), self.epoch)
        self.oracle.learn_stream(samples.tolist(), labels.tolist())

    def assert_same(self) -> None:
        """Every array and every event of the two is the same."""
        assert {name: array.tolist() for name, array in self.rule.chip._asdict().items()} == arrays_of(self.oracle)
        assert events_of(self.rule.work.events) == self.oracle.counted()


def events_of(events: npt.NDArray[np.int64]) -> dict[str, list[int]]:
    """The rows of the event table (EVENT_KINDS, L+1) by their names, in lower case."""
    rows = {
        name: row
        for module in (layout, own_layout)
        for name, row in vars(module).items()
        if isinstance(row, int) and name != "EVENT_KINDS"
    }
    assert sorted(rows.values()) == list(range(own_layout.EVENT_KINDS))
    return {name.lower(): events[row].tolist() for name, row in rows.items()}


def arrays_of(oracle: OracleActivation) -> dict[str, list[int]]:
    """The arrays of the described chip, under the names of `layout.Chip`; those it does not need are empty."""
    return {
        "inputs": flat(oracle.inputs),
        "weights": flat(oracle.weights),
        "signals": flat(oracle.signals),
        "outputs": flat(oracle.outputs),
        "image_sums": flat(oracle.image_sums),
        "accumulators": flat(oracle.accumulators),
        "errors": flat(oracle.errors),
        "columns": flat(oracle.factors),
        "activations": flat(oracle.activations),
        "means": flat(oracle.means),
        "variances": flat(oracle.variances),
        "squares": oracle.squares,
        "share_mean": oracle.share_mean,
        "roots": ROOTS,
        "random": flat(oracle.bank.lanes),
    }


@st.composite
def specs(draw: st.DrawFn, narrow: bool) -> Spec:
    """A small chip of any kind; `narrow` accumulators saturate in the middle of a sample."""

    def pick(*values: Any) -> Any:
        return draw(st.sampled_from(values))

    layers = pick([7, 6], [9, 5, 6], [5, 6, 4, 5], [40, 37, 35])
    states, classes = pick(4, 7, 8, 9, 11), pick(2, 3)
    frac = pick(*range(max(states - 1, 4), min(states + 2, 14) + 1))
    fields: dict[str, Any] = {
        "seed": draw(st.integers(0, 2**32 - 1)),
        "epochs": pick(1, 3),
        "encoder.bits": pick(1, 4, 8),
        "chip.weights.bits": pick(2, 4, 8, 9, 16),
        "chip.weights.frac_bits": draw(st.integers(0, 16)),
        "chip.weights.rounding": pick(*ROUNDINGS),
        "chip.states.bits": states,
        "chip.states.rounding": pick("nearest", "floor"),
        "chip.accumulator.bits": 16 if narrow else pick(24, 32),
        "chip.constants.bits": pick(2, 8, 10),
        "chip.random.lanes": pick(1, 4, 32),
        "learning.label.classes": classes,
        "learning.label.copies": {1: 6, 2: 20}.get(frac - states, 3),
        "learning.frac_bits": frac,
        "learning.activation": pick("abs", "ln_abs", "std_abs"),
        "learning.draws": pick("lines", "weights"),
        "learning.column_bits": pick(0, min(frac, frac - states + 7)),
        "learning.learning_rate": [pick(0.01, 0.3, 1.0) for _ in layers[1:]],
        "learning.schedule.final": pick(0.0, 0.3),
        "learning.errors.bits": pick(4, 9, 13, 16),
        "learning.errors.frac_bits": pick(0, 6, 11, 16),
        "learning.statistics.share_bits": pick(1, 8),
        "learning.feedback.enabled": draw(st.booleans()),
        "learning.feedback.margin": pick(0.0, 0.2, 1.0),
        "learning.feedback.slope_bits": pick(0, 2, 8),
        "learning.feedback.unlearning": pick(0.0, 0.9, 1.0),
        "learning.feedback.brake": draw(st.booleans()),
        "learning.feedback.normalise": draw(st.booleans()),
        "learning.feedback.mean_bits": pick(1, 7, 12),
        "learning.feedback.most": pick(1.0, 4.0, 16.0),
    }
    return small(layers, fields)
