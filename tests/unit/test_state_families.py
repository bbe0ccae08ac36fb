"""What each family of states and each wrapper does, number by number; the laws that all share are tested elsewhere."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from hw_models.base import CellModel, DeviceError, Drive, Pulse
from hw_models.families.levels.pcm import PhaseChange
from hw_models.families.levels.programmed import Programmed
from hw_models.families.levels.quantized import Quantized
from hw_models.families.lookup import Lookup
from hw_models.families.sram import Sram
from hw_models.families.wrappers.endurance import Endurance
from hw_models.families.wrappers.retention import Retention
from hw_models.families.wrappers.stuck_at import StuckAt

MANY = 100_000
DAY_S = 86_400.0
TABLE: dict[str, Any] = {
    "g_s": (1e-6, 2e-6, 4e-6),
    "cdf": (0.25, 0.75),
    "up_s": ((1e-7, 0.0, 0.0), (3e-7, 2e-7, 1e-7)),
    "down_s": ((-2e-7, -2e-7, -5e-7), (0.0, -2e-7, -3e-7)),
}
DRIVE = Drive(1e-6, 5e-6, Pulse(1.0, 1e-6), Pulse(-1.0, 1e-6), 0.5, 1e-8, 16.0)


def at(model: CellModel, target: float, count: int = MANY, seed: int = 0) -> Any:
    """`count` cells written to one target."""
    cells = model.manufacture(count, seed)
    model.program(cells, np.full(count, target))
    return cells


# --- memory and levels


@pytest.mark.parametrize(("bits", "low", "high"), [(2, -2, 1), (8, -128, 127), (24, -8388608, 8388607)])
def test_sram_holds_every_code(bits: int, low: int, high: int) -> None:
    model = Sram(bits=bits)
    assert model.bounds() == (low, high)
    codes = np.unique(np.linspace(low, high, 300).round())
    for dtype in (np.float32, np.float64):
        cells = model.manufacture(len(codes), 0, dtype)
        model.program(cells, codes)
        assert np.array_equal(model.read(cells, 1e9, 3), codes)
        model.pulse(cells, np.full(len(codes), 2**bits))
        assert (cells.visible == high).all()
        model.pulse(cells, np.full(len(codes), -3))
        assert (cells.visible == max(high - 3, low)).all()


def test_sram_takes_the_nearest_code() -> None:
    cells = Sram().manufacture(5, 0)
    Sram().program(cells, np.array([3.4, 3.6, -7.2, 500.0, -500.0]))
    assert cells.visible.tolist() == [3, 4, -7, 127, -128]


def test_levels_are_equally_spaced_and_pulses_whole_levels() -> None:
    model = Quantized(levels=5, w_min=-1.0, w_max=1.0)
    cells = model.manufacture(5, 0)
    model.program(cells, np.array([-0.8, -0.7, 0.1, 0.74, 9.0]))
    assert cells.state.tolist() == [-1.0, -0.5, 0.0, 0.5, 1.0]
    model.pulse(cells, np.array([1, 2, -1, 9, -4]))
    assert cells.state.tolist() == [-0.5, 0.5, -0.5, 1.0, -1.0]
    smooth = model.without(["quantisation"])
    smooth.program(cells, np.full(5, 0.3))
    smooth.pulse(cells, np.ones(5, dtype=int))
    assert cells.state.tolist() == pytest.approx([0.8] * 5)


def test_noise_of_levels_is_in_level_spacings() -> None:
    model = Quantized(levels=5, write_noise=0.2, read_noise=0.1)
    cells = at(model, 0.0)
    assert (cells.visible.mean(), cells.visible.std()) == pytest.approx((0.0, 0.1), abs=2e-3)
    read = model.read(cells, seed=1) - cells.visible
    assert (read.mean(), read.std()) == pytest.approx((0.0, 0.05), abs=1e-3)
    assert abs(np.corrcoef(read, cells.visible)[0, 1]) < 0.02


def test_a_coarse_converter_returns_its_levels_only() -> None:
    model = Quantized(levels=17, read_levels=3, write_noise=0.5)
    cells = model.manufacture(17, 0)
    model.program(cells, np.linspace(-1, 1, 17))
    assert set(model.read(cells).tolist()) == {-1.0, 0.0, 1.0}


# --- programmed devices


@pytest.mark.parametrize(("after_s", "row"), [(0, 0), (1, 0), (DAY_S, 1), (2 * DAY_S, 2), (1e9, 2)])
def test_wan_2022_sigma_grows_over_two_days(after_s: float, row: int) -> None:
    """The quartics of aihwkit 1.2.0, in uS over r = g/40 uS."""
    rows = [
        (0.348, 16.03, -43.853, 45.393, -16.815),
        (0.701, 22.086, -50.773, 47.095, -16.458),
        (0.782, 20.274, -43.507, 37.062, -11.934),
    ]
    model = Programmed(times_s=(1.0, DAY_S, 2 * DAY_S), coefficients=tuple(rows))
    for ratio in (0.25, 0.5, 0.9):
        sigma = sum(c * ratio**power for power, c in enumerate(rows[row]))
        seen = model.read(at(model, 40e-6 * ratio), after_s, 1) * 1e6
        assert seen.mean() == pytest.approx(40 * ratio, rel=2e-3)
        assert seen.std() == pytest.approx(sigma, rel=0.01)


def test_coefficients_between_two_times_are_interpolated() -> None:
    model = Programmed(coefficients=((1.0,), (3.0,)), times_s=(0.0, 100.0))
    assert model.sigma_s(np.array([1e-5]), 25.0) == pytest.approx(1.5e-6)


@pytest.mark.parametrize(
    ("model", "target_us", "sigma_us"),
    [
        # CrossSim 3.2.0: PCM_Joshi, RRAM_Milo, RRAM_Wan
        (Programmed(argument_s=1e-6, coefficients=((0.28638599, 0.07585724, -0.00178767),)), 20.0, 1.088463),
        (Programmed(argument_s=1e-6, g_max_s=225e-6, coefficients=((4.782321, -0.009107),)), 100.0, 3.871621),
        (Programmed(argument_s=1e-6, coefficients=((1.053, 0.2374, -0.01167, 1.536e-4),)), 30.0, 1.8192),
    ],
)
def test_polynomials_in_microsiemens(model: Programmed, target_us: float, sigma_us: float) -> None:
    seen = at(model, target_us * 1e-6).visible * 1e6
    assert seen.std() == pytest.approx(sigma_us, rel=0.01)


def test_a_sigma_below_zero_is_none() -> None:
    cells = at(Programmed(argument_s=1e-6, coefficients=((1.0, -0.1),)), 30e-6, 100)
    assert (cells.visible == 30e-6).all()


def sonos() -> Programmed:
    """Two of the days of CrossSim's SONOS, 1 nA as 10 nS."""
    return Programmed(
        g_max_s=16e-6,
        curve="saturating",
        argument_s=1e-8,
        unit_s=1e-8,
        times_s=(0.0, DAY_S),
        coefficients=((19.88665, 176.3115), (25.59102, 186.85544)),
        shift=((0.0, 0.0), (0.68365, 0.0065125)),
        read_coefficients=(12.58037, 215.36557),
    )


def test_a_saturating_sigma_a_moving_mean_and_noisy_reads() -> None:
    model, current = sonos(), 800.0
    cells = at(model, current * 1e-8)
    for after_s, (a, b), shift in ((0.0, (19.88665, 176.3115), 0.0), (DAY_S, (25.59102, 186.85544), 5.89365)):
        mean = current + shift
        spread, read = a * (1 - math.exp(-mean / b)), 12.58037 * (1 - math.exp(-mean / 215.36557))
        seen = model.read(cells, after_s, 1) * 1e8
        assert seen.mean() == pytest.approx(mean, rel=1e-3)
        assert seen.std() == pytest.approx(math.hypot(spread, read), rel=0.01)


def test_a_cell_without_a_deviation_at_first_gets_its_own_later() -> None:
    """A saturating sigma is 0 at 0; the mean then moves up, and sigma with it."""
    model = sonos().without(["read_noise"])
    cells = at(model, 0.0)
    assert not cells.visible.any()
    seen = model.read(cells, DAY_S, 1) * 1e8
    assert seen.std() == pytest.approx(25.59102 * (1 - math.exp(-0.68365 / 186.85544)), rel=0.01)
    assert np.array_equal(seen, model.read(cells, DAY_S, 2) * 1e8), "it is the cell's, not the read's"


def test_deviations_belong_to_the_write() -> None:
    model = Programmed(times_s=(1.0, DAY_S), coefficients=((1.0,), (2.0,)))
    cells = at(model, 20e-6, 1000)
    first, later = model.read(cells, 1.0) - 20e-6, model.read(cells, DAY_S) - 20e-6
    assert later == pytest.approx(2 * first, rel=1e-6, abs=1e-12)
    model.program(cells, np.full(1000, 20e-6))
    assert abs(np.corrcoef(first, cells.visible)[0, 1]) < 0.1


def test_a_pulse_writes_anew_and_no_pulse_does_not() -> None:
    model = Programmed(levels=41)
    cells = at(model, 20e-6, 3)
    before = cells.visible.copy()
    model.pulse(cells, np.array([0, 2, -1]))
    assert cells.state == pytest.approx([20e-6, 22e-6, 19e-6])
    assert cells.visible[0] == before[0]
    assert (cells.visible[1:] != before[1:]).all() and (cells.visible[1:] != cells.state[1:]).all()
    assert cells.pulses.tolist() == [0, 2, 1]


# --- phase change


def test_drift_exponents_stay_with_their_cells() -> None:
    model = PhaseChange().only("drift")
    seen = model.read(at(model, 25e-6, 10), 20 * (math.e - 1))
    assert seen == pytest.approx(25e-6 * math.exp(-0.049))  # t/t0 = e, exponent at its lowest clip
    spread = PhaseChange().without(["programming_noise", "flicker_noise"])
    one, two = (spread.read(at(spread, target, 1000), 1e6) for target in (25e-6, 20e-6))
    assert np.corrcoef(one, two)[0, 1] > 0.99


def test_a_pcm_of_another_range_scales_its_noise() -> None:
    small = PhaseChange(g_max_s=5e-6)
    assert small.programming_sigma_s(np.array([2.5e-6])) == pytest.approx(
        PhaseChange().programming_sigma_s(np.array([12.5e-6])) / 5
    )
    assert (small.read(at(small, 0.0, 100), 1e6, 1) >= 0).all()


# --- lookup table


def test_table_moments_are_those_of_what_is_drawn() -> None:
    """Two points at 1/4 and 3/4: a quarter of the draws at each, half between; at 1 uS from 0.1 to 0.3."""
    model = Lookup(**TABLE)
    assert model.bounds() == pytest.approx((0.5e-6, 5e-6))
    cells = at(model, 1e-6)
    model.pulse(cells, np.ones(MANY, dtype=int))
    change = (cells.state - 1e-6) * 1e7
    assert model.step(1e-6, True) == pytest.approx(2e-7)
    assert change.mean() == pytest.approx(2.0, rel=5e-3)
    assert change.var() == pytest.approx(0.5 * 1.0 + 0.5 / 3, rel=0.01)
    assert (change.min(), change.max()) == pytest.approx((1.0, 3.0))
    assert (np.isclose(change, 1.0)).mean() == pytest.approx(0.25, abs=0.01)


def test_pulses_see_the_conductance_that_they_made() -> None:
    model = Lookup(**TABLE).without(["cycle_to_cycle"])
    cells = at(model, 1e-6, 1)
    by_hand = 1e-6
    for _ in range(7):
        by_hand += model.step(by_hand, True)
    model.pulse(cells, np.array([7]))
    assert cells.state[0] == pytest.approx(by_hand, rel=1e-12)
    assert model.step(4.5e-6, False) == pytest.approx(4e-7), "beyond the table as at its end"


def test_switches_of_the_table() -> None:
    model = Lookup(**TABLE)
    level = model.without(["nonlinearity"])
    # trapezoids over 1, 2, 4 uS: up 2, 1, .5 -> 1; down 1, 2, 4 -> 2.5, in 1e-7
    assert [level.step(g * 1e-6, up) for g in (1, 3) for up in (True, False)] == pytest.approx([1e-7, 2.5e-7] * 2)
    even = model.without(["asymmetry"])
    assert [even.step(1e-6, up) for up in (True, False)] == pytest.approx([1.5e-7] * 2)
    assert model.without(["nonlinearity", "asymmetry"]).step(2e-6, True) == pytest.approx(1.75e-7)


# --- wrappers


def test_stuck_cells_show_their_end_whatever_is_done() -> None:
    model = StuckAt(PhaseChange(), lrs_fraction=0.1, hrs_fraction=0.3)
    cells = at(model, 10e-6)
    flags = cells.spread[:, -1]
    assert ((flags == 1).mean(), (flags == -1).mean()) == pytest.approx((0.1, 0.3), abs=0.01)
    model.pulse(cells, np.full(MANY, -3))
    seen = model.read(cells, 1e6, 1)
    assert (seen[flags == 1] == 25e-6).all() and (seen[flags == -1] == 0).all()
    assert (cells.pulses == 3).all()
    assert cells.state[flags == 0] == pytest.approx(10e-6 - 3 * 25e-6 / 255)


def test_faults_do_not_disturb_the_cells_that_work() -> None:
    plain, faulty = Lookup(**TABLE), StuckAt(Lookup(**TABLE), hrs_fraction=0.5)
    cells = faulty.manufacture(50, 3)
    assert np.array_equal(cells.random, plain.manufacture(50, 3).random)
    working = np.flatnonzero(cells.spread[:, -1] == 0)
    assert 10 < len(working) < 40
    twin = plain.manufacture(50, 3)
    faulty.pulse(cells, np.full(50, 4))
    plain.pulse(twin, np.full(len(working), 4), working)
    assert np.array_equal(cells.state[working], twin.state[working])


def test_a_worn_cell_stays_where_it_is() -> None:
    model = Endurance(Sram(), limit_pulses=10.9)
    cells = model.manufacture(3, 0)
    model.pulse(cells, np.array([4, 10, 25]))
    assert cells.state.tolist() == [-124, -118, -118]
    assert model.worn_out(cells).tolist() == [1, 2]
    model.pulse(cells, np.array([-1, -1, 100]))
    model.program(cells, np.array([5.0, 5.0, 5.0]))
    assert cells.state.tolist() == [5, -118, -118]
    assert cells.pulses.tolist() == [5, 11, 125]


def test_a_limit_counts_within_one_list() -> None:
    model = Endurance(Sram(), limit_pulses=5)
    cells = model.manufacture(3, 0)
    model.pulse(cells, np.array([2, 1, 4, -3, 9]), np.array([2, 0, 2, 2, 0]))
    assert cells.state.tolist() == [-123, -128, -123]
    assert cells.pulses.tolist() == [10, 0, 9]


def test_limits_are_lognormal() -> None:
    cells = Endurance(Sram(), limit_pulses=1e6, limit_spread=0.7).manufacture(MANY, 0)
    logs = np.log(cells.spread[:, -1])
    assert (logs.mean(), logs.std()) == pytest.approx((math.log(1e6), 0.7), abs=0.01)


def test_decay_halves_in_its_half_life() -> None:
    model = Retention(Quantized(levels=3, w_min=-1.0, w_max=3.0), time_constant_s=10.0, level=0.25)
    cells = at(model, 3.0, 4)
    half_life = 10 * math.log(2)
    assert model.read(cells, half_life) == pytest.approx(1.5)  # towards 0
    assert model.read(cells, 1e9) == pytest.approx(0.0, abs=1e-12)
    assert (cells.state == 3).all()
    model.elapse(cells, half_life)
    assert cells.state == pytest.approx(1.5) and cells.visible == pytest.approx(1.5)
    assert model.read(cells, half_life) == pytest.approx(0.75)


def test_time_constants_are_each_cells_own() -> None:
    model = Retention(Quantized(), time_constant_s=10.0, level=0.5, time_constant_spread=0.5)
    seen = model.read(at(model, 1.0), 10.0)
    constants = -10 / np.log(seen)
    assert (np.median(constants), np.log(constants).std()) == pytest.approx((10, 0.5), rel=0.02)


def test_wrapped_cells_can_be_copied_and_go_on_alike() -> None:
    model = StuckAt(Endurance(Lookup(**TABLE), limit_pulses=9), lrs_fraction=0.2)
    cells = model.manufacture(20, 0)
    model.pulse(cells, np.full(20, 3))
    twin = copy.deepcopy(cells)
    for one in (cells, twin):
        model.pulse(one, np.full(20, 3))
    assert np.array_equal(cells.state, twin.state) and not np.shares_memory(cells.state, twin.state)
    assert len(set(cells.state.tolist())) > 10


def test_a_wrapper_keeps_the_identity_of_its_device() -> None:
    model = StuckAt(Quantized(name="mine", drive=DRIVE), lrs_fraction=0.5)
    assert (model.name, model.drive, model.quantity, model.bounds()) == ("mine", DRIVE, "weight", (-1, 1))
    assert model.conductance_s(np.array([-1.0, 0.0, 1.0])) == pytest.approx([1e-6, 3e-6, 5e-6])
    assert model.non_idealities == ("quantisation", "stuck_at")
    assert StuckAt(PhaseChange()).quantity == "conductance"
    assert StuckAt(PhaseChange()).non_idealities == PhaseChange().non_idealities


# --- what cannot be

REFUSED: list[tuple[Callable[[], object], str]] = [
    (lambda: Sram(bits=1), "bits is 1"),
    (lambda: Sram(bits=25), "2 to 24"),
    (lambda: Quantized(levels=1), "levels is 1"),
    (lambda: Quantized(levels=2.5), "levels is 2.5"),  # type: ignore[arg-type]
    (lambda: Quantized(w_min=1.0, w_max=1.0), "w_min is 1.0; it must be below w_max"),
    (lambda: Quantized(write_noise=-0.1), "write_noise is -0.1; it must be at least 0"),
    (lambda: Quantized(read_noise=math.nan), "read_noise is nan"),
    (lambda: Quantized(w_max=math.inf), "w_max is inf"),
    (lambda: Quantized(read_levels=1), "read_levels is 1"),
    (lambda: Quantized(off=frozenset({"read_nois"})), "did you mean 'read_noise'"),
    (lambda: PhaseChange(g_max_s=0.0), "g_max_s is 0.0; it must be above 0"),
    (lambda: PhaseChange(programming_us=(1.0, math.inf)), "programming_us"),
    (lambda: PhaseChange(flicker_scale=-1.0), "flicker_scale"),
    (lambda: PhaseChange(levels=1), "levels is 1"),
    (lambda: Programmed(g_min_s=40e-6), "below g_max_s"),
    (lambda: Programmed(g_min_s=-1e-6), "g_min_s"),
    (lambda: Programmed(curve="polynom"), "did you mean 'polynomial'"),
    (lambda: Programmed(times_s=(1.0, 1.0), coefficients=((1.0,), (1.0,))), "times_s"),
    (lambda: Programmed(times_s=()), "times_s"),
    (lambda: Programmed(times_s=(0.0, 1.0)), "coefficients has 1 rows for 2 times_s"),
    (lambda: Programmed(coefficients=((math.nan,),)), "coefficients"),
    (lambda: Programmed(coefficients=((),)), "at least one number"),
    (lambda: Programmed(curve="saturating", coefficients=((1.0, -1.0),)), "A >= 0 and B > 0"),
    (lambda: Programmed(curve="saturating", coefficients=((1.0, 2.0, 3.0),)), "A >= 0 and B > 0"),
    (lambda: Programmed(shift=((1.0,), (1.0,))), "shift has 2 rows"),
    (lambda: Lookup(**{**TABLE, "g_s": (2e-6, 1e-6, 4e-6)}), "g_s must be ascending"),
    (lambda: Lookup(**{**TABLE, "cdf": (0.5, 1.5)}), "cdf must be ascending numbers from 0 to 1"),
    (lambda: Lookup(**{**TABLE, "cdf": ()}), "cdf"),
    (lambda: Lookup(**{**TABLE, "up_s": TABLE["up_s"][:1]}), "up_s must have 2 rows"),
    (lambda: Lookup(**{**TABLE, "up_s": ((math.nan,) * 3,) * 2}), "up_s has a value"),
    (lambda: Lookup(**{**TABLE, "up_s": TABLE["up_s"][::-1]}), "must not fall along cdf"),
    (lambda: Lookup(**{**TABLE, "up_s": TABLE["down_s"]}), "no pulse up raises"),
    (lambda: Lookup(**{**TABLE, "down_s": TABLE["up_s"]}), "no pulse down lowers"),
    (lambda: Lookup(**TABLE, g_min_s=6e-6), "below g_max_s"),
    (lambda: Lookup(**TABLE, step_spread=-1.0), "step_spread"),
    (lambda: StuckAt(Sram(), lrs_fraction=1.1), "lrs_fraction is 1.1; it must be at least 0, at most 1"),
    (lambda: StuckAt(Sram(), lrs_fraction=0.6, hrs_fraction=0.6), "at most 1"),
    (lambda: StuckAt(StuckAt(Sram())), "twice"),
    (lambda: StuckAt("sram"), "must be a device"),  # type: ignore[arg-type]
    (lambda: Endurance(Sram(), limit_pulses=0.5), "limit_pulses is 0.5"),
    (lambda: Endurance(Sram(), limit_spread=math.nan), "limit_spread"),
    (lambda: Retention(Sram(), time_constant_s=0.0), "time_constant_s is 0.0; it must be above 0 s"),
    (lambda: Retention(Sram(), level=1.5), "level is 1.5"),
    (lambda: Retention(Sram()).elapse(Sram().manufacture(1, 0), -1.0), "seconds: -1.0, allowed"),
    (lambda: PhaseChange().read(PhaseChange().manufacture(1, 0), -1.0), "after_s: -1.0, allowed"),
    (lambda: Programmed().read(Programmed().manufacture(1, 0), math.nan), "after_s: nan, allowed"),
    (lambda: at(Programmed(), math.nan, 1), "not a number"),
    (lambda: at(Lookup(**TABLE), math.nan, 1), "not a number"),
    (lambda: Sram().manufacture(-1, 0), "count: -1, allowed"),
    (lambda: Sram().without(["read_noise"]), "known: none"),
]


@pytest.mark.parametrize(("made", "told"), REFUSED, ids=[told for _, told in REFUSED])
def test_what_cannot_be_is_told(made: Callable[[], object], told: str) -> None:
    with pytest.raises(DeviceError) as refused:
        made()
    assert told in str(refused.value)


def test_lists_and_arrays_are_taken_for_tuples() -> None:
    """As a YAML file or a fit gives them; the model still can be compared."""
    lists = Lookup(**{key: np.array(value) for key, value in TABLE.items()})
    assert lists == Lookup(**TABLE)
    assert Programmed(coefficients=[[1.0, 2.0]], times_s=[0.0]) == Programmed(coefficients=((1.0, 2.0),))  # type: ignore


def test_same_draws_on_every_machine() -> None:
    """A few draws to the last bit, so that a change of the arithmetic is seen."""
    seen: dict[str, npt.NDArray[np.floating]] = {}
    for model in (PhaseChange(), Lookup(**TABLE), sonos(), Quantized(write_noise=0.5)):
        cells = at(model, sum(model.bounds()) / 3, 2, seed=7)
        model.pulse(cells, np.array([3, -2]))
        seen[model.family] = model.read(cells, 1000.0, 5)
    assert {name: [float(value).hex() for value in values] for name, values in seen.items()} == {
        "lookup": ["0x1.43d738e904b65p-19", "0x1.991719ed3881bp-20"],
        "pcm": ["0x1.f9b0adaf8d0b0p-18", "0x1.7d8c3f7159c14p-18"],
        "programmed": ["0x1.7ca88a8fc7d47p-18", "0x1.5e28ae5feee01p-18"],
        "quantized": ["0x1.f90c5e5f7dd31p-2", "-0x1.4cf7f5d150265p-3"],
    }
