"""NeuroSim's equations written out in plain Python: any label, every preset, its conductances and its joules.

A of a label is found by looking for the bulge of the curve, to the six decimals of NeuroSim's table. Conductances are
the closed forms of the manual, eqs 1-3. A pulse from G0 to G1 costs V^2 (G0 + G1)/2 t, or V^2 C if it charges a gate.
"""

from __future__ import annotations

import math
import random
from itertools import pairwise

import numpy as np
import pytest
from scipy.optimize import brentq, minimize_scalar  # type: ignore[import-untyped,unused-ignore]

from hw_models import response
from hw_models.families.neurosim import NeuroSim, label_to_a
from hw_models.sheets import catalog

GATE_F = 2.1717e-18
# MLP+NeuroSim V3.0 manual, Table II, V2.0 for TaOx_TiO2, DNN+NeuroSim V2.1 for FeFET:
# states, labels, ohms, on/off, V and s up, V and s down, whether a gate is written
PRESETS = {
    "Ag_aSi": (97, 100, 2.4, -4.88, 26e6, 12.5, 3.2, 300e-6, -2.8, 300e-6, False),
    "TaOx_HfOx": (128, 128, 0.04, -0.63, 100e3, 10, 1.6, 50e-9, 1.6, 50e-9, False),
    "PCMO": (50, 50, 3.68, -6.76, 23e6, 6.84, -2.0, 1e-3, 2.0, 1e-3, False),
    "AlOx_HfO2": (40, 40, 1.94, -0.61, 16.9e3, 4.43, 0.9, 100e-6, -1.0, 100e-6, False),
    "GST_PCM": (100, 120, 0.105, 2.4, 4.71e3, 19.8, 0.7, 6e-6, 3.0, 125e-9, False),
    "EpiRAM": (64, 64, 0.5, -0.5, 81e3, 50.2, 5.0, 5e-6, -3.0, 5e-6, False),
    "HZO_FeFET": (32, 32, 1.75, 1.46, 559.28e3, 45, 3.65, 75e-9, -2.95, 75e-9, True),
    "TaOx_TiO2": (102, 102, 1.85, -1.79, 5e6, 2, 3.0, 40e-3, -3.0, 10e-3, False),
    "FeFET": (32, 32, 1.75, 1.46, 240e3, 100, 4.0, 50e-9, -4.0, 50e-9, True),
}


def bulge(a: float) -> float:
    """The largest height of the normalised curve over the diagonal, by search."""
    found = minimize_scalar(
        lambda p: p - math.expm1(-p / a) / math.expm1(-1 / a), bounds=(0, 1), method="bounded", options={"xatol": 1e-12}
    )
    return -float(found.fun)


def a_of(label: float) -> float:
    """A over P_max of a label, signed like it, in the six decimals of NeuroSim's table."""
    size = float(brentq(lambda a: bulge(a) - 0.07 * math.sqrt(2) * abs(label), 0.015, 400.0, xtol=1e-13, rtol=1e-13))
    return math.copysign(round(size, 6), label)


def rising(low: float, high: float, states: int, label: float) -> list[float]:
    """G_LTP after 0 to `states` pulses up."""
    a = a_of(label) if label else math.inf
    places = [pulse / states for pulse in range(states + 1)]
    share = places if math.isinf(a) else [math.expm1(-place / a) / math.expm1(-1 / a) for place in places]
    return [low + (high - low) * s for s in share]


def falling(low: float, high: float, states: int, label: float) -> list[float]:
    """G_LTD after 0 to `states` pulses down: a curve like that of LTP, run backwards."""
    return rising(low, high, states, label)[::-1]


def joules(curve: list[float], volts: float, seconds: float) -> float:
    """All pulses of a curve."""
    return sum(volts**2 * (g0 + g1) / 2 * seconds for g0, g1 in pairwise(curve))


@pytest.mark.parametrize("label", [0.01, 0.04, 0.105, 0.29, 0.57, 0.63, 1.13, 1.75, 2, 3.3, 4.4, 5.5, 6.6, 7.7, 8.8, 9])
def test_a_of_any_label(label: float) -> None:
    assert label_to_a(label) == label_to_a(-label) * -1 == pytest.approx(a_of(label), rel=1e-9)


def test_the_quoted_values_of_a() -> None:
    quoted = {0.5: 2.519877, 1.0: 1.251653, 2.4: 0.499181, 4.88: 0.200303, 6.76: 0.100251, 9.0: 0.022810}
    assert {label: label_to_a(label) for label in quoted} == pytest.approx(quoted, rel=1e-4)
    assert {label: a_of(label) for label in quoted} == pytest.approx(quoted, rel=1e-4)


@pytest.mark.parametrize("seed", range(16))
def test_any_device(seed: int) -> None:
    dice = random.Random(seed)
    labels = [dice.choice([-1, 1]) * math.exp(dice.uniform(math.log(0.01), math.log(9))) for _ in range(2)]
    up, down = dice.randint(5, 300), dice.randint(5, 300)
    r_on, on_off = 10 ** dice.uniform(3, 8), dice.uniform(1.2, 200)
    model = NeuroSim(
        r_on_ohm=r_on, on_off=on_off, states_up=up, states_down=down, nl_up=labels[0], nl_down=labels[1], c2c=0.05
    )
    low, high = 1 / (r_on * on_off), 1 / r_on
    shown = response.measure(response.without_noise(model), up, down).visible[:, 0]
    assert shown[: up + 1] == pytest.approx(rising(low, high, up, labels[0]), rel=1e-6, abs=0)
    assert shown[up:] == pytest.approx(falling(low, high, down, labels[1]), rel=1e-6, abs=0)


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_pulse_by_pulse_and_joule_by_joule(name: str) -> None:
    up, down, nl_up, nl_down, r_on, on_off, up_v, up_s, down_v, down_s, gate = PRESETS[name]
    ltp = rising(1 / (r_on * on_off), 1 / r_on, up, nl_up)
    ltd = falling(1 / (r_on * on_off), 1 / r_on, down, nl_down)
    made = response.measure(response.without_noise(catalog.load(name)), up, down)
    assert made.visible[: up + 1, 0] == pytest.approx(ltp, rel=1e-6, abs=0)
    assert made.visible[up:, 0] == pytest.approx(ltd, rel=1e-6, abs=0)
    up_j, down_j = joules(ltp, up_v, up_s), joules(ltd, down_v, down_s)
    if gate:
        up_j, down_j = up * up_v**2 * GATE_F, down * down_v**2 * GATE_F
    assert made.up_energy_j == pytest.approx(up_j, rel=1e-6, abs=0)
    assert made.down_energy_j == pytest.approx(down_j, rel=1e-6, abs=0)


def test_all_presets_of_neurosim_are_here() -> None:
    assert set(PRESETS) == {name for name in catalog.names() if catalog.load(name).family == "neurosim"}


def test_the_quoted_pulses_and_joules() -> None:
    """As `edgesdt device pulse` shows them."""
    made = response.measure(response.without_noise(catalog.load("Ag_aSi")), 97, 100)
    quoted = {1: 3.912983e-9, 10: 1.070895e-8, 50: 2.941480e-8, 97: 3.846154e-8}
    quoted |= {98: 3.672658e-8, 147: 5.770532e-9, 197: 3.076923e-9}
    assert {pulse: made.visible[pulse, 0] for pulse in quoted} == pytest.approx(quoted, rel=1e-6, abs=0)
    one = response.measure(response.without_noise(catalog.load("Ag_aSi")), 1, 0)
    assert one.up_energy_j == pytest.approx(1.073650e-11, rel=1e-4, abs=0)
    sweeps = {"Ag_aSi": (7.8414e-9, 2.3342e-9), "TaOx_HfOx": (9.0501e-11, 8.3986e-11), "PCMO": (6.7394e-9, 2.0177e-9)}
    for name, quoted_j in sweeps.items():
        up, down = PRESETS[name][:2]
        made = response.measure(response.without_noise(catalog.load(name)), up, down)
        assert (made.up_energy_j, made.down_energy_j) == pytest.approx(quoted_j, rel=1e-4, abs=0)


def test_noise_of_a_write_of_any_number_of_pulses() -> None:
    """G += N(0, c2c (G_max - G_min)) sqrt(n), once per write; d2d moves the labels."""
    for name, count in (("EpiRAM", 1), ("EpiRAM", 16), ("AlOx_HfO2", 4)):
        model = catalog.load(name).only("cycle_to_cycle")
        low, high = model.bounds()
        cells = model.manufacture(40_000, 2)
        model.program(cells, np.full(40_000, low + 0.5 * (high - low)))
        model.pulse(cells, np.full(40_000, count))
        sigma = {"EpiRAM": 0.02, "AlOx_HfO2": 0.05}[name] * math.sqrt(count)
        assert cells.state.std() / (high - low) == pytest.approx(sigma, rel=0.02)
