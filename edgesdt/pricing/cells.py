"""Prices arrays of analog cells: joules, seconds and mm² of cells, converters and drivers.

The energy of cells depends on the data: V² G t with their actual conductances, counted as share codes
(`actions.CELL_MEANING`). The cells' electrical conditions are those of the device model; converters and drivers are
`hw_models.periphery`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from edgesdt.ledger import actions as act
from edgesdt.spec import Spec, layers
from edgesdt.synapses.crossbar.scales import mapping_of, share_bits, tiles
from hw_models.base import CellModel, Drive, Pulse
from hw_models.periphery.adc import Adc
from hw_models.periphery.cell_costs import charge_energy_j, half_write_energy_j, pulse_energy_j, read_energy_j
from hw_models.periphery.dac import Dac
from hw_models.periphery.drivers import Drivers
from hw_models.periphery.sense import Sense
from hw_models.periphery.wires import Wires
from hw_models.technology import Technology

CELLS_READ, CELLS_WRITTEN, CONVERTERS, ROW_LINES = "cell reads", "cell pulses", "ADC", "DAC and rows"
COLUMN_LINES = "DAC and columns"
SENSING, ADDERS, DRIVERS, DECODERS = "sense", "code adders", "pulse drivers", "decoders"
ANALOG_AREAS = ("cells", CONVERTERS, "DAC", "drivers")
"""Components whose area does not leak as logic: the leakage of drivers is priced here, that of the others with their
actions."""
COMPONENT = {
    act.ARRAY_READ: CELLS_READ,
    act.CELL_READ_BASE: CELLS_READ,
    act.CELL_READ_SHARE: CELLS_READ,
    act.ROW_DRIVE: ROW_LINES,
    act.ADC_CONVERSION: CONVERTERS,
    act.PULSE_UP: CELLS_WRITTEN,
    act.PULSE_UP_SHARE: CELLS_WRITTEN,
    act.PULSE_DOWN: CELLS_WRITTEN,
    act.PULSE_DOWN_SHARE: CELLS_WRITTEN,
    act.PULSE_TIME: CELLS_WRITTEN,
    act.HALF_SELECTED: "half-selected cells",
    act.VERIFY_READ: "verify",
    act.VERIFY_SHARE: "verify",
    act.COLUMN_SAMPLE: SENSING,
    act.CODE_ADD: ADDERS,
    act.ROW_PULSE_UP: DRIVERS,
    act.ROW_PULSE_DOWN: DRIVERS,
    act.COLUMN_PULSE: DRIVERS,
    act.ROW_SELECT: DECODERS,
    act.COLUMN_SELECT: DECODERS,
    act.ARRAY_READ_BACK: CELLS_READ,
    act.COLUMN_DRIVE: COLUMN_LINES,
}


@dataclass(frozen=True)
class Parts:
    """The components of the array of one weight layer, in one technology; `spec` is the spec of the layer alone."""

    spec: Spec
    two_way: bool
    """Whether the array is read in both directions; its rows then have converters and its columns drivers for reads."""
    model: CellModel
    drive: Drive | None
    adc: Adc
    dac: Dac
    drivers: Drivers
    sense: Sense
    tech: Technology

    @classmethod
    def of(cls, spec: Spec, tech: Technology, two_way: bool = False) -> Parts:
        """The parts for a `spec` with one weight layer, at the node of `tech`, which prices digital parts."""
        array, model, node_nm = spec.device.array, spec.device.cell_model(), tech.node_nm
        drive = model.drive
        wires = Wires.at_node(node_nm, drive.cell_area_f2 if drive else 16.0)
        return cls(
            spec=spec,
            two_way=two_way,
            model=model,
            drive=drive,
            adc=Adc(array.adc_bits, node_nm=node_nm),
            dac=Dac(array.dac_bits, node_nm),
            drivers=Drivers(array.tile_rows, array.tile_columns, wires, node_nm=node_nm),
            sense=Sense(node_nm),
            tech=tech,
        )


def of_chip(spec: Spec, tech: Technology) -> dict[int, Parts]:
    """The parts of every weight layer of `spec` on cells; layers above the first are read in both directions."""
    return {
        layer: Parts.of(layers.alone(spec, layer), tech, layers.both_ways(spec, layer))
        for layer in layers.on_cells(spec)
    }


def actions(spec: Spec) -> dict[str, str]:
    """Every counted action of the arrays of `spec`, with its component."""
    found = {}
    for layer in layers.on_cells(spec):
        for name in (*act.CELL_MEANING, *(act.BACK_MEANING if layers.both_ways(spec, layer) else ())):
            found[act.of_layer(name, layer)] = COMPONENT[name]
    return found


def priced(spec: Spec, tech: Technology) -> dict[str, float]:
    """Joules per count of each action of the arrays of `spec`."""
    return {
        act.of_layer(name, layer): joules
        for layer, parts in of_chip(spec, tech).items()
        for name, joules in recipes(parts).items()
    }


def time_s(spec: Spec, counts: Mapping[str, int], tech: Technology) -> dict[str, float]:
    """Seconds by phase of all arrays of `spec`; the layers are read or written one after the other."""
    total: dict[str, float] = {}
    for layer, parts in of_chip(spec, tech).items():
        own = {name: counts[act.of_layer(name, layer)] for name in (*act.CELL_MEANING, *_back(parts))}
        for phase, duration in seconds(parts, own).items():
            total[phase] = total.get(phase, 0.0) + duration
    return total


def area(spec: Spec, tech: Technology) -> dict[str, float]:
    """mm² by component of the arrays of `spec`."""
    total: dict[str, float] = {}
    for parts in of_chip(spec, tech).values():
        for name, mm2 in areas(parts).items():
            total[name] = total.get(name, 0.0) + mm2
    return total


def static_w(spec: Spec, tech: Technology) -> float:
    """Static power of the arrays of `spec`."""
    return sum(leakage_w(parts) for parts in of_chip(spec, tech).values())


def _back(parts: Parts) -> tuple[str, ...]:
    return tuple(act.BACK_MEANING) if parts.two_way else ()


def conductances_s(parts: Parts) -> tuple[float, float]:
    """Conductance at the lowest nominal state, and the increase of conductance per share code."""
    if parts.drive is None:
        return 0.0, 0.0
    low, high = (parts.drive.g_min_s, parts.drive.g_max_s)
    if parts.model.quantity == "conductance":
        low, high = parts.model.bounds()
    return low, (high - low) / (1 << share_bits(parts.spec))


def recipes(parts: Parts) -> dict[str, float]:
    """Joules per count of each action of `actions.CELL_MEANING`; cells without electrical conditions have no energy."""
    made: dict[str, Any] = dict.fromkeys((*act.CELL_MEANING, *_back(parts)), 0.0) | _periphery_j(parts)
    if parts.drive is None:
        return made
    drive, (low, step) = parts.drive, conductances_s(parts)
    squares = ((1 << parts.spec.encoder.bits) - 1) ** 2
    reads = {name: read_energy_j(drive.read_voltage_v, g, drive.read_s) for name, g in (("low", low), ("step", step))}
    middle = low + step * (1 << share_bits(parts.spec)) / 2
    half = [half_write_energy_j(drive, pulse, middle) for pulse in (drive.up, drive.down)]
    made |= {
        act.CELL_READ_BASE: reads["low"] / squares,
        act.CELL_READ_SHARE: reads["step"] / squares,
        act.HALF_SELECTED: sum(half) / 2,
        act.VERIFY_READ: reads["low"],
        act.VERIFY_SHARE: reads["step"],
    }
    for pulse, alone, share in (
        (drive.up, act.PULSE_UP, act.PULSE_UP_SHARE),
        (drive.down, act.PULSE_DOWN, act.PULSE_DOWN_SHARE),
    ):
        made[alone] = _pulse_j(drive, pulse, low) + charge_energy_j(pulse.voltage_v, drive.capacitance_f)
        made[share] = _pulse_j(drive, pulse, step)
    return {name: float(joules) for name, joules in made.items()}


def _periphery_j(parts: Parts) -> dict[str, float]:
    """Joules of the actions of the circuits around the cells; lines have no energy if no voltage is stated."""
    chip, drivers, drive = parts.spec.chip, parts.drivers, parts.drive
    columns = mapping_of(parts.spec).planes * chip.layers[1]
    up, down = (drive.up.voltage_v, drive.down.voltage_v) if drive else (0.0, 0.0)
    planes, read_v = mapping_of(parts.spec).planes, drive.read_voltage_v if drive else 0.0
    back = {act.COLUMN_DRIVE: planes * (parts.dac.energy_j + drivers.column_j(read_v))} if parts.two_way else {}
    return back | {
        act.ROW_DRIVE: parts.dac.energy_j + drivers.row_j(drive.read_voltage_v if drive else 0.0),
        act.COLUMN_SAMPLE: parts.sense.sample_j,
        act.ADC_CONVERSION: parts.adc.energy_j,
        act.CODE_ADD: parts.tech.add_j(chip.accumulator.bits) + parts.tech.register_j(chip.accumulator.bits),
        act.ROW_PULSE_UP: drivers.row_j(up),
        act.ROW_PULSE_DOWN: drivers.row_j(down),
        act.COLUMN_PULSE: (drivers.column_j(up) + drivers.column_j(down)) / 2,  # a slot may hold both
        act.ROW_SELECT: drivers.decode_j(chip.layers[0]),
        act.COLUMN_SELECT: drivers.decode_j(columns),
    }


def _pulse_j(drive: Drive, pulse: Pulse, g_s: float) -> float:
    return float(pulse_energy_j(pulse.voltage_v, g_s, g_s, pulse.width_s)) if drive.write_current else 0.0


def seconds(parts: Parts, counts: Mapping[str, int]) -> dict[str, float]:
    """Time by phase: all tiles are read at the same time, the columns of a converter one after the other.

    Codes are added while the next columns are converted; the last codes then pass the row tiles and the slices, in one
    clock cycle each.
    """
    array, drive, rows = parts.spec.device.array, parts.drive, parts.spec.chip.layers[0]
    convert = min(array.columns_per_adc, parts.spec.chip.layers[1]) * parts.adc.seconds
    read_s, width_s = (drive.read_s, max(drive.up.width_s, drive.down.width_s)) if drive else (0.0, 0.0)
    found = {
        "array read": counts[act.ARRAY_READ] * (parts.dac.seconds + read_s + convert),
        "code sums": counts[act.ARRAY_READ] * array.slices * tiles(parts.spec)[0] / parts.spec.chip.clock,
        "array programming": counts[act.PULSE_TIME] * width_s
        + counts[act.VERIFY_READ] * (read_s + parts.adc.seconds) / array.tile_columns,
    }
    if parts.two_way:  # the rows of a converter are read one after the other; the last codes pass the column tiles
        reads, convert = counts[act.ARRAY_READ_BACK], min(array.columns_per_adc, rows) * parts.adc.seconds
        found["array read"] += reads * (parts.dac.seconds + read_s + convert)
        found["code sums"] += reads * tiles(parts.spec)[1] / parts.spec.chip.clock
    return found


def areas(parts: Parts) -> dict[str, float]:
    """mm² of cells, converters (an adder behind each), samplers, drivers and decoders of all tiles."""
    spec, array = parts.spec, parts.spec.device.array
    row_tiles, column_tiles = tiles(spec)
    mapping, (rows, columns) = mapping_of(spec), spec.chip.layers
    converters = row_tiles * array.slices * -(-columns // array.columns_per_adc)
    found = {
        CONVERTERS: converters * parts.adc.area_mm2,
        "DAC": column_tiles * rows * parts.dac.area_mm2,
        SENSING: row_tiles * array.slices * columns * parts.sense.area_mm2,
        ADDERS: converters * parts.tech.add_mm2(spec.chip.accumulator.bits),
        DECODERS: row_tiles * column_tiles * parts.drivers.decoder_area_mm2,
    }
    if parts.two_way:
        converters = column_tiles * -(-rows // array.columns_per_adc)
        found[CONVERTERS] += converters * parts.adc.area_mm2
        found["DAC"] += row_tiles * columns * mapping.planes * parts.dac.area_mm2
        found[SENSING] += column_tiles * rows * parts.sense.area_mm2
        found[ADDERS] += converters * parts.tech.add_mm2(spec.chip.accumulator.bits)
    if parts.drive is None:
        return found
    drive, square = parts.drive, (parts.tech.node_nm * 1e-6) ** 2
    voltage = max(abs(drive.up.voltage_v), abs(drive.down.voltage_v), drive.read_voltage_v)
    g_max = max(conductances_s(parts)[0], drive.g_max_s)
    lines = parts.drivers.area_mm2(voltage, g_max)
    references = rows * column_tiles if mapping.planes == 1 else 0  # a column of them in every tile
    if parts.two_way and mapping.planes == 1:
        references += columns * row_tiles  # and a row of them
    cells = (mapping.cells_per_weight * rows * columns + references) * drive.cell_area_f2 * square
    return {**found, "cells": cells, "drivers": row_tiles * column_tiles * lines}


def leakage_w(parts: Parts) -> float:
    """Static power of the drivers of all tiles."""
    if parts.drive is None:
        return 0.0
    row_tiles, column_tiles = tiles(parts.spec)
    per_tile = parts.drivers.leakage_w(abs(parts.drive.up.voltage_v), parts.drive.g_max_s)
    return row_tiles * column_tiles * per_tile
