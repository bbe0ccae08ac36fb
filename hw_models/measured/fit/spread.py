"""Differences between cells: fits each cell separately and estimates their spread beyond the noise of the fits."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from hw_models.measured.fit.fitting import Fit, refit
from hw_models.measured.fit.scaled import Scaled
from hw_models.measured.tables.traces import Floats

FEWEST_CELLS = 3
_FEWEST_STEPS = 16
_DOUBT = 0.05
"""Probability that identical cells are reported as different."""


@dataclass(frozen=True)
class Between:
    """Mean and spread of the cells, in the coordinates of `Fit.theta`."""

    cells: int
    theta: Floats
    """(k,) mean of the cells."""
    error: Floats
    """(k, k) covariance of that mean, which is its uncertainty."""
    spread: Floats
    """(k, k) covariance of the cells about the mean, minus their own noise; 0 for the noise parameters."""


def between(fit: Fit) -> Between | None:
    """Mean and spread of the cells; None if there are too few or they do not differ significantly.

    Moments estimator of random effects: R. DerSimonian, N. Laird, "Meta-analysis in clinical trials", Controlled
    Clinical Trials 7 (1986) 177-188, with equal weights, in several dimensions.
    """
    alone = [one for one in _alone(fit) if one is not None]
    if len(alone) < FEWEST_CELLS:
        return None
    from scipy.stats import chi2

    law = fit.law
    thetas = np.stack([one.theta for one in alone])
    errors = np.stack([one.covariance for one in alone])
    mean = thetas.mean(axis=0)
    off = thetas - mean
    excess = sum(float(d[:law] @ np.linalg.solve(v[:law, :law], d[:law])) for d, v in zip(off, errors, strict=True))
    if excess < chi2.ppf(1 - _DOUBT, law * (len(alone) - 1)):
        return None
    seen = off.T @ off / (len(alone) - 1)
    spread = np.zeros_like(seen)
    within = errors.mean(axis=0)
    spread[:law, :law] = _positive(seen[:law, :law] - within[:law, :law])
    return Between(len(alone), mean, (spread + within) / len(alone), spread)


def _alone(fit: Fit) -> list[Fit | None]:
    found: list[Fit | None] = []
    for c in range(fit.data.low.size):
        data = one_cell(fit.data, c)
        found.append(refit(fit, data) if data.count >= _FEWEST_STEPS else None)
    return found if len(found) >= FEWEST_CELLS else []


def one_cell(data: Scaled, c: int) -> Scaled:
    """The readings of one cell, in the common units."""
    mine = data.cell == c
    return replace(
        data, y=data.y[mine], pulses=data.pulses[mine], up=data.up[mine], cell=np.zeros_like(data.cell[mine]),
        low=data.low[c : c + 1], high=data.high[c : c + 1],
    )  # fmt: skip


def _positive(matrix: Floats) -> Floats:
    """The nearest covariance: negative variances become 0."""
    values, vectors = np.linalg.eigh((matrix + matrix.T) / 2)
    found: Floats = (vectors * np.maximum(values, 0.0)) @ vectors.T
    return found
