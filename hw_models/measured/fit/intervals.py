"""Intervals of a fit: simultaneous 95 % intervals for all parameters of a device.

Draws from the distribution of the fitted coordinates (Student's t) are converted to family parameters one by one; the
ends of an interval are quantiles of these. With m parameters each interval excludes 5 %/m (C. E. Bonferroni, 1936), so
all intervals hold together in at least 95 % of repeated measurements. `error` is for one parameter alone.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from hw_models.base import DeviceError
from hw_models.measured.fit.ends import Ends, ends
from hw_models.measured.fit.families import Draws, parameters
from hw_models.measured.fit.fitting import Fit, Possible, possible
from hw_models.measured.fit.limits import reached
from hw_models.measured.fit.spread import Between, between
from hw_models.measured.tables.traces import Floats, Traces

CONFIDENCE = 0.95
_DRAWS = 20_000
_SEED = 20240229
"""Seed of the draws, so that the same file gives the same intervals."""
SWEPT = 0.2
"""Relative uncertainty of the full range's pulses, estimated from the pulses of a sweep."""
_NO_NOISE = 1e-6
"""Negligible noise of a pulse, in units of the range."""
_HAIR = 1e-6
"""Relative error of the search itself; it matters only for measurements without noise."""
_NOT_SPREAD = ("c2c", "dw_min_std")
_FOLLOWS = {"states_up": "nl_up", "states_down": "nl_down"}
"""Pulses that the steepest label has, where the label is at its limit: known no better than that."""
_OPEN = 20.0
"""Width of an interval, in values or in units of the range, above which the measurement tells nothing of the value."""
Gauge = tuple[float, float] | None


@dataclass(frozen=True)
class Estimate:
    """One parameter of a family: its value, standard error, and simultaneous interval."""

    value: float
    error: float
    low: float
    high: float
    unit: str
    at_limit: bool = False
    """Whether the value is at a limit of the family; the data would go beyond it, and there is no interval."""

    @property
    def identified(self) -> bool:
        """Whether the measurement bounds the value; if not, there is no interval and no error."""
        return bool(np.isfinite(self.low) and np.isfinite(self.high))

    def holds(self, truth: float) -> bool:
        """Whether `truth` is inside the interval."""
        return self.low <= truth <= self.high


@dataclass(frozen=True)
class Estimates:
    """The parameters of a family with intervals; `spread` are the standard deviations between cells."""

    parameters: dict[str, Estimate]
    spread: dict[str, Estimate]
    read_noise: Estimate | None
    """Standard deviation of a reading in the units of the measurement; None if none was found."""
    cells: int
    between: Between | None
    ends: Ends


def estimates(traces: Traces, fit: Fit) -> Estimates:
    """Parameters, intervals and spread of `fit` to `traces`. Raises `DeviceError` if the fit is not a valid device."""
    random = np.random.default_rng(_SEED)
    apart = between(fit)
    parts, theta, thetas, at_ends = _draws(random, fit, apart)
    around = ends(traces, fit.data, fit.unpack(theta)[2] if fit.read_noise else fit.data.read_floor)
    gauge = _gauge(traces, fit)
    drawn = _transformed(fit, thetas, at_ends, around, gauge)
    if fit.candidate.family == "neurosim" and traces.swept:
        kept = _weighted_by_sweep(random, drawn, around)
        theta = np.r_[thetas[kept, : fit.law].mean(axis=0), theta[fit.law :]]
        drawn = {name: values[kept] for name, values in drawn.items()}
    best = _transformed(fit, theta[None], np.zeros((1, 2)), around, gauge)
    count = len(best) + int(fit.read_noise)
    none = bool(np.exp(theta[fit.law]) < _NO_NOISE or _noise_may_be_zero(fit, parts))
    found = {}
    ended = reached(fit.candidate.family, {name: float(values[0]) for name, values in best.items()})
    for name, values in best.items():
        if not np.isfinite(values[0]):
            raise DeviceError(f"{traces.origin.name}: the best {fit.candidate.family} fit is not a valid device")
        if name in ended:
            found[name] = Estimate(ended[name], np.inf, -np.inf, np.inf, unit_of(name), at_limit=True)
            continue
        made = _identified(_estimate(float(values[0]), drawn[name], count, unit_of(name)))
        found[name] = replace(made, low=0.0) if made.identified and none and name in _NOT_SPREAD else made
        if _FOLLOWS.get(name) in ended:
            found[name] = replace(made, error=np.inf, low=-np.inf, high=np.inf)
    noise = None
    if fit.read_noise:
        size = float(np.exp(theta[-1])) * fit.data.unit
        noise = _estimate(size, np.exp(thetas[:, -1]) * fit.data.unit, count, "1" if traces.weight else "S")
    return Estimates(found, _spread(fit, theta, apart, around, gauge), noise, len(traces.cells), apart, around)


def at_limits(traces: Traces, fit: Fit) -> tuple[str, ...]:
    """Names of the family's parameters that `fit` puts at a limit; none if the fit is not a valid device."""
    around = ends(traces, fit.data, fit.unpack(fit.theta)[2] if fit.read_noise else fit.data.read_floor)
    values = _transformed(fit, fit.theta[None], np.zeros((1, 2)), around, _gauge(traces, fit))
    return tuple(reached(fit.candidate.family, {name: float(value[0]) for name, value in values.items()}))


def _gauge(traces: Traces, fit: Fit) -> Gauge:
    """The gauge of measured weights with both signs; None if -1 and +1 are assigned to the ends."""
    own = traces.weight and traces.conductance_s.min() < 0 < traces.conductance_s.max()
    return (fit.data.offset, fit.data.unit) if own else None


def _draws(
    random: np.random.Generator, fit: Fit, apart: Between | None
) -> tuple[tuple[Possible, ...], Floats, Floats, Floats]:
    """(sizes of pulse noise, best theta, draws of theta (m, k), draws for the two ends (m, 2))."""
    if apart is not None:
        return (), apart.theta, *_drawn(random, apart.theta, apart.error, apart.cells - 1)
    freedom = max(fit.data.count - fit.free, 1)
    parts = possible(fit)
    shift = np.zeros(fit.free)
    shift[fit.law] = 0.5 * np.log(
        fit.data.count / freedom
    )  # maximum likelihood underestimates the noise, and so the errors
    theta = np.sum([part.weight * part.theta for part in parts], axis=0) + shift
    draws = _mixture(random, parts, shift, freedom, fit.data.count / freedom)
    return parts, theta, draws, random.standard_normal((_DRAWS, 2))


def unit_of(name: str) -> str:
    """Unit of a family's parameter."""
    return "Ohm" if name.endswith("_ohm") else "states" if name.startswith("states") else "1"


def _mixture(
    random: np.random.Generator, parts: tuple[Possible, ...], shift: Floats, freedom: int, wider: float
) -> Floats:
    """Draws of theta over all sizes of the pulse noise that the data allows (`fitting.possible`)."""
    chosen = random.choice(len(parts), size=_DRAWS, p=[part.weight for part in parts])
    made = np.empty((_DRAWS, len(shift)))
    for place, part in enumerate(parts):
        mine = chosen == place
        made[mine] = _drawn(random, part.theta + shift, part.covariance * wider, freedom)[0][: int(mine.sum())]
    return made


def _noise_may_be_zero(fit: Fit, parts: tuple[Possible, ...]) -> bool:
    """Whether the data allows a pulse noise of 0 because of read noise."""
    return len(parts) > 1 and parts[0].weight > (1 - CONFIDENCE) / fit.free / 2


def _drawn(random: np.random.Generator, theta: Floats, error: Floats, freedom: int) -> tuple[Floats, Floats]:
    """(theta, standard normal draws for the two ends), one row per draw."""
    values, vectors = np.linalg.eigh(error)
    root = vectors * np.sqrt(np.maximum(values, 0.0))
    normal = random.standard_normal((_DRAWS, len(theta)))
    stretch = np.sqrt(max(freedom, 1) / random.chisquare(max(freedom, 1), _DRAWS))[:, None]
    return theta + normal @ root.T * stretch, random.standard_normal((_DRAWS, 2))


def _weighted_by_sweep(random: np.random.Generator, drawn: dict[str, Floats], around: Ends) -> npt.NDArray[np.int64]:
    """Indices of draws, weighted by the similarity of their pulse counts to those of the sweep (log-normal, `SWEPT`).

    A measured sweep usually covers about the whole range. If noise hides the number of states, the sweep is the best
    information on it. If the data determines the number, all draws agree and the weights change nothing.
    """
    off = sum(
        np.log(drawn[name] / pulses) ** 2
        for name, pulses in (("states_up", around.up_pulses), ("states_down", around.down_pulses))
    )
    if not np.any(np.isfinite(off)):
        raise DeviceError("the steps make no NeuroSim device: no conductances above 0 that pulses lead between")
    weights = np.where(np.isfinite(off), np.exp(-0.5 * (off - np.nanmin(off)) / SWEPT**2), 0.0)
    found: npt.NDArray[np.int64] = random.choice(len(weights), size=_DRAWS, p=weights / weights.sum())
    return found


def _transformed(fit: Fit, theta: Floats, at_ends: Floats, around: Ends, gauge: Gauge) -> dict[str, Floats]:
    """Family parameters of many `theta` (m, k).

    `at_ends` (m, 2) are deviations from the best values of the ends, in standard deviations.
    """
    p = theta[:, : fit.law]
    if fit.candidate.own_bounds:
        columns, free = [p[:, i] for i in range(len(fit.candidate.names) - 2)], len(fit.candidate.names) - 2
        for bound, error in zip(fit.fixed, (around.low_error, around.high_error), strict=True):
            if bound is None:
                columns.append(p[:, free])
                free += 1
            else:
                columns.append(bound + error * at_ends[:, len(columns) - len(fit.candidate.names)])
        p = np.stack(columns, axis=1)
    low = around.low + around.low_error * at_ends[:, 0]
    high = around.high + around.high_error * at_ends[:, 1]
    sigma = np.exp(np.clip(theta[:, fit.law], -50.0, 50.0))
    return parameters(fit.candidate, Draws(p, sigma, low, high), around, fit.data, gauge)


def _estimate(value: float, drawn: Floats, count: int, unit: str) -> Estimate:
    """Interval from draws; draws without a valid device (NaN) are ignored."""
    drawn = drawn[np.isfinite(drawn)]
    if len(drawn) < _DRAWS / 20:
        return Estimate(value, np.inf, -np.inf, np.inf, unit)
    tail = (1 - CONFIDENCE) / count / 2
    low, high = np.quantile(drawn, [tail, 1 - tail])
    left, right = np.quantile(drawn, [0.1587, 0.8413])
    hair = _HAIR * abs(value)
    least = 0.0 if drawn.min() >= 0 else -np.inf
    return Estimate(
        value, float(right - left) / 2, max(min(float(low), value) - hair, least), max(float(high), value) + hair, unit
    )


def _identified(found: Estimate) -> Estimate:
    """The estimate, without interval and error where they are so wide that they tell nothing.

    Data without any scatter has a flat likelihood in what it does not show: the size of a noise, the bend of a curve.
    """
    size = max(abs(found.value), 1.0 if found.unit == "1" else 0.0)
    if found.high - found.low <= _OPEN * size:
        return found
    return replace(found, error=np.inf, low=-np.inf, high=np.inf)


def _spread(fit: Fit, theta: Floats, apart: Between | None, around: Ends, gauge: Gauge) -> dict[str, Estimate]:
    """Standard deviation of each parameter between cells, with the interval of a chi-square law."""
    if apart is None:
        return {}
    from scipy.stats import chi2

    random = np.random.default_rng(_SEED)
    drawn, at_ends = _drawn(random, theta, apart.spread, 1_000_000)
    scales = np.array([around.low_spread / around.low_error, around.high_spread / around.high_error])
    width = around.high - around.low
    if gauge is None:
        gauge = -1 - 2 * around.low / width, 2 / width
        p = fit.unpack(theta)[0]
        if fit.candidate.own_bounds:
            gauge = (-(p[-1] + p[-2]) / (p[-1] - p[-2]), 2 / (p[-1] - p[-2]))
    made = _transformed(fit, drawn, at_ends * scales, around, gauge)
    if fit.candidate.family == "neurosim":
        kept = _weighted_by_sweep(random, made, around)
        made = {name: values[kept] for name, values in made.items()}
    freedom, found = apart.cells - 1, {}
    for name, values in made.items():
        values = values[np.isfinite(values)]
        if len(values) < _DRAWS / 2 or name in _NOT_SPREAD:
            continue
        size = float(np.subtract(*np.quantile(values, [0.8413, 0.1587]))) / 2
        tail = (1 - CONFIDENCE) / len(made) / 2
        low, high = (size * float(np.sqrt(freedom / chi2.ppf(q, freedom))) for q in (1 - tail, tail))
        found[name] = Estimate(size, size / float(np.sqrt(2 * freedom)), low, high, unit_of(name))
    return found
