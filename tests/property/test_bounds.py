"""With NUMBA_BOUNDSCHECK=1 an index out of range is an error in the kernels too: `make bounds` runs them so."""

from __future__ import annotations

import numba
import numpy as np
import pytest

from edgesdt.chip.simulated import Chip
from edgesdt.kernels.random_bank import draw
from edgesdt.rules.lookup import rule_of
from hw_models.kernels import pulsing
from hw_models.kernels.step_laws import AFFINE
from tests.golden.make import CHIPS
from tests.small_chips import random_samples, spec_of


@pytest.mark.skipif(not numba.config.BOUNDSCHECK, reason="`make bounds` sets NUMBA_BOUNDSCHECK=1")
def test_bounds_are_checked_in_the_kernels_of_both_packages() -> None:
    with pytest.raises(IndexError, match="out of bounds"):
        draw(np.ones(4, np.uint32), np.zeros(3, np.uint32), 1)
    with pytest.raises(IndexError, match="out of bounds"):
        pulsing.step_sizes(AFFINE, np.zeros(2), np.zeros(13), np.zeros(3), 0)


@pytest.mark.skipif(not numba.config.BOUNDSCHECK, reason="`make bounds` sets NUMBA_BOUNDSCHECK=1")
@pytest.mark.parametrize("name", [name for name in CHIPS if not name.startswith("insitu")])
def test_no_index_of_a_digital_chip_is_out_of_bounds(name: str) -> None:
    """The chips of the golden traces, all with weights of one width: kernels are compiled for each width anew."""
    layers, fields = CHIPS[name]
    spec = spec_of(layers, {**fields, "chip.weights.bits": 12})
    samples, labels = random_samples(spec, 0, 2 * spec.learning.batch + 3)
    chip = Chip(spec)
    chip.learn(samples, labels % rule_of(spec).classes(spec))
    assert len(chip.infer(samples)) == len(samples)
