"""A chip that learns by local competition with layers on cells, in plain Python: for cells without noise or spread.

Written from "On cells" of docs/explanation/activation_arithmetic.md. An array and its cells are those of
`tests.oracle_cells`; reads in both directions are those of `tests.oracle_backprop_cells`.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from tests.oracle_activation import OracleActivation
from tests.oracle_backprop_cells import OracleBackpropOnCells
from tests.oracle_cells import TALLIES, Cell, Change, OracleCellChip
from tests.oracle_layers import spec_alone
from tests.oracle_numbers import Constant, Layer, constant, mantissa
from tests.oracle_softhebb_cells import NO_TARGET


class OracleActivationOnCells(OracleActivation):
    """The chip; `arrays` are its layers on cells by their number, `back` the tallies of the reads back of each."""

    read, read_digits, converted = (
        OracleBackpropOnCells.read, OracleBackpropOnCells.read_digits, OracleBackpropOnCells.converted,
    )  # fmt: skip

    def __init__(self, spec: Mapping[str, Any], cells: Mapping[int, Cell], epoch: int = 0) -> None:
        super().__init__(spec, epoch)
        self.lines, self.factors, self.sums = False, [], []
        self.sizes = [self.rows_of[0], *self.columns_of]
        self.set_constants(epoch)
        self.arrays: dict[int, OracleCellChip] = {}
        self.back = {layer: dict.fromkeys(TALLIES, 0) for layer in cells}
        self.pulses: dict[int, list[Change]] = {}
        for layer, cell in cells.items():
            alone = spec_alone(spec, layer) if spec["device"].get("layers") else copy.deepcopy(dict(spec))
            alone["chip"]["layers"] = self.sizes[layer : layer + 2]
            alone["encoder"]["bits"] = alone["device"]["array"]["dac_bits"]
            alone["learning"] = {**alone["learning"], **NO_TARGET}
            self.arrays[layer] = array = OracleCellChip(alone, cell, epoch)
            array.bank, self.weights[layer] = self.bank, [[0] * self.sizes[layer + 1] for _ in range(self.sizes[layer])]
            array.weight_rates = [self.pulse_rate(layer, epoch)]

    def pulse_rate(self, layer: int, epoch: int) -> Constant:
        """The rate as held, over the weight of a pulse."""
        learning, array, width, factor = self.learning, self.arrays[layer], self.chip["constants"]["bits"], 1.0
        if learning["schedule"]["kind"] == "linear" and self.spec["epochs"] > 1:
            factor = 1.0 + (learning["schedule"]["final"] - 1.0) * epoch / (self.spec["epochs"] - 1)
        m, n = mantissa(learning["learning_rate"][layer] * factor, width)
        of_pulse = array.reading.planes * array.array["weight_per_range"] * array.step_of_cell
        m, n = mantissa(m / 2.0**n / (of_pulse / (array.cell.high - array.cell.low)), width)
        return constant(m, n + self.f_e + self.f, "stochastic") if m else Constant(0, 0, "floor")

    def draw_weights(self) -> None:
        """Layer by layer: codes in memory, cells programmed."""
        whole = self.weights
        for layer in range(self.depth):
            if layer in self.arrays:
                self.arrays[layer].draw_weights()
            else:
                self.weights = [whole[layer]]
                super().draw_weights()
        self.weights, self.bank.steps = whole, 0

    def codes_of(self, layer: int) -> list[Layer]:
        """Weight codes [row][column] of a layer, wherever it lies."""
        return self.arrays[layer].codes() if layer in self.arrays else self.weights[layer]

    def accumulate(self, towards: int, j: int, addend: int) -> None:
        """An addition to one of the sums that are read now."""
        self.sums[j] = self.add(towards, self.sums[j], addend)

    def send_up(self, layer: int, signals: Layer, sums: Layer) -> None:
        """Signals drive the rows."""
        if layer not in self.arrays:
            super().send_up(layer, signals, sums)
            return
        self.sums = sums
        self.read(layer, True, signals, self.codes_of(layer), (self.f, self.f_w + self.f))

    def sums_back(self, layer: int, y: Layer) -> Layer:
        """Outputs drive the columns."""
        if layer not in self.arrays:
            return super().sums_back(layer, y)
        self.sums = [0] * self.rows_of[layer]
        turned = [list(column) for column in zip(*self.codes_of(layer), strict=True)]
        self.read(layer, False, y, turned, (self.f, self.f_w + self.f))
        return self.sums

    def move_products(self, layer: int) -> None:
        """Products move weights in memory; of cells, their pulses are listed."""
        if layer not in self.arrays:
            super().move_products(layer)
            return
        errors, outputs = self.errors[: self.rows_of[layer]], self.outputs[layer]
        self.count_lines(layer, errors, outputs)
        pres = [(i, e, e) for i, e in enumerate(errors) if e]
        self.pulses[layer] = self.arrays[layer].pulses_of(pres, [(j, y, 0) for j, y in enumerate(outputs) if y])

    def update(self, label: int, share: int) -> None:
        """As in memory; at the end the cells get the pulses that were listed, from the input up."""
        super().update(label, share)
        for layer in sorted(self.arrays):
            array = self.arrays[layer]
            write = array.write_and_verify if array.array["programming"] == "verify" else array.pulse
            write(self.pulses.pop(layer))
