"""Selects the training labels that may be used: a stratified random fraction, or a number of them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from edgesdt.arguments import ARGUMENTS
from edgesdt.spec import Spec

Labels = npt.NDArray[np.int64]


def drawn(y: Labels, fraction: float, seed: int) -> Labels:
    """Ascending indices of the samples whose labels may be used: round(n · `fraction`) of `y` (n,), at least one.

    Stratified: a class of n_c samples gets a proportional number of labels, rounded (Sainte-Laguë's rule: the next
    label goes to the class with the largest n_c / (labels so far + ½)), and its first label before any class gets a
    second one. With the same `seed`, the selection of a small fraction is part of that of a larger one. Raises
    `ArgumentError`.
    """
    y = _labels(y)
    n, fraction = len(y), ARGUMENTS.number("fraction", fraction, 0.0, 1.0)
    if not fraction:
        ARGUMENTS.refuse("fraction", "0", "a share above 0, up to 1")
    return chosen(y, max(1, round(n * fraction)), seed)


def chosen(y: Labels, count: int, seed: int, per_class: bool = True) -> Labels:
    """Ascending indices of `count` of the samples with labels `y` (n,), stratified as `drawn` says.

    Without `per_class` the samples are drawn whatever their class. Raises `ArgumentError`.
    """
    y = _labels(y)
    n, count = len(y), ARGUMENTS.whole("count", count, 1, len(y))
    order = np.random.RandomState(ARGUMENTS.whole("seed", seed, 0, 2**32 - 1)).permutation(n)
    if not per_class:
        plain: Labels = np.sort(order[:count])
        return plain
    turn = np.empty(n, np.float64)
    for c in np.unique(y):
        mine = order[y[order] == c]
        turn[mine] = (np.arange(len(mine)) + 0.5) / len(mine)
        turn[mine[0]] -= 1.0
    found: Labels = np.sort(order[np.argsort(turn[order], kind="stable")[:count]])
    return found


def known(spec: Spec, y: Labels) -> Labels:
    """Ascending indices of the training samples with labels `y` (n,) whose labels `spec` makes known.

    Raises `ArgumentError` for more labels than samples.
    """
    given = spec.data.labels
    if given is None:
        return drawn(y, spec.label_fraction, seed_of(spec))
    return chosen(y, given.count, seed_of(spec), given.per_class)


def seed_of(spec: Spec) -> int:
    """The seed for the selection of known labels."""
    given = spec.label_seed if spec.data.labels is None else spec.data.labels.seed
    return spec.seed if given is None else given


def _labels(y: Labels) -> Labels:
    y = ARGUMENTS.integers("y", y, ("samples",), 0, 2**62)
    if not len(y):
        ARGUMENTS.refuse("y", "no labels", "at least one")
    return y
