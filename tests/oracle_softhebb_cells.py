"""A chip that learns by SoftHebb with layers on cells, in plain Python: for cells without noise or spread.

Written from "On cells" of docs/explanation/softhebb_arithmetic.md. An array and its cells are those of
`tests.oracle_cells`; reads by states are those of `tests.oracle_backprop_cells`.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import Any

from tests.oracle_backprop_cells import UNUSED, OracleBackpropOnCells
from tests.oracle_cells import FAR, MOST_PULSES, TALLIES, Cell, Change, OracleCellChip
from tests.oracle_layers import spec_alone
from tests.oracle_numbers import Layer, clamped, constant, mantissa, signed
from tests.oracle_softhebb import OracleSoftHebb, near

NO_TARGET = {
    **UNUSED, "target": "label", "homeostasis": {"frac_bits": 8, "eta": 1.0, "gamma": 1.0, "activity_bits": 8},
    "label_smoothing": 0.0, "dropout": {"input": 0.0, "output": 0.0},
}  # fmt: skip
"""What the oracle of cells wants to know of phases and targets, which there are none of here."""


class OracleSoftHebbOnCells(OracleSoftHebb):
    """The chip; `arrays` are its layers on cells by their number, `back` the tallies of the reads back of each."""

    read, read_digits, converted = (
        OracleBackpropOnCells.read, OracleBackpropOnCells.read_digits, OracleBackpropOnCells.converted,
    )  # fmt: skip

    def __init__(self, spec: Mapping[str, Any], cells: Mapping[int, Cell], epoch: int = 0) -> None:
        super().__init__(spec, epoch)
        self.arrays: dict[int, OracleCellChip] = {}
        for layer, cell in cells.items():
            alone = spec_alone(spec, layer) if spec["device"].get("layers") else copy.deepcopy(dict(spec))
            alone["learning"] = {**alone["learning"], **NO_TARGET}
            self.arrays[layer] = array = OracleCellChip(alone, cell, epoch)
            array.bank, self.weights[layer] = self.bank, [[0] * self.sizes[layer + 1] for _ in range(self.sizes[layer])]
            array.weight_rates = [constant(*self.in_pulses(layer, 1.0), "stochastic")]
        if self.head and self.many in self.arrays:
            m, n = self.rates[self.many]
            m, n = self.in_pulses(self.many, m / 2.0**n)
            self.arrays[self.many].weight_rates = [constant(m, n + 2 * self.bits_s, "stochastic")]
        point = max(self.bz[0], self.bits_s) + self.fw
        self.point = max([point, self.bits_s] + [self.chip["biases"]["frac_bits"]] * self.chip["biases"]["enabled"])
        self.back = {layer: dict.fromkeys(TALLIES, 0) for layer in cells}
        self.columns: dict[int, Layer] = {}
        self.changes: dict[int, list[Change]] = {}

    def in_pulses(self, layer: int, rate: float) -> tuple[int, int]:
        """The register of a rate over the weight of one pulse."""
        array = self.arrays[layer]
        of_pulse = array.reading.planes * array.array["weight_per_range"] * array.step_of_cell
        return mantissa(rate / (of_pulse / (array.cell.high - array.cell.low)), self.chip["constants"]["bits"])

    def draw_weights(self) -> None:
        """Layer by layer: codes in memory, cells programmed."""
        whole = self.weights
        for layer in range(self.top):
            if layer in self.arrays:
                self.arrays[layer].draw_weights()
            else:
                self.weights = [whole[layer]]
                super().draw_weights()
        self.weights, self.bank.steps = whole, 0
        self.set_norms()

    def set_norms(self) -> None:
        """Norms and offsets of the layers in memory."""
        if len(self.weights) < self.top:
            return
        norms, offsets = copy.deepcopy(self.norms), copy.deepcopy(self.offsets)
        super().set_norms()
        for layer in self.arrays:
            self.norms[layer + 1], self.offsets[layer + 1] = norms[layer + 1], offsets[layer + 1]

    def codes_of(self, layer: int) -> list[Layer]:
        """Weight codes [pre][post] of a layer, wherever it lies."""
        return self.arrays[layer].codes() if layer in self.arrays else self.weights[layer]

    # reading

    def accumulate(self, layer: int, j: int, addend: int) -> None:
        """One addition, saturated."""
        wide = self.accumulators[layer][j] + addend
        self.accumulators[layer][j] = signed(wide, self.chip["accumulator"]["bits"])
        self.events["accumulator_saturations"][layer] += self.accumulators[layer][j] != wide

    def read_rows(self, by: Layer) -> None:
        """One read of the lowest array."""
        array = self.arrays[0]
        array.reading.count(by, array.shares())
        for j, addend in array.reading.codes(by, array.codes()):
            self.accumulate(1, j, addend)

    def settle(self) -> None:
        """Offsets that are due: the means drive the rows."""
        if 0 in self.arrays and self.centred and self.ready[0] == 2:
            self.accumulators[1] = [0] * self.sizes[1]
            self.read_rows(self.means[0])
            self.offsets[1], self.ready[0] = list(self.accumulators[1]), 1

    def forward(self, x: Sequence[int]) -> None:
        """Drives and states of every layer."""
        self.events["samples"][0] += 1
        self.inputs = list(x)
        for layer in range(self.top):
            below, left = self.below(layer), self.point - self.fw - self.bz[layer]
            aligned = 0 if layer in self.arrays else left
            total = self.chip["accumulator"]["bits"]
            self.accumulators[layer + 1] = [signed(-o * 2**aligned, total) for o in self.offsets[layer + 1]]
            self.events["inputs" if layer == 0 else "active"][layer] += sum(z != 0 for z in below)
            if layer not in self.arrays:
                for z, row in zip(below, self.weights[layer], strict=True):
                    for j, w in enumerate(row):
                        self.accumulate(layer + 1, j, z * w * 2**left)
            elif layer == 0:
                self.read_rows(below)
            else:
                self.read(layer, True, below, self.arrays[layer].codes(), (self.bits_s, self.point))
            drives = [signed(near(a, self.point - self.fu), self.bu) for a in self.accumulators[layer + 1]]
            self.drives[layer + 1] = drives
            soft = layer == self.many
            self.states[layer + 1] = (
                self.softmax(drives, layer, self.bits_s) if soft else self.activate(drives, layer)
            )

    def read_column(self, layer: int, j: int) -> None:
        """Every cell of a neuron alone: its weights, as codes of the spec's format, and their norm."""
        array = self.arrays[layer]
        reading, planes = array.reading, range(array.reading.planes)
        lost = 0 if "adc" in reading.off else max(reading.one.bit_length() - 1 - array.array["adc_bits"], 0)
        shares = [[array.share(p, i, j) for i in range(self.sizes[layer])] for p in planes]
        reading.tally["verify_reads"] += sum(map(len, shares))
        reading.tally["verify_share"] += sum(map(sum, shares))
        told = [[near(s, lost) * 2**lost for s in column] for column in shares]
        less = told[1] if len(told) == 2 else [reading.reference] * len(told[0])
        m, n = mantissa(array.array["weight_per_range"] * 2.0**self.fw / reading.one, 16)
        self.columns[j] = [signed(near((s - t) * m, n), self.bw) for s, t in zip(told[0], less, strict=True)]
        self.norms[layer + 1][j] = sum(w * w for w in self.columns[j])

    # learning

    def learn(self, x: Sequence[int], label: int = 0) -> None:
        """One training sample; the cells get their pulses at the end of it, from the input up."""
        self.settle()
        self.changes = {}
        super().learn(x, label)
        for layer in sorted(self.changes):
            array = self.arrays[layer]
            (array.write_and_verify if array.array["programming"] == "verify" else array.pulse)(self.changes[layer])

    def infer(self, x: Sequence[int]) -> Layer:
        """The output states of one sample."""
        self.settle()
        return super().infer(x)

    def learn_head(self, label: int) -> None:
        """The pulses of a read-out on cells."""
        layer = self.many
        if layer not in self.arrays:
            super().learn_head(label)
            return
        outputs, self.label = self.states[self.top], [label]
        self.errors = [(self.highest if j == label else 0) - s for j, s in enumerate(outputs)]
        self.events["learned"][layer] += 1
        pres = [(i, s, s) for i, s in enumerate(self.states[layer]) if s != 0]
        posts = [(j, e, 0) for j, e in enumerate(self.errors) if e != 0]
        self.events["errors"][self.top] += len(posts)
        self.events["pairs"][layer] += len(pres) * len(posts)
        self.changes[layer] = self.arrays[layer].pulses_of(pres, posts)

    def step(self, layer: int, j: int, y: int, k: int) -> int:
        """A step, by the norm of the weights as they are read now."""
        if layer in self.arrays:
            self.read_column(layer, j)
        return super().step(layer, j, y, k)

    def sweep(self, layer: int, j: int, step: int, z: Layer) -> None:
        """The pulses of all weights of a neuron."""
        if layer not in self.arrays:
            super().sweep(layer, j, step, z)
            return
        array = self.arrays[layer]
        decay = near(step * self.drives[layer + 1][j], self.fu + self.fw - self.bz[layer])
        m, n = self.in_pulses(layer, 1.0)
        change = constant(m, n + 16 + self.bz[layer], "stochastic")
        words, column = self.bank.parts(len(z), 16), self.columns[j]
        wide = [change.times(step * v - decay * w, word) for v, w, word in zip(z, column, words, strict=True)]
        counts = [clamped(clamped(c, -FAR, FAR), -MOST_PULSES, MOST_PULSES) for c in wide]
        array.reading.tally["swept"] += 1
        if array.array["programming"] != "verify":
            array.reading.tally["pulse_times"] += max([0, *counts]) - min([0, *counts])
        made = self.changes.setdefault(layer, [])
        for plane in range(array.reading.planes):
            made += [(plane, i, j, -c if plane else c) for i, c in enumerate(counts) if c != 0]
        array.reading.tally["cell_writes"] += sum(c != 0 for c in counts) * array.reading.planes
        self.events["swept"][layer + 1] += 1
        self.events["pairs"][layer] += len(z)
        if self.centred:
            self.ready[layer] = 2

    def watch(self, layer: int) -> None:
        """One sample more in the window of a layer; new means make offsets due."""
        before = self.events["renewed"][layer]
        super().watch(layer)
        if layer in self.arrays and self.events["renewed"][layer] > before:
            self.ready[layer] = 2
