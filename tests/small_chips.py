"""Chips small enough to check by hand: a spec from a few fields, the kernels' chip and the oracle's with one start.

The only place where tests translate between the flat arrays of `edgesdt.kernels.layout` and the oracle's lists.
"""

from __future__ import annotations

import copy
import inspect
from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from edgesdt.kernels import layout
from edgesdt.rules.eqprop.kernels.sample import infer_stream, learn_stream
from edgesdt.rules.eqprop.plan import empty_chip, plan, rates, workspace
from edgesdt.spec import Spec
from edgesdt.spec.schema.learning import Targeted, section_of
from edgesdt.synapses.levels import read, stored
from edgesdt.synapses.stores.memory import Memory, memory_of
from tests.oracle import OracleChip
from tests.oracle_numbers import EXPONENTIALS, RECIPROCALS

Samples = npt.NDArray[np.uint8]


def spec_of(layers: list[int], fields: Mapping[str, Any] | None = None) -> Spec:
    """A spec of these layers with dotted `fields` changed from their defaults."""
    fields = fields or {}
    plain: dict[str, Any] = {
        "name": "small",
        "data": {"set": "any.npz"},
        "chip": {"layers": layers, "memory_budget": 2**40},
        "learning": {"winners": 1} if issubclass(section_of(fields.get("learning.rule")), Targeted) else {},
    }
    for path, value in fields.items():
        *sections, last = path.split(".")
        here = plain
        for section in sections:
            here = here.setdefault(section, {})
        here[last] = value
    return Spec.from_plain(plain)


@dataclass
class Machine:
    """One chip on the kernels, with all that they need."""

    spec: Spec
    chip: layout.Chip
    plan: layout.Plan
    work: layout.Workspace
    rates: npt.NDArray[np.int64]

    @classmethod
    def of(cls, spec: Spec, epoch: int = 0) -> Machine:
        """The chip as it comes: all zero, the bank seeded."""
        return cls(spec, empty_chip(spec), plan(spec), workspace(spec), rates(spec, epoch))

    @property
    def store(self) -> Memory:
        """Its weights, as kernels ask for them."""
        return memory_of(self.chip, self.work, self.work.pres)

    @property
    def sizes(self) -> list[int]:
        """Neurons per layer."""
        return list(self.spec.chip.layers)

    def set_weights(self, codes: npt.ArrayLike) -> None:
        """Store all weight codes, and what the simulator keeps beside them."""
        self.chip.weights[:] = codes
        start = 0
        for layer, (pre, post) in enumerate(pairwise(self.sizes)):
            block = read(self.chip.weights[start : start + pre * post], self.work.reading)
            self.work.weight_peak[layer] = np.abs(block).max()
            if self.work.reading.size:
                self.work.read[start : start + pre * post] = block
            if layer > 0:
                self.work.mirror[start : start + pre * post] = block.reshape(pre, post).T.ravel()
            start += pre * post

    def learn(self, samples: Samples, labels: npt.ArrayLike | None = None, store: Memory | None = None) -> None:
        """Learn from the samples in order, with a new store of the weights, or with `store`."""
        count, held = len(samples), store or self.store
        given = np.zeros(count, np.int64) if labels is None else np.asarray(labels, np.int64)
        learn_stream(self.chip, self.plan, self.work, held, self.rates, samples, given, np.arange(count))

    def infer(self, samples: Samples) -> npt.NDArray[np.int32]:
        """Output state codes (samples, n_L)."""
        outputs = np.zeros((len(samples), self.sizes[-1]), np.int32)
        infer_stream(self.chip, self.plan, self.work, self.store, samples, 0, outputs)
        return outputs

    def call(self, kernel: Any, **given: Any) -> Any:
        """Call a kernel with `given` arguments; the others are the chip's and the workspace's of the same name."""
        known = {**self.chip._asdict(), **self.work._asdict(), **self.store._asdict()}
        known |= {"plan": self.plan, "bank": self.chip.random, "store": self.store, **given}
        return kernel(*(known[name] for name in inspect.signature(kernel.py_func).parameters))

    def copied(self) -> Machine:
        """A chip of its own in the same state."""
        words = self.work.words.copy()
        views = {"words": words, "halves": words.view(np.uint16), "octets": words.view(np.uint8)}
        chip = {name: array.copy() for name, array in self.chip._asdict().items()}
        work = {name: array.copy() for name, array in self.work._asdict().items()}
        return replace(self, chip=self.chip._replace(**chip), work=self.work._replace(**work | views))

    def arrays(self) -> dict[str, list[int]]:
        """Every array of the chip, by name."""
        return {name: array.tolist() for name, array in self.chip._asdict().items()}

    def events(self) -> dict[str, list[int]]:
        """Every counted event, by its name in lower case."""
        return named_events(self.work.events)


def named_events(events: npt.NDArray[np.int64]) -> dict[str, list[int]]:
    """The rows of the event table (EVENT_KINDS, L+1) by their names in `layout`, in lower case."""
    rows = {name: row for name, row in vars(layout).items() if isinstance(row, int) and name != "EVENT_KINDS"}
    assert sorted(rows.values()) == list(range(layout.EVENT_KINDS))
    return {name.lower(): events[row].tolist() for name, row in rows.items()}


def random_codes(rng: np.random.Generator, count: int, bits: int) -> npt.NDArray[np.int64]:
    """Signed codes of `bits` bits: of small, medium or full size, with the ends of the range among them."""
    end = 1 << (bits - 1)
    size = max(1, end >> int(rng.integers(0, bits)))
    codes = rng.integers(-size, size, count)
    return np.where(rng.random(count) < 0.05, rng.choice([-end, end - 1], count), codes)


def started(spec: Spec, seed: int, epoch: int = 0) -> Machine:
    """A machine with random weights and biases."""
    rng, machine = np.random.default_rng(seed), Machine.of(spec, epoch)
    machine.set_weights(random_codes(rng, len(machine.chip.weights), stored(spec).bits))
    if spec.chip.biases.enabled:
        machine.chip.biases[:] = random_codes(rng, len(machine.chip.biases), spec.chip.biases.bits)
    return machine


def twin(machine: Machine, epoch: int = 0) -> OracleChip:
    """The oracle's chip with the machine's weights, biases, homeostasis and random bank; states are not taken over."""
    oracle = OracleChip(copy.deepcopy(machine.spec.plain()), epoch)
    weights, biases = iter(machine.chip.weights.tolist()), iter(machine.chip.biases.tolist())
    oracle.weights = [[[next(weights) for _ in row] for row in rows] for rows in oracle.weights]
    if oracle.has_bias:
        oracle.biases = [[next(biases) for _ in layer] for layer in oracle.biases]
    if oracle.own:
        oracle.activity, oracle.homeostasis = machine.chip.activity.tolist(), machine.chip.homeostasis.tolist()
    oracle.bank.lanes = machine.chip.random.tolist()
    return oracle


def random_samples(spec: Spec, seed: int, count: int) -> tuple[Samples, npt.NDArray[np.int64]]:
    """Samples of input codes, many of them 0 and some at full scale, and labels."""
    rng = np.random.default_rng(seed)
    highest, shape = 2**spec.encoder.bits - 1, (count, spec.chip.layers[0])
    codes = np.where(rng.random(shape) < 0.3, 0, rng.integers(0, highest + 1, shape))
    codes = np.where(rng.random(shape) < 0.2, highest, codes)
    return codes.astype(np.uint8), rng.integers(0, spec.chip.layers[-1], count)


def flat(nested: Any) -> list[int]:
    """The integers in nested lists, in order."""
    return [item for part in nested for item in flat(part)] if isinstance(nested, list) else [nested]


def oracle_arrays(oracle: OracleChip) -> dict[str, list[int]]:
    """The arrays that the described chip holds, under the names of `layout.Chip`; those it does not need are empty."""
    symmetric, batched = oracle.learning["beta_sign"] == "symmetric", oracle.learning["batch"] > 1
    return {
        "inputs": flat(oracle.inputs),
        "weights": flat(oracle.weights),
        "biases": flat(oracle.biases) if oracle.has_bias else [],
        "accumulators": flat(oracle.accumulators),
        "states": flat(oracle.states),
        "free_states": flat(oracle.free_states),
        "plus_states": flat(oracle.plus_states) if symmetric else [],
        "keep": flat(oracle.keep),
        "target": flat(oracle.target),
        "winners": flat(oracle.winners),
        "activity": flat(oracle.activity) if oracle.own else [],
        "homeostasis": flat(oracle.homeostasis) if oracle.own else [],
        "random": flat(oracle.bank.lanes),
        "exponentials": EXPONENTIALS if oracle.soft else [],
        "reciprocals": RECIPROCALS if oracle.soft else [],
        "weight_contrast": flat(oracle.weight_contrast) if batched else [],
        "bias_contrast": flat(oracle.bias_contrast) if batched and oracle.has_bias else [],
        "winner_count": flat(oracle.wins) if batched and oracle.own else [],
    }


def assert_twins(machine: Machine, oracle: OracleChip) -> None:
    """Every array and every event of the two chips is the same."""
    assert machine.arrays() == oracle_arrays(oracle)
    assert machine.events() == oracle.counted()
