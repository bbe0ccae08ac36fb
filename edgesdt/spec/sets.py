"""Shapes and sample counts of the named data sets, for checks without opening a file."""

from __future__ import annotations

from typing import Final, NamedTuple


class SetFacts(NamedTuple):
    """Pixels per sample, classes, and samples in each split."""

    inputs: int
    classes: int
    train: int
    test: int


SETS: Final = {
    # scikit-learn's `load_digits` (UCI optdigits, 1,797 images of 8x8), split 1437 + 360 by edgesdt.
    "digits": SetFacts(64, 10, 1437, 360),
    # LeCun, Cortes, Burges: the MNIST database of handwritten digits, 28x28.
    "mnist": SetFacts(784, 10, 60000, 10000),
    # Xiao, Rasul, Vollgraf 2017 (arXiv 1708.07747), 28x28.
    "fashion_mnist": SetFacts(784, 10, 60000, 10000),
}
"""The sets that load by name."""

NOT_YET: Final = ("cifar10", "svhn")
"""Names of data sets that this version cannot load."""
