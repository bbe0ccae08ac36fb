"""Fits step laws to a table of step statistics: weighted least squares by `scipy.optimize.least_squares`.

A table has no traces, so the laws are fitted to the mean steps, each weighted with its standard deviation; the size of
the errors of the means comes from the scatter about the law unless the table has counts.
"""

from __future__ import annotations

import numpy as np

from hw_models.measured.fit.fitting import Fit
from hw_models.measured.fit.laws import ADDITIVE, LINEAR, Candidate, allowed
from hw_models.measured.fit.likelihood import steps
from hw_models.measured.fit.minimising import inverse
from hw_models.measured.fit.scaled import Scaled
from hw_models.measured.tables.traces import Floats, StepTable, Traces


def as_traces(table: StepTable) -> Traces:
    """The table's conductances as an artificial trace, which gives the range for fits and plots."""
    g = np.concatenate([table.conductance_s, table.conductance_s[::-1]])
    count = len(g)
    pulses = np.ones(count, dtype=np.int64)
    pulses[0] = pulses[count // 2] = 0
    up = np.arange(count) < count // 2
    zeros = np.zeros(count, dtype=np.int64)
    return Traces(table.origin, g, pulses, up, zeros, zeros, np.arange(count, dtype=float), ("",), 0.0, swept=False)


def fit_table(candidate: Candidate, table: StepTable) -> Fit:
    """Fits one candidate to the mean steps."""
    from scipy.optimize import least_squares

    data = _scaled(table)
    x, rises = data.y[: len(table.conductance_s)], _steps(table, data.unit)
    weight = _weights(table, data.unit)
    first = _start(candidate, x, rises)

    def misfit(p: Floats) -> Floats:
        law = np.stack([steps(candidate.law, p, x, up) for up in (True, False)])
        return ((law - rises) / weight).ravel() if allowed(candidate, p) else np.full(2 * len(x), 1e3)

    found = least_squares(misfit, first, x_scale=np.maximum(np.abs(first), 0.01), max_nfev=4000)
    points, free = 2 * len(x), len(first)
    scatter = 2 * found.cost / max(points - free, 1)
    known = table.up_count is not None and table.down_count is not None
    covariance = inverse(found.jac.T @ found.jac) * (1.0 if known else scatter)
    law = np.stack([steps(candidate.law, found.x, x, up) for up in (True, False)])
    noise, error, unlikely = _noise(candidate, table, data.unit, law)
    theta = np.r_[found.x, np.log(noise)]
    wide = np.zeros((free + 1, free + 1))
    wide[:free, :free], wide[-1, -1] = covariance, error**2
    likelihood = points / 2 * np.log(max(2 * found.cost / points, 1e-300)) + float(np.sum(np.log(weight))) + unlikely
    return Fit(candidate, data, (None, None), False, theta, wide, float(likelihood))


def misfit_of(fit: Fit, table: StepTable) -> float:
    """Root mean square difference between law and mean step, relative to the root mean square step."""
    x, rises = fit.data.y[: len(table.conductance_s)], _steps(table, fit.data.unit)
    law = np.stack([steps(fit.candidate.law, fit.parameters, x, up) for up in (True, False)])
    return float(np.sqrt(np.mean((law - rises) ** 2) / np.mean(rises**2)))


def _scaled(table: StepTable) -> Scaled:
    traces = as_traces(table)
    g = table.conductance_s
    unit = float(g[-1] - g[0])
    y = (traces.conductance_s - g[0]) / unit
    none = np.array([np.inf])
    return Scaled(y, traces.pulses, traces.up, traces.cell, -none, none, float(g[0]), unit, 1e-8)


def _steps(table: StepTable, unit: float) -> Floats:
    return np.stack([table.up_mean_s, -table.down_mean_s]) / unit


def _weights(table: StepTable, unit: float) -> Floats:
    """(2, n) standard error of each mean: the deviation, divided by the root of the count if there are counts."""
    deviations = np.stack([table.up_std_s, table.down_std_s]) / unit
    deviations = np.maximum(deviations, 1e-3 * float(np.median(deviations)) + 1e-9)
    if table.up_count is None or table.down_count is None:
        return deviations
    found: Floats = deviations / np.sqrt(np.maximum(np.stack([table.up_count, table.down_count]), 1.0))
    return found


def _start(candidate: Candidate, x: Floats, rises: Floats) -> Floats:
    (a, b), (c, d) = (np.polynomial.polynomial.polyfit(x, row, 1) for row in rises)
    u0, u1, d0, d1 = a, a + b, c, c + d
    if candidate.law == LINEAR:
        return np.array([u0, u1, d0, d1])
    middle_up, middle_down = max((u0 + u1) / 2, 1e-6), max((d0 + d1) / 2, 1e-6)
    by_names: dict[int, list[float]] = {2: [middle_up, middle_down]}
    if candidate.names[-1] == "cd":
        return np.array([u0, u1, 0.5, d0, d1, -0.5])
    ends = [-0.3, 1.3]
    by_names[4] = [2 * middle_up, 2 * middle_down, *ends]
    by_names[6] = [2 * middle_up, 1.0, 2 * middle_down, 1.0, *ends]
    return np.array(by_names[len(candidate.names)])


def _noise(candidate: Candidate, table: StepTable, unit: float, law: Floats) -> tuple[float, float, float]:
    """(σ or its ratio to the step, standard error of its logarithm, −log likelihood of the deviations)."""
    deviations = np.stack([table.up_std_s, table.down_std_s]) / unit
    if not np.any(deviations > 0):
        return 1e-8, 1.0, 0.0
    model = np.ones_like(law) if candidate.noise == ADDITIVE else np.maximum(law, 1e-9)
    ratio = np.log(np.maximum(deviations, 1e-9) / model)
    scatter = float(np.std(ratio)) + 1e-6
    size = float(np.exp(np.mean(ratio)))
    if candidate.noise == ADDITIVE:
        size = float(np.sqrt(np.mean(deviations**2)))
    return size, scatter / np.sqrt(ratio.size), ratio.size * float(np.log(scatter))
