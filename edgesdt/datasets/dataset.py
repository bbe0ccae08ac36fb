"""The samples of one data set in memory, from any reader (`idx_sets`, `npz`, `digits`)."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from edgesdt.errors import DataError

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from hw_models.arguments import Arguments


def _checks() -> Arguments:
    from hw_models.arguments import Arguments  # it imports numpy, which a list of data sets does not need

    return Arguments(DataError)


@dataclass(frozen=True, eq=False)
class Dataset:
    """Training and test samples with their labels.

    `x_train`, `x_test`: uint8 0..255, C-contiguous, shape (samples, features). `y_train`, `y_test`: int64 0..classes-1,
    shape (samples,). `shape`: of one sample before it was flattened. `origin`: where it was read from, for display.
    """

    name: str
    x_train: npt.NDArray[np.uint8]
    y_train: npt.NDArray[np.int64]
    x_test: npt.NDArray[np.uint8]
    y_test: npt.NDArray[np.int64]
    shape: tuple[int, ...]
    classes: int
    origin: str = ""

    def __post_init__(self) -> None:
        """Raises `DataError` for arrays of a wrong type or shape."""
        data = _checks()
        classes = data.whole("classes", self.classes, 1)
        if not isinstance(self.shape, tuple):
            data.refuse("shape", f"a {type(self.shape).__name__}", "a tuple of whole numbers")
        for length in self.shape:
            data.whole("shape", length, 1)
        for split in ("train", "test"):
            x = data.integers(f"x_{split}", getattr(self, f"x_{split}"), ("samples", self.features), 0, 255, "u1")
            y = data.integers(f"y_{split}", getattr(self, f"y_{split}"), (len(x),), 0, classes - 1)
            object.__setattr__(self, f"x_{split}", x)
            object.__setattr__(self, f"y_{split}", y)

    @property
    def features(self) -> int:
        """Number of features of a sample."""
        return math.prod(self.shape)

    def first(self, train: int | None, test: int | None) -> Dataset:
        """The first `train` training and `test` test samples, in the set's own order; None takes all.

        Raises DataError, naming both numbers, for fewer than 1 or more than the existing samples.
        """
        n_train = self._allowed("training", train, len(self.y_train))
        n_test = self._allowed("test", test, len(self.y_test))
        return replace(
            self,
            x_train=self.x_train[:n_train],
            y_train=self.y_train[:n_train],
            x_test=self.x_test[:n_test],
            y_test=self.y_test[:n_test],
        )

    def _allowed(self, split: str, asked: int | None, there: int) -> int:
        if asked is None:
            return there
        asked = _checks().whole(f"{split} samples", asked, -(2**63))
        if not 1 <= asked <= there:
            raise DataError(
                f"data set {self.name!r}: {asked} {split} samples asked for, it has {there} "
                f"(allowed: 1 to {there})"
            )
        return asked
