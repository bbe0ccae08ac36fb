"""A chip of several weight layers, some or all on cells, in plain Python: for cells without noise or spread.

Written from "Layers on cells" of docs/explanation/arithmetic.md. Each layer on cells is an array as in
`tests.oracle_cells`; what is added here is how an array between two layers of neurons is read, and who writes when.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from math import floor
from typing import Any

from tests.oracle import OracleChip
from tests.oracle_cells import FAR, MOST_PULSES, TALLIES, Cell, Change, OracleCellChip
from tests.oracle_numbers import Constant, Layer, clamped, constant, mantissa, rounded


def spec_alone(spec: Mapping[str, Any], layer: int) -> dict[str, Any]:
    """The plain spec of a chip that has only this weight layer."""
    alone = copy.deepcopy(dict(spec))
    alone["chip"]["layers"] = spec["chip"]["layers"][layer : layer + 2]
    alone["device"] = copy.deepcopy(spec["device"]["layers"][str(layer)])
    if layer < len(spec["chip"]["layers"]) - 2:
        alone["learning"]["loss"] = "mse"
    alone["learning"]["learning_rate"] = spec["learning"]["learning_rate"][layer : layer + 1]
    if layer > 0:
        alone["encoder"]["bits"] = alone["device"]["array"]["dac_bits"]
    return alone


class OracleLayers(OracleChip):
    """The chip; `arrays` are its layers on cells by their number, `back` the tallies of the reads back of each."""

    def __init__(self, spec: Mapping[str, Any], cells: Mapping[int, Cell], epoch: int = 0) -> None:
        super().__init__(spec, epoch)
        self.arrays = {layer: OracleCellChip(spec_alone(spec, layer), cell, epoch) for layer, cell in cells.items()}
        self.back = {layer: dict.fromkeys(TALLIES, 0) for layer in cells}
        for layer, array in self.arrays.items():
            array.bank = self.bank
            self.weights[layer] = [[0] * self.sizes[layer + 1] for _ in range(self.sizes[layer])]
        self.pulse_rates = {layer: self.pulse_rate(layer, epoch) for layer in cells}

    def pulse_rate(self, layer: int, epoch: int) -> Constant:
        """The register of the layer's rate in pulses; two state codes make a contrast above the input."""
        array, width, state = self.arrays[layer], self.chip["constants"]["bits"], self.chip["states"]["bits"]
        if layer == 0:
            return array.weight_rates[0]
        m, n = mantissa(self.learning["beta"], width)
        of_pulse = array.reading.planes * array.array["weight_per_range"] * array.step_of_cell
        m, n = mantissa(self.quotient_held(layer, epoch, m / 2.0**n, width) / (of_pulse / self.span(array)), width)
        return constant(m, n + 2 * state, "stochastic")

    def quotient_held(self, layer: int, epoch: int, beta: float, width: int) -> float:
        """Learning rate over beta as its register holds it."""
        array = self.arrays[layer]
        m, n = mantissa(array.quotient(epoch, beta), width)
        return m / 2.0**n

    @staticmethod
    def span(array: OracleCellChip) -> float:
        """States from one end of a cell to the other."""
        return array.cell.high - array.cell.low

    def draw_weights(self) -> None:
        """Layer by layer: codes in memory, cells programmed."""
        whole = self.weights
        for layer in range(self.top):
            if layer in self.arrays:
                self.arrays[layer].draw_weights()
            else:
                self.weights = [whole[layer]]
                super().draw_weights()
        self.weights = whole
        self.bank.steps = 0

    def codes_of(self, layer: int) -> list[Layer]:
        """Weight codes [pre][post] of a layer, wherever it lies."""
        return self.arrays[layer].codes() if layer in self.arrays else self.weights[layer]

    # reading

    def load(self, x: Any, learning: bool) -> None:
        """As on the digital chip; a lowest layer on cells gives the input product by one read."""
        super().load(x, learning)
        if 0 in self.arrays:
            array = self.arrays[0]
            array.reading.count(self.inputs, array.shares())
            for j, addend in array.reading.codes(self.inputs, array.codes()):
                self.accumulate(1, j, addend)

    def propagate(self, old: list[Layer]) -> None:
        """The differences go up and down through memory or through reads of the arrays."""
        for layer in self.above:
            by = [s - before for s, before in zip(self.states[layer], old[layer], strict=True)]
            self.events["state_changes"][layer] += sum(d != 0 for d in by)
            for towards in (layer + 1, layer - 1):
                if not 1 <= towards <= self.top:
                    continue
                self.stale[towards] = self.stale[towards] or any(by)
                between = min(layer, towards)
                codes = self.codes_of(between)
                if towards < layer:
                    codes = [list(column) for column in zip(*codes, strict=True)]
                if between in self.arrays:
                    self.read(between, towards > layer, by, codes, towards)
                else:
                    for i, d in enumerate(by):
                        for j in range(self.sizes[towards]):
                            self.accumulate(towards, j, d * codes[i][j] * 2**self.state_left)

    def read(self, layer: int, forward: bool, by: Layer, codes: list[Layer], towards: int) -> None:
        """All reads that changes `by` of the lines at one side take: those up first, the lowest digits first."""
        width = self.arrays[layer].array["dac_bits"]
        for sign in (1, -1):
            for place in range(0, max(map(abs, by)).bit_length(), width):
                digits = [max(sign * d, 0) // 2**place % 2**width for d in by]
                if any(digits):
                    self.read_digits(layer, forward, digits, (sign, place), codes, towards)

    def read_digits(
        self, layer: int, forward: bool, digits: Layer, which: tuple[int, int], codes: list[Layer], towards: int
    ) -> None:
        """One read; the digits are raised until the largest uses the converter's highest bit."""
        made, array, (sign, place) = self.arrays[layer], self.arrays[layer].array, which
        width = array["dac_bits"]
        shift = width - max(digits).bit_length()
        drives = [digit * 2**shift for digit in digits]
        halves = shift - width - place + self.chip["states"]["bits"]  # what a code counts less
        shares = made.shares()
        cells = [sum(sum(plane[i]) for plane in shares) for i in range(self.sizes[layer])]
        if not forward:
            cells = [sum(row[j] for plane in shares for row in plane) for j in range(self.sizes[layer + 1])]
        tally = made.reading.tally if forward else self.back[layer]
        tally["reads"] += 1
        tally["row_drives"] += sum(v != 0 for v in drives)
        tally["read_base"] += sum(v * v for v in drives) * self.sizes[towards] * made.reading.planes
        tally["read_share"] += sum(v * v * n for v, n in zip(drives, cells, strict=True))
        tile = array["tile_rows"] if forward else max(array["tile_columns"] // made.reading.planes, 1)
        for first in range(0, len(drives), tile):
            lines = range(first, min(first + tile, len(drives)))
            for j in range(self.sizes[towards]):
                total = sum(drives[i] * codes[i][j] for i in lines)
                addend, clipped = self.converted(layer, total, halves)
                tally["clipped"] += clipped
                self.accumulate(towards, j, sign * addend)

    def converted(self, layer: int, total: int, halves: int) -> tuple[int, bool]:
        """What a sum adds to an accumulator, and whether it was beyond the converter's range."""
        made = self.arrays[layer]
        array, finest = made.array, 2.0 ** -(self.drive_right + self.chip["states"]["bits"])
        drive = array["weight_per_range"] / (made.reading.one * 2 ** array["dac_bits"])
        if "adc" in self.arrays[layer].spec["device"]["off"]:
            return floor(total * (drive / finest) / 2**halves + 0.5), False
        step, highest = array["adc_range"] / 2 ** (array["adc_bits"] - 1), 2 ** (array["adc_bits"] - 1) - 1
        wide = floor(total * (drive / step) + 0.5)
        code = clamped(wide, -highest - 1, highest)
        left = round(_log2(step / finest)) - halves
        return (code * 2**left if left >= 0 else rounded(code, -left, "nearest")), code != wide

    # writing

    def update(self, plus: list[Layer], minus: list[Layer]) -> None:
        """Layers in memory move and pulses are listed, from the input up; then biases; then the cells get pulses."""
        changes: dict[int, list[Change]] = {}
        for layer in range(self.top):
            if layer == 0 and 0 in self.arrays:
                array = self.arrays[0]
                array.inputs = self.inputs
                array.events["pairs"] = [0] * 2
                high, low = self.ends(0, plus, minus)
                changes[0] = array.changes([[], high[1]], [[], low[1]])
                self.events["pairs"][0] += array.events["pairs"][0]
                continue
            ends = self.ends(layer, plus, minus)
            pres, posts = self.pres(layer, *ends), self.posts(layer, *ends)
            self.events["pairs"][layer] += len(pres) * len(posts)
            if layer in self.arrays:
                changes[layer] = self.changes(layer, pres, posts)
            else:
                for j, high, low in posts:
                    self.sweep_weights(layer, j, [(i, p * high - m * low) for i, p, m in pres])
        for layer in self.above if self.has_bias else ():
            high, low = self.ends(layer - 1, plus, minus)
            moved = [p - m for p, m in zip(high[layer], low[layer], strict=True)]
            self.sweep_biases(layer, [(j, d) for j, d in enumerate(moved) if d != 0])
        for layer, made in changes.items():
            array = self.arrays[layer]
            (array.write_and_verify if array.array["programming"] == "verify" else array.pulse)(made)

    def changes(
        self, layer: int, pres: list[tuple[int, int, int]], posts: list[tuple[int, int, int]]
    ) -> list[Change]:
        """The pulses of a layer above the input, neuron by neuron."""
        array, made = self.arrays[layer], []
        for j, high, low in posts:
            words = self.bank.parts(len(pres), 16)
            contrasts = [p * high - m * low for _, p, m in pres]
            wide = [self.pulse_rates[layer].times(c, word) for c, word in zip(contrasts, words, strict=True)]
            counts = [clamped(clamped(c, -FAR, FAR), -MOST_PULSES, MOST_PULSES) for c in wide]
            array.reading.tally["swept"] += 1
            if array.array["programming"] != "verify":
                array.reading.tally["pulse_times"] += max([0, *counts]) - min([0, *counts])
            for plane in range(array.reading.planes):
                sided = [-c for c in counts] if plane else counts
                made += [(plane, i, j, c) for (i, _, _), c in zip(pres, sided, strict=True) if c != 0]
        array.reading.tally["cell_writes"] += len(made)
        return made


def _log2(number: float) -> int:
    """Of a power of two."""
    whole, power = number, 0
    while whole > 1:
        whole, power = whole / 2, power + 1
    while whole < 1:
        whole, power = whole * 2, power - 1
    return power
