"""Selects the training labels that may be used: a stratified random fraction."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from edgesdt.arguments import ARGUMENTS

Labels = npt.NDArray[np.int64]


def drawn(y: Labels, fraction: float, seed: int) -> Labels:
    """Ascending indices of the samples whose labels may be used: round(n · `fraction`) of `y` (n,), at least one.

    Stratified: a class of n_c samples gets a proportional number of labels, rounded (Sainte-Laguë's rule: the next
    label goes to the class with the largest n_c / (labels so far + ½)), and its first label before any class gets a
    second one. With the same `seed`, the selection of a small fraction is part of that of a larger one. Raises
    `ArgumentError`.
    """
    y = ARGUMENTS.integers("y", y, ("samples",), 0, 2**62)
    if not len(y):
        ARGUMENTS.refuse("y", "no labels", "at least one")
    n, fraction = len(y), ARGUMENTS.number("fraction", fraction, 0.0, 1.0)
    if not fraction:
        ARGUMENTS.refuse("fraction", "0", "a share above 0, up to 1")
    seed = ARGUMENTS.whole("seed", seed, 0, 2**32 - 1)
    order = np.random.RandomState(seed).permutation(n)
    turn = np.empty(n, np.float64)
    for c in np.unique(y):
        mine = order[y[order] == c]
        turn[mine] = (np.arange(len(mine)) + 0.5) / len(mine)
        turn[mine[0]] -= 1.0
    kept = max(1, round(n * fraction))
    found: Labels = np.sort(order[np.argsort(turn[order], kind="stable")[:kept]])
    return found
