"""A linear classifier from fewer labels than a chip has outputs: softmax regression that leans on direct association.

Fewer labels than weights leave the weights open, so that the penalty decides. Direct association (`methods`) is a
linear classifier too: weight 1/m from the m outputs of a class to it. Here the weights are w + `gain` · A v, with the
columns of A (n_L, classes) those of the association and the penalty ½ λ (Σ w² + Σ v²): the larger the gain, the less it
costs to go along the association. Gain and λ are chosen by cross-validation on the labelled samples alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from edgesdt.readouts import softmax_regression as regression
from edgesdt.readouts.stored_outputs import Reals, Stored

Labels = npt.NDArray[np.int64]
Floats = npt.NDArray[Any]
"""float32."""

GAINS = (0.0, 30.0)
"""Gains to try, for outputs from 0 to 1; 0: softmax regression alone. Held-out images preferred 30 to 3 and 10."""


def applies(labels: int, outputs: int) -> bool:
    """Whether this many labels are few for a chip with so many outputs."""
    return labels < min(outputs, regression.ALL_FOLDS)


def fit(rows: Stored, y: Labels, classes: int, scale: float, seed: int) -> regression.Classifier:
    """As `softmax_regression.fit`, for few labelled samples, without drop-out: the association takes its place."""
    outputs = rows.some(len(y)) * np.float32(scale)
    gain, penalty = _choose(outputs, y, classes, seed)
    along = association(outputs, y, classes)
    given = _regression(_widened(outputs, gain * along), y, classes)
    n = len(y)
    found = given.solve(penalty, given.start(), np.full(n, 1.0 / n), regression.FINE)
    weights, shared = found.weights[: outputs.shape[1]], found.weights[outputs.shape[1] :]
    return regression.Classifier(weights + gain * along @ shared, found.offsets)


def association(outputs: Floats, y: Labels, classes: int) -> Reals:
    """The weights (n_L, classes) of direct association: 1/m from each of the m outputs of a class, else 0."""
    counts = np.maximum(np.bincount(y, minlength=classes), 1)
    means: Reals = np.stack([outputs[y == c].sum(axis=0) / counts[c] for c in range(classes)])
    responds: Any = means.any(axis=0)
    owned = (means.argmax(axis=0)[:, None] == np.arange(classes)) & responds[:, None]
    shares: Reals = owned / np.maximum(owned.sum(axis=0), 1)
    return shares


def _widened(outputs: Floats, along: Reals) -> Floats:
    """The outputs, and beside them what they sum to along each class."""
    return np.hstack([outputs, outputs @ along.astype(np.float32)])


def _regression(features: Floats, y: Labels, classes: int) -> regression.Regression:
    return regression.Regression(Stored.of(lambda part: features[part], len(y)), y, classes, 1.0)


def _choose(outputs: Floats, y: Labels, classes: int, seed: int) -> tuple[float, float]:
    """The gain and the penalty with the smallest log loss on held-out samples, at the best scale of the scores."""
    if np.bincount(y).max() < 2:
        return GAINS[-1], regression.UNKNOWN
    parts = regression.folds(y, seed)
    held = [out for fold in range(regression.FOLDS) if (out := parts == fold).any() and not out.all()]
    tried = ((loss, gain, penalty) for gain in GAINS for penalty, loss in _losses(outputs, y, classes, held, gain))
    _, gain, penalty = min(tried, key=lambda one: one[0])
    return gain, penalty


def _losses(
    outputs: Floats, y: Labels, classes: int, held: list[npt.NDArray[np.bool_]], gain: float
) -> Iterator[tuple[float, float]]:
    """Penalties with their losses on held-out samples, until they get worse; the association is that of the others."""
    folds = []
    for out in held:
        along = association(outputs[~out], y[~out], classes)
        folds.append(_regression(_widened(outputs, gain * along), y, classes).turned())
    found = [fold.start() for fold in folds]
    least, worse = np.inf, 0
    for penalty in regression.penalties(len(y)):
        for place, (fold, out) in enumerate(zip(folds, held, strict=True)):
            found[place] = fold.solve(penalty, found[place], ~out / (~out).sum(), regression.ROUGH)
        scores = [
            each.scores(fold.rows, fold.scale)[out] for each, fold, out in zip(found, folds, held, strict=True)
        ]
        loss = regression.scaled_loss(np.concatenate(scores), np.concatenate([y[out] for out in held]))
        yield penalty, loss
        least, worse = (loss, 0) if loss < least else (least, worse + 1)
        if worse == regression.PATIENCE:
            return
