"""Judges constants on held-out training images: `python -m benchmarks.held_out SPEC [--set KEY=VALUE]...`.

Trains on the first training images and reads out on the last ones, which take the place of the test split. The test
images are not opened by it. A line of results says what the chip reached; CONSTANTS.md has what was tried.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from benchmarks import command
from edgesdt import units
from edgesdt.chip.simulated import Chip
from edgesdt.datasets import Dataset
from edgesdt.errors import EdgesdtError
from edgesdt.readouts import labels, methods
from edgesdt.readouts.assessment import Assessment
from edgesdt.rules.lookup import resolve
from edgesdt.runs import samples
from edgesdt.spec import Spec, load

HELD = 10_000
"""Training images to judge on: the last ones."""


def split(data: Dataset, held: int, train: int | None = None) -> Dataset:
    """The last `held` training samples as test split, the first `train` of the others (None: all) to learn from.

    Raises `EdgesdtError` if none is left to learn from.
    """
    rest = len(data.x_train) - held
    train = rest if train is None else train
    if not 1 <= train <= rest or held < 1:
        raise EdgesdtError(f"{held} held out and {train} to learn from, of {len(data.x_train)} training samples")
    x, y = data.x_train, data.y_train
    return replace(data, x_train=x[:train], y_train=y[:train], x_test=x[rest:], y_test=y[rest:])


def learned(spec: Spec, part: Dataset) -> Assessment:
    """The chip of `spec` after all epochs on the training samples of `part`."""
    spec = resolve(spec)
    read = Assessment(spec, Chip(spec), part, threads=1)
    shown = read.known if spec.learning.target == "label" else np.arange(len(read.x))
    for epoch in range(spec.epochs):
        order = shown[np.random.RandomState([spec.seed, epoch]).permutation(len(shown))]
        read.chip.rule.learn(read.x, part.y_train, order, epoch)
    return read


def few_labels(read: Assessment, number: int, draws: int) -> float:
    """Mean accuracy of the linear read-out with `number` labels, over `draws` selections of them."""
    data, bits = read.data, read.spec.chip.states.bits
    found = []
    for seed in range(draws):
        known = labels.drawn(data.y_train, number / len(data.y_train), seed)
        given = read.x[known], data.y_train[known], read.x_test, data.y_test
        found.append(methods.linear(read.infer, *given, bits, seed)["linear"])
    return float(np.mean(found))


def main(arguments: Sequence[str]) -> int:
    """The command; returns its exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.held_out", description=__doc__.partition(":")[0])
    parser.add_argument("spec", metavar="SPEC")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="override a field of the spec")
    parser.add_argument("--held", type=int, default=HELD, metavar="N", help="training samples to judge on")
    parser.add_argument("--train", type=int, metavar="N", help="samples to learn from (default: all others)")
    parser.add_argument("--labels", type=int, metavar="N", help="also read out linearly with so many labels")
    options = parser.parse_args(arguments)
    spec = load(options.spec, options.set)
    read = learned(spec, split(samples.load(spec), options.held, options.train))
    found = read.read_out(spec.readout)
    if options.labels is not None:
        found[f"linear with {options.labels} labels"] = few_labels(read, options.labels, draws=3)
    size = units.format_size(read.chip.memory.used_bits)
    figures = ", ".join(f"{name.replace('_', ' ')} {100 * right:.2f} %" for name, right in found.items())
    print(f"{spec.name} {' '.join(options.set)}: {size}, {figures}")
    return 0


if __name__ == "__main__":
    command.finish(main)
