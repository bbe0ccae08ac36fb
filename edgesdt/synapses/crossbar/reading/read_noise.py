"""Noise of reads that the device model itself has: its variance at every weight, kept in step with what cells show.

`CellModel.read_sd` says the deviation of a cell by where it is. It becomes a table over share codes and, by weights, a
matrix in the order in which the rows are read: then the variance of a column is one more product with squared inputs.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from edgesdt.kernels.jit import inlined, kernel
from hw_models.base import CellModel

_WIDTH, _LOWEST = 16, -32768  # share codes of an entry of the table, and its first: the least that a cell can show


def variances_of(model: CellModel, one: int) -> npt.NDArray[np.float64]:
    """(4096,) variance of a read in share codes², for 16 share codes each; all 0 for a model whose reads repeat."""
    low, high = model.bounds()
    middles = np.arange(_LOWEST, -_LOWEST, _WIDTH) + (_WIDTH - 1) / 2
    sd = np.asarray(model.read_sd(low + middles * ((high - low) / one)), dtype=np.float64)
    return np.square(sd * (one / (high - low)))


@inlined
def _variance(cell, bank):  # type: ignore[no-untyped-def]
    return bank.own[(np.int64(bank.shares[cell]) - _LOWEST) // _WIDTH]


@kernel
def find_noise(bank):  # type: ignore[no-untyped-def]
    """`bank.noise` (n_0 · n_1,), laid out as the weights, becomes that of the cells as they show, of pairs together."""
    n0, n1 = bank.row_sums.shape[0], bank.partial.shape[0]
    plane = n0 * n1
    for j in range(n1):
        for i in range(n0):
            cell = j * n0 + i
            other = _variance(cell + plane, bank) if bank.planes == 2 else 0.0
            bank.noise[i * n1 + j] = _variance(cell, bank) + other


@kernel
def follow(listed, bank):  # type: ignore[no-untyped-def]
    """As `find_noise` for the weights of the first `listed` cells."""
    plane = bank.row_sums.shape[0] * bank.partial.shape[0]
    for h in range(listed):
        cell = np.int64(bank.places[h])
        other = 0.0
        if bank.planes == 2:
            other = _variance(cell - plane if cell >= plane else cell + plane, bank)
        bank.noise[bank.spots[h]] = _variance(cell, bank) + other


@kernel
def add_variances(index, value, noise, variances):  # type: ignore[no-untyped-def]
    """`variances[j] = Σ_a value[a]² · noise[index[a], j]`, in share codes²."""
    n = variances.shape[0]
    variances[:] = 0.0
    for a in range(index.shape[0]):
        start, v = np.int64(index[a]) * n, np.float64(value[a]) * np.float64(value[a])
        for j in range(n):
            variances[j] += v * np.float64(noise[start + j])
