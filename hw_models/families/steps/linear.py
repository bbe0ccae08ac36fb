"""Linear steps: the step of a pulse shrinks in proportion to the weight, and need not be 0 at the bound.

Sources: M. J. Rasch et al., AICAS 2021 (the model); fitted to electrochemical memory by J. Tang et al., IEDM 2018,
doi:10.1109/IEDM.2018.8614551, and to a capacitor cell by Y. Li et al., VLSI 2018, doi:10.1109/VLSIT.2018.8510648. Valid
between the fitted bounds, where the slope was measured. Not modelled: diffusion, temperature, pulse shape; leakage
occurs only if `leak` is called or a read states the time since the write.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from hw_models.base import DeviceError
from hw_models.families.steps.pulsed_device import FAMILY_STREAM, AffineDevice
from hw_models.families.steps.stepped import Draws, Rows, parameter
from hw_models.kernels.step_laws import AFFINE, HIGH, LOW, P0, P1, RELATIVE, SCALE, SCALED


@dataclass(frozen=True, kw_only=True)
class LinearStep(AffineDevice):
    """`step_d(w) = dw_d(1 - gamma_d·w/b_d)`, b the upper bound going up, the lower going down.

    gamma of a cell is |gamma + s·xi|. Noise is `dw_d·s·xi`, or `step_d·s·xi` with `mult_noise`.
    """

    family: ClassVar[str] = "linear_step"
    citation: ClassVar[str] = "Rasch et al., AICAS 2021; Tang et al., IEDM 2018, doi:10.1109/IEDM.2018.8614551"
    valid_range: ClassVar[str] = "weights between the bounds over which the slope was fitted"
    not_modelled: ClassVar[str] = "diffusion, temperature, pulse shape; leak only between calls that say so"

    name: str = "linear_step"
    mult_noise: bool = parameter(True, "1", "whether cycle-to-cycle noise is relative to the step, not to dw_min")
    gamma_up: float = parameter(0.0, "1", "share of the up step that is gone at the upper bound")
    gamma_down: float = parameter(0.0, "1", "share of the down step that is gone at the lower bound")
    gamma_up_dtod: float = parameter(0.05, "1", "spread of gamma_up over cells, absolute", low=0.0)
    gamma_down_dtod: float = parameter(0.05, "1", "spread of gamma_down over cells, absolute", low=0.0)
    allow_increasing: bool = parameter(False, "1", "whether steps may grow towards the bound")
    mean_bound_reference: bool = parameter(True, "1", "whether b is the mean bound, not the cell's own")
    reverse_up: bool = parameter(False, "1", "whether the up step grows with the weight instead")
    reverse_down: bool = parameter(False, "1", "whether the down step grows as the weight falls instead")
    reverse_offset: float = parameter(0.01, "1", "distance past the bound at which a reversed step is 0", low=0.0)

    def __post_init__(self) -> None:
        super().__post_init__()
        if (self.reverse_up or self.reverse_down) and not self.mult_noise:
            raise DeviceError(f"{self.name}: reverse_up and reverse_down need mult_noise: true")

    @property
    def law(self) -> int:
        """Affine."""
        return AFFINE

    def _spreads(self) -> tuple[float, ...]:
        return *super()._spreads(), self.gamma_up_dtod, self.gamma_down_dtod

    def _cycle_noise(self, std: float) -> dict[int, float]:
        return {RELATIVE if self.mult_noise else SCALED: std}

    def _fill_steps(self, rows: Rows, draws: Draws) -> None:
        for down, (gamma, spread, back) in enumerate(
            (
                (self.gamma_up, self.gamma_up_dtod, self.reverse_up),
                (self.gamma_down, self.gamma_down_dtod, self.reverse_down),
            )
        ):
            share = gamma + draws.gaussians(FAMILY_STREAM + down, spread)
            share = share if self.allow_increasing else np.abs(share)
            bound = self._zero(rows, bool(down) != back, back)
            slope = np.divide(-share * rows[:, SCALE + down], bound, out=np.zeros(len(rows)), where=bound != 0.0)
            rows[:, P0 + down], rows[:, P1 + down] = rows[:, SCALE + down], slope

    def _zero(self, rows: Rows, lower: bool, back: bool) -> Rows:
        """Weights at which the step of a cell with gamma 1 is 0: a bound, or just past it for a reversed step."""
        bound = rows[:, LOW if lower else HIGH]
        if self.mean_bound_reference:
            bound = np.full(len(rows), self.w_min if lower else self.w_max)
        past = self.reverse_offset if back else 0.0
        return bound - past if lower else bound + past
