"""Which parameter matters most to a figure, with the method that suits the sweep, and its name.

Complete grid: the share of the variance that the means of a parameter's levels explain, which is its first-order
Sobol' index under equally likely levels (Sobol', Math. Comput. Simul. 55 (2001) 271); what is left are interactions
and seeds. Anything else: permutation importance (Breiman, Mach. Learn. 45 (2001) 5) of a random forest on points
that it was not fitted to.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from edgesdt.report.files.sweeps import identity
from edgesdt.report.sweep.metrics import Metric
from edgesdt.report.sweep.points import Point, measure

FOLDS, TREES = 5, 40
FEWEST, MOST = 20, 400  # points that a forest is fitted to; more are thinned evenly in random order


@dataclass(frozen=True)
class Sensitivity:
    """Shares by parameter path, `interactions` and `seeds` among them on a grid; `fit` is the forest's R²."""

    shares: dict[str, float]
    fit: float | None


def is_grid(points: Sequence[Point], paths: Sequence[str]) -> bool:
    """Whether the finished points are every combination of the levels of `paths`, each with equally many seeds."""
    levels = [{_level(p, path) for p in points} for path in paths]
    combinations = {tuple(_level(p, path) for path in paths) for p in points}
    full = math.prod(map(len, levels)) == len(points) == len(combinations)
    return full and len({len(p.runs) for p in points}) == 1


def _level(point: Point, path: str) -> str:
    return identity(point.values.get(path))


def on_grid(points: Sequence[Point], paths: Sequence[str], metric: Metric) -> Sensitivity | None:
    """Shares of the variance over all runs of a grid; None where the figure never changes or is missing."""
    runs = [[metric.of(row.record) for row in p.runs] for p in points]
    known = [[v for v in group if v is not None] for group in runs]
    if not points or any(len(k) < len(r) for k, r in zip(known, runs, strict=True)):
        return None
    n = len(known[0])
    means = [math.fsum(group) / n for group in known]
    centre = math.fsum(means) / len(means)
    total = math.fsum((v - centre) ** 2 for group in known for v in group)
    if total <= (1e-9 * centre) ** 2:
        return None
    shares = {}
    for path in paths:
        groups: dict[str, list[float]] = {}
        for p, mean in zip(points, means, strict=True):
            groups.setdefault(_level(p, path), []).append(mean)
        between = math.fsum(len(g) * (math.fsum(g) / len(g) - centre) ** 2 for g in groups.values())
        shares[path] = n * between / total
    seeds = math.fsum((v - m) ** 2 for group, m in zip(known, means, strict=True) for v in group) / total
    rest = max(1.0 - seeds - math.fsum(shares.values()), 0.0)
    found = shares | {"interactions": rest} | ({"seeds": seeds} if n > 1 else {})
    return Sensitivity({name: share if share > 1e-9 else 0.0 for name, share in found.items()}, None)


def by_forest(points: Sequence[Point], paths: Sequence[str], metric: Metric) -> Sensitivity | None:
    """Shares of the loss of R² on held-out points when a parameter is shuffled among them; None for too few points."""
    import numpy as np
    from sklearn.ensemble import RandomForestRegressor

    kept = [p for p in points if p.figure(metric) is not None]
    y = np.array([p.figure(metric) for p in kept], float)
    if len(kept) < FEWEST or np.ptp(y) <= 1e-9 * abs(y.mean()):
        return None
    y = (y - y.mean()) / y.std()  # trees take the variance of nanojoules for none
    x = np.column_stack([_feature(kept, path) for path in paths])
    rng = np.random.Generator(np.random.PCG64(0))
    order = rng.permutation(len(kept))[:MOST]
    lost, left, whole = np.zeros(len(paths)), 0.0, 0.0
    for fold in range(FOLDS):
        held = order[fold::FOLDS]
        fitted = order[~np.isin(order, held)]
        forest = RandomForestRegressor(TREES, min_samples_leaf=2, random_state=0, n_jobs=1).fit(x[fitted], y[fitted])
        asked = np.repeat(x[held][None], len(paths) + 1, axis=0)  # as it is, then with each parameter shuffled
        for j in range(len(paths)):
            asked[j + 1, :, j] = rng.permutation(asked[j + 1, :, j])
        said = forest.predict(asked.reshape(-1, len(paths))).reshape(len(paths) + 1, -1)
        errors = np.square(said - y[held]).sum(axis=1)
        lost += errors[1:] - errors[0]
        left, whole = left + float(errors[0]), whole + float(np.square(y[held] - y[fitted].mean()).sum())
    parts = np.maximum(lost, 0.0) / max(float(np.maximum(lost, 0.0).sum()), 1e-12)
    return Sensitivity(dict(zip(paths, map(float, parts), strict=True)), 1 - left / whole)


def _feature(points: Sequence[Point], path: str) -> list[float]:
    """A parameter as a number: its value, or the rank of its first appearance."""
    values = [p.values.get(path) for p in points]
    found = [measure(path, value) for value in values]
    if None not in found:
        return [v for v in found if v is not None]
    seen: dict[str, int] = {}
    return [float(seen.setdefault(identity(v), len(seen))) for v in values]
