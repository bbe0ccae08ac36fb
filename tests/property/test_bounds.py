"""With NUMBA_BOUNDSCHECK=1 an index out of range is an error in the kernels too: `make bounds` runs them so."""

from __future__ import annotations

import numba
import numpy as np
import pytest

from edgesdt.kernels.random_bank import draw
from hw_models.kernels import pulsing
from hw_models.kernels.step_laws import AFFINE


@pytest.mark.skipif(not numba.config.BOUNDSCHECK, reason="`make bounds` sets NUMBA_BOUNDSCHECK=1")
def test_bounds_are_checked_in_the_kernels_of_both_packages() -> None:
    with pytest.raises(IndexError, match="out of bounds"):
        draw(np.ones(4, np.uint32), np.zeros(3, np.uint32), 1)
    with pytest.raises(IndexError, match="out of bounds"):
        pulsing.step_sizes(AFFINE, np.zeros(2), np.zeros(13), np.zeros(3), 0)
