"""Losses of an array's sums on the wires of its tiles: one resistive network per tile, the fast model of IR drop."""

from __future__ import annotations

import numpy as np

from hw_models.arguments import ARGUMENTS
from hw_models.array.mapping import Floats
from hw_models.base import Ints
from hw_models.periphery.ir_drop import network
from hw_models.periphery.wires import Wires


class WiredTile:
    """The cells (planes, rows, columns), in siemens, of one slice and one range of rows, in tiles of `tile_columns`.

    The cells of a pair are adjacent in a tile: columns + - + - ... from the driven end on.
    """

    def __init__(self, cells: Floats, tile_columns: int, wires: Wires) -> None:
        cells = ARGUMENTS.reals("cells", cells, ("planes", "rows", "columns"), 0.0, 1e6)
        planes, rows, columns = cells.shape
        tile_columns = ARGUMENTS.whole("tile_columns", tile_columns, max(planes, 1))
        if not cells.size:
            ARGUMENTS.refuse("cells", f"shape {cells.shape}", "at least one cell")
        self.columns = columns
        self.planes = planes
        step = tile_columns // planes
        beside = np.moveaxis(cells, 0, 2).reshape(rows, columns * planes)
        self.tiles = [
            network(beside[:, at * planes : (at + step) * planes], wires.row_ohm_per_cell, wires.column_ohm_per_cell)
            for at in range(0, columns, step)
        ]

    def lost(self, inputs: Ints) -> Floats:
        """Losses (vectors, columns) on the wires, in siemens times input steps: + columns minus - columns."""
        volts = ARGUMENTS.rows("inputs", inputs, len(self.tiles[0].g), -(10**6), 10**6).astype(np.float64)
        lost = [[np.add.reduce(v[:, np.newaxis] * tile.g) - tile.currents(v)[0] for tile in self.tiles] for v in volts]
        by_column = np.array([np.concatenate(vector) for vector in lost]).reshape(len(volts), self.columns, self.planes)
        return np.asarray(by_column[..., 0] - by_column[..., 1] if self.planes == 2 else by_column[..., 0])
