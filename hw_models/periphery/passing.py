"""The share of its nominal current that each cell of a tile passes: IR drop as a matrix, so that reads are products.

With all rows at the voltage V, cell (i, j) between nodes u_ij and w_ij carries g_ij (u_ij - w_ij): a share p_ij = (u_ij
- w_ij) / V of its current without wires. `v @ (g * p)` then approximates the currents for any voltages v. The true
matrix of the network, `ir_drop.effective_conductances`, has the same sums of all its rows and of all its columns
(reciprocity). So this is exact for equal voltages, and otherwise the error depends only on the differences of voltages
between rows. Errors of the worst column, compared with the exact solution at 64 x 64 and 128 x 128
(`tests/cross/test_passing.py`): if the wires take up to 15 % of the current, within 2 % for any inputs; up to 30 %,
within 0.5 % if all rows are driven, 2 % if a band of rows is driven, 5 % if single rows are driven, one in five; 15 %
if half of the current is lost. One solution per tile, by the line sweeps of `ir_drop`; effects that they do not model
are not modelled here.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from hw_models.kernels.jit import njit
from hw_models.periphery.ir_drop import factorise, network

Floats = npt.NDArray[np.float64]
TOLERANCE: Final = 2.0**-16
"""Sweeps end when no share changes by more than this: a quarter of the step of a 14-bit share."""
MOST_SWEEPS: Final = 100


def passed_shares(g: Floats, row_ohm: float, column_ohm: float) -> tuple[Floats, int]:
    """(rows, columns) shares in (0, 1] for conductances `g` in siemens, ohms per cell, and the sweeps needed.

    Raises `DeviceError` for invalid conductances or resistances.
    """
    net = network(g, row_ohm, column_ohm)
    shares = np.empty_like(net.g)
    return shares, int(share_out(net.g, net.row_s, net.column_s, TOLERANCE, MOST_SWEEPS, shares))


@njit(nogil=True, cache=True)
def share_out(g, row_s, column_s, tolerance, most, shares):  # type: ignore[no-untyped-def]
    """Sets `shares` (rows, columns) to those of `g`; returns the number of sweeps. Arrays float64, segments in siemens.

    Alternates between rows and columns, starting with columns at 0 V; each line is a tridiagonal system with the other
    lines fixed.
    """
    row_pivot, column_pivot = np.empty_like(g), np.empty_like(g)
    factorise(g, row_s, column_s, row_pivot, column_pivot)
    u, w = np.empty_like(g), np.zeros_like(g)
    shares[:] = 1.0
    for sweep in range(1, most + 1):
        _sweep(g, row_s, column_s, row_pivot, column_pivot, u, w)
        change = 0.0
        for i in range(g.shape[0]):
            for j in range(g.shape[1]):
                share = u[i, j] - w[i, j]
                change = max(change, abs(share - shares[i, j]))
                shares[i, j] = share
        if change <= tolerance:
            return sweep
    return most


@njit(nogil=True, cache=True)
def _sweep(g, row_s, column_s, row_pivot, column_pivot, u, w):  # type: ignore[no-untyped-def]
    """Computes row voltages `u` for the column voltages `w` with all rows at 1 V; then `w` for these `u`."""
    rows, columns = g.shape
    for i in range(rows):
        carry = 1.0
        for j in range(columns):
            carry = (g[i, j] * w[i, j] + row_s * carry) * row_pivot[i, j]
            u[i, j] = carry
        for j in range(columns - 2, -1, -1):
            u[i, j] += row_s * row_pivot[i, j] * u[i, j + 1]
        for j in range(columns):
            above = w[i - 1, j] if i > 0 else 0.0
            w[i, j] = (g[i, j] * u[i, j] + column_s * above) * column_pivot[i, j]
    for i in range(rows - 2, -1, -1):
        for j in range(columns):
            w[i, j] += column_s * column_pivot[i, j] * w[i + 1, j]
