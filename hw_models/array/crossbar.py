"""A crossbar array: cells of one model, a mapping of weights to cells, and the periphery that reads and pulses them.

Reading `x` (rows,): input codes -> word-line voltages -> sums of each tile's columns (exact in integers, with the read
noise of all cells as one Gaussian) -> converter codes -> added digitally over the tiles and the slices of a weight.
Each slice of a weight has its own tiles; the two cells of a pair are adjacent. With IR drop each tile is a separate
network. The reference of an offset mapping is subtracted before the converter. `costs.py` prices the array,
`mapping.py` maps weights, `mvm.py` computes sums.
"""

from __future__ import annotations

import math
import warnings

import numpy as np
import numpy.typing as npt

from hw_models.arguments import ARGUMENTS
from hw_models.array.mapping import Floats, Mapping
from hw_models.array.mvm import CODE_MAX, Matrix, Read, matrix
from hw_models.array.mvm import read as read_matrix
from hw_models.array.wires import WiredTile
from hw_models.base import MOST_PULSES, CellModel, DeviceError, Ints, Reals
from hw_models.kernels.randomness import gaussians, key_of
from hw_models.periphery.adc import convert, lsb_for
from hw_models.periphery.constants import whole
from hw_models.periphery.dac import requantise
from hw_models.periphery.design import Periphery

DIGIT_ONE = 16384  # code of a digit of 1: 15 bits, so that a spread cell may hold up to twice its nominal range
_READ_STREAM, _OUTPUT_STREAM = 1 << 24, 1 << 25  # far from the streams from which a model draws its cells
_CLIPPED_WARNING = 0.5


class Crossbar:
    """`rows` by `columns` weights on cells of `model`, manufactured from `seed`, all at their lowest state.

    The same seed gives the same cells and, at the same `counter`, the same reads. Raises `DeviceError` for impossible
    sizes or combinations.
    """

    def __init__(
        self, model: CellModel, mapping: Mapping, periphery: Periphery, rows: int, columns: int, seed: int = 0
    ) -> None:
        self.model, self.mapping, self.periphery, self.seed = model, mapping, periphery, seed
        self.rows = whole("rows", rows, 1, 1 << 20, "inputs")
        self.columns = whole("columns", columns, 1, 1 << 20, "outputs")
        whole("tile_columns", periphery.tile_columns, mapping.planes, 1 << 16, f"cells of a {mapping.scheme}")
        mapping.check(model, 0.0 if mapping.scheme == "pair" else mapping.weight_range(model)[0], 0.0)
        self.cells = model.manufacture(mapping.cells_per_weight * rows * columns, seed)
        self._seen: Reals | None = None
        self._matrices: list[list[Matrix]] | None = None
        self._wired: dict[tuple[int, int], WiredTile] = {}

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """Shape of the flat cells: (planes, slices, rows, columns), C order."""
        return self.mapping.planes, self.mapping.slices, self.rows, self.columns

    @property
    def row_tiles(self) -> list[slice]:
        """The rows of each tile."""
        step = self.periphery.tile_rows
        return [slice(at, min(at + step, self.rows)) for at in range(0, self.rows, step)]

    @property
    def largest_sum(self) -> int:
        """The sum of a tile's column with all inputs and cells at their maximum, in digit steps times inputs."""
        return min(self.periphery.tile_rows, self.rows) * DIGIT_ONE * self.periphery.input_max

    @property
    def converter_step(self) -> int:
        """Step of the converters, in steps of a digit times steps of an input, by their bits and their range."""
        return lsb_for(self.periphery.adc_range * self.largest_sum, self.periphery.adc.bits)

    @property
    def lsb(self) -> int:
        """Step of the output codes: that of the converters, or 1 if the converter is switched off."""
        return self.converter_step if self.periphery.has("adc") else 1

    @property
    def output_step(self) -> float:
        """Value of one step of an output code: weight times input steps. `codes * output_step ~ x @ weights`."""
        return self.lsb * float(self.mapping.digit_weights[0]) / DIGIT_ONE

    def program(self, weights: Reals) -> None:
        """Sets all weights (rows, columns), with the model's programming noise.

        Raises `DeviceError` for a wrong shape, NaN, or weights that the cells cannot represent.
        """
        wanted = ARGUMENTS.reals("weights", weights, (self.rows, self.columns)).astype(np.float64)
        self.mapping.check(self.model, float(wanted.min()), float(wanted.max()))
        low, high = self.model.bounds()
        shares = self.mapping.shares(wanted, self.model)
        self.model.program(self.cells, low + shares.ravel() * (high - low))
        self.written()

    def written(self) -> None:
        """Must be called after cells were changed from outside; the next read then uses their new states."""
        self._look(None)

    def rest(self, after_s: float, seed: int = 0) -> None:
        """Lets `after_s` seconds pass: until the next write, reads include drift and low-frequency noise."""
        self._look(self.model.read(self.cells, after_s, seed))

    def _look(self, seen: Reals | None) -> None:
        self._seen, self._matrices, self._wired = seen, None, {}

    def states(self) -> Reals:
        """Visible states of the cells (planes, slices, rows, columns), in the model's quantity."""
        seen = self.cells.visible if self._seen is None else self._seen
        return seen.reshape(self.shape)

    def shares(self) -> Floats:
        """Visible states of the cells (planes, slices, rows, columns), as shares of the nominal range."""
        low, high = self.model.bounds()
        return np.asarray((self.states().astype(np.float64) - low) / (high - low))

    def weights(self) -> Floats:
        """The visible weights of the cells (rows, columns)."""
        return self.mapping.weights(self.shares(), self.model)

    def conductances(self) -> Floats:
        """(planes, slices, rows, columns) siemens. Raises `DeviceError` for a model without electrical conditions."""
        return np.maximum(self.model.conductance_s(self.states().astype(np.float64)), 0.0)

    def places(self, plane: int, pre: Ints, post: Ints) -> npt.NDArray[np.int64]:
        """Flat indices (pre, post) of the cells of a plane at the crossings of rows `pre` and columns `post`."""
        first = ARGUMENTS.whole("plane", plane, 0, self.mapping.planes - 1) * self.rows * self.columns
        rows = ARGUMENTS.integers("pre", pre, ("rows",), 0, self.rows - 1)
        columns = ARGUMENTS.integers("post", post, ("columns",), 0, self.columns - 1)
        places: npt.NDArray[np.int64] = first + rows[:, np.newaxis] * self.columns + columns
        return places

    def pulse(self, pre: Ints, post: Ints, counts: Ints) -> None:
        """Applies `counts` (pre, post) pulses, > 0 up, at the crossings of rows `pre` and columns `post`.

        The - cell of a pair receives the opposite pulses, so one count is two steps of weight. `costs.pulsed` does the
        same and prices it. Raises `DeviceError` for weights in slices, which cannot be pulsed.
        """
        if self.mapping.slices > 1:
            raise DeviceError("pulses need one cell per weight: slices must be 1 (sliced weights can be programmed)")
        crossings = self.places(0, pre, post).shape
        wanted = ARGUMENTS.integers("counts", counts, crossings, -MOST_PULSES, MOST_PULSES)
        touched = wanted != 0
        for plane in range(self.mapping.planes):
            signed = -wanted[touched] if plane else wanted[touched]
            self.model.pulse(self.cells, signed, self.places(plane, pre, post)[touched])
        self.written()

    def mvm(self, x: Ints, counter: int = 0) -> Read:
        """Reads with input codes `x` (rows,) or a batch (vectors, rows); vector b has the noise of read `counter + b`.

        Returns codes (columns,) or (vectors, columns); warns if more than half of the conversions clip.
        """
        inputs, counter = self._inputs(x), ARGUMENTS.whole("counter", counter, 0, 2**40)
        bits = self.periphery.dac.bits if self.periphery.has("dac") else self.periphery.input_bits
        inputs = requantise(inputs, self.periphery.input_bits, bits)
        total = np.zeros((inputs.shape[0], self.columns), dtype=np.int64)
        clipped = 0
        for place in range(self.mapping.slices):
            for tile in range(len(self.row_tiles)):
                codes, hit = self._convert(self._sums(inputs, place, tile, counter), place, tile, counter)
                total += codes.astype(np.int64) << (place * self.mapping.bits_per_cell)
                clipped += hit
        conversions = total.size * self.mapping.slices * len(self.row_tiles)
        read = Read(total[0] if np.ndim(x) == 1 else total, conversions, clipped)
        if read.clipped_fraction > _CLIPPED_WARNING:
            warnings.warn(
                f"the range of the converter clips {read.clipped_fraction:.0%} of the sums: raise adc_range "
                f"(now {self.periphery.adc_range:g})",
                stacklevel=2,
            )
        return read

    def range_for(self, x: Ints, kept: float = 0.999) -> float:
        """The `adc_range` that includes the share `kept` of the sums of inputs `x` (vectors, rows), without noise."""
        inputs, kept = self._inputs(x), ARGUMENTS.number("kept", kept, 0.0, 1.0)
        if not len(inputs):
            ARGUMENTS.refuse("x", "no inputs", "at least one vector")
        sums = [
            np.abs(read_matrix(self._matrix(place, tile), inputs[:, rows]))
            for place in range(self.mapping.slices)
            for tile, rows in enumerate(self.row_tiles)
        ]
        wanted = float(np.quantile(np.concatenate(sums), kept, method="higher")) / self.largest_sum
        return min(max(wanted, 1 / self.largest_sum), 1.0)

    def _inputs(self, x: object) -> npt.NDArray[np.int64]:
        """(vectors, rows) input codes of one vector or several. Raises `DeviceError`."""
        return ARGUMENTS.rows("x", x, self.rows, -self.periphery.input_max, self.periphery.input_max)

    def _matrix(self, place: int, tile: int) -> Matrix:
        """The integer matrix of one slice and one row tile; all matrices are rebuilt after a write."""
        if self._matrices is None:
            shares = self.shares()
            digits = self.mapping.digits(shares, self.model)
            codes = np.clip(np.rint(digits * DIGIT_ONE), -CODE_MAX, CODE_MAX).astype(np.int16)
            sizes = self._cell_sizes() if self.periphery.read_noise == "cell" else np.abs(codes)
            self._matrices = [
                [matrix(codes[s, rows], self.periphery.input_max, sizes[s, rows]) for rows in self.row_tiles]
                for s in range(self.mapping.slices)
            ]
        return self._matrices[place][tile]

    def _lost(self, inputs: npt.NDArray[np.int64], place: int, tile: int) -> npt.NDArray[np.int64]:
        """Losses (vectors, columns) of the sums of one tile on its wires."""
        wires = self.periphery.wires
        if wires is None:
            return np.zeros((), dtype=np.int64)
        if (place, tile) not in self._wired:
            cells = self.conductances()[:, place, self.row_tiles[tile]]
            self._wired[place, tile] = WiredTile(cells, self.periphery.tile_columns, wires)
        low, high = self.model.conductance_s(np.array(self.model.bounds()))
        lost = self._wired[place, tile].lost(inputs) * (DIGIT_ONE / (high - low))
        whole_steps: npt.NDArray[np.int64] = np.rint(lost).astype(np.int64)
        return whole_steps

    def _cell_sizes(self) -> npt.NDArray[np.int16]:
        """(slices, rows, columns) root of the summed squares of the conductances of a digit, in two digit steps."""
        low, high = self.model.conductance_s(np.array(self.model.bounds()))
        size = np.sqrt(np.square(self.conductances() / (high - low)).sum(axis=0))
        codes: npt.NDArray[np.int16] = np.clip(np.rint(size * (DIGIT_ONE / 2)), 0, CODE_MAX).astype(np.int16)
        return codes

    def _sums(self, inputs: npt.NDArray[np.int64], place: int, tile: int, counter: int) -> npt.NDArray[np.int64]:
        """(vectors, columns) noisy sums of one tile, in steps of a digit times steps of an input."""
        around, rows = self.periphery, self.row_tiles[tile]
        made = self._matrix(place, tile)
        key, first = key_of(self.seed, _READ_STREAM + tile * self.mapping.slices + place), counter * self.columns
        if not around.has("read_noise"):
            sums = read_matrix(made, inputs[:, rows])
        elif around.read_noise == "additive":
            sd = around.read_noise_sd * DIGIT_ONE * math.sqrt(self.mapping.planes)
            sums = read_matrix(made, inputs[:, rows], "additive", sd, key, first)
        else:
            sd = around.read_noise_sd * (2 if around.read_noise == "cell" else 1)
            sums = read_matrix(made, inputs[:, rows], "proportional", sd, key, first)
        return sums - self._lost(inputs[:, rows], place, tile) if around.has("ir_drop") else sums

    def _convert(self, sums: npt.NDArray[np.int64], place: int, tile: int, counter: int) -> tuple[Ints, int]:
        around = self.periphery
        if around.has("output_noise"):
            key = key_of(self.seed, _OUTPUT_STREAM + tile * self.mapping.slices + place)
            noise = gaussians(key, sums.size, counter * self.columns).reshape(sums.shape)
            sums = sums + np.rint(noise * (around.output_noise * self.converter_step)).astype(np.int64)
        if not around.has("adc"):
            return sums, 0
        return convert(sums, self.lsb, around.adc.bits)
