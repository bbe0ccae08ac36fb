"""A converged multinomial logistic regression on the outputs of a chip, with a cross-validated penalty.

Minimises, over weights w (n_L, classes) and offsets, the mean log loss of the labelled samples + ½ penalty Σ w², by
SciPy's L-BFGS. `choose` finds the penalty by cross-validation. `fit` then fits copies of the samples in which a fixed
random share of the outputs is set to zero; this is the drop-out of the published read-out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from edgesdt.readouts.stored_outputs import Reals, Stored

Labels = npt.NDArray[np.int64]

PENALTIES = tuple(10.0 ** (-step / 2) for step in range(4, 14))
"""Penalties to try, the strongest first: 1e-2 … 10^-6.5, for outputs from 0 to 1."""
STRONGEST = 10.0
"""The strongest penalty to try, times 1/n for n labelled samples: many samples need a weak penalty."""
FOLDS = 5
ALL_FOLDS = 5_000
"""Up to this number of labelled samples, each fold is held out in turn; above it only the first fold (a fifth)."""
PATIENCE = 2
"""The search stops after this number of consecutive penalties that are worse than the best."""
SCALES = tuple(2.0 ** (step / 2) for step in range(-6, 17))
"""Factors to try on held-out scores when a penalty is evaluated: 1/8 … 256."""
UNKNOWN = 1e-3
"""Penalty if no class has two labels, so that no label can be held out."""
DROPPED = 51
"""Outputs dropped, out of 256: a fifth, as in the published read-out (Liu et al. 2024)."""
COPIES, COPIES_OF_FEW = 3, 10
"""Copies of the samples, and copies for at most `ALL_FOLDS` samples: more copies average out the drop-out."""
SAMPLED = 4_096
"""Number of samples whose covariance scales the steps of the search; it does not change the result."""
CURVATURE = 0.05
"""Typical p (1 − p) of a class; it does not change the result either."""
ITERATIONS, ROUGH, FINE = 400, 1e-5, 1e-6
"""Maximum iterations of a fit; the change of loss (relative if the loss is above 1) that ends a trial, and the last
fit."""


@dataclass(frozen=True)
class Classifier:
    """Weights (n_L, classes) of outputs from 0 to 1, and offsets (classes,)."""

    weights: Reals
    offsets: Reals

    def scores(self, rows: Stored, scale: float) -> Reals:
        """Scores (n, classes) of stored codes with LSB `scale`: the largest is the predicted class."""
        weights = scale * self.weights
        return np.concatenate(list(rows.each(lambda x, _: _product(x, weights) + self.offsets)))


class Regression:
    """Labelled samples: stored codes with LSB `scale`, and labels `y` (n,) in 0 … classes − 1."""

    def __init__(self, rows: Stored, y: Labels, classes: int, scale: float, like: Regression | None = None) -> None:
        self.rows, self.y, self.classes, self.scale = rows, y, classes, scale
        # these only scale the steps of a search, so copies may use those of `like`
        self.centre: Reals = like.centre if like else rows.mean() * scale
        self.covariance: Reals = like.covariance if like else self._covariance()

    def _covariance(self) -> Reals:
        """Covariance of the outputs (n_L, n_L), from at most `SAMPLED` samples."""
        some = self._centred(SAMPLED)
        return (some.T @ some).astype(np.float64) / len(some)

    def _centred(self, most: int) -> npt.NDArray[np.float32]:
        """The outputs of at most `most` samples, minus their mean."""
        some = self.rows.some(most)
        some *= np.float32(self.scale)
        some -= self.centre.astype(np.float32)
        return some

    def start(self) -> Classifier:
        """The start of a fit: all classes are equally likely."""
        return Classifier(np.zeros((self.rows.shape[1], self.classes)), np.zeros(self.classes))

    def solve(self, penalty: float, start: Classifier, share: Reals, end: float) -> Classifier:
        """The minimum for `penalty`; sample i counts `share[i]` (they sum to 1)."""
        from scipy.linalg import cholesky, solve_triangular
        from scipy.optimize import minimize

        n, shape = self.rows.shape[1], (self.rows.shape[1], self.classes)
        root = CURVATURE * self.covariance
        root.flat[:: n + 1] += penalty
        root = cholesky(root, lower=True, overwrite_a=True)
        of_root: dict[str, Any] = {"a": root, "lower": True, "check_finite": False}

        def objective(point: Reals) -> tuple[float, Reals]:
            weights = solve_triangular(b=point[: -self.classes].reshape(shape), trans=1, **of_root)
            loss, slope, of_offsets = self._loss(weights, point[-self.classes :], share)
            slope += penalty * weights
            back = solve_triangular(b=slope, **of_root)
            return loss + 0.5 * penalty * float((weights**2).sum()), np.concatenate([back.ravel(), of_offsets])

        first = np.concatenate([(root.T @ start.weights).ravel(), start.offsets + self.centre @ start.weights])
        options = {"maxiter": ITERATIONS, "maxfun": 2 * ITERATIONS, "maxcor": 20, "ftol": end, "gtol": 1e-9}
        point = minimize(objective, first, jac=True, method="L-BFGS-B", options=options).x
        weights = solve_triangular(b=point[: -self.classes].reshape(shape), trans=1, **of_root)
        return Classifier(weights, point[-self.classes :] - self.centre @ weights)

    def _loss(self, weights: Reals, offsets: Reals, share: Reals) -> tuple[float, Reals, Reals]:
        """Mean log loss for centred outputs, and its gradients with respect to weights and offsets."""
        scaled, moved = self.scale * weights, offsets - self.centre @ weights

        def work(x: object, rows: slice) -> Reals:
            y, counts = self.y[rows], share[rows]
            chance, loss = _chances(_product(x, scaled) + moved, y)
            chance[np.arange(len(y)), y] -= 1.0
            chance *= counts[:, None]
            return np.vstack([_back(x, chance), chance.sum(axis=0), np.full(self.classes, (loss * counts).sum())])

        found = self.rows.total(work)
        slope = self.scale * found[:-2] - np.outer(self.centre, found[-2])
        return float(found[-1, 0]), slope, found[-2]

    def turned(self) -> Regression:
        """The samples in the basis of their principal axes, which is smaller if there are fewer samples than outputs.

        The scores of a fit do not change, because the penalty is invariant under rotation.
        """
        inside = self._centred(len(self.y))
        squares, axes = np.linalg.eigh((inside @ inside.T).astype(np.float64))
        along = (axes * np.sqrt(np.maximum(squares, 0.0))).astype(np.float32)
        return Regression(Stored.of(lambda rows: along[rows], len(along)), self.y, self.classes, 1.0)


def _product(x: object, weights: Reals) -> Reals:
    """x · `weights`, in the floating-point precision of x if x is a floating-point array."""
    one = weights.astype(np.float32) if isinstance(x, np.ndarray) else weights
    found: Reals = (x @ one).astype(np.float64)  # type: ignore[operator]
    return found


def _back(x: object, of_samples: Reals) -> Reals:
    """xᵀ · `of_samples`."""
    one = of_samples.astype(np.float32) if isinstance(x, np.ndarray) else of_samples
    return np.asarray(x.T @ one, dtype=np.float64)  # type: ignore[attr-defined]


def _chances(scores: Reals, y: Labels) -> tuple[Reals, Reals]:
    """Probabilities of the classes (n, classes) and log losses (n,), from scores, which are overwritten."""
    scores -= scores.max(axis=1, keepdims=True)
    right = scores[np.arange(len(y)), y]
    np.exp(scores, out=scores)
    sums = scores.sum(axis=1)
    scores /= sums[:, None]
    return scores, np.log(sums) - right


def choose(given: Regression, seed: int) -> tuple[float, Classifier]:
    """Returns a penalty and a start for the last fit.

    With several folds, the penalty with the smallest log loss on held-out samples is chosen, at the best scale of the
    scores: a strong penalty shrinks all scores by the same factor, which does not change predictions, and with few
    labels the error count is coarse. With a single held-out fold of a thousand samples or more, the penalty with the
    fewest errors is chosen.
    """
    y, parts, start = given.y, folds(given.y, seed), given.start()
    if np.bincount(y).max() < 2:
        return UNKNOWN, start
    if len(y) < given.rows.shape[1]:
        given = given.turned()
    held = [parts == fold for fold in range(FOLDS if len(y) <= ALL_FOLDS else 1)]
    held = [out for out in held if out.any() and not out.all()]
    known = [given.start() for _ in held]
    best, least, worse = UNKNOWN, np.inf, 0
    for penalty in penalties(len(y)):
        for place, out in enumerate(held):
            known[place] = given.solve(penalty, known[place], ~out / (~out).sum(), ROUGH)
        scores = [each.scores(given.rows, given.scale)[out] for each, out in zip(known, held, strict=True)]
        judge = scaled_loss if len(y) <= ALL_FOLDS else _errors
        loss = judge(np.concatenate(scores), np.concatenate([y[out] for out in held]))
        worse += 1
        if loss < least:
            best, least, worse = penalty, loss, 0
            start = known[0] if known[0].weights.shape == start.weights.shape else start
        if worse == PATIENCE:
            break
    return best, start


def penalties(labels: int) -> list[float]:
    """The penalties to try for this many labelled samples, the strongest first."""
    return [each for each in PENALTIES if each <= max(STRONGEST / labels, PENALTIES[-1])]


def scaled_loss(scores: Reals, y: Labels) -> float:
    """The mean log loss of scores (n, classes), multiplied by the factor of `SCALES` that minimises it."""
    return min(float(_chances(factor * scores, y)[1].mean()) for factor in SCALES)


def _errors(scores: Reals, y: Labels) -> float:
    """Fraction of samples whose largest score is not that of their class."""
    return float((scores.argmax(axis=1) != y).mean())


def folds(y: Labels, seed: int) -> Labels:
    """The fold of each sample: samples of a class are assigned to folds in turn, in random order."""
    order = np.random.RandomState(seed).permutation(len(y))
    found = np.empty(len(y), np.int64)
    for c in np.unique(y):
        mine = order[y[order] == c]
        found[mine] = (np.arange(len(mine)) + c) % FOLDS
    return found


def fit(rows: Stored, y: Labels, classes: int, scale: float, seed: int) -> Classifier:
    """Fits the classifier to labelled samples: stored codes with LSB `scale`, labels `y` (n,) in 0 … classes − 1.

    `seed` assigns the samples to folds and selects the outputs to drop.
    """
    given = Regression(rows, y, classes, scale)
    penalty, start = choose(given, seed)
    copies = COPIES_OF_FEW if len(y) <= ALL_FOLDS else COPIES
    thinned, n = rows.thinned(DROPPED, copies, seed), copies * len(y)
    copied = Regression(thinned, np.tile(y, copies), classes, scale / (1.0 - DROPPED / 256), like=given)
    return copied.solve(penalty, start, np.full(n, 1.0 / n), FINE)
