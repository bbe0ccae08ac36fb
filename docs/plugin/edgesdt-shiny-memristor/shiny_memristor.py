"""A memristor whose dopants slow down near the end that they drift to: the window of Biolek et al.

Source: Z. Biolek, D. Biolek, V. Biolkova, "SPICE model of memristor with nonlinear dopant drift", Radioengineering 18,
210 (2009). With x = (G - g_min)/(g_max - g_min) in 0..1, one pulse moves x up by `rate (1 - x^2p)` and down by
`rate (1 - (1 - x)^2p)`. Valid for identical pulses. Not modelled: the shape of the pulse, temperature, drift.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import ClassVar, Self

import numpy as np
import numpy.typing as npt

from hw_models.base import CellModel, Cells, DeviceError, Drive, Ints, Quantity, Reals, unknown
from hw_models.kernels import randomness


@dataclass(frozen=True)
class ShinyMemristor(CellModel):
    """Conductances from `g_min_s` to `g_max_s`; a pulse has Gaussian noise relative to its step."""

    family: ClassVar[str] = "biolek_window"
    citation: ClassVar[str] = "Biolek et al., Radioengineering 18, 210 (2009)"
    valid_range: ClassVar[str] = "identical pulses"
    not_modelled: ClassVar[str] = "pulse shape, temperature, drift, spread from cell to cell"
    quantity: ClassVar[Quantity] = "conductance"

    name: str = "shiny_memristor"
    drive: Drive | None = None
    g_min_s: float = field(default=1e-6, metadata={"unit": "S", "doc": "lowest conductance", "low": 0})
    g_max_s: float = field(default=1e-4, metadata={"unit": "S", "doc": "highest conductance", "low": 0})
    rate: float = field(default=0.02, metadata={"unit": "1", "doc": "largest step, of the range", "low": 0, "high": 1})
    power: int = field(default=2, metadata={"unit": "1", "doc": "p of the window", "low": 1, "high": 20})
    noise: float = field(default=0.2, metadata={"unit": "1", "doc": "noise of a step, of the step", "low": 0})
    off: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        if not self.g_min_s < self.g_max_s:
            raise DeviceError(f"{self.name}: g_min_s {self.g_min_s!r} must be below g_max_s {self.g_max_s!r}")

    @property
    def non_idealities(self) -> tuple[str, ...]:  # type: ignore[override]
        """The one switch that this model has, unless it is off."""
        return ("cycle_to_cycle",) if self.noise > 0 and "cycle_to_cycle" not in self.off else ()

    def without(self, names: Sequence[str]) -> Self:
        """This model with the named non-idealities off."""
        for name in names:
            if name not in self.non_idealities:
                raise DeviceError(unknown("non-ideality", name, self.non_idealities))
        return replace(self, off=self.off | frozenset(names))

    def bounds(self) -> tuple[float, float]:
        """`g_min_s`, `g_max_s`."""
        return self.g_min_s, self.g_max_s

    def step(self, state: float, up: bool) -> float:
        """Size in siemens of one pulse at the conductance `state`."""
        return float(self._steps(np.array([state]), np.array([up]))[0])

    def manufacture(self, count: int, seed: int, dtype: npt.DTypeLike = np.float64) -> Cells:
        """`count` equal cells at `g_min_s`; their random words start from `seed`."""
        state = np.full(count, self.g_min_s, dtype=dtype)
        pulses = np.zeros(count, dtype=np.uint32)
        return Cells(state, state.copy(), np.empty((count, 0), dtype=dtype), pulses, randomness.start(seed))

    def program(self, cells: Cells, target: Reals, places: Ints | None = None) -> None:
        """Set `cells[places]` to `target`, clipped to the bounds."""
        where = np.arange(len(cells.state)) if places is None else places
        cells.state[where] = np.clip(target, *self.bounds())
        cells.visible[where] = cells.state[where]

    def pulse(self, cells: Cells, counts: Ints, places: Ints | None = None) -> None:
        """Apply `counts` pulses to `cells[places]` (distinct places), one round of single pulses after the other."""
        where = np.arange(len(cells.state)) if places is None else np.asarray(places)
        counts = np.broadcast_to(counts, where.shape)
        for done in range(int(np.abs(counts).max(initial=0))):
            going = np.abs(counts) > done
            self._pulse_once(cells, where[going], counts[going] > 0)

    def _pulse_once(self, cells: Cells, where: Ints, up: npt.NDArray[np.bool_]) -> None:
        size = self._steps(cells.state[where], up)
        if self.non_idealities:
            size = size * (1 + self.noise * randomness.take(cells.random, len(where)))
        self.program(cells, cells.state[where] + np.where(up, size, -size), where)
        cells.pulses[where] += 1

    def _steps(self, state: Reals, up: npt.NDArray[np.bool_]) -> Reals:
        span = self.g_max_s - self.g_min_s
        x = np.clip((state - self.g_min_s) / span, 0.0, 1.0)
        ahead = np.where(up, x, 1 - x)
        return np.asarray(self.rate * span * (1 - ahead ** (2 * self.power)))
