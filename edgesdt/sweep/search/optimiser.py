"""Proposes points of a parameter space from the costs of earlier ones: Optuna's TPE, on shares of each range.

It does not depend on chips or runs: it takes shares of ranges, costs to minimise and violations of constraints, and
returns shares.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any, Final

from edgesdt.errors import EdgesdtError
from edgesdt.spec.sweep.section import Parameter, Sweep
from edgesdt.sweep.search.candidates import Shares, count, ordered

_CANDIDATES: Final = 48
"""Points that are compared for each proposed point."""
_VIOLATION: Final = "violation"


class Optimiser:
    """Learns costs and proposes points for one sweep; the same inputs give the same proposals.

    Raises `EdgesdtError` without Optuna.
    """

    def __init__(self, sweep: Sweep, seed: int) -> None:
        try:
            import optuna
        except ImportError as error:
            text = f"sweep.method: search needs the extra 'search': pip install 'edgesdt[search]' ({error})"
            raise EdgesdtError(text) from error
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        self._optuna, self._sweep = optuna, sweep
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Optuna warns that these options are experimental
            sampler = optuna.samplers.TPESampler(
                seed=seed,
                multivariate=True,
                n_startup_trials=0,
                n_ei_candidates=_CANDIDATES,
                constant_liar=True,
                constraints_func=lambda trial: trial.user_attrs[_VIOLATION],
            )
        self._study = optuna.create_study(directions=["minimize"] * len(sweep.objectives), sampler=sampler)
        self._space = {parameter.name: _distribution(optuna, parameter) for parameter in sweep.parameters}

    def learn(self, shares: Shares, costs: Sequence[float], violations: Sequence[float]) -> None:
        """Adds the costs of a point in each objective; violations above 0 are broken constraints."""
        pairs = zip(self._sweep.parameters, shares, strict=True)
        self._study.enqueue_trial({p.name: int(share * count(p)) if count(p) else share for p, share in pairs})
        trial = self._study.ask(self._space)
        trial.set_user_attr(_VIOLATION, tuple(violations) or (0.0,))
        self._study.tell(trial, list(costs))

    def propose(self, number: int) -> list[Shares]:
        """Proposes a number of points that are likely to be good."""
        trials = [self._study.ask(self._space) for _ in range(number)]
        for trial in trials:  # discarded: a chosen point is added after its run
            trial.set_user_attr(_VIOLATION, (0.0,))
            self._study.tell(trial, state=self._optuna.trial.TrialState.FAIL)
        return [tuple(_share(p, trial.params[p.name]) for p in self._sweep.parameters) for trial in trials]


def _distribution(optuna: Any, parameter: Parameter) -> Any:
    values = count(parameter)
    if values == 0:
        return optuna.distributions.FloatDistribution(0.0, 1.0)
    if ordered(parameter):
        return optuna.distributions.IntDistribution(0, values - 1)
    return optuna.distributions.CategoricalDistribution(list(range(values)))


def _share(parameter: Parameter, choice: float) -> float:
    values = count(parameter)
    return (choice + 0.5) / values if values else min(choice, 1.0 - 1e-12)
