"""Energies of one cell, as one-line functions of volts, siemens and seconds; also used to price examples by hand."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from hw_models.arguments import ARGUMENTS
from hw_models.base import Drive, Ints, Pulse, Reals

Amount = float | Reals
_MOST, _MOST_V = 1e30, 1e6  # limits of all factors, and of voltages


def _checked_amounts(**amounts: Any) -> list[Any]:
    """The arguments, with lists converted to arrays.

    Raises `DeviceError` unless they are finite, and scalars or arrays of one shape.

    Spread and noise may make a conductance negative; a count of pulses is at least 0.
    """
    shape: tuple[int, ...] = ()
    taken = []
    for name, amount in amounts.items():
        array = ARGUMENTS.reals(name, amount, None, 0.0 if name == "count" else -_MOST, _MOST)
        found = array.shape
        taken.append(array if isinstance(amount, list | tuple) else amount)
        if found and shape and found != shape:
            ARGUMENTS.refuse(name, f"shape {found}", f"one number, or shape {shape} as before")
        shape = found or shape
    return taken



def pulse_energy_j(
    voltage_v: float, g_before_s: Amount, g_after_s: Amount, width_s: float, count: Amount | Ints = 1
) -> Amount:
    """Energy of `count` programming pulses that move a cell from one conductance to the other: n V^2 (G0 + G1)/2 t."""
    g_before_s, g_after_s, count = _checked_amounts(g_before_s=g_before_s, g_after_s=g_after_s, count=count)
    ARGUMENTS.number("voltage_v", voltage_v, -_MOST_V, _MOST_V)
    ARGUMENTS.number("width_s", width_s, 0.0, _MOST)
    return count * (voltage_v * voltage_v * (g_before_s + g_after_s) / 2 * width_s)


def half_selected_energy_j(voltage_v: float, g_s: Amount, width_s: float) -> Amount:
    """Energy of one pulse at half its voltage in a cell that shares a line with the target: (V/2)^2 G t."""
    return (voltage_v / 2) ** 2 * g_s * width_s


def charge_energy_j(voltage_v: float, capacitance_f: float) -> float:
    """Energy from the supply to charge a gate or a piece of wire: C V^2."""
    return capacitance_f * voltage_v * voltage_v


def read_energy_j(voltage_v: Amount, g_s: Amount, read_s: float) -> Amount:
    """Energy of one read of a cell: V^2 G t."""
    return voltage_v * voltage_v * g_s * read_s


def array_read_energy_j(voltages_v: Reals, g_s: Reals, read_s: float) -> float:
    """Energy of one read of a whole array: t sum_ij V_i^2 G_ij, voltages (rows,), conductances (rows, ...)."""
    volts = ARGUMENTS.reals("voltages_v", voltages_v, ("rows",), -_MOST_V, _MOST_V).astype(np.float64)
    g = ARGUMENTS.reals("g_s", g_s, None, 0.0, _MOST).astype(np.float64)
    if g.ndim == 0 or len(g) != len(volts):
        ARGUMENTS.refuse("g_s", f"shape {g.shape}", f"({len(volts)}, ...), a row for each voltage")
    per_row = g.reshape(len(volts), math.prod(g.shape[1:])).sum(axis=1)
    return float(np.sum(np.square(volts) * per_row)) * ARGUMENTS.number("read_s", read_s, 0.0, _MOST)


def write_energy_j(
    drive: Drive, pulse: Pulse, g_before_s: Amount, g_after_s: Amount, count: Amount | Ints = 1
) -> Amount:
    """Energy of `count` pulses of a cell under its conditions: n V^2 ((G0 + G1)/2 t + C), for a gate without G."""
    g_before_s, g_after_s, count = _checked_amounts(g_before_s=g_before_s, g_after_s=g_after_s, count=count)
    charged = count * charge_energy_j(pulse.voltage_v, drive.capacitance_f)
    if not drive.write_current:
        return charged
    return pulse_energy_j(pulse.voltage_v, g_before_s, g_after_s, pulse.width_s, count) + charged


def half_write_energy_j(drive: Drive, pulse: Pulse, g_s: Amount) -> Amount:
    """Energy of one pulse at half its voltage: (V/2)^2 (G t + C), without G if a gate is written."""
    charged = charge_energy_j(pulse.voltage_v / 2, drive.capacitance_f)
    return half_selected_energy_j(pulse.voltage_v, g_s, pulse.width_s) + charged if drive.write_current else charged
