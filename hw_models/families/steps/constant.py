"""Constant steps: every pulse changes the weight by the same amount in every state, up to hard bounds.

Source: T. Gokmen, Y. Vlasov, "Acceleration of deep neural network training with resistive cross-point devices",
Front. Neurosci. 10:333 (2016), doi:10.3389/fnins.2016.00333. Valid as a specification of what training tolerates;
no measured device has constant steps over more than a part of its range. Not modelled: anything that depends on the
state, diffusion, temperature, pulse shape.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from hw_models.families.steps.pulsed_device import AffineDevice
from hw_models.families.steps.stepped import Draws, Rows
from hw_models.kernels.step_laws import AFFINE, P0, SCALE


@dataclass(frozen=True, kw_only=True)
class ConstantStep(AffineDevice):
    """`w ← clip(w ± dw_d(1 + s·xi))`, dw_d the cell's own step in direction d."""

    family: ClassVar[str] = "constant_step"
    citation: ClassVar[str] = "Gokmen, Vlasov, Front. Neurosci. 10:333 (2016), doi:10.3389/fnins.2016.00333"
    valid_range: ClassVar[str] = "a specification, not a fit: 1200 states within ±0.6 in the paper"
    not_modelled: ClassVar[str] = "steps that depend on the state, diffusion, temperature, pulse shape"

    name: str = "constant_step"

    @property
    def law(self) -> int:
        """Affine, with slope 0."""
        return AFFINE

    def _fill_steps(self, rows: Rows, draws: Draws) -> None:
        rows[:, P0 : P0 + 2] = rows[:, SCALE : SCALE + 2]
