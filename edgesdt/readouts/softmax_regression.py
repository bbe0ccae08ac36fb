"""A converged multinomial logistic regression on the outputs of a chip, regularised by what held-out labels say.

Minimises, over weights w (n_L, classes) and offsets, the mean log loss of the labelled samples + ½ penalty Σ w², by
SciPy's L-BFGS. `choose` finds the penalty by cross-validation; `fit` then fits copies of the samples in which a share
of the outputs is dropped at random, the same ones throughout: the drop-out of the published read-out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from edgesdt.readouts.stored_outputs import Reals, Stored

Labels = npt.NDArray[np.int64]

PENALTIES = tuple(10.0 ** (-step / 2) for step in range(4, 14))
"""Penalties that are tried, from the strongest down: 1e-2 … 10^-6.5, for outputs from 0 to 1."""
STRONGEST = 10.0
"""Times 1/n: of n labelled samples, stronger penalties than this are not tried, for many samples want a weak one."""
FOLDS = 5
ALL_FOLDS = 5_000
"""Labelled samples up to which each fold is held out in turn; with more the first fold alone is (a fifth)."""
PATIENCE = 2
"""Penalties in a row that are worse than the best after which no weaker one is tried."""
SCALES = tuple(2.0 ** (step / 2) for step in range(-6, 17))
"""Factors on held-out scores that are tried when a penalty is judged: 1/8 … 256."""
UNKNOWN = 1e-3
"""Penalty where no class has two labels, so that nothing can be held out."""
DROPPED, COPIES = 51, 3
"""Outputs dropped of 256: a fifth, as in the published read-out (Liu et al. 2024); copies of the samples."""
SAMPLED = 4_096
"""Samples whose covariance scales the steps of the search; of no effect on where it ends."""
CURVATURE = 0.05
"""Typical p (1 − p) of a class, likewise."""
ITERATIONS, ROUGH, FINE = 400, 1e-5, 1e-6
"""Most iterations of a fit; the step of the loss (over the loss, where it is above 1) that ends a trial, a last fit."""


@dataclass(frozen=True)
class Classifier:
    """Weights (n_L, classes) of outputs from 0 to 1, and offsets (classes,)."""

    weights: Reals
    offsets: Reals

    def scores(self, rows: Stored, scale: float) -> Reals:
        """Scores (n, classes) of stored codes that are worth `scale` each: the largest is the predicted class."""
        weights = scale * self.weights
        return np.concatenate(list(rows.each(lambda x, _: _product(x, weights) + self.offsets)))


class Regression:
    """Labelled samples: stored codes worth `scale` each, and labels `y` (n,) in 0 … classes − 1."""

    def __init__(self, rows: Stored, y: Labels, classes: int, scale: float, like: Regression | None = None) -> None:
        self.rows, self.y, self.classes, self.scale = rows, y, classes, scale
        # they scale the steps of a search, no more, so that those of `like` do for its copies
        self.centre: Reals = like.centre if like else rows.mean() * scale
        self.covariance: Reals = like.covariance if like else self._covariance()

    def _covariance(self) -> Reals:
        """Of the outputs (n_L, n_L), from at most `SAMPLED` samples."""
        some = self.rows.some(SAMPLED) * np.float32(self.scale) - self.centre.astype(np.float32)
        return (some.T @ some).astype(np.float64) / len(some)

    def start(self) -> Classifier:
        """Nothing known: every class as likely as another."""
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
        """Mean log loss for centred outputs, and its slopes by weights and by offsets."""
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
        """The same samples along their principal axes: fewer numbers where there are fewer samples than outputs.

        The scores of a fit stay the same: its penalty does not change when the axes are turned.
        """
        inside = self.rows.some(len(self.y)) * np.float32(self.scale) - self.centre.astype(np.float32)
        squares, axes = np.linalg.eigh((inside @ inside.T).astype(np.float64))
        along = (axes * np.sqrt(np.maximum(squares, 0.0))).astype(np.float32)
        return Regression(Stored.of(lambda rows: along[rows], len(along)), self.y, self.classes, 1.0)


def _product(x: object, weights: Reals) -> Reals:
    """x · `weights`; floating-point numbers of one precision where x is an array of them."""
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
    """A penalty, and where the last fit may start.

    With folds the penalty is that of the smallest log loss on held-out samples, at the best scale of the scores: a
    strong penalty shrinks all scores alike, which decides nothing, and of few labels one error is a coarse step. With
    a single fold held out, of a thousand samples or more, it is that of the fewest errors.
    """
    y, folds, start = given.y, _folds(given.y, seed), given.start()
    if np.bincount(y).max() < 2:
        return UNKNOWN, start
    if len(y) < given.rows.shape[1]:
        given = given.turned()
    held = [folds == fold for fold in range(FOLDS if len(y) <= ALL_FOLDS else 1)]
    held = [out for out in held if out.any() and not out.all()]
    known = [given.start() for _ in held]
    best, least, worse = UNKNOWN, np.inf, 0
    for penalty in (each for each in PENALTIES if each <= max(STRONGEST / len(y), PENALTIES[-1])):
        for place, out in enumerate(held):
            known[place] = given.solve(penalty, known[place], ~out / (~out).sum(), ROUGH)
        scores = [each.scores(given.rows, given.scale)[out] for each, out in zip(known, held, strict=True)]
        judge = _scaled_loss if len(y) <= ALL_FOLDS else _errors
        loss = judge(np.concatenate(scores), np.concatenate([y[out] for out in held]))
        worse += 1
        if loss < least:
            best, least, worse = penalty, loss, 0
            start = known[0] if known[0].weights.shape == start.weights.shape else start
        if worse == PATIENCE:
            break
    return best, start


def _scaled_loss(scores: Reals, y: Labels) -> float:
    """Mean log loss of scores (n, classes) times the factor of `SCALES` that makes it smallest."""
    return min(float(_chances(factor * scores, y)[1].mean()) for factor in SCALES)


def _errors(scores: Reals, y: Labels) -> float:
    """Share of the samples whose largest score is not their class's."""
    return float((scores.argmax(axis=1) != y).mean())


def _folds(y: Labels, seed: int) -> Labels:
    """Which fold each sample is in: those of a class are dealt out in turn, in a drawn order."""
    order = np.random.RandomState(seed).permutation(len(y))
    found = np.empty(len(y), np.int64)
    for c in np.unique(y):
        mine = order[y[order] == c]
        found[mine] = (np.arange(len(mine)) + c) % FOLDS
    return found


def fit(rows: Stored, y: Labels, classes: int, scale: float, seed: int) -> Classifier:
    """The classifier of labelled samples: stored codes worth `scale` each, labels `y` (n,) in 0 … classes − 1.

    `seed` deals the samples out to folds and says which outputs are dropped.
    """
    given = Regression(rows, y, classes, scale)
    penalty, start = choose(given, seed)
    thinned, n = rows.thinned(DROPPED, COPIES, seed), COPIES * len(y)
    copied = Regression(thinned, np.tile(y, COPIES), classes, scale / (1.0 - DROPPED / 256), like=given)
    return copied.solve(penalty, start, np.full(n, 1.0 / n), FINE)
