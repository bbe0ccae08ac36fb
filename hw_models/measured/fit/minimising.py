"""Finds the minimum of a cost and its Hessian, with scipy's minimisers in rescaled coordinates."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from hw_models.measured.tables.traces import Floats


def minimum(cost: Callable[[Floats], float], first: Floats, close: bool = False) -> tuple[Floats, float, Floats]:
    """(position, value, Hessian) of the minimum of `cost`.

    A simplex search comes first unless the start is `close`, then BFGS in rescaled coordinates.
    """
    from scipy.optimize import minimize

    place = first
    reach = np.maximum(np.abs(first) * 0.2, 0.02)
    simplex = np.vstack([first, first + np.diag(reach)])
    limits = {"maxfev": 1 if close else 60 * len(first), "xatol": 1e-7, "fatol": 1e-4, "adaptive": True}
    near = minimize(cost, place, method="Nelder-Mead", options={"initial_simplex": simplex, **limits})
    place, least = np.asarray(near.x, dtype=np.float64), float(near.fun)
    shape = np.diag(widths(cost, place, least))
    for _ in range(4):
        base = place

        def bent(v: Floats, base: Floats = base, shape: Floats = shape) -> float:
            return cost(base + shape @ v)

        found = minimize(bent, np.zeros(len(place)), method="BFGS", options={"gtol": 1e-4, "eps": 1e-5, "maxiter": 60})
        gained = least - float(found.fun)
        if gained > 0:
            place, least = base + shape @ found.x, float(found.fun)
        hessian = curvature(cost, place, least)
        shape = np.asarray(np.linalg.cholesky(inverse(hessian)), dtype=np.float64)
        if gained < 1e-4:
            break
    return place, least, hessian


def widths(cost: Callable[[Floats], float], place: Floats, least: float) -> Floats:
    """For each coordinate, the step that increases `cost` by about a half: a standard error with the others fixed."""
    found = np.empty(len(place))
    for i in range(len(place)):
        h = max(abs(place[i]), 1e-3) * 1e-3
        for _ in range(40):
            ahead, behind = place.copy(), place.copy()
            ahead[i] += h
            behind[i] -= h
            rise = (cost(ahead) + cost(behind)) / 2 - least
            if 0.1 < rise < 1.0:
                break
            grow = float(np.sqrt(0.5 / rise)) if rise > 1e-9 else 4.0
            h *= min(max(grow, 0.05), 4.0)
        found[i] = min(h, 1e3)
    return found


def curvature(cost: Callable[[Floats], float], place: Floats, least: float) -> Floats:
    """Hessian of `cost` by central differences over about half a standard error of each coordinate."""
    h = widths(cost, place, least) * 0.5
    size = len(place)
    hessian = np.empty((size, size))

    def at(i: int, a: float, j: int, b: float) -> float:
        moved = place.copy()
        moved[i] += a * h[i]
        moved[j] += b * h[j]
        return min(cost(moved), least + 50)

    for i in range(size):
        hessian[i, i] = (at(i, 1, i, 0) + at(i, -1, i, 0) - 2 * least) / h[i] ** 2
        for j in range(i):
            mixed = at(i, 1, j, 1) - at(i, 1, j, -1) - at(i, -1, j, 1) + at(i, -1, j, -1)
            hessian[i, j] = hessian[j, i] = mixed / (4 * h[i] * h[j])
    return hessian


def inverse(hessian: Floats) -> Floats:
    """A positive definite inverse: directions that the data does not determine get a large variance."""
    size = np.sqrt(np.maximum(np.abs(np.diag(hessian)), 1e-12))
    values, vectors = np.linalg.eigh(hessian / np.outer(size, size))
    values = np.maximum(values, 1e-8)
    found: Floats = (vectors / values) @ vectors.T / np.outer(size, size)
    return (found + found.T) / 2 + np.diag(1e-24 + 1e-12 * np.diag(found))
