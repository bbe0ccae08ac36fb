"""A lookup table made of CrossSim 2.0's ENODe data: steps at every conductance have the measured mean and deviation.

Table of 41 conductances: mean and standard deviation of one pulse's change, up and down. Drawn here 100,000 times each,
within 2 %.
"""

from __future__ import annotations

import numpy as np
import pytest

from hw_models.families.lookup import Lookup
from hw_models.sheets import catalog

CELLS = 100_000
TOLERANCE = 0.02

# conductance, mean and sd of a step up, mean and sd of a step down, all in uS
MEASURED = [
    (297.72, 7.666667, 1.130332, -0.6864478, 0.4996451),
    (312.2, 6.5, 0.6518761, -0.7333435, 0.5329519),
    (326.68, 6.745638, 0.7458296, -0.8304086, 0.5224339),
    (355.64, 6.965259, 0.7586288, -1.161616, 0.5165361),
    (370.12, 7.080196, 0.7855451, -1.335653, 0.5457791),
    (384.6, 6.956956, 0.6956805, -1.479798, 0.5569542),
    (399.08, 6.998508, 0.813714, -1.666667, 0.522233),
    (413.56, 6.955107, 0.7344292, -1.777778, 0.5515004),
    (428.04, 6.881033, 0.8532119, -1.909091, 0.5239884),
    (457, 6.734275, 0.7393313, -2.151515, 0.5097759),
    (471.48, 6.731558, 0.8771557, -2.236173, 0.5821615),
    (485.96, 6.621263, 0.8207173, -2.333333, 0.5412294),
    (500.44, 6.552686, 0.8577772, -2.454188, 0.558321),
    (514.92, 6.429867, 0.8318828, -2.510024, 0.5773817),
    (529.4, 6.358694, 0.8876025, -2.649156, 0.5728823),
    (558.36, 6.078359, 0.9517441, -2.779653, 0.5648831),
    (572.84, 6.019182, 0.9157225, -2.82262, 0.561378),
    (587.32, 5.809203, 0.9261334, -2.900367, 0.5744594),
    (601.8, 5.739711, 0.8993991, -2.933323, 0.566034),
    (616.28, 5.531527, 0.9763558, -3.047774, 0.5853019),
    (645.24, 5.245021, 0.9272229, -3.141414, 0.59476),
    (659.72, 5.105542, 0.9895119, -3.147795, 0.5165201),
    (674.2, 4.843893, 0.9942686, -3.19697, 0.6001607),
    (688.68, 4.750485, 0.9786723, -3.235601, 0.6082711),
    (703.16, 4.501326, 1.095161, -3.269615, 0.6911053),
    (717.64, 4.356842, 1.069944, -3.282127, 0.6000333),
    (746.6, 3.969659, 1.030403, -3.324316, 0.6106096),
    (761.08, 3.793248, 1.097054, -3.372003, 0.6583385),
    (775.56, 3.447556, 1.067923, -3.331752, 0.6704001),
    (790.04, 3.340067, 1.077313, -3.3191, 0.7259781),
    (804.52, 3.067085, 1.09645, -3.303081, 0.6290073),
    (819, 2.868228, 1.114346, -3.332415, 0.7264354),
    (847.96, 2.433613, 1.100521, -3.189117, 0.7784492),
    (862.44, 2.160451, 1.101904, -3.124603, 0.7835264),
    (876.92, 1.929391, 1.084848, -3.068297, 0.8059592),
    (891.4, 1.699373, 1.0813, -2.942714, 0.8084787),
    (905.88, 1.433387, 1.047868, -2.821239, 0.9896439),
    (920.36, 1.158453, 1.03619, -2.553036, 1.073146),
    (949.32, 0.8286654, 0.9553196, -1.982884, 1.271291),
    (963.8, 0.7995852, 0.9363222, -1.962121, 1.271712),
    (978.28, 0.7575758, 0.8656277, -1.880719, 1.222532),
]
TABLE = np.array(MEASURED).T * 1e-6
ENODE = Lookup.from_moments(TABLE[0], (TABLE[1], TABLE[2]), (TABLE[3], TABLE[4]), name="ENODe")


def changes(model: Lookup, conductance_s: float, count: int) -> np.ndarray:
    """Changes in siemens of many cells at one conductance by `count` pulses."""
    cells = model.manufacture(CELLS, seed=4)
    model.program(cells, np.full(CELLS, conductance_s))
    before = cells.state.copy()
    model.pulse(cells, np.full(CELLS, count))
    return cells.state - before


@pytest.mark.parametrize("row", MEASURED, ids=lambda row: f"{row[0]} uS")
def test_one_pulse_has_the_measured_moments(row: tuple[float, ...]) -> None:
    for count, mean, deviation in ((1, row[1], row[2]), (-1, row[3], row[4])):
        change = changes(ENODE, row[0] * 1e-6, count) * 1e6
        assert change.mean() == pytest.approx(mean, rel=TOLERANCE)
        assert change.std() == pytest.approx(deviation, rel=TOLERANCE)


def test_the_figure_that_is_quoted() -> None:
    up, down = (changes(ENODE, 297.72e-6, count) * 1e6 for count in (1, -1))
    assert (up.mean(), up.std()) == pytest.approx((7.667, 1.130), rel=TOLERANCE)
    assert (down.mean(), down.std()) == pytest.approx((-0.686, 0.500), rel=TOLERANCE)


def test_between_two_conductances_quantiles_are_between_theirs() -> None:
    (low, high), middle = MEASURED[10:12], (MEASURED[10][0] + MEASURED[11][0]) / 2
    change = changes(ENODE, middle * 1e-6, 1) * 1e6
    assert change.mean() == pytest.approx((low[1] + high[1]) / 2, rel=TOLERANCE)
    assert change.std() == pytest.approx((low[2] + high[2]) / 2, rel=TOLERANCE)


def test_the_shipped_preset_is_this_table() -> None:
    shipped = catalog.load("ENODe_lookup")
    assert isinstance(shipped, Lookup)
    assert shipped.bounds() == pytest.approx(ENODE.bounds(), rel=1e-5)
    for row in (MEASURED[0], MEASURED[20], MEASURED[40]):
        change = changes(shipped, row[0] * 1e-6, 1) * 1e6
        assert (change.mean(), change.std()) == pytest.approx(row[1:3], rel=TOLERANCE)


@pytest.mark.parametrize(("share", "up"), [(0.25, True), (4.0, True), (0.5, False), (3.0, False)])
def test_a_request_scales_the_mean_and_the_root_of_the_noise(share: float, up: bool) -> None:
    """CrossSim manual v0.3 section 6.7: s = wanted / average step over 25 to 75 % of the range."""
    low, high = ENODE.bounds()
    inner = np.linspace(low + (high - low) / 4, low + 3 * (high - low) / 4, 20_001)
    sign, mean_row, deviation_row = (1, 1, 2) if up else (-1, 3, 4)
    average = np.interp(inner, TABLE[0], sign * TABLE[mean_row]).mean()
    cells = ENODE.manufacture(CELLS, seed=5)
    at = TABLE[0][20]
    ENODE.program(cells, np.full(CELLS, at))
    ENODE.request(cells, np.full(CELLS, sign * share * average))
    change = cells.state - at
    assert change.mean() == pytest.approx(share * TABLE[mean_row][20], rel=TOLERANCE)
    assert change.std() == pytest.approx(np.sqrt(share) * TABLE[deviation_row][20], rel=TOLERANCE)
    assert (cells.pulses == max(round(share), 1)).all()
