"""Compares the families on one measurement by AIC and BIC, tests the best fit, and recommends a family."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from hw_models.base import DeviceError
from hw_models.measured.fit.families import holds_spread
from hw_models.measured.fit.fitting import Fit, fit, refit
from hw_models.measured.fit.laws import CANDIDATES, EXPONENTIAL, LINEAR, Candidate
from hw_models.measured.fit.scaled import Scaled
from hw_models.measured.fit.spread import between, one_cell
from hw_models.measured.fit.statistics import fit_table, misfit_of
from hw_models.measured.tables.traces import StepTable

_TIE = 2.0
"""Largest difference of AIC that counts as a tie; then the order of `laws.CANDIDATES` decides."""
_BINS = 8
_UNLIKELY = 1e-4
_COARSE = 0.15
"""A bin is a misfit if its mean step differs from the law by more than this share of the mean step."""
_MOST_CELLS = 8
"""Maximum number of cells that are fitted separately with every family."""
_FAR = 1.0
"""Distance of a bound from the data, in ranges, beyond which it is only an extrapolation."""
_NEAR = 3.0
"""Steps within this number of standard deviations from a bound are left out."""
_CLEAR = 12.0
"""Squared mean innovation times count above which a single bin is a misfit."""
_TABLE_MISFIT = 0.05


@dataclass(frozen=True)
class Comparison:
    """All fits, best first, and the recommendation: a family, or `lookup`."""

    fits: tuple[Fit, ...]
    aic: Mapping[Candidate, float]
    """AIC of each candidate; if cells differ, the sum over single cells."""
    recommended: str
    reason: str
    limited: frozenset[Candidate] = frozenset()
    """The candidates whose best fit has a parameter at a limit; they come after all others."""

    def best(self, family: str | None = None) -> Fit:
        """The best fit, or the best of one family. Raises `DeviceError` if that family could not be fitted."""
        for found in self.fits:
            if family in (None, found.candidate.family):
                return found
        raise DeviceError(f"the data does not fit a {family} device: no parameters describe it")


Limited = Callable[[Fit], bool]
"""Whether a fit has a parameter at a limit (`intervals.at_limits`)."""


def _never(found: Fit) -> bool:
    return False


def compare(data: Scaled, weight: bool, limited: Limited = _never) -> Comparison:
    """Fits every candidate to traces. NeuroSim's family needs siemens, so it is left out for measured weights.

    If cells differ, each family is ranked by its fits to single cells, because one curve cannot describe all of them.
    """
    chosen = [candidate for candidate in CANDIDATES if not (weight and candidate.family == "neurosim")]
    fits = [fit(candidate, data) for candidate in chosen]
    linear = next(found for found in fits if found.candidate.law == LINEAR)
    if between(linear) is None:
        return _ranked(fits, _misfit, limited)
    cells = [one_cell(data, c) for c in range(min(data.low.size, _MOST_CELLS))]
    judged = [found for found in fits if _is_device(found)]
    alone = {found.candidate: [refit(found, cell) for cell in cells if cell.count > 2 * found.free] for found in judged}
    scores = {candidate: sum(one.aic for one in ones) for candidate, ones in alone.items()}
    return _ranked(judged, _of_cells(alone), limited, scores, differ=True)


def _of_cells(alone: Mapping[Candidate, Sequence[Fit]]) -> Callable[[Fit], str]:
    def misfit(best: Fit) -> str:
        told = [why for one in alone[best.candidate] if (why := _misfit(one))]
        return told[0] if 2 * len(told) > len(alone[best.candidate]) else ""

    return misfit


def compare_table(table: StepTable, limited: Limited = _never) -> Comparison:
    """Fits every candidate to a table of step statistics."""
    fits = [fit_table(candidate, table) for candidate in CANDIDATES]

    def misfit(best: Fit) -> str:
        off = misfit_of(best, table)
        return f"its steps are off by {off:.0%} (root mean square)" if off > _TABLE_MISFIT else ""

    return _ranked(fits, misfit, limited)


def _ranked(
    fits: Sequence[Fit],
    misfit: Callable[[Fit], str],
    limited: Limited,
    scores: Mapping[Candidate, float] | None = None,
    differ: bool = False,
) -> Comparison:
    """Sorts fits, best first.

    Fits at a limit come last. If cells differ, a family whose sheet can hold the spread wins a tie.
    """
    made = [found for found in fits if _is_device(found)]
    if not made:
        raise DeviceError("no family describes this measurement; a lookup table (--lookup) may")
    aic = {found.candidate: scores[found.candidate] if scores else found.aic for found in made}
    ended = frozenset(found.candidate for found in made if limited(found))
    inside = [found for found in made if found.candidate not in ended] or made
    sound = [found for found in inside if not _extrapolates(found)] or inside
    least = min(aic[found.candidate] for found in sound)
    order = {candidate: place for place, candidate in enumerate(CANDIDATES)}

    def rank(found: Fit) -> tuple[bool, bool, float, bool, int]:
        above = aic[found.candidate] - least
        loses = differ and not holds_spread(found.candidate.family)
        return found not in inside, found not in sound, 0.0 if above <= _TIE else above, loses, order[found.candidate]

    ordered = tuple(sorted(made, key=rank))
    why = misfit(ordered[0])
    best = ordered[0].candidate
    if why:
        return Comparison(ordered, aic, "lookup", f"no family fits: {best.title} is closest, but {why}", ended)
    others = [found for found in made if found not in sound and aic[found.candidate] < least]
    far = _set_apart(others, ended)
    return Comparison(ordered, aic, best.family, f"{best.title}: {_chosen_for(best, aic, least, differ, far)}", ended)


def _set_apart(others: Sequence[Fit], ended: frozenset[Candidate]) -> str:
    """Text for the reason why fits with a lower AIC are ranked lower."""
    kinds = {found.candidate in ended for found in others}
    told = ["bounds are near the data"] if False in kinds else []
    told += ["parameters are inside their limits"] if True in kinds else []
    return f" of those whose {' and '.join(told)}" if told else ""


def _chosen_for(best: Candidate, aic: Mapping[Candidate, float], least: float, differ: bool, far: str) -> str:
    """Text for the reason why this candidate is first; `least` is the lowest AIC that counts."""
    if aic[best] <= least:
        return f"lowest AIC{far}"
    why = "and its sheet holds the differences between cells" if differ else "and comes first where AIC decides nothing"
    return f"within {_TIE:g} of the lowest AIC{far}, {why}"


def _extrapolates(found: Fit) -> bool:
    """Whether a bound of the law is further from the data than the whole measured range."""
    p = found.parameters
    return found.candidate.own_bounds and bool(p[-2] < -_FAR or p[-1] > 1 + _FAR)


def _is_device(found: Fit) -> bool:
    if not np.isfinite(found.negative_log) or found.negative_log > 1e11 or not np.all(np.isfinite(found.theta)):
        return False
    sigma = found.theta[found.law]
    if sigma > 5 or float(np.max(np.diag(found.covariance)[: found.free - 1])) > 1e16:
        return False
    return found.candidate.law != EXPONENTIAL or _steps_remain(found)


def _steps_remain(found: Fit) -> bool:
    """aihwkit's form dw(1 − A e^z) needs dw > 0: steps that fall faster than exponentially have no such form."""
    p = found.parameters
    return all(abs(c) <= 1e-4 or a - (b - a) / np.expm1(c) > 0 for a, b, c in (p[:3], p[3:]))


def _misfit(best: Fit) -> str:
    """The reason if the mean step in bins of the state differs significantly and strongly from the law; else empty."""
    from scipy.stats import chi2

    data = best.data
    innovations, predicted = best.innovations()
    with np.errstate(divide="ignore", invalid="ignore"):
        deviation = (data.y - predicted) / innovations
    low, high = data.low[data.cell], data.high[data.cell]
    # steps near a bound are cut off under every law
    free = (predicted + _NEAR * deviation < high) & (predicted - _NEAR * deviation > low) & (data.pulses > 0)
    excess, bins, worst = 0.0, 0, 0.0
    for up in (True, False):
        at = np.flatnonzero(free & (data.up == up))
        if len(at) < 2 * _BINS:
            continue
        before = data.y[at - 1]
        where = np.searchsorted(np.quantile(before, np.linspace(0, 1, _BINS + 1)[1:-1]), before)
        size = float(np.mean(np.abs(predicted[at] - before))) + 1e-12
        for b in range(_BINS):
            inside = at[where == b]
            if not len(inside):
                continue
            score = float(np.sum(innovations[inside])) ** 2 / len(inside)
            excess, bins = excess + score, bins + 1
            if score > _CLEAR:
                worst = max(worst, abs(float(np.mean(data.y[inside] - predicted[inside]))) / size)
    significant = bins > 0 and excess > chi2.ppf(1 - _UNLIKELY, bins)
    return f"in a part of the range its mean step is off by {worst:.0%}" if significant and worst > _COARSE else ""
