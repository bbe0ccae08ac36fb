"""Chooses points of a parameter space from the values of earlier ones: Optuna's TPE, on shares of each range.

Knows nothing of chips or runs: combinations in, costs to be minimised and violations of constraints out.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from itertools import islice
from typing import Any

from edgesdt.errors import EdgesdtError
from edgesdt.spec.sweeping import Parameter, Sweep
from edgesdt.sweep.sampling import sobol_shares

_AT_FIRST = 0.25
"""Share of the points that is spread evenly before anything is learned from them."""
_CANDIDATES = 48
"""Points that are weighed against each other for each one that is asked for."""
_VIOLATION = "violation"


class Optimiser:
    """Asks and tells for one sweep; the same answers give the same questions. Raises `EdgesdtError` without Optuna."""

    def __init__(self, sweep: Sweep, seed: int) -> None:
        try:
            import optuna
        except ImportError as error:
            text = f"sweep.method: search needs the extra 'search': pip install 'edgesdt[search]' ({error})"
            raise EdgesdtError(text) from error
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        self._optuna, self._sweep = optuna, sweep
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # options that are still marked experimental
            sampler = optuna.samplers.TPESampler(
                seed=seed,
                multivariate=False,  # with tens of points, better fronts than the joint densities
                n_startup_trials=0,
                n_ei_candidates=_CANDIDATES,
                constant_liar=True,
                constraints_func=lambda trial: trial.user_attrs[_VIOLATION],
            )
        self._study = optuna.create_study(directions=["minimize"] * len(sweep.objectives), sampler=sampler)
        self._space = {parameter.name: _distribution(optuna, parameter) for parameter in sweep.parameters}
        self._spread = sobol_shares(sweep, seed)
        self._at_first = max(1, round(_AT_FIRST * sweep.samples))
        self._trials: dict[int, Any] = {}

    def ask(self, spread: bool = False) -> tuple[int, tuple[Any, ...]] | None:
        """A number to tell the answer for, and values of the parameters in their order.

        With `spread`, and for the first questions, the values do not depend on any answer; None if there are no more.
        """
        if spread or self._at_first > 0:
            self._at_first -= 1
            shares = next(islice(self._spread, 1), None)
            if shares is None:
                return None
            self._study.enqueue_trial(
                {p.name: _choice(p, share) for p, share in zip(self._sweep.parameters, shares, strict=True)}
            )
        trial = self._study.ask(self._space)
        self._trials[trial.number] = trial
        return trial.number, tuple(_value(p, trial.params[p.name]) for p in self._sweep.parameters)

    def tell(self, number: int, costs: Sequence[float] | None, violations: Sequence[float]) -> None:
        """The answer: each objective as a cost, None if the point failed; violations above 0 are broken constraints."""
        trial = self._trials.pop(number)
        trial.set_user_attr(_VIOLATION, tuple(violations) or (0.0,))
        if costs is None:
            self._study.tell(trial, state=self._optuna.trial.TrialState.FAIL)
        else:
            self._study.tell(trial, list(costs))


def _count(parameter: Parameter) -> int:
    """Values of a list or of a stepped range; 0 for a continuous one."""
    if parameter.range is None:
        return len(parameter.values)
    return parameter.range.count() if parameter.range.step is not None else 0


def _distribution(optuna: Any, parameter: Parameter) -> Any:
    count = _count(parameter)
    if count == 0:
        return optuna.distributions.FloatDistribution(0.0, 1.0)
    values = parameter.values
    if all(isinstance(value, int | float) and not isinstance(value, bool) for value in values) and (
        sorted(values) == list(values)
    ):
        return optuna.distributions.IntDistribution(0, count - 1)
    return optuna.distributions.CategoricalDistribution(list(range(count)))


def _choice(parameter: Parameter, share: float) -> float | int:
    count = _count(parameter)
    return int(share * count) if count else share


def _value(parameter: Parameter, choice: float | int) -> Any:
    count = _count(parameter)
    return parameter.at_share((choice + 0.5) / count if count else min(choice, 1.0 - 1e-12))
