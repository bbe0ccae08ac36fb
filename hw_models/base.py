"""The device contract: what a cell model is, what a population of its cells holds, and what pulsing it costs.

A cell model (a *family* with its parameters) knows volts, seconds, siemens and joules; never neurons, weights of a
network or data sets. `hw_models.array` lays cells out as a crossbar; `hw_models.catalog` finds models by name.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal, Self

import numpy as np
import numpy.typing as npt

from hw_models.arguments import ARGUMENTS
from hw_models.arguments import DeviceError as DeviceError

Reals = npt.NDArray[np.floating]
Ints = npt.NDArray[np.integer]
Quantity = Literal["weight", "conductance"]


@dataclass
class Cells:
    """A population of n manufactured cells: all that a model needs to go on from where they are.

    All arrays are aligned by cell. Nothing here is shared with the model, so that cells can be saved and loaded.
    """

    state: Reals
    """(n,) hidden state, in the model's own quantity: dimensionless weight, or siemens."""
    visible: Reals
    """(n,) what a noiseless read right after the last write sees; differs from `state` under write noise."""
    spread: Reals
    """(n, k) the parameters of each cell after device-to-device spread, drawn once; k columns named by the model."""
    pulses: npt.NDArray[np.uint32]
    """(n,) programming pulses that each cell has received."""
    random: npt.NDArray[np.uint64]
    """(2,) key and counter of the cells' own random words: the next draw depends on nothing else."""


@dataclass(frozen=True)
class Pulse:
    """How one direction of a cell is programmed and what that costs, per pulse: E = V²·G_avg·t (+ V²·C)."""

    voltage_v: float
    width_s: float


@dataclass(frozen=True)
class Drive:
    """Electrical conditions of a cell: needed for energy and delay, not for the dynamics of its state.

    `g_min_s`/`g_max_s` map the lowest and the highest nominal state to conductances (a model in siemens has its own).
    """

    g_min_s: float
    g_max_s: float
    up: Pulse
    down: Pulse
    read_voltage_v: float
    read_s: float
    cell_area_f2: float
    """Cell area in squares of the feature size."""
    capacitance_f: float = 0.0
    """Gate or wire capacitance charged by each pulse, per cell."""
    write_current: bool = True
    """Whether a pulse drives current through the cell; false where it charges a gate (FeFET): then E = V²·C."""
    access_ohm: float = 0.0
    """Resistance in series with a cell (its transistor). For information: no current, energy or time has it."""
    source: str = ""


class CellModel(ABC):
    """One published device family with its parameters; immutable, so that two arrays can share it.

    Laws (`tests/property/test_device_laws.py` holds every model to them): no pulses change nothing; the state stays
    inside the cell's bounds; the same seed gives the same cells and the same noise; `ideal()` pulses without noise or
    spread; reading alters nothing; no time passed is no drift; each name in `non_idealities` switches alone.
    """

    family: ClassVar[str]
    citation: ClassVar[str]
    valid_range: ClassVar[str]
    not_modelled: ClassVar[str]
    quantity: ClassVar[Quantity]

    name: str
    non_idealities: tuple[str, ...]
    """Names of the switches that are on in this model and mean something: see `without`."""
    drive: Drive | None
    """None where the source of the model states no electrical conditions."""

    @abstractmethod
    def bounds(self) -> tuple[float, float]:
        """Nominal lowest and highest state, in `quantity`."""

    @abstractmethod
    def step(self, state: float, up: bool) -> float:
        """Nominal size of one pulse at `state` (≥ 0), without noise, spread or clipping."""

    @abstractmethod
    def without(self, names: Sequence[str]) -> Self:
        """This model with the named non-idealities off. Raises `DeviceError` for a name it does not have."""

    @abstractmethod
    def manufacture(self, count: int, seed: int, dtype: npt.DTypeLike = np.float64) -> Cells:
        """`count` cells at the lowest nominal state (each clipped to its own bounds), spread drawn from `seed`."""

    @abstractmethod
    def program(self, cells: Cells, target: Reals, places: Ints | None = None) -> None:
        """Set the states of `cells[places]` to `target` (clipped to each cell's bounds), with programming noise."""

    @abstractmethod
    def pulse(self, cells: Cells, counts: Ints, places: Ints | None = None) -> None:
        """Apply `counts` pulses (> 0 up, < 0 down) to `cells[places]` (all cells if None), in that order, in place."""

    def read(self, cells: Cells, after_s: float = 0.0, seed: int = 0) -> Reals:
        """What the cells show `after_s` seconds after writing: drift and low-frequency noise. Alters nothing."""
        return cells.visible.copy()

    def read_sd(self, state: Reals) -> Reals:
        """Standard deviation of one read of cells that show `state`, in `quantity`; 0 where reads repeat.

        The noise that `read` draws anew each time, without what time does: for arrays, which add up that of many cells.
        """
        return np.zeros(np.shape(state))

    def ideal(self) -> Self:
        """This model with every non-ideality off."""
        return self.without(self.non_idealities)

    def only(self, name: str) -> Self:
        """This model with every non-ideality off but one. Raises `DeviceError` for a name it does not have."""
        if name not in self.non_idealities:
            raise DeviceError(unknown("non-ideality", name, self.non_idealities))
        return self.without([other for other in self.non_idealities if other != name])

    def conductance_s(self, state: Reals) -> Reals:
        """Conductance of `state` in siemens. Raises `DeviceError` for a model that has only a weight."""
        if self.quantity == "conductance":
            return state
        if self.drive is None:
            raise DeviceError(f"{self.name}: has a weight but no conductance range (give g_min and g_max)")
        low, high = self.bounds()
        span = self.drive.g_max_s - self.drive.g_min_s
        return self.drive.g_min_s + (state - low) * (span / (high - low))


def unknown(what: str, name: object, known: Sequence[str]) -> str:
    """The sentence for a name that is not one of `known`, with the nearest of them."""
    import difflib  # only an error needs it

    lower = {choice.lower(): choice for choice in known}
    close = difflib.get_close_matches(str(name).lower(), lower, n=1, cutoff=0.4)
    guess = f" (did you mean {lower[close[0]]!r}?)" if close else ""
    return f"unknown {what} {name!r}{guess}; known: {', '.join(known) or 'none'}"
