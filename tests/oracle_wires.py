"""IR drop on a crossbar in plain Python: the independent twin of `edgesdt.synapses.crossbar.reading.wires`.

Kirchhoff's equations of a tile line by line: each row with the columns held, then each column with the rows held, until
no cell's share of its current changes by more than 2^-16.
"""

from __future__ import annotations

from math import floor

Matrix = list[list[float]]
TOLERANCE, MOST_SWEEPS = 2.0**-16, 100


def line(loads: list[float], sources: list[float], segment: float, driven: float) -> list[float]:
    """Voltages along a line: node k has a conductance `loads[k]` to `sources[k]`, node 0 one segment to `driven`."""
    last = len(loads) - 1
    diagonal = [g + segment * (2 if k < last else 1) for k, g in enumerate(loads)]
    right = [g * v + (segment * driven if k == 0 else 0.0) for k, (g, v) in enumerate(zip(loads, sources, strict=True))]
    for k in range(1, last + 1):
        factor = segment / diagonal[k - 1]
        diagonal[k] -= factor * segment
        right[k] += factor * right[k - 1]
    volts = [0.0] * (last + 1)
    for k in range(last, -1, -1):
        further = segment * volts[k + 1] if k < last else 0.0
        volts[k] = (right[k] + further) / diagonal[k]
    return volts


def shares(g: Matrix, ohm: float) -> Matrix:
    """What each cell passes of its current with every row at 1 V: rows from the left, grounds below the last row."""
    rows, columns, segment = len(g), len(g[0]), 1.0 / ohm
    w = [[0.0] * columns for _ in range(rows)]
    found = [[1.0] * columns for _ in range(rows)]
    for _ in range(MOST_SWEEPS):
        u = [line(g[i], w[i], segment, 1.0) for i in range(rows)]
        for j in range(columns):
            feet = range(rows - 1, -1, -1)
            volts = line([g[i][j] for i in feet], [u[i][j] for i in feet], segment, 0.0)
            for i, v in zip(feet, volts, strict=True):
                w[i][j] = v
        now = [[u[i][j] - w[i][j] for j in range(columns)] for i in range(rows)]
        change = max(abs(now[i][j] - found[i][j]) for i in range(rows) for j in range(columns))
        found = now
        if change <= TOLERANCE:
            break
    return found


def losses(
    codes: list[list[list[int]]], reference: int, low_s: float, code_s: float, ohm: float, tile: tuple[int, int]
) -> list[list[int]]:
    """Weight codes [row][column] that the wires take of share codes [plane][row][column], tile by tile.

    Pairs lie side by side, + before -; the reference cells of a tile stand before its middle column.
    """
    planes, n0, n1 = len(codes), len(codes[0]), len(codes[0][0])
    beside = max(tile[1] // planes, 1)
    lost = [[0] * n1 for _ in range(n0)]

    def siemens(code: int) -> float:
        return max(low_s + code_s * code, 0.0)

    for first in range(0, n0, tile[0]):
        rows = range(first, min(first + tile[0], n0))
        for begin in range(0, n1, beside):
            columns = range(begin, min(begin + beside, n1))
            if planes == 2:
                g = [[siemens(codes[p][i][j]) for j in columns for p in (0, 1)] for i in rows]
            else:
                g = [[siemens(codes[0][i][j]) for j in columns] for i in rows]
                for row in g:
                    row.insert(len(columns) // 2, siemens(reference))
            passed = shares(g, ohm)
            for i, row, share in zip(rows, g, passed, strict=True):
                taken = [a * (1.0 - b) for a, b in zip(row, share, strict=True)]
                other = taken.pop(len(columns) // 2) if planes == 1 else 0.0
                for k, j in enumerate(columns):
                    less = taken[2 * k] - taken[2 * k + 1] if planes == 2 else taken[k] - other
                    lost[i][j] = floor(less / code_s + 0.5)
    return lost
