"""Small chips that match similarities: the kernels' chip and the oracle's with one start, and random specs.

Here alone tests translate between the flat arrays of `edgesdt.rules.similarity.layout` and the oracle's lists.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from hypothesis import strategies as st

from edgesdt.kernels import layout
from edgesdt.rules.similarity import layout as own_layout
from edgesdt.rules.similarity.rule import Similarity
from edgesdt.spec import Spec
from tests.chip_specs import LAYERS, ROUNDINGS
from tests.oracle_similarity import ONE, OracleSimilarity
from tests.small_chips import Samples, random_codes, spec_of


@dataclass
class Pair:
    """The same chip twice."""

    rule: Similarity
    oracle: OracleSimilarity
    epoch: int

    @classmethod
    def started(cls, spec: Spec, seed: int, epoch: int = 0) -> Pair:
        """Both with the same random weights of both kinds, means and gains, and the seeded bank."""
        rng, rule = np.random.default_rng(seed), Similarity(spec)
        oracle = OracleSimilarity(copy.deepcopy(spec.plain()), epoch)
        chip, form = rule.chip, spec.learning
        chip.weights[:] = random_codes(rng, len(chip.weights), spec.chip.weights.bits)
        most = int(rule.plan.lateral_limit) >> int(rng.integers(0, 4))
        chip.lateral[:] = rng.integers(0, most + 1, len(chip.lateral))
        for k, n in enumerate(spec.chip.layers[1:]):
            own = int(rule.plan.first_triangle[k]) + np.cumsum(np.arange(1, n + 1)) - 1
            chip.lateral[own] = rng.integers(1, int(rule.plan.lateral_limit) + 1, n)
        chip.mean[:] = rng.integers(0, 1 << (form.centring.bits - 1), len(chip.mean))
        chip.labels[:] = rng.integers(0, int(rule.plan.state_limit) + 1, len(chip.labels))
        chip.gains[:] = rng.integers(ONE, 2 * ONE, len(chip.gains))
        if len(chip.seen):
            chip.seen[:] = rng.integers(0, 4, len(chip.seen)).clip(0, 1 << form.centring.shift)
        rule.restore(rule.state())  # what the simulator keeps beside the weights
        given(oracle, arrays_kept(rule))
        return cls(rule, oracle, epoch)

    def learn(self, samples: Samples, labels: npt.NDArray[np.int64]) -> None:
        """Let both learn from the samples in order."""
        self.rule.learn(samples, labels, np.arange(len(samples)), self.epoch)
        self.oracle.learn_stream(samples.tolist(), labels.tolist())

    def assert_same(self) -> None:
        """Every array and every event of the two is the same."""
        held, told = arrays_kept(self.rule), arrays_of(self.oracle)
        for name, codes in held.items():
            assert codes == told[name], name
        assert events_of(self.rule.work.events) == self.oracle.counted()


def arrays_kept(rule: Similarity) -> dict[str, list[int]]:
    """Every array of the chip, by name."""
    return {name: array.tolist() for name, array in rule.chip._asdict().items()}


def given(oracle: OracleSimilarity, arrays: dict[str, list[int]]) -> None:
    """Give an oracle what is in the arrays of a chip."""
    parts = {name: iter(codes) for name, codes in arrays.items()}

    def taken(name: str, count: int) -> list[int]:
        return [next(parts[name]) for _ in range(count)]

    for k, (rows, n) in enumerate(zip(oracle.sizes[:-1], oracle.sizes[1:], strict=True)):
        columns = [taken("weights", rows) for _ in range(n)]
        oracle.weights[k] = [[column[i] for column in columns] for i in range(rows)]
        oracle.lateral[k] = [taken("lateral", j + 1) for j in range(n)]
        if oracle.centred:
            oracle.mean[k], oracle.seen[k] = taken("mean", rows), taken("seen", 1)[0]
        if oracle.labelled:
            oracle.labels[k] = [taken("labels", n) for _ in oracle.labels[k]]
    oracle.gains, oracle.lateral_gains = taken("gains", oracle.depth), taken("gains", oracle.depth)
    oracle.bank.lanes = arrays["random"]


def events_of(events: npt.NDArray[np.int64]) -> dict[str, list[int]]:
    """The rows of the event table (EVENT_KINDS, L+1) by their names, in lower case."""
    rows = {name: row for name, row in vars(layout).items() if isinstance(row, int) and name != "EVENT_KINDS"}
    rows |= {name: getattr(own_layout, name) for name in OWN}
    assert sorted(rows.values()) == list(range(own_layout.EVENT_KINDS))
    return {name.lower(): events[row].tolist() for name, row in rows.items()}


OWN = (
    "LEARNED", "SETTLED", "CENTRED", "ACTIVE", "SWEEPS", "MEAN_WRITES", "LATERAL_PAIRS", "LATERAL_WRITES",
    "LATERAL_SATURATIONS", "HALVINGS", "LATERAL_HALVINGS", "HALVING_WRITES", "LATERAL_HALVING_WRITES", "LABEL_WRITES",
)  # fmt: skip


def arrays_of(oracle: OracleSimilarity) -> dict[str, list[int]]:
    """The arrays of the described chip, under the names of `layout.Chip`; those it does not need are empty."""
    layers = range(oracle.depth)
    columns = ([row[j] for row in oracle.weights[k]] for k in layers for j in range(oracle.sizes[k + 1]))
    inverse = [oracle.reciprocal(k, j)[0] for k in layers for j in range(oracle.sizes[k + 1])]
    return {
        "inputs": oracle.inputs,
        "weights": [code for column in columns for code in column],
        "lateral": [code for k in layers for row in oracle.lateral[k] for code in row],
        "mean": [code for k in layers for code in oracle.mean[k]] if oracle.centred else [],
        "seen": oracle.seen if oracle.centred else [],
        "labels": [code for k in layers for row in oracle.labels[k] for code in row] if oracle.labelled else [],
        "label": [oracle.label] if oracle.labelled else [],
        "accumulators": [code for k in layers for code in oracle.accumulators[k]],
        "states": [code for k in layers for code in oracle.states[k]],
        "reciprocals": [] if oracle.damped else inverse,
        "gains": oracle.gains + oracle.lateral_gains,
        "random": oracle.bank.lanes,
    }


@st.composite
def specs(draw: st.DrawFn, narrow: bool) -> Spec:
    """A small chip of any kind; `narrow` accumulators saturate in the middle of a sample."""

    def pick(*values: Any) -> Any:
        return draw(st.sampled_from(values))

    layers, inputs, states = list(pick(*LAYERS)), pick(1, 4, 8), pick(4, 8, 12, 15)
    epochs, lateral = pick(len(layers) - 1, 5), pick(2, 8, 9, 16)
    fields: dict[str, Any] = {
        "learning.rule": "similarity",
        "seed": draw(st.integers(0, 2**32 - 1)),
        "epochs": epochs,
        "encoder.bits": inputs,
        "chip.weights.bits": pick(2, 3, 8, 9, 16),
        "chip.weights.frac_bits": draw(st.integers(0, 12)),
        "chip.weights.rounding": pick(*ROUNDINGS),
        "chip.states.bits": states,
        "chip.states.rounding": pick("nearest", "floor"),
        "chip.accumulator.bits": pick(8, 10, 12, 16) if narrow else pick(24, 32),
        "chip.constants.bits": pick(2, 5, 8, 10),
        "chip.random.lanes": pick(1, 2, 32),
        "learning.target": pick("none", "label"),
        "learning.learning_rate": [pick(0.002, 0.03, 0.125) for _ in layers[1:]],
        "learning.schedule.final": pick(0.0, 0.3),
        "learning.tau": pick(0.5, 0.7, 3.0),
        "learning.integer_bits": pick(-2, 0, 3),
        "learning.stacking": pick("together", "greedy"),
        "learning.lateral.bits": lateral,
        "learning.lateral.frac_bits": pick(*(bits for bits in (0, 1, 6, 12) if bits <= lateral)),
        "learning.lateral.rounding": pick(*ROUNDINGS),
        "learning.centring.enabled": pick(True, True, False),
        "learning.centring.bits": max(pick(8, 16, 24), inputs, states),
        "learning.centring.shift": pick(0, 2, 10),
        "learning.settling.solver": pick("gauss_seidel", "damped"),
        "learning.settling.steps": pick(1, 7, 60),
        "learning.settling.dt": pick(0.01, 0.2, 1.0),
        "learning.labels.classes": 4,
        "learning.labels.rate": pick(0.01, 0.3, 1.0),
    }
    return spec_of(layers, fields)
