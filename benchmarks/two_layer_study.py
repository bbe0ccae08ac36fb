"""The study that chose the constants of `mnist_2layer_2000`, on held-out training images of MNIST.

`python -m benchmarks.two_layer_study [--run NAME] [--samples N]`. Each run trains a fresh chip on the first 50,000
training images, in eight parts whose rate falls as that of epochs; neurons are associated with classes by 5,000 of
these images, and 5,000 of the last 10,000 training images are recognised. No test image is used.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence

import numpy as np

from benchmarks import command
from edgesdt import datasets
from edgesdt.chip.simulated import Chip
from edgesdt.datasets.encoders import encode
from edgesdt.readouts.methods import direct
from edgesdt.spec import Spec, load

TRAINED, JUDGED, PARTS = 50_000, 5_000, 8
FEW = ("learning.dt=0.8", "learning.free_steps=8", "learning.nudged_steps=5")
BYTES = ("chip.weights.bits=8", "chip.states.bits=8")
RUNS: dict[str, tuple[int, tuple[str, ...]]] = {
    "as 784-400-400": (20_000, ()),
    "half the rates": (20_000, ("learning.learning_rate=[0.0004, 0.0006]",)),
    "twice the rates": (20_000, ("learning.learning_rate=[0.0016, 0.002]",)),
    "gamma 0.02": (20_000, ("learning.homeostasis.gamma=0.02",)),
    "8-bit states": (20_000, ("chip.states.bits=8",)),
    "symmetric": (20_000, ("learning.beta_sign=symmetric",)),
    "bytes": (
        20_000, (*BYTES, "learning.learning_rate=[0.0016, 0.002]", "learning.homeostasis.gamma=0.02"),
    ),
    "bytes, upper rate": (
        20_000, (*BYTES, "learning.learning_rate=[0.0008, 0.004]", "learning.homeostasis.gamma=0.02"),
    ),
    "bytes, upper rate, 8 winners": (
        20_000,
        (
            *BYTES, "learning.learning_rate=[0.0008, 0.004]", "learning.homeostasis.gamma=0.02", "learning.winners=8",
        ),
    ),
    "the same, few steps": (
        20_000,
        (
            *BYTES, *FEW, "learning.learning_rate=[0.0008, 0.004]", "learning.homeostasis.gamma=0.02",
            "learning.winners=8",
        ),
    ),
    "6 winners, upper rate 0.004": (60_000, ("learning.winners=6",)),
    "6 winners, upper rate 0.008": (60_000, ("learning.winners=6", "learning.learning_rate=[0.0008, 0.008]")),
    "6 winners, upper rate 0.016": (60_000, ("learning.winners=6", "learning.learning_rate=[0.0008, 0.016]")),
    "4 winners, upper rate 0.008": (60_000, ("learning.learning_rate=[0.0008, 0.008]",)),
}  # fmt: skip
"""Name → samples, and overrides of `mnist_2layer` at full size, or for 60,000 samples of `mnist_2layer_2000`."""


def spec_of(name: str) -> Spec:
    """The chip of one run."""
    samples, fields = RUNS[name]
    if samples == 60_000:
        return load("mnist_2layer_2000", [f"epochs={PARTS}", *fields])
    size = ("chip.layers=[784, 2000, 2000]", "chip.memory_budget=16 MiB")
    return load("mnist_2layer", [f"epochs={PARTS}", *size, *fields])


def judged(spec: Spec, samples: int) -> dict[str, float]:
    """Accuracies [%] on held-out training images after `samples`, and samples per second of learning."""
    data = datasets.load(spec.data.set)
    codes, labels = encode(data.x_train, spec.encoder.bits), data.y_train
    dice, chip, spent = np.random.default_rng(100), Chip(spec), 0.0
    order = np.concatenate([dice.permutation(TRAINED) for _ in range(1 + samples // TRAINED)])
    for part in range(PARTS):
        start = time.perf_counter()
        chip.rule.learn(codes, labels, order[part * samples // PARTS : (part + 1) * samples // PARTS], part)
        spent += time.perf_counter() - start
    known = dice.choice(TRAINED, JUDGED, replace=False)
    shown = slice(TRAINED, TRAINED + JUDGED)
    found = direct(chip.rule.infer, codes[known], labels[known], codes[shown], labels[shown], data.classes)
    return {name: 100 * share for name, share in found.items()} | {"samples/s": samples / spent}


def main(arguments: Sequence[str]) -> int:
    """The command; returns its exit code."""
    about = __doc__.partition("\n")[0]
    parser = argparse.ArgumentParser(prog="python -m benchmarks.two_layer_study", description=about)
    parser.add_argument("--run", action="append", choices=list(RUNS), help="only this run (may be repeated)")
    parser.add_argument("--samples", type=int, help="other than those of the run")
    options = parser.parse_args(arguments)
    for name in options.run or RUNS:
        samples = options.samples or RUNS[name][0]
        found = judged(spec_of(name), samples)
        print(
            f"{name}: {samples:,} samples, direct average {found['direct_average']:.2f} %, "
            f"max {found['direct_max']:.2f} %, {found['samples/s']:.0f} samples/s",
            flush=True,
        )
    return 0


if __name__ == "__main__":
    command.finish(main)
