"""The chip on analog cells in plain Python, cell by cell, for cells without noise or spread.

It is the independent twin of `edgesdt.synapses.crossbar`.

It adds to `tests.oracle` how weights are held, read and pulsed; of the simulator it knows nothing. What a cell is comes
as a few numbers (`Cell`), a spec as its plain mapping.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, floor, log2
from typing import Any

from tests.oracle import OracleChip
from tests.oracle_numbers import Layer, clamped, constant, mantissa
from tests.oracle_wires import losses

TALLIES = (
    "reads", "row_drives", "read_base", "read_share", "clipped", "pulses_up", "up_share", "pulses_down", "down_share",
    "pulse_times", "cell_writes", "verify_reads", "verify_share", "swept",
)  # fmt: skip
MOST_PULSES, FAR = 2**15, 2**24
Change = tuple[int, int, int, int]
"""Plane, row, column and pulses of one cell."""


def single(value: float) -> float:
    """Rounded to single precision, as a cell's state is kept."""
    kept: float = struct.unpack("f", struct.pack("f", value))[0]
    return kept


@dataclass(frozen=True)
class Cell:
    """A cell whose step is `intercept + slope·state`: one pair of these up, one down."""

    low: float
    """State at share 0; `high` that at share 1."""
    high: float
    up: tuple[float, float]
    down: tuple[float, float]
    zero: float = 0.5
    """Share at which a cell against a reference is weight 0."""
    siemens: tuple[float, float] = (0.0, 0.0)
    """Conductance at share 0 and at share 1 (for IR drop)."""

    def pulsed(self, state: float, up: bool) -> float:
        """The state after one pulse."""
        intercept, slope = map(single, self.up if up else self.down)
        step = intercept + slope * state
        return min(max(state + (step if up else -step), single(self.low)), single(self.high))

    def nominal_step(self, middle: float) -> float:
        """Mean of up and down at state `middle`."""
        return sum(intercept + slope * middle for intercept, slope in (self.up, self.down)) / 2


def dac_codes(bits: int, dac_bits: int) -> Layer:
    """The nearest level of a converter for every input code, in input LSBs: level k is at k·top/(2^dac_bits - 1)."""
    top, levels = 2**bits - 1, 2**dac_bits - 1
    if dac_bits >= bits:
        return list(range(top + 1))
    return [half_up(Fraction(half_up(Fraction(v * levels, top)) * top, levels)) for v in range(top + 1)]


def half_up(exact: Fraction) -> int:
    """Rounded, ties up."""
    return floor(exact + Fraction(1, 2))


class Reading:
    """How column sums become accumulator codes; what happened is counted in `tally`."""

    def __init__(self, spec: Mapping[str, Any], cell: Cell, accumulator_frac: int) -> None:
        array, self.off = spec["device"]["array"], spec["device"]["off"]
        inputs, self.columns = spec["chip"]["layers"]
        bits = spec["encoder"]["bits"]
        self.planes = 2 if array["mapping"] == "pair" else 1
        self.one = 2 ** min(13, 30 - ceil(log2(inputs * (2**bits - 1))))
        self.reference = 0 if self.planes == 2 else round(cell.zero * self.one)
        self.dac = dac_codes(bits, 8 if "dac" in self.off else array["dac_bits"])
        self.tile_rows = array["tile_rows"]
        lsb = array["weight_per_range"] / (self.one * 2**bits)  # of a column sum, as a neuron's drive
        step, self.highest = array["adc_range"] / 2 ** (array["adc_bits"] - 1), 2 ** (array["adc_bits"] - 1) - 1
        finest = 2.0**-accumulator_frac
        if "adc" in self.off:
            step, self.highest = finest, 2**62 - 1
        elif step < finest:  # what the accumulator cannot hold is not converted; the range stays
            step, self.highest = finest, round(max(array["adc_range"] / finest, 1.0)) - 1
        self.scale, self.times = lsb / step, round(step / finest)
        self.tally = dict.fromkeys(TALLIES, 0)

    def count(self, inputs: Layer, shares: list[list[Layer]]) -> None:
        """One read of the array: rows driven, and V² with and without the cells' shares."""
        self.tally["reads"] += 1
        for i, x in enumerate(self.dac[v] for v in inputs):
            self.tally["row_drives"] += x != 0
            self.tally["read_base"] += x * x * self.planes * self.columns
            self.tally["read_share"] += x * x * sum(sum(plane[i]) for plane in shares)

    def codes(self, inputs: Layer, weights: list[Layer]) -> Iterator[tuple[int, int]]:
        """(column, addend to its accumulator), tile by tile."""
        for first in range(0, len(inputs), self.tile_rows):
            rows = range(first, min(first + self.tile_rows, len(inputs)))
            for j in range(self.columns):
                total = sum(self.dac[inputs[i]] * weights[i][j] for i in rows)
                wide = floor(total * self.scale + 0.5)
                code = clamped(wide, -self.highest - 1, self.highest)
                self.tally["clipped"] += code != wide
                yield j, code * self.times


class OracleCellChip(OracleChip):
    """A whole chip of one weight layer on cells; `states_of_cells` is indexed [plane][row][column]."""

    def __init__(self, spec: Mapping[str, Any], cell: Cell, epoch: int = 0) -> None:
        self.array, self.cell = spec["device"]["array"], cell
        super().__init__(spec, epoch)
        self.reading = Reading(spec, cell, self.drive_right + self.chip["states"]["bits"])
        n0, n1 = self.sizes
        self.states_of_cells = [[[single(cell.low)] * n1 for _ in range(n0)] for _ in range(self.reading.planes)]
        self.received = [[[0] * n1 for _ in range(n0)] for _ in range(self.reading.planes)]
        self.lost, self.learned = [[0] * n1 for _ in range(n0)], 0
        self.weights = [[[0] * n1 for _ in range(n0)]]  # the accumulators get their input from the array alone

    # the cells

    def share(self, plane: int, i: int, j: int) -> int:
        """The share code that a cell shows."""
        span = self.cell.high - self.cell.low
        wide = floor((self.states_of_cells[plane][i][j] - self.cell.low) * (self.reading.one / span) + 0.5)
        return clamped(wide, -(2**15), 2**15 - 1)

    def shares(self) -> list[list[Layer]]:
        """All share codes, [plane][row][column]."""
        n0, n1 = self.sizes
        return [[[self.share(p, i, j) for j in range(n1)] for i in range(n0)] for p in range(self.reading.planes)]

    def codes(self) -> list[Layer]:
        """Weight codes [row][column]."""
        shares, most = self.shares(), 2 * self.reading.one
        less = shares[1] if self.reading.planes == 2 else None
        return [
            [clamped(s - (less[i][j] if less else self.reading.reference), -most, most) for j, s in enumerate(row)]
            for i, row in enumerate(shares[0])
        ]

    def draw_weights(self) -> None:
        """Xavier-uniform weights, programmed as far as the cells hold them."""
        n0, n1 = self.sizes
        bound = self.chip["weights"]["init_gain"] * (6.0 / (n0 + n1)) ** 0.5
        words = iter(self.bank.parts(n0 * n1, 32))
        for i in range(n0):
            for j in range(n1):
                for plane, share in enumerate(self.held(bound * (next(words) / 2**31 - 1.0))):
                    state = self.cell.low + (self.cell.high - self.cell.low) * share
                    self.states_of_cells[plane][i][j] = single(state)
        self.bank.steps = 0

    def held(self, weight: float) -> list[float]:
        """The shares of the cells that hold a weight, as far as they can."""
        most = self.array["weight_per_range"]
        if self.reading.planes == 2:
            kept = min(max(weight, -most), most)
            return [max(kept, 0.0) / most, max(-kept, 0.0) / most]
        lowest = -self.cell.zero * most
        return [(min(max(weight, lowest), (1 - self.cell.zero) * most) - lowest) / most]

    # reading

    def load(self, x: Any, learning: bool) -> None:
        """As in the digital chip; the input product comes from the array."""
        super().load(x, learning)
        lost = self.lost_now(learning)
        self.reading.count(self.inputs, self.shares())
        for j, addend in self.reading.codes(self.inputs, self.seen(lost)):
            self.accumulate(1, j, addend)

    def lost_now(self, learning: bool) -> list[Layer]:
        """What wires take: fresh in inference and every so many learned samples, else as at the last time."""
        due = not learning or self.learned % self.array["ir_drop_every"] == 0
        self.learned += learning
        if not self.array["wire_resistance"] or "ir_drop" in self.spec["device"]["off"]:
            return self.lost
        low, high = self.cell.siemens
        tile = self.array["tile_rows"], self.array["tile_columns"]
        step = (high - low) / self.reading.one
        fresh = losses(self.shares(), self.reading.reference, low, step, self.array["wire_resistance"], tile)
        if learning and due:
            self.lost = fresh
        return fresh if due else self.lost

    def seen(self, lost: list[Layer]) -> list[Layer]:
        """Weight codes [row][column] as they are read."""
        most = 2 * self.reading.one
        return [
            [clamped(code - less, -most, most) for code, less in zip(row, taken, strict=True)]
            for row, taken in zip(self.codes(), lost, strict=True)
        ]

    # writing

    def set_rates(self, epoch: int, beta: float, width: int) -> None:
        """As in the digital chip, with the weights' register in pulses: the quotient over the weight of a pulse."""
        super().set_rates(epoch, beta, width)
        planes, cell = (2, self.cell) if self.array["mapping"] == "pair" else (1, self.cell)
        share = 0.5 if planes == 2 else cell.zero
        self.step_of_cell = cell.nominal_step(cell.low + (cell.high - cell.low) * share)
        of_pulse = planes * self.array["weight_per_range"] * self.step_of_cell / (cell.high - cell.low)
        pre, state = self.spec["encoder"]["bits"], self.chip["states"]["bits"]
        m, n = mantissa(self.quotient(epoch, beta), width)
        pulses = m / 2.0**n / of_pulse
        if self.array["programming"] == "coincidence":
            m, n = mantissa(pulses / self.array["train_length"], width)
            self.weight_rates = [constant(m, n + state - 16, "nearest")]
        else:
            m, n = mantissa(pulses, width)
            self.weight_rates = [constant(m, n + pre + state, "stochastic")]

    def quotient(self, epoch: int, beta: float) -> float:
        """Learning rate over beta in this epoch."""
        learning, epochs, factor = self.learning, self.spec["epochs"], 1.0
        if learning["schedule"]["kind"] == "linear" and epochs > 1:
            factor = 1.0 + (learning["schedule"]["final"] - 1.0) * epoch / (epochs - 1)
        sides = 2.0 if learning["beta_sign"] == "symmetric" else 1.0
        over = 1.0 if self.soft else sides * beta
        return float(learning["learning_rate"][0] * factor / over)

    def update(self, plus: list[Layer], minus: list[Layer]) -> None:
        """Pulses to the cells, then the biases."""
        plus, minus = self.ends(0, plus, minus)
        changes = self.changes(plus, minus)
        if self.has_bias:
            moved = [p - m for p, m in zip(plus[1], minus[1], strict=True)]
            self.sweep_biases(1, [(j, d) for j, d in enumerate(moved) if d != 0])
        if self.array["programming"] == "verify":
            self.write_and_verify(changes)
        else:
            self.pulse(changes)

    def changes(self, plus: list[Layer], minus: list[Layer]) -> list[Change]:
        """The pulses of an update between two phase ends."""
        pres, posts = self.pres(0, plus, minus), self.posts(0, plus, minus)
        self.events["pairs"][0] += len(pres) * len(posts)
        return self.pulses_of(pres, posts)

    def pulses_of(self, pres: list[tuple[int, int, int]], posts: list[tuple[int, int, int]]) -> list[Change]:
        """Pulses by the codes of neurons in two phases, neuron by neuron; those of a pair are opposite."""
        by_chance, length = self.array["programming"] == "coincidence", self.array["train_length"]
        trains = [self.train(length, x * 2 ** (16 - self.spec["encoder"]["bits"])) for _, x, _ in pres if by_chance]
        made: list[Change] = []
        for j, high, low in posts:
            if by_chance:
                chance = min(self.weight_rates[0].times(abs(high - low)), 2**16)
                column, sign = self.train(length, chance), 1 if high > low else -1
                counts = [sign * sum(a and b for a, b in zip(row, column, strict=True)) for row in trains]
            else:
                words = self.bank.parts(len(pres), 16)
                contrasts = [x * (high - low) for _, x, _ in pres]
                wide = [self.weight_rates[0].times(c, word) for c, word in zip(contrasts, words, strict=True)]
                counts = [clamped(clamped(c, -FAR, FAR), -MOST_PULSES, MOST_PULSES) for c in wide]
            self.reading.tally["swept"] += 1
            if self.array["programming"] != "verify":
                self.reading.tally["pulse_times"] += max([0, *counts]) - min([0, *counts])
            for plane in range(self.reading.planes):
                sided = [-c for c in counts] if plane else counts
                made += [(plane, i, j, c) for (i, _, _), c in zip(pres, sided, strict=True) if c != 0]
        self.reading.tally["cell_writes"] += len(made)
        return made

    def train(self, length: int, chance: int) -> list[bool]:
        """A pulse train from fresh words, each pulse there with `chance` of 2^16."""
        return [half < chance for half in self.bank.parts(length, 16)]

    def pulse(self, changes: list[Change]) -> None:
        """Give the cells their pulses, one after the other; the mean state of each pulse is summed for its price."""
        passed, given = [0.0, 0.0], [0, 0]
        for plane, i, j, count in changes:
            state, down = self.states_of_cells[plane][i][j], int(count < 0)
            own = 0.0
            for _ in range(abs(count)):
                before, state = state, self.cell.pulsed(state, not down)
                own += 0.5 * before + 0.5 * state
            passed[down] += own
            self.states_of_cells[plane][i][j] = single(state)
            self.received[plane][i][j] += abs(count)
            given[down] += abs(count)
        scale, tally = self.reading.one / (self.cell.high - self.cell.low), self.reading.tally
        for down, name in enumerate(("up", "down")):
            tally[f"pulses_{name}"] += given[down]
            tally[f"{name}_share"] += floor((passed[down] - given[down] * self.cell.low) * scale + 0.5)

    def write_and_verify(self, changes: list[Change]) -> None:
        """Read, give what is lacking, and again; a wanted state beyond the cell's range is the end of it."""
        wanted = {}
        for plane, i, j, count in changes:
            aim = self.states_of_cells[plane][i][j] + count * self.step_of_cell
            wanted[plane, i, j] = min(max(aim, self.cell.low), self.cell.high)
        self.verify(wanted, self.pulse)

    def verify(self, wanted: Mapping[tuple[int, int, int], float], pulse: Callable[[list[Change]], None]) -> None:
        """Bring cells (plane, row, column) to wanted states, as near as they come, with `pulse` for each round."""
        left = list(wanted)
        for _ in range(self.array["verify_rounds"]):
            lacking = []
            for plane, i, j in left:
                self.reading.tally["verify_reads"] += 1
                self.reading.tally["verify_share"] += self.share(plane, i, j)
                steps = (wanted[plane, i, j] - self.states_of_cells[plane][i][j]) / self.step_of_cell
                lacking.append((plane, i, j, clamped(floor(steps + 0.5), -MOST_PULSES, MOST_PULSES)))
            lacking = [change for change in lacking if change[3] != 0]
            for neuron in {j for _, _, j, _ in lacking}:
                sided = [-c if plane else c for plane, _, j, c in lacking if j == neuron]
                self.reading.tally["pulse_times"] += max([0, *sided]) - min([0, *sided])
            pulse(lacking)
            left = [change[:3] for change in lacking]
