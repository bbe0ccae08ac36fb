"""Power steps: the step of a pulse is a power of the remaining distance to the bound in its direction.

Sources: S. Fusi, L. F. Abbott, Nat. Neurosci. 10:485 (2007), doi:10.1038/nn1859; J. Frascaroli et al., Sci. Rep. 8:7178
(2018), doi:10.1038/s41598-018-25376-x; parameters as in M. J. Rasch et al., AICAS 2021. Valid between the bounds of a
cell; exponent 1 is soft bounds. Not modelled: a reference cell, diffusion, temperature, pulse shape.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from hw_models.families.steps.pulsed_device import FAMILY_STREAM, PulsedDevice
from hw_models.families.steps.stepped import Draws, Rows, parameter
from hw_models.kernels.step_laws import P0, POWER


@dataclass(frozen=True, kw_only=True)
class PowerStep(PulsedDevice):
    """`step_up = dw_up·om^gamma_up`, `step_down = dw_down(1 - om)^gamma_down`, `om = (w_max - w)/(w_max - w_min)`.

    gamma of a cell, as its scales: `pow_gamma(min(pow_up_down, 0) + 1 + s·xi + r)` going up, r = s_ud·xi, and
    `pow_gamma(-max(pow_up_down, 0) + 1 + s·xi - r)` going down.
    """

    family: ClassVar[str] = "power_step"
    citation: ClassVar[str] = "Fusi, Abbott, Nat. Neurosci. 10:485 (2007); Frascaroli et al., Sci. Rep. 8:7178 (2018)"
    valid_range: ClassVar[str] = "weights inside each cell's bounds, exponents above 0"
    not_modelled: ClassVar[str] = "a reference cell, diffusion, temperature, pulse shape"

    name: str = "power_step"
    pow_gamma: float = parameter(1.0, "1", "exponent of the distance left", 0.0, 20.0)
    pow_gamma_dtod: float = parameter(0.1, "1", "spread of the exponent over cells", low=0.0)
    pow_up_down: float = parameter(0.0, "1", "below 0 lowers the exponent going up, above 0 going down", -1.0, 1.0)
    pow_up_down_dtod: float = parameter(0.0, "1", "spread of pow_up_down over cells", low=0.0)

    @property
    def law(self) -> int:
        """Power."""
        return POWER

    def _spreads(self) -> tuple[float, ...]:
        return *super()._spreads(), self.pow_gamma_dtod, self.pow_up_down_dtod

    def _nonlinear(self) -> bool:
        return self.pow_gamma > 0.0

    def _asymmetric(self) -> bool:
        return self.up_down != 0.0 or self.pow_gamma > 0.0

    def _fill_steps(self, rows: Rows, draws: Draws) -> None:
        gain = 1.0 + draws.gaussians(FAMILY_STREAM, self.pow_gamma_dtod)
        apart = draws.gaussians(FAMILY_STREAM + 1, self.pow_up_down_dtod)
        up = (min(self.pow_up_down, 0.0) + gain + apart) * self.pow_gamma
        down = (-max(self.pow_up_down, 0.0) + gain - apart) * self.pow_gamma
        if self.enforce_consistency:
            up, down = np.abs(up), np.abs(down)
        rows[:, P0], rows[:, P0 + 1] = up, down
