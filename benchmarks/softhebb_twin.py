"""SoftHebb on the chip beside its float64 twin: `python -m benchmarks.softhebb_twin`.

Both start from the same weights and see the same samples of MNIST once, one at a time. The twin (`edgesdt.reference`)
rounds nothing; its means are those of the same windows. The states of both are read out by the same classifier, those
of the twin as codes of the chip's format.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks import command
from edgesdt import datasets
from edgesdt.datasets.encoders import encode
from edgesdt.readouts import methods
from edgesdt.reference.float_softhebb import Constants, FloatSoftHebb
from edgesdt.rules.softhebb.rule import SoftHebb
from edgesdt.rules.softhebb.settings import settings
from edgesdt.spec import Spec, load

Reals = npt.NDArray[np.float64]
Pixels = npt.NDArray[np.uint8]
POINT = 0.01
"""The most that a chip may be below its twin."""


class Twin:
    """The float64 chip of one layer that learns as the chip of `spec` does, from its first weights on."""

    def __init__(self, spec: Spec, chip: SoftHebb) -> None:
        codes = chip.weights(0).astype(np.float64)
        self.spec, self.window = spec, 1 << settings(spec).centre.window_bits
        self.net = FloatSoftHebb(spec, [codes * 2.0**-spec.chip.weights.point], Constants.asked(spec))

    def learn(self, samples: Reals) -> None:
        """Learn from samples (n, n_0) in 0 … 1: a window gives the means for the samples after it."""
        for start in range(0, len(samples), self.window):
            part = samples[start : start + self.window]
            if start > 0 or not settings(self.spec).centre.enabled:
                for x in part:
                    self.net.learn(x)
            if len(part) == self.window:
                self.net.means = [part.mean(axis=0)]

    def infer(self, pixels: Pixels) -> npt.NDArray[np.uint8] | npt.NDArray[np.uint16]:
        """States of input codes (n, n_0) as the chip's codes."""
        bits, act = self.spec.chip.states.bits, settings(self.spec).activation
        drives = (pixels * 2.0**-self.spec.encoder.bits - self.net.means[0]) @ self.net.weights[0]
        if act.kind == "triangle":
            drives -= drives.mean(axis=1, keepdims=True)
        states = np.maximum(drives, 0.0) ** act.power * 2.0**-act.range_bits
        codes: Reals = np.minimum(np.floor(states * 2.0**bits + 0.5), 2**bits - 1)
        return codes.astype(np.uint8) if bits <= 8 else codes.astype(np.uint16)


def compared(spec: Spec, data: Any) -> dict[str, float]:
    """Accuracies of the classifier on the outputs of the chip and of its twin."""
    chip = SoftHebb(spec)
    twin, x, x_test = Twin(spec, chip), encode(data.x_train, spec.encoder.bits), encode(data.x_test, spec.encoder.bits)
    order = np.random.RandomState([spec.seed, 0]).permutation(len(x))
    chip.learn(x, data.y_train, order, 0)
    twin.learn(x[order].astype(np.float64) * 2.0**-spec.encoder.bits)
    found = {}
    for name, infer in (("chip", chip.infer), ("twin", twin.infer)):
        both = methods.linear(infer, x, data.y_train, x_test, data.y_test, spec.chip.states.bits, spec.seed)
        found[name] = both["linear"]
    return found


def main(arguments: Sequence[str]) -> int:
    """The command; returns its exit code: 1 where a chip is more than a point below its twin."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.softhebb_twin", description=__doc__.partition(":")[0])
    parser.add_argument("--neurons", type=int, default=500, help="neurons of the chip (default 500)")
    parser.add_argument("--samples", type=int, default=20_000, help="training samples (default 20,000)")
    parser.add_argument("--seeds", type=int, default=1, metavar="N", help="seeds 0 … N-1")
    options = parser.parse_args(arguments)
    worst = 0.0
    for seed in range(options.seeds):
        layers = f"chip.layers=[784, {options.neurons}]"
        spec = load("mnist_softhebb", [layers, f"data.train={options.samples}", f"seed={seed}"])
        found = compared(spec, datasets.load("mnist", options.samples, spec.data.test))
        gap = found["twin"] - found["chip"]
        worst = max(worst, gap)
        print(
            f"784-{options.neurons}, {options.samples:,} samples, {spec.chip.weights.bits}-bit weights, seed {seed}: "
            f"chip {100 * found['chip']:.2f} %, float64 twin {100 * found['twin']:.2f} %, {100 * gap:+.2f} points"
        )
    return int(worst > POINT)


if __name__ == "__main__":
    command.finish(main)
