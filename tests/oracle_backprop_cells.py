"""A chip that learns by backpropagation with layers on cells, in plain Python: for cells without noise or spread.

Written from "On cells" of docs/explanation/backprop_arithmetic.md. An array and its cells are those of
`tests.oracle_cells`; what is added is what drives them: states forward, errors back, and their products as pulses.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from math import floor
from typing import Any

from tests.oracle_backprop import OracleBackprop
from tests.oracle_cells import TALLIES, Cell, Change, OracleCellChip
from tests.oracle_layers import spec_alone
from tests.oracle_numbers import Layer, clamped, constant, mantissa

UNUSED = {"beta": 1.0, "beta_sign": "positive", "dt": 0.25, "free_steps": 1, "nudged_steps": 1}
"""What the oracle of cells wants to know of phases, which there are none of here."""


def array_of(spec: Mapping[str, Any], layer: int, cell: Cell, epoch: int) -> OracleCellChip:
    """The array of one weight layer."""
    alone = spec_alone(spec, layer) if spec["device"].get("layers") else copy.deepcopy(dict(spec))
    alone["learning"] = {**alone["learning"], **UNUSED}
    return OracleCellChip(alone, cell, epoch)


class OracleBackpropOnCells(OracleBackprop):
    """The chip; `arrays` are its layers on cells by their number, `back` the tallies of the reads back of each."""

    def __init__(self, spec: Mapping[str, Any], cells: Mapping[int, Cell], epoch: int = 0) -> None:
        super().__init__(spec, epoch)
        self.arrays = {layer: array_of(spec, layer, cell, epoch) for layer, cell in cells.items()}
        self.back = {layer: dict.fromkeys(TALLIES, 0) for layer in cells}
        for layer, array in self.arrays.items():
            array.bank = self.bank
            self.weights[layer] = [[0] * self.sizes[layer + 1] for _ in range(self.sizes[layer])]
            self.set_pulse_rate(layer, epoch)

    def set_pulse_rate(self, layer: int, epoch: int) -> None:
        """The rate over the weight of a pulse; an error has the bits of the post-synaptic code."""
        array, width = self.arrays[layer], self.chip["constants"]["bits"]
        of_pulse = array.reading.planes * array.array["weight_per_range"] * array.step_of_cell
        m, n = mantissa(self.learning["learning_rate"][layer] * self.factor(epoch), width)
        pulses = m / 2.0**n / (of_pulse / (array.cell.high - array.cell.low))
        pre = self.spec["encoder"]["bits"] if layer == 0 else self.state_bits
        if array.array["programming"] == "coincidence":
            m, n = mantissa(pulses / array.array["train_length"], width)
            array.weight_rates = [constant(m, n + self.error_frac - 16, "nearest")]
        else:
            m, n = mantissa(pulses, width)
            array.weight_rates = [constant(m, n + pre + self.error_frac, "stochastic")]

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

    def send_up(self, layer: int) -> None:
        """States drive the rows."""
        if layer not in self.arrays:
            super().send_up(layer)
            return
        finest = self.drive_right + self.state_bits
        self.read(layer, True, self.states[layer], self.arrays[layer].codes(), (self.state_bits, finest))

    def send_down(self, layer: int) -> None:
        """Errors drive the columns; the sums have the bits of a weight's code and an error's below the point."""
        if layer not in self.arrays:
            super().send_down(layer)
            return
        codes = [list(column) for column in zip(*self.arrays[layer].codes(), strict=True)]
        finest = self.chip["weights"]["frac_bits"] + self.error_frac
        self.read(layer, False, self.errors[layer + 1], codes, (self.error_frac, finest))

    def read(self, layer: int, forward: bool, by: Layer, codes: list[Layer], bits: tuple[int, int]) -> None:
        """All reads that codes `by` of the lines at one side take: those above 0 first, the lowest digits first."""
        width = self.arrays[layer].array["dac_bits"]
        for sign in (1, -1):
            for place in range(0, max(map(abs, by)).bit_length(), width):
                digits = [max(sign * d, 0) // 2**place % 2**width for d in by]
                if any(digits):
                    self.read_digits(layer, forward, digits, (sign, place), codes, bits)

    def read_digits(
        self, layer: int, forward: bool, digits: Layer, which: tuple[int, int], codes: list[Layer],
        bits: tuple[int, int],
    ) -> None:  # fmt: skip
        """One read; the digits are raised until the largest uses the converter's highest bit."""
        made, array, (sign, place) = self.arrays[layer], self.arrays[layer].array, which
        width, towards = array["dac_bits"], layer + 1 if forward else layer
        shift = width - max(digits).bit_length()
        drives = [digit * 2**shift for digit in digits]
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
        worth = 2.0 ** (place - shift + width - bits[0])  # of a drive at the converter's full scale
        for first in range(0, len(drives), tile):
            lines = range(first, min(first + tile, len(drives)))
            for j in range(self.sizes[towards]):
                total = sum(drives[i] * codes[i][j] for i in lines)
                addend, clipped = self.converted(layer, total, worth * 2.0 ** bits[1])
                tally["clipped"] += clipped
                self.accumulate(towards, j, sign * addend)

    def converted(self, layer: int, total: int, worth: float) -> tuple[int, bool]:
        """What a sum adds to an accumulator, and whether it was beyond the range; a drive of 1 is `worth` LSBs."""
        made = self.arrays[layer]
        array = made.array
        drive = array["weight_per_range"] / (made.reading.one * 2 ** array["dac_bits"])
        if "adc" in made.spec["device"]["off"]:
            return floor(total * drive * worth + 0.5), False
        step, highest = array["adc_range"] / 2 ** (array["adc_bits"] - 1), 2 ** (array["adc_bits"] - 1) - 1
        wide = floor(total * (drive / step) + 0.5)
        code = clamped(wide, -highest - 1, highest)
        return floor(code * step * worth + 0.5), code != wide

    # writing

    def move(self) -> None:
        """Layers in memory move and pulses are listed, from the input up; then biases; then the cells get pulses."""
        changes: dict[int, list[Change]] = {}
        for layer in range(self.top):
            swept = self.products(layer)
            if layer not in self.arrays:
                for j, moves in swept:
                    self.sweep_weights(layer, j, moves)
                continue
            codes = self.inputs if layer == 0 else self.states[layer]
            pres = [(i, s, s) for i, s in enumerate(codes) if s != 0]
            changes[layer] = self.arrays[layer].pulses_of(pres, [(j, self.errors[layer + 1][j], 0) for j, _ in swept])
        for layer in self.above if self.has_bias else ():
            self.sweep_biases(layer, [(j, e) for j, e in enumerate(self.errors[layer]) if e != 0])
        for layer, made in changes.items():
            array = self.arrays[layer]
            (array.write_and_verify if array.array["programming"] == "verify" else array.pulse)(made)
