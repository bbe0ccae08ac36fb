"""Chooses the candidates with the largest expected improvement of the hypervolume of a Pareto front.

By random scalarisations (Zhang and Golovin, "Random Hypervolume Scalarizations for Provable Multi-Objective Black Box
Optimization", ICML 2020): for directions d of the positive sphere, the mean of max over points of min over objectives
of (gain_i / d_i)^m is the hypervolume, up to a constant factor. The input is costs, the output indices; it does not
depend on chips.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from edgesdt.sweep.search.surrogate import Floats

_DIRECTIONS: Final = 256
_DRAWS: Final = 16
"""Random draws of the possible costs of a candidate."""
_BEYOND: Final = 0.1
"""The reference corner lies beyond the worst seen cost by this share of the seen range, unless a constraint is
nearer."""


@dataclass(frozen=True)
class Expected:
    """Expected costs of candidates, and their probability of keeping the constraints.

    `mean` and `sd` are (candidates, objectives), the probability (candidates,). `limits` (objectives,)
    holds the constraints' limits, infinite if there is none.
    """

    mean: Floats
    sd: Floats
    kept: Floats
    limits: Floats


def choose(wanted: int, seen: Floats, kept: Floats, expected: Expected, seed: int) -> list[int]:
    """Indices of at most `wanted` candidates, the best first; each assumes that those before it have been run.

    `seen` (points, objectives) holds the costs of all points that have been run, `kept` those of points that keep the
    constraints. The scales come from all seen points, because few points may keep strict constraints.
    """
    drawn = np.random.RandomState(seed)
    objectives = expected.mean.shape[1]
    directions = np.abs(drawn.standard_normal((_DIRECTIONS, objectives))) + 1e-9
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    low, high = seen.min(axis=0), seen.max(axis=0)
    corner = np.minimum(high + _BEYOND * (high - low), expected.limits)
    span = np.maximum(corner - low, np.maximum(_BEYOND * (high - low), 1e-9))

    def value(costs: Floats) -> Floats:
        """(…, objectives) → (…, directions): the share of the hypervolume in each direction."""
        gain = np.maximum(corner - costs, 0.0) / span
        lowest = np.full((*gain.shape[:-1], _DIRECTIONS), np.inf)
        for index in range(objectives):
            np.minimum(lowest, gain[..., index, None] / directions[:, index], out=lowest)
        return np.asarray(lowest**objectives)

    reached = value(kept).max(axis=0) if len(kept) else np.zeros(_DIRECTIONS)
    quantiles = drawn.standard_normal((_DRAWS, objectives))
    offered = value(expected.mean[:, None, :] + expected.sd[:, None, :] * quantiles)
    likely = value(expected.mean)
    chosen: list[int] = []
    for _ in range(min(wanted, len(expected.mean))):
        promise = np.maximum(offered - reached, 0.0).mean(axis=(1, 2)) * expected.kept
        promise[chosen] = -1.0
        chosen.append(int(np.argmax(promise)))
        reached = np.maximum(reached, likely[chosen[-1]])
    return chosen
