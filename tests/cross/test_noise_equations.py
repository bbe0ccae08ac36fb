"""Published equations of noise, converters and scaling written out anew, at points where nobody has tabulated them.

Draws here are numpy's own, so that nothing of the models under test is used to judge them.
"""

from __future__ import annotations

import math
import random

import numpy as np
import numpy.typing as npt
import pytest

from hw_models.families.lookup import Lookup
from hw_models.periphery.adc import survey_area_mm2, survey_energy_j
from hw_models.sheets import catalog
from hw_models.technology import load
from hw_models.technology.scaling import energy_ratio

DRAWS = 400_000
DAY_S = 86_400.0
Floats = npt.NDArray[np.float64]


def pcm(target_us: float, after_s: float) -> Floats:
    """Nandakumar et al., ICECS 2019: programming noise, drift from 20 s on, 1/f noise; microsiemens."""
    dice, r = np.random.default_rng(12), target_us / 25.0
    written = np.maximum(target_us + (0.26348 + 1.965 * r - 1.1731 * r**2) * dice.standard_normal(DRAWS), 0.0)
    mean = np.clip(-0.0155 * np.log(r) + 0.0244, 0.049, 0.1)
    deviation = np.clip(-0.0125 * np.log(r) - 0.0059, 0.008, 0.045)
    nu = np.abs(mean + deviation * dice.standard_normal(DRAWS))
    drifted = written * ((after_s + 20.0) / 20.0) ** -nu
    with np.errstate(divide="ignore"):
        q = np.minimum(0.0088 / (written / 25.0) ** 0.65, 0.2)
    sigma = q * np.sqrt(np.log((after_s + 20.0 + 250e-9) / (2 * 250e-9)))
    return np.asarray(np.maximum(drifted * (1 + sigma * dice.standard_normal(DRAWS)), 0.0))


@pytest.mark.parametrize("after_s", [0.0, 1.0, 60.0, 1e4, 7 * DAY_S, 1e8])
@pytest.mark.parametrize("target_us", [0.6, 3.7, 12.5, 22.0])
def test_phase_change_memory_at_any_conductance_and_time(target_us: float, after_s: float) -> None:
    model = catalog.load("PCM_inference")
    cells = model.manufacture(DRAWS, 3)
    model.program(cells, np.full(DRAWS, target_us * 1e-6))
    seen, wanted = model.read(cells, after_s, 5) * 1e6, pcm(target_us, after_s)
    assert seen.mean() == pytest.approx(wanted.mean(), rel=0.01)
    assert seen.std() == pytest.approx(wanted.std(), rel=0.01)


WAN = [(1.0, (0.348, 16.03, -43.853, 45.393, -16.815)), (DAY_S, (0.701, 22.086, -50.773, 47.095, -16.458))]
WAN += [(2 * DAY_S, (0.782, 20.274, -43.507, 37.062, -11.934))]
JOSHI, WAN_CUBIC = (0.28638599, 0.07585724, -0.00178767), (1.053, 0.2374, -1.167e-2, 1.536e-4)
MILO = (4.782321, -0.009107)


@pytest.mark.parametrize(
    ("name", "target_us", "after_s", "sigma_us"),
    [
        *(
            ("ReRAM_inference", 40 * r, after_s, sum(c * r**i for i, c in enumerate(row)))
            for after_s, row in WAN
            for r in (0.3, 0.62, 0.85)
        ),
        *(("PCM_Joshi", g, 0.0, sum(c * g**i for i, c in enumerate(JOSHI))) for g in (3.0, 11.0, 24.0)),
        *(("RRAM_Wan", g, 0.0, sum(c * g**i for i, c in enumerate(WAN_CUBIC))) for g in (9.0, 18.0, 37.0)),
        *(("RRAM_Milo", g, 0.0, max(MILO[0] + MILO[1] * g, 0.0)) for g in (60.0, 130.0, 222.0)),
    ],
)
def test_programming_noise_of_presets(name: str, target_us: float, after_s: float, sigma_us: float) -> None:
    model = catalog.load(name)
    cells = model.manufacture(DRAWS, 8)
    model.program(cells, np.full(DRAWS, target_us * 1e-6))
    seen = model.read(cells, after_s, 1) * 1e6
    assert seen.mean() == pytest.approx(target_us, rel=0.01)
    assert seen.std() == pytest.approx(sigma_us, rel=0.01)


@pytest.mark.parametrize("seed", range(4))
def test_a_lookup_table_of_any_kind_at_any_conductance(seed: int) -> None:
    """A table of its own: u uniform, the change between the rows and the columns next to it."""
    dice = np.random.default_rng(seed)
    g = np.cumsum(dice.uniform(5e-6, 40e-6, 9))
    cdf = np.sort(dice.uniform(0.02, 0.98, 7))
    up = np.sort(dice.uniform(-0.2e-6, 3e-6, (7, 9)), axis=0)
    down = np.sort(dice.uniform(-4e-6, 0.3e-6, (7, 9)), axis=0)
    model = Lookup(g_s=tuple(g), cdf=tuple(cdf), up_s=tuple(map(tuple, up)), down_s=tuple(map(tuple, down)))
    for at in dice.uniform(g[0], g[-1], 3):
        place = int(np.searchsorted(g, at)) - 1
        share = (at - g[place]) / (g[place + 1] - g[place])
        for table, count in ((up, 1), (down, -1)):
            column = table[:, place] + share * (table[:, place + 1] - table[:, place])
            wanted = np.interp(dice.random(DRAWS), cdf, column)
            cells = model.manufacture(DRAWS, seed)
            model.program(cells, np.full(DRAWS, at))
            model.pulse(cells, np.full(DRAWS, count))
            change = cells.state - at
            assert change.mean() == pytest.approx(wanted.mean(), rel=0.02, abs=1e-8)
            assert change.std() == pytest.approx(wanted.std(), rel=0.02, abs=0)


# T. Andrulis et al., arXiv:2404.06553: the largest figure of merit for 0, 1, ... 20 bits, as published, in dB
MAX_BY_BITS = [128.3068287398817, 131.52734025085925, 134.7478517618368, 137.96836327281437, 141.18887478379193]
MAX_BY_BITS += [144.4093862947695, 147.62989780574708, 150.85040931672464, 154.0709208277022, 157.29143233867975]
MAX_BY_BITS += [160.5119438496573, 163.73245536063487, 166.95296687161243, 170.17347838259, 173.39398989356755]
MAX_BY_BITS += [176.61450140454514, 179.83501291552267]


@pytest.mark.parametrize("seed", range(40))
def test_a_converter_of_any_bits_rate_and_node(seed: int) -> None:
    dice = random.Random(seed)
    bits = dice.choice([dice.randint(4, 16), dice.uniform(4, 15.9)])
    rate_hz, node_nm = 10 ** dice.uniform(3, 9.9), dice.uniform(7, 350)
    sndr = bits * 20 * math.log10(2) + 10 * math.log10(1.5)
    merit = min(213.7806687348118 - 2.8719030399529957 * math.log(rate_hz), MAX_BY_BITS[math.ceil(bits)])
    by_node = 26.0496215686518 - 1.4702022133784405 + 1.8800369206815004 * math.log(node_nm)
    picojoules = math.exp(by_node - 2.8291256050594527 * math.log(bits)) / (2 * 10 ** ((merit - sndr) / 10))
    area_um2 = math.exp(
        1.3461916439910742
        + 0.9932794744745022 * math.log(node_nm)
        + 0.18071538424508238 * math.log(rate_hz)
        + 0.29912426192653485 * math.log(picojoules)
    )
    assert survey_energy_j(bits, rate_hz, node_nm) == pytest.approx(picojoules * 1e-12, rel=1e-9, abs=0)
    assert survey_area_mm2(bits, rate_hz, node_nm) == pytest.approx(area_um2 * 1e-6, rel=1e-9, abs=0)


# W. Stillmaker, B. Baas, Integration 58 (2017): a2, a1, a0 of the energy at a supply
POLYNOMIALS = {
    130: (7.171, -6.709, 2.904), 90: (4.762, -4.781, 2.092), 65: (3.755, -4.398, 1.975), 45: (1.103, -0.362, 0.2767),
    32: (0.9559, -0.7823, 0.471), 20: (0.373, -0.1582, 0.04104), 16: (0.2958, -0.1241, 0.03024),
    14: (0.2363, -0.09675, 0.02239), 10: (0.2068, -0.09311, 0.02375), 7: (0.1776, -0.09097, 0.02447),
}  # fmt: skip


@pytest.mark.parametrize("from_nm", POLYNOMIALS)
@pytest.mark.parametrize("to_nm", POLYNOMIALS)
def test_energy_between_any_two_nodes(from_nm: int, to_nm: int) -> None:
    to, of = (sum(a * 0.8 ** (2 - i) for i, a in enumerate(POLYNOMIALS[nm])) for nm in (to_nm, from_nm))
    assert energy_ratio(to_nm, from_nm) == pytest.approx(to / of, rel=1e-9)
    if from_nm == 45:
        assert load("cmos_45nm", to_nm).add_j(32) == pytest.approx(0.1e-12 * to / of, rel=1e-6, abs=0)


def test_the_quoted_ratios() -> None:
    """At a supply of 0.8 V, relative to 45 nm."""
    quoted = {32: 0.659, 14: 0.139, 7: 0.094}
    assert {nm: energy_ratio(nm, 45) for nm in quoted} == pytest.approx(quoted, abs=1e-3)
