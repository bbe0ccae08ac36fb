"""The chip of docs/explanation/softhebb_arithmetic.md in plain Python integers: the independent twin of the kernels.

Written from that page alone (§ is a section of it), dense and without shortcuts. What that page takes over from
docs/explanation/arithmetic.md (numbers, random bank, starting weights) is taken from `tests.oracle_numbers`. Nothing of
the simulator is imported.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from math import exp, floor, isqrt
from typing import Any

from tests.oracle_numbers import Bank, Layer, constant, mantissa, rounded, signed

RECIPROCALS = [floor(Fraction(2**25, 512 + 2 * i + 1) + Fraction(1, 2)) for i in range(256)]
EVENTS = (
    "samples", "inputs", "state_changes", "accumulator_saturations", "nudged_runs", "nudged_changes", "pairs",
    "weight_writes", "weight_saturations", "bias_moves", "bias_writes", "applied", "learned", "active", "shared",
    "swept", "windowed", "seen", "renewed", "errors",
)  # fmt: skip
Matrix = list[Layer]


def middle(place: int) -> float:
    """§1: M(p)."""
    h, m = divmod(place, 32)
    return float((32 + m + (0.5 if h > 5 else 0.0)) * 2.0 ** (h - 5))


def place_of(code: int) -> int:
    """§1: p(c)."""
    h = code.bit_length() - 1
    return min(32 * h + (code << 5 >> h) % 32, 639)


def near(code: int, shift: int) -> int:
    """§: R(c, n)."""
    return rounded(code, shift, "nearest")


class OracleSoftHebb:
    """A whole chip; lists are indexed [layer][neuron], weights [layer][pre][post]; entry 0 of neuron lists is empty."""

    def __init__(self, spec: Mapping[str, Any], epoch: int = 0) -> None:
        self.spec, self.chip, self.learning = spec, spec["chip"], spec["learning"]
        self.sizes: Layer = list(self.chip["layers"])
        self.top = len(self.sizes) - 1
        self.head = self.learning["target"] == "label"
        self.many = self.top - self.head
        self.epoch = epoch
        self.set_formats()
        self.set_tables()
        self.inputs = [0] * self.sizes[0]
        self.weights = self.per_synapse()
        self.accumulators, self.drives, self.states = self.per_neuron(), self.per_neuron(), self.per_neuron()
        self.shares, self.norms, self.offsets = self.per_neuron(), self.per_neuron(), self.per_neuron()
        self.means, self.sums = [[0] * n for n in self.sizes], [[0] * n for n in self.sizes]
        self.seen, self.ready, self.largest = [0] * self.top, [0] * self.top, [0] * self.top
        self.errors, self.label = [0] * self.sizes[-1], [0]
        self.gathered, self.decay = self.per_synapse(), self.per_neuron()
        self.bank, self.waiting = Bank(spec["seed"], self.chip["random"]["lanes"]), 0
        self.events = {name: [0] * (self.top + 1) for name in EVENTS}

    def counted(self) -> dict[str, Layer]:
        """§6: every event so far."""
        return self.events | {"bank_steps": [self.bank.steps] + [0] * self.top}

    def per_neuron(self) -> list[Layer]:
        """A zero for each neuron above the input."""
        return [[]] + [[0] * n for n in self.sizes[1:]]

    def per_synapse(self) -> list[Matrix]:
        """A zero for each weight."""
        return [[[0] * post for _ in range(pre)] for pre, post in zip(self.sizes, self.sizes[1:], strict=False)]

    def set_formats(self) -> None:
        """§1: widths, points, constants."""
        chip, learning, form = self.chip, self.learning, self.learning["competition"]
        self.bits_s, self.fw, self.bw = chip["states"]["bits"], chip["weights"]["frac_bits"], chip["weights"]["bits"]
        self.fu, self.bu, self.by = form["frac_bits"], form["bits"], form["share_bits"]
        self.highest, self.mode = 2**self.bits_s - 1, chip["weights"]["rounding"]
        self.bz = [self.spec["encoder"]["bits"]] + [self.bits_s] * (self.top - 1)
        width, sharp = chip["constants"]["bits"], learning["sharpness"]
        schedule, epochs = learning["schedule"], self.spec["epochs"]
        linear = schedule["kind"] == "linear" and epochs > 1
        factor = 1.0 + (schedule["final"] - 1.0) * self.epoch / (epochs - 1) if linear else 1.0
        self.rates = [mantissa(rate * factor, width) for rate in learning["learning_rate"]]
        self.sharps = [mantissa(sharp[k if len(sharp) > 1 else 0], width) for k in range(self.top)]
        self.means_of = [mantissa(1.0 / n, 16) for n in self.sizes[1:]]
        self.centred = learning["centre"]["enabled"]
        self.buffered = learning["batch"] > 1 or learning["normalisation"] == "maximum"
        turn = min(self.epoch * self.top // epochs, self.top - 1)
        greedy = learning["training"] == "greedy"
        self.learns = [not greedy or layer == turn for layer in range(self.top)]

    def set_tables(self) -> None:
        """§1: E, G and P."""
        learning, act = self.learning, self.learning["activation"]
        one, half = 2 ** learning["competition"]["table_bits"] - 1, 0.5
        self.exponentials = [floor(one * exp(-i / 32) + half) for i in range(256)]
        q, p = learning["rate_power"], act["power"]
        self.rate_powers: Layer = []
        self.state_powers: Layer = []
        if q != 0:
            self.rate_powers = [min(floor((middle(i) * 2.0**-12) ** q * 4096.0 + half), 65535) for i in range(640)]
        if p != 1:
            scale = 2.0 ** (self.bits_s - act["range_bits"])
            codes = [floor((middle(i) * 2.0**-self.fu) ** p * scale + half) for i in range(640)]
            self.state_powers = [min(code, self.highest) for code in codes]

    def draw_weights(self) -> None:
        """A§2: the starting weights, and their norms; the steps for them are not counted."""
        gain = self.chip["weights"]["init_gain"]
        for rows in self.weights:
            bound = round(gain * (6.0 / (len(rows) + len(rows[0]))) ** 0.5 * 2.0**self.fw)
            bound = min(bound, 2 ** (self.bw - 1) - 1)
            words = iter(self.bank.parts(len(rows) * len(rows[0]), 32))
            for row in rows:
                row[:] = [next(words) * (2 * bound + 1) // 2**32 - bound for _ in row]
        self.bank.steps = 0
        self.set_norms()

    def set_norms(self) -> None:
        """§1: norms and offsets of the weights as they are."""
        for layer in range(self.many):
            for j in range(self.sizes[layer + 1]):
                column = [row[j] for row in self.weights[layer]]
                self.norms[layer + 1][j] = sum(w * w for w in column)
                self.offsets[layer + 1][j] = sum(m * w for m, w in zip(self.means[layer], column, strict=True))

    # §2: the sample

    def learn_stream(self, samples: Sequence[Sequence[int]], labels: Sequence[int]) -> None:
        """Learn from the samples in order; the end of the stream applies a mini-batch that is not full."""
        for x, label in zip(samples, labels, strict=True):
            self.learn(x, label)
        if self.buffered and self.waiting > 0:
            self.apply_batch()

    def learn(self, x: Sequence[int], label: int = 0) -> None:
        """One training sample."""
        self.forward(x)
        if self.head and self.learns[self.many]:
            self.learn_head(label)
        for layer in range(self.many):
            if self.learns[layer]:
                if self.ready[layer] or not self.centred:
                    self.compete(layer)
                if self.centred:
                    self.watch(layer)
        self.waiting += 1
        if self.buffered and self.waiting == self.learning["batch"]:
            self.apply_batch()

    def infer(self, x: Sequence[int]) -> Layer:
        """The output states of one sample."""
        self.forward(x)
        return list(self.states[self.top])

    def below(self, layer: int) -> Layer:
        """What drives weight layer `layer`."""
        return self.inputs if layer == 0 else self.states[layer]

    def forward(self, x: Sequence[int]) -> None:
        """§2.1."""
        self.events["samples"][0] += 1
        self.inputs = list(x)
        for layer in range(self.top):
            total = self.chip["accumulator"]["bits"]
            sums = [signed(-o, total) for o in self.offsets[layer + 1]]
            for i, z in enumerate(self.below(layer)):
                if z == 0:
                    continue
                self.events["inputs" if layer == 0 else "active"][layer] += 1
                for j, w in enumerate(self.weights[layer][i]):
                    wide = sums[j] + z * w
                    sums[j] = signed(wide, total)
                    self.events["accumulator_saturations"][layer + 1] += sums[j] != wide
            self.accumulators[layer + 1] = sums
            drives = [signed(near(a, self.bz[layer] + self.fw - self.fu), self.bu) for a in sums]
            self.drives[layer + 1] = drives
            if layer == self.many:
                self.states[layer + 1] = self.softmax(drives, layer, self.bits_s)
            else:
                self.states[layer + 1] = self.activate(drives, layer)

    def activate(self, drives: Layer, layer: int) -> Layer:
        """§2.1: the states of a layer that competes."""
        act, (m, n) = self.learning["activation"], self.means_of[layer]
        c = near(sum(drives) * m, n) if act["kind"] == "triangle" else 0
        above = [max(u - c, 0) for u in drives]
        if act["power"] != 1:
            return [self.state_powers[place_of(v)] if v else 0 for v in above]
        right, mode = self.fu - self.bits_s + act["range_bits"], self.chip["states"]["rounding"]
        return [min(rounded(v, right, mode), self.highest) for v in above]

    def softmax(self, drives: Layer, layer: int, bits: int) -> Layer:
        """§1."""
        m, n = self.sharps[layer]
        places = [near((max(drives) - u) * m, n + self.fu - 5) for u in drives]
        terms = [self.exponentials[i] if i <= 255 else 0 for i in places]
        inverse, long = self.inverse(sum(terms))
        return [min(near(term * inverse, long + 15 - bits), 2**bits - 1) for term in terms]

    def inverse(self, total: int) -> tuple[int, int]:
        """§1: D(S), and the bits of S."""
        long = total.bit_length()
        return RECIPROCALS[total * 2**9 // 2**long % 256], long

    def learn_head(self, label: int) -> None:
        """§2.2."""
        layer, self.label = self.many, [label]
        outputs, states = self.states[self.top], self.states[layer]
        self.errors = [(self.highest if j == label else 0) - s for j, s in enumerate(outputs)]
        self.events["learned"][layer] += 1
        m, n = self.rates[layer]
        rate = constant(m, n + 2 * self.bits_s - self.fw, self.mode)
        active = [i for i, s in enumerate(states) if s != 0]
        for j, e in enumerate(self.errors):
            if e == 0:
                continue
            self.events["errors"][self.top] += 1
            self.events["pairs"][layer] += len(active)
            words = self.noise(len(active))
            for i, word in zip(active, words, strict=True):
                self.write(layer, i, j, rate.times(states[i] * e, word))

    def noise(self, count: int) -> Layer:
        """Half-words on fresh steps for a sweep, if rounding is stochastic."""
        return self.bank.parts(count, 16) if self.mode == "stochastic" else [0] * count

    def write(self, layer: int, i: int, j: int, change: int) -> None:
        """Add to a weight, saturating."""
        old = self.weights[layer][i][j]
        new = signed(old + change, self.bw)
        self.weights[layer][i][j] = new
        self.events["weight_writes"][layer] += new != old
        self.events["weight_saturations"][layer] += new != old + change

    # §3: competition and update

    def compete(self, layer: int) -> None:
        """The shares of a sample, and what follows from them."""
        self.events["learned"][layer] += 1
        drives = self.drives[layer + 1]
        z = [v - m for v, m in zip(self.below(layer), self.means[layer], strict=True)]
        winner = drives.index(max(drives))
        sign = {"anti_hebbian": -1, "hebbian": 1, "still": 0}[self.learning["losers"]]
        shares = self.softmax(drives, layer, self.by)
        self.shares[layer + 1] = [y if j == winner else sign * y for j, y in enumerate(shares)]
        posts = [(j, y) for j, y in enumerate(self.shares[layer + 1]) if y != 0]
        self.events["shared"][layer + 1] += len(posts)
        if self.buffered:
            self.gather(layer, posts, z)
            return
        k = self.run_maximum(layer, posts, z)
        steps = [(j, self.step(layer, j, y, k)) for j, y in posts]
        for j, step in steps:
            if step != 0:
                self.sweep(layer, j, step, z)

    def run_maximum(self, layer: int, posts: Sequence[tuple[int, int]], z: Layer) -> int:
        """§3.3."""
        if self.learning["normalisation"] != "running":
            return 0
        left = self.fu + self.fw - self.bz[layer]
        top = 0
        for j, y in posts:
            for i, row in enumerate(self.weights[layer]):
                top = max(top, abs(near(y * z[i], -left) - y * self.drives[layer + 1][j] * row[j]))
        g = self.largest[layer]
        g = min(max(near(top, self.by + self.fu + self.fw - 12), g - -(-g // 1024)), 2**32 - 1)
        self.largest[layer] = g
        if g == 0:
            return 0
        k = -12
        while g > 2 ** (k + 12):
            k += 1
        return k

    def power(self, layer: int, j: int) -> int:
        """§3.4: q."""
        if not self.rate_powers:
            return 2**12
        left, norm = 24 - 2 * self.fw, self.norms[layer + 1][j]
        radius: int = 2**21
        if norm.bit_length() <= 42 - left:
            radius = isqrt(norm << left if left >= 0 else norm >> -left)
        code: int = self.rate_powers[place_of(max(abs(radius - 2**12), 1))]
        return code

    def step(self, layer: int, j: int, y: int, k: int) -> int:
        """§3.4: the signed step of a neuron."""
        m, n = self.rates[layer]
        size = min(near(abs(y) * self.power(layer, j) * m, self.by + n - 4 + k), 2**17 - 1)
        while size * abs(self.drives[layer + 1][j]) >= 2 ** (15 + self.fu):
            size //= 2
        return size if y > 0 else -size

    def sweep(self, layer: int, j: int, step: int, z: Layer) -> None:
        """§3.5."""
        decay = near(step * self.drives[layer + 1][j], self.fu + self.fw - self.bz[layer])
        change = constant(1, 16 + self.bz[layer] - self.fw, self.mode)
        for i, word in enumerate(self.noise(len(z))):
            self.write(layer, i, j, change.times(step * z[i] - decay * self.weights[layer][i][j], word))
        self.events["swept"][layer + 1] += 1
        self.events["pairs"][layer] += len(z)
        self.set_norms()

    # §4, §5: windows and buffers

    def watch(self, layer: int) -> None:
        """One sample more in the window of a layer."""
        bits, values = self.learning["centre"]["window_bits"], self.below(layer)
        self.events["windowed"][layer] += sum(v != 0 for v in values)
        self.events["seen"][layer] += 1
        self.seen[layer] += 1
        self.sums[layer] = [s + v for s, v in zip(self.sums[layer], values, strict=True)]
        if self.seen[layer] == 2**bits:
            self.means[layer] = [min(near(s, bits), 2 ** self.bz[layer] - 1) for s in self.sums[layer]]
            self.sums[layer], self.seen[layer], self.ready[layer] = [0] * len(values), 0, 1
            self.events["renewed"][layer] += 1
            self.set_norms()

    def gather(self, layer: int, posts: Sequence[tuple[int, int]], z: Layer) -> None:
        """§5: B and C."""
        for j, y in posts:
            self.decay[layer + 1][j] += y * self.drives[layer + 1][j]
            for i, v in enumerate(z):
                self.gathered[layer][i][j] += y * v
        self.events["swept"][layer + 1] += len(posts)
        self.events["pairs"][layer] += len(posts) * len(z)

    def apply_batch(self) -> None:
        """§5: move the weights by what was gathered."""
        self.waiting = 0
        for layer in range(self.many):
            if self.learns[layer]:
                self.apply(layer)
                self.gathered[layer] = [[0] * len(row) for row in self.gathered[layer]]
                self.decay[layer + 1] = [0] * self.sizes[layer + 1]

    def apply(self, layer: int) -> None:
        """§5, one layer."""
        right, decay = self.bz[layer] - self.fu - self.fw, self.decay[layer + 1]
        both = list(zip(self.gathered[layer], self.weights[layer], strict=True))
        raw = [[near(b, right) - decay[j] * w for j, (b, w) in enumerate(zip(*rows, strict=True))] for rows in both]
        top = max(abs(f) for row in raw for f in row)
        if top == 0:
            return
        inverse, long = self.inverse(top)
        m, n = self.rates[layer]
        for j in range(self.sizes[layer + 1]):
            change = constant(1, 28 + n - self.fw, self.mode)
            q = self.power(layer, j)
            for i, word in enumerate(self.noise(len(raw))):
                if self.learning["normalisation"] == "maximum":
                    f = near(near(raw[i][j], long - 17) * inverse, 16)
                else:
                    f = signed(near(raw[i][j], self.by + self.fu + self.fw - 16), 24)
                moved = change.times(f * q * m, word)
                self.write(layer, i, j, max(min(moved, 2**24), -(2**24)))
            self.set_norms()
        self.events["applied"][layer] += 1
