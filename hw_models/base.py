"""The device contract: the interface of cell models, the state of a population of cells, and the costs of pulses.

A cell model (a *family* with its parameters) knows volts, seconds, siemens and joules; never neurons, weights of a
network or data sets. `hw_models.mapping` lays weights out on cells; `hw_models.sheets.catalog` finds models
by name.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Final, Literal, Self

import numpy as np
import numpy.typing as npt

from hw_models.arguments import ARGUMENTS
from hw_models.arguments import DeviceError as DeviceError

Reals = npt.NDArray[np.floating]
Ints = npt.NDArray[np.integer]
Quantity = Literal["weight", "conductance"]


@dataclass
class Cells:
    """A population of n manufactured cells: the complete state that a model needs to continue.

    All arrays are aligned by cell. No data is shared with the model, so cells can be saved and loaded.
    """

    state: Reals
    """(n,) hidden state, in the model's own quantity: dimensionless weight, or siemens."""
    visible: Reals
    """(n,) result of a noiseless read right after the last write; differs from `state` if there is write noise."""
    spread: Reals
    """(n, k) the parameters of each cell after device-to-device spread, drawn once; k columns named by the model."""
    pulses: npt.NDArray[np.uint32]
    """(n,) programming pulses that each cell has received."""
    random: npt.NDArray[np.uint64]
    """(2,) key and counter of the cells' own random words; the next draw depends only on these."""

    def check(self) -> None:
        """Raises `DeviceError` unless shapes and types of the arrays are those of one population."""
        arrays = {name: self.__dict__[name] for name in ("state", "visible", "spread", "pulses", "random")}
        for name, array in arrays.items():
            if not isinstance(array, np.ndarray):
                ARGUMENTS.refuse(f"cells.{name}", f"a {type(array).__name__}", "an array")
        count, kind = self.state.shape[:1], self.state.dtype
        if kind not in (np.float32, np.float64) or self.state.ndim != 1:
            ARGUMENTS.refuse("cells.state", f"{kind} of shape {self.state.shape}", "float32 or float64, shape (cells,)")
        wanted: dict[str, tuple[npt.DTypeLike, tuple[int, ...]]] = {
            "visible": (kind, count),
            "spread": (kind, count + self.spread.shape[1:2]),
            "pulses": (np.uint32, count),
            "random": (np.uint64, (2,)),
        }
        for name, (dtype, shape) in wanted.items():
            array = arrays[name]
            if array.dtype != dtype or array.shape != shape or (name == "spread" and array.ndim != 2):
                came = f"{array.dtype} of shape {array.shape}"
                ARGUMENTS.refuse(f"cells.{name}", came, f"{np.dtype(dtype)} of shape {shape}, as the state has it")

    def places(self, places: object) -> npt.NDArray[np.int64]:
        """`places` of these cells in the form for kernels; None means all. Raises `DeviceError`."""
        if places is None:
            return np.arange(len(self.state))
        return ARGUMENTS.integers("places", places, ("places",), 0, len(self.state) - 1)


@dataclass(frozen=True)
class Pulse:
    """The conditions of programming pulses in one direction; energy per pulse: E = V²·G_avg·t (+ V²·C)."""

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
    """Whether a pulse drives current through the cell; false if it charges a gate (FeFET): then E = V²·C."""
    access_ohm: float = 0.0
    """Resistance in series with a cell (its transistor). For information: it affects no current, energy or time."""
    source: str = ""


class CellModel(ABC):
    """A published device family with its parameters; immutable, so that arrays can share it.

    Laws (`tests/property/test_device_laws.py` checks them for every model): no pulses change nothing; the state stays
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
    """Names of the switches that are on in this model and have an effect: see `without`."""
    drive: Drive | None
    """None if the source of the model states no electrical conditions."""

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
        """Sets the states of `cells[places]` to `target` (clipped to each cell's bounds), with programming noise."""

    @abstractmethod
    def pulse(self, cells: Cells, counts: Ints, places: Ints | None = None) -> None:
        """Apply `counts` pulses (> 0 up, < 0 down) to `cells[places]` (all cells if None), in that order, in place."""

    def read(self, cells: Cells, after_s: float = 0.0, seed: int = 0) -> Reals:
        """Visible states `after_s` seconds after writing, with drift and low-frequency noise. Changes nothing."""
        check_read(cells, after_s, seed)
        return cells.visible.copy()

    def read_sd(self, state: Reals) -> Reals:
        """Standard deviation of one read of cells with visible `state`, in `quantity`; 0 if reads repeat exactly.

        This is the noise that `read` draws at every call, without effects of time; arrays add it up over many cells.
        """
        return np.zeros(states(state).shape)

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
        state = states(state)
        if self.quantity == "conductance":
            return state
        if self.drive is None:
            raise DeviceError(f"{self.name}: has a weight but no conductance range (give g_min and g_max)")
        low, high = self.bounds()
        span = self.drive.g_max_s - self.drive.g_min_s
        return self.drive.g_min_s + (state - low) * (span / (high - low))


MOST_CELLS: Final = 2**28
"""Maximum cells of one population: 2 GiB for each of their numbers."""
_MOST_STATE: Final = 1e30
MOST_PULSES: Final = 2**31 - 1
"""Maximum pulses for a cell in one call."""


def check_cells(cells: object) -> None:
    """Raises `DeviceError` unless `cells` are the cells of one population."""
    if not isinstance(cells, Cells):
        ARGUMENTS.refuse("cells", f"a {type(cells).__name__}", "Cells, as `manufacture` makes them")
    cells.check()


def check_read(cells: object, after_s: object, seed: object) -> float:
    """The time of a read as a float.

    Raises `DeviceError` if `cells` are not cells, the time is before the write, or the seed is not an integer.
    """
    check_cells(cells)
    seed_of(seed)
    return ARGUMENTS.number("after_s", after_s, 0.0)


def seed_of(seed: object) -> int:
    """`seed` as a Python integer, of any size and sign. Raises `DeviceError`."""
    return ARGUMENTS.whole("seed", seed)


def states(state: object, name: str = "state") -> Reals:
    """States as an array of floats. Raises `DeviceError` if they are not numbers or are absurdly large."""
    array = ARGUMENTS.reals(name, state, None, -_MOST_STATE, _MOST_STATE)
    return array if array.dtype in (np.float32, np.float64) else array.astype(np.float64)


def to_pulse(cells: object, counts: object, places: object) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Checks the arguments of `pulse`: places, and a number of pulses for each. Raises `DeviceError`."""
    check_cells(cells)
    assert isinstance(cells, Cells)
    where = cells.places(places)
    given = ARGUMENTS.integers("counts", counts, None, -MOST_PULSES, MOST_PULSES)
    return where, ARGUMENTS.one_or_each("counts", given, len(where))


def to_program(cells: object, target: object, places: object, name: str = "target") -> tuple[Ints, Reals]:
    """Checks the arguments of `program`: places, and a target for each in the cells' precision.

    Raises `DeviceError`.
    """
    check_cells(cells)
    assert isinstance(cells, Cells)
    where = cells.places(places)
    wanted = ARGUMENTS.reals(name, target, None, infinite=True)
    with np.errstate(over="ignore"):  # a value beyond float32 is beyond every bound
        return where, ARGUMENTS.one_or_each(name, wanted.astype(cells.state.dtype), len(where))


def to_manufacture(count: object, seed: object, dtype: object) -> tuple[int, int]:
    """Checks the arguments of `manufacture`. Raises `DeviceError`."""
    try:
        known = np.dtype(dtype) in (np.dtype(np.float32), np.dtype(np.float64))  # type: ignore[call-overload]
    except TypeError:
        known = False
    if not known:
        ARGUMENTS.refuse("dtype", f"{dtype!r}"[:60], "float32 or float64")
    return ARGUMENTS.whole("count", count, 0, MOST_CELLS), seed_of(seed)


def unknown(what: str, name: object, known: Sequence[str]) -> str:
    """The message for a name that is not one of `known`, with the most similar one."""
    import difflib  # only an error needs this import

    lower = {choice.lower(): choice for choice in known}
    close = difflib.get_close_matches(str(name).lower(), lower, n=1, cutoff=0.4)
    guess = f" (did you mean {lower[close[0]]!r}?)" if close else ""
    return f"unknown {what} {name!r}{guess}; known: {', '.join(known) or 'none'}"
