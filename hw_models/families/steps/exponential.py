"""Exponential steps: the step of a pulse decreases exponentially towards the bound, separately per direction.

Sources: M. J. Rasch et al., AICAS 2021 (the model); fitted to resistive memory by N. Gong et al., Nat. Commun. 9:2102
(2018), doi:10.1038/s41467-018-04485-1, and to Ge2Sb2Te5 phase-change memory by S. R. Nandakumar et al., Front.
Neurosci. 14:406 (2020), doi:10.3389/fnins.2020.00406. Valid inside the fitted bounds. Phase-change cells only
crystallise by steps: use them as a one-sided pair with `refresh`. Not modelled: drift, diffusion, temperature.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import exp
from typing import ClassVar

from hw_models.families.steps.pulsed_device import PulsedDevice
from hw_models.families.steps.stepped import Draws, Rows, parameter
from hw_models.kernels.step_laws import (
    A_DOWN,
    A_UP,
    ADDED,
    BY_STATE,
    EXPONENTIAL,
    GAMMA_DOWN,
    GAMMA_UP,
    OFFSET,
    P0,
    RELATIVE,
    SCALE,
    SLOPE,
)

_LARGEST = 50.0


@dataclass(frozen=True, kw_only=True)
class ExponentialStep(PulsedDevice):
    """`step_d(w) = dw_d·max(1 - A_d·e^(±gamma_d·z), 0)`, `z = 2a·w/(w_max - w_min) + b`, + going up, - going down.

    Noise of a pulse: `s·(|step| + dw_min_std_add + dw_min_std_slope·|w|)·xi`.
    """

    family: ClassVar[str] = "exponential_step"
    citation: ClassVar[str] = "Rasch et al., AICAS 2021; Gong et al., Nat. Commun. 9:2102 (2018)"
    valid_range: ClassVar[str] = "weights between the bounds over which A, gamma, a and b were fitted"
    not_modelled: ClassVar[str] = "drift, diffusion, temperature, pulse shape; refresh of one-sided pairs is a call"

    name: str = "exponential_step"
    A_up: float = parameter(0.00081, "1", "factor A going up")
    A_down: float = parameter(0.36833, "1", "factor A going down")
    gamma_up: float = parameter(12.44625, "1", "exponent gamma going up", -_LARGEST, _LARGEST)
    gamma_down: float = parameter(12.78785, "1", "exponent gamma going down", -_LARGEST, _LARGEST)
    a: float = parameter(0.244, "1", "slope of z over the weight in its range", -10.0, 10.0)
    b: float = parameter(0.2425, "1", "offset of z", -10.0, 10.0)
    dw_min_std_add: float = parameter(0.0, "1", "part of the noise that is always there, times dw_min_std", low=0.0)
    dw_min_std_slope: float = parameter(0.0, "1", "part of the noise per |weight|, times dw_min_std", low=0.0)

    @property
    def law(self) -> int:
        """Exponential."""
        return EXPONENTIAL

    def _nonlinear(self) -> bool:
        curved = self.A_up * self.gamma_up != 0.0 or self.A_down * self.gamma_down != 0.0
        return self.a != 0.0 and curved

    def _asymmetric(self) -> bool:
        at_offset = self.A_up * exp(self.gamma_up * self.b) != self.A_down * exp(-self.gamma_down * self.b)
        return self.up_down != 0.0 or self._nonlinear() or at_offset

    def _cycle_noise(self, std: float) -> dict[int, float]:
        return {RELATIVE: std, ADDED: std * self.dw_min_std_add, BY_STATE: std * self.dw_min_std_slope}

    def _noise(self) -> dict[int, float]:
        shape = {A_UP: self.A_up, A_DOWN: self.A_down, GAMMA_UP: self.gamma_up, GAMMA_DOWN: self.gamma_down}
        return super()._noise() | shape | {SLOPE: self.a, OFFSET: self.b}

    def _fill_steps(self, rows: Rows, draws: Draws) -> None:
        rows[:, P0 : P0 + 2] = rows[:, SCALE : SCALE + 2]  # read only where nonlinearity is off
