"""The write kernel: compiled code that writes cells of `target_level.py` to new targets.

It gives the same cells, draw for draw and bit for bit, as `Written.pulse` on arrays in single precision, which chips
use: targets are computed in single precision, deviations in double precision. A family describes its writes by
`write_law`, which `compiled.py` reads. The kernel has no Python-level loop over cells and allocates nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from hw_models.kernels.jit import njit
from hw_models.kernels.portable_math import exp
from hw_models.kernels.randomness import gaussian, high_half, word

SPACING, LOW, HIGH, ROUNDING, GRID, FIRST, NOISE, SIGMA, ARGUMENT, SINGLE, COEFFICIENTS = range(11)
"""Indices of the constants: change of the target by a pulse; its ends; its rounding and grid; kind of noise, and its
size or unit; unit of the curve's argument, and whether that division is in single precision; from the last index on,
the coefficients of the curve."""
AS_IT_IS, TO_GRID, TO_WHOLE = 0, 1, 2
NO_NOISE, EQUAL, POLYNOMIAL, SATURATING = 0, 1, 2, 3
"""Deviation of a write: none, SIGMA everywhere, or SIGMA times a curve of the target: Σ c_i x^i, A (1 - e^(-x/B))."""
_ONE = np.uint64(1)

Law = npt.NDArray[np.float64]


def law(
    spacing: float,
    bounds: tuple[float, float],
    rounding: tuple[int, float, float] = (AS_IT_IS, 1.0, 0.0),
    noise: tuple[int, float] = (NO_NOISE, 0.0),
    curve: tuple[float, bool, Sequence[float]] = (1.0, False, (0.0,)),
) -> Law:
    """The constants of a family: `rounding` is kind, grid, first level; `noise` kind and size; `curve` of the noise."""
    argument, single, coefficients = curve
    return np.array([spacing, *bounds, *rounding, *noise, argument, single, *coefficients], dtype=np.float64)


@njit(inline="always")
def _curve(state, law):  # type: ignore[no-untyped-def]
    """Deviation in units of SIGMA at a target in single precision, never below 0."""
    x = np.float64(state) / law[ARGUMENT]
    if law[SINGLE] != 0.0:
        x = np.float64(np.float32(state / np.float32(law[ARGUMENT])))
    if law[NOISE] == SATURATING:
        return max(law[COEFFICIENTS] * (1.0 - exp(-x / law[COEFFICIENTS + 1])), 0.0)
    last = law.shape[0] - 1
    sigma = law[last] + x * 0.0
    for i in range(last - 1, COEFFICIENTS - 1, -1):
        sigma = law[i] + sigma * x
    return max(sigma, 0.0)


@njit(nogil=True, cache=True)
def write_levels(law, state, visible, pulses, random, counts, places):  # type: ignore[no-untyped-def]
    """Moves the targets of cells `places[a]` (all distinct) by `counts[a]` levels and writes them; 0 is no write.

    state, visible (n,) in single precision, pulses (n,) and random (2,) are changed in place; counts and places (m,)
    integers, places inside 0..n-1 (not checked). A write with noise uses one random word.
    """
    key, counter, kind, rounding = random[0], random[1], law[NOISE], law[ROUNDING]
    spacing, low, high = np.float32(law[SPACING]), np.float32(law[LOW]), np.float32(law[HIGH])
    grid, first, equal = np.float32(law[GRID]), np.float32(law[FIRST]), np.float32(law[SIGMA])
    for a in range(counts.shape[0]):
        count = counts[a]
        if count == 0:
            continue
        at = np.uint64(places[a])
        target = np.float32(state[at] + np.float32(np.float32(count) * spacing))
        if rounding == TO_GRID:
            target = np.float32(np.float32(np.rint(np.float32(np.float32(target - first) / grid)) * grid) + first)
        elif rounding == TO_WHOLE:
            target = np.float32(np.rint(target))
        target = min(max(target, low), high)
        state[at] = target
        if kind == NO_NOISE:
            visible[at] = target
        else:
            draw = np.float32(gaussian(high_half(word(key, counter))))
            counter += _ONE
            if kind == EQUAL:
                visible[at] = np.float32(target + np.float32(draw * equal))
            else:
                noise = _curve(target, law) * law[SIGMA] * np.float64(draw)
                visible[at] = np.float32(max(np.float64(target) + noise, 0.0))
        pulses[at] += np.uint32(abs(count))
    random[1] = counter
