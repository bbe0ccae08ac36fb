"""Pulsed devices against curves measured on aihwkit 1.2.0: every update one pulse, from the lowest weight up and down.

Weights are kept in float32, as aihwkit keeps them: adding 0.0016 six hundred times in float32 is 1.5e-5 away from
exact; `response.measure`, which `edgesdt device pulse` prints, does so. The quiet curves have no noise and no spread.
The noisy ones are means over 1000 devices, compared within four standard errors; aihwkit draws its cycle noise from one
list of 32768 Gaussians whose mean is not quite 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest

from hw_models import response
from hw_models.base import CellModel, Cells
from hw_models.families.steps.constant import ConstantStep
from hw_models.families.steps.exponential import ExponentialStep
from hw_models.families.steps.linear import LinearStep
from hw_models.families.steps.power import PowerStep
from hw_models.families.steps.pulsed_device import PulsedDevice
from hw_models.families.steps.soft_bounds import SoftBounds, SoftBoundsReference
from hw_models.sheets import catalog

RERAM_SB = SoftBoundsReference(
    dw_min=0.002,
    w_max=1.25,
    w_min=-0.75,
    w_max_dtod=0.3 / 1.25,
    w_min_dtod=0.3 / 0.75,
    dw_min_std=3.75,
    write_noise_std=56.0,
)
RERAM_ARRAY_OM = SoftBoundsReference(
    dw_min=0.0949,
    w_max=1.0,
    w_min=-1.0,
    dw_min_dtod=0.7829,
    dw_min_dtod_log_normal=True,
    w_max_dtod=0.3499,
    w_min_dtod=0.5695,
    dw_min_std=0.4158,
    write_noise_std=1.4113,
    subtract_symmetry_point=True,
    reference_std=0.05,
)
PHASE_CHANGE = ExponentialStep(
    dw_min=0.01,
    w_max=2.0,
    w_min=0.0,
    a=-1.0,
    b=0.0,
    gamma_up=2.5,
    gamma_down=2.5,
    A_up=-27.235,
    A_down=-2.235,
    dw_min_std=0.6,
    dw_min_std_add=0.042,
    dw_min_std_slope=0.108,
)
GOKMEN_VLASOV = ConstantStep(dw_min=0.0016, w_max=1.0, w_min=-1.0)

DEVICES: dict[str, tuple[PulsedDevice, int, float]] = {
    "ConstantStep": (ConstantStep(dw_min=0.01), 500, 1e-5),
    "LinearStep": (LinearStep(dw_min=0.01, w_max=1.0, w_min=-1.0, gamma_up=0.5, gamma_down=0.5), 500, 1e-5),
    "SoftBounds": (SoftBounds(dw_min=0.01, w_max=1.0, w_min=-1.0), 500, 1e-6),
    "ExpStep": (ExponentialStep(dw_min=0.01, w_max=1.0, w_min=-1.0), 500, 1e-5),
    "ReRamSB": (RERAM_SB, 1500, 2e-6),
    "ReRamArrayOM": (RERAM_ARRAY_OM, 60, 1e-6),
    "EcRam": (LinearStep(dw_min=0.002, w_max=1.1724, w_min=-0.8276, gamma_up=0.1153, gamma_down=0.5085), 1500, 1e-5),
    "Capacitor": (
        LinearStep(dw_min=0.005, w_max=1.0, w_min=-1.0, gamma_up=0.05, gamma_down=0.05, mult_noise=False),
        500,
        1e-5,
    ),
    "Idealized": (ConstantStep(dw_min=0.0002, w_max=1.0, w_min=-1.0), 6000, 1e-4),
    "GokmenVlasov": (GOKMEN_VLASOV, 1500, 1e-5),
    "PCM": (PHASE_CHANGE, 200, 1e-5),
}
"""Name -> device, pulses up before it goes down, tolerance."""

CURVES: dict[str, list[tuple[int, float]]] = {
    "ConstantStep": [
        (6, -0.5400001),
        (12, -0.4800001),
        (30, -0.3000003),
        (60, -3.129244e-07),
        (120, 0.5999994),
        (240, 0.6),
        (360, 0.6),
        (498, 0.6),
        (500, 0.6),
        (504, 0.5600001),
        (516, 0.4400002),
        (558, 0.02000031),
        (648, -0.6),
        (768, -0.6),
        (888, -0.6),
        (1000, -0.6),
    ],
    "LinearStep": [
        (6, -0.9111176),
        (12, -0.8248685),
        (30, -0.5811527),
        (60, -0.2207829),
        (120, 0.356041),
        (240, 1),
        (360, 1),
        (498, 1),
        (500, 1),
        (504, 0.9404485),
        (516, 0.7687935),
        (558, 0.2431584),
        (648, -0.5713125),
        (768, -1),
        (888, -1),
        (1000, -1),
    ],
    "SoftBounds": [
        (6, -0.8829603),
        (12, -0.7727698),
        (30, -0.4794007),
        (60, -0.09431326),
        (120, 0.4012392),
        (240, 0.8207426),
        (360, 0.9463338),
        (498, 0.9865922),
        (500, 0.986859),
        (504, 0.9085688),
        (516, 0.6917265),
        (558, 0.1091961),
        (648, -0.551073),
        (768, -0.8656),
        (888, -0.9597633),
        (1000, -0.9869455),
    ],
    "ExpStep": [
        (6, -0.9400515),
        (12, -0.8801134),
        (30, -0.7003832),
        (60, -0.4013341),
        (120, 0.19053),
        (240, 1),
        (360, 1),
        (498, 1),
        (500, 1),
        (504, 0.9600308),
        (516, 0.8401496),
        (558, 0.4211776),
        (648, -0.4576322),
        (768, -1),
        (888, -1),
        (1000, -1),
    ],
    "ReRamSB": [
        (18, -0.6931767),
        (36, -0.6379679),
        (90, -0.4815758),
        (180, -0.2491774),
        (360, 0.1262336),
        (720, 0.6185744),
        (1080, 0.8952131),
        (1494, 1.067165),
        (1500, 1.068913),
        (1512, 1.011554),
        (1548, 0.8501035),
        (1674, 0.3929577),
        (1944, -0.1941975),
        (2304, -0.5374598),
        (2664, -0.6687242),
        (3000, -0.7168627),
    ],
    "ReRamArrayOM": [
        (1, -0.8102),
        (2, -0.638412),
        (5, -0.2148225),
        (10, 0.2621031),
        (20, 0.7277542),
        (40, 0.9629411),
        (59, 0.9944264),
        (60, 0.9949554),
        (61, 0.8056341),
        (63, 0.4791864),
        (70, -0.2639644),
        (85, -0.8350519),
        (105, -0.9775468),
        (120, -0.9949682),
    ],
    "EcRam": [
        (18, -0.788735),
        (36, -0.7500073),
        (90, -0.6346436),
        (180, -0.4450729),
        (360, -0.07585351),
        (720, 0.6244982),
        (1080, 1.1724),
        (1494, 1.1724),
        (1500, 1.1724),
        (1512, 1.131389),
        (1548, 1.011927),
        (1674, 0.6330969),
        (1944, -0.005551067),
        (2304, -0.5856916),
        (2664, -0.8276),
        (3000, -0.8276),
    ],
    "Capacitor": [
        (6, -0.9685198),
        (12, -0.9370868),
        (30, -0.8430697),
        (60, -0.6873121),
        (120, -0.3792801),
        (240, 0.2230929),
        (360, 0.8076611),
        (498, 1),
        (500, 1),
        (504, 0.979008),
        (516, 0.9161575),
        (558, 0.6976597),
        (648, 0.2371055),
        (768, -0.361065),
        (888, -0.9415549),
        (1000, -1),
    ],
    "Idealized": [
        (75, -0.985002),
        (150, -0.970004),
        (375, -0.9250099),
        (750, -0.8500198),
        (1500, -0.7000396),
        (3000, -0.4000643),
        (4500, -0.1000593),
        (5925, 0.1849432),
        (6000, 0.1999435),
        (6075, 0.1849432),
        (6225, 0.1549427),
        (6750, 0.04994119),
        (7875, -0.1750605),
        (9375, -0.4750656),
        (10875, -0.7750297),
        (12000, -1),
    ],
    "GokmenVlasov": [
        (18, -0.9711995),
        (36, -0.942399),
        (90, -0.8559976),
        (180, -0.7119951),
        (360, -0.4239917),
        (720, 0.1520076),
        (1080, 0.7280108),
        (1494, 1),
        (1500, 1),
        (1512, 0.9807997),
        (1548, 0.9231987),
        (1674, 0.7215953),
        (1944, 0.2895919),
        (2304, -0.2864074),
        (2664, -0.8624131),
        (3000, -1),
    ],
    "PCM": [
        (1, 0.28235),
        (2, 0.4268028),
        (3, 0.5305011),
        (5, 0.6816573),
        (8, 0.8413251),
        (12, 0.9960276),
        (20, 1.21736),
        (30, 1.42065),
        (40, 1.585626),
        (50, 1.72969),
        (55, 1.796568),
        (60, 1.860884),
        (80, 2),
        (100, 2),
    ],
}
"""Name -> (pulse, weight): points of the curves, at both ends, in the bends and right after the turn."""

NOISY: dict[str, list[tuple[int, float, float]]] = {
    "ReRamSB": [
        (0, -0.6312189, 0.2022664),
        (252, 0.004094619, 0.2468206),
        (504, 0.4003179, 0.2748853),
        (756, 0.665363, 0.2821659),
        (1008, 0.8354881, 0.2887964),
        (1260, 0.9427415, 0.2922076),
        (1500, 1.016824, 0.2916193),
        (1746, 0.1395503, 0.2210772),
        (1998, -0.2495936, 0.2070791),
        (2250, -0.4437401, 0.2253311),
        (2502, -0.5472604, 0.2450609),
        (2754, -0.6042522, 0.2613041),
        (3000, -0.6254253, 0.2739905),
    ],
    "GokmenVlasov": [
        (0, -0.8824429, 0.1700881),
        (252, -0.4753575, 0.2066009),
        (504, -0.07037082, 0.2875233),
        (756, 0.3139891, 0.3590947),
        (1008, 0.6112204, 0.3763311),
        (1260, 0.791503, 0.3646202),
        (1500, 0.8809409, 0.3483425),
        (1746, 0.4831508, 0.3108886),
        (1998, 0.07726093, 0.3117082),
        (2250, -0.3112678, 0.3277023),
        (2502, -0.6275342, 0.301227),
        (2754, -0.8394814, 0.2614017),
        (3000, -0.9540099, 0.2562504),
    ],
}
"""Name -> (pulse, mean, standard deviation) of what 1000 devices show, all noise and spread on, 1500 up, 1500 down."""


def swept(device: CellModel, cells: Cells, ups: int, pulses: Sequence[int]) -> list[npt.NDArray[np.float64]]:
    """What `cells` show after each of `pulses` single pulses, the first `ups` of them up, the others down."""
    shown, done = [], 0
    up, down = np.ones(len(cells.state), dtype=np.int64), np.full(len(cells.state), -1)
    for pulse in pulses:
        for at in range(done, pulse):
            device.pulse(cells, up if at < ups else down)
        done = pulse
        shown.append(device.read(cells).astype(np.float64))
    return shown


def away(device: CellModel, name: str) -> float:
    """The largest distance from the curve `name` of what `edgesdt device pulse --noise off` shows of `device`."""
    points = CURVES[name]
    ups, last = DEVICES[name][1], points[-1][0]
    made = response.measure(response.without_noise(device), min(ups, last), max(last - ups, 0))
    return float(np.abs(made.visible[[pulse for pulse, _ in points], 0] - [weight for _, weight in points]).max())


@pytest.mark.parametrize("name", DEVICES)
def test_a_quiet_curve_is_aihwkit_s(name: str) -> None:
    device, _, tolerance = DEVICES[name]
    nominal = response.without_noise(device)
    assert set(nominal.non_idealities) <= {"nonlinearity", "asymmetry"}
    assert away(device, name) <= min(tolerance, 1e-6)


@pytest.mark.parametrize("name", [name for name in DEVICES if name in catalog.names()])
def test_a_preset_has_that_curve(name: str) -> None:
    assert away(catalog.load(name), name) <= min(DEVICES[name][2], 1e-6)


def test_these_presets_have_curves() -> None:
    """All that aihwkit was asked for, by the names of its presets."""
    named = {"EcRam", "Capacitor", "Idealized", "GokmenVlasov", "PCM", "ReRamSB", "ReRamArrayOM"}
    assert {name for name in DEVICES if name in catalog.names()} == named


def test_double_precision_only_differs_by_the_rounding_of_single_precision() -> None:
    for name in ("SoftBounds", "ReRamSB", "ReRamArrayOM", "PCM"):
        device, ups, tolerance = DEVICES[name]
        nominal = response.without_noise(device)
        shown = swept(nominal, nominal.manufacture(1, 0), ups, [pulse for pulse, _ in CURVES[name]])
        found = np.array([float(weight[0]) for weight in shown])
        assert np.abs(found - [weight for _, weight in CURVES[name]]).max() <= tolerance


@pytest.mark.parametrize(("name", "device"), [("ReRamSB", RERAM_SB), ("GokmenVlasov", GOKMEN_VLASOV)])
def test_a_noisy_population_has_the_mean_and_spread_of_aihwkit_s(name: str, device: PulsedDevice) -> None:
    count = 8000
    shown = swept(device, device.manufacture(count, 3, np.float32), 1500, [pulse for pulse, _, _ in NOISY[name]])
    for (pulse, mean, spread), weights in zip(NOISY[name], shown, strict=True):
        error = spread * (1 / 1000 + 1 / count) ** 0.5
        assert abs(weights.mean() - mean) <= 4 * error, (pulse, weights.mean(), mean, error)
        kurtosis = ((weights - weights.mean()) ** 4).mean() / weights.var() ** 2
        error = spread * ((kurtosis - 1) / 4 * (1 / 1000 + 1 / count)) ** 0.5
        assert abs(weights.std() - spread) <= 4 * error, (pulse, weights.std(), spread, error)


def test_a_bias_weakens_one_direction_by_its_full_size_and_leaves_the_other() -> None:
    """The true formula: up dw_min(1 + min(up_down, 0)), down dw_min(1 - max(up_down, 0))."""
    for up_down, up, down in ((0.259359, 1.0, 0.740641), (-0.4, 0.6, 1.0), (0.0, 1.0, 1.0), (1.0, 1.0, 0.0)):
        device = ConstantStep(dw_min=0.01, up_down=up_down)
        assert device.step(0.0, True) == pytest.approx(0.01 * up, rel=1e-12)
        assert device.step(0.0, False) == pytest.approx(0.01 * down, rel=1e-12, abs=1e-15)


def test_reram_es_steps_follow_the_formula_by_hand() -> None:
    device = ExponentialStep(
        dw_min=0.00135,
        up_down=0.259359,
        w_max=1.0,
        w_min=-1.0,
        a=-0.5,
        b=-0.5,
        gamma_up=5.0,
        gamma_down=5.0,
        A_up=-1.18445,
        A_down=-0.081404,
    )
    for weight in (-1.0, -0.3, 0.0, 0.8, 1.0):
        z = -0.5 * weight - 0.5
        assert device.step(weight, True) == pytest.approx(0.00135 * (1 + 1.18445 * np.exp(5 * z)), rel=1e-12)
        down = 0.00135 * (1 - 0.259359) * (1 + 0.081404 * np.exp(-5 * z))
        assert device.step(weight, False) == pytest.approx(down, rel=1e-12)


def test_power_steps_follow_the_formula_by_hand_and_exponent_one_is_soft_bounds() -> None:
    device = PowerStep(dw_min=0.02, w_max=0.8, w_min=-0.4, pow_gamma=2.5, pow_up_down=0.4)
    for weight in (-0.4, -0.1, 0.5, 0.8):
        left = (0.8 - weight) / 1.2
        assert device.step(weight, True) == pytest.approx(0.02 * left**2.5, rel=1e-12, abs=1e-15)
        assert device.step(weight, False) == pytest.approx(0.02 * (1 - left) ** 1.5, rel=1e-12, abs=1e-15)
    power, soft = PowerStep(dw_min=0.02, w_max=1.0, w_min=-1.0), SoftBounds(dw_min=0.01, w_max=1.0, w_min=-1.0)
    for weight in (-0.7, 0.0, 0.31):
        assert power.step(weight, True) == pytest.approx(soft.step(weight, True), rel=1e-12)
        assert power.step(weight, False) == pytest.approx(soft.step(weight, False), rel=1e-12)


def test_a_reference_shifts_the_weight_and_its_bounds_but_not_the_device() -> None:
    plain = SoftBoundsReference(dw_min=0.01, w_max=1.0, w_min=-0.5, up_down=0.3)
    offset = replace(plain, reference_mean=0.2)
    assert offset.bounds() == pytest.approx((-0.7, 0.8))
    zeroed = replace(plain, subtract_symmetry_point=True)
    up, down = 0.01, 0.007
    point = (up - down) / (up / 1.0 + down / 0.5)
    assert zeroed.bounds() == pytest.approx((-0.5 - point, 1.0 - point))
    assert zeroed.step(0.0, True) == pytest.approx(zeroed.step(0.0, False), rel=1e-12)
    for weight in (-0.4, 0.1, 0.6):
        assert offset.step(weight - 0.2, True) == pytest.approx(plain.step(weight, True), rel=1e-12)
        assert offset.step(weight - 0.2, False) == pytest.approx(plain.step(weight, False), rel=1e-12)


def test_phase_change_noise_has_its_three_parts() -> None:
    """sd of one pulse: dw_min_std(|step| + dw_min_std_add + dw_min_std_slope |w|)."""
    device = PHASE_CHANGE.without(["device_to_device"])
    cells = device.manufacture(40_000, 5)
    for weight in (0.9, 1.2):
        device.program(cells, np.array(weight))
        device.pulse(cells, np.array(1))
        step = device.step(weight, True)
        wanted = 0.6 * (step + 0.042 + 0.108 * weight)
        assert cells.state.std() == pytest.approx(wanted, rel=0.02)
        assert cells.state.mean() == pytest.approx(weight + step, abs=4 * wanted / 200)
