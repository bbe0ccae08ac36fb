"""A device around another device: delegates to the inner model, with views of the same cells without one column.

The outermost wrapper's own column is the last of `Cells.spread`; the inner model uses the others. `stuck_at.py`,
`endurance.py` and `retention.py` use this base.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt

from hw_models.base import CellModel, Cells, DeviceError, Drive, Ints, Reals, check_cells, check_read, unknown
from hw_models.families.levels.target_level import check_off


@dataclass(frozen=True)
class Wrapper(CellModel):
    """Delegates everything to `inner`; subclasses override some methods.

    Name and drive are those of `inner` unless given.
    """

    switch: ClassVar[str]
    """The non-ideality that the wrapper adds."""

    inner: CellModel
    name: str = ""
    drive: Drive | None = None
    off: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        if not isinstance(self.inner, CellModel):
            raise DeviceError(f"{self.switch}: inner is {self.inner!r}; it must be a device")
        object.__setattr__(self, "name", self.name or self.inner.name)
        object.__setattr__(self, "drive", self.drive or self.inner.drive)
        object.__setattr__(self, "quantity", self.inner.quantity)
        inside: CellModel = self.inner
        while isinstance(inside, Wrapper):
            if inside.switch == self.switch:
                raise DeviceError(f"{self.name}: {self.switch} is around it twice; once is enough")
            inside = inside.inner
        check_off(self, (self.switch,))

    @abstractmethod
    def _acts(self) -> bool:
        """Whether the wrapper has an effect with its parameters."""

    @abstractmethod
    def _column(self, cells: Cells, seed: int) -> Reals:
        """(n,) the wrapper's own column of `spread` for these new cells of the inner model."""

    @property
    def non_idealities(self) -> tuple[str, ...]:  # type: ignore[override]
        """The inner model's and the wrapper's own."""
        return tuple(dict.fromkeys((*self.inner.non_idealities, *self.own)))

    @property
    def own(self) -> tuple[str, ...]:
        """The wrapper's own non-ideality while it is on."""
        return (self.switch,) if self._on() else ()

    def _on(self) -> bool:
        return self._acts() and self.switch not in self.off

    def bounds(self) -> tuple[float, float]:
        """As the inner model's."""
        return self.inner.bounds()

    def step(self, state: float, up: bool) -> float:
        """As the inner model's, for a cell that works."""
        return self.inner.step(state, up)

    def without(self, names: Sequence[str]) -> Self:
        """This model with the named non-idealities off. Raises `DeviceError` for a name it does not have."""
        known, inner_known = self.non_idealities, self.inner.non_idealities
        for name in names:
            if name not in known:
                raise DeviceError(unknown(f"non-ideality of {self.name}", name, known))
        # the device may have a switch of the same name; both are then off
        inner = self.inner.without([name for name in names if name in inner_known])
        return replace(self, inner=inner, off=self.off | (frozenset(names) & {self.switch}))

    def conductance_s(self, state: Reals) -> Reals:
        """Conductance of `state` in siemens, as the inner model's if the wrapper has no drive of its own."""
        return self.inner.conductance_s(state) if self.drive == self.inner.drive else super().conductance_s(state)

    def manufacture(self, count: int, seed: int, dtype: npt.DTypeLike = np.float64) -> Cells:
        """Cells of the inner model, with the wrapper's own column added at the end."""
        cells = self.inner.manufacture(count, seed, dtype)
        column = self._column(cells, seed).astype(cells.spread.dtype)
        return replace(cells, spread=np.concatenate([cells.spread, column[:, None]], axis=1))

    def program(self, cells: Cells, target: Reals, places: Ints | None = None) -> None:
        """As the inner model's."""
        check_cells(cells)
        inside = self._inside(cells)
        self.inner.program(inside, target, places)
        self._outside(cells, inside)

    def pulse(self, cells: Cells, counts: Ints, places: Ints | None = None) -> None:
        """As the inner model's."""
        check_cells(cells)
        inside = self._inside(cells)
        self.inner.pulse(inside, counts, places)
        self._outside(cells, inside)

    def read(self, cells: Cells, after_s: float = 0.0, seed: int = 0) -> Reals:
        """As the inner model's."""
        check_read(cells, after_s, seed)
        return self.inner.read(self._inside(cells), after_s, seed)

    def read_sd(self, state: Reals) -> Reals:
        """As the inner model's."""
        return self.inner.read_sd(state)

    def _inside(self, cells: Cells) -> Cells:
        """The same cells for the inner model.

        The view is stored with the cells, because its columns must be contiguous.
        """
        kept: Any = cells.__dict__.get("_inside")
        if kept is None or kept[0] is not cells.spread:
            # every step reads a row of `spread`, which never changes; so one copy is made at first use
            inner_spread = np.ascontiguousarray(cells.spread[:, :-1])
            kept = (cells.spread, Cells(cells.state, cells.visible, inner_spread, cells.pulses, cells.random))
            cells.__dict__["_inside"] = kept
        inside: Cells = kept[1]
        inside.state, inside.visible, inside.pulses, inside.random = (
            cells.state,
            cells.visible,
            cells.pulses,
            cells.random,
        )
        return inside

    @staticmethod
    def _outside(cells: Cells, inside: Cells) -> None:
        """Copies back the arrays that the inner model has replaced."""
        cells.state, cells.visible, cells.pulses, cells.random = (
            inside.state,
            inside.visible,
            inside.pulses,
            inside.random,
        )
