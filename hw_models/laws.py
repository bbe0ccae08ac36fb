"""Checks a cell model against the laws of `base.py` in a fraction of a second; a plug-in must pass before it is used.

A few tests on a few cells; `tests/property/test_device_laws.py` tests the families of this package thoroughly.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Final

import numpy as np
import numpy.typing as npt

from hw_models.base import CellModel, Cells, DeviceError

_CELLS: Final = 8
_PULSES: Final = 5
_MANY: Final = 200
_CLOSE: Final = 1e-9
"""Two float64 states are the same if they differ by less than this part of the range."""


class _Broken(Exception):
    """A model breaks a law; the text says how."""


def check_laws(model: CellModel) -> None:
    """Raises `DeviceError` with the first law that `model` breaks, and how it breaks it."""
    for law, check in LAWS.items():
        try:
            check(model)
        except _Broken as broken:
            raise DeviceError(f"breaks the law {law!r}: {broken}") from None
        except Exception as error:  # code of a plug-in may raise any exception
            raise DeviceError(f"breaks the law {law!r}: {type(error).__name__}: {error}") from error


def _require(kept: bool, told: str) -> None:
    if not kept:
        raise _Broken(told)


def _is_described(model: CellModel) -> None:
    for word in ("family", "citation", "valid_range", "not_modelled", "name"):
        text = getattr(model, word, None)
        _require(isinstance(text, str) and bool(text.strip()), f"{word} is {text!r}, must not be empty")
    _require(model.quantity in ("weight", "conductance"), f"quantity is {model.quantity!r}")
    names = model.non_idealities
    _require(isinstance(names, tuple) and all(isinstance(n, str) for n in names), f"non_idealities is {names!r}")
    _require(len(set(names)) == len(names), f"non_idealities repeats a name: {names!r}")


def _has_bounds(model: CellModel) -> None:
    low, high = model.bounds()
    _require(math.isfinite(low) and math.isfinite(high) and low < high, f"bounds() is ({low!r}, {high!r})")
    _require(model.quantity == "weight" or low >= 0, f"a conductance below 0: {low!r} S")
    for state in (low, (low + high) / 2, high):
        for up in (True, False):
            step = model.step(state, up)
            _require(math.isfinite(step) and step >= 0, f"step({state!r}, {up}) is {step!r}")


def _is_manufactured(model: CellModel) -> None:
    for dtype in (np.float64, np.float32):
        cells = model.manufacture(_CELLS, 1, dtype)
        for name in ("state", "visible"):
            array = getattr(cells, name)
            _require(array.shape == (_CELLS,) and array.dtype == dtype, f"{name}: {array.shape}, {array.dtype}")
            _require(bool(np.isfinite(array).all()), f"{name} is not finite")
        _require(cells.spread.ndim == 2 and len(cells.spread) == _CELLS, f"spread: shape {cells.spread.shape}")
        _require(cells.pulses.shape == (_CELLS,) and not cells.pulses.any(), "new cells have had pulses")
        _require(cells.random.shape == (2,) and cells.random.dtype == np.uint64, "random: not a key and a counter")
    new = model.ideal().manufacture(_CELLS, 1)
    low, _ = model.ideal().bounds()
    _require(_same(model, new.state, np.full(_CELLS, low)), f"ideal cells start at {new.state[0]!r}, not at {low!r}")


def _no_pulses_change_nothing(model: CellModel) -> None:
    cells = _worn(model, 1)
    before = _copy(cells)
    model.pulse(cells, np.zeros(_CELLS, dtype=np.int64))
    model.pulse(cells, np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64))
    _unchanged(before, cells)


def _seed_decides(model: CellModel) -> None:
    one, two = _worn(model, 1), _worn(model, 1)
    _unchanged(one, two)
    more = model.manufacture(2 * _CELLS, 1)
    fewer = model.manufacture(_CELLS, 1)
    _require(
        np.array_equal(more.state[:_CELLS], fewer.state) and np.array_equal(more.spread[:_CELLS], fewer.spread),
        "a cell depends on how many others are made with it",
    )


def _stays_inside(model: CellModel) -> None:
    ideal = model.ideal()
    low, high = ideal.bounds()
    slack = _CLOSE * (high - low)
    cells = ideal.manufacture(_CELLS, 1)
    for end, counts in ((high, _MANY), (low, -_MANY), (low, _PULSES)):
        ideal.program(cells, np.full(_CELLS, end))
        ideal.pulse(cells, np.full(_CELLS, counts, dtype=np.int64))
        inside = (cells.state >= low - slack) & (cells.state <= high + slack)
        _require(bool(inside.all()), f"{cells.state[~inside][:1]} is outside {low!r}..{high!r}")
    ideal.program(cells, np.full(_CELLS, high + 10 * (high - low)))
    _require(bool((cells.state <= high + slack).all()), "programming to a target above the range leaves it")


def _ideal_is_the_same_for_all(model: CellModel) -> None:
    ideal = model.ideal()
    _require(ideal.non_idealities == (), f"ideal() still has {ideal.non_idealities!r}")
    one, two = _worn(ideal, 1), _worn(ideal, 2)
    _require(_same(model, one.state, two.state), "two seeds give different ideal cells")
    _require(_same(model, one.visible, one.state), "an ideal cell shows another state than it has")
    low, high = ideal.bounds()
    for share in (0.0, 0.3, 0.5, 0.9, 1.0):
        for up in (True, False):
            cells = ideal.manufacture(_CELLS, 1)
            ideal.program(cells, np.full(_CELLS, low + share * (high - low)))
            state = float(cells.state[0])
            moved = ideal.step(state, up) * (1 if up else -1)
            ideal.pulse(cells, np.full(_CELLS, 1 if up else -1, dtype=np.int64))
            wanted = np.full(_CELLS, min(max(state + moved, low), high))
            told = f"a pulse at {state!r} leads to {cells.state[0]!r}, step() says {wanted[0]!r}"
            _require(_same(model, cells.state, wanted), told)


def _reading_alters_nothing(model: CellModel) -> None:
    cells = _worn(model, 1)
    before = _copy(cells)
    first = model.read(cells, 1.0, 5)
    _unchanged(before, cells)
    _require(first is not cells.visible and not np.shares_memory(first, cells.visible), "read() returns no copy")
    _require(np.array_equal(first, model.read(cells, 1.0, 5)), "the same seed reads differently")


def _noise_of_reads_has_a_size(model: CellModel) -> None:
    cells = _worn(model, 1)
    sd = np.asarray(model.read_sd(cells.visible))
    _require(sd.shape == (_CELLS,), f"read_sd() of {_CELLS} cells has the shape {sd.shape}")
    _require(bool(np.isfinite(sd).all() and (sd >= 0).all()), f"read_sd() is {sd.tolist()!r}")
    _require(not np.any(model.ideal().read_sd(cells.visible)), "reads of the ideal model have a read_sd()")


def _no_time_is_no_drift(model: CellModel) -> None:
    for name in ("drift", "retention"):
        if name in model.non_idealities:
            alone = model.only(name)
            cells = _worn(alone, 1)
            _require(_same(model, alone.read(cells, 0.0), cells.visible), f"{name} has begun after 0 s")


def _each_switches_alone(model: CellModel) -> None:
    names = model.non_idealities
    for name in names:
        left = model.without([name]).non_idealities
        _require(name not in left, f"{name!r} is still on without it")
        _require(model.only(name).non_idealities == (name,), f"only({name!r}) is {model.only(name).non_idealities!r}")
    _require(model.non_idealities == names, "without() changed the model itself")
    try:
        model.without(["no such non-ideality"])
    except DeviceError:
        return
    raise _Broken("without() takes a name that the model does not have, and raises no DeviceError")


def _only_places_are_touched(model: CellModel) -> None:
    cells = _worn(model, 1)
    before = _copy(cells)
    places = np.array([1, 4])
    model.pulse(cells, np.array([2, -3]), places)
    others = np.setdiff1d(np.arange(_CELLS), places)
    same = np.array_equal(before.state[others], cells.state[others])
    _require(same and np.array_equal(before.visible[others], cells.visible[others]), "a pulse reached other cells")
    counted = cells.pulses.astype(np.int64) - before.pulses
    _require(counted.tolist() == [0, 2, 0, 0, 3, 0, 0, 0], f"2 and 3 pulses are counted as {counted.tolist()}")


def _worn(model: CellModel, seed: int) -> Cells:
    cells = model.manufacture(_CELLS, seed)
    model.pulse(cells, np.full(_CELLS, _PULSES, dtype=np.int64))
    model.pulse(cells, np.full(_CELLS, -2, dtype=np.int64))
    return cells


def _arrays(cells: Cells) -> Iterator[tuple[str, npt.NDArray[np.generic]]]:
    for name in ("state", "visible", "spread", "pulses", "random"):
        yield name, getattr(cells, name)


def _copy(cells: Cells) -> Cells:
    return Cells(**{name: array.copy() for name, array in _arrays(cells)})  # type: ignore[arg-type]


def _unchanged(before: Cells, after: Cells) -> None:
    for name, array in _arrays(before):
        _require(np.array_equal(array, getattr(after, name)), f"{name} differs")


def _same(model: CellModel, one: npt.NDArray[np.floating], two: npt.NDArray[np.floating]) -> bool:
    low, high = model.bounds()
    return bool(np.all(np.abs(one - two) <= _CLOSE * (high - low)))


LAWS: Final[dict[str, Callable[[CellModel], None]]] = {
    "a model says what it is": _is_described,
    "a model has bounds and steps": _has_bounds,
    "new cells are at their lowest state": _is_manufactured,
    "no pulses change nothing": _no_pulses_change_nothing,
    "the same seed gives the same cells and the same noise": _seed_decides,
    "the state stays inside the bounds": _stays_inside,
    "ideal() pulses without noise or spread": _ideal_is_the_same_for_all,
    "a pulse reaches its own cells and is counted": _only_places_are_touched,
    "reading alters nothing": _reading_alters_nothing,
    "the noise of a read has a size": _noise_of_reads_has_a_size,
    "no time passed is no drift": _no_time_is_no_drift,
    "each non-ideality switches alone": _each_switches_alone,
}
"""Law -> its check, in the order of the checks."""
