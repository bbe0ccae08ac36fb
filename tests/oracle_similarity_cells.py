"""A chip that matches similarities with its weights on cells, in plain Python: for cells without noise or spread.

Written from "On cells" of docs/explanation/similarity_arithmetic.md. An array and its cells are those of
`tests.oracle_cells`; what is added is what drives them, what they are given, and how they are halved.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from tests.oracle_cells import FAR, MOST_PULSES, Cell, Change, OracleCellChip, Reading
from tests.oracle_numbers import Layer, clamped, mantissa, rounded, signed
from tests.oracle_similarity import OracleSimilarity, full, grown, moved

UNUSED = {
    "beta": 1.0, "beta_sign": "positive", "dt": 0.25, "free_steps": 1, "nudged_steps": 1, "target": "label",
    "label_smoothing": 0.0, "dropout": {"input": 0.0, "output": 0.0},
    "homeostasis": {"eta": 0.1, "gamma": 0.1, "activity_bits": 8, "frac_bits": 8},
}  # fmt: skip
"""What the oracle of cells wants to know of phases and targets, which there are none of here."""


class OracleSimilarityOnCells(OracleSimilarity):
    """The chip; `array` has its cells."""

    def __init__(self, spec: Mapping[str, Any], cell: Cell, epoch: int = 0) -> None:
        super().__init__(spec, epoch)
        alone = copy.deepcopy(dict(spec))
        alone["learning"] = {**alone["learning"], **UNUSED}
        self.array = OracleCellChip(alone, cell, epoch)
        self.array.bank = self.bank
        self.sums_point = self.chip["weights"]["frac_bits"] + spec["encoder"]["bits"]
        self.array.reading = Reading(spec, cell, self.sums_point)
        self.by_chance = self.array.array["programming"] == "coincidence"
        self.set_pulses(epoch)

    def set_pulses(self, epoch: int) -> None:
        """The rate, and the halving of a weight, over the weight of a pulse."""
        made, width = self.array, self.chip["constants"]["bits"]
        span = made.cell.high - made.cell.low
        of_pulse = made.reading.planes * made.array["weight_per_range"] * made.step_of_cell / span
        pulses = self.rates[0][0] * 2.0 ** -self.rates[0][1] / of_pulse
        inputs = self.spec["encoder"]["bits"]
        if self.by_chance:
            m, n = full(*mantissa(pulses / made.array["train_length"], width), width)
            self.pulse_rate = (m, n + self.state_point - 16)
        else:
            m, n = full(*mantissa(pulses, width), width)
            self.pulse_rate = (m, n + inputs + self.state_point)
        lsb = made.array["weight_per_range"] / made.reading.one
        self.half = full(*mantissa(lsb / 2 / of_pulse, width), width)

    def draw_weights(self) -> None:
        """Cells programmed."""
        self.array.draw_weights()

    # reading

    def drive(self, k: int, centred: Layer, labelled: bool) -> None:
        """The codes above 0 drive the rows, then the magnitudes of those below."""
        codes, n = self.array.codes(), self.sizes[1]
        parts = []
        for sign in (1, -1):
            driven = [max(sign * c, 0) for c in centred]
            self.array.reading.count(driven, self.array.shares())
            self.accumulators[0] = [0] * n
            for j, addend in self.array.reading.codes(driven, codes):
                self.add(0, j, addend)
            parts.append(self.accumulators[0])
        self.accumulators[0] = list(parts[0])
        for j, below in enumerate(parts[1]):
            self.add(0, j, -below)
        ratio = self.lateral_gains[0] * 2**16 // self.gains[0]
        right = 16 + self.sums_point - self.lateral_point - self.state_point
        for j in range(n):
            code = signed(rounded(self.accumulators[0][j] * ratio, right, "nearest"), self.sum_bits)
            if labelled:
                code = signed(code + self.labels[0][self.label][j] * 2**self.lateral_point, self.sum_bits)
            self.accumulators[0][j] = code

    # writing

    def update(self, k: int, centred: Layer) -> None:
        """Gain and cells; then as in memory."""
        self.events["learned"][1] += 1
        halved = grown(self.gains, 0, self.growths[0])
        active = [j for j, y in enumerate(self.states[0]) if y != 0]
        self.events["active"][1] += len(active)
        self.events["pairs"][0] += len(active) * sum(c != 0 for c in centred)
        tally = self.array.reading.tally
        if halved:
            shares = self.array.shares()
            self.events["halvings"][1] += 1
            tally["verify_reads"] += sum(len(row) for plane in shares for row in plane)
            tally["verify_share"] += sum(sum(row) for plane in shares for row in plane)
        changes = self.changes(centred, halved)
        (self.array.write_and_verify if self.array.array["programming"] == "verify" else self.array.pulse)(changes)
        if grown(self.lateral_gains, 0, self.lateral_growths[0]):
            self.halve_lateral(0)
        self.move_lateral(0, active)
        if self.labelled:
            self.move_label(0)

    def changes(self, centred: Layer, halved: bool) -> list[Change]:
        """The pulses of a sample, neuron by neuron; those of a pair are opposite."""
        array, codes, made = self.array, self.array.codes(), []
        length = array.array["train_length"]
        left = 2 ** (16 - self.spec["encoder"]["bits"])
        trains = [array.train(length, abs(c) * left) if self.by_chance and c else [] for c in centred]
        scale = rounded(self.pulse_rate[0] * self.gains[0], 23, "nearest")
        for j, y in enumerate(self.states[0]):
            if y == 0 and not halved:
                continue
            counts = [0] * len(centred)
            if halved:
                words = self.bank.parts(len(centred), 16)
                for i, word in enumerate(words):
                    counts[i] += bounded(moved(-codes[i][j], *self.half, "stochastic", word))
            if y and self.by_chance:
                column = array.train(length, min(moved(y, scale, self.pulse_rate[1], "nearest", 0), 2**16))
                for i, (c, row) in enumerate(zip(centred, trains, strict=True)):
                    hits = sum(a and b for a, b in zip(row, column, strict=False))
                    counts[i] += hits if c > 0 else -hits
            elif y:
                for i, word in enumerate(self.bank.parts(len(centred), 16)):
                    counts[i] += bounded(moved(centred[i] * y, scale, self.pulse_rate[1], "stochastic", word))
            made += self.listed(j, [clamped(n, -MOST_PULSES, MOST_PULSES) for n in counts])
        array.reading.tally["cell_writes"] += len(made)
        return made

    def listed(self, j: int, counts: Layer) -> list[Change]:
        """The cells of a neuron that get pulses."""
        tally = self.array.reading.tally
        tally["swept"] += 1
        if self.array.array["programming"] != "verify":
            tally["pulse_times"] += max([0, *counts]) - min([0, *counts])
        made: list[Change] = []
        for plane in range(self.array.reading.planes):
            sided = [-n for n in counts] if plane else counts
            made += [(plane, i, j, n) for i, n in enumerate(sided) if n != 0]
        return made


def bounded(pulses: int) -> int:
    """As many as a product is worth at most."""
    return clamped(pulses, -FAR, FAR)
