"""Pulses cells in compiled code: plain arrays that describe the pulse law of every family of this package.

A step law runs in `straight_pulsing`, a write to a level in `level_writing`, a table in `lookup_table`. Wrappers become
columns of `Cells.spread` that block pulses. Models of plug-ins have no compiled law, because their classes may do
anything: they are called pulse by pulse (`CellModel.pulse`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from hw_models.families.lookup_table import step_cells
from hw_models.families.wrappers.wrapper import Wrapper
from hw_models.kernels.jit import njit
from hw_models.kernels.level_writing import write_levels
from hw_models.kernels.straight_pulsing import pulse_batches

if TYPE_CHECKING:
    from hw_models.base import CellModel

UNKNOWN, LEVELS, TABLE = -1, 10, 11
"""Codes of a `Law` in addition to those of `step_laws`: none, written to levels, drawn from a table."""
_WORKS = -1
_WRAPPERS = tuple(f"hw_models.families.wrappers.{name}" for name in ("stuck_at", "endurance", "retention"))
"""Modules of wrappers whose pulses `_effective_pulses` reproduces; a subclass elsewhere may behave differently."""

Numbers = npt.NDArray[np.float64]


class Law(NamedTuple):
    """The pulse law of a population; arrays that a kind of law does not use are empty."""

    code: int
    wrapped: bool  # whether the pulsed device has wrappers
    constants: Numbers  # of a step law or of a write; the bounds, of a table
    g_s: Numbers  # (m,) of a table, as `lookup_table.step_cells`
    cdf: Numbers  # (k,)
    means: Numbers  # (2, m)
    changes: Numbers  # (2, k, m)
    shares: Numbers  # (cells,) of 1
    stuck: int  # column of `spread` that is 0 for cells that work; -1 where all do
    limit: int  # column with the pulses that a cell endures; -1 without an end
    given: npt.NDArray[np.int32]  # (cells,) room for the pulses that reach their cells


def law_of(model: CellModel, cells: int, columns: int) -> Law:
    """The law of `cells` cells of `model` whose `spread` has `columns`; code `UNKNOWN` if it has no compiled law."""
    stuck, limit, inner, depth = _WORKS, _WORKS, model, 0
    while isinstance(inner, Wrapper) and type(inner).__module__ in _WRAPPERS:
        column = columns - 1 - depth  # the outermost wrapper's is the last
        if "stuck_at" in inner.own:
            stuck = column
        if "endurance" in inner.own:
            limit = column
        inner, depth = inner.inner, depth + 1
    found = _bare(inner, cells)
    return found._replace(wrapped=depth > 0, stuck=stuck, limit=limit, given=_room(cells if depth else 0))


def _bare(model: CellModel, cells: int) -> Law:
    """The law of a model that is not a wrapper."""
    from hw_models.families.lookup import Lookup

    step_law = getattr(model, "law_code", None)
    if step_law is not None:
        return _made(step_law(), model.constants())  # type: ignore[attr-defined]
    if "write_law" in vars(type(model)) and np.isfinite(np.array(model.bounds(), np.float32)).all():
        return _made(LEVELS, model.write_law())  # type: ignore[attr-defined]
    if type(model) is Lookup:
        branch, (means, changes) = model._branches[0], model._stacked
        return _made(TABLE, np.array(model.bounds()))._replace(
            g_s=branch.g_s, cdf=branch.cdf, means=means, changes=changes, shares=np.ones(cells)
        )
    return _made(UNKNOWN, np.zeros(1))


def _made(code: int, constants: Any) -> Law:
    none, table = np.zeros(0), (np.zeros((2, 0)), np.zeros((2, 0, 0)))
    return Law(code, False, constants, none, none, *table, none, _WORKS, _WORKS, _room(0))


def _room(cells: int) -> npt.NDArray[np.int32]:
    return np.zeros(cells, np.int32)


@njit(nogil=True, cache=True)
def _effective_pulses(law, spread, pulses, counts, places):  # type: ignore[no-untyped-def]
    """Fills `law.given` with the pulses that change their cells, and counts the others; cells must be distinct."""
    for a in range(counts.shape[0]):
        at, asked = np.int64(places[a]), np.int64(abs(counts[a]))
        left = asked
        if law.stuck >= 0 and spread[at, law.stuck] != 0:
            left = np.int64(0)
        elif law.limit >= 0:
            endures = np.int64(np.floor(np.float64(spread[at, law.limit])))
            left = min(max(endures - np.int64(pulses[at]), np.int64(0)), asked)
        law.given[a] = left if counts[a] > 0 else -left
        pulses[at] += np.uint32(asked - left)


@njit(nogil=True, cache=True)
def pulse_by_law(law, state, visible, spread, pulses, random, counts, places, room):  # type: ignore[no-untyped-def]
    """Applies `counts[a]` pulses (> 0 up) to cell `places[a]` (all distinct), in place, as `CellModel.pulse` does.

    Returns (up pulses, Σ of the mean state during each, down pulses, Σ likewise) of a step law; zeros for another.
    """
    given = counts
    if law.stuck >= 0 or law.limit >= 0:
        _effective_pulses(law, spread, pulses, counts, places)
        given = law.given[: counts.shape[0]]
    if law.code == LEVELS:
        write_levels(law.constants, state, visible, pulses, random, given, places)
    elif law.code == TABLE:
        step_cells(
            state, visible, spread, random, law.g_s, law.cdf, law.means, law.changes, law.constants[0],
            law.constants[1], given, law.shares, places,
        )  # fmt: skip
        for a in range(given.shape[0]):
            pulses[places[a]] += np.uint32(abs(given[a]))
    else:
        return pulse_batches(
            law.code, state, visible, spread, pulses, random, law.constants, given, places, room
        )  # fmt: skip
    return np.int64(0), 0.0, np.int64(0), 0.0
