"""The step laws to compare: parameters, starting values, and the family of each.

`likelihood.step` computes them. Parameters, all for x = 0 at the lowest and 1 at the highest reading:
    constant      u, d                     step up, step down
    linear        u0, u1, d0, d1           steps at x = 0 and at x = 1
    soft_bounds   u, d, low, high          steps at the far bound; each falls linearly to 0 at its own bound
    exponential   u0, u1, cu, d0, d1, cd   steps at 0 and 1, curvature: s = a + (b − a)(e^{cx} − 1)/(e^c − 1)
    power         u, γu, d, γd, low, high  u((high − x)/(high − low))^γ
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hw_models.measured.fit.scaled import Scaled
from hw_models.measured.tables.traces import Floats

CONSTANT, LINEAR, SOFT_BOUNDS, EXPONENTIAL, POWER = range(5)
ADDITIVE, MULTIPLICATIVE = range(2)
NOISE = ("additive", "multiplicative")


@dataclass(frozen=True)
class Candidate:
    """A family with one kind of cycle-to-cycle noise: one row of the comparison."""

    family: str
    law: int
    noise: int
    names: tuple[str, ...]
    """Parameters of the law, in the kernel's order."""
    own_bounds: bool = False
    """Whether the bounds are parameters of the law; other laws use the bounds seen in the data."""

    @property
    def title(self) -> str:
        """Name in the table of comparisons."""
        return f"{self.family}, {NOISE[self.noise]} noise"


_LINEAR = ("u0", "u1", "d0", "d1")
_SOFT = ("u", "d", "low", "high")
_EXP = ("u0", "u1", "cu", "d0", "d1", "cd")
_POWER = ("u", "gu", "d", "gd", "low", "high")

CANDIDATES = (
    Candidate("neurosim", LINEAR, ADDITIVE, _LINEAR),
    Candidate("constant", CONSTANT, ADDITIVE, ("u", "d")),
    Candidate("soft_bounds", SOFT_BOUNDS, MULTIPLICATIVE, _SOFT, own_bounds=True),
    Candidate("soft_bounds", SOFT_BOUNDS, ADDITIVE, _SOFT, own_bounds=True),
    Candidate("linear", LINEAR, MULTIPLICATIVE, _LINEAR),
    Candidate("linear", LINEAR, ADDITIVE, _LINEAR),
    Candidate("power", POWER, MULTIPLICATIVE, _POWER, own_bounds=True),
    Candidate("exponential", EXPONENTIAL, MULTIPLICATIVE, _EXP),
)
"""In order of preference, for laws that describe the data equally well."""
FAMILIES = tuple(dict.fromkeys(candidate.family for candidate in CANDIDATES))


def fixed_bounds(candidate: Candidate, data: Scaled) -> tuple[float | None, float | None]:
    """Bounds seen in the data (the same for all cells) for a law with bounds; None if they must be fitted."""
    if not candidate.own_bounds:
        return None, None
    low, high = float(np.median(data.low)), float(np.median(data.high))
    return (low if np.isfinite(low) else None), (high if np.isfinite(high) else None)


def start(candidate: Candidate, data: Scaled, reach: int = 1) -> list[float]:
    """Starting values of the law, from linear fits to the steps of each direction over `reach` rows."""
    lines = [_line(data, True, reach), _line(data, False, reach)]
    (u0, u1), (d0, d1) = lines
    mean_up, mean_down = max((u0 + u1) / 2, 1e-6), max((d0 + d1) / 2, 1e-6)
    if candidate.law == CONSTANT:
        return [mean_up, mean_down]
    if candidate.law == LINEAR:
        return [u0, u1, d0, d1]
    if candidate.law == EXPONENTIAL:
        return [u0, u1, -0.5, d0, d1, 0.5]
    high = 1 + min(max(u1 / max(u0 - u1, 1e-9), 0.02), 2.0) if u0 > u1 else 3.0
    low = -min(max(d0 / max(d1 - d0, 1e-9), 0.02), 2.0) if d1 > d0 else -2.0
    up, down = mean_up / (high - 0.5) * (high - low), mean_down / (0.5 - low) * (high - low)
    if candidate.law == SOFT_BOUNDS:
        return [up, down, low, high]
    return [up, 1.0, down, 1.0, low, high]


def _line(data: Scaled, up: bool, reach: int) -> tuple[float, float]:
    """Steps at x = 0 and x = 1 by least squares; a change by several pulses is divided evenly."""
    total = np.cumsum(data.pulses)
    made = (data.pulses > 0) & (data.up == up)
    run = np.cumsum(~made)  # constant within an unbroken branch
    at = np.flatnonzero(made)
    at = at[at >= reach]
    linked = at[run[at] == run[at - reach]] if reach > 1 else at
    if len(linked) < 5:
        return _line(data, up, 1)
    inside = (data.y[linked] < data.high[data.cell[linked]]) & (data.y[linked] > data.low[data.cell[linked]])
    linked = linked[inside] if np.count_nonzero(inside) > 4 else linked
    before = linked - reach
    rate = (data.y[linked] - data.y[before]) / (total[linked] - total[before]) * (1.0 if up else -1.0)
    middle = np.array([data.y[a : b + 1].mean() for a, b in zip(before, linked, strict=True)])
    a, b = np.linalg.lstsq(np.stack([1 - middle, middle], axis=1), rate, rcond=None)[0]
    return float(a), float(b)


def allowed(candidate: Candidate, p: Sequence[float] | Floats) -> bool:
    """Whether the parameters give a valid device: right directions of steps, and bounds around the data."""
    if candidate.law == CONSTANT:
        return p[0] > 0 and p[1] > 0
    if candidate.law == LINEAR:
        return bool(max(p[0], p[1]) > 0 and max(p[2], p[3]) > 0 and max(abs(value) for value in p) < 10)
    if candidate.law == SOFT_BOUNDS:
        return bool(min(p[0], p[1]) > 0 and -1e2 < p[2] < 0.45 and 0.55 < p[3] < 1e2)
    if candidate.law == EXPONENTIAL:
        return bool(p[0] + p[1] > 0 and p[3] + p[4] > 0 and max(abs(p[2]), abs(p[5])) < 50)
    bounded = -1e2 < p[4] < 1e-3 and 1 - 1e-3 < p[5] < 1e2
    return bool(min(p[0], p[2]) > 0 and min(p[1], p[3]) >= 0 and max(p[1], p[3]) < 20 and bounded)
