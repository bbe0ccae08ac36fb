"""Combinations of values for sweeps without feedback: grid, zip, random and Sobol points, in a fixed order.

The same section and seed give the same combinations on every machine and with every version of numpy and scipy.
"""

from __future__ import annotations

import itertools
import json
import random
from collections.abc import Iterator
from typing import Any

from edgesdt.spec.sweep.section import Sweep

_PATIENCE = 50
"""Draws per wanted point after which a small space counts as exhausted."""


def combinations(sweep: Sweep, seed: int) -> Iterator[tuple[Any, ...]]:
    """Values of the parameters, in their order, for every point; `seed` is for random points."""
    if sweep.method == "grid":
        yield from itertools.product(*(parameter.values for parameter in sweep.parameters))
    elif sweep.method == "zip":
        yield from zip(*(parameter.values for parameter in sweep.parameters), strict=True) if sweep.parameters else [()]
    else:
        yield from itertools.islice(fresh(sweep, seed), sweep.samples)


def fresh(sweep: Sweep, seed: int) -> Iterator[tuple[Any, ...]]:
    """Yields distinct combinations by the sweep's method, until a small space is exhausted."""
    seen: set[str] = set()
    misses = 0
    shares = random_shares(len(sweep.parameters), seed) if sweep.method == "random" else sobol_shares(sweep, seed)
    for point in shares:
        values = tuple(
            parameter.at_share(share) for parameter, share in zip(sweep.parameters, point, strict=True)
        )
        key = json.dumps(values)
        misses = misses + 1 if key in seen else 0
        if misses > _PATIENCE * (1 + len(seen)):
            return
        if key not in seen:
            seen.add(key)
            yield values


def random_shares(dimensions: int, seed: int) -> Iterator[tuple[float, ...]]:
    """Points of the unit cube, each coordinate uniform (Mersenne Twister, whose stream Python guarantees)."""
    drawn = random.Random(seed)
    while True:
        yield tuple(drawn.random() for _ in range(dimensions))


def sobol_shares(sweep: Sweep, seed: int) -> Iterator[tuple[float, ...]]:
    """A Sobol sequence (Joe and Kuo's directions) with a random digital shift, so that no point lies at the corner."""
    from scipy.stats import qmc  # an import of half a second, only for Sobol sweeps

    dimensions = len(sweep.parameters)
    drawn = random.Random(seed)
    shifts = [drawn.getrandbits(30) for _ in range(dimensions)]
    sequence = qmc.Sobol(dimensions, scramble=False, bits=30)
    for power in itertools.count(6):
        block = sequence.random_base2(6) if power == 6 else sequence.random_base2(power - 1)
        for row in block:
            yield tuple((round(x * 2**30) ^ shift) / 2**30 for x, shift in zip(row.tolist(), shifts, strict=True))
        if power > 20:
            return
