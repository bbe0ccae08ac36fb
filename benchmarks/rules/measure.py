"""One run of the comparison: learns sample by sample, reads out and prices along the way, and returns its record."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from benchmarks.rules import least_squares
from benchmarks.rules.grid import BUDGETS, CONTESTANTS, FRACTIONS, FULL, Case
from edgesdt import datasets, registry
from edgesdt.chip.simulated import Chip
from edgesdt.datasets.encoders import encode
from edgesdt.errors import SpecError
from edgesdt.pricing import bill
from edgesdt.readouts import labels, methods
from edgesdt.readouts.stored_outputs import Codes
from edgesdt.rules.lookup import resolve, rule_of
from edgesdt.runs import record
from edgesdt.spec import Spec, load, spec_hash
from edgesdt.suggest import frac_bits

Samples = tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]
"""Input codes (n, inputs) and labels (n,)."""
MARKS: Final = (300, 1_000, 3_000, 10_000, 30_000)
"""Samples after which the curve has a point, in the first pass; after that, at the end of every pass."""
CURVE_LABELS: Final = 0.1
"""Share of the labels that a read-out of the curve knows."""
CURVE_TESTED: Final = 2_000
"""Test samples of a point of the curve."""
TESTED: Final = 10_000


def measured(case: Case, train: int = FULL, test: int = TESTED) -> dict[str, Any]:
    """The record of a case, JSON-ready; with `refused` and no figures if the rule does not run on such synapses.

    Raises `SpecError` for any other fault of its spec.
    """
    try:
        spec = case.spec()
    except SpecError as error:
        rule = registry.load(load(CONTESTANTS[case.contestant].spec).learning.rule)
        if case.device == "sram" or "cells" in rule.synapses:
            raise
        told = next((each for each in str(error).splitlines() if "does not run on" in each), str(error))
        return {"case": case.plain(), "refused": told.partition("learning.rule: ")[2] or told}
    return _Run(case, spec, _samples(spec.data.set, train, test)).record()


@lru_cache(maxsize=1)
def _samples(name: str, train: int, test: int) -> datasets.Dataset:
    return datasets.load(name, train, test)


def _with_auto(spec: Spec, data: datasets.Dataset) -> Spec:
    """The spec with its fractional bits chosen, by the quickest read-out of its rule."""
    if not frac_bits.is_auto(spec):
        return spec
    offered = rule_of(spec).readouts
    quick = spec.readout[0] if spec.readout[0] in registry.BY_CLASS else "direct" if "direct" in offered else offered[0]
    chosen = frac_bits.chosen(Spec.from_plain({**spec.plain(), "readout": [quick]}), data)
    return Spec.from_plain({**chosen.plain(), "readout": list(spec.readout)})


class _Run:
    """A chip with its data; `record` does all the work."""

    def __init__(self, case: Case, spec: Spec, data: datasets.Dataset) -> None:
        self.case, self.data = case, data
        self.spec = resolve(_with_auto(spec, data))
        self.chip = Chip(self.spec)
        self.memory, self.tech = self.chip.memory.plain(), bill.technology(spec)
        bits = spec.encoder.bits
        self.x, self.test = encode(data.x_train, bits), (encode(data.x_test, bits), data.y_test)
        known = labels.drawn(data.y_train, spec.label_fraction, spec.seed)
        self.learned = known if spec.learning.target == "label" else np.arange(len(self.x))[: case.samples]
        self.own = next((name for name in spec.readout if name in registry.BY_CLASS), "")
        self.curve: list[list[float]] = []

    def record(self) -> dict[str, Any]:
        """Learns all passes; see the module `records` for the fields."""
        untrained = self._accuracies()
        self.curve.append([0, 0.0, self._point()])
        found: dict[str, Any] = {}
        for epoch in range(self.spec.epochs):
            self._learn(epoch)
            if epoch == 0 and self.case.part != "head":
                found["first"] = self._accuracies()
            if epoch == self.spec.epochs - 1:
                found["last"] = found["first"] if epoch == 0 and "first" in found else self._accuracies()
        trained = len(self.learned) * self.spec.epochs
        self._infer(self.test[0])
        counts = {"train": self.chip.counts(), "inference": self.chip.rule.inference_counts()}
        price = bill.price(self.spec, counts, {"train": trained, "inference": len(self.test[0])}, self.memory)
        weights, plain = self.spec.chip.weights, self.spec.plain()
        made: dict[str, Any] = _rounded({
            "case": self.case.plain(),
            "spec": dict(zip(("name", "set"), self.case.fields(), strict=True)),
            "spec_hash": spec_hash(plain),
            "versions": record.versions(),
            "layers": list(self.spec.chip.layers),
            "weights": [weights.bits, weights.point],
            "memory_bits": [self.memory["used_bits"], self.memory["budget_bits"]],
            "samples": len(self.learned),
            "tested": len(self.test[0]),
            "passes": self.spec.epochs,
            "untrained": untrained,
            **found,
            "curve": self.curve,
            "energy_j": [price["energy_j"]["train_per_sample"], price["energy_j"]["inference_per_sample"]],
            "latency_s": [price["latency_s"]["train_per_sample"], price["latency_s"]["inference_per_sample"]],
            "area_mm2": price["area_mm2"]["total"],
        })  # fmt: skip
        return made

    def _learn(self, epoch: int) -> None:
        """One pass, in the order of `edgesdt run`."""
        order = self.learned[np.random.RandomState([self.spec.seed, epoch]).permutation(len(self.learned))]
        ends = [mark for mark in MARKS if epoch == 0 and mark < len(order) and self.case.part == "memory"]
        for start, end in zip([0, *ends], [*ends, len(order)], strict=True):
            self.chip.rule.learn(self.x, self.data.y_train, order[start:end], epoch)
            joules = sum(bill.bill(self.spec, self.chip.counts(), self.memory, self.tech).energy_j.values())
            self.curve.append([epoch * len(order) + end, joules, self._point()])

    def _infer(self, codes: npt.NDArray[np.uint8]) -> Codes:
        return self.chip.rule.infer(codes, 1)

    def _point(self) -> float:
        """The accuracy of a point of the curve: of the chip's own classes, else read out with few labels."""
        some = self.test[0][:CURVE_TESTED], self.test[1][:CURVE_TESTED]
        if self.own:
            return methods.output(self._infer, *some, self.own)[self.own]
        return self._read([CURVE_LABELS], some)[0]

    def _accuracies(self) -> dict[str, float]:
        """Accuracies on all test samples: by share of labels of the read-out, or under 1 of the chip's own classes."""
        if self.own:
            return {"1": methods.output(self._infer, *self.test, self.own)[self.own]}
        shares = [each for each in FRACTIONS if self.case.part != "head" or each < 1 or self.case.budget == BUDGETS[0]]
        read = self._converged if self.case.part == "head" else self._read
        return dict(zip((f"{each:g}" for each in shares), read(shares, self.test), strict=True))

    def _converged(self, fractions: list[float], test: Samples) -> list[float]:
        bits, seed = self.spec.chip.states.bits, self.spec.seed
        parts = [labels.drawn(self.data.y_train, fraction, seed) for fraction in fractions]
        of = [(self.x[part], self.data.y_train[part]) for part in parts]
        return [methods.linear(self._infer, x, y, *test, bits, seed)["linear"] for x, y in of]

    def _read(self, fractions: list[float], test: Samples) -> list[float]:
        parts = [labels.drawn(self.data.y_train, fraction, self.spec.seed) for fraction in fractions]
        return least_squares.accuracies(self._infer, self.x, self.data.y_train, parts, test)


def _rounded(value: Any) -> Any:
    """Floats of 7 significant digits: a compact file, the same on every machine."""
    if isinstance(value, dict):
        return {key: _rounded(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_rounded(each) for each in value]
    return float(f"{value:.7g}") if isinstance(value, float) else value
