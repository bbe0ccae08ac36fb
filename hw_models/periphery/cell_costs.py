"""Joules of one cell, as one-line functions of volts, siemens and seconds: what an example is priced with by hand."""

from __future__ import annotations

import numpy as np

from hw_models.base import Drive, Ints, Pulse, Reals

Amount = float | Reals


def pulse_energy_j(
    voltage_v: float, g_before_s: Amount, g_after_s: Amount, width_s: float, count: Amount | Ints = 1
) -> Amount:
    """`count` programming pulses that take a cell from one conductance to the other: n V^2 (G0 + G1)/2 t."""
    return count * (voltage_v * voltage_v * (g_before_s + g_after_s) / 2 * width_s)


def half_selected_energy_j(voltage_v: float, g_s: Amount, width_s: float) -> Amount:
    """One pulse seen at half its voltage by a cell that shares a line with its target: (V/2)^2 G t."""
    return (voltage_v / 2) ** 2 * g_s * width_s


def charge_energy_j(voltage_v: float, capacitance_f: float) -> float:
    """One charging of a gate or a piece of wire from the supply: C V^2."""
    return capacitance_f * voltage_v * voltage_v


def read_energy_j(voltage_v: Amount, g_s: Amount, read_s: float) -> Amount:
    """One read of a cell: V^2 G t."""
    return voltage_v * voltage_v * g_s * read_s


def array_read_energy_j(voltages_v: Reals, g_s: Reals, read_s: float) -> float:
    """One read of a whole array: t sum_ij V_i^2 G_ij, voltages (rows,), conductances (rows, ...)."""
    per_row = np.asarray(g_s, dtype=np.float64).reshape(len(voltages_v), -1).sum(axis=1)
    return float(np.sum(np.square(voltages_v) * per_row)) * read_s


def write_energy_j(
    drive: Drive, pulse: Pulse, g_before_s: Amount, g_after_s: Amount, count: Amount | Ints = 1
) -> Amount:
    """`count` pulses of a cell under its conditions: n V^2 ((G0 + G1)/2 t + C), without G where a gate is written."""
    charged = count * charge_energy_j(pulse.voltage_v, drive.capacitance_f)
    if not drive.write_current:
        return charged
    return pulse_energy_j(pulse.voltage_v, g_before_s, g_after_s, pulse.width_s, count) + charged


def half_write_energy_j(drive: Drive, pulse: Pulse, g_s: Amount) -> Amount:
    """One pulse seen at half its voltage: (V/2)^2 (G t + C), without G where a gate is written."""
    charged = charge_energy_j(pulse.voltage_v / 2, drive.capacitance_f)
    return half_selected_energy_j(pulse.voltage_v, g_s, pulse.width_s) + charged if drive.write_current else charged
