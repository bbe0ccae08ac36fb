"""`chip.weights.frac_bits: auto`: chooses the number from the initial weights and short trainings.

The candidates lie around the finest format that holds the initial weights. Each is tried in a short run on a part of
the training samples, and read out on another part. No test sample is used, and the result does not depend on a clock or
on the number of workers.
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any, Final

from edgesdt.datasets import Dataset
from edgesdt.spec import Spec
from edgesdt.suggest.trial import accuracy, part_of, sampling_error

AROUND: Final = (0, 1, 2, 3, -1)
"""Candidates, in bits finer than the finest format that holds the initial weights; the first of equals wins."""
_FINEST, _COARSEST, _TO_BIASES = 24, -8, 30  # the same range as in `spec.agreement`


def chosen(spec: Spec, data: Dataset) -> Spec:
    """The spec with `auto` replaced by a number; the spec itself if it has no `auto`.

    On analog cells the number only sets the accumulator's LSB, and the initial weights determine it. Raises as `Chip`.
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
    """As `chosen`, from the initial weights alone: the finest format that holds them."""
    return _with(spec, _of_first_weights(spec)) if is_auto(spec) else spec


def is_auto(spec: Spec) -> bool:
    """Whether `chip.weights.frac_bits` of the spec is `auto`."""
    return spec.chip.weights.frac_bits == "auto"


def _of_first_weights(spec: Spec) -> int:
    """Fractional bits of the finest format that holds the initial weights of every layer (Xavier-uniform)."""
    weights, layers = spec.chip.weights, spec.chip.layers
    bound = max(weights.init_gain * math.sqrt(6.0 / (a + b)) for a, b in pairwise(layers))
    return _held(spec, weights.bits - 1 - math.ceil(math.log2(bound)) if bound else weights.bits + 4)


def _held(spec: Spec, bits: int) -> int:
    """The nearest number that a spec allows."""
    biases = spec.chip.biases
    lowest = max(_COARSEST, biases.frac_bits - _TO_BIASES) if biases.enabled else _COARSEST
    return min(max(bits, lowest), _FINEST)


def _with(spec: Spec, bits: int) -> Spec:
    plain: dict[str, Any] = spec.plain()
    plain["chip"]["weights"]["frac_bits"] = bits
    return Spec.from_plain(plain)
