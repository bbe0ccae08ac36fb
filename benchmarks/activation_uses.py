"""What activation learning is of use for: few images a class, masked and noisy images, telling strangers (AUC).

`python -m benchmarks.activation_uses [--spec NAME] [--part whole|few]... [--seed N] [--json FILE]`: the chip learns
through the interface that a script has, and is then shown the whole test split: as it is, in part, with noise, and
beside the test split of Fashion-MNIST, whose largest activations should be smaller.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from benchmarks import command
from benchmarks.measuring.moved import moved
from edgesdt import datasets
from edgesdt.chip.simulated import Chip
from edgesdt.spec import Spec, load

Pixels = npt.NDArray[np.uint8]
Labels = npt.NDArray[np.int64]

FEW: dict[int, int] = {10: 60_000, 60: 100_000}
"""Images a class → how many samples are learned, each image many times over."""
FEWEST: Final = (10, ("learning.learning_rate=0.05", "learning.schedule.final=0.1", "epochs=10"))
"""So few images a class that a chip learns them by heart: it has a rate of its own, and learns them moved, too."""
MASKED_ROWS = (7, 14)
"""Rows of an image, from the bottom, that are black."""
NOISE_SD = (32.0, 64.0)
"""Standard deviations of noise that is added to every pixel, of 255."""
OCCLUDED = 14
"""Side of a black square at a random place [pixels]."""
STRANGERS = "fashion_mnist"


def taught(spec: Spec, x: Pixels, y: Labels, samples: int, side: int = 0) -> Chip:
    """A chip that has learned about `samples` samples of `x` (n, n_0), in a fresh order for each pass.

    The passes are dealt out to the epochs of the spec, whose learning rate falls. With the `side` of an image each one
    is moved at random before it is shown (`benchmarks.measuring.moved`).
    """
    chip, random = Chip(spec), np.random.RandomState(spec.seed)
    passes = max(1, round(samples / (len(x) * spec.epochs)))
    for epoch in range(spec.epochs):
        for _ in range(passes):
            order = random.permutation(len(x))
            seen = moved(x[order], side, random) if side else x[order]
            chip.learn(seen, y[order], epoch)
    return chip


def learned_few(name: str, seed: int) -> dict[str, float]:
    """Accuracies on the whole test split after a few images a class, drawn from `seed`; of the fewest, moved ones too.

    `name` is that of the spec, or the path of a file.
    """
    spec, (fewest, overrides) = load(name, overrides=[f"seed={seed}"]), FEWEST
    data, found = datasets.load(spec.data.set), {}
    x, x_test = (each.reshape(len(each), -1) for each in (data.x_train, data.x_test))
    for n, samples in FEW.items():
        chosen = of_each_class(data.y_train, n, seed)
        own = load(name, overrides=[f"seed={seed}", *overrides]) if n == fewest else spec
        for side in (0, data.shape[0]) if n == fewest else (0,):
            chip = taught(own, x[chosen], data.y_train[chosen], samples, side)
            found[f"{n}_images_a_class{', moved' * (side > 0)}"] = accuracy(chip, x_test, data.y_test)
    return found


def of_each_class(y: Labels, n: int, seed: int) -> Labels:
    """Indices of `n` samples of every class, drawn from `seed`."""
    order = np.random.RandomState(seed).permutation(len(y))
    return np.concatenate([order[y[order] == c][:n] for c in np.unique(y)])


def accuracy(chip: Chip, x: Pixels, y: Labels) -> float:
    """Share of the samples whose label has the largest activation."""
    return float((chip.infer(x).argmax(axis=1) == y).mean())


def auc(ours: npt.NDArray[Any], theirs: npt.NDArray[Any]) -> float:
    """Probability that a number of `ours` is larger than one of `theirs`; equal ones count half (Mann-Whitney)."""
    ordered = np.sort(theirs)
    below, up_to = (np.searchsorted(ordered, ours, side=side) for side in ("left", "right"))
    return float((below + up_to).sum() / (2.0 * len(ours) * len(theirs)))


def masked(x: Pixels, rows: int, side: int) -> Pixels:
    """`x` with the lowest `rows` of `side` rows black."""
    shown = x.reshape(len(x), side, -1).copy()
    shown[:, side - rows :] = 0
    return shown.reshape(len(x), -1)


def noisy(x: Pixels, sd: float, seed: int) -> Pixels:
    """`x` with Gaussian noise added to every pixel, clamped to 0 … 255."""
    found = x + np.random.RandomState(seed).normal(0.0, sd, x.shape)
    return np.clip(np.rint(found), 0, 255).astype(np.uint8)


def occluded(x: Pixels, square: int, side: int, seed: int) -> Pixels:
    """`x` with a black square at a random place of each image."""
    shown, random = x.reshape(len(x), side, -1).copy(), np.random.RandomState(seed)
    for image, (row, column) in zip(shown, random.randint(0, side - square + 1, (len(x), 2)), strict=True):
        image[row : row + square, column : column + square] = 0
    return shown.reshape(len(x), -1)


def shown(chip: Chip, x: Pixels, y: Labels, strangers: Pixels, side: int, seed: int) -> dict[str, float]:
    """Accuracies of whole, masked and noisy images, and the AUC of the largest activation against `strangers`."""
    found = chip.infer(x)
    result = {"whole": float((found.argmax(axis=1) == y).mean())}
    result["anomaly_auc"] = auc(found.max(axis=1), chip.infer(strangers).max(axis=1))
    for rows in MASKED_ROWS:
        result[f"bottom_{rows}_rows_masked"] = accuracy(chip, masked(x, rows, side), y)
    for sd in NOISE_SD:
        result[f"noise_sd_{sd:g}"] = accuracy(chip, noisy(x, sd, seed), y)
    result[f"square_of_{OCCLUDED}_occluded"] = accuracy(chip, occluded(x, OCCLUDED, side, seed), y)
    return result


def measure(name: str, seed: int, parts: Sequence[str]) -> dict[str, Any]:
    """All figures of the parts `whole` and `few`, on the whole test split, JSON-ready; a control is untrained.

    `name` is that of the spec, or the path of a file.
    """
    spec = load(name, overrides=[f"seed={seed}"])
    data, strangers = datasets.load(spec.data.set), datasets.load(STRANGERS)
    x, x_test = (each.reshape(len(each), -1) for each in (data.x_train, data.x_test))
    result: dict[str, Any] = {"spec": spec.name, "seed": spec.seed, "test_samples": len(x_test)}
    result["untrained"] = {"whole": accuracy(Chip(spec), x_test, data.y_test)}
    if "few" in parts:
        result |= learned_few(name, seed)
    if "whole" in parts:
        started = time.process_time()
        chip = taught(spec, x, data.y_train, len(x) * spec.epochs)
        result["cpu_s"] = round(time.process_time() - started, 1)
        strange = strangers.x_test.reshape(len(strangers.x_test), -1)
        result["shown"] = shown(chip, x_test, data.y_test, strange, data.shape[0], spec.seed)
    return result


def main(arguments: Sequence[str]) -> int:
    """The command; returns its exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.activation_uses", description=__doc__)
    parser.add_argument("--spec", default="activation_mnist", help="spec of the chip (default: activation_mnist)")
    parser.add_argument("--part", action="append", choices=("whole", "few"), help="what is measured (default: both)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path, help="write the figures to this file, too")
    given = parser.parse_args(arguments)
    text = json.dumps(measure(given.spec, given.seed, given.part or ("whole", "few")), indent=1)
    print(text)
    if given.json:
        given.json.write_text(text + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    command.finish(main)
