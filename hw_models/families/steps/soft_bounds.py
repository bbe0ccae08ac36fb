"""Soft bounds: the step of a pulse is proportional to the remaining distance to the bound in its direction.

Sources: S. Fusi, L. F. Abbott, Nat. Neurosci. 10:485 (2007), doi:10.1038/nn1859; fitted to resistive memory by N. Gong
et al., Nat. Commun. 9:2102 (2018), doi:10.1038/s41467-018-04485-1, and to arrays of it, with a reference cell
subtracted, by N. Gong, M. J. Rasch et al., IEDM 2022, doi:10.1109/IEDM45625.2022.10019569. Valid for filamentary
devices driven with identical pulses. Not modelled: diffusion, temperature, pulse shape, drift of the reference cell.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from hw_models.base import DeviceError
from hw_models.families.steps.pulsed_device import FAMILY_STREAM, AffineDevice
from hw_models.families.steps.stepped import Draws, Rows, parameter
from hw_models.kernels.step_laws import AFFINE, HIGH, LOW, P0, P1, RELATIVE, SCALE, SCALED

_CITATION = "Fusi, Abbott, Nat. Neurosci. 10:485 (2007); Gong et al., Nat. Commun. 9:2102 (2018)"
_RANGE = "filamentary devices under identical pulses, weights inside each cell's bounds"


@dataclass(frozen=True, kw_only=True)
class SoftBounds(AffineDevice):
    """`step_up(w) = dw_up(1 - w/w_max)`, `step_down(w) = dw_down(1 - w/w_min)`, with each cell's own bounds."""

    family: ClassVar[str] = "soft_bounds"
    citation: ClassVar[str] = _CITATION
    valid_range: ClassVar[str] = _RANGE
    not_modelled: ClassVar[str] = "diffusion, temperature, pulse shape"

    name: str = "soft_bounds"
    mult_noise: bool = parameter(True, "1", "whether cycle-to-cycle noise is relative to the step, not to dw_min")
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

    def _cycle_noise(self, std: float) -> dict[int, float]:
        return {RELATIVE if self.mult_noise else SCALED: std}

    def _fill_steps(self, rows: Rows, draws: Draws) -> None:
        upper = rows[:, LOW] - self.reverse_offset if self.reverse_up else rows[:, HIGH]
        lower = rows[:, HIGH] + self.reverse_offset if self.reverse_down else rows[:, LOW]
        _fill_towards(rows, upper, lower)


@dataclass(frozen=True, kw_only=True)
class SoftBoundsReference(AffineDevice):
    """Soft bounds with a reference cell: the weight is the difference w - r, with r fixed for each cell.

    r is `reference_mean + reference_std·xi`, plus the cell's symmetry point (where both steps are equal) if
    `subtract_symmetry_point`. Bounds and states are those of w - r. Slopes vary by |1 + s·xi|, which moves the bounds.
    """

    family: ClassVar[str] = "soft_bounds_reference"
    citation: ClassVar[str] = "Gong, Rasch et al., IEDM 2022, doi:10.1109/IEDM45625.2022.10019569; " + _CITATION
    valid_range: ClassVar[str] = _RANGE
    not_modelled: ClassVar[str] = "diffusion, temperature, pulse shape, noise and drift of the reference cell"

    name: str = "soft_bounds_reference"
    mult_noise: bool = parameter(False, "1", "whether cycle-to-cycle noise is relative to the step, not to dw_min")
    slope_up_dtod: float = parameter(0.0, "1", "spread of the up slope over cells", low=0.0)
    slope_down_dtod: float = parameter(0.0, "1", "spread of the down slope over cells", low=0.0)
    reference_mean: float = parameter(0.0, "1", "mean weight of the reference cells")
    reference_std: float = parameter(0.0, "1", "spread of the reference cells, absolute", low=0.0)
    subtract_symmetry_point: bool = parameter(False, "1", "whether references sit at their cell's symmetry point")

    @property
    def law(self) -> int:
        """Affine."""
        return AFFINE

    def _spreads(self) -> tuple[float, ...]:
        return *super()._spreads(), self.slope_up_dtod, self.slope_down_dtod, self.reference_std

    def _cycle_noise(self, std: float) -> dict[int, float]:
        return {RELATIVE if self.mult_noise else SCALED: std}

    def _fill_steps(self, rows: Rows, draws: Draws) -> None:
        around_zero = (rows[:, LOW] < 0.0) & (rows[:, HIGH] > 0.0)
        for column, stream, spread in ((HIGH, 0, self.slope_up_dtod), (LOW, 1, self.slope_down_dtod)):
            steeper = np.maximum(np.abs(1.0 + draws.gaussians(FAMILY_STREAM + stream, spread)), 1e-6)
            rows[:, column] = np.where(around_zero, rows[:, column] / steeper, rows[:, column])
        above, below = np.maximum(rows[:, HIGH], 0.0), np.minimum(rows[:, LOW], 0.0)
        _fill_towards(rows, above, below)
        reference = self.reference_mean + draws.gaussians(FAMILY_STREAM + 2, self.reference_std)
        if self.subtract_symmetry_point:
            apart, steepness = rows[:, P0] - rows[:, P0 + 1], rows[:, P1 + 1] - rows[:, P1]
            crossed = around_zero & (steepness > 0.0)
            reference += np.divide(apart, steepness, out=np.zeros(len(rows)), where=crossed)
        rows[:, P0 : P0 + 2] += rows[:, P1 : P1 + 2] * reference[:, np.newaxis]
        rows[:, LOW] -= reference
        rows[:, HIGH] -= reference


def _fill_towards(rows: Rows, upper: Rows, lower: Rows) -> None:
    """Steps equal to the cell's scale at 0 that vanish at `upper` and `lower`; constant if that bound is 0."""
    for down, zero in enumerate((upper, lower)):
        scale = rows[:, SCALE + down]
        rows[:, P0 + down] = scale
        rows[:, P1 + down] = np.divide(-scale, zero, out=np.zeros(len(rows)), where=zero != 0.0)
