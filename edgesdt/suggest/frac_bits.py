"""`chip.weights.frac_bits: auto`: the number that suits the first weights and a short training on held-out samples.

The candidates lie around the finest format that holds the first weights. Each is tried in a miniature of the run on a
part of the training samples, and read out on another part of them. No test sample is seen, and nothing depends on a
clock or on the number of workers.
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any, Final

from edgesdt.datasets import Dataset
from edgesdt.spec import Spec
from edgesdt.suggest.trial import accuracy, part_of, sampling_error

AROUND: Final = (0, 1, 2, 3, -1)
"""Candidates, in bits finer than the finest format that holds the first weights; of equals the first is taken."""
_FINEST, _COARSEST, _TO_BIASES = 24, -8, 30  # as `spec.agreement` has them


def chosen(spec: Spec, data: Dataset) -> Spec:
    """The spec with a number where it says `auto`; the spec itself where it does not.

    On analog cells, where it is the accumulator's LSB alone, the first weights decide. Raises as `Chip`.
    """
    if not is_auto(spec):
        return spec
    if not spec.device.digital:
        return without_data(spec)
    finest = _of_first_weights(spec)
    tried = part_of(data)
    candidates = dict.fromkeys(_held(spec, finest + more) for more in AROUND)
    found = {bits: accuracy(_with(spec, bits), tried) for bits in candidates}
    best = max(found.values())
    near = best - sampling_error(best, tried)
    return _with(spec, next(bits for bits, reached in found.items() if reached >= near))


def without_data(spec: Spec) -> Spec:
    """As `chosen` from the first weights alone: the finest format that holds them."""
    return _with(spec, _of_first_weights(spec)) if is_auto(spec) else spec


def is_auto(spec: Spec) -> bool:
    """Whether the spec leaves the bits below the point of its weights open."""
    return spec.chip.weights.frac_bits == "auto"


def _of_first_weights(spec: Spec) -> int:
    """Bits below the point of the finest format that holds the first weights of every layer (Xavier-uniform)."""
    weights, layers = spec.chip.weights, spec.chip.layers
    bound = max(weights.init_gain * math.sqrt(6.0 / (a + b)) for a, b in pairwise(layers))
    return _held(spec, weights.bits - 1 - math.ceil(math.log2(bound)) if bound else weights.bits + 4)


def _held(spec: Spec, bits: int) -> int:
    """The nearest number that the spec may have."""
    biases = spec.chip.biases
    lowest = max(_COARSEST, biases.frac_bits - _TO_BIASES) if biases.enabled else _COARSEST
    return min(max(bits, lowest), _FINEST)


def _with(spec: Spec, bits: int) -> Spec:
    plain: dict[str, Any] = spec.plain()
    plain["chip"]["weights"]["frac_bits"] = bits
    return Spec.from_plain(plain)
