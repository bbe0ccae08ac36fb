"""Base of families whose cells are written to a target level; each family defines the visible state after a write.

A requested pulse moves the target by one level and the cell is written again. Its noise is drawn once per write, for
any number of levels. `sram.py`, `quantized.py`, `pcm.py` and `programmed.py` use this base.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, Self, TypeVar

import numpy as np
import numpy.typing as npt

from hw_models.arguments import ARGUMENTS
from hw_models.base import (
    CellModel,
    Cells,
    DeviceError,
    Ints,
    Reals,
    to_manufacture,
    to_program,
    to_pulse,
    unknown,
)
from hw_models.kernels import randomness
from hw_models.kernels.jit import njit

STREAMS = {
    "device_to_device": 1001,
    "read_noise": 1002,
    "flicker_noise": 1003,
    "programming_noise": 1004,
    "stuck_at": 1011,
    "endurance": 1012,
    "retention": 1013,
}
"""Number of the random stream for each purpose (`randomness.key_of`), so that streams of a seed differ."""

Model = TypeVar("Model", bound=CellModel)


class Written(CellModel):
    """A cell written to a target: `state` is the (clipped, perhaps rounded) target, `visible` the result."""

    levels: int
    off: frozenset[str]

    def spacing(self) -> float:
        """Distance between neighbouring levels, in `quantity`."""
        low, high = self.bounds()
        return (high - low) / (self.levels - 1)

    def step(self, state: float, up: bool) -> float:
        """One level, in every state."""
        return self.spacing()

    def without(self, names: Sequence[str]) -> Self:
        """This model with the named non-idealities off. Raises `DeviceError` for a name it does not have."""
        return turned_off(self, names)

    def manufacture(self, count: int, seed: int, dtype: npt.DTypeLike = np.float64) -> Cells:
        """`count` cells at their lowest level; column i of `spread` is the i-th of `_spread_names`, standard normal."""
        count, seed = to_manufacture(count, seed, dtype)
        state = np.full(count, self.bounds()[0], dtype=dtype)
        columns = [
            randomness.gaussians(randomness.key_of(seed, STREAMS[name]), count) if self._has(name) else np.zeros(count)
            for name in self._spread_names()
        ]
        spread = np.stack(columns, axis=1) if columns else np.empty((count, 0))
        return Cells(
            state=state,
            visible=state.copy(),
            spread=np.ascontiguousarray(spread, dtype=dtype),
            pulses=np.zeros(count, dtype=np.uint32),
            random=randomness.start(seed),
        )

    def program(self, cells: Cells, target: Reals, places: Ints | None = None) -> None:
        """Writes `target`, one value or one per place (clipped to the bounds), to `cells[places]`, in place."""
        where, wanted = to_program(cells, target, places)
        for chosen in rounds(where):
            self._write(cells, wanted[chosen], where[chosen])

    def pulse(self, cells: Cells, counts: Ints, places: Ints | None = None) -> None:
        """Moves the targets of `cells[places]` by `counts` levels and writes them again; 0 changes nothing."""
        for chosen, moved in pulsed(cells, counts, places):
            wanted = cells.state[chosen] + moved.astype(cells.state.dtype) * cells.state.dtype.type(self.spacing())
            self._write(cells, wanted, chosen)
            cells.pulses[chosen] += np.abs(moved).astype(np.uint32)

    def _write(self, cells: Cells, wanted: Reals, places: Ints) -> None:
        """Writes distinct places; refuses a target that is not a number."""
        if np.isnan(wanted).any():
            raise DeviceError(f"{self.name}: a target is not a number")
        low, high = (cells.state.dtype.type(bound) for bound in self.bounds())
        state = np.clip(self._rounded(wanted), low, high)
        cells.state[places] = state
        cells.visible[places] = self._settled(cells, state, places)

    def _rounded(self, wanted: Reals) -> Reals:
        """The levels nearest to these targets; the targets themselves if the family has no levels."""
        return wanted

    def _has(self, name: str) -> bool:
        return name in self.non_idealities

    def _spread_names(self) -> tuple[str, ...]:
        """Switches that have a column of `spread` each."""
        return ()

    @abstractmethod
    def _settled(self, cells: Cells, state: Reals, places: Ints) -> Reals:
        """Visible states right after a write to `state`; draws noise from `cells.random`."""


def turned_off(model: Model, names: Sequence[str]) -> Model:
    """`model` with `names` added to its field `off`. Raises `DeviceError` for a name that is not on."""
    known = model.non_idealities
    for name in names:
        if name not in known:
            raise DeviceError(unknown(f"non-ideality of {model.name}", name, known))
    fields: Any = model
    changed: Model = replace(fields, off=fields.off | frozenset(names))
    return changed


def has_repeats(places: Ints) -> bool:
    """Whether a place is in the list more than once; unlike a sort, it takes time proportional to the length."""
    places = ARGUMENTS.integers("places", places, ("places",), 0, 2**62)
    size = 1 << max(int(2 * len(places)).bit_length(), 1)
    return bool(_has_duplicates(places.astype(np.int64, copy=False), np.full(size, -1, dtype=np.int64)))


@njit(nogil=True, cache=True)
def _has_duplicates(places, slots):  # type: ignore[no-untyped-def]
    """Hashes places (0 or more) into free `slots` (-1, a power of two of them, over twice as many as places)."""
    last = slots.shape[0] - 1
    for place in places:
        slot = (place * 0x9E3779B1) & last
        while slots[slot] >= 0:
            if slots[slot] == place:
                return True
            slot = (slot + 1) & last
        slots[slot] = place
    return False


def rounds(places: Ints) -> Iterator[Ints | slice]:
    """Indices into `places`, in groups of distinct places (usually one group); the order of each place is kept."""
    places = ARGUMENTS.integers("places", places, ("places",), 0, 2**62)
    if not has_repeats(places):
        yield slice(None)
        return
    left = np.arange(len(places))
    while len(left):
        _, first = np.unique(places[left], return_index=True)
        first.sort()
        yield left[first]
        left = np.delete(left, first)


def pulsed(cells: Cells, counts: Ints, places: Ints | None) -> Iterator[tuple[Ints, Ints]]:
    """Groups of distinct places with their nonzero numbers of pulses, in order; none if all counts are 0."""
    where, number = to_pulse(cells, counts, places)
    moving = np.flatnonzero(number)
    where, number = where[moving], number[moving]
    if len(where) == 0:
        return
    for chosen in rounds(where):
        yield where[chosen], number[chosen]


def drawn(cells: Cells, count: int) -> Reals:
    """The next `count` standard normals of these cells, in the precision of their states."""
    return randomness.take(cells.random, count).astype(cells.state.dtype, copy=False)


def read_normals(cells: Cells, seed: int, what: str) -> Reals:
    """One standard normal (float64) per cell for a read with `seed`; does not change `cells.random`."""
    stream = STREAMS[what]
    mixed = randomness.key_of(seed, stream) ^ int(cells.random[0])
    return randomness.gaussians(randomness.key_of(mixed, stream), len(cells.state))


def checked(
    model: CellModel,
    name: str,
    low: float = -math.inf,
    high: float = math.inf,
    *,
    strict: bool = False,
    unit: str = "",
) -> None:
    """Raises `DeviceError` unless the field is a finite number in low … high (strictly above `low` if `strict`)."""
    value = getattr(model, name)
    number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    if number and low <= value <= high and not (strict and value == low):
        return
    open_end = "above" if strict else "at least"
    least = f"{open_end} {low:g}" if math.isfinite(low) else "a finite number"
    most = f", at most {high:g}" if math.isfinite(high) else ""
    raise DeviceError(f"{model.name}: {name} is {value!r}; it must be {least}{most}{' ' + unit if unit else ''}")


def check_off(model: CellModel, known: Sequence[str]) -> None:
    """Raises `DeviceError` unless every name in the field `off` is one of the family's switches."""
    off: frozenset[str] = frozenset(getattr(model, "off"))  # noqa: B009
    object.__setattr__(model, "off", off)
    for name in sorted(off):
        if name not in known:
            raise DeviceError(unknown(f"non-ideality of {model.name}", name, known))


def tuples(value: object) -> Any:
    """Converts lists (from a YAML file) to tuples, so that a model is immutable and can be compared."""
    if isinstance(value, list | tuple):
        return tuple(tuples(item) for item in value)
    if isinstance(value, np.ndarray):
        return tuples(value.tolist())
    return value


def check_levels(model: Written) -> None:
    """Raises `DeviceError` unless `levels` is an integer of at least 2."""
    if isinstance(model.levels, bool) or not isinstance(model.levels, int) or model.levels < 2:
        raise DeviceError(f"{model.name}: levels is {model.levels!r}; it must be an integer of at least 2")
