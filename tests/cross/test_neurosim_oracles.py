"""NeuroSim's cell against its own numbers: labels, conductances after n pulses, joules of whole sweeps."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from hw_models.base import DeviceError, Drive, Pulse
from hw_models.families.neurosim import NeuroSim, curvatures, label_to_a


def near(value: Any, rel: float) -> Any:
    """`pytest.approx` without its absolute tolerance, which is a whole picosiemens or picojoule."""
    return pytest.approx(value, rel=rel, abs=0)


def conditions(up_v: float, up_s: float, down_v: float, down_s: float) -> Drive:
    """Write pulses; read 0.5 V; the conductance range of `Drive` is not used by a model in siemens."""
    return Drive(
        g_min_s=0.0,
        g_max_s=1.0,
        up=Pulse(up_v, up_s),
        down=Pulse(down_v, down_s),
        read_voltage_v=0.5,
        read_s=5e-9,
        cell_area_f2=16.0,
    )


AG_ASI = NeuroSim(
    name="Ag_aSi",
    r_on_ohm=26e6,
    on_off=12.5,
    states_up=97,
    states_down=100,
    nl_up=2.4,
    nl_down=-4.88,
    drive=conditions(3.2, 300e-6, -2.8, 300e-6),
)
TAOX_HFOX = NeuroSim(
    name="TaOx_HfOx",
    r_on_ohm=100e3,
    on_off=10.0,
    states_up=128,
    states_down=128,
    nl_up=0.04,
    nl_down=-0.63,
    drive=conditions(1.6, 50e-9, 1.6, 50e-9),
)
PCMO = NeuroSim(
    name="PCMO",
    r_on_ohm=23e6,
    on_off=6.84,
    states_up=50,
    states_down=50,
    nl_up=3.68,
    nl_down=-6.76,
    drive=conditions(-2.0, 1e-3, 2.0, 1e-3),
)


@pytest.mark.parametrize(
    ("label", "a"),
    [(0.5, 2.519877), (1.0, 1.251653), (2.4, 0.499181), (4.88, 0.200303), (6.76, 0.100251), (9.0, 0.022810)],
)
def test_the_closed_form_turns_labels_into_a(label: float, a: float) -> None:
    assert label_to_a(label) == pytest.approx(a, rel=1e-4)
    assert label_to_a(-label) == -label_to_a(label)


def test_every_label_bulges_by_its_own_size() -> None:
    """max_p[(1 - e^(-p/a))/(1 - e^(-1/a)) - p] = 0.07·√2·label, found by looking at 100,001 points of the curve."""
    p = np.linspace(0.0, 1.0, 100_001)
    for label in (0.01, 0.29, 0.57, 1.13, 3.3, 7.77, 9.0):
        a = label_to_a(label)
        bulge = (np.expm1(-p / a) / np.expm1(-1 / a) - p).max()
        assert bulge == pytest.approx(0.07 * math.sqrt(2) * label, rel=5e-6)  # A has six decimals


def test_labels_near_zero_are_straight_and_those_beyond_nine_count_as_nine() -> None:
    assert label_to_a(0.0) == math.inf
    assert label_to_a(0.002) == pytest.approx(1 / (8 * 0.07 * math.sqrt(2) * 0.002), rel=1e-4)
    assert label_to_a(50.0) == label_to_a(9.0)


def test_labels_of_spread_cells_are_interpolated_closely() -> None:
    labels = np.array([-8.9996, -4.8803, -0.00051, 0.0, 0.0149, 2.40049, 8.9871])
    exact = [1 / label_to_a(label) if label else 0.0 for label in labels]
    np.testing.assert_allclose(curvatures(labels), exact, rtol=3e-5, atol=1e-12)


def test_ag_asi_conductances_after_n_pulses() -> None:
    up, down = AG_ASI.curve(97, True), AG_ASI.curve(100, False)
    assert up[[1, 10, 50, 97]] == near([3.912983e-9, 1.070895e-8, 2.941480e-8, 3.846154e-8], 1e-6)
    assert down[[1, 50, 100]] == near([3.672658e-8, 5.770532e-9, 3.076923e-9], 1e-6)


@pytest.mark.parametrize("nl_down", [-4.88, 1.46, 0.0])
@pytest.mark.parametrize("at_once", [1, 7])
def test_cells_follow_the_curves_of_both_signs(nl_down: float, at_once: int) -> None:
    """G_LTP(P) and G_LTD written out, against cells that receive `at_once` pulses per write."""
    model = replace(AG_ASI, nl_down=nl_down, states_up=98, states_down=105)
    low, high = model.bounds()
    cells = model.manufacture(3, 0)
    for states, label, up in ((98, 2.4, True), (105, nl_down, False)):
        for done in range(at_once, states + 1, at_once):
            model.pulse(cells, np.array(at_once if up else -at_once))
            place = done if up else states - done
            share = place / states
            if label:
                a = label_to_a(label)
                share = math.expm1(-share / a) / math.expm1(-1 / a)
            np.testing.assert_allclose(cells.state, low + (high - low) * share, rtol=1e-9)
    assert (cells.pulses == 203).all()


@pytest.mark.parametrize(
    ("model", "up_j", "down_j"),
    [
        (AG_ASI, 7.8414e-9, 2.3342e-9),
        (TAOX_HFOX, 9.0501e-11, 8.3986e-11),
        (PCMO, 6.7394e-9, 2.0177e-9),
    ],
)
def test_write_energy_of_whole_sweeps(model: NeuroSim, up_j: float, down_j: float) -> None:
    cells = model.manufacture(1, 0)
    up = model.write_energy_j(model.pulse_and_tally(cells, np.array(model.states_up)))
    down = model.write_energy_j(model.pulse_and_tally(cells, np.array(-model.states_down)))
    assert up == near((up_j, 0.0), 1e-4)
    assert down == near((0.0, down_j), 1e-4)


def test_write_energy_of_one_pulse_with_and_without_capacitance() -> None:
    cells = AG_ASI.manufacture(1, 0)
    tally = AG_ASI.pulse_and_tally(cells, np.array(1))
    assert AG_ASI.write_energy_j(tally)[0] == near(1.073650e-11, 1e-4)
    assert AG_ASI.drive is not None
    wired = replace(AG_ASI, drive=replace(AG_ASI.drive, capacitance_f=1e-12))
    assert wired.write_energy_j(tally)[0] == near(1.073650e-11 + 3.2**2 * 1e-12, 1e-4)
    gate = replace(AG_ASI, drive=replace(AG_ASI.drive, capacitance_f=2e-18, write_current=False))
    assert gate.write_energy_j(tally)[0] == near(3.2**2 * 2e-18, 1e-12)
    with pytest.raises(DeviceError, match="no electrical conditions"):
        replace(AG_ASI, drive=None).write_energy_j(tally)


@pytest.mark.parametrize("pulses", [1, 9, -4])
def test_noise_comes_once_per_write_in_units_of_the_full_range(pulses: int) -> None:
    """G += N(0, s·(G_max - G_min))·√|n|, far from the bounds; the mean is that of the quiet curve."""
    model = replace(TAOX_HFOX, c2c=0.01)
    low, high = model.bounds()
    middle = np.array((low + high) / 2)
    noisy, quiet = model.manufacture(40_000, 4), model.manufacture(1, 4)
    model.program(noisy, middle)
    model.pulse(noisy, np.array(pulses))
    still = model.without(["cycle_to_cycle"])
    still.program(quiet, middle)
    still.pulse(quiet, np.array(pulses))
    sd = 0.01 * (high - low) * math.sqrt(abs(pulses))
    assert noisy.state.std() == pytest.approx(sd, rel=0.015)
    assert noisy.state.mean() == pytest.approx(float(quiet.state[0]), abs=4 * sd / 200)


def test_spread_is_in_the_label_of_each_cell() -> None:
    """One pulse up from the bottom tells a cell's label: as a share of the range, (1 - e^(-x/n))/(1 - e^(-x))."""
    model = replace(AG_ASI, d2d=0.4)
    cells = model.manufacture(20_000, 8)
    model.pulse(cells, np.array(1))
    low, high = model.bounds()
    first = (cells.state - low) / (high - low)
    grid = np.linspace(0.0, 5.0, 2001)
    bends = curvatures(grid)
    with np.errstate(invalid="ignore"):
        steps = np.where(bends == 0, 1 / 97, np.expm1(-bends / 97) / np.expm1(-bends))
    labels = np.interp(first, steps, grid)
    assert labels.mean() == pytest.approx(2.4, abs=4 * 0.4 / 20_000**0.5)
    assert labels.std() == pytest.approx(0.4, rel=0.03)


def test_weight_changes_become_whole_pulses() -> None:
    low, high = AG_ASI.bounds()
    change = (high - low) * np.array([0.0, 0.4 / 97, 0.6 / 97, 10.0 / 97, -0.4 / 100, -3.6 / 100, 1.0])
    assert AG_ASI.pulses_for(change).tolist() == [0, 0, 1, 10, 0, -4, 97]


def test_iv_nonlinearity_scales_the_chord_conductance() -> None:
    bent = replace(AG_ASI, iv_nonlinearity=10.0)
    state = np.array([1e-8])
    assert bent.conductance_at(state, 0.5, 3.2)[0] == near(1e-8, 1e-12)
    wanted = 1e-8 * 0.5 / 3.2 * 10 ** ((3.2 - 0.5) / 1.6)
    assert bent.conductance_at(state, 3.2, 3.2)[0] == near(wanted, 1e-12)
    assert bent.without(["iv_nonlinearity"]).conductance_at(state, 3.2, 3.2)[0] == 1e-8
    tally = (1, 1e-8, 0, 0.0)
    assert bent.write_energy_j(tally)[0] == near(3.2**2 * wanted * 300e-6, 1e-12)


def test_read_noise_is_relative_and_leaves_the_cells_alone() -> None:
    model = replace(TAOX_HFOX, read_noise=0.05)
    cells = model.manufacture(30_000, 1)
    before = cells.visible.copy()
    shown = model.read(cells, seed=3)
    assert np.array_equal(cells.visible, before)
    assert (shown / before).std() == pytest.approx(0.05, rel=0.02)
    assert not np.array_equal(shown, model.read(cells, seed=4))
    assert np.array_equal(model.without(["read_noise"]).read(cells), before)


def test_without_nonlinearity_the_range_is_crossed_in_equal_steps() -> None:
    straight = AG_ASI.without(["nonlinearity"])
    low, high = straight.bounds()
    for share in (0.0, 0.37, 1.0):
        state = low + share * (high - low)
        assert straight.step(state, True) == pytest.approx((high - low) / 97, rel=1e-12)
        assert straight.step(state, False) == pytest.approx((high - low) / 100, rel=1e-12)
    even = straight.without(["asymmetry"])
    assert even.step(low, True) == even.step(high, False) == pytest.approx((high - low) * (1 / 97 + 1 / 100) / 2)


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"nl_up": 9.5}, "nl_up is 9.5"),
        ({"nl_down": math.nan}, "nl_down is nan"),
        ({"c2c": -0.01}, "c2c is -0.01"),
        ({"on_off": 1.0}, "on_off is 1.0"),
        ({"r_on_ohm": 0.0}, "r_on_ohm is 0.0"),
        ({"states_up": 0}, "states_up is 0"),
        ({"states_down": 2.5}, "states_down is 2.5"),
        ({"off": frozenset({"asymetry"})}, "did you mean 'asymmetry'"),
    ],
)
def test_what_cannot_be_is_refused(changed: dict[str, object], told: str) -> None:
    with pytest.raises(DeviceError, match=told.replace(".", r"\.")):
        replace(AG_ASI, **changed)  # type: ignore[arg-type]
