"""The chip of docs/explanation/backprop_arithmetic.md in plain Python integers: the independent twin of the kernels.

Written from that page alone (§ is a section of it), dense and without shortcuts. What that page takes over from
docs/explanation/arithmetic.md (numbers, random bank, inputs, target, homeostasis, sweeps) is taken from `tests.oracle`.
Nothing of the simulator is imported.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tests.oracle import OracleChip
from tests.oracle_numbers import Constant, Layer, clamped, constant, mantissa, rounded, signed, softmax


class OracleBackprop(OracleChip):
    """A whole chip; lists are indexed as those of `OracleChip`, `errors` as `states`."""

    def __init__(self, spec: Mapping[str, Any], epoch: int = 0) -> None:
        super().__init__(spec, epoch)
        self.errors = self.per_neuron()
        self.events |= {name: [0] * (self.top + 1) for name in ("learned", "active")}
        self.wrong = [0] * (self.top + 1)

    def counted(self) -> dict[str, Layer]:
        """§5: every event so far."""
        return super().counted() | {"errors": self.wrong}

    def set_constants(self, epoch: int) -> None:
        """§1: slopes, offsets, rates and the constants of the target."""
        learning, chip = self.learning, self.chip
        self.error_bits, self.error_frac = learning["errors"]["bits"], learning["errors"]["frac_bits"]
        self.state_bits, self.mode = chip["states"]["bits"], chip["states"]["rounding"]
        self.soft = learning["loss"] == "cross_entropy"
        names = [learning["activation"]["hidden"]] * self.top + [learning["activation"]["output"]]
        self.slope = [2 if name == "hard_sigmoid" else 0 for name in names]
        if self.soft:
            self.slope[self.top] = 0
        self.inward = learning["activation"]["derivative"] == "inward"
        self.set_rates(epoch, 1.0, chip["constants"]["bits"])
        self.set_target()

    def set_rates(self, epoch: int, beta: float, width: int) -> None:
        """§1: RATE of each weight layer, into weights and into biases."""
        weight, bias = self.chip["weights"], self.chip["biases"]
        self.weight_rates, self.bias_rates = [], [Constant(0, 0, "floor")]
        for layer in range(self.top):
            m, n = mantissa(self.learning["learning_rate"][layer] * self.factor(epoch) / self.learning["batch"], width)
            pre = self.spec["encoder"]["bits"] if layer == 0 else self.chip["states"]["bits"]
            shift = n + pre + self.error_frac - self.stored_point
            self.weight_rates.append(constant(m, shift, weight["rounding"]))
            self.bias_rates.append(constant(m, n + self.error_frac - bias["frac_bits"], bias["rounding"]))

    # §2: the sample

    def learn(self, x: Sequence[int], label: int = 0) -> None:
        """One training sample; a full mini-batch is applied."""
        self.events["learned"][0] += 1
        self.load(x, learning=True)
        self.forward()
        self.pick_target(label)
        if self.own:
            self.settle_homeostasis()
        self.backward()
        if self.learning["batch"] == 1:
            self.move()
            return
        self.collect()
        self.waiting += 1
        if self.waiting == self.learning["batch"]:
            self.apply_batch()

    def infer(self, x: Sequence[int]) -> Layer:
        """The output states of one sample."""
        self.load(x, learning=False)
        self.forward()
        return list(self.states[self.top])

    def forward(self) -> None:
        """§2.4; the inputs are accumulated already."""
        for layer in self.above:
            if layer > 1:
                self.events["active"][layer - 1] += sum(s != 0 for s in self.states[layer - 1])
                self.send_up(layer - 1)
            if layer == self.top and self.soft:
                self.states[layer] = self.softmax()
            else:
                right, offset = self.drive_right + self.slope[layer], 2 ** (self.state_bits - 1)
                for j, a in enumerate(self.accumulators[layer]):
                    drive = rounded(a, right, self.mode) + (offset if self.slope[layer] else 0)
                    self.states[layer][j] = clamped(drive, 0, self.highest_state)
        self.states[self.top] = [s if kept else 0 for s, kept in zip(self.states[self.top], self.keep, strict=True)]

    def send_up(self, layer: int) -> None:
        """The states of a hidden layer, weighted, into the accumulators of the one above."""
        for i, s in enumerate(self.states[layer]):
            for j in range(self.sizes[layer + 1]):
                self.accumulate(layer + 1, j, s * self.read_code(self.weights[layer][i][j]) * 2**self.state_left)

    def send_down(self, layer: int) -> None:
        """The errors of the layer above, weighted, into the accumulators of hidden layer `layer`."""
        for i in range(self.sizes[layer]):
            for j, e in enumerate(self.errors[layer + 1]):
                self.accumulate(layer, i, e * self.read_code(self.weights[layer][i][j]))

    def softmax(self) -> Layer:
        """§3."""
        logits = [signed(rounded(a, self.drive_right, self.mode), self.drive_bits) for a in self.accumulators[self.top]]
        return softmax(logits, self.state_bits)

    def passes(self, s: int, v: int) -> bool:
        """§2: what passes a neuron."""
        if 0 < s < self.highest_state:
            return True
        return self.inward and (v > 0 if s == 0 else v < 0)

    def backward(self) -> None:
        """§2.7 and §2.8."""
        for j, s in enumerate(self.states[self.top]):
            apart = (self.high if self.target[j] else self.low) - s
            right = self.state_bits - self.error_frac + self.slope[self.top]
            through = self.keep[j] and (self.soft or self.passes(s, apart))
            self.errors[self.top][j] = signed(rounded(apart, right, "nearest"), self.error_bits) if through else 0
        for layer in range(self.top - 1, 0, -1):
            right = self.read_point + self.slope[layer]
            self.accumulators[layer] = [0] * self.sizes[layer]
            self.send_down(layer)
            for i, s in enumerate(self.states[layer]):
                a = self.accumulators[layer][i]
                code = signed(rounded(a, right, "nearest"), self.error_bits)
                self.errors[layer][i] = code if self.passes(s, a) else 0

    # §4: learning

    def products(self, layer: int) -> list[tuple[int, list[tuple[int, int]]]]:
        """(post neuron, [(pre neuron, product)]) of a weight layer, of all that take part."""
        pres = [(i, s) for i, s in enumerate(self.inputs if layer == 0 else self.states[layer]) if s != 0]
        posts = [(j, e) for j, e in enumerate(self.errors[layer + 1]) if e != 0]
        self.wrong[layer + 1] += len(posts)
        self.events["pairs"][layer] += len(pres) * len(posts)
        return [(j, [(i, s * e) for i, s in pres]) for j, e in posts]

    def move(self) -> None:
        """Weights, then biases, by the errors of one sample."""
        for layer in range(self.top):
            for j, moves in self.products(layer):
                self.sweep_weights(layer, j, moves)
        for layer in self.above if self.has_bias else ():
            self.sweep_biases(layer, [(j, e) for j, e in enumerate(self.errors[layer]) if e != 0])

    def collect(self) -> None:
        """The products of one sample into the buffers of the mini-batch."""
        for layer in range(self.top):
            for j, moves in self.products(layer):
                for i, product in moves:
                    self.weight_contrast[layer][i][j] += product
            for j, e in enumerate(self.errors[layer + 1]):
                self.bias_contrast[layer + 1][j] += e
