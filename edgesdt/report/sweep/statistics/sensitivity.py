"""The sensitivity of a figure to each parameter, and which parameters have an effect beyond the scatter of seeds.

Complete grid: the share of the variance that the means of a parameter's levels explain, which is its first-order Sobol'
index under equally likely levels (Sobol', Math. Comput. Simul. 55 (2001) 271), minus the share explained by chance; the
rest is interactions and seeds. Other sweeps: permutation importance (Breiman, Mach. Learn. 45 (2001) 5) of a random
forest on held-out points and seeds. `significance` contains the tests.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from edgesdt.report.files.sweeps import identity
from edgesdt.report.sweep.metrics import Metric
from edgesdt.report.sweep.statistics import significance
from edgesdt.report.sweep.statistics.points import Point, estimate, measure

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Array = npt.NDArray[np.float64]

FOLDS, TREES = 5, 40
FEWEST, MOST = 20, 400  # maximum points for a forest; more are thinned evenly in random order


@dataclass(frozen=True)
class Sensitivity:
    """Shares by parameter path, `interactions` and `seeds` among them on a grid; `fit` is the forest's R².

    `exceeding` lists the parameters whose effect exceeds the scatter of `seeds` seeds, the largest share first; it is
    empty with one seed. `leading` lists those that may have the largest effect: no other one exceeds them.
    """

    shares: dict[str, float]
    fit: float | None
    seeds: int = 1
    exceeding: list[str] = field(default_factory=list)
    leading: list[str] = field(default_factory=list)


def is_grid(points: Sequence[Point], paths: Sequence[str]) -> bool:
    """Whether the finished points are all combinations of the levels of `paths`, with the same number of seeds."""
    levels = [{_level(p, path) for p in points} for path in paths]
    combinations = {tuple(_level(p, path) for path in paths) for p in points}
    full = math.prod(map(len, levels)) == len(points) == len(combinations)
    return full and len({len(p.runs) for p in points}) == 1


def _level(point: Point, path: str) -> str:
    return identity(point.values.get(path))


def on_grid(points: Sequence[Point], paths: Sequence[str], metric: Metric) -> Sensitivity | None:
    """Shares of the variance over all runs of a grid; None if the figure is constant or missing."""
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
    tables = {path: _by_seed(points, known, path) for path in paths}
    shares = {path: n * _between(points, means, path, centre) / total for path in paths}
    within = math.fsum((v - m) ** 2 for group, m in zip(known, means, strict=True) for v in group)
    rest = max(1.0 - within / total - math.fsum(shares.values()), 0.0)
    p_values: dict[str, float] = {}
    if n > 1:
        for path, table in tables.items():
            ratio, p_values[path] = significance.f_of(table)
            shares[path] *= max(1.0 - 1.0 / ratio, 0.0) if ratio else 0.0
        freedom = len(points) - 1 - sum(len(table[0]) - 1 for table in tables.values())
        rest = max(rest - freedom * within / (len(points) * (n - 1)) / total, 0.0)
    found = shares | {"interactions": rest}
    if n > 1:
        found["seeds"] = max(1.0 - math.fsum(found.values()), 0.0)
    found = {name: share if share > 1e-9 else 0.0 for name, share in found.items()}
    beyond = sorted(significance.exceeding(p_values), key=lambda path: -found[path])
    return Sensitivity(found, None, n, beyond, _leading(beyond, tables))


def _between(points: Sequence[Point], means: Sequence[float], path: str, centre: float) -> float:
    """Sum of squares of the level means of `path` about `centre`, weighted by the number of points."""
    groups: dict[str, list[float]] = {}
    for p, mean in zip(points, means, strict=True):
        groups.setdefault(_level(p, path), []).append(mean)
    return math.fsum(len(g) * (math.fsum(g) / len(g) - centre) ** 2 for g in groups.values())


def _by_seed(points: Sequence[Point], known: Sequence[Sequence[float]], path: str) -> list[list[float]]:
    """A row for every seed: the mean of each level of `path` over all other parameters.

    Runs of a point are in seed order.
    """
    groups: dict[str, list[Sequence[float]]] = {}
    for p, values in zip(points, known, strict=True):
        groups.setdefault(_level(p, path), []).append(values)
    return [[math.fsum(v[i] for v in g) / len(g) for g in groups.values()] for i in range(len(known[0]))]


def _leading(exceeding: Sequence[str], tables: Mapping[str, Sequence[Sequence[float]]]) -> list[str]:
    """The first of `exceeding`, and those whose spread is not significantly smaller, compared seed by seed."""

    def spreads(path: str) -> list[float]:
        centres = [math.fsum(row) / len(row) for row in tables[path]]
        return [math.fsum((v - c) ** 2 for v in row) / len(row) for row, c in zip(tables[path], centres, strict=True)]

    first = spreads(exceeding[0]) if exceeding else []
    kept = []
    for path in exceeding:
        apart = estimate([a - b for a, b in zip(first, spreads(path), strict=True)])
        kept += [path] if apart.low <= 0 else []
    return kept


def by_forest(points: Sequence[Point], paths: Sequence[str], metric: Metric) -> Sensitivity | None:
    """Shares of the loss of R² on held-out points when a parameter is shuffled; None for too few points.

    With several seeds the forest is fitted to one half of a point's seeds and tested on the other half.
    """
    import numpy as np

    rows = [(p, [v for v in (metric.of(row.record) for row in p.runs) if v is not None]) for p in points]
    several = [(p, values) for p, values in rows if len(values) > 1]
    seeds = min((len(values) for _, values in several), default=1) if len(several) >= FEWEST else 1
    kept = several if seeds > 1 else [(p, values) for p, values in rows if values]
    halves = [(0, 1), (1, 0)] if seeds > 1 else [(0, 0)]
    step = 2 if seeds > 1 else 1
    y = np.array([[math.fsum(v[i::step]) / len(v[i::step]) for i in range(step)] for _, v in kept], float)
    if len(kept) < FEWEST or np.ptp(y) <= 1e-9 * abs(y.mean()):
        return None
    y = (y - y.mean()) / y.std()  # trees treat a variance of nanojoules as 0
    x = np.column_stack([_feature([p for p, _ in kept], path) for path in paths])
    order = np.random.Generator(np.random.PCG64(0)).permutation(len(kept))[:MOST]
    worked = [_held_out(x, y[:, fitted], y[:, asked], order) for fitted, asked in halves]
    lost = np.mean([each[0] for each in worked], axis=0)
    left, whole = (math.fsum(each[i] for each in worked) for i in (1, 2))
    parts = np.maximum(lost.sum(axis=0), 0.0)
    parts = parts / max(float(parts.sum()), 1e-12)
    shares = dict(zip(paths, map(float, parts), strict=True))
    beyond = _beyond(lost, [kept[i][1] for i in order], paths) if seeds > 1 else []
    beyond.sort(key=lambda path: -shares[path])
    columns = {path: lost[:, j] for j, path in enumerate(paths)}
    leading = [q for q in beyond if significance.one_sided(list(columns[beyond[0]] - columns[q])) > significance.LEVEL]
    return Sensitivity(shares, 1 - left / whole, seeds, beyond, leading)


def _held_out(x: Array, fitted: Array, asked: Array, order: npt.NDArray[np.int64]) -> tuple[Array, float, float]:
    """For the points in `order`: the squared error added by shuffling each parameter, the error, and the variance."""
    import numpy as np
    from sklearn.ensemble import RandomForestRegressor

    count = x.shape[1]
    rng = np.random.Generator(np.random.PCG64(1))
    lost, left, whole = np.zeros((len(order), count)), 0.0, 0.0
    for fold in range(FOLDS):
        held = order[fold::FOLDS]
        others = order[~np.isin(order, held)]
        forest = RandomForestRegressor(TREES, min_samples_leaf=2, random_state=0, n_jobs=1)
        forest.fit(x[others], fitted[others])
        inputs = np.repeat(x[held][None], count + 1, axis=0)  # unchanged, then with each parameter shuffled
        for j in range(count):
            inputs[j + 1, :, j] = rng.permutation(inputs[j + 1, :, j])
        said = forest.predict(inputs.reshape(-1, count)).reshape(count + 1, -1)
        errors = np.square(said - asked[held])
        lost[fold::FOLDS] = (errors[1:] - errors[0]).T
        left, whole = left + float(errors[0].sum()), whole + float(np.square(asked[held] - fitted[others].mean()).sum())
    return lost, left, whole


def _beyond(lost: Array, values: Sequence[Sequence[float]], paths: Sequence[str]) -> list[str]:
    """The parameters with a significant loss when shuffled; points with equal values in every seed count once."""
    scattered = any(max(v) - min(v) > 1e-9 * abs(v[0]) for v in values)
    groups: dict[Any, list[int]] = {}
    for i, v in enumerate(values):
        groups.setdefault(tuple(v) if scattered else i, []).append(i)
    means = [lost[group].mean(axis=0) for group in groups.values()]
    return significance.exceeding(
        {path: significance.one_sided([float(m[j]) for m in means]) for j, path in enumerate(paths)}
    )


def _feature(points: Sequence[Point], path: str) -> list[float]:
    """A parameter as a number: its value, or the rank of its first appearance."""
    values = [p.values.get(path) for p in points]
    found = [measure(path, value) for value in values]
    if None not in found:
        return [v for v in found if v is not None]
    seen: dict[str, int] = {}
    return [float(seen.setdefault(identity(v), len(seen))) for v in values]
