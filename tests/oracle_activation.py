"""The chip of docs/explanation/activation_arithmetic.md in plain Python integers: the independent twin of the kernels.

Written from that page alone (§ is a section of it), dense and without shortcuts. Numbers and the random bank are those
of `tests.oracle_numbers`. Nothing of the simulator is imported.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from math import floor, isqrt
from typing import Any

from tests.oracle_numbers import Bank, Constant, Layer, clamped, constant, mantissa, rounded, signed

EVENTS = (
    "samples", "inputs", "state_changes", "pairs", "weight_writes", "weight_saturations", "bias_moves", "bias_writes",
    "nudged_runs", "applied", "accumulator_saturations", "nudged_changes", "learned", "labels", "active", "updates",
    "outputs", "rows", "columns", "judged", "reloads",
)  # fmt: skip
ROOTS = [(isqrt(2**48 // (256 * (64 + i) + 128)) + 1) // 2 for i in range(192)]


def half_up(value: Fraction) -> int:
    """A real number to the nearest integer."""
    return floor(value + Fraction(1, 2))


def root(s: int) -> tuple[int, int, int]:
    """§2: z, k and m."""
    if s == 0:
        return 0, 0, 0
    k = (s.bit_length() - 15) // 2
    m = floor(Fraction(s) / Fraction(4) ** k)
    guess = ROOTS[m // 256 - 64]
    z = (guess * ((3 * 2**46 - m * guess**2) // 2**31) + 2**15) // 2**16
    return min(z, 2**16 - 1), k, m


class OracleActivation:
    """A whole chip; weights are indexed [layer][row][column], outputs and signals by layer."""

    def __init__(self, spec: Mapping[str, Any], epoch: int = 0) -> None:
        self.spec, self.chip, self.learning = spec, spec["chip"], spec["learning"]
        label, layers = self.learning["label"], self.chip["layers"]
        self.image, self.classes, self.copies = layers[0], label["classes"], label["copies"]
        self.columns_of: Layer = list(layers[1:])
        self.rows_of: Layer = [layers[0] + self.classes * self.copies, *layers[1:-1]]
        self.depth = len(self.columns_of)
        self.f, self.f_w = self.learning["frac_bits"], self.chip["weights"]["frac_bits"]
        self.state = self.chip["states"]
        self.most = 2 ** self.state["bits"] - 1
        self.lines = self.learning["draws"] == "lines" and self.chip["weights"]["rounding"] == "stochastic"
        self.standard = self.learning["activation"] == "std_abs"
        self.set_constants(epoch)
        self.inputs = [0] * self.image
        self.weights = [[[0] * n for _ in range(m)] for m, n in zip(self.rows_of, self.columns_of, strict=True)]
        self.signals = [[0] * m for m in self.rows_of]
        self.outputs = [[0] * n for n in self.columns_of]
        self.image_sums = [0] * self.columns_of[0]
        self.accumulators = [0] * max(self.rows_of + self.columns_of)
        self.errors = [0] * max(self.rows_of)
        self.factors = [0] * (max(self.columns_of) if self.lines else 0)
        self.activations = [0] * self.classes
        hidden = self.columns_of[:-1] if self.standard else []
        first = min(half_up(Fraction(0.1) * 2 ** (2 * self.f + 8)), 2 ** (2 * self.state["bits"] + 8) - 1)
        self.means, self.variances = [[0] * n for n in hidden], [[first] * n for n in hidden]
        self.bank = Bank(spec["seed"], self.chip["random"]["lanes"])
        self.events = {name: [0] * (self.depth + 1) for name in EVENTS}

    def set_constants(self, epoch: int) -> None:
        """§1: the registers and the loaded codes."""
        learning, width, mode = self.learning, self.chip["constants"]["bits"], self.chip["weights"]["rounding"]
        schedule, epochs, factor = learning["schedule"], self.spec["epochs"], 1.0
        if schedule["kind"] == "linear" and epochs > 1:
            factor = 1.0 + (schedule["final"] - 1.0) * epoch / (epochs - 1)
        other, self.f_e = learning["column_bits"] if self.lines else self.f, learning["errors"]["frac_bits"]
        self.rates: list[Constant] = []
        for layer in range(self.depth):
            m, n = mantissa(learning["learning_rate"][layer] * factor, width)
            self.rates.append(constant(m, n + self.f_e + other - self.f_w, mode) if m else Constant(0, 0, "floor"))
        self.column = constant(1, self.f - learning["column_bits"], "stochastic")
        self.label_code = half_up(Fraction(self.copies**-0.5) * 2**self.f)
        feedback = learning["feedback"]
        self.feedback, self.slope = feedback["enabled"], feedback["slope_bits"]
        self.margin = half_up(Fraction(feedback["margin"]) * 4**self.f)
        self.unlearning = half_up(Fraction(feedback["unlearning"]) * 256)
        self.feedback = self.feedback and epoch >= feedback["after"]
        self.brake = feedback["enabled"] and feedback["brake"]
        self.squares = [0] * self.depth if self.brake else []
        self.normalise, self.mean_bits = feedback["normalise"], feedback["mean_bits"]
        self.largest = half_up(Fraction(feedback["most"]) * 256)
        self.share_mean = [2**16] if feedback["enabled"] and feedback["normalise"] else []
        self.floor = half_up(Fraction(1e-5) * 2 ** (2 * self.f + 8))

    def counted(self) -> dict[str, Layer]:
        """§5: every event so far."""
        return self.events | {"bank_steps": [self.bank.steps] + [0] * self.depth}

    def draw_weights(self) -> None:
        """A§2: the starting weights; the steps for them are not counted."""
        for rows in self.weights:
            bound = round(self.chip["weights"]["init_gain"] * (6.0 / (len(rows) + len(rows[0]))) ** 0.5 * 2.0**self.f_w)
            bound = min(bound, 2 ** (self.chip["weights"]["bits"] - 1) - 1)
            words = iter(self.bank.parts(len(rows) * len(rows[0]), 32))
            for row in rows:
                row[:] = [next(words) * (2 * bound + 1) // 2**32 - bound for _ in row]
        self.bank.steps = 0

    # §3

    def add(self, at: int, a: int, product: int) -> int:
        """An addition to an accumulator of layer `at`, which saturates."""
        kept = signed(a + product, self.chip["accumulator"]["bits"])
        self.events["accumulator_saturations"][at] += kept != a + product
        return kept

    def sum_image(self) -> None:
        """The sums that the image alone makes, from its signals."""
        self.image_sums = [0] * self.columns_of[0]
        image = self.signals[0][: self.image]
        self.events["inputs"][0] += sum(x != 0 for x in image)
        self.send_up(0, image + [0] * (self.rows_of[0] - self.image), self.image_sums)

    def load(self, x: Sequence[int]) -> None:
        """The image."""
        self.events["samples"][0] += 1
        self.inputs = list(x)
        z, k, _ = root(sum(v * v for v in x))
        for i, v in enumerate(x):
            self.signals[0][i] = min(rounded(v * z, 23 + k - self.f, "nearest"), self.most)
        self.sum_image()

    def upwards(self, label: int) -> int:
        """A pass; returns the activation."""
        self.events["labels"][0] += 1
        on = [self.image + self.classes * r + label for r in range(self.copies)]
        for i in range(self.image, self.rows_of[0]):
            self.signals[0][i] = self.label_code if i in on else 0
        square = 0
        for layer in range(self.depth):
            sums = list(self.image_sums) if layer == 0 else [0] * self.columns_of[layer]
            signals = self.signals[layer] if layer else [0] * self.image + self.signals[0][self.image :]
            self.events["active"][layer] += layer > 0 and sum(x != 0 for x in signals)
            self.send_up(layer, signals, sums)
            self.accumulators[: len(sums)] = sums
            y = [clamped(rounded(a, self.f_w, self.state["rounding"]), -self.most, self.most) for a in sums]
            self.outputs[layer], square = y, sum(v * v for v in y)
            if self.brake:
                self.squares[layer] = square
            if layer + 1 < self.depth:
                self.signals[layer + 1] = self.sent_on(layer, y, square)
        self.activations[label] = square
        return square

    def send_up(self, layer: int, signals: Layer, sums: Layer) -> None:
        """Add the signals that are not 0 times their weights to sums."""
        for i, x in enumerate(signals):
            if x:
                for j, w in enumerate(self.weights[layer][i]):
                    sums[j] = self.add(layer + 1, sums[j], x * w)

    def sent_on(self, layer: int, y: Layer, square: int) -> Layer:
        """What the next layer gets."""
        n, kind = len(y), self.learning["activation"]
        if kind == "abs":
            return [abs(v) for v in y]
        if kind == "ln_abs":
            inverse = half_up(Fraction(2 ** (15 + n.bit_length()), n))
            mean = rounded(sum(map(abs, y)) * inverse, 11 + n.bit_length(), "nearest")
            apart = [16 * abs(v) - mean for v in y]
        else:
            apart = []
            for v, mean, variance in zip(y, self.means[layer], self.variances[layer], strict=True):
                z, k, _ = root(max(variance, self.floor))
                apart.append(signed(rounded((256 * abs(v) - mean) * z, 19 + k, "nearest"), 16))
        self.accumulators[:n] = apart
        z, k, _ = root(sum(d * d for d in apart))
        over, up, m = root(square)
        b = min(m * over // 2**15, 2**16 - 1) * z // 2**16
        return [clamped(rounded(d * b, 15 + k - up, "nearest"), -self.most, self.most) for d in apart]

    def infer(self, x: Sequence[int]) -> Layer:
        """The output codes of one sample."""
        self.load(x)
        return [min(rounded(self.upwards(c), 2 * self.f - 14, "nearest"), 2**16 - 1) for c in range(self.classes)]

    # §4

    def learn_stream(self, samples: Sequence[Sequence[int]], labels: Sequence[int]) -> None:
        """Learn from the samples in order."""
        for x, label in zip(samples, labels, strict=True):
            self.learn(x, label)

    def learn(self, x: Sequence[int], label: int) -> None:
        """A training sample."""
        self.load(x)
        self.events["learned"][0] += 1
        if not self.feedback:
            self.update(label, 256)
            return
        self.events["judged"][0] += 1
        found = [self.upwards(c) for c in range(self.classes)]
        wrong = max((c for c in range(self.classes) if c != label), key=lambda c: (found[c], -c))
        missing = found[wrong] + self.margin - found[label]
        share = clamped(rounded(missing, 2 * self.f - self.slope - 8, "nearest"), 0, 256)
        if self.normalise:
            share = self.divided(share)
        if share > 0:
            self.update(label, share)
            self.events["reloads"][0] += 1
            self.sum_image()
            self.update(wrong, -rounded(share * self.unlearning, 8, "nearest"))

    def divided(self, share: int) -> int:
        """§4: a share over its running mean."""
        self.share_mean[0] += rounded(256 * share - self.share_mean[0], self.mean_bits, "nearest")
        z, k, _ = root(max(self.share_mean[0], 64))
        return min(rounded(share * z * z, 30 + 2 * k, "nearest"), self.largest)

    def update(self, label: int, share: int) -> None:
        """One update of every layer."""
        self.upwards(label)
        norms = [2 * 4**self.f, *self.squares]
        if share < 0 and self.brake and norms != sorted(norms, reverse=True):
            return
        for layer in reversed(range(self.depth)):
            self.reconstruct(layer, share)
            if self.lines:
                self.move_lines(layer)
            else:
                self.move_products(layer)
        for layer in range(self.depth - 1 if self.standard else 0):
            self.run_on(layer)

    def reconstruct(self, layer: int, share: int) -> None:
        """§4.1."""
        y = self.outputs[layer]
        self.events["updates"][layer] += 1
        self.events["outputs"][layer + 1] += sum(v != 0 for v in y)
        for i, a in enumerate(self.sums_back(layer, y)):
            self.accumulators[i] = a
            apart = self.signals[layer][i] * 2**self.f_w - a
            e = signed(rounded(apart, self.f_w + self.f - self.f_e, "nearest"), self.learning["errors"]["bits"])
            self.errors[i] = signed(rounded(e * share, 8, "nearest"), self.learning["errors"]["bits"])

    def sums_back(self, layer: int, y: Layer) -> Layer:
        """What outputs make of every row."""
        sums = [0] * self.rows_of[layer]
        for i, row in enumerate(self.weights[layer]):
            for w, v in zip(row, y, strict=True):
                sums[i] = self.add(layer, sums[i], w * v)
        return sums

    def drawn(self, codes: Layer, held: Constant) -> Layer:
        """Factors of lines."""
        words = self.bank.parts(len(codes), 16)
        return [clamped(held.times(code, word), -127, 127) for code, word in zip(codes, words, strict=True)]

    def move_lines(self, layer: int) -> None:
        """§4.2."""
        n, m = self.columns_of[layer], self.rows_of[layer]
        columns = self.drawn(self.outputs[layer], self.column)
        self.factors[:n] = columns
        rows = self.drawn(self.errors[:m], self.rates[layer])
        self.count_lines(layer, rows, columns)
        for i, r in enumerate(rows):
            for j, c in enumerate(columns):
                if r and c:
                    self.write(layer, i, j, r * c)

    def move_products(self, layer: int) -> None:
        """§4.3."""
        errors, outputs = self.errors[: self.rows_of[layer]], self.outputs[layer]
        self.count_lines(layer, errors, outputs)
        active = [i for i, e in enumerate(errors) if e]
        for j, y in enumerate(outputs):
            if not y:
                continue
            stochastic = self.chip["weights"]["rounding"] == "stochastic"
            words = self.bank.parts(len(active), 16) if stochastic else [0] * len(active)
            for i, word in zip(active, words, strict=True):
                self.write(layer, i, j, self.rates[layer].times(errors[i] * y, word))

    def count_lines(self, layer: int, rows: Layer, columns: Layer) -> None:
        """§5: lines and pairs."""
        a, b = sum(v != 0 for v in rows), sum(v != 0 for v in columns)
        for name, count in (("rows", a), ("columns", b), ("pairs", a * b)):
            self.events[name][layer] += count

    def write(self, layer: int, i: int, j: int, delta: int) -> None:
        """A weight moved, saturating."""
        old = self.weights[layer][i][j]
        new = signed(old + delta, self.chip["weights"]["bits"])
        self.events["weight_saturations"][layer] += new != old + delta
        self.events["weight_writes"][layer] += new != old
        self.weights[layer][i][j] = new

    def run_on(self, layer: int) -> None:
        """§4: running statistics."""
        share, means, variances = self.learning["statistics"]["share_bits"], self.means[layer], self.variances[layer]
        for j, y in enumerate(self.outputs[layer]):
            t = 256 * abs(y)
            means[j] += rounded(t - means[j], share, "nearest")
            variances[j] += rounded((t - means[j]) ** 2 // 256 - variances[j], share, "nearest")
