"""Maximum-likelihood fit of one step law: best parameters, their covariance, and the quality of the fit."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hw_models.measured.fit.laws import ADDITIVE, Candidate, allowed, fixed_bounds, start
from hw_models.measured.fit.likelihood import evaluate
from hw_models.measured.fit.minimising import inverse, minimum
from hw_models.measured.fit.scaled import Scaled
from hw_models.measured.tables.traces import Floats

_WORST = 1e12
"""−log likelihood of parameters without a valid device."""
_READ_GAIN = 5.0
"""Without this margin, one in ten measurements would wrongly be fitted with read noise, with too narrow intervals."""
_REACHES = (1, 10)
"""Distance in rows of the readings for the starting values; between neighbours, read noise could hide the steps."""
_WELL_KNOWN = 0.3
"""Standard error of ln σ below which the size of the pulse noise is determined."""
_HIDDEN = 0.01
"""Share of the read noise below which the pulse noise is negligible."""
_SIZES = 10
_LEAST_NOISE, _MOST_NOISE = 1e-9, 1e3
"""Limits of the standard deviations in a fit, in units of the range or of a step."""


@dataclass(frozen=True)
class Fit:
    """The best fit of one candidate.

    `theta` holds free law parameters, then ln σ, then ln r if read noise is fitted.
    """

    candidate: Candidate
    data: Scaled
    fixed: tuple[float | None, float | None]
    read_noise: bool
    theta: Floats
    covariance: Floats
    negative_log: float

    @property
    def parameters(self) -> Floats:
        """All parameters of the law, fixed bounds included, in units of the range."""
        return self.unpack(self.theta)[0]

    def unpack(self, theta: Floats) -> tuple[Floats, float, float]:
        """(parameters of the law, σ, r) of a vector of free parameters."""
        return _unpacked(self.candidate, self.data, self.fixed, self.read_noise, theta)

    @property
    def free(self) -> int:
        """Number of fitted parameters."""
        return int(self.theta.size)

    @property
    def law(self) -> int:
        """Number of free parameters of the law, which is the index of ln σ in `theta`."""
        return self.free - 1 - int(self.read_noise)

    @property
    def aic(self) -> float:
        """Akaike's information criterion, corrected for small samples (Hurvich and Tsai 1989), in scaled units."""
        n, k = self.data.count, self.free
        return 2 * self.negative_log + 2 * k + 2 * k * (k + 1) / max(n - k - 1, 1)

    @property
    def bic(self) -> float:
        """Schwarz's criterion, in scaled units."""
        return 2 * self.negative_log + self.free * float(np.log(self.data.count))

    def by_cell(self, theta: Floats) -> Floats:
        """−log likelihood of each cell at other parameters, (cells,)."""
        p, sigma, read = self.unpack(theta)
        found: Floats = evaluate(self.candidate.law, self.candidate.noise, p, sigma, read, self.data)[0]
        return found

    def innovations(self) -> tuple[Floats, Floats]:
        """(standardised innovations, predicted readings), (n,) each; 0 at starts."""
        p, sigma, read = self.unpack(self.theta)
        _, innovations, predicted = evaluate(self.candidate.law, self.candidate.noise, p, sigma, read, self.data)
        return innovations, predicted


def fit(candidate: Candidate, data: Scaled) -> Fit:
    """Fits one candidate; adds read noise only if the data clearly supports it (AIC lower by `_READ_GAIN`)."""
    plain = _fit(candidate, data, read_noise=False)
    if not _reads_look_noisy(plain):
        return plain
    noisy = _fit(candidate, data, read_noise=True)
    return noisy if noisy.aic < plain.aic - _READ_GAIN else plain


def _reads_look_noisy(found: Fit) -> bool:
    """Whether successive innovations have a negative correlation, which read noise causes."""
    z = np.clip(found.innovations()[0], -4, 4)
    both = (found.data.pulses[1:] > 0) & (found.data.pulses[:-1] > 0)
    a, b = z[1:][both], z[:-1][both]
    if len(a) < 10 or not np.any(b):
        return False
    correlation = float(a @ b / np.sqrt((a @ a) * (b @ b) + 1e-300))
    return bool(correlation * np.sqrt(len(a)) < -1.5)


def _unpacked(
    candidate: Candidate, data: Scaled, fixed: tuple[float | None, float | None], read_noise: bool, theta: Floats
) -> tuple[Floats, float, float]:
    free = list(theta)
    read = float(np.exp(min(free.pop(), 50.0))) if read_noise else 0.0
    sigma = float(np.exp(min(free.pop(), 50.0)))
    if candidate.own_bounds:
        low = free[len(candidate.names) - 2] if fixed[0] is None else fixed[0]
        high = free[-1] if fixed[1] is None else fixed[1]
        free = [*free[: len(candidate.names) - 2], low, high]
    return np.array(free), sigma, float(np.hypot(read, data.read_floor))


def refit(like: Fit, data: Scaled) -> Fit:
    """Fits the same candidate, with the same fixed bounds and kind of noise, to other data, starting from this fit."""
    return _best(like.candidate, data, like.fixed, like.read_noise, like.theta)


@dataclass(frozen=True)
class Possible:
    """One size of the pulse noise that the data allows, with the best other parameters for it."""

    weight: float
    theta: Floats
    covariance: Floats


def possible(best: Fit) -> tuple[Possible, ...]:
    """Weighted sizes of the pulse noise that the data allows, if read noise hides the size.

    A quadratic approximation at the best fit is not sufficient: its pulse noise is often 0, without curvature. Sizes
    are equally spaced, from almost 0 to the size at which the likelihood has fallen by e⁶; weights are their integrated
    likelihoods.
    """
    place = best.free - 2
    hidden = best.theta[place] < best.theta[-1] + np.log(_HIDDEN)
    if not best.read_noise or (best.covariance[place, place] < _WELL_KNOWN**2 and not hidden):
        return (Possible(1.0, best.theta, best.covariance),)
    most = _largest_noise(best, place)
    found = [_held(best, place, float(np.log(most * share))) for share in (np.arange(_SIZES) + 0.5) / _SIZES]
    logs = np.array([-cost + 0.5 * np.linalg.slogdet(covariance)[1] for cost, _, covariance in found])
    weights = np.exp(logs - logs.max())
    made = []
    for at, (weight, (_, theta, covariance)) in enumerate(zip(weights / weights.sum(), found, strict=True)):
        whole = np.zeros((best.free, best.free))
        rest = [i for i in range(best.free) if i != place]
        whole[np.ix_(rest, rest)] = covariance
        whole[place, place] = (0.5 / (at + 0.5)) ** 2 / 3  # sizes between two grid points
        made.append(Possible(float(weight), theta, whole))
    return tuple(made)


def _largest_noise(best: Fit, place: int) -> float:
    size = max(float(np.exp(best.theta[place])), 0.02 * float(np.exp(best.theta[-1])))
    for _ in range(12):
        if _held(best, place, float(np.log(size)))[0] > best.negative_log + 6:
            break
        size *= 1.6
    return size


def _held(best: Fit, place: int, value: float) -> tuple[float, Floats, Floats]:
    """(−log likelihood, all parameters, covariance of the others) with one parameter held at `value`."""

    def cost(rest: Floats) -> float:
        p, _, read = best.unpack(np.insert(rest, place, value))
        if not allowed(best.candidate, p) or read > _MOST_NOISE:
            return _WORST
        total = float(np.sum(best.by_cell(np.insert(rest, place, value))))
        return total if np.isfinite(total) else _WORST

    theta, least, hessian = minimum(cost, np.delete(best.theta, place), close=True)
    return least, np.insert(theta, place, value), inverse(hessian)


def _fit(candidate: Candidate, data: Scaled, read_noise: bool) -> Fit:
    fixed = fixed_bounds(candidate, data)
    moves = np.diff(data.y)[data.pulses[1:] > 0]
    noise = max(float(np.std(moves)), 1e-7)
    spare = [np.log(noise if candidate.noise == ADDITIVE else noise / max(float(np.mean(np.abs(moves))), 1e-9))]
    if read_noise:
        spare.append(np.log(max(noise / 2, data.read_floor)))
    found = []
    for reach in _REACHES if read_noise else _REACHES[:1]:
        first = start(candidate, data, reach)
        if candidate.own_bounds:
            ends = [value for value, known in zip(first[-2:], fixed, strict=True) if known is None]
            first = [*first[:-2], *ends]
        found.append(_best(candidate, data, fixed, read_noise, np.array([*first, *spare])))
    return min(found, key=lambda one: one.negative_log)


def _best(
    candidate: Candidate, data: Scaled, fixed: tuple[float | None, float | None], read_noise: bool, first: Floats
) -> Fit:
    def cost(theta: Floats) -> float:
        p, sigma, read = _unpacked(candidate, data, fixed, read_noise, theta)
        if not allowed(candidate, p) or not _LEAST_NOISE < sigma < _MOST_NOISE or read > _MOST_NOISE:
            return _WORST
        total = float(np.sum(evaluate(candidate.law, candidate.noise, p, sigma, read, data)[0]))
        return total if np.isfinite(total) else _WORST

    theta, least, hessian = minimum(cost, first)
    return Fit(candidate, data, fixed, read_noise, theta, inverse(hessian), least)
