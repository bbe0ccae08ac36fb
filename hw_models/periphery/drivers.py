"""Line drivers and row decoders: energy to charge a line, driver area for the current of a full line, and leakage.

A line of n cells is C = n (pitch c_wire + c_cell) and costs C V^2 each time it is raised (NeuroSim counts the same). A
driver is a pull-up and a pull-down transistor, wide enough for the largest current of its line at the on-current of the
node (K. Mistry et al., IEDM 2007: 1.36 mA/um and 100 nA/um at 45 nm, assumed per width at other nodes too); its area is
width times one gate pitch per transistor. A decoder has two gates of the technology table per line. Not modelled: level
shifters, charge pumps and the sharing of drivers between tiles.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from hw_models.periphery.constants import bounded, constant, whole
from hw_models.periphery.wires import Wires
from hw_models.technology import load
from hw_models.technology.scaling import NODE_MAX_NM, NODE_MIN_NM


@dataclass(frozen=True)
class Drivers:
    """Drivers and decoder of one tile of `rows` by `columns` cells at `node_nm` (7 to 130).

    `cell_f` is the capacitance that one cell adds to a line, in farads; `wires` has the pitch of the cells.
    """

    rows: int
    columns: int
    wires: Wires
    cell_f: float = 0.0
    node_nm: float = 32.0

    def __post_init__(self) -> None:
        whole("rows", self.rows, 1, 1 << 20, "cells")
        whole("columns", self.columns, 1, 1 << 20, "cells")
        bounded("cell_f", self.cell_f, 0.0, 1e-9, "F")
        bounded("drivers node_nm", self.node_nm, NODE_MIN_NM, NODE_MAX_NM, "nm")

    @property
    def row_f(self) -> float:
        """Capacitance of one row line in farads."""
        return self.columns * (self.wires.capacitance_per_cell_f + self.cell_f)

    @property
    def column_f(self) -> float:
        """Capacitance of one column line in farads."""
        return self.rows * (self.wires.capacitance_per_cell_f + self.cell_f)

    def row_j(self, voltage_v: float) -> float:
        """Joules to raise one row line to `voltage_v`: C V^2."""
        return line_energy_j(self.row_f, voltage_v)

    def column_j(self, voltage_v: float) -> float:
        """Joules to raise one column line to `voltage_v`: C V^2."""
        return line_energy_j(self.column_f, voltage_v)

    def width_m(self, voltage_v: float, g_max_s: float, cells: int) -> float:
        """Transistor width for `cells` cells of `g_max_s` at `voltage_v`, never below one feature size."""
        return max(cells * g_max_s * voltage_v / constant("drivers.on_current"), self.node_nm * 1e-9)

    def area_mm2(self, voltage_v: float, g_max_s: float) -> float:
        """Area of all row and column drivers in mm2."""
        pitch_m = constant("drivers.gate_pitch") * self.node_nm * 1e-9 / constant("drivers.node")
        return 2 * self._width_m(voltage_v, g_max_s) * pitch_m * 1e6

    def leakage_w(self, voltage_v: float, g_max_s: float) -> float:
        """Static power of all drivers: the transistor that is off in each leaks at `voltage_v`."""
        return self._width_m(voltage_v, g_max_s) * constant("drivers.off_current") * voltage_v

    @property
    def decoder_area_mm2(self) -> float:
        """Area of the row decoder and of the column decoder in mm2."""
        return (self.rows + self.columns) * load("cmos_45nm", self.node_nm).xor_mm2(2)

    def decode_j(self, lines: int) -> float:
        """Joules to select one of `lines`: the address is latched and compared, and one gate pair switches."""
        bits = max(1, math.ceil(math.log2(lines))) if lines > 1 else 1
        table = load("cmos_45nm", self.node_nm)
        return table.register_j(bits) + table.xor_j(bits)

    def _width_m(self, voltage_v: float, g_max_s: float) -> float:
        rows = self.rows * self.width_m(voltage_v, g_max_s, self.columns)
        return rows + self.columns * self.width_m(voltage_v, g_max_s, self.rows)


def line_energy_j(capacitance_f: float, voltage_v: float) -> float:
    """Joules from the supply to charge `capacitance_f` to `voltage_v`: C V^2."""
    return capacitance_f * voltage_v * voltage_v
