"""aihwkit's pulsed devices written out in plain Python, for parameters of any kind: presets, other slopes, any bias.

One pulse in direction d moves the weight by its step and clips it; up is dw_min(1 + min(up_down, 0)), down is
dw_min(1 - max(up_down, 0)). Weights are rounded to single precision after every pulse.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from hw_models import response
from hw_models.base import CellModel
from hw_models.families.steps.constant import ConstantStep
from hw_models.families.steps.exponential import ExponentialStep
from hw_models.families.steps.linear import LinearStep
from hw_models.families.steps.power import PowerStep
from hw_models.families.steps.soft_bounds import SoftBounds, SoftBoundsReference
from hw_models.sheets import catalog

Step = Callable[[float, bool], float]
Curve = list[float]


def sizes(p: dict[str, float]) -> tuple[float, float]:
    """Step up and step down at their largest."""
    up_down = p.get("up_down", 0.0)
    return p["dw_min"] * (1 + min(up_down, 0.0)), p["dw_min"] * (1 - max(up_down, 0.0))


def constant(p: dict[str, float]) -> Step:
    """The same in every state."""
    up, down = sizes(p)
    return lambda w, rising: up if rising else down


def linear(p: dict[str, float]) -> Step:
    """dw (1 - gamma w / bound)."""
    up, down = sizes(p)
    return lambda w, rising: (
        up * (1 - p["gamma_up"] * w / p["w_max"]) if rising else down * (1 - p["gamma_down"] * w / p["w_min"])
    )


def soft(p: dict[str, float]) -> Step:
    """dw (1 - w / bound)."""
    return linear({**p, "gamma_up": 1.0, "gamma_down": 1.0})


def exponential(p: dict[str, float]) -> Step:
    """dw max(1 - A e^(+-gamma z), 0), z = 2 a w / (w_max - w_min) + b."""
    up, down = sizes(p)

    def step(w: float, rising: bool) -> float:
        z = 2 * p["a"] * w / (p["w_max"] - p["w_min"]) + p["b"]
        if rising:
            return up * max(1 - p["A_up"] * math.exp(p["gamma_up"] * z), 0.0)
        return down * max(1 - p["A_down"] * math.exp(-p["gamma_down"] * z), 0.0)

    return step


def power(p: dict[str, float]) -> Step:
    """dw ((w_max - w) / range)^gamma up, dw ((w - w_min) / range)^gamma down."""
    up, down = sizes(p)
    skew = p.get("pow_up_down", 0.0)
    gamma_up, gamma_down = p["pow_gamma"] * (1 + min(skew, 0.0)), p["pow_gamma"] * (1 - max(skew, 0.0))
    span = p["w_max"] - p["w_min"]


    def step(w: float, rising: bool) -> float:
        left = max(p["w_max"] - w if rising else w - p["w_min"], 0.0) / span  # a rounded bound may lie beyond
        return float(up * left**gamma_up if rising else down * left**gamma_down)

    return step


def curve(step: Step, low: float, high: float, ups: int, downs: int) -> Curve:
    """Weights from `low` up and down again, in single precision."""
    shown = [float(np.float32(low))]
    for pulse in range(ups + downs):
        w, rising = shown[-1], pulse < ups
        moved = w + step(w, rising) if rising else w - step(w, rising)
        shown.append(float(np.float32(min(max(moved, low), high))))
    return shown


def referred(p: dict[str, float]) -> float:
    """What a soft-bounds cell's weight is measured from: its reference and, if asked for, its symmetry point."""
    reference = p.get("reference_mean", 0.0)
    if p.get("subtract_symmetry_point"):
        up, down = sizes(p)
        reference += (up - down) / (up / p["w_max"] - down / p["w_min"])
    return reference


def check(model: CellModel, step: Step, p: dict[str, float], ups: int, downs: int, reference: float = 0.0) -> None:
    """`model`, as the command line shows it, against `step` with bounds moved by `reference`."""
    low, high = p["w_min"] - reference, p["w_max"] - reference
    wanted = curve(lambda w, rising: step(w + reference, rising), low, high, ups, downs)
    shown = response.measure(response.without_noise(model), ups, downs).visible[:, 0]
    assert np.abs(shown - wanted).max() <= 1e-6 * (high - low)
    assert shown[ups] - shown[0] > 0.01 * (high - low), "else nothing was tried"


FAMILIES: dict[str, tuple[Callable[..., CellModel], Callable[[dict[str, float]], Step]]] = {
    "constant": (ConstantStep, constant),
    "linear": (LinearStep, linear),
    "soft": (SoftBounds, soft),
    "reference": (SoftBoundsReference, soft),
    "exponential": (ExponentialStep, exponential),
    "power": (PowerStep, power),
}


def drawn(family: str, seed: int) -> dict[str, Any]:
    """Parameters of a family, anywhere that a device may be."""
    dice = random.Random(f"{family} {seed}")
    p: dict[str, Any] = {
        "dw_min": math.exp(dice.uniform(math.log(1e-3), math.log(0.1))),
        "up_down": dice.choice([0.0, dice.uniform(-0.9, 0.0), dice.uniform(0.0, 0.9)]),
        "w_max": dice.uniform(0.2, 2.0),
        "w_min": -dice.uniform(0.2, 2.0),
    }
    if family == "linear":
        p |= {"gamma_up": dice.uniform(0, 1.2), "gamma_down": dice.uniform(0, 1.2)}
    if family == "reference":
        p |= {"subtract_symmetry_point": dice.random() < 0.5, "reference_mean": dice.uniform(-0.2, 0.2)}
    if family == "exponential":
        p |= {"a": dice.uniform(-1, 1), "b": dice.uniform(-0.5, 0.5)}
        p |= {name: dice.uniform(0, 5) for name in ("gamma_up", "gamma_down")}
        p |= {name: dice.uniform(-1, 0.3) for name in ("A_up", "A_down")}
    if family == "power":
        p |= {"pow_gamma": dice.uniform(0.3, 4), "pow_up_down": dice.uniform(-0.8, 0.8)}
    return p


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("seed", range(12))
def test_any_parameters(family: str, seed: int) -> None:
    p = drawn(family, seed)
    kind, law = FAMILIES[family]
    check(kind(**p), law(p), p, 250, 250, referred(p) if family == "reference" else 0.0)


BOUNDED = {"w_max": 1.0, "w_min": -1.0}
# as Rasch et al., AICAS 2021, aihwkit 1.2.0, presets/devices.py
PRESETS: dict[str, tuple[str, dict[str, Any], int, int]] = {
    "ReRamES": (
        "exponential",
        {"dw_min": 0.00135, "up_down": 0.259359, **BOUNDED, "a": -0.5, "b": -0.5, "gamma_up": 5.0, "gamma_down": 5.0}
        | {"A_up": -1.18445, "A_down": -0.081404},
        800,
        800,
    ),
    "ReRamSB": ("soft", {"dw_min": 0.002, "w_max": 1.25, "w_min": -0.75}, 900, 900),
    "Capacitor": ("linear", {"dw_min": 0.005, **BOUNDED, "gamma_up": 0.05, "gamma_down": 0.05}, 450, 450),
    "EcRam": (
        "linear",
        {"dw_min": 0.002, "w_max": 1.1724, "w_min": -0.8276, "gamma_up": 0.1153, "gamma_down": 0.5085},
        900,
        900,
    ),
    "EcRamMO": (
        "linear",
        {"dw_min": 2.8214e-4, "w_max": 1.1714, "w_min": -0.8286, "gamma_up": 0.4152, "gamma_down": 0.7342},
        4000,
        2000,
    ),
    "Idealized": ("constant", {"dw_min": 0.0002, **BOUNDED}, 1500, 1000),
    "GokmenVlasov": ("constant", {"dw_min": 0.0016, **BOUNDED}, 1400, 1400),
    "PCM": (
        "exponential",
        {"dw_min": 0.01, "w_max": 2.0, "w_min": 0.0, "a": -1.0, "b": 0.0, "gamma_up": 2.5, "gamma_down": 2.5}
        | {"A_up": -27.235, "A_down": -2.235},
        90,
        60,
    ),
    "ReRamArrayOM": ("soft", {"dw_min": 0.0949, **BOUNDED}, 70, 70),
    "ReRamArrayHfO2": ("soft", {"dw_min": 0.4622, **BOUNDED}, 20, 20),
}


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset(name: str) -> None:
    family, p, ups, downs = PRESETS[name]
    check(catalog.load(name), FAMILIES[family][1](p), p, ups, downs)


@pytest.mark.parametrize("name", PRESETS)
@pytest.mark.parametrize("up_down", [-0.45, 0.3])
def test_every_preset_with_another_bias(name: str, up_down: float) -> None:
    family, p, ups, downs = PRESETS[name]
    p = {**p, "up_down": up_down, "subtract_symmetry_point": name.startswith("ReRamArray")}
    model = catalog.load(name, up_down=up_down)
    check(model, FAMILIES[family][1](p), p, min(ups, 900), min(downs, 900), referred(p))
