"""The codes of a weight in a digital memory: as stored, and as a read gives them.

A synapse may store low-order bits that reads do not use (`chip.weights.hidden_bits`). They gather small updates; a
drive, an error or a transposed read gets the other bits alone, in one of three ways (`chip.weights.levels`). Codes and
formats are defined in docs/explanation/arithmetic.md.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from edgesdt.qformat import QFormat
from edgesdt.spec import Spec

Ints = npt.NDArray[np.int64]


def stored(spec: Spec) -> QFormat:
    """The format of a weight that updates see: all its bits."""
    weights = spec.chip.weights
    return QFormat(weights.bits + weights.hidden_bits, weights.point + weights.hidden_bits)


def seen(spec: Spec) -> QFormat:
    """The format of a weight that is read; odd multiples of half an LSB take a bit more, which is always 1."""
    weights, odd = spec.chip.weights, spec.chip.weights.levels == "odd"
    return QFormat(weights.bits + odd, weights.point + odd)


def reading(spec: Spec) -> Ints:
    """How kernels make a read code of a stored one: (right, half, lowest, highest, odd).

    Empty where a code is read as it is stored.
    """
    weights = spec.chip.weights
    odd, right = weights.levels == "odd", weights.hidden_bits
    if right == 0 and not odd:
        return np.zeros(0, np.int64)
    half = 1 << (right - 1) if weights.levels == "nearest" else 0
    kept = QFormat(weights.bits, weights.point)
    return np.array([right, half, kept.lowest, kept.highest, int(odd)], np.int64)


def read(codes: npt.NDArray[np.integer], how: Ints) -> Ints:
    """The read codes of stored `codes`, any shape, as int64; `how` is `reading`."""
    wide: Ints = codes.astype(np.int64)
    if not how.size:
        return wide
    right, half, lowest, highest, odd = how.tolist()
    made: Ints = (np.clip((wide + half) >> right, lowest, highest) << odd) | odd
    return made
