"""The chip of docs/explanation/similarity_arithmetic.md in plain Python integers: the independent twin of the kernels.

Written from that page alone (§ is a section of it), dense and without shortcuts. Numbers, random bank and mantissas are
those of `tests.oracle_numbers`. Nothing of the simulator is imported.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tests.oracle_numbers import Bank, Layer, clamped, mantissa, rounded, signed

ONE = 2**23
EVENTS = (
    "samples", "inputs", "state_changes", "pairs", "weight_writes", "weight_saturations", "accumulator_saturations",
    "learned", "settled", "centred", "active", "sweeps", "mean_writes", "lateral_pairs", "lateral_writes",
    "lateral_saturations", "halvings", "lateral_halvings", "halving_writes", "lateral_halving_writes", "label_writes",
)  # fmt: skip
NEVER = ("bias_moves", "bias_writes", "nudged_runs", "applied", "nudged_changes")
"""Events of other rules."""


class OracleSimilarity:
    """A whole chip; lists are indexed by weight layer, then [pre][post], [row][column ≤ row], [class][neuron]."""

    def __init__(self, spec: Mapping[str, Any], epoch: int = 0) -> None:
        self.spec, self.chip, self.learning = spec, spec["chip"], spec["learning"]
        self.sizes: Layer = list(self.chip["layers"])
        self.depth = len(self.sizes) - 1
        self.bank = Bank(spec["seed"], self.chip["random"]["lanes"])
        self.state_bits = self.chip["states"]["bits"]
        self.state_point = self.state_bits - self.learning["integer_bits"]
        self.lateral_point = self.learning["lateral"]["frac_bits"]
        self.sum_bits, self.highest = self.chip["accumulator"]["bits"], 2**self.state_bits - 1
        self.most = 2 ** self.learning["lateral"]["bits"] - 1
        self.centred, self.labelled = self.learning["centring"]["enabled"], self.learning["target"] == "label"
        self.damped = self.learning["settling"]["solver"] == "damped"
        self.start()
        self.set_constants(epoch)
        self.turn = range(self.depth)
        if self.learning["stacking"] == "greedy":
            self.turn = range(min(epoch * self.depth // spec["epochs"], self.depth - 1), self.depth)
            self.turn = self.turn[:1]
        self.events = {name: [0] * (self.depth + 1) for name in EVENTS}

    def start(self) -> None:
        """§1: everything as it is at first, but for the drawn weights."""
        below, above = self.sizes[:-1], self.sizes[1:]
        self.inputs = [0] * self.sizes[0]
        self.weights = [[[0] * post for _ in range(pre)] for pre, post in zip(below, above, strict=True)]
        one = min(2**self.lateral_point, self.most)
        self.lateral = [[[0] * j + [one] for j in range(n)] for n in above]
        self.mean, self.seen = [[0] * n for n in below], [0] * self.depth
        self.labels = [[[0] * n for _ in range(self.learning["labels"]["classes"])] for n in above]
        self.label = -1
        self.accumulators, self.states = [[0] * n for n in above], [[0] * n for n in above]
        self.gains, self.lateral_gains = [ONE] * self.depth, [ONE] * self.depth

    def set_constants(self, epoch: int) -> None:
        """§1: mantissas and shifts."""
        learning, width = self.learning, self.chip["constants"]["bits"]
        schedule, epochs = learning["schedule"], self.spec["epochs"]
        factor = 1.0
        if schedule["kind"] == "linear" and epochs > 1:
            factor = 1.0 + (schedule["final"] - 1.0) * epoch / (epochs - 1)
        self.rates, self.growths, self.lateral_rates, self.lateral_growths = [], [], [], []
        for layer in range(self.depth):
            m, n = mantissa(2 * learning["learning_rate"][layer] * factor, width)
            held = m * 2.0**-n
            self.rates.append(full(m, n, width))
            self.growths.append(mantissa(held / (1.0 - held), width))
            m, n = mantissa(held / 2 / learning["tau"], width)
            held = m * 2.0**-n
            self.lateral_rates.append(full(m, n, width))
            self.lateral_growths.append(mantissa(held / (1.0 - held), width))
        self.dt = mantissa(learning["settling"]["dt"], width)
        self.label_rate = mantissa(learning["labels"]["rate"], width)

    def counted(self) -> dict[str, Layer]:
        """§5: every event so far; what has no layer is at 0."""
        never = {name: [0] * (self.depth + 1) for name in NEVER}
        return self.events | never | {"bank_steps": [self.bank.steps] + [0] * self.depth}

    def draw_weights(self) -> None:
        """A§2: the starting weights; the steps for them are not counted."""
        gain, frac_bits = self.chip["weights"]["init_gain"], self.chip["weights"]["frac_bits"]
        for rows in self.weights:
            bound = round(gain * (6.0 / (len(rows) + len(rows[0]))) ** 0.5 * 2.0**frac_bits)
            bound = min(bound, 2 ** (self.chip["weights"]["bits"] - 1) - 1)
            words = iter(self.bank.parts(len(rows) * len(rows[0]), 32))
            for row in rows:
                row[:] = [next(words) * (2 * bound + 1) // 2**32 - bound for _ in row]
        self.bank.steps = 0

    # §2: the sample

    def learn_stream(self, samples: Sequence[Sequence[int]], labels: Sequence[int]) -> None:
        """Learn from the samples in order."""
        for x, label in zip(samples, labels, strict=True):
            self.learn(x, label)

    def learn(self, x: Sequence[int], label: int = 0) -> None:
        """One training sample."""
        codes = self.load(x)
        self.label = label if self.labelled else -1
        for k in range(max(self.turn) + 1):
            learns = k in self.turn
            centred = self.centre(k, codes, learns)
            self.drive(k, centred, learns and self.labelled)
            self.settle(k)
            codes = self.states[k]
            if learns:
                self.update(k, centred)

    def infer(self, x: Sequence[int]) -> Layer:
        """The output states of one sample."""
        codes = self.load(x)
        for k in range(self.depth):
            self.drive(k, self.centre(k, codes, False), False)
            self.settle(k)
            codes = self.states[k]
        return list(codes)

    def load(self, x: Sequence[int]) -> Layer:
        """The sample at the input."""
        self.events["samples"][0] += 1
        self.events["inputs"][0] += sum(v != 0 for v in x)
        self.inputs = list(x)
        return self.inputs

    def code_bits(self, k: int) -> tuple[int, int]:
        """b_k and f_k."""
        inputs = self.spec["encoder"]["bits"]
        return (inputs, inputs) if k == 0 else (self.state_bits, self.state_point)

    def centre(self, k: int, codes: Layer, learns: bool) -> Layer:
        """§2.1 and §2.2."""
        down = self.learning["centring"]["bits"] - self.code_bits(k)[0]
        longest = self.learning["centring"]["shift"]
        if self.centred and learns:
            t = self.seen[k] + 1
            s = min(t.bit_length() - 1, longest)
            for i, x in enumerate(codes):
                old = self.mean[k][i]
                self.mean[k][i] = old + rounded(x * 2**down - old, s, "nearest")
                self.events["mean_writes"][k] += self.mean[k][i] != old
            self.seen[k] = min(t, 2**longest)
        means = [rounded(m, down, "nearest") if self.centred else 0 for m in self.mean[k]]
        found = [x - m for x, m in zip(codes, means, strict=True)]
        self.events["centred"][k] += sum(c != 0 for c in found)
        return found

    def add(self, k: int, j: int, addend: int) -> None:
        """One addition to a residual, saturated."""
        wide = self.accumulators[k][j] + addend
        self.accumulators[k][j] = signed(wide, self.sum_bits)
        self.events["accumulator_saturations"][k + 1] += self.accumulators[k][j] != wide

    def drive(self, k: int, centred: Layer, labelled: bool) -> None:
        """§2.3 and §2.4."""
        ratio = self.lateral_gains[k] * 2**16 // self.gains[k]
        right = 16 + self.chip["weights"]["frac_bits"] + self.code_bits(k)[1] - self.lateral_point - self.state_point
        for j in range(self.sizes[k + 1]):
            self.accumulators[k][j] = 0
            for i, c in enumerate(centred):
                self.add(k, j, c * self.weights[k][i][j])
            code = signed(rounded(self.accumulators[k][j] * ratio, right, "nearest"), self.sum_bits)
            if labelled:
                code = signed(code + self.labels[k][self.label][j] * 2**self.lateral_point, self.sum_bits)
            self.accumulators[k][j] = code

    # §3: settling

    def beside(self, k: int, i: int, j: int) -> int:
        """N_ij."""
        return self.lateral[k][max(i, j)][min(i, j)]

    def reciprocal(self, k: int, j: int) -> tuple[int, int]:
        """r_j and its shift."""
        own = self.lateral[k][j][j]
        right = 15 + own.bit_length()
        return min(2**right // own, 65535), right

    def settle(self, k: int) -> None:
        """T sweeps or steps from 0."""
        n = self.sizes[k + 1]
        self.states[k] = [0] * n
        self.events["settled"][k + 1] += 1
        resting = False
        for _ in range(self.learning["settling"]["steps"]):
            self.events["sweeps"][k + 1] += not resting
            changed = self.step(k) if self.damped else self.sweep(k)
            assert not (resting and changed)
            resting = changed == 0

    def stepped(self, k: int, j: int, factor: int, right: int) -> int:
        """Where state j goes."""
        way = rounded(self.accumulators[k][j] * factor, right, self.chip["states"]["rounding"])
        return clamped(self.states[k][j] + way, 0, self.highest)

    def send(self, k: int, j: int, change: int) -> int:
        """A change of state j; whether there was one."""
        self.states[k][j] += change
        if change != 0:
            self.events["state_changes"][k + 1] += 1
            for i in range(self.sizes[k + 1]):
                self.add(k, i, -self.beside(k, i, j) * change)
        return int(change != 0)

    def sweep(self, k: int) -> int:
        """A sweep of Gauss–Seidel: how many states changed."""
        changed = 0
        for j in range(self.sizes[k + 1]):
            changed += self.send(k, j, self.stepped(k, j, *self.reciprocal(k, j)) - self.states[k][j])
        return changed

    def step(self, k: int) -> int:
        """A damped step: how many states changed."""
        m, n = self.dt
        factor, right = m * 2**39 // self.lateral_gains[k], min(n + 16 + self.lateral_point, 62)
        new = [self.stepped(k, j, factor, right) for j in range(self.sizes[k + 1])]
        changes = [y - old for y, old in zip(new, self.states[k], strict=True)]
        return sum(self.send(k, j, change) for j, change in enumerate(changes))

    # §4: learning

    def update(self, k: int, centred: Layer) -> None:
        """All that a sample moves in a layer."""
        self.events["learned"][k + 1] += 1
        if grown(self.gains, k, self.growths[k]):
            self.halve(k)
        active = [j for j, y in enumerate(self.states[k]) if y != 0]
        self.events["active"][k + 1] += len(active)
        self.move(k, centred, active)
        if grown(self.lateral_gains, k, self.lateral_growths[k]):
            self.halve_lateral(k)
        self.move_lateral(k, active)
        if self.labelled:
            self.move_label(k)

    def words(self, mode: str, count: int) -> Layer:
        """A half-word for each of a sweep, on fresh steps; zeros if none is drawn."""
        return self.bank.parts(count, 16) if mode == "stochastic" else [0] * count

    def halve(self, k: int) -> None:
        """§4.1."""
        mode = self.chip["weights"]["rounding"]
        self.events["halvings"][k + 1] += 1
        for j in range(self.sizes[k + 1]):
            words = self.words(mode, self.sizes[k])
            for row, word in zip(self.weights[k], words, strict=True):
                old, row[j] = row[j], rounded(row[j], 1, mode, word)
                self.events["halving_writes"][k + 1] += row[j] != old

    def move(self, k: int, centred: Layer, active: Layer) -> None:
        """§4.2."""
        mode, bits = self.chip["weights"]["rounding"], self.chip["weights"]["bits"]
        m, n = self.rates[k]
        scale = rounded(m * self.gains[k], 23, "nearest")
        right = n + self.code_bits(k)[1] + self.state_point - self.chip["weights"]["frac_bits"]
        for j in active:
            words = self.words(mode, self.sizes[k])
            for i, (c, word) in enumerate(zip(centred, words, strict=True)):
                old = self.weights[k][i][j]
                wide = old + moved(c * self.states[k][j], scale, right, mode, word)
                self.weights[k][i][j] = signed(wide, bits)
                self.events["pairs"][k] += c != 0
                self.events["weight_writes"][k] += self.weights[k][i][j] != old
                self.events["weight_saturations"][k] += self.weights[k][i][j] != wide

    def halve_lateral(self, k: int) -> None:
        """§4.3."""
        mode = self.learning["lateral"]["rounding"]
        self.events["lateral_halvings"][k + 1] += 1
        for j, row in enumerate(self.lateral[k]):
            for i, word in enumerate(self.words(mode, j + 1)):
                old, row[i] = row[i], max(rounded(row[i], 1, mode, word), int(i == j))
                self.events["lateral_halving_writes"][k + 1] += row[i] != old

    def move_lateral(self, k: int, active: Layer) -> None:
        """§4.4."""
        mode = self.learning["lateral"]["rounding"]
        m, n = self.lateral_rates[k]
        scale, right = rounded(m * self.lateral_gains[k], 23, "nearest"), n + 2 * self.state_point - self.lateral_point
        for a, j in enumerate(active):
            for i, word in zip(active[: a + 1], self.words(mode, a + 1), strict=True):
                old = self.lateral[k][j][i]
                wide = old + moved(self.states[k][i] * self.states[k][j], scale, right, mode, word)
                new = clamped(wide, int(i == j), self.most)
                self.lateral[k][j][i] = new
                self.events["lateral_pairs"][k + 1] += 1
                self.events["lateral_writes"][k + 1] += new != old
                self.events["lateral_saturations"][k + 1] += new != wide

    def move_label(self, k: int) -> None:
        """§4.5."""
        mode, (m, n) = self.chip["weights"]["rounding"], self.label_rate
        vector = self.labels[k][self.label]
        for j, word in enumerate(self.words(mode, len(vector))):
            old = vector[j]
            vector[j] = old + rounded((self.states[k][j] - old) * m, min(n, 62), mode, word)
            self.events["label_writes"][k + 1] += vector[j] != old


def full(m: int, n: int, width: int) -> tuple[int, int]:
    """§1: the same constant with a mantissa of exactly `width` bits."""
    room = width - m.bit_length() if m else 0
    return m * 2**room, n + room


def grown(gains: Layer, k: int, growth: tuple[int, int]) -> bool:
    """§4.1: one step of a gain; whether it was halved."""
    m, n = growth
    new = gains[k] + rounded(gains[k] * m, min(n, 62), "nearest")
    gains[k] = new // 2 if new >= 2 * ONE else new
    return new >= 2 * ONE


def moved(product: int, scale: int, right: int, mode: str, word: int) -> int:
    """§1, §4: a product times a rate."""
    return rounded(product * min(scale * 2 ** min(max(-right, 0), 30), 2**30), clamped(right, 0, 62), mode, word)
