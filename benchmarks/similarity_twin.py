"""Similarity matching on the chip beside its float64 twin: `python -m benchmarks.similarity_twin`.

Both start from the same weights and see the same samples of MNIST once, one at a time. The twin (`edgesdt.reference`)
rounds nothing; the chip may be a point below it. The states of both are read out by the same classifier, those of the
twin as codes of the chip's format.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

from benchmarks import command
from edgesdt import datasets
from edgesdt.datasets.encoders import encode
from edgesdt.readouts import methods
from edgesdt.reference.float_similarity import Constants, FloatSimilarity, Reals
from edgesdt.rules.similarity.rule import Similarity
from edgesdt.rules.similarity.settings import settings
from edgesdt.spec import Spec, load

Pixels = npt.NDArray[np.uint8]
POINT = 0.01
"""The most that a chip may be below its twin."""


@njit
def settled(drive, lateral, steps, top):  # type: ignore[no-untyped-def]
    """As `float_similarity.settled` with Gauss–Seidel, compiled: changes are sent to residuals."""
    y, apart = np.zeros(drive.shape[0]), drive.copy()
    for _ in range(steps):
        largest = 0.0
        for j in range(y.shape[0]):
            change = min(max(y[j] + apart[j] / lateral[j, j], 0.0), top) - y[j]
            if change != 0.0:
                y[j] += change
                apart -= lateral[j] * change
                largest = max(largest, abs(change))
        if largest == 0.0:
            break
    return y


class Twin(FloatSimilarity):
    """The float64 chip of one layer that learns as the chip of `spec` does, from its first weights on."""

    def __init__(self, spec: Spec, chip: Similarity) -> None:
        super().__init__(
            spec, [chip.weights(0).astype(np.float64) * 2.0**-spec.chip.weights.point], Constants.asked(spec)
        )

    def _settle(self, k: int, centred: Reals, label: int | None) -> Reals:
        learning, bits = settings(self.spec), self.spec.chip.states.bits
        drive = centred @ self.weights[k] + (0.0 if label is None else self.labels[k][label])
        top = 2.0**learning.integer_bits * (1 - 2.0**-bits)
        self.states[k] = settled(drive, self.lateral[k], learning.settling.steps, top)
        return self.states[k]

    def codes(self, pixels: Pixels) -> npt.NDArray[np.uint8]:
        """States of input codes (n, n_0) as the chip's codes of 8 bits."""
        point = self.spec.chip.states.bits - settings(self.spec).integer_bits
        states = [self.infer(x * 2.0**-self.spec.encoder.bits) for x in pixels]
        return np.floor(np.array(states) * 2.0**point + 0.5).clip(0, 255).astype(np.uint8)


def compared(spec: Spec, data: Any) -> dict[str, float]:
    """Accuracies of the classifier on the outputs of the chip and of its twin."""
    chip = Similarity(spec)
    twin, x, x_test = Twin(spec, chip), encode(data.x_train, spec.encoder.bits), encode(data.x_test, spec.encoder.bits)
    order = np.random.RandomState([spec.seed, 0]).permutation(len(x))
    chip.learn(x, data.y_train, order, 0)
    for place in order:
        twin.learn(x[place] * 2.0**-spec.encoder.bits, int(data.y_train[place]))
    found = {}
    for name, infer in (("chip", chip.infer), ("twin", twin.codes)):
        both = methods.linear(infer, x, data.y_train, x_test, data.y_test, spec.chip.states.bits, spec.seed)
        found[name] = both["linear"]
    return found


def main(arguments: Sequence[str]) -> int:
    """The command; returns its exit code: 1 where a chip is more than a point below its twin."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.similarity_twin", description=__doc__.partition(":")[0])
    parser.add_argument("--neurons", type=int, default=100, help="neurons of the chip (default 100)")
    parser.add_argument("--samples", type=int, default=20_000, help="training samples (default 20,000)")
    parser.add_argument("--seeds", type=int, default=1, metavar="N", help="seeds 0 … N-1")
    parser.add_argument("--labels", action="store_true", help="with the labels as a second input of training")
    options = parser.parse_args(arguments)
    worst, name = 0.0, "mnist_similarity_label" if options.labels else "mnist_similarity"
    for seed in range(options.seeds):
        fields = [f"chip.layers=[784, {options.neurons}]", f"data.train={options.samples}", f"seed={seed}"]
        spec = load(name, [*fields, "chip.memory_budget=1 GiB"])
        data = datasets.load("mnist", spec.data.train, spec.data.test)
        found = compared(spec, data)
        gap = found["chip"] - found["twin"]
        worst = min(worst, gap)
        print(
            f"784-{options.neurons}, {options.samples:,} samples, seed {seed}: {spec.chip.weights.bits} bits, "
            f"{spec.chip.weights.rounding}: {found['chip']:.2%}; float64 twin {found['twin']:.2%}; {gap:+.2%}",
            flush=True,
        )
    print(f"{'within' if worst >= -POINT else 'NOT within'} {POINT:.0%} of the twin")
    return 0 if worst >= -POINT else 1


if __name__ == "__main__":
    command.finish(main)
