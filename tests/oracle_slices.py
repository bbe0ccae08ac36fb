"""The chip with several cells for a weight in plain Python: the independent twin of
`edgesdt.synapses.crossbar.slices` and `.carry`, cell by cell.

To `tests.oracle_cells` it adds the slices above the first: each is read as the first one is, in its own place of the
sum. Learning sees the first one alone.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from math import floor
from typing import Any

from tests.oracle_cells import Cell, Change, OracleCellChip, Reading, single
from tests.oracle_numbers import clamped

OWN = ("states_of_cells", "received", "reading", "lost", "learned")
"""What every slice has of its own."""


def of_slice(spec: Mapping[str, Any], place: int) -> dict[str, Any]:
    """The spec as if slice `place` were all: what its range is worth, and the range of its converters."""
    made = copy.deepcopy(dict(spec))
    array = made["device"]["array"]
    base, count = 2 ** array["bits_per_cell"], array["slices"]
    array["weight_per_range"] = base**place * (array["weight_per_range"] * (base - 1) / (base**count - 1))
    array["adc_range"] /= base ** (count - 1 - place)
    return made


class OracleSlicedChip(OracleCellChip):
    """A whole chip whose weights are digits; `states_of_cells` and the like are those of the slice at hand."""

    def __init__(self, spec: Mapping[str, Any], cell: Cell, epoch: int = 0) -> None:
        array = spec["device"]["array"]
        self.count, self.base, self.every = array["slices"], 2 ** array["bits_per_cell"], array["carry_every"]
        self.carries = [0, 0, 0]
        super().__init__(of_slice(spec, 0), cell, epoch)
        one, zero = self.reading.one, self.reading.reference
        self.reach = one if self.reading.planes == 2 else min(zero, one - zero)
        self.codes_worth = [
            of_slice(spec, place)["device"]["array"]["weight_per_range"] / one for place in range(self.count)
        ]
        self.places = [copy.deepcopy({name: getattr(self, name) for name in OWN}) for _ in range(self.count)]
        frac = self.drive_right + self.chip["states"]["bits"]
        for place, own in enumerate(self.places):
            own["reading"] = Reading(of_slice(spec, place), cell, frac)
            own["reading"].tally = self.places[0]["reading"].tally
        self.now = 0
        self.turn_to(0)

    def turn_to(self, place: int) -> None:
        """Take up slice `place`."""
        for name, value in self.places[place].items():
            setattr(self, name, value)
        self.now = place

    @contextmanager
    def at(self, place: int) -> Iterator[None]:
        """Within the context, slice `place` is the one at hand."""
        before = self.now
        self.places[before] = {name: getattr(self, name) for name in OWN}
        self.turn_to(place)
        yield
        self.places[place] = {name: getattr(self, name) for name in OWN}
        self.turn_to(before)

    def of_all(self, what: str) -> list[Any]:
        """An attribute, or what a method gives, of every slice."""
        found = []
        for place in range(self.count):
            with self.at(place):
                value = getattr(self, what)
                found.append(value() if callable(value) else value)
        return found

    # digits

    def state_at(self, digit: float) -> list[float]:
        """The states of the cells that show `digit`, in share codes: a pair around its middle."""
        one, low, span = self.reading.one, self.cell.low, self.cell.high - self.cell.low
        if self.reading.planes == 2:
            return [low + span * (0.5 + digit / (2 * one)), low + span * (0.5 - digit / (2 * one))]
        return [low + span * ((self.reading.reference + digit) / one)]

    def draw_weights(self) -> None:
        """Xavier-uniform weights, programmed digit by digit from the top; what a digit misses goes to the one below."""
        n0, n1 = self.sizes
        bound = self.chip["weights"]["init_gain"] * (6.0 / (n0 + n1)) ** 0.5
        words = iter(self.bank.parts(n0 * n1, 32))
        left = [[bound * (next(words) / 2**31 - 1.0) for _ in range(n1)] for _ in range(n0)]
        span = self.cell.high - self.cell.low
        for place in reversed(range(self.count)):
            worth, carry = self.codes_worth[place], self.reach // 2 / self.base
            with self.at(place):
                for i in range(n0):
                    for j in range(n1):
                        digit = left[i][j] / worth
                        digit = floor(digit / carry + 0.5) * carry if place else digit
                        states = self.state_at(min(max(digit, -self.reach), self.reach))
                        for plane, state in enumerate(states):
                            self.states_of_cells[plane][i][j] = single(state)
                        shown = [
                            (cells[i][j] - self.cell.low) * (self.reading.one / span) for cells in self.states_of_cells
                        ]
                        less = shown[1] if len(shown) == 2 else self.reading.reference
                        left[i][j] -= (shown[0] - less) * worth
        self.bank.steps = 0

    # reading

    def load(self, x: Any, learning: bool) -> None:
        """After the least significant slice come the others; rows are driven in all of them at once."""
        super().load(x, learning)
        tally = self.reading.tally
        for place in range(1, self.count):
            with self.at(place):
                once = {name: tally[name] for name in ("reads", "row_drives")}
                lost = self.lost_now(learning)
                self.reading.count(self.inputs, self.shares())
                tally.update(once)
                for j, addend in self.reading.codes(self.inputs, self.seen(lost)):
                    self.accumulate(1, j, addend)

    # carrying

    def learn(self, x: Any, label: int = 0) -> None:
        """One sample, and a carry where one is due."""
        super().learn(x, label)
        if self.learned % self.every == 0:
            self.carry()

    def carry(self) -> None:
        """From each slice to the next, from the least significant up."""
        for place in range(self.count - 1):
            with self.at(place):
                self.look(
                    [
                        (p, i, j)
                        for p in range(self.reading.planes)
                        for i in range(self.sizes[0])
                        for j in range(self.sizes[1])
                    ]
                )
                low = self.codes()
            with self.at(place + 1):
                high = self.codes()
            aims, unit = {}, self.reach // 2
            for j in range(self.sizes[1]):
                for i in range(self.sizes[0]):
                    digit = low[i][j]
                    due = (abs(digit) // unit) * (1 if digit > 0 else -1)
                    aim = min(max(high[i][j] + due * unit / self.base, -self.reach), self.reach)
                    self.carries[0] += 1
                    if due and abs(aim - high[i][j]) >= unit / (2 * self.base):
                        aims[i, j] = aim
                        self.carries[1] += 1
                        self.carries[2] += abs(digit) >= 0.95 * self.reach
            with self.at(place + 1):
                self.write_digits(aims)
                self.look([(p, i, j) for i, j in aims for p in range(self.reading.planes)])
                after = self.codes()
            with self.at(place):
                kept = {(i, j): low[i][j] - self.base * (after[i][j] - high[i][j]) for i, j in aims}
                self.write_digits({at: float(clamped(digit, -self.reach, self.reach)) for at, digit in kept.items()})

    def look(self, cells: list[tuple[int, int, int]]) -> None:
        """Read cells one by one."""
        self.reading.tally["verify_reads"] += len(cells)
        self.reading.tally["verify_share"] += sum(self.share(*cell) for cell in cells)

    def write_digits(self, digits: dict[tuple[int, int], float]) -> None:
        """Write with verification, with pulses whose price is that of the states before and after a round."""
        wanted = {}
        for (i, j), digit in digits.items():
            for plane, state in enumerate(self.state_at(digit)):
                wanted[plane, i, j] = state
        self.verify(wanted, self.pulse_as_one)

    def pulse_as_one(self, changes: list[Change]) -> None:
        """Pulses whose mean share is the mean of the first and the last one of the cell."""
        tally = self.reading.tally
        kept = {name: tally[name] for name in ("up_share", "down_share")}
        before = [self.share(*change[:3]) for change in changes]
        self.pulse(changes)
        tally.update(kept)
        for name, sign in (("up_share", 1), ("down_share", -1)):
            passed = [
                (first + self.share(*change[:3])) * abs(change[3])
                for first, change in zip(before, changes, strict=True)
                if change[3] * sign > 0
            ]
            tally[name] += sum(passed) // 2
