"""Phase-change memory against aihwkit 1.2.0: programming noise, drift exponents, conductances from 0 s to a year.

Means and standard deviations of aihwkit's own draws, here of 300,000 cells, within 1 %.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from hw_models.base import Cells
from hw_models.families.levels.pcm import PhaseChange

CELLS = 300_000
TOLERANCE = 0.01
MODEL = PhaseChange()

# target uS: programmed mean and sd in uS, drift exponent mean and sd
PROGRAMMED = {
    0.25: (0.27939, 0.23882, 0.096412, 0.043824),
    1.0: (0.99998, 0.33985, 0.074695, 0.033538),
    2.5: (2.4992, 0.44777, 0.060169, 0.022715),
    5.0: (5.0017, 0.61129, 0.049357, 0.014229),
    10.0: (9.9998, 0.86096, 0.049004, 0.0079873),
    15.0: (15.002, 1.0217, 0.049002, 0.0079836),
    20.0: (20.002, 1.0815, 0.048959, 0.0079993),
    25.0: (25.001, 1.0529, 0.049006, 0.0079986),
}
# target uS: (time s, mean uS, sd uS), drift and 1/f noise included
READ = {
    0.25: [
        (0, 0.28232, 0.29257),
        (20, 0.26462, 0.27612),
        (3600, 0.17662, 0.19796),
        (86400, 0.13658, 0.16617),
        (2.592e06, 0.10519, 0.14212),
        (3.1536e07, 0.088013, 0.12947),
    ],
    1.0: [
        (0, 0.99936, 0.44941),
        (20, 0.95048, 0.43212),
        (3600, 0.6888, 0.35414),
        (86400, 0.55616, 0.32333),
        (2.592e06, 0.45001, 0.30297),
        (3.1536e07, 0.38601, 0.28902),
    ],
    2.5: [
        (0, 2.4983, 0.6073),
        (20, 2.3971, 0.59025),
        (3600, 1.8413, 0.52854),
        (86400, 1.5373, 0.51258),
        (2.592e06, 1.2762, 0.50382),
        (3.1536e07, 1.1159, 0.49593),
    ],
    5.0: [
        (0, 5.0025, 0.80546),
        (20, 4.8335, 0.78658),
        (3600, 3.8804, 0.72418),
        (86400, 3.3317, 0.71506),
        (2.592e06, 2.8373, 0.71027),
        (3.1536e07, 2.5231, 0.70534),
    ],
    10.0: [
        (0, 9.9982, 1.0909),
        (20, 9.6687, 1.0647),
        (3600, 7.7584, 0.94878),
        (86400, 6.6484, 0.90437),
        (2.592e06, 5.6419, 0.87147),
        (3.1536e07, 5.0006, 0.84887),
    ],
    15.0: [
        (0, 15.007, 1.2758),
        (20, 14.501, 1.2481),
        (3600, 11.638, 1.1518),
        (86400, 9.9761, 1.1372),
        (2.592e06, 8.4624, 1.1353),
        (3.1536e07, 7.5037, 1.1297),
    ],
    20.0: [
        (0, 20.006, 1.3777),
        (20, 19.333, 1.3445),
        (3600, 15.517, 1.3006),
        (86400, 13.307, 1.3395),
        (2.592e06, 11.288, 1.3764),
        (3.1536e07, 10.012, 1.3941),
    ],
    25.0: [
        (0, 25.003, 1.4006),
        (20, 24.173, 1.3649),
        (3600, 19.398, 1.4101),
        (86400, 16.628, 1.5143),
        (2.592e06, 14.102, 1.604),
        (3.1536e07, 12.505, 1.6503),
    ],
}


@cache
def written(target_us: float) -> Cells:
    """Cells written to one target; the same for all tests, which only read them."""
    cells = MODEL.manufacture(CELLS, seed=1)
    MODEL.program(cells, np.full(CELLS, target_us * 1e-6))
    return cells


@pytest.mark.parametrize("target_us", PROGRAMMED)
def test_programming_noise_and_drift_exponents(target_us: float) -> None:
    mean, deviation, exponent, exponent_deviation = PROGRAMMED[target_us]
    cells = written(target_us)
    assert cells.visible.mean() * 1e6 == pytest.approx(mean, rel=TOLERANCE)
    assert cells.visible.std() * 1e6 == pytest.approx(deviation, rel=TOLERANCE)
    exponents = MODEL.drift_exponents(cells.state, cells.spread[:, 0])
    assert exponents.mean() == pytest.approx(exponent, rel=TOLERANCE)
    assert exponents.std() == pytest.approx(exponent_deviation, rel=TOLERANCE)


@pytest.mark.parametrize("target_us", READ)
def test_conductances_after_a_time(target_us: float) -> None:
    for seed, (after_s, mean, deviation) in enumerate(READ[target_us]):
        seen = MODEL.read(written(target_us), after_s, seed) * 1e6
        assert seen.mean() == pytest.approx(mean, rel=TOLERANCE), after_s
        assert seen.std() == pytest.approx(deviation, rel=TOLERANCE), after_s
