"""Small chips that learn by backpropagation: the kernels' chip and the oracle's with one start, and random specs.

The only place where tests translate between the flat arrays of `edgesdt.rules.backprop.layout` and the oracle's lists.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from hypothesis import strategies as st

from edgesdt.kernels import layout
from edgesdt.rules.backprop import layout as own_layout
from edgesdt.rules.backprop.rule import Backprop
from edgesdt.spec import Spec
from tests.chip_specs import LAYERS, ROUNDINGS
from tests.oracle_backprop import OracleBackprop
from tests.oracle_numbers import EXPONENTIALS, RECIPROCALS
from tests.small_chips import Samples, flat, random_codes, spec_of


@dataclass
class Pair:
    """The same chip twice."""

    rule: Backprop
    oracle: OracleBackprop
    epoch: int

    @classmethod
    def started(cls, spec: Spec, seed: int, epoch: int = 0) -> Pair:
        """Both with the same random weights and biases and the seeded bank."""
        rng, rule = np.random.default_rng(seed), Backprop(spec)
        oracle = OracleBackprop(copy.deepcopy(spec.plain()), epoch)
        rule.chip.weights[:] = random_codes(rng, len(rule.chip.weights), spec.chip.weights.bits)
        if spec.chip.biases.enabled:
            rule.chip.biases[:] = random_codes(rng, len(rule.chip.biases), spec.chip.biases.bits)
        rule.restore(rule.state())  # what the simulator keeps beside the weights
        weights, biases = iter(rule.chip.weights.tolist()), iter(rule.chip.biases.tolist())
        oracle.weights = [[[next(weights) for _ in row] for row in rows] for rows in oracle.weights]
        if oracle.has_bias:
            oracle.biases = [[next(biases) for _ in layer] for layer in oracle.biases]
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


def arrays_of(oracle: OracleBackprop) -> dict[str, list[int]]:
    """The arrays of the described chip, under the names of `layout.Chip`; those it does not need are empty."""
    batched = oracle.learning["batch"] > 1
    return {
        "inputs": flat(oracle.inputs),
        "weights": flat(oracle.weights),
        "biases": flat(oracle.biases) if oracle.has_bias else [],
        "accumulators": flat(oracle.accumulators),
        "states": flat(oracle.states),
        "errors": flat(oracle.errors),
        "keep": flat(oracle.keep),
        "target": flat(oracle.target),
        "winners": flat(oracle.winners),
        "activity": flat(oracle.activity) if oracle.own else [],
        "homeostasis": flat(oracle.homeostasis) if oracle.own else [],
        "random": flat(oracle.bank.lanes),
        "exponentials": EXPONENTIALS if oracle.soft else [],
        "reciprocals": RECIPROCALS if oracle.soft else [],
        "weight_gradient": flat(oracle.weight_contrast) if batched else [],
        "bias_gradient": flat(oracle.bias_contrast) if batched and oracle.has_bias else [],
        "winner_count": flat(oracle.wins) if batched and oracle.own else [],
    }


@st.composite
def specs(draw: st.DrawFn, narrow: bool) -> Spec:
    """A small chip of any kind; `narrow` accumulators saturate in the middle of a sample."""

    def pick(*values: Any) -> Any:
        return draw(st.sampled_from(values))

    layers, own = list(pick(*LAYERS)), draw(st.booleans())
    states = pick(4, 5, 6, 8, 12, 16)
    fields: dict[str, Any] = {
        "learning.rule": "backprop",
        "seed": draw(st.integers(0, 2**32 - 1)),
        "epochs": pick(1, 3),
        "encoder.bits": pick(1, 4, 8),
        "chip.weights.bits": pick(2, 3, 4, 8, 9, 12, 16),
        "chip.weights.frac_bits": draw(st.integers(-2, 12)),
        "chip.weights.rounding": pick(*ROUNDINGS),
        "chip.biases.enabled": draw(st.booleans()),
        "chip.biases.bits": pick(4, 8, 16),
        "chip.biases.frac_bits": pick(3, 8, 12),
        "chip.biases.rounding": pick(*ROUNDINGS),
        "chip.states.bits": states,
        "chip.states.rounding": pick("nearest", "floor"),
        "chip.accumulator.bits": pick(8, 10, 12, 16) if narrow else pick(24, 32),
        "chip.constants.bits": pick(2, 5, 8, 10),
        "chip.random.lanes": pick(1, 2, 4, 32),
        "learning.target": "self_defined" if own else "label",
        "learning.loss": pick("mse", "cross_entropy"),
        "learning.winners": draw(st.integers(1, layers[-1] - 1)),
        "learning.learning_rate": [pick(0.01, 0.2, 1.0) for _ in layers[1:]],
        "learning.schedule.final": pick(0.0, 0.3),
        "learning.activation.hidden": pick("clamp", "hard_sigmoid"),
        "learning.activation.output": pick("clamp", "hard_sigmoid"),
        "learning.activation.derivative": pick("exact", "inward"),
        "learning.errors.bits": pick(2, 6, 9, 12, 16),
        "learning.errors.frac_bits": pick(0, 3, 8, 11, 16),
        "learning.label_smoothing": pick(0.0, 0.3, 0.8),
        "learning.dropout.input": pick(0.0, 0.3, 0.9),
        "learning.dropout.output": pick(0.0, 0.2, 0.9) if own else 0.0,
        "learning.homeostasis.gamma": pick(0.0, 0.01, 0.5, 8.0),
        "learning.homeostasis.eta": pick(0.05, 0.5, 1.0),
        "learning.homeostasis.activity_bits": pick(8, 16, 24),
        "learning.homeostasis.bits": pick(8, 24, 28),
        "learning.homeostasis.frac_bits": draw(st.integers(states, 24)),
        "learning.batch": pick(1, 1, 3),
    }
    return spec_of(layers, fields)
