"""A linear read-out in closed form: least squares on one-hot classes, its penalty chosen on held-out labels.

The converged logistic regression of `readout: [linear]` takes a minute for 300 outputs and 60,000 labels; this takes a
second, and is the same for a chip and its control. Sums of products are exact integers, whatever the library.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from edgesdt.readouts.methods import Infer

Codes = npt.NDArray[Any]
Reals = npt.NDArray[np.float64]
BLOCK = 256
"""Samples whose products of 8-bit codes sum to less than 2^24, and so exactly in single precision."""
PENALTIES = tuple(10.0**power for power in range(-6, 1))
"""Relative to the mean variance of an output."""
HELD = 5
"""Every so many-th labelled sample is held out to choose the penalty."""


class Sums:
    """Sums over samples: products of outputs (n, n) and of outputs and classes (n, classes), outputs with a 1 added."""

    def __init__(self, outputs: int, classes: int) -> None:
        self.squares: Reals = np.zeros((outputs + 1, outputs + 1))
        self.of_classes: Reals = np.zeros((outputs + 1, classes))

    def add(self, codes: Codes, y: npt.NDArray[np.int64]) -> None:
        """Adds samples (m, n) of classes `y` (m,)."""
        exact: type[np.floating[Any]] = np.float32 if codes.max(initial=0) < 256 else np.float64
        for start in range(0, len(codes), BLOCK):
            x: npt.NDArray[Any] = _with_one(codes[start : start + BLOCK]).astype(exact)
            self.squares += x.T @ x
            shown: npt.NDArray[Any] = np.zeros((len(x), self.of_classes.shape[1]), exact)
            shown[np.arange(len(x)), y[start : start + BLOCK]] = 1
            self.of_classes += x.T @ shown

    def __add__(self, other: Sums) -> Sums:
        both = Sums(len(self.squares) - 1, self.of_classes.shape[1])
        both.squares, both.of_classes = self.squares + other.squares, self.of_classes + other.of_classes
        return both

    def solved(self) -> list[Reals]:
        """Weights (n + 1, classes) for each of `PENALTIES`."""
        from scipy.linalg import eigh

        n = self.squares[-1, -1]
        mean = self.squares[-1, :-1] / n
        centred = self.squares[:-1, :-1] / n - np.outer(mean, mean)
        share = self.of_classes[-1] / n
        slope = self.of_classes[:-1] / n - np.outer(mean, share)
        values, axes = eigh(centred)
        values, turned = np.maximum(values, 0), axes.T @ slope
        scale = max(float(values.mean()), 1e-12)
        found = [axes @ (turned / (values + penalty * scale)[:, None]) for penalty in PENALTIES]
        return [np.vstack([weights, share - mean @ weights]) for weights in found]


def _with_one(codes: Codes) -> Codes:
    return np.hstack([codes, np.ones((len(codes), 1), codes.dtype)])


def accuracies(
    infer: Infer,
    x: npt.NDArray[np.uint8],
    y: npt.NDArray[np.int64],
    parts: list[npt.NDArray[np.int64]],
    test: tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]],
) -> list[float]:
    """The accuracy on `test` with the labels of each of `parts`, indices of `x` (samples, inputs) and `y` (samples,).

    Each part holds the one before.
    """
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1, "blas"):  # else sums depend on the number of threads
        return _accuracies(infer, x, y, parts, test)


def _accuracies(
    infer: Infer,
    x: npt.NDArray[np.uint8],
    y: npt.NDArray[np.int64],
    parts: list[npt.NDArray[np.int64]],
    test: tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]],
) -> list[float]:
    classes, shown = int(y.max()) + 1, infer(test[0])
    kept, held = Sums(shown.shape[1], classes), Sums(shown.shape[1], classes)
    before, apart, found = np.arange(0), np.arange(0), []
    outside: list[Codes] = []
    for part in parts:
        new = np.setdiff1d(part, before)
        out = np.random.RandomState(len(new)).permutation(len(new)) % HELD == 0
        for rows in np.array_split(new[~out], max(1, len(new) // 8192)):
            kept.add(infer(x[rows]), y[rows])
        outside.append(infer(x[new[out]]))
        held.add(outside[-1], y[new[out]])
        apart, before = np.concatenate([apart, new[out]]), part
        right = [_right(np.concatenate(outside), y[apart], weights) for weights in kept.solved()]
        found.append(_right(shown, test[1], (kept + held).solved()[int(np.argmax(right))]))
    return found


def _right(codes: Codes, y: npt.NDArray[np.int64], weights: Reals) -> float:
    return float(((_with_one(codes).astype(np.float32) @ weights.astype(np.float32)).argmax(axis=1) == y).mean())
