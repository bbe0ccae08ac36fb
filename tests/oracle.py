"""The chip of docs/explanation/arithmetic.md in plain Python integers: the independent twin of the kernels.

Written from that page alone (§ is a section of it), dense and without shortcuts: every neuron steps in every step and
every addition is checked for saturation. It imports nothing of the simulator; a spec comes as its plain mapping.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tests.oracle_numbers import Bank, Constant, Layer, Sheet, clamped, rounded, signed, softmax

EVENTS = (
    "samples", "inputs", "state_changes", "accumulator_saturations", "nudged_runs", "nudged_changes", "pairs",
    "weight_writes", "weight_saturations", "bias_moves", "bias_writes", "applied",
)  # fmt: skip


def winners_of(outputs: Layer, homeostasis: Layer, keep: Layer, key_left: int, k: int) -> Layer:
    """§3.7: the kept outputs with the k largest keys, best first."""
    kept = [j for j, kept in enumerate(keep) if kept]
    return sorted(kept, key=lambda j: (homeostasis[j] - outputs[j] * 2**key_left, j))[:k]


class OracleChip(Sheet):
    """A whole chip; lists are indexed [layer][neuron], weights [layer][pre][post]; entry 0 of neuron lists is empty.

    `events` counts what §6 lists, by name and layer.
    """

    def __init__(self, spec: Mapping[str, Any], epoch: int = 0) -> None:
        super().__init__(spec, epoch)
        self.above = range(1, self.top + 1)
        outputs = self.sizes[-1]
        self.inputs = [0] * self.sizes[0]
        self.weights = self.per_synapse()
        self.biases, self.accumulators, self.states = self.per_neuron(), self.per_neuron(), self.per_neuron()
        self.free_states, self.plus_states = self.per_neuron(), self.per_neuron()
        self.listed, self.stale = self.per_neuron(), [True] * (self.top + 1)
        self.keep, self.target, self.winners = [1] * outputs, [0] * outputs, [0] * self.k
        self.activity, self.homeostasis = [0] * outputs, [0] * outputs
        self.bank = Bank(spec["seed"], self.chip["random"]["lanes"])
        self.weight_contrast, self.bias_contrast = self.per_synapse(), self.per_neuron()
        self.wins = [0] * outputs
        self.waiting, self.sign = 0, 1
        self.events = {name: [0] * (self.top + 1) for name in EVENTS}

    def counted(self) -> dict[str, Layer]:
        """§6: every event so far; what has no layer is at 0."""
        return self.events | {"bank_steps": [self.bank.steps] + [0] * self.top}

    def draw_weights(self) -> None:
        """§2: the starting weights; the steps for them are not counted."""
        gain, frac_bits = self.chip["weights"]["init_gain"], self.stored_point
        for rows in self.weights:
            bound = round(gain * (6.0 / (len(rows) + len(rows[0]))) ** 0.5 * 2.0**frac_bits)
            bound = min(bound, 2 ** (self.stored_bits - 1) - 1)
            words = iter(self.bank.parts(len(rows) * len(rows[0]), 32))
            for row in rows:
                row[:] = [next(words) * (2 * bound + 1) // 2**32 - bound for _ in row]
        self.bank.steps = 0

    def per_neuron(self) -> list[Layer]:
        """A zero for each neuron above the input."""
        return [[]] + [[0] * n for n in self.sizes[1:]]

    def per_synapse(self) -> list[list[Layer]]:
        """A zero for each weight."""
        return [[[0] * post for _ in range(pre)] for pre, post in zip(self.sizes, self.sizes[1:], strict=False)]

    # §3: the sample

    def learn_stream(self, samples: Sequence[Sequence[int]], labels: Sequence[int]) -> None:
        """Learn from the samples in order; the end of the stream applies a mini-batch that is not full."""
        for x, label in zip(samples, labels, strict=True):
            self.learn(x, label)
        if self.waiting > 0:
            self.apply_batch()

    def learn(self, x: Sequence[int], label: int = 0) -> None:
        """One training sample; a full mini-batch is applied."""
        batch, mode = self.learning["batch"], self.learning["beta_sign"]
        if self.waiting == 0:
            self.sign = -1 if mode == "random" and self.bank.step()[0] >= 2**31 else 1
        self.load(x, learning=True)
        self.relax(self.learning["free_steps"], 0)
        self.make_shares()
        self.free_states = [list(layer) for layer in self.states]
        self.pick_target(label)
        if self.own:
            self.settle_homeostasis()
        if self.soft:  # no nudge yet
            self.states[self.top] = [0] * self.sizes[-1]
        self.nudge(self.sign)
        plus, minus = (self.states, self.free_states) if self.sign > 0 else (self.free_states, self.states)
        if mode == "symmetric":
            self.plus_states = [list(layer) for layer in self.states]
            self.return_to_free()
            self.nudge(-1)
            plus, minus = self.plus_states, self.states
        if batch == 1:
            self.update(plus, minus)
            return
        self.gather(plus, minus)
        self.waiting += 1
        if self.waiting == batch:
            self.apply_batch()

    def infer(self, x: Sequence[int]) -> Layer:
        """The output states of one sample."""
        self.load(x, learning=False)
        self.relax(self.learning["free_steps"], 0)
        self.make_shares()
        return list(self.states[self.top])

    def load(self, x: Sequence[int], learning: bool) -> None:
        """§3.2 to §3.5."""
        self.events["samples"][0] += 1
        self.inputs, self.keep = list(x), [1] * self.sizes[-1]
        if learning and self.input_drop > 0:
            octets = self.bank.parts(self.sizes[0], 8)
            self.inputs = [v if octet >= self.input_drop else 0 for v, octet in zip(x, octets, strict=True)]
        if learning and self.output_drop > 0:
            self.keep = [int(octet >= self.output_drop) for octet in self.bank.parts(self.sizes[-1], 8)]
        self.states = self.per_neuron()
        self.stale = [True] * (self.top + 1)
        for layer in self.above:
            for j, bias in enumerate(self.biases[layer]):
                self.accumulators[layer][j] = signed(bias * 2**self.bias_left, self.sum_bits)
        for i, value in enumerate(self.inputs):
            self.events["inputs"][0] += value != 0
            for j in range(self.sizes[1]):
                self.accumulate(1, j, value * self.read_code(self.weights[0][i][j]) * 2**self.input_left)

    def accumulate(self, layer: int, j: int, addend: int) -> None:
        """One addition, saturated."""
        wide = self.accumulators[layer][j] + addend
        self.accumulators[layer][j] = signed(wide, self.sum_bits)
        self.events["accumulator_saturations"][layer] += self.accumulators[layer][j] != wide

    def pick_target(self, label: int) -> None:
        """§3.7; places that no output takes hold -1."""
        if self.own:
            best = winners_of(self.states[self.top], self.homeostasis, self.keep, self.key_left, self.k)
            self.winners = best + [-1] * (self.k - len(best))
        else:
            self.winners = [label]
        self.target = [int(j in self.winners) for j in range(self.sizes[-1])]

    def settle_homeostasis(self) -> None:
        """§3.8."""
        if self.learning["batch"] > 1:
            self.wins = [v + t for v, t in zip(self.wins, self.target, strict=True)]
            return
        for j, t in enumerate(self.target):
            moved = self.activity[j] + self.eta.times(t * self.highest_activity - self.activity[j])
            self.settle(j, moved)

    def settle(self, j: int, activity: int) -> None:
        """The new activity of output j, and its homeostasis after it."""
        self.activity[j] = clamped(activity, 0, self.highest_activity)
        moved = self.homeostasis[j] + self.gamma.times(self.activity[j] - self.aim)
        self.homeostasis[j] = signed(moved, self.learning["homeostasis"]["bits"])

    def nudge(self, sign: int) -> None:
        """A nudged phase."""
        self.events["nudged_runs"][0] += 1
        self.relax(self.learning["nudged_steps"], sign)

    def return_to_free(self) -> None:
        """§3.9: every state back to the free one."""
        old, self.states = self.states, [list(layer) for layer in self.free_states]
        if self.soft:
            self.states[self.top] = [0] * self.sizes[-1]
        self.propagate(old)
        self.stale = [True] * (self.top + 1)

    def shares(self) -> Layer:
        """§9: the softmax of the present accumulators; of dropped outputs 0."""
        shares = softmax([self.drive(self.top, j) for j in range(self.sizes[-1])], self.chip["states"]["bits"])
        return [share if kept else 0 for share, kept in zip(shares, self.keep, strict=True)]

    def make_shares(self) -> None:
        """§9: the end of a free phase."""
        if self.soft:
            self.states[self.top] = self.shares()

    def ends(self, layer: int, plus: list[Layer], minus: list[Layer]) -> tuple[list[Layer], list[Layer]]:
        """The states between which a weight layer, and the biases above it, learn; §9 below a softmax."""
        if not (self.soft and layer == self.top - 1):
            return plus, minus
        aims = [self.high if t else self.low for t in self.target]
        aims = [aim if kept else 0 for aim, kept in zip(aims, self.keep, strict=True)]
        return [*self.free_states[: self.top], aims], self.free_states

    # §4: the dynamics

    def relax(self, steps: int, sign: int) -> None:
        """A phase; sign 0 is free."""
        self.stale[self.top] = True
        for _ in range(steps):
            self.step(sign)

    def drive(self, layer: int, j: int) -> int:
        """u."""
        return signed(rounded(self.accumulators[layer][j], self.drive_right, self.fixed_mode), self.drive_bits)

    def pull(self, layer: int, j: int, sign: int) -> int:
        """q."""
        if layer != self.top or sign == 0:
            return 0
        return sign * self.beta.times((self.high if self.target[j] else self.low) - self.states[layer][j])

    def step(self, sign: int) -> None:
        """Every layer steps from the old states; then the accumulators follow."""
        new = self.per_neuron()
        for layer in self.above:
            if self.soft and layer == self.top:
                new[layer] = self.nudges(sign)
                changed = sum(s != n for s, n in zip(self.states[layer], new[layer], strict=True))
                self.events["nudged_changes"][layer] += changed
                continue
            words = self.step_words(layer, sign)
            for j, s in enumerate(self.states[layer]):
                slope = self.drive(layer, j) - s + self.pull(layer, j, sign)
                moved = clamped(s + self.dt.times(slope, words[j]), 0, self.highest_state)
                new[layer][j] = s if layer == self.top and not self.keep[j] else moved
                self.events["nudged_changes"][layer] += sign != 0 and layer == self.top and new[layer][j] != s
        old, self.states = self.states, new
        self.propagate(old)

    def nudges(self, sign: int) -> Layer:
        """§9: what a softmax sends to the layer below in a step; nothing in a free phase."""
        if sign == 0:
            return [0] * self.sizes[-1]
        bits, made = self.chip["states"]["bits"] + 1, []
        for share, t, kept in zip(self.shares(), self.target, self.keep, strict=True):
            pull = sign * self.beta.times((self.high if t else self.low) - share)
            made.append(signed(pull, bits) if kept else 0)
        return made

    def step_words(self, layer: int, sign: int) -> Layer:
        """The half-word of each neuron of a layer: 0 where it takes none."""
        words = [0] * self.sizes[layer]
        if not self.stochastic_states:
            return words
        if self.stale[layer]:
            self.stale[layer] = False
            for j, s in enumerate(self.states[layer]):
                kept = layer != self.top or self.keep[j]
                wants = s > 0 or self.drive(layer, j) + self.pull(layer, j, sign) > 0
                self.listed[layer][j] = int(kept and wants)
        takers = [j for j, listed in enumerate(self.listed[layer]) if listed]
        for j, half in zip(takers, self.bank.parts(len(takers), 16), strict=True):
            words[j] = half
        return words

    def propagate(self, old: list[Layer]) -> None:
        """Accumulate the differences between the old and the present states."""
        for layer in self.above:
            by = [s - before for s, before in zip(self.states[layer], old[layer], strict=True)]
            self.events["state_changes"][layer] += sum(d != 0 for d in by)
            for towards in (layer + 1, layer - 1):
                if not 1 <= towards <= self.top:
                    continue
                self.stale[towards] = self.stale[towards] or any(by)
                for i, d in enumerate(by):
                    for j in range(self.sizes[towards]):
                        w = self.weights[layer][i][j] if towards > layer else self.weights[towards][j][i]
                        self.accumulate(towards, j, d * self.read_code(w) * 2**self.state_left)

    # §5: learning

    def pres(self, layer: int, plus: list[Layer], minus: list[Layer]) -> list[tuple[int, int, int]]:
        """(neuron, + code, - code) of the pre neurons that take part."""
        high, low = (self.inputs, self.inputs) if layer == 0 else (plus[layer], minus[layer])
        return [(i, p, m) for i, (p, m) in enumerate(zip(high, low, strict=True)) if p != 0 or m != 0]

    def posts(self, layer: int, plus: list[Layer], minus: list[Layer]) -> list[tuple[int, int, int]]:
        """(neuron, + code, - code) of the post neurons that take part."""
        pairs = enumerate(zip(plus[layer + 1], minus[layer + 1], strict=True))
        moved = layer == 0 or (self.soft and layer == self.top - 1)
        return [(j, p, m) for j, (p, m) in pairs if (p != m if moved else p != 0 or m != 0)]

    def update(self, plus: list[Layer], minus: list[Layer]) -> None:
        """Weights, then biases, by the contrast of one sample."""
        for layer in range(self.top):
            ends = self.ends(layer, plus, minus)
            pres, posts = self.pres(layer, *ends), self.posts(layer, *ends)
            self.events["pairs"][layer] += len(pres) * len(posts)
            for j, high, low in posts:
                self.sweep_weights(layer, j, [(i, p * high - m * low) for i, p, m in pres])
        for layer in self.above if self.has_bias else ():
            high, low = self.ends(layer - 1, plus, minus)
            moved = [p - m for p, m in zip(high[layer], low[layer], strict=True)]
            self.sweep_biases(layer, [(j, d) for j, d in enumerate(moved) if d != 0])

    def gather(self, plus: list[Layer], minus: list[Layer]) -> None:
        """The contrasts of one sample into the buffers of the mini-batch."""
        for layer in range(self.top):
            ends = self.ends(layer, plus, minus)
            pres, posts = self.pres(layer, *ends), self.posts(layer, *ends)
            self.events["pairs"][layer] += len(pres) * len(posts)
            for j, high, low in posts:
                for i, p, m in pres:
                    self.weight_contrast[layer][i][j] += p * high - m * low
            for j in range(self.sizes[layer + 1]):
                self.bias_contrast[layer + 1][j] += ends[0][layer + 1][j] - ends[1][layer + 1][j]

    def apply_batch(self) -> None:
        """Every weight and bias by its summed contrast; then homeostasis."""
        self.events["applied"][0] += 1
        for layer in range(self.top):
            for j in range(self.sizes[layer + 1]):
                self.sweep_weights(layer, j, [(i, row[j]) for i, row in enumerate(self.weight_contrast[layer])])
        for layer in self.above if self.has_bias else ():
            self.sweep_biases(layer, list(enumerate(self.bias_contrast[layer])))
        for j, v in enumerate(self.wins if self.own else []):
            self.settle(j, v * (self.highest_activity + 1) // self.learning["batch"])
        self.weight_contrast, self.bias_contrast = self.per_synapse(), self.per_neuron()
        self.wins, self.waiting = [0] * self.sizes[-1], 0

    def sweep_weights(self, layer: int, j: int, contrasts: list[tuple[int, int]]) -> None:
        """Update the weights of one post neuron from (pre neuron, contrast)."""
        rate, events = self.weight_rates[layer], self.events
        words = self.sweep_words(rate, len(contrasts))
        for (i, contrast), word in zip(contrasts, words, strict=True):
            old = self.weights[layer][i][j]
            wide = old + rate.times(contrast, word)
            new = signed(wide, self.stored_bits)
            events["weight_writes"][layer] += new != old
            events["weight_saturations"][layer] += new != wide
            self.weights[layer][i][j] = new

    def sweep_biases(self, layer: int, contrasts: list[tuple[int, int]]) -> None:
        """Update biases of a layer from (neuron, contrast)."""
        rate = self.bias_rates[layer]
        words = self.sweep_words(rate, len(contrasts))
        self.events["bias_moves"][layer] += len(contrasts)
        for (j, contrast), word in zip(contrasts, words, strict=True):
            old = self.biases[layer][j]
            self.biases[layer][j] = signed(old + rate.times(contrast, word), self.chip["biases"]["bits"])
            self.events["bias_writes"][layer] += self.biases[layer][j] != old

    def sweep_words(self, rate: Constant, count: int) -> Layer:
        """A half-word for each update of a sweep, on fresh steps; zeros if none is drawn."""
        return self.bank.parts(count, 16) if rate.mode == "stochastic" else [0] * count
