"""Prices a crossbar: joules and seconds of reads, pulses and verifies, area and leakage, each by component.

Cells are priced by `cell_costs.py` (V^2 G t with the actual inputs and conductances); converters, drivers, decoders and
sampling by `periphery/`; digital additions by the 45 nm technology table at the node. Tiles work at the same time.
Within a tile the converters process their columns in turn, and programming goes row by row.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields

import numpy as np

from hw_models.arguments import ARGUMENTS
from hw_models.array.crossbar import Crossbar
from hw_models.array.mapping import Floats
from hw_models.base import DeviceError, Drive, Ints, Pulse
from hw_models.periphery.cell_costs import array_read_energy_j, half_write_energy_j, read_energy_j, write_energy_j
from hw_models.periphery.dac import requantise
from hw_models.periphery.drivers import Drivers, line_energy_j
from hw_models.periphery.sense import Sense
from hw_models.periphery.wires import Wires
from hw_models.technology import load

_SUM_BITS = 24  # width of the digital additions


class Itemised:
    """A price by component: the fields named `..._j` add up to `total_j`."""

    @property
    def total_j(self) -> float:
        """Total energy in joules."""
        return float(sum(getattr(self, item.name) for item in fields(self) if item.name.endswith("_j")))  # type: ignore[arg-type]


@dataclass(frozen=True)
class ReadCost(Itemised):
    """The cost of one read of all outputs, or of a batch of reads one after the other."""

    cells_j: float
    drivers_j: float
    dac_j: float
    sense_j: float
    adc_j: float
    adders_j: float
    seconds: float
    conversions: int


@dataclass(frozen=True)
class PulseCost(Itemised):
    """The cost of programming a set of cells.

    `half_selected` counts pulses at cells that share a line with the pulsed cell.
    """

    cells_j: float
    half_selected_j: float
    drivers_j: float
    decoders_j: float
    seconds: float
    up: int
    down: int
    half_selected: int


@dataclass(frozen=True)
class Area:
    """Silicon of the whole array in mm2, by component."""

    cells: float
    adc: float
    dac: float
    sense: float
    drivers: float
    decoders: float

    @property
    def total(self) -> float:
        """Total area in mm2."""
        return float(sum(getattr(self, item.name) for item in fields(self)))


@dataclass(frozen=True)
class Floorplan:
    """The number of tiles of an array and their contents. Created by `floorplan`."""

    drive: Drive
    row_tiles: int
    column_tiles: int
    tile_rows: int
    tile_columns: int
    outputs: int
    """Sampled outputs of one tile."""
    adcs: int
    drivers: Drivers
    sense: Sense

    @property
    def tiles(self) -> int:
        """Tiles of the array."""
        return self.row_tiles * self.column_tiles


def floorplan(array: Crossbar) -> Floorplan:
    """Tiles, converters and drivers of `array`. Raises `DeviceError` for a model without electrical conditions."""
    drive, around, mapping = array.model.drive, array.periphery, array.mapping
    if drive is None:
        raise DeviceError(f"{array.model.name}: no voltages and times, so no energy, delay or area")
    outputs = min(around.tile_columns // mapping.planes, array.columns)
    per_slice = math.ceil(array.columns / (around.tile_columns // mapping.planes))
    rows, columns = min(around.tile_rows, array.rows), outputs * mapping.planes + (mapping.scheme == "offset")
    wires = around.wires or Wires.at_node(around.node_nm, drive.cell_area_f2)
    return Floorplan(
        drive=drive,
        row_tiles=len(array.row_tiles),
        column_tiles=per_slice * mapping.slices,
        tile_rows=rows,
        tile_columns=columns,
        outputs=outputs,
        adcs=math.ceil(outputs / around.columns_per_adc),
        drivers=Drivers(rows, columns, wires, node_nm=around.node_nm),  # a pulse includes the gate of its own cell
        sense=Sense(around.node_nm),
    )


def read_cost(array: Crossbar, x: Ints) -> ReadCost:
    """The cost of reading `x` (rows,) or each vector of (vectors, rows) with the present conductances of the cells."""
    plan, around = floorplan(array), array.periphery
    bits = around.dac.bits if around.has("dac") else around.input_bits
    given = ARGUMENTS.rows("x", x, array.rows, -around.input_max, around.input_max)
    inputs = requantise(given, around.input_bits, bits)
    volts = inputs * (plan.drive.read_voltage_v / around.input_max)
    g = _row_conductances(array)
    active = int(np.count_nonzero(inputs)) * plan.column_tiles
    conversions = len(inputs) * array.columns * array.mapping.slices * plan.row_tiles
    additions = conversions - len(inputs) * array.columns
    squares = float(np.sum(np.square(volts)))
    one = around.dac.seconds + plan.drive.read_s + min(around.columns_per_adc, plan.outputs) * around.adc.seconds
    return ReadCost(
        cells_j=sum(array_read_energy_j(v, g, plan.drive.read_s) for v in volts),
        drivers_j=plan.column_tiles * line_energy_j(plan.drivers.row_f, 1.0) * squares,
        dac_j=active * around.dac.energy_j,
        sense_j=conversions * plan.sense.sample_j,
        adc_j=conversions * around.adc.energy_j,
        adders_j=additions * load("cmos_45nm", around.node_nm).add_j(_SUM_BITS),
        seconds=len(inputs) * one,
        conversions=conversions,
    )


def verify_cost(array: Crossbar, g_s: float) -> tuple[float, float]:
    """Joules and seconds of verifying one cell of `g_s` after a pulse: a read at full voltage and one decision."""
    plan = floorplan(array)
    drive = plan.drive
    joules = float(read_energy_j(drive.read_voltage_v, g_s, drive.read_s)) + plan.sense.decision_j
    joules += plan.drivers.row_j(drive.read_voltage_v)
    return joules, drive.read_s + plan.sense.decision_s


def pulsed(array: Crossbar, pre: Ints, post: Ints, counts: Ints) -> PulseCost:
    """`array.pulse(pre, post, counts)`, priced with the conductances before and after.

    Rows are programmed one after the other, with pulses up and down separate: a row takes as many slots as its largest
    count up plus its largest count down. In each slot the row and the columns of the pulsed cells are raised. Without
    transistors, every other cell of these lines in the tile is half-selected, priced at the mean conductance of the
    array.
    """
    plan, before = floorplan(array), array.conductances()
    array.pulse(pre, post, counts)
    after, wanted = array.conductances(), np.asarray(counts, dtype=np.int64)
    parts = []
    for plane in range(array.mapping.planes):
        places = array.places(plane, pre, post)
        g0, g1 = before.ravel()[places], after.ravel()[places]
        signed = -wanted if plane else wanted
        parts.append(_one_way(array, plan, plan.drive.up, np.maximum(signed, 0), g0, g1, True))
        parts.append(_one_way(array, plan, plan.drive.down, np.maximum(-signed, 0), g0, g1, False))
    return PulseCost(*(sum(getattr(part, item.name) for part in parts) for item in fields(PulseCost)))


def _one_way(
    array: Crossbar, plan: Floorplan, pulse: Pulse, given: Ints, g0: Floats, g1: Floats, up: bool
) -> PulseCost:
    """The cost of pulses in one direction on one plane: `given` (pre, post), conductances before and after."""
    number, turns = int(given.sum()), int(given.max(axis=1, initial=0).sum())
    half = 0
    if array.periphery.selector == "half_voltage":
        half = turns * plan.tile_columns * plan.column_tiles - number + number * (plan.tile_rows - 1)
    mean_s = float(array.conductances().mean()) if half else 0.0
    return PulseCost(
        cells_j=float(np.sum(write_energy_j(plan.drive, pulse, g0, g1, given))),
        half_selected_j=half * float(half_write_energy_j(plan.drive, pulse, mean_s)),
        drivers_j=turns * plan.drivers.row_j(pulse.voltage_v) + number * plan.drivers.column_j(pulse.voltage_v),
        decoders_j=turns * plan.drivers.decode_j(array.rows) + number * plan.drivers.decode_j(array.columns),
        seconds=turns * pulse.width_s,
        up=number if up else 0,
        down=0 if up else number,
        half_selected=half,
    )


def area(array: Crossbar) -> Area:
    """Area of `array` in mm2; the last tiles of rows and columns are built whole."""
    plan, around = floorplan(array), array.periphery
    feature_mm = around.node_nm * 1e-6
    volts = max(plan.drive.up.voltage_v, plan.drive.down.voltage_v, plan.drive.read_voltage_v, key=abs)
    return Area(
        cells=plan.tiles * plan.tile_rows * plan.tile_columns * plan.drive.cell_area_f2 * feature_mm**2,
        adc=plan.tiles * plan.adcs * around.adc.area_mm2,
        dac=plan.tiles * plan.tile_rows * around.dac.area_mm2,
        sense=plan.tiles * plan.outputs * plan.sense.area_mm2,
        drivers=plan.tiles * plan.drivers.area_mm2(abs(volts), plan.drive.g_max_s),
        decoders=plan.tiles * plan.drivers.decoder_area_mm2,
    )


def leakage_w(array: Crossbar) -> float:
    """Static power in watts: drivers that hold off the read voltage, and the logic of decoders and sensing."""
    plan, silicon = floorplan(array), area(array)
    drivers = plan.tiles * plan.drivers.leakage_w(plan.drive.read_voltage_v, plan.drive.g_max_s)
    return drivers + load("cmos_45nm", array.periphery.node_nm).logic_leakage_w(silicon.decoders + silicon.sense)


def _row_conductances(array: Crossbar) -> Floats:
    """(rows, 1) siemens that each input drives: all cells of the row, and the reference cells of an offset mapping."""
    rows = array.conductances().sum(axis=(0, 1, 3))
    if array.mapping.scheme == "offset":
        low, high = array.model.conductance_s(np.array(array.model.bounds()))
        plan = floorplan(array)
        rows = rows + plan.column_tiles * (low + array.mapping.reference_of(array.model) * (high - low))
    return np.asarray(rows[:, np.newaxis])
