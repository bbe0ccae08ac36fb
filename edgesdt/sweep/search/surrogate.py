"""Predicts quantities of new points from points that have been run: one Gaussian process for each quantity.

It does not depend on chips: it takes points of the unit cube and returns means and standard deviations.
"""

from __future__ import annotations

import warnings
from typing import Any, Final

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

_MOST: Final = 300
"""Maximum points for a fit, the latest ones: its cost grows with the cube of their number."""
_LENGTHS: Final = (0.1, 10.0)
"""Limits of the correlation length of a parameter, as a share of its range."""
_NOISES: Final = (1e-4, 0.5)
"""Limits of the noise, as a share of the variance: differences between seeds cannot be predicted."""


class Surrogate:
    """A Gaussian process (Rasmussen and Williams 2006, Matérn kernel of 5/2, a length for each parameter) for `y`.

    `x` is (points, parameters) in 0..1, `y` (points,). The same numbers give the same process.
    """

    def __init__(self, x: Floats, y: Floats) -> None:
        self._process: Any = None
        self._mean, self._spread = float(np.mean(y)), float(np.std(y))
        if len(y) < 3 or self._spread < 1e-12:
            return
        from sklearn.exceptions import ConvergenceWarning
        from sklearn.gaussian_process import GaussianProcessRegressor
        from sklearn.gaussian_process.kernels import ConstantKernel, Matern, WhiteKernel

        smooth = Matern(np.full(x.shape[1], 1.0), _LENGTHS, nu=2.5)
        kernel = ConstantKernel(1.0, (0.05, 20.0)) * smooth + WhiteKernel(0.05, _NOISES)
        process = GaussianProcessRegressor(kernel, n_restarts_optimizer=1, random_state=0)
        with warnings.catch_warnings():
            # a length at its upper limit means that the parameter has no effect
            warnings.simplefilter("ignore", ConvergenceWarning)
            self._process = process.fit(x[-_MOST:], (y[-_MOST:] - self._mean) / self._spread)

    def expected(self, x: Floats) -> tuple[Floats, Floats]:
        """Mean and standard deviation (with the noise of seeds) at every row of `x`."""
        if self._process is None:
            return np.full(len(x), self._mean), np.full(len(x), self._spread)
        mean, sd = self._process.predict(x, return_std=True)
        return self._mean + self._spread * mean, self._spread * sd
