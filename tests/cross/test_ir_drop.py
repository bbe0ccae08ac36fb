"""IR drop: the fast line sweeps within 2 % of an exact solve of the resistive network; both against small circuits."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from hw_models.base import DeviceError
from hw_models.periphery.ir_drop import effective_conductances, exact_currents, fast_currents, network

Floats = npt.NDArray[np.float64]


def case(rows: int, columns: int, g_max: float, seed: int = 1) -> tuple[Floats, Floats]:
    rng = np.random.default_rng(seed)
    return rng.uniform(g_max / 100, g_max, (rows, columns)), rng.uniform(0, 0.5, rows)


@pytest.mark.parametrize("g_max", [5e-6, 50e-6, 100e-6])
@pytest.mark.parametrize("ohm", [0.35, 1.0, 2.5])
@pytest.mark.parametrize("size", [64, pytest.param(128, marks=pytest.mark.slow)])
def test_fast_is_within_two_percent_of_exact(size: int, ohm: float, g_max: float) -> None:
    g, v = case(size, size, g_max)
    exact = exact_currents(g, v, ohm, ohm)
    fast, sweeps = fast_currents(g, v, ohm, ohm)
    assert np.abs(fast / exact - 1).max() < 0.02
    assert sweeps <= 5
    lost = 1 - exact.sum() / (v @ g).sum()
    assert lost > 0.001 * ohm / 0.35 * g_max / 5e-6, "else there is nothing to model"


def test_sparse_inputs_of_both_signs() -> None:
    g, v = case(128, 128, 100e-6)
    v *= np.where(np.arange(128) % 3 == 0, -1.0, 1.0) * (np.arange(128) % 5 == 0)
    exact = exact_currents(g, v, 2.5, 1.0)
    assert np.abs(fast_currents(g, v, 2.5, 1.0)[0] - exact).max() < 0.02 * np.abs(exact).max()


def test_one_cell_is_three_resistors_in_series() -> None:
    expected = 0.5 / (10 + 1 / 1e-4 + 20)
    assert exact_currents(np.array([[1e-4]]), np.array([0.5]), 10, 20)[0] == pytest.approx(expected, rel=1e-12)
    assert fast_currents(np.array([[1e-4]]), np.array([0.5]), 10, 20)[0][0] == pytest.approx(expected, rel=1e-12)


def test_two_cells_on_a_row_by_hand() -> None:
    """Both see the first segment; the farther one the second as well. Columns have no resistance to speak of."""
    g1, g2, r, volts = 1e-3, 2e-3, 50.0, 1.0
    far = 1 / (r + 1 / g2)
    first = volts / (1 + r * (g1 + far))
    currents = exact_currents(np.array([[g1, g2]]), np.array([volts]), r, 0.0)
    assert currents == pytest.approx([first * g1, first * far], rel=1e-6)


def test_two_cells_on_a_column_by_hand() -> None:
    g1, g2, r = 1e-3, 2e-3, 50.0
    v = np.array([1.0, 0.5])
    # node voltages below the two cells: g1(v1-a) = (a-b)/r, g2(v2-b) + (a-b)/r = b/r
    a, b = np.linalg.solve([[g1 + 1 / r, -1 / r], [-1 / r, g2 + 2 / r]], [g1 * v[0], g2 * v[1]])
    assert a > b > 0
    assert exact_currents(np.array([[g1], [g2]]), v, 0.0, r)[0] == pytest.approx(b / r, rel=1e-6)


def test_without_resistance_it_is_the_plain_product() -> None:
    g, v = case(20, 30, 1e-4)
    fast, sweeps = fast_currents(g, v, 0.0, 0.0)
    assert fast == pytest.approx(v @ g, rel=1e-6)
    assert sweeps <= 2


def test_more_sweeps_come_closer() -> None:
    g, v = case(96, 40, 100e-6)
    exact, net = exact_currents(g, v, 2.0, 3.0), network(g, 2.0, 3.0)
    errors = [np.abs(net.currents(v, tolerance)[0] / exact - 1).max() for tolerance in (0.3, 1e-2, 1e-5, 1e-9)]
    assert errors == sorted(errors, reverse=True)
    assert errors[-1] < 1e-8 < errors[0]


def test_effective_conductances_are_the_network() -> None:
    g, v = case(24, 17, 100e-6)
    effective = effective_conductances(g, 3.0, 2.0)
    assert v @ effective == pytest.approx(exact_currents(g, v, 3.0, 2.0), rel=1e-9)
    assert (effective > 0).all() and effective.sum() < g.sum()


def test_the_far_corner_loses_most() -> None:
    g = np.full((32, 32), 5e-5)
    effective = effective_conductances(g, 1.0, 1.0)
    assert np.diff(exact_currents(g, np.full(32, 0.5), 1.0, 1.0)).max() < 0, "columns far from the drivers get less"
    assert np.diff(effective.sum(axis=1)).min() > 0, "rows far from the ground get less"


@pytest.mark.parametrize(
    ("g", "ohm", "told"),
    [
        (np.array([[-1e-6]]), 1.0, "siemens"),
        (np.array([[np.nan]]), 1.0, "siemens"),
        (np.array([[1e-6]]), -1.0, "row_ohm"),
    ],
)
def test_what_is_no_network(g: Floats, ohm: float, told: str) -> None:
    with pytest.raises(DeviceError, match=told):
        network(g, ohm, 1.0)
