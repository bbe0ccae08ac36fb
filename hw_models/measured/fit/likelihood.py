"""The likelihood of a pulse trace under a step law: the noise of pulses accumulates, the noise of reads does not.

State x and reading y in units of the data's own range:
    x' = min(max(x ± s(x), low), high) + noise of variance σ² (additive) or (σ s(x))² (multiplicative) per pulse,
    y  = x + noise of variance r².
Innovations of an extended Kalman filter (R. H. Shumway, D. S. Stoffer, "An approach to time series smoothing and
forecasting using the EM algorithm", J. Time Series Anal. 3 (1982) 253-264); without read noise it is exact. A reading
at a bound where the cell stopped is censored ("at least this value") (J. Tobin, Econometrica 26 (1958) 24-36).
"""

from __future__ import annotations

import math

import numpy as np

from hw_models.kernels.jit import njit
from hw_models.measured.fit.scaled import Scaled
from hw_models.measured.tables.traces import Floats

CONSTANT, LINEAR, SOFT_BOUNDS, EXPONENTIAL, POWER = range(5)
ADDITIVE, MULTIPLICATIVE = range(2)


@njit(cache=True)
def step(law, p, x, up):  # type: ignore[no-untyped-def]
    """(size of one pulse at x, its slope in x), both in units of the range. `p` is in the order of `laws`."""
    if law == CONSTANT:
        return (p[0] if up else p[1]), 0.0
    if law == LINEAR:
        a, b = (p[0], p[1]) if up else (p[2], p[3])
        return a + (b - a) * x, b - a
    if law == SOFT_BOUNDS:
        width = p[3] - p[2]
        if up:
            return p[0] * (p[3] - x) / width, -p[0] / width
        return p[1] * (x - p[2]) / width, p[1] / width
    if law == EXPONENTIAL:
        a, b, c = (p[0], p[1], p[2]) if up else (p[3], p[4], p[5])
        if abs(c) < 1e-6:
            return a + (b - a) * x, b - a
        scale = (b - a) / math.expm1(c)
        return a + scale * math.expm1(c * x), scale * c * math.exp(c * x)
    width = p[5] - p[4]
    left = (p[5] - x) / width if up else (x - p[4]) / width
    size, power = (p[0], p[1]) if up else (p[2], p[3])
    left = min(max(left, 1e-9), 10.0)
    found = size * left**power
    slope = found * power / (left * width)
    return found, (-slope if up else slope)


@njit(cache=True)
def _log_beyond(z):  # type: ignore[no-untyped-def]
    """log of the probability that a standard normal is above z."""
    if z < 30.0:
        return math.log(0.5 * math.erfc(z / math.sqrt(2.0)))
    return -0.5 * z * z - math.log(z * math.sqrt(2.0 * math.pi))


@njit(cache=True)
def negative_log(law, kind, p, sigma, read, y, pulses, up, cell, low, high, total, innovations, predicted):  # type: ignore[no-untyped-def]
    """Adds −log likelihood of each cell's readings to `total` (cells,); writes standardised innovations (n,).

    `y`, `pulses`, `up`, `cell` (n,); `low`, `high` (cells,): bounds seen, ∓inf if none was. `predicted` (n,) is the
    state expected after the row, used by plots and tests of fit.
    """
    mean, variance = 0.0, 0.0
    for i in range(y.size):
        c = cell[i]
        if pulses[i] == 0:
            mean, variance = y[i], read * read
            innovations[i], predicted[i] = 0.0, y[i]
            continue
        for _ in range(pulses[i]):
            size, slope = step(law, p, mean, up[i])
            factor = max(1.0 + slope, -2.0) if up[i] else max(1.0 - slope, -2.0)
            mean += size if up[i] else -size
            added = sigma * size if kind == MULTIPLICATIVE else sigma
            variance = min(factor * factor * variance + added * added, 1e6)
            if pulses[i] > 1:
                mean = min(max(mean, low[c]), high[c])
            mean = min(max(mean, -1e3), 1e3)
        spread = math.sqrt(variance + read * read)
        error = y[i] - mean
        predicted[i] = mean
        if y[i] >= high[c] or y[i] <= low[c]:
            z = -error if y[i] <= low[c] else error
            total[c] -= _log_beyond(z / spread)
            innovations[i] = 0.0 if z < 0.0 else error / spread
            mean, variance = y[i], 0.0
            continue
        innovations[i] = error / spread
        total[c] += 0.5 * innovations[i] ** 2 + math.log(spread)
        gain = variance / (variance + read * read)
        mean += gain * error
        variance *= 1.0 - gain


@njit(cache=True)
def steps(law, p, x, up):  # type: ignore[no-untyped-def]
    """Sizes of one pulse at `x` (n,) → (n,)."""
    found = np.empty(x.size)
    for i in range(x.size):
        found[i] = step(law, p, x[i], up)[0]
    return found


def evaluate(law: int, kind: int, p: Floats, sigma: float, read: float, data: Scaled) -> tuple[Floats, Floats, Floats]:
    """(−log likelihood by cell, standardised innovations, predictions) of scaled `data` (see `scaled.Scaled`)."""
    total = np.zeros(data.low.size)
    innovations, predicted = np.empty(data.y.size), np.empty(data.y.size)
    negative_log(
        law, kind, p, sigma, read, data.y, data.pulses, data.up, data.cell, data.low, data.high, total, innovations,
        predicted,
    )  # fmt: skip
    return total, innovations, predicted
