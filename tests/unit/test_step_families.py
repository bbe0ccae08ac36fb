"""Step families: the kernel against a twin in plain Python, spread and noise of each parameter, switches, refusals."""

from __future__ import annotations

import math
from dataclasses import fields, replace
from statistics import NormalDist
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
import pytest

from hw_models.base import Cells, DeviceError, Drive, Pulse
from hw_models.families.neurosim import NeuroSim
from hw_models.families.steps.constant import ConstantStep
from hw_models.families.steps.exponential import ExponentialStep
from hw_models.families.steps.linear import LinearStep
from hw_models.families.steps.power import PowerStep
from hw_models.families.steps.pulsed_device import PulsedDevice
from hw_models.families.steps.soft_bounds import SoftBounds, SoftBoundsReference
from hw_models.families.steps.stepped import Stepped
from hw_models.kernels import randomness
from hw_models.kernels.step_laws import COLUMNS, EXPONENTIAL, HIGH, LOW, P0, P1, POWER, SCALE

MASK = (1 << 64) - 1
Device = TypeVar("Device", bound=PulsedDevice)
ALL: tuple[Stepped, ...] = (
    ConstantStep(w_max=1.0, w_min=-1.0, dw_min=0.01, up_down=0.2),
    LinearStep(gamma_up=0.3, gamma_down=0.6, dw_min=0.01, mult_noise=False, write_noise_std=3.0),
    SoftBounds(dw_min=0.02, reverse_down=True),
    SoftBoundsReference(dw_min=0.02, w_max=1.0, reference_std=0.1, subtract_symmetry_point=True, slope_up_dtod=0.1),
    ExponentialStep(dw_min=0.01, dw_min_std_add=0.01, dw_min_std_slope=0.1, write_noise_std=2.0),
    PowerStep(dw_min=0.05, pow_gamma=1.7, pow_up_down=-0.3),
    NeuroSim(nl_up=2.4, nl_down=-1.0, c2c=0.02, d2d=0.3, states_up=30, states_down=40),
)


def quieted(model: Device) -> Device:
    """`model` without the spread and noise that a pulsed device has by default."""
    return replace(model, dw_min_dtod=0.0, up_down_dtod=0.0, w_max_dtod=0.0, w_min_dtod=0.0, dw_min_std=0.0)


def ids(model: Stepped) -> str:
    """A model's family."""
    return model.family


class Twin:
    """The kernel's arithmetic on Python's own integers and floats: words, Gaussians, steps, noise, bounds."""

    def __init__(self, model: Stepped, cells: Cells) -> None:
        self.model, self.law, self.c = model, model.law_code(), model.constants().tolist()
        self.state, self.visible = cells.state.tolist(), cells.visible.tolist()
        self.rows, self.pulses = cells.spread.tolist(), cells.pulses.tolist()
        self.key, self.counter = (int(value) for value in cells.random)
        self.single = cells.state.dtype == np.float32

    def word(self) -> int:
        """The next word."""
        self.counter += 1
        z = (self.key + self.counter * 0x9E3779B97F4A7C15) & MASK
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
        return z ^ (z >> 31)

    @staticmethod
    def gaussian(half: int) -> float:
        """The Gaussian of a half-word: straight lines between quantiles rounded to 2^-20."""
        x = half | 1
        octave = x.bit_length() - 1
        strip = ((x - (1 << octave)) << 6) >> octave
        share = (((x - (1 << octave)) << 6) - (strip << octave)) / (1 << octave)
        ends = []
        for s in (strip, strip + 1):
            tail = (1 << octave) * (1 + s / 64) / 2.0**33
            ends.append(round(-NormalDist().inv_cdf(tail) * 2**20) / 2**20 if tail < 0.5 else 0.0)
        size = ends[0] + (ends[1] - ends[0]) * share
        return size if half & 1 else -size

    def step(self, row: list[float], w: float, down: int) -> float:
        """One step before noise."""
        span = row[HIGH] - row[LOW]
        if self.law == EXPONENTIAL:
            z = 2.0 * self.c[11] * w / span + self.c[12]
            grown = math.exp((1 - 2 * down) * self.c[9 + down] * z)
            return float(row[SCALE + down] * max(1.0 - self.c[7 + down] * grown, 0.0))
        if self.law == POWER:
            left = (w - row[LOW]) if down else (row[HIGH] - w)
            return float(row[SCALE + down] * max(left / span, 0.0) ** row[P0 + down])
        return row[P0 + down] + row[P1 + down] * w

    def rounded(self, value: float) -> float:
        """As the cells keep it."""
        return float(np.float32(value)) if self.single else value

    def pulse(self, at: int, count: int) -> None:
        """`count` pulses at cell `at`."""
        down, row, w, bits = int(count < 0), self.rows[at], self.state[at], 0
        relative, scaled, by_state, added, once, write = self.c[:6]
        noisy = any((relative, scaled, by_state, added))
        for _ in range(abs(count)):
            step = self.step(row, w, down)
            if noisy:
                bits = self.word()
                sigma = relative * abs(step) + scaled * row[SCALE + down] + by_state * abs(w) + added
                step += sigma * self.gaussian(bits & 0xFFFFFFFF)
            w = min(max(w - step if down else w + step, row[LOW]), row[HIGH])
        if once or (write and not noisy):
            bits = self.word()
            w += once * math.sqrt(abs(count)) * self.gaussian(bits & 0xFFFFFFFF)
            w = min(max(w, row[LOW]), row[HIGH])
        self.state[at] = self.rounded(w)
        self.visible[at] = self.rounded(w + write * self.gaussian(bits >> 32))
        self.pulses[at] += abs(count)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("model", ALL, ids=ids)
def test_the_kernel_is_its_twin_in_plain_python(model: Stepped, dtype: npt.DTypeLike) -> None:
    """Scattered cells, some twice, 0 to 3 pulses each way: more cells than the kernel fetches ahead."""
    cells = model.manufacture(40, 7, dtype)
    low, high = model.bounds()
    model.program(cells, low + (high - low) * np.linspace(0.0, 1.0, 40))
    twin = Twin(model, cells)
    generator = np.random.default_rng(3)
    for _ in range(4):
        places = generator.integers(0, 40, 60)
        counts = generator.integers(-3, 4, 60)
        model.pulse(cells, counts, places)
        for at, count in zip(places.tolist(), counts.tolist(), strict=True):
            if count:
                twin.pulse(at, count)
    exact = 0.0 if model.law_code() not in (EXPONENTIAL, POWER) else 1e-13
    if dtype == np.float32 and exact:
        exact = 1e-6  # a last digit of exp or pow can turn the rounding to single precision
    np.testing.assert_allclose(cells.state, twin.state, rtol=0, atol=exact * max(abs(low), high))
    np.testing.assert_allclose(cells.visible, twin.visible, rtol=0, atol=exact * max(abs(low), high))
    assert cells.pulses.tolist() == twin.pulses
    assert int(cells.random[1]) == twin.counter


@pytest.mark.parametrize("model", ALL, ids=ids)
def test_all_cells_at_once_are_the_same_cells_listed(model: Stepped) -> None:
    one, two = model.manufacture(50, 1), model.manufacture(50, 1)
    counts = np.arange(50) % 5 - 2
    model.pulse(one, counts)
    model.pulse(two, counts.astype(np.int8), np.arange(50, dtype=np.int32))
    np.testing.assert_array_equal(one.state, two.state)
    np.testing.assert_array_equal(one.visible, two.visible)
    np.testing.assert_array_equal(one.pulses, abs(counts))


@pytest.mark.parametrize("model", ALL, ids=ids)
def test_cells_can_be_put_away_and_taken_up_again(model: Stepped) -> None:
    cells = model.manufacture(20, 4)
    model.pulse(cells, np.full(20, 3))
    stored = {item.name: getattr(cells, item.name).copy() for item in fields(Cells)}
    model.pulse(cells, np.full(20, -2))
    again = Cells(**stored)
    model.pulse(again, np.full(20, -2))
    np.testing.assert_array_equal(again.visible, cells.visible)


def test_the_same_cells_on_every_machine() -> None:
    model = SoftBoundsReference(dw_min=0.02, dw_min_dtod_log_normal=True, reference_std=0.1, write_noise_std=2.0)
    cells = model.manufacture(2, 11)
    model.pulse(cells, np.array([4, -3]))
    assert dict(zip(COLUMNS, cells.spread[1].tolist(), strict=True)) == {
        "low": -0.7278614078985611,
        "high": 0.36651179108255627,
        "up_scale": 0.025308503858246536,
        "down_scale": 0.025861304874527175,
        "up0": 0.01804090920811509,
        "down0": 0.032442140328396575,
        "up1": -0.04922327097534332,
        "down1": 0.04457186488573646,
    }
    assert cells.visible.tolist() == [-0.4710937577732323, -0.6354233187306643]


def test_spread_of_bounds_and_steps_follows_the_formulas() -> None:
    model = ConstantStep(
        dw_min=0.01,
        dw_min_dtod=0.2,
        up_down=0.3,
        up_down_dtod=0.05,
        w_max=1.5,
        w_max_dtod=0.1,
        w_min=-1,
        w_min_dtod=0.2,
    )
    count = 40_000
    rows = model.manufacture(count, 2).spread
    error = 4 / math.sqrt(count)
    assert rows[:, HIGH].mean() == pytest.approx(1.5, abs=0.15 * error)
    assert rows[:, HIGH].std() == pytest.approx(0.15, rel=0.02)
    assert rows[:, LOW].mean() == pytest.approx(-1.0, abs=0.2 * error)
    assert rows[:, LOW].std() == pytest.approx(0.2, rel=0.02)
    up, down = rows[:, SCALE] / 0.01, rows[:, SCALE + 1] / 0.01
    assert up.mean() == pytest.approx(1.0, abs=0.21 * error)
    assert down.mean() == pytest.approx(0.7, abs=0.21 * error)
    assert (up + down).std() == pytest.approx(2 * 0.2, rel=0.02)
    assert (up - down).std() == pytest.approx(2 * 0.05, rel=0.02)
    assert np.abs(np.corrcoef(rows[:, [LOW, HIGH, SCALE]].T) - np.eye(3)).max() < error


def test_log_normal_steps_have_median_one() -> None:
    model = ConstantStep(dw_min=0.1, dw_min_dtod=0.8, dw_min_dtod_log_normal=True, up_down_dtod=0.0)
    gain = np.log(model.manufacture(40_000, 2).spread[:, SCALE] / 0.1)
    assert gain.mean() == pytest.approx(0.0, abs=4 * 0.8 / 200)
    assert gain.std() == pytest.approx(0.8, rel=0.02)


def test_consistency_is_enforced_or_crossed_cells_are_off() -> None:
    wild = ConstantStep(w_max_dtod=2.0, w_min_dtod=2.0, dw_min_dtod=2.0)
    rows = wild.manufacture(5000, 3).spread
    assert (rows[:, LOW] <= 0).all()
    assert (rows[:, HIGH] >= 0).all()
    assert (rows[:, SCALE : SCALE + 2] >= 0).all()
    loose = replace(wild, enforce_consistency=False)
    cells = loose.manufacture(5000, 3)
    crossed = cells.spread[:, LOW] == cells.spread[:, HIGH]
    assert 0.1 < crossed.mean() < 0.5
    assert (cells.spread[:, SCALE] < 0).any()
    before = cells.state[crossed].copy()
    loose.pulse(cells, np.full(5000, 5))
    np.testing.assert_array_equal(cells.state[crossed], before)


def test_corrupt_cells_are_stuck_inside_their_range() -> None:
    model = SoftBounds(dw_min=0.05, corrupt_devices_prob=0.2, corrupt_devices_range=0.1, dw_min_std=0.0)
    assert "stuck_at" in model.non_idealities
    cells = model.manufacture(20_000, 6)
    stuck = cells.spread[:, SCALE] == 0
    assert stuck.mean() == pytest.approx(0.2, abs=4 * math.sqrt(0.16 / 20_000))
    assert np.abs(cells.state[stuck]).max() <= 0.1
    assert cells.state[stuck].std() > 0.03
    before = cells.state.copy()
    model.pulse(cells, np.array(3))
    np.testing.assert_array_equal(cells.state[stuck], before[stuck])
    assert (cells.state[~stuck] > before[~stuck]).all()
    healthy = model.without(["stuck_at"]).manufacture(20_000, 6).spread
    np.testing.assert_array_equal(healthy[~stuck], cells.spread[~stuck])
    assert (healthy[:, SCALE] > 0).all()


@pytest.mark.parametrize("relative", [True, False])
def test_cycle_noise_is_relative_to_the_step_or_to_its_size_at_zero(relative: bool) -> None:
    model = replace(quieted(SoftBounds(dw_min=0.001, w_max=1.0, w_min=-1.0)), dw_min_std=0.5, mult_noise=relative)
    cells = model.manufacture(40_000, 5)
    for weight, up in ((0.6, True), (0.6, False)):
        model.program(cells, np.array(weight))
        model.pulse(cells, np.array(1 if up else -1))
        wanted = 0.5 * (model.step(weight, up) if relative else 0.001)
        assert cells.state.std() == pytest.approx(wanted, rel=0.015)
        moved = model.step(weight, up) * (1 if up else -1)
        assert cells.state.mean() - weight == pytest.approx(moved, abs=4 * wanted / 200)


def test_write_noise_is_on_what_shows_and_new_with_every_write() -> None:
    model = SoftBounds(dw_min=0.01, write_noise_std=5.0)
    cells = model.manufacture(40_000, 5)
    first = cells.visible - cells.state
    model.pulse(cells, np.array(2))
    second = cells.visible - cells.state
    model.program(cells, np.array(0.1))
    third = cells.visible - cells.state
    for noise in (first, second, third):
        assert noise.mean() == pytest.approx(0.0, abs=4 * 0.05 / 200)
        assert noise.std() == pytest.approx(0.05, rel=0.015)
    assert np.abs(np.corrcoef([first, second, third]) - np.eye(3)).max() < 4 / 200
    untouched = cells.visible[1:].copy()
    model.pulse(cells, np.array([1]), np.array([0]))
    np.testing.assert_array_equal(cells.visible[1:], untouched)
    clean = model.without(["write_noise"])
    clean.pulse(cells, np.array(1))
    np.testing.assert_array_equal(cells.visible, cells.state)


@pytest.mark.parametrize("model", ALL, ids=ids)
def test_without_nonlinearity_the_step_is_the_mean_one_everywhere(model: Stepped) -> None:
    if "nonlinearity" not in model.non_idealities:
        assert model.family == "constant_step"
        return
    flat = model.without(["nonlinearity"])
    low, high = model.bounds()
    states = np.linspace(low, high, 4001)
    for up in (True, False):
        sizes = {flat.step(state, up) for state in (low, 0.3 * low + 0.7 * high, high)}
        assert max(sizes) - min(sizes) < 1e-15
        if model.family != "neurosim":  # there label 0 is the straight device, by definition
            mean = np.mean([model.step(float(state), up) for state in states])
            assert max(sizes) == pytest.approx(mean, rel=1e-3)


@pytest.mark.parametrize("model", ALL, ids=ids)
def test_without_asymmetry_a_pulse_down_undoes_a_pulse_up_in_first_order(model: Stepped) -> None:
    assert "asymmetry" in model.non_idealities
    even = model.without(["asymmetry"])
    low, high = model.bounds()
    for share in (0.0, 0.2, 0.5, 0.9, 1.0):
        state = low + share * (high - low)
        both = (model.step(state, True) + model.step(state, False)) / 2
        assert even.step(state, True) == pytest.approx(both, rel=1e-12, abs=1e-18)
        assert even.step(state, False) == pytest.approx(both, rel=1e-12, abs=1e-18)
    cells = even.manufacture(30, 1)
    affine = even.law_code() not in (EXPONENTIAL, POWER)
    assert not affine or (cells.spread[:, P0] == cells.spread[:, P0 + 1]).all()


@pytest.mark.parametrize("model", ALL, ids=ids)
def test_each_switch_changes_the_cells_or_their_pulses(model: Stepped) -> None:
    def shown(chosen: Stepped) -> npt.NDArray[Any]:
        cells = chosen.manufacture(200, 3)
        chosen.program(cells, np.array(np.mean(model.bounds()) + 0.15 * np.ptp(model.bounds())))
        chosen.pulse(cells, np.array(3))
        chosen.pulse(cells, np.array(-1))
        return cells.visible

    everything = shown(model)
    for name in model.non_idealities:
        assert not np.array_equal(shown(model.without([name])), everything), name
        assert not np.array_equal(shown(model.only(name)), shown(model.ideal())) or name == "asymmetry", name
    assert len(np.unique(shown(model.ideal()))) == 1


def test_a_leak_decays_towards_the_reset_weight() -> None:
    model = replace(quieted(LinearStep()), lifetime=50.0, lifetime_dtod=0.2, reset=0.1, decay_period_s=2.0)
    assert "retention" in model.non_idealities
    cells = model.manufacture(30_000, 2)
    model.program(cells, np.array(0.5))
    later = model.read(cells, 20.0)
    np.testing.assert_array_equal(model.read(cells, 0.0), cells.visible)
    model.leak(cells, 10)
    np.testing.assert_allclose(cells.state, later, rtol=1e-12)
    life = 1 / (1 - ((cells.state - 0.1) / 0.4) ** 0.1)
    assert life.mean() == pytest.approx(50.0, abs=4 * 10 / math.sqrt(30_000))
    assert life.std() == pytest.approx(10.0, rel=0.02)
    still = model.without(["retention"])
    before = cells.state.copy()
    still.leak(cells, 10)
    np.testing.assert_array_equal(cells.state, before)
    np.testing.assert_array_equal(still.read(cells, 1e9), cells.visible)


def test_refresh_resets_chosen_cells() -> None:
    model = ExponentialStep(w_max=2.0, w_min=-1.0, w_min_dtod=0.0, reset=0.2, reset_dtod=0.03, reset_std=0.04)
    cells = model.manufacture(30_000, 2)
    model.program(cells, np.array(1.0))
    places = np.arange(0, 30_000, 2)
    model.refresh(cells, places)
    assert (cells.state[1::2] == np.minimum(1.0, cells.spread[1::2, HIGH])).all()
    first = cells.state[places].copy()
    assert first.mean() == pytest.approx(0.2, abs=4 * 0.05 / math.sqrt(15_000))
    assert first.std() == pytest.approx(0.05, rel=0.02)
    model.refresh(cells, places)
    assert np.corrcoef(first, cells.state[places])[0, 1] == pytest.approx(0.03**2 / 0.05**2, abs=0.03)


def test_a_tally_prices_pulses_by_the_conductance_they_meet() -> None:
    """Two pulses up from w = -1 by 0.5 each, 1 µS at -1 and 5 µS at 1: mean conductances 1.5 and 2.5 µS."""
    drive = Drive(1e-6, 5e-6, Pulse(2.0, 1e-7), Pulse(-1.0, 2e-7), 0.2, 1e-9, 16.0, capacitance_f=1e-15)
    model = quieted(ConstantStep(w_max=1.0, w_min=-1.0, dw_min=0.5, drive=drive))
    cells = model.manufacture(1, 0)
    assert model.pulse_and_tally(cells, np.array(2)) == (2, -0.75 - 0.25, 0, 0.0)
    model.program(cells, np.array(-1.0))
    up, down = model.write_energy_j(model.pulse_and_tally(cells, np.array(2)))
    assert up == pytest.approx(4.0 * 1e-7 * 4e-6 + 2 * 4.0 * 1e-15, rel=1e-12)
    assert down == 0.0
    up, down = model.write_energy_j(model.pulse_and_tally(cells, np.array(-1)))
    assert (up, down) == pytest.approx((0.0, 2e-7 * 2.5e-6 + 1e-15), rel=1e-12)


def test_cells_only_take_what_they_can() -> None:
    model = SoftBounds()
    cells = model.manufacture(5, 0)
    with pytest.raises(DeviceError, match="places: -1, allowed: integers of 0 to 4"):
        model.pulse(cells, np.array([1, 1]), np.array([-1, 2]))
    with pytest.raises(DeviceError, match="places: 5, allowed: integers of 0 to 4"):
        model.program(cells, np.array([0.0]), np.array([5]))
    with pytest.raises(DeviceError, match="counts: type float64, allowed: integers"):
        model.pulse(cells, np.array([0.5]))
    with pytest.raises(DeviceError, match="not a number"):
        model.program(cells, np.array(math.nan))
    with pytest.raises(DeviceError, match="count: -1, allowed: a whole number"):
        model.manufacture(-1, 0)
    with pytest.raises(DeviceError, match="float32 or float64"):
        model.manufacture(3, 0, np.float16)
    assert len(model.manufacture(0, 0).state) == 0


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"dw_min": 0.0}, "dw_min is 0.0; it must be a finite number above 0"),
        ({"dw_min": math.inf}, "dw_min is inf"),
        ({"dw_min_std": -0.1}, "dw_min_std is -0.1; it must be a finite number of at least 0"),
        ({"w_max": math.nan}, "w_max is nan"),
        ({"w_max": 0.0, "w_min": 0.0}, "w_min 0 must be below w_max 0"),
        ({"w_min": 0.2}, "w_min is 0.2; it must be a finite number of at most 0"),
        ({"up_down": 1.2}, "up_down is 1.2; it must be a finite number of at least -1 and at most 1"),
        ({"corrupt_devices_prob": 1.5}, "corrupt_devices_prob is 1.5"),
        ({"lifetime": "long"}, "lifetime is 'long'"),
        ({"off": frozenset({"write_nois"})}, "unknown non-ideality"),
    ],
)
def test_what_cannot_be_is_refused(changed: dict[str, object], told: str) -> None:
    with pytest.raises(DeviceError) as refused:
        replace(SoftBounds(name="mine", write_noise_std=1.0), **changed)  # type: ignore[arg-type]
    assert told in str(refused.value)


def test_reversed_steps_need_relative_noise() -> None:
    for kind in (SoftBounds, LinearStep):
        with pytest.raises(DeviceError, match="mult_noise"):
            kind(reverse_up=True, mult_noise=False)


@pytest.mark.parametrize("up", [True, False])
def test_reversed_steps_grow_with_the_weight(up: bool) -> None:
    model = SoftBounds(w_max=1.0, w_min=-1.0, dw_min=0.01, reverse_up=True, reverse_down=True)
    linear = LinearStep(
        w_max=1.0, w_min=-1.0, dw_min=0.01, gamma_up=1.0, gamma_down=1.0, reverse_up=True, reverse_down=True
    )
    for weight in (-1.0, 0.0, 0.4, 1.0):
        wanted = 0.01 * (1 + weight / 1.01) if up else 0.01 * (1 - weight / 1.01)
        assert model.step(weight, up) == pytest.approx(wanted, rel=1e-12)
        assert linear.step(weight, up) == pytest.approx(wanted, rel=1e-12)


def test_linear_slopes_refer_to_the_mean_or_the_own_bound() -> None:
    base = LinearStep(gamma_up=0.4, gamma_down=0.2, w_max=1.0, w_min=-0.5, w_max_dtod=0.2, dw_min_dtod=0.0)
    model = replace(base, gamma_up_dtod=0.0, gamma_down_dtod=0.0, up_down_dtod=0.0)
    rows = model.manufacture(100, 1).spread
    np.testing.assert_allclose(rows[:, P1], -0.4 * 0.001 / 1.0)
    np.testing.assert_allclose(rows[:, P1 + 1], 0.2 * 0.001 / 0.5)
    own = replace(model, mean_bound_reference=False).manufacture(100, 1).spread
    np.testing.assert_allclose(own[:, P1], -0.4 * 0.001 / own[:, HIGH])
    spread = replace(model, gamma_up_dtod=0.3)
    slopes = spread.manufacture(40_000, 1).spread[:, P1] / -0.001
    assert (slopes >= 0).all()
    assert replace(spread, allow_increasing=True).manufacture(40_000, 1).spread[:, P1].max() > 0
    folded = 0.3 * math.sqrt(2 / math.pi) * math.exp(-(0.4**2) / (2 * 0.3**2)) + 0.4 * math.erf(0.4 / (0.3 * 2**0.5))
    assert slopes.mean() == pytest.approx(folded, abs=4 * 0.3 / 200)


def test_every_aihwkit_parameter_goes_by_its_own_name() -> None:
    shared = (
        "dw_min dw_min_dtod dw_min_dtod_log_normal dw_min_std up_down up_down_dtod w_max w_min w_max_dtod w_min_dtod "
        "write_noise_std enforce_consistency corrupt_devices_prob corrupt_devices_range lifetime lifetime_dtod reset "
        "reset_dtod reset_std"
    )
    own: dict[type[PulsedDevice], str] = {
        ConstantStep: "",
        LinearStep: "gamma_up gamma_down gamma_up_dtod gamma_down_dtod allow_increasing mean_bound_reference "
        "mult_noise reverse_up reverse_down reverse_offset",
        SoftBounds: "mult_noise reverse_up reverse_down reverse_offset",
        SoftBoundsReference: "mult_noise slope_up_dtod slope_down_dtod reference_mean reference_std "
        "subtract_symmetry_point",
        ExponentialStep: "A_up A_down gamma_up gamma_down a b dw_min_std_add dw_min_std_slope",
        PowerStep: "pow_gamma pow_gamma_dtod pow_up_down pow_up_down_dtod",
    }
    for kind, names in own.items():
        described = {item.name for item in fields(kind) if item.metadata.get("unit") and item.metadata.get("doc")}
        assert set(f"{shared} {names}".split()) <= described


def test_the_key_of_the_cells_is_that_of_their_seed() -> None:
    cells = SoftBounds().manufacture(3, 17)
    assert cells.random.tolist() == [randomness.key_of(17, 0), 0]
