"""The numbers of docs/explanation/arithmetic.md in plain Python: rounding, registers, random bank,
and the sheet of a spec.

`tests.oracle` computes with them. § is a section of that page; nothing of the simulator is imported.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from math import exp, floor
from typing import Any

Layer = list[int]


def rounded(code: int, shift: int, mode: str, word: int = 0) -> int:
    """§1: `code / 2**shift` as an integer."""
    if shift <= 0:
        return code << -shift
    lsb = 1 << shift
    added = {"nearest": lsb // 2, "floor": 0, "stochastic": word * lsb // 2**16}[mode]
    return (code + added) // lsb


def clamped(code: int, lowest: int, highest: int) -> int:
    """§1: the nearest of `lowest … highest`."""
    if code < lowest:
        return lowest
    return highest if code > highest else code


def signed(code: int, bits: int) -> int:
    """§1: saturated to two's complement of `bits` bits."""
    return clamped(code, -(2 ** (bits - 1)), 2 ** (bits - 1) - 1)


def loaded(value: float, frac_bits: int, highest: int) -> int:
    """§1: the code of a real value, rounded half up and saturated to `0 … highest`."""
    return clamped(floor(Fraction(value) * Fraction(2) ** frac_bits + Fraction(1, 2)), 0, highest)


EXPONENTIALS = [floor(65535 * exp(-i / 32) + 0.5) for i in range(256)]
RECIPROCALS = [floor(Fraction(2**25, 512 + 2 * i + 1) + Fraction(1, 2)) for i in range(256)]


def softmax(logits: Layer, state_bits: int) -> Layer:
    """§3 of docs/explanation/backprop_arithmetic.md, from logits on."""
    places = [rounded(max(logits) - u, state_bits - 5, "nearest") for u in logits]
    terms = [EXPONENTIALS[place] if place < 256 else 0 for place in places]
    total = sum(terms)
    long = total.bit_length()
    inverse = RECIPROCALS[total // 2 ** (long - 9) % 256]
    shares = [rounded(term * inverse, long + 15 - state_bits, "nearest") for term in terms]
    return [min(share, 2**state_bits - 1) for share in shares]


@dataclass(frozen=True)
class Constant:
    """§1: a register `multiplier * 2**-shift` between two formats, their difference counted in `shift`."""

    multiplier: int
    shift: int
    mode: str

    def times(self, code: int, word: int = 0) -> int:
        """The rounded product."""
        return rounded(self.multiplier * code, self.shift, self.mode, word)


def constant(multiplier: int, shift: int, mode: str) -> Constant:
    """§1: no shift is longer than 62 bits."""
    return Constant(multiplier, min(shift, 62), mode)


def mantissa(value: float, bits: int) -> tuple[int, int]:
    """§1: (m, n) of the register that holds `value`."""
    if value == 0:
        return 0, 0
    exact, most, n = Fraction(value), 2**bits - Fraction(1, 2), 0
    while n < 63 and exact * Fraction(2) ** (n + 1) < most:
        n += 1
    while exact * Fraction(2) ** n >= most:
        n -= 1
    m = floor(exact * Fraction(2) ** n + Fraction(1, 2))
    while m > 0 and m % 2 == 0:
        m, n = m // 2, n - 1
    return (m, n) if m > 0 else (0, 0)


class Bank:
    """§2: lanes of xorshift32 that step together."""

    def __init__(self, seed: int, lanes: int) -> None:
        self.lanes: Layer = []
        self.steps = 0
        c = seed * 0xD1342543DE82EF95 + 0x632BE59BD9B4E019
        for _ in range(lanes):
            c += 0x9E3779B97F4A7C15
            z = c % 2**64
            z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9 % 2**64
            z = (z ^ z >> 27) * 0x94D049BB133111EB % 2**64
            z = z ^ z >> 31
            self.lanes.append(z // 2**32 or 1)

    def step(self) -> Layer:
        """One word of 32 bits per lane."""
        for lane, s in enumerate(self.lanes):
            s = s ^ s << 13 & 0xFFFFFFFF
            s = s ^ s >> 17
            s = s ^ s << 5 & 0xFFFFFFFF
            self.lanes[lane] = s
        self.steps += 1
        return list(self.lanes)

    def parts(self, count: int, bits: int) -> Layer:
        """`count` parts of `bits` bits, the low part of a word first, on fresh steps."""
        parts: Layer = []
        while len(parts) < count:
            for word in self.step():
                parts += [word >> low & 2**bits - 1 for low in range(0, 32, bits)]
        return parts[:count]


class Sheet:
    """§1: every integer that a spec, given as its plain mapping, fixes."""

    soft = False
    """Whether the outputs are a softmax."""

    def __init__(self, spec: Mapping[str, Any], epoch: int) -> None:
        self.spec, self.chip, self.learning = spec, spec["chip"], spec["learning"]
        self.sizes: Layer = list(self.chip["layers"])
        self.top = len(self.sizes) - 1
        self.has_bias, self.own = self.chip["biases"]["enabled"], self.learning["target"] == "self_defined"
        self.k = self.learning["winners"] if self.own else 1
        self.set_reading()
        self.set_formats()
        self.set_constants(epoch)

    def set_formats(self) -> None:
        """§1: the point of the accumulator, and the shifts into it."""
        state, weight = self.chip["states"]["bits"], self.read_point
        inputs = self.spec["encoder"]["bits"]
        points = [weight + inputs, weight + state, state]
        points += [self.chip["biases"]["frac_bits"]] if self.has_bias else []
        point = max(points)
        self.input_left, self.state_left = point - weight - inputs, point - weight - state
        self.bias_left = point - points[-1]
        self.drive_right = point - state
        self.highest_state = 2**state - 1
        self.drive_bits, self.sum_bits = state + 4, self.chip["accumulator"]["bits"]
        self.key_left = self.learning["homeostasis"]["frac_bits"] - state

    def set_reading(self) -> None:
        """§1: how a stored weight is read, and the points of both codes."""
        weight = self.chip["weights"]
        self.hidden, self.odd = weight.get("hidden_bits", 0), weight.get("levels") == "odd"
        self.half = 2**self.hidden // 2 if weight.get("levels") == "nearest" else 0
        self.stored_bits = weight["bits"] + self.hidden
        self.stored_point, self.read_point = weight["frac_bits"] + self.hidden, weight["frac_bits"] + self.odd

    def read_code(self, stored: int) -> int:
        """§1: the code that all but an update make of a stored one."""
        kept = signed((stored + self.half) // 2**self.hidden, self.chip["weights"]["bits"])
        return 2 * kept + 1 if self.odd else kept

    def set_constants(self, epoch: int) -> None:
        """§1: the registers and the loaded codes."""
        learning, width = self.learning, self.chip["constants"]["bits"]
        self.soft = learning.get("loss") == "cross_entropy"
        step_mode = self.chip["states"]["rounding"]
        self.stochastic_states = step_mode == "stochastic"
        self.fixed_mode = "nearest" if self.stochastic_states else step_mode
        self.dt = constant(*mantissa(learning["dt"], width), step_mode)
        m, n = mantissa(learning["beta"], width)
        self.beta = constant(m, n, self.fixed_mode)
        self.set_rates(epoch, m / 2.0**n, width)
        self.set_target()

    def set_target(self) -> None:
        """§1: the registers and codes of the target, and the drop-out bytes."""
        learning, home, width = self.learning, self.learning["homeostasis"], self.chip["constants"]["bits"]
        self.eta = constant(*mantissa(home["eta"], width), "nearest")
        m, n = mantissa(home["gamma"], width)
        self.gamma = constant(m, n + home["activity_bits"] - home["frac_bits"], "nearest")
        share, smoothing = self.k / self.sizes[-1], learning["label_smoothing"]
        bits = self.chip["states"]["bits"]
        self.high = loaded(1.0 - smoothing + smoothing * share, bits, self.highest_state)
        self.low = loaded(smoothing * share, bits, self.highest_state)
        self.highest_activity = 2 ** home["activity_bits"] - 1
        self.aim = loaded(share, home["activity_bits"], self.highest_activity)
        self.input_drop = loaded(learning["dropout"]["input"], 8, 255)
        self.output_drop = loaded(learning["dropout"]["output"], 8, 255)

    def set_rates(self, epoch: int, beta: float, width: int) -> None:
        """§1: RATE of each weight layer, into weights and into biases."""
        learning, factor = self.learning, self.factor(epoch)
        sides = 2.0 if learning["beta_sign"] == "symmetric" else 1.0
        state, weight, bias = self.chip["states"]["bits"], self.chip["weights"], self.chip["biases"]
        self.weight_rates, self.bias_rates = [], [Constant(0, 0, "floor")]
        for layer in range(self.top):
            over = 1.0 if self.soft and layer == self.top - 1 else sides * beta  # target and share are compared
            value = learning["learning_rate"][layer] * factor / (over * learning["batch"])
            m, n = mantissa(value, width)
            pre = self.spec["encoder"]["bits"] if layer == 0 else state
            self.weight_rates.append(constant(m, n + pre + state - self.stored_point, weight["rounding"]))
            self.bias_rates.append(constant(m, n + state - bias["frac_bits"], bias["rounding"]))

    def factor(self, epoch: int) -> float:
        """§1: what the schedule makes of the learning rate."""
        schedule, epochs = self.learning["schedule"], self.spec["epochs"]
        if schedule["kind"] == "linear" and epochs > 1:
            return float(1.0 + (schedule["final"] - 1.0) * epoch / (epochs - 1))
        return 1.0
