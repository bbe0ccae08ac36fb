"""Small chips that learn by SoftHebb: the kernels' chip and the oracle's with one start, and random specs.

The only place where tests translate between the flat arrays of `edgesdt.rules.softhebb.layout` and the oracle's lists.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from hypothesis import assume
from hypothesis import strategies as st

from edgesdt.errors import SpecError
from edgesdt.kernels import layout
from edgesdt.rules.softhebb import layout as own_layout
from edgesdt.rules.softhebb.rule import SoftHebb
from edgesdt.spec import Spec
from tests.chip_specs import LAYERS, ROUNDINGS
from tests.oracle_softhebb import RECIPROCALS, OracleSoftHebb
from tests.small_chips import Samples, flat, random_codes, spec_of


@dataclass
class Pair:
    """The same chip twice."""

    rule: SoftHebb
    oracle: OracleSoftHebb
    epoch: int

    @classmethod
    def started(cls, spec: Spec, seed: int, epoch: int = 0) -> Pair:
        """Both with the same random weights and the seeded bank."""
        rng, rule = np.random.default_rng(seed), SoftHebb(spec)
        oracle = OracleSoftHebb(copy.deepcopy(spec.plain()), epoch)
        rule.chip.weights[:] = random_codes(rng, len(rule.chip.weights), spec.chip.weights.bits)
        weights = iter(rule.chip.weights.tolist())
        oracle.weights = [[[next(weights) for _ in row] for row in rows] for rows in oracle.weights]
        oracle.set_norms()
        rule.chip.norms[:] = flat(oracle.norms[: oracle.many + 1])
        rule.restore(rule.state())  # what the simulator keeps beside the weights
        oracle.bank.lanes = rule.chip.random.tolist()
        return cls(rule, oracle, epoch)

    def learn(self, samples: Samples, labels: npt.NDArray[np.int64]) -> None:
        """Let both learn from the samples in order."""
        self.rule.learn(samples, labels, np.arange(len(samples)), self.epoch)
        self.oracle.learn_stream(samples.tolist(), labels.tolist())

    def assert_same(self) -> None:
        """Every array and every event of the two is the same."""
        wanted = arrays_of(self.oracle)
        for name, array in self.rule.chip._asdict().items():
            assert array.tolist() == wanted[name], name
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


def arrays_of(oracle: OracleSoftHebb) -> dict[str, list[int]]:
    """The arrays of the described chip, under the names of `layout.Chip`; those it does not need are empty."""
    many, running = oracle.many, oracle.learning["normalisation"] == "running"
    turned = [list(zip(*rows, strict=True)) for rows in oracle.gathered[:many]]
    return {
        "inputs": flat(oracle.inputs),
        "weights": flat(oracle.weights),
        "accumulators": flat(oracle.accumulators),
        "drives": flat(oracle.drives),
        "shares": flat(oracle.shares[: many + 1]),
        "states": flat(oracle.states),
        "norms": flat(oracle.norms[: many + 1]),
        "offsets": flat(oracle.offsets[: many + 1]) if oracle.centred else [],
        "means": flat(oracle.means[:many]) if oracle.centred else [],
        "sums": flat(oracle.sums[:many]) if oracle.centred else [],
        "seen": oracle.seen[:many] if oracle.centred else [],
        "ready": oracle.ready[:many] if oracle.centred else [],
        "largest": oracle.largest[:many] if running else [],
        "errors": oracle.errors if oracle.head else [],
        "label": oracle.label if oracle.head else [],
        "activity": [],
        "homeostasis": [],
        "random": flat(oracle.bank.lanes),
        "exponentials": oracle.exponentials,
        "reciprocals": RECIPROCALS,
        "rate_powers": oracle.rate_powers,
        "state_powers": oracle.state_powers,
        "gathered": flat([list(map(list, rows)) for rows in turned]) if oracle.buffered else [],
        "decay": flat(oracle.decay[: many + 1]) if oracle.buffered else [],
    }


def softhebb(layers: list[int], fields: dict[str, Any]) -> Spec:
    """A small chip with the rule."""
    return spec_of(layers, {"learning.rule": "softhebb", **fields})


@st.composite
def specs(draw: st.DrawFn, narrow: bool) -> Spec:
    """A small chip of any kind; `narrow` accumulators saturate in the middle of a sample."""

    def pick(*values: Any) -> Any:
        return draw(st.sampled_from(values))

    layers = list(pick(*LAYERS))
    label = len(layers) > 2 and draw(st.booleans())
    depth = len(layers) - 1
    fields: dict[str, Any] = {
        "seed": draw(st.integers(0, 2**32 - 1)),
        "epochs": pick(depth, 5),
        "encoder.bits": pick(1, 4, 8),
        "chip.weights.bits": pick(2, 3, 4, 8, 9, 12, 16),
        "chip.weights.frac_bits": draw(st.integers(-2, 14)),
        "chip.weights.rounding": pick(*ROUNDINGS),
        "chip.states.bits": pick(4, 5, 6, 8, 12, 16),
        "chip.states.rounding": pick("nearest", "floor"),
        "chip.accumulator.bits": pick(8, 10, 12, 16) if narrow else pick(24, 32),
        "chip.constants.bits": pick(2, 5, 8, 10),
        "chip.random.lanes": pick(1, 2, 4, 32),
        "learning.target": "label" if label else "none",
        "learning.learning_rate": [pick(0.001, 0.1, 1.0) for _ in range(depth)],
        "learning.schedule.final": pick(0.0, 0.3),
        "learning.batch": pick(1, 1, 3),
        "learning.sharpness": [pick(0.01, 0.7, 12.0, 100.0) for _ in range(pick(1, depth))],
        "learning.losers": pick("anti_hebbian", "hebbian", "still"),
        "learning.rate_power": pick(0.0, 0.5, 0.75, 1.0, 2.0),
        "learning.normalisation": pick("none", "none", "running", "maximum"),
        "learning.training": pick("together", "together", "greedy"),
        "learning.competition.bits": pick(8, 12, 16, 18),
        "learning.competition.frac_bits": pick(0, 4, 7),
        "learning.competition.table_bits": pick(8, 12, 16),
        "learning.competition.share_bits": pick(2, 8, 12),
        "learning.centre.enabled": draw(st.booleans()),
        "learning.centre.window_bits": pick(0, 1, 2),
        "learning.activation.kind": pick("triangle", "repu"),
        "learning.activation.power": pick(1.0, 0.7, 1.4, 2.0),
        "learning.activation.range_bits": pick(-3, 0, 2, 5),
    }
    try:
        return softhebb(layers, fields)
    except SpecError:  # sums of buffered updates that are too wide
        assume(False)
        raise
