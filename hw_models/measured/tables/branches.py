"""Finds the pulses in the rows of a measurement: their direction, their number, and the ends of sequences."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hw_models.base import DeviceError, unknown
from hw_models.measured.tables.traces import Floats, Origin, Traces

UP = ("up", "+", "+1", "1", "ltp", "p", "potentiation", "pot", "inc", "increase", "set", "positive", "pos", "write")
DOWN = ("down", "-", "-1", "ltd", "d", "depression", "dep", "dec", "decrease", "reset", "negative", "neg", "erase", "0")
START = ("start", "init", "initial", "begin", "none", "")
FEWEST = 8
"""Minimum number of steps in one direction for a fit."""
TREND = 2.0
"""Minimum mean rank correlation of conductance with pulse number in branches, in standard errors."""


@dataclass(frozen=True)
class Rows:
    """The columns of a table of pulses, one entry per row; None for a column that is not there."""

    name: str
    lines: tuple[int, ...]
    conductance_s: Floats
    pulse: Floats | None
    phase: list[str] | None
    amplitude: Floats | None
    cell: list[str] | None
    cycle: list[str] | None


@dataclass(frozen=True)
class Ordered:
    """Rows in the order of measurement, sequence after sequence."""

    places: list[int]
    pulses: list[int]
    up: list[bool]
    steps: dict[bool, list[int]]
    """Rows (indices in the table) after pulses up (True) and after pulses down (False)."""


def ordered(rows: Rows) -> Ordered:
    """Orders `rows` and counts the pulses between them. Raises `DeviceError` if direction or order are inconsistent."""
    found = Ordered([], [], [], {True: [], False: []})
    groups: dict[tuple[str, str], list[int]] = {}
    for place in range(len(rows.lines)):
        key = (rows.cell[place] if rows.cell else "", rows.cycle[place] if rows.cycle else "")
        groups.setdefault(key, []).append(place)
    for places in groups.values():
        directions = _directions(rows, places)
        for place, pulses, up in zip(places, *_counted(rows, places, directions), strict=True):
            found.places.append(place)
            found.pulses.append(pulses)
            found.up.append(up)
            if pulses:
                found.steps[up].append(place)
    _enough(rows, found)
    return found


def traces(rows: Rows, found: Ordered, origin: Origin, quantum_s: float, weight: bool = False) -> Traces:
    """The measurement in order. Raises `DeviceError` if up pulses do not increase or down pulses do not decrease it."""
    places = np.array(found.places)
    names = tuple(dict.fromkeys(rows.cell)) if rows.cell else ("",)
    cycles = tuple(dict.fromkeys(rows.cycle)) if rows.cycle else ("",)
    cell = [names.index(rows.cell[place]) if rows.cell else 0 for place in found.places]
    cycle = [cycles.index(rows.cycle[place]) if rows.cycle else 0 for place in found.places]
    number = np.arange(len(places), dtype=float) if rows.pulse is None else np.abs(rows.pulse[places])
    made = Traces(
        origin, rows.conductance_s[places], np.array(found.pulses), np.array(found.up), np.array(cell), np.array(cycle),
        number, names, quantum_s, weight, turned=rows.phase is None and not _has_signs(rows),
    )  # fmt: skip
    _trend(rows.name, made)
    return made


def _directions(rows: Rows, places: list[int]) -> list[bool | None]:
    """Up, down, or None for a row before any pulse."""
    if rows.phase is not None:
        return [_direction(rows, place, rows.phase[place]) for place in places]
    for signs in (rows.pulse, rows.amplitude):
        if signs is not None and np.any(signs[places] < 0):
            return [None if signs[place] == 0 else bool(signs[place] > 0) for place in places]
    return _turning_point(rows, places)


def _has_signs(rows: Rows) -> bool:
    return any(signs is not None and bool(np.any(signs < 0)) for signs in (rows.pulse, rows.amplitude))


def _direction(rows: Rows, place: int, word: str) -> bool | None:
    lower = word.strip().lower()
    if lower in START:
        return None
    if lower in UP or lower in DOWN:
        return lower in UP
    raise DeviceError(f"{rows.name}:{rows.lines[place]}: {unknown('direction', word, (*UP, *DOWN, 'start'))}")


def _turning_point(rows: Rows, places: list[int]) -> list[bool | None]:
    """Splits a rise and a fall without labels at the highest conductance, after a running median of three."""
    g = rows.conductance_s[places]
    if len(g) < 2 * FEWEST:
        raise DeviceError(f"{rows.name}: too little data: {len(g)} rows in all, allowed: {2 * FEWEST} or more")
    smooth = np.r_[g[0], np.median(np.stack([g[:-2], g[1:-1], g[2:]]), axis=0), g[-1]]
    top = int(np.argmax(smooth))
    near = slice(max(top - 1, 0), top + 2)
    top = near.start + int(np.argmax(g[near]))
    if top < 2 or len(g) - top < 3:
        raise DeviceError(
            f"{rows.name}: one branch is missing: the conductance only {'falls' if top < 2 else 'rises'}; give "
            "pulses in both directions, or a column `phase` with up and down"
        )
    return [None, *([True] * top), *([False] * (len(g) - top - 1))]


def _counted(rows: Rows, places: list[int], directions: list[bool | None]) -> tuple[list[int], list[bool]]:
    """(pulses since the row before, or 0 at a start; direction) of each row of one cell and cycle."""
    pulses: list[int] = []
    ways: list[bool] = []
    for here, place in enumerate(places):
        way = directions[here]
        last = directions[here - 1] if here else None
        ahead = next((later for later in directions[here:] if later is not None), True)
        if way is None or here == 0:
            pulses.append(0)
        else:
            pulses.append(_between(rows, places[here - 1], place, way, last))
        ways.append(ahead)
    return pulses, ways


def _between(rows: Rows, before: int, place: int, way: bool, last: bool | None) -> int:
    if rows.pulse is None:
        return 1
    now, then = float(rows.pulse[place]), float(rows.pulse[before])
    if now != round(now) or then != round(then):
        raise DeviceError(f"{rows.name}:{rows.lines[place]}: pulse number {now:g} is not a whole number")
    signed = bool(now < 0 or then < 0)
    if last is not None and last != way:  # a turn: the branches are joined only if the numbers continue
        return abs(int(now)) if signed else max(int(now - then), 0)
    if now == then:
        raise DeviceError(
            f"{rows.name}:{rows.lines[place]}: pulse number {now:g} twice in a branch; for several cells or cycles add "
            "columns `cell` and `cycle`"
        )
    if last is None and not signed:
        return max(int(now - then), 0)
    # a branch may be numbered backwards, as in a plot; numbers that return to the start begin a new sequence
    return 0 if not signed and then - now > 1 and now <= 1 else abs(int(now - then))


def _enough(rows: Rows, found: Ordered) -> None:
    counts = {way: len(found.steps[way]) for way in (True, False)}
    for way, word in ((True, "up"), (False, "down")):
        if not counts[way] and counts[not way]:
            raise DeviceError(f"{rows.name}: one branch is missing: there are no steps {word}")
    for way, word in ((True, "up"), (False, "down")):
        if counts[way] < FEWEST:
            raise DeviceError(f"{rows.name}: too little data: {counts[way]} steps {word}, allowed: {FEWEST} or more")


def _trend(name: str, made: Traces) -> None:
    rises = {way: _rank_trend(made, way) for way in (True, False)}
    needed = {way: TREND / np.sqrt(len(made.steps(way))) for way in (True, False)}
    if rises[True] < -needed[True] and rises[False] > needed[False]:
        raise DeviceError(f"{name}: the up branch falls and the down branch rises: are they exchanged?")
    for way, word, verb in ((True, "up", "rise"), (False, "down", "fall")):
        if rises[way] * (1 if way else -1) < needed[way]:
            raise DeviceError(
                f"{name}: conductance does not {verb} with pulses {word} (rank correlation {rises[way]:+.2f}, allowed: "
                f"{'above +' if way else 'below -'}{needed[way]:.2f}); no device model could follow"
            )


def _rank_trend(made: Traces, way: bool) -> float:
    """Mean rank correlation of conductance with order over the branches of one direction, weighted by length."""
    pieces = _pieces(made, way)
    total = sum(len(piece) for piece in pieces)
    return sum(len(piece) * _spearman(made.conductance_s[piece]) for piece in pieces) / total


def _pieces(made: Traces, way: bool) -> list[list[int]]:
    pieces: list[list[int]] = []
    for place in range(len(made.pulses)):
        if made.pulses[place] and made.up[place] == way:
            fresh = not pieces or pieces[-1][-1] != place - 1
            if fresh:
                pieces.append([place - 1])
            pieces[-1].append(place)
    return pieces


def _spearman(values: Floats) -> float:
    from scipy.stats import rankdata

    ranks = rankdata(values) - (len(values) + 1) / 2
    order = np.arange(len(values)) - (len(values) - 1) / 2
    size = float(np.sqrt((ranks @ ranks) * (order @ order)))
    return float(ranks @ order) / size if size else 0.0
