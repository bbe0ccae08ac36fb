"""Converts the coordinates of a fit to the parameters of a family, with the names and units of device sheets.

All functions are vectorised over draws: law parameters (m, p), noise (m,), ends (m,). An interval is given by the
quantiles of the transformed draws (`intervals`). aihwkit's families have weights; a measurement in siemens is mapped to
−1 at the low end and +1 at the high end.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from hw_models.base import DeviceError
from hw_models.measured.fit.ends import Ends
from hw_models.measured.fit.laws import ADDITIVE, Candidate
from hw_models.measured.fit.scaled import Scaled
from hw_models.measured.tables.traces import Floats

MOST_NL = 9.0
"""The largest label of NeuroSim's table."""
MOST_CURVATURE = 43.840
"""Pmax/A of that label: the largest |c| that `label` accepts."""
SHEET_FAMILY = {
    "neurosim": "neurosim", "constant": "constant_step", "linear": "linear_step", "soft_bounds": "soft_bounds",
    "power": "power_step", "exponential": "exponential_step",
}  # fmt: skip

_WEIGHT_SPREAD = ("dw_min", "w_max", "w_min", "up_down")
SPREAD = {
    "neurosim": ("nl_up", "nl_down"), "linear": (*_WEIGHT_SPREAD, "gamma_up", "gamma_down"),
    "power": (*_WEIGHT_SPREAD, "pow_gamma", "pow_up_down"),
}  # fmt: skip
"""Parameters for which the sheet of a family holds differences between cells; for other families `_WEIGHT_SPREAD`."""


def left_out(family: str, spread: Iterable[str]) -> tuple[str, ...]:
    """The parameters that differ between cells but have no entry in the sheet of `family`."""
    return tuple(name for name in spread if name not in SPREAD.get(family, _WEIGHT_SPREAD))


def holds_spread(family: str) -> bool:
    """Whether a sheet of the family can hold the spread of step sizes; NeuroSim's holds only that of labels."""
    return "dw_min" in SPREAD.get(family, _WEIGHT_SPREAD)


@dataclass(frozen=True)
class Draws:
    """Law parameters (m, p), noise of a pulse (m,) and ends of the range (m,), all in units of the range."""

    p: Floats
    sigma: Floats
    low: Floats
    high: Floats


def parameters(
    candidate: Candidate, draws: Draws, ends: Ends, data: Scaled, gauge: tuple[float, float] | None
) -> dict[str, Floats]:
    """Parameters of the family by name, (m,) each; NaN if a draw is not a valid device.

    `gauge` (offset, unit) converts a state to a weight: w = offset + unit·x. None: −1 and +1 at the ends of each draw.
    """
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        if candidate.family == "neurosim":
            return _neurosim(draws, ends, data)
        low, high = (draws.p[:, -2], draws.p[:, -1]) if candidate.own_bounds else (draws.low, draws.high)
        offset, scale = gauge if gauge is not None else (-(high + low) / (high - low), 2 / (high - low))
        zero = -offset / scale * np.ones_like(low)  # x at which the weight is 0
        up, down, own = _STEPS[candidate.family](draws, zero, low, high)
        size = np.maximum(up, down)
        found = {"dw_min": size * scale, "up_down": np.where(up < down, up / size - 1, 1 - down / size), **own}
        found["dw_min_std"] = draws.sigma / size if candidate.noise == ADDITIVE else draws.sigma
        if gauge is not None:
            found |= {"w_max": offset + scale * high, "w_min": offset + scale * low}
        valid = (up > 0) & (down > 0) & (high > low) & ((gauge is None) | ((low <= zero) & (zero <= high)))
        return {name: np.where(valid, values, np.nan) for name, values in found.items()}


Steps = tuple[Floats, Floats, dict[str, Floats]]
"""Step up and down at weight 0, in units of the range, and the family's own parameters."""


def _constant(d: Draws, zero: Floats, low: Floats, high: Floats) -> Steps:
    return d.p[:, 0], d.p[:, 1], {}


def _linear(d: Draws, zero: Floats, low: Floats, high: Floats) -> Steps:
    """up = dw(1 − γ w/w_max), down = dw(1 − γ w/w_min)."""
    u0, u1, d0, d1 = d.p.T
    up, down = u0 + (u1 - u0) * zero, d0 + (d1 - d0) * zero
    return up, down, {"gamma_up": -(u1 - u0) * (high - zero) / up, "gamma_down": -(d1 - d0) * (low - zero) / down}


def _soft(d: Draws, zero: Floats, low: Floats, high: Floats) -> Steps:
    """up = dw(1 − w/w_max), down = dw(1 − w/w_min)."""
    return d.p[:, 0] * (high - zero) / (high - low), d.p[:, 1] * (zero - low) / (high - low), {}


def _power(d: Draws, zero: Floats, low: Floats, high: Floats) -> Steps:
    """up = dw om^γ, down = dw (1 − om)^γ, om = (w_max − w)/(w_max − w_min); γ is divided like `up_down`."""
    up, down = d.p[:, 1], d.p[:, 3]
    gamma = np.maximum(np.maximum(up, down), 1e-12)
    return d.p[:, 0], d.p[:, 2], {
        "pow_gamma": gamma, "pow_up_down": np.where(up < down, up / gamma - 1, 1 - down / gamma),
    }  # fmt: skip


def _exponential(d: Draws, zero: Floats, low: Floats, high: Floats) -> Steps:
    """up = dw max(1 − A e^(γz), 0), down = dw max(1 − A e^(−γz), 0), z = 2w/(w_max − w_min)."""
    found, own = [], {}
    for way, place, sign in (("up", 0, 1.0), ("down", 3, -1.0)):
        a, b, c = d.p[:, place], d.p[:, place + 1], d.p[:, place + 2]
        c = np.where(np.abs(c) < 1e-4, 1e-4, c)
        part = (b - a) / np.expm1(c)
        found.append(a - part)
        own[f"gamma_{way}"] = sign * c * (high - low) / 2
        own[f"A_{way}"] = -part * np.exp(c * zero) / (a - part)
    return found[0], found[1], own


_STEPS = {
    "constant": _constant, "linear": _linear, "soft_bounds": _soft, "power": _power, "exponential": _exponential,
}  # fmt: skip


def _neurosim(d: Draws, ends: Ends, data: Scaled) -> dict[str, Floats]:
    """NL, pulses and range: G' = G∞ + (G − G∞)e^(−κ) in both directions (manual V3.0, eqs 1-3), NL from c = P κ."""
    u0, u1, d0, d1 = d.p.T
    kappa_up = -np.log1p(-np.clip(u0 - u1, -0.99, 0.99))
    kappa_down = -np.log1p(-np.clip(d1 - d0, -0.99, 0.99))
    low = d.low
    high = d.high if ends.high_seen else _state_after(low, u0, u1, kappa_up, ends.up_pulses)
    if ends.high_seen:
        pulses_up = _pulses_between(u0 + (u1 - u0) * low, u0 + (u1 - u0) * high, kappa_up, high - low)
    else:
        pulses_up = np.full_like(low, float(ends.up_pulses))
    pulses_down = _pulses_between(d0 + (d1 - d0) * high, d0 + (d1 - d0) * low, kappa_down, high - low)
    g_min, g_max = data.offset + data.unit * low, data.offset + data.unit * high
    found = {
        "r_on_ohm": 1 / g_max,
        "on_off": g_max / g_min,
        "nl_up": label(pulses_up * kappa_up),
        "nl_down": -label(pulses_down * kappa_down),
        "states_up": pulses_up,
        "states_down": pulses_down,
        "c2c": d.sigma / (high - low),
    }
    valid = (high > low) & (g_min > 0) & (pulses_up > 0) & (pulses_down > 0)
    return {name: np.where(valid, values, np.nan) for name, values in found.items()}


def _state_after(low: Floats, u0: Floats, u1: Floats, kappa: Floats, pulses: int) -> Floats:
    """State of the mean up curve from `low` after `pulses`."""
    first = u0 + (u1 - u0) * low
    rate = -np.expm1(-kappa)
    flat = np.abs(rate) < 1e-9
    share = np.where(flat, pulses, -np.expm1(-kappa * pulses) / np.where(flat, 1.0, rate))
    return low + first * share


def _pulses_between(first: Floats, last: Floats, kappa: Floats, span: Floats) -> Floats:
    """Pulses over `span` for steps that change exponentially from `first` to `last`; at most the number for label 9."""
    safe = np.maximum(last, 1e-300)
    flat = np.abs(kappa) < 1e-9
    curved = np.log(np.maximum(first, 1e-300) / safe) / np.where(flat, 1.0, kappa)
    pulses = np.where(flat, span / np.maximum(first, 1e-300), curved)
    most = MOST_CURVATURE / np.maximum(np.abs(kappa), 1e-300)
    ended = (last <= 0) & (first > 0)  # the mean curve does not reach the end: use the steepest label
    return np.where(ended, most, np.minimum(pulses, most))


def label(c: Floats) -> Floats:
    """NeuroSim's NL of curvature c = Pmax/A: largest perpendicular distance from the diagonal over 0.07, signed."""
    size = np.minimum(np.abs(c), MOST_CURVATURE)
    bent = np.maximum(size, 1e-3)
    a, share = 1 / bent, -np.expm1(-bent)
    distance = (1 - a * share) / share + a * np.log(a * share)
    distance = np.where(size < 1e-3, size / 8, distance)
    found: Floats = np.sign(c) * np.minimum(distance / (0.07 * np.sqrt(2.0)), MOST_NL)  # rounding may exceed the limit
    return found


def check(name: str) -> str:
    """The family for a name given by a user: that of a candidate or of a sheet. Raises `DeviceError` for others."""
    from hw_models.base import unknown

    plain = name.strip().lower().removesuffix("_step")
    if plain in SHEET_FAMILY or plain == "lookup":
        return plain
    raise DeviceError(unknown("family", name, (*SHEET_FAMILY, "lookup")))
