"""NeuroSim's cell: exponential conductance curves from a nonlinearity label, a number of states, R_on and on/off.

Source: P.-Y. Chen, X. Peng, S. Yu, "NeuroSim+", IEDM 2017, doi:10.1109/IEDM.2017.8268337, and the manual of
MLP+NeuroSim V3.0, eqs 1-3. Valid for labels up to 9 and identical pulses. Not modelled: non-identical pulse schemes,
drift, stuck cells (wrap it). Going up, `G(P) = G_min + B(1 - e^(-P/A))`, `B = (G_max - G_min)/(1 - e^(-P_max/A))`;
going down the curve of another A is run backwards in P. Both A have the sign of their label; a typical device has a
positive label up and a negative one down. Per pulse this is `G ← G∞ + (G - G∞)e^(∓1/A)`, an affine step.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from math import copysign, inf, sqrt
from typing import ClassVar

import numpy as np

from hw_models.arguments import ARGUMENTS
from hw_models.base import MOST_PULSES, Cells, DeviceError, Drive, Ints, Quantity, Reals, check_read, states
from hw_models.families.steps.stepped import Draws, Rows, Stepped, check, parameter
from hw_models.kernels.step_laws import AFFINE, HIGH, LOW, P0, P1, PER_WRITE, SCALE, WIDTH

LARGEST_LABEL = 9.0
_LABELS_PER_UNIT = 1000
_STEEPEST = 200.0
_HALVINGS = 64
_DECIMALS = 6
_UP_DRAW, _DOWN_DRAW, _READ_DRAW = 1, 2, 3


@dataclass(frozen=True, kw_only=True)
class NeuroSim(Stepped):
    """Conductance in siemens. Noise of a write of n pulses: `c2c·(G_max - G_min)·√n·xi`, once, then clipped."""

    family: ClassVar[str] = "neurosim"
    citation: ClassVar[str] = "Chen, Peng, Yu, IEDM 2017, doi:10.1109/IEDM.2017.8268337; MLP+NeuroSim V3.0 manual"
    valid_range: ClassVar[str] = "nonlinearity labels -9 to 9, identical pulses, conductances inside G_min..G_max"
    not_modelled: ClassVar[str] = "non-identical pulses, drift, stuck cells, spread of G_min and G_max"
    quantity: ClassVar[Quantity] = "conductance"

    name: str = "neurosim"
    drive: Drive | None = None
    r_on_ohm: float = parameter(100e3, "Ohm", "resistance of the highest state", above=0.0)
    on_off: float = parameter(10.0, "1", "ratio of the highest to the lowest conductance", above=1.0)
    states_up: int = parameter(100, "states", "pulses from the lowest to the highest state", 1, 10**6)
    states_down: int = parameter(100, "states", "pulses from the highest to the lowest state", 1, 10**6)
    nl_up: float = parameter(0.0, "1", "nonlinearity label going up", -LARGEST_LABEL, LARGEST_LABEL)
    nl_down: float = parameter(0.0, "1", "nonlinearity label going down", -LARGEST_LABEL, LARGEST_LABEL)
    c2c: float = parameter(0.0, "1", "cycle-to-cycle noise of one pulse, as a share of the full range", low=0.0)
    d2d: float = parameter(0.0, "1", "spread of both labels over cells, absolute", low=0.0)
    read_noise: float = parameter(0.0, "1", "noise of one read, relative to the conductance", low=0.0)
    iv_nonlinearity: float = parameter(0.0, "1", "growth of G per half write voltage; 0: ohmic", low=0.0)
    off: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        check(self)
        for name in ("states_up", "states_down"):
            if getattr(self, name) != int(getattr(self, name)):
                raise DeviceError(f"{self.name}: {name} is {getattr(self, name)!r}; it must be a whole number")

    @property
    def law(self) -> int:
        """Affine in the conductance."""
        return AFFINE

    def bounds(self) -> tuple[float, float]:
        """G_min and G_max in siemens."""
        return 1.0 / (self.r_on_ohm * self.on_off), 1.0 / self.r_on_ohm

    def pulses_for(self, change_s: Reals) -> Ints:
        """Pulses for these changes of conductance: `change/(G_max - G_min)·P_max`, rounded, .5 towards 0."""
        low, high = self.bounds()
        most = MOST_PULSES / max(self.states_up, self.states_down) * (high - low)
        change = ARGUMENTS.reals("change_s", change_s, None, -most, most).astype(np.float64)
        exact = change / (high - low) * np.where(change > 0, self.states_up, self.states_down)
        return (np.sign(exact) * np.ceil(np.abs(exact) - 0.5)).astype(np.int64)

    def conductance_at(self, state_s: Reals, voltage_v: float, write_v: float) -> Reals:
        """I/V of a nonlinear I-V curve: `G(V) = G·V_r/V·NL^((V - V_r)/(V_w/2))`, V_r the read voltage."""
        state_s = states(state_s, "state_s")
        ARGUMENTS.number("voltage_v", abs(ARGUMENTS.number("voltage_v", voltage_v)), 1e-6, 1e6)
        ARGUMENTS.number("write_v", abs(ARGUMENTS.number("write_v", write_v)), 1e-6, 1e6)
        if not self.iv_nonlinearity or "iv_nonlinearity" in self.off:
            return state_s
        if self.drive is None:
            raise DeviceError(f"{self.name}: I-V nonlinearity needs a read voltage (give a drive)")
        read_v = self.drive.read_voltage_v
        exponent = (abs(voltage_v) - read_v) / (abs(write_v) / 2.0)
        chord: Reals = state_s * (read_v / abs(voltage_v) * self.iv_nonlinearity**exponent)
        return chord

    def read(self, cells: Cells, after_s: float = 0.0, seed: int = 0) -> Reals:
        """The result of one read, in siemens: visible·(1 + read_noise·xi); time has no effect."""
        check_read(cells, after_s, seed)
        if not self.read_noise or "read_noise" in self.off:
            return cells.visible.copy()
        from hw_models.kernels import randomness

        key = randomness.key_of(randomness.key_of(seed, _READ_DRAW) ^ int(cells.random[0]), _READ_DRAW)
        factor = 1.0 + self.read_noise * randomness.gaussians(key, len(cells.visible))
        return (cells.visible * factor).astype(cells.visible.dtype)

    def read_sd(self, state: Reals) -> Reals:
        """Proportional to the conductance."""
        return states(state).astype(np.float64) * (0.0 if "read_noise" in self.off else self.read_noise)

    def curve(self, pulses: int, up: bool) -> Rows:
        """(pulses + 1,) nominal conductances from the lowest state up, or from the highest down."""
        low, high = self.bounds()
        start, slope = (float(value) for value in self._rows(Draws(1))[0, [P0 + (not up), P1 + (not up)]])
        out = [low if up else high]
        for _ in range(pulses):
            step = start + slope * out[-1]
            out.append(min(max(out[-1] + (step if up else -step), low), high))
        return np.array(out)

    def _sum_s(self, number: int, passed: float, voltage_v: float) -> float:
        return float(self.conductance_at(np.array([passed]), voltage_v, voltage_v)[0])

    def _switches(self) -> tuple[str, ...]:
        curved = self.nl_up != 0 or self.nl_down != 0
        has = {
            "device_to_device": self.d2d > 0,
            "cycle_to_cycle": self.c2c > 0,
            "nonlinearity": curved,
            "asymmetry": curved or self.states_up != self.states_down,
            "read_noise": self.read_noise > 0,
            "iv_nonlinearity": self.iv_nonlinearity > 0,
        }
        return tuple(name for name, present in has.items() if present)

    def _noise(self) -> dict[int, float]:
        low, high = self.bounds()
        return {PER_WRITE: 0.0 if "cycle_to_cycle" in self.off else self.c2c * (high - low)}

    def _flatten(self, rows: Rows) -> None:
        """Does nothing: the labels were already drawn around 0, so that their spread remains a separate switch."""

    def _own_rows(self, draws: Draws) -> Rows:
        from hw_models.kernels.portable_arrays import exponentials

        if "device_to_device" in self.off:
            draws = Draws(draws.count)
        rows = np.zeros((draws.count, WIDTH))
        low, high = self.bounds()
        rows[:, LOW], rows[:, HIGH] = low, high
        for down, (label, number, stream) in enumerate(
            ((self.nl_up, self.states_up, _UP_DRAW), (self.nl_down, self.states_down, _DOWN_DRAW))
        ):
            label = 0.0 if "nonlinearity" in self.off else label
            bend = curvatures(label + draws.gaussians(stream, self.d2d))
            way = -1.0 if down else 1.0  # going down follows the curve backwards
            lost = -way * (exponentials(-way * bend / number) - 1.0)
            whole = 1.0 - exponentials(-bend)
            share = np.divide(lost, whole, out=np.full(draws.count, 1.0 / number), where=bend != 0.0)
            rows[:, SCALE + down] = (high - low) / number
            rows[:, P0 + down] = low * lost + (high - low) * share
            rows[:, P1 + down] = -lost
        return rows


def label_to_a(label: float) -> float:
    """A / P_max of a nonlinearity label, with its sign; infinite for label 0. Labels beyond ±9 count as ±9.

    The label is the largest distance of the normalised curve from the diagonal, in units of 0.07. A has six decimals,
    as in NeuroSim's table; this affects the conductances of steep curves.
    """
    bend = float(curvatures(np.array([float(label)]))[0])
    return 1.0 / bend if bend else inf


def curvatures(labels: Rows) -> Rows:
    """P_max / A (n,) of these labels: an odd function, 0 at 0.

    It is interpolated linearly between labels 0.001 apart; labels beyond ±9 count as ±9.
    """
    labels = ARGUMENTS.reals("labels", labels, ("labels",)).astype(np.float64)
    if len(labels) < 2 or np.ptp(labels) == 0.0:  # no spread: as exact as the published table
        return np.full(len(labels), _curvature(float(labels[0])) if len(labels) else 0.0)
    place = np.minimum(np.abs(labels), LARGEST_LABEL) * _LABELS_PER_UNIT
    left = np.minimum(place.astype(np.int64), int(LARGEST_LABEL * _LABELS_PER_UNIT) - 1)
    knots = _knots()
    size = knots[left] + (knots[left + 1] - knots[left]) * (place - left)
    signed: Rows = np.where(labels < 0, -size, size)
    return signed


@cache
def _curvature(label: float) -> float:
    if not label:
        return 0.0
    exact = 1.0 / float(_bisected(np.array([min(abs(label), LARGEST_LABEL)]))[0])
    return copysign(1.0 / round(exact, _DECIMALS), label)


@cache
def _knots() -> Rows:
    """Curvatures at labels 0, 0.001, … 9."""
    knots = _bisected(np.arange(int(LARGEST_LABEL * _LABELS_PER_UNIT) + 1) / _LABELS_PER_UNIT)
    knots[0] = 0.0
    return knots


def _bisected(labels: Rows) -> Rows:
    """(n,) x > 0 where `max_p[(1 - e^(-px))/(1 - e^(-x)) - p] = 0.07·√2·label`; the left side grows with x.

    With c = 1 - e^(-x) the maximum is at p = ln(x/c)/x and is 1/c - 1/x - p.
    """
    from hw_models.kernels.portable_arrays import exponentials, logarithms

    least, most = np.full(len(labels), 1e-4), np.full(len(labels), _STEEPEST)
    for _ in range(_HALVINGS):
        x = 0.5 * (least + most)
        c = 1.0 - exponentials(-x)
        bulge = 1.0 / c - 1.0 / x - logarithms(x / c) / x
        more = bulge < 0.07 * sqrt(2.0) * labels
        least, most = np.where(more, x, least), np.where(more, most, x)
    middle: Rows = 0.5 * (least + most)
    return middle
