"""IR drop in a crossbar: output currents of cells between resistive lines, by fast line sweeps or an exact solution.

Cell (i, j) of conductance g connects node u_ij of row line i and node w_ij of column line j. Row i is driven from the
side of column 0 through one wire segment. Column j ends below the last row, through one segment, in a virtual ground.
Neighbours on a line are connected by one segment of R ohms. The currents are linear in the voltages.

The fast method alternates between rows and columns. With all w fixed, each row line is a tridiagonal system in its u,
and vice versa. This is block Gauss-Seidel, which converges for all positive conductances. One sweep costs about six
multiply-adds per cell; one sweep is enough for 2 % if the wires take a tenth of the current, three if they take a half;
the last sweep only confirms the result. Not modelled: capacitance, the output resistance of drivers, the input
resistance of converters.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from hw_models.arguments import ARGUMENTS
from hw_models.base import DeviceError
from hw_models.kernels.jit import njit
from hw_models.periphery.constants import bounded

Floats = npt.NDArray[np.float64]
TOLERANCE: Final = 0.005
MOST_SWEEPS: Final = 20
# stands for a line without resistance: far below any wire, but large enough for float64
_LEAST_OHM: Final = 1e-9


@dataclass(frozen=True)
class Network:
    """A crossbar of conductances `g` (rows, columns), in siemens, with its line systems factorised for many reads."""

    g: Floats
    row_s: float
    """Conductance of one row segment."""
    column_s: float
    row_pivot: Floats
    """1 / pivot of the row systems (rows, columns); `column_pivot` of the column systems."""
    column_pivot: Floats

    def currents(self, v: Floats, tolerance: float = TOLERANCE) -> tuple[Floats, int]:
        """Output currents (columns,) in amperes for `v` (rows,) in volts, and the number of sweeps.

        Sweeps until no current changes by more than `tolerance` of the largest, 20 at most.
        """
        volts = np.ascontiguousarray(ARGUMENTS.reals("v", v, (self.g.shape[0],), -1e6, 1e6), dtype=np.float64)
        tolerance = ARGUMENTS.number("tolerance", tolerance, 0.0)
        out = np.zeros(self.g.shape[1])
        sweeps = sweep_lines(
            self.g, self.row_s, self.column_s, self.row_pivot, self.column_pivot, volts, tolerance, MOST_SWEEPS, out
        )
        return out, int(sweeps)


def network(g: Floats, row_ohm: float, column_ohm: float) -> Network:
    """Factorises the lines of `g` (rows, columns) in siemens. Raises `DeviceError` for invalid conductances."""
    cells = np.ascontiguousarray(ARGUMENTS.reals("g [siemens]", g, ("rows", "columns"), 0.0, 1e6), dtype=np.float64)
    if not cells.size:
        raise DeviceError(f"g: shape {cells.shape}, allowed: at least one conductance, shape (rows, columns)")
    row_s = 1 / max(bounded("row_ohm", row_ohm, 0.0, 1e9, "ohm per cell"), _LEAST_OHM)
    column_s = 1 / max(bounded("column_ohm", column_ohm, 0.0, 1e9, "ohm per cell"), _LEAST_OHM)
    row_pivot, column_pivot = np.empty_like(cells), np.empty_like(cells)
    factorise(cells, row_s, column_s, row_pivot, column_pivot)
    return Network(cells, row_s, column_s, row_pivot, column_pivot)


def fast_currents(
    g: Floats, v: Floats, row_ohm: float, column_ohm: float, tolerance: float = TOLERANCE
) -> tuple[Floats, int]:
    """Currents (columns,) by line sweeps, for one read; `network(...)` saves the factors for more."""
    return network(g, row_ohm, column_ohm).currents(v, tolerance)


@njit(nogil=True, cache=True)
def factorise(g, row_s, column_s, row_pivot, column_pivot):  # type: ignore[no-untyped-def]
    """1 / pivots of the tridiagonal systems: all rows from column 0 on, all columns from row 0 on."""
    rows, columns = g.shape
    for i in range(rows):
        for j in range(columns):
            diagonal = g[i, j] + (2 * row_s if j < columns - 1 else row_s)
            back = row_s * row_s * row_pivot[i, j - 1] if j > 0 else 0.0
            row_pivot[i, j] = 1.0 / (diagonal - back)
            diagonal = g[i, j] + (2 * column_s if i > 0 else column_s)
            back = column_s * column_s * column_pivot[i - 1, j] if i > 0 else 0.0
            column_pivot[i, j] = 1.0 / (diagonal - back)


@njit(nogil=True, cache=True)
def sweep_lines(g, row_s, column_s, row_pivot, column_pivot, v, tolerance, most, out):  # type: ignore[no-untyped-def]
    """Sets `out` (columns,) to the currents; returns the number of sweeps.

    Arrays float64, (rows, columns) and (rows,).
    """
    rows, columns = g.shape
    w = np.zeros((rows, columns))
    line = np.empty(columns)
    out[:] = 0.0
    for sweep in range(1, most + 1):
        for i in range(rows):
            # forward and backward along the row for its voltages; then forward down the columns, stored in w
            carry = v[i]
            for j in range(columns):
                carry = (g[i, j] * w[i, j] + row_s * carry) * row_pivot[i, j]
                line[j] = carry
            for j in range(columns - 2, -1, -1):
                line[j] += row_s * row_pivot[i, j] * line[j + 1]
            for j in range(columns):
                above = w[i - 1, j] if i > 0 else 0.0
                w[i, j] = (g[i, j] * line[j] + column_s * above) * column_pivot[i, j]
        for i in range(rows - 2, -1, -1):
            for j in range(columns):
                w[i, j] += column_s * column_pivot[i, j] * w[i + 1, j]
        largest, change = 0.0, 0.0
        for j in range(columns):
            current = column_s * w[rows - 1, j]
            change = max(change, abs(current - out[j]))
            largest = max(largest, abs(current))
            out[j] = current
        if change <= tolerance * largest:
            return sweep
    return most


def exact_currents(g: Floats, v: Floats, row_ohm: float, column_ohm: float) -> Floats:
    """Currents (columns,) of the whole network, by a sparse direct solution of 2 rows columns equations."""
    from scipy.sparse.linalg import spsolve  # type: ignore[import-untyped,unused-ignore]

    net = network(g, row_ohm, column_ohm)
    rows, columns = net.g.shape
    injected = np.zeros(2 * rows * columns)
    volts = ARGUMENTS.reals("v", v, (rows,), -1e6, 1e6).astype(np.float64)
    injected[: rows * columns : columns] = net.row_s * volts
    nodes = spsolve(_laplacian(net), injected)
    return net.column_s * np.asarray(nodes[-columns:])


def effective_conductances(g: Floats, row_ohm: float, column_ohm: float) -> Floats:
    """(rows, columns) siemens such that `v @ effective` are the exact currents of any voltages: one solve per column.

    For constant weights: afterwards a read with IR drop takes as long as a read without it.
    """
    from scipy.sparse.linalg import splu  # type: ignore[import-untyped,unused-ignore]

    net = network(g, row_ohm, column_ohm)
    rows, columns = net.g.shape
    feet = np.zeros((2 * rows * columns, columns))
    feet[-columns:] = np.eye(columns) * net.column_s
    nodes = splu(_laplacian(net)).solve(feet)
    return np.asarray(net.row_s * nodes[: rows * columns : columns])


def _laplacian(net: Network) -> Any:
    """Kirchhoff's equations of all nodes as a sparse symmetric matrix: row nodes first, then column nodes."""
    from scipy import sparse  # type: ignore[import-untyped,unused-ignore]

    rows, columns = net.g.shape
    row_segments = sparse.diags_array([2.0] * (columns - 1) + [1.0]) - sparse.diags_array(
        [np.ones(columns - 1), np.ones(columns - 1)], offsets=[-1, 1], shape=(columns, columns)
    )
    column_segments = sparse.diags_array([1.0] + [2.0] * (rows - 1)) - sparse.diags_array(
        [np.ones(rows - 1), np.ones(rows - 1)], offsets=[-1, 1], shape=(rows, rows)
    )
    if rows == 1:  # the only row is connected to ground by one segment
        column_segments = sparse.diags_array([1.0])
    cells = sparse.diags_array(net.g.ravel())
    along = net.row_s * sparse.kron(sparse.eye_array(rows), row_segments) + cells
    down = net.column_s * sparse.kron(column_segments, sparse.eye_array(columns)) + cells
    return sparse.block_array([[along, -cells], [-cells, down]], format="csc")
